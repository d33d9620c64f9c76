//! The fields of events, and the ids that spans lend to the events inside them.

use serde_json::Value;
use std::fmt;
use tracing::field::{Field, FieldSet, Visit};

/// The ids by which a line is found.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Correlation {
    pub(super) request_id: Option<String>,
    pub(super) order_id: Option<String>,
}

impl Correlation {
    /// Whether a span with these fields knows an id.
    pub(super) fn is_in(fields: &FieldSet) -> bool {
        fields.field("request_id").is_some() || fields.field("order_id").is_some()
    }

    /// Takes from `outer` what is not known yet.
    pub(super) fn complete_from(&mut self, outer: &Self) {
        if self.request_id.is_none() {
            self.request_id.clone_from(&outer.request_id);
        }
        if self.order_id.is_none() {
            self.order_id.clone_from(&outer.order_id);
        }
    }
}

impl Visit for Correlation {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "request_id" => self.request_id = Some(value.to_owned()),
            "order_id" => self.order_id = Some(value.to_owned()),
            _ => {}
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if matches!(field.name(), "request_id" | "order_id") {
            self.record_str(field, &format!("{value:?}"));
        }
    }
}

/// The fields of one event.
#[derive(Debug, Default)]
pub(super) struct Fields {
    pub(super) message: String,
    pub(super) rest: Vec<(&'static str, Value)>,
}

impl Fields {
    /// Moves the ids out of the other fields.
    pub(super) fn take_correlation(&mut self) -> Correlation {
        Correlation {
            request_id: self.take("request_id"),
            order_id: self.take("order_id"),
        }
    }

    fn take(&mut self, name: &str) -> Option<String> {
        let at = self.rest.iter().position(|(known, _)| *known == name)?;
        match self.rest.remove(at).1 {
            Value::String(text) => Some(text),
            other => Some(other.to_string()),
        }
    }

    fn push(&mut self, field: &Field, value: impl Into<Value>) {
        self.rest.push((field.name(), value.into()));
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.push(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.push(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.push(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.push(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            value.clone_into(&mut self.message);
        } else {
            self.push(field, value);
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.push(field, crate::chain(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}
