//! Words of fixed vocabularies. Zero and unknown numbers are errors, never a default.

use super::WireError;
use crate::{api::StrategyState, proto};
use ploy_domain::{
    FeedState, InstrumentStatus, Liquidity, OrderState, Side, Source, TimeInForce, TradingState,
};

/// A word that travels as a number.
pub(crate) trait Word: Sized {
    /// The number.
    fn number(self) -> i32;
    /// The word of a number that arrived in `field`.
    fn of(field: &str, number: i32) -> Result<Self, WireError>;
}

macro_rules! words {
    ($word:ident: $($variant:ident),+) => {
        impl Word for $word {
            fn number(self) -> i32 {
                let word = match self {
                    $(Self::$variant => proto::$word::$variant),+
                };
                word as i32
            }

            fn of(field: &str, number: i32) -> Result<Self, WireError> {
                match proto::$word::try_from(number) {
                    $(Ok(proto::$word::$variant) => Ok(Self::$variant),)+
                    Ok(proto::$word::Unspecified) => Err(WireError::missing(field)),
                    Err(unknown) => Err(WireError::invalid(field, number, unknown)),
                }
            }
        }

        #[cfg(test)]
        impl Vocabulary for $word {
            const ALL: &'static [Self] = &[$(Self::$variant),+];
        }
    };
}

/// Every word, for tests.
#[cfg(test)]
pub(crate) trait Vocabulary: Sized + 'static {
    const ALL: &'static [Self];
}

words!(Side: Buy, Sell);
words!(TimeInForce: Gtc, Ioc, Fok, Day);
words!(Liquidity: Maker, Taker);
words!(TradingState: Active, Reducing, CancelOnly, Halted);
words!(FeedState: Disconnected, Synchronising, Gapped, Stale, Good);
words!(InstrumentStatus: Trading, CancelOnly, Halted);
words!(Source: Platform, Stream, Rest, Reconcile, Operator, Simulator);
words!(StrategyState: WarmingUp, Running, Suspended, Stopped);
words!(
    OrderState: Created, Checked, Journaled, Submitted, Unknown, Accepted, Triggered,
    PartiallyFilled, PendingAmend, PendingCancel, Denied, Rejected, Cancelled, Expired, Filled
);

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Debug;

    fn check<W: Vocabulary + Word + Copy + PartialEq + Debug>() {
        for word in W::ALL {
            assert_eq!(W::of("field", word.number()), Ok(*word));
        }
        assert_eq!(W::of("field", 0), Err(WireError::missing("field")));
        assert!(matches!(W::of("field", 99), Err(WireError::Invalid { .. })));
    }

    #[test]
    fn every_word_comes_back_and_no_other_does() {
        check::<Side>();
        check::<TimeInForce>();
        check::<Liquidity>();
        check::<TradingState>();
        check::<FeedState>();
        check::<InstrumentStatus>();
        check::<Source>();
        check::<StrategyState>();
        check::<OrderState>();
    }
}
