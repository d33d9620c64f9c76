//! The gateway with the other services across the network.

use crate::{App, Config, Deps, Peers};
use ploy_chassis::{
    BoxError,
    config::Settings,
    health::{Dependency, Group},
    service::{Base, streams},
};
use ploy_wire::client::{ExecutionClient, IngestionClient, RiskClient, StrategyClient, connect};
use std::sync::Arc;

/// Reads its configuration and where the others listen.
pub fn read(s: &mut Settings) -> Option<(Config, Peers)> {
    let (config, peers) = (Config::read(s), Peers::read(s));
    Some((config?, peers?))
}

/// Starts it. Only the bus is waited for: the services may come and go, and are asked when somebody
/// asks for them.
///
/// # Errors
/// For addresses that are none, and for a port that is taken.
pub async fn start((config, peers): (Config, Peers), base: Base) -> Result<(), BoxError> {
    let execution = connect(&peers.execution)?;
    let risk = connect(&peers.risk)?;
    let strategy = connect(&peers.strategy)?;
    let ingestion = connect(&peers.ingestion)?;
    let bus = Dependency::optional("bus", Group::OrderQueue);
    let bus = base.bus(bus, &streams(base.common.mode)).await?;
    let deps = Deps {
        execution: Arc::new(ExecutionClient::new(execution)),
        risk: Arc::new(RiskClient::new(risk)),
        strategy: Arc::new(StrategyClient::new(strategy)),
        ingestion: Arc::new(IngestionClient::new(ingestion)),
        bus,
        health: base.health.clone(),
        liveness: base.liveness.clone(),
        metrics: base.metrics.clone(),
    };
    App::build(config, deps, &base.clock)?.start(&base.process);
    Ok(())
}
