//! Durations as people write them: a whole number and a unit, `250ms`, `5s`, `10m`.

use std::time::Duration;

/// Units, longest first, in nanoseconds.
const UNITS: [(&str, u64); 7] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// Parses a duration; `None` for anything but a whole number and one of `ns us ms s m h d`.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    let unit_at = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(unit_at);
    let number: u64 = number.parse().ok()?;
    let (_, ns) = UNITS.iter().find(|(name, _)| *name == unit)?;
    number.checked_mul(*ns).map(Duration::from_nanos)
}

/// Writes a duration in the largest unit that needs no fraction.
#[must_use]
pub fn format_duration(duration: Duration) -> String {
    let ns = duration.as_nanos();
    let fits = |unit: &&(&str, u64)| ns.is_multiple_of(u128::from(unit.1));
    match UNITS.iter().find(fits) {
        Some(_) if ns == 0 => "0s".to_owned(),
        Some((name, unit)) => format!("{}{name}", ns / u128::from(*unit)),
        None => format!("{ns}ns"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_round_trip() {
        for text in ["250ms", "5s", "10m", "36h", "2d", "7us", "3ns", "0s"] {
            assert_eq!(format_duration(parse_duration(text).unwrap()), text);
        }
        assert_eq!(
            parse_duration("1500ms").map(format_duration).unwrap(),
            "1500ms"
        );
        assert_eq!(parse_duration("120s").map(format_duration).unwrap(), "2m");
    }

    #[test]
    fn a_duration_needs_a_whole_number_and_a_unit() {
        for text in ["", "5", "s", "1.5s", "-1s", "5 s", "5sec", "99999999999d"] {
            assert_eq!(parse_duration(text), None, "{text:?}");
        }
    }
}
