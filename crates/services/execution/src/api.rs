//! The execution service as others call it: in this process directly, from elsewhere over gRPC.

use crate::{
    account::{AccountHandle, Journal, Message},
    store::{ExecutionStore, ReadError},
};
use async_trait::async_trait;
use ploy_chassis::chain;
use ploy_domain::{AccountId, ClientOrderId, OrderEvent, Reason, ReasonCode, Scope};
use ploy_store::event_log;
use ploy_wire::api::{
    AccountView, ApiError, Call, CancelAll, CancelAllAnswer, CancelOrder, ExecutionApi, FillQuery,
    FillView, Head, OrderQuery, OrderView, Page, PositionView, SubmitOrder,
};
use std::{collections::BTreeMap, time::Duration};
use tokio::sync::oneshot;

/// How many events one replay brings at most.
const REPLAY_MAX: u32 = 1_000;

/// The accounts of this process and their log.
#[derive(Debug)]
pub struct ExecutionService {
    pub(crate) accounts: BTreeMap<AccountId, AccountHandle>,
    pub(crate) journal: Journal,
}

impl ExecutionService {
    fn handle(&self, account: &AccountId) -> Result<&AccountHandle, ApiError> {
        let unknown = || ApiError::not_found(format!("account '{account}' is not configured"));
        let handle = self.accounts.get(account).ok_or_else(unknown)?;
        if *handle.leading.borrow() {
            return Ok(handle);
        }
        let message = format!("account '{account}' is not led by this process now");
        Err(ApiError::unavailable(message))
    }

    /// Asks an account's owner and waits for the answer within the caller's deadline.
    async fn ask<T>(
        &self,
        account: &AccountId,
        deadline: Duration,
        message: impl FnOnce(oneshot::Sender<T>) -> Message,
    ) -> Result<T, ApiError> {
        let handle = self.handle(account)?;
        let (reply, answer) = oneshot::channel();
        let asked = async {
            handle
                .inbox
                .send(message(reply))
                .await
                .map_err(|_| gone())?;
            answer.await.map_err(|_| gone())
        };
        let late = |_| {
            let ms = deadline.as_millis();
            ApiError::deadline_exceeded(format!("account '{account}' did not answer in {ms} ms"))
        };
        tokio::time::timeout(deadline, asked).await.map_err(late)?
    }

    fn database(&self) -> Result<&ExecutionStore, ApiError> {
        self.journal
            .store()
            .ok_or_else(|| ApiError::unavailable("execution keeps no database"))
    }

    /// The accounts of a question: the named one, or all.
    fn chosen(&self, account: Option<AccountId>) -> Result<Vec<AccountId>, ApiError> {
        match account {
            None => Ok(self.accounts.keys().copied().collect()),
            Some(account) if self.accounts.contains_key(&account) => Ok(vec![account]),
            Some(account) => Err(ApiError::not_found(format!(
                "account '{account}' is not configured"
            ))),
        }
    }
}

fn gone() -> ApiError {
    ApiError::unavailable("the account changes its leader")
}

fn unreadable(error: ReadError) -> ApiError {
    match error {
        ReadError::Damaged {
            what: "cursor",
            value,
            detail,
        } => ApiError::invalid("after", value, detail),
        other => {
            let text = chain(&other);
            tracing::error!(error = text, "a query failed");
            ApiError::unavailable("the database cannot answer now")
        }
    }
}

#[async_trait]
impl ExecutionApi for ExecutionService {
    async fn submit(&self, command: SubmitOrder, call: Call) -> Result<OrderView, ApiError> {
        let account = command.intent.account;
        let known = match self.journal.store() {
            // An order that left memory long ago is still the same order.
            Some(store) => store
                .order(&account, &command.intent.order_id)
                .await
                .map_err(unreadable)?,
            None => None,
        };
        if let Some(view) = known.filter(|view| view.state.is_terminal()) {
            return same_content(view, &command);
        }
        let submit = |reply| Message::Submit {
            intent: Box::new(command.intent),
            trace: call.trace,
            reply,
        };
        self.ask(&account, call.deadline, submit).await?
    }

    async fn cancel(&self, command: CancelOrder, call: Call) -> Result<OrderView, ApiError> {
        let CancelOrder {
            account,
            order_id,
            reason,
        } = command;
        let reason = Reason::new(ReasonCode::CancelRequested, format_args!("by={reason}"));
        let cancel = |reply| Message::Cancel {
            order_id,
            reason,
            reply,
        };
        match self.ask(&account, call.deadline, cancel).await? {
            Err(error) if matches!(error.code, ploy_wire::api::ApiCode::NotFound) => {
                // It may have ended so long ago that only the database knows.
                self.order(account, order_id, call).await
            }
            answer => answer,
        }
    }

    async fn cancel_all(
        &self,
        command: CancelAll,
        call: Call,
    ) -> Result<CancelAllAnswer, ApiError> {
        let code = match command.scope {
            Scope::Platform if command.reason.starts_with("kill") => ReasonCode::KillSwitchActive,
            _ => ReasonCode::CancelRequested,
        };
        let reason = Reason::new(code, format_args!("by={}", command.reason));
        let (mut requested, mut failed) = (0, None);
        for account in self.accounts.keys() {
            let (scope, reason) = (command.scope, reason.clone());
            let cancel = |reply| Message::CancelAll {
                scope,
                reason,
                reply,
            };
            // One account that is not led here keeps nobody else's orders open.
            match self.ask(account, call.deadline, cancel).await.flatten() {
                Ok(count) => requested += count,
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(CancelAllAnswer { requested }), Err)
    }

    async fn order(
        &self,
        account: AccountId,
        order_id: ClientOrderId,
        call: Call,
    ) -> Result<OrderView, ApiError> {
        let look = |reply| Message::Order { order_id, reply };
        if let Ok(Some(view)) = self.ask(&account, call.deadline, look).await {
            return Ok(view);
        }
        let stored = self
            .database()?
            .order(&account, &order_id)
            .await
            .map_err(unreadable)?;
        stored.ok_or_else(|| ApiError::not_found(format!("order {order_id} does not exist")))
    }

    async fn orders(&self, query: OrderQuery, _call: Call) -> Result<Page<OrderView>, ApiError> {
        self.database()?.orders(&query).await.map_err(unreadable)
    }

    async fn fills(&self, query: FillQuery, _call: Call) -> Result<Page<FillView>, ApiError> {
        self.database()?.fills(&query).await.map_err(unreadable)
    }

    async fn positions(
        &self,
        account: Option<AccountId>,
        call: Call,
    ) -> Result<Vec<PositionView>, ApiError> {
        let mut views = Vec::new();
        for account in self.chosen(account)? {
            views.extend(
                self.ask(&account, call.deadline, Message::Positions)
                    .await??,
            );
        }
        Ok(views)
    }

    async fn account(&self, account: AccountId, call: Call) -> Result<AccountView, ApiError> {
        self.ask(&account, call.deadline, Message::Account).await
    }

    async fn accounts(&self, call: Call) -> Result<Vec<AccountView>, ApiError> {
        let mut views = Vec::new();
        for account in self.chosen(None)? {
            views.push(self.ask(&account, call.deadline, Message::Account).await?);
        }
        Ok(views)
    }

    async fn replay(
        &self,
        account: AccountId,
        from_seq: u64,
        limit: u32,
        _call: Call,
    ) -> Result<Vec<OrderEvent>, ApiError> {
        let limit = if limit == 0 {
            REPLAY_MAX
        } else {
            limit.min(REPLAY_MAX)
        };
        match &self.journal {
            Journal::Durable(store) => store
                .events(&account, from_seq, limit)
                .await
                .map_err(unreadable),
            Journal::Volatile(log) => {
                let limit = usize::try_from(limit).unwrap_or(usize::MAX);
                Ok(log.read(&account, from_seq, limit))
            }
        }
    }

    async fn order_events(
        &self,
        account: AccountId,
        order_id: ClientOrderId,
        _call: Call,
    ) -> Result<Vec<OrderEvent>, ApiError> {
        let events = match &self.journal {
            Journal::Durable(store) => store
                .order_events(&account, &order_id)
                .await
                .map_err(unreadable)?,
            Journal::Volatile(log) => {
                let mut events = log.read(&account, 1, usize::MAX);
                events.retain(|event| event.payload.order_id() == Some(order_id));
                events
            }
        };
        if events.is_empty() {
            let unknown = format!("order {order_id} is unknown in account {account}");
            return Err(ApiError::not_found(unknown));
        }
        Ok(events)
    }

    async fn head(&self, account: AccountId, _call: Call) -> Result<Head, ApiError> {
        let database = match &self.journal {
            Journal::Durable(store) => store.database(),
            Journal::Volatile(log) => return Ok(log.head(account)),
        };
        let head = event_log::head(database, account.as_str()).await;
        let head = head.map_err(|error| unreadable(error.into()))?;
        Ok(Head {
            account,
            seq: head.seq.unsigned_abs(),
            epoch: head.epoch.unsigned_abs(),
        })
    }
}

/// The stored answer for a repeated submit, unless its content differs (ORD-2).
fn same_content(view: OrderView, command: &SubmitOrder) -> Result<OrderView, ApiError> {
    let intent = &command.intent;
    let same = view.side == intent.side
        && view.kind == intent.kind
        && view.quantity == intent.quantity
        && view.instrument == intent.instrument
        && view.time_in_force == intent.time_in_force
        && view.reduce_only == intent.reduce_only;
    if same {
        Ok(view)
    } else {
        let message = format!("order {} exists with other content", view.order_id);
        Err(ApiError::idempotency_mismatch(message))
    }
}
