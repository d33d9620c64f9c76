//! Keeps one book in step with a stream of differences (binance-spot §15), as a pure state
//! machine: decides which event applies, when a snapshot is needed and whether the book can be
//! trusted. Fetching and publishing is the shell's.

use ploy_domain::{Book, BookDelta, BookError, FeedState, InstrumentId};
use std::collections::VecDeque;

/// Differences kept while a snapshot is on its way: minutes at ten a second. Beyond that the
/// snapshot was lost, and old differences are of no use.
const BUFFER_MAX: usize = 4_096;

/// What can happen to the book of one instrument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DepthInput {
    /// The stream is connected; nothing is known yet.
    Connected,
    /// A difference arrived.
    Event(BookDelta),
    /// The snapshot that was asked for with this number arrived.
    Snapshot {
        /// The number of [`DepthOutput::NeedSnapshot`].
        request: u64,
        /// The snapshot.
        book: BookDelta,
    },
    /// The connection has been silent about this instrument for a while.
    Quiet,
    /// The stream is gone.
    Disconnected,
}

/// What has to be done about it, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DepthOutput {
    /// Fetch a snapshot and give it back with this number.
    NeedSnapshot {
        /// Rises; answers to older numbers are ignored.
        request: u64,
    },
    /// Publish a snapshot or a difference.
    Book(BookDelta),
    /// Publish the new state of the book.
    State(FeedState),
    /// A difference was known already and is dropped.
    Duplicate,
}

/// The synchronisation of one book.
#[derive(Debug)]
pub struct DepthSync {
    instrument: InstrumentId,
    phase: Phase,
    state: FeedState,
    request: u64,
}

#[derive(Debug)]
enum Phase {
    /// Nothing was seen on this connection.
    Idle,
    /// A snapshot is on its way; differences wait for it.
    Waiting(VecDeque<BookDelta>),
    /// The book is current.
    Live(Box<Book>),
}

impl DepthSync {
    /// Before any connection.
    #[must_use]
    pub const fn new(instrument: InstrumentId) -> Self {
        Self {
            instrument,
            phase: Phase::Idle,
            state: FeedState::Disconnected,
            request: 0,
        }
    }

    /// What the book can be trusted for.
    #[must_use]
    pub const fn state(&self) -> FeedState {
        self.state
    }

    /// The book, while it is good.
    #[must_use]
    pub fn book(&self) -> Option<&Book> {
        match &self.phase {
            Phase::Live(book) => Some(book),
            Phase::Idle | Phase::Waiting(_) => None,
        }
    }

    /// Folds one input into the state and says what to do.
    pub fn handle(&mut self, input: DepthInput) -> Vec<DepthOutput> {
        let mut out = Vec::new();
        match input {
            DepthInput::Connected => {
                self.phase = Phase::Idle;
                self.enter(FeedState::Synchronising, &mut out);
            }
            DepthInput::Event(event) => self.on_event(event, &mut out),
            DepthInput::Snapshot { request, book } => self.on_snapshot(request, &book, &mut out),
            DepthInput::Quiet => self.on_quiet(&mut out),
            DepthInput::Disconnected => {
                self.phase = Phase::Idle;
                self.request += 1;
                self.enter(FeedState::Disconnected, &mut out);
            }
        }
        out
    }

    fn on_event(&mut self, event: BookDelta, out: &mut Vec<DepthOutput>) {
        match &mut self.phase {
            Phase::Idle => {
                self.enter(FeedState::Synchronising, out);
                self.wait_for_snapshot(VecDeque::from([event]), out);
            }
            Phase::Waiting(events) if events.len() < BUFFER_MAX => events.push_back(event),
            Phase::Waiting(_) => self.wait_for_snapshot(VecDeque::from([event]), out),
            Phase::Live(book) => match book.apply(&event) {
                Ok(true) => out.push(DepthOutput::Book(event)),
                Ok(false) => out.push(DepthOutput::Duplicate),
                Err(error) => self.restart(error, VecDeque::from([event]), out),
            },
        }
    }

    /// A market without changes sends no differences, and its book is wanted all the same.
    fn on_quiet(&mut self, out: &mut Vec<DepthOutput>) {
        if matches!(self.phase, Phase::Idle) && self.state == FeedState::Synchronising {
            self.wait_for_snapshot(VecDeque::new(), out);
        }
    }

    fn on_snapshot(&mut self, request: u64, snapshot: &BookDelta, out: &mut Vec<DepthOutput>) {
        let Phase::Waiting(events) = &mut self.phase else {
            return;
        };
        if request != self.request {
            return;
        }
        let mut events = std::mem::take(events);
        let too_old = |first: &BookDelta| snapshot.last_update_id < first.first_update_id;
        if events.front().is_some_and(too_old) {
            self.wait_for_snapshot(events, out);
            return;
        }
        let mut book = Book::new(self.instrument);
        if let Err(error) = book.apply(snapshot) {
            self.restart(error, events, out);
            return;
        }
        out.push(DepthOutput::Book(snapshot.clone()));
        while let Some(event) = events.pop_front() {
            match book.apply(&event) {
                Ok(true) => out.push(DepthOutput::Book(event)),
                // Older than the snapshot: the usual start, not a repetition.
                Ok(false) => {}
                Err(error) => {
                    events.push_front(event);
                    self.restart(error, events, out);
                    return;
                }
            }
        }
        self.phase = Phase::Live(Box::new(book));
        self.enter(FeedState::Good, out);
    }

    /// Announces that the book cannot be trusted and starts again.
    fn restart(
        &mut self,
        error: BookError,
        mut events: VecDeque<BookDelta>,
        out: &mut Vec<DepthOutput>,
    ) {
        if matches!(error, BookError::Crossed { .. }) {
            // The difference that crossed the book says nothing about where the next one starts.
            events.clear();
        }
        self.enter(FeedState::Gapped, out);
        self.wait_for_snapshot(events, out);
    }

    fn wait_for_snapshot(&mut self, events: VecDeque<BookDelta>, out: &mut Vec<DepthOutput>) {
        self.request += 1;
        self.phase = Phase::Waiting(events);
        out.push(DepthOutput::NeedSnapshot {
            request: self.request,
        });
    }

    fn enter(&mut self, state: FeedState, out: &mut Vec<DepthOutput>) {
        if self.state != state {
            self.state = state;
            out.push(DepthOutput::State(state));
        }
    }
}

#[cfg(test)]
mod tests;
