//! What the operator could write at Microsoft, one step after the other, and whether it may. [pure]

use std::time::Duration;

use crate::api::Action;
use crate::api::policy::StepEffect;
use crate::runtime::Allowed;
use crate::tenant::DirectoryRole;
use crate::tenant::facts::Environment;

/// So long a license may take; from then on somebody should look.
pub const ARRIVES_WITHIN: Duration = Duration::from_mins(10);

/// One write.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What.
    pub what: What,
    /// Whether it may be done now.
    pub allowed: Allowed,
}

/// One write.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// Make the operator's app a user of the environment.
    EnrollSelf(Environment),
    /// Assign a directory role to the account.
    AddDirectoryRole(DirectoryRole),
    /// Make the account a user of the environment.
    AddToEnvironment(Environment),
    /// Assign System Administrator to the account.
    AddSystemAdministrator(Environment),
    /// Set the account's access mode to Read-Write.
    SetReadWrite(Environment),
    /// Remove a directory role that the account holds directly.
    RemoveDirectoryRole {
        /// Which role.
        role: DirectoryRole,
        /// By which assignment.
        assignment: String,
    },
}

impl What {
    /// The word in `status.plan`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::EnrollSelf(_) => "EnrollSelf",
            Self::AddDirectoryRole(_) => "AddDirectoryRole",
            Self::AddToEnvironment(_) => "AddToEnvironment",
            Self::AddSystemAdministrator(_) => "AddSystemAdministrator",
            Self::SetReadWrite(_) => "SetReadWrite",
            Self::RemoveDirectoryRole { .. } => "RemoveDirectoryRole",
        }
    }

    /// On what.
    #[must_use]
    pub fn target(&self) -> &str {
        match self {
            Self::EnrollSelf(environment)
            | Self::AddToEnvironment(environment)
            | Self::AddSystemAdministrator(environment)
            | Self::SetReadWrite(environment) => &environment.name,
            Self::AddDirectoryRole(role) | Self::RemoveDirectoryRole { role, .. } => role.name(),
        }
    }

    /// On what, by an id that nothing else has: two environments may have one name.
    #[must_use]
    pub fn target_id(&self) -> &str {
        match self {
            Self::EnrollSelf(environment)
            | Self::AddToEnvironment(environment)
            | Self::AddSystemAdministrator(environment)
            | Self::SetReadWrite(environment) => &environment.id,
            Self::AddDirectoryRole(role) | Self::RemoveDirectoryRole { role, .. } => role.id(),
        }
    }

    /// What is noted of it: of which account, what, and on what.
    #[must_use]
    pub fn key(&self, account: &str) -> String {
        format!("{account}/{}/{}", self.word(), self.target_id())
    }

    /// What it does to it.
    #[must_use]
    pub fn effect(&self) -> StepEffect {
        match self {
            Self::RemoveDirectoryRole { .. } => StepEffect::Delete,
            Self::SetReadWrite(_) => StepEffect::Change,
            _ => StepEffect::Create,
        }
    }

    /// The action that allows it.
    #[must_use]
    pub fn action(&self) -> Action {
        match self {
            Self::EnrollSelf(_) => Action::SelfEnrollment,
            Self::AddToEnvironment(_) => Action::EnvironmentAccess,
            Self::AddSystemAdministrator(_) => Action::SecurityRoles,
            Self::SetReadWrite(_) => Action::AccessMode,
            Self::AddDirectoryRole(_) | Self::RemoveDirectoryRole { .. } => Action::DirectoryRoles,
        }
    }

    /// The finding that it mends.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::EnrollSelf(_) => "the operator can't see into the environment",
            Self::AddDirectoryRole(_) => "the account does not hold it",
            Self::AddToEnvironment(_) => "the account is not a user of the environment",
            Self::AddSystemAdministrator(_) => "the account is not System Administrator there",
            Self::SetReadWrite(_) => "the account's access mode there is another one",
            Self::RemoveDirectoryRole { .. } => "the account no longer needs it",
        }
    }
}
