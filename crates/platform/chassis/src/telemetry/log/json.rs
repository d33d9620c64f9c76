//! One JSON object a line, with the same keys in every line (R-OBS-01).

use super::Line;
use crate::config::Mode;
use serde_json::{Value, to_string};

/// Keys that an event's own fields cannot take.
const RESERVED: [&str; 7] = [
    "timestamp",
    "level",
    "service",
    "mode",
    "target",
    "message",
    "trace_id",
];

pub(super) fn render(line: &Line, mode: Mode) -> Vec<u8> {
    let trace_id = line.trace_id.map(|id| format!("{id:032x}"));
    let head: [(&str, Value); 9] = [
        ("timestamp", line.timestamp.to_string().into()),
        ("level", level_word(line).into()),
        ("service", line.service.into()),
        ("mode", mode.word().into()),
        ("message", line.fields.message.as_str().into()),
        ("target", line.target.into()),
        ("request_id", line.correlation.request_id.clone().into()),
        ("order_id", line.correlation.order_id.clone().into()),
        ("trace_id", trace_id.into()),
    ];
    let mut text = String::with_capacity(320);
    for (key, value) in &head {
        push(&mut text, key, value);
    }
    for (key, value) in &line.fields.rest {
        if RESERVED.contains(key) {
            push(&mut text, &format!("event_{key}"), value);
        } else {
            push(&mut text, key, value);
        }
    }
    text.push_str("}\n");
    text.into_bytes()
}

fn push(text: &mut String, key: &str, value: &Value) {
    text.push(if text.is_empty() { '{' } else { ',' });
    // Neither a text nor a value of our own can fail to serialise.
    text.push_str(&to_string(key).unwrap_or_default());
    text.push(':');
    text.push_str(&value.to_string());
}

const fn level_word(line: &Line) -> &'static str {
    match line.level {
        tracing::Level::ERROR => "error",
        tracing::Level::WARN => "warn",
        tracing::Level::INFO => "info",
        tracing::Level::DEBUG => "debug",
        tracing::Level::TRACE => "trace",
    }
}
