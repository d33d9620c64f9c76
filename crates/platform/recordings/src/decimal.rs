//! Numbers from bytes, exactly, without a detour over text or floats.

/// Powers of ten up to 1e8.
const POWERS: [i64; 9] = [
    1,
    10,
    100,
    1_000,
    10_000,
    100_000,
    1_000_000,
    10_000_000,
    100_000_000,
];
const DECIMALS: usize = 8;

/// Why a text is no number at 1e-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NumberFault {
    /// It is no number.
    Syntax,
    /// It needs more than eight decimal places.
    Precision,
    /// It does not fit 64 bits at 1e-8.
    Range,
}

/// Reads the number that `bytes` starts with, if it is short and plain: at most ten digits, then
/// perhaps a point and at most eight digits. Answers its value at 1e-8 and its length; anything
/// else is left to [`exact`].
#[inline(always)]
pub(crate) fn plain(bytes: &[u8]) -> Option<(i64, usize)> {
    let (value, whole) = digits(bytes, 0);
    if !(1..=10).contains(&whole) {
        return None;
    }
    let Some((b'.', fraction)) = bytes.get(whole..)?.split_first() else {
        return Some((value.wrapping_mul(POWERS[DECIMALS]), whole));
    };
    let (value, decimals) = digits(fraction, value);
    // At most 18 digits in all: neither the value nor the product leaves 64 bits.
    let power = POWERS.get(DECIMALS.checked_sub(decimals)?)?;
    (decimals > 0).then(|| (value.wrapping_mul(*power), whole + 1 + decimals))
}

/// Reads the digits that `bytes` starts with: a whole number and its length. At most 18 digits.
#[inline(always)]
pub(crate) fn integer(bytes: &[u8]) -> Option<(i64, usize)> {
    let (value, length) = digits(bytes, 0);
    (1..=18).contains(&length).then_some((value, length))
}

/// Appends the digits that `bytes` starts with to `value`, up to eight at once; answers how many
/// there were. Wraps beyond 18 digits, which callers refuse.
#[inline(always)]
fn digits(bytes: &[u8], mut value: i64) -> (i64, usize) {
    let mut length = 0;
    while let Some(chunk) = bytes.get(length..).and_then(<[u8]>::first_chunk) {
        let (part, count) = up_to_eight(chunk);
        value = value.wrapping_mul(POWERS[count]).wrapping_add(part);
        length += count;
        if count < 8 {
            return (value, length);
        }
    }
    for byte in bytes.get(length..).unwrap_or_default() {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        value = value.wrapping_mul(10).wrapping_add(i64::from(digit));
        length += 1;
    }
    (value, length)
}

/// The digits that eight bytes start with: their value and how many there are, without a branch.
/// They are moved to the end, so that nothing but zeros stands before them, and then added up in
/// pairs, fours and eight. Source: D. Lemire, "Quickly parsing eight digits", 2018.
#[inline(always)]
fn up_to_eight(bytes: &[u8; 8]) -> (i64, usize) {
    const LOW_BITS: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    let digits = u64::from_le_bytes(*bytes) ^ u64::from_le_bytes(*b"00000000");
    // The highest bit of every byte that is above nine.
    let foreign = ((digits & LOW_BITS).wrapping_add(0x7676_7676_7676_7676) | digits) & !LOW_BITS;
    let bits = foreign.trailing_zeros() & !7;
    let digits = digits.checked_shl(64 - bits).unwrap_or_default();
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8);
    let upper = (pairs & 0x0000_00ff_0000_00ff).wrapping_mul(0x000f_4240_0000_0064);
    let lower = ((pairs >> 16) & 0x0000_00ff_0000_00ff).wrapping_mul(0x0000_2710_0000_0001);
    let value = upper.wrapping_add(lower) >> 32;
    // At most 99 999 999, and at most 64 bits: both fit.
    (value as i64, (bits / 8) as usize)
}

/// Reads the whole of `text` as a decimal number, with sign and exponent if it has them. What
/// lies beyond eight places is an error unless `round` allows to round it, halves to even.
pub(crate) fn exact(text: &[u8], round: bool) -> Result<i64, NumberFault> {
    let (negative, unsigned) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, text),
    };
    let (mantissa, exponent) = split_exponent(unsigned)?;
    let point = mantissa.iter().position(|b| *b == b'.');
    let (whole, fraction) = match point {
        Some(at) => (&mantissa[..at], &mantissa[at + 1..]),
        None => (mantissa, &mantissa[..0]),
    };
    if whole.len() + fraction.len() == 0 || point == Some(mantissa.len() - 1) {
        return Err(NumberFault::Syntax);
    }
    let mut value: i128 = 0;
    for digit in whole.iter().chain(fraction) {
        if !digit.is_ascii_digit() {
            return Err(NumberFault::Syntax);
        }
        value = value
            .checked_mul(10)
            .and_then(|v| v.checked_add(i128::from(digit - b'0')))
            .ok_or(NumberFault::Range)?;
    }
    let places = i64::try_from(fraction.len()).map_err(|_| NumberFault::Range)?;
    let raw = scaled(value, DECIMALS as i64 - places + exponent, round)?;
    i64::try_from(if negative { -raw } else { raw }).map_err(|_| NumberFault::Range)
}

fn split_exponent(unsigned: &[u8]) -> Result<(&[u8], i64), NumberFault> {
    let Some(at) = unsigned.iter().position(|b| matches!(b, b'e' | b'E')) else {
        return Ok((unsigned, 0));
    };
    let text = std::str::from_utf8(&unsigned[at + 1..]).map_err(|_| NumberFault::Syntax)?;
    let exponent: i16 = text.parse().map_err(|_| NumberFault::Syntax)?;
    Ok((&unsigned[..at], i64::from(exponent)))
}

/// `value` × 10^`shift`.
fn scaled(value: i128, shift: i64, round: bool) -> Result<i128, NumberFault> {
    if value == 0 {
        return Ok(0);
    }
    let power = |n: i64| {
        u32::try_from(n)
            .ok()
            .and_then(|n| 10i128.checked_pow(n))
            .ok_or(NumberFault::Range)
    };
    if shift >= 0 {
        return value.checked_mul(power(shift)?).ok_or(NumberFault::Range);
    }
    let Ok(divisor) = power(-shift) else {
        // Smaller than anything that can be rounded to 1e-8.
        return if round {
            Ok(0)
        } else {
            Err(NumberFault::Precision)
        };
    };
    let (quotient, rest) = (value / divisor, value % divisor);
    if rest == 0 {
        Ok(quotient)
    } else if round {
        let up = rest * 2 > divisor || (rest * 2 == divisor && quotient % 2 != 0);
        Ok(quotient + i128::from(up))
    } else {
        Err(NumberFault::Precision)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ploy_domain::Price;
    use proptest::prelude::*;

    #[test]
    fn plain_numbers_stop_at_the_first_foreign_byte() {
        assert_eq!(plain(b"12.5,7"), Some((1_250_000_000, 4)));
        assert_eq!(
            plain(b"9999999999.99999999"),
            Some((999_999_999_999_999_999, 19))
        );
        for other in ["", "-1", ".5", "1.", "12345678901", "0.123456789", "x"] {
            assert_eq!(plain(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn eight_bytes_are_read_up_to_the_first_that_is_no_digit() {
        assert_eq!(up_to_eight(b"12345678"), (12_345_678, 8));
        assert_eq!(up_to_eight(b"00000009"), (9, 8));
        assert_eq!(up_to_eight(b"99999999"), (99_999_999, 8));
        let values = [0, 1, 12, 123, 1_234, 12_345, 123_456, 1_234_567];
        for (place, value) in values.into_iter().enumerate() {
            for foreign in (0..=u8::MAX).filter(|byte| !byte.is_ascii_digit()) {
                let mut text = *b"12345678";
                text[place] = foreign;
                assert_eq!(up_to_eight(&text), (value, place), "{foreign} at {place}");
            }
        }
    }

    #[test]
    fn an_exponent_is_read_as_floats_are_printed() {
        assert_eq!(exact(b"2.9e-7", false), Ok(29));
        assert_eq!(exact(b"1E3", false), Ok(100_000_000_000));
        assert_eq!(exact(b"1e-9", false), Err(NumberFault::Precision));
        assert_eq!(exact(b"1e99", false), Err(NumberFault::Range));
        assert_eq!(exact(b"0e99", false), Ok(0));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in [
            "", "-", "1.", ".", "1e", "1,5", "0x1", "NaN", "inf", "1 000",
        ] {
            assert_eq!(
                exact(text.as_bytes(), true),
                Err(NumberFault::Syntax),
                "{text}"
            );
        }
        assert_eq!(
            exact(b"92233720368.54775808", false),
            Err(NumberFault::Range)
        );
    }

    #[test]
    fn rounding_is_asked_for_or_refused() {
        assert_eq!(exact(b"0.000000015", true), Ok(2));
        assert_eq!(exact(b"0.000000025", true), Ok(2));
        assert_eq!(exact(b"0.000000025", false), Err(NumberFault::Precision));
        assert_eq!(exact(b"0.1000000000", false), Ok(10_000_000));
        assert_eq!(exact(b"1e-300", true), Ok(0));
    }

    proptest! {
        #[test]
        fn both_readers_agree_with_the_domain(raw in 0i64..i64::MAX) {
            let text = Price::from_raw(raw).to_string();
            prop_assert_eq!(exact(text.as_bytes(), false), Ok(raw));
            if let Some(read) = plain(text.as_bytes()) {
                prop_assert_eq!(read, (raw, text.len()));
            }
        }

        #[test]
        fn no_bytes_make_them_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = (plain(&bytes), integer(&bytes), exact(&bytes, true), exact(&bytes, false));
        }
    }
}
