//! What has to be read at Microsoft to judge what is asked: nothing more is, and no permission for more is needed. [pure]

use std::collections::BTreeSet;

use super::profiles::Requirement;
use super::rules::Rule;
use crate::api::Action;
use crate::api::profiles::LookAt;
use crate::tenant::calls::For;
use crate::tenant::facts::AccessWanted;

/// What has to be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Kinds of facts.
    pub facts: BTreeSet<For>,
    /// Apps whose consent is judged, by client id.
    pub applications: BTreeSet<String>,
    /// What is asked about the account's access to environments.
    pub access: AccessWanted,
}

impl Needs {
    /// What these requirements need.
    #[must_use]
    pub fn of<'a>(requirements: impl IntoIterator<Item = &'a Requirement>) -> Self {
        let mut needs = Self::default();
        for requirement in requirements {
            needs.facts.extend(facts(&requirement.rule));
            match &requirement.rule {
                Rule::Consent { app, .. } => {
                    needs.applications.insert(app.clone());
                }
                Rule::TablePrivileges(tables) => {
                    // Without tables only System Administrator will do, and that may come through a team.
                    needs.access.teams |= tables.names.is_empty();
                    if !needs.access.tables.contains(tables) {
                        needs.access.tables.push(tables.clone());
                    }
                }
                Rule::SystemAdministrator => needs.access.teams = true,
                _ => {}
            }
        }
        needs
    }

    /// Whether this kind of fact is needed.
    #[must_use]
    pub fn has(&self, fact: For) -> bool {
        self.facts.contains(&fact)
    }
}

/// The facts that a rule is judged by.
fn facts(rule: &Rule) -> Vec<For> {
    match rule {
        Rule::AccountUsable | Rule::PasswordKept => vec![For::User],
        // Who else holds it matters only where it may be taken away.
        Rule::NoDirectoryRole { must_go: true, .. } => vec![For::Roles, For::OtherAdministrators],
        Rule::DirectoryRole { .. } | Rule::NoDirectoryRole { .. } => vec![For::Roles],
        Rule::License(wanted) => match wanted.look_at {
            LookAt::User => vec![For::User],
            LookAt::Tenant => vec![For::Subscriptions],
            LookAt::UserOrTenant => vec![For::User, For::Subscriptions],
        },
        Rule::EnvironmentMember | Rule::SystemAdministrator | Rule::AccessMode(_) => {
            vec![For::Environments, For::Access]
        }
        Rule::TablePrivileges(tables) if tables.names.is_empty() => vec![For::Environments, For::Access],
        Rule::TablePrivileges(_) => vec![For::Environments, For::Access, For::Tables],
        Rule::Consent { .. } => vec![For::Consent],
        Rule::NoMfa => vec![For::SecondFactor, For::Roles],
    }
}

/// The calls that an action of `allowedActions` makes.
#[must_use]
pub fn of_action(action: Action) -> For {
    match action {
        Action::DirectoryRoles => For::DirectoryRoles,
        Action::SecurityRoles => For::SecurityRoles,
        Action::AccessMode => For::AccessMode,
        Action::EnvironmentAccess => For::EnvironmentAccess,
        Action::SelfEnrollment => For::SelfEnrollment,
        Action::Elevation => For::Elevation,
        Action::UntimedElevation => For::UntimedElevation,
    }
}
