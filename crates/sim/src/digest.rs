//! A hash over every event of a run, so that two runs can be compared without keeping either.

use ploy_domain::{OrderEvent, OrderEventPayload};

/// The hash so far: FNV-1a with 128 bits over words of eight bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Digest(u128);

impl Default for Digest {
    fn default() -> Self {
        Self(Self::BASIS)
    }
}

impl Digest {
    const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;

    /// Adds what happened, to whom, when and, for an execution, at which price.
    pub(crate) fn event(&mut self, event: &OrderEvent) {
        self.word(event.seq);
        self.number(event.ts_event.as_nanos());
        self.text(event.payload.kind());
        if let Some(order_id) = event.payload.order_id() {
            self.text(order_id.as_str());
        }
        if let OrderEventPayload::Filled(execution) = &event.payload {
            self.number(execution.price.raw());
            self.number(execution.quantity.raw());
            self.number(execution.fee.raw());
        }
    }

    /// The hash of everything added.
    pub(crate) const fn finish(self) -> u128 {
        self.0 ^ (self.0 >> 64)
    }

    fn number(&mut self, number: i64) {
        self.word(u64::from_le_bytes(number.to_le_bytes()));
    }

    fn text(&mut self, text: &str) {
        for chunk in text.as_bytes().chunks(8) {
            let mut word = [0; 8];
            for (to, from) in word.iter_mut().zip(chunk) {
                *to = *from;
            }
            self.word(u64::from_le_bytes(word));
        }
    }

    const fn word(&mut self, word: u64) {
        self.0 = (self.0 ^ word as u128).wrapping_mul(Self::PRIME);
    }
}
