//! The reader of named values: remembers every mistake and gives a value only without one.

use crate::{
    contract::FieldErrorJson,
    problem::{Problem, field_error},
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, btree_map::Entry},
    fmt::Display,
    str::FromStr,
};

/// The named values of a request.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    given: BTreeMap<String, Value>,
    known: Vec<&'static str>,
    errors: Vec<FieldErrorJson>,
}

impl Fields {
    /// The values; a name that is given twice is a mistake, since two readers could take either.
    pub(crate) fn new(entries: impl IntoIterator<Item = (String, Value)>) -> Self {
        let mut fields = Self::default();
        for (name, value) in entries {
            match fields.given.entry(name) {
                Entry::Vacant(entry) => {
                    entry.insert(value);
                }
                Entry::Occupied(entry) => {
                    let twice = "one value; it is given twice";
                    let error = field_error(entry.key(), Some(plain(&value)), twice);
                    fields.errors.push(error);
                }
            }
        }
        fields
    }

    /// A value that may be missing; `null` counts as missing.
    pub(crate) fn optional<T: FromStr>(&mut self, name: &'static str, bound: &str) -> Option<T> {
        match self.take(name)? {
            Value::String(text) => match text.parse() {
                Ok(value) => Some(value),
                Err(_) => self.refuse(name, Some(text), bound),
            },
            other => {
                let bound = format!("{bound}, as a JSON string");
                self.refuse(name, Some(plain(&other)), bound)
            }
        }
    }

    /// A value that has to be there.
    pub(crate) fn required<T: FromStr>(&mut self, name: &'static str, bound: &str) -> Option<T> {
        match self.given.get(name) {
            None | Some(Value::Null) => {
                self.take(name);
                self.refuse(name, None::<&str>, bound)
            }
            Some(_) => self.optional(name, bound),
        }
    }

    /// `true` or `false`, as JSON or as a word of the query; missing is `false`.
    pub(crate) fn flag(&mut self, name: &'static str) -> bool {
        match self.take(name) {
            None => false,
            Some(Value::Bool(flag)) => flag,
            Some(Value::String(word)) if word == "true" => true,
            Some(Value::String(word)) if word == "false" => false,
            Some(other) => {
                self.refuse::<()>(name, Some(plain(&other)), "true or false");
                false
            }
        }
    }

    /// Notes a mistake.
    pub(crate) fn refuse<T>(
        &mut self,
        name: &str,
        value: Option<impl Display>,
        bound: impl Into<String>,
    ) -> Option<T> {
        self.errors.push(field_error(name, value, bound));
        None
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// A problem with every mistake, unknown names among them.
    pub(crate) fn finish(mut self) -> Result<(), Problem> {
        for (name, value) in std::mem::take(&mut self.given) {
            let bound = match self.known.as_slice() {
                [] => "no fields at all".to_owned(),
                known => format!("one of the fields {}", known.join(", ")),
            };
            let name = crate::problem::shown(name);
            self.refuse::<()>(&name, Some(plain(&value)), bound);
        }
        if self.errors.is_empty() {
            Ok(())
        } else {
            Err(Problem::invalid(self.errors))
        }
    }

    fn take(&mut self, name: &'static str) -> Option<Value> {
        self.known.push(name);
        self.given.remove(name).filter(|value| !value.is_null())
    }
}

/// A value as it was written, without the quotes of a text.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ploy_domain::{Quantity, Side};
    use serde_json::json;

    fn fields(value: Value) -> Fields {
        let Value::Object(map) = value else {
            unreachable!("the tests give objects")
        };
        Fields::new(map)
    }

    fn bounds(fields: Fields) -> Vec<String> {
        let bound = |error: &FieldErrorJson| format!("{}: {}", error.field, error.bound);
        let noted: Vec<_> = fields.errors.iter().map(bound).collect();
        assert!(fields.finish().is_err());
        noted
    }

    #[test]
    fn good_values_are_read() {
        let mut fields = fields(json!({"side": "BUY", "quantity": "0.5", "flag": true}));
        assert_eq!(fields.required("side", "buy or sell"), Some(Side::Buy));
        let quantity: Option<Quantity> = fields.required("quantity", "a decimal");
        assert_eq!(quantity, Some("0.5".parse().unwrap()));
        assert!(fields.flag("flag"));
        assert!(!fields.flag("other"));
        assert!(fields.finish().is_ok());
    }

    #[test]
    fn a_number_is_no_decimal() {
        let mut fields = fields(json!({"quantity": 0.1}));
        let quantity: Option<Quantity> = fields.required("quantity", "a decimal");
        assert_eq!(quantity, None);
        assert_eq!(bounds(fields), ["quantity: a decimal, as a JSON string"]);
    }

    #[test]
    fn a_name_given_twice_is_refused() {
        let twice = [("side", "buy"), ("side", "sell")];
        let twice = twice.map(|(name, value)| (name.to_owned(), Value::from(value)));
        let mut fields = Fields::new(twice);
        let _: Option<Side> = fields.required("side", "buy or sell");
        assert_eq!(bounds(fields), ["side: one value; it is given twice"]);
    }
}
