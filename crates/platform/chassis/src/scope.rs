//! Which service the running code belongs to. In one process five services share one subscriber and
//! one metrics recorder; logs and spans say whose they are by asking here.

use std::sync::OnceLock;

tokio::task_local! {
    static SERVICE: &'static str;
}

static PROCESS: OnceLock<&'static str> = OnceLock::new();

/// Runs `work` as part of `service`: its logs and spans carry that name. An in-process
/// implementation of another service's interface wraps its work in this.
pub fn within<F: Future>(
    service: &'static str,
    work: F,
) -> impl Future<Output = F::Output> + use<F> {
    SERVICE.scope(service, work)
}

/// The service that the running task belongs to; outside of any, the process.
#[must_use]
pub fn current() -> &'static str {
    SERVICE
        .try_with(|service| *service)
        .unwrap_or_else(|_| PROCESS.get().copied().unwrap_or("ploy"))
}

/// Names the process. The first name stays.
pub(crate) fn name_process(name: &'static str) {
    PROCESS.get_or_init(|| name);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_innermost_scope_names_the_service() {
        let inner = within("strategy", async {
            let before = current();
            let inside = within("execution", async { current() }).await;
            (before, inside, current())
        });
        assert_eq!(inner.await, ("strategy", "execution", "strategy"));
    }
}
