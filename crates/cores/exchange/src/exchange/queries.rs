//! What can be asked of the exchange between commands.

use super::Exchange;
use crate::{
    accounts::Balance, command::OrderRef, config::AccountTerms, market::Market, order::VenueOrder,
};
use ploy_domain::{
    AccountId, Amount, Asset, BookLevel, Instrument, InstrumentId, Price, Quantity, Side, Timestamp,
};

/// The most recent trade of an instrument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastTrade {
    /// Its number; the first is 1.
    pub trade_id: u64,
    /// At which price.
    pub price: Price,
    /// How much.
    pub quantity: Quantity,
    /// The taker's side.
    pub aggressor: Side,
    /// When.
    pub at: Timestamp,
}

/// The best prices of an instrument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Touch {
    /// Best buy level.
    pub bid: Option<BookLevel>,
    /// Best sell level.
    pub ask: Option<BookLevel>,
    /// The last change of the book.
    pub update_id: u64,
}

/// The best levels of an instrument, best first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Depth {
    /// Buy levels.
    pub bids: Vec<BookLevel>,
    /// Sell levels.
    pub asks: Vec<BookLevel>,
    /// The last change of the book.
    pub update_id: u64,
}

impl Exchange {
    fn market(&self, instrument: &InstrumentId) -> Option<&Market> {
        let key = self.names.get(instrument)?;
        self.markets.get(*key as usize)
    }

    /// The rules of an instrument, with its present status.
    #[must_use]
    pub fn instrument(&self, instrument: &InstrumentId) -> Option<&Instrument> {
        self.market(instrument).map(|market| &market.instrument)
    }

    /// All instruments in the order in which they were listed.
    pub fn instruments(&self) -> impl Iterator<Item = &Instrument> + '_ {
        self.markets.iter().map(|market| &market.instrument)
    }

    /// Open orders that one account may have in an instrument.
    #[must_use]
    pub fn open_orders_max(&self, instrument: &InstrumentId) -> Option<u32> {
        self.market(instrument).map(|market| market.open_orders_max)
    }

    /// The accounts in the order in which they were given.
    #[must_use]
    pub fn accounts(&self) -> &[AccountTerms] {
        self.accounts.all_terms()
    }

    /// An open order of an account.
    #[must_use]
    pub fn order(
        &self,
        account: &AccountId,
        instrument: &InstrumentId,
        order: &OrderRef,
    ) -> Option<&VenueOrder> {
        let owner = self.accounts.key(account)?;
        let key = *self.names.get(instrument)?;
        let market = self.markets.get(key as usize)?;
        let id = match order {
            OrderRef::Id(id) => *id,
            OrderRef::Client(name) => {
                let (at, id) = self.clients.find(owner, name)?;
                (at == key).then_some(id)?
            }
        };
        let record = market.orders.get(market.orders.place(id)?);
        (record.owner == owner).then_some(&record.order)
    }

    /// The open orders of an account, in one instrument or in all, oldest first within each.
    pub fn open_orders(
        &self,
        account: &AccountId,
        instrument: Option<&InstrumentId>,
    ) -> impl Iterator<Item = &VenueOrder> + use<'_> {
        let (owner, only) = (self.accounts.key(account), instrument.copied());
        self.markets
            .iter()
            .filter(move |market| only.is_none_or(|id| market.instrument.id == id))
            .flat_map(move |market| owner.into_iter().flat_map(|owner| market.orders.of(owner)))
    }

    /// Up to `levels` levels of each side.
    #[must_use]
    pub fn depth(&self, instrument: &InstrumentId, levels: usize) -> Option<Depth> {
        let market = self.market(instrument)?;
        Some(Depth {
            bids: market.book.depth(Side::Buy).take(levels).collect(),
            asks: market.book.depth(Side::Sell).take(levels).collect(),
            update_id: market.last_update,
        })
    }

    /// The best prices.
    #[must_use]
    pub fn touch(&self, instrument: &InstrumentId) -> Option<Touch> {
        let market = self.market(instrument)?;
        Some(Touch {
            bid: market.book.best(Side::Buy),
            ask: market.book.best(Side::Sell),
            update_id: market.last_update,
        })
    }

    /// The most recent trade, if there was one.
    #[must_use]
    pub fn last_trade(&self, instrument: &InstrumentId) -> Option<LastTrade> {
        self.market(instrument)?.last_trade
    }

    /// What an account has of an asset; nothing of what it never had.
    #[must_use]
    pub fn balance(&self, account: &AccountId, asset: &Asset) -> Balance {
        self.accounts
            .key(account)
            .map_or_else(Balance::default, |key| self.accounts.balance(key, asset))
    }

    /// All balances of an account by asset, zero ones included.
    pub fn balances(&self, account: &AccountId) -> impl Iterator<Item = (Asset, Balance)> + '_ {
        let owner = self.accounts.key(account);
        owner
            .into_iter()
            .flat_map(|owner| self.accounts.balances(owner))
    }

    /// The commissions that the exchange has taken in an asset.
    #[must_use]
    pub fn fees_collected(&self, asset: &Asset) -> Amount {
        self.accounts.fees(asset)
    }
}
