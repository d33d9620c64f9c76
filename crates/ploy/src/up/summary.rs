//! The live summary: markets, orders, fills, positions and profit, redrawn in place on a terminal
//! and printed as a line now and then elsewhere.

use crate::cli::say;
use ploy_chassis::Process;
use ploy_domain::{Amount, Timestamp};
use ploy_wire::api::{
    AccountView, Actor, Call, ExecutionApi, FillQuery, IngestionApi, MarketView, OrderQuery,
    PositionView, RiskApi, RiskState, StrategyApi, StrategyView,
};
use std::{fmt::Write as _, io::IsTerminal as _, sync::Arc, time::Duration};
use tokio::{task::JoinHandle, time::MissedTickBehavior};

const DEADLINE: Duration = Duration::from_secs(1);
/// How often a terminal is redrawn, and how often a line is printed where there is none.
const REDRAW_EVERY: Duration = Duration::from_secs(1);
const LINE_EVERY: Duration = Duration::from_secs(5);
/// Orders and fills that are counted by asking; more are shown as "and more".
const COUNTED_MAX: u32 = 500;

/// What the summary asks.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    pub(crate) execution: Arc<dyn ExecutionApi>,
    pub(crate) strategy: Arc<dyn StrategyApi>,
    pub(crate) ingestion: Arc<dyn IngestionApi>,
    pub(crate) risk: Arc<dyn RiskApi>,
}

/// One look at the platform.
#[derive(Debug, Default)]
struct Look {
    markets: Vec<MarketView>,
    strategies: Vec<StrategyView>,
    positions: Vec<PositionView>,
    accounts: Vec<AccountView>,
    orders: Count,
    fills: Count,
    risk: Option<RiskState>,
}

/// How many there are, as far as was counted.
#[derive(Debug, Default, Clone, Copy)]
struct Count {
    seen: usize,
    and_more: bool,
}

impl std::fmt::Display for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let more = if self.and_more { "+" } else { "" };
        f.pad(&format!("{}{more}", self.seen))
    }
}

/// Shows the summary until the process stops.
pub(crate) fn show(api: Api, process: &Process) -> JoinHandle<()> {
    let stop = process.stopping();
    let redraws = std::io::stdout().is_terminal();
    tokio::spawn(async move {
        let every = if redraws { REDRAW_EVERY } else { LINE_EVERY };
        let mut ticks = tokio::time::interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut drawn = 0;
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            let look = api.look().await;
            if redraws {
                let text = look.block();
                let up = if drawn > 0 {
                    format!("\x1b[{drawn}A\x1b[J")
                } else {
                    String::new()
                };
                drawn = text.lines().count();
                say(&format!("{up}{text}"));
            } else {
                say(&look.line());
            }
        }
    })
}

impl Api {
    async fn look(&self) -> Look {
        let call = || Call::new(Actor::GATEWAY, DEADLINE);
        let orders = OrderQuery {
            limit: COUNTED_MAX,
            ..OrderQuery::default()
        };
        let fills = FillQuery {
            limit: COUNTED_MAX,
            ..FillQuery::default()
        };
        let (markets, strategies, positions, accounts, orders, fills, risk) = tokio::join!(
            self.ingestion.markets(call()),
            self.strategy.strategies(call()),
            self.execution.positions(None, call()),
            self.execution.accounts(call()),
            self.execution.orders(orders, call()),
            self.execution.fills(fills, call()),
            self.risk.state(call()),
        );
        // What does not answer now is shown as nothing and asked again at the next look.
        let count = |seen, next: Option<String>| Count {
            seen,
            and_more: next.is_some(),
        };
        Look {
            markets: markets.unwrap_or_default(),
            strategies: strategies.unwrap_or_default(),
            positions: positions.unwrap_or_default(),
            accounts: accounts.unwrap_or_default(),
            orders: orders
                .map(|page| count(page.items.len(), page.next))
                .unwrap_or_default(),
            fills: fills
                .map(|page| count(page.items.len(), page.next))
                .unwrap_or_default(),
            risk: risk.ok(),
        }
    }

    /// What a stop leaves behind, from the database.
    pub(crate) async fn left(&self) -> String {
        let call = || Call::new(Actor::GATEWAY, DEADLINE);
        let open = OrderQuery {
            open_only: true,
            limit: COUNTED_MAX,
            ..OrderQuery::default()
        };
        let open = self.execution.orders(open, call()).await;
        let fills = FillQuery {
            limit: COUNTED_MAX,
            ..FillQuery::default()
        };
        let fills = self.execution.fills(fills, call()).await;
        match (open, fills) {
            (Ok(open), Ok(fills)) => {
                let open = Count {
                    seen: open.items.len(),
                    and_more: open.next.is_some(),
                };
                let fills = Count {
                    seen: fills.items.len(),
                    and_more: fills.next.is_some(),
                };
                format!(
                    "\nStopped. Left: {open} open orders, {fills} fills booked. \
                     The next start resumes from here.\n"
                )
            }
            _ => "\nStopped. The database does not answer any more; the next start resumes from \
                  what it holds.\n"
                .to_owned(),
        }
    }
}

impl Look {
    fn block(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = self.write_block(&mut text);
        text
    }

    fn write_block(&self, f: &mut String) -> std::fmt::Result {
        writeln!(
            f,
            "{:<14} {:>14} {:>14} {:>14}  FEED",
            "INSTRUMENT", "LAST", "BID", "ASK"
        )?;
        for market in &self.markets {
            let price = |price: Option<ploy_domain::Price>| shown(price);
            writeln!(
                f,
                "{:<14} {:>14} {:>14} {:>14}  {}",
                market.instrument.id.to_string(),
                price(market.last_price),
                price(market.bid.map(|level| level.price)),
                price(market.ask.map(|level| level.price)),
                format!("{:?}", market.feed).to_lowercase(),
            )?;
        }
        writeln!(
            f,
            "\n{:<18} {:<12} {:>9} {:>14} {:>12} {:>12}",
            "STRATEGY", "STATE", "DECISIONS", "POSITION", "REALISED", "UNREALISED"
        )?;
        for strategy in &self.strategies {
            let mine = self
                .positions
                .iter()
                .find(|position| position.strategy == strategy.id);
            writeln!(
                f,
                "{:<18} {:<12} {:>9} {:>14} {:>12} {:>12}",
                strategy.id.to_string(),
                strategy.state.word(),
                strategy.decisions,
                shown(mine.map(|position| position.quantity)),
                money(mine.map(|position| position.realised_net)),
                money(mine.and_then(|position| position.unrealised)),
            )?;
        }
        for account in &self.accounts {
            let state = account.reason.as_deref().unwrap_or("ready");
            writeln!(
                f,
                "\naccount {}: {state} · orders {} ({} open, {} unknown) · fills {} · events {}",
                account.account,
                self.orders,
                account.open_orders,
                account.unknown_orders,
                self.fills,
                account.head_seq,
            )?;
        }
        writeln!(f, "risk: {} · {}", self.risk_word(), now())
    }

    fn line(&self) -> String {
        let mut text = now();
        for market in &self.markets {
            let _ = write!(
                text,
                " {}={}",
                market.instrument.id.symbol(),
                shown(market.last_price)
            );
        }
        let _ = write!(text, " orders={} fills={}", self.orders, self.fills);
        for strategy in &self.strategies {
            let mine = self
                .positions
                .iter()
                .find(|position| position.strategy == strategy.id);
            let position = shown(mine.map(|position| position.quantity));
            let profit = money(mine.and_then(total));
            let _ = write!(
                text,
                " {}[{} position={position} profit={profit}]",
                strategy.id,
                strategy.state.word()
            );
        }
        let _ = writeln!(text, " risk={}", self.risk_word());
        text
    }

    fn risk_word(&self) -> String {
        match &self.risk {
            None => "not answering".to_owned(),
            Some(risk) if risk.states.is_empty() => "active".to_owned(),
            Some(risk) => {
                let states = risk
                    .states
                    .iter()
                    .map(|s| format!("{} {}", s.scope, s.state));
                states.collect::<Vec<_>>().join(", ")
            }
        }
    }
}

/// Realised and unrealised profit together, when both are known.
fn total(position: &PositionView) -> Option<Amount> {
    position
        .realised_net
        .plus(position.unrealised.unwrap_or_default())
        .ok()
}

fn shown(value: Option<impl std::fmt::Display>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

/// An amount with two decimals: a summary is read, not booked.
fn money(amount: Option<Amount>) -> String {
    let cent = Amount::from_raw(1_000_000);
    let rounded = amount.and_then(|a| a.round_to(cent, ploy_domain::Rounding::HalfEven).ok());
    shown(rounded)
}

/// The time of day in UTC, to the second.
fn now() -> String {
    let stamp = Timestamp::to_string(&super::clock().now());
    stamp
        .get(11..19)
        .map_or(stamp.clone(), |time| format!("{time}Z"))
}
