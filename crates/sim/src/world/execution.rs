//! The shell of execution: leads an account while it holds the lease, decides with the order core,
//! commits, and only then acts and answers — the rules of the execution service, step by step.

use super::{
    disk::{Address, LEASE_TTL},
    effects::RELAY_EVERY,
    letters::{Commit, Event, Letter, Message, ToExecution, ToRisk, ToStrategy},
    plan::{CrashPoint, Part},
    platform::Platform,
    requests::Reading,
    terms::{self, PREFIX, QUARANTINE},
};
use ploy_domain::{
    ClientOrderId, Nanos, Reason, ReasonCode, RiskDecision, Timestamp, TraceContext,
};
use ploy_orders_core::{AccountBook, Input, OrderCore, Output, Settings};
use std::collections::{BTreeMap, VecDeque};

const LEASE_EVERY: Nanos = Nanos::from_secs(1);
const READ_EVERY: Nanos = Nanos::from_secs(30);
/// How many messages share a commit.
const BATCH_MAX: usize = 128;

/// One execution process.
#[derive(Debug, Default)]
pub(crate) struct Execution {
    pub(crate) lease: Option<Held>,
    inbox: VecDeque<Message>,
    pub(crate) lead: Option<Lead>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Held {
    pub(crate) epoch: u64,
    /// Counted from the moment before the renewal was sent (ORD-24).
    pub(crate) good_until: Timestamp,
}

/// An account while it is led.
#[derive(Debug)]
pub(crate) struct Lead {
    pub(crate) serial: u64,
    pub(crate) core: OrderCore,
    pub(crate) conn: u32,
    pub(crate) streaming: bool,
    pub(crate) reading: Option<Reading>,
    pub(crate) read_again: bool,
    committing: Option<Committing>,
    pub(crate) checks: BTreeMap<ClientOrderId, u64>,
    pub(crate) waiting: BTreeMap<ClientOrderId, Vec<Address>>,
    pub(crate) wake_at: Option<Timestamp>,
}

#[derive(Debug)]
struct Committing {
    serial: u64,
    output: Output,
    began: Timestamp,
}

impl Platform {
    pub(crate) fn execution(&mut self, n: u8) -> &mut Execution {
        let [first, second] = &mut self.executions;
        if n == 0 { first } else { second }
    }

    pub(crate) fn lead(&mut self, n: u8) -> Option<&mut Lead> {
        self.execution(n).lead.as_mut()
    }

    pub(crate) fn forget_execution(&mut self, n: u8) {
        *self.execution(n) = Execution::default();
    }

    pub(crate) fn start_execution(&mut self, n: u8) {
        self.remind(n, Nanos::ZERO, ToExecution::LeaseLook);
        self.remind(n, RELAY_EVERY, ToExecution::RelayLook);
    }

    pub(crate) fn remind(&mut self, n: u8, wait: Nanos, letter: ToExecution) {
        let to = self.address(Part::Execution(n));
        self.post(wait, to, Letter::Execution(letter));
    }

    /// Something for the inbox of the account's owner.
    pub(crate) fn inbox(&mut self, n: u8, input: Input) {
        let message = Message::Happened(Box::new(input));
        self.execution(n).inbox.push_back(message);
        self.turn(n);
    }

    pub(crate) fn execution_hears(&mut self, n: u8, letter: ToExecution) {
        match letter {
            ToExecution::LeaseLook => self.lease_look(n),
            ToExecution::Leased { asked_at, epoch } => self.leased(n, asked_at, epoch),
            ToExecution::TakeOver => self.take_over(n),
            ToExecution::Committed { serial, confirmed } => self.committed(n, serial, confirmed),
            ToExecution::RelayLook => self.relay_look(n),
            ToExecution::Wake => self.wake(n),
            ToExecution::Judged {
                nonce,
                order_id,
                decision,
            } => self.judged(n, (order_id, nonce), decision),
            ToExecution::NotJudged { nonce, order_id } => {
                let reason = Reason::new(ReasonCode::RiskUnavailable, "no answer in 50 ms");
                let decision = RiskDecision {
                    verdict: Err(vec![reason]),
                    reference_price: None,
                    reference_age: None,
                    took: Nanos::ZERO,
                };
                self.judged(n, (order_id, nonce), decision);
            }
            ToExecution::Write { intent, signed_at } => self.write(n, intent, signed_at),
            ToExecution::Connect { lead } => self.connect(n, lead),
            ToExecution::ReadBooks { lead } => self.read_books(n, lead),
            ToExecution::Read { lead, part } => self.part_read(n, lead, part),
            ToExecution::Inbox(message) => {
                let crashed = matches!(&message, Message::Happened(input) if matches!(**input, Input::Sent { .. }))
                    && self.crashes(n, CrashPoint::AnswerRead);
                if !crashed {
                    self.execution(n).inbox.push_back(message);
                    self.turn(n);
                }
            }
        }
    }

    fn lease_look(&mut self, n: u8) {
        let (now, who) = (self.now, self.address(Part::Execution(n)));
        let ran_out = self
            .execution(n)
            .lease
            .is_some_and(|held| now >= held.good_until);
        if ran_out {
            self.execution(n).lease = None;
            self.end_lead(n);
        }
        if !self.weather.is_store_away(now) {
            let held = self.execution(n).lease.map(|held| held.epoch);
            let epoch = self.disk.lease(who, held, now);
            let wait = self.chances.store.millis(0, 2);
            let asked_at = now;
            self.remind(n, wait, ToExecution::Leased { asked_at, epoch });
        }
        self.remind(n, LEASE_EVERY, ToExecution::LeaseLook);
    }

    fn leased(&mut self, n: u8, asked_at: Timestamp, epoch: Option<u64>) {
        let execution = self.execution(n);
        let Some(epoch) = epoch else {
            if execution.lease.take().is_some() {
                self.end_lead(n);
            }
            return;
        };
        execution.lease = Some(Held {
            epoch,
            good_until: asked_at.plus(LEASE_TTL),
        });
        if execution.lead.is_none() {
            self.take_over(n);
        }
    }

    /// Rebuilds the books from the log and begins to lead (ORD-26).
    fn take_over(&mut self, n: u8) {
        let now = self.now;
        let Some(held) = self.execution(n).lease else {
            return;
        };
        if self.execution(n).lead.is_some() {
            return;
        }
        if self.weather.is_store_away(now) || now >= held.good_until {
            self.remind(n, Nanos::from_secs(1), ToExecution::TakeOver);
            return;
        }
        let mut book = AccountBook::new(self.terms.account, self.terms.instruments.clone());
        for event in self.disk.log() {
            if let Err(error) = book.apply(event) {
                return self
                    .auditor
                    .broken("INV-17", format!("the log does not fold: {error}"));
            }
        }
        let settings = Settings {
            epoch: held.epoch,
            prefix: PREFIX,
            quarantine: QUARANTINE,
            guard: terms::guard(),
        };
        match OrderCore::take_over(settings, book, now) {
            Ok((core, output)) => self.begin_lead(n, core, output),
            Err(error) => self
                .auditor
                .broken("INV-17", format!("the books cannot be taken over: {error}")),
        }
    }

    fn begin_lead(&mut self, n: u8, core: OrderCore, output: Output) {
        self.serial += 1;
        let serial = self.serial;
        self.auditor.leads(core.epoch(), self.now);
        self.execution(n).lead = Some(Lead {
            serial,
            core,
            conn: 0,
            streaming: false,
            reading: None,
            read_again: false,
            committing: None,
            checks: BTreeMap::new(),
            waiting: BTreeMap::new(),
            wake_at: None,
        });
        self.remind(n, Nanos::ZERO, ToExecution::Connect { lead: serial });
        self.remind(n, READ_EVERY, ToExecution::ReadBooks { lead: serial });
        self.settle(n, output);
    }

    /// Whoever still waits is told to ask again with the same key.
    fn end_lead(&mut self, n: u8) {
        let Some(lead) = self.execution(n).lead.take() else {
            return;
        };
        self.streams.remove(&lead.conn);
        for (order_id, replies) in lead.waiting {
            for to in replies {
                let letter = Letter::Strategy(ToStrategy::Unavailable(order_id));
                self.post(Nanos::from_millis(1), to, letter);
            }
        }
    }

    /// Memory may be ahead of the database and is thrown away.
    fn rebuild(&mut self, n: u8) {
        self.end_lead(n);
        self.take_over(n);
    }

    /// Everything that waits at the same time shares a commit.
    pub(crate) fn turn(&mut self, n: u8) {
        let now = self.now;
        let execution = self.execution(n);
        let is_busy = |lead: &Lead| lead.committing.is_some();
        if execution.lead.as_ref().is_none_or(is_busy) {
            return;
        }
        let mut output = Output::default();
        for _ in 0..BATCH_MAX {
            let Some(message) = self.execution(n).inbox.pop_front() else {
                break;
            };
            let Some(input) = self.receive(n, message) else {
                continue;
            };
            let Some(lead) = self.lead(n) else {
                return;
            };
            if let Err(error) = lead.core.handle(input, now, &mut output) {
                self.auditor.broken(
                    "INV-17",
                    format!("the order core refused an input: {error}"),
                );
                return self.rebuild(n);
            }
        }
        self.settle(n, output);
    }

    /// Answers what needs no decision and turns the rest into inputs of the core.
    fn receive(&mut self, n: u8, message: Message) -> Option<Input> {
        match message {
            Message::Submit { intent, reply } => {
                let lead = self.lead(n)?;
                lead.waiting
                    .entry(intent.order_id)
                    .or_default()
                    .extend(reply);
                Some(Input::Submit {
                    intent,
                    trace: TraceContext::NONE,
                })
            }
            Message::Cancel(order_id) => Some(Input::Cancel {
                order_id,
                reason: Reason::bare(ReasonCode::CancelRequested),
            }),
            Message::CancelAll(scope) => {
                let risk = self.address(Part::Risk);
                let taken = Letter::Risk(ToRisk::CancelsTaken(scope));
                self.post(Nanos::from_millis(1), risk, taken);
                let reason = Reason::bare(ReasonCode::KillSwitchActive);
                Some(Input::CancelAll { scope, reason })
            }
            Message::Ask { order_id, reply } => {
                let in_book = self.lead(n)?.core.book().order(&order_id).is_some();
                let known = in_book || self.disk.is_journaled(&order_id);
                let letter = Letter::Strategy(ToStrategy::Known { order_id, known });
                self.post(Nanos::from_millis(1), reply, letter);
                None
            }
            Message::Happened(input) => Some(*input),
            Message::StreamUp(conn) => {
                self.stream_up(n, conn);
                None
            }
            Message::StreamDown(conn) => self.stream_down(n, conn),
            Message::Streamed(conn, report) => {
                (self.lead(n)?.conn == conn).then_some(Input::Reported(report))
            }
            Message::Read { lead, books } => {
                let current = self.lead(n)?.serial;
                (lead == current).then_some(Input::Reconciled(*books))
            }
        }
    }

    /// Commits what was decided, then acts and answers.
    fn settle(&mut self, n: u8, output: Output) {
        let (now, from) = (self.now, self.address(Part::Execution(n)));
        if output.events.is_empty() {
            return self.carry_out(n, output, now);
        }
        self.serial += 1;
        let serial = self.serial;
        let events = output.events.clone();
        let Some(lead) = self.lead(n) else {
            return;
        };
        let epoch = lead.core.epoch();
        lead.committing = Some(Committing {
            serial,
            output,
            began: now,
        });
        let commit = Commit {
            from,
            serial,
            epoch,
            events,
        };
        let wait = self.chances.store.millis(0, 3);
        self.after(wait, Event::AtStore(commit));
    }

    fn committed(&mut self, n: u8, serial: u64, confirmed: bool) {
        let Some(lead) = self.lead(n) else {
            return;
        };
        let ours = lead.committing.take_if(|commit| commit.serial == serial);
        let Some(commit) = ours else {
            return;
        };
        if !confirmed {
            return self.rebuild(n);
        }
        self.carry_out(n, commit.output, commit.began);
        if self.is_alive(Part::Execution(n)) && !self.crashes(n, CrashPoint::Committed) {
            self.relay(n);
            self.turn(n);
        }
    }
}
