//! Risk, across the network.

use super::ask;
use crate::{
    api::{ApiError, Call, CheckRequest, KillRequest, RiskApi, RiskState, StateChange},
    proto::{self, risk_service_client::RiskServiceClient},
    server::MESSAGE_MAX,
};
use async_trait::async_trait;
use ploy_domain::RiskDecision;
use tonic::transport::Channel;

/// A [`RiskApi`] over a channel.
#[derive(Debug, Clone)]
pub struct RiskClient(RiskServiceClient<Channel>);

impl RiskClient {
    /// Speaks over `channel`.
    #[must_use]
    pub fn new(channel: Channel) -> Self {
        let client = RiskServiceClient::new(channel);
        Self(
            client
                .max_decoding_message_size(MESSAGE_MAX)
                .max_encoding_message_size(MESSAGE_MAX),
        )
    }
}

#[async_trait]
impl RiskApi for RiskClient {
    async fn check(&self, request: CheckRequest, call: Call) -> Result<RiskDecision, ApiError> {
        let (mut client, message) = (self.0.clone(), proto::CheckRequest::from(&request));
        ask(message, &call, async |r| client.check(r).await).await
    }

    async fn set_state(&self, change: StateChange, call: Call) -> Result<RiskState, ApiError> {
        let (mut client, message) = (self.0.clone(), proto::SetStateRequest::from(&change));
        ask(message, &call, async |r| client.set_state(r).await).await
    }

    async fn kill(&self, request: KillRequest, call: Call) -> Result<RiskState, ApiError> {
        let (mut client, message) = (self.0.clone(), proto::KillRequest::from(&request));
        ask(message, &call, async |r| client.kill(r).await).await
    }

    async fn state(&self, call: Call) -> Result<RiskState, ApiError> {
        let (mut client, message) = (self.0.clone(), proto::GetStateRequest {});
        ask(message, &call, async |r| client.get_state(r).await).await
    }
}
