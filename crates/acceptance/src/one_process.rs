//! `ploy up` as a user runs it: one process, a data directory, a port.

use crate::{api::Api, oracle::Oracle, programs::program, quick::QUICK_STRATEGIES};
use anyhow::{Context, Result, bail};
use ploy_testkit::{Program, RunningProgram, TempDir, eventually, free_port};
use std::{path::PathBuf, process::ExitStatus, time::Duration};

/// How long a start may take on a busy machine.
pub const START_DEADLINE: Duration = Duration::from_secs(30);
/// How long an ordered end may take.
const END_DEADLINE: Duration = Duration::from_secs(30);

/// Room for a load.
const GATEWAY: &str = "[gateway]\nreads_per_second = 1000\nmutations_per_second = 1000\n";

/// A data directory and the process that runs on it, if one does.
#[derive(Debug)]
pub struct OneProcess {
    // Before the directory, so that it is gone when its files go.
    running: Option<RunningProgram>,
    dir: TempDir,
    port: u16,
    more: String,
}

impl OneProcess {
    /// A directory and a port; nothing runs yet. `more` is added to the configuration.
    ///
    /// # Errors
    /// When there is no room.
    pub fn new(more: &str) -> Result<Self> {
        Ok(Self {
            running: None,
            dir: TempDir::new()?,
            port: free_port()?,
            more: more.to_owned(),
        })
    }

    /// The command line of a start.
    ///
    /// # Errors
    /// When the program or its configuration cannot be made.
    pub fn command(&self) -> Result<Program> {
        let configuration = self.dir.join("ploy.toml");
        std::fs::write(
            &configuration,
            format!("{GATEWAY}{QUICK_STRATEGIES}{}", self.more),
        )?;
        Ok(Program::new(program("ploy")?, self.dir.join("output"))
            .argument("up")
            .argument("--data-dir")
            .argument(self.data())
            .argument("--port")
            .argument(self.port.to_string())
            .argument("--log")
            .argument("json")
            .argument("--config")
            .argument(configuration))
    }

    /// Where it keeps everything.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.dir.join("data")
    }

    /// The port of its gateway.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Starts it and does not wait.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn begin(&mut self) -> Result<()> {
        self.running = Some(self.command()?.start()?);
        Ok(())
    }

    /// Starts it and waits until it trades.
    ///
    /// # Errors
    /// When it ends instead, or takes too long; with what it said.
    pub async fn start(&mut self) -> Result<Api> {
        self.begin()?;
        let token = self.data().join("token");
        let token = eventually(START_DEADLINE, || async {
            std::fs::read_to_string(&token)
                .ok()
                .filter(|t| !t.is_empty())
        });
        let token = token.await.context("no token was made")?;
        let url = format!("http://127.0.0.1:{}", self.port);
        let api = Api::new(url, token.trim().to_owned())?;
        match api.until_trading(START_DEADLINE).await {
            Ok(()) => Ok(api),
            Err(error) => bail!("{error:#}\n{}", self.last_words()),
        }
    }

    /// Kills it.
    ///
    /// # Errors
    /// When it had ended by itself: then the kill was no fault.
    pub fn kill(&mut self) -> Result<()> {
        let mut running = self.running.take().context("it does not run")?;
        if let Some(status) = running.ended()? {
            bail!("it ended by itself with {status}\n{}", self.last_words());
        }
        running.kill()
    }

    /// Ends it in order and says how it ended.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn stop(&mut self) -> Result<ExitStatus> {
        self.running
            .as_ref()
            .context("it does not run")?
            .terminate()?;
        self.until_ended().await
    }

    /// Waits until it has ended by itself.
    ///
    /// # Errors
    /// When it does not.
    pub async fn until_ended(&mut self) -> Result<ExitStatus> {
        let mut running = self.running.take().context("it does not run")?;
        let ended = eventually(END_DEADLINE, || {
            let ended = running.ended().ok().flatten();
            async move { ended }
        });
        let ended = ended.await;
        ended.with_context(|| format!("it does not end\n{}", self.last_words()))
    }

    /// Everything that all starts have said.
    #[must_use]
    pub fn said(&self) -> String {
        std::fs::read_to_string(self.dir.join("output")).unwrap_or_default()
    }

    /// The last lines of it.
    #[must_use]
    pub fn last_words(&self) -> String {
        let said = self.said();
        let lines: Vec<_> = said.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }

    /// The oracle of its books.
    ///
    /// # Errors
    /// Never, as long as `main` is an account.
    pub fn oracle(&self) -> Result<Oracle> {
        Ok(Oracle {
            ledger: self.data().join("exchange").join("ledger.jsonl"),
            database: format!("sqlite:{}", self.data().join("market/ploy.db").display()),
            account: "main".parse()?,
        })
    }
}
