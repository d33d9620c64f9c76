//! Load as clients make it: orders at a steady rate through the gateway, each with a key of its own,
//! repeated with the same key when there is no clear answer, and some of them cancelled again.

use crate::{
    api::{Answer, Api},
    chance::Chance,
};
use anyhow::Result;
use ploy_domain::{Price, Quantity};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    task::{JoinHandle, JoinSet},
    time::{Instant, MissedTickBehavior, interval, sleep, sleep_until},
};

/// How often a request is repeated with its key, and the pause before it.
const ATTEMPTS: u32 = 8;
const PAUSE: Duration = Duration::from_millis(400);

/// An instrument that is traded: lot and size of the smallest order in lots, as raw numbers.
struct Traded {
    instrument: &'static str,
    lot: i64,
    lots_min: u64,
}

/// Orders of about 10 to 50 USDT.
const TRADED: [Traded; 3] = [
    Traded {
        instrument: "BTCUSDT.SIM",
        lot: 1_000,
        lots_min: 20,
    },
    Traded {
        instrument: "ETHUSDT.SIM",
        lot: 10_000,
        lots_min: 40,
    },
    Traded {
        instrument: "SOLUSDT.SIM",
        lot: 100_000,
        lots_min: 90,
    },
];

/// What became of the load.
#[derive(Debug, Clone, Default)]
pub struct Answers {
    /// Orders that were answered as taken, whatever became of them later.
    pub taken: Vec<String>,
    /// Orders that were refused, by the first reason.
    pub refused: BTreeMap<String, usize>,
    /// Orders without any clear answer after all repetitions.
    pub unanswered: usize,
    /// Cancels that were taken.
    pub cancels: usize,
}

impl fmt::Display for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (taken, cancels, unanswered) = (self.taken.len(), self.cancels, self.unanswered);
        write!(f, "{taken} orders taken, {cancels} cancels taken, ")?;
        write!(f, "{unanswered} unanswered, refused: {:?}", self.refused)
    }
}

type Shared = Arc<Mutex<Answers>>;

fn note(shared: &Shared, with: impl FnOnce(&mut Answers)) {
    with(&mut shared.lock().unwrap_or_else(PoisonError::into_inner));
}

/// A load that runs beside the test.
#[derive(Debug)]
pub struct Load(JoinHandle<Answers>);

impl Load {
    /// Sends `per_second` orders for `span`.
    #[must_use]
    pub fn start(api: &Api, seed: u64, per_second: u32, span: Duration) -> Self {
        Self(tokio::spawn(run(api.clone(), seed, per_second, span)))
    }

    /// Waits until the last order was answered or given up.
    ///
    /// # Errors
    /// When the load itself failed.
    pub async fn answers(self) -> Result<Answers> {
        Ok(self.0.await?)
    }
}

async fn run(api: Api, seed: u64, per_second: u32, span: Duration) -> Answers {
    let (shared, mut chance) = (Shared::default(), Chance::new(seed));
    let (mut requests, mut prices) = (JoinSet::new(), BTreeMap::new());
    let mut ticks = interval(Duration::from_secs(1) / per_second);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let end = Instant::now() + span;
    let mut prices_at = Instant::now();
    for n in 0_u64.. {
        ticks.tick().await;
        if Instant::now() >= end {
            break;
        }
        if Instant::now() >= prices_at {
            prices_at = Instant::now() + Duration::from_secs(1);
            // While the gateway does not know, the prices of a moment ago are good enough.
            if let Ok(answer) = api.get("/api/markets").await {
                learn(&mut prices, answer.items());
            }
        }
        let Some(order) = order(&mut chance, &prices) else {
            continue;
        };
        let client = Client {
            api: api.clone(),
            key: format!("load-{seed}-{n}"),
            shared: Arc::clone(&shared),
        };
        // Most of what rests is taken back a moment later; some stays, but less than limits allow.
        let cancel_after = (chance.among(0..16) > 0).then(|| chance.millis(50..1_500));
        requests.spawn(client.trade(order, cancel_after));
        while requests.try_join_next().is_some() {}
    }
    // Requests under way may be in the middle of their repetitions.
    let patience = Instant::now() + PAUSE * ATTEMPTS * 4;
    tokio::select! {
        () = async { while requests.join_next().await.is_some() {} } => {}
        () = sleep_until(patience) => requests.shutdown().await,
    }
    let answers = shared.lock().unwrap_or_else(PoisonError::into_inner);
    answers.clone()
}

fn learn(prices: &mut BTreeMap<String, Price>, markets: &[Value]) {
    for market in markets {
        let price = market["last_price"].as_str().and_then(|p| p.parse().ok());
        if let (Some(instrument), Some(price)) = (market["instrument"].as_str(), price) {
            prices.insert(instrument.to_owned(), price);
        }
    }
}

/// An order of one of four kinds: crossing the spread at once in two ways, resting, or as a stop.
fn order(chance: &mut Chance, prices: &BTreeMap<String, Price>) -> Option<Value> {
    let traded = chance.one_of(&TRADED)?;
    let last = prices.get(traded.instrument)?;
    let lots = traded.lots_min + chance.among(0..traded.lots_min * 4);
    let quantity = Quantity::from_raw(traded.lot * i64::try_from(lots).ok()?);
    let buys = chance.among(0..2) == 0;
    let mut order = json!({
        "instrument": traded.instrument,
        "side": if buys { "buy" } else { "sell" },
        "quantity": quantity.to_string(),
    });
    let away = i64::try_from(chance.among(50..250)).ok()?;
    let (kind, away, time_in_force) = match chance.among(0..10) {
        0..4 => ("limit", away, "ioc"),
        4..6 => ("limit", away, "gtc"),
        _ => ("limit", -away, "gtc"),
    };
    // Above the market a buyer takes, below it he waits; a seller the other way round.
    let shift = if buys { away } else { -away };
    let raw = last.raw() + last.raw() / 10_000 * shift;
    // Prices are in whole cents.
    order["price"] = Price::from_raw(raw / 1_000_000 * 1_000_000)
        .to_string()
        .into();
    order["type"] = kind.into();
    order["time_in_force"] = time_in_force.into();
    Some(order)
}

/// The first reason of a refusal; that risk is away says why.
fn reason(answer: &Answer) -> String {
    let reason = &answer.body["reasons"][0];
    match reason["code"].as_str() {
        Some("RISK_UNAVAILABLE") => answer.text("detail").to_owned(),
        Some(code) => code.to_owned(),
        None => answer.text("type").to_owned(),
    }
}

/// One client with one order.
struct Client {
    api: Api,
    key: String,
    shared: Shared,
}

impl Client {
    async fn trade(self, order: Value, cancel_after: Option<Duration>) {
        let Some(order_id) = self.place(&order).await else {
            return;
        };
        if let Some(after) = cancel_after
            && order["time_in_force"] == "gtc"
        {
            sleep(after).await;
            self.take_back(&order_id).await;
        }
    }

    /// Places the order; asks again with the same key as long as the answer is not clear.
    async fn place(&self, order: &Value) -> Option<String> {
        for _ in 0..ATTEMPTS {
            let answer = match self.api.order(&self.key, order).await {
                Ok(answer) => answer,
                Err(_) => {
                    sleep(PAUSE).await;
                    continue;
                }
            };
            match answer.status {
                // Nobody knows; the same key brings the answer as soon as somebody does.
                202 if answer.text("state") == "unknown" => sleep(PAUSE).await,
                200..300 => {
                    let order_id = answer.text("order_id").to_owned();
                    note(&self.shared, |all| all.taken.push(order_id.clone()));
                    return Some(order_id);
                }
                400..500 if answer.status != 429 => {
                    let reason = reason(&answer);
                    note(&self.shared, |all| {
                        *all.refused.entry(reason).or_default() += 1
                    });
                    return None;
                }
                _ => sleep(PAUSE).await,
            }
        }
        note(&self.shared, |all| all.unanswered += 1);
        None
    }

    async fn take_back(&self, order_id: &str) {
        let key = format!("{}-c", self.key);
        for _ in 0..ATTEMPTS {
            match self.api.cancel(&key, order_id).await {
                Ok(answer) if answer.status < 300 => {
                    note(&self.shared, |all| all.cancels += 1);
                    return;
                }
                // It has ended meanwhile.
                Ok(answer) if answer.status < 500 => return,
                Ok(_) | Err(_) => sleep(PAUSE).await,
            }
        }
    }
}
