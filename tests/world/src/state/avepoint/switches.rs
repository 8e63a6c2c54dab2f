//! Which behaviours of AvePoint are open, and can be turned up? (facts: avepoint-fluentpro §7; the numbers are its questions)

use serde::{Deserialize, Serialize};

/// `switches.avepoint` of a world file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AvePointSwitches {
    /// `expires_in` (facts: avepoint-fluentpro §1 "Token").
    pub token_lifetime_seconds: i64,
    /// Status of a refused `invalid_client`: OAuth allows 400 and 401 [I].
    pub invalid_client_status: u16,
    /// Question 1.
    pub scope_casing: ScopeCasing,
    /// Question 1.
    pub several_scopes: SeveralScopes,
    /// The header of an assertion has to name the certificate (`kid`, `x5t` or `x5t#S256`): inferred in §1 "Assertion".
    pub assertion_names_certificate: bool,
    /// Status where the token lacks the scope (question 5).
    pub missing_scope: u16,
    /// Status of the API hosts of other data centers (question 5).
    pub wrong_data_center: u16,
    /// Status for an address that is not trusted (question 5).
    pub blocked_address: u16,
    /// Which body errors have whose form is not documented: all but those of `/aos/audit` (question 5).
    pub error_body: ErrorBody,
    /// Question 2.
    pub organization_id: OrganizationId,
    /// Question 3.
    pub job_window: JobWindow,
    /// Question 3.
    pub running_jobs: RunningJobs,
    /// Question 3; the sample has the newest first.
    pub job_order: JobOrder,
    /// Jobs on a page at most; a longer page is cut, and says so (question 3). `None` means no end.
    pub largest_page: Option<usize>,
    /// Longest window of `/dynamicsbackup/jobs`; a longer one is 400 (question 3). `None` means no end.
    pub longest_window_hours: Option<i64>,
    /// How long a job stays listed (question 3). `None` means for good.
    pub jobs_listed_hours: Option<i64>,
    /// Question 6.
    pub broken_authorization: BrokenAuthorization,
    /// Question 7.
    pub custom_permissions: CustomPermissions,
    /// Whether jobs stay when an organization moves to an app profile (question 9).
    pub move_keeps_history: bool,
    /// Rows on a page of `/aos/audit`; not documented.
    pub audit_page_size: usize,
    /// Minutes until a row of the audit can be read (question 8).
    pub audit_delay_minutes: i64,
    pub audit_next_link: AuditNextLink,
    /// Rows say module, object and kind of operation; else they are null, as in the sample (§2a: most may be null).
    pub audit_details: bool,
    pub audit_actions: AuditActions,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScopeCasing {
    /// [I]
    #[default]
    Any,
    /// [I]: `dynamics.readwrite.all` only.
    RegistrationPage,
    /// [I]: `Dynamics.ReadWrite.All` only.
    EndpointPage,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeveralScopes {
    /// As it was before January 2025 (§1 "One scope per token").
    #[default]
    Refused,
    /// As the vendor's hidden note says it is since [I].
    Accepted,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorBody {
    /// [I]: `traceId`, `error`, `statusCode`, as `/aos/audit` documents it.
    #[default]
    Audit,
    /// [I]: that of Cloud Backup for Microsoft 365.
    Microsoft365,
    /// [I]
    Text,
    /// [I]
    Empty,
}

/// Whose id `organizationId` is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrganizationId {
    /// [I]: `OrganizationId` of `WhoAmI`.
    #[default]
    Dataverse,
    /// [I]: that of the Power Platform environment.
    Environment,
    /// [I]: AvePoint's own.
    Own,
}

/// Which time of a job must be between `startTime` and `finishTime`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobWindow {
    /// [I]
    #[default]
    Start,
    /// [I]; what runs has not finished, and is in no window.
    Finish,
}

/// How a job that runs is listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunningJobs {
    /// [I]: `finishTime` is null.
    #[default]
    NullFinish,
    /// [I]: `finishTime` is the year 1, the zero of .NET.
    YearOne,
    /// [I]: not at all, although `status` knows them.
    Hidden,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobOrder {
    #[default]
    NewestFirst,
    /// [I]
    OldestFirst,
}

/// What comes of a backup whose authorization is broken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BrokenAuthorization {
    /// [I]: a job that fails.
    #[default]
    Failed,
    /// [I]: a job with a status that is not documented: 5, as Elements numbers what was skipped.
    Skipped,
    /// [I]: nothing at all.
    Silent,
}

/// With which permissions a custom app works: the two pages disagree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CustomPermissions {
    /// As the table of the seed says: the person who consented matters.
    #[default]
    Delegated,
    /// As AOS's list says: only the certificate matters.
    Application,
}

/// Where an absolute `nextLink` leads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditNextLink {
    #[default]
    OwnHost,
    /// [I]: the region-free host, where a token of this host must not go.
    OtherHost,
}

/// Values of `actionName`. Those of App Management and Tenant Management are as the system auditor's page lists them;
/// the others are [G] (question 8).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuditActions {
    pub create_profile: String,
    pub reauthorize_profile: String,
    pub connect_tenant: String,
    pub reconnect_tenant: String,
    pub register_app: String,
    pub update_app: String,
    pub delete_app: String,
    pub scan: String,
    pub add_organization: String,
    pub move_organization: String,
}

impl Default for AuditActions {
    fn default() -> Self {
        Self {
            create_profile: "Create".into(),
            reauthorize_profile: "Re-authorize".into(),
            connect_tenant: "Connect".into(),
            reconnect_tenant: "Reconnect".into(),
            register_app: "Create".into(),
            update_app: "Updated".into(),
            delete_app: "Delete".into(),
            scan: "Scan".into(),
            add_organization: "Add Organization".into(),
            move_organization: "Move Organization".into(),
        }
    }
}

impl Default for AvePointSwitches {
    fn default() -> Self {
        Self {
            token_lifetime_seconds: 3600,
            invalid_client_status: 400,
            scope_casing: ScopeCasing::default(),
            several_scopes: SeveralScopes::default(),
            assertion_names_certificate: false,
            missing_scope: 403,
            wrong_data_center: 404,
            blocked_address: 403,
            error_body: ErrorBody::default(),
            organization_id: OrganizationId::default(),
            job_window: JobWindow::default(),
            running_jobs: RunningJobs::default(),
            job_order: JobOrder::default(),
            largest_page: None,
            longest_window_hours: None,
            jobs_listed_hours: None,
            broken_authorization: BrokenAuthorization::default(),
            custom_permissions: CustomPermissions::default(),
            move_keeps_history: true,
            audit_page_size: 100,
            audit_delay_minutes: 0,
            audit_next_link: AuditNextLink::default(),
            audit_details: true,
            audit_actions: AuditActions::default(),
        }
    }
}
