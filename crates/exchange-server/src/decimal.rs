//! Decimals as the venue writes them: eight places, zeros kept.

use ploy_domain::SCALE;

/// `raw` units of 1e-8 with exactly eight places.
pub(crate) fn fixed(raw: i64) -> String {
    let (sign, size) = (if raw < 0 { "-" } else { "" }, raw.unsigned_abs());
    let scale = SCALE.unsigned_abs();
    format!("{sign}{}.{:08}", size / scale, size % scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_places_always() {
        assert_eq!(fixed(1_000_000), "0.01000000");
        assert_eq!(fixed(-150_000_000), "-1.50000000");
        assert_eq!(fixed(0), "0.00000000");
    }
}
