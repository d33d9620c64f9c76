//! Who has how much: free and reserved balances, and the commissions the exchange has earned.
//! Nothing is created or lost here except by deposit.
//!
//! The sum of all balances and commissions of an asset is what was deposited, and a deposit that
//! would take it beyond 64 bits is refused; so no sum of balances can overflow.

use crate::{
    config::{AccountTerms, ConfigError},
    event::{BalanceChange, Event},
    reject::RejectReason,
};
use ploy_domain::{AccountId, Amount, Asset, Bps, Rounding};
use std::collections::BTreeMap;

/// Commissions are rounded in the trader's favour; the venue documents no direction.
const FEE_ROUNDING: Rounding = Rounding::Floor;

/// What an account has of one asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Balance {
    /// Available.
    pub free: Amount,
    /// Reserved by open orders.
    pub locked: Amount,
}

/// The number of an account in this exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct AccountKey(pub(crate) u32);

/// The number of an asset in this exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct AssetKey(u32);

/// One party's part in a trade: it pays from what is reserved and receives less a commission.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settlement {
    pub(crate) account: AccountKey,
    pub(crate) gives: AssetKey,
    /// The reservation that this trade uses up.
    pub(crate) released: Amount,
    /// What is paid from it; the rest becomes free again.
    pub(crate) paid: Amount,
    pub(crate) receives: AssetKey,
    pub(crate) received: Amount,
    pub(crate) fee_rate: Bps,
}

#[derive(Debug, Clone, Copy, Default)]
struct Holding {
    balance: Balance,
    /// Whether it is in `changed` already.
    reported: bool,
}

#[derive(Debug, Clone, Copy)]
struct Treasury {
    asset: Asset,
    deposited: Amount,
    fees: Amount,
}

/// All accounts.
#[derive(Debug, Clone)]
pub(crate) struct Accounts {
    terms: Vec<AccountTerms>,
    names: BTreeMap<AccountId, AccountKey>,
    treasuries: Vec<Treasury>,
    assets: BTreeMap<Asset, AssetKey>,
    /// By account, then by asset.
    holdings: Vec<Vec<Holding>>,
    changed: Vec<(AccountKey, AssetKey)>,
}

impl Accounts {
    pub(crate) fn new(terms: Vec<AccountTerms>) -> Result<Self, ConfigError> {
        let mut names = BTreeMap::new();
        for (key, account) in terms.iter().enumerate() {
            let fees = [
                ("maker_fee", account.maker_fee),
                ("taker_fee", account.taker_fee),
            ];
            for (field, was) in fees {
                if !(0..=Bps::WHOLE).contains(&i64::from(was.get())) {
                    let account = account.id;
                    return Err(ConfigError::FeeOutOfRange {
                        account,
                        field,
                        was,
                    });
                }
            }
            if names.insert(account.id, AccountKey(key as u32)).is_some() {
                return Err(ConfigError::DuplicateAccount(account.id));
            }
        }
        Ok(Self {
            holdings: vec![Vec::new(); terms.len()],
            terms,
            names,
            treasuries: Vec::new(),
            assets: BTreeMap::new(),
            changed: Vec::new(),
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.terms.len()
    }

    pub(crate) fn key(&self, account: &AccountId) -> Option<AccountKey> {
        self.names.get(account).copied()
    }

    pub(crate) fn terms(&self, account: AccountKey) -> &AccountTerms {
        &self.terms[account.0 as usize]
    }

    pub(crate) fn all_terms(&self) -> &[AccountTerms] {
        &self.terms
    }

    /// The number of `asset`, which every account has a balance of from now on.
    pub(crate) fn asset_key(&mut self, asset: Asset) -> AssetKey {
        if let Some(key) = self.assets.get(&asset) {
            return *key;
        }
        let key = AssetKey(self.treasuries.len() as u32);
        self.assets.insert(asset, key);
        self.treasuries.push(Treasury {
            asset,
            deposited: Amount::ZERO,
            fees: Amount::ZERO,
        });
        for holdings in &mut self.holdings {
            holdings.push(Holding::default());
        }
        key
    }

    pub(crate) fn asset(&self, key: AssetKey) -> Asset {
        self.treasuries[key.0 as usize].asset
    }

    pub(crate) fn free(&self, account: AccountKey, asset: AssetKey) -> Amount {
        self.holdings[account.0 as usize][asset.0 as usize]
            .balance
            .free
    }

    fn touch(&mut self, account: AccountKey, asset: AssetKey) -> &mut Balance {
        let holding = &mut self.holdings[account.0 as usize][asset.0 as usize];
        if !holding.reported {
            holding.reported = true;
            self.changed.push((account, asset));
        }
        &mut holding.balance
    }

    pub(crate) fn deposit(
        &mut self,
        account: AccountKey,
        asset: Asset,
        amount: Amount,
    ) -> Result<(), RejectReason> {
        if !amount.is_positive() {
            return Err(RejectReason::InvalidAmount);
        }
        let known = self.assets.get(&asset);
        let before = known.map_or(Amount::ZERO, |key| {
            self.treasuries[key.0 as usize].deposited
        });
        let after = before
            .plus(amount)
            .map_err(|_| RejectReason::InvalidAmount)?;
        let key = self.asset_key(asset);
        self.treasuries[key.0 as usize].deposited = after;
        let balance = self.touch(account, key);
        balance.free = sum(balance.free, amount);
        Ok(())
    }

    /// Moves `amount` from free to locked.
    pub(crate) fn lock(
        &mut self,
        account: AccountKey,
        asset: AssetKey,
        amount: Amount,
    ) -> Result<(), RejectReason> {
        if self.free(account, asset) < amount {
            return Err(RejectReason::InsufficientBalance);
        }
        let balance = self.touch(account, asset);
        balance.free = difference(balance.free, amount);
        balance.locked = sum(balance.locked, amount);
        Ok(())
    }

    /// Moves `amount` from locked back to free.
    pub(crate) fn unlock(&mut self, account: AccountKey, asset: AssetKey, amount: Amount) {
        if amount.is_zero() {
            return;
        }
        let balance = self.touch(account, asset);
        balance.locked = difference(balance.locked, amount);
        balance.free = sum(balance.free, amount);
    }

    /// Books one party's part in a trade and answers its commission.
    pub(crate) fn settle(&mut self, part: &Settlement) -> Amount {
        let given = self.touch(part.account, part.gives);
        given.locked = difference(given.locked, part.released);
        given.free = sum(given.free, difference(part.released, part.paid));
        // A rate of at most the whole cannot overflow.
        let fee = part
            .received
            .fraction(part.fee_rate, FEE_ROUNDING)
            .unwrap_or(part.received);
        let gained = self.touch(part.account, part.receives);
        gained.free = sum(gained.free, difference(part.received, fee));
        let treasury = &mut self.treasuries[part.receives.0 as usize];
        treasury.fees = sum(treasury.fees, fee);
        fee
    }

    /// Reports every balance that was touched since the last report, once.
    pub(crate) fn report(&mut self, out: &mut Vec<Event>) {
        for (account, asset) in self.changed.drain(..) {
            let holding = &mut self.holdings[account.0 as usize][asset.0 as usize];
            holding.reported = false;
            out.push(Event::BalanceChanged(BalanceChange {
                account: self.terms[account.0 as usize].id,
                asset: self.treasuries[asset.0 as usize].asset,
                free: holding.balance.free,
                locked: holding.balance.locked,
            }));
        }
    }

    pub(crate) fn balances(
        &self,
        account: AccountKey,
    ) -> impl Iterator<Item = (Asset, Balance)> + '_ {
        self.assets.iter().map(move |(asset, key)| {
            let holding = &self.holdings[account.0 as usize][key.0 as usize];
            (*asset, holding.balance)
        })
    }

    pub(crate) fn balance(&self, account: AccountKey, asset: &Asset) -> Balance {
        self.assets.get(asset).map_or_else(Balance::default, |key| {
            self.holdings[account.0 as usize][key.0 as usize].balance
        })
    }

    pub(crate) fn fees(&self, asset: &Asset) -> Amount {
        self.assets
            .get(asset)
            .map_or(Amount::ZERO, |key| self.treasuries[key.0 as usize].fees)
    }
}

const fn sum(a: Amount, b: Amount) -> Amount {
    Amount::from_raw(a.raw() + b.raw())
}

const fn difference(a: Amount, b: Amount) -> Amount {
    Amount::from_raw(a.raw() - b.raw())
}
