//! Strategy instances.

use crate::{
    contract::{ListJson, StrategyJson},
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
) -> Result<Json<ListJson<StrategyJson>>, Problem> {
    fields.finish()?;
    let strategies = shared.deps.strategy.strategies(caller.call()).await?;
    Ok(Json(ListJson::whole(strategies)))
}
