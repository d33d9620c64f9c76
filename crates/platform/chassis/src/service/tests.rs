use super::*;
use crate::{config::Sources, health::Status};
use std::{
    ffi::OsString,
    sync::atomic::{AtomicU32, Ordering},
};
use waiting::{Miss, until_there};

const SERVICE: Service = Service {
    name: "risk",
    about: "Judges every order",
    version: "1.2.3",
    defaults: "[risk]\nlisten = \"127.0.0.1:0\"\napi_secret = \"<secret>\"\n",
};

fn asked(arguments: &[&str]) -> Request {
    let all = ["ploy-risk"].iter().chain(arguments).map(OsString::from);
    command_line::read(SERVICE, all)
}

fn mistakes(variables: &[(&str, &str)]) -> String {
    let sources = variables
        .iter()
        .fold(Sources::none(), |all, (name, value)| {
            all.with_variable(name, value)
        });
    let mut settings = Settings::load(&[COMMON_DEFAULTS, SERVICE.defaults], &sources);
    let read = |s: &mut Settings| {
        let listen = s.parse::<SocketAddr>("risk.listen", "ADDRESS:PORT");
        let secret = s.secret("risk.api_secret");
        Some((listen?, secret?))
    };
    match SERVICE.resolve(&mut settings, read) {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn help_and_version_are_shown_and_anything_else_is_refused() {
    let Request::Show(help) = asked(&["--help"]) else {
        panic!("help is shown")
    };
    for word in ["--config <FILE>", "--print-config", "Judges every order"] {
        assert!(help.contains(word), "{help}");
    }
    let Request::Show(version) = asked(&["--version"]) else {
        panic!("the version is shown")
    };
    assert_eq!(version, "ploy-risk 1.2.3\n");
    assert!(matches!(asked(&["--confg", "x"]), Request::Refuse(_)));
    assert!(matches!(asked(&["--config", "x"]), Request::Run(_)));
}

#[test]
fn all_mistakes_of_a_configuration_come_at_once() {
    let text = mistakes(&[("PLOY_RISK__LISTN", "1"), ("PLOY_RISK__LISTEN", "here")]);
    for key in ["bus.url", "risk.api_secret", "risk.listn", "risk.listen"] {
        assert!(text.contains(key), "{key} in {text}");
    }
    let secret = ("PLOY_RISK__API_SECRET", "s");
    assert_eq!(
        mistakes(&[secret, ("PLOY_BUS__URL", "nats://127.0.0.1:1")]),
        ""
    );
}

#[tokio::test]
async fn a_port_belongs_to_the_one_who_listens() {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let listener = Port::take("risk.listen", any).unwrap().listen().unwrap();
    let address = listener.local_addr().unwrap();
    let taken = Port::take("risk.listen", address).unwrap_err().to_string();
    assert!(taken.contains("is taken"), "{taken}");
    assert!(taken.contains("risk.listen"), "{taken}");
}

#[tokio::test(start_paused = true)]
async fn what_is_away_is_waited_for_and_a_mistake_is_not() {
    let health = HealthRegistry::new("test", Clock::system());
    let check = health.register(Dependency::required("store", Group::Database));
    let attempts = AtomicU32::new(0);
    let come_third = || async {
        match attempts.fetch_add(1, Ordering::Relaxed) {
            0 | 1 => Err(Miss::Later("refused".into())),
            n => Ok(n),
        }
    };
    assert_eq!(until_there("store", &check, come_third).await.unwrap(), 2);
    assert_eq!(health.reports()[0].status, Status::Down);
    let never = || async { Err::<(), _>(Miss::Never("no such bus".into())) };
    let error = until_there("bus", &check, never).await.unwrap_err();
    assert_eq!(error.to_string(), "no such bus");
}
