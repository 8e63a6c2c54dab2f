//! What is in an Entra tenant: groups, roles, what was bought, apps?

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    AccessPolicy, AppAssignment, Consent, Eligibility, Environment, Lag, RolePolicy, Secret, User, VendorApp, always,
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

pub fn enabled() -> String {
    "Enabled".into()
}

pub fn root() -> String {
    "/".into()
}

fn for_user() -> String {
    "User".into()
}
