//! What risk needs to know, read once and resolved to domain types.

use ploy_chassis::config::{Mode, Settings};
use ploy_domain::{AccountId, Amount, Bps, Nanos};
use ploy_risk_core::{Limits, ResetRules};
use std::{net::SocketAddr, time::Duration};

/// Every key of the section with its default.
pub const DEFAULTS: &str = include_str!("../config/default.toml");

/// The longest wait between asking for a reset and confirming it.
const RESET_HOLD_MAX: Duration = Duration::from_secs(3_600);
/// The shortest one in live where one person is enough.
const RESET_HOLD_ALONE: Nanos = Nanos::from_secs(600);

/// The configuration of risk.
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
    /// The accounts whose logs are followed.
    pub accounts: Vec<AccountId>,
    /// Whether live trading was armed.
    pub armed: bool,
    /// The limits; their version is found in the database.
    pub limits: Limits,
    /// What it takes to loosen what somebody tightened.
    pub resets: ResetRules,
}

impl Config {
    /// Reads it.
    pub fn read(s: &mut Settings) -> Option<Self> {
        let listen = s.parse("risk.listen", "ADDRESS:PORT");
        let ops_listen = s.parse("risk.ops_listen", "ADDRESS:PORT");
        let execution = s.url("risk.execution", &["http", "https"]);
        let ingestion = s.url("risk.ingestion", &["http", "https"]);
        let accounts = s.list("risk.accounts", "accounts", 1..=1_000);
        let (armed, limits) = (s.flag("risk.armed"), limits(s));
        let hold = s.duration("risk.reset.hold", Duration::ZERO..=RESET_HOLD_MAX);
        let second_person = s.flag("risk.reset.second_person");
        Some(Self {
            listen: listen?,
            ops_listen: ops_listen?,
            execution: execution?,
            ingestion: ingestion?,
            accounts: accounts?,
            armed: armed?,
            limits: limits?,
            resets: ResetRules {
                hold: nanos(hold?),
                second_person: second_person?,
            },
        })
    }

    /// What loosening takes in this mode: who is alone in live waits longer (KIL-3).
    #[must_use]
    pub fn resets(&self, mode: Mode) -> ResetRules {
        let is_alone = mode == Mode::Live && !self.resets.second_person;
        if !is_alone {
            return self.resets;
        }
        tracing::warn!("one person alone can loosen the kill switch: risk.reset.second_person");
        ResetRules {
            hold: self.resets.hold.max(RESET_HOLD_ALONE),
            ..self.resets
        }
    }

    /// Whether orders may leave: always in dev and paper, in live only once armed.
    #[must_use]
    pub fn is_armed(&self, mode: Mode) -> bool {
        mode != Mode::Live || self.armed
    }
}

fn nanos(span: Duration) -> Nanos {
    Nanos::new(i64::try_from(span.as_nanos()).unwrap_or(i64::MAX))
}

fn limits(s: &mut Settings) -> Option<Limits> {
    let mut amount = |name: &str| {
        let key = format!("risk.limits.{name}");
        s.parse::<Amount>(&key, "a decimal amount such as 50000")
    };
    let order_notional_max = amount("order_notional_max");
    let position_notional_max = amount("position_notional_max");
    let gross_exposure_max = amount("gross_exposure_max");
    let net_exposure_max = amount("net_exposure_max");
    let daily_loss_max = amount("daily_loss_max");
    let drawdown_max = amount("drawdown_max");
    let price_band = s.number("risk.limits.price_band_bps", 1..=10_000);
    let ages = Duration::from_millis(100)..=Duration::from_secs(600);
    let quote_age_max = s.duration("risk.limits.quote_age_max", ages);
    let open_orders_max = s.number("risk.limits.open_orders_max", 1..=100_000);
    let order_rate_max = s.number("risk.limits.order_rate_max", 1..=10_000);
    let limits = Limits {
        version: 0,
        order_notional_max: order_notional_max?,
        price_band: Bps::new(price_band?),
        quote_age_max: nanos(quote_age_max?),
        open_orders_max: open_orders_max?,
        order_rate_max: order_rate_max?,
        position_notional_max: position_notional_max?,
        gross_exposure_max: gross_exposure_max?,
        net_exposure_max: net_exposure_max?,
        daily_loss_max: daily_loss_max?,
        drawdown_max: drawdown_max?,
    };
    if let Err(errors) = limits.validate() {
        for error in &errors {
            s.reject(&format!("risk.limits.{}", error.name), error.to_string());
        }
        return None;
    }
    Some(limits)
}
