use super::*;
use crate::{
    execution::Liquidity,
    ids::OrderIdParts,
    ids::{AccountId, ClientOrderId, ExecutionId, StrategyId, VenueOrderId},
    instrument::InstrumentStatus,
    session::Session,
};
use proptest::prelude::*;

fn instrument() -> Instrument {
    Instrument {
        id: "BTCUSDT.SIM".parse().unwrap(),
        base: "BTC".parse().unwrap(),
        quote: "USDT".parse().unwrap(),
        tick: "0.01".parse().unwrap(),
        lot: "0.00001".parse().unwrap(),
        quantity_min: "0.00001".parse().unwrap(),
        quantity_max: "9000".parse().unwrap(),
        price_min: "0.01".parse().unwrap(),
        price_max: "1000000".parse().unwrap(),
        notional_min: "5".parse().unwrap(),
        notional_max: "9000000".parse().unwrap(),
        session: Session::Always,
        status: InstrumentStatus::Trading,
    }
}

fn fill(side: Side, quantity: &str, price: &str, fee: &str, fee_asset: &str) -> Execution {
    let account = AccountId::parse("main").unwrap();
    let parts = OrderIdParts {
        prefix: *b"pd",
        account: &account,
        origin: "t",
        decision: "1",
        leg: 0,
    };
    Execution {
        account,
        order_id: ClientOrderId::derive(&parts),
        strategy: StrategyId::parse("t").unwrap(),
        instrument: instrument().id,
        side,
        price: price.parse().unwrap(),
        quantity: quantity.parse().unwrap(),
        fee: fee.parse().unwrap(),
        fee_asset: fee_asset.parse().unwrap(),
        liquidity: Liquidity::Taker,
        venue_order_id: VenueOrderId::parse("1").unwrap(),
        execution_id: ExecutionId::parse("1").unwrap(),
        ts_event: Timestamp::from_nanos(1),
    }
}

fn after(fills: &[Execution]) -> Position {
    let mut position = Position::default();
    for fill in fills {
        position.apply(fill, &instrument()).unwrap();
    }
    position
}

#[test]
fn buying_averages_and_selling_realises() {
    let position = after(&[
        fill(Side::Buy, "1", "100", "0", "USDT"),
        fill(Side::Buy, "1", "110", "0", "USDT"),
        fill(Side::Sell, "0.5", "120", "0", "USDT"),
    ]);
    assert_eq!(position.average_price(), Some("105".parse().unwrap()));
    assert_eq!(position.quantity(), "1.5".parse().unwrap());
    assert_eq!(position.realised_gross(), "7.5".parse().unwrap());
    assert_eq!(
        position.unrealised("100".parse().unwrap()),
        Ok("-7.5".parse().unwrap())
    );
}

#[test]
fn a_flip_realises_the_old_side_and_opens_the_new_one() {
    let position = after(&[
        fill(Side::Buy, "1", "100", "0", "USDT"),
        fill(Side::Sell, "3", "90", "0", "USDT"),
    ]);
    assert_eq!(position.quantity(), "-2".parse().unwrap());
    assert_eq!(position.average_price(), Some("90".parse().unwrap()));
    assert_eq!(position.realised_gross(), "-10".parse().unwrap());
    assert_eq!(position.cycle(), 2);
}

#[test]
fn a_fee_in_the_base_asset_takes_quantity_and_is_valued_at_the_fill() {
    let position = after(&[fill(Side::Buy, "1", "100", "0.001", "BTC")]);
    assert_eq!(position.quantity(), "0.999".parse().unwrap());
    assert_eq!(position.charges(), "0.1".parse().unwrap());
    assert_eq!(position.average_price(), Some("100".parse().unwrap()));
}

#[test]
fn a_fee_in_a_third_asset_is_refused() {
    let mut position = Position::default();
    let result = position.apply(&fill(Side::Buy, "1", "100", "0.001", "BNB"), &instrument());
    assert!(matches!(result, Err(PositionError::ForeignFee { .. })));
    assert_eq!(position, Position::default());
}

proptest! {
    /// Profit equals the cash that came back, whatever the path: marked at the last price,
    /// realised + unrealised = Σ signed cash flows + value of what is held.
    #[test]
    fn profit_is_conserved(fills in proptest::collection::vec((any::<bool>(), 1i64..1000, 1i64..1000), 1..60)) {
        let mut position = Position::default();
        let (mut cash, mut held, mut last) = (0i128, 0i128, 1i64);
        for (buy, quantity, price) in fills {
            let (side, sign) = if buy { (Side::Buy, 1) } else { (Side::Sell, -1) };
            let execution = fill(side, &quantity.to_string(), &price.to_string(), "0", "USDT");
            position.apply(&execution, &instrument())?;
            cash -= i128::from(sign * quantity * price);
            held += i128::from(sign * quantity);
            last = price;
        }
        let expected = cash + held * i128::from(last);
        let profit = position.realised_gross().plus(position.unrealised(Price::from_int(last)?)?)?;
        let error = i128::from(profit.raw()) - expected * i128::from(SCALE);
        // Each closing rounds at 1e-8 once.
        prop_assert!(error.abs() <= 60, "off by {error}");
        prop_assert_eq!(i128::from(position.quantity().raw()), held * i128::from(SCALE));
    }
}
