use super::*;
use proptest::prelude::*;

fn price(text: &str) -> Price {
    text.parse().unwrap()
}

#[test]
fn text_parses_exactly_or_not_at_all() {
    assert_eq!(price("0.00000001").raw(), 1);
    assert_eq!(price("92233720368.54775807").raw(), i64::MAX);
    assert_eq!(price("-1.50"), Price::from_raw(-150_000_000));
    assert_eq!(price("1.1000000000000").raw(), 110_000_000);
    assert!(matches!(
        "92233720368.54775808".parse::<Price>(),
        Err(MoneyError::Overflow { .. })
    ));
    let precise = "0.000000001".parse::<Price>();
    assert!(matches!(
        precise,
        Err(MoneyError::Precision { places: 9, .. })
    ));
    for bad in [
        "", "-", ".", "1.", ".5", "1e5", "+1", "NaN", "inf", "1,000", " 1", "0x1", "1_0", "--1",
    ] {
        assert!(
            matches!(bad.parse::<Price>(), Err(MoneyError::Syntax { .. })),
            "{bad:?}"
        );
    }
}

#[test]
fn products_are_exact_or_say_that_they_are_not() {
    let quantity: Quantity = "0.001".parse().unwrap();
    assert_eq!(
        price("25000.10").times(quantity, Rounding::Exact),
        Ok("25.0001".parse().unwrap())
    );
    let tiny = price("0.00000001").times(quantity, Rounding::Exact);
    assert!(matches!(tiny, Err(MoneyError::Inexact { .. })));
    assert_eq!(
        price("0.00000001").times(quantity, Rounding::Ceil),
        Ok(Amount::EPSILON)
    );
    assert!(matches!(
        Price::MAX.times(Quantity::MAX, Rounding::Floor),
        Err(MoneyError::Overflow { .. })
    ));
}

#[test]
fn half_even_rounds_both_ways() {
    let half = |raw| divide(raw, 2, Rounding::HalfEven, "test").unwrap();
    assert_eq!(
        (half(1), half(3), half(5), half(-1), half(-3)),
        (0, 2, 2, 0, -2)
    );
}

proptest! {
    #[test]
    fn printing_and_parsing_round_trip(raw in any::<i64>()) {
        let amount = Amount::from_raw(raw);
        prop_assert_eq!(amount.to_string().parse::<Amount>(), Ok(amount));
    }

    #[test]
    fn floor_and_ceil_enclose_the_product(p in 1i64..1_000_000_000_000, q in 1i64..1_000_000_000) {
        let (p, q) = (Price::from_raw(p), Quantity::from_raw(q));
        let (low, high) = (p.times(q, Rounding::Floor)?, p.times(q, Rounding::Ceil)?);
        let near = p.times(q, Rounding::HalfEven)?;
        prop_assert!(low <= near && near <= high && high.raw() - low.raw() <= 1);
    }

    #[test]
    fn shares_add_up_to_the_whole(raw in any::<i32>(), part in 0i64..1000, rest in 1i64..1000) {
        let (amount, whole) = (Amount::from_raw(raw.into()), Quantity::from_raw(part + rest));
        let share = amount.share(Quantity::from_raw(part), whole, Rounding::Floor)?;
        let remainder = amount.minus(share)?;
        prop_assert_eq!(share.plus(remainder)?, amount);
    }
}
