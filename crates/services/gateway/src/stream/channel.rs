//! What can be subscribed to.

use std::str::FromStr;

/// One kind of updates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Channel {
    Markets,
    Orders,
    Fills,
    Positions,
    Risk,
    Health,
}

impl Channel {
    pub(crate) const ALL: [Self; 6] = [
        Self::Markets,
        Self::Orders,
        Self::Fills,
        Self::Positions,
        Self::Risk,
        Self::Health,
    ];

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Markets => "markets",
            Self::Orders => "orders",
            Self::Fills => "fills",
            Self::Positions => "positions",
            Self::Risk => "risk",
            Self::Health => "health",
        }
    }

    /// Its place in arrays of one value for each channel.
    pub(crate) const fn index(self) -> usize {
        self as usize
    }
}

/// Some channels; all by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Channels([bool; Channel::ALL.len()]);

impl Channels {
    /// How to write them.
    pub(crate) const BOUND: &str =
        "some of markets, orders, fills, positions, risk, health, separated by commas";

    pub(crate) const fn has(self, channel: Channel) -> bool {
        self.0[channel.index()]
    }

    pub(crate) fn each(self) -> impl Iterator<Item = Channel> {
        Channel::ALL
            .into_iter()
            .filter(move |channel| self.has(*channel))
    }
}

impl Default for Channels {
    fn default() -> Self {
        Self([true; Channel::ALL.len()])
    }
}

impl FromStr for Channels {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let mut chosen = Self([false; Channel::ALL.len()]);
        for word in text.split(',') {
            let known = Channel::ALL
                .into_iter()
                .find(|channel| channel.word() == word);
            chosen.0[known.ok_or(())?.index()] = true;
        }
        Ok(chosen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_words_with_commas() {
        let chosen: Channels = "risk,orders".parse().unwrap();
        let words: Vec<_> = chosen.each().map(Channel::word).collect();
        assert_eq!(words, ["orders", "risk"]);
        for bad in ["", "orders,", "Orders", "orders, risk", "everything"] {
            assert!(bad.parse::<Channels>().is_err(), "{bad:?}");
        }
    }
}
