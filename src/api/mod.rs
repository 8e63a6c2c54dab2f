//! What can be declared: the two kinds of `backstay.dev/v1alpha1`, as data only.

pub mod action;
pub mod connector;
pub mod credential;
pub mod elevation;
pub mod happened;
pub mod names;
pub mod policy;
pub mod profiles;
pub mod reason;
pub mod shared;

pub use action::Action;
pub use connector::{Connector, ConnectorSpec, ConnectorStatus};
pub use happened::Happened;
pub use policy::{ServiceAccountPolicy, ServiceAccountPolicySpec, ServiceAccountPolicyStatus};
pub use reason::Reason;

/// A Secret is read, and a token of a `ServiceAccount` asked for, only when it carries this label with the value `"true"`: whoever
/// may create a Connector must not be able to point the operator at what was never meant for it.
pub const USE_LABEL: &str = "backstay.dev/use";
