//! The double-entry ledger: every fact about money is a posting whose entries sum to zero per
//! asset, so that a missing or doubled fact cannot hide (trading-semantics §4).

use crate::{
    execution::Execution,
    ids::{AccountId, Asset},
    instrument::Instrument,
    money::{Amount, MoneyError, Rounding, WideSum},
    order::Side,
};
use std::collections::BTreeMap;

/// Where value sits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LedgerAccount {
    /// What the account owns at the venue.
    Holdings(AccountId),
    /// What came from or went to other traders.
    Market,
    /// What the venue charged.
    Charges,
    /// What was brought in or taken out.
    Equity,
}

impl LedgerAccount {
    /// The word for it.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Holdings(_) => "holdings",
            Self::Market => "market",
            Self::Charges => "charges",
            Self::Equity => "equity",
        }
    }
}

/// One side of a posting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Where.
    pub account: LedgerAccount,
    /// Of which asset.
    pub asset: Asset,
    /// How much, signed.
    pub amount: Amount,
}

/// Entries that belong together and sum to zero per asset. Only balanced ones can be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting(Vec<Entry>);

/// Why something cannot be posted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// The entries of an asset do not cancel out.
    #[error("entries in {asset} do not sum to zero")]
    Unbalanced {
        /// Which asset.
        asset: Asset,
    },
    /// A number leaves the range.
    #[error("ledger arithmetic failed")]
    Money(#[from] MoneyError),
}

impl Posting {
    /// A posting of `entries`; entries of nothing are left out.
    ///
    /// # Errors
    /// [`LedgerError::Unbalanced`] names the first asset that does not sum to zero.
    pub fn balanced(mut entries: Vec<Entry>) -> Result<Self, LedgerError> {
        entries.retain(|entry| !entry.amount.is_zero());
        let mut sums: BTreeMap<Asset, WideSum> = BTreeMap::new();
        for entry in &entries {
            sums.entry(entry.asset).or_default().add(entry.amount);
        }
        match sums.iter().find(|(_, sum)| !sum.is_zero()) {
            Some((asset, _)) => Err(LedgerError::Unbalanced { asset: *asset }),
            None => Ok(Self(entries)),
        }
    }

    /// The entries.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.0
    }

    /// What an execution moves: the asset, its price and the venue's charge.
    ///
    /// # Errors
    /// [`LedgerError::Money`] on overflow.
    pub fn of_execution(
        execution: &Execution,
        instrument: &Instrument,
    ) -> Result<Self, LedgerError> {
        let value = execution
            .price
            .times(execution.quantity, Rounding::HalfEven)?;
        let quantity = execution.quantity.as_amount();
        let (base, quote) = match execution.side {
            Side::Buy => (quantity, value.negated()?),
            Side::Sell => (quantity.negated()?, value),
        };
        let holdings = LedgerAccount::Holdings(execution.account);
        let transfer = |asset, amount: Amount, to| -> Result<[Entry; 2], MoneyError> {
            let counter = amount.negated()?;
            Ok([
                Entry {
                    account: holdings,
                    asset,
                    amount,
                },
                Entry {
                    account: to,
                    asset,
                    amount: counter,
                },
            ])
        };
        let mut entries = Vec::with_capacity(6);
        entries.extend(transfer(instrument.base, base, LedgerAccount::Market)?);
        entries.extend(transfer(instrument.quote, quote, LedgerAccount::Market)?);
        let fee = execution.fee.negated()?;
        entries.extend(transfer(execution.fee_asset, fee, LedgerAccount::Charges)?);
        Self::balanced(entries)
    }

    /// Assets that were brought into an account.
    ///
    /// # Errors
    /// [`LedgerError::Money`] on overflow.
    pub fn of_deposit(
        account: AccountId,
        asset: Asset,
        amount: Amount,
    ) -> Result<Self, LedgerError> {
        Self::balanced(vec![
            Entry {
                account: LedgerAccount::Holdings(account),
                asset,
                amount,
            },
            Entry {
                account: LedgerAccount::Equity,
                asset,
                amount: amount.negated()?,
            },
        ])
    }
}

/// The balances that follow from all postings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    balances: BTreeMap<(LedgerAccount, Asset), Amount>,
}

impl Ledger {
    /// Posts all entries or none.
    ///
    /// # Errors
    /// [`LedgerError::Money`] on overflow; nothing was posted.
    pub fn post(&mut self, posting: &Posting) -> Result<(), LedgerError> {
        let mut changed = Vec::with_capacity(posting.0.len());
        for (index, entry) in posting.0.iter().enumerate() {
            let earlier = posting.0[..index]
                .iter()
                .filter(|e| (e.account, e.asset) == (entry.account, entry.asset))
                .map(|e| e.amount)
                .sum::<WideSum>()
                .total()?;
            let before = self.balance(entry.account, entry.asset).plus(earlier)?;
            changed.push(((entry.account, entry.asset), before.plus(entry.amount)?));
        }
        self.balances.extend(changed);
        Ok(())
    }

    /// The balance of an asset.
    #[must_use]
    pub fn balance(&self, account: LedgerAccount, asset: Asset) -> Amount {
        self.balances
            .get(&(account, asset))
            .copied()
            .unwrap_or_default()
    }

    /// All balances.
    pub fn balances(&self) -> impl Iterator<Item = (LedgerAccount, Asset, Amount)> + '_ {
        self.balances
            .iter()
            .map(|((account, asset), amount)| (*account, *asset, *amount))
    }

    /// The first asset whose balances do not sum to zero; `None` is what must always be answered.
    #[must_use]
    pub fn imbalance(&self) -> Option<Asset> {
        let mut sums: BTreeMap<Asset, WideSum> = BTreeMap::new();
        for ((_, asset), amount) in &self.balances {
            sums.entry(*asset).or_default().add(*amount);
        }
        sums.into_iter()
            .find(|(_, sum)| !sum.is_zero())
            .map(|(asset, _)| asset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn asset(name: &str) -> Asset {
        name.parse().unwrap()
    }

    #[test]
    fn an_unbalanced_posting_cannot_be_made() {
        let entry = Entry {
            account: LedgerAccount::Market,
            asset: asset("BTC"),
            amount: Amount::EPSILON,
        };
        assert_eq!(
            Posting::balanced(vec![entry]),
            Err(LedgerError::Unbalanced {
                asset: asset("BTC")
            })
        );
    }

    #[test]
    fn an_overflowing_posting_changes_nothing() {
        let account: AccountId = "main".parse().unwrap();
        let mut ledger = Ledger::default();
        ledger
            .post(&Posting::of_deposit(account, asset("BTC"), Amount::MAX).unwrap())
            .unwrap();
        let before = ledger.clone();
        let more = Posting::of_deposit(account, asset("BTC"), Amount::EPSILON).unwrap();
        assert!(ledger.post(&more).is_err());
        assert_eq!(ledger, before);
    }

    proptest! {
        #[test]
        fn the_ledger_sums_to_zero_under_any_sequence(
            moves in proptest::collection::vec((0usize..3, 0usize..3, 0usize..2, -1_000_000i64..1_000_000), 0..100)
        ) {
            let account: AccountId = "main".parse().unwrap();
            let places = [LedgerAccount::Holdings(account), LedgerAccount::Market, LedgerAccount::Charges];
            let mut ledger = Ledger::default();
            for (from, to, which, raw) in moves {
                let (asset, amount) = ([asset("BTC"), asset("USDT")][which], Amount::from_raw(raw));
                let posting = Posting::balanced(vec![
                    Entry { account: places[to], asset, amount },
                    Entry { account: places[from], asset, amount: amount.negated()? },
                ])?;
                ledger.post(&posting)?;
                prop_assert_eq!(ledger.imbalance(), None);
            }
        }
    }
}
