//! The process: what it says about mistakes, how it waits for what is away, and how it ends.

use ploy_testkit::{eventually, free_port};
use std::{
    io::{Read, Write},
    net::TcpStream,
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

const DEADLINE: Duration = Duration::from_secs(20);

/// The process with these variables and no others of ours.
fn ingestion(variables: &[(&str, String)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ploy-ingestion"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PLOY_") {
            command.env_remove(name);
        }
    }
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::null());
    command
}

fn check_refused(output: &Output, words: &[&str]) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{text}");
    for word in words {
        assert!(text.contains(word), "{word} in {text}");
    }
}

/// A process that is killed with its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// The status and the body of a GET, if anybody answers.
fn get(port: u16, path: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
}

#[test]
fn all_mistakes_are_listed_at_once() {
    let variables = [
        ("PLOY_VENUE__URL", "ftp://x".to_owned()),
        ("PLOY_INGESTION__STALE_AFTR", "3s".to_owned()),
    ];
    let output = ingestion(&variables).output().unwrap();
    let words = [
        "3 mistakes",
        "bus.url",
        "venue.url",
        "ingestion.stale_after",
    ];
    check_refused(&output, &words);
}

#[test]
fn an_unknown_option_is_refused() {
    let output = ingestion(&[]).arg("--confg").output().unwrap();
    check_refused(&output, &["--confg", "--config"]);
}

#[test]
fn the_configuration_in_force_names_the_source_of_each_value() {
    let variables = [("PLOY_BUS__URL", "nats://a:secret@127.0.0.1:1".to_owned())];
    let output = ingestion(&variables)
        .arg("--print-config")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    assert!(
        text.contains("bus.url = \"nats://a:***@127.0.0.1:1\"  # environment PLOY_BUS__URL"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn it_waits_for_bus_and_venue_and_ends_in_order_meanwhile() {
    let (grpc, ops, nowhere) = (
        free_port().unwrap(),
        free_port().unwrap(),
        free_port().unwrap(),
    );
    let variables = [
        ("PLOY_BUS__URL", format!("nats://127.0.0.1:{nowhere}")),
        ("PLOY_VENUE__URL", format!("http://127.0.0.1:{nowhere}")),
        ("PLOY_INGESTION__LISTEN", format!("127.0.0.1:{grpc}")),
        ("PLOY_INGESTION__OPS_LISTEN", format!("127.0.0.1:{ops}")),
    ];
    let child = ingestion(&variables).stderr(Stdio::null()).spawn().unwrap();
    let mut running = Running(child);
    // Nothing is ready before both were looked for in vain.
    let waiting = eventually(DEADLINE, || async move {
        let (status, body) = get(ops, "/health/ready")?;
        assert_eq!(status, 503, "{body}");
        let seen = ["bus", "instruments"].iter().all(|name| {
            body.contains(&format!(
                r#"{{"dependency":"{name}","required":true,"status":"down""#
            ))
        });
        seen.then_some(())
    });
    waiting.await.unwrap();
    assert_eq!(get(ops, "/health/live").unwrap().0, 200);
    // The port is taken, but nobody is kept waiting behind it.
    assert!(TcpStream::connect(("127.0.0.1", grpc)).is_err());
    let status = Command::new("kill")
        .args(["-TERM", &running.0.id().to_string()])
        .status();
    assert!(status.unwrap().success());
    let ended = eventually(DEADLINE, || {
        let ended = running.0.try_wait().unwrap();
        async move { ended }
    });
    assert_eq!(ended.await.unwrap().code(), Some(0));
}
