//! The order state machine of trading-semantics §1 as one exhaustive table.
//!
//! It decides which state follows from which step. What a step means for quantity and money is
//! [`super::Order`]'s business, and whether a late fill raises an alarm is the order core's.

use std::{fmt, str::FromStr};

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OrderState {
    /// Known to us, not judged yet.
    Created,
    /// Approved by risk.
    Checked,
    /// Durable; from here on anything may have been sent.
    Journaled,
    /// Written to the venue, not answered.
    Submitted,
    /// Nobody knows; only evidence from the venue ends it.
    Unknown,
    /// Working at the venue.
    Accepted,
    /// A stop that became active.
    Triggered,
    /// Working, with some of it filled.
    PartiallyFilled,
    /// A change was asked for.
    PendingAmend,
    /// A cancel was asked for.
    PendingCancel,
    /// Refused by us; nothing was sent.
    Denied,
    /// Refused by the venue.
    Rejected,
    /// Cancelled, perhaps with fills.
    Cancelled,
    /// Ended by its time in force, perhaps with fills.
    Expired,
    /// Wholly filled.
    Filled,
}

/// What happens to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Risk approved.
    Check,
    /// We refuse: by risk, or proven not to have been sent.
    Deny,
    /// The intent became durable.
    Journal,
    /// It was handed to the venue.
    Submit,
    /// The outcome became doubtful.
    Doubt,
    /// The venue works the order.
    Accept,
    /// The venue refuses the order.
    Reject,
    /// A stop became active.
    Trigger,
    /// Some of it was filled.
    FillPart,
    /// The rest of it was filled.
    FillRest,
    /// A change is asked for.
    RequestAmend,
    /// The change was confirmed or refused; the order is what it was before.
    EndAmend,
    /// A cancel is asked for.
    RequestCancel,
    /// The cancel was refused; the order is what it was before.
    RefuseCancel,
    /// The venue cancelled the order.
    Cancel,
    /// The order ended by its time in force.
    Expire,
}

/// A step that the table does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an order that is {from} cannot {step}")]
pub struct IllegalTransition {
    /// The state before.
    pub from: OrderState,
    /// The step that was tried.
    pub step: Step,
}

impl OrderState {
    /// Every state.
    pub const ALL: [Self; 15] = [
        Self::Created,
        Self::Checked,
        Self::Journaled,
        Self::Submitted,
        Self::Unknown,
        Self::Accepted,
        Self::Triggered,
        Self::PartiallyFilled,
        Self::PendingAmend,
        Self::PendingCancel,
        Self::Denied,
        Self::Rejected,
        Self::Cancelled,
        Self::Expired,
        Self::Filled,
    ];

    /// Whether nothing but a late fill can happen any more.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(
            self,
            Self::Denied | Self::Rejected | Self::Cancelled | Self::Expired | Self::Filled
        )
    }

    /// Whether the venue works the order.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(
            self,
            Self::Accepted
                | Self::Triggered
                | Self::PartiallyFilled
                | Self::PendingAmend
                | Self::PendingCancel
        )
    }

    /// The word for it, as in the API and in metrics.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Checked => "checked",
            Self::Journaled => "journaled",
            Self::Submitted => "submitted",
            Self::Unknown => "unknown",
            Self::Accepted => "accepted",
            Self::Triggered => "triggered",
            Self::PartiallyFilled => "partially_filled",
            Self::PendingAmend => "pending_amend",
            Self::PendingCancel => "pending_cancel",
            Self::Denied => "denied",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Filled => "filled",
        }
    }

    /// The state after `step`. `resume` is the state before the pending amend or cancel, to which
    /// a refused request returns.
    ///
    /// # Errors
    /// [`IllegalTransition`] names state and step.
    #[expect(
        clippy::too_many_lines,
        reason = "one exhaustive table reads better whole"
    )]
    pub fn after(self, step: Step, resume: Self) -> Result<Self, IllegalTransition> {
        let illegal = Err(IllegalTransition { from: self, step });
        match self {
            Self::Created => match step {
                Step::Check => Ok(Self::Checked),
                Step::Deny => Ok(Self::Denied),
                Step::Journal
                | Step::Submit
                | Step::Doubt
                | Step::Accept
                | Step::Reject
                | Step::Trigger
                | Step::FillPart
                | Step::FillRest
                | Step::RequestAmend
                | Step::EndAmend
                | Step::RequestCancel
                | Step::RefuseCancel
                | Step::Cancel
                | Step::Expire => illegal,
            },
            Self::Checked => match step {
                Step::Journal => Ok(Self::Journaled),
                Step::Deny => Ok(Self::Denied),
                Step::Check
                | Step::Submit
                | Step::Doubt
                | Step::Accept
                | Step::Reject
                | Step::Trigger
                | Step::FillPart
                | Step::FillRest
                | Step::RequestAmend
                | Step::EndAmend
                | Step::RequestCancel
                | Step::RefuseCancel
                | Step::Cancel
                | Step::Expire => illegal,
            },
            Self::Journaled => match step {
                Step::Submit => Ok(Self::Submitted),
                // A crash between the record and the answer.
                Step::Doubt => Ok(Self::Unknown),
                // Lease lost or breaker open: proven not to have been sent.
                Step::Deny => Ok(Self::Denied),
                Step::Check
                | Step::Journal
                | Step::Accept
                | Step::Reject
                | Step::Trigger
                | Step::FillPart
                | Step::FillRest
                | Step::RequestAmend
                | Step::EndAmend
                | Step::RequestCancel
                | Step::RefuseCancel
                | Step::Cancel
                | Step::Expire => illegal,
            },
            Self::Submitted => match step {
                Step::Accept => Ok(Self::Accepted),
                Step::Reject => Ok(Self::Rejected),
                Step::Doubt => Ok(Self::Unknown),
                // A venue may fill before it acknowledges.
                Step::FillPart => Ok(Self::PartiallyFilled),
                Step::FillRest => Ok(Self::Filled),
                // IOC and FOK end without ever resting.
                Step::Cancel => Ok(Self::Cancelled),
                Step::Expire => Ok(Self::Expired),
                Step::RequestCancel => Ok(Self::PendingCancel),
                Step::Check
                | Step::Deny
                | Step::Journal
                | Step::Submit
                | Step::Trigger
                | Step::RequestAmend
                | Step::EndAmend
                | Step::RefuseCancel => illegal,
            },
            Self::Unknown => match step {
                // Every state that evidence from the venue proves, and none by time alone.
                Step::Accept => Ok(Self::Accepted),
                Step::Reject => Ok(Self::Rejected),
                Step::Trigger => Ok(Self::Triggered),
                Step::FillPart => Ok(Self::PartiallyFilled),
                Step::FillRest => Ok(Self::Filled),
                Step::Cancel => Ok(Self::Cancelled),
                Step::Expire => Ok(Self::Expired),
                Step::Check
                | Step::Deny
                | Step::Journal
                | Step::Submit
                | Step::Doubt
                | Step::RequestAmend
                | Step::EndAmend
                | Step::RequestCancel
                | Step::RefuseCancel => illegal,
            },
            Self::Accepted => match step {
                Step::Trigger => Ok(Self::Triggered),
                // A stop can be refused at its trigger.
                Step::Reject => Ok(Self::Rejected),
                Step::FillPart
                | Step::FillRest
                | Step::RequestAmend
                | Step::RequestCancel
                | Step::Cancel
                | Step::Expire => self.while_working(step),
                Step::Check
                | Step::Deny
                | Step::Journal
                | Step::Submit
                | Step::Doubt
                | Step::Accept
                | Step::EndAmend
                | Step::RefuseCancel => illegal,
            },
            Self::Triggered => match step {
                Step::Reject => Ok(Self::Rejected),
                Step::FillPart
                | Step::FillRest
                | Step::RequestAmend
                | Step::RequestCancel
                | Step::Cancel
                | Step::Expire => self.while_working(step),
                Step::Check
                | Step::Deny
                | Step::Journal
                | Step::Submit
                | Step::Doubt
                | Step::Accept
                | Step::Trigger
                | Step::EndAmend
                | Step::RefuseCancel => illegal,
            },
            Self::PartiallyFilled => match step {
                Step::FillPart
                | Step::FillRest
                | Step::RequestAmend
                | Step::RequestCancel
                | Step::Cancel
                | Step::Expire => self.while_working(step),
                Step::Check
                | Step::Deny
                | Step::Journal
                | Step::Submit
                | Step::Doubt
                | Step::Accept
                | Step::Reject
                | Step::Trigger
                | Step::EndAmend
                | Step::RefuseCancel => illegal,
            },
            Self::PendingAmend => match step {
                Step::EndAmend => Ok(resume),
                Step::FillPart
                | Step::FillRest
                | Step::RequestCancel
                | Step::Cancel
                | Step::Expire => self.while_working(step),
                Step::Check
                | Step::Deny
                | Step::Journal
                | Step::Submit
                | Step::Doubt
                | Step::Accept
                | Step::Reject
                | Step::Trigger
                | Step::RequestAmend
                | Step::RefuseCancel => illegal,
            },
            Self::PendingCancel => match step {
                Step::RefuseCancel => Ok(resume),
                Step::FillPart | Step::FillRest | Step::Cancel | Step::Expire => {
                    self.while_working(step)
                }
                Step::Check
                | Step::Deny
                | Step::Journal
                | Step::Submit
                | Step::Doubt
                | Step::Accept
                | Step::Reject
                | Step::Trigger
                | Step::RequestAmend
                | Step::EndAmend
                | Step::RequestCancel => illegal,
            },
            Self::Cancelled | Self::Expired | Self::Rejected => match step {
                // A late fill is real: it is booked, and the order keeps its state.
                Step::FillPart | Step::FillRest => Ok(self),
                Step::Check
                | Step::Deny
                | Step::Journal
                | Step::Submit
                | Step::Doubt
                | Step::Accept
                | Step::Reject
                | Step::Trigger
                | Step::RequestAmend
                | Step::EndAmend
                | Step::RequestCancel
                | Step::RefuseCancel
                | Step::Cancel
                | Step::Expire => illegal,
            },
            Self::Denied | Self::Filled => illegal,
        }
    }

    /// The steps that every working state shares.
    const fn while_working(self, step: Step) -> Result<Self, IllegalTransition> {
        match step {
            Step::FillPart => Ok(Self::PartiallyFilled),
            Step::FillRest => Ok(Self::Filled),
            Step::RequestAmend => Ok(Self::PendingAmend),
            Step::RequestCancel => Ok(Self::PendingCancel),
            Step::Cancel => Ok(Self::Cancelled),
            Step::Expire => Ok(Self::Expired),
            Step::Check
            | Step::Deny
            | Step::Journal
            | Step::Submit
            | Step::Doubt
            | Step::Accept
            | Step::Reject
            | Step::Trigger
            | Step::EndAmend
            | Step::RefuseCancel => Err(IllegalTransition { from: self, step }),
        }
    }
}

/// The word is no order state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not an order state")]
pub struct OrderStateError(String);

impl FromStr for OrderState {
    type Err = OrderStateError;
    fn from_str(word: &str) -> Result<Self, OrderStateError> {
        Self::ALL
            .into_iter()
            .find(|state| state.word() == word)
            .ok_or_else(|| OrderStateError(word.to_owned()))
    }
}

impl fmt::Display for OrderState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Check => "be checked",
            Self::Deny => "be denied",
            Self::Journal => "be journaled",
            Self::Submit => "be submitted",
            Self::Doubt => "become unknown",
            Self::Accept => "be accepted",
            Self::Reject => "be rejected",
            Self::Trigger => "be triggered",
            Self::FillPart | Self::FillRest => "be filled",
            Self::RequestAmend => "be asked to change",
            Self::EndAmend => "end an amend",
            Self::RequestCancel => "be asked to cancel",
            Self::RefuseCancel => "refuse a cancel",
            Self::Cancel => "be cancelled",
            Self::Expire => "expire",
        })
    }
}

#[cfg(test)]
mod tests;
