//! Accounts, what they hold, and the fills that led there.

use crate::{
    contract::{AccountJson, FillJson, ListJson, PositionJson},
    http::caller::Caller,
    input::{Fields, Paging, Query},
    problem::{Kind, Problem},
    shared::Shared,
};
use axum::{Json, extract::State};
use ploy_domain::AccountId;
use ploy_wire::api::FillQuery;
use std::sync::Arc;

pub(super) async fn one(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Query(mut fields): Query,
) -> Result<Json<AccountJson>, Problem> {
    let account = account(&mut fields);
    fields.finish()?;
    let account = or_default(account, &shared)?;
    let view = shared
        .deps
        .execution
        .account(account, caller.call())
        .await?;
    Ok(Json(view.into()))
}

pub(super) async fn list(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Query(fields): Query,
) -> Result<Json<ListJson<AccountJson>>, Problem> {
    fields.finish()?;
    let accounts = shared.deps.execution.accounts(caller.call()).await?;
    Ok(Json(ListJson::whole(accounts)))
}

pub(super) async fn fills(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Query(mut fields): Query,
) -> Result<Json<ListJson<FillJson>>, Problem> {
    let paging = Paging::read(&mut fields);
    let account = account(&mut fields);
    fields.finish()?;
    let query = FillQuery {
        account,
        after: paging.after,
        limit: paging.limit,
    };
    let page = shared.deps.execution.fills(query, caller.call()).await?;
    Ok(Json(page.into()))
}

pub(super) async fn positions(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Query(mut fields): Query,
) -> Result<Json<ListJson<PositionJson>>, Problem> {
    let account = account(&mut fields);
    fields.finish()?;
    let execution = &shared.deps.execution;
    let positions = execution.positions(account, caller.call()).await?;
    Ok(Json(ListJson::whole(positions)))
}

/// The parameter that names an account.
pub(super) fn account(fields: &mut Fields) -> Option<AccountId> {
    fields.optional("account", "an account such as main")
}

/// The account that is named, or the one that is meant when none is.
pub(super) fn or_default(
    account: Option<AccountId>,
    shared: &Shared,
) -> Result<AccountId, Problem> {
    let account = account.or_else(|| shared.default_account());
    account.ok_or_else(|| Problem::new(Kind::NotFound, "no account is configured"))
}
