//! Ingestion as a process of its own: waits for bus and venue, then runs the service and answers over
//! gRPC.

use crate::{App, Deps, IngestionService, config::Config, grpc};
use ploy_chassis::{
    BoxError,
    health::{Dependency, Group},
    service::{Base, Port},
};
use ploy_domain::FeedState;
use ploy_venue_port::{Feed, Retry, VenueError};
use ploy_wire::api::{Actor, Call, IngestionApi};
use std::{sync::Arc, time::Duration};
use tokio_util::task::TaskTracker;

/// How long this process may take to answer itself.
const QUESTION_MAX: Duration = Duration::from_secs(1);

/// Starts the service on `base`.
///
/// # Errors
/// For a taken port, a venue that refuses, and an address that cannot work.
pub async fn start(config: Config, base: Base) -> Result<(), BoxError> {
    base.serve_probes("ingestion.ops_listen", config.ops_listen)?;
    let port = Port::take("ingestion.listen", config.listen)?;
    let feed = Arc::new(config.feed()?);
    let (bus, instruments) = tokio::try_join!(
        base.bus(Dependency::required("bus", Group::OrderQueue), &[]),
        base.wait_for(
            Dependency::required("instruments", Group::ApiConnection),
            |error: &VenueError| !matches!(error.retry(), Retry::Never),
            || feed.instruments(),
        ),
    )?;
    let venue = Dependency::required(format!("venue {}", config.venue.id), Group::ApiConnection);
    let deps = Deps {
        feed,
        bus,
        instruments,
        stale_after: config.stale_after,
    };
    let app = App::build(deps, &base.clock);
    let (service, calls) = (app.service(), TaskTracker::new());
    let asked = service.clone();
    base.watch(venue, move || heard(asked.clone()));
    base.serve_grpc(port, grpc::server(&base, Arc::new(service), &calls), calls)?;
    app.start(&base.process);
    Ok(())
}

/// Whether anything is heard of the venue; what is silent alone is a fact on the bus.
async fn heard(service: IngestionService) -> Result<(), String> {
    let call = Call::new(Actor::INGESTION, QUESTION_MAX);
    let markets = service.markets(call).await;
    let markets = markets.map_err(|error| error.to_string())?;
    match markets.iter().any(|market| market.feed == FeedState::Good) {
        true => Ok(()),
        false => Err(format!("none of {} instruments is live", markets.len())),
    }
}
