//! The commands that talk to a running gateway: tables for people, JSON for scripts.
//!
//! Decides how to ask and how to show; what is true and what is allowed is the gateway's business.
//! Exit codes: 0 done, 1 refused or failed, 2 a mistake on the command line.

mod commands;
mod connection;
mod failure;
mod lists;
mod status;
mod table;
mod why;

use crate::cli::say;
use clap::{Args, Subcommand};
use commands::{Cancel, Kill, Reset, Submit};
use connection::{Connection, Gateway};
use failure::Failure;
use lists::{Accounts, Fills, Orders, Plain};
use std::process::ExitCode;
use why::Why;

/// A command for a running gateway.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show what the platform is doing
    Status(Asked<Plain>),
    /// List orders, newest first
    Orders(Asked<Orders>),
    /// Explain an order: the decision, each step with its time, and the fills
    Why(Asked<Why>),
    /// List positions with profit and loss
    Positions(Asked<Accounts>),
    /// List fills, newest first
    Fills(Asked<Fills>),
    /// List strategy instances
    Strategies(Asked<Plain>),
    /// List instruments and their markets
    Markets(Asked<Plain>),
    /// Show trading states, limits and exposures
    Risk(Asked<Plain>),
    /// Stop trading at once: halt, and cancel every open order
    Kill(Asked<Kill>),
    /// Let trading go on after a kill: ask once, and again after the hold to confirm
    Reset(Asked<Reset>),
    /// Cancel one order, or all of a scope
    Cancel(Asked<Cancel>),
    /// Place an order
    #[command(subcommand)]
    Order(OrderCommand),
}

/// A command about one order.
#[derive(Debug, Subcommand)]
pub(crate) enum OrderCommand {
    /// Place an order; risk judges it like any other
    Submit(Asked<Submit>),
}

/// A command and the gateway that it is for.
#[derive(Debug, Args)]
pub(crate) struct Asked<A: Args> {
    #[command(flatten)]
    what: A,
    #[command(flatten)]
    connection: Connection,
}

/// What a command has to say.
#[derive(Debug)]
struct Shown {
    /// The gateway's own JSON.
    json: String,
    /// For people.
    text: String,
    /// Whether it did what it should.
    done: bool,
}

impl Shown {
    fn new(json: String, text: String) -> Self {
        Self {
            json,
            text,
            done: true,
        }
    }
}

/// Runs a command.
///
/// # Errors
/// Why it was refused or failed, with what to do, for people. Scripts get the gateway's problem on
/// the standard output instead.
pub(crate) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Status(asked) => {
            asked
                .run(async |gateway, _| status::show(gateway).await)
                .await
        }
        Command::Orders(asked) => asked.run(lists::orders).await,
        Command::Why(asked) => asked.run(why::why).await,
        Command::Positions(asked) => asked.run(lists::positions).await,
        Command::Fills(asked) => asked.run(lists::fills).await,
        Command::Strategies(asked) => asked.run(lists::strategies).await,
        Command::Markets(asked) => asked.run(lists::markets).await,
        Command::Risk(asked) => asked.run(status::risk).await,
        Command::Kill(asked) => asked.run(commands::kill).await,
        Command::Reset(asked) => asked.run(commands::reset).await,
        Command::Cancel(asked) => asked.run(commands::cancel).await,
        Command::Order(OrderCommand::Submit(asked)) => asked.run(commands::submit).await,
    }
}

impl<A: Args> Asked<A> {
    async fn run<F>(self, ask: F) -> anyhow::Result<ExitCode>
    where
        F: AsyncFnOnce(&Gateway, A) -> Result<Shown, Failure>,
    {
        let gateway = Gateway::new(&self.connection)?;
        let json = self.connection.json;
        match ask(&gateway, self.what).await {
            Ok(shown) => {
                say(if json { &shown.json } else { &shown.text });
                Ok(code(shown.done))
            }
            Err(Failure::Refused { raw, .. }) if json => {
                say(&connection::line(&raw));
                Ok(ExitCode::FAILURE)
            }
            Err(failure) => Err(failure.into()),
        }
    }
}

fn code(done: bool) -> ExitCode {
    if done {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

#[cfg(test)]
mod tests;
