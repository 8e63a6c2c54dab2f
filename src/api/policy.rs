//! What a `ServiceAccountPolicy` declares, and what is said about it.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, MicroTime, Time};
use kube::core::Duration;
use kube::{CustomResource, KubeSchema};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use super::Action;
pub use super::credential::{Cloud, Credential, Tenant};
pub use super::elevation::{Elevation, ElevationState, ElevationStatus};
use super::profiles::{Licenses, Profiles, Waiver};
use super::shared::{
    EnvironmentSelector, HandOffStatus, Several, conditions_schema, hand_offs_schema, interval_schema, is_false,
    keyed_list,
};

/// What a Microsoft 365 service account must hold for a vendor's connector to live, and when.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "backstay.dev",
    version = "v1alpha1",
    kind = "ServiceAccountPolicy",
    plural = "serviceaccountpolicies",
    shortname = "sapol",
    category = "backstay",
    namespaced,
    status = "ServiceAccountPolicyStatus",
    derive = "PartialEq",
    doc = "What a Microsoft 365 service account must hold for a vendor's connector to live, and when.",
    printcolumn(name = "Account", type_ = "string", json_path = ".spec.account.*['principalName','clientID']"),
    printcolumn(name = "Ready", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].status"#),
    printcolumn(name = "Status", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].reason"#),
    printcolumn(name = "Failing", type_ = "integer", json_path = ".status.failing"),
    printcolumn(name = "Unknown", type_ = "integer", json_path = ".status.unknown"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(
        name = "Elevated",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Elevated")].status"#,
        priority = 1
    ),
    printcolumn(name = "Suspended", type_ = "boolean", json_path = ".spec.suspend", priority = 1),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].message"#,
        priority = 1
    )
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.allowedActions) || size(self.allowedActions) == 0 || !has(self.account.user) || has(self.account.user.objectID)")
    .message("account.user.objectID must be set before any action is allowed: what is acted on must be pinned by id, not by name"))]
#[x_kube(validation = Rule::new("has(self.account.application) == has(self.profiles.avePointAppProfile)")
    .message("profiles.avePointAppProfile goes with account.application, and account.application with it: all other profiles ask something of a user"))]
#[x_kube(validation = Rule::new("!has(self.account.application) || !(has(self.profiles.keepitPowerPlatform) || has(self.profiles.keepitDynamicsCE) || has(self.profiles.fluentProDataverse) || has(self.profiles.avePointServiceAccount) || has(self.profiles.custom))")
    .message("with account.application only profiles.avePointAppProfile can be judged; put the other profiles into a policy for their user"))]
pub struct ServiceAccountPolicySpec {
    /// The Entra tenant of the account. Can't change.
    #[x_kube(validation = Rule::new("self == oldSelf").message("tenant can't change; create another ServiceAccountPolicy"))]
    pub tenant: Tenant,
    /// How the operator signs in to that tenant.
    pub credential: Credential,
    /// The service account that is watched over.
    #[x_kube(validation = Rule::new("has(self.user) == has(oldSelf.user)").message("the account can't change; create another ServiceAccountPolicy"))]
    pub account: Account,
    /// What is asked of the account: the vendors' pages, by name. At least one.
    pub profiles: Profiles,
    /// The environments that are judged: the ceiling for every Connector that refers to this policy.
    /// Absent: every environment that has Dataverse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environments: Option<EnvironmentSelector>,
    /// Which licenses count, where Microsoft's list is not enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licenses: Option<Licenses>,
    /// Findings that are known, and that somebody answers for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["finding".into()]))]
    pub waivers: Vec<Waiver>,
    /// What the operator may write. Empty (the default): nothing is ever written. The installation must grant it, too.
    /// `DirectoryRoles`: assign Dynamics 365 and Power Platform Administrator, and remove Global Administrator where the
    /// profile says so; `SecurityRoles`: assign System Administrator in environments; `AccessMode`: set the account's access mode
    /// to Read-Write; `EnvironmentAccess`: add the account to environments; `SelfEnrollment`: make the operator's own app a user
    /// of environments; `Elevation` and `UntimedElevation`: give the account Global Administrator while somebody signs in again, by the
    /// method that `elevation` names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub allowed_actions: Vec<Action>,
    /// How the account gets the roles that only a new sign-in at the vendor needs, and for how long. Absent: a person gives them, for
    /// two hours at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elevation: Option<Elevation>,
    /// How often the account is checked. Policies of one tenant share what was read. Default: `1h`; `10s` to `24h`.
    #[serde(default = "default_interval")]
    #[schemars(schema_with = "interval_schema", default = "default_interval_text")]
    pub interval: Duration,
    /// Stop reading and writing for this object. Default: false.
    #[serde(default, skip_serializing_if = "is_false")]
    pub suspend: bool,
}

/// The service account: exactly one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Account {
    /// A user of the tenant.
    User(User),
    /// An app that signs in as itself, and is an application user of environments.
    Application(Application),
}

impl Account {
    /// As people call it: a principal name, or a client id.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::User(user) => &user.principal_name,
            Self::Application(application) => &application.client_id,
        }
    }

    /// What pins it, in lower case: an object id, or a client id, which no other app of any tenant has. `None`: it is known by
    /// its name only.
    #[must_use]
    pub fn pin(&self) -> Option<String> {
        match self {
            Self::User(user) => user.object_id.as_ref().map(|id| id.to_ascii_lowercase()),
            Self::Application(application) => Some(application.client_id.to_ascii_lowercase()),
        }
    }
}

/// An app that signs in as itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self.clientID == oldSelf.clientID").message("the account can't change; create another ServiceAccountPolicy"))]
pub struct Application {
    /// Application (client) id: a GUID. Can't change. Example: `c0ffee00-1111-4222-8333-444455556666`.
    #[serde(rename = "clientID")]
    #[schemars(regex(pattern = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"))]
    pub client_id: String,
}

/// A user of the tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self.principalName == oldSelf.principalName && (!has(oldSelf.objectID) || (has(self.objectID) && self.objectID == oldSelf.objectID))")
    .message("the account can't change, and its objectID can't be unset; create another ServiceAccountPolicy"))]
pub struct User {
    /// User principal name. Example: `svc-backup@contoso.com`. Can't change.
    #[schemars(length(min = 3, max = 320), regex(pattern = r"^[^@\s/]+@[^@\s/]+$"))]
    pub principal_name: String,
    /// Entra object id (a GUID): pins the account. May be left out while nothing is allowed; can't change once set.
    /// Example: `0d5b6a1c-2f3e-4a4d-8c5b-7e6f5a4b3c2d`.
    #[serde(default, rename = "objectID", skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"))]
    pub object_id: Option<String>,
}

fn default_interval() -> Duration {
    std::time::Duration::from_hours(1).into()
}
fn default_interval_text() -> &'static str {
    "1h"
}

/// What was seen of the account at the last look that brought news.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceAccountPolicyStatus {
    /// The `metadata.generation` that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The annotation `backstay.dev/requestedAt` as it was when the object was last looked at because of it. Another value of it, such
    /// as the time of now, asks for a look in which everything is read anew; here it stands once that is through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile_at: Option<String>,
    /// The account that the policy watches over, pinned by its object id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountStatus>,
    /// When the first credential ends, as far as anything tells: the operator's by the annotation `backstay.dev/expires` of its
    /// Secret, its certificate or Microsoft Graph (a client secret, if the app may read itself); an app's that is the account, by
    /// Microsoft Graph.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_expiration_time: Option<Time>,
    /// What each Connector needs now, and whether the account has it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "demands_schema")]
    pub demands: Vec<DemandStatus>,
    /// The environments that are judged; absent while no profile asks anything of them, or they can't be listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environments: Option<EnvironmentsStatus>,
    /// One entry for each requirement of each profile.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "findings_schema")]
    pub findings: Vec<FindingStatus>,
    /// How many findings fail now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing: Option<i32>,
    /// How many findings can't be told now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown: Option<i32>,
    /// What the operator would do next, in order (the first 20), and whether it may.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub plan: Vec<PlannedStep>,
    /// How many steps there are in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan_total: Option<i32>,
    /// What only a person can do next.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "hand_offs_schema")]
    pub hand_offs: Vec<HandOffStatus>,
    /// The window of the last reauthentication: open, or how it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elevation: Option<ElevationStatus>,
    /// Ready, Reconciling, Stalled (kstatus); `CredentialsValid`, `AccountPinned`; `Elevated` while a window is open or not yet cleared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "conditions_schema")]
    pub conditions: Vec<Condition>,
}

/// The account that the policy watches over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccountStatus {
    /// User principal name.
    pub name: String,
    /// Entra object id.
    #[serde(rename = "objectID")]
    pub object_id: String,
    /// Whether the account can sign in.
    pub enabled: bool,
    /// When its password was last changed, as far as Microsoft says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_changed_time: Option<MicroTime>,
}

/// The environments that are judged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EnvironmentsStatus {
    /// How many `spec.environments` selects.
    pub selected: i32,
    /// Those that it would select, but that have no Dataverse: there is nothing to back up in them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub without_dataverse: Option<Several>,
    /// Those of the selected that can't be looked into now: in administration mode, or Microsoft is working on them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_running: Option<Several>,
}

/// What one Connector needs now, and whether the account has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DemandStatus {
    /// Name of the Connector.
    pub connector: String,
    /// Its uid: an object that was deleted and created again is another one.
    pub uid: String,
    /// The generation that the answer speaks of.
    pub generation: i64,
    /// The profile that is asked for.
    pub profile: String,
    /// Which of the profile's stages.
    pub stage: Stage,
    /// Whether every requirement of that stage holds: `True`, `False` or `Unknown`.
    pub ready: String,
    /// Why it is not `True`: the reason of the Connector's `PolicySatisfied`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What is missing, in one sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The directory role that a new sign-in at the vendor needs, and the account does not keep. Example: `Global Administrator`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elevates: Option<String>,
    /// That no window is opened for what somebody has begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<RefusedStatus>,
}

/// That no window is opened for what somebody has begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RefusedStatus {
    /// Which begin it answers.
    pub begin_time: Time,
    /// Why, in one sentence.
    pub message: String,
}

/// When a requirement counts.
// Setup: a Connector was never seen to have a living authorization. Reauthentication: somebody has begun to sign in again. Restore:
// spec.restore announces one. Steady: otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum Stage {
    Setup,
    Steady,
    Reauthentication,
    Restore,
}

/// One requirement of one profile, as it was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FindingStatus {
    /// Profile and requirement. Example: `keepitPowerPlatform/system-administrator`.
    pub id: String,
    /// The stages in which it counts: `Setup`, `Steady`, `Reauthentication`, `Restore`.
    pub stages: Vec<Stage>,
    /// Pass, Warn, Fail, Unknown, Waived or `NotApplicable`.
    pub result: FindingResult,
    /// What was seen, in one sentence.
    pub message: String,
    /// What mends it, so that a person can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// The environments in which it does not hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environments: Option<FindingEnvironments>,
    /// When what was found ends by itself: a role that is held for a time, or a waiver.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiration_time: Option<Time>,
    /// When the result last changed.
    pub last_transition_time: Time,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum FindingResult {
    Pass,
    Warn,
    Fail,
    Unknown,
    Waived,
    NotApplicable,
}

/// The environments in which a requirement does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FindingEnvironments {
    /// How many.
    pub failing: i32,
    /// The first ten, by display name.
    pub sample: Vec<String>,
}

/// One step that the operator would take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlannedStep {
    /// What is done. Example: `AddDirectoryRole`.
    pub step: String,
    /// Create, Change or Delete.
    pub effect: StepEffect,
    /// On what. Example: `Power Platform Administrator`.
    pub target: String,
    /// Why.
    pub reason: String,
    /// The action that covers it, of `spec.allowedActions` and the grants of the installation. Example: `DirectoryRoles`.
    #[serde(default)]
    pub action: String,
    /// `Yes`, or what stands in the way: `NotAllowed`, `NotGranted`, `ReadOnly`, `NotYet`.
    pub allowed: String,
}

/// What a step does to what it touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum StepEffect {
    Create,
    Change,
    Delete,
}

fn demands_schema(generator: &mut SchemaGenerator) -> Schema {
    keyed_list::<DemandStatus>(generator, "uid")
}
fn findings_schema(generator: &mut SchemaGenerator) -> Schema {
    keyed_list::<FindingStatus>(generator, "id")
}
