//! Execution as a gRPC service.

use super::{REPLAY_MAX, answer, nothing};
use crate::{
    api::ExecutionApi,
    convert::{text, text_if_given},
    local::Local,
    proto::{self, execution_service_server::ExecutionService},
};
use prost::{Message as _, encoding::encoded_len_varint};
use tonic::{Request, Response, Status, async_trait};

/// An [`ExecutionApi`] as the generated service; made by [`super::execution`].
#[derive(Debug)]
pub struct ExecutionServer(pub(super) Local<dyn ExecutionApi>);

#[async_trait]
impl ExecutionService for ExecutionServer {
    async fn submit_order(
        &self,
        request: Request<proto::SubmitOrderRequest>,
    ) -> Result<Response<proto::Order>, Status> {
        answer(request, TryFrom::try_from, |r, call| self.0.submit(r, call)).await
    }

    async fn cancel_order(
        &self,
        request: Request<proto::CancelOrderRequest>,
    ) -> Result<Response<proto::Order>, Status> {
        answer(request, TryFrom::try_from, |r, call| self.0.cancel(r, call)).await
    }

    async fn cancel_all(
        &self,
        request: Request<proto::CancelAllRequest>,
    ) -> Result<Response<proto::CancelAllResponse>, Status> {
        answer(request, TryFrom::try_from, |r, call| {
            self.0.cancel_all(r, call)
        })
        .await
    }

    async fn get_order(
        &self,
        request: Request<proto::GetOrderRequest>,
    ) -> Result<Response<proto::Order>, Status> {
        let read = |r: proto::GetOrderRequest| {
            Ok((text("account", &r.account)?, text("order_id", &r.order_id)?))
        };
        answer(request, read, |(account, order_id), call| {
            self.0.order(account, order_id, call)
        })
        .await
    }

    async fn list_orders(
        &self,
        request: Request<proto::ListOrdersRequest>,
    ) -> Result<Response<proto::ListOrdersResponse>, Status> {
        answer(request, TryFrom::try_from, |r, call| self.0.orders(r, call)).await
    }

    async fn list_fills(
        &self,
        request: Request<proto::ListFillsRequest>,
    ) -> Result<Response<proto::ListFillsResponse>, Status> {
        answer(request, TryFrom::try_from, |r, call| self.0.fills(r, call)).await
    }

    async fn list_positions(
        &self,
        request: Request<proto::ListPositionsRequest>,
    ) -> Result<Response<proto::ListPositionsResponse>, Status> {
        let read = |r: proto::ListPositionsRequest| text_if_given("account", &r.account);
        answer(request, read, |account, call| {
            self.0.positions(account, call)
        })
        .await
    }

    async fn get_account(
        &self,
        request: Request<proto::GetAccountRequest>,
    ) -> Result<Response<proto::Account>, Status> {
        let read = |r: proto::GetAccountRequest| text("account", &r.account);
        answer(request, read, |account, call| self.0.account(account, call)).await
    }

    async fn list_accounts(
        &self,
        request: Request<proto::ListAccountsRequest>,
    ) -> Result<Response<proto::ListAccountsResponse>, Status> {
        answer(request, nothing, |(), call| self.0.accounts(call)).await
    }

    async fn replay(
        &self,
        request: Request<proto::ReplayRequest>,
    ) -> Result<Response<proto::ReplayResponse>, Status> {
        let read =
            |r: proto::ReplayRequest| Ok((text("account", &r.account)?, r.from_seq, r.limit));
        let whole = answer(request, read, |(account, from_seq, limit), call| {
            self.0.replay(account, from_seq, limit, call)
        });
        whole.await.map(|answer| answer.map(shortened))
    }

    async fn get_order_events(
        &self,
        request: Request<proto::GetOrderRequest>,
    ) -> Result<Response<proto::ReplayResponse>, Status> {
        let read = |r: proto::GetOrderRequest| {
            Ok((text("account", &r.account)?, text("order_id", &r.order_id)?))
        };
        let whole = answer(request, read, |(account, order_id), call| {
            self.0.order_events(account, order_id, call)
        });
        whole.await.map(|answer| answer.map(shortened))
    }

    async fn get_head(
        &self,
        request: Request<proto::GetHeadRequest>,
    ) -> Result<Response<proto::Head>, Status> {
        let read = |r: proto::GetHeadRequest| text("account", &r.account);
        answer(request, read, |account, call| self.0.head(account, call)).await
    }
}

/// The events from the first on that fit into one answer.
fn shortened(mut answer: proto::ReplayResponse) -> proto::ReplayResponse {
    let mut room = REPLAY_MAX;
    let fitting = answer.events.iter().take_while(|event| {
        let length = event.encoded_len();
        // One byte is the field's tag.
        let needed = 1 + encoded_len_varint(length as u64) + length;
        let fits = needed <= room;
        room = room.saturating_sub(needed);
        fits
    });
    let count = fitting.count();
    answer.events.truncate(count);
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replay(events: usize, text: usize) -> proto::ReplayResponse {
        let envelope = proto::Envelope {
            r#type: "x".repeat(text),
            ..proto::Envelope::default()
        };
        let event = proto::OrderEvent {
            envelope: Some(envelope),
            payload: None,
        };
        proto::ReplayResponse {
            events: vec![event; events],
        }
    }

    #[test]
    fn a_long_replay_is_cut_to_what_fits() {
        let cut = shortened(replay(5_000, 1_000));
        assert!(cut.encoded_len() <= REPLAY_MAX);
        assert!(cut.encoded_len() > REPLAY_MAX - 1_100);
        assert_eq!(shortened(replay(10, 10)), replay(10, 10));
    }
}
