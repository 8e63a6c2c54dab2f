//! Which writes can be allowed, and by which name.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A kind of write outside the cluster. It is taken only when the object allows it *and* a grant covers it.
// Variants carry plain comments: doc comments on unit variants reorder the enum in the CRD.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Action {
    // Assign Dynamics 365 Administrator and Power Platform Administrator; remove a standing Global Administrator
    // where the profile says `Remove`.
    DirectoryRoles,
    // Assign System Administrator to the account in an environment.
    SecurityRoles,
    // Set the account's access mode in an environment to Read-Write.
    AccessMode,
    // Add the account to an environment that it is not a user of.
    EnvironmentAccess,
    // Make the operator's own application a user of an environment, so that it can see there.
    SelfEnrollment,
    // Give the account Global Administrator for the time of a reauthentication, by an assignment that ends by itself (Privileged
    // Identity Management).
    Elevation,
    // Give it by an assignment that stays until the operator takes it back.
    UntimedElevation,
}

impl std::fmt::Display for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(self, f)
    }
}
