//! What is in an Entra tenant: people, groups, roles, licences, apps?

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    AccessPolicy, AppAssignment, Consent, Eligibility, Environment, Lag, PerUserMfa, RolePolicy, Secret, VendorApp,
    always,
};

/// One Entra tenant with everything that hangs on it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tenant {
    pub id: String,
    pub name: String,
    /// Verified domains; the first is the default one.
    pub domains: Vec<String>,
    #[serde(default)]
    pub users: Vec<User>,
    #[serde(default)]
    pub groups: Vec<Group>,
    /// Custom directory roles; the built-in ones are always there.
    #[serde(default)]
    pub custom_roles: Vec<CustomRole>,
    /// Active roles; one that `starts` later waits in `upcoming_roles`.
    #[serde(default)]
    pub role_assignments: Vec<RoleAssignment>,
    #[serde(default)]
    pub upcoming_roles: Vec<RoleAssignment>,
    /// Asked for through PIM, and not yet approved by a person.
    #[serde(default)]
    pub pending_roles: Vec<RoleAssignment>,
    #[serde(default)]
    pub eligible_roles: Vec<Eligibility>,
    /// What PIM asks of an assignment of a role; a role without a row asks nothing.
    #[serde(default)]
    pub role_policies: Vec<RolePolicy>,
    /// Entra ID P1: sign-in activity and registration reports (microsoft.md §1.8). P2 contains it.
    #[serde(default = "always")]
    pub premium_p1: bool,
    /// Entra ID P2: PIM (microsoft.md §1.4).
    #[serde(default = "always")]
    pub premium_p2: bool,
    #[serde(default)]
    pub skus: Vec<Sku>,
    #[serde(default)]
    pub apps: Vec<App>,
    #[serde(default)]
    pub vendor_apps: Vec<VendorApp>,
    #[serde(default)]
    pub consents: Vec<Consent>,
    #[serde(default)]
    pub app_assignments: Vec<AppAssignment>,
    #[serde(default)]
    pub security_defaults: bool,
    #[serde(default)]
    pub conditional_access: Vec<AccessPolicy>,
    #[serde(default)]
    pub environments: Vec<Environment>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(clippy::struct_field_names, reason = "userType is what Graph calls it")]
pub struct User {
    /// Object id; made from the name if left out.
    #[serde(default)]
    pub id: String,
    pub principal_name: String,
    #[serde(default)]
    pub display_name: String,
    #[serde(default = "always")]
    pub enabled: bool,
    #[serde(default = "member")]
    pub user_type: String,
    #[serde(default)]
    pub usage_location: Option<String>,
    #[serde(default)]
    pub on_premises_synced: bool,
    #[serde(default)]
    pub licenses: Vec<License>,
    /// Plans that come from no licence of `licenses` (leftovers, grace).
    #[serde(default)]
    pub extra_plans: Vec<ExtraPlan>,
    #[serde(default)]
    pub last_password_change: Option<Timestamp>,
    #[serde(default)]
    pub password_policies: Option<String>,
    #[serde(default)]
    pub sign_ins: SignIns,
    #[serde(default)]
    pub mfa: PerUserMfa,
    /// `methodsRegistered`: `microsoftAuthenticatorPush`, `mobilePhone`, …
    #[serde(default)]
    pub mfa_methods: Vec<String>,
    /// addUser attempts until Power Platform knows of the licence (`lag.license_attempts`).
    #[serde(skip)]
    pub license_syncs: u32,
    /// Reads until Graph finds a user who was just made (`lag.fresh_principal_reads`).
    #[serde(skip)]
    pub lag: Lag,
}

/// When somebody last signed in (`signInActivity`, microsoft.md §1.8): attempts count in all but `successful`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SignIns {
    pub interactive: Option<Timestamp>,
    pub non_interactive: Option<Timestamp>,
    pub successful: Option<Timestamp>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct License {
    /// SKU by id or part number; the id after loading.
    pub sku: String,
    #[serde(default)]
    pub disabled_plans: Vec<String>,
    /// The group that assigned it, by name or id; the id after loading. `None` means directly.
    #[serde(default)]
    pub by_group: Option<String>,
    /// `state` in licenseAssignmentStates: Active, `ActiveWithError`, Disabled, Error (microsoft.md §1.5; the values are [M]).
    /// In `Error` the assignment failed, and the user does not have the licence.
    #[serde(default = "active")]
    pub state: String,
    /// `error` there: `CountViolation`, `DependencyViolation`, … [M].
    #[serde(default)]
    pub error: Option<String>,
    /// `capabilityStatus` of its plans: Enabled, Warning, Suspended, `LockedOut`, Deleted (microsoft.md §1.5).
    #[serde(default = "enabled")]
    pub status: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExtraPlan {
    pub id: String,
    #[serde(default)]
    pub service: String,
    #[serde(default = "enabled")]
    pub status: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    #[serde(default)]
    pub id: String,
    pub name: String,
    #[serde(default)]
    pub role_assignable: bool,
    /// Users and groups, by principal name, group name or id; ids after loading.
    #[serde(default)]
    pub members: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustomRole {
    pub id: String,
    pub name: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleAssignment {
    #[serde(default)]
    pub id: String,
    /// User, group or app by name or id; the object id after loading.
    pub principal: String,
    /// Role by name or id; the id after loading.
    pub role: String,
    #[serde(default = "root")]
    pub scope: String,
    /// When it began, if that is known.
    #[serde(default)]
    pub starts: Option<Timestamp>,
    /// When it ends by itself; `None` means never (microsoft.md §1.4).
    #[serde(default)]
    pub ends: Option<Timestamp>,
    /// Its holder activated an eligible role, rather than having it assigned.
    #[serde(default)]
    pub activated: bool,
    /// Given through PIM: the id of the schedule.
    #[serde(default)]
    pub schedule: Option<String>,
    #[serde(skip)]
    pub lag: Lag,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sku {
    pub id: String,
    pub part_number: String,
    #[serde(default = "for_user")]
    pub applies_to: String,
    #[serde(default = "enabled")]
    pub status: String,
    #[serde(default)]
    pub seats: u32,
    #[serde(default)]
    pub plans: Vec<Plan>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    pub id: String,
    pub name: String,
    #[serde(default = "for_user")]
    pub applies_to: String,
}

/// An app registration together with its service principal in the tenant.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct App {
    pub client_id: String,
    pub name: String,
    #[serde(default)]
    pub object_id: String,
    #[serde(default)]
    pub service_principal_id: String,
    #[serde(default = "always")]
    pub enabled: bool,
    #[serde(default)]
    pub secrets: Vec<AppSecret>,
    #[serde(default)]
    pub certificates: Vec<Certificate>,
    #[serde(default)]
    pub federated: Vec<FederatedCredential>,
    /// Granted Graph application permissions, by value (`User.Read.All`).
    #[serde(default)]
    pub graph_permissions: Vec<String>,
    /// Registered with Power Platform by an administrator (microsoft.md §2.1).
    #[serde(default)]
    pub management_application: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppSecret {
    pub value: Secret,
    #[serde(default)]
    pub expires: Option<Timestamp>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    pub pem: String,
    #[serde(default)]
    pub expires: Option<Timestamp>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FederatedCredential {
    pub issuer: String,
    pub subject: String,
    /// That of the cloud if left out.
    #[serde(default)]
    pub audience: String,
    /// What Entra would fetch from the issuer: PEM public keys, or JWKs as maps.
    pub keys: Vec<serde_json::Value>,
}

fn member() -> String {
    "Member".into()
}

fn active() -> String {
    "Active".into()
}

fn enabled() -> String {
    "Enabled".into()
}

pub fn root() -> String {
    "/".into()
}

fn for_user() -> String {
    "User".into()
}
