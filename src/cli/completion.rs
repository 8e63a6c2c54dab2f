//! What completes a command line that is begun: for shells by clap's own scripts, for `kubectl backstay` by what kubectl asks.

use std::time::Duration;

use clap::{Arg, Command};
use clap_complete::{Shell, generate};

use super::objects::{self, Where};
use super::{outside, say};

/// kubectl asks the program of this name what completes the words after `kubectl backstay`.
pub const OF_KUBECTL: &str = "kubectl_complete-backstay";

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

/// Answers kubectl: one candidate a line, and that these are no names of files. The last of the words is the one that is begun.
///
/// # Errors
/// When standard output can't be written to.
pub fn answer(command: &Command, words: &[String]) -> Result<(), String> {
    let mut candidates = of_words(command, words);
    if candidates.is_empty() && names_an_object(words) {
        candidates = names(words);
    }
    let begun = words.last().map(String::as_str).unwrap_or_default();
    candidates.retain(|(candidate, _)| candidate.starts_with(begun));
    let line = |(candidate, about): &(String, String)| format!("{candidate}\t{about}\n");
    // Cobra's word for: nothing else completes it.
    say(&(candidates.iter().map(line).collect::<String>() + ":4\n"))
}

/// What the commands themselves say: their names, their options, and the fixed words that an option takes.
fn of_words(command: &Command, words: &[String]) -> Vec<(String, String)> {
    let (begun, before) = words.split_last().map_or(("", words), |(begun, before)| (begun.as_str(), before));
    let given = before.first().and_then(|name| command.find_subcommand(name));
    let Some(given) = given else {
        let all = command.get_subcommands().filter(|it| !it.is_hide_set());
        return all.map(|it| (it.get_name().to_owned(), first_line(it.get_about()))).collect();
    };
    let named = |arg: &&Arg, word: &str| {
        word.strip_prefix("--").is_some_and(|long| arg.get_long() == Some(long))
            || word.strip_prefix('-').is_some_and(|short| arg.get_short().is_some_and(|it| it.to_string() == short))
    };
    let takes = |arg: &Arg| arg.get_action().takes_values();
    if begun.starts_with('-') {
        let all = given
            .get_arguments()
            .filter_map(|arg| Some((format!("--{}", arg.get_long()?), first_line(arg.get_help()))));
        return all.collect();
    }
    let last = before.last().map(String::as_str).unwrap_or_default();
    let arg = given.get_arguments().find(|arg| takes(arg) && named(arg, last));
    let arg = arg.or_else(|| given.get_positionals().next());
    let values = arg.map(Arg::get_possible_values).unwrap_or_default();
    values.iter().map(|it| (it.get_name().to_owned(), first_line(it.get_help()))).collect()
}

fn first_line(text: Option<&clap::builder::StyledStr>) -> String {
    text.map(ToString::to_string).unwrap_or_default().lines().next().unwrap_or_default().to_owned()
}

/// Whether the word that is begun is the name of an object.
fn names_an_object(words: &[String]) -> bool {
    let on_one = ["reconcile", "reauthenticate", "begin", "done"];
    let [command, .., _] = words else { return false };
    let last = &words[words.len() - 2];
    // What follows an option is its value.
    on_one.contains(&command.as_str()) && (last == command || !last.starts_with('-'))
}

/// The objects that are there, if the cluster says so soon.
fn names(words: &[String]) -> Vec<(String, String)> {
    let value = |names: [&str; 2]| {
        let at = words.iter().position(|word| names.contains(&word.as_str()));
        at.and_then(|at| words.get(at + 1)).cloned()
    };
    let place = Where {
        namespace: value(["-n", "--namespace"]),
        all_namespaces: false,
        cluster: outside::Cluster::of(value(["--kubeconfig", ""]).map(Into::into), value(["--context", ""])),
    };
    let read = outside::block_on(async {
        tokio::time::timeout(Duration::from_secs(3), objects::read(&place)).await.map_err(|error| error.to_string())?
    });
    // Nobody who presses Tab wants to be told what is wrong.
    let Ok(objects) = read else { return Vec::new() };
    let connectors = objects.connectors.into_keys().map(|(_, name)| (name, "Connector".to_owned()));
    let policies = objects.policies.into_keys().filter(|_| words[0] == "reconcile");
    connectors.chain(policies.map(|(_, name)| (format!("policy/{name}"), "ServiceAccountPolicy".to_owned()))).collect()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::super::Cli;
    use super::*;

    fn candidates(words: &[&str]) -> Vec<String> {
        let words: Vec<String> = words.iter().map(|it| (*it).to_owned()).collect();
        of_words(&Cli::command(), &words).into_iter().map(|(candidate, _)| candidate).collect()
    }

    #[test]
    fn commands_options_and_fixed_words_are_candidates_and_what_is_hidden_is_not() {
        let commands = candidates(&["re"]);
        assert!(commands.contains(&"reconcile".to_owned()) && !commands.contains(&"docs".to_owned()), "{commands:?}");
        assert!(candidates(&["status", "--"]).contains(&"--all-namespaces".to_owned()));
        assert_eq!(candidates(&["status", "-o", ""]), ["text", "json", "yaml"]);
        assert_eq!(candidates(&["status", "--output", "j"]), ["text", "json", "yaml"]);
        assert!(candidates(&["completion", ""]).contains(&"bash".to_owned()));
        assert!(candidates(&["reconcile", ""]).is_empty(), "names are the cluster's to tell");
    }
}
