//! Which open order an account's client id names. It decides nothing but that.

use crate::{
    accounts::AccountKey,
    command::{ClientId, OrderId},
    index::Index,
};
use std::borrow::Borrow;

#[derive(Debug, Clone, Copy)]
struct Entry {
    owner: AccountKey,
    name: ClientId,
    market: u32,
    order: OrderId,
}

/// The client ids of all open orders of all accounts.
#[derive(Debug, Clone)]
pub(crate) struct ClientIds {
    index: Index,
    entries: Vec<Entry>,
    free: Vec<u32>,
}

impl ClientIds {
    pub(crate) fn new() -> Self {
        Self {
            index: Index::with_capacity(1024),
            entries: Vec::new(),
            free: Vec::new(),
        }
    }

    /// The market and number of the order that `owner` calls `name`.
    pub(crate) fn find(&self, owner: AccountKey, name: &ClientId) -> Option<(u32, OrderId)> {
        let place = self
            .index
            .find(key(owner, name), |place| self.is(place, owner, name))?;
        let entry = &self.entries[place as usize];
        Some((entry.market, entry.order))
    }

    fn is(&self, place: u32, owner: AccountKey, name: &ClientId) -> bool {
        let entry = &self.entries[place as usize];
        entry.owner == owner && entry.name == *name
    }

    pub(crate) fn insert(
        &mut self,
        owner: AccountKey,
        name: ClientId,
        (market, order): (u32, OrderId),
    ) {
        let entry = Entry {
            owner,
            name,
            market,
            order,
        };
        let place = match self.free.pop() {
            Some(place) => {
                self.entries[place as usize] = entry;
                place
            }
            None => {
                self.entries.push(entry);
                (self.entries.len() - 1) as u32
            }
        };
        self.index.insert(key(owner, &name), place);
    }

    pub(crate) fn remove(&mut self, owner: AccountKey, name: &ClientId) {
        let Self { index, entries, .. } = self;
        let is = |place: u32| {
            let entry: &Entry = &entries[place as usize];
            entry.owner == owner && entry.name == *name
        };
        if let Some(place) = index.remove(key(owner, name), is) {
            self.free.push(place);
        }
    }
}

/// Folds owner and text into 64 bits by multiply and rotate, eight bytes at a time.
fn key(owner: AccountKey, name: &ClientId) -> u64 {
    let fold = |hash: u64, word: u64| {
        (hash ^ word)
            .wrapping_mul(0xA076_1D64_78BD_642F)
            .rotate_left(29)
    };
    let bytes: &[u8] = name.borrow();
    let mut chunks = bytes.chunks_exact(8);
    let mut hash = fold(u64::from(owner.0), bytes.len() as u64);
    for chunk in &mut chunks {
        let mut word = [0; 8];
        word.copy_from_slice(chunk);
        hash = fold(hash, u64::from_le_bytes(word));
    }
    let mut word = [0; 8];
    let rest = chunks.remainder();
    word[..rest.len()].copy_from_slice(rest);
    fold(hash, u64::from_le_bytes(word))
}
