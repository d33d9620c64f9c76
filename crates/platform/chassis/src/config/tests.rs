use super::*;
use ploy_testkit::TempDir;
use serde::Deserialize;
use std::time::Duration;

const DEFAULTS: &str = r#"
mode = "dev"
[bus]
url = "memory:"
[gateway]
listen = "127.0.0.1:8080"
timeout = "2s"
workers = 4
open = true
token = "<secret>"
webhook = "<unset>"
origins = []
limits = {}
"#;

fn load(sources: &Sources) -> Settings {
    Settings::load(&[DEFAULTS], sources)
}

fn mistakes<T>(sources: &Sources, read: impl FnOnce(&mut Settings) -> Option<T>) -> Vec<String> {
    match load(sources).resolve(read) {
        Ok(_) => Vec::new(),
        Err(error) => error.mistakes.iter().map(Mistake::to_string).collect(),
    }
}

fn file(dir: &TempDir, text: &str) -> Sources {
    let path = dir.path().join("ploy.toml");
    std::fs::write(&path, text).unwrap();
    Sources::none().with_file(path)
}

#[test]
fn later_layers_win() {
    let dir = TempDir::new().unwrap();
    let sources = file(&dir, "[gateway]\nworkers = 8\ntimeout = \"3s\"\n")
        .with_variable("PLOY_GATEWAY__TIMEOUT", "4s")
        .with_variable("PLOY_GATEWAY__LISTEN", "[::1]:1")
        .with_option("--port", "gateway.listen", "127.0.0.1:9");
    let read = load(&sources).resolve(|s| {
        let workers = s.number("gateway.workers", 1..=64);
        let timeout = s.duration("gateway.timeout", Duration::ZERO..=Duration::from_secs(9));
        let listen = s.parse::<std::net::SocketAddr>("gateway.listen", "ADDRESS:PORT");
        Some((workers?, timeout?, listen?.port(), s.text("bus.url")?))
    });
    let expected = (8u16, Duration::from_secs(4), 9, "memory:".to_owned());
    assert_eq!(read.unwrap(), expected);
}

#[test]
fn all_mistakes_come_at_once_with_key_value_layer_and_bound() {
    let dir = TempDir::new().unwrap();
    let sources = file(&dir, "[gateway]\nworkers = 99\n")
        .with_variable("PLOY_GATEWAY__TIMEOUT", "soon")
        .with_variable("PLOY_BUS__URL", "nat://x")
        .with_variable("PLOY_MODE", "prod");
    let path = sources.file.clone().unwrap();
    let found = mistakes(&sources, |s| {
        let workers = s.number::<u16>("gateway.workers", 1..=64);
        let timeout = s.duration(
            "gateway.timeout",
            Duration::from_millis(10)..=Duration::from_secs(60),
        );
        let bus = s.url("bus.url", &["memory", "nats"]);
        let mode = s.choice("mode", &[("dev", 1), ("live", 2)]);
        let token = s.secret("gateway.token");
        Some((workers?, timeout?, bus?, mode?, token?))
    });
    assert_eq!(
        found,
        [
            "bus.url = \"nat://x\" (environment PLOY_BUS__URL): expected a URL with memory: or nats:".to_owned(),
            "gateway.timeout = \"soon\" (environment PLOY_GATEWAY__TIMEOUT): expected a duration from 10ms to 1m".to_owned(),
            "gateway.token (default): is missing; set it in the file or as PLOY_GATEWAY__TOKEN".to_owned(),
            format!("gateway.workers = 99 (file {}): expected a number from 1 to 64", path.display()),
            "mode = \"prod\" (environment PLOY_MODE): expected one of dev, live".to_owned(),
        ]
    );
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest_known_one() {
    let dir = TempDir::new().unwrap();
    let sources = file(
        &dir,
        "[gatway]\nworkers = 1\n[gateway]\nlisen = 1\nzzz = 1\n",
    )
    .with_variable("PLOY_GATEWAY__WORKER", "1");
    let found = mistakes(&sources, |_| Some(()));
    let problems: Vec<_> = found
        .iter()
        .map(|m| (m.split(' ').next().unwrap(), m.rsplit(": ").next().unwrap()))
        .collect();
    assert_eq!(
        problems,
        [
            ("gateway.lisen", "unknown key; did you mean gateway.listen?"),
            (
                "gateway.worker",
                "unknown key; did you mean gateway.workers?"
            ),
            ("gateway.zzz", "unknown key"),
            ("gatway", "unknown key; did you mean gateway?"),
        ]
    );
}

#[test]
fn sections_of_other_services_are_theirs() {
    let dir = TempDir::new().unwrap();
    let sources = file(&dir, "[risk]\nanything = 1\n").with_variable("PLOY_EXECUTION__X", "1");
    assert!(mistakes(&sources, |_| Some(())).is_empty());
}

#[test]
fn a_damaged_file_is_a_mistake_with_its_line() {
    let dir = TempDir::new().unwrap();
    let found = mistakes(&file(&dir, "[gateway]\nworkers = = 1\n"), |_| Some(()));
    assert!(
        found[0].contains("ploy.toml") && found[0].contains("line 2"),
        "{found:?}"
    );
    let missing = Sources::none().with_file(dir.path().join("none.toml"));
    assert!(mistakes(&missing, |_| Some(()))[0].contains("cannot be read"));
}

#[test]
fn a_secret_may_come_from_a_file() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("token");
    std::fs::write(&path, "hunter2\n").unwrap();
    let sources = Sources::none().with_variable("PLOY_GATEWAY__TOKEN_FILE", path.to_str().unwrap());
    let secret = load(&sources)
        .resolve(|s| s.secret("gateway.token"))
        .unwrap();
    assert_eq!(secret.expose(), "hunter2");
    let both = sources.with_variable("PLOY_GATEWAY__TOKEN", "x");
    assert!(mistakes(&both, |s| s.secret("gateway.token"))[0].contains("is given besides"));
}

#[test]
fn secrets_and_passwords_are_not_shown() {
    let sources = Sources::none()
        .with_variable("PLOY_GATEWAY__TOKEN", "hunter2")
        .with_variable("PLOY_BUS__URL", "nats://ploy:hunter2@bus:4222")
        .with_variable("PLOY_GATEWAY__LIMITS__API_KEY", "hunter2");
    let mut settings = load(&sources);
    let printed = settings.print();
    assert!(!printed.contains("hunter2"), "{printed}");
    assert!(
        printed.contains("bus.url = \"nats://ploy:***@bus:4222\"  # environment PLOY_BUS__URL")
    );
    let error = settings.resolve(|s| s.number::<u8>("gateway.token", 1..=2));
    assert!(!error.unwrap_err().to_string().contains("hunter2"));
}

#[test]
fn lists_and_open_tables_take_what_their_type_says() {
    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Limits {
        orders: u32,
        name: String,
    }
    let dir = TempDir::new().unwrap();
    let sources = file(&dir, "[gateway.limits]\norders = 5\n")
        .with_variable("PLOY_GATEWAY__LIMITS__NAME", "007")
        .with_variable("PLOY_GATEWAY__ORIGINS", "https://a, https://b");
    let mut settings = load(&sources);
    let (limits, origins) = settings
        .resolve(|s| {
            let origins = s.list::<String>("gateway.origins", "origins", 0..=2);
            Some((s.section::<Limits>("gateway.limits")?, origins?))
        })
        .unwrap();
    assert_eq!((limits.orders, limits.name.as_str()), (5, "007"));
    assert_eq!(origins, ["https://a", "https://b"]);
}

#[test]
fn an_optional_key_is_checked_only_when_set() {
    let read = |s: &mut Settings| s.optional("gateway.webhook", |s, key| s.url(key, &["https"]));
    assert_eq!(load(&Sources::none()).resolve(read).unwrap(), None);
    let bad = Sources::none().with_variable("PLOY_GATEWAY__WEBHOOK", "ftp://x");
    assert_eq!(mistakes(&bad, read).len(), 1);
}

#[test]
fn the_common_settings_read_all_that_they_declare() {
    let mut settings = Settings::load(&[COMMON_DEFAULTS], &Sources::none());
    let common = settings.resolve(Common::read).unwrap();
    assert_eq!(common.mode, Mode::Dev);
    // The venue is for ingestion and execution to read.
    let mut unread = settings.unread();
    unread.retain(|key| !key.starts_with("venue."));
    assert!(unread.is_empty(), "{unread:?}");
}

#[test]
fn a_filter_that_does_not_parse_is_a_mistake() {
    let sources = Sources::none().with_variable("PLOY_LOG__FILTER", "ploy=loud");
    let error = Settings::load(&[COMMON_DEFAULTS], &sources).resolve(Common::read);
    assert_eq!(error.unwrap_err().mistakes[0].key, "log.filter");
}
