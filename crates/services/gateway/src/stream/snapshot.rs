//! How a channel stands, as the lists of the same name show it.

use super::{channel::Channel, hub};
use crate::{
    contract::{FillJson, Frame, ListJson, MarketJson, OrderJson, PositionJson, RiskJson},
    routes::health,
    shared::Shared,
};
use axum::extract::ws::Utf8Bytes;
use ploy_wire::api::{Actor, ApiError, Call, FillQuery, OrderQuery, PAGE_LIMIT_MAX};
use serde::Serialize;
use std::time::Duration;

const DEADLINE: Duration = Duration::from_secs(2);
/// The newest fills; older ones are in the list.
const FILLS_MAX: u32 = 100;

/// A snapshot and its sequence. It holds every update up to that.
pub(super) async fn take(
    channel: Channel,
    shared: &Shared,
    actor: &Actor,
) -> Result<(u64, Utf8Bytes), ApiError> {
    // Looked at before the services are asked: what they say then is at least as new.
    let sequence = shared.hub.sequence(channel);
    let call = Call::new(actor.clone(), DEADLINE);
    let deps = &shared.deps;
    let frame = match channel {
        Channel::Markets => {
            let markets = deps.ingestion.markets(call).await?;
            frame(
                channel,
                sequence,
                ListJson::<MarketJson>::whole(markets).items,
            )
        }
        Channel::Orders => {
            let open = OrderQuery {
                open_only: true,
                limit: PAGE_LIMIT_MAX,
                ..OrderQuery::default()
            };
            let orders = deps.execution.orders(open, call).await?;
            frame(channel, sequence, ListJson::<OrderJson>::from(orders).items)
        }
        Channel::Fills => {
            let newest = FillQuery {
                limit: FILLS_MAX,
                ..FillQuery::default()
            };
            let fills = deps.execution.fills(newest, call).await?;
            frame(channel, sequence, ListJson::<FillJson>::from(fills).items)
        }
        Channel::Positions => {
            let positions = deps.execution.positions(None, call).await?;
            frame(
                channel,
                sequence,
                ListJson::<PositionJson>::whole(positions).items,
            )
        }
        Channel::Risk => {
            let state = deps.risk.state(call).await?;
            frame(channel, sequence, RiskJson::from(state))
        }
        Channel::Health => frame(channel, sequence, health::snapshot(shared)),
    };
    Ok((sequence, frame))
}

fn frame(channel: Channel, sequence: u64, data: impl Serialize) -> Utf8Bytes {
    hub::text(&Frame::Snapshot {
        channel: channel.word().to_owned(),
        sequence,
        data,
    })
}
