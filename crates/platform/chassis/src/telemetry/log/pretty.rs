//! A line for people: time, level, service, message, then what the event says, quietly.

use super::Line;
use serde_json::Value;
use std::fmt::Write;
use tracing::Level;

const DIM: &str = "\x1b[2m";
const BOLD: &str = "\x1b[1m";
const RESET: &str = "\x1b[0m";

pub(super) fn render(line: &Line, colours: bool) -> Vec<u8> {
    let paint = |style: &'static str| if colours { style } else { "" };
    let (dim, reset) = (paint(DIM), paint(RESET));
    let stamp = line.timestamp.to_string();
    // 2025-01-01T12:34:56.123456789Z: the time of day to the millisecond.
    let time = stamp.get(11..23).unwrap_or(&stamp);
    let (level, style) = level(line.level);
    let message = &line.fields.message;
    let loud = if line.level <= Level::WARN {
        paint(BOLD)
    } else {
        ""
    };
    let mut text = format!(
        "{dim}{time}{reset} {}{level}{reset} {dim}{:<9}{reset} {loud}{message}{reset}",
        paint(style),
        line.service,
    );
    let ids = [
        ("order_id", &line.correlation.order_id),
        ("request_id", &line.correlation.request_id),
    ];
    let mut field = |key: &str, value: &str| {
        // Writing to a String cannot fail.
        let _ = write!(text, " {dim}{key}={reset}{value}");
    };
    for (key, id) in ids {
        if let Some(id) = id {
            field(key, id);
        }
    }
    for (key, value) in &line.fields.rest {
        match value {
            Value::String(value) => field(key, value),
            value => field(key, &value.to_string()),
        }
    }
    text.push('\n');
    text.into_bytes()
}

const fn level(level: Level) -> (&'static str, &'static str) {
    match level {
        Level::ERROR => ("ERROR", "\x1b[31m"),
        Level::WARN => ("WARN ", "\x1b[33m"),
        Level::INFO => ("INFO ", "\x1b[32m"),
        Level::DEBUG => ("DEBUG", "\x1b[34m"),
        Level::TRACE => ("TRACE", DIM),
    }
}
