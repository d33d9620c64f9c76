//! The way to bus, store and the instruments: opened when they are there, and watched from then on.

use super::{
    Base, PROBING,
    waiting::{Miss, until_there},
};
use crate::{
    BoxError,
    config::Mode,
    health::{Dependency, Group},
};
use ploy_bus::{Bus, BusError, BusOptions, PLOY_STREAMS, StreamSpec};
use ploy_domain::Instrument;
use ploy_store::{Store, StoreError, StoreOptions, lease};
use ploy_wire::api::{Actor, ApiError, Call, IngestionApi, Retry};
use std::{sync::Arc, time::Duration};

/// Streams of a development machine are smaller by this factor: together they reserve 1 GiB of its
/// disk. What they forget is replayed from the database.
const DEV_SHARE: u64 = 8;
/// How long a question to another service may take while this one starts.
const QUESTION_MAX: Duration = Duration::from_secs(2);

/// The streams of the bus, as large as `mode` wants them.
#[must_use]
pub fn streams(mode: Mode) -> Vec<StreamSpec> {
    let share = match mode {
        Mode::Dev => DEV_SHARE,
        Mode::Paper | Mode::Live => 1,
    };
    let smaller = |stream: StreamSpec| {
        let bytes_max = stream.bytes_max / share;
        stream.with_bytes_max(bytes_max)
    };
    PLOY_STREAMS.into_iter().map(smaller).collect()
}

/// What may be traded, from ingestion, as soon as that can tell.
///
/// # Errors
/// When it refuses for good.
pub async fn instruments(
    base: &Base,
    ingestion: &dyn IngestionApi,
    actor: Actor,
) -> Result<Vec<Instrument>, BoxError> {
    let dependency = Dependency::required("instruments", Group::Internal);
    let check = base.health.register(dependency);
    let ask = || async {
        let call = Call::new(actor.clone(), QUESTION_MAX);
        let markets = ingestion
            .markets(call)
            .await
            .map_err(|error| match error.retry {
                Retry::Never => Miss::Never(error.into()),
                Retry::SameKey | Retry::After(_) => Miss::Later(error.into()),
            })?;
        if markets.is_empty() {
            let error = ApiError::unavailable("ingestion knows no instruments yet");
            return Err(Miss::Later(error.into()));
        }
        Ok(markets
            .into_iter()
            .map(|market| market.instrument)
            .collect())
    };
    let found = until_there("ingestion", &check, ask).await?;
    check.up(Duration::ZERO);
    Ok(found)
}

impl Base {
    /// Opens the bus of the configuration with `streams` declared, as soon as it answers.
    ///
    /// # Errors
    /// For an address that names no bus, and for streams that exist otherwise.
    pub async fn bus(
        &self,
        dependency: Dependency,
        streams: &[StreamSpec],
    ) -> Result<Arc<dyn Bus>, BoxError> {
        let (url, check) = (&self.common.bus_url, self.health.register(dependency));
        let later = |error: BusError| match error.retry() {
            ploy_bus::Retry::Never => Miss::Never(error.into()),
            ploy_bus::Retry::Later | ploy_bus::Retry::SameId => Miss::Later(error.into()),
        };
        let open = || async {
            let options = BusOptions::new(self.process.service());
            let bus = ploy_bus::open(url, options).await.map_err(later)?;
            bus.declare(streams).await.map_err(later)?;
            Ok(bus)
        };
        let bus = until_there("bus", &check, open).await?;
        let probed = Arc::clone(&bus);
        self.probe(check, PROBING, move || {
            let bus = Arc::clone(&probed);
            async move { bus.probe().await.map(drop) }
        });
        Ok(bus)
    }

    /// Opens the store of the configuration and lets `prepare` migrate it, as soon as it answers.
    ///
    /// # Errors
    /// For an address that names no store, and for one that this program may not write.
    pub async fn store<T, F, Fut>(&self, prepare: F) -> Result<(Store, T), BoxError>
    where
        F: Fn(Store) -> Fut,
        Fut: Future<Output = Result<T, StoreError>>,
    {
        let check = self
            .health
            .register(Dependency::required("store", Group::Database));
        let later = |error: StoreError| match error.retry() {
            ploy_store::Retry::Never => Miss::Never(error.into()),
            ploy_store::Retry::Later | ploy_store::Retry::ReadBack => Miss::Later(error.into()),
        };
        let open = || async {
            let options = StoreOptions::new(self.process.service());
            let opened = Store::open(&self.common.store_url, options).await;
            let store = opened.map_err(later)?;
            let prepared = prepare(store.clone()).await.map_err(later)?;
            Ok((store, prepared))
        };
        let (store, prepared) = until_there("store", &check, open).await?;
        let probed = store.clone();
        self.probe(check, PROBING, move || {
            let store = probed.clone();
            async move { store.ping().await }
        });
        Ok((store, prepared))
    }

    /// Waits for a dependency of another kind: `attempt` says whether a failure may pass.
    ///
    /// # Errors
    /// The first failure that will not pass.
    pub async fn wait_for<T, E, F, Fut>(
        &self,
        dependency: Dependency,
        may_pass: fn(&E) -> bool,
        mut attempt: F,
    ) -> Result<T, BoxError>
    where
        E: Into<BoxError>,
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        let (name, check) = (dependency.name.clone(), self.health.register(dependency));
        let ask = || {
            let asking = attempt();
            async move {
                asking.await.map_err(|error| match may_pass(&error) {
                    true => Miss::Later(error.into()),
                    false => Miss::Never(error.into()),
                })
            }
        };
        let found = until_there(&name, &check, ask).await?;
        check.up(Duration::ZERO);
        Ok(found)
    }

    /// Whether the shard is led by another process: then this one stands by, as it should. Says
    /// why not otherwise.
    ///
    /// # Errors
    /// When nobody leads it, or this process should and does not, or nobody can tell.
    pub async fn stands_by(&self, store: &Store, shard: &str) -> Result<(), String> {
        match lease::current(store, shard).await {
            Ok(Some(row)) if row.is_held() && row.holder != self.holder => Ok(()),
            Ok(Some(row)) if row.is_held() => Err(format!("{shard} is being taken over")),
            Ok(_) => Err(format!("nobody leads {shard}")),
            Err(error) => Err(error.to_string()),
        }
    }
}
