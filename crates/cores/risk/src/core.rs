//! The closed set of inputs and what follows from each.

use crate::{
    checks::{self, Facts},
    exposure::{AccountExposure, LogError},
    limits::Limits,
    market::Market,
    profit::{self, SessionProfit},
    resets::{ResetAnswer, ResetRules, Resets},
    states::{StateEntry, TradingStates},
};
use ploy_domain::{
    AccountId, Approval, DecisionId, Instrument, InstrumentId, Intent, MarketEvent, Nanos,
    OrderEvent, Reason, ReasonCode, RiskDecision, Scope, Timestamp, TradingState,
};
use std::collections::BTreeMap;

/// An order to judge, and what execution knows about its account.
#[derive(Debug, Clone)]
pub struct CheckRequest {
    /// The order.
    pub intent: Intent,
    /// The account's last event as execution knows it (RSK-1).
    pub head_seq: u64,
    /// Execution's fencing epoch.
    pub epoch: u64,
}

/// Everything that can happen to the risk core.
#[derive(Debug)]
pub enum Input<'a> {
    /// An order asks for approval.
    Check(&'a CheckRequest),
    /// The next event of an account's log.
    Log(&'a OrderEvent),
    /// A market fact.
    Market(&'a MarketEvent),
    /// Somebody tightens a scope.
    Tighten {
        /// What it holds for.
        scope: Scope,
        /// The new state.
        state: TradingState,
        /// Whether it is a kill switch, which also cancels the scope's orders.
        kill: bool,
        /// Why.
        reason: &'a str,
    },
    /// Somebody wants a scope to be active again, or confirms that.
    Reset {
        /// Which scope.
        scope: Scope,
        /// Who.
        actor: &'a str,
    },
    /// A confirmed reset is durable: the scope is active again.
    Lift(Scope),
    /// New limits.
    Limits(Limits),
    /// An instrument is known, or known anew.
    Instrument(Instrument),
}

/// What the shell must do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Answer the check.
    Decided(RiskDecision),
    /// Persist and publish the trading states.
    StatesChanged,
    /// Answer whoever wants a scope to be active again.
    Reset(ResetAnswer),
    /// Cancel every open order of the scope.
    CancelAll(Scope),
    /// Ask the owner for the log of the account from this sequence; nothing beyond it was applied.
    Replay {
        /// Whose log.
        account: AccountId,
        /// The first missing sequence.
        from_seq: u64,
    },
    /// An event was a repetition and changed nothing.
    Duplicate,
    /// An event contradicts the log. The account is denied until it is rebuilt.
    LogBroken {
        /// Whose log.
        account: AccountId,
        /// What is wrong.
        error: LogError,
    },
}

/// What does not change while the core lives.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Whether orders may leave at all: always in dev and paper, in live only once armed.
    pub armed: bool,
    /// The fencing epoch of this risk service.
    pub risk_epoch: u64,
    /// How long an approval is usable.
    pub approval_ttl: Nanos,
    /// What loosening a scope takes.
    pub resets: ResetRules,
}

/// The state of risk, folded from its inputs.
#[derive(Debug)]
pub struct RiskCore {
    settings: Settings,
    limits: Limits,
    states: TradingStates,
    resets: Resets,
    instruments: BTreeMap<InstrumentId, Instrument>,
    market: Market,
    accounts: BTreeMap<AccountId, AccountExposure>,
    broken: BTreeMap<AccountId, LogError>,
    profits: BTreeMap<AccountId, SessionProfit>,
    decisions: u64,
}

impl RiskCore {
    /// A core that knows limits and states but no account yet.
    #[must_use]
    pub fn new(settings: Settings, limits: Limits, states: TradingStates) -> Self {
        Self {
            settings,
            limits,
            states,
            resets: Resets::default(),
            instruments: BTreeMap::new(),
            market: Market::default(),
            accounts: BTreeMap::new(),
            broken: BTreeMap::new(),
            profits: BTreeMap::new(),
            decisions: 0,
        }
    }

    /// Folds one input into the state and says what the shell must do.
    pub fn handle(&mut self, input: Input<'_>, now: Timestamp, effects: &mut Vec<Effect>) {
        match input {
            Input::Check(request) => effects.push(Effect::Decided(self.check(request, now))),
            Input::Log(event) => self.log(event, effects),
            Input::Market(event) => self.market.on_event(event),
            Input::Tighten {
                scope,
                state,
                kill,
                reason,
            } => {
                let entry = StateEntry {
                    state,
                    killed: kill,
                    reason: reason.to_owned(),
                    since: now,
                };
                self.resets.tripped(&scope);
                if self.states.tighten(scope, entry) {
                    effects.push(Effect::StatesChanged);
                }
                if kill {
                    effects.push(Effect::CancelAll(scope));
                }
            }
            Input::Reset { scope, actor } => {
                effects.push(Effect::Reset(self.reset(scope, actor, now)));
            }
            Input::Lift(scope) => {
                self.resets.lifted(&scope);
                if self.states.reset(&scope) {
                    effects.push(Effect::StatesChanged);
                }
            }
            Input::Limits(limits) => self.limits = limits,
            Input::Instrument(instrument) => {
                self.instruments.insert(instrument.id, instrument);
            }
        }
    }

    /// The limits in force.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The trading states in force.
    #[must_use]
    pub const fn states(&self) -> &TradingStates {
        &self.states
    }

    /// What is known of an account.
    #[must_use]
    pub fn account(&self, account: &AccountId) -> Option<&AccountExposure> {
        self.accounts.get(account)
    }

    /// Every account seen in the log.
    pub fn accounts(&self) -> impl Iterator<Item = (&AccountId, &AccountExposure)> {
        self.accounts.iter()
    }

    /// The last event applied of an account; 0 before the first.
    #[must_use]
    pub fn last_seq(&self, account: &AccountId) -> u64 {
        self.accounts
            .get(account)
            .map_or(0, AccountExposure::last_seq)
    }

    fn log(&mut self, event: &OrderEvent, effects: &mut Vec<Effect>) {
        let account = self.accounts.entry(event.account).or_default();
        let next = account.last_seq() + 1;
        if event.seq < next {
            effects.push(Effect::Duplicate);
        } else if event.seq > next {
            effects.push(Effect::Replay {
                account: event.account,
                from_seq: next,
            });
        } else if let Err(error) = account.apply(event, &self.instruments) {
            self.broken.insert(event.account, error.clone());
            effects.push(Effect::LogBroken {
                account: event.account,
                error,
            });
        }
    }

    /// Nothing is loosened while something is in doubt.
    fn reset(&mut self, scope: Scope, actor: &str, now: Timestamp) -> ResetAnswer {
        if self.states.entry(&scope).is_none() {
            return ResetAnswer::NothingToLift;
        }
        let concerned = self.accounts.iter().filter(|(account, _)| match scope {
            Scope::Account(of) => of == **account,
            Scope::Platform | Scope::Venue(_) | Scope::Strategy(_) | Scope::Instrument(_) => true,
        });
        let (mut reasons, mut known) = (Vec::new(), 0);
        for (account, exposure) in concerned {
            known += 1;
            if let Some(error) = self.broken.get(account) {
                reasons.push(Reason::new(ReasonCode::ExposureUnavailable, error));
            }
            if !exposure.is_ready() {
                let context = format_args!("account={account}");
                reasons.push(Reason::new(ReasonCode::AccountNotReconciled, context));
            }
            for order_id in exposure.unknown_orders() {
                let context = format_args!("order_id={order_id}");
                reasons.push(Reason::new(ReasonCode::UnknownOrderPending, context));
            }
        }
        if known == 0 {
            // Nothing was heard of any account yet: that is doubt, not its absence (G-4).
            reasons.push(Reason::new(
                ReasonCode::AccountNotReconciled,
                "account=none",
            ));
        }
        if reasons.is_empty() {
            self.resets.ask(scope, actor, &self.settings.resets, now)
        } else {
            ResetAnswer::Refused(reasons)
        }
    }

    fn check(&mut self, request: &CheckRequest, now: Timestamp) -> RiskDecision {
        let intent = &request.intent;
        let account = self.accounts.entry(intent.account).or_default();
        account.release_expired(now);
        let mark = self.market.mark(&intent.instrument);
        let reference = mark.reference(now);
        let profit = match profit::total(account, &self.market) {
            Ok(Some(total)) => self
                .profits
                .entry(intent.account)
                .or_default()
                .update(total, now)
                .ok(),
            Ok(None) | Err(_) => None,
        };
        let facts = Facts {
            armed: self.settings.armed,
            limits: &self.limits,
            tightest: self.states.tightest(intent),
            instrument: self.instruments.get(&intent.instrument),
            mark,
            reference,
            market: &self.market,
            account,
            broken: self.broken.get(&intent.account),
            profit,
            now,
        };
        let mut reasons = Vec::new();
        checks::all(request, &facts, &mut reasons);
        let verdict = if reasons.is_empty() {
            self.approve(intent, now).map_err(|reason| vec![reason])
        } else {
            Err(reasons)
        };
        RiskDecision {
            verdict,
            reference_price: reference.map(|r| r.price),
            reference_age: reference.map(|r| r.age),
            took: Nanos::ZERO,
        }
    }

    fn approve(&mut self, intent: &Intent, now: Timestamp) -> Result<Approval, Reason> {
        self.decisions += 1;
        let id = format!(
            "{}-{}-{}",
            intent.order_id, self.settings.risk_epoch, self.decisions
        );
        let decision_id =
            DecisionId::parse(&id).map_err(|error| Reason::new(ReasonCode::Malformed, error))?;
        let content_hash = intent.content_hash();
        let expires_at = now.plus(self.settings.approval_ttl);
        let account = self.accounts.entry(intent.account).or_default();
        account.reserve(intent, content_hash, expires_at);
        account.rate.record(now);
        Ok(Approval {
            decision_id,
            content_hash,
            limits_version: self.limits.version,
            state_epoch: self.states.epoch(),
            risk_epoch: self.settings.risk_epoch,
            expires_at,
        })
    }
}

#[cfg(test)]
mod tests;
