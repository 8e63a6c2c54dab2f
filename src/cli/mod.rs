//! The commands: thin, each in a file of its own.

mod check;
mod completion;
mod crd;
mod docs;
mod doctor;
mod documents;
mod handoffs;
mod import;
mod kubeconfig;
mod kustomize;
mod objects;
mod outside;
mod permissions;
mod plan;
mod reader_role;
mod reconcile;
mod reference;
mod run;
mod shown;
mod sign_in;
mod status;
mod yaml;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

/// Keeps `SaaS` backup connectors declared, checked and alive.
#[derive(Parser)]
#[command(name = "backstay", version, about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the operator.
    Run(run::Options),
    /// Print the custom resource definitions, to be applied before the first run.
    Crd,
    /// Print manifests for what exists at a vendor, to be put into Git: applying them adopts it and changes nothing there.
    Import(import::Options),
    /// Check files before they are merged, without a cluster: what the API server would refuse, references between them, profiles that
    /// don't fit a vendor, two that want the same thing. Exit code 0: no error (warnings may be there); 1: there is one, also where a file is
    /// no YAML; 2: a path can't be opened, or what it holds is no text.
    Check(check::Options),
    /// Say what the operator would do for the objects of a file, and what people would have to, before anything is done. Nothing is
    /// written, in the cluster or outside.
    Plan(plan::Options),
    /// Show each policy, what is missing for it, the Connectors that rest on it, and whose turn it is.
    Status(objects::Listing),
    /// Show everything that waits for a person, the oldest first, with its steps.
    Handoffs(objects::Listing),
    /// Examine what keeps the operator or its objects from working: clock, kinds, the operator itself, rights, credentials, vendors.
    /// Nothing is written.
    Doctor(doctor::Options),
    /// Ask for a look in which everything is read anew.
    Reconcile(reconcile::Options),
    /// Ask for a new sign-in at the vendor of a Connector.
    Reauthenticate(sign_in::Options),
    /// Begin to sign in again: the account gets what only this needs, and you are told the steps.
    Begin(sign_in::Options),
    /// Say that you have signed in again: what the account got for it is taken back.
    Done(sign_in::Options),
    /// Print the least that a policy needs: permissions at Microsoft, RBAC, and the grant for what it allows.
    Permissions(permissions::Options),
    /// Print the commands by which an administrator lets the operator read environments: a security role that reads, and an
    /// application user with it.
    ReaderRole(reader_role::Options),
    /// Print what completes these commands in a shell. `kubectl backstay` is completed by kubectl's own completion, if this program is also
    /// there under the name of `kubectl_complete-backstay`.
    Completion {
        /// Which shell.
        shell: Shell,
    },
    /// Print a page of the documentation that is made from the code.
    #[command(hide = true)]
    Docs {
        /// Which.
        page: docs::Page,
    },
}

/// Reads the arguments and runs the command. What goes wrong is one line on standard error.
#[must_use]
pub fn main() -> ExitCode {
    // One provider for both TLS users of the process, by name: with two in the graph neither would be picked.
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        eprintln!("backstay: TLS was set up twice");
        return ExitCode::FAILURE;
    }
    let mut words = std::env::args_os().map(|word| word.to_string_lossy().into_owned());
    let name = words.next().unwrap_or_default();
    if Path::new(&name).file_name().is_some_and(|name| name == completion::OF_KUBECTL) {
        let words: Vec<String> = words.collect();
        return told(completion::answer(&Cli::command(), &words));
    }
    told(match Cli::parse().command {
        Command::Run(options) => run::run(options),
        Command::Crd => crd::print(),
        Command::Import(options) => import::print(&options),
        Command::Check(options) => return check::check(&options),
        Command::Plan(options) => plan::print(&options),
        Command::Status(options) => status::show(&options),
        Command::Handoffs(options) => handoffs::show(&options),
        Command::Doctor(options) => doctor::examine(&options),
        Command::Reconcile(options) => reconcile::ask(&options),
        Command::Reauthenticate(options) => sign_in::reauthenticate(&options),
        Command::Begin(options) => sign_in::begin(&options),
        Command::Done(options) => sign_in::done(&options),
        Command::Permissions(options) => permissions::print(&options),
        Command::ReaderRole(options) => reader_role::print(&options),
        Command::Completion { shell } => completion::script(shell, Cli::command()),
        Command::Docs { page } => docs::print(page),
    })
}

fn told(ended: Result<(), String>) -> ExitCode {
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("backstay: {sentence}");
            ExitCode::FAILURE
        }
    }
}

/// Writes to standard output.
fn say(text: &str) -> Result<(), String> {
    written(std::io::stdout().write_all(text.as_bytes()))
}

/// Who does not want the rest, as `head` does not, has what it wanted.
fn written(result: std::io::Result<()>) -> Result<(), String> {
    match result {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(format!("can't write: {error}")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use clap::{CommandFactory, Parser};

    use super::Cli;

    fn pages(folder: &Path, into: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && !name.starts_with('.') && name != "target" {
                pages(&path, into);
            } else if path.extension().is_some_and(|it| it == "md") {
                into.push(path);
            }
        }
    }

    /// The words of a command, without what a shell does with it.
    fn words(line: &str) -> Vec<String> {
        let line = [" | ", " > ", ";", " #"].iter().fold(line, |line, end| line.split(end).next().unwrap_or_default());
        line.split_whitespace()
            .filter(|word| *word != "…")
            .map(|word| word.trim_matches(['"', '\'']).to_owned())
            .collect()
    }

    /// A command in the documentation is one that there is, with the options that it has.
    #[test]
    fn every_command_in_the_documentation_can_be_given() {
        Cli::command().debug_assert();
        let mut all = Vec::new();
        pages(Path::new(env!("CARGO_MANIFEST_DIR")), &mut all);
        let (mut tried, mut wrong) = (0, Vec::new());
        for page in all {
            let text = std::fs::read_to_string(&page).unwrap();
            let mut inside = false;
            for line in text.lines() {
                if line.trim_start().starts_with("```") {
                    inside = !inside;
                    continue;
                }
                let line = line.trim().trim_start_matches("$ ");
                let command = ["kubectl backstay ", "backstay ", "target/release/backstay "]
                    .iter()
                    .find_map(|name| line.strip_prefix(name));
                let Some(rest) = command.filter(|_| inside) else { continue };
                tried += 1;
                let given = std::iter::once("backstay".to_owned()).chain(words(rest));
                if let Err(error) = Cli::try_parse_from(given) {
                    let help = matches!(
                        error.kind(),
                        clap::error::ErrorKind::DisplayHelp | clap::error::ErrorKind::DisplayVersion
                    );
                    if !help {
                        wrong.push(format!(
                            "{}: {line}: {}",
                            page.display(),
                            error.to_string().lines().next().unwrap_or_default()
                        ));
                    }
                }
            }
        }
        assert!(tried > 10, "{tried}");
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}
