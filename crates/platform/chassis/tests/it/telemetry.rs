use crate::collector::Collector;
use ploy_chassis::{
    config::{LogFormat, LogSettings, Mode, TelemetrySettings},
    metrics, scope,
    telemetry::Plan,
    trace,
};
use ploy_domain::{Timestamp, TraceContext};
use serde_json::Value;
use std::{
    io::Write,
    sync::{Arc, Mutex, mpsc},
    time::{Duration, Instant},
};
use tracing::Instrument;

/// A log file in memory.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Lines {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    fn json(&self) -> Vec<Value> {
        let text = self.text();
        text.lines()
            .map(|line| serde_json::from_str(line).expect(line))
            .collect()
    }
}

fn plan(format: LogFormat, endpoint: Option<String>) -> (Plan, Lines) {
    let lines = Lines::default();
    let plan = Plan {
        service: "test",
        mode: Mode::Dev,
        log: LogSettings {
            format,
            filter: "info".into(),
            file: None,
        },
        traces: TelemetrySettings {
            otlp_endpoint: endpoint,
            queue_spans_max: 64,
            export_every: Duration::from_millis(20),
        },
        output: Some(Box::new(lines.clone())),
    };
    (plan, lines)
}

#[tokio::test]
async fn a_json_line_has_the_promised_keys_and_the_ids_of_its_spans() {
    let (plan, lines) = plan(LogFormat::Json, None);
    let (dispatch, telemetry) = plan.assemble().unwrap();
    let _guard = tracing::dispatcher::set_default(&dispatch);
    let work = async {
        let span = tracing::info_span!(target: "ploy_test", "submit", order_id = "pd1", request_id = "r-7");
        async {
            tracing::info!(
                quantity = 3,
                level = "own",
                error = "x\ny",
                "order \"placed\""
            );
        }
        .instrument(span)
        .await;
        tracing::debug!("not wanted");
        tracing::warn!(order_id = %"pd2", "outside");
    };
    scope::within("execution", work).await;
    telemetry.shutdown().await;
    let found = lines.json();
    assert_eq!(found.len(), 2, "{found:?}");
    let text = lines.text();
    let at = |key: &str| text.find(&format!("\"{key}\":")).expect(key);
    let order = [
        "timestamp",
        "level",
        "service",
        "mode",
        "message",
        "target",
        "request_id",
        "order_id",
        "trace_id",
        "quantity",
    ];
    assert!(order.is_sorted_by_key(|key| at(key)));
    let first = &found[0];
    assert_eq!(first["service"], "execution");
    assert_eq!(
        (&first["mode"], &first["level"]),
        (&"dev".into(), &"info".into())
    );
    assert_eq!(
        (&first["order_id"], &first["request_id"]),
        (&"pd1".into(), &"r-7".into())
    );
    assert_eq!(first["message"], "order \"placed\"");
    assert_eq!(
        (&first["quantity"], &first["event_level"]),
        (&3.into(), &"own".into())
    );
    assert_eq!(first["trace_id"].as_str().unwrap().len(), 32);
    let stamp = first["timestamp"].as_str().unwrap();
    assert_eq!((stamp.len(), stamp.ends_with('Z')), (30, true), "{stamp}");
    assert_eq!(
        (&found[1]["order_id"], &found[1]["trace_id"]),
        (&"pd2".into(), &Value::Null)
    );
}

#[tokio::test]
async fn a_pretty_line_is_calm() {
    let (plan, lines) = plan(LogFormat::Pretty, None);
    let (dispatch, telemetry) = plan.assemble().unwrap();
    let _guard = tracing::dispatcher::set_default(&dispatch);
    scope::within("risk", async { tracing::info!(limit = 5, "denied") }).await;
    telemetry.shutdown().await;
    let text = lines.text();
    assert!(
        text.ends_with("INFO  risk      denied limit=5\n"),
        "{text:?}"
    );
    assert!(!text.contains('\x1b'));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_trace_leads_from_the_tick_through_services_to_the_collector() {
    let collector = Collector::start().await;
    let (plan, _lines) = plan(LogFormat::Json, Some(collector.endpoint()));
    let (dispatch, telemetry) = plan.assemble().unwrap();
    let _guard = tracing::dispatcher::set_default(&dispatch);
    let decide = tracing::info_span!(target: "ploy_test", "decide", strategy = "ma-cross-btc");
    let upstream = TraceContext::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    trace::link_parent(&decide, &upstream.unwrap());
    let carried = scope::within("strategy", async { decide.in_scope(trace::current) }).await;
    drop(decide);
    let submit = tracing::info_span!(target: "ploy_test", "submit");
    trace::link_parent(&submit, &carried);
    scope::within("execution", async { submit.in_scope(|| ()) }).await;
    drop(submit);
    telemetry.shutdown().await;

    let spans = collector.spans();
    let decide = spans.iter().find(|s| s.name == "decide").unwrap();
    let submit = spans.iter().find(|s| s.name == "submit").unwrap();
    assert_eq!(
        (decide.service.as_str(), submit.service.as_str()),
        ("strategy", "execution")
    );
    assert_eq!(decide.trace_id, 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c);
    assert_eq!(decide.parent, 0xb7ad_6b71_6920_3331);
    assert_eq!(
        (submit.trace_id, submit.parent),
        (decide.trace_id, decide.id)
    );
    assert_eq!(
        (carried.trace_id, carried.span_id),
        (decide.trace_id, decide.id)
    );
    assert_eq!(spans.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_collector_spans_are_dropped_counted_and_hold_nobody_up() {
    let recorder = metrics::install().unwrap();
    let port = ploy_testkit::free_port().unwrap();
    let (plan, lines) = plan(LogFormat::Json, Some(format!("http://127.0.0.1:{port}")));
    let (dispatch, telemetry) = plan.assemble().unwrap();
    let _guard = tracing::dispatcher::set_default(&dispatch);
    for _ in 0..500 {
        tracing::info_span!(target: "ploy_test", "tick").in_scope(|| ());
    }
    let began = Instant::now();
    telemetry.shutdown().await;
    assert!(
        began.elapsed() < Duration::from_secs(6),
        "{:?}",
        began.elapsed()
    );
    let rendered = recorder.render();
    let dropped = rendered
        .lines()
        .find_map(|line| line.strip_prefix("ploy_telemetry_dropped_total{kind=\"span\"} "));
    assert!(
        dropped.is_some_and(|n| n.parse::<u64>().unwrap() >= 500),
        "{dropped:?}"
    );
    drop(lines);
}

/// A terminal that takes nothing until it is let go.
struct Stuck(mpsc::Receiver<()>);

impl Write for Stuck {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let _ = self.0.recv();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_stuck_writer_costs_lines_but_no_time() {
    let (plan, _) = plan(LogFormat::Json, None);
    let (release, held) = mpsc::channel();
    let plan = Plan {
        output: Some(Box::new(Stuck(held))),
        ..plan
    };
    let (dispatch, telemetry) = plan.assemble().unwrap();
    let guard = tracing::dispatcher::set_default(&dispatch);
    for n in 0..20_000 {
        tracing::info!(n, "line");
    }
    drop(guard);
    let began = Instant::now();
    telemetry.shutdown().await;
    assert!(began.elapsed() < Duration::from_secs(3));
    drop(release);
}

#[test]
fn what_is_past_without_a_tracer_keeps_the_parent() {
    let parent = TraceContext {
        trace_id: 7,
        span_id: 9,
        sampled: true,
    };
    let at = Timestamp::from_nanos(5);
    assert_eq!(trace::past("tick", (at, at), &parent, &[]), parent);
}
