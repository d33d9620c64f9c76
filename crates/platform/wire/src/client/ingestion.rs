//! Ingestion, across the network.

use super::ask;
use crate::{
    api::{ApiError, Call, IngestionApi, MarketView},
    proto::{self, ingestion_service_client::IngestionServiceClient},
    server::MESSAGE_MAX,
};
use async_trait::async_trait;
use tonic::transport::Channel;

/// An [`IngestionApi`] over a channel.
#[derive(Debug, Clone)]
pub struct IngestionClient(IngestionServiceClient<Channel>);

impl IngestionClient {
    /// Speaks over `channel`.
    #[must_use]
    pub fn new(channel: Channel) -> Self {
        let client = IngestionServiceClient::new(channel);
        Self(
            client
                .max_decoding_message_size(MESSAGE_MAX)
                .max_encoding_message_size(MESSAGE_MAX),
        )
    }
}

#[async_trait]
impl IngestionApi for IngestionClient {
    async fn markets(&self, call: Call) -> Result<Vec<MarketView>, ApiError> {
        let (mut client, message) = (self.0.clone(), proto::ListMarketsRequest {});
        ask(message, &call, async |r| client.list_markets(r).await).await
    }
}
