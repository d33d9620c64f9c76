//! Statistics of daily equity (trading-semantics §7). Each is printed with its definition; what
//! cannot be said honestly is not said.

use crate::wallet::DayEnd;
use ploy_domain::{Amount, Nanos};

/// Fewest daily returns for a ratio.
pub(crate) const OBSERVATIONS_MIN: usize = 20;
/// Shortest span for a yearly growth rate.
const CAGR_SPAN_MIN: Nanos = Nanos::from_secs(90 * 86_400);
/// A year in the mean of the Gregorian calendar.
const YEAR_SECS: f64 = 365.2425 * 86_400.0;
/// Ratios beyond this are artefacts of a variance near zero.
const ABSURD: f64 = 1e6;

/// What is printed beside the numbers.
pub(crate) const DEFINITIONS: [(&str, &str); 9] = [
    (
        "return",
        "final equity ÷ initial equity − 1, net of all charges",
    ),
    (
        "max_drawdown",
        "deepest fall of equity, marked at every price, from its highest value before, as a part of it",
    ),
    (
        "sharpe",
        "mean ÷ standard deviation (n − 1) of daily returns of session equity × √days per year; risk-free rate 0; not under 20 days",
    ),
    (
        "sortino",
        "mean ÷ √(Σ min(r, 0)² ÷ n) of daily returns × √days per year; not under 20 days",
    ),
    (
        "cagr",
        "yearly growth of equity over calendar time; not under 90 days",
    ),
    ("calmar", "cagr ÷ max_drawdown"),
    (
        "profit_factor",
        "Σ net wins ÷ |Σ net losses| of round trips from flat to flat",
    ),
    (
        "expectancy",
        "mean net profit of a round trip, in the quote asset",
    ),
    (
        "exposure",
        "part of the marked prices at which something was held",
    ),
];

/// Ratios of daily returns.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Ratios {
    pub(crate) observations: usize,
    pub(crate) sharpe: Option<f64>,
    pub(crate) sortino: Option<f64>,
}

/// Sharpe and Sortino of equity at the ends of days, beginning with `initial`.
pub(crate) fn ratios(initial: Amount, days: &[DayEnd], days_per_year: u32) -> Ratios {
    let mut before = initial.to_f64();
    let returns: Vec<f64> = days
        .iter()
        .map(|day| {
            let now = day.equity.to_f64();
            let change = now / before - 1.0;
            before = now;
            change
        })
        .collect();
    let observations = returns.len();
    if observations < OBSERVATIONS_MIN {
        return Ratios {
            observations,
            ..Ratios::default()
        };
    }
    let n = observations as f64;
    let mean = returns.iter().sum::<f64>() / n;
    let variance = returns.iter().map(|r| (r - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let downside = returns.iter().map(|r| r.min(0.0).powi(2)).sum::<f64>() / n;
    let year = f64::from(days_per_year).sqrt();
    Ratios {
        observations,
        sharpe: sane(mean / variance.sqrt() * year),
        sortino: sane(mean / downside.sqrt() * year),
    }
}

/// Yearly growth from `initial` to `last` over `span`.
pub(crate) fn cagr(initial: Amount, last: Amount, span: Nanos) -> Option<f64> {
    if span < CAGR_SPAN_MIN || !last.is_positive() {
        return None;
    }
    let years = span.get() as f64 / 1e9 / YEAR_SECS;
    sane((last.to_f64() / initial.to_f64()).powf(1.0 / years) - 1.0)
}

/// The number, unless it is none or absurd.
pub(crate) fn sane(number: f64) -> Option<f64> {
    (number.is_finite() && number.abs() < ABSURD).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(equities: &[i64]) -> Vec<DayEnd> {
        let day = |(day, equity): (i64, &i64)| DayEnd {
            day,
            equity: Amount::from_int(*equity).unwrap(),
        };
        (0..).zip(equities).map(day).collect()
    }

    fn amount(whole: i64) -> Amount {
        Amount::from_int(whole).unwrap()
    }

    #[test]
    fn no_ratio_is_given_under_twenty_days() {
        let equities: Vec<i64> = (0..19).map(|n| 1_000 + n % 3).collect();
        let ratios = ratios(amount(1_000), &days(&equities), 365);
        assert_eq!((ratios.observations, ratios.sharpe), (19, None));
    }

    #[test]
    fn ratios_follow_their_definitions() {
        // Ten days of +10 % and ten of −5 %, alternating.
        let mut equity = 100_000_000_000i64;
        let equities: Vec<DayEnd> = (0..20)
            .map(|day| {
                equity = if day % 2 == 0 {
                    equity / 10 * 11
                } else {
                    equity / 20 * 19
                };
                DayEnd {
                    day,
                    equity: Amount::from_raw(equity),
                }
            })
            .collect();
        let found = ratios(Amount::from_raw(100_000_000_000), &equities, 252);
        let (mean, sd) = (0.025, (20.0f64 * 0.075 * 0.075 / 19.0).sqrt());
        let close = |a: Option<f64>, b: f64| (a.unwrap() - b).abs() < 1e-6;
        assert!(close(found.sharpe, mean / sd * 252f64.sqrt()), "{found:?}");
        let downside = (0.05f64 * 0.05 / 2.0).sqrt();
        assert!(
            close(found.sortino, mean / downside * 252f64.sqrt()),
            "{found:?}"
        );
    }

    #[test]
    fn flat_equity_has_no_ratio() {
        let found = ratios(amount(7), &days(&[7; 30]), 365);
        assert_eq!((found.sharpe, found.sortino), (None, None));
    }

    #[test]
    fn growth_is_yearly_and_not_given_for_a_quarter() {
        let year = Nanos::from_secs(31_556_952);
        let doubled = cagr(amount(100), amount(200), year).unwrap();
        assert!((doubled - 1.0).abs() < 1e-9);
        assert_eq!(
            cagr(amount(100), amount(200), Nanos::from_secs(86_400 * 89)),
            None
        );
        assert_eq!(cagr(amount(100), amount(-1), year), None);
    }
}
