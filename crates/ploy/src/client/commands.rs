//! Commands that change something. Each carries a key, so that it can be repeated without being done
//! twice.

use super::{
    Shown,
    connection::{Gateway, Order, line},
    failure::{Failure, clean},
    lists::order_table,
    status::states,
};
use ploy_chassis::Clock;
use ploy_gateway::contract::{CancelAllJson, KillJson, OrderJson, RiskJson};
use reqwest::Method;
use serde_json::{Map, Value};

/// What to stop.
#[derive(Debug, clap::Args)]
pub(crate) struct Kill {
    /// platform, venue:ID, account:ID, strategy:ID or instrument:SYMBOL.VENUE
    #[arg(long, default_value = "platform")]
    scope: String,
    /// Why, for those who come to look
    #[arg(long)]
    reason: Option<String>,
    #[command(flatten)]
    key: Key,
}

/// What to let go on.
#[derive(Debug, clap::Args)]
pub(crate) struct Reset {
    /// platform, venue:ID, account:ID, strategy:ID or instrument:SYMBOL.VENUE
    #[arg(long, default_value = "platform")]
    scope: String,
    /// Why trading may go on
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    key: Key,
}

/// What to cancel.
#[derive(Debug, clap::Args)]
pub(crate) struct Cancel {
    /// The order
    #[arg(value_name = "ORDER", required_unless_present = "all")]
    order_id: Option<String>,
    /// Every open order of the scope instead
    #[arg(long, conflicts_with_all = ["order_id", "account"])]
    all: bool,
    /// platform, venue:ID, account:ID, strategy:ID or instrument:SYMBOL.VENUE
    #[arg(long, conflicts_with = "order_id", requires = "all")]
    scope: Option<String>,
    /// The account of the order
    #[arg(long)]
    account: Option<String>,
    /// Why
    #[arg(long)]
    reason: Option<String>,
    #[command(flatten)]
    key: Key,
}

/// What to place.
#[derive(Debug, clap::Args)]
pub(crate) struct Submit {
    /// SYMBOL.VENUE, or a symbol that only one venue has
    instrument: String,
    /// buy or sell
    side: String,
    /// How much
    #[arg(allow_hyphen_values = true)]
    quantity: String,
    /// market, limit, post_only, stop or stop_limit; limit when there is a price
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// The limit price
    #[arg(long, allow_hyphen_values = true)]
    price: Option<String>,
    /// The trigger
    #[arg(long, value_name = "PRICE", allow_hyphen_values = true)]
    stop_price: Option<String>,
    /// gtc, ioc, fok or day; ioc for market orders, gtc for others when it is missing
    #[arg(long, value_name = "TIME")]
    time_in_force: Option<String>,
    /// Only shrink the position
    #[arg(long)]
    reduce_only: bool,
    /// The account that trades
    #[arg(long)]
    account: Option<String>,
    #[command(flatten)]
    key: Key,
}

/// What makes a repeated command the same command.
#[derive(Debug, clap::Args)]
struct Key {
    /// The idempotency key of a command that is repeated; a new one when it is missing
    #[arg(long)]
    key: Option<String>,
}

impl Key {
    fn text(self) -> String {
        self.key.unwrap_or_else(|| {
            let now = Clock::system().now().as_nanos();
            format!("cli-{now:x}-{:x}", std::process::id())
        })
    }
}

pub(super) async fn kill(gateway: &Gateway, args: Kill) -> Result<Shown, Failure> {
    let body = [("scope", Some(args.scope)), ("reason", args.reason)];
    let order = Order {
        method: Method::POST,
        path: "/api/v1/risk/kill",
        params: &[],
        key: &args.key.text(),
        body: Some(object(body)),
    };
    let raw = gateway.command(order).await?;
    let kill: KillJson = gateway.read(&raw)?;
    Ok(Shown {
        done: kill.halted && kill.cancels_requested.is_some(),
        ..Shown::new(line(&raw), killed(&kill))
    })
}

pub(super) async fn reset(gateway: &Gateway, args: Reset) -> Result<Shown, Failure> {
    let scope = args.scope.clone();
    let body = [("scope", Some(args.scope)), ("reason", Some(args.reason))];
    let order = Order {
        method: Method::POST,
        path: "/api/v1/risk/reset",
        params: &[],
        key: &args.key.text(),
        body: Some(object(body)),
    };
    let raw = gateway.command(order).await?;
    let risk: RiskJson = gateway.read(&raw)?;
    let text = format!(
        "trading goes on for {}\n\n{}",
        clean(&scope),
        states(&risk.states)
    );
    Ok(Shown::new(line(&raw), text))
}

/// What a kill did and what it did not.
fn killed(kill: &KillJson) -> String {
    let halted = match &kill.halt_error {
        None => format!("trading is HALTED for {}", clean(&kill.scope)),
        Some(error) => format!(
            "trading is NOT halted, risk did not take it: {}",
            clean(error)
        ),
    };
    let cancelled = match (&kill.cancels_requested, &kill.cancel_error) {
        (Some(count), _) => format!("cancels requested for {count} open orders"),
        (None, error) => {
            let why = error.as_deref().map(clean).unwrap_or_default();
            format!("open orders are NOT cancelled, execution did not take it: {why}")
        }
    };
    let trip = clean(&kill.trip_id);
    let again = match (kill.halted, kill.cancels_requested) {
        (true, Some(_)) => String::new(),
        _ => format!("repeat it until both are done: ploy kill --key {trip}\n"),
    };
    let states = states(&kill.states);
    format!("{halted}\n{cancelled}\ntrip {trip}\n{again}\n{states}")
}

pub(super) async fn cancel(gateway: &Gateway, args: Cancel) -> Result<Shown, Failure> {
    let key = args.key.text();
    let Some(order_id) = args.order_id else {
        let body = [("scope", args.scope), ("reason", args.reason)];
        let order = Order {
            method: Method::POST,
            path: "/api/v1/orders/cancel-all",
            params: &[],
            key: &key,
            body: Some(object(body)),
        };
        let raw = gateway.command(order).await?;
        let answer: CancelAllJson = gateway.read(&raw)?;
        let (requested, scope) = (answer.requested, clean(&answer.scope));
        let text = format!("cancels requested for {requested} open orders of {scope}\n");
        return Ok(Shown::new(line(&raw), text));
    };
    let given = [("account", args.account), ("reason", args.reason)];
    let params: Vec<_> = given
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect();
    let order = Order {
        method: Method::DELETE,
        path: &format!("/api/v1/orders/{}", segment(&order_id)),
        params: &params,
        key: &key,
        body: None,
    };
    shown(gateway, order).await
}

pub(super) async fn submit(gateway: &Gateway, args: Submit) -> Result<Shown, Failure> {
    let kind = args.kind.unwrap_or_else(|| {
        let kind = match (&args.price, &args.stop_price) {
            (None, None) => "market",
            (Some(_), None) => "limit",
            (None, Some(_)) => "stop",
            (Some(_), Some(_)) => "stop_limit",
        };
        kind.to_owned()
    });
    let mut body = object([
        ("instrument", Some(args.instrument)),
        ("side", Some(args.side)),
        ("type", Some(kind)),
        ("quantity", Some(args.quantity)),
        ("price", args.price),
        ("stop_price", args.stop_price),
        ("time_in_force", args.time_in_force),
        ("account", args.account),
    ]);
    body["reduce_only"] = args.reduce_only.into();
    let order = Order {
        method: Method::POST,
        path: "/api/v1/orders",
        params: &[],
        key: &args.key.text(),
        body: Some(body),
    };
    shown(gateway, order).await
}

/// Gives a command whose answer is an order.
async fn shown(gateway: &Gateway, order: Order<'_>) -> Result<Shown, Failure> {
    let raw = gateway.command(order).await?;
    let order: OrderJson = gateway.read(&raw)?;
    let text = order_table(&[order]).render("");
    Ok(Shown::new(line(&raw), text))
}

/// An object of what was given.
fn object<const N: usize>(fields: [(&str, Option<String>); N]) -> Value {
    let given = |(name, value): (&str, Option<String>)| Some((name.to_owned(), value?.into()));
    Value::Object(fields.into_iter().filter_map(given).collect::<Map<_, _>>())
}

/// A text as one segment of a path: what could be more is left for the gateway to refuse.
fn segment(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    text.chars()
        .map(|c| if plain(c) { c } else { '_' })
        .collect()
}
