//! The checks that ask what the account would hold: exposure, the truth of reducing, losses.

use super::{Facts, value_of, worst_price};
use crate::exposure::AccountExposure;
use ploy_domain::{
    Amount, Intent, MoneyError, Quantity, Reason, ReasonCode as Code, Rounding, Side,
};

/// Check 13: what the account would hold if everything on the order's side were filled. An order
/// that only shrinks the position is never refused for its size.
pub(super) fn exposure(intent: &Intent, facts: &Facts<'_>, reasons: &mut Vec<Reason>) {
    let line = facts.account.line(&intent.instrument);
    let after = match intent.side {
        Side::Buy => line.worst(Side::Buy).plus(intent.quantity),
        Side::Sell => line.worst(Side::Sell).minus(intent.quantity),
    };
    let Ok(after) = after else {
        reasons.push(Reason::new(Code::PositionExceedsMax, "position overflows"));
        return;
    };
    if after.abs() <= line.position.abs() {
        return;
    }
    let max = facts.limits.position_notional_max;
    match value_of(after.abs(), worst_price(intent, facts)) {
        Some(Ok(was)) if was > max => {
            reasons.push(Reason::above(Code::PositionExceedsMax, max, was));
        }
        Some(Ok(_)) => {}
        Some(Err(error)) => reasons.push(Reason::new(Code::PositionExceedsMax, error)),
        None => reasons.push(Reason::new(Code::ExposureUnavailable, "price=none")),
    }
    account_exposure(intent, after, facts, reasons);
}

/// Gross and net exposure of the whole account, the order's instrument at its worst.
fn account_exposure(
    intent: &Intent,
    after: Quantity,
    facts: &Facts<'_>,
    reasons: &mut Vec<Reason>,
) {
    match gross_and_net(intent, after, facts) {
        Some(Ok((gross, net))) => {
            let (max_gross, max_net) = (
                facts.limits.gross_exposure_max,
                facts.limits.net_exposure_max,
            );
            if gross > max_gross {
                reasons.push(Reason::above(
                    Code::GrossExposureExceedsMax,
                    max_gross,
                    gross,
                ));
            }
            if net.abs() > max_net {
                reasons.push(Reason::above(
                    Code::NetExposureExceedsMax,
                    max_net,
                    net.abs(),
                ));
            }
        }
        Some(Err(error)) => reasons.push(Reason::new(Code::ExposureUnavailable, error)),
        None => reasons.push(Reason::new(
            Code::ExposureUnavailable,
            "a position has no mark",
        )),
    }
}

fn gross_and_net(
    intent: &Intent,
    after: Quantity,
    facts: &Facts<'_>,
) -> Option<Result<(Amount, Amount), MoneyError>> {
    let mut worst = vec![(intent.instrument, after)];
    let mut others: Vec<_> = facts
        .account
        .lines()
        .into_keys()
        .map(|(id, _)| id)
        .collect();
    others.dedup();
    for id in others.into_iter().filter(|id| *id != intent.instrument) {
        let line = facts.account.line(&id);
        let (long, short) = (line.worst(Side::Buy), line.worst(Side::Sell));
        worst.push((
            id,
            if long.abs() >= short.abs() {
                long
            } else {
                short
            },
        ));
    }
    let (mut gross, mut net) = (Amount::ZERO, Amount::ZERO);
    for (id, quantity) in worst
        .into_iter()
        .filter(|(_, quantity)| !quantity.is_zero())
    {
        let price = if id == intent.instrument {
            worst_price(intent, facts)?
        } else {
            facts.market.mark(&id).reference(facts.now)?.price
        };
        let sum = price
            .times(quantity, Rounding::HalfEven)
            .and_then(|value| Ok((gross.plus(value.abs())?, net.plus(value)?)));
        match sum {
            Ok((new_gross, new_net)) => (gross, net) = (new_gross, new_net),
            Err(error) => return Some(Err(error)),
        }
    }
    Some(Ok((gross, net)))
}

/// Check 14 for orders that promise to reduce.
pub(super) fn reduce_only(intent: &Intent, facts: &Facts<'_>, reasons: &mut Vec<Reason>) {
    if intent.reduce_only && !reduces(intent, facts.account) {
        let position = facts.account.line(&intent.instrument).position;
        let context = format_args!("reduce_only=true position={position}");
        reasons.push(Reason::new(Code::TradingReducing, context));
    }
}

/// Check 16. Orders that only shrink a position pass: they are how losses end.
pub(super) fn losses(intent: &Intent, facts: &Facts<'_>, reasons: &mut Vec<Reason>) {
    if reduces(intent, facts.account) {
        return;
    }
    let Some(profit) = facts.profit else {
        reasons.push(Reason::bare(Code::ProfitUnavailable));
        return;
    };
    let (max, loss) = (
        facts.limits.daily_loss_max,
        profit.since_start.raw().saturating_neg(),
    );
    if loss >= max.raw() {
        reasons.push(Reason::above(
            Code::DailyLossExceedsMax,
            max,
            Amount::from_raw(loss),
        ));
    }
    let max = facts.limits.drawdown_max;
    if profit.below_peak >= max {
        reasons.push(Reason::above(
            Code::DrawdownExceedsMax,
            max,
            profit.below_peak,
        ));
    }
}

/// Whether the position after this order and everything open on its side is smaller and has not
/// changed its sign; from flat nothing reduces.
pub(super) fn reduces(intent: &Intent, account: &AccountExposure) -> bool {
    let line = account.line(&intent.instrument);
    let position = line.position.raw();
    let worst = line.worst(intent.side).raw();
    let after = match intent.side {
        Side::Buy => worst.saturating_add(intent.quantity.raw()),
        Side::Sell => worst.saturating_sub(intent.quantity.raw()),
    };
    match intent.side {
        Side::Buy => position < 0 && after <= 0 && after > position,
        Side::Sell => position > 0 && after >= 0 && after < position,
    }
}
