//! The command line of a service: the same four options for all of them. Everything else is
//! configuration.

use super::Service;
use crate::config::Sources;
use clap::{Arg, ArgAction, Command, error::ErrorKind, value_parser};
use std::{ffi::OsString, path::PathBuf};

/// What whoever started the process wants.
#[derive(Debug)]
pub(super) enum Request {
    /// To run it.
    Run(Options),
    /// To read this.
    Show(String),
    /// Something that does not exist.
    Refuse(String),
}

/// How to run it.
#[derive(Debug)]
pub(super) struct Options {
    config: Option<PathBuf>,
    pub(super) print_config: bool,
}

impl Options {
    pub(super) fn sources(&self) -> Sources {
        Sources::of_process(self.config.as_deref())
    }
}

/// Reads the arguments of a process, its name first.
pub(super) fn read(service: Service, arguments: impl IntoIterator<Item = OsString>) -> Request {
    match command(service).try_get_matches_from(arguments) {
        Ok(mut found) => Request::Run(Options {
            config: found.remove_one("config"),
            print_config: found.get_flag("print-config"),
        }),
        Err(error) => match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Request::Show(error.to_string()),
            _ => Request::Refuse(error.to_string()),
        },
    }
}

fn command(service: Service) -> Command {
    let config = Arg::new("config")
        .long("config")
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .help("Configuration file (TOML); without it, the one that PLOY_CONFIG names");
    let print_config = Arg::new("print-config")
        .long("print-config")
        .action(ArgAction::SetTrue)
        .help("Print the configuration in force with the source of every value, and exit");
    let program = format!("ploy-{}", service.name);
    Command::new(service.name)
        .bin_name(&program)
        .display_name(&program)
        .about(service.about)
        .version(service.version)
        .arg(config)
        .arg(print_config)
        .after_help(
            "Every key of the configuration is also a variable: [bus] url is PLOY_BUS__URL.",
        )
}
