//! A desk to test at: an exchange, a database, and execution between them.

use async_trait::async_trait;
use ploy_chassis::{
    Clock, Process,
    config::{COMMON_DEFAULTS, Mode, Settings, Sources},
    process::StopReason,
};
use ploy_domain::{
    AccountId, Approval, ClientOrderId, IdempotencyKey, Intent, Nanos, OrderIdParts, OrderKind,
    OrderState, Price, Reason, ReasonCode, RiskDecision, Side, TimeInForce,
};
use ploy_exchange_server::{AccountConfig, Config, FaultPlan, MarketConfig, Server};
use ploy_execution::{App, Deps, ExecutionService, ExecutionStore, Journal, config};
use ploy_store::{Store, StoreOptions};
use ploy_testkit::{TempDir, eventually};
use ploy_venue_port::{Broker, Feed as _};
use ploy_wire::api::{
    Actor, ApiError, Call, CheckRequest, ExecutionApi, KillRequest, OrderView, RiskApi, RiskState,
    StateChange, SubmitOrder,
};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// Approves everything, or nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Judge {
    Approves,
    IsGone,
}

#[async_trait]
impl RiskApi for Judge {
    async fn check(&self, request: CheckRequest, _call: Call) -> Result<RiskDecision, ApiError> {
        let now = Clock::system().now();
        match self {
            Self::IsGone => Err(ApiError::unavailable("nobody judges")),
            Self::Approves => Ok(RiskDecision {
                verdict: Ok(Approval {
                    decision_id: format!("d-{}", request.intent.order_id).parse().unwrap(),
                    content_hash: request.intent.content_hash(),
                    limits_version: 1,
                    state_epoch: 0,
                    risk_epoch: 1,
                    expires_at: now.plus(Nanos::from_millis(500)),
                }),
                reference_price: None,
                reference_age: None,
                took: Nanos::ZERO,
            }),
        }
    }

    async fn set_state(&self, _change: StateChange, _call: Call) -> Result<RiskState, ApiError> {
        Err(ApiError::unavailable("not asked here"))
    }

    async fn kill(&self, _request: KillRequest, _call: Call) -> Result<RiskState, ApiError> {
        Err(ApiError::unavailable("not asked here"))
    }

    async fn state(&self, _call: Call) -> Result<RiskState, ApiError> {
        Err(ApiError::unavailable("not asked here"))
    }
}

/// The exchange and the files that outlive an execution process.
pub(crate) struct Floor {
    pub(crate) exchange: SocketAddr,
    pub(crate) ledger: std::path::PathBuf,
    dir: TempDir,
    _stop: tokio_util::sync::DropGuard,
}

/// One life of execution.
pub(crate) struct Desk {
    pub(crate) service: Arc<ExecutionService>,
    pub(crate) broker: Arc<dyn Broker>,
    process: Process,
}

impl Floor {
    pub(crate) async fn open() -> Self {
        let dir = TempDir::new().unwrap();
        let config = Config {
            data_dir: dir.path().join("exchange"),
            accounts: vec![AccountConfig::new("main", "key", "secret")],
            market: MarketConfig {
                generate: true,
                actions_per_sec: 30,
            },
            fault_injection: true,
            ..Config::default()
        };
        let bound = Server::bind(config).await.unwrap();
        let (exchange, ledger) = (bound.local_addr(), bound.ledger_path().to_owned());
        let stop = CancellationToken::new();
        tokio::spawn(bound.run_until(stop.clone()));
        Self {
            exchange,
            ledger,
            dir,
            _stop: stop.drop_guard(),
        }
    }

    /// Starts execution and waits until it has reconciled.
    pub(crate) async fn execution(&self, judge: Judge) -> Desk {
        let sources = Sources::none()
            .with_variable("PLOY_VENUE__URL", &format!("http://{}", self.exchange))
            .with_variable("PLOY_EXECUTION__API_KEY", "key")
            .with_variable("PLOY_EXECUTION__API_SECRET", "secret");
        let mut settings = Settings::load(&[COMMON_DEFAULTS, config::DEFAULTS], &sources);
        let config = settings.resolve(config::Config::read).unwrap();
        let url = format!("sqlite:{}", self.dir.path().join("ploy.db").display());
        let store = Store::open(&url, StoreOptions::new("test")).await.unwrap();
        let listed = config.feed().unwrap().instruments().await.unwrap();
        let bus = ploy_bus::open("memory:", ploy_bus::BusOptions::new("test"))
            .await
            .unwrap();
        let deps = Deps {
            journal: Journal::Durable(ExecutionStore::open(store).await.unwrap()),
            bus,
            risk: Arc::new(judge),
            accounts: vec![config.account(Mode::Dev, &listed).unwrap()],
            holder: format!("test-{}", Clock::system().now().as_nanos()),
        };
        let broker = Arc::clone(&deps.accounts[0].broker);
        let process = Process::new("execution");
        let app = App::build(deps, &Clock::system());
        let service = app.service();
        app.start(&process).unwrap();
        let desk = Desk {
            service,
            broker,
            process,
        };
        desk.ready().await;
        desk
    }

    pub(crate) async fn faults(&self, plan: FaultPlan) {
        // A second installation in the same process is refused, and is none the less there.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let url = format!("http://{}/ploy/faults", self.exchange);
        let sent = reqwest::Client::new()
            .post(url)
            .json(&plan)
            .send()
            .await
            .unwrap();
        assert!(sent.status().is_success(), "{}", sent.status());
    }

    /// How often the exchange received a new order with this client id.
    pub(crate) fn received(&self, order_id: ClientOrderId) -> usize {
        let lines = std::fs::read_to_string(&self.ledger).unwrap();
        let is_new = |line: &&str| {
            line.contains(r#""kind":"received""#)
                && line.contains(r#""method":"order.place""#)
                && line.contains(order_id.as_str())
        };
        lines.lines().filter(is_new).count()
    }
}

impl Desk {
    async fn ready(&self) {
        eventually(DEADLINE, async || {
            let account = self.service.account(account(), call()).await.ok()?;
            account.ready.then_some(())
        })
        .await
        .expect("execution reconciles");
    }

    pub(crate) async fn submit(&self, intent: &Intent) -> Result<OrderView, ApiError> {
        let idempotency_key = IdempotencyKey::parse(intent.order_id.as_str()).unwrap();
        let command = SubmitOrder {
            intent: intent.clone(),
            idempotency_key,
        };
        self.service.submit(command, call()).await
    }

    /// Waits until the order is in one of `states`.
    pub(crate) async fn reaches(&self, intent: &Intent, states: &[OrderState]) -> OrderView {
        let reached = eventually(DEADLINE, async || {
            let view = self
                .service
                .order(account(), intent.order_id, call())
                .await
                .ok()?;
            states.contains(&view.state).then_some(view)
        });
        match reached.await {
            Ok(view) => view,
            Err(_) => {
                let last = self.service.order(account(), intent.order_id, call()).await;
                panic!("expected {states:?}, found {last:?}");
            }
        }
    }

    pub(crate) async fn stop(self) {
        self.process
            .stop(StopReason::Requested("the test is over".to_owned()));
        let summary = self.process.run_until_ended().await;
        assert!(summary.is_clean(), "{summary:?}");
    }
}

pub(crate) fn account() -> AccountId {
    AccountId::parse("main").unwrap()
}

pub(crate) fn call() -> Call {
    Call::new(Actor::STRATEGY, Duration::from_secs(2))
}

/// A buy of 0.01 BTC, at the market or at `price`.
pub(crate) fn buy(decision: &str, price: Option<&str>) -> Intent {
    let now = Clock::system().now();
    let account = account();
    let parts = OrderIdParts {
        prefix: *b"pd",
        account: &account,
        origin: "test",
        decision,
        leg: 0,
    };
    let price: Option<Price> = price.map(|price| price.parse().unwrap());
    Intent {
        order_id: ClientOrderId::derive(&parts),
        account,
        strategy: "test".parse().unwrap(),
        instrument: "BTCUSDT.SIM".parse().unwrap(),
        side: Side::Buy,
        kind: price.map_or(OrderKind::Market, |price| OrderKind::Limit {
            price,
            post_only: false,
        }),
        quantity: "0.01".parse().unwrap(),
        time_in_force: if price.is_some() {
            TimeInForce::Gtc
        } else {
            TimeInForce::Ioc
        },
        reduce_only: false,
        decision_price: Some("65000".parse().unwrap()),
        created_at: now,
        valid_until: now.plus(Nanos::from_secs(2)),
    }
}

pub(crate) fn has(view: &OrderView, code: ReasonCode) -> bool {
    view.reasons
        .iter()
        .any(|reason: &Reason| reason.code == code)
}
