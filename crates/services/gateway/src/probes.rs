//! How the gateway finds out how the others do. None of them is required: it can stop trading as long
//! as one of risk and execution answers, and says what is missing otherwise (failure-model §9).

use crate::shared::Shared;
use ploy_chassis::{
    health::{Dependency, Group, Probing},
    scope,
};
use ploy_wire::api::{Actor, ApiError, Call};
use std::{fmt::Display, sync::Arc, time::Duration};

const HOW: Probing = Probing {
    every: Duration::from_secs(2),
    deadline: Duration::from_secs(1),
    failures_to_down: 3,
};

/// Asks everybody until the gateway stops.
pub(crate) fn spawn(shared: &Arc<Shared>) {
    probe(shared, "database", Group::Database, |shared| async move {
        let Some(account) = shared.default_account() else {
            return Ok(());
        };
        // The head of a log is read from the database every time.
        shared.deps.execution.head(account, call()).await.map(drop)
    });
    probe(
        shared,
        "execution",
        Group::ApiConnection,
        |shared| async move { not_ready(&shared).await },
    );
    probe(shared, "risk", Group::ApiConnection, |shared| async move {
        shared.deps.risk.state(call()).await.map(drop)
    });
    probe(
        shared,
        "ingestion",
        Group::ApiConnection,
        |shared| async move { shared.deps.ingestion.markets(call()).await.map(drop) },
    );
    probe(shared, "strategy", Group::Internal, |shared| async move {
        shared.deps.strategy.strategies(call()).await.map(drop)
    });
    probe(shared, "bus", Group::OrderQueue, |shared| async move {
        shared.deps.bus.probe().await.map(drop)
    });
}

fn probe<F, Fut, E>(shared: &Arc<Shared>, name: &'static str, group: Group, ask: F)
where
    F: Fn(Arc<Shared>) -> Fut + Send + 'static,
    Fut: Future<Output = Result<(), E>> + Send + 'static,
    E: Display + Send + 'static,
{
    let reports = shared.deps.health.reports();
    if reports.iter().any(|known| known.dependency.name == name) {
        // Whoever holds it reports itself.
        return;
    }
    let check = shared
        .deps
        .health
        .register(Dependency::optional(name, group));
    let (asked, stop) = (Arc::clone(shared), shared.stop.clone());
    let probing = check.probe(HOW, stop, move || ask(Arc::clone(&asked)));
    shared.tasks.spawn(scope::within("gateway", probing));
}

/// Execution answers, and every account may trade: a venue that cannot be reached shows here.
async fn not_ready(shared: &Shared) -> Result<(), ApiError> {
    let accounts = shared.deps.execution.accounts(call()).await?;
    match accounts.into_iter().find(|account| !account.ready) {
        None => Ok(()),
        Some(account) => {
            let reason = account.reason.unwrap_or_default();
            let message = format!("account '{}' is not ready: {reason}", account.account);
            Err(ApiError::failed_precondition(message))
        }
    }
}

fn call() -> Call {
    Call::new(Actor::GATEWAY, HOW.deadline)
}
