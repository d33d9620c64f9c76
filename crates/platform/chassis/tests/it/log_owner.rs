//! The owner of an account's log, in memory: events, their bytes, and the part of the execution
//! service that replays them.

use async_trait::async_trait;
use ploy_bus::{Message, Subject};
use ploy_domain::{
    AccountId, Cause, ClientOrderId, EventId, OrderEvent, OrderEventPayload, Source, Timestamp,
    TraceContext,
};
use ploy_wire::{
    api::{
        AccountView, ApiError, Call, CancelAll, CancelAllAnswer, CancelOrder, ExecutionApi,
        FillQuery, FillView, Head, OrderQuery, OrderView, Page, PositionView, SubmitOrder,
    },
    facts, subjects,
};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

pub(crate) fn main_account() -> AccountId {
    AccountId::parse("main").unwrap()
}

pub(crate) fn event(seq: u64) -> OrderEvent {
    let ts = Timestamp::from_nanos(1_700_000_000_000_000_000 + i64::try_from(seq).unwrap());
    OrderEvent {
        account: main_account(),
        seq,
        event_id: EventId::derive(&main_account(), seq, ts),
        epoch: 1,
        ts_event: ts,
        ts_write: ts,
        cause: Cause {
            source: Source::Platform,
            event: None,
        },
        trace: TraceContext::NONE,
        payload: OrderEventPayload::AccountReady,
    }
}

pub(crate) fn message(event: &OrderEvent) -> Message {
    let subject = subjects::Subject::Orders {
        account: event.account,
    };
    let subject = Subject::new(&subject.to_string()).unwrap();
    Message::new(subject, facts::encode_order_event(event))
}

pub(crate) fn head(seq: u64) -> Message {
    let account = main_account();
    let subject = subjects::Subject::OrdersHead { account }.to_string();
    let head = Head {
        account,
        seq,
        epoch: 1,
    };
    Message::new(Subject::new(&subject).unwrap(), facts::encode_head(&head))
}

/// The log and its owner. Cloning shares it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Owner {
    events: Arc<Mutex<Vec<OrderEvent>>>,
    silent: Arc<AtomicBool>,
    replays: Arc<AtomicU64>,
}

impl Owner {
    pub(crate) fn with(count: u64) -> Self {
        let owner = Self::default();
        *owner.events.lock().unwrap() = (1..=count).map(event).collect();
        owner
    }

    /// Whether the owner answers nobody.
    pub(crate) fn silence(&self, silent: bool) {
        self.silent.store(silent, Ordering::SeqCst);
    }

    pub(crate) fn replays(&self) -> u64 {
        self.replays.load(Ordering::SeqCst)
    }

    pub(crate) fn events(&self) -> std::sync::MutexGuard<'_, Vec<OrderEvent>> {
        self.events.lock().unwrap()
    }

    fn answer(&self) -> Result<(), ApiError> {
        if self.silent.load(Ordering::SeqCst) {
            return Err(ApiError::unavailable("silent"));
        }
        Ok(())
    }
}

fn elsewhere<T>() -> Result<T, ApiError> {
    Err(ApiError::unavailable("only the log is here"))
}

#[async_trait]
impl ExecutionApi for Owner {
    async fn submit(&self, _: SubmitOrder, _: Call) -> Result<OrderView, ApiError> {
        elsewhere()
    }

    async fn cancel(&self, _: CancelOrder, _: Call) -> Result<OrderView, ApiError> {
        elsewhere()
    }

    async fn cancel_all(&self, _: CancelAll, _: Call) -> Result<CancelAllAnswer, ApiError> {
        elsewhere()
    }

    async fn order(&self, _: AccountId, _: ClientOrderId, _: Call) -> Result<OrderView, ApiError> {
        elsewhere()
    }

    async fn order_events(
        &self,
        _: AccountId,
        _: ClientOrderId,
        _: Call,
    ) -> Result<Vec<OrderEvent>, ApiError> {
        elsewhere()
    }

    async fn orders(&self, _: OrderQuery, _: Call) -> Result<Page<OrderView>, ApiError> {
        elsewhere()
    }

    async fn fills(&self, _: FillQuery, _: Call) -> Result<Page<FillView>, ApiError> {
        elsewhere()
    }

    async fn positions(
        &self,
        _: Option<AccountId>,
        _: Call,
    ) -> Result<Vec<PositionView>, ApiError> {
        elsewhere()
    }

    async fn account(&self, _: AccountId, _: Call) -> Result<AccountView, ApiError> {
        elsewhere()
    }

    async fn accounts(&self, _: Call) -> Result<Vec<AccountView>, ApiError> {
        elsewhere()
    }

    async fn replay(
        &self,
        _: AccountId,
        from_seq: u64,
        limit: u32,
        _: Call,
    ) -> Result<Vec<OrderEvent>, ApiError> {
        self.answer()?;
        self.replays.fetch_add(1, Ordering::SeqCst);
        // A page is shorter than asked for, as the interface allows.
        let page = usize::try_from(limit).unwrap().min(7);
        let events = self.events.lock().unwrap();
        let wanted = events.iter().filter(|event| event.seq >= from_seq);
        Ok(wanted.take(page).cloned().collect())
    }

    async fn head(&self, account: AccountId, _: Call) -> Result<Head, ApiError> {
        self.answer()?;
        let seq = self.events.lock().unwrap().last().map_or(0, |e| e.seq);
        Ok(Head {
            account,
            seq,
            epoch: 1,
        })
    }
}
