//! The command line as it is typed, and failures as they are told.

use super::*;
use clap::{CommandFactory, Parser};
use ploy_gateway::contract::{FieldErrorJson, ProblemJson};

#[derive(Debug, Parser)]
struct Typed {
    #[command(subcommand)]
    command: Command,
}

fn typed(line: &str) -> Result<Command, clap::Error> {
    let words = std::iter::once("ploy").chain(line.split(' '));
    Typed::try_parse_from(words).map(|typed| typed.command)
}

fn problem(status: u16, retry: &str, errors: Vec<FieldErrorJson>) -> Failure {
    let problem = ProblemJson {
        kind: "urn:ploy:problem:x".to_owned(),
        title: "The request is not valid".to_owned(),
        status,
        detail: "something".to_owned(),
        instance: "/".to_owned(),
        request_id: "r-1".to_owned(),
        retry: retry.to_owned(),
        errors,
        more: serde_json::Map::new(),
    };
    Failure::Refused {
        problem: Box::new(problem),
        raw: String::new(),
        key: None,
    }
}

#[test]
fn the_commands_are_sound() {
    Typed::command().debug_assert();
}

#[test]
fn commands_are_read_as_typed() {
    for good in [
        "status",
        "status --json --url http://127.0.0.1:9090",
        "orders --open --instrument BTCUSDT.SIM --limit 10",
        "positions --account main",
        "fills --after c",
        "strategies",
        "markets",
        "risk",
        "kill",
        "kill --scope account:main --reason drill",
        "why pd00000000000000000 --account main",
        "reset --reason checked",
        "reset --scope account:main --reason checked --key k",
        "cancel pd00000000000000000 --account main",
        "cancel --all --scope strategy:ma-cross-btc",
        "order submit BTCUSDT buy 0.01 --price 50000 --time-in-force fok --key k",
        "order submit BTCUSDT buy -1",
    ] {
        assert!(typed(good).is_ok(), "{good}: {:?}", typed(good));
    }
    for bad in [
        "why",
        "why ../risk",
        "reset",
        "cancel",
        "cancel x --all",
        "cancel x --scope platform",
        "order submit BTCUSDT",
        "orders --limit many",
        "status --url nowhere",
    ] {
        let error = typed(bad).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{bad}");
    }
}

#[test]
fn every_field_of_a_problem_is_told() {
    let error = |field: &str, value: Option<&str>| FieldErrorJson {
        field: field.to_owned(),
        value: value.map(str::to_owned),
        bound: "above 0".to_owned(),
    };
    let errors = vec![error("quantity", Some("0")), error("price", None)];
    let text = problem(400, "never", errors).to_string();
    let lines = [
        "The request is not valid",
        "  quantity is '0'; expected above 0",
        "  price is missing; expected above 0",
        "  request r-1",
    ];
    assert_eq!(text, lines.join("\n"));
}

#[test]
fn what_may_be_repeated_is_told_with_its_key() {
    let text = problem(503, "later", vec![]).with_key("cli-7").to_string();
    assert!(text.contains("repeat it with --key cli-7"), "{text}");
    let text = problem(401, "never", vec![]).with_key("cli-7").to_string();
    assert!(text.contains("--token"), "{text}");
}
