//! Instruments and their markets.

use crate::{
    contract::{ListJson, MarketJson},
    http::caller::Caller,
    input::Query,
    problem::Problem,
    shared::Shared,
};
use axum::{Json, extract::State};
use std::sync::Arc;

pub(super) async fn list(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Query(fields): Query,
) -> Result<Json<ListJson<MarketJson>>, Problem> {
    fields.finish()?;
    let markets = shared.deps.ingestion.markets(caller.call()).await?;
    Ok(Json(ListJson::whole(markets)))
}
