//! What execution needs to know, read once and resolved to domain types.

use ploy_chassis::config::{Mode, Secret, Settings, VenueSettings};
use ploy_domain::{AccountId, Amount, Nanos};
use ploy_orders_core::EgressGuard;
use std::{net::SocketAddr, time::Duration};

/// Every key of the section with its default.
pub const DEFAULTS: &str = include_str!("../config/default.toml");

/// The configuration of execution.
#[derive(Debug, Clone)]
pub struct Config {
    /// The venue that orders go to.
    pub venue: VenueSettings,
    /// Where its gRPC listens.
    pub listen: SocketAddr,
    /// Where its probes and metrics listen.
    pub ops_listen: SocketAddr,
    /// Where risk listens.
    pub risk: String,
    /// The account that is owned.
    pub account: AccountId,
    /// Its key at the venue.
    pub api_key: String,
    /// The secret of the key.
    pub api_secret: Secret,
    /// The last guard before an order leaves.
    pub guard: EgressGuard,
}

impl Config {
    /// Reads it.
    pub fn read(s: &mut Settings) -> Option<Self> {
        let venue = VenueSettings::read(s);
        refuse_real_money(s, venue.as_ref());
        let listen = s.parse("execution.listen", "ADDRESS:PORT");
        let ops_listen = s.parse("execution.ops_listen", "ADDRESS:PORT");
        let risk = s.url("execution.risk", &["http", "https"]);
        let account = s.parse("execution.account", "an account such as main");
        let api_key = s.text("execution.api_key");
        let api_secret = s.secret("execution.api_secret");
        let guard = guard(s);
        Some(Self {
            venue: venue?,
            listen: listen?,
            ops_listen: ops_listen?,
            risk: risk?,
            account: account?,
            api_key: api_key?,
            api_secret: api_secret?,
            guard: guard?,
        })
    }
}

/// Only mode live, which has to be armed, may send orders to a real venue.
fn refuse_real_money(s: &mut Settings, venue: Option<&VenueSettings>) {
    let is_real = venue.is_some_and(|venue| !venue.url.starts_with("http://"));
    if is_real && s.text("mode").as_deref() != Some(Mode::Live.word()) {
        s.reject(
            "venue.url",
            "is a real venue; only mode live sends orders there",
        );
    }
}

fn guard(s: &mut Settings) -> Option<EgressGuard> {
    let amount = "a decimal amount above 0 such as 100000";
    let notional_max = s.parse::<Amount>("execution.guard.notional_max", amount);
    let rate = s.number("execution.guard.orders_per_second_max", 1..=10_000);
    let open = s.number("execution.guard.open_orders_max", 1..=100_000);
    let windows = Duration::ZERO..=Duration::from_secs(60);
    let window = s.duration("execution.guard.identical_window", windows);
    Some(EgressGuard {
        notional_max: notional_max?,
        orders_per_second_max: rate?,
        open_orders_max: open?,
        identical_window: Nanos::new(i64::try_from(window?.as_nanos()).unwrap_or(i64::MAX)),
    })
}
