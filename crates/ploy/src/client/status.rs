//! The whole platform on one screen. A part that cannot be told does not hide the others.

use super::{
    Shown,
    connection::{Gateway, line},
    failure::Failure,
    lists::{Plain, market_table, position_table, strategy_table},
    table::{Column, Table, short},
};
use ploy_gateway::contract::{
    AccountJson, ListJson, MarketJson, PositionJson, RiskJson, ScopeStateJson, StrategyJson,
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

pub(super) async fn show(gateway: &Gateway) -> Result<Shown, Failure> {
    let (status, raw) = gateway.look("/health").await?;
    let health: Value = gateway.read(&raw)?;
    let mut screen = Screen::new(gateway);
    screen.health(&health);
    screen
        .part(
            "accounts",
            "/api/v1/accounts",
            |list: &ListJson<AccountJson>| account_table(&list.items).render("no accounts"),
        )
        .await?;
    screen
        .part("risk", "/api/v1/risk", |risk: &RiskJson| {
            states(&risk.states)
        })
        .await?;
    screen
        .part("markets", "/api/markets", |list: &ListJson<MarketJson>| {
            market_table(&list.items).render("no markets")
        })
        .await?;
    screen
        .part(
            "strategies",
            "/api/v1/strategies",
            |list: &ListJson<StrategyJson>| strategy_table(&list.items).render("no strategies"),
        )
        .await?;
    screen
        .part(
            "positions",
            "/api/v1/positions",
            |list: &ListJson<PositionJson>| position_table(&list.items).render("no positions"),
        )
        .await?;
    let json = line(&Value::Object(screen.json).to_string());
    Ok(Shown {
        done: status.is_success(),
        ..Shown::new(json, screen.text)
    })
}

pub(super) async fn risk(gateway: &Gateway, _: Plain) -> Result<Shown, Failure> {
    let raw = gateway.get("/api/v1/risk", &[]).await?;
    let risk: RiskJson = gateway.read(&raw)?;
    let mut limits = Table::new(&[Column::Text("LIMIT"), Column::Number("VALUE")]);
    for (name, value) in &risk.limits.values {
        limits.row([name, value]);
    }
    let mut exposures = Table::new(&[
        Column::Text("INSTRUMENT"),
        Column::Text("STRATEGY"),
        Column::Number("POSITION"),
        Column::Number("OPEN BUY"),
        Column::Number("OPEN SELL"),
        Column::Number("RESERVED BUY"),
        Column::Number("RESERVED SELL"),
    ]);
    for exposure in &risk.exposures {
        exposures.row([
            &exposure.instrument,
            &exposure.strategy,
            &exposure.position,
            &exposure.open_buy,
            &exposure.open_sell,
            &exposure.reserved_buy,
            &exposure.reserved_sell,
        ]);
    }
    let text = format!(
        "{}\n{}\n{}",
        states(&risk.states),
        limits.render("no limits"),
        exposures.render("no exposures")
    );
    Ok(Shown::new(line(&raw), text))
}

/// The trading states in force; a scope that is not listed is active.
pub(super) fn states(states: &[ScopeStateJson]) -> String {
    let mut table = Table::new(&[
        Column::Text("SCOPE"),
        Column::State("TRADING"),
        Column::Text("SINCE"),
        Column::Text("REASON"),
    ]);
    for state in states {
        table.row([
            &state.scope,
            &state.state,
            &short(&state.since),
            &state.reason,
        ]);
    }
    table.render("trading is active everywhere")
}

fn account_table(accounts: &[AccountJson]) -> Table {
    let mut table = Table::new(&[
        Column::Text("ACCOUNT"),
        Column::Text("VENUE"),
        Column::State("STATE"),
        Column::Number("OPEN"),
        Column::Number("UNKNOWN"),
        Column::Number("LOG"),
        Column::Text("BALANCES"),
    ]);
    for account in accounts {
        let balances = account.balances.iter();
        let balances = balances.map(|balance| format!("{} {}", balance.amount, balance.asset));
        table.row([
            &account.account,
            &account.venue,
            if account.ready { "ready" } else { "not ready" },
            &account.open_orders.to_string(),
            &account.unknown_orders.to_string(),
            &account.head_sequence.to_string(),
            &balances.collect::<Vec<_>>().join(", "),
        ]);
    }
    table
}

struct Screen<'a> {
    gateway: &'a Gateway,
    text: String,
    json: Map<String, Value>,
}

impl<'a> Screen<'a> {
    fn new(gateway: &'a Gateway) -> Self {
        Self {
            gateway,
            text: String::new(),
            json: Map::new(),
        }
    }

    fn health(&mut self, health: &Value) {
        let word = |value: &Value| value.as_str().unwrap_or("?").to_owned();
        let mut table = Table::new(&[
            Column::Text("GATEWAY"),
            Column::State("STATE"),
            Column::Text("VERSION"),
            Column::Number("UP (S)"),
            Column::State("DATABASE"),
            Column::State("CONNECTION"),
            Column::State("QUEUE"),
        ]);
        let check = |name: &str| word(&health["checks"][name]["status"]);
        table.row([
            self.gateway.url().as_str(),
            &word(&health["status"]),
            &word(&health["version"]),
            &health["uptime_seconds"].to_string(),
            &check("database"),
            &check("api_connection"),
            &check("order_queue"),
        ]);
        self.text.push_str(&table.render(""));
        self.json.insert("health".to_owned(), health.clone());
    }

    /// One more part. A refusal is shown in its place; only a gateway that is gone ends it all.
    async fn part<T: DeserializeOwned>(
        &mut self,
        name: &str,
        path: &str,
        render: impl FnOnce(&T) -> String,
    ) -> Result<(), Failure> {
        let (text, json) = match self.gateway.get(path, &[]).await {
            Ok(raw) => (render(&self.gateway.read(&raw)?), self.gateway.read(&raw)?),
            Err(Failure::Refused { problem, raw, .. }) => {
                let text = format!("{name}: {} ({})\n", problem.title, problem.detail);
                (text, self.gateway.read(&raw)?)
            }
            Err(failure) => return Err(failure),
        };
        self.text.push('\n');
        self.text.push_str(&text);
        self.json.insert(name.to_owned(), json);
        Ok(())
    }
}
