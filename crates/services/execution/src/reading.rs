//! Complete readings of a venue's books: of one order, and of a whole account. A reading that fails
//! anywhere is no reading (REC-2, G-4).

use crate::{
    inputs::{self, Instruments},
    store::{ExecutionStore, ReadError},
};
use ploy_domain::{
    AccountId, ClientOrderId, InstrumentId, MoneyError, Nanos, Timestamp, VenueOrderId,
};
use ploy_domain::{Reason, ReasonCode};
use ploy_orders_core::{QueryOutcome, VenueFill, VenueSnapshot};
use ploy_venue_port::{Broker, ExecutionCursor, QueryAnswer, VenueError};

/// How far before the newest known fill the trades are read again (REC-1).
const OVERLAP: Nanos = Nanos::from_secs(600);

/// Why a reading is none.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadingError {
    #[error("the venue's books cannot be read")]
    Venue(#[source] VenueError),
    #[error("our own books cannot be read")]
    Own(#[source] ReadError),
    #[error("a balance of the venue cannot be computed")]
    Money(#[source] MoneyError),
}

/// Which order is asked about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question {
    pub(crate) order_id: ClientOrderId,
    pub(crate) instrument: InstrumentId,
    pub(crate) venue_order_id: Option<VenueOrderId>,
    pub(crate) since: Timestamp,
}

/// Asks the venue about one order: by id, and when it says "not found", in the open orders and in
/// the trades too, because a single "not found" is no proof (ORD-13).
pub(crate) async fn order(
    broker: &dyn Broker,
    question: Question,
    instruments: &Instruments,
) -> QueryOutcome {
    match read_order(broker, question, instruments).await {
        Ok(outcome) => outcome,
        Err(error) => QueryOutcome::Failed(Reason::new(ReasonCode::OutcomeUnknown, error)),
    }
}

async fn read_order(
    broker: &dyn Broker,
    question: Question,
    instruments: &Instruments,
) -> Result<QueryOutcome, VenueError> {
    let Question {
        order_id,
        instrument,
        venue_order_id,
        since,
    } = question;
    let mut found = match broker
        .query_order(instrument, order_id, venue_order_id)
        .await?
    {
        QueryAnswer::Found(order) => Some(*order),
        QueryAnswer::NotFound => None,
    };
    if found.is_none() {
        let open = broker.open_orders().await?;
        found = open
            .into_iter()
            .find(|order| order.order_id() == Some(order_id));
    }
    let Some(order) = found else {
        let trades = broker
            .executions_since(instrument, ExecutionCursor::Since(since))
            .await?;
        let traded = trades
            .iter()
            .find(|trade| trade.order_id() == Some(order_id));
        return Ok(match traded {
            // The trades know it: the next question goes by the venue's id.
            Some(trade) => {
                let context = format_args!("venue_order_id={}", trade.venue_order_id);
                QueryOutcome::Failed(Reason::new(ReasonCode::OutcomeUnknown, context))
            }
            None => QueryOutcome::Absent,
        });
    };
    let fills = if order.filled.is_zero() {
        Vec::new()
    } else {
        broker
            .order_executions(instrument, order.venue_order_id)
            .await?
    };
    let fills: Vec<VenueFill> = fills
        .iter()
        .filter_map(|fill| inputs::venue_fill(fill, instruments))
        .collect();
    Ok(QueryOutcome::Found {
        order: inputs::standing(&order),
        fills,
    })
}

/// Reads open orders, fills and balances of an account. Fills that are booked already are left
/// out: the database knows all of them, memory only the recent ones.
pub(crate) async fn account(
    broker: &dyn Broker,
    account: &AccountId,
    instruments: &Instruments,
    journal: Option<&ExecutionStore>,
) -> Result<VenueSnapshot, ReadingError> {
    let newest = match journal {
        Some(store) => store
            .newest_fill(account)
            .await
            .map_err(ReadingError::Own)?,
        None => None,
    };
    let since = newest.map_or(Timestamp::EPOCH, |at| at.minus(OVERLAP));
    let known = match journal {
        Some(store) => store
            .fill_keys(account, since)
            .await
            .map_err(ReadingError::Own)?,
        None => std::collections::BTreeSet::new(),
    };
    let open = broker.open_orders().await.map_err(ReadingError::Venue)?;
    let mut fills = Vec::new();
    for instrument in instruments.keys() {
        let cursor = ExecutionCursor::Since(since);
        let trades = broker
            .executions_since(*instrument, cursor)
            .await
            .map_err(ReadingError::Venue)?;
        let news = trades
            .iter()
            .filter_map(|trade| inputs::venue_fill(trade, instruments));
        fills.extend(news.filter(|fill| {
            !known.contains(&(fill.instrument, fill.venue_order_id, fill.execution_id))
        }));
    }
    let mut balances = Vec::new();
    for balance in broker.balances().await.map_err(ReadingError::Venue)? {
        let total = balance
            .free
            .plus(balance.locked)
            .map_err(ReadingError::Money)?;
        balances.push((balance.asset, total));
    }
    let open_orders = open
        .iter()
        .filter(|order| instruments.contains_key(&order.instrument))
        .map(inputs::venue_order)
        .collect();
    Ok(VenueSnapshot {
        open_orders,
        fills,
        balances,
    })
}
