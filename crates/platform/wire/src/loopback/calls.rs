//! Questions and answers arrive as they were sent, for every method.

use super::{Loopback, call, double::asked, loopback};
use crate::{
    api::{ApiError, ExecutionApi as _, IngestionApi as _, RiskApi as _, StrategyApi as _},
    arbitrary as any,
    client::{ExecutionClient, IngestionClient, RiskClient, StrategyClient},
};
use proptest::{
    strategy::{Strategy, ValueTree as _},
    test_runner::TestRunner,
};
use std::time::Duration;

const ROUNDS: usize = 8;

/// Draws values without shrinking: a failing value is printed whole.
struct Samples(TestRunner);

impl Samples {
    fn draw<S: Strategy>(&mut self, strategy: S) -> S::Value {
        strategy.new_tree(&mut self.0).unwrap().current()
    }
}

/// Makes a call that is to be answered with `$answer`, and compares both ways.
macro_rules! exchange {
    ($on:ident, $client:ident.$method:ident($($argument:expr),*), $question:expr, $answer:expr) => {{
        let (question, answer) = (asked(&$question), $answer);
        $on.double.will_answer(Ok(answer.clone()));
        let got = $client.$method($($argument,)* call()).await;
        assert_eq!(got, Ok(answer));
        assert_eq!($on.last_question(), question);
    }};
}

impl Loopback {
    fn last_question(&self) -> String {
        self.double.last.lock().unwrap().take().unwrap().0
    }
}

fn samples() -> Samples {
    Samples(TestRunner::deterministic())
}

#[tokio::test]
async fn risk_answers_across_the_network() {
    let on = loopback(<_>::default()).await;
    let (client, mut some) = (RiskClient::new(on.channel.clone()), samples());
    for _ in 0..ROUNDS {
        let check = some.draw(any::risk::check());
        exchange!(
            on,
            client.check(check.clone()),
            check,
            some.draw(any::risk::decision())
        );
        let change = some.draw(any::risk::change());
        exchange!(
            on,
            client.set_state(change.clone()),
            change,
            some.draw(any::risk::state())
        );
        let kill = some.draw(any::risk::kill());
        exchange!(
            on,
            client.kill(kill.clone()),
            kill,
            some.draw(any::risk::state())
        );
        exchange!(on, client.state(), "state", some.draw(any::risk::state()));
    }
}

#[tokio::test]
async fn execution_takes_commands_across_the_network() {
    let on = loopback(<_>::default()).await;
    let (client, mut some) = (ExecutionClient::new(on.channel.clone()), samples());
    for _ in 0..ROUNDS {
        let submit = some.draw(any::views::submit());
        exchange!(
            on,
            client.submit(submit.clone()),
            submit,
            some.draw(any::views::order())
        );
        let cancel = some.draw(any::views::cancel());
        exchange!(
            on,
            client.cancel(cancel.clone()),
            cancel,
            some.draw(any::views::order())
        );
        let all = some.draw(any::views::cancel_all());
        let answer = some.draw(any::views::cancel_all_answer());
        exchange!(on, client.cancel_all(all.clone()), all, answer);
    }
}

#[tokio::test]
async fn execution_answers_questions_across_the_network() {
    let on = loopback(<_>::default()).await;
    let (client, mut some) = (ExecutionClient::new(on.channel.clone()), samples());
    for _ in 0..ROUNDS {
        let (account, order) = some.draw((any::ids::account(), any::ids::order()));
        let view = some.draw(any::views::order());
        exchange!(on, client.order(account, order), (account, order), view);
        let query = some.draw(any::views::order_query());
        let page = some.draw(any::views::page(any::views::order()));
        exchange!(on, client.orders(query.clone()), query, page);
        let query = some.draw(any::views::fill_query());
        let page = some.draw(any::views::page(any::views::fill()));
        exchange!(on, client.fills(query.clone()), query, page);
        for whose in [None, Some(account)] {
            let positions = some.draw(any::few(any::views::position()));
            exchange!(on, client.positions(whose), whose, positions);
        }
        exchange!(
            on,
            client.account(account),
            account,
            some.draw(any::views::account())
        );
        let accounts = some.draw(any::few(any::views::account()));
        exchange!(on, client.accounts(), "accounts", accounts);
        let events = some.draw(any::few(any::events::event()));
        exchange!(on, client.replay(account, 7, 9), (account, 7, 9), events);
        let events = some.draw(any::few(any::events::event()));
        let named = (account, order);
        exchange!(on, client.order_events(account, order), named, events);
        exchange!(
            on,
            client.head(account),
            account,
            some.draw(any::views::head())
        );
    }
}

#[tokio::test]
async fn strategies_and_markets_are_listed_across_the_network() {
    let on = loopback(<_>::default()).await;
    let mut some = samples();
    let strategy = StrategyClient::new(on.channel.clone());
    let ingestion = IngestionClient::new(on.channel.clone());
    for _ in 0..ROUNDS {
        let strategies = some.draw(any::few(any::views::strategy()));
        exchange!(on, strategy.strategies(), "strategies", strategies);
        let markets = some.draw(any::few(any::views::market()));
        exchange!(on, ingestion.markets(), "markets", markets);
    }
}

#[tokio::test]
async fn errors_arrive_as_they_were_sent() {
    let on = loopback(<_>::default()).await;
    let client = ExecutionClient::new(on.channel.clone());
    let account = "main".parse().unwrap();
    for error in [
        ApiError::invalid("limit", 0, "1 to 500"),
        ApiError::not_found("no account main"),
        ApiError::idempotency_mismatch("used before"),
        ApiError::failed_precondition("not ready"),
        ApiError::permission_denied("auditors only read"),
        ApiError::resource_exhausted("queue full", Duration::from_millis(20)),
        ApiError::unavailable("reconciling: 50 %\nwait"),
        ApiError::deadline_exceeded("database"),
        ApiError::internal("büg"),
    ] {
        on.double
            .will_answer::<crate::api::Head>(Err(error.clone()));
        assert_eq!(client.head(account, call()).await, Err(error));
    }
}

#[tokio::test]
async fn a_replay_may_be_larger_than_other_answers() {
    let on = loopback(<_>::default()).await;
    let (client, mut some) = (ExecutionClient::new(on.channel.clone()), samples());
    let account = "main".parse().unwrap();
    let event = some.draw(any::events::event());
    let events = vec![event; 40_000];
    on.double.will_answer(Ok(events.clone()));
    let got = client.replay(account, 1, 40_000, call()).await.unwrap();
    assert!(
        got.len() > 5_000 && got.len() < events.len(),
        "{}",
        got.len()
    );
    assert!(got.iter().all(|event| *event == events[0]));
}
