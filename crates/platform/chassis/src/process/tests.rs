use super::*;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::time::timeout;

/// Not known to the compiler, so that the panicking task still returns something.
fn process_is_sane() -> bool {
    std::hint::black_box(false)
}

const SOON: Duration = Duration::from_secs(5);

fn quick() -> Process {
    Process::with_drain(
        "test",
        Drain {
            work: Duration::from_millis(50),
            support: Duration::from_millis(50),
        },
    )
}

async fn ended(process: &Process) -> ExitSummary {
    timeout(SOON, process.run_until_ended())
        .await
        .expect("the process ends within its bounds")
}

#[tokio::test]
async fn a_task_that_ends_early_stops_the_process_and_is_named() {
    let process = quick();
    process.spawn_named("feed", async {});
    let summary = ended(&process).await;
    assert_eq!(summary.reason, StopReason::TaskFailed("feed".into()));
    assert_eq!(summary.failures[0].end, TaskEnd::Early);
    assert!(!summary.is_clean());
}

#[tokio::test]
async fn a_panicking_task_stops_the_process_and_is_reported_with_its_message() {
    let process = quick();
    process.spawn_brief("book", async { assert!(process_is_sane(), "crossed") });
    let summary = ended(&process).await;
    assert_eq!(
        summary.failures,
        [TaskFailure {
            task: "book".into(),
            end: TaskEnd::Panicked("crossed".into())
        }]
    );
}

#[tokio::test]
async fn a_failing_task_is_reported_with_its_error() {
    let process = quick();
    process.spawn_named("store", async { Err(std::io::Error::other("disk full")) });
    let summary = ended(&process).await;
    assert_eq!(summary.failures[0].end, TaskEnd::Failed("disk full".into()));
}

#[tokio::test]
async fn a_brief_task_may_end() {
    let process = quick();
    let (done, wait) = tokio::sync::oneshot::channel();
    process.spawn_brief("request", async move {
        let _ = done.send(());
    });
    wait.await.unwrap();
    assert!(!process.stopping().is_cancelled());
}

#[tokio::test]
async fn what_the_work_stands_on_outlives_the_work() {
    let process = quick();
    let relay_alive = Arc::new(AtomicBool::new(true));
    let (seen, alive, stop) = (
        Arc::new(AtomicBool::new(false)),
        Arc::clone(&relay_alive),
        process.stopping(),
    );
    let noted = Arc::clone(&seen);
    process.spawn_named("work", async move {
        stop.cancelled().await;
        tokio::task::yield_now().await;
        noted.store(alive.load(Ordering::SeqCst), Ordering::SeqCst);
    });
    let settling = process.settling();
    process.spawn_support("relay", async move {
        settling.cancelled().await;
        relay_alive.store(false, Ordering::SeqCst);
    });
    process.stop(StopReason::Requested("test".into()));
    let summary = ended(&process).await;
    assert!(seen.load(Ordering::SeqCst));
    assert!(summary.is_clean(), "{summary:?}");
}

#[tokio::test]
async fn a_task_that_does_not_end_is_dropped_and_named() {
    let process = quick();
    process.spawn_named("stubborn", std::future::pending::<()>());
    process.stop(StopReason::Requested("test".into()));
    let summary = ended(&process).await;
    assert_eq!(summary.abandoned, ["stubborn"]);
}

#[tokio::test]
async fn the_first_reason_stays() {
    let process = quick();
    process.stop(StopReason::Requested("first".into()));
    process.stop(StopReason::Signal("SIGTERM"));
    assert_eq!(ended(&process).await.reason.to_string(), "first");
}

#[tokio::test]
async fn tasks_run_in_the_scope_of_their_service() {
    let process = quick();
    let (tell, told) = tokio::sync::oneshot::channel();
    process.for_service("risk").spawn_brief("ask", async move {
        let _ = tell.send(scope::current());
    });
    assert_eq!(told.await.unwrap(), "risk");
}
