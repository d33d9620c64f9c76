//! Strategies in a hurry: they decide every few seconds, so that a short test sees them trade.

/// The configuration of two instances.
pub(crate) const QUICK_STRATEGIES: &str = r#"
[[strategy.instances]]
id = "quick-btc"
kind = "ma-cross"
instrument = "BTCUSDT.SIM"
account = "main"
params = { fast = "1", slow = "2", interval = "1s", notional = "500" }
[[strategy.instances]]
id = "quick-eth"
kind = "ma-cross"
instrument = "ETHUSDT.SIM"
account = "main"
params = { fast = "1", slow = "3", interval = "1s", notional = "500" }
"#;
