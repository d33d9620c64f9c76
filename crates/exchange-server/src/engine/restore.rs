//! Opening the venue: what the ledger remembers becomes balances, open orders, history and
//! numbering again, so that a restarted exchange is the same venue.

use super::{
    accounts::Account,
    listed::{Listed, Numbering},
    observe::{expire, fill},
    order::{
        OrderName, OrderRecord, OrderType, OwnTrade, Status, Terms, parse_expiry, parse_side,
        parse_stp, parse_tif,
    },
    publish::Outbox,
    venue::{Turn, Venue},
};
use crate::{
    config::{Config, ConfigError},
    ledger::{Accepted, Entry, Filled, Ledger, LedgerError, OrderKey, Record},
};
use ploy_domain::{AccountId, Amount, Asset, Bps, Instrument, Price, Quantity, Timestamp};
use ploy_exchange_core::{AccountTerms, ClientId, Command, Exchange, Listing, OrderSize};
use std::collections::{BTreeMap, HashMap};

/// The accounts of the house: one quotes, one takes. They exist in the matching engine only.
pub(crate) const HOUSE: [&str; 2] = ["house-maker", "house-taker"];
/// What each house account is given of each asset on every start, in whole units.
const HOUSE_BALANCE: i64 = 15_000_000_000;
/// Open orders of a house account per instrument; far more than the market ever rests.
const HOUSE_ORDERS_MAX: u32 = 2_000;

/// Why the venue cannot open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The configuration is not sound.
    #[error("the exchange's configuration is not sound")]
    Config(#[from] ConfigError),
    /// The ledger cannot be used.
    #[error("the exchange cannot use its ledger")]
    Ledger(#[from] LedgerError),
    /// A record that fits its form and makes no sense.
    #[error("record {seq} of the exchange's ledger makes no sense: {what}")]
    Record {
        /// Which record.
        seq: u64,
        /// What does not fit.
        what: &'static str,
    },
    /// An open order that the matching engine does not take back.
    #[error("open order {order_id} of {symbol} cannot be restored: {reason}")]
    Order {
        /// Where.
        symbol: String,
        /// Which.
        order_id: u64,
        /// The matching engine's reason.
        reason: ploy_exchange_core::RejectReason,
    },
}

/// What the ledger says, read record by record.
struct Memory {
    symbols: HashMap<String, usize>,
    rules: Vec<Instrument>,
    owners: HashMap<String, usize>,
    accounts: Vec<Account>,
    balances: BTreeMap<(usize, Asset), i128>,
    numbering: Vec<Numbering>,
    last_prices: Vec<Option<Price>>,
    requests: u64,
    failure: Option<OpenError>,
}

impl Venue {
    /// Opens the venue with what its ledger remembers.
    pub(crate) fn open(config: &Config, now: Timestamp) -> Result<Self, OpenError> {
        let rules = config
            .instruments
            .iter()
            .map(crate::config::InstrumentConfig::instrument)
            .collect::<Result<Vec<_>, _>>()?;
        let ids = config
            .accounts
            .iter()
            .map(crate::config::AccountConfig::id)
            .collect::<Result<Vec<_>, _>>()?;
        let core = matching_engine(config, &rules, &ids)?;
        let mut memory = Memory::new(rules, &ids);
        let ledger = Ledger::open(&config.data_dir, |record| memory.read(&record))?;
        if let Some(failure) = memory.failure.take() {
            return Err(failure);
        }
        let mut venue = memory.into_venue(core, (ledger, now), config);
        venue.begin(config, now)?;
        Ok(venue)
    }

    /// First acts of a run: opening balances for new accounts, the house's means, open orders.
    fn begin(&mut self, config: &Config, now: Timestamp) -> Result<(), OpenError> {
        let opened = Entry::Opened {
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let is_new: Vec<_> = self
            .accounts
            .iter()
            .map(|account| account.updated_at)
            .collect();
        self.ledger.append(now, opened);
        for (index, account) in config.accounts.iter().enumerate() {
            if is_new[index] != Timestamp::EPOCH {
                continue;
            }
            for (asset, amount) in account.opening()? {
                self.deposit(index, (asset, amount), now);
            }
        }
        self.fund_house(now);
        self.restore_orders(now)?;
        self.ledger.flush()?;
        self.outbox = Outbox::default();
        Ok(())
    }

    fn deposit(&mut self, account: usize, (asset, amount): (Asset, Amount), now: Timestamp) {
        let entry = Entry::Deposited {
            account: self.accounts[account].id.as_str().to_owned(),
            asset: asset.as_str().to_owned(),
            amount: amount.to_string(),
        };
        self.ledger.append(now, entry);
        self.credit(self.accounts[account].id, (asset, amount), now);
        self.accounts[account].updated_at = now;
    }

    fn credit(&mut self, account: AccountId, (asset, amount): (Asset, Amount), now: Timestamp) {
        let deposit = Command::Deposit {
            account,
            asset,
            amount,
        };
        self.house(&deposit, now);
    }

    fn fund_house(&mut self, now: Timestamp) {
        let amount = Amount::from_int(HOUSE_BALANCE).unwrap_or(Amount::MAX);
        let mut assets: Vec<_> = self
            .listed
            .iter()
            .flat_map(|listed| [listed.rules.base, listed.rules.quote])
            .collect();
        assets.sort_unstable();
        assets.dedup();
        for account in HOUSE.iter().filter_map(|name| AccountId::parse(name).ok()) {
            for asset in &assets {
                self.credit(account, (*asset, amount), now);
            }
        }
    }

    /// Puts the open orders back, those that worked longest first.
    fn restore_orders(&mut self, now: Timestamp) -> Result<(), OpenError> {
        let mut open: Vec<OrderRecord> = self
            .accounts
            .iter()
            .flat_map(|account| account.open_orders().cloned())
            .collect();
        open.sort_by_key(|order| (order.working_at.unwrap_or(order.created_at), order.id));
        for order in open {
            self.restore_order(&order, now)?;
        }
        Ok(())
    }

    fn restore_order(&mut self, order: &OrderRecord, now: Timestamp) -> Result<(), OpenError> {
        let mut remaining = order.terms;
        remaining.size = OrderSize::Base(order.remaining());
        // What rests already may not be refused for taking, and a stop that was triggered is a
        // limit order now.
        if order.is_working() {
            remaining.order_type = OrderType::Limit;
        }
        let command = self.core_order(order.account, &remaining);
        let mut events = Vec::new();
        self.core.handle(&command, now, &mut events);
        for event in &events {
            match event {
                ploy_exchange_core::Event::Accepted(taken) => {
                    let name = order.name();
                    self.by_core
                        .insert((name.0, taken.id), (order.account, name));
                    self.accounts[order.account]
                        .update(name, |record| record.core_id = Some(taken.id));
                }
                ploy_exchange_core::Event::Rejected(rejection) => {
                    return Err(OpenError::Order {
                        symbol: self.listed[order.terms.symbol].symbol.clone(),
                        order_id: order.id,
                        reason: rejection.reason,
                    });
                }
                other => {
                    let mut turn = Turn {
                        now,
                        ..Turn::default()
                    };
                    self.observe(other, &mut turn);
                }
            }
        }
        Ok(())
    }
}

/// The matching engine, with filters only as far as all orders meet them, remainders of restored
/// ones included: smallest quantities and values are checked before it.
fn matching_engine(
    config: &Config,
    rules: &[Instrument],
    ids: &[AccountId],
) -> Result<Exchange, OpenError> {
    let listings = rules.iter().map(|rules| Listing {
        instrument: Instrument {
            quantity_min: rules.lot,
            notional_min: Amount::ZERO,
            ..rules.clone()
        },
        open_orders_max: config.limits.open_orders_max.max(HOUSE_ORDERS_MAX),
    });
    let users = ids.iter().zip(&config.accounts).map(|(id, account)| {
        let (maker_fee, taker_fee) = account.fees();
        AccountTerms {
            id: *id,
            maker_fee,
            taker_fee,
        }
    });
    let house = HOUSE
        .iter()
        .filter_map(|name| AccountId::parse(name).ok())
        .map(|id| AccountTerms {
            id,
            maker_fee: Bps::new(0),
            taker_fee: Bps::new(0),
        });
    let exchange = Exchange::new(listings.collect(), users.chain(house).collect());
    exchange.map_err(|error| OpenError::Config(ConfigError::Exchange(error)))
}

impl Memory {
    fn new(rules: Vec<Instrument>, ids: &[AccountId]) -> Self {
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

    fn read(&mut self, record: &Record) {
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

    fn into_venue(
        self,
        core: Exchange,
        (ledger, now): (Ledger, Timestamp),
        config: &Config,
    ) -> Venue {
        let symbols = self.rules.iter().enumerate();
        let symbols = symbols.map(|(index, rules)| (rules.id, index)).collect();
        let owners = self.accounts.iter().enumerate();
        let owners = owners.map(|(index, account)| (account.id, index)).collect();
        let listed = self
            .rules
            .into_iter()
            .zip(self.numbering)
            .zip(self.last_prices);
        let mut venue = Venue {
            core,
            listed: listed
                .map(|((rules, numbering), price)| Listed::new(rules, numbering, price))
                .collect(),
            accounts: self.accounts,
            limits: config.limits,
            symbols,
            owners,
            by_core: HashMap::new(),
            ledger,
            outbox: Outbox::default(),
            requests: self.requests,
            events: Vec::new(),
        };
        for ((owner, asset), raw) in self.balances {
            let amount = Amount::from_raw(i64::try_from(raw).unwrap_or(0));
            if amount.is_positive() {
                let account = venue.accounts[owner].id;
                venue.credit(account, (asset, amount), now);
            }
        }
        venue
    }
}
