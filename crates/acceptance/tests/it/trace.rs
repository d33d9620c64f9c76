//! One trace leads from the tick to the fill, through all services, in one process and in five.

use ploy_acceptance::{
    collector::{Collector, Trace},
    distributed::Distributed,
    one_process::OneProcess,
};
use ploy_testkit::eventually;
use std::time::Duration;

/// A cross of the averages, and the export of its spans.
const DEADLINE: Duration = Duration::from_secs(60);
const WAY: [&str; 6] = [
    "tick",
    "strategy.submit",
    "risk.check",
    "risk.decide",
    "venue.send",
    "strategy.fill",
];

/// Waits for a decision that went all the way.
async fn complete(collector: &Collector) -> Trace {
    let found = eventually(DEADLINE, || async {
        let traces = collector.traces_with(&WAY);
        traces.into_iter().find(|trace| trace.torn() == 0)
    });
    match found.await {
        Ok(trace) => trace,
        Err(_) => {
            let begun = collector.traces_with(&WAY[..1]);
            let told: Vec<_> = begun.iter().map(Trace::told).collect();
            panic!("no trace goes all the way:\n{}", told.join("\n"));
        }
    }
}

/// The spans that lead to `name`, without those that only carry a call from process to process.
fn path<'a>(trace: &'a Trace, name: &str) -> Vec<(&'a str, &'a str)> {
    let mut path = trace.path_to(name);
    path.retain(|(name, _)| WAY.contains(name));
    path
}

fn leads_from_tick_to_fill(trace: &Trace) {
    let told = trace.told();
    let decision = [("tick", "strategy"), ("strategy.submit", "strategy")];
    let after = |rest: &[(&'static str, &'static str)]| [&decision, rest].concat();
    assert_eq!(path(trace, "strategy.submit"), decision, "{told}");
    let check = ("risk.check", "execution");
    let judged = after(&[check, ("risk.decide", "risk")]);
    assert_eq!(path(trace, "risk.decide"), judged, "{told}");
    let sent = after(&[("venue.send", "execution")]);
    assert_eq!(path(trace, "venue.send"), sent, "{told}");
    let filled = after(&[("strategy.fill", "strategy")]);
    assert_eq!(path(trace, "strategy.fill"), filled, "{told}");
    assert_eq!(trace.find("tick").map(|span| span.parent), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_trace_leads_from_tick_to_fill_in_one_process() {
    let collector = Collector::start().await.unwrap();
    let mut ploy = OneProcess::new(&collector.configuration()).unwrap();
    ploy.start().await.unwrap();
    leads_from_tick_to_fill(&complete(&collector).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_trace_leads_from_tick_to_fill_through_five_processes() {
    let collector = Collector::start().await.unwrap();
    let (mut platform, _api) = Distributed::start(&collector.configuration())
        .await
        .unwrap();
    let trace = complete(&collector).await;
    leads_from_tick_to_fill(&trace);
    // Between the processes the trace goes with the calls.
    let carried = trace.path_to("venue.send");
    assert!(carried.contains(&("rpc", "execution")), "{carried:?}");
    let carried = trace.path_to("risk.decide");
    assert!(carried.contains(&("rpc", "risk")), "{carried:?}");
    platform.stop().await.unwrap();
}
