//! Crashes at random moments under load: afterwards the exchange's ledger and Ploy's database agree.
//! No order is sent twice, none is lost, every fill is booked once.
//!
//! `CRASH_SEED` repeats the choices of a run, `CRASH_SECONDS` makes it longer.

use crate::agreement;
use ploy_acceptance::{
    api::Api,
    chance::{Chance, load_time},
    distributed::{Distributed, Service, Victim},
    load::Load,
    one_process::OneProcess,
    oracle::Evidence,
};
use std::time::Duration;
use tokio::time::{Instant, sleep};

const ORDERS_PER_SECOND: u32 = 20;

/// A crash test whose faults did not act, or whose load did not arrive, proves nothing.
fn acted(evidence: &Evidence, crashes: usize, span: Duration) {
    let (witness, outcomes) = (evidence.witness(), evidence.outcomes());
    eprintln!("{crashes} crashes, {witness:?}, {outcomes:?}");
    let seconds = usize::try_from(span.as_secs()).unwrap();
    assert!(crashes >= 3, "{crashes} crashes only");
    assert!(witness.orders_sent > seconds, "{witness:?}");
    assert!(witness.fills > seconds / 2, "{witness:?}");
    assert!(witness.epochs >= 2, "{witness:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crashes_of_services_and_bus_under_load_lose_and_double_nothing() {
    let (seed, span) = (Chance::seed(), load_time(Duration::from_secs(25)));
    eprintln!(
        "repeat with CRASH_SEED={seed} CRASH_SECONDS={}",
        span.as_secs()
    );
    let mut chance = Chance::new(seed);
    let (mut platform, api) = Distributed::start("").await.unwrap();
    let load = Load::start(&api, seed, ORDERS_PER_SECOND, span);
    let crashes = crash(&mut platform, &mut chance, span).await;
    let answers = load.answers().await.unwrap();
    eprintln!("{answers}");

    platform.until_ready().await.unwrap();
    api.kill("the load is over").await.unwrap();
    let oracle = platform.oracle().unwrap();
    let evidence = agreement::reached(&api, &oracle, &answers.taken).await;
    acted(&evidence, crashes, span);
    platform.stop().await.unwrap();
    agreement::holds_always(&oracle).await;
}

/// Kills one after the other, each of the four at least once, and answers how often.
async fn crash(platform: &mut Distributed, chance: &mut Chance, span: Duration) -> usize {
    let victims = [
        Victim::Service(Service::Execution),
        Victim::Service(Service::Risk),
        Victim::Service(Service::Strategy),
        Victim::Bus,
    ];
    let mut queue = chance.shuffled(victims.to_vec());
    let (began, mut crashes) = (Instant::now(), 0);
    while began.elapsed() < span || !queue.is_empty() {
        sleep(chance.millis(1_000..5_000)).await;
        let victim = queue.pop().or_else(|| chance.one_of(&victims).copied());
        let victim = victim.unwrap();
        platform.kill(victim).unwrap();
        crashes += 1;
        let pause = chance.millis(0..2_000);
        let at = began.elapsed().as_millis();
        eprintln!("{at} ms: {victim} killed, back in {} ms", pause.as_millis());
        sleep(pause).await;
        platform.revive(victim).unwrap();
    }
    crashes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crashes_of_ploy_up_under_load_lose_and_double_nothing() {
    let (seed, span) = (Chance::seed(), load_time(Duration::from_secs(20)));
    eprintln!(
        "repeat with CRASH_SEED={seed} CRASH_SECONDS={}",
        span.as_secs()
    );
    let mut chance = Chance::new(seed);
    let mut ploy = OneProcess::new("").unwrap();
    let api = ploy.start().await.unwrap();
    let oracle = ploy.oracle().unwrap();
    let load = Load::start(&api, seed, ORDERS_PER_SECOND, span);
    let (began, mut crashes) = (Instant::now(), 0);
    while began.elapsed() < span || crashes < 3 {
        sleep(chance.millis(300..5_000)).await;
        ploy.kill().unwrap();
        crashes += 1;
        eprintln!("{} ms: killed", began.elapsed().as_millis());
        agreement::holds_always(&oracle).await;
        restart(&mut ploy, &mut chance, &api).await;
    }
    let answers = load.answers().await.unwrap();
    eprintln!("{answers}");

    api.kill("the load is over").await.unwrap();
    let evidence = agreement::reached(&api, &oracle, &answers.taken).await;
    acted(&evidence, crashes, span);
    let status = ploy.stop().await.unwrap();
    assert!(status.success(), "{status}\n{}", ploy.last_words());
    agreement::holds_always(&oracle).await;
}

/// Starts it again; now and then it is killed once more before it trades.
async fn restart(ploy: &mut OneProcess, chance: &mut Chance, api: &Api) {
    if chance.among(0..3) == 0 {
        ploy.begin().unwrap();
        sleep(chance.millis(100..1_500)).await;
        ploy.kill().unwrap();
    }
    ploy.begin().unwrap();
    let trading = api.until_trading(Duration::from_secs(45)).await;
    trading.unwrap_or_else(|error| panic!("{error:#}\n{}", ploy.last_words()));
}
