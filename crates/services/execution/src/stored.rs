//! Rows as they are stored, read back into what they say.

use crate::store::ReadError;
use ploy_domain::{
    Amount, Execution, Liquidity, OrderKind, Price, Quantity, Reason, ReasonCode, Timestamp,
};
use ploy_store::Row;
use ploy_wire::api::{FillView, OrderView};

/// A stored text as the value that was written.
pub(crate) fn parsed<T: std::str::FromStr>(
    what: &'static str,
    value: String,
) -> Result<T, ReadError>
where
    T::Err: std::fmt::Display,
{
    value.parse().map_err(|error: T::Err| {
        let detail = error.to_string();
        ReadError::Damaged {
            what,
            value,
            detail,
        }
    })
}

/// One reason a line: the code, a blank, the context.
pub(crate) fn reasons_text(reasons: &[Reason]) -> String {
    reasons
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

fn reasons_of(text: &str) -> Result<Vec<Reason>, ReadError> {
    let reason = |line: &str| {
        let (code, context) = line.split_once(' ').unwrap_or((line, ""));
        let code: ReasonCode = parsed("reason", code.to_owned())?;
        Ok(Reason::new(code, context))
    };
    text.lines().map(reason).collect()
}

fn kind_of(row: &Row) -> Result<OrderKind, ReadError> {
    let word: String = row.get("kind")?;
    let price = row.get::<Option<i64>>("price_e8")?.map(Price::from_raw);
    let stop = row
        .get::<Option<i64>>("stop_price_e8")?
        .map(Price::from_raw);
    match (word.as_str(), price, stop) {
        ("market", _, _) => Ok(OrderKind::Market),
        ("limit", Some(price), _) => Ok(OrderKind::Limit {
            price,
            post_only: false,
        }),
        ("post_only", Some(price), _) => Ok(OrderKind::Limit {
            price,
            post_only: true,
        }),
        ("stop", _, Some(stop)) => Ok(OrderKind::Stop { stop }),
        ("stop_limit", Some(price), Some(stop)) => Ok(OrderKind::StopLimit { stop, price }),
        _ => Err(ReadError::Damaged {
            what: "kind",
            value: word,
            detail: format!("price={price:?} stop={stop:?}"),
        }),
    }
}

pub(crate) fn order_view(row: &Row) -> Result<OrderView, ReadError> {
    let venue_order_id: Option<String> = row.get("venue_order_id")?;
    Ok(OrderView {
        account: parsed("account", row.get("account")?)?,
        order_id: parsed("order_id", row.get("order_id")?)?,
        strategy: parsed("strategy", row.get("strategy")?)?,
        instrument: parsed("instrument", row.get("instrument")?)?,
        side: parsed("side", row.get("side")?)?,
        kind: kind_of(row)?,
        quantity: Quantity::from_raw(row.get("quantity_e8")?),
        time_in_force: parsed("time_in_force", row.get("time_in_force")?)?,
        reduce_only: row.get::<i64>("reduce_only")? != 0,
        state: parsed("state", row.get("state")?)?,
        filled: Quantity::from_raw(row.get("filled_e8")?),
        average_price: row
            .get::<Option<i64>>("average_price_e8")?
            .map(Price::from_raw),
        venue_order_id: venue_order_id
            .map(|id| parsed("venue_order_id", id))
            .transpose()?,
        reasons: reasons_of(&row.get::<String>("reasons")?)?,
        late_fill: row.get::<i64>("late_fill")? != 0,
        version: row.get::<i64>("version")?.unsigned_abs(),
        created_at: Timestamp::from_nanos(row.get("created_at_ns")?),
        updated_at: Timestamp::from_nanos(row.get("updated_at_ns")?),
    })
}

pub(crate) fn fill_view(row: &Row) -> Result<FillView, ReadError> {
    let liquidity: String = row.get("liquidity")?;
    let execution = Execution {
        account: parsed("account", row.get("account")?)?,
        order_id: parsed("order_id", row.get("order_id")?)?,
        strategy: parsed("strategy", row.get("strategy")?)?,
        instrument: parsed("instrument", row.get("instrument")?)?,
        side: parsed("side", row.get("side")?)?,
        price: Price::from_raw(row.get("price_e8")?),
        quantity: Quantity::from_raw(row.get("quantity_e8")?),
        fee: Amount::from_raw(row.get("fee_e8")?),
        fee_asset: parsed("fee_asset", row.get("fee_asset")?)?,
        liquidity: if liquidity == "maker" {
            Liquidity::Maker
        } else {
            Liquidity::Taker
        },
        venue_order_id: parsed("venue_order_id", row.get("venue_order_id")?)?,
        execution_id: parsed("execution_id", row.get("execution_id")?)?,
        ts_event: Timestamp::from_nanos(row.get("ts_event_ns")?),
    };
    Ok(FillView {
        seq: row.get::<i64>("seq")?.unsigned_abs(),
        execution,
    })
}
