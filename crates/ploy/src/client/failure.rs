//! Why a command did not succeed, and what the person who typed it can do.

use ploy_gateway::contract::{FieldErrorJson, ProblemJson};
use reqwest::{StatusCode, Url};
use std::{fmt, path::PathBuf};

/// Why a command did not succeed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// Nobody answers.
    #[error("{}", lost(.url, .key.as_deref(), .source))]
    Lost {
        url: Url,
        key: Option<String>,
        #[source]
        source: reqwest::Error,
    },
    /// The gateway says no.
    #[error("{}", Told(.problem, .key.as_deref()))]
    Refused {
        problem: Box<ProblemJson>,
        /// As it came.
        raw: String,
        key: Option<String>,
    },
    /// Somebody else answers.
    #[error("what answers at {url} is no gateway{}; see --url", told(*.status))]
    Foreign {
        url: Url,
        status: Option<StatusCode>,
    },
    /// The gateway is of another version.
    #[error("the gateway's answer is not understood; its version differs from this command's")]
    Unreadable {
        #[source]
        source: serde_json::Error,
    },
    /// Commands need a token.
    #[error(
        "there is no token: 'ploy up' writes it to {}; give --data-dir, --token or PLOY_TOKEN",
        .file.display()
    )]
    NoToken { file: PathBuf },
}

impl Failure {
    /// With the key by which the same command can be given again.
    pub(super) fn with_key(mut self, used: &str) -> Self {
        match &mut self {
            Self::Lost { key, .. } | Self::Refused { key, .. } => *key = Some(used.to_owned()),
            Self::Foreign { .. } | Self::Unreadable { .. } | Self::NoToken { .. } => {}
        }
        self
    }
}

fn told(status: Option<StatusCode>) -> String {
    status.map_or_else(String::new, |status| format!(" (status {status})"))
}

fn lost(url: &Url, key: Option<&str>, source: &reqwest::Error) -> String {
    if source.is_connect() {
        return format!("no gateway answers at {url}; start one with 'ploy up', or see --url");
    }
    let repeat = key.map_or_else(String::new, |key| {
        format!("; it may have been done: repeat it with --key {key}, which cannot do it twice")
    });
    format!("the gateway at {url} did not answer{repeat}")
}

/// A problem for people: what happened, every field, and what to do.
struct Told<'a>(&'a ProblemJson, Option<&'a str>);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(problem, key) = self;
        write!(f, "{}", clean(&problem.title))?;
        if problem.errors.is_empty() {
            write!(f, ": {}", clean(&problem.detail))?;
        }
        for error in &problem.errors {
            write!(f, "\n  {}", field(error))?;
        }
        if let Some(advice) = advice(problem, *key) {
            write!(f, "\n  {advice}")?;
        }
        write!(f, "\n  request {}", clean(&problem.request_id))
    }
}

fn field(error: &FieldErrorJson) -> String {
    let (field, bound) = (clean(&error.field), clean(&error.bound));
    match &error.value {
        Some(value) => format!("{field} is '{}'; expected {bound}", clean(value)),
        None => format!("{field} is missing; expected {bound}"),
    }
}

fn advice(problem: &ProblemJson, key: Option<&str>) -> Option<String> {
    match (problem.status, problem.retry.as_str(), key) {
        (401, _, _) => {
            let how = "give the token that 'ploy up' wrote: --data-dir, --token or PLOY_TOKEN";
            Some(how.to_owned())
        }
        (_, "same_key" | "later", Some(key)) => Some(format!(
            "repeat it with --key {key}, which cannot do it twice"
        )),
        (_, "later", None) => Some("try again in a moment".to_owned()),
        _ => None,
    }
}

/// A text of the network, harmless for a terminal.
pub(super) fn clean(text: &str) -> String {
    let visible = |c: char| if c.is_control() { '\u{b7}' } else { c };
    text.chars().map(visible).collect()
}
