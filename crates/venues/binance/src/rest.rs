//! The REST side: signs, sends once, keeps the limits, and says what an answer proves. Orders have
//! a client of their own that never repeats anything (failure-model ORD-8, ORD-9).

use crate::{
    clock::VenueClock,
    config::{BinanceConfig, ConfigError},
    credentials::Credentials,
    limits::{Budgets, stated},
    refusal::{ErrorAnswer, Proof, Refusal},
    sign::Params,
    tls,
    wire::symbols::{ExchangeInfo, ServerTime, symbol_list},
};
use ploy_domain::{Timestamp, VenueId};
use ploy_venue_port::{Priority, RateBudget, VenueError, now};
use reqwest::{Client, Method, Response};
use serde::de::DeserializeOwned;
use std::time::Duration;

/// Requests that place or cancel orders.
const WRITE_DEADLINE: Duration = Duration::from_secs(5);
/// Requests that change nothing.
const READ_DEADLINE: Duration = Duration::from_secs(3);
const CONNECT_DEADLINE: Duration = Duration::from_millis(1_500);
/// No answer is larger; 5000 levels a side have some 300 kB.
const BODY_MAX: usize = 4 << 20;
/// How long after signing the venue still takes a request, in ms (ORD-6).
pub(crate) const RECEIVE_WINDOW_MS: u64 = 2_000;
/// Silence after a limit was hit and the venue did not say how long.
const BAN_DEFAULT: Duration = Duration::from_secs(30);
/// How much of an answer that is not understood goes into an error.
const EXCERPT_MAX: usize = 200;

/// One request.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) operation: &'static str,
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) params: Params,
    pub(crate) signed: bool,
    pub(crate) weight: u32,
    pub(crate) priority: Priority,
}

/// A complete answer, whatever it says.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    retry_after: Duration,
}

/// Why a request that may change something has no complete answer.
#[derive(Debug)]
pub(crate) enum NoAnswer {
    /// Proven: no byte of it left this machine.
    NotSent(String),
    /// A limit of ours or of the venue forbids it now; it was not sent.
    Budget(Duration),
    /// Anything may have happened.
    Unknown(String),
}

/// The REST interface of one venue for one account.
#[derive(Debug)]
pub(crate) struct Rest {
    venue: VenueId,
    base: String,
    credentials: Option<Credentials>,
    /// Never reuses a connection, because a pool may repeat a request on a fresh one when the
    /// reused one turns out to be closed (F-C13).
    writes: Client,
    reads: Client,
    budgets: Budgets,
    clock: VenueClock,
}

impl Answer {
    #[cfg(test)]
    pub(crate) fn of(status: u16, body: &str) -> Self {
        Self {
            status,
            body: body.as_bytes().to_vec(),
            retry_after: BAN_DEFAULT,
        }
    }

    pub(crate) const fn is_success(&self) -> bool {
        self.status >= 200 && self.status < 300
    }

    pub(crate) fn error(&self) -> ErrorAnswer {
        ErrorAnswer::new(self.status, &self.body, self.retry_after)
    }

    fn is_clock_error(&self) -> bool {
        !self.is_success() && self.error().proof() == Proof::Refused(Refusal::Clock)
    }

    /// The answer, if it is a success.
    pub(crate) fn success(self, operation: &'static str) -> Result<Self, VenueError> {
        if self.is_success() {
            Ok(self)
        } else {
            Err(self.error().read_error(operation))
        }
    }

    pub(crate) fn excerpt(&self) -> String {
        let text = String::from_utf8_lossy(&self.body);
        text.chars().take(EXCERPT_MAX).collect()
    }
}

fn client(config: &BinanceConfig, pooled: bool) -> Result<Client, ConfigError> {
    let venue = config.venue;
    let tls = tls::client_config().map_err(|source| ConfigError::Tls { venue, source })?;
    let builder = Client::builder()
        .tls_backend_preconfigured(tls)
        .http1_only()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .connect_timeout(CONNECT_DEADLINE)
        .tcp_nodelay(true)
        .pool_idle_timeout(Duration::from_secs(15));
    let builder = if pooled {
        builder
    } else {
        builder.pool_max_idle_per_host(0)
    };
    builder
        .build()
        .map_err(|source| ConfigError::Http { venue, source })
}

/// The error with its causes but without the URL, whose query is signed.
fn describe(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(source) = cause {
        text = format!("{text}: {source}");
        cause = source.source();
    }
    text
}

impl Rest {
    pub(crate) fn new(config: &BinanceConfig) -> Result<Self, ConfigError> {
        config.check()?;
        Ok(Self {
            venue: config.venue,
            base: config.rest_url.clone(),
            credentials: config.credentials.clone(),
            writes: client(config, false)?,
            reads: client(config, true)?,
            budgets: Budgets::new(&config.rate_limits),
            clock: VenueClock::default(),
        })
    }

    pub(crate) const fn venue(&self) -> VenueId {
        self.venue
    }

    pub(crate) const fn order_budget(&self) -> &RateBudget {
        &self.budgets.orders
    }

    pub(crate) const fn weight_budget(&self) -> &RateBudget {
        &self.budgets.weight
    }

    /// The venue's time now, for signing.
    pub(crate) fn venue_now(&self) -> Timestamp {
        self.clock.at(now())
    }

    /// Asks for the venue's clock and remembers the difference.
    pub(crate) async fn synchronise(&self) -> Result<Timestamp, VenueError> {
        let call = Call {
            operation: "server time",
            method: Method::GET,
            path: "/api/v3/time",
            params: Params::new(),
            signed: false,
            weight: 1,
            priority: Priority::Reserved,
        };
        let sent = now();
        let answer = self.exchange(&call).await?.success(call.operation)?;
        let time: ServerTime = parse(&call, &answer)?;
        self.clock.measure(sent, now(), time.server_time.0);
        Ok(time.server_time.0)
    }

    /// Measures the clock if it has to be; signing goes on with the old measure if that fails.
    pub(crate) async fn ensure_clock(&self) {
        if !self.clock.is_measured()
            && let Err(error) = self.synchronise().await
        {
            tracing::warn!(venue = %self.venue, %error, "clock offset cannot be measured");
        }
    }

    /// Asks for something that changes nothing.
    pub(crate) async fn read<T: DeserializeOwned>(&self, call: &Call) -> Result<T, VenueError> {
        let answer = self.ask(call).await?.success(call.operation)?;
        parse(call, &answer)
    }

    /// As [`Self::read`], for callers who read more than success: any complete answer. Measures
    /// the clock where it has to, and asks once more when the venue finds our time wrong.
    pub(crate) async fn ask(&self, call: &Call) -> Result<Answer, VenueError> {
        if call.signed {
            self.ensure_clock().await;
        }
        let answer = self.exchange(call).await?;
        if !answer.is_clock_error() {
            return Ok(answer);
        }
        self.synchronise().await?;
        self.exchange(call).await
    }

    /// Loads the rules of `symbols`, and the venue's own limits with them.
    pub(crate) async fn exchange_info(
        &self,
        symbols: &[ploy_domain::Symbol],
    ) -> Result<ExchangeInfo, VenueError> {
        let params = if symbols.is_empty() {
            Params::new()
        } else {
            Params::new().with("symbols", symbol_list(symbols))
        };
        let call = Call {
            operation: "exchange info",
            method: Method::GET,
            path: "/api/v3/exchangeInfo",
            params,
            signed: false,
            weight: 20,
            priority: Priority::Normal,
        };
        let info: ExchangeInfo = self.read(&call).await?;
        self.budgets.configure(&stated(&info.rate_limits));
        Ok(info)
    }

    /// Sends a request that may change something, once.
    pub(crate) async fn write(&self, call: &Call) -> Result<Answer, NoAnswer> {
        let budget = self.budgets.weight.try_spend(call.weight, call.priority);
        budget.map_err(|exhausted| NoAnswer::Budget(exhausted.after))?;
        let request = self.request(&self.writes, call, WRITE_DEADLINE);
        let request = request.map_err(NoAnswer::NotSent)?;
        let response = request.send().await.map_err(|error| {
            // Name, TCP or TLS failed: the request itself never got a connection (ORD-7).
            if error.is_connect() || error.is_builder() {
                NoAnswer::NotSent(describe(error))
            } else {
                NoAnswer::Unknown(describe(error))
            }
        })?;
        self.collect(response).await.map_err(NoAnswer::Unknown)
    }

    async fn exchange(&self, call: &Call) -> Result<Answer, VenueError> {
        let operation = call.operation;
        let budget = self.budgets.weight.try_spend(call.weight, call.priority);
        budget.map_err(|exhausted| VenueError::RateLimited {
            operation,
            after: exhausted.after,
        })?;
        let request = self
            .request(&self.reads, call, READ_DEADLINE)
            .map_err(|detail| VenueError::Auth { operation, detail })?;
        let response = request.send().await.map_err(|error| {
            let is_connect = error.is_connect();
            let detail = describe(error);
            if is_connect {
                VenueError::Unavailable { operation, detail }
            } else {
                VenueError::Unknown { operation, detail }
            }
        })?;
        let answer = self.collect(response).await;
        answer.map_err(|detail| VenueError::Unknown { operation, detail })
    }

    /// The request with everything but its sending; fails only for want of a key.
    fn request(
        &self,
        client: &Client,
        call: &Call,
        deadline: Duration,
    ) -> Result<reqwest::RequestBuilder, String> {
        let mut params = call.params.clone();
        let mut key = None;
        if call.signed {
            let credentials = self.credentials.as_ref();
            let credentials = credentials.ok_or_else(|| "no API key is configured".to_owned())?;
            params = params
                .with("recvWindow", RECEIVE_WINDOW_MS)
                .with("timestamp", self.venue_now().as_millis())
                .signed(&credentials.secret);
            key = Some(credentials.key.as_str());
        }
        let url = format!("{}{}", self.base, call.path);
        let mut request = if call.method == Method::POST {
            client
                .post(url)
                .header("Content-Type", "application/x-www-form-urlencoded")
                .body(params.as_str().to_owned())
        } else if params.as_str().is_empty() {
            client.request(call.method.clone(), url)
        } else {
            client.request(call.method.clone(), format!("{url}?{}", params.as_str()))
        };
        if let Some(key) = key {
            request = request.header("X-MBX-APIKEY", key);
        }
        Ok(request.timeout(deadline))
    }

    /// Reads the whole answer, and learns from it how much of the limits is left.
    async fn collect(&self, mut response: Response) -> Result<Answer, String> {
        let status = response.status().as_u16();
        let number = |name: &str| -> Option<u64> {
            response.headers().get(name)?.to_str().ok()?.parse().ok()
        };
        if let Some(used) = number("x-mbx-used-weight-1m") {
            self.budgets.weight.observe(Duration::from_secs(60), used);
        }
        if let Some(used) = number("x-mbx-order-count-10s") {
            self.budgets.orders.observe(Duration::from_secs(10), used);
        }
        let retry_after = number("retry-after").map_or(BAN_DEFAULT, Duration::from_secs);
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(describe)? {
            if body.len() + chunk.len() > BODY_MAX {
                return Err(format!("the answer is larger than {BODY_MAX} bytes"));
            }
            body.extend_from_slice(&chunk);
        }
        let answer = Answer {
            status,
            body,
            retry_after,
        };
        self.obey(&answer);
        Ok(answer)
    }

    /// A limit that was hit silences its whole scope (RET-2), and a wrong time is measured before
    /// it is used again.
    fn obey(&self, answer: &Answer) {
        if answer.is_clock_error() {
            self.clock.doubt();
        }
        if !matches!(answer.status, 429 | 418) {
            return;
        }
        let after_ms = u64::try_from(answer.retry_after.as_millis()).unwrap_or(u64::MAX);
        let status = answer.status;
        tracing::warn!(venue = %self.venue, status, after_ms, "venue limit was hit");
        if answer.error().body.code == Some(-1015) {
            self.budgets.orders.ban(answer.retry_after);
        } else {
            self.budgets.weight.ban(answer.retry_after);
        }
    }

    /// Key and secret of the account, where there is one.
    pub(crate) const fn credentials(&self) -> Option<&Credentials> {
        self.credentials.as_ref()
    }
}

pub(crate) fn parse<T: DeserializeOwned>(call: &Call, answer: &Answer) -> Result<T, VenueError> {
    serde_json::from_slice(&answer.body).map_err(|error| VenueError::Protocol {
        operation: call.operation,
        detail: format!("{error} in {:?}", answer.excerpt()),
    })
}
