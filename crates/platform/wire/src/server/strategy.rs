//! Strategy as a gRPC service.

use super::{answer, nothing};
use crate::{
    api::StrategyApi,
    local::Local,
    proto::{self, strategy_service_server::StrategyService},
};
use tonic::{Request, Response, Status, async_trait};

/// A [`StrategyApi`] as the generated service; made by [`super::strategy`].
#[derive(Debug)]
pub struct StrategyServer(pub(super) Local<dyn StrategyApi>);

#[async_trait]
impl StrategyService for StrategyServer {
    async fn list_strategies(
        &self,
        request: Request<proto::ListStrategiesRequest>,
    ) -> Result<Response<proto::ListStrategiesResponse>, Status> {
        answer(request, nothing, |(), call| self.0.strategies(call)).await
    }
}
