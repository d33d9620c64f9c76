//! Risk as a gRPC service.

use super::{answer, nothing};
use crate::{
    api::RiskApi,
    local::Local,
    proto::{self, risk_service_server::RiskService},
};
use tonic::{Request, Response, Status, async_trait};

/// A [`RiskApi`] as the generated service; made by [`super::risk`].
#[derive(Debug)]
pub struct RiskServer(pub(super) Local<dyn RiskApi>);

#[async_trait]
impl RiskService for RiskServer {
    async fn check(
        &self,
        request: Request<proto::CheckRequest>,
    ) -> Result<Response<proto::RiskDecision>, Status> {
        answer(request, TryFrom::try_from, |r, call| self.0.check(r, call)).await
    }

    async fn set_state(
        &self,
        request: Request<proto::SetStateRequest>,
    ) -> Result<Response<proto::RiskState>, Status> {
        answer(request, TryFrom::try_from, |r, call| {
            self.0.set_state(r, call)
        })
        .await
    }

    async fn kill(
        &self,
        request: Request<proto::KillRequest>,
    ) -> Result<Response<proto::RiskState>, Status> {
        answer(request, TryFrom::try_from, |r, call| self.0.kill(r, call)).await
    }

    async fn get_state(
        &self,
        request: Request<proto::GetStateRequest>,
    ) -> Result<Response<proto::RiskState>, Status> {
        answer(request, nothing, |(), call| self.0.state(call)).await
    }
}
