//! Risk as a process of its own: waits for bus, store and the instruments of ingestion, then runs the
//! service and answers over gRPC.

use crate::{App, Deps, RiskService, RiskStore, app::SHARD, config::Config, grpc};
use ploy_bus::StreamSpec;
use ploy_chassis::{
    BoxError,
    health::{Dependency, Group},
    service::{self, Base, Port},
};
use ploy_store::Store;
use ploy_wire::{
    api::{Actor, Call, ExecutionApi, RiskApi},
    client::{self, ExecutionClient, IngestionClient},
};
use std::{sync::Arc, time::Duration};
use tokio_util::task::TaskTracker;

/// How long this process and execution may take to say how they are.
const QUESTION_MAX: Duration = Duration::from_secs(1);

/// Starts the service on `base`.
///
/// # Errors
/// For a taken port and an address that cannot work.
pub async fn start(config: Config, base: Base) -> Result<(), BoxError> {
    base.serve_probes("risk.ops_listen", config.ops_listen)?;
    let port = Port::take("risk.listen", config.listen)?;
    let execution = Arc::new(ExecutionClient::new(client::connect(&config.execution)?));
    let ingestion = IngestionClient::new(client::connect(&config.ingestion)?);
    let streams = own_streams(&base);
    let (bus, (database, store), instruments) = tokio::try_join!(
        base.bus(Dependency::required("bus", Group::OrderQueue), &streams),
        base.store(RiskStore::open),
        service::instruments(&base, &ingestion, Actor::RISK),
    )?;
    let deps = Deps {
        store,
        bus,
        instruments,
        armed: config.is_armed(base.common.mode),
        resets: config.resets(base.common.mode),
        accounts: config.accounts,
        limits: config.limits,
        holder: base.holder.clone(),
    };
    let app = App::build(deps, &base.clock);
    let (service, calls) = (app.service(), TaskTracker::new());
    watch_judge(&base, &service, &database);
    watch_execution(&base, &execution);
    base.serve_grpc(port, grpc::server(&base, Arc::new(service), &calls), calls)?;
    app.start(&base.process, execution);
    Ok(())
}

/// Risk says its states, and that it can, on these.
fn own_streams(base: &Base) -> Vec<StreamSpec> {
    let mut streams = service::streams(base.common.mode);
    let own = [ploy_bus::PLOY_CONTROL.name, ploy_bus::PLOY_CANARY.name];
    streams.retain(|stream| own.contains(&stream.name));
    streams
}

/// Ready is who judges, and who stands by for the one who does.
fn watch_judge(base: &Base, service: &RiskService, database: &Store) {
    let asked = (base.clone(), service.clone(), database.clone());
    base.watch(Dependency::required("judge", Group::Internal), move || {
        let (base, service, database) = asked.clone();
        async move {
            let call = Call::new(Actor::RISK, QUESTION_MAX);
            match service.state(call).await {
                Ok(_) => Ok(()),
                Err(_) => base.stands_by(&database, SHARD).await,
            }
        }
    });
}

/// Without execution nothing asks and nothing can be cancelled, but what is asked is answered.
fn watch_execution(base: &Base, execution: &Arc<ExecutionClient>) {
    let asked = Arc::clone(execution);
    let dependency = Dependency::optional("execution", Group::ApiConnection);
    base.watch(dependency, move || {
        let execution = Arc::clone(&asked);
        let call = Call::new(Actor::RISK, QUESTION_MAX);
        async move { execution.accounts(call).await.map(drop) }
    });
}
