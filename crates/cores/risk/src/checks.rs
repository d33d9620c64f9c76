//! The checks of trading-semantics §2, one function each, in their order. Every check that fails
//! adds its reason; none stops the next, so that all reasons are reported.

use crate::{
    core::CheckRequest,
    exposure::{AccountExposure, LogError},
    limits::Limits,
    market::{Mark, Market, Reference},
    profit::ProfitNow,
    states::StateEntry,
};
use ploy_domain::{
    Amount, Bps, FeedState, Instrument, InstrumentStatus, Intent, MoneyError, OrderKind, Price,
    Quantity, Reason, ReasonCode as Code, Rounding, Scope, SessionPhase, Side, Timestamp,
    TradingState,
};

mod holdings;

use holdings::{exposure, losses, reduce_only, reduces};

/// Everything a decision may look at, gathered before it is made.
pub(crate) struct Facts<'a> {
    pub(crate) armed: bool,
    pub(crate) limits: &'a Limits,
    pub(crate) tightest: Option<(Scope, &'a StateEntry)>,
    pub(crate) instrument: Option<&'a Instrument>,
    pub(crate) mark: Mark,
    pub(crate) reference: Option<Reference>,
    pub(crate) market: &'a Market,
    pub(crate) account: &'a AccountExposure,
    pub(crate) broken: Option<&'a LogError>,
    pub(crate) profit: Option<ProfitNow>,
    pub(crate) now: Timestamp,
}

/// Runs every check and collects every reason against the order.
pub(crate) fn all(request: &CheckRequest, facts: &Facts<'_>, reasons: &mut Vec<Reason>) {
    let intent = &request.intent;
    caught_up(request, facts, reasons);
    mode(facts, reasons);
    trading_state(intent, facts, reasons);
    schema(intent, facts, reasons);
    instrument(intent, facts, reasons);
    steps_and_bounds(intent, facts, reasons);
    freshness(facts, reasons);
    price_band(intent, facts, reasons);
    order_size(intent, facts, reasons);
    own_orders(intent, facts, reasons);
    order_count(facts, reasons);
    exposure(intent, facts, reasons);
    reduce_only(intent, facts, reasons);
    losses(intent, facts, reasons);
}

/// Risk must have seen everything that execution has written (RSK-1).
fn caught_up(request: &CheckRequest, facts: &Facts<'_>, reasons: &mut Vec<Reason>) {
    if let Some(error) = facts.broken {
        reasons.push(Reason::new(Code::ExposureUnavailable, error));
    }
    let (head, seen) = (request.head_seq, facts.account.last_seq());
    if seen < head {
        reasons.push(Reason::new(
            Code::NotCaughtUp,
            format_args!("head={head} seen={seen}"),
        ));
    }
    let (epoch, newest) = (request.epoch, facts.account.epoch());
    if epoch < newest {
        reasons.push(Reason::new(
            Code::LeaseLost,
            format_args!("epoch={epoch} newest={newest}"),
        ));
    }
}

/// Check 1.
fn mode(facts: &Facts<'_>, reasons: &mut Vec<Reason>) {
    if !facts.armed {
        reasons.push(Reason::bare(Code::ModeNotArmed));
    }
}

/// Checks 2 and 3.
fn trading_state(intent: &Intent, facts: &Facts<'_>, reasons: &mut Vec<Reason>) {
    let Some((scope, entry)) = facts.tightest else {
        return;
    };
    let code = match entry.state {
        TradingState::Active => return,
        TradingState::Reducing if reduces(intent, facts.account) => return,
        TradingState::Reducing => Code::TradingReducing,
        TradingState::CancelOnly => Code::TradingCancelOnly,
        TradingState::Halted if entry.killed => Code::KillSwitchActive,
        TradingState::Halted => Code::TradingHalted,
    };
    reasons.push(Reason::new(
        code,
        format_args!("scope={scope} since={}", entry.since),
    ));
}

/// Check 4.
fn schema(intent: &Intent, facts: &Facts<'_>, reasons: &mut Vec<Reason>) {
    if facts.now > intent.valid_until {
        let (until, now) = (intent.valid_until, facts.now);
        reasons.push(Reason::new(
            Code::Expired,
            format_args!("valid_until={until} now={now}"),
        ));
    }
    let hash = intent.content_hash();
    let same_content = |other: u128| {
        if other == hash {
            "same content"
        } else {
            "other content"
        }
    };
    let known = facts
        .account
        .reservations
        .get(&intent.order_id)
        .map(|held| held.content_hash);
    let known = known.or_else(|| {
        facts
            .account
            .order(&intent.order_id)
            .map(|o| o.intent.content_hash())
    });
    if let Some(other) = known {
        let context = format_args!("order_id={} {}", intent.order_id, same_content(other));
        reasons.push(Reason::new(Code::DuplicateOrderId, context));
    }
}

/// Check 6.
fn instrument(intent: &Intent, facts: &Facts<'_>, reasons: &mut Vec<Reason>) {
    let id = intent.instrument;
    let Some(instrument) = facts.instrument else {
        reasons.push(Reason::new(
            Code::InstrumentUnknown,
            format_args!("instrument={id}"),
        ));
        return;
    };
    if instrument.status != InstrumentStatus::Trading {
        let context = format_args!("instrument={id} status={:?}", instrument.status);
        reasons.push(Reason::new(Code::InstrumentNotTradable, context));
    }
    if instrument.session.phase(facts.now) == SessionPhase::Closed {
        reasons.push(Reason::new(
            Code::SessionClosed,
            format_args!("instrument={id}"),
        ));
    }
}

/// Check 7.
fn steps_and_bounds(intent: &Intent, facts: &Facts<'_>, reasons: &mut Vec<Reason>) {
    let Some(instrument) = facts.instrument else {
        return;
    };
    if let Err(violation) = instrument.check_quantity(intent.quantity) {
        reasons.push(Reason::new(Code::QuantityInvalid, violation));
    }
    let named = [
        ("price", intent.kind.limit_price()),
        ("stop_price", intent.kind.stop_price()),
    ];
    for (field, price) in named {
        let Some(price) = price else { continue };
        if let Err(violation) = instrument.check_price(field, price) {
            reasons.push(Reason::new(Code::PriceInvalid, violation));
        }
    }
    let price = intent
        .kind
        .limit_price()
        .or(facts.reference.map(|r| r.price));
    let notional = price.map(|price| instrument.check_notional(price, intent.quantity));
    if let Some(Err(violation)) = notional {
        reasons.push(Reason::new(Code::NotionalInvalid, violation));
    }
}

/// Check 8.
fn freshness(facts: &Facts<'_>, reasons: &mut Vec<Reason>) {
    match facts.mark.feed {
        Some(FeedState::Good) => {}
        Some(FeedState::Stale) => reasons.push(Reason::new(Code::StaleData, "feed=stale")),
        other => {
            let state = other.map_or_else(|| "none".to_owned(), |s| format!("{s:?}"));
            reasons.push(Reason::new(
                Code::FeedUnavailable,
                format_args!("feed={state}"),
            ));
        }
    }
    match facts.mark.quote {
        Some(quote) => {
            let (age, max) = (facts.now - quote.ts_receive, facts.limits.quote_age_max);
            if age > max {
                let context = format_args!("max={}ms was={}ms", max.as_millis(), age.as_millis());
                reasons.push(Reason::new(Code::StaleData, context));
            }
            if quote.is_crossed() {
                reasons.push(Reason::bare(Code::BookCrossed));
            }
        }
        None => reasons.push(Reason::new(Code::StaleData, "quote=none")),
    }
    if !facts.account.is_ready() {
        reasons.push(Reason::bare(Code::AccountNotReconciled));
    }
}

/// Check 9.
fn price_band(intent: &Intent, facts: &Facts<'_>, reasons: &mut Vec<Reason>) {
    let Some(Reference {
        price: reference, ..
    }) = facts.reference
    else {
        reasons.push(Reason::bare(Code::ReferencePriceUnavailable));
        return;
    };
    let band = facts.limits.price_band;
    let edge = |bps, rounding| reference.shifted(Bps::new(bps), rounding);
    let (Ok(low), Ok(high)) = (
        edge(-band.get(), Rounding::Floor),
        edge(band.get(), Rounding::Ceil),
    ) else {
        reasons.push(Reason::bare(Code::ReferencePriceUnavailable));
        return;
    };
    let prices = [intent.kind.limit_price(), intent.kind.stop_price()];
    for was in prices
        .into_iter()
        .flatten()
        .filter(|price| *price < low || *price > high)
    {
        let context = format_args!("min={low} max={high} was={was}");
        reasons.push(Reason::new(Code::PriceOutsideBand, context));
    }
}

/// Check 10.
fn order_size(intent: &Intent, facts: &Facts<'_>, reasons: &mut Vec<Reason>) {
    if let Some(instrument) = facts.instrument
        && intent.quantity > instrument.quantity_max
    {
        let max = instrument.quantity_max;
        reasons.push(Reason::above(
            Code::QuantityExceedsMax,
            max,
            intent.quantity,
        ));
    }
    let max = facts.limits.order_notional_max;
    match value_of(intent.quantity, worst_price(intent, facts)) {
        Some(Ok(was)) if was > max => {
            reasons.push(Reason::above(Code::NotionalExceedsMax, max, was));
        }
        Some(Ok(_)) => {}
        Some(Err(error)) => reasons.push(Reason::new(Code::NotionalExceedsMax, error)),
        None => reasons.push(Reason::new(
            Code::ReferencePriceUnavailable,
            "notional=unknown",
        )),
    }
}

/// Check 11: an order must not meet another of the same account. A stop is looked at when it works.
fn own_orders(intent: &Intent, facts: &Facts<'_>, reasons: &mut Vec<Reason>) {
    let touch = facts.mark.quote.and_then(|quote| match intent.side {
        Side::Buy => quote.ask,
        Side::Sell => quote.bid,
    });
    let reach = match intent.kind {
        OrderKind::Limit { price, .. } => Some(price),
        OrderKind::Market => touch.map(|level| level.price),
        OrderKind::Stop { .. } | OrderKind::StopLimit { .. } => None,
    };
    let Some(reach) = reach else { return };
    let met = facts
        .account
        .resting(&intent.instrument, intent.side.opposite())
        .find(|(_, price)| match intent.side {
            Side::Buy => *price <= reach,
            Side::Sell => *price >= reach,
        });
    if let Some((own, price)) = met {
        let context = format_args!("order_id={own} price={price} reach={reach}");
        reasons.push(Reason::new(Code::CrossesOwnOrder, context));
    }
}

/// Check 12.
fn order_count(facts: &Facts<'_>, reasons: &mut Vec<Reason>) {
    let (max, was) = (
        facts.limits.open_orders_max,
        facts.account.open_orders() + 1,
    );
    if was > max as usize {
        reasons.push(Reason::above(Code::OpenOrdersExceedMax, max, was));
    }
    let (max, was) = (
        facts.limits.order_rate_max,
        facts.account.rate.count(facts.now) + 1,
    );
    if was > max as usize {
        let context = format_args!("max={max}/s was={was}/s");
        reasons.push(Reason::new(Code::OrderRateExceeded, context));
    }
}

/// The price at which the order could cost most: its limit, or the reference for market orders.
fn worst_price(intent: &Intent, facts: &Facts<'_>) -> Option<Price> {
    let reference = facts.reference.map(|r| r.price);
    match (intent.kind.limit_price(), reference) {
        (Some(limit), Some(reference)) => Some(limit.max(reference)),
        (limit, reference) => limit.or(reference),
    }
}

fn value_of(quantity: Quantity, price: Option<Price>) -> Option<Result<Amount, MoneyError>> {
    price.map(|price| price.times(quantity, Rounding::Ceil))
}
