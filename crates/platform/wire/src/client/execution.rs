//! Execution, across the network.

use super::ask;
use crate::{
    api::{
        AccountView, ApiError, Call, CancelAll, CancelAllAnswer, CancelOrder, ExecutionApi,
        FillQuery, FillView, Head, OrderQuery, OrderView, Page, PositionView, SubmitOrder,
    },
    proto::{self, execution_service_client::ExecutionServiceClient},
    server::{MESSAGE_MAX, REPLAY_MAX},
};
use async_trait::async_trait;
use ploy_domain::{AccountId, ClientOrderId, OrderEvent};
use tonic::transport::Channel;

/// An [`ExecutionApi`] over a channel.
#[derive(Debug, Clone)]
pub struct ExecutionClient {
    client: ExecutionServiceClient<Channel>,
    /// The same connection with room for a replay.
    replay: ExecutionServiceClient<Channel>,
}

impl ExecutionClient {
    /// Speaks over `channel`.
    #[must_use]
    pub fn new(channel: Channel) -> Self {
        let with_room = |room| {
            ExecutionServiceClient::new(channel.clone())
                .max_decoding_message_size(room)
                .max_encoding_message_size(MESSAGE_MAX)
        };
        Self {
            client: with_room(MESSAGE_MAX),
            replay: with_room(REPLAY_MAX),
        }
    }
}

#[async_trait]
impl ExecutionApi for ExecutionClient {
    async fn submit(&self, command: SubmitOrder, call: Call) -> Result<OrderView, ApiError> {
        let message = proto::SubmitOrderRequest::from(&command);
        let mut client = self.client.clone();
        ask(message, &call, async |r| client.submit_order(r).await).await
    }

    async fn cancel(&self, command: CancelOrder, call: Call) -> Result<OrderView, ApiError> {
        let message = proto::CancelOrderRequest::from(&command);
        let mut client = self.client.clone();
        ask(message, &call, async |r| client.cancel_order(r).await).await
    }

    async fn cancel_all(
        &self,
        command: CancelAll,
        call: Call,
    ) -> Result<CancelAllAnswer, ApiError> {
        let message = proto::CancelAllRequest::from(&command);
        let mut client = self.client.clone();
        ask(message, &call, async |r| client.cancel_all(r).await).await
    }

    async fn order(
        &self,
        account: AccountId,
        order_id: ClientOrderId,
        call: Call,
    ) -> Result<OrderView, ApiError> {
        let message = proto::GetOrderRequest {
            account: account.to_string(),
            order_id: order_id.to_string(),
        };
        let mut client = self.client.clone();
        ask(message, &call, async |r| client.get_order(r).await).await
    }

    async fn orders(&self, query: OrderQuery, call: Call) -> Result<Page<OrderView>, ApiError> {
        let message = proto::ListOrdersRequest::from(&query);
        let mut client = self.client.clone();
        ask(message, &call, async |r| client.list_orders(r).await).await
    }

    async fn fills(&self, query: FillQuery, call: Call) -> Result<Page<FillView>, ApiError> {
        let message = proto::ListFillsRequest::from(&query);
        let mut client = self.client.clone();
        ask(message, &call, async |r| client.list_fills(r).await).await
    }

    async fn positions(
        &self,
        account: Option<AccountId>,
        call: Call,
    ) -> Result<Vec<PositionView>, ApiError> {
        let message = proto::ListPositionsRequest {
            account: crate::convert::shown(account),
        };
        let mut client = self.client.clone();
        ask(message, &call, async |r| client.list_positions(r).await).await
    }

    async fn account(&self, account: AccountId, call: Call) -> Result<AccountView, ApiError> {
        let message = proto::GetAccountRequest {
            account: account.to_string(),
        };
        let mut client = self.client.clone();
        ask(message, &call, async |r| client.get_account(r).await).await
    }

    async fn accounts(&self, call: Call) -> Result<Vec<AccountView>, ApiError> {
        let message = proto::ListAccountsRequest {};
        let mut client = self.client.clone();
        ask(message, &call, async |r| client.list_accounts(r).await).await
    }

    async fn replay(
        &self,
        account: AccountId,
        from_seq: u64,
        limit: u32,
        call: Call,
    ) -> Result<Vec<OrderEvent>, ApiError> {
        let message = proto::ReplayRequest {
            account: account.to_string(),
            from_seq,
            limit,
        };
        let mut client = self.replay.clone();
        ask(message, &call, async |r| client.replay(r).await).await
    }

    async fn order_events(
        &self,
        account: AccountId,
        order_id: ClientOrderId,
        call: Call,
    ) -> Result<Vec<OrderEvent>, ApiError> {
        let message = proto::GetOrderRequest {
            account: account.to_string(),
            order_id: order_id.to_string(),
        };
        let mut client = self.replay.clone();
        ask(message, &call, async |r| client.get_order_events(r).await).await
    }

    async fn head(&self, account: AccountId, call: Call) -> Result<Head, ApiError> {
        let message = proto::GetHeadRequest {
            account: account.to_string(),
        };
        let mut client = self.client.clone();
        ask(message, &call, async |r| client.get_head(r).await).await
    }
}
