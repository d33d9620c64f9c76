use super::*;
use ploy_domain::{BookLevel, Price, Quantity, Side, Timestamp};
use proptest::prelude::*;

fn level(price: i64, quantity: i64) -> BookLevel {
    BookLevel {
        price: Price::from_int(price).unwrap(),
        quantity: Quantity::from_int(quantity).unwrap(),
    }
}

fn delta(ids: (u64, u64), bids: Vec<BookLevel>, asks: Vec<BookLevel>) -> BookDelta {
    BookDelta {
        instrument: "BTCUSDT.SIM".parse().unwrap(),
        first_update_id: ids.0,
        last_update_id: ids.1,
        bids,
        asks,
        is_snapshot: false,
        ts_event: Timestamp::EPOCH,
        ts_receive: Timestamp::EPOCH,
    }
}

fn event(first: u64, last: u64) -> BookDelta {
    delta((first, last), vec![level(99, last as i64)], vec![])
}

fn snapshot(id: u64) -> BookDelta {
    BookDelta {
        is_snapshot: true,
        ..delta((id, id), vec![level(99, 1)], vec![level(101, 1)])
    }
}

fn connected() -> DepthSync {
    let mut sync = DepthSync::new("BTCUSDT.SIM".parse().unwrap());
    let out = sync.handle(DepthInput::Connected);
    assert_eq!(out, [DepthOutput::State(FeedState::Synchronising)]);
    sync
}

fn feed(sync: &mut DepthSync, first: u64, last: u64) -> Vec<DepthOutput> {
    sync.handle(DepthInput::Event(event(first, last)))
}

fn answer(sync: &mut DepthSync, id: u64) -> Vec<DepthOutput> {
    let request = sync.request;
    let book = snapshot(id);
    sync.handle(DepthInput::Snapshot { request, book })
}

#[test]
fn buffered_events_are_applied_on_top_of_the_snapshot() {
    let mut sync = connected();
    let need = DepthOutput::NeedSnapshot { request: 1 };
    assert_eq!(feed(&mut sync, 10, 12), [need]);
    assert_eq!(feed(&mut sync, 13, 15), []);
    assert_eq!(feed(&mut sync, 16, 18), []);
    assert_eq!(
        answer(&mut sync, 14),
        [
            DepthOutput::Book(snapshot(14)),
            DepthOutput::Book(event(13, 15)),
            DepthOutput::Book(event(16, 18)),
            DepthOutput::State(FeedState::Good),
        ]
    );
    assert_eq!(feed(&mut sync, 19, 19), [DepthOutput::Book(event(19, 19))]);
    assert_eq!(sync.book().map(Book::update_id), Some(19));
}

#[test]
fn a_snapshot_older_than_the_first_event_is_fetched_again() {
    let mut sync = connected();
    feed(&mut sync, 10, 12);
    assert_eq!(
        answer(&mut sync, 9),
        [DepthOutput::NeedSnapshot { request: 2 }]
    );
    assert_eq!(sync.state(), FeedState::Synchronising);
    assert_eq!(
        answer(&mut sync, 12).last(),
        Some(&DepthOutput::State(FeedState::Good))
    );
}

#[test]
fn a_gap_is_announced_and_healed() {
    let mut sync = connected();
    feed(&mut sync, 10, 12);
    answer(&mut sync, 12);
    assert_eq!(
        feed(&mut sync, 15, 16),
        [
            DepthOutput::State(FeedState::Gapped),
            DepthOutput::NeedSnapshot { request: 2 },
        ]
    );
    assert!(sync.book().is_none());
    let healed = answer(&mut sync, 16);
    assert_eq!(
        healed,
        [
            DepthOutput::Book(snapshot(16)),
            DepthOutput::State(FeedState::Good),
        ]
    );
}

#[test]
fn a_gap_among_the_buffered_events_is_found_too() {
    let mut sync = connected();
    feed(&mut sync, 10, 12);
    feed(&mut sync, 14, 15);
    let out = answer(&mut sync, 10);
    assert!(out.contains(&DepthOutput::State(FeedState::Gapped)));
    assert!(!out.contains(&DepthOutput::State(FeedState::Good)));
    assert_eq!(
        answer(&mut sync, 15).last(),
        Some(&DepthOutput::State(FeedState::Good))
    );
}

#[test]
fn duplicates_are_dropped() {
    let mut sync = connected();
    feed(&mut sync, 10, 12);
    answer(&mut sync, 12);
    feed(&mut sync, 13, 14);
    assert_eq!(feed(&mut sync, 13, 14), [DepthOutput::Duplicate]);
    assert_eq!(sync.state(), FeedState::Good);
}

#[test]
fn a_crossed_book_is_never_good() {
    let mut sync = connected();
    feed(&mut sync, 10, 12);
    answer(&mut sync, 12);
    let crossing = delta((13, 13), vec![level(101, 1)], vec![]);
    let out = sync.handle(DepthInput::Event(crossing));
    assert_eq!(out[0], DepthOutput::State(FeedState::Gapped));
    assert!(
        !out.iter()
            .any(|output| matches!(output, DepthOutput::Book(_)))
    );
}

#[test]
fn the_answer_to_an_older_request_is_ignored() {
    let mut sync = connected();
    feed(&mut sync, 10, 12);
    sync.handle(DepthInput::Disconnected);
    sync.handle(DepthInput::Connected);
    feed(&mut sync, 20, 21);
    let book = snapshot(21);
    assert_eq!(sync.handle(DepthInput::Snapshot { request: 1, book }), []);
    assert_eq!(sync.state(), FeedState::Synchronising);
}

#[test]
fn a_quiet_market_gets_its_book_without_an_event() {
    let mut sync = connected();
    let need = DepthOutput::NeedSnapshot { request: 1 };
    assert_eq!(sync.handle(DepthInput::Quiet), [need]);
    assert_eq!(sync.handle(DepthInput::Quiet), []);
    assert_eq!(
        answer(&mut sync, 7).last(),
        Some(&DepthOutput::State(FeedState::Good))
    );
    assert_eq!(feed(&mut sync, 8, 8).len(), 1);
}

#[test]
fn a_lost_snapshot_does_not_fill_the_memory() {
    let mut sync = connected();
    let last = BUFFER_MAX as u64 + 1;
    let outs: Vec<_> = (1..=last).flat_map(|id| feed(&mut sync, id, id)).collect();
    assert_eq!(outs.last(), Some(&DepthOutput::NeedSnapshot { request: 2 }));
}

/// What the network does to the next event.
#[derive(Debug, Clone, Copy)]
enum Fault {
    None,
    Drop,
    Twice,
    /// Delivered after the next one.
    Late,
    Disconnect,
}

#[derive(Debug, Clone)]
struct Step {
    /// Price offset from the middle, side and new quantity.
    change: (i64, bool, i64),
    /// Update numbers the change takes.
    ids: u64,
    fault: Fault,
    /// Whether a pending snapshot is answered after this step.
    answers: bool,
}

fn step() -> impl Strategy<Value = Step> {
    let fault = prop_oneof![
        12 => Just(Fault::None),
        1 => Just(Fault::Drop),
        1 => Just(Fault::Twice),
        1 => Just(Fault::Late),
        1 => Just(Fault::Disconnect),
    ];
    let change = (1i64..6, any::<bool>(), 0i64..4);
    (change, 1u64..4, fault, any::<bool>()).prop_map(|(change, ids, fault, answers)| Step {
        change,
        ids,
        fault,
        answers,
    })
}

/// The venue: its true book after every update number.
struct Venue {
    book: Book,
    history: Vec<(u64, Vec<BookLevel>)>,
}

fn all_levels(book: &Book) -> Vec<BookLevel> {
    book.levels(Side::Buy)
        .chain(book.levels(Side::Sell))
        .collect()
}

impl Venue {
    fn new() -> Self {
        let mut book = Book::new("BTCUSDT.SIM".parse().unwrap());
        book.apply(&snapshot(1)).unwrap();
        let history = vec![(1, all_levels(&book))];
        Self { book, history }
    }

    fn change(&mut self, step: &Step) -> BookDelta {
        let (offset, is_bid, quantity) = step.change;
        let first = self.book.update_id() + 1;
        let ids = (first, first + step.ids - 1);
        let event = if is_bid {
            delta(ids, vec![level(100 - offset, quantity)], vec![])
        } else {
            delta(ids, vec![], vec![level(100 + offset, quantity)])
        };
        self.book.apply(&event).unwrap();
        self.history.push((ids.1, all_levels(&self.book)));
        event
    }

    fn snapshot(&self) -> BookDelta {
        BookDelta {
            is_snapshot: true,
            ..delta(
                (self.book.update_id(), self.book.update_id()),
                self.book.levels(Side::Buy).collect(),
                self.book.levels(Side::Sell).collect(),
            )
        }
    }

    fn at(&self, id: u64) -> Option<&Vec<BookLevel>> {
        let entry = self.history.iter().find(|(at, _)| *at == id);
        entry.map(|(_, levels)| levels)
    }
}

/// A reader of the outputs, who has nothing but them.
struct Reader {
    book: Book,
    good: bool,
    pending: Option<u64>,
}

impl Reader {
    fn read(&mut self, outputs: Vec<DepthOutput>) {
        for output in outputs {
            match output {
                DepthOutput::NeedSnapshot { request } => self.pending = Some(request),
                DepthOutput::Book(delta) => {
                    self.book.apply(&delta).expect("a published delta applies");
                }
                DepthOutput::State(state) => self.good = state == FeedState::Good,
                DepthOutput::Duplicate => {}
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn a_good_book_is_the_venues_book_whatever_the_network_does(
        steps in proptest::collection::vec(step(), 1..120)
    ) {
        let mut venue = Venue::new();
        let mut sync = connected();
        let book = Book::new("BTCUSDT.SIM".parse().unwrap());
        let mut reader = Reader { book, good: false, pending: None };
        let mut late: Option<BookDelta> = None;
        for step in &steps {
            let event = venue.change(step);
            let mut deliver = Vec::new();
            match step.fault {
                Fault::None => deliver.push(event),
                Fault::Drop => {}
                Fault::Twice => deliver.extend([event.clone(), event]),
                Fault::Late => {
                    deliver.extend(late.replace(event));
                }
                Fault::Disconnect => {
                    late = None;
                    reader.read(sync.handle(DepthInput::Disconnected));
                    reader.read(sync.handle(DepthInput::Connected));
                    deliver.push(event);
                }
            }
            if !matches!(step.fault, Fault::Late) && !deliver.is_empty() {
                deliver.extend(late.take());
            }
            for event in deliver {
                reader.read(sync.handle(DepthInput::Event(event)));
            }
            if step.answers && let Some(request) = reader.pending.take() {
                let book = venue.snapshot();
                reader.read(sync.handle(DepthInput::Snapshot { request, book }));
            }
            if reader.good {
                let expected = venue.at(reader.book.update_id());
                prop_assert_eq!(expected, Some(&all_levels(&reader.book)));
                let kept = sync.book().map(all_levels);
                prop_assert_eq!(kept.as_ref(), expected);
            }
        }
        // Once the network behaves, every book becomes good and current.
        for answers in [true, true, true] {
            let change = (1, true, 3);
            let step = Step { change, ids: 1, fault: Fault::None, answers };
            let event = venue.change(&step);
            reader.read(sync.handle(DepthInput::Event(event)));
            if let Some(request) = reader.pending.take() {
                let book = venue.snapshot();
                reader.read(sync.handle(DepthInput::Snapshot { request, book }));
            }
        }
        prop_assert!(reader.good);
        prop_assert_eq!(all_levels(&reader.book), all_levels(&venue.book));
    }
}
