//! What would Microsoft 365, Power Platform, Dataverse, Keepit and AvePoint answer? A world that can be started, changed and broken.
//!
//! It is written from facts and recorded bodies, never from the operator, and refuses what the real services would refuse.
//! See README.md in this folder.

#![allow(clippy::unnecessary_wraps, reason = "the rows of a table of handlers or actions have one type")]
#![allow(
    clippy::missing_errors_doc,
    clippy::must_use_candidate,
    reason = "a crate for tests: the errors are sentences"
)]

pub mod actions;
mod calls;
mod catalog;
mod contract;
mod control;
mod engine;
mod faults;
mod http;
mod ids;
mod odata;
mod proxy;
mod services;
mod state;
mod tls;
mod world;

pub use calls::Call;
pub use contract::Checks;
pub use faults::Fault;
pub use services::keepit::PLANTED_PASSWORD;
pub use world::{Error, World};

/// The world of the main story: one account, three environments, no connector yet.
pub const CONTOSO: &str = include_str!("../worlds/contoso.yaml");

/// A tenant where next to everything is wrong with the service account.
pub const FABRIKAM: &str = include_str!("../worlds/fabrikam.yaml");

/// A tenant whose backup runs on a service account that nobody has looked after for a year.
pub const NORTHWIND: &str = include_str!("../worlds/northwind.yaml");

/// A tenant whose Dynamics 365 organizations AvePoint backs up, one through its own app, one through a service account.
pub const TAILSPIN: &str = include_str!("../worlds/tailspin.yaml");

/// Where the recorded bodies lie, if they are here: `BACKSTAY_CONTRACTS`, else beside the workspace.
pub fn contracts_folder() -> Option<std::path::PathBuf> {
    let beside = || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/contracts");
    let folder = std::env::var_os("BACKSTAY_CONTRACTS").map_or_else(beside, Into::into);
    folder.is_dir().then_some(folder)
}
