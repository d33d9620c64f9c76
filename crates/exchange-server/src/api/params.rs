//! Parameters of a request: how they are cut out of the raw bytes, and which characters each kind
//! may hold. What a parameter means is the business of the endpoint that asks for it.

use super::error::ApiError;
use ploy_domain::{MoneyError, Timestamp};
use std::str::FromStr;

/// Legal range of a decimal.
pub(crate) const DECIMAL_RANGE: &str = r"^([0-9]{1,20})(\.[0-9]{1,20})?$";
/// Legal range of an integer.
pub(crate) const INTEGER_RANGE: &str = "^[0-9]{1,20}$";
/// Legal range of a client order id.
pub(crate) const CLIENT_ID_RANGE: &str = "^[a-zA-Z0-9-_]{1,36}$";
/// Legal range of a symbol.
pub(crate) const SYMBOL_RANGE: &str = "^[A-Z0-9-_.]{1,20}$";

/// Decoded parameters in the order sent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Params {
    entries: Vec<(String, String)>,
}

impl Params {
    /// Parameters of a query string and a form body; a name in both keeps the query's value.
    pub(crate) fn parse(query: &str, body: &str) -> Result<Self, ApiError> {
        let mut params = Self::default();
        params.extend(query, true)?;
        params.extend(body, false)?;
        Ok(params)
    }

    /// Parameters of a WebSocket API request, each already as text.
    pub(crate) fn from_pairs(entries: Vec<(String, String)>) -> Self {
        Self { entries }
    }

    /// All parameters but the signature, in the order sent.
    pub(crate) fn without_signature(&self) -> Vec<(String, String)> {
        let kept = self.entries.iter().filter(|(name, _)| name != "signature");
        kept.cloned().collect()
    }

    fn extend(&mut self, half: &str, refuse_known: bool) -> Result<(), ApiError> {
        let known_before = self.entries.len();
        for pair in half.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decode(name), decode(value));
            match self.entries.iter().position(|(known, _)| *known == name) {
                Some(at) if refuse_known || at >= known_before => {
                    return Err(ApiError::duplicate_parameter());
                }
                Some(_) => {}
                None => self.entries.push((name, value)),
            }
        }
        Ok(())
    }

    /// The text of a parameter; an empty one is an error.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&str>, ApiError> {
        match self.raw(name) {
            Some("") => Err(ApiError::empty(name)),
            other => Ok(other),
        }
    }

    /// The text of a mandatory parameter.
    pub(crate) fn required(&self, name: &str) -> Result<&str, ApiError> {
        match self.raw(name) {
            None | Some("") => Err(ApiError::missing(name)),
            Some(value) => Ok(value),
        }
    }

    /// Whether the parameter was sent at all.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.raw(name).is_some()
    }

    fn raw(&self, name: &str) -> Option<&str> {
        let found = self.entries.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Checks the characters of a decimal without reading its value.
    pub(crate) fn check_decimal(&self, name: &str) -> Result<(), ApiError> {
        match self.text(name)? {
            Some(value) if !is_decimal(value) => Err(ApiError::illegal(name, DECIMAL_RANGE)),
            _ => Ok(()),
        }
    }

    /// A decimal at 1e-8: more decimals are −1111, a value too large −1108.
    pub(crate) fn decimal<T>(&self, name: &str) -> Result<Option<T>, ApiError>
    where
        T: FromStr<Err = MoneyError>,
    {
        self.check_decimal(name)?;
        let Some(value) = self.text(name)? else {
            return Ok(None);
        };
        match value.parse() {
            Ok(number) => Ok(Some(number)),
            Err(MoneyError::Precision { .. }) => Err(ApiError::precision(name)),
            Err(_) => Err(ApiError::overflow(name)),
        }
    }

    /// An integer from 0.
    pub(crate) fn integer(&self, name: &str) -> Result<Option<u64>, ApiError> {
        let Some(value) = self.text(name)? else {
            return Ok(None);
        };
        if value.len() > 20 || !value.bytes().all(|b| b.is_ascii_digit()) {
            return Err(ApiError::illegal(name, INTEGER_RANGE));
        }
        let number = value.parse().map_err(|_| ApiError::overflow(name))?;
        Ok(Some(number))
    }

    /// A `limit` between 1 and `max`; beyond it is clamped.
    pub(crate) fn limit(&self, default: usize, max: usize) -> Result<usize, ApiError> {
        match self.integer("limit")? {
            None => Ok(default),
            Some(0) => Err(ApiError::invalid_data("limit")),
            Some(limit) => Ok(usize::try_from(limit).map_or(max, |limit| limit.min(max))),
        }
    }

    /// A time, in milliseconds or (from 10^14 on) microseconds; out of range is clamped.
    pub(crate) fn time(&self, name: &str) -> Result<Option<Timestamp>, ApiError> {
        Ok(self.integer(name)?.map(instant))
    }

    /// A client order id.
    pub(crate) fn client_id(&self, name: &str) -> Result<Option<&str>, ApiError> {
        let legal = |id: &str| {
            id.len() <= 36
                && id
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        };
        match self.text(name)? {
            Some(id) if !legal(id) => Err(ApiError::illegal(name, CLIENT_ID_RANGE)),
            other => Ok(other),
        }
    }

    /// A flag, `true` or `false`.
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, ApiError> {
        match self.text(name)? {
            None => Ok(None),
            Some(word) if word.eq_ignore_ascii_case("true") => Ok(Some(true)),
            Some(word) if word.eq_ignore_ascii_case("false") => Ok(Some(false)),
            Some(_) => Err(ApiError::invalid_data(name)),
        }
    }
}

/// Whether `symbol` has the form of a symbol.
pub(crate) fn check_symbol(symbol: &str) -> Result<&str, ApiError> {
    let legal = |c: char| {
        c.is_ascii_uppercase()
            || c.is_ascii_digit()
            || matches!(c, '-' | '_' | '.')
            || !c.is_ascii()
    };
    if symbol.chars().count() <= 20 && symbol.chars().all(legal) {
        Ok(symbol)
    } else {
        Err(ApiError::illegal("symbol", SYMBOL_RANGE))
    }
}

fn is_decimal(text: &str) -> bool {
    let digits =
        |part: &str| (1..=20).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    match text.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(text),
    }
}

/// The instant of a time parameter, told apart by magnitude.
pub(crate) fn instant(value: u64) -> Timestamp {
    const MICROSECONDS_FROM: u64 = 100_000_000_000_000;
    let signed = i64::try_from(value).unwrap_or(i64::MAX);
    let parsed = if value >= MICROSECONDS_FROM {
        Timestamp::from_micros(signed)
    } else {
        Timestamp::from_millis(signed)
    };
    parsed.unwrap_or(Timestamp::from_nanos(i64::MAX))
}

/// Undoes percent-encoding and `+`; a broken escape stays as it is.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = bytes.get(at + 1..at + 3).and_then(hex_pair);
        match (bytes[at], escaped) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 2;
            }
            (b'+', _) => out.push(b' '),
            (byte, _) => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Two hex digits as a byte, in either case.
pub(crate) fn hex_pair(pair: &[u8]) -> Option<u8> {
    let digit = |b: u8| char::from(b).to_digit(16);
    let (high, low) = (digit(*pair.first()?)?, digit(*pair.get(1)?)?);
    u8::try_from(high * 16 + low).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ploy_domain::Price;

    fn price(text: &str) -> Result<Option<Price>, ApiError> {
        Params::parse(&format!("price={text}"), "")?.decimal("price")
    }

    #[test]
    fn decimals_keep_to_the_published_characters() {
        assert_eq!(price("25000.10"), Ok(Some("25000.1".parse().unwrap())));
        assert_eq!(price("1.000000000000"), Ok(Some("1".parse().unwrap())));
        for foreign in [
            "1e-05", "-1", "%2B1", ".5", "1.", "1,0", "NaN", "0x1", "1%200",
        ] {
            let refusal = price(foreign).unwrap_err();
            assert_eq!((refusal.code, refusal.status), (-1100, 400), "{foreign}");
        }
        assert_eq!(price("0.000000001").unwrap_err().code, -1111);
        assert_eq!(price("99999999999999999999").unwrap_err().code, -1108);
        assert_eq!(price("").unwrap_err().code, -1105);
    }

    #[test]
    fn the_query_wins_over_the_body_and_repeats_are_refused() {
        let params = Params::parse("a=1&b=%31%32", "a=9&c=x+y").unwrap();
        let texts = ["a", "b", "c"].map(|name| params.required(name).unwrap().to_owned());
        assert_eq!(texts, ["1", "12", "x y"]);
        for (query, body) in [("a=1&a=2", ""), ("", "a=1&a=1")] {
            assert_eq!(Params::parse(query, body).unwrap_err().code, -1101);
        }
    }

    #[test]
    fn client_ids_and_symbols_keep_to_their_characters() {
        let id = |text: &str| {
            Params::parse(&format!("id={text}"), "")
                .unwrap()
                .client_id("id")
                .map(|id| id.map(str::to_owned))
        };
        assert_eq!(id("x-TKT5_9"), Ok(Some("x-TKT5_9".to_owned())));
        for bad in ["a.b", "a%20b", &"a".repeat(37)] {
            assert_eq!(id(bad).unwrap_err().code, -1100);
        }
        assert!(check_symbol("BTCUSDT").is_ok());
        assert_eq!(check_symbol("btcusdt").unwrap_err().code, -1100);
        assert_eq!(check_symbol(&"A".repeat(21)).unwrap_err().code, -1100);
    }

    #[test]
    fn times_are_told_apart_by_magnitude() {
        assert_eq!(instant(1_735_689_600_123), instant(1_735_689_600_123_000));
    }
}
