//! What is known of a service account at Microsoft: data only.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::DirectoryRole;
use crate::seen::Seen;

/// Everything that the rules judge. What no rule of the policy asks for was not read, and is Unknown.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountFacts {
    /// Whether the account is an app that signs in as itself: no user is read then.
    pub is_application: bool,
    /// The user; `None`: the tenant has none of this name.
    pub user: Seen<Option<User>>,
    /// The directory roles that it holds.
    pub roles: Seen<Arc<[HeldRole]>>,
    /// The directory roles that it could activate, or holds for a time (Privileged Identity Management).
    pub schedule: Seen<Schedule>,
    /// Whether another user, who can sign in, holds Global Administrator.
    pub another_global_administrator: Seen<bool>,
    /// The subscriptions of the tenant.
    pub subscribed: Seen<Arc<[Subscribed]>>,
    /// What may ask the account for a second factor.
    pub second_factor: SecondFactor,
    /// Apps as the tenant has them, by client id; `None`: the tenant does not have it.
    pub applications: BTreeMap<String, Seen<Option<Application>>>,
    /// The environments that the policy selects, each with what the account is there.
    pub environments: Seen<BTreeMap<String, (Environment, Seen<Access>)>>,
    /// Display names of the environments that the policy would select, but that have no Dataverse.
    pub without_dataverse: Vec<String>,
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
    /// How its licenses were assigned.
    pub license_states: Vec<LicenseState>,
    /// The service plans that it has from all its licenses.
    pub plans: Vec<Plan>,
    /// When its password was last changed; `None`: Microsoft does not say.
    pub password_changed: Option<Timestamp>,
}

/// What an app proves with that it is itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proves {
    /// A client secret (`passwordCredentials`).
    Secret,
    /// A certificate (`keyCredentials`).
    Certificate,
}

/// A credential of an app registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppCredential {
    /// What it is.
    pub proves: Proves,
    /// How a secret begins: three characters; `None`: not told.
    pub hint: Option<String>,
    /// When it ends.
    pub ends: Option<Timestamp>,
}

/// How a license was assigned (`licenseAssignmentStates`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LicenseState {
    /// SKU id, lower case.
    pub sku: String,
    /// Microsoft's word for why it could not be applied; `None`: it was.
    pub error: Option<String>,
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

/// Directory roles that come and go by themselves (Privileged Identity Management). A tenant without its license has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    /// Roles that are held now, for a time.
    pub timed: Vec<TimedRole>,
    /// Definition ids, lower case, of roles that are held now by an assignment without an end.
    pub lasting: Vec<String>,
    /// Definition ids, lower case, of roles that the user could activate, but does not hold by that.
    pub eligible: Vec<String>,
}

/// A directory role that is held for a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimedRole {
    /// Role definition id, lower case.
    pub role: String,
    /// When it ends; `None`: it was activated, and its end is not given.
    pub ends: Option<Timestamp>,
}

/// What may ask an account for a second factor (facts/microsoft.md §1.8). The fourth cause, Microsoft's own rule for its admin
/// portals, can't be configured and does not concern backups.
#[derive(Clone, Debug, PartialEq)]
pub struct SecondFactor {
    /// The switch on the user itself.
    pub per_user: Seen<bool>,
    /// Security defaults of the tenant.
    pub security_defaults: Seen<bool>,
    /// Conditional access policies that are on and ask for it.
    pub policies: Seen<Arc<[FactorPolicy]>>,
    /// Ids of all groups that the user is in, lower case.
    pub groups: Seen<Arc<[Group]>>,
}

/// A group that a user is in, directly or through others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Object id, lower case.
    pub id: String,
    /// Display name, or the id where it has none.
    pub name: String,
    /// Whether directory roles can be assigned to it.
    pub role_assignable: bool,
}

/// A conditional access policy that is on and asks for a second factor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FactorPolicy {
    /// Display name.
    pub name: String,
    /// Whom it is for.
    pub includes: People,
    /// And for whom not, whoever is included.
    pub excludes: People,
    /// Whether it is for Dataverse or Microsoft Graph.
    pub concerns_backup: bool,
    /// Whether it depends on where, with what or how suspiciously somebody signs in.
    pub conditional: bool,
}

/// People in a conditional access policy: ids, lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct People {
    /// Everybody.
    pub all: bool,
    /// Users.
    pub users: Vec<String>,
    /// Groups.
    pub groups: Vec<String>,
    /// Role templates.
    pub roles: Vec<String>,
}

/// An app, as a tenant has it (its service principal).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// Object id of the service principal, lower case.
    pub id: String,
    /// Display name.
    pub name: String,
    /// Whether users can sign in to it.
    pub enabled: bool,
    /// Whether only users who were assigned to it can.
    pub assignment_required: bool,
    /// Whether the account was; `None`: it does not matter.
    pub assigned: Option<bool>,
    /// Delegated permissions that an administrator consented to for everybody.
    pub for_everybody: Vec<Consented>,
    /// Those that the account itself consented to.
    pub for_account: Vec<Consented>,
}

/// A delegated permission that was consented to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consented {
    /// Of which service.
    pub resource: Resource,
    /// Its name.
    pub scope: String,
}

/// Services whose permissions are consented to (facts/microsoft.md §1.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    /// Microsoft Graph.
    Graph,
    /// Dataverse, which also calls itself Dynamics CRM and Common Data Service.
    Dataverse,
}

impl Resource {
    /// As Microsoft's consent page writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Graph => "Microsoft Graph",
            Self::Dataverse => "Dataverse",
        }
    }
}

/// A subscription of the tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscribed {
    /// SKU id, lower case.
    pub sku: String,
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

impl Environment {
    /// Whether somebody who was not there when it was made can become a user of it by being added (facts/microsoft.md §2.3).
    #[must_use]
    pub fn takes_users(&self) -> bool {
        !matches!(self.sku.as_str(), "Developer" | "Teams")
    }
}

/// The Dataverse of an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataverse {
    /// Origin of its Web API, without a slash at the end. Example: `https://contoso.crm4.dynamics.com`.
    pub origin: String,
    /// Whether it runs: ready, and not in administration mode.
    pub running: bool,
    /// Object id of the group whose direct members alone get in, lower case; `None`: it lets everybody in.
    pub security_group: Option<String>,
}

/// What an account is in an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// Its row; `None`: it is not a user of the environment.
    pub row: Option<SystemUser>,
    /// What it can do to the tables that were asked for, by the question. Not asked of who is System Administrator: that can do
    /// everything.
    pub tables: BTreeMap<TablesWanted, BTreeMap<String, TableAccess>>,
}

/// Tables, and what must be possible with each of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TablesWanted {
    /// Logical names; none: nobody knows which, so that only System Administrator will do.
    pub names: Vec<String>,
    /// What must be possible.
    pub privileges: Vec<Privilege>,
    /// Whether the tables that these refer to are meant, too.
    pub related: bool,
}

/// What is asked about somebody's access beside the row itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccessWanted {
    /// Whether System Administrator through a team is looked for. What teams give is in the privileges on tables anyway.
    pub teams: bool,
    /// Tables that are asked about.
    pub tables: Vec<TablesWanted>,
}

/// Who is looked up in an environment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Who {
    /// A user, by object id.
    User(String),
    /// An app, by client id.
    Application(String),
}

/// A user's row in Dataverse, or an application user's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemUser {
    /// Row id.
    pub id: String,
    /// Id of its business unit.
    pub business_unit: String,
    /// Whether the row is disabled.
    pub disabled: bool,
    /// Whether it was deleted, but lies there still: it can't be made again before it is restored.
    pub deleted: bool,
    /// Access mode.
    pub access_mode: AccessMode,
    /// Whether a license has arrived there; an application needs none. `None`: the environment does not say.
    pub licensed: Option<bool>,
    /// How it holds System Administrator; `None`: it does not.
    pub system_administrator: Option<HeldBy>,
}

/// What an account can do to one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TableAccess {
    /// The environment has no such table.
    Absent,
    /// How far each of its privileges reaches; one that is not held is not here.
    Present(BTreeMap<Privilege, Reach>),
}

/// What can be done to the rows of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)] // Dataverse's own words
pub enum Privilege {
    Create,
    Read,
    Write,
    Delete,
    Append,
    AppendTo,
    Assign,
    Share,
}

impl Privilege {
    /// Dataverse's own word (`PrivilegeType`, and the middle of a privilege's name).
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Create => "Create",
            Self::Read => "Read",
            Self::Write => "Write",
            Self::Delete => "Delete",
            Self::Append => "Append",
            Self::AppendTo => "AppendTo",
            Self::Assign => "Assign",
            Self::Share => "Share",
        }
    }
}

/// How far a privilege reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// To every row.
    Everything,
    /// To the rows of the user, its business unit, or those below it; or to what a filter leaves.
    Part,
    /// The environment's tables have no such privilege: nobody needs it.
    NotNeeded,
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
