//! Ingestion as a gRPC service.

use super::{answer, nothing};
use crate::{
    api::IngestionApi,
    local::Local,
    proto::{self, ingestion_service_server::IngestionService},
};
use tonic::{Request, Response, Status, async_trait};

/// An [`IngestionApi`] as the generated service; made by [`super::ingestion`].
#[derive(Debug)]
pub struct IngestionServer(pub(super) Local<dyn IngestionApi>);

#[async_trait]
impl IngestionService for IngestionServer {
    async fn list_markets(
        &self,
        request: Request<proto::ListMarketsRequest>,
    ) -> Result<Response<proto::ListMarketsResponse>, Status> {
        answer(request, nothing, |(), call| self.0.markets(call)).await
    }
}
