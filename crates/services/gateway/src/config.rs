//! What the gateway needs to know, read once and resolved to domain types.

use ploy_chassis::config::{Common, Mode, Secret, Settings};
use ploy_domain::AccountId;
use std::{net::SocketAddr, time::Duration};

/// Every key of the section with its default.
pub const DEFAULTS: &str = include_str!("../config/default.toml");

/// The shortest token.
const TOKEN_LEN_MIN: usize = 16;

/// The configuration of the gateway.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where it listens.
    pub listen: SocketAddr,
    /// What callers have to show for every mutation.
    pub token: Secret,
    /// Whether reads need no token. Only on loopback.
    pub reads_open: bool,
    /// The accounts that are shown; the first is meant when none is named.
    pub accounts: Vec<AccountId>,
    /// The first two characters of the ids of orders made here.
    pub order_id_prefix: [u8; 2],
    /// What callers may ask of it.
    pub bounds: Bounds,
}

/// What callers may ask of the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// How long a request may take.
    pub request_timeout: Duration,
    /// Requests at once; more are told to come again.
    pub requests_max: usize,
    /// Connections at once.
    pub connections_max: usize,
    /// Connections of one address at once.
    pub connections_per_address_max: usize,
    /// Reads of one address, per second.
    pub reads_per_second: u32,
    /// Mutations of one address, per second.
    pub mutations_per_second: u32,
    /// Streams at once.
    pub streams_max: usize,
    /// Updates that may wait for a slow stream; when there are more, it starts over.
    pub stream_updates_max: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            request_timeout: Duration::from_secs(5),
            requests_max: 256,
            connections_max: 1_024,
            connections_per_address_max: 50,
            reads_per_second: 60,
            mutations_per_second: 10,
            streams_max: 64,
            stream_updates_max: 1_024,
        }
    }
}

/// Where the other services listen, when they are other processes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peers {
    /// Execution.
    pub execution: String,
    /// Risk.
    pub risk: String,
    /// Strategy.
    pub strategy: String,
    /// Ingestion.
    pub ingestion: String,
}

impl Config {
    /// Reads it. Open reads are for development on this machine; anything else is a mistake.
    pub fn read(s: &mut Settings) -> Option<Self> {
        let mode = Common::read(s).map(|common| common.mode);
        let listen = s.parse::<SocketAddr>("gateway.listen", "ADDRESS:PORT");
        let token = token(s);
        let reads_open = s.flag("gateway.reads_open");
        let accounts = s.list("gateway.accounts", "accounts such as main", 1..=1_000);
        let bounds = Bounds::read(s);
        let (mode, listen, reads_open) = (mode?, listen?, reads_open?);
        if reads_open && !(mode == Mode::Dev && listen.ip().is_loopback()) {
            let problem = "is for mode dev on a loopback address; set it to false";
            s.reject("gateway.reads_open", problem);
            return None;
        }
        Some(Self {
            listen,
            token: token?,
            reads_open,
            accounts: accounts?,
            order_id_prefix: order_id_prefix(mode),
            bounds: bounds?,
        })
    }
}

impl Bounds {
    fn read(s: &mut Settings) -> Option<Self> {
        let seconds = Duration::from_millis(100)..=Duration::from_secs(10);
        let request_timeout = s.duration("gateway.request_timeout", seconds);
        let requests_max = s.number("gateway.requests_max", 1..=65_536);
        let connections_max = s.number("gateway.connections_max", 1..=65_536);
        let per_address = s.number("gateway.connections_per_address_max", 1..=65_536);
        let reads_per_second = s.number("gateway.reads_per_second", 1..=1_000_000);
        let mutations_per_second = s.number("gateway.mutations_per_second", 1..=1_000_000);
        let streams_max = s.number("gateway.streams_max", 1..=65_536);
        let stream_updates_max = s.number("gateway.stream_updates_max", 1..=65_536);
        Some(Self {
            request_timeout: request_timeout?,
            requests_max: requests_max?,
            connections_max: connections_max?,
            connections_per_address_max: per_address?,
            reads_per_second: reads_per_second?,
            mutations_per_second: mutations_per_second?,
            streams_max: streams_max?,
            stream_updates_max: stream_updates_max?,
        })
    }
}

impl Peers {
    /// Reads them.
    pub fn read(s: &mut Settings) -> Option<Self> {
        let schemes = ["http", "https"];
        let execution = s.url("gateway.execution", &schemes);
        let risk = s.url("gateway.risk", &schemes);
        let strategy = s.url("gateway.strategy", &schemes);
        let ingestion = s.url("gateway.ingestion", &schemes);
        Some(Self {
            execution: execution?,
            risk: risk?,
            strategy: strategy?,
            ingestion: ingestion?,
        })
    }
}

/// The token, long enough not to be guessed at the rate that is allowed.
fn token(s: &mut Settings) -> Option<Secret> {
    let token = s.secret("gateway.token")?;
    if token.expose().len() < TOKEN_LEN_MIN {
        let problem = format!("has fewer than {TOKEN_LEN_MIN} characters");
        s.reject("gateway.token", problem);
        return None;
    }
    Some(token)
}

/// The two characters that begin every order id of a mode.
const fn order_id_prefix(mode: Mode) -> [u8; 2] {
    match mode {
        Mode::Dev => *b"pd",
        Mode::Paper => *b"pp",
        Mode::Live => *b"pl",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ploy_chassis::config::{COMMON_DEFAULTS, ConfigError, Sources};

    fn read(variables: &[(&str, &str)]) -> Result<(Config, Peers), ConfigError> {
        let token = Sources::none().with_variable("PLOY_GATEWAY__TOKEN", "0123456789abcdef");
        let sources = variables
            .iter()
            .fold(token, |all, (name, value)| all.with_variable(name, value));
        let mut settings = Settings::load(&[COMMON_DEFAULTS, DEFAULTS], &sources);
        let read = settings.resolve(|s| {
            let (config, peers) = (Config::read(s), Peers::read(s));
            Some((config?, peers?))
        });
        let unread = settings.unread();
        assert!(
            !unread.iter().any(|key| key.starts_with("gateway.")),
            "{unread:?}"
        );
        read
    }

    #[test]
    fn the_defaults_are_those_of_the_program() {
        let (config, peers) = read(&[]).unwrap();
        assert_eq!(config.bounds, Bounds::default());
        assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(peers.risk, "http://127.0.0.1:9103");
    }

    #[test]
    fn a_short_token_is_refused_without_being_shown() {
        let short = read(&[("PLOY_GATEWAY__TOKEN", "hunter2")]).unwrap_err();
        let text = short.to_string();
        assert!(text.contains("fewer than 16 characters"), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }

    #[test]
    fn open_reads_are_for_development_on_loopback() {
        let open = ("PLOY_GATEWAY__READS_OPEN", "true");
        let live = ("PLOY_MODE", "live");
        let outside = ("PLOY_GATEWAY__LISTEN", "0.0.0.0:8080");
        assert!(read(&[open]).unwrap().0.reads_open);
        for refused in [read(&[open, live]), read(&[open, outside])] {
            let text = refused.unwrap_err().to_string();
            assert!(text.contains("gateway.reads_open"), "{text}");
        }
    }
}
