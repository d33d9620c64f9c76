//! What the strategy service needs to know, read once and resolved to domain types.

use ploy_chassis::config::Settings;
use ploy_domain::{AccountId, InstrumentId, StrategyId};
use serde::Deserialize;
use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

/// Every key of the section with its default.
pub const DEFAULTS: &str = include_str!("../config/default.toml");

/// The configuration of the strategy service.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where its gRPC listens.
    pub listen: SocketAddr,
    /// Where its probes and metrics listen.
    pub ops_listen: SocketAddr,
    /// Where execution listens.
    pub execution: String,
    /// Where ingestion listens.
    pub ingestion: String,
    /// How long a decision may take to reach the venue.
    pub order_validity: Duration,
    /// What runs.
    pub instances: Vec<InstanceSettings>,
}

/// One instance.
#[derive(Debug, Clone)]
pub struct InstanceSettings {
    /// Its name.
    pub id: StrategyId,
    /// Which strategy.
    pub kind: String,
    /// What it trades.
    pub instrument: InstrumentId,
    /// For which account.
    pub account: AccountId,
    /// With which parameters.
    pub params: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawInstance {
    id: String,
    kind: String,
    instrument: String,
    account: String,
    #[serde(default)]
    params: BTreeMap<String, String>,
}

impl Config {
    /// Reads it. Parameters are checked against the strategy they are for.
    pub fn read(s: &mut Settings) -> Option<Self> {
        let listen = s.parse("strategy.listen", "ADDRESS:PORT");
        let ops_listen = s.parse("strategy.ops_listen", "ADDRESS:PORT");
        let execution = s.url("strategy.execution", &["http", "https"]);
        let ingestion = s.url("strategy.ingestion", &["http", "https"]);
        let bounds = Duration::from_millis(100)..=Duration::from_secs(60);
        let order_validity = s.duration("strategy.order_validity", bounds);
        let raw: Option<Vec<RawInstance>> = s.section("strategy.instances");
        let instances = raw.map(|raw| {
            raw.into_iter()
                .map(|one| one.resolve(s))
                .collect::<Vec<_>>()
        });
        Some(Self {
            listen: listen?,
            ops_listen: ops_listen?,
            execution: execution?,
            ingestion: ingestion?,
            order_validity: order_validity?,
            instances: instances?.into_iter().collect::<Option<_>>()?,
        })
    }
}

impl RawInstance {
    fn resolve(self, s: &mut Settings) -> Option<InstanceSettings> {
        const KEY: &str = "strategy.instances";
        let mut refuse = |problem: String| {
            s.reject(KEY, format!("instance '{}': {problem}", self.id));
        };
        let id = self
            .id
            .parse()
            .map_err(|error| refuse(format!("id {error}")))
            .ok();
        let instrument = self
            .instrument
            .parse()
            .map_err(|error| refuse(format!("{error}")))
            .ok();
        let account = self
            .account
            .parse()
            .map_err(|error| refuse(format!("account {error}")))
            .ok();
        let known = ploy_strategies::build(&self.kind, &self.params);
        let known = known.map_err(|error| refuse(error.to_string())).ok();
        known.map(drop)?;
        Some(InstanceSettings {
            id: id?,
            kind: self.kind,
            instrument: instrument?,
            account: account?,
            params: self.params,
        })
    }
}
