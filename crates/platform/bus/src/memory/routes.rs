//! Finds the subscribers of a subject. A subject seen before costs one look-up.

use crate::{Message, Pattern, Subject, mailbox::Mailbox};
use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

/// Subjects whose readers are remembered; beyond it the memory starts afresh.
const KNOWN_SUBJECTS_MAX: usize = 8_192;

type Readers = Arc<[Arc<Mailbox>]>;

#[derive(Debug, Default)]
struct Table {
    subscriptions: Vec<(u64, Pattern, Arc<Mailbox>)>,
    by_subject: HashMap<Subject, Readers>,
    next_id: u64,
}

/// All subscriptions of a bus.
#[derive(Debug, Default)]
pub(super) struct Routes(RwLock<Table>);

impl Routes {
    /// Adds a subscription and returns what [`Self::remove`] takes.
    pub(super) fn add(&self, pattern: Pattern, mailbox: Arc<Mailbox>) -> u64 {
        let mut table = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let id = table.next_id;
        table.next_id += 1;
        table.subscriptions.push((id, pattern, mailbox));
        table.by_subject.clear();
        id
    }

    pub(super) fn remove(&self, id: u64) {
        let mut table = self.0.write().unwrap_or_else(PoisonError::into_inner);
        table.subscriptions.retain(|(known, ..)| *known != id);
        table.by_subject.clear();
    }

    /// Puts `message` into the mailbox of every subscriber that wants it.
    pub(super) fn deliver(&self, message: &Message) {
        for mailbox in self.readers(&message.subject).iter() {
            mailbox.push(message.clone());
        }
    }

    fn readers(&self, subject: &Subject) -> Readers {
        let table = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(readers) = table.by_subject.get(subject) {
            return Arc::clone(readers);
        }
        drop(table);
        let mut table = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let readers: Readers = table
            .subscriptions
            .iter()
            .filter(|(_, pattern, _)| pattern.matches(subject))
            .map(|(.., mailbox)| Arc::clone(mailbox))
            .collect();
        if table.by_subject.len() >= KNOWN_SUBJECTS_MAX {
            table.by_subject.clear();
        }
        table
            .by_subject
            .insert(subject.clone(), Arc::clone(&readers));
        readers
    }
}
