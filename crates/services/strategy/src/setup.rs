//! From the configuration to what the service is built of.

use crate::{
    InstanceSetup,
    config::{Config, InstanceSettings},
};
use ploy_chassis::config::Mode;
use ploy_domain::{Instrument, InstrumentId, Nanos, StrategyId};
use ploy_strategy_core::InstanceConfig;

/// An instance trades what nobody lists.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("instance {instance} trades {instrument}, which the venue does not list")]
pub struct NotListed {
    /// Which instance.
    pub instance: StrategyId,
    /// What it trades.
    pub instrument: InstrumentId,
}

impl Config {
    /// The configured instances, given what is listed.
    ///
    /// # Errors
    /// [`NotListed`] names the first instance that cannot run.
    pub fn instances(
        &self,
        mode: Mode,
        listed: &[Instrument],
    ) -> Result<Vec<InstanceSetup>, NotListed> {
        let setup = |one: &InstanceSettings| {
            let instrument = listed.iter().find(|known| known.id == one.instrument);
            let instrument = instrument.ok_or(NotListed {
                instance: one.id,
                instrument: one.instrument,
            })?;
            let validity_ns = self.order_validity.as_nanos();
            let config = InstanceConfig {
                id: one.id,
                account: one.account,
                instrument: instrument.clone(),
                order_id_prefix: mode.order_id_prefix(),
                order_validity: Nanos::new(i64::try_from(validity_ns).unwrap_or(i64::MAX)),
            };
            Ok(InstanceSetup {
                config,
                kind: one.kind.clone(),
                params: one.params.clone(),
            })
        };
        self.instances.iter().map(setup).collect()
    }
}
