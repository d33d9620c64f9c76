//! What the ledger remembers, read record by record: balances, orders, trades, numbering. Turning
//! it into a running venue is [`super::restore`]'s business.

use super::{
    accounts::Account,
    listed::{Listed, Numbering},
    observe::{expire, fill},
    order::{
        OrderName, OrderRecord, OrderType, OwnTrade, Status, Terms, parse_expiry, parse_side,
        parse_stp, parse_tif,
    },
    restore::OpenError,
};
use crate::ledger::{Accepted, Entry, Filled, OrderKey, Record};
use ploy_domain::{AccountId, Amount, Asset, Instrument, Price, Quantity, Timestamp};
use ploy_exchange_core::{ClientId, OrderSize};
use std::collections::{BTreeMap, HashMap};

/// What the ledger says, read record by record.
#[derive(Debug)]
pub(super) struct Memory {
    symbols: HashMap<String, usize>,
    pub(super) rules: Vec<Instrument>,
    owners: HashMap<String, usize>,
    pub(super) accounts: Vec<Account>,
    pub(super) balances: BTreeMap<(usize, Asset), i128>,
    pub(super) numbering: Vec<Numbering>,
    pub(super) last_prices: Vec<Option<Price>>,
    pub(super) requests: u64,
    pub(super) failure: Option<OpenError>,
}

impl Memory {
    pub(super) fn new(rules: Vec<Instrument>, ids: &[AccountId]) -> Self {
        let symbol = |rules: &Instrument| rules.id.symbol().as_str().to_owned();
        let count = rules.len();
        Self {
            symbols: (0..count).map(|n| (symbol(&rules[n]), n)).collect(),
            rules,
            owners: (0..ids.len())
                .map(|n| (ids[n].as_str().to_owned(), n))
                .collect(),
            accounts: ids.iter().map(|id| Account::new(*id)).collect(),
            balances: BTreeMap::new(),
            numbering: vec![Numbering::default(); count],
            last_prices: vec![None; count],
            requests: 0,
            failure: None,
        }
    }

    /// Takes a record in; the first that makes no sense is kept as the failure.
    pub(super) fn read(&mut self, record: &Record) {
        if self.failure.is_some() {
            return;
        }
        if let Err(what) = self.apply(record) {
            let seq = record.seq;
            self.failure = Some(OpenError::Record { seq, what });
        }
    }

    /// Applies a record; records of symbols and accounts that are no longer configured are left
    /// alone.
    fn apply(&mut self, record: &Record) -> Result<(), &'static str> {
        let at = Timestamp::from_nanos(record.at);
        match &record.entry {
            Entry::Opened { .. } | Entry::Rejected { .. } => Ok(()),
            Entry::Received(received) => {
                self.requests = received.request;
                Ok(())
            }
            Entry::Deposited {
                account,
                asset,
                amount,
            } => self.deposited((account, at), asset, amount),
            Entry::Accepted(accepted) => self.accepted(accepted, at),
            Entry::Triggered { order } => self.change(order, |record| {
                record.working_at = Some(at);
                record.updated_at = at;
            }),
            Entry::Filled(filled) => self.filled(filled, at),
            Entry::Cancelled {
                order,
                cancel_client_order_id,
                ..
            } => {
                let cancel_id = ClientId::parse(cancel_client_order_id).ok();
                self.change(order, |record| {
                    record.status = Status::Cancelled;
                    record.updated_at = at;
                    record.cancel_id = cancel_id;
                })
            }
            Entry::Expired {
                order,
                reason,
                in_match,
                ..
            } => {
                let reason = parse_expiry(reason).ok_or("unknown reason of expiry")?;
                self.change(order, |record| {
                    expire(record, reason, *in_match);
                    record.updated_at = at;
                })
            }
            Entry::Reserved {
                symbol,
                trade_id,
                update_id,
            } => {
                if let Some(index) = self.symbols.get(symbol) {
                    self.numbering[*index].trade_base = *trade_id;
                    self.numbering[*index].update_base = *update_id;
                }
                Ok(())
            }
            Entry::Marked { symbol, price } => {
                if let Some(index) = self.symbols.get(symbol) {
                    self.last_prices[*index] = price.parse().ok();
                }
                Ok(())
            }
        }
    }

    fn deposited(
        &mut self,
        (account, at): (&String, Timestamp),
        asset: &str,
        amount: &str,
    ) -> Result<(), &'static str> {
        let Some(owner) = self.owners.get(account).copied() else {
            return Ok(());
        };
        let asset = Asset::parse(asset).map_err(|_| "asset")?;
        let amount: Amount = amount.parse().map_err(|_| "amount")?;
        *self.balances.entry((owner, asset)).or_default() += i128::from(amount.raw());
        self.accounts[owner].updated_at = at;
        Ok(())
    }

    fn accepted(&mut self, accepted: &Accepted, at: Timestamp) -> Result<(), &'static str> {
        let Some((owner, name)) = self.locate(&accepted.order) else {
            return Ok(());
        };
        let quantity: Quantity = accepted.quantity.parse().map_err(|_| "quantity")?;
        let budget: Amount = accepted.quote_quantity.parse().map_err(|_| "quote")?;
        let terms = Terms {
            symbol: name.0,
            side: parse_side(&accepted.side).ok_or("side")?,
            order_type: OrderType::parse(&accepted.order_type).ok_or("order type")?,
            time_in_force: parse_tif(&accepted.time_in_force).ok_or("time in force")?,
            size: if budget.is_zero() {
                OrderSize::Base(quantity)
            } else {
                OrderSize::Quote(budget)
            },
            price: accepted.price.parse().map_err(|_| "price")?,
            stop_price: accepted.stop_price.parse().map_err(|_| "stop price")?,
            client_id: ClientId::parse(&accepted.order.client_order_id)
                .map_err(|_| "client order id")?,
            stp: parse_stp(&accepted.self_trade_prevention).ok_or("self-trade prevention")?,
            strategy_id: accepted.strategy_id,
            strategy_type: accepted.strategy_type,
        };
        let base = &mut self.numbering[name.0].order_base;
        *base = (*base).max(name.1);
        self.accounts[owner].insert(OrderRecord {
            id: name.1,
            account: owner,
            terms,
            core_id: None,
            quantity,
            executed: Quantity::ZERO,
            value: Amount::ZERO,
            prevented: Quantity::ZERO,
            status: Status::New,
            created_at: at,
            updated_at: at,
            working_at: accepted.working.then_some(at),
            expiry: None,
            cancel_id: None,
        });
        Ok(())
    }

    fn filled(&mut self, filled: &Filled, at: Timestamp) -> Result<(), &'static str> {
        let Some((owner, name)) = self.locate(&filled.order) else {
            return Ok(());
        };
        let trade = OwnTrade {
            trade_id: filled.trade_id,
            order: name,
            side: parse_side(&filled.side).ok_or("side")?,
            price: filled.price.parse().map_err(|_| "price")?,
            quantity: filled.quantity.parse().map_err(|_| "quantity")?,
            value: filled.value.parse().map_err(|_| "value")?,
            commission: filled.commission.parse().map_err(|_| "commission")?,
            commission_asset: Asset::parse(&filled.commission_asset).map_err(|_| "asset")?,
            maker: filled.maker,
            at,
        };
        self.settle(owner, &trade);
        let account = &mut self.accounts[owner];
        account.updated_at = at;
        account.update(name, |record| fill(record, &trade, filled.complete));
        account.book(trade);
        Ok(())
    }

    fn settle(&mut self, owner: usize, trade: &OwnTrade) {
        let rules = &self.rules[trade.order.0];
        let sign = i128::from(trade.side.sign());
        let (quantity, value) = (
            i128::from(trade.quantity.raw()),
            i128::from(trade.value.raw()),
        );
        let moves = [
            (rules.base, sign * quantity),
            (rules.quote, -sign * value),
            (trade.commission_asset, -i128::from(trade.commission.raw())),
        ];
        for (asset, amount) in moves {
            *self.balances.entry((owner, asset)).or_default() += amount;
        }
    }

    fn locate(&self, order: &OrderKey) -> Option<(usize, OrderName)> {
        let owner = self.owners.get(&order.account)?;
        let symbol = self.symbols.get(&order.symbol)?;
        Some((*owner, (*symbol, order.order_id)))
    }

    fn change(
        &mut self,
        order: &OrderKey,
        change: impl FnOnce(&mut OrderRecord),
    ) -> Result<(), &'static str> {
        if let Some((owner, name)) = self.locate(order) {
            self.accounts[owner].update(name, change);
        }
        Ok(())
    }

    /// The instruments as the venue lists them.
    pub(super) fn listed(&self) -> Vec<Listed> {
        let listed = self
            .rules
            .iter()
            .zip(&self.numbering)
            .zip(&self.last_prices);
        listed
            .map(|((rules, numbering), price)| Listed::new(rules.clone(), *numbering, *price))
            .collect()
    }
}
