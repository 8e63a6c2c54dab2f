//! What a Connector declares, and what is said about it.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::core::Duration;
use kube::{CustomResource, KubeSchema};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use super::policy::PlannedStep;
use super::shared::{
    EnvironmentSelector, HandOffStatus, Several, conditions_schema, hand_offs_schema, hours_schema, interval_schema,
    is_false, keyed_list,
};
use crate::vendors::{Action as VendorAction, VendorSpec};

/// One backup connector at one vendor: declared here, found or handed to a person there, watched ever after.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "backstay.dev",
    version = "v1alpha1",
    kind = "Connector",
    plural = "connectors",
    shortname = "bconn",
    category = "backstay",
    namespaced,
    status = "ConnectorStatus",
    derive = "PartialEq",
    doc = "One backup connector at one vendor: declared here, found or handed to a person there, watched ever after.",
    selectable = ".spec.policyRef.name",
    printcolumn(name = "Vendor", type_ = "string", json_path = ".status.vendor"),
    printcolumn(name = "Ready", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].status"#),
    printcolumn(name = "Status", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].reason"#),
    printcolumn(name = "Last Backup", type_ = "date", json_path = ".status.lastBackup.completionTime"),
    printcolumn(name = "Reauth Due", type_ = "string", json_path = ".status.authorization.dueDate"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Policy", type_ = "string", json_path = ".spec.policyRef.name", priority = 1),
    printcolumn(name = "ID", type_ = "string", json_path = ".status.connectorID", priority = 1),
    printcolumn(name = "Suspended", type_ = "boolean", json_path = ".spec.suspend", priority = 1),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].message"#,
        priority = 1
    )
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.vendor.avePoint) || duration(self.backup.maxAge) <= duration('672h')").message("with AvePoint, backup.maxAge is 672h at most: its jobs are looked through for four weeks"))]
#[x_kube(validation = Rule::new("!has(self.deletionPolicy) || self.deletionPolicy != 'Delete' || (has(self.vendor.keepit) && has(self.allowedActions) && 'Delete' in self.allowedActions)").message("deletionPolicy Delete is for Keepit, and needs Delete in allowedActions"))]
#[x_kube(validation = Rule::new("!has(self.allowedActions) || self.allowedActions.size() == 0 || has(self.vendor.keepit)").message("allowedActions is for vendors that let a program write: Keepit"))]
#[x_kube(validation = Rule::new("!has(self.adoption) || has(self.vendor.keepit)").message("adoption is for vendors that show their connectors: Keepit"))]
pub struct ConnectorSpec {
    /// The vendor, and what it calls the connector: exactly one key. Which one it is can't change.
    #[x_kube(validation = Rule::new("has(self.keepit) == has(oldSelf.keepit) && has(self.avePoint) == has(oldSelf.avePoint)").message("the vendor can't change; create another Connector"))]
    pub vendor: VendorSpec,
    /// The policy that watches over the service account that this connector signs in with.
    pub policy_ref: PolicyRef,
    /// Which of the policy's environments this connector backs up. Absent: all of them. It can narrow the policy's
    /// selection, never widen it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environments: Option<EnvironmentSelector>,
    /// How a connector that is there already is found. For vendors that show their connectors (Keepit).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adoption: Option<Adoption>,
    /// What becomes of a field that is otherwise at the vendor. `Report` (default): it is told in `status.drift`. `Correct`: it is
    /// made what is declared, by the actions that `allowedActions` names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift_policy: Option<DriftPolicy>,
    /// What the operator may write at the vendor. Empty (default): nothing, ever. Each action must be covered by a grant of the
    /// installation, too. `Rename`: give the connector the declared name; `ExtendRetention`: keep backups for longer;
    /// `ShortenRetention`: keep them for a shorter time, once `spec.vendor.keepit.shortenRetentionOf` names the connector; `Create`:
    /// create it with the connection of another connector, which `spec.vendor.keepit.createFrom` names; `StartBackup`: start a backup when
    /// the last one is older than `backup.maxAge`, or the annotation `backstay.dev/start-backup` asks for it; `Pause`: stop it or let it
    /// go on; `GrantAccess`: let users of the vendor account look into it; `Delete`: delete it, where
    /// `deletionPolicy` says so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub allowed_actions: Vec<VendorAction>,
    /// What becomes of the vendor's connector when this object is deleted. `Retain` (default): nothing, ever. `Delete`: it is deleted
    /// first, with its backups, if that is allowed and granted; where that can't be done, it stays, and the object goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
    /// What is expected of the backups.
    #[serde(default)]
    #[schemars(default = "nothing")]
    pub backup: BackupExpectation,
    /// When somebody has to sign in again though nothing is wrong yet. Absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reauthentication: Option<Reauthentication>,
    /// Announces a restore: what the vendor's page asks for that is asked of the account until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore: Option<Restore>,
    /// How often the vendor is asked. Connectors of one vendor account share the answers. Default: `15m`; `10s` to `24h`.
    #[serde(default = "default_interval")]
    #[schemars(schema_with = "interval_schema", default = "default_interval_text")]
    pub interval: Duration,
    /// Stop reading and writing for this object. Default: false.
    #[serde(default, skip_serializing_if = "is_false")]
    pub suspend: bool,
}

/// A policy of the same namespace, and one of its profiles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolicyRef {
    /// Name of the `ServiceAccountPolicy`. Example: `keepit-service-account`.
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"))]
    pub name: String,
    /// Which of its profiles. May be left out when only one of them fits the vendor. Example: `keepitPowerPlatform`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub profile: Option<String>,
}

/// How a connector that is there already is found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("(self.policy == 'ByID') == has(self.connectorID)").message("connectorID belongs to policy ByID, and ByID needs it"))]
pub struct Adoption {
    /// `ByName` (default): the one of the declared name that is not being deleted. `ByID`: the one with `connectorID`, whatever its
    /// name. `Never`: only one that a person makes as the hand-off asks for it, or the operator itself.
    #[serde(default)]
    #[schemars(default)]
    pub policy: AdoptionPolicy,
    /// The vendor's id of the connector, for `ByID`. Example: `k7q2mz-p4x9aa-0b3c8d`.
    #[serde(default, rename = "connectorID", skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub connector_id: Option<String>,
}

/// What becomes of a field that is otherwise at the vendor.
// Plain comments only: see `Action`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DriftPolicy {
    #[default]
    Report,
    Correct,
}

/// What becomes of the vendor's connector when the object is deleted.
// Plain comments only: see `Action`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DeletionPolicy {
    #[default]
    Retain,
    Delete,
}

/// Which connectors that are there already may be taken.
// Plain comments only: see `Action`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AdoptionPolicy {
    #[default]
    ByName,
    #[serde(rename = "ByID")]
    ById,
    Never,
}

/// When somebody has to sign in again though nothing is wrong yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self.remindDays < self.everyDays").message("remindDays must be less than everyDays: else somebody is asked all the time"))]
pub struct Reauthentication {
    /// So many days after the last sign-in. Example: `180`; 1 to 730.
    // As i32: the API server knows no format of unsigned numbers.
    #[schemars(with = "i32", range(min = 1, max = 730))]
    pub every_days: u16,
    /// A person is told so many days before. Default: 14; 0 to 90.
    #[serde(default = "default_remind_days")]
    #[schemars(with = "i32", range(min = 0, max = 90), default = "default_remind_days")]
    pub remind_days: u16,
}

fn default_remind_days() -> u16 {
    14
}

/// A restore that is about to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self.untilTime < timestamp('9000-01-01T00:00:00Z')").message("untilTime must be before the year 9000: a restore ends"))]
pub struct Restore {
    /// Until when the account is to hold what a restore needs. Example: `2026-12-01T18:00:00Z`.
    pub until_time: Time,
}

/// What is expected of the backups.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BackupExpectation {
    /// A last backup older than this makes the connector not Ready. Default: `36h`; `1h` to `2160h`.
    #[serde(default = "default_max_age")]
    #[schemars(schema_with = "hours_schema", default = "default_max_age_text")]
    pub max_age: Duration,
}

impl Default for BackupExpectation {
    fn default() -> Self {
        Self { max_age: default_max_age() }
    }
}

/// The API server fills in the defaults of what is within.
fn nothing() -> serde_json::Value {
    serde_json::json!({})
}
fn default_interval() -> Duration {
    std::time::Duration::from_mins(15).into()
}
fn default_interval_text() -> &'static str {
    "15m"
}
fn default_max_age() -> Duration {
    std::time::Duration::from_hours(36).into()
}
fn default_max_age_text() -> &'static str {
    "36h"
}

/// What was seen of a Connector at the last look that brought news.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConnectorStatus {
    /// The `metadata.generation` that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The annotation `backstay.dev/requestedAt` as it was when the object was last looked at because of it. Another value of it, such
    /// as the time of now, asks for a look in which everything is read anew; here it stands once that is through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile_at: Option<String>,
    /// The vendor's name, as people write it. Example: `Keepit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// The vendor account that the credential belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<VendorAccountStatus>,
    /// When what is in the credential's Secret ends, as far as its annotation `backstay.dev/expires` or a certificate in it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_expiration_time: Option<Time>,
    /// The vendor's id of the connector, once adopted. It is followed by this id from then on, whatever its name.
    #[serde(default, rename = "connectorID", skip_serializing_if = "Option::is_none")]
    pub connector_id: Option<String>,
    /// Whether the vendor may still act for the service account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization: Option<AuthorizationStatus>,
    /// That somebody is asked to sign in again, and how far that is. Absent: nobody is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reauthentication: Option<ReauthenticationStatus>,
    /// The last backup that the vendor shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_backup: Option<LastBackupStatus>,
    /// The vendor's own word on the connector's health.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<HealthStatus>,
    /// The organizations that are declared, where the vendor shows its backups so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "organizations_schema")]
    pub organizations: Vec<OrganizationStatus>,
    /// What is declared and is otherwise at the vendor.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "drift_schema")]
    pub drift: Vec<DriftStatus>,
    /// What the vendor backs up for the account, and no Connector declares.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undeclared: Option<Several>,
    /// Limits of the vendor account that are exceeded, as the vendor names them. Example: `dynamics365-users`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits_exceeded: Vec<String>,
    /// What the operator would write at the vendor next, in order, and whether it may.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub plan: Vec<PlannedStep>,
    /// What only a person can do next.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "hand_offs_schema")]
    pub hand_offs: Vec<HandOffStatus>,
    /// Ready, Reconciling, Stalled (kstatus); `CredentialsValid`, `PolicySatisfied`, Provisioned, Authorized, `BackupCurrent`;
    /// `InSync`, which Ready does not wait for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "conditions_schema")]
    pub conditions: Vec<Condition>,
}

/// The vendor account that the credential belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VendorAccountStatus {
    /// The vendor's id of the account. Put it into `spec.vendor.….accountID` to pin it.
    pub id: String,
}

/// Whether the vendor may still act for the service account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuthorizationStatus {
    /// What the vendor's own signals say.
    pub state: AuthorizationState,
    /// When the state last changed; for a vendor that shows nothing, when the attestation that counts was made.
    pub last_transition_time: Time,
    /// The policy's profile that the vendor signs in as, as far as was seen and said. Example: `avePointAppProfile`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Since when it is that profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile_time: Option<Time>,
    /// When somebody was last seen, or said, to have signed in; the first time, when it was first seen to work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorized_time: Option<Time>,
    /// The day on which somebody has to sign in again, by `spec.reauthentication` or because what was attested counts no longer.
    /// Example: `2027-02-18`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_date: Option<String>,
    /// What a person attested, where the vendor shows nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attestation: Option<AttestationStatus>,
}

/// What a person attested.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AttestationStatus {
    /// Which one: the time that it names.
    pub time: Time,
    /// What was seen to have changed since, so that it no longer counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub void: Option<String>,
}

/// What the vendor's own signals say of the authorization.
// Granted: seen to work. Expiring: it works, and somebody is asked to sign in again before it dies. Required: seen to be missing or
// dead. Unknown: no signal either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AuthorizationState {
    Granted,
    Expiring,
    Required,
    Unknown,
}

/// That somebody is asked to sign in again at the vendor, and how far that is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReauthenticationStatus {
    /// How far it is.
    pub state: ReauthenticationState,
    /// Why it is asked for. `Dead`: the vendor says that the authorization is; `Due`: `spec.reauthentication`; `Asked`: the annotation
    /// `backstay.dev/reauthenticate`; `PasswordChanged`, `AccountDisabled`, `ConsentRevoked`: seen at Microsoft since the last sign-in.
    pub causes: Vec<ReauthenticationCause>,
    /// Since when.
    pub request_time: Time,
    /// When somebody began, if they did: the account is given what only this needs from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begin_time: Option<Time>,
    /// When somebody said that they had signed in, if they did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_time: Option<Time>,
    /// Why it is not further, in one sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// How far a reauthentication is.
// Requested: a person is asked for. Begun: a person signs in now. AwaitingEvidence: a person says it is done, and the vendor has not
// shown yet that it works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum ReauthenticationState {
    Requested,
    Begun,
    AwaitingEvidence,
}

/// Why somebody has to sign in again.
// Dead: the vendor says that the authorization is. Due: spec.reauthentication. Asked: the annotation backstay.dev/reauthenticate.
// PasswordChanged, AccountDisabled, ConsentRevoked: seen at Microsoft since the last sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum ReauthenticationCause {
    Dead,
    Due,
    Asked,
    PasswordChanged,
    AccountDisabled,
    ConsentRevoked,
}

/// The stage that a Connector is in; `None`: nobody knows, so that nothing is asked of the account.
#[must_use]
pub fn stage(
    authorization: AuthorizationState,
    reauthentication: Option<ReauthenticationState>,
    restores: bool,
) -> Option<super::policy::Stage> {
    use super::policy::Stage;
    match (authorization, reauthentication) {
        (_, Some(ReauthenticationState::Begun)) => Some(Stage::Reauthentication),
        (AuthorizationState::Unknown, _) => None,
        (AuthorizationState::Required, None) => Some(Stage::Setup),
        // Until somebody begins, or once they have done it, what a backup needs is what counts.
        _ => Some(if restores { Stage::Restore } else { Stage::Steady }),
    }
}

/// The last backup that the vendor shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LastBackupStatus {
    /// When it was completed.
    pub completion_time: Time,
    /// Whether it holds everything.
    pub result: BackupResult,
    /// When the newest one was completed that holds everything: what `spec.backup.maxAge` counts from. Absent: none does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complete_time: Option<Time>,
}

/// One organization that is declared, as the vendor last showed it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrganizationStatus {
    /// As it is declared.
    pub name: String,
    /// The vendor's id: put it into the spec to follow it whatever it is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The vendor's word for the state of the newest backup job. Example: `Finished`. Absent: no job was ever shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_job: Option<String>,
    /// The last backup that the vendor shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_backup: Option<LastBackupStatus>,
}

/// One field that is declared and is otherwise at the vendor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DriftStatus {
    /// Where it is declared. Example: `spec.vendor.keepit.retention`.
    pub field: String,
    /// What is declared.
    pub desired: String,
    /// What the vendor shows.
    pub observed: String,
}

fn drift_schema(generator: &mut SchemaGenerator) -> Schema {
    keyed_list::<DriftStatus>(generator, "field")
}
fn organizations_schema(generator: &mut SchemaGenerator) -> Schema {
    keyed_list::<OrganizationStatus>(generator, "name")
}

/// Whether a backup holds everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum BackupResult {
    Complete,
    Partial,
}

/// The vendor's own word on the connector's health.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HealthStatus {
    /// As the vendor calls it, in lower case. Example: `healthy`.
    pub state: String,
    /// The vendor's reason, as the vendor spells it. Example: `BADTOKEN`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
