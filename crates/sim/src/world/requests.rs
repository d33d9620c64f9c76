//! The way between execution and the venue: requests that may get lost on either way, readings that
//! take a while, and the private stream.

use super::{
    disk::{Address, FillKey},
    letters::{Call, Event, Letter, Message, ReadPart, Request, ToExecution},
    plan::Part,
    platform::Platform,
};
use ploy_domain::{ClientOrderId, InstrumentId, Intent, Nanos, Reason, ReasonCode, Timestamp};
use ploy_orders_core::{
    CancelOutcome, Input, QueryOutcome, Report, SendOutcome, VenueFill, VenueSnapshot,
};
use std::collections::BTreeSet;

/// How long an order call may take.
const WRITE_DEADLINE: Nanos = Nanos::from_secs(5);
/// How long a question may take.
const READ_DEADLINE: Nanos = Nanos::from_secs(3);
/// The pause before the venue's books are read again.
const READ_AGAIN: Nanos = Nanos::from_secs(2);
/// How far before the newest fill fills are read again (REC-1).
const OVERLAP: Nanos = Nanos::from_secs(600);

/// A reading of the venue's books that is under way.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    books: VenueSnapshot,
    known: BTreeSet<FillKey>,
}

impl Platform {
    pub(crate) fn request_place(&mut self, n: u8, intent: Box<Intent>, signed_at: Timestamp) {
        self.request(n, Call::Place { intent, signed_at });
    }

    pub(crate) fn request_cancel(
        &mut self,
        n: u8,
        order_id: ClientOrderId,
        instrument: InstrumentId,
    ) {
        let call = Call::Cancel {
            order_id,
            instrument,
        };
        self.request(n, call);
    }

    pub(crate) fn request_query(&mut self, n: u8, order_id: ClientOrderId) {
        self.request(n, Call::Query { order_id });
    }

    fn request(&mut self, n: u8, call: Call) {
        let (from, now) = (self.address(Part::Execution(n)), self.now);
        let dice = &mut self.chances.venue;
        let lost = self.weather.loses_request(now, dice);
        let answered = !self.weather.loses_answer(now, dice);
        let there = self.weather.venue_delay(now, dice);
        let back = self.weather.venue_delay(now, dice);
        if lost {
            return self.unanswered(from, now, call);
        }
        let request = Request {
            from,
            sent_at: now,
            back,
            answered,
            call,
        };
        self.after(there, Event::AtVenue(request));
    }

    /// Nobody will ever answer: after the deadline nobody knows.
    fn unanswered(&mut self, to: Address, sent_at: Timestamp, call: Call) {
        let reason = || Reason::new(ReasonCode::OutcomeUnknown, "timeout");
        let happened = |input| ToExecution::Inbox(Message::Happened(Box::new(input)));
        let (deadline, letter) = match call {
            Call::Place { intent, .. } => {
                let (order_id, outcome) = (intent.order_id, SendOutcome::Unknown(reason()));
                (WRITE_DEADLINE, happened(Input::Sent { order_id, outcome }))
            }
            Call::Cancel { order_id, .. } => {
                let outcome = CancelOutcome::Unknown(reason());
                let input = Input::CancelSent { order_id, outcome };
                (WRITE_DEADLINE, happened(input))
            }
            Call::Query { order_id } => {
                let outcome = QueryOutcome::Failed(reason());
                let input = Input::Queried { order_id, outcome };
                (READ_DEADLINE, happened(input))
            }
            Call::Orders { lead } | Call::Fills { lead, .. } | Call::Balances { lead } => {
                (READ_DEADLINE, ToExecution::Read { lead, part: None })
            }
            Call::Connect { lead, .. } => (READ_DEADLINE, ToExecution::Connect { lead }),
        };
        self.at(
            sent_at.plus(deadline).max(self.now),
            Event::Arrives(to, Letter::Execution(letter)),
        );
    }

    pub(crate) fn at_venue(&mut self, request: Request) {
        let Request {
            from,
            sent_at,
            back,
            answered,
            call,
        } = request;
        let deadline = match &call {
            Call::Place { .. } | Call::Cancel { .. } => WRITE_DEADLINE,
            _ => READ_DEADLINE,
        };
        // A venue that goes away takes with it what was on its way: some of it was carried out.
        let is_away = self.weather.is_venue_away(self.now);
        if is_away && self.chances.venue.below(2) == 0 {
            return self.unanswered(from, sent_at, call);
        }
        let in_time = !is_away && self.now.plus(back) <= sent_at.plus(deadline);
        let hides = self.weather.hides(self.now);
        let happened = |input| ToExecution::Inbox(Message::Happened(Box::new(input)));
        let letter = match &call {
            Call::Place { intent, signed_at } => {
                self.auditor_sees_arrival(intent, *signed_at);
                let (outcome, happening) = self.venue.place(intent, *signed_at, self.now);
                self.spread(happening);
                let order_id = intent.order_id;
                happened(Input::Sent { order_id, outcome })
            }
            Call::Cancel {
                order_id,
                instrument,
            } => {
                let order_id = *order_id;
                let (outcome, happening) = self.venue.cancel((order_id, *instrument), self.now);
                self.spread(happening);
                happened(Input::CancelSent { order_id, outcome })
            }
            Call::Query { order_id } => {
                let (order_id, outcome) = (*order_id, self.venue.find(order_id, hides, self.now));
                happened(Input::Queried { order_id, outcome })
            }
            Call::Orders { lead } => ToExecution::Read {
                lead: *lead,
                part: Some(ReadPart::Orders(self.venue.open_orders(hides, self.now))),
            },
            Call::Fills { lead, since } => ToExecution::Read {
                lead: *lead,
                part: Some(ReadPart::Fills(self.venue.fills_since(*since))),
            },
            Call::Balances { lead } => ToExecution::Read {
                lead: *lead,
                part: Some(ReadPart::Balances(self.venue.balances())),
            },
            Call::Connect { lead, conn } => return self.connected(from, *lead, *conn),
        };
        if answered && in_time {
            self.post(back, from, Letter::Execution(letter));
        } else {
            self.unanswered(from, sent_at, call);
        }
    }

    /// An order arrives at the venue: the moment for most of what must always hold.
    fn auditor_sees_arrival(&mut self, intent: &Intent, signed_at: Timestamp) {
        let arrival = super::invariants::Arrival { intent, signed_at };
        self.auditor
            .arrives(&arrival, &self.venue, &self.disk, &self.people);
    }

    pub(crate) fn connect(&mut self, n: u8, lead: u64) {
        self.serial += 1;
        let conn = u32::try_from(self.serial % u64::from(u32::MAX)).unwrap_or_default();
        match self.lead(n) {
            Some(current) if current.serial == lead => current.conn = conn,
            _ => return,
        }
        self.request(n, Call::Connect { lead, conn });
    }

    fn connected(&mut self, to: Address, lead: u64, conn: u32) {
        if self.now < self.stream_cut_until {
            let again = Letter::Execution(ToExecution::Connect { lead });
            return self.post(Nanos::from_millis(500), to, again);
        }
        self.streams.insert(conn, (to, self.now));
        let up = ToExecution::Inbox(Message::StreamUp(conn));
        self.post(Nanos::from_millis(2), to, Letter::Execution(up));
    }

    /// Every private stream breaks; its owner notices a little later.
    pub(crate) fn cut_streams(&mut self, long: Nanos) {
        self.stream_cut_until = self.now.plus(long);
        let cut: Vec<_> = std::mem::take(&mut self.streams).into_iter().collect();
        for (conn, (to, _)) in cut {
            self.weather.acted += 1;
            let noticed = self.chances.stream.millis(50, 3_000);
            let down = ToExecution::Inbox(Message::StreamDown(conn));
            self.post(noticed, to, Letter::Execution(down));
        }
    }

    /// What the private stream says: in order, on every connection, unless the weather repeats it.
    pub(crate) fn stream(&mut self, reports: Vec<Report>) {
        let conns: Vec<_> = self.streams.keys().copied().collect();
        for report in reports {
            for conn in &conns {
                let wait = self.chances.stream.millis(0, 4);
                let due = self.now.plus(wait);
                let Some((to, last)) = self.streams.get_mut(conn) else {
                    continue;
                };
                *last = due.max(*last);
                let (to, at) = (*to, *last);
                let said = |report: &Report| {
                    let message = Message::Streamed(*conn, report.clone());
                    Event::Arrives(to, Letter::Execution(ToExecution::Inbox(message)))
                };
                self.at(at, said(&report));
                if self
                    .weather
                    .repeats_stream(self.now, &mut self.chances.stream)
                {
                    let late = self.chances.stream.millis(0, 3_000);
                    self.at(at.plus(late), said(&report));
                }
            }
        }
    }

    pub(crate) fn stream_up(&mut self, n: u8, conn: u32) {
        let serial = match self.lead(n) {
            Some(lead) if lead.conn == conn => {
                lead.streaming = true;
                lead.serial
            }
            _ => return,
        };
        self.read_books(n, serial);
    }

    pub(crate) fn stream_down(&mut self, n: u8, conn: u32) -> Option<Input> {
        let lead = self.lead(n)?;
        if lead.conn != conn {
            return None;
        }
        let serial = lead.serial;
        let pause = self.chances.stream.millis(100, 2_000);
        self.remind(n, pause, ToExecution::Connect { lead: serial });
        let reason = Reason::bare(ReasonCode::PrivateStreamUnavailable);
        Some(Input::StreamLost(reason))
    }

    /// The core wants the venue's books: soon, once the stream stands.
    pub(crate) fn reconcile_soon(&mut self, n: u8) {
        let Some(lead) = self.lead(n) else {
            return;
        };
        if !lead.streaming {
            return;
        }
        if lead.reading.is_some() {
            lead.read_again = true;
            return;
        }
        let serial = lead.serial;
        self.remind(n, READ_AGAIN, ToExecution::ReadBooks { lead: serial });
    }

    pub(crate) fn read_books(&mut self, n: u8, lead: u64) {
        let known = self.disk.fill_keys().clone();
        match self.lead(n) {
            Some(current) if current.serial == lead => {
                if current.reading.is_some() {
                    current.read_again = true;
                    return;
                }
                current.reading = Some(Reading {
                    books: VenueSnapshot::default(),
                    known,
                });
            }
            _ => return,
        }
        self.request(n, Call::Orders { lead });
    }

    pub(crate) fn part_read(&mut self, n: u8, lead: u64, part: Option<ReadPart>) {
        let since = self.disk.newest_fill().map(|at| at.minus(OVERLAP));
        let Some(current) = self.lead(n).filter(|current| current.serial == lead) else {
            return;
        };
        let Some(mut reading) = current.reading.take() else {
            return;
        };
        let next = match part {
            None => {
                return self.remind(n, READ_AGAIN, ToExecution::ReadBooks { lead });
            }
            Some(ReadPart::Orders(orders)) => {
                reading.books.open_orders = orders;
                let since = since.unwrap_or(Timestamp::EPOCH);
                Call::Fills { lead, since }
            }
            Some(ReadPart::Fills(fills)) => {
                let is_news = |fill: &VenueFill| {
                    let key = (fill.instrument, fill.venue_order_id, fill.execution_id);
                    !reading.known.contains(&key)
                };
                reading.books.fills = fills.into_iter().filter(is_news).collect();
                Call::Balances { lead }
            }
            Some(ReadPart::Balances(balances)) => {
                reading.books.balances = balances;
                return self.books_read(n, lead, reading.books);
            }
        };
        current.reading = Some(reading);
        self.request(n, next);
    }

    fn books_read(&mut self, n: u8, lead: u64, books: VenueSnapshot) {
        let again = match self.lead(n) {
            Some(current) => std::mem::take(&mut current.read_again),
            None => return,
        };
        if again {
            self.remind(n, READ_AGAIN, ToExecution::ReadBooks { lead });
        }
        let books = Box::new(books);
        let read = ToExecution::Inbox(Message::Read { lead, books });
        self.remind(n, Nanos::ZERO, read);
    }
}
