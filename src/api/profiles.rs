//! What can be asked of an account: the vendors' pages as profiles, and rules of one's own.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::policy::Stage;
use super::shared::is_false;

/// What is asked of the account: one key for each vendor page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
// Not `minProperties`: a key without a value counts there, and would be a policy that asks for nothing.
#[x_kube(validation = Rule::new("has(self.keepitPowerPlatform) || has(self.keepitDynamicsCE) || has(self.fluentProDataverse) || has(self.avePointServiceAccount) || has(self.avePointAppProfile) || has(self.custom)")
    .message("profiles needs at least one profile; for one with its defaults write keepitPowerPlatform: { workloads: [Dynamics365] }"))]
pub struct Profiles {
    /// Keepit for Power Platform and Dynamics 365, with Global Administrator no longer needed once connected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keepit_power_platform: Option<KeepitPowerPlatform>,
    /// Keepit's older page, for Dynamics 365 CE alone: Global Administrator stays.
    #[serde(default, rename = "keepitDynamicsCE", skip_serializing_if = "Option::is_none")]
    pub keepit_dynamics_ce: Option<KeepitDynamicsCe>,
    /// `FluentPro` Backup for Dataverse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fluent_pro_dataverse: Option<FluentProDataverse>,
    /// `AvePoint` Cloud Backup for Dynamics 365, signed in as a service account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ave_point_service_account: Option<AvePointServiceAccount>,
    /// `AvePoint` Cloud Backup for Dynamics 365, signed in as an app: the account is that app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ave_point_app_profile: Option<AvePointAppProfile>,
    /// Rules of one's own, made of the checks that the other profiles are made of. Judged, never repaired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom: Option<Custom>,
}

/// Keepit for Power Platform and Dynamics 365 (vendor pages 000 and 002).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeepitPowerPlatform {
    /// What is backed up: decides which licenses are asked for. `Dynamics365`, `PowerPages`, `PowerAutomate`. Default:
    /// `[Dynamics365]`.
    #[serde(default = "default_workloads")]
    #[schemars(length(min = 1, max = 3))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub workloads: Vec<Workload>,
    /// What becomes of a standing Global Administrator once the connector is authorized: `Report` (default) shows it as a
    /// warning, `Remove` takes it away when everything that replaces it was read back, `Keep` says nothing.
    #[serde(default = "default_after_setup")]
    pub global_administrator_after_setup: AfterSetup,
}

/// What is backed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum Workload {
    Dynamics365,
    PowerPages,
    PowerAutomate,
}

/// What becomes of a standing Global Administrator once the connector is authorized.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AfterSetup {
    Report,
    Remove,
    Keep,
}

fn default_workloads() -> Vec<Workload> {
    vec![Workload::Dynamics365]
}
fn default_after_setup() -> AfterSetup {
    AfterSetup::Report
}

/// Keepit's older page, for Dynamics 365 CE alone (vendor page 001). Nothing is to be chosen: write `{}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
// A field that nobody knows is refused, not dropped in silence: objects without properties would be pruned first.
#[schemars(extend("maxProperties" = 0, "x-kubernetes-preserve-unknown-fields" = true))]
pub struct KeepitDynamicsCe {}

/// `FluentPro` Backup for Dataverse (vendor page 003).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct FluentProDataverse {
    /// Application (client) id of `FluentPro`'s app, as Microsoft Entra ID shows it among the enterprise applications: its
    /// consent is judged. Example: `c0ffee00-aaaa-4222-8333-0000000000f1`.
    #[serde(rename = "clientID")]
    #[schemars(regex(pattern = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"))]
    pub client_id: String,
    /// What the account must be able to do: `Backup` asks for Read, `Restore` for Read, Create and Write.
    /// Default: `[Backup]`.
    #[serde(default = "default_operations")]
    #[schemars(length(min = 1, max = 2))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub operations: Vec<Operation>,
    /// Logical names of the tables that are backed up. Without System Administrator the account needs privileges on each of
    /// them. Absent or empty: only System Administrator will do, since nobody knows which tables are meant. Example: `[account]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 128), regex(pattern = r"^[a-z][a-z0-9_]*$")))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub tables: Vec<String>,
    /// Whether the tables that these refer to are needed, too, as the page says. Default: true.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub include_related_tables: bool,
}

/// What the account must be able to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum Operation {
    Backup,
    Restore,
}

fn default_operations() -> Vec<Operation> {
    vec![Operation::Backup]
}
fn yes() -> bool {
    true
}
#[allow(clippy::trivially_copy_pass_by_ref)] // serde's signature
fn is_true(value: &bool) -> bool {
    *value
}

/// `AvePoint` Cloud Backup for Dynamics 365, signed in as a service account (vendor page 004).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AvePointServiceAccount {
    /// Whether Project for the web is backed up: the account then needs a Project license, too. Default: false.
    #[serde(default, skip_serializing_if = "is_false")]
    pub project_for_the_web: bool,
}

/// `AvePoint` Cloud Backup for Dynamics 365, signed in as an app (vendor page 004). Project for the web can't be backed up in
/// this way, so there is no field for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AvePointAppProfile {
    /// `Modern`: `AvePoint`'s own app. `Custom`: an app of the tenant, whose consent is judged, too.
    pub kind: AppProfileKind,
}

/// Whose app it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AppProfileKind {
    Modern,
    Custom,
}

/// Rules of one's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Custom {
    /// At least one.
    #[schemars(length(min = 1, max = 32))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["id".into()]))]
    pub rules: Vec<CustomRule>,
}

/// One rule of one's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct CustomRule {
    /// Its name: the finding is called `custom/` and this. Example: `reads-invoices`.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"))]
    pub id: String,
    /// When it counts: `Setup`, `Steady`, `Reauthentication`, `Restore`. Default: in every stage.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 4))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub stages: Vec<Stage>,
    /// What is checked.
    pub check: Check,
}

/// What is checked: exactly one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Check {
    /// The account is there, can sign in and is no guest. Write `{}`.
    AccountUsable(Nothing),
    /// The account holds one of these directory roles.
    DirectoryRole(RolesCheck),
    /// The account does not hold this directory role.
    NoDirectoryRole(RoleCheck),
    /// The account, or for capacity packs the tenant, has a license of this family.
    License(LicenseCheck),
    /// The account is an enabled user of every selected environment. Write `{}`.
    EnvironmentMember(Nothing),
    /// The account is System Administrator of every selected environment. Write `{}`.
    SystemAdministrator(Nothing),
    /// The account's access mode is one of these in every selected environment.
    AccessMode(AccessModeCheck),
    /// The account has these privileges on these tables, or System Administrator, in every selected environment.
    TablePrivileges(TablesCheck),
    /// An app is in the tenant, not blocked, and was consented to these permissions.
    Consent(ConsentCheck),
    /// Nothing asks the account for a second factor. Write `{}`.
    NoMfa(Nothing),
}

/// Nothing is to be chosen: write `{}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("maxProperties" = 0, "x-kubernetes-preserve-unknown-fields" = true))]
pub struct Nothing {}

/// Directory roles of which one is enough.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct RolesCheck {
    /// At least one of `GlobalAdministrator`, `Dynamics365Administrator`, `PowerPlatformAdministrator`.
    #[schemars(length(min = 1, max = 3))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub any_of: Vec<AdministratorRole>,
}

/// One directory role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoleCheck {
    /// Which.
    pub role: AdministratorRole,
}

/// Directory roles that the vendors' pages speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum AdministratorRole {
    GlobalAdministrator,
    Dynamics365Administrator,
    PowerPlatformAdministrator,
}

/// A license.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LicenseCheck {
    /// Of this family.
    pub family: LicenseFamily,
}

/// Licenses that serve the same purpose: Microsoft's list of SKUs, cut down to what the vendors' pages name.
// Dynamics365: a Dynamics 365 plan or app. PowerPages: authenticated or anonymous, bought as packs by the tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum LicenseFamily {
    Dynamics365,
    PowerPages,
    PowerAutomatePremium,
    Project,
}

impl LicenseFamily {
    /// As Microsoft's pages write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Dynamics365 => "Dynamics 365",
            Self::PowerPages => "Power Pages",
            Self::PowerAutomatePremium => "Power Automate Premium",
            Self::Project => "Microsoft Project",
        }
    }
}

/// Access modes of which one is enough.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccessModeCheck {
    /// At least one of `ReadWrite`, `NonInteractive`.
    #[schemars(length(min = 1, max = 2))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub any_of: Vec<RequiredAccessMode>,
}

/// Access modes that a backup account can work with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum RequiredAccessMode {
    ReadWrite,
    NonInteractive,
}

/// Privileges on tables.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct TablesCheck {
    /// Logical names. Example: `[account]`.
    #[schemars(length(min = 1, max = 64), inner(length(min = 1, max = 128), regex(pattern = r"^[a-z][a-z0-9_]*$")))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub tables: Vec<String>,
    /// What must be possible on each of them, organization-wide: `Create`, `Read`, `Write`, `Delete`, `Append`, `AppendTo`,
    /// `Assign`, `Share`.
    #[schemars(length(min = 1, max = 8))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub privileges: Vec<Privilege>,
    /// Whether the tables that these refer to are needed, too. Default: false.
    #[serde(default, skip_serializing_if = "is_false")]
    pub include_related_tables: bool,
}

/// What can be done to the rows of a table, as Dataverse calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
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

/// Consent to an app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConsentCheck {
    /// Application (client) id of the app. Example: `c0ffee00-1111-4222-8333-444455556666`.
    #[serde(rename = "clientID")]
    #[schemars(regex(pattern = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"))]
    pub client_id: String,
    /// Delegated permissions that must have been consented to.
    #[schemars(length(min = 1, max = 16))]
    pub permissions: Vec<DelegatedPermission>,
}

/// A delegated permission.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DelegatedPermission {
    /// Of which of Microsoft's services.
    pub resource: ConsentResource,
    /// Its name. Example: `User.Read`.
    #[schemars(length(min = 1, max = 128), regex(pattern = r"^[A-Za-z0-9_.-]+$"))]
    pub scope: String,
}

/// Services whose permissions are consented to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum ConsentResource {
    MicrosoftGraph,
    Dataverse,
}

/// Which licenses count, where the vendors' words and Microsoft's list are not enough.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Licenses {
    /// One entry a family.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 4))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub families: Vec<LicenseChoice>,
}

/// Which licenses of one family count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct LicenseChoice {
    /// The family.
    pub name: LicenseFamily,
    /// SKU ids (GUIDs) that count, too, beside those that are compiled in. Example: `[549c4efe-09a2-462b-9393-9b57dfdea76b]`.
    #[serde(default, rename = "extraSKUIDs", skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), inner(regex(pattern = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub extra_sku_ids: Vec<String>,
    /// Where the license is looked for. Default: `UserOrTenant` for Power Pages, whose packs belong to the tenant; `User` for
    /// all others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look_at: Option<LookAt>,
}

/// Where a license is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum LookAt {
    User,
    Tenant,
    UserOrTenant,
}

/// A finding that is known, and that somebody answers for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.expirationTime) || self.expirationTime < timestamp('9000-01-01T00:00:00Z')").message("expirationTime must be before the year 9000: for a waiver without an end leave it out"))]
pub struct Waiver {
    /// The finding's id. Example: `avePointServiceAccount/no-mfa`.
    #[schemars(length(min = 3, max = 128), regex(pattern = r"^[a-zA-Z0-9]+/[a-z0-9]([-a-z0-9]*[a-z0-9])?$"))]
    pub finding: String,
    /// Only in these environments: environment ids. Absent or empty: wherever it is found.
    /// Example: `[11111111-aaaa-4bbb-8ccc-000000000001]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256), inner(length(min = 1, max = 128)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub environments: Vec<String>,
    /// Why it is fine all the same, for whoever reads it next year. Example: `covered by CA-114`.
    #[schemars(length(min = 3, max = 500))]
    pub reason: String,
    /// When the waiver ends: the finding counts again from then on, by itself. Absent: it has no end.
    /// Example: `2027-03-01T00:00:00Z`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiration_time: Option<Time>,
}
