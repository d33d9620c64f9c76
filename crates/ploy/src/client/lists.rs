//! Lists, as tables.

use super::{
    Shown,
    connection::{Gateway, line},
    failure::Failure,
    table::{Column, Table, or_dash, short},
};
use ploy_gateway::contract::{
    FillJson, ListJson, MarketJson, OrderJson, PositionJson, StrategyJson,
};
use serde::de::DeserializeOwned;

/// Nothing to choose.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Plain {}

/// Which orders.
#[derive(Debug, clap::Args)]
pub(crate) struct Orders {
    /// Only those that something can still happen to
    #[arg(long)]
    open: bool,
    /// Of this account
    #[arg(long)]
    account: Option<String>,
    /// Of this strategy instance; api for orders of people
    #[arg(long)]
    strategy: Option<String>,
    /// In this instrument, SYMBOL.VENUE
    #[arg(long)]
    instrument: Option<String>,
    #[command(flatten)]
    page: Page,
}

/// Which fills.
#[derive(Debug, clap::Args)]
pub(crate) struct Fills {
    /// Of this account
    #[arg(long)]
    account: Option<String>,
    #[command(flatten)]
    page: Page,
}

/// Which positions.
#[derive(Debug, clap::Args)]
pub(crate) struct Accounts {
    /// Of this account
    #[arg(long)]
    account: Option<String>,
}

/// Which part of a list.
#[derive(Debug, clap::Args)]
struct Page {
    /// At most so many, 1 to 500
    #[arg(long, default_value_t = 50)]
    limit: u32,
    /// From the cursor that the page before ended with
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,
}

impl Page {
    fn params(self) -> Vec<(&'static str, String)> {
        let mut params = vec![("limit", self.limit.to_string())];
        params.extend(self.after.map(|after| ("after", after)));
        params
    }
}

pub(super) async fn orders(gateway: &Gateway, args: Orders) -> Result<Shown, Failure> {
    let mut params = args.page.params();
    if args.open {
        params.push(("open", "true".to_owned()));
    }
    params.extend(args.account.map(|account| ("account", account)));
    params.extend(args.strategy.map(|strategy| ("strategy", strategy)));
    params.extend(args.instrument.map(|instrument| ("instrument", instrument)));
    list(gateway, "/api/v1/orders", &params, |orders| {
        order_table(orders).render("no orders")
    })
    .await
}

pub(super) async fn fills(gateway: &Gateway, args: Fills) -> Result<Shown, Failure> {
    let mut params = args.page.params();
    params.extend(args.account.map(|account| ("account", account)));
    list(gateway, "/api/v1/fills", &params, |fills: &[FillJson]| {
        let mut table = Table::new(&[
            Column::Text("TIME"),
            Column::Text("INSTRUMENT"),
            Column::Text("SIDE"),
            Column::Number("QUANTITY"),
            Column::Number("PRICE"),
            Column::Number("FEE"),
            Column::Text("ASSET"),
            Column::Text("STRATEGY"),
            Column::Text("ORDER"),
        ]);
        for fill in fills {
            table.row([
                &short(&fill.executed_at),
                &fill.instrument,
                &fill.side,
                &fill.quantity,
                &fill.price,
                &fill.fee,
                &fill.fee_asset,
                &fill.strategy,
                &fill.order_id,
            ]);
        }
        table.render("no fills")
    })
    .await
}

pub(super) async fn positions(gateway: &Gateway, args: Accounts) -> Result<Shown, Failure> {
    let params: Vec<_> = args
        .account
        .map(|account| ("account", account))
        .into_iter()
        .collect();
    list(gateway, "/api/v1/positions", &params, |positions| {
        position_table(positions).render("no positions")
    })
    .await
}

pub(super) async fn strategies(gateway: &Gateway, _: Plain) -> Result<Shown, Failure> {
    list(gateway, "/api/v1/strategies", &[], |strategies| {
        strategy_table(strategies).render("no strategies")
    })
    .await
}

pub(super) async fn markets(gateway: &Gateway, _: Plain) -> Result<Shown, Failure> {
    list(gateway, "/api/markets", &[], |markets| {
        market_table(markets).render("no markets")
    })
    .await
}

async fn list<T: DeserializeOwned>(
    gateway: &Gateway,
    path: &str,
    params: &[(&str, String)],
    render: impl FnOnce(&[T]) -> String,
) -> Result<Shown, Failure> {
    let raw = gateway.get(path, params).await?;
    let list: ListJson<T> = gateway.read(&raw)?;
    let mut text = render(&list.items);
    if let Some(next) = list.next {
        text.push_str(&format!("more with --after {next}\n"));
    }
    Ok(Shown::new(line(&raw), text))
}

pub(super) fn order_table(orders: &[OrderJson]) -> Table {
    let mut table = Table::new(&[
        Column::Text("ORDER"),
        Column::Text("UPDATED"),
        Column::Text("INSTRUMENT"),
        Column::Text("SIDE"),
        Column::Text("TYPE"),
        Column::Number("QUANTITY"),
        Column::Number("PRICE"),
        Column::Number("FILLED"),
        Column::Number("AVERAGE"),
        Column::State("STATE"),
        Column::Text("STRATEGY"),
        Column::Text("REASON"),
    ]);
    for order in orders {
        let price = order.price.as_ref().or(order.stop_price.as_ref());
        let reason = order.reasons.first().map_or("", |reason| &reason.code);
        table.row([
            &order.order_id,
            &short(&order.updated_at),
            &order.instrument,
            &order.side,
            &order.kind,
            &order.quantity,
            or_dash(price),
            &order.filled,
            or_dash(order.average_price.as_ref()),
            &order.state,
            &order.strategy,
            reason,
        ]);
    }
    table
}

pub(super) fn position_table(positions: &[PositionJson]) -> Table {
    let mut table = Table::new(&[
        Column::Text("ACCOUNT"),
        Column::Text("INSTRUMENT"),
        Column::Text("STRATEGY"),
        Column::Number("QUANTITY"),
        Column::Number("AVERAGE"),
        Column::Number("MARK"),
        Column::Number("UNREALISED"),
        Column::Number("REALISED"),
        Column::Number("CHARGES"),
    ]);
    for position in positions {
        table.row([
            &position.account,
            &position.instrument,
            &position.strategy,
            &position.quantity,
            or_dash(position.average_price.as_ref()),
            or_dash(position.mark.as_ref()),
            or_dash(position.unrealised.as_ref()),
            &position.realised_net,
            &position.charges,
        ]);
    }
    table
}

pub(super) fn strategy_table(strategies: &[StrategyJson]) -> Table {
    let mut table = Table::new(&[
        Column::Text("STRATEGY"),
        Column::Text("KIND"),
        Column::Text("INSTRUMENT"),
        Column::Text("ACCOUNT"),
        Column::State("STATE"),
        Column::Number("DECISIONS"),
        Column::Text("PARAMETERS"),
        Column::Text("DETAIL"),
    ]);
    for strategy in strategies {
        let params = strategy
            .params
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        table.row([
            &strategy.id,
            &strategy.kind,
            &strategy.instrument,
            &strategy.account,
            &strategy.state,
            &strategy.decisions.to_string(),
            &params.collect::<Vec<_>>().join(" "),
            &strategy.detail,
        ]);
    }
    table
}

pub(super) fn market_table(markets: &[MarketJson]) -> Table {
    let mut table = Table::new(&[
        Column::Text("INSTRUMENT"),
        Column::Number("LAST"),
        Column::Number("BID"),
        Column::Number("ASK"),
        Column::State("FEED"),
        Column::Number("TICK"),
        Column::Number("LOT"),
        Column::Number("MIN VALUE"),
    ]);
    for market in markets {
        let last = &market.last;
        table.row([
            &market.instrument,
            or_dash(last.last_price.as_ref()),
            or_dash(last.bid.as_ref().map(|level| &level.price)),
            or_dash(last.ask.as_ref().map(|level| &level.price)),
            &last.feed,
            &market.tick,
            &market.lot,
            &market.notional_min,
        ]);
    }
    table
}
