//! The venue: the matching core with other people's orders around ours, its own record of
//! everything it was asked and did, and its slowness to show what it has done.

use super::dice::Dice;
use crate::translate;
use ploy_domain::{
    AccountId, Amount, Asset, ClientOrderId, Instrument, InstrumentId, Intent, MarketEvent, Nanos,
    OrderKind, Price, Quantity, Quote, Reason, ReasonCode, Side, TimeInForce, Timestamp, Trade,
};
use ploy_exchange_core::{
    AccountTerms, ClientId, Command, Event, Exchange, Listing, OrderId, OrderRef, OrderSize,
    PlaceOrder, StpMode, VenueOrder as BookOrder,
};
use ploy_orders_core::{CancelOutcome, Report, SendOutcome, VenueFill, VenueStatus};
use std::collections::BTreeMap;

/// How long the venue may take to show what it has done, as it declares: longer than an order call
/// may take, so that a doubtful order can be one that is not shown yet.
pub(crate) const VISIBILITY_LAG: Nanos = Nanos::from_secs(8);
/// A request that is older when it arrives is refused (the receive window of a signed request).
const RECEIVE_WINDOW: Nanos = Nanos::from_secs(2);
const OPEN_ORDERS_MAX: u32 = 500;
/// Price levels of the house on either side.
const LEVELS: i64 = 4;

/// An order of ours, as the venue knows it.
#[derive(Debug, Clone)]
pub(crate) struct Truth {
    pub(crate) order: BookOrder,
    pub(crate) status: VenueStatus,
    pub(crate) accepted_at: Timestamp,
}

/// What one command led to.
#[derive(Debug, Default)]
pub(crate) struct Happening {
    /// What the private stream says about it.
    pub(crate) reports: Vec<Report>,
    /// What everybody can see of it.
    pub(crate) market: Vec<MarketEvent>,
}

/// The venue and its record.
#[derive(Debug)]
pub(crate) struct Venue {
    pub(crate) exchange: Exchange,
    pub(crate) account: AccountId,
    house: AccountId,
    crowd: AccountId,
    mids: BTreeMap<InstrumentId, i64>,
    names: u64,
    events: Vec<Event>,
    /// New-order requests as they arrived, by the client's name of the order.
    pub(crate) received: BTreeMap<ClientOrderId, u32>,
    /// Orders of ours, by instrument and number.
    pub(crate) orders: BTreeMap<(InstrumentId, OrderId), Truth>,
    /// Executions of ours, in their order.
    pub(crate) fills: Vec<VenueFill>,
}

impl Venue {
    pub(crate) fn open(account: AccountId, instruments: &[Instrument]) -> Option<Self> {
        let house = AccountId::parse("house").ok()?;
        let crowd = AccountId::parse("crowd").ok()?;
        let listings = instruments.iter().map(|instrument| Listing {
            instrument: instrument.clone(),
            open_orders_max: OPEN_ORDERS_MAX,
        });
        let free = ploy_domain::Bps::ZERO;
        let terms = |id, fee| AccountTerms {
            id,
            maker_fee: fee,
            taker_fee: fee,
        };
        let accounts = vec![
            terms(account, ploy_domain::Bps::new(10)),
            terms(house, free),
            terms(crowd, free),
        ];
        let mut venue = Self {
            exchange: Exchange::new(listings.collect(), accounts).ok()?,
            account,
            house,
            crowd,
            mids: instruments.iter().map(|i| (i.id, 10_000)).collect(),
            names: 0,
            events: Vec::new(),
            received: BTreeMap::new(),
            orders: BTreeMap::new(),
            fills: Vec::new(),
        };
        for instrument in instruments {
            for asset in [instrument.base, instrument.quote] {
                venue.fund(asset);
            }
        }
        Some(venue)
    }

    fn fund(&mut self, asset: Asset) {
        let plenty = Amount::from_raw(i64::MAX / 8);
        let some = Amount::from_raw(100_000 * ploy_domain::SCALE);
        for (account, amount) in [
            (self.account, some),
            (self.house, plenty),
            (self.crowd, plenty),
        ] {
            let deposit = Command::Deposit {
                account,
                asset,
                amount,
            };
            self.exchange
                .handle(&deposit, Timestamp::EPOCH, &mut self.events);
        }
        self.events.clear();
    }

    /// A new order arrives, signed at `signed_at`.
    pub(crate) fn place(
        &mut self,
        intent: &Intent,
        signed_at: Timestamp,
        now: Timestamp,
    ) -> (SendOutcome, Happening) {
        if now - signed_at > RECEIVE_WINDOW {
            let reason = Reason::new(ReasonCode::VenueRefused, "outside of the receive window");
            return (SendOutcome::Refused(reason), Happening::default());
        }
        *self.received.entry(intent.order_id).or_default() += 1;
        let Ok(client_id) = ClientId::parse(intent.order_id.as_str()) else {
            let reason = Reason::bare(ReasonCode::VenueRefused);
            return (SendOutcome::Refused(reason), Happening::default());
        };
        let order = PlaceOrder {
            account: self.account,
            instrument: intent.instrument,
            client_id,
            side: intent.side,
            kind: intent.kind,
            size: OrderSize::Base(intent.quantity),
            time_in_force: intent.time_in_force,
            stp: StpMode::ExpireTaker,
        };
        self.events.clear();
        self.exchange
            .handle(&Command::Place(order), now, &mut self.events);
        let outcome = translate::placed(&self.events, &client_id, now);
        (outcome, self.happened(now))
    }

    /// A cancel arrives.
    pub(crate) fn cancel(
        &mut self,
        (order_id, instrument): (ClientOrderId, InstrumentId),
        now: Timestamp,
    ) -> (CancelOutcome, Happening) {
        self.events.clear();
        let Ok(client_id) = ClientId::parse(order_id.as_str()) else {
            let reason = Reason::bare(ReasonCode::VenueRefused);
            return (CancelOutcome::Refused(reason), Happening::default());
        };
        let cancel = Command::Cancel {
            account: self.account,
            instrument,
            order: OrderRef::Client(client_id),
        };
        self.exchange.handle(&cancel, now, &mut self.events);
        let outcome = translate::cancelled(&self.events, now);
        (outcome, self.happened(now))
    }

    /// Other people trade: prices move, and what rests of ours may be filled.
    pub(crate) fn others_trade(
        &mut self,
        instrument: &Instrument,
        dice: &mut Dice,
        now: Timestamp,
    ) -> Happening {
        self.events.clear();
        let mid = self.mids.entry(instrument.id).or_insert(10_000);
        let step = i64::try_from(dice.below(9)).unwrap_or_default() - 4;
        *mid = (*mid + step).clamp(9_800, 10_200);
        let mid = *mid;
        for account in [self.house, self.crowd] {
            let cancel = Command::CancelAll {
                account,
                instrument: instrument.id,
            };
            self.exchange.handle(&cancel, now, &mut self.events);
        }
        for level in 1..=LEVELS {
            for side in [Side::Buy, Side::Sell] {
                let ticks = mid - side.sign() * level * 2;
                let lots = 20 + i64::try_from(dice.below(60)).unwrap_or_default();
                self.other(self.house, instrument, (side, Some(ticks), lots), now);
            }
        }
        let side = if dice.below(2) == 0 {
            Side::Buy
        } else {
            Side::Sell
        };
        let lots = 1 + i64::try_from(dice.below(150)).unwrap_or_default();
        self.other(self.crowd, instrument, (side, None, lots), now);
        self.happened(now)
    }

    /// An order of somebody else: at a price in ticks, or at any.
    fn other(
        &mut self,
        account: AccountId,
        instrument: &Instrument,
        (side, ticks, lots): (Side, Option<i64>, i64),
        now: Timestamp,
    ) {
        self.names += 1;
        let Ok(client_id) = ClientId::parse(&format!("x{}", self.names)) else {
            return;
        };
        let kind = ticks.map_or(OrderKind::Market, |ticks| OrderKind::Limit {
            price: Price::from_raw(ticks * instrument.tick.raw()),
            post_only: false,
        });
        let order = PlaceOrder {
            account,
            instrument: instrument.id,
            client_id,
            side,
            kind,
            size: OrderSize::Base(Quantity::from_raw(lots * instrument.lot.raw())),
            time_in_force: TimeInForce::Gtc,
            stp: StpMode::None,
        };
        self.exchange
            .handle(&Command::Place(order), now, &mut self.events);
    }

    /// Writes down what the last command did to orders of ours, and says it.
    fn happened(&mut self, now: Timestamp) -> Happening {
        let events = std::mem::take(&mut self.events);
        let mut happening = Happening::default();
        let mut touched = std::collections::BTreeSet::new();
        for event in &events {
            match event {
                Event::Accepted(order) => self.noted(order, VenueStatus::Working, &mut happening),
                Event::Triggered(order) => {
                    self.noted(order, VenueStatus::Triggered, &mut happening);
                }
                Event::Cancelled(order) => {
                    let reason = Reason::bare(ReasonCode::CancelRequested);
                    self.noted(order, VenueStatus::Cancelled(reason), &mut happening);
                }
                Event::Expired { order, reason } => {
                    let status = VenueStatus::Expired(translate::expired(*reason));
                    self.noted(order, status, &mut happening);
                }
                Event::Trade(trade) => {
                    for party in [&trade.maker, &trade.taker] {
                        if party.account == self.account {
                            let fill = translate::fill(trade, party, now);
                            happening.reports.extend(fill.clone().map(Report::Fill));
                            self.fills.extend(fill);
                            let key = (trade.instrument, party.order_id);
                            if let Some(truth) = self.orders.get_mut(&key) {
                                truth.order.executed = party.executed;
                                if party.remaining.is_zero() {
                                    truth.status = VenueStatus::Filled;
                                }
                            }
                        }
                    }
                    touched.insert(trade.instrument);
                    happening.market.push(MarketEvent::Trade(Trade {
                        instrument: trade.instrument,
                        price: trade.price,
                        quantity: trade.quantity,
                        aggressor: trade.aggressor,
                        venue_trade_id: trade.trade_id,
                        ts_event: now,
                        ts_receive: now,
                    }));
                }
                Event::BookChanged(change) => {
                    touched.insert(change.instrument);
                }
                _ => {}
            }
        }
        let quotes = touched.iter().filter_map(|id| self.quote(id, now));
        happening.market.extend(quotes.map(MarketEvent::Quote));
        happening
    }

    fn noted(&mut self, order: &BookOrder, status: VenueStatus, happening: &mut Happening) {
        if order.account != self.account {
            return;
        }
        let at = order.updated_at;
        let told = translate::standing(order, status.clone(), at);
        happening.reports.extend(told.map(Report::Order));
        let accepted_at = order.created_at;
        let truth = Truth {
            order: *order,
            status,
            accepted_at,
        };
        self.orders.insert((order.instrument, order.id), truth);
    }

    fn quote(&self, id: &InstrumentId, now: Timestamp) -> Option<Quote> {
        let touch = self.exchange.touch(id)?;
        Some(Quote {
            instrument: *id,
            bid: touch.bid,
            ask: touch.ask,
            update_id: touch.update_id,
            ts_event: now,
            ts_receive: now,
        })
    }
}
