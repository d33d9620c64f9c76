//! An order as a person writes it, and what becomes of it: an intent with a derived id.

use super::Fields;
use crate::problem::Problem;
use ploy_domain::{
    AccountId, ClientOrderId, IdempotencyKey, InstrumentId, InstrumentViolation, Intent, Nanos,
    OrderIdParts, OrderKind, Price, Quantity, Side, StrategyId, Symbol, TextError, TimeInForce,
    Timestamp,
};
use ploy_wire::api::MarketView;
use std::str::FromStr;

/// Whose decision the orders of people are; also the origin in their ids.
const ORIGIN: &str = "api";
/// How long after the request an order may still be sent.
const VALIDITY: Nanos = Nanos::from_secs(5);
const DECIMAL: &str = "a decimal above 0 with at most 8 places, such as \"0.5\"";

/// The fields of an order, read and not yet held against its instrument.
#[derive(Debug)]
pub(crate) struct Draft {
    fields: Fields,
    pub(crate) account: Option<AccountId>,
    pub(crate) instrument: Option<Named>,
    side: Option<Side>,
    kind: Option<OrderKind>,
    quantity: Option<Quantity>,
    time_in_force: Option<TimeInForce>,
    reduce_only: bool,
    decision_price: Option<Price>,
}

/// An instrument as a person names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Named {
    /// With its venue.
    Fully(InstrumentId),
    /// By its symbol alone, which has to be unique.
    BySymbol(Symbol),
}

impl FromStr for Named {
    type Err = TextError;
    fn from_str(text: &str) -> Result<Self, TextError> {
        match text.parse() {
            Ok(id) => Ok(Self::Fully(id)),
            Err(_) => text.parse().map(Self::BySymbol),
        }
    }
}

impl std::fmt::Display for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Fully(id) => id.fmt(f),
            Self::BySymbol(symbol) => symbol.fmt(f),
        }
    }
}

/// What the type of an order needs.
#[derive(Clone, Copy)]
enum Shape {
    Market,
    Limit { post_only: bool },
    Stop,
    StopLimit,
}

impl FromStr for Shape {
    type Err = ();
    fn from_str(word: &str) -> Result<Self, ()> {
        match word {
            "market" => Ok(Self::Market),
            "limit" => Ok(Self::Limit { post_only: false }),
            "post_only" => Ok(Self::Limit { post_only: true }),
            "stop" => Ok(Self::Stop),
            "stop_limit" => Ok(Self::StopLimit),
            _ => Err(()),
        }
    }
}

impl Draft {
    /// Reads the fields.
    pub(crate) fn read(mut fields: Fields) -> Self {
        let account = fields.optional("account", "an account such as main");
        let instrument = fields.required(
            "instrument",
            "SYMBOL.VENUE such as BTCUSDT.SIM, or a symbol that only one venue has",
        );
        let side = fields.required("side", "buy or sell");
        let shape = fields.required("type", "market, limit, post_only, stop or stop_limit");
        let quantity = positive(&mut fields, "quantity", Quantity::is_positive);
        let kind = kind(&mut fields, shape);
        let default = match shape {
            Some(Shape::Market) => TimeInForce::Ioc,
            Some(Shape::Limit { .. } | Shape::Stop | Shape::StopLimit) | None => TimeInForce::Gtc,
        };
        let time_in_force = fields.optional("time_in_force", "gtc, ioc, fok or day");
        let reduce_only = fields.flag("reduce_only");
        Self {
            account,
            instrument,
            side,
            kind,
            quantity,
            time_in_force: Some(time_in_force.unwrap_or(default)),
            reduce_only,
            decision_price: None,
            fields,
        }
    }

    /// Holds quantity and prices against the rules of the instrument, and notes at which price the
    /// person decided: the best one that the order could meet now.
    pub(crate) fn check(&mut self, market: &MarketView) {
        let instrument = &market.instrument;
        let met = match self.side {
            Some(Side::Buy) => market.ask,
            Some(Side::Sell) => market.bid,
            None => None,
        };
        self.decision_price = met.map(|level| level.price).or(market.last_price);
        if let Some(quantity) = self.quantity {
            self.note(instrument.check_quantity(quantity));
        }
        if let Some(price) = self.kind.and_then(|kind| kind.limit_price()) {
            self.note(instrument.check_price("price", price));
        }
        if let Some(stop) = self.kind.and_then(|kind| kind.stop_price()) {
            self.note(instrument.check_price("stop_price", stop));
        }
    }

    /// Notes that nobody knows the instrument, or that several venues have it.
    pub(crate) fn refuse_instrument(&mut self, named: Named, bound: String) {
        self.fields.refuse::<()>("instrument", Some(named), bound);
    }

    fn note(&mut self, checked: Result<(), InstrumentViolation>) {
        if let Err(violation) = checked {
            let (field, value, bound) = told(&violation);
            self.fields.refuse::<()>(field, Some(value), bound);
        }
    }

    /// The intent, with an id that is always the same for the same account and key.
    ///
    /// # Errors
    /// A problem with every mistake that was noted.
    pub(crate) fn finish(
        self,
        terms: &Terms<'_>,
        id: Option<InstrumentId>,
    ) -> Result<Intent, Problem> {
        self.fields.finish()?;
        let complete = || {
            let account = self.account.unwrap_or(terms.account);
            let order_id = ClientOrderId::derive(&OrderIdParts {
                prefix: terms.prefix,
                account: &account,
                origin: ORIGIN,
                decision: terms.key.as_str(),
                leg: 0,
            });
            Some(Intent {
                order_id,
                account,
                strategy: StrategyId::parse(ORIGIN).ok()?,
                instrument: id?,
                side: self.side?,
                kind: self.kind?,
                quantity: self.quantity?,
                time_in_force: self.time_in_force?,
                reduce_only: self.reduce_only,
                decision_price: self.decision_price,
                created_at: terms.now,
                valid_until: terms.now.plus(VALIDITY),
            })
        };
        // Whatever is missing was noted as a mistake when it was read.
        complete()
            .ok_or_else(|| Problem::new(crate::problem::Kind::Internal, "the order is incomplete"))
    }
}

/// What an order gets besides what the person wrote.
#[derive(Debug)]
pub(crate) struct Terms<'a> {
    /// The account of orders that name none.
    pub(crate) account: AccountId,
    /// The first two characters of every id.
    pub(crate) prefix: [u8; 2],
    /// What makes the order unique.
    pub(crate) key: &'a IdempotencyKey,
    /// The time of the request.
    pub(crate) now: Timestamp,
}

fn kind(fields: &mut Fields, shape: Option<Shape>) -> Option<OrderKind> {
    let Some(shape) = shape else {
        // Which prices belong to it is not known, only that they are prices.
        let _: [Option<Price>; 2] =
            ["price", "stop_price"].map(|name| fields.optional(name, DECIMAL));
        return None;
    };
    match shape {
        Shape::Market => {
            let absent = absent(fields, "price") & absent(fields, "stop_price");
            absent.then_some(OrderKind::Market)
        }
        Shape::Limit { post_only } => {
            let price = positive(fields, "price", Price::is_positive);
            let absent = absent(fields, "stop_price");
            let price = price.filter(|_| absent)?;
            Some(OrderKind::Limit { price, post_only })
        }
        Shape::Stop => {
            let stop = positive(fields, "stop_price", Price::is_positive);
            let absent = absent(fields, "price");
            let stop = stop.filter(|_| absent)?;
            Some(OrderKind::Stop { stop })
        }
        Shape::StopLimit => {
            let price = positive(fields, "price", Price::is_positive);
            let stop = positive(fields, "stop_price", Price::is_positive);
            Some(OrderKind::StopLimit {
                stop: stop?,
                price: price?,
            })
        }
    }
}

fn positive<T: FromStr + ToString + Copy>(
    fields: &mut Fields,
    name: &'static str,
    is_positive: fn(T) -> bool,
) -> Option<T> {
    let value: T = fields.required(name, DECIMAL)?;
    if is_positive(value) {
        Some(value)
    } else {
        fields.refuse(name, Some(value.to_string()), DECIMAL)
    }
}

fn absent(fields: &mut Fields, name: &'static str) -> bool {
    let given: Option<String> = fields.optional(name, "no such field");
    if let Some(value) = &given {
        fields.refuse::<()>(
            name,
            Some(value),
            "nothing; the order type has no such price",
        );
    }
    given.is_none()
}

/// The field, value and bound of a broken rule.
fn told(violation: &InstrumentViolation) -> (&'static str, String, String) {
    match violation {
        InstrumentViolation::QuantityNotPositive { was } => {
            ("quantity", was.to_string(), "above 0".to_owned())
        }
        InstrumentViolation::OffLot { lot, was } => {
            ("quantity", was.to_string(), format!("a multiple of {lot}"))
        }
        InstrumentViolation::QuantityOutOfRange { min, max, was } => {
            ("quantity", was.to_string(), format!("{min} to {max}"))
        }
        InstrumentViolation::OffTick { field, tick, was } => {
            (field, was.to_string(), format!("a multiple of {tick}"))
        }
        InstrumentViolation::PriceOutOfRange {
            field,
            min,
            max,
            was,
        } => (field, was.to_string(), format!("{min} to {max}")),
        InstrumentViolation::NotionalOutOfRange { min, max, was } => (
            "quantity",
            was.to_string(),
            format!("an order value of {min} to {max}"),
        ),
        InstrumentViolation::NotionalOverflow(_) => (
            "quantity",
            String::new(),
            "an order value that can be computed".to_owned(),
        ),
    }
}
