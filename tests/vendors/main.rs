//! What each vendor lets be seen and done, from the examples to their end.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../harness/mod.rs"]
mod harness;

mod acting;
mod ahead;
mod avepoint;
mod commands;
mod creation;
mod fluentpro;
mod keepit;
mod leaving;
