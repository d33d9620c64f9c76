//! `ploy why`: one page that explains an order.

use super::{
    Shown,
    connection::{Gateway, line},
    failure::Failure,
    lists::order_table,
    table::{Column, Table, short},
};
use ploy_domain::ClientOrderId;
use ploy_gateway::contract::{WhyJson, WhyLineJson};

/// Which order.
#[derive(Debug, clap::Args)]
pub(crate) struct Why {
    /// The order
    #[arg(value_name = "ORDER")]
    order_id: ClientOrderId,
    /// Its account
    #[arg(long)]
    account: Option<String>,
}

pub(super) async fn why(gateway: &Gateway, args: Why) -> Result<Shown, Failure> {
    let path = format!("/api/v1/orders/{}/why", args.order_id);
    let params: Vec<_> = args
        .account
        .map(|account| ("account", account))
        .into_iter()
        .collect();
    let raw = gateway.get(&path, &params).await?;
    let why: WhyJson = gateway.read(&raw)?;
    let order = order_table(std::slice::from_ref(&why.order)).render("no order");
    let story = story(&why.story).render("no events");
    Ok(Shown::new(line(&raw), format!("{order}\n{story}")))
}

fn story(lines: &[WhyLineJson]) -> Table {
    let mut table = Table::new(&[
        Column::Number("SEQUENCE"),
        Column::Text("WRITTEN"),
        Column::Number("SINCE DECISION"),
        Column::Text("EVENT"),
        Column::Text("ON WHOSE WORD"),
        Column::Text("NUMBERS"),
    ]);
    for line in lines {
        let facts: Vec<_> = line
            .facts
            .iter()
            .map(|fact| match fact.name.as_str() {
                "reason" => fact.value.clone(),
                name => format!("{name}={}", fact.value),
            })
            .collect();
        table.row([
            &line.sequence.to_string(),
            &short(&line.at),
            &span(line.since_decision_us),
            &line.event,
            &line.source,
            &facts.join("  "),
        ]);
    }
    table
}

/// A span in the unit that people would say it in.
fn span(us: i64) -> String {
    match us {
        ..=999 => format!("{us} us"),
        1_000..=999_999 => format!("{}.{} ms", us / 1_000, us % 1_000 / 100),
        _ => format!("{}.{} s", us / 1_000_000, us % 1_000_000 / 100_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_said_in_their_unit() {
        assert_eq!(span(999), "999 us");
        assert_eq!(span(1_250), "1.2 ms");
        assert_eq!(span(61_990_000), "61.9 s");
    }
}
