//! An exchange to talk to in words: `buy 2 @ 100 ioc` in, `trade 1: 2 @ 100, maker 1, taker 2` out.

use ploy_domain::{
    AccountId, Amount, Bps, Instrument, InstrumentId, InstrumentStatus, OrderKind, Price, Quantity,
    Session, Side, TimeInForce, Timestamp,
};
use ploy_exchange_core::{
    AccountTerms, AmendOrder, Balance, ClientId, Command, Event, Exchange, ExpiryReason, Listing,
    OrderId, OrderRef, OrderSize, PlaceOrder, RejectReason, StpMode,
};

pub(crate) struct Desk {
    pub(crate) exchange: Exchange,
    pub(crate) events: Vec<Event>,
    placed: u32,
}

pub(crate) fn instrument() -> InstrumentId {
    "BTCUSDT.SIM".parse().unwrap()
}

pub(crate) fn account(name: &str) -> AccountId {
    name.parse().unwrap()
}

pub(crate) fn listing() -> Listing {
    Listing {
        instrument: Instrument {
            id: instrument(),
            base: "BTC".parse().unwrap(),
            quote: "USDT".parse().unwrap(),
            tick: "0.5".parse().unwrap(),
            lot: "0.1".parse().unwrap(),
            quantity_min: "0.2".parse().unwrap(),
            quantity_max: "1000".parse().unwrap(),
            price_min: "1".parse().unwrap(),
            price_max: "10000".parse().unwrap(),
            notional_min: "10".parse().unwrap(),
            notional_max: "100000".parse().unwrap(),
            session: Session::Always,
            status: InstrumentStatus::Trading,
        },
        open_orders_max: 10,
    }
}

pub(crate) fn terms(name: &str, maker: i32, taker: i32) -> AccountTerms {
    AccountTerms {
        id: account(name),
        maker_fee: Bps::new(maker),
        taker_fee: Bps::new(taker),
    }
}

impl Desk {
    /// Alice and Bob with 1000 BTC and 100 000 USDT each, Carol with nothing.
    pub(crate) fn open() -> Self {
        Self::of(listing())
    }

    pub(crate) fn of(listing: Listing) -> Self {
        let accounts = vec![
            terms("alice", 10, 20),
            terms("bob", 10, 20),
            terms("carol", 0, 0),
        ];
        let mut desk = Self {
            exchange: Exchange::new(vec![listing], accounts).unwrap(),
            events: Vec::new(),
            placed: 0,
        };
        for name in ["alice", "bob"] {
            desk.deposit(name, "BTC", "1000");
            desk.deposit(name, "USDT", "100000");
        }
        desk
    }

    pub(crate) fn tell(&mut self, command: Command) -> Vec<String> {
        self.tell_at(command, Timestamp::EPOCH)
    }

    pub(crate) fn tell_at(&mut self, command: Command, now: Timestamp) -> Vec<String> {
        self.events.clear();
        self.exchange.handle(&command, now, &mut self.events);
        self.events.iter().filter_map(words).collect()
    }

    pub(crate) fn deposit(&mut self, name: &str, asset: &str, amount: &str) -> Vec<String> {
        self.tell(Command::Deposit {
            account: account(name),
            asset: asset.parse().unwrap(),
            amount: amount.parse().unwrap(),
        })
    }

    /// Places an order, named `c1`, `c2`, … in turn.
    pub(crate) fn place(&mut self, name: &str, order: &str) -> Vec<String> {
        self.placed += 1;
        let client_id = format!("c{}", self.placed);
        let order = parse(name, &client_id, order);
        self.tell(Command::Place(order))
    }

    pub(crate) fn cancel(&mut self, name: &str, id: u64) -> Vec<String> {
        self.tell(Command::Cancel {
            account: account(name),
            instrument: instrument(),
            order: OrderRef::Id(OrderId::new(id)),
        })
    }

    pub(crate) fn amend(
        &mut self,
        name: &str,
        id: u64,
        quantity: &str,
        price: Option<&str>,
    ) -> Vec<String> {
        self.tell(Command::Amend(AmendOrder {
            account: account(name),
            instrument: instrument(),
            order: OrderRef::Id(OrderId::new(id)),
            quantity: quantity.parse().unwrap(),
            price: price.map(|price| price.parse().unwrap()),
        }))
    }

    pub(crate) fn set_status(&mut self, status: InstrumentStatus) {
        self.tell(Command::SetStatus {
            instrument: instrument(),
            status,
        });
    }

    /// `free/locked`.
    pub(crate) fn balance(&self, name: &str, asset: &str) -> String {
        let Balance { free, locked } = self
            .exchange
            .balance(&account(name), &asset.parse().unwrap());
        format!("{free}/{locked}")
    }

    /// `bids | asks`, best first, each `quantity@price`.
    pub(crate) fn book(&self) -> String {
        let depth = self.exchange.depth(&instrument(), 10).unwrap();
        let side = |levels: Vec<ploy_domain::BookLevel>| {
            let levels = levels.iter().map(|l| format!("{}@{}", l.quantity, l.price));
            levels.collect::<Vec<_>>().join(" ")
        };
        format!("{} | {}", side(depth.bids), side(depth.asks))
    }
}

/// `buy|sell QUANTITY|QUOTEq market|@ PRICE|stop STOP|stop STOP @ PRICE [words]`.
pub(crate) fn parse(name: &str, client_id: &str, text: &str) -> PlaceOrder {
    let mut words = text.split_whitespace();
    let side: Side = words.next().unwrap().parse().unwrap();
    let size = words.next().unwrap();
    let size = match size.strip_suffix('q') {
        Some(quote) => OrderSize::Quote(quote.parse::<Amount>().unwrap()),
        None => OrderSize::Base(size.parse::<Quantity>().unwrap()),
    };
    let (mut stop, mut price, mut post_only): (Option<Price>, Option<Price>, bool) =
        (None, None, false);
    let (mut time_in_force, mut stp) = (TimeInForce::Gtc, StpMode::None);
    while let Some(word) = words.next() {
        match word {
            "market" => {}
            "@" => price = words.next().map(|price| price.parse().unwrap()),
            "stop" => stop = words.next().map(|stop| stop.parse().unwrap()),
            "post_only" => post_only = true,
            "expire_taker" => stp = StpMode::ExpireTaker,
            "expire_maker" => stp = StpMode::ExpireMaker,
            "expire_both" => stp = StpMode::ExpireBoth,
            word => time_in_force = word.parse().unwrap(),
        }
    }
    let kind = match (stop, price) {
        (None, None) => OrderKind::Market,
        (None, Some(price)) => OrderKind::Limit { price, post_only },
        (Some(stop), None) => OrderKind::Stop { stop },
        (Some(stop), Some(price)) => OrderKind::StopLimit { stop, price },
    };
    PlaceOrder {
        account: account(name),
        instrument: instrument(),
        client_id: ClientId::parse(client_id).unwrap(),
        side,
        kind,
        size,
        time_in_force,
        stp,
    }
}

/// What happened, in words; changes of the book and of balances are looked at separately.
fn words(event: &Event) -> Option<String> {
    Some(match event {
        Event::Accepted(order) => format!("accepted {}", order.id),
        Event::Rejected(rejection) => format!("rejected: {}", rejection.reason),
        Event::Trade(trade) => format!(
            "trade {}: {} @ {}, maker {}, taker {}",
            trade.trade_id, trade.quantity, trade.price, trade.maker.order_id, trade.taker.order_id
        ),
        Event::Cancelled(order) => {
            format!("cancelled {} with {} left", order.id, order.remaining())
        }
        Event::Amended {
            order,
            kept_priority,
        } => {
            let place = if *kept_priority { "kept" } else { "lost" };
            format!("amended {} to {}, place {place}", order.id, order.quantity)
        }
        Event::Expired { order, reason } => {
            let left = if *reason == ExpiryReason::SelfTrade {
                order.prevented
            } else {
                order.remaining()
            };
            format!("expired {} with {left} left: {}", order.id, reason.word())
        }
        Event::Triggered(order) => format!("triggered {}", order.id),
        Event::Prevented(p) => {
            format!(
                "prevented {} @ {}, maker {}, taker {}",
                p.quantity, p.price, p.maker, p.taker
            )
        }
        Event::StatusChanged { status, .. } => format!("status {status:?}"),
        Event::BookChanged(_) | Event::BalanceChanged(_) => return None,
    })
}

pub(crate) fn rejected(reason: RejectReason) -> Vec<String> {
    vec![format!("rejected: {reason}")]
}
