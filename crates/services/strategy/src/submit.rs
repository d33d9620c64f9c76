//! Handing orders to execution: the same key again when the answer is lost, at most three times,
//! then the order is asked about. A decision that execution proves not to have taken frees its
//! instance.

use ploy_chassis::Clock;
use ploy_domain::{ClientOrderId, IdempotencyKey, Intent};
use ploy_wire::api::{
    Actor, ApiCode, ApiError, Call, CancelOrder, ExecutionApi, OrderView, Retry, SubmitOrder,
};
use std::time::Duration;

const SUBMIT_DEADLINE: Duration = Duration::from_secs(1);
const ATTEMPTS_MAX: u32 = 3;
const PAUSE: Duration = Duration::from_millis(50);

/// What became of handing over an order.
#[derive(Debug)]
pub(crate) enum HandedOver {
    /// Execution has it, accepted or denied; the log says the rest.
    Taken(Box<OrderView>),
    /// Execution proved that it never took it.
    NotTaken(ApiError),
    /// Nobody answered. The log will tell, or the decision's validity runs out.
    Unclear(ApiError),
}

pub(crate) async fn submit(
    execution: &dyn ExecutionApi,
    intent: Intent,
    call: Call,
    clock: &Clock,
) -> HandedOver {
    let order_id = intent.order_id;
    let Ok(key) = IdempotencyKey::parse(order_id.as_str()) else {
        return HandedOver::NotTaken(ApiError::internal("order ids are idempotency keys"));
    };
    let mut last = ApiError::unavailable("not tried");
    for attempt in 0..ATTEMPTS_MAX {
        if attempt > 0 {
            tokio::time::sleep(PAUSE * attempt).await;
        }
        // A stale intent is never executed late.
        if clock.now() > intent.valid_until {
            break;
        }
        let command = SubmitOrder {
            intent: intent.clone(),
            idempotency_key: key,
        };
        match execution
            .submit(command, call.clone().within(SUBMIT_DEADLINE))
            .await
        {
            Ok(view) => return HandedOver::Taken(Box::new(view)),
            Err(error) if error.retry == Retry::Never => return HandedOver::NotTaken(error),
            Err(error) => last = error,
        }
    }
    match execution.order(intent.account, order_id, call).await {
        Ok(view) => HandedOver::Taken(Box::new(view)),
        Err(error) if error.code == ApiCode::NotFound => HandedOver::NotTaken(last),
        Err(_) => HandedOver::Unclear(last),
    }
}

pub(crate) async fn cancel(
    execution: &dyn ExecutionApi,
    command: CancelOrder,
) -> Result<ClientOrderId, ApiError> {
    let order_id = command.order_id;
    let call = Call::new(Actor::STRATEGY, SUBMIT_DEADLINE);
    execution.cancel(command, call).await.map(|_| order_id)
}
