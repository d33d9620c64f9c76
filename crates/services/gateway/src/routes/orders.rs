//! Orders: placed, shown, cancelled.
//!
//! A command runs as a task of its own: a caller that hangs up does not take it with it, and the
//! gateway waits for it when it ends.

use super::accounts;
use crate::{
    contract::{CancelAllJson, ListJson, OrderJson, ReasonJson, WhyJson},
    http::caller::Caller,
    input::{Body, Draft, Fields, Key, Named, Paging, Query, Terms},
    problem::{Kind, Problem, field_error},
    shared::Shared,
};
use axum::{
    Json,
    extract::{FromRequestParts, Path, State},
    http::{HeaderName, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use ploy_chassis::scope;
use ploy_domain::{
    ClientOrderId, InstrumentId, Intent, OrderState, Quantity, Reason, ReasonCode, Scope,
};
use ploy_wire::api::{
    ApiCode, ApiError, Call, CancelAll, CancelOrder, MarketView, OrderQuery, OrderView, SubmitOrder,
};
use std::{sync::Arc, time::Duration};
use tracing::Instrument as _;

/// How long a submit may take (failure-model §10.1).
const SUBMIT_DEADLINE: Duration = Duration::from_secs(2);
/// Says that the answer is that of an earlier request with the same key.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// The longest reason, in characters.
pub(super) const REASON_MAX: usize = 200;
const SCOPE: &str = "platform, venue:ID, account:ID, strategy:ID or instrument:SYMBOL.VENUE";

/// The order in the path.
pub(super) struct OrderId(ClientOrderId);

impl<S: Send + Sync> FromRequestParts<S> for OrderId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let text = path.map(|Path(text)| text).unwrap_or_default();
        text.parse().map(Self).map_err(|_| {
            let bound = "exactly 19 characters a-z 0-9";
            Problem::invalid(vec![field_error("order_id", Some(text), bound)])
        })
    }
}

pub(super) async fn list(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Query(mut fields): Query,
) -> Result<Json<ListJson<OrderJson>>, Problem> {
    let paging = Paging::read(&mut fields);
    let query = OrderQuery {
        account: accounts::account(&mut fields),
        open_only: fields.flag("open"),
        strategy: fields.optional("strategy", "a strategy instance such as ma-cross-btc"),
        instrument: fields.optional("instrument", "SYMBOL.VENUE such as BTCUSDT.SIM"),
        after: paging.after,
        limit: paging.limit,
    };
    fields.finish()?;
    let page = shared.deps.execution.orders(query, caller.call()).await?;
    Ok(Json(page.into()))
}

pub(super) async fn one(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    OrderId(order_id): OrderId,
    Query(mut fields): Query,
) -> Result<Json<OrderJson>, Problem> {
    let account = accounts::account(&mut fields);
    fields.finish()?;
    let account = accounts::or_default(account, &shared)?;
    let execution = &shared.deps.execution;
    let view = execution.order(account, order_id, caller.call()).await?;
    Ok(Json(view.into()))
}

/// Why an order is what it is.
pub(super) async fn why(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    OrderId(order_id): OrderId,
    Query(mut fields): Query,
) -> Result<Json<WhyJson>, Problem> {
    let account = accounts::account(&mut fields);
    fields.finish()?;
    let account = accounts::or_default(account, &shared)?;
    let execution = &shared.deps.execution;
    let view = execution.order(account, order_id, caller.call()).await?;
    let events = execution.order_events(account, order_id, caller.call());
    Ok(Json(WhyJson::new(view, &events.await?)))
}

pub(super) async fn submit(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Key(key): Key,
    Query(query): Query,
    Body(fields): Body,
) -> Result<Response, Problem> {
    query.finish()?;
    let mut draft = Draft::read(fields);
    let instrument = resolve(&mut draft, &shared, &caller).await?;
    let terms = Terms {
        account: accounts::or_default(None, &shared)?,
        prefix: shared.config.order_id_prefix,
        key: &key,
        now: shared.clock.now(),
    };
    let intent = draft.finish(&terms, instrument)?;
    let command = SubmitOrder {
        intent: intent.clone(),
        idempotency_key: key,
    };
    let call = caller.call().within(SUBMIT_DEADLINE);
    let execution = Arc::clone(&shared.deps.execution);
    let submit = |call| async move { execution.submit(command, call).await };
    let answer = detached(&shared, call, submit).await;
    let view = match answer {
        Ok(view) => view,
        // It may have been handed over: it is an order whose outcome nobody knows yet.
        Err(error) if error.code == ApiCode::DeadlineExceeded => doubtful(&intent),
        Err(error) => return Err(Problem::from(error).with("order_id", intent.order_id.as_str())),
    };
    tracing::info!(order_id = %view.order_id, state = %view.state, "order submitted by a person");
    Ok(placed(view, &intent))
}

pub(super) async fn cancel(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Key(_): Key,
    OrderId(order_id): OrderId,
    Query(mut fields): Query,
) -> Result<Response, Problem> {
    let account = accounts::account(&mut fields);
    let reason = reason(&mut fields);
    fields.finish()?;
    let command = CancelOrder {
        account: accounts::or_default(account, &shared)?,
        order_id,
        reason: reason.unwrap_or_else(|| caller.actor.to_string()),
    };
    let execution = Arc::clone(&shared.deps.execution);
    let cancel = |call| async move { execution.cancel(command, call).await };
    let view = detached(&shared, caller.call(), cancel).await?;
    tracing::info!(%order_id, state = %view.state, "cancel requested by a person");
    let status = match view.state.is_terminal() {
        true => StatusCode::OK,
        false => StatusCode::ACCEPTED,
    };
    Ok((status, Json(OrderJson::from(view))).into_response())
}

pub(super) async fn cancel_all(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Key(_): Key,
    Query(query): Query,
    Body(mut fields): Body,
) -> Result<Json<CancelAllJson>, Problem> {
    query.finish()?;
    let (scope, reason) = (read_scope(&mut fields), reason(&mut fields));
    fields.finish()?;
    let command = CancelAll {
        scope,
        reason: reason.unwrap_or_else(|| caller.actor.to_string()),
    };
    let execution = Arc::clone(&shared.deps.execution);
    let cancel = |call| async move { execution.cancel_all(command, call).await };
    let answer = detached(&shared, caller.call(), cancel).await?;
    tracing::info!(%scope, requested = answer.requested, "cancel of everything requested");
    Ok(Json(CancelAllJson {
        scope: scope.to_string(),
        requested: answer.requested,
    }))
}

/// The scope of a command; everything when none is named.
pub(super) fn read_scope(fields: &mut Fields) -> Scope {
    fields.optional("scope", SCOPE).unwrap_or(Scope::Platform)
}

/// Why, in a person's words: at most 200 characters without control characters.
fn reason(fields: &mut Fields) -> Option<String> {
    const BOUND: &str = "1 to 200 characters of text";
    let reason: String = fields.optional("reason", BOUND)?;
    let fits = (1..=REASON_MAX).contains(&reason.chars().count());
    if fits && !reason.contains(char::is_control) {
        Some(reason)
    } else {
        fields.refuse("reason", Some(reason), BOUND)
    }
}

/// Runs a command to its end, whether or not the caller waits, but no longer than `call` allows.
pub(super) async fn detached<T, W>(
    shared: &Shared,
    call: Call,
    command: impl FnOnce(Call) -> W,
) -> Result<T, ApiError>
where
    T: Send + 'static,
    W: Future<Output = Result<T, ApiError>> + Send + 'static,
{
    let deadline = call.deadline;
    let work = tokio::time::timeout(deadline, command(call));
    let work = scope::within("gateway", work).in_current_span();
    match shared.tasks.spawn(work).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => {
            let ms = deadline.as_millis();
            Err(ApiError::deadline_exceeded(format!(
                "no answer within {ms} ms"
            )))
        }
        Err(failed) => Err(ApiError::internal(format!("the command failed: {failed}"))),
    }
}

/// Which instrument is meant. Its rules are looked at when they can be had; when they cannot, a full
/// name is passed on, since risk judges every order anyway and cancels must not wait for prices.
async fn resolve(
    draft: &mut Draft,
    shared: &Shared,
    caller: &Caller,
) -> Result<Option<InstrumentId>, Problem> {
    let Some(named) = draft.instrument else {
        return Ok(None);
    };
    let markets = match (shared.deps.ingestion.markets(caller.call()).await, named) {
        (Ok(markets), _) => markets,
        (Err(_), Named::Fully(id)) => return Ok(Some(id)),
        (Err(error), Named::BySymbol(_)) => return Err(error.into()),
    };
    let fits = |market: &&MarketView| match named {
        Named::Fully(id) => market.instrument.id == id,
        Named::BySymbol(symbol) => *market.instrument.id.symbol() == symbol,
    };
    let fitting: Vec<_> = markets.iter().filter(fits).collect();
    match fitting.as_slice() {
        [market] => {
            draft.check(market);
            Ok(Some(market.instrument.id))
        }
        [] => {
            draft.refuse_instrument(named, format!("one of {}", names(markets.iter())));
            Ok(None)
        }
        several => {
            let names = names(several.iter().copied());
            let bound = format!("one of {names}; several venues have the symbol");
            draft.refuse_instrument(named, bound);
            Ok(None)
        }
    }
}

/// The names of some instruments, the first twenty.
fn names<'a>(markets: impl Iterator<Item = &'a MarketView>) -> String {
    let name = |market: &MarketView| market.instrument.id.to_string();
    let names: Vec<_> = markets.take(20).map(name).collect();
    names.join(", ")
}

/// The answer to a submit, as the README has it.
fn placed(view: OrderView, intent: &Intent) -> Response {
    let is_replay = view.created_at != intent.created_at;
    let location = format!("/api/v1/orders/{}?account={}", view.order_id, view.account);
    let state = view.state;
    let order = OrderJson::from(view);
    let mut response = match state {
        OrderState::Denied | OrderState::Rejected => refused(order).into_response(),
        OrderState::Created
        | OrderState::Checked
        | OrderState::Journaled
        | OrderState::Submitted
        | OrderState::Unknown
        | OrderState::PendingAmend
        | OrderState::PendingCancel => (StatusCode::ACCEPTED, Json(order)).into_response(),
        OrderState::Accepted
        | OrderState::Triggered
        | OrderState::PartiallyFilled
        | OrderState::Cancelled
        | OrderState::Expired
        | OrderState::Filled => (StatusCode::CREATED, Json(order)).into_response(),
    };
    let headers = response.headers_mut();
    if let Ok(location) = location.parse() {
        headers.insert(header::LOCATION, location);
    }
    if is_replay {
        headers.insert(REPLAYED, header::HeaderValue::from_static("true"));
    }
    response
}

fn refused(order: OrderJson) -> Problem {
    let told: Vec<_> = order.reasons.iter().map(sentence).collect();
    let detail = match told.is_empty() {
        true => format!("the order is {}", order.state),
        false => told.join("; "),
    };
    let reasons = order.reasons.clone();
    Problem::new(Kind::OrderRefused, detail)
        .with("reasons", reasons)
        .with("order", order)
}

fn sentence(reason: &ReasonJson) -> String {
    format!("{} {}", reason.code, reason.context)
        .trim_end()
        .to_owned()
}

/// An order that was handed over and not answered.
fn doubtful(intent: &Intent) -> OrderView {
    OrderView {
        account: intent.account,
        order_id: intent.order_id,
        strategy: intent.strategy,
        instrument: intent.instrument,
        side: intent.side,
        kind: intent.kind,
        quantity: intent.quantity,
        time_in_force: intent.time_in_force,
        reduce_only: intent.reduce_only,
        state: OrderState::Unknown,
        filled: Quantity::ZERO,
        average_price: None,
        venue_order_id: None,
        reasons: vec![Reason::bare(ReasonCode::OutcomeUnknown)],
        late_fill: false,
        version: 0,
        created_at: intent.created_at,
        updated_at: intent.created_at,
    }
}
