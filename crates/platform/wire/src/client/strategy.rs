//! Strategy, across the network.

use super::ask;
use crate::{
    api::{ApiError, Call, StrategyApi, StrategyView},
    proto::{self, strategy_service_client::StrategyServiceClient},
    server::MESSAGE_MAX,
};
use async_trait::async_trait;
use tonic::transport::Channel;

/// A [`StrategyApi`] over a channel.
#[derive(Debug, Clone)]
pub struct StrategyClient(StrategyServiceClient<Channel>);

impl StrategyClient {
    /// Speaks over `channel`.
    #[must_use]
    pub fn new(channel: Channel) -> Self {
        let client = StrategyServiceClient::new(channel);
        Self(
            client
                .max_decoding_message_size(MESSAGE_MAX)
                .max_encoding_message_size(MESSAGE_MAX),
        )
    }
}

#[async_trait]
impl StrategyApi for StrategyClient {
    async fn strategies(&self, call: Call) -> Result<Vec<StrategyView>, ApiError> {
        let (mut client, message) = (self.0.clone(), proto::ListStrategiesRequest {});
        ask(message, &call, async |r| client.list_strategies(r).await).await
    }
}
