//! Reconciliation: the venue's complete books against ours, through the same rules as live events.
//! Only a green comparison lets the account trade (REC-1).

use crate::{
    book::BookError,
    core::{Effect, OrderCore, Output, Turn},
    evidence::alert,
    venue::{VenueFill, VenueOrder},
};
use ploy_domain::{
    Amount, ClientOrderId, LedgerAccount, OrderEventPayload as P, OrderState, Reason, ReasonCode,
    ids::Asset,
};
use std::collections::BTreeSet;

/// Everything the venue shows of an account. Only a complete and authenticated reading is one
/// (REC-2); anything less is no reading at all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VenueSnapshot {
    /// Every open order.
    pub open_orders: Vec<VenueOrder>,
    /// Every fill since a time before the last one we know.
    pub fills: Vec<VenueFill>,
    /// Every asset held, free and locked together.
    pub balances: Vec<(Asset, Amount)>,
}

impl OrderCore {
    pub(crate) fn stream_lost(
        &mut self,
        reason: Reason,
        turn: &mut Turn<'_>,
    ) -> Result<(), BookError> {
        if self.readiness().is_ok() {
            self.set_ready(Err(reason.clone()));
            self.write(P::AccountNotReady { reason }, turn)?;
        }
        Ok(())
    }

    pub(crate) fn reconciled(
        &mut self,
        snapshot: VenueSnapshot,
        turn: &mut Turn<'_>,
    ) -> Result<(), BookError> {
        self.fills(&snapshot.fills, turn)?;
        let mut seen = BTreeSet::new();
        for order in &snapshot.open_orders {
            match self.identify(&order.standing) {
                Some(order_id) => {
                    seen.insert(order_id);
                    self.evidence(order_id, &order.standing, &[], turn)?;
                }
                None => self.adopt(order, turn)?,
            }
        }
        self.ask_about_missing(&seen, turn.out);
        if !self.book.is_opened() {
            self.open(&snapshot.balances, turn)?;
        }
        match self.compare_balances(&snapshot.balances) {
            Ok(()) => {
                self.mismatch = None;
                self.open_for_trading(turn)
            }
            Err(reason) => self.mismatched(reason, turn),
        }
    }

    fn open_for_trading(&mut self, turn: &mut Turn<'_>) -> Result<(), BookError> {
        if self.readiness().is_err() {
            self.set_ready(Ok(()));
            self.write(P::AccountReady, turn)?;
        }
        Ok(())
    }

    /// A difference may be a fill that happened between two readings; the same difference in two
    /// readings is none, and closes the account (FIL-4).
    fn mismatched(&mut self, reason: Reason, turn: &mut Turn<'_>) -> Result<(), BookError> {
        turn.out.effects.push(Effect::Reconcile);
        let is_repeated = self.mismatch.as_ref() == Some(&reason);
        self.mismatch = Some(reason.clone());
        if !is_repeated {
            return Ok(());
        }
        alert(turn.out, "balance_mismatch", None, reason.to_string());
        if self.readiness().is_ok() {
            self.write(
                P::AccountNotReady {
                    reason: reason.clone(),
                },
                turn,
            )?;
        }
        self.set_ready(Err(reason));
        Ok(())
    }

    /// An order that works here and not at the venue has ended there; how, only a question tells.
    fn ask_about_missing(&self, seen: &BTreeSet<ClientOrderId>, out: &mut Output) {
        let missing: Vec<_> = self
            .book
            .working_orders()
            .filter(|order| order.state().is_open() || order.state() == OrderState::Unknown)
            .map(ploy_domain::Order::id)
            .filter(|order_id| !seen.contains(order_id))
            .collect();
        missing
            .into_iter()
            .for_each(|order_id| self.ask(order_id, out));
    }

    /// The first sight of an account: what it holds was brought in.
    fn open(&mut self, balances: &[(Asset, Amount)], turn: &mut Turn<'_>) -> Result<(), BookError> {
        for (asset, held) in balances {
            let account = LedgerAccount::Holdings(*self.book.account());
            let booked = self.book.ledger().balance(account, *asset);
            let Ok(amount) = held.minus(booked) else {
                continue;
            };
            if !amount.is_zero() {
                let deposited = P::Deposited {
                    asset: *asset,
                    amount,
                };
                self.write(deposited, turn)?;
            }
        }
        Ok(())
    }

    fn compare_balances(&self, balances: &[(Asset, Amount)]) -> Result<(), Reason> {
        let account = LedgerAccount::Holdings(*self.book.account());
        let mut assets: BTreeSet<Asset> = balances.iter().map(|(asset, _)| *asset).collect();
        let booked = self
            .book
            .ledger()
            .balances()
            .filter(|(of, _, _)| *of == account);
        assets.extend(booked.map(|(_, asset, _)| asset));
        for asset in assets {
            let ours = self.book.ledger().balance(account, asset);
            let theirs = balances.iter().find(|(of, _)| *of == asset);
            let theirs = theirs.map_or(Amount::ZERO, |(_, amount)| *amount);
            if ours != theirs {
                let context = format_args!("asset={asset} ours={ours} venue={theirs}");
                return Err(Reason::new(ReasonCode::AccountNotReconciled, context));
            }
        }
        Ok(())
    }
}
