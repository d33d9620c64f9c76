//! Questions about the account. Every list is complete or an error: a part is never an answer.

use crate::{
    ids,
    rest::{Call, Rest, parse},
    sign::Params,
    wire::orders::{FieldError, WireAccount, WireBalance, WireMyTrade, WireOrder},
};
use ploy_domain::{InstrumentId, Timestamp, VenueOrderId};
use ploy_venue_port::{
    Balance, DecodeCounts, ExecutionCursor, Priority, QueryAnswer, VenueError, VenueExecution,
    VenueOrder,
};
use reqwest::Method;

/// Rows of one page of trades.
const PAGE: usize = 1_000;
/// Pages after which a list of trades is given up: a million rows are no reconciliation.
const PAGES_MAX: usize = 1_000;
/// The code of "order does not exist".
const NO_SUCH_ORDER: i64 = -2013;

fn signed(operation: &'static str, path: &'static str, params: Params, weight: u32) -> Call {
    Call {
        operation,
        method: Method::GET,
        path,
        params,
        signed: true,
        weight,
        priority: Priority::Reserved,
    }
}

fn protocol(operation: &'static str) -> impl Fn(FieldError) -> VenueError {
    move |error| VenueError::Protocol {
        operation,
        detail: error.to_string(),
    }
}

/// Counts an order whose status is no word of ours, and passes it on.
fn surfaced(counts: &DecodeCounts, order: VenueOrder) -> VenueOrder {
    if !order.state.is_known() {
        counts.unknown_value();
        tracing::warn!(order = order.client_order_id, "order has an unknown status");
    }
    order
}

pub(super) async fn order(
    rest: &Rest,
    counts: &DecodeCounts,
    params: Params,
) -> Result<QueryAnswer, VenueError> {
    const OPERATION: &str = "query order";
    let call = signed(OPERATION, "/api/v3/order", params, 4);
    let answer = rest.ask(&call).await?;
    // The only refusal that is an answer; any other leaves the question open.
    if answer.status == 400 && answer.error().body.code == Some(NO_SUCH_ORDER) {
        return Ok(QueryAnswer::NotFound);
    }
    let wire: WireOrder = parse(&call, &answer.success(OPERATION)?)?;
    let order = wire.order(rest.venue()).map_err(protocol(OPERATION))?;
    Ok(QueryAnswer::Found(Box::new(surfaced(counts, order))))
}

pub(super) async fn open_orders(
    rest: &Rest,
    counts: &DecodeCounts,
) -> Result<Vec<VenueOrder>, VenueError> {
    const OPERATION: &str = "open orders";
    let call = signed(OPERATION, "/api/v3/openOrders", Params::new(), 80);
    let wire: Vec<WireOrder> = rest.read(&call).await?;
    let orders = wire.iter().map(|order| order.order(rest.venue()));
    let orders = orders.map(|order| order.map(|order| surfaced(counts, order)));
    orders
        .collect::<Result<_, _>>()
        .map_err(protocol(OPERATION))
}

pub(super) async fn executions_since(
    rest: &Rest,
    instrument: InstrumentId,
    cursor: ExecutionCursor,
) -> Result<Vec<VenueExecution>, VenueError> {
    const OPERATION: &str = "executions";
    let symbol = instrument.symbol();
    let base = || Params::new().with("symbol", symbol).with("limit", PAGE);
    let mut params = match cursor {
        ExecutionCursor::Since(at) if at > Timestamp::EPOCH => {
            base().with("startTime", at.as_millis())
        }
        ExecutionCursor::Since(_) => base().with("fromId", 0),
        ExecutionCursor::After(id) => {
            let number = ids::number(symbol, id.as_str());
            let number = number.ok_or_else(|| VenueError::Protocol {
                operation: OPERATION,
                detail: format!("execution {id} is none of {instrument}"),
            })?;
            base().with("fromId", number.saturating_add(1))
        }
    };
    let mut executions = Vec::new();
    for _ in 0..PAGES_MAX {
        let call = signed(OPERATION, "/api/v3/myTrades", params, 20);
        let page: Vec<WireMyTrade> = rest.read(&call).await?;
        for trade in &page {
            let execution = trade.execution(rest.venue());
            executions.push(execution.map_err(protocol(OPERATION))?);
        }
        match page.last() {
            Some(last) if page.len() >= PAGE => params = base().with("fromId", last.id.0 + 1),
            Some(_) | None => return Ok(executions),
        }
    }
    Err(VenueError::Protocol {
        operation: OPERATION,
        detail: format!("more than {PAGES_MAX} pages of {PAGE} executions"),
    })
}

pub(super) async fn order_executions(
    rest: &Rest,
    instrument: InstrumentId,
    venue_order_id: VenueOrderId,
) -> Result<Vec<VenueExecution>, VenueError> {
    const OPERATION: &str = "executions of an order";
    let symbol = instrument.symbol();
    let number = ids::number(symbol, venue_order_id.as_str());
    let number = number.ok_or_else(|| VenueError::Protocol {
        operation: OPERATION,
        detail: format!("order {venue_order_id} is none of {instrument}"),
    })?;
    let params = Params::new()
        .with("symbol", symbol)
        .with("orderId", number)
        .with("limit", PAGE);
    let call = signed(OPERATION, "/api/v3/myTrades", params, 5);
    let page: Vec<WireMyTrade> = rest.read(&call).await?;
    if page.len() >= PAGE {
        return Err(VenueError::Protocol {
            operation: OPERATION,
            detail: format!("the order has {PAGE} executions or more; ask by time"),
        });
    }
    let executions = page.iter().map(|trade| trade.execution(rest.venue()));
    executions
        .collect::<Result<_, _>>()
        .map_err(protocol(OPERATION))
}

pub(super) async fn balances(rest: &Rest) -> Result<Vec<Balance>, VenueError> {
    const OPERATION: &str = "balances";
    let call = signed(OPERATION, "/api/v3/account", Params::new(), 20);
    let account: WireAccount = rest.read(&call).await?;
    let balances = account.balances.iter().map(WireBalance::balance);
    balances
        .collect::<Result<_, _>>()
        .map_err(protocol(OPERATION))
}
