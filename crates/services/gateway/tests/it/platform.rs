//! All four services in memory: they remember what they were asked and answer as they are told.

use async_trait::async_trait;
use ploy_domain::{
    AccountId, BookLevel, ClientOrderId, Execution, FeedState, Instrument, InstrumentId,
    InstrumentStatus, Intent, Liquidity, OrderEvent, OrderState, Price, Quantity, Reason,
    RiskDecision, Scope, Session, Side, StrategyId, Timestamp, TradingState,
};
use ploy_wire::api::{
    AccountView, ApiError, Call, CancelAll, CancelAllAnswer, CancelOrder, CheckRequest,
    ExecutionApi, FillQuery, FillView, Head, IngestionApi, KillRequest, LimitsView, MarketView,
    OrderQuery, OrderView, Page, PositionView, Retry, RiskApi, RiskState, ScopeState, StateChange,
    StrategyApi, StrategyState, StrategyView, SubmitOrder,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

/// What the services know and are told to do.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) orders: BTreeMap<ClientOrderId, OrderView>,
    pub(crate) events: Vec<OrderEvent>,
    /// What new orders become.
    pub(crate) outcome: Option<(OrderState, Vec<Reason>)>,
    pub(crate) execution_fails: Option<ApiError>,
    pub(crate) risk_fails: Option<ApiError>,
    pub(crate) ingestion_fails: Option<ApiError>,
    /// Submits are never answered.
    pub(crate) hangs: bool,
    /// The prices at which submitted orders were decided.
    pub(crate) decided_at: Vec<Option<Price>>,
    pub(crate) resets: Vec<StateChange>,
    pub(crate) killed: Vec<KillRequest>,
    pub(crate) calls: Vec<(&'static str, Call)>,
    pub(crate) queries: Vec<OrderQuery>,
    pub(crate) cancels: Vec<String>,
}

#[derive(Debug, Default)]
pub(crate) struct Platform(pub(crate) Mutex<Told>);

impl Platform {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    pub(crate) fn tell<T>(&self, change: impl FnOnce(&mut Told) -> T) -> T {
        change(&mut self.0.lock().unwrap())
    }

    fn ask(
        &self,
        what: &'static str,
        call: Call,
        fails: fn(&Told) -> &Option<ApiError>,
    ) -> Result<(), ApiError> {
        self.tell(|told| {
            told.calls.push((what, call));
            fails(told).clone().map_or(Ok(()), Err)
        })
    }

    fn execution(&self, what: &'static str, call: Call) -> Result<(), ApiError> {
        self.ask(what, call, |told| &told.execution_fails)
    }

    fn risk(&self, what: &'static str, call: Call) -> Result<(), ApiError> {
        self.ask(what, call, |told| &told.risk_fails)
    }
}

pub(crate) fn account() -> AccountId {
    "main".parse().unwrap()
}

pub(crate) fn instrument(name: &str) -> Instrument {
    let id: InstrumentId = name.parse().unwrap();
    Instrument {
        id,
        base: "BTC".parse().unwrap(),
        quote: "USDT".parse().unwrap(),
        tick: "0.01".parse().unwrap(),
        lot: "0.001".parse().unwrap(),
        quantity_min: "0.001".parse().unwrap(),
        quantity_max: "100".parse().unwrap(),
        price_min: "0.01".parse().unwrap(),
        price_max: "1000000".parse().unwrap(),
        notional_min: "10".parse().unwrap(),
        notional_max: "10000000".parse().unwrap(),
        session: Session::Always,
        status: InstrumentStatus::Trading,
    }
}

pub(crate) fn view(intent: &Intent, state: OrderState, reasons: Vec<Reason>) -> OrderView {
    OrderView {
        account: intent.account,
        order_id: intent.order_id,
        strategy: intent.strategy,
        instrument: intent.instrument,
        side: intent.side,
        kind: intent.kind,
        quantity: intent.quantity,
        time_in_force: intent.time_in_force,
        reduce_only: intent.reduce_only,
        state,
        filled: Quantity::ZERO,
        average_price: None,
        venue_order_id: None,
        reasons,
        late_fill: false,
        version: 3,
        created_at: intent.created_at,
        updated_at: intent.created_at,
    }
}

pub(crate) fn fill(order_id: ClientOrderId, n: u64) -> Execution {
    Execution {
        account: account(),
        order_id,
        strategy: StrategyId::parse("api").unwrap(),
        instrument: "BTCUSDT.SIM".parse().unwrap(),
        side: Side::Buy,
        price: "50000.5".parse().unwrap(),
        quantity: "0.001".parse().unwrap(),
        fee: "0.05".parse().unwrap(),
        fee_asset: "USDT".parse().unwrap(),
        liquidity: Liquidity::Taker,
        venue_order_id: "77".parse().unwrap(),
        execution_id: n.to_string().parse().unwrap(),
        ts_event: Timestamp::from_nanos(1_735_689_600_000_000_001),
    }
}

#[async_trait]
impl ExecutionApi for Platform {
    async fn submit(&self, command: SubmitOrder, call: Call) -> Result<OrderView, ApiError> {
        self.execution("submit", call)?;
        if self.tell(|told| told.hangs) {
            std::future::pending::<()>().await;
        }
        let intent = command.intent;
        self.tell(|told| {
            told.decided_at.push(intent.decision_price);
            let (state, reasons) = told
                .outcome
                .clone()
                .unwrap_or((OrderState::Accepted, vec![]));
            let new = view(&intent, state, reasons);
            let known = told
                .orders
                .entry(intent.order_id)
                .or_insert_with(|| new.clone());
            if (known.kind, known.quantity, known.side) == (new.kind, new.quantity, new.side) {
                Ok(known.clone())
            } else {
                Err(ApiError::idempotency_mismatch(
                    "the key was used for another order",
                ))
            }
        })
    }

    async fn cancel(&self, command: CancelOrder, call: Call) -> Result<OrderView, ApiError> {
        self.execution("cancel", call)?;
        self.tell(|told| {
            told.cancels.push(command.reason);
            let order = told.orders.get_mut(&command.order_id);
            let order = order.ok_or_else(|| ApiError::not_found("no such order"))?;
            if !order.state.is_terminal() {
                order.state = OrderState::PendingCancel;
            }
            Ok(order.clone())
        })
    }

    async fn cancel_all(
        &self,
        command: CancelAll,
        call: Call,
    ) -> Result<CancelAllAnswer, ApiError> {
        self.execution("cancel_all", call)?;
        self.tell(|told| {
            told.cancels
                .push(format!("{}: {}", command.scope, command.reason))
        });
        Ok(CancelAllAnswer { requested: 2 })
    }

    async fn order(
        &self,
        _: AccountId,
        order_id: ClientOrderId,
        call: Call,
    ) -> Result<OrderView, ApiError> {
        self.execution("order", call)?;
        let known = self.tell(|told| told.orders.get(&order_id).cloned());
        known.ok_or_else(|| ApiError::not_found(format!("order {order_id} does not exist")))
    }

    async fn orders(&self, query: OrderQuery, call: Call) -> Result<Page<OrderView>, ApiError> {
        self.execution("orders", call)?;
        if query.after.as_deref() == Some("nonsense") {
            return Err(ApiError::invalid("after", "nonsense", "a cursor of ours"));
        }
        let limit = usize::try_from(query.limit).unwrap();
        Ok(self.tell(|told| {
            let all: Vec<_> = told.orders.values().cloned().collect();
            told.queries.push(query);
            let next = (all.len() > limit).then(|| "more".to_owned());
            let items = all.into_iter().take(limit).collect();
            Page { items, next }
        }))
    }

    async fn fills(&self, _: FillQuery, call: Call) -> Result<Page<FillView>, ApiError> {
        self.execution("fills", call)?;
        let order_id = ClientOrderId::parse("pd00000000000000000").unwrap();
        let execution = fill(order_id, 1);
        Ok(Page::whole(vec![FillView { seq: 9, execution }]))
    }

    async fn positions(
        &self,
        _: Option<AccountId>,
        call: Call,
    ) -> Result<Vec<PositionView>, ApiError> {
        self.execution("positions", call)?;
        Ok(vec![PositionView {
            account: account(),
            instrument: "BTCUSDT.SIM".parse().unwrap(),
            strategy: "ma-cross-btc".parse().unwrap(),
            quantity: "-0.5".parse().unwrap(),
            average_price: Some("50000".parse().unwrap()),
            realised_gross: "10".parse().unwrap(),
            charges: "1.5".parse().unwrap(),
            realised_net: "8.5".parse().unwrap(),
            unrealised: None,
            mark: None,
            opened_at: Some(Timestamp::from_nanos(1)),
        }])
    }

    async fn account(&self, id: AccountId, call: Call) -> Result<AccountView, ApiError> {
        self.execution("account", call)?;
        if id != account() {
            return Err(ApiError::not_found(format!(
                "account '{id}' is not configured"
            )));
        }
        Ok(AccountView {
            account: id,
            venue: "SIM".parse().unwrap(),
            ready: true,
            reason: None,
            epoch: 4,
            head_seq: 12,
            balances: vec![("USDT".parse().unwrap(), "100000.25".parse().unwrap())],
            unknown_orders: 0,
            open_orders: 1,
        })
    }

    async fn accounts(&self, call: Call) -> Result<Vec<AccountView>, ApiError> {
        Ok(vec![self.account(account(), call).await?])
    }

    async fn replay(
        &self,
        _: AccountId,
        from_seq: u64,
        limit: u32,
        call: Call,
    ) -> Result<Vec<OrderEvent>, ApiError> {
        self.execution("replay", call)?;
        let limit = usize::try_from(limit).unwrap();
        Ok(self.tell(|told| {
            let from = told.events.iter().filter(|event| event.seq >= from_seq);
            from.take(limit).cloned().collect()
        }))
    }

    async fn order_events(
        &self,
        _: AccountId,
        order_id: ClientOrderId,
        call: Call,
    ) -> Result<Vec<OrderEvent>, ApiError> {
        self.execution("order_events", call)?;
        let mut events = self.tell(|told| told.events.clone());
        events.retain(|event| event.payload.order_id() == Some(order_id));
        if events.is_empty() {
            return Err(ApiError::not_found(format!("order {order_id} is unknown")));
        }
        Ok(events)
    }

    async fn head(&self, account: AccountId, call: Call) -> Result<Head, ApiError> {
        self.execution("head", call)?;
        let seq = self.tell(|told| told.events.last().map_or(0, |event| event.seq));
        Ok(Head {
            account,
            seq,
            epoch: 4,
        })
    }
}

#[async_trait]
impl RiskApi for Platform {
    async fn check(&self, _: CheckRequest, _: Call) -> Result<RiskDecision, ApiError> {
        Err(ApiError::internal("the gateway never asks for a check"))
    }

    async fn set_state(&self, change: StateChange, call: Call) -> Result<RiskState, ApiError> {
        self.risk("set_state", call.clone())?;
        if change.state != TradingState::Active {
            return Err(ApiError::internal("the gateway only loosens"));
        }
        let is_first = self.tell(|told| {
            told.resets.push(change.clone());
            told.resets.len() == 1
        });
        if is_first {
            return Err(ApiError {
                retry: Retry::After(Duration::from_secs(60)),
                ..ApiError::failed_precondition("the reset of platform is noted")
            });
        }
        self.tell(|told| told.killed.retain(|kill| kill.scope != change.scope));
        self.state(call).await
    }

    async fn kill(&self, request: KillRequest, call: Call) -> Result<RiskState, ApiError> {
        self.risk("kill", call.clone())?;
        self.tell(|told| told.killed.push(request));
        self.state(call).await
    }

    async fn state(&self, call: Call) -> Result<RiskState, ApiError> {
        self.risk("state", call)?;
        let killed = self.tell(|told| told.killed.clone());
        let states = killed.into_iter().map(|kill| ScopeState {
            scope: kill.scope,
            state: TradingState::Halted,
            reason: kill.reason,
            since: Timestamp::from_nanos(1),
        });
        let states: Vec<_> = states.collect();
        Ok(RiskState {
            epoch: states.len() as u64,
            states,
            limits: LimitsView {
                version: 1,
                values: vec![("order_notional_max".to_owned(), "50000".to_owned())],
            },
            exposures: vec![],
        })
    }
}

#[async_trait]
impl StrategyApi for Platform {
    async fn strategies(&self, _: Call) -> Result<Vec<StrategyView>, ApiError> {
        Ok(vec![StrategyView {
            id: "ma-cross-btc".parse().unwrap(),
            kind: "ma-cross".to_owned(),
            instrument: "BTCUSDT.SIM".parse().unwrap(),
            account: account(),
            params: vec![("fast".to_owned(), "20".to_owned())],
            state: StrategyState::Running,
            detail: String::new(),
            decisions: 7,
            last_decision_at: None,
        }])
    }
}

#[async_trait]
impl IngestionApi for Platform {
    async fn markets(&self, call: Call) -> Result<Vec<MarketView>, ApiError> {
        self.ask("markets", call, |told| &told.ingestion_fails)?;
        let names = ["BTCUSDT.SIM", "ETHUSDT.SIM", "ETHUSDT.BINANCE"];
        let market = |name: &str| MarketView {
            instrument: instrument(name),
            feed: FeedState::Good,
            last_price: Some("50000.5".parse().unwrap()),
            bid: None,
            ask: Some(BookLevel {
                price: "50001".parse().unwrap(),
                quantity: "3".parse().unwrap(),
            }),
            updated_at: None,
        };
        Ok(names.map(market).into())
    }
}

/// What a kill of everything looks like.
pub(crate) fn kills(told: &Told) -> Vec<(Scope, String)> {
    let kill = |kill: &KillRequest| (kill.scope, kill.reason.clone());
    told.killed.iter().map(kill).collect()
}
