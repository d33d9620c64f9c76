//! The raw book: orders in price-time priority. It decides who is next and how much rests where;
//! who may trade, what it costs and when an order ends is left to [`crate::Exchange`].

use crate::{
    chains::{Chains, List},
    command::OrderId,
    index::Index,
    ladder::Ladder,
};
use ploy_domain::{BookLevel, Price, Quantity, Side};

/// An order in the book.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resting {
    /// Its number, unique in the book.
    pub id: OrderId,
    /// A mark of the caller's, such as the account; the book only keeps it.
    pub owner: u32,
    /// Buy or sell.
    pub side: Side,
    /// Its price.
    pub price: Price,
    /// What is left of it, above zero.
    pub quantity: Quantity,
}

/// An order that takes what the other side offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taker {
    /// Buy or sell.
    pub side: Side,
    /// The worst price; `None` takes any.
    pub limit: Option<Price>,
    /// How much.
    pub quantity: Quantity,
}

impl Taker {
    /// Whether it may trade at `price`.
    #[must_use]
    pub fn accepts(&self, price: Price) -> bool {
        match (self.limit, self.side) {
            (None, _) => true,
            (Some(limit), Side::Buy) => price <= limit,
            (Some(limit), Side::Sell) => price >= limit,
        }
    }
}

/// A resting order was executed, in part or in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fill {
    /// The resting order as it is now; with quantity zero it has left the book.
    pub maker: Resting,
    /// How much was executed.
    pub quantity: Quantity,
    /// All that still rests at its price.
    pub level: Quantity,
}

/// Why an order was not added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BookError {
    /// Nothing rests with no quantity.
    #[error("order {0} has no quantity above zero")]
    QuantityNotPositive(OrderId),
    /// The number is in the book already.
    #[error("order {0} is in the book already")]
    Duplicate(OrderId),
    /// The sum of all quantities at the price does not fit.
    #[error("order {id} overflows the quantity at {price}")]
    LevelOverflow {
        /// Which order.
        id: OrderId,
        /// Where.
        price: Price,
    },
}

#[derive(Debug, Clone, Copy)]
struct Node {
    order: Resting,
    level: u32,
}

#[derive(Debug, Clone, Copy)]
struct Level {
    price: Price,
    quantity: Quantity,
    queue: List,
}

/// The book of one instrument. Adding and removing cost the same whatever happened before; a
/// removal by number, the best level and the next order in line are found without searching.
///
/// [`OrderBook::add`] rests an order without matching it: an auction may cross, so crossing is
/// the caller's decision.
#[derive(Debug, Clone)]
pub struct OrderBook {
    nodes: Chains<Node>,
    by_id: Index,
    levels: Vec<Level>,
    free_levels: Vec<u32>,
    bids: Ladder,
    asks: Ladder,
}

impl Default for OrderBook {
    fn default() -> Self {
        Self::with_capacity(1024)
    }
}

impl OrderBook {
    /// An empty book that holds `orders` orders before it allocates again.
    #[must_use]
    pub fn with_capacity(orders: usize) -> Self {
        Self {
            nodes: Chains::with_capacity(orders),
            by_id: Index::with_capacity(orders),
            levels: Vec::new(),
            free_levels: Vec::new(),
            bids: Ladder::new(Side::Buy),
            asks: Ladder::new(Side::Sell),
        }
    }

    const fn ladder(&self, side: Side) -> &Ladder {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }

    const fn ladder_mut(&mut self, side: Side) -> &mut Ladder {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }

    /// Puts `order` at the end of the queue at its price. Answers all that rests there now.
    ///
    /// # Errors
    /// [`BookError`]; the book is then unchanged.
    pub fn add(&mut self, order: Resting) -> Result<Quantity, BookError> {
        let id = order.id;
        if !order.quantity.is_positive() {
            return Err(BookError::QuantityNotPositive(id));
        }
        if self.place(id).is_some() {
            return Err(BookError::Duplicate(id));
        }
        let at = match self.ladder(order.side).find(order.price) {
            Some(at) => at,
            None => self.new_level(order.side, order.price),
        };
        let level = &mut self.levels[at as usize];
        // A new level is empty and cannot overflow, so a failure leaves none behind.
        let Ok(total) = level.quantity.plus(order.quantity) else {
            let price = order.price;
            return Err(BookError::LevelOverflow { id, price });
        };
        level.quantity = total;
        let node = Node { order, level: at };
        let place = self.nodes.push_back(&mut level.queue, node);
        self.by_id.insert(id.get(), place);
        Ok(total)
    }

    fn new_level(&mut self, side: Side, price: Price) -> u32 {
        let level = Level {
            price,
            quantity: Quantity::ZERO,
            queue: List::EMPTY,
        };
        let at = match self.free_levels.pop() {
            Some(at) => {
                self.levels[at as usize] = level;
                at
            }
            None => {
                self.levels.push(level);
                (self.levels.len() - 1) as u32
            }
        };
        self.ladder_mut(side).insert(price, at);
        at
    }

    fn place(&self, id: OrderId) -> Option<u32> {
        self.by_id.find(id.get(), |_| true)
    }

    /// Takes an order out. Answers it, and all that still rests at its price.
    pub fn cancel(&mut self, id: OrderId) -> Option<(Resting, Quantity)> {
        let place = self.by_id.remove(id.get(), |_| true)?;
        let Node { order, level } = *self.nodes.get(place);
        let level = self.take_out(place, level, order.quantity);
        Some((order, level))
    }

    /// Unchains a node whose number is out of the index already.
    fn take_out(&mut self, place: u32, at: u32, quantity: Quantity) -> Quantity {
        let level = &mut self.levels[at as usize];
        let Node { order, .. } = self.nodes.remove(&mut level.queue, place);
        level.quantity = less(level.quantity, quantity);
        let left = level.quantity;
        if level.queue.is_empty() {
            self.free_levels.push(at);
            self.ladder_mut(order.side).remove(order.price);
        }
        left
    }

    /// Takes `by` off an order, which keeps its place in the queue and leaves the book when
    /// nothing is left. Answers it as it is now, and all that still rests at its price.
    pub fn reduce(&mut self, id: OrderId, by: Quantity) -> Option<(Resting, Quantity)> {
        let place = self.place(id)?;
        let fill = self.shrink(place, by);
        Some((fill.maker, fill.level))
    }

    /// Executes up to `quantity` of the first order of `side`.
    pub fn fill_first(&mut self, side: Side, quantity: Quantity) -> Option<Fill> {
        let at = self.ladder(side).best()?;
        let place = self.levels[at as usize].queue.head()?;
        Some(self.shrink(place, quantity))
    }

    fn shrink(&mut self, place: u32, by: Quantity) -> Fill {
        let node = self.nodes.get_mut(place);
        let quantity = node.order.quantity.min(by);
        node.order.quantity = less(node.order.quantity, quantity);
        let Node { order, level: at } = *node;
        let level = if order.quantity.is_zero() {
            self.by_id.remove(order.id.get(), |_| true);
            self.take_out(place, at, quantity)
        } else {
            let level = &mut self.levels[at as usize];
            level.quantity = less(level.quantity, quantity);
            level.quantity
        };
        Fill {
            maker: order,
            quantity,
            level,
        }
    }

    /// Executes `taker` against the other side, best price and oldest order first, telling `fill`
    /// of each step. Answers what is left of it.
    pub fn take(&mut self, taker: Taker, mut fill: impl FnMut(&Fill)) -> Quantity {
        let mut left = taker.quantity;
        while left.is_positive()
            && let Some(best) = self.best(taker.side.opposite())
            && taker.accepts(best.price)
            && let Some(done) = self.fill_first(taker.side.opposite(), left)
        {
            left = less(left, done.quantity);
            fill(&done);
        }
        left
    }

    /// An order in the book.
    #[must_use]
    pub fn get(&self, id: OrderId) -> Option<&Resting> {
        self.place(id).map(|place| &self.nodes.get(place).order)
    }

    /// The best level of `side`.
    #[must_use]
    pub fn best(&self, side: Side) -> Option<BookLevel> {
        self.ladder(side).best().map(|at| self.shown(at))
    }

    /// The order of `side` that trades next.
    #[must_use]
    pub fn first(&self, side: Side) -> Option<&Resting> {
        let at = self.ladder(side).best()?;
        let place = self.levels[at as usize].queue.head()?;
        Some(&self.nodes.get(place).order)
    }

    /// The levels of `side`, best first.
    pub fn depth(&self, side: Side) -> impl Iterator<Item = BookLevel> + '_ {
        self.ladder(side).iter().map(|at| self.shown(at))
    }

    /// The orders of `side` in the order in which they would trade.
    pub fn queue(&self, side: Side) -> impl Iterator<Item = &Resting> + '_ {
        let levels = self.ladder(side).iter();
        levels
            .flat_map(|at| self.nodes.iter(&self.levels[at as usize].queue))
            .map(|node| &node.order)
    }

    fn shown(&self, at: u32) -> BookLevel {
        let Level {
            price, quantity, ..
        } = self.levels[at as usize];
        BookLevel { price, quantity }
    }
}

/// `from − part` where `part` is a part of `from`.
const fn less(from: Quantity, part: Quantity) -> Quantity {
    Quantity::from_raw(from.raw() - part.raw())
}
