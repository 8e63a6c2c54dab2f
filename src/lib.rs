//! Backstay: keeps `SaaS` backup connectors declared, checked and alive.
//!
//! Read `connector/mod.rs` and `policy/mod.rs` first: each is one screenful that names its five steps.

pub mod api;
pub mod cache;
pub mod certificate;
pub mod cli;
pub mod connector;
pub mod elevation;
pub mod fault;
pub mod handoff;
pub mod http;
pub mod metrics;
pub mod permit;
pub mod policy;
pub mod runtime;
pub mod seen;
pub mod telemetry;
pub mod tenant;
pub mod vendors;
#[cfg(test)]
mod year;
