//! How answers are shown: for people with colour and as wide as the terminal, for programs as JSON or YAML.

use std::io::Write;

use anstyle::{AnsiColor, Style};
use clap::ValueEnum;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::api::policy::PlannedStep;

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// For both.
    Yaml,
}

/// Prints an answer in the form that is asked for. Colour goes to terminals only (and not where `NO_COLOR` is set).
///
/// # Errors
/// When standard output can't be written to.
pub fn print<T: Serialize>(output: Output, answer: &T, page: impl FnOnce(&T) -> String) -> Result<(), String> {
    let text = match output {
        Output::Text => page(answer),
        Output::Json => format!("{:#}\n", serde_json::json!(answer)),
        Output::Yaml => serde_yaml::to_string(answer).map_err(|error| error.to_string())?,
    };
    super::written(anstream::stdout().write_all(text.as_bytes()))
}

/// How something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// It is as it should be.
    Good,
    /// It is somebody's turn.
    Turn,
    /// It is wrong.
    Bad,
    /// It is not known, or on its way.
    Open,
}

impl Mark {
    /// By a Ready condition.
    #[must_use]
    pub fn of(status: &str, reason: &str) -> Self {
        match (status, reason) {
            ("True", _) => Self::Good,
            (_, "AwaitingPerson" | "PolicyAwaitsPerson" | "AwaitingEvidence" | "DeletionHeld") => Self::Turn,
            ("False", "Pending" | "Acting" | "Propagating" | "DependencyMissing" | "NoBackup") | ("Unknown", _) => {
                Self::Open
            }
            _ => Self::Bad,
        }
    }

    /// One character, in its colour.
    #[must_use]
    pub fn sign(self) -> String {
        let (sign, colour) = match self {
            Self::Good => ("✓", AnsiColor::Green),
            Self::Turn => ("!", AnsiColor::Yellow),
            Self::Bad => ("✗", AnsiColor::Red),
            Self::Open => ("?", AnsiColor::Cyan),
        };
        let style = Style::new().fg_color(Some(colour.into())).bold();
        format!("{style}{sign}{style:#}")
    }
}

/// What stands out.
#[must_use]
pub fn bold(text: &str) -> String {
    let style = Style::new().bold();
    format!("{style}{text}{style:#}")
}

/// A text without what a terminal obeys: a vendor's names, and those in files, may hold it.
#[must_use]
pub fn clean(text: &str) -> String {
    text.chars().map(|it| if it.is_control() { ' ' } else { it }).collect()
}

/// Lines below a first one, wrapped to the terminal: the first begins with `first`, all others with `others`.
#[must_use]
pub fn wrapped(first: &str, others: &str, text: &str) -> String {
    let text = clean(text);
    // Of nothing textwrap makes nothing, and would leave out what the line begins with.
    if text.trim().is_empty() {
        return format!("{}\n", first.trim_end());
    }
    let width = textwrap::termwidth().clamp(60, 160);
    let options = textwrap::Options::new(width)
        .initial_indent(first)
        .subsequent_indent(others)
        .break_words(false)
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    textwrap::fill(&text, options) + "\n"
}

/// Whether the operator takes a step, and what stands in its way.
#[must_use]
pub fn would(step: &PlannedStep) -> String {
    match step.allowed.as_str() {
        "Yes" => "would".to_owned(),
        "NotAllowed" => format!("would, if spec.allowedActions named {}", step.action),
        "NotGranted" => format!("would, if a grant of the installation covered {}", step.action),
        _ => "would, but not yet".to_owned(),
    }
}

/// For how long, as `kubectl get` says it.
#[must_use]
pub fn age(since: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(since).max(SignedDuration::ZERO).as_secs();
    match seconds {
        0..120 => format!("{seconds}s"),
        120..7_200 => format!("{}m", seconds / 60),
        7_200..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_short() {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let ages: Vec<String> =
            [5, 119, 120, 7_199, 7_200, 172_799, 172_800].into_iter().map(|it| age(at(0), at(it))).collect();
        assert_eq!(ages, ["5s", "119s", "2m", "119m", "2h", "47h", "2d"]);
        assert_eq!(age(at(10), at(0)), "0s", "clocks differ");
    }

    #[test]
    fn what_a_terminal_obeys_is_not_printed() {
        assert_eq!(wrapped("a ", "b ", "x\u{1b}[31my\nz"), "a x [31my z\n");
        assert_eq!(wrapped("a", "b ", ""), "a\n");
    }
}
