//! A recorded market named on the command line: which file, what it holds and how to read it.

use anyhow::Context as _;
use ploy_domain::{BarInterval, InstrumentId, Symbol, VenueId};
use ploy_recordings::{ColumnMap, Options, Recording, UtcOffset};
use std::path::{Path, PathBuf};

/// How to read the file.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct SourceArgs {
    /// What was recorded [default: the letters the file's name begins with]
    #[arg(long, value_name = "SYMBOL")]
    pub(crate) symbol: Option<Symbol>,
    /// Which columns mean what, where their names do not say: time=Date+Time,close=Last
    #[arg(long, value_name = "ROLE=COLUMN,…", default_value = "")]
    pub(crate) columns: ColumnMap,
    /// The zone of times that name none: UTC, IST or +HH:MM
    #[arg(long, value_name = "ZONE")]
    pub(crate) zone: Option<UtcOffset>,
    /// The length of the file's bars, where the data do not say: 1m
    #[arg(long, value_name = "LENGTH")]
    pub(crate) bar: Option<BarInterval>,
}

impl SourceArgs {
    /// What the file is a recording of.
    pub(crate) fn instrument(&self, file: &Path) -> anyhow::Result<InstrumentId> {
        let symbol = match self.symbol {
            Some(symbol) => symbol,
            None => named_by(file)?,
        };
        Ok(InstrumentId::new(
            symbol,
            VenueId::parse(ploy_exchange_server::VENUE)?,
        ))
    }

    /// Opens the file and reads all of it once, so that nothing is ever half-loaded.
    pub(crate) fn open(&self, file: &Path) -> anyhow::Result<Recording> {
        Recording::open(file, &self.options(file)?)
            .with_context(|| format!("{} cannot be used", file.display()))
    }

    /// Opens the file for a reader that gives nothing away before the last record.
    pub(crate) fn open_unchecked(&self, file: &Path) -> anyhow::Result<Recording> {
        Recording::open_unchecked(file, &self.options(file)?)
            .with_context(|| format!("{} cannot be used", file.display()))
    }

    fn options(&self, file: &Path) -> anyhow::Result<Options> {
        let mut options = Options::new(self.instrument(file)?);
        options.columns = self.columns.clone();
        options.interval = self.bar;
        if let Some(zone) = self.zone {
            options.utc_offset = zone;
        }
        Ok(options)
    }
}

/// The symbol that a file's name begins with: `BTCUSD` of `BTCUSD_2018.csv.gz`.
fn named_by(file: &Path) -> anyhow::Result<Symbol> {
    let name = file.file_name().map(PathBuf::from).unwrap_or_default();
    let letters: String = name
        .to_string_lossy()
        .chars()
        .take_while(char::is_ascii_alphanumeric)
        .collect::<String>()
        .to_ascii_uppercase();
    Symbol::parse(&letters).with_context(|| {
        format!(
            "{} does not begin with a symbol; name it with --symbol",
            file.display()
        )
    })
}
