//! Execution as a process of its own: waits for bus, store and venue, then runs the service, relays
//! its log to the bus and answers over gRPC.

use crate::{
    App, Deps, ExecutionService, ExecutionStore, Journal, account::Desk, config::Config, grpc,
};
use ploy_chassis::{
    BoxError,
    health::{Dependency, Group},
    relay::Relay,
    service::{self, Base, Port},
};
use ploy_domain::AccountId;
use ploy_store::Store;
use ploy_venue_port::{Feed, Retry, VenueError};
use ploy_wire::{
    api::{Actor, Call, ExecutionApi, RiskApi},
    client::{self, RiskClient},
};
use std::{sync::Arc, time::Duration};
use tokio_util::task::TaskTracker;

/// How long this process and risk may take to say how they are.
const QUESTION_MAX: Duration = Duration::from_secs(1);

/// Starts the service on `base`.
///
/// # Errors
/// For a taken port, a venue that refuses, and an address that cannot work.
pub async fn start(config: Config, base: Base) -> Result<(), BoxError> {
    base.serve_probes("execution.ops_listen", config.ops_listen)?;
    let port = Port::take("execution.listen", config.listen)?;
    let risk = Arc::new(RiskClient::new(client::connect(&config.risk)?));
    let feed = config.feed()?;
    let streams = service::streams(base.common.mode);
    // The log is the database's; a bus that is away later only delays what others hear of it.
    let (bus, (database, store), listed) = tokio::try_join!(
        base.bus(Dependency::optional("bus", Group::OrderQueue), &streams),
        base.store(ExecutionStore::open),
        base.wait_for(
            Dependency::required("instruments", Group::ApiConnection),
            |error: &VenueError| !matches!(error.retry(), Retry::Never),
            || feed.instruments(),
        ),
    )?;
    let deps = Deps {
        journal: Journal::Durable(store),
        bus: Arc::clone(&bus),
        risk: Arc::clone(&risk) as Arc<dyn RiskApi>,
        accounts: vec![config.account(base.common.mode, &listed)?],
        holder: base.holder.clone(),
    };
    let app = App::build(deps, &base.clock);
    let relay = Relay {
        store: database.clone(),
        bus,
        clock: base.clock.clone(),
        committed: app.committed(),
        accounts: vec![config.account],
        streams,
    };
    let (service, calls) = (app.service(), TaskTracker::new());
    watch_account(&base, &service, (config.account, database));
    watch_risk(&base, &risk);
    base.serve_grpc(port, grpc::server(&base, service, &calls), calls)?;
    base.process
        .spawn_support("relay", relay.run(base.process.settling()));
    app.start(&base.process)
}

/// Ready is who leads an account that agrees with its venue, and who stands by for the leader.
fn watch_account(
    base: &Base,
    service: &Arc<ExecutionService>,
    (account, database): (AccountId, Store),
) {
    let asked = (base.clone(), Arc::clone(service), database);
    let dependency = Dependency::required(format!("account {account}"), Group::ApiConnection);
    base.watch(dependency, move || {
        let (base, service, database) = asked.clone();
        async move {
            let call = Call::new(Actor::EXECUTION, QUESTION_MAX);
            match service.account(account, call).await {
                Ok(view) if view.ready => Ok(()),
                Ok(view) => Err(view.reason.unwrap_or_else(|| "not reconciled".to_owned())),
                Err(_) => base.stands_by(&database, &Desk::shard(&account)).await,
            }
        }
    });
}

/// Without risk no order leaves, but cancels do.
fn watch_risk(base: &Base, risk: &Arc<RiskClient>) {
    let asked = Arc::clone(risk);
    let dependency = Dependency::optional("risk", Group::ApiConnection);
    base.watch(dependency, move || {
        let risk = Arc::clone(&asked);
        let call = Call::new(Actor::EXECUTION, QUESTION_MAX);
        async move { risk.state(call).await.map(drop) }
    });
}
