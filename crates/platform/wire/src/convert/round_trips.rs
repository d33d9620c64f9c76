//! Every value that travels comes back as it was, through real bytes.

use crate::{WireError, arbitrary, facts, proto};
use proptest::prelude::*;
use prost::Message;
use std::fmt::Debug;

/// Writes `value` as a `W`, encodes, decodes and reads it again.
fn check<W, D>(value: &D) -> Result<(), TestCaseError>
where
    W: for<'a> From<&'a D> + Message + Default,
    D: TryFrom<W, Error = WireError> + PartialEq + Debug,
{
    let bytes = W::from(value).encode_to_vec();
    let message = W::decode(bytes.as_slice()).map_err(|e| TestCaseError::fail(e.to_string()))?;
    let read = D::try_from(message).map_err(|e| TestCaseError::fail(e.to_string()))?;
    prop_assert_eq!(&read, value);
    Ok(())
}

macro_rules! come_back {
    ($($name:ident: $message:ident from $strategy:expr;)+) => {
        proptest! {
            #![proptest_config(ProptestConfig::with_cases(96))]
            $(
                #[test]
                fn $name(value in $strategy) {
                    check::<proto::$message, _>(&value)?;
                }
            )+
        }
    };
}

come_back! {
    intents: Intent from arbitrary::orders::intent();
    executions: Execution from arbitrary::orders::execution();
    scopes: Scope from arbitrary::risk::scope();
    decisions: RiskDecision from arbitrary::risk::decision();
    check_requests: CheckRequest from arbitrary::risk::check();
    state_changes: SetStateRequest from arbitrary::risk::change();
    kill_requests: KillRequest from arbitrary::risk::kill();
    risk_states: RiskState from arbitrary::risk::state();
    submits: SubmitOrderRequest from arbitrary::views::submit();
    cancels: CancelOrderRequest from arbitrary::views::cancel();
    cancel_alls: CancelAllRequest from arbitrary::views::cancel_all();
    cancel_all_answers: CancelAllResponse from arbitrary::views::cancel_all_answer();
    order_queries: ListOrdersRequest from arbitrary::views::order_query();
    fill_queries: ListFillsRequest from arbitrary::views::fill_query();
    pages_of_orders: ListOrdersResponse from arbitrary::views::page(arbitrary::views::order());
    pages_of_fills: ListFillsResponse from arbitrary::views::page(arbitrary::views::fill());
    positions: ListPositionsResponse from arbitrary::few(arbitrary::views::position());
    accounts: ListAccountsResponse from arbitrary::few(arbitrary::views::account());
    replays: ReplayResponse from arbitrary::few(arbitrary::events::event());
    strategies: ListStrategiesResponse from arbitrary::few(arbitrary::views::strategy());
    markets: ListMarketsResponse from arbitrary::few(arbitrary::views::market());
}

proptest! {
    #[test]
    fn market_facts(event in arbitrary::market::event()) {
        prop_assert_eq!(facts::decode_market(&facts::encode_market(&event)), Ok(event));
    }

    #[test]
    fn order_events(event in arbitrary::events::event()) {
        prop_assert_eq!(facts::decode_order_event(&facts::encode_order_event(&event)), Ok(event));
    }

    #[test]
    fn heads(head in arbitrary::views::head()) {
        prop_assert_eq!(facts::decode_head(&facts::encode_head(&head)), Ok(head));
    }

    #[test]
    fn risk_state_changes(fact in arbitrary::risk::changed()) {
        prop_assert_eq!(facts::decode_risk_state(&facts::encode_risk_state(&fact)), Ok(fact));
    }

    #[test]
    fn noise_is_refused_and_never_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = facts::decode_market(&bytes);
        let _ = facts::decode_order_event(&bytes);
        let _ = facts::decode_risk_state(&bytes);
    }
}
