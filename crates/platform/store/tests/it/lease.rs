//! One leader at a time, and the old one knows or is refused.

use crate::fixture::{Fixture, SOON};
use ploy_store::{
    Backend, LeaseKeeper, LeaseState, LeaseTerms, Store, StoreError,
    lease::{self, Acquired, Claim, HeldLease},
};
use ploy_testkit::eventually;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

crate::on_every_store!(
    of_two_only_one_leads,
    a_lease_that_ran_out_can_be_taken,
    a_renewed_lease_lasts,
    a_lost_lease_cannot_be_renewed_or_released,
    a_released_lease_is_free_at_once,
    a_transaction_checks_the_epoch,
    a_write_under_the_lease_does_not_hold_up_its_renewal,
    a_keeper_leads_and_hands_over,
    a_keeper_without_database_stops_leading,
);

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(200);
const TERMS: LeaseTerms = LeaseTerms {
    ttl: Duration::from_secs(2),
    renew_every: Duration::from_millis(100),
};

fn claim(holder: &str) -> Claim {
    Claim {
        shard: "execution-0".to_owned(),
        holder: holder.to_owned(),
    }
}

async fn ready(f: &Fixture) -> &Store {
    f.store
        .migrate(lease::COMPONENT, lease::MIGRATIONS)
        .await
        .unwrap();
    &f.store
}

async fn taken(store: &Store, holder: &str, ttl: Duration) -> HeldLease {
    eventually(SOON, async || {
        match lease::acquire(store, &claim(holder), ttl).await.unwrap() {
            Acquired::Taken(lease) => Some(lease),
            Acquired::HeldBy(_) => None,
        }
    })
    .await
    .unwrap()
}

async fn of_two_only_one_leads(f: Fixture) {
    let (one, two) = (ready(&f).await.clone(), f.second_store().await);
    for round in 1..=10 {
        let (a, b) = (claim("a"), claim("b"));
        let (a, b) = tokio::join!(
            lease::acquire(&one, &a, LONG),
            lease::acquire(&two, &b, LONG)
        );
        let lease = match (a.unwrap(), b.unwrap()) {
            (Acquired::Taken(lease), Acquired::HeldBy(row))
            | (Acquired::HeldBy(row), Acquired::Taken(lease)) => {
                assert_eq!(
                    (row.holder.as_str(), row.epoch),
                    (&*lease.claim.holder, lease.epoch)
                );
                lease
            }
            both => panic!("{both:?}"),
        };
        assert_eq!(lease.epoch, round);
        lease::release(&one, &lease).await.unwrap();
    }
}

async fn a_lease_that_ran_out_can_be_taken(f: Fixture) {
    let store = ready(&f).await;
    assert_eq!(lease::current(store, "execution-0").await.unwrap(), None);
    let first = taken(store, "a", SHORT).await;
    let second = taken(store, "b", LONG).await;
    assert_eq!((first.epoch, second.epoch), (1, 2));
    assert!(first.remaining().is_zero() && !first.may_write());
    assert!(second.may_send() && second.remaining() <= LONG);
    let row = lease::current(store, "execution-0").await.unwrap().unwrap();
    assert_eq!(
        (row.holder.as_str(), row.epoch, row.is_held()),
        ("b", 2, true)
    );
}

async fn a_renewed_lease_lasts(f: Fixture) {
    let store = ready(&f).await;
    let first = taken(store, "a", Duration::from_secs(5)).await;
    let renewed = lease::renew(store, &first, LONG).await.unwrap();
    assert_eq!(renewed.epoch, first.epoch);
    assert!(renewed.remaining() > Duration::from_secs(30));
}

async fn a_lost_lease_cannot_be_renewed_or_released(f: Fixture) {
    let store = ready(&f).await;
    let old = taken(store, "a", SHORT).await;
    taken(store, "b", LONG).await;
    let refused = lease::renew(store, &old, LONG).await.unwrap_err();
    assert!(
        matches!(
            refused,
            StoreError::Fenced {
                held: 1,
                current: 2,
                ..
            }
        ),
        "{refused:?}"
    );
    lease::release(store, &old).await.unwrap();
    assert!(
        lease::current(store, "execution-0")
            .await
            .unwrap()
            .unwrap()
            .is_held()
    );
}

async fn a_released_lease_is_free_at_once(f: Fixture) {
    let store = ready(&f).await;
    let first = taken(store, "a", LONG).await;
    lease::release(store, &first).await.unwrap();
    assert!(matches!(
        lease::acquire(store, &claim("b"), LONG).await.unwrap(),
        Acquired::Taken(lease) if lease.epoch == 2
    ));
}

async fn check(store: &Store, epoch: i64) -> Result<(), StoreError> {
    store
        .transact("check", move |tx| {
            Box::pin(lease::check(tx, "execution-0", epoch))
        })
        .await
}

async fn a_transaction_checks_the_epoch(f: Fixture) {
    let store = ready(&f).await;
    assert!(check(store, 1).await.is_err());
    let lease = taken(store, "a", LONG).await;
    check(store, lease.epoch).await.unwrap();
    let refused = check(store, lease.epoch - 1).await.unwrap_err();
    assert!(
        matches!(
            refused,
            StoreError::Fenced {
                held: 0,
                current: 1,
                ..
            }
        ),
        "{refused:?}"
    );
}

/// Only a server lets two transactions write at a time; a file makes the second wait its turn.
async fn a_write_under_the_lease_does_not_hold_up_its_renewal(f: Fixture) {
    let store = ready(&f).await;
    let lease = taken(store, "a", LONG).await;
    if store.backend() == Backend::Sqlite {
        return;
    }
    let (renewer, epoch) = (f.second_store().await, lease.epoch);
    store
        .transact("journal", move |tx| {
            let (renewer, lease) = (renewer.clone(), lease.clone());
            Box::pin(async move {
                lease::check(tx, "execution-0", epoch).await?;
                lease::renew(&renewer, &lease, LONG).await.map(|_| ())
            })
        })
        .await
        .unwrap();
}

async fn a_keeper_leads_and_hands_over(f: Fixture) {
    let (one, two) = (ready(&f).await.clone(), f.second_store().await);
    let (stop_one, stop_two) = (CancellationToken::new(), CancellationToken::new());
    let first = LeaseKeeper::start(one.clone(), claim("a"), TERMS, stop_one.clone());
    let mut state = first.state();
    state
        .wait_for(|state| state.lease().is_some())
        .await
        .unwrap();
    let second = LeaseKeeper::start(two, claim("b"), TERMS, stop_two.clone());
    let mut standby = second.state();
    let sees_leader = |state: &LeaseState| {
        *state
            == LeaseState::Standby {
                leader: Some("a".to_owned()),
            }
    };
    standby.wait_for(sees_leader).await.unwrap();
    // Renewals move the end; a lease without them would have ended by now.
    let held = state.borrow().lease().unwrap().clone();
    state
        .wait_for(|state| state.lease().is_some_and(|l| *l != held))
        .await
        .unwrap();
    stop_one.cancel();
    first.stopped().await;
    let led = standby
        .wait_for(|state| state.lease().is_some())
        .await
        .unwrap()
        .clone();
    assert_eq!(led.lease().unwrap().epoch, 2);
    stop_two.cancel();
    second.stopped().await;
    assert!(
        !lease::current(&one, "execution-0")
            .await
            .unwrap()
            .unwrap()
            .is_held()
    );
}

async fn a_keeper_without_database_stops_leading(f: Fixture) {
    let store = ready(&f).await.clone();
    let stop = CancellationToken::new();
    let keeper = LeaseKeeper::start(store.clone(), claim("a"), TERMS, stop.clone());
    let mut state = keeper.state();
    state
        .wait_for(|state| state.lease().is_some())
        .await
        .unwrap();
    store.close().await;
    state
        .wait_for(|state| matches!(state, LeaseState::Standby { .. }))
        .await
        .unwrap();
    stop.cancel();
    keeper.stopped().await;
}
