//! What is in a Power Platform environment and its Dataverse organization?

use serde::{Deserialize, Serialize};

use super::{Lag, Privilege, Table, Tenant};
use crate::catalog::{
    DYNAMICS_365_ADMINISTRATOR, GLOBAL_ADMINISTRATOR, POWER_PLATFORM_ADMINISTRATOR, SYSTEM_ADMINISTRATOR_TEMPLATE,
};

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// GUID, or `Default-{tenant}`; made from the name if left out.
    #[serde(default)]
    pub id: String,
    pub name: String,
    /// Production, Sandbox, Trial, Default, Developer, Teams.
    pub sku: String,
    /// Host of the Dataverse organization (`contoso.crm4.dynamics.com`); absent means the environment has no Dataverse.
    #[serde(default)]
    pub host: Option<String>,
    #[serde(default = "europe")]
    pub location: String,
    #[serde(default)]
    pub runtime: Runtime,
    /// The Entra group that limits who gets in; `None` lets everybody in (microsoft.md §2.2).
    #[serde(default)]
    pub security_group: Option<String>,
    /// Who made it, as principal name or id; the id after loading. A Developer environment lets in nobody else.
    #[serde(default)]
    pub creator: Option<String>,
    #[serde(default)]
    pub organization_id: String,
    #[serde(default)]
    pub business_unit: String,
    /// Security roles besides the ones every organization has.
    #[serde(default)]
    pub roles: Vec<SecurityRole>,
    #[serde(default)]
    pub users: Vec<SystemUser>,
    #[serde(default)]
    pub teams: Vec<Team>,
    /// Tables besides the ones every organization has.
    #[serde(default)]
    pub tables: Vec<Table>,
}

/// `states.runtime.id` of an environment (microsoft.md §2.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Runtime {
    #[default]
    Enabled,
    AdminMode,
    Disabled,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecurityRole {
    #[serde(default)]
    pub id: String,
    pub name: String,
    #[serde(default)]
    pub template: Option<String>,
    /// Privileges (`prvReadUser`, or `prvReadAccount: Basic`); System Administrator needs none here, it has all.
    #[serde(default)]
    pub privileges: Vec<Privilege>,
    /// `None` means the root business unit.
    #[serde(default)]
    pub business_unit: Option<String>,
}

/// A row of the systemuser table: a person or an application.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SystemUser {
    #[serde(default)]
    pub id: String,
    /// Principal name or object id of a person; the object id after loading.
    #[serde(default)]
    pub user: Option<String>,
    /// Client id of an application user.
    #[serde(default)]
    pub application: Option<String>,
    /// Security roles by name or id; ids after loading.
    #[serde(default)]
    pub roles: Vec<HeldRole>,
    /// 0 Read-Write, 1 Administrative, 2 Read, 3 Support User, 4 Non-interactive (microsoft.md §3.2).
    #[serde(default)]
    pub access_mode: i64,
    /// Switched off by an administrator of the environment.
    #[serde(default)]
    pub disabled: bool,
    /// An administrator without licence, let in for set-up only.
    #[serde(default)]
    pub setup: bool,
    /// Soft-deleted: it is there, does nothing, and is in the way of a new one (microsoft.md §3.2).
    #[serde(default)]
    pub deleted: bool,
    #[serde(skip)]
    pub lag: Lag,
}

impl SystemUser {
    /// A row that was just made for a person.
    pub fn of_person(environment: &str, object_id: &str) -> Self {
        Self { user: Some(object_id.into()), ..Self::new(environment, object_id) }
    }

    /// A row that was just made for an application: mode 4 (microsoft.md §3.2).
    pub fn of_application(environment: &str, client_id: &str) -> Self {
        Self { application: Some(client_id.into()), access_mode: 4, ..Self::new(environment, client_id) }
    }

    fn new(environment: &str, key: &str) -> Self {
        Self {
            id: crate::ids::guid_of(&[environment, "systemuser", key]),
            user: None,
            application: None,
            roles: Vec::new(),
            access_mode: 0,
            disabled: false,
            setup: false,
            deleted: false,
            lag: Lag::default(),
        }
    }
}

/// A role as it is held; in YAML just its name.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct HeldRole {
    pub role: String,
    pub lag: Lag,
    /// An administrator gave it to themselves by a directory role of this PIM schedule, and loses it with that
    /// (microsoft.md §0.1).
    pub by_schedule: Option<String>,
}

impl From<String> for HeldRole {
    fn from(role: String) -> Self {
        Self { role, lag: Lag::default(), by_schedule: None }
    }
}

impl From<HeldRole> for String {
    fn from(held: HeldRole) -> Self {
        held.role
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Team {
    #[serde(default)]
    pub id: String,
    pub name: String,
    /// The Entra group of a group team; its members need no row of their own (microsoft.md §3.3).
    #[serde(default)]
    pub group: Option<String>,
    /// Members of an owner team, as principal names or ids of persons.
    #[serde(default)]
    pub members: Vec<String>,
    #[serde(default)]
    pub roles: Vec<String>,
}

fn europe() -> String {
    "europe".into()
}

impl Environment {
    /// By id, or by name in the root business unit.
    pub fn role(&self, key: &str) -> Option<&SecurityRole> {
        let named = |role: &SecurityRole| role.business_unit.is_none() && role.name.eq_ignore_ascii_case(key);
        self.roles.iter().find(|role| role.id.eq_ignore_ascii_case(key) || named(role))
    }

    pub fn row(&self, id: &str) -> Option<&SystemUser> {
        self.users.iter().find(|row| row.id.eq_ignore_ascii_case(id))
    }

    pub fn row_mut(&mut self, id: &str) -> Option<&mut SystemUser> {
        self.users.iter_mut().find(|row| row.id.eq_ignore_ascii_case(id))
    }

    pub fn row_of_user(&mut self, object_id: &str) -> Option<&mut SystemUser> {
        self.users.iter_mut().find(|row| row.lag.is_real() && row.user.as_deref() == Some(object_id))
    }

    /// The row of an application, soft-deleted or not.
    pub fn any_row_of_app(&self, client_id: &str) -> Option<&SystemUser> {
        self.users.iter().find(|row| {
            row.lag.is_real() && row.application.as_deref().is_some_and(|it| it.eq_ignore_ascii_case(client_id))
        })
    }

    pub fn row_of_app(&self, client_id: &str) -> Option<&SystemUser> {
        self.any_row_of_app(client_id).filter(|row| !row.deleted)
    }

    /// Teams of a person, through membership or the team's Entra group.
    pub fn teams_of<'a>(&'a self, tenant: &'a Tenant, object_id: &str) -> Vec<&'a Team> {
        let in_group = |team: &Team| {
            team.group.as_ref().is_some_and(|group| {
                tenant.group(group).is_some_and(|group| group.members.iter().any(|it| it == object_id))
            })
        };
        self.teams.iter().filter(|team| team.members.iter().any(|it| it == object_id) || in_group(team)).collect()
    }

    /// Ids of all roles a row really has: its own and those of its teams.
    pub fn effective_roles(&self, tenant: &Tenant, row: &SystemUser) -> Vec<String> {
        let own = row.roles.iter().filter(|held| held.lag.is_real()).map(|held| held.role.clone());
        let teams = row.user.as_deref().map(|user| self.teams_of(tenant, user)).unwrap_or_default();
        own.chain(teams.into_iter().flat_map(|team| team.roles.clone())).collect()
    }

    pub fn is_system_administrator(&self, tenant: &Tenant, row: &SystemUser) -> bool {
        self.effective_roles(tenant, row)
            .iter()
            .filter_map(|id| self.role(id))
            .any(|role| role.template.as_deref() == Some(SYSTEM_ADMINISTRATOR_TEMPLATE))
    }

    /// Why the row is disabled now: `None` means it is not. Unlicensed, outside the group or switched off in Entra
    /// (microsoft.md §3.2, §2.2); applications and set-up users are not asked for a licence.
    pub fn disabled_because(&self, tenant: &Tenant, row: &SystemUser) -> Option<&'static str> {
        if row.disabled || row.deleted {
            return Some("disabled in the environment");
        }
        let Some(id) = &row.user else { return None };
        let Some(user) = tenant.user(id) else {
            return Some("deleted in Entra");
        };
        if !user.enabled {
            return Some("disabled in Entra");
        }
        if !row.setup && matches!(row.access_mode, 0 | 2) && !tenant.has_dynamics_license(user) {
            return Some("not licensed");
        }
        (!self.lets_in(tenant, id)).then_some("not a member of the security group")
    }

    /// The security group of the environment: direct members only; Global and Power Platform Administrators are exempt (microsoft.md §2.2).
    pub fn lets_in(&self, tenant: &Tenant, object_id: &str) -> bool {
        let Some(group) = &self.security_group else {
            return true;
        };
        let exempt =
            [GLOBAL_ADMINISTRATOR, POWER_PLATFORM_ADMINISTRATOR].into_iter().any(|role| tenant.holds(object_id, role));
        exempt || tenant.group(group).is_some_and(|group| group.members.iter().any(|it| it == object_id))
    }
}

/// Who may be added to an environment by an administrator (microsoft.md §2.3).
pub fn why_not_added(environment: &Environment, object_id: &str) -> Option<&'static str> {
    match environment.sku.as_str() {
        "Developer" if environment.creator.as_deref() != Some(object_id) => {
            Some("A developer environment lets in only the user who created it.")
        }
        "Teams" => Some("Users come into a Teams environment when they first use it."),
        _ => None,
    }
}

/// Roles that make a person an administrator of the service: let in without licence as a set-up user (microsoft.md §2.3).
pub fn is_service_administrator(tenant: &Tenant, object_id: &str) -> bool {
    [GLOBAL_ADMINISTRATOR, POWER_PLATFORM_ADMINISTRATOR, DYNAMICS_365_ADMINISTRATOR]
        .into_iter()
        .any(|role| tenant.holds(object_id, role))
}
