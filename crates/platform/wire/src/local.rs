//! A service in this process, under the same terms as one across the network: the deadline is
//! enforced, and a caller that goes away does not take the effect with it (ASY-1).

use crate::api::{
    AccountView, ApiError, Call, CancelAll, CancelAllAnswer, CancelOrder, CheckRequest,
    ExecutionApi, FillQuery, FillView, Head, IngestionApi, KillRequest, MarketView, OrderQuery,
    OrderView, Page, PositionView, RiskApi, RiskState, StateChange, StrategyApi, StrategyView,
    SubmitOrder,
};
use async_trait::async_trait;
use ploy_domain::{AccountId, ClientOrderId, OrderEvent, RiskDecision};
use std::{sync::Arc, time::Duration};
use tokio_util::task::TaskTracker;

/// A service whose calls run as tasks of their own; the tracker waits for them at shutdown.
#[derive(Debug)]
pub struct Local<A: ?Sized> {
    api: Arc<A>,
    tasks: TaskTracker,
}

impl<A: ?Sized> Clone for Local<A> {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.api), self.tasks.clone())
    }
}

impl<A: ?Sized> Local<A> {
    /// Calls to `api` as tasks of `tasks`.
    #[must_use]
    pub const fn new(api: Arc<A>, tasks: TaskTracker) -> Self {
        Self { api, tasks }
    }

    async fn run<T, W>(&self, deadline: Duration, work: W) -> Result<T, ApiError>
    where
        T: Send + 'static,
        W: Future<Output = Result<T, ApiError>> + Send + 'static,
    {
        if deadline.is_zero() {
            return Err(ApiError::deadline_exceeded(
                "the deadline had passed on arrival; nothing was done",
            ));
        }
        // Dropping the handle leaves the task running: that is the point.
        match tokio::time::timeout(deadline, self.tasks.spawn(work)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(failed)) => Err(ApiError::internal(format!("the call failed: {failed}"))),
            Err(_) => Err(ApiError::deadline_exceeded(format!(
                "no answer within {} ms",
                deadline.as_millis()
            ))),
        }
    }
}

/// Each method of a trait, run as a task.
macro_rules! forward {
    ($api:ident { $($method:ident($($name:ident: $type:ty),*) -> $answer:ty;)+ }) => {
        #[async_trait]
        impl $api for Local<dyn $api> {
            $(
                async fn $method(&self, $($name: $type,)* call: Call) -> Result<$answer, ApiError> {
                    let (api, deadline) = (Arc::clone(&self.api), call.deadline);
                    self.run(deadline, async move { api.$method($($name,)* call).await }).await
                }
            )+
        }
    };
}

forward!(RiskApi {
    check(request: CheckRequest) -> RiskDecision;
    set_state(change: StateChange) -> RiskState;
    kill(request: KillRequest) -> RiskState;
    state() -> RiskState;
});

forward!(ExecutionApi {
    submit(command: SubmitOrder) -> OrderView;
    cancel(command: CancelOrder) -> OrderView;
    cancel_all(command: CancelAll) -> CancelAllAnswer;
    order(account: AccountId, order_id: ClientOrderId) -> OrderView;
    orders(query: OrderQuery) -> Page<OrderView>;
    fills(query: FillQuery) -> Page<FillView>;
    positions(account: Option<AccountId>) -> Vec<PositionView>;
    account(account: AccountId) -> AccountView;
    accounts() -> Vec<AccountView>;
    replay(account: AccountId, from_seq: u64, limit: u32) -> Vec<OrderEvent>;
    order_events(account: AccountId, order_id: ClientOrderId) -> Vec<OrderEvent>;
    head(account: AccountId) -> Head;
});

forward!(StrategyApi {
    strategies() -> Vec<StrategyView>;
});

forward!(IngestionApi {
    markets() -> Vec<MarketView>;
});
