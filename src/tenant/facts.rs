//! What is known of a service account at Microsoft: data only.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::DirectoryRole;
use crate::seen::Seen;

/// Everything that the rules judge.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountFacts {
    /// The user; `None`: the tenant has none of this name.
    pub user: Seen<Option<User>>,
    /// The directory roles that it holds.
    pub roles: Seen<Arc<[HeldRole]>>,
    /// Whether another user, who can sign in, holds Global Administrator.
    pub another_global_administrator: Seen<bool>,
    /// The subscriptions of the tenant.
    pub subscribed: Seen<Arc<[Subscribed]>>,
    /// The environments that the policy selects, each with what the account is there.
    pub environments: Seen<BTreeMap<String, (Environment, Seen<Access>)>>,
}

/// A user of the tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Object id.
    pub id: String,
    /// User principal name.
    pub principal_name: String,
    /// Whether it can sign in.
    pub enabled: bool,
    /// Whether it is a guest: a guest's own tenant's licenses don't count here.
    pub guest: bool,
    /// Its licenses.
    pub licenses: Vec<License>,
    /// The service plans that it has from all its licenses.
    pub plans: Vec<Plan>,
}

/// A license of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct License {
    /// SKU id, lower case.
    pub sku: String,
    /// Ids of its service plans that are switched off, lower case.
    pub disabled_plans: Vec<String>,
}

/// A service plan of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Plan id, lower case.
    pub id: String,
    /// Whether it works.
    pub state: PlanState,
}

/// Whether a service plan works (`capabilityStatus`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanState {
    /// It works.
    Enabled,
    /// It works still: the subscription is in its grace period.
    Warning,
    /// It does not work.
    Off,
}

/// A directory role that a user holds at "/".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldRole {
    /// Role definition id, lower case.
    pub role: String,
    /// Id of the assignment.
    pub assignment: String,
    /// The role-assignable group that it is held through; `None`: held directly.
    pub group: Option<String>,
}

/// A subscription of the tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscribed {
    /// SKU id, lower case.
    pub sku: String,
    /// Ids of its service plans, lower case.
    pub plans: Vec<String>,
    /// Whether it works, be it in its grace period.
    pub usable: bool,
    /// Seats or units bought.
    pub units: i64,
}

/// A Power Platform environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// Environment id: a GUID, or `Default-` and the tenant's.
    pub id: String,
    /// Display name.
    pub name: String,
    /// Microsoft's word for its type (`environmentSku`).
    pub sku: String,
    /// Its Dataverse; `None`: it has none, so there is nothing to back up.
    pub dataverse: Option<Dataverse>,
}

/// The Dataverse of an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataverse {
    /// Origin of its Web API, without a slash at the end. Example: `https://contoso.crm4.dynamics.com`.
    pub origin: String,
    /// Whether it runs: ready, and not in administration mode.
    pub running: bool,
}

/// What a user is in an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// Its row; `None`: it is not a user of the environment.
    pub row: Option<SystemUser>,
}

/// A user's row in Dataverse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemUser {
    /// Row id.
    pub id: String,
    /// Id of its business unit.
    pub business_unit: String,
    /// Whether the row is disabled.
    pub disabled: bool,
    /// Access mode.
    pub access_mode: AccessMode,
    /// How it holds System Administrator; `None`: it does not.
    pub system_administrator: Option<HeldBy>,
}

/// How a security role is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeldBy {
    /// Assigned to the user.
    User,
    /// Through the team of this name.
    Team(String),
}

/// Dataverse's `accessmode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessMode {
    /// 0
    ReadWrite,
    /// 1
    Administrative,
    /// 2
    Read,
    /// 3
    SupportUser,
    /// 4
    NonInteractive,
    /// 5
    DelegatedAdministrator,
    /// A number that Microsoft has not published.
    Other(i64),
}

impl AccessMode {
    /// As Microsoft's pages write it.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::ReadWrite => "Read-Write".to_owned(),
            Self::Administrative => "Administrative".to_owned(),
            Self::Read => "Read".to_owned(),
            Self::SupportUser => "Support User".to_owned(),
            Self::NonInteractive => "Non-interactive".to_owned(),
            Self::DelegatedAdministrator => "Delegated Admin".to_owned(),
            Self::Other(number) => format!("mode {number}"),
        }
    }
}

impl From<i64> for AccessMode {
    fn from(number: i64) -> Self {
        match number {
            0 => Self::ReadWrite,
            1 => Self::Administrative,
            2 => Self::Read,
            3 => Self::SupportUser,
            4 => Self::NonInteractive,
            5 => Self::DelegatedAdministrator,
            other => Self::Other(other),
        }
    }
}

/// Whether, and how, one of the house's roles is among these.
#[must_use]
pub fn held(roles: &[HeldRole], role: DirectoryRole) -> Option<&HeldRole> {
    // A direct assignment first: it is the one that can be removed.
    let of_role = || roles.iter().filter(|held| held.role == role.id());
    of_role().find(|held| held.group.is_none()).or_else(|| of_role().next())
}
