//! Opening the venue: what the ledger remembers becomes balances, open orders, history and
//! numbering again, so that a restarted exchange is the same venue.

use super::{
    memory::Memory,
    order::{OrderRecord, OrderType},
    publish::Outbox,
    venue::{Turn, Venue},
};
use crate::{
    config::{Config, ConfigError},
    ledger::{Entry, Ledger, LedgerError},
};
use ploy_domain::{AccountId, Amount, Asset, Bps, Instrument, Timestamp};
use ploy_exchange_core::{
    AccountTerms, Command, Event, Exchange, Listing, OrderSize, RejectReason,
};
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
        reason: RejectReason,
    },
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
        let listed = memory.listed();
        let symbols = listed.iter().enumerate();
        let owners = ids.iter().enumerate();
        let mut venue = Self {
            core,
            symbols: symbols.map(|(n, listed)| (listed.rules.id, n)).collect(),
            owners: owners.map(|(n, id)| (*id, n)).collect(),
            listed,
            accounts: memory.accounts,
            limits: config.limits,
            by_core: HashMap::new(),
            ledger,
            outbox: Outbox::default(),
            requests: memory.requests,
            events: Vec::new(),
        };
        venue.credit_all(&memory.balances, now);
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
            let opening = account.opening()?.into_iter();
            for deposit in opening.filter(|(_, amount)| amount.is_positive()) {
                self.deposit(index, deposit, now);
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

    /// Gives the accounts what the ledger says they own.
    fn credit_all(&mut self, balances: &BTreeMap<(usize, Asset), i128>, now: Timestamp) {
        for ((owner, asset), raw) in balances {
            // Sums of balances that once fitted the engine fit again.
            let amount = Amount::from_raw(i64::try_from(*raw).unwrap_or(0));
            if amount.is_positive() {
                self.credit(self.accounts[*owner].id, (*asset, amount), now);
            }
        }
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
                Event::Accepted(taken) => {
                    let name = order.name();
                    self.by_core
                        .insert((name.0, taken.id), (order.account, name));
                    self.accounts[order.account]
                        .update(name, |record| record.core_id = Some(taken.id));
                }
                Event::Rejected(rejection) => {
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
