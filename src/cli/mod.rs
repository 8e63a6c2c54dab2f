//! The commands: thin, each in a file of its own.

mod crd;
mod docs;
mod documents;
mod import;
mod outside;
mod permissions;
mod plan;
mod reader_role;
mod run;
mod sign_in;

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

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
    /// Say what the operator would do for the objects of a file, and what people would have to, before anything is done. Nothing is
    /// written, in the cluster or outside.
    Plan(plan::Options),
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
    let ended = match Cli::parse().command {
        Command::Run(options) => run::run(options),
        Command::Crd => crd::print(),
        Command::Import(options) => import::print(&options),
        Command::Plan(options) => plan::print(&options),
        Command::Reauthenticate(options) => sign_in::reauthenticate(&options),
        Command::Begin(options) => sign_in::begin(&options),
        Command::Done(options) => sign_in::done(&options),
        Command::Permissions(options) => permissions::print(&options),
        Command::ReaderRole(options) => reader_role::print(&options),
        Command::Docs { page } => docs::print(page),
    };
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
    std::io::stdout().write_all(text.as_bytes()).map_err(|error| format!("can't write: {error}"))
}
