//! Tasks whose first step is taken at once, in the turn of whoever starts them: what is ready to
//! leave leaves without waiting for the scheduler.

use futures_util::FutureExt;
use tokio_util::task::TaskTracker;

/// Takes the first step of `work` now and the rest in a task of `tasks`. That step must be short:
/// the caller waits for it.
pub fn spawn_begun(tasks: &TaskTracker, work: impl Future<Output = ()> + Send + 'static) {
    let mut work = Box::pin(tasks.track_future(work));
    // The task polls again before it waits, so a wake-up that this look swallows is not missed.
    if (&mut work).now_or_never().is_none() {
        tokio::spawn(work);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    };
    use tokio::sync::oneshot;

    #[tokio::test]
    async fn the_first_step_is_taken_at_once_and_the_rest_is_waited_for() {
        let (tasks, steps) = (TaskTracker::new(), Arc::new(AtomicU32::new(0)));
        let (go, gone) = oneshot::channel::<()>();
        let counted = Arc::clone(&steps);
        spawn_begun(&tasks, async move {
            counted.fetch_add(1, Ordering::SeqCst);
            gone.await.unwrap();
            counted.fetch_add(1, Ordering::SeqCst);
        });
        assert_eq!((steps.load(Ordering::SeqCst), tasks.len()), (1, 1));
        go.send(()).unwrap();
        tasks.close();
        tasks.wait().await;
        assert_eq!(steps.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn work_that_is_done_at_once_leaves_no_task() {
        let tasks = TaskTracker::new();
        spawn_begun(&tasks, async {});
        assert!(tasks.is_empty());
    }
}
