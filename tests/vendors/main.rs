//! What each vendor lets be seen and done, from the examples to their end.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../harness/mod.rs"]
mod harness;

mod avepoint;
mod fluentpro;
mod keepit;
