//! What completes a command line that is begun: for shells by clap's own scripts, for `kubectl backstay` by what kubectl asks.

use std::time::Duration;

use clap::{Arg, ArgAction, Command, ValueHint};
use clap_complete::{Shell, generate};

use super::objects::{self, Where};
use super::{outside, say};

/// kubectl asks the program of this name what completes the words after `kubectl backstay`.
pub const OF_KUBECTL: &str = "kubectl_complete-backstay";
/// So long somebody waits who has pressed Tab.
const PATIENCE: Duration = Duration::from_secs(3);

/// What completes the commands in a shell, under both of their names.
///
/// # Errors
/// When standard output can't be written to.
pub fn script(shell: Shell, mut command: Command) -> Result<(), String> {
    let mut text = Vec::new();
    for name in ["backstay", "kubectl-backstay"] {
        generate(shell, &mut command, name, &mut text);
    }
    say(&String::from_utf8_lossy(&text))
}

/// Answers kubectl: one candidate a line, and whether names of files are some, too. The last of the words is the one that is begun.
///
/// # Errors
/// When standard output can't be written to.
pub fn answer(command: &Command, words: &[String]) -> Result<(), String> {
    let line = Line::of(command, words);
    let mut candidates = line.candidates(command);
    if candidates.is_empty() && line.names_an_object() {
        candidates = line.names();
    }
    candidates.retain(|(candidate, _)| candidate.starts_with(line.begun));
    let told: Vec<String> =
        candidates.into_iter().map(|(candidate, about)| format!("{candidate}\t{about}\n")).collect();
    // Cobra's words: 0, files complete it as well; 4, nothing else does.
    say(&format!("{}:{}\n", told.concat(), if line.names_a_file() { 0 } else { 4 }))
}

/// What a command line is up to the word that is begun.
struct Line<'a> {
    command: Option<&'a Command>,
    /// What options have been given, by their long names.
    given: Vec<(&'a str, &'a str)>,
    /// What the word that is begun is the value of; `None`: of nothing, or it is an option itself.
    arg: Option<&'a Arg>,
    begun: &'a str,
}

impl<'a> Line<'a> {
    fn of(command: &'a Command, words: &'a [String]) -> Self {
        let (begun, before) = words.split_last().map_or(("", words), |(begun, before)| (begun.as_str(), before));
        let Some((name, rest)) = before.split_first() else {
            return Self { command: None, given: Vec::new(), arg: None, begun };
        };
        let mut line = Self { command: command.find_subcommand(name), given: Vec::new(), arg: None, begun };
        let Some(command) = line.command else { return line };
        let (mut awaited, mut positional) = (None::<&Arg>, 0);
        for word in rest {
            if let Some(arg) = awaited.take() {
                line.given.extend(arg.get_long().map(|long| (long, word.as_str())));
            } else if let Some(long) = word.strip_prefix("--") {
                let (long, value) = long.split_once('=').map_or((long, None), |(long, value)| (long, Some(value)));
                let arg = command.get_arguments().find(|arg| arg.get_long() == Some(long));
                line.given.extend(value.map(|value| (long, value)));
                awaited = arg.filter(|arg| value.is_none() && arg.get_action().takes_values());
            } else if let Some(short) = word.strip_prefix('-').filter(|short| !short.is_empty()) {
                let mut rest = short.chars();
                let letter = rest.next();
                let arg = command.get_arguments().find(|arg| arg.get_short() == letter);
                let (arg, value) = (arg.filter(|arg| arg.get_action().takes_values()), rest.as_str());
                line.given.extend(arg.and_then(Arg::get_long).filter(|_| !value.is_empty()).map(|long| (long, value)));
                awaited = arg.filter(|_| value.is_empty());
            } else {
                positional += 1;
            }
        }
        // The last of them may be given several times.
        let many = |arg: &&Arg| matches!(arg.get_action(), ArgAction::Append);
        let next = command.get_positionals().nth(positional).or_else(|| command.get_positionals().last().filter(many));
        line.arg = awaited.or(next.filter(|_| !begun.starts_with('-')));
        line
    }

    /// What the commands themselves say: their names, their options, and the fixed words that an option takes.
    fn candidates(&self, command: &Command) -> Vec<(String, String)> {
        match (self.command, self.arg) {
            (None, _) => {
                let all = command.get_subcommands().filter(|it| !it.is_hide_set());
                all.map(|it| (it.get_name().to_owned(), first_line(it.get_about()))).collect()
            }
            (Some(_), Some(arg)) => {
                let values = arg.get_possible_values();
                values.iter().map(|it| (it.get_name().to_owned(), first_line(it.get_help()))).collect()
            }
            (Some(given), None) => {
                let options = given.get_arguments().filter(|_| self.begun.starts_with('-'));
                options.filter_map(|arg| Some((format!("--{}", arg.get_long()?), first_line(arg.get_help())))).collect()
            }
        }
    }

    fn names_a_file(&self) -> bool {
        self.arg.is_some_and(|arg| matches!(arg.get_value_hint(), ValueHint::AnyPath | ValueHint::FilePath))
    }

    fn names_an_object(&self) -> bool {
        let on_one = ["reconcile", "reauthenticate", "begin", "done"];
        let command = self.command.is_some_and(|command| on_one.contains(&command.get_name()));
        command && self.arg.is_some_and(Arg::is_positional)
    }

    /// The objects that are there, if the cluster says so soon.
    fn names(&self) -> Vec<(String, String)> {
        let value =
            |name: &str| self.given.iter().find(|(long, _)| *long == name).map(|(_, value)| (*value).to_owned());
        let place = Where {
            namespace: value("namespace"),
            all_namespaces: false,
            cluster: outside::Cluster::of(value("kubeconfig").map(Into::into), value("context")),
        };
        let read = outside::block_on(async {
            tokio::time::timeout(PATIENCE, objects::read(&place)).await.map_err(|error| error.to_string())?
        });
        // Nobody who presses Tab wants to be told what is wrong.
        let Ok(objects) = read else { return Vec::new() };
        let connectors = objects.connectors.into_keys().map(|(_, name)| (name, "Connector".to_owned()));
        let with_policies = self.command.is_some_and(|command| command.get_name() == "reconcile");
        let policies = objects.policies.into_keys().filter(|_| with_policies);
        let policies = policies.map(|(_, name)| (format!("policy/{name}"), "ServiceAccountPolicy".to_owned()));
        connectors.chain(policies).collect()
    }
}

fn first_line(text: Option<&clap::builder::StyledStr>) -> String {
    text.map(ToString::to_string).unwrap_or_default().lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::super::Cli;
    use super::*;

    /// The candidates, and whether files and names of objects are some.
    fn told(words: &[&str]) -> (Vec<String>, bool, bool) {
        let (command, words) = (Cli::command(), words.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>());
        let line = Line::of(&command, &words);
        let all = line.candidates(&command).into_iter().map(|(candidate, _)| candidate).collect();
        (all, line.names_a_file(), line.names_an_object())
    }

    #[test]
    fn commands_options_and_fixed_words_are_candidates_and_what_is_hidden_is_not() {
        let commands = told(&["re"]).0;
        assert!(commands.contains(&"reconcile".to_owned()) && !commands.contains(&"docs".to_owned()), "{commands:?}");
        assert!(told(&["status", "--"]).0.contains(&"--all-namespaces".to_owned()));
        assert_eq!(told(&["status", "-o", ""]).0, ["text", "json", "yaml"]);
        assert_eq!(told(&["status", "--output", "j"]).0, ["text", "json", "yaml"]);
        assert!(told(&["completion", ""]).0.contains(&"bash".to_owned()));
    }

    #[test]
    fn files_and_objects_are_names_where_a_name_of_one_belongs() {
        for (words, file, object) in [
            (&["check", ""][..], true, false),
            (&["check", "a.yaml", ""], true, false),
            (&["plan", "-f", ""], true, false),
            (&["plan", "--grants", ""], true, false),
            (&["status", ""], false, false),
            (&["reconcile", ""], false, true),
            (&["reconcile", "--wait", ""], false, true),
            (&["reconcile", "-nbackup", "--context=c", "c"], false, true),
            (&["reconcile", "--timeout", ""], false, false),
            (&["reconcile", "one", ""], false, false),
            (&["begin", "-n", "backup", ""], false, true),
        ] {
            let (_, files, objects) = told(words);
            assert_eq!((files, objects), (file, object), "{words:?}");
        }
        let (command, words) = (Cli::command(), ["reconcile", "-nbackup", "--context=c", ""].map(str::to_owned));
        assert_eq!(Line::of(&command, &words).given, [("namespace", "backup"), ("context", "c")]);
    }
}
