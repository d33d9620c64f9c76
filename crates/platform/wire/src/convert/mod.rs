//! Conversions between generated messages and the domain, and the few helpers they are made of.

mod event;
mod execution;
mod instrument;
mod market;
mod order;
mod risk;
#[cfg(test)]
mod round_trips;
mod view;
mod words;

pub(crate) use event::{EnvelopeHead, check_schema, envelope, trace, traceparent};
#[cfg(test)]
pub(crate) use words::Vocabulary;
pub(crate) use words::Word;

use ploy_domain::InstrumentId;
use std::{fmt::Display, str::FromStr};

use crate::{api::ApiError, proto};

/// Why a message does not say anything in the domain's vocabulary. Receiving it again does not help:
/// it is parked, never ignored (MSG-3).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The bytes are no message of the expected type.
    #[error("not a protobuf message of the expected type")]
    Unreadable(#[from] prost::DecodeError),
    /// A field is not there, or of a kind that this version does not know.
    #[error("{field} is missing, or of a kind this version does not know")]
    Missing {
        /// The field as a path: `intent.instrument.venue`.
        field: String,
    },
    /// A field has a value that it cannot have.
    #[error("{field} is '{value}': {reason}")]
    Invalid {
        /// The field as a path.
        field: String,
        /// Its value.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A fact of a later version.
    #[error("schema version {version} of {kind} is later than {known}, which is the last known")]
    Later {
        /// The type of the fact.
        kind: String,
        /// Its version.
        version: u32,
        /// The last version that can be read.
        known: u32,
    },
}

impl WireError {
    pub(crate) fn missing(field: &str) -> Self {
        Self::Missing {
            field: field.to_owned(),
        }
    }

    pub(crate) fn invalid(field: &str, value: impl Display, reason: impl Display) -> Self {
        Self::Invalid {
            field: field.to_owned(),
            value: value.to_string(),
            reason: reason.to_string(),
        }
    }

    /// The same error, seen from the message that holds the field in `parent`.
    pub(crate) fn within(self, parent: &str) -> Self {
        let path = |field: String| format!("{parent}.{field}");
        match self {
            Self::Missing { field } => Self::Missing { field: path(field) },
            Self::Invalid {
                field,
                value,
                reason,
            } => Self::Invalid {
                field: path(field),
                value,
                reason,
            },
            Self::Unreadable(_) | Self::Later { .. } => self,
        }
    }
}

impl From<WireError> for ApiError {
    /// The answer to a request that says nothing in the domain's vocabulary.
    fn from(error: WireError) -> Self {
        match error {
            WireError::Missing { field } => Self::invalid(field, "", "a known value"),
            WireError::Invalid {
                field,
                value,
                reason,
            } => Self::invalid(field, value, reason),
            WireError::Unreadable(_) | WireError::Later { .. } => {
                Self::invalid("request", error, "a message of ploy.v1")
            }
        }
    }
}

/// An identifier that has to be there.
pub(crate) fn text<T>(field: &str, value: &str) -> Result<T, WireError>
where
    T: FromStr<Err: Display>,
{
    if value.is_empty() {
        return Err(WireError::missing(field));
    }
    value
        .parse()
        .map_err(|reason| WireError::invalid(field, value, reason))
}

/// An identifier that may be left out.
pub(crate) fn text_if_given<T>(field: &str, value: &str) -> Result<Option<T>, WireError>
where
    T: FromStr<Err: Display>,
{
    if value.is_empty() {
        return Ok(None);
    }
    text(field, value).map(Some)
}

/// A message that has to be there.
pub(crate) fn part<W, D>(field: &str, value: Option<W>) -> Result<D, WireError>
where
    D: TryFrom<W, Error = WireError>,
{
    let value = value.ok_or_else(|| WireError::missing(field))?;
    D::try_from(value).map_err(|error| error.within(field))
}

/// A message that may be left out.
pub(crate) fn part_if_given<W, D>(field: &str, value: Option<W>) -> Result<Option<D>, WireError>
where
    D: TryFrom<W, Error = WireError>,
{
    value.map(|value| part(field, Some(value))).transpose()
}

/// A list of messages.
pub(crate) fn parts<W, D>(field: &str, values: Vec<W>) -> Result<Vec<D>, WireError>
where
    D: TryFrom<W, Error = WireError>,
{
    let convert = |(index, value)| {
        D::try_from(value).map_err(|error| error.within(&format!("{field}[{index}]")))
    };
    values.into_iter().enumerate().map(convert).collect()
}

/// A list as messages.
pub(crate) fn list<'a, D, W: From<&'a D>>(values: &'a [D]) -> Vec<W> {
    values.iter().map(W::from).collect()
}

/// 128 bits as 16 bytes, big endian.
pub(crate) fn bits(field: &str, value: &[u8]) -> Result<u128, WireError> {
    let bytes = value.try_into().map_err(|_| {
        WireError::invalid(field, format_args!("{} bytes", value.len()), "expected 16")
    })?;
    Ok(u128::from_be_bytes(bytes))
}

/// The text of an identifier, or nothing.
pub(crate) fn shown(value: Option<impl Display>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

impl From<&InstrumentId> for proto::InstrumentId {
    fn from(id: &InstrumentId) -> Self {
        Self {
            symbol: id.symbol().to_string(),
            venue: id.venue().to_string(),
        }
    }
}

impl TryFrom<proto::InstrumentId> for InstrumentId {
    type Error = WireError;
    fn try_from(id: proto::InstrumentId) -> Result<Self, WireError> {
        Ok(Self::new(
            text("symbol", &id.symbol)?,
            text("venue", &id.venue)?,
        ))
    }
}

/// Names and values, as they travel.
pub(crate) fn named(values: &[(String, String)]) -> Vec<proto::NamedValue> {
    let one = |(name, value): &(String, String)| proto::NamedValue {
        name: name.clone(),
        value: value.clone(),
    };
    values.iter().map(one).collect()
}

/// Names and values, as they are used.
pub(crate) fn unnamed(values: Vec<proto::NamedValue>) -> Vec<(String, String)> {
    values.into_iter().map(|v| (v.name, v.value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_the_field_as_a_path() {
        let instrument = proto::InstrumentId {
            symbol: "BTCUSDT".to_owned(),
            venue: "S*M".to_owned(),
        };
        let error = part::<_, InstrumentId>("instrument", Some(instrument)).unwrap_err();
        let error = error.within("intent");
        assert!(
            error
                .to_string()
                .starts_with("intent.instrument.venue is 'S*M': "),
            "{error}"
        );
        let missing = part::<proto::InstrumentId, InstrumentId>("instrument", None);
        assert_eq!(missing, Err(WireError::missing("instrument")));
    }

    #[test]
    fn a_list_names_the_place() {
        let error = parts::<_, InstrumentId>("items", vec![proto::InstrumentId::default()]);
        assert_eq!(error, Err(WireError::missing("items[0].symbol")));
    }
}
