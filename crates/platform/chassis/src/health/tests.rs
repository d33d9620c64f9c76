use super::*;
use crate::{Process, clock::ManualClock, process::StopReason};
use ploy_domain::Timestamp;
use ploy_testkit::eventually;
use serde_json::json;

fn registry() -> HealthRegistry {
    HealthRegistry::new("test", Clock::system())
}

#[test]
fn a_service_is_ready_when_all_it_requires_works() {
    let registry = registry();
    let store = registry.register(Dependency::required("store", Group::Database));
    let cache = registry.register(Dependency::optional("cache", Group::Internal));
    assert!(!registry.is_ready(), "nobody has looked yet");
    store.up(Duration::from_millis(2));
    cache.down("refused");
    assert!(registry.is_ready());
    store.degraded("slow");
    assert!(registry.is_ready());
    store.down("gone");
    assert!(!registry.is_ready());
}

#[test]
fn since_moves_only_when_the_status_does() {
    let hand = ManualClock::at(Timestamp::from_nanos(1_000));
    let registry = HealthRegistry::new("test", hand.clock());
    let store = registry.register(Dependency::required("store", Group::Database));
    hand.advance(Duration::from_nanos(10));
    store.up(Duration::from_millis(3));
    hand.advance(Duration::from_nanos(10));
    store.up(Duration::from_millis(4));
    let report = registry.reports().remove(0);
    assert_eq!(report.since, Timestamp::from_nanos(1_010));
    assert_eq!((report.latency_ms, report.reason), (Some(4), None));
}

#[test]
fn the_public_answer_has_exactly_the_promised_shape() {
    let registry = registry();
    let store = registry.register(Dependency::required("store", Group::Database));
    let venue = registry.register(Dependency::required("venue SIM", Group::ApiConnection));
    let bus = registry.register(Dependency::optional("bus", Group::OrderQueue));
    store.up(Duration::from_millis(5));
    venue.up(Duration::from_millis(50));
    bus.up(Duration::ZERO);
    let health = || PublicHealth::of(&registry.reports(), "0.1.0", Duration::from_secs(3600));
    assert_eq!(
        serde_json::to_string(&health()).unwrap(),
        r#"{"status":"healthy","version":"0.1.0","uptime_seconds":3600,"checks":{"database":{"status":"up","latency_ms":5},"api_connection":{"status":"up","latency_ms":50},"order_queue":{"status":"up","latency_ms":0}}}"#
    );
    assert_eq!(health().http_status(), 200);
    bus.down("no answer");
    let value = serde_json::to_value(health()).unwrap();
    assert_eq!(value["status"], json!("unhealthy"));
    assert_eq!(value["checks"]["order_queue"]["status"], json!("down"));
    assert_eq!(health().http_status(), 503);
}

#[tokio::test]
async fn a_probe_degrades_first_and_takes_down_after_its_failures() {
    let registry = registry();
    let check = registry.register(Dependency::required("bus", Group::OrderQueue));
    let how = Probing {
        every: Duration::from_millis(1),
        deadline: Duration::from_millis(100),
        failures_to_down: 3,
    };
    let mut seen = Vec::new();
    let mut answers = [Ok(()), Err("a"), Err("b"), Err("c"), Ok(())].into_iter();
    let stop = tokio_util::sync::CancellationToken::new();
    let (end, reports) = (stop.clone(), registry.clone());
    check
        .probe(how, stop, || {
            seen.push(reports.reports()[0].status);
            let answer = answers.next();
            if answer.is_none() {
                end.cancel();
            }
            async move { answer.unwrap_or(Ok(())) }
        })
        .await;
    use Status::{Degraded, Down, Unknown, Up};
    assert_eq!(seen, [Unknown, Up, Degraded, Degraded, Down, Up]);
}

#[tokio::test]
async fn the_listener_answers_for_probes_and_scrapes() {
    let process = Process::new("test");
    let registry = registry();
    let store = registry.register(Dependency::required("store", Group::Database));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let routes = router(
        registry,
        Liveness::unwatched(),
        crate::metrics::install().unwrap(),
    );
    process.spawn_support("health", serve(listener, routes, process.settling()));
    let get = |path: &'static str| async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    };
    assert!(get("/health/live").await.starts_with("HTTP/1.1 200"));
    assert!(get("/health/ready").await.starts_with("HTTP/1.1 503"));
    store.up(Duration::from_millis(7));
    let ready = get("/health/ready").await;
    assert!(
        ready.contains(r#""dependency":"store","required":true,"status":"up""#),
        "{ready}"
    );
    assert!(get("/metrics").await.contains("ploy_dependency_up"));
    process.stop(StopReason::Requested("test".into()));
    assert!(process.run_until_ended().await.is_clean());
}

#[test]
fn a_stuck_runtime_is_seen_from_outside() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let process = Process::new("test");
    let watchdog = Watchdog {
        tick: Duration::from_millis(40),
        misses_max: 3,
    };
    let liveness = runtime.block_on(async { watchdog.start(&process).unwrap() });
    // Nobody drives the runtime now, which is as stuck as it gets.
    let watcher = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let wait_for = |alive: bool| {
        let liveness = liveness.clone();
        eventually(Duration::from_secs(5), move || {
            let reached = liveness.is_alive() == alive;
            async move { reached.then_some(()) }
        })
    };
    watcher.block_on(wait_for(false)).unwrap();
    runtime.block_on(wait_for(true)).unwrap();
}
