//! The strategy service as a process of its own: waits for bus, store and the instruments of
//! ingestion, then runs the service and answers over gRPC.

use crate::{App, Decisions, Deps, config::Config, grpc};
use ploy_chassis::{
    BoxError,
    health::{Dependency, Group},
    service::{self, Base, Port},
};
use ploy_wire::{
    api::{Actor, Call, ExecutionApi},
    client::{self, ExecutionClient, IngestionClient},
};
use std::{sync::Arc, time::Duration};
use tokio_util::task::TaskTracker;

/// How long execution may take to say how it is.
const QUESTION_MAX: Duration = Duration::from_secs(1);

/// Starts the service on `base`.
///
/// # Errors
/// For a taken port, an instance that trades what is not listed, and an address that cannot work.
pub async fn start(config: Config, base: Base) -> Result<(), BoxError> {
    base.serve_probes("strategy.ops_listen", config.ops_listen)?;
    let port = Port::take("strategy.listen", config.listen)?;
    let execution = Arc::new(ExecutionClient::new(client::connect(&config.execution)?));
    let ingestion = IngestionClient::new(client::connect(&config.ingestion)?);
    let (bus, (_, decisions), listed) = tokio::try_join!(
        base.bus(Dependency::required("bus", Group::OrderQueue), &[]),
        base.store(Decisions::open),
        service::instruments(&base, &ingestion, Actor::STRATEGY),
    )?;
    let asked = Arc::clone(&execution);
    base.watch(
        Dependency::required("execution", Group::ApiConnection),
        move || {
            let execution = Arc::clone(&asked);
            let call = Call::new(Actor::STRATEGY, QUESTION_MAX);
            async move { execution.accounts(call).await.map(drop) }
        },
    );
    let deps = Deps {
        decisions,
        bus,
        execution,
        instances: config.instances(base.common.mode, &listed)?,
        holder: base.holder.clone(),
    };
    let app = App::build(deps, &base.clock)?;
    let (service, calls) = (Arc::new(app.service()), TaskTracker::new());
    base.serve_grpc(port, grpc::server(&base, service, &calls), calls)?;
    app.start(&base.process);
    Ok(())
}
