//! Faults of the failure model (§14) on the running whole: real processes, NATS, PostgreSQL and
//! Redis, under load. After each, the exchange's ledger and Ploy's database agree.
//!
//! `CHAOS_SCENARIO=CH-07` runs one alone, `CHAOS_SEED` repeats the choices of a run. The report is
//! written to `target/chaos`.

use crate::agreement;
use ploy_acceptance::{
    api::Api,
    chance::Chance,
    distributed::{Distributed, Service, Victim},
    load::{Answers, Load},
    oracle::Evidence,
};
use ploy_bus::BusOptions;
use ploy_domain::OrderEventPayload;
use ploy_testkit::eventually;
use serde_json::json;
use std::{fmt::Write as _, path::Path, time::Duration};
use tokio::{
    net::TcpStream,
    time::{Instant, sleep},
};

const ORDERS_PER_SECOND: u32 = 20;
/// How long there is load in each scenario.
const LOAD: Duration = Duration::from_secs(10);
/// A kill is lifted without a wait: these tests are about faults, not about persons.
const CONFIGURATION: &str = "[risk.reset]\nhold = \"0s\"\n";

/// A fault, with its name in the failure model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scenario {
    EverythingKilled,
    ExecutionFrozen,
    RiskFrozen,
    AnswersDropped,
    RequestsLost,
    ServerErrors,
    DatabaseCut,
    BusDown,
    BusEmptied,
    CacheDown,
}

impl Scenario {
    const ALL: [Self; 10] = [
        Self::ExecutionFrozen,
        Self::RiskFrozen,
        Self::AnswersDropped,
        Self::RequestsLost,
        Self::ServerErrors,
        Self::DatabaseCut,
        Self::BusDown,
        Self::BusEmptied,
        Self::CacheDown,
        Self::EverythingKilled,
    ];

    const fn id(self) -> &'static str {
        match self {
            Self::EverythingKilled => "CH-06",
            Self::ExecutionFrozen => "CH-07",
            Self::RiskFrozen => "CH-08",
            Self::AnswersDropped => "CH-10",
            Self::RequestsLost => "CH-11",
            Self::ServerErrors => "CH-15",
            Self::DatabaseCut => "CH-26",
            Self::BusDown => "CH-32",
            Self::BusEmptied => "CH-35",
            Self::CacheDown => "CH-40",
        }
    }

    /// Lets it happen while there is load.
    async fn act(self, platform: &mut Distributed, chance: &mut Chance) {
        sleep(chance.millis(1_000..3_000)).await;
        match self {
            // Longer than the lease: it wakes up deposed.
            Self::ExecutionFrozen => frozen(platform, Service::Execution, 8).await,
            Self::RiskFrozen => frozen(platform, Service::Risk, 5).await,
            Self::AnswersDropped => venue(platform, json!({ "drop_answer": 0.3 })).await,
            Self::RequestsLost => venue(platform, json!({ "lose_request": 0.3 })).await,
            Self::ServerErrors => venue(platform, json!({ "fail_answer": 0.3 })).await,
            Self::DatabaseCut => away(platform, Victim::Database, 5).await,
            Self::BusDown => away(platform, Victim::Bus, 6).await,
            Self::CacheDown => away(platform, Victim::Cache, 4).await,
            Self::BusEmptied => bus_emptied(platform).await,
            Self::EverythingKilled => {
                for service in chance.shuffled(Service::ALL.to_vec()) {
                    platform.kill(Victim::Service(service)).unwrap();
                }
                for service in chance.shuffled(Service::ALL.to_vec()) {
                    sleep(chance.millis(0..500)).await;
                    platform.revive(Victim::Service(service)).unwrap();
                }
            }
        }
    }

    /// Whether log and answers show that the fault acted: a run in which it did not proves nothing.
    fn acted(self, before: &Evidence, after: &Evidence, answers: &Answers) -> bool {
        let refused = |code: &str| answers.refused.keys().any(|why| why.starts_with(code));
        let doubts = |evidence: &Evidence| {
            let log = evidence.ploy.log.iter();
            log.filter(|row| matches!(row.event.payload, OrderEventPayload::BecameUnknown { .. }))
                .count()
        };
        match self {
            Self::EverythingKilled | Self::ExecutionFrozen => {
                after.witness().epochs > before.witness().epochs
            }
            Self::AnswersDropped | Self::RequestsLost | Self::ServerErrors => {
                doubts(after) > doubts(before)
            }
            Self::RiskFrozen => refused("RISK_UNAVAILABLE"),
            Self::DatabaseCut => refused("RISK_UNAVAILABLE") || answers.unanswered > 0,
            Self::BusDown => refused("STALE_DATA"),
            // Nobody notices: that their server was gone is seen while it happens.
            Self::BusEmptied | Self::CacheDown => true,
        }
    }
}

async fn frozen(platform: &Distributed, service: Service, seconds: u64) {
    platform.freeze(service, true).unwrap();
    sleep(Duration::from_secs(seconds)).await;
    platform.freeze(service, false).unwrap();
}

async fn away(platform: &mut Distributed, victim: Victim, seconds: u64) {
    let address = platform.address(victim).unwrap();
    TcpStream::connect(&address).await.unwrap();
    platform.kill(victim).unwrap();
    sleep(Duration::from_secs(seconds)).await;
    let refused = TcpStream::connect(&address).await;
    assert!(refused.is_err(), "{victim} still listens at {address}");
    platform.revive(victim).unwrap();
}

/// The bus comes back as another one: its streams are made anew.
async fn bus_emptied(platform: &mut Distributed) {
    let orders = async |url: String| {
        let bus = ploy_bus::open(&url, BusOptions::new("chaos"))
            .await
            .unwrap();
        let state = eventually(Duration::from_secs(20), || async {
            bus.stream_state("PLOY_ORDERS").await.ok()
        });
        state
            .await
            .expect("the stream of orders is not declared again")
    };
    let before = orders(platform.bus_url()).await;
    platform.empty_bus().unwrap();
    let after = orders(platform.bus_url()).await;
    assert!(after.created_ns > before.created_ns, "{before:?} {after:?}");
}

async fn venue(platform: &Distributed, plan: serde_json::Value) {
    platform.venue_faults(&plan).await.unwrap();
    sleep(Duration::from_secs(6)).await;
    platform.venue_faults(&json!({})).await.unwrap();
}

/// What a scenario came to.
struct Line {
    id: &'static str,
    what: String,
    orders: usize,
    fills: usize,
    seconds: u64,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_under_load_lose_and_double_nothing() {
    let only = std::env::vars().find(|(name, _)| name == "CHAOS_SCENARIO");
    let seed = std::env::vars().find(|(name, _)| name == "CHAOS_SEED");
    let seed = seed.map_or_else(Chance::seed, |(_, seed)| seed.parse().unwrap());
    eprintln!("repeat with CHAOS_SEED={seed}");
    let mut chance = Chance::new(seed);
    let (mut platform, api) = Distributed::start(CONFIGURATION).await.unwrap();
    let mut report = Vec::new();
    for scenario in Scenario::ALL {
        if only.as_ref().is_none_or(|(_, id)| id == scenario.id()) {
            report.push(tried(scenario, &mut platform, &api, &mut chance).await);
        }
    }
    assert!(!report.is_empty(), "no scenario is called like that");
    write_report(seed, &report);
    platform.stop().await.unwrap();
}

async fn tried(
    scenario: Scenario,
    platform: &mut Distributed,
    api: &Api,
    chance: &mut Chance,
) -> Line {
    let began = Instant::now();
    let oracle = platform.oracle().unwrap();
    let before = oracle.look().await.unwrap();
    let load = Load::start(api, chance.next(), ORDERS_PER_SECOND, LOAD);
    scenario.act(platform, chance).await;
    let answers = load.answers().await.unwrap();
    eprintln!("{} {scenario:?}: {answers}", scenario.id());
    platform.until_ready().await.unwrap();

    api.kill(scenario.id()).await.unwrap();
    let after = agreement::reached(api, &oracle, &answers.taken).await;
    assert!(
        scenario.acted(&before, &after, &answers),
        "{scenario:?} did not act"
    );
    let (was, is) = (before.witness(), after.witness());
    let orders = is.orders_sent - was.orders_sent;
    assert!(orders > 10, "only {orders} orders reached the exchange");
    // INV-32: without a person doing anything but lifting what a person tripped, it trades again.
    api.reset("the next scenario").await.unwrap();
    let trades = api.until_trading(Duration::from_secs(60)).await;
    trades.unwrap_or_else(|error| panic!("{error:#}\n{}", platform.last_words()));
    Line {
        id: scenario.id(),
        what: format!("{scenario:?}"),
        orders,
        fills: is.fills - was.fills,
        seconds: began.elapsed().as_secs(),
    }
}

fn write_report(seed: u64, lines: &[Line]) {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/chaos"));
    std::fs::create_dir_all(folder).unwrap();
    let mut text = format!(
        "# Chaos, seed {seed}\n\n| scenario | fault | orders | fills | seconds | invariants |\n\
         |---|---|---|---|---|---|\n"
    );
    let mut rows = Vec::new();
    for Line {
        id,
        what,
        orders,
        fills,
        seconds,
    } in lines
    {
        writeln!(
            text,
            "| {id} | {what} | {orders} | {fills} | {seconds} | hold |"
        )
        .unwrap();
        rows.push(json!({
            "scenario": id, "fault": what, "orders": orders, "fills": fills, "seconds": seconds,
        }));
    }
    eprintln!("{text}");
    std::fs::write(folder.join("report.md"), text).unwrap();
    let report = json!({ "seed": seed, "scenarios": rows });
    std::fs::write(folder.join("report.json"), report.to_string()).unwrap();
}
