use super::{OrderState as S, Step as P, *};

const STEPS: [P; 16] = [
    P::Check,
    P::Deny,
    P::Journal,
    P::Submit,
    P::Doubt,
    P::Accept,
    P::Reject,
    P::Trigger,
    P::FillPart,
    P::FillRest,
    P::RequestAmend,
    P::EndAmend,
    P::RequestCancel,
    P::RefuseCancel,
    P::Cancel,
    P::Expire,
];

/// The table of trading-semantics §1, written a second time from its text.
#[expect(clippy::too_many_lines, reason = "one table")]
fn allowed(from: S) -> Vec<S> {
    match from {
        S::Created => vec![S::Checked, S::Denied],
        S::Checked => vec![S::Journaled, S::Denied],
        S::Journaled => vec![S::Submitted, S::Unknown, S::Denied],
        S::Submitted => vec![
            S::Accepted,
            S::Rejected,
            S::Unknown,
            S::PartiallyFilled,
            S::Filled,
            S::Cancelled,
            S::Expired,
            S::PendingCancel,
        ],
        S::Unknown => vec![
            S::Accepted,
            S::Rejected,
            S::Triggered,
            S::PartiallyFilled,
            S::Filled,
            S::Cancelled,
            S::Expired,
        ],
        S::Accepted => vec![
            S::Triggered,
            S::PartiallyFilled,
            S::Filled,
            S::PendingAmend,
            S::PendingCancel,
            S::Cancelled,
            S::Expired,
            S::Rejected,
        ],
        S::Triggered => vec![
            S::PartiallyFilled,
            S::Filled,
            S::PendingAmend,
            S::PendingCancel,
            S::Cancelled,
            S::Expired,
            S::Rejected,
        ],
        S::PartiallyFilled => vec![
            S::PartiallyFilled,
            S::Filled,
            S::PendingAmend,
            S::PendingCancel,
            S::Cancelled,
            S::Expired,
        ],
        S::PendingAmend => vec![
            S::Accepted,
            S::PartiallyFilled,
            S::Filled,
            S::PendingCancel,
            S::Cancelled,
            S::Expired,
        ],
        S::PendingCancel => {
            vec![
                S::Cancelled,
                S::Filled,
                S::PartiallyFilled,
                S::Expired,
                S::Accepted,
            ]
        }
        S::Cancelled | S::Expired | S::Rejected => vec![from],
        S::Denied | S::Filled => vec![],
    }
}

#[test]
fn the_full_product_of_states_and_steps_is_the_published_table() {
    for from in S::ALL {
        let mut reached: Vec<S> = STEPS
            .iter()
            .filter_map(|step| from.after(*step, S::Accepted).ok())
            .collect();
        reached.sort_unstable();
        reached.dedup();
        let mut expected = allowed(from);
        expected.sort_unstable();
        assert_eq!(reached, expected, "from {from}");
    }
}

#[test]
fn an_error_names_both_halves() {
    let error = S::Filled.after(P::Cancel, S::Filled).unwrap_err();
    assert_eq!(
        error,
        IllegalTransition {
            from: S::Filled,
            step: P::Cancel
        }
    );
    assert_eq!(
        error.to_string(),
        "an order that is filled cannot be cancelled"
    );
}

#[test]
fn a_refused_request_returns_to_the_state_before() {
    assert_eq!(
        S::PendingCancel.after(P::RefuseCancel, S::Triggered),
        Ok(S::Triggered)
    );
    assert_eq!(
        S::PendingAmend.after(P::EndAmend, S::PartiallyFilled),
        Ok(S::PartiallyFilled)
    );
}

#[test]
fn no_state_is_open_and_terminal() {
    assert!(
        S::ALL
            .iter()
            .all(|state| !(state.is_open() && state.is_terminal()))
    );
}
