//! How a scenario ends: nothing is under way any more, and both books agree.

use ploy_acceptance::{
    api::Api,
    oracle::{Evidence, Oracle, told},
};
use ploy_testkit::eventually;
use std::time::Duration;

/// The quarantine of an order whose outcome is unknown, three readings of the venue's books and a
/// lease that has to run out, on a busy machine.
const REST_DEADLINE: Duration = Duration::from_secs(75);
/// A fill that is on its way, and the next regular reading of the venue's books.
const AGREEMENT_DEADLINE: Duration = Duration::from_secs(40);

/// Waits until everything is at rest and both books agree, and answers them.
pub(crate) async fn reached(api: &Api, oracle: &Oracle, promised: &[String]) -> Evidence {
    api.until_idle(REST_DEADLINE).await.unwrap();
    let agreed = eventually(AGREEMENT_DEADLINE, || async {
        let evidence = oracle.look().await.unwrap();
        evidence.at_rest().is_empty().then_some(evidence)
    });
    let evidence = match agreed.await {
        Ok(evidence) => evidence,
        Err(_) => oracle.look().await.unwrap(),
    };
    let mut found = evidence.at_rest();
    found.extend(evidence.broken_promises(promised));
    assert!(
        found.is_empty(),
        "the books do not agree:\n{}",
        told(&found)
    );
    evidence
}

/// What holds at every instant holds now.
pub(crate) async fn holds_always(oracle: &Oracle) -> Evidence {
    let evidence = oracle.look().await.unwrap();
    let found = evidence.always();
    assert!(found.is_empty(), "{}", told(&found));
    evidence
}
