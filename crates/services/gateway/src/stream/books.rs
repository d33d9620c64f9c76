//! Orders, fills, positions and risk: told when they have changed, as the services show them.
//!
//! Fills are told one by one as the log has them. Of orders only which ones changed is remembered,
//! and the owner is asked how they stand; positions and risk are also looked at every second, since
//! they move with prices.

use super::channel::Channel;
use crate::{
    contract::{FillJson, ListJson, OrderJson, PositionJson, RiskJson},
    shared::Shared,
};
use futures_util::{StreamExt, stream};
use ploy_domain::{AccountId, ClientOrderId, OrderEvent, OrderEventPayload};
use ploy_wire::api::{Actor, ApiCode, ApiError, Call, FillView, OrderView};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio::{
    sync::{Notify, mpsc},
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

const TELL_EVERY: Duration = Duration::from_millis(100);
const LOOK_EVERY: Duration = Duration::from_secs(1);
const DEADLINE: Duration = Duration::from_secs(1);
/// Orders asked for at once, and in one frame.
const ASKED_AT_ONCE: usize = 8;
const ORDERS_MAX: usize = 256;

type OrderKey = (AccountId, ClientOrderId);

/// What has changed and was not told.
#[derive(Debug)]
pub(super) struct Books {
    shared: Arc<Shared>,
    risk_changed: Arc<Notify>,
    orders: BTreeSet<OrderKey>,
    positions_due: bool,
    positions: Vec<PositionJson>,
    risk: Option<RiskJson>,
    /// Channels of which was said that they cannot be told.
    silent: [bool; Channel::ALL.len()],
}

impl Books {
    pub(super) fn new(shared: Arc<Shared>, risk_changed: Arc<Notify>) -> Self {
        Self {
            shared,
            risk_changed,
            orders: BTreeSet::new(),
            positions_due: false,
            positions: Vec::new(),
            risk: None,
            silent: [false; Channel::ALL.len()],
        }
    }

    pub(super) async fn run(
        mut self,
        mut events: mpsc::Receiver<Vec<OrderEvent>>,
        stop: &CancellationToken,
    ) {
        let risk_changed = Arc::clone(&self.risk_changed);
        let (mut tell, mut look) = (interval(TELL_EVERY), interval(LOOK_EVERY));
        tell.set_missed_tick_behavior(MissedTickBehavior::Delay);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                batch = events.recv() => match batch {
                    Some(batch) => batch.into_iter().for_each(|event| self.take(event)),
                    None => return,
                },
                () = risk_changed.notified() => self.tell_risk().await,
                _ = tell.tick() => self.tell().await,
                _ = look.tick() => {
                    self.positions_due = true;
                    self.tell_risk().await;
                }
            }
        }
    }

    fn take(&mut self, event: OrderEvent) {
        if let Some(order_id) = event.payload.order_id() {
            self.orders.insert((event.account, order_id));
        }
        if let OrderEventPayload::Filled(execution) = event.payload {
            self.positions_due = true;
            let fill = FillJson::from(FillView {
                seq: event.seq,
                execution: *execution,
            });
            self.shared.hub.publish(Channel::Fills, [fill]);
        }
    }

    async fn tell(&mut self) {
        if !self.shared.hub.is_heard() {
            self.orders.clear();
            return;
        }
        self.tell_orders().await;
        if std::mem::take(&mut self.positions_due) {
            self.tell_positions().await;
        }
    }

    async fn tell_orders(&mut self) {
        let asked: Vec<OrderKey> = self.orders.iter().take(ORDERS_MAX).copied().collect();
        if asked.is_empty() {
            return;
        }
        let shared = &self.shared;
        let answers: Vec<_> = stream::iter(asked)
            .map(|key| async move { (key, order(shared, key).await) })
            .buffered(ASKED_AT_ONCE)
            .collect()
            .await;
        let mut changed = Vec::new();
        let mut failed = None;
        for (key, answer) in answers {
            match answer {
                Ok(view) => changed.push(OrderJson::from(view)),
                Err(error) if error.code == ApiCode::NotFound => {}
                Err(error) => {
                    failed = Some(error);
                    continue;
                }
            }
            self.orders.remove(&key);
        }
        if !changed.is_empty() {
            self.shared.hub.publish(Channel::Orders, changed);
        }
        self.note(Channel::Orders, failed.as_ref());
    }

    async fn tell_positions(&mut self) {
        let positions = self.shared.deps.execution.positions(None, call()).await;
        self.note(Channel::Positions, positions.as_ref().err());
        let Ok(positions) = positions else {
            self.positions_due = true;
            return;
        };
        let positions = ListJson::<PositionJson>::whole(positions).items;
        let is_news = |position: &&PositionJson| !self.positions.contains(position);
        let news: Vec<_> = positions.iter().filter(is_news).collect();
        if !news.is_empty() {
            self.shared.hub.publish(Channel::Positions, news);
        }
        self.positions = positions;
    }

    async fn tell_risk(&mut self) {
        if !self.shared.hub.is_heard() {
            return;
        }
        let state = self.shared.deps.risk.state(call()).await;
        self.note(Channel::Risk, state.as_ref().err());
        let Ok(state) = state else {
            return;
        };
        let state = Some(RiskJson::from(state));
        if self.risk != state {
            self.shared.hub.publish(Channel::Risk, &state);
            self.risk = state;
        }
    }

    /// Says once that a channel cannot be told, and forgets it once it can.
    fn note(&mut self, channel: Channel, failed: Option<&ApiError>) {
        let was_silent = std::mem::replace(&mut self.silent[channel.index()], failed.is_some());
        if let (false, Some(error)) = (was_silent, failed) {
            self.shared.hub.degraded(Some(channel), error.to_string());
        }
    }
}

async fn order(shared: &Shared, (account, order_id): OrderKey) -> Result<OrderView, ApiError> {
    shared.deps.execution.order(account, order_id, call()).await
}

fn call() -> Call {
    Call::new(Actor::GATEWAY, DEADLINE)
}
