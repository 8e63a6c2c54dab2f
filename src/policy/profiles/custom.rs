//! What somebody asks of the account in rules of their own, made of the checks that the pages are made of. [pure]

use std::borrow::Cow;

use super::{ALWAYS, CUSTOM, Requirement, license, role};
use crate::api::policy::Stage;
use crate::api::profiles as declared;
use crate::api::profiles::{AdministratorRole, Check, ConsentResource, Custom, Licenses, RequiredAccessMode};
use crate::policy::rules::Rule;
use crate::tenant::DirectoryRole::{self, Dynamics365Administrator, GlobalAdministrator, PowerPlatformAdministrator};
use crate::tenant::facts::{AccessMode, Consented, Privilege, Resource, TablesWanted};

/// Rules of one's own.
pub fn custom(profile: &Custom, chosen: &Licenses) -> Vec<Requirement> {
    let of = |rule: &declared::CustomRule| {
        let stages = if rule.stages.is_empty() { Cow::Borrowed(ALWAYS) } else { Cow::Owned(rule.stages.clone()) };
        Requirement {
            profile: CUSTOM,
            name: Cow::Owned(rule.id.clone()),
            rule: checked(&rule.check, &stages, chosen),
            stages,
            source: "spec.profiles.custom",
        }
    };
    profile.rules.iter().map(of).collect()
}

fn checked(check: &Check, stages: &[Stage], chosen: &Licenses) -> Rule {
    match check {
        Check::AccountUsable(_) => Rule::AccountUsable,
        Check::DirectoryRole(check) => {
            let any_of: Vec<DirectoryRole> = check.any_of.iter().copied().map(directory_role).collect();
            role(&any_of, stages)
        }
        Check::NoDirectoryRole(check) => Rule::NoDirectoryRole { role: directory_role(check.role), must_go: true },
        Check::License(check) => license(check.family, chosen),
        Check::EnvironmentMember(_) => Rule::EnvironmentMember,
        Check::SystemAdministrator(_) => Rule::SystemAdministrator,
        Check::AccessMode(check) => {
            let mode = |mode: &RequiredAccessMode| match mode {
                RequiredAccessMode::ReadWrite => AccessMode::ReadWrite,
                RequiredAccessMode::NonInteractive => AccessMode::NonInteractive,
            };
            Rule::AccessMode(check.any_of.iter().map(mode).collect())
        }
        Check::TablePrivileges(check) => Rule::TablePrivileges(TablesWanted {
            names: check.tables.clone(),
            privileges: check.privileges.iter().copied().map(privilege).collect(),
            related: check.include_related_tables,
        }),
        Check::Consent(check) => {
            let permission = |it: &declared::DelegatedPermission| Consented {
                resource: match it.resource {
                    ConsentResource::MicrosoftGraph => Resource::Graph,
                    ConsentResource::Dataverse => Resource::Dataverse,
                },
                scope: it.scope.clone(),
            };
            Rule::Consent {
                app: check.client_id.to_ascii_lowercase(),
                permissions: check.permissions.iter().map(permission).collect(),
            }
        }
        Check::NoMfa(_) => Rule::NoMfa,
    }
}

fn directory_role(role: AdministratorRole) -> DirectoryRole {
    match role {
        AdministratorRole::GlobalAdministrator => GlobalAdministrator,
        AdministratorRole::Dynamics365Administrator => Dynamics365Administrator,
        AdministratorRole::PowerPlatformAdministrator => PowerPlatformAdministrator,
    }
}

fn privilege(privilege: declared::Privilege) -> Privilege {
    match privilege {
        declared::Privilege::Create => Privilege::Create,
        declared::Privilege::Read => Privilege::Read,
        declared::Privilege::Write => Privilege::Write,
        declared::Privilege::Delete => Privilege::Delete,
        declared::Privilege::Append => Privilege::Append,
        declared::Privilege::AppendTo => Privilege::AppendTo,
        declared::Privilege::Assign => Privilege::Assign,
        declared::Privilege::Share => Privilege::Share,
    }
}
