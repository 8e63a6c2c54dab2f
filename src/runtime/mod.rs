//! What both controllers share: everything around the five steps.

pub mod again;
pub mod allowed;
pub mod conditions;
pub mod context;
pub mod controllers;
pub mod deletions;
pub mod election;
pub mod events;
pub mod expiring;
pub mod grants;
pub mod handoffs;
pub mod journal;
pub mod lanes;
pub mod lately;
pub mod marks;
pub mod news;
pub mod once;
pub mod pass;
pub mod probes;
pub mod problem;
pub mod publish;
pub mod removals;
pub mod secrets;
pub mod serve;
pub mod service_accounts;
pub mod sightings;
pub mod signin;
pub mod standing;
pub mod synced;

pub use allowed::Allowed;
pub use conditions::Conditions;
pub use context::{Context, Settings};
pub use pass::Patience;
pub use problem::{Problem, Trouble};
pub use publish::{Note, Outcome};
