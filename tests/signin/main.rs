//! Which way the operator signs in to Microsoft, at which cloud, and what it says when it can't.

#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../harness/mod.rs"]
mod harness;

mod clouds;
