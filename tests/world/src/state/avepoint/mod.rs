//! What is in a tenant of AvePoint Online Services: credentials, app profiles, organizations, backups, audit rows?

mod authorization;
mod backups;
mod data_centers;
mod scopes;
mod switches;

use std::collections::HashSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use authorization::{consents_missing, in_organization, is_delegated, of_profile, why_not_offered};
pub use backups::{Counts, DynamicsJob, JobStatus, job_id};
pub use data_centers::{hosts as avepoint_hosts, is_identity_host, of_graph_host};
pub use scopes::{AUDIT_SCOPE, DYNAMICS_SCOPE, canonical as canonical_scopes, is_known as is_known_scope};
pub use switches::{
    AuditNextLink, AvePointSwitches, BrokenAuthorization, CustomPermissions, ErrorBody, JobOrder, JobWindow,
    OrganizationId, RunningJobs, ScopeCasing, SeveralScopes,
};

use super::directory::{AppSecret, Certificate};
use super::{Tenant, always};

/// The enterprise app that a modern profile brings into Entra (facts: avepoint-fluentpro §3 "modern mode").
pub const MODERN_APP_NAME: &str = "AvePoint Cloud Backup for Dynamics Customer Engagement";
/// Its application id is not published (facts: avepoint-fluentpro §7 question 11): this one is made up.
pub const MODERN_APP: &str = "a7e90000-0000-4000-8000-00000000d365";

/// One tenant of AvePoint Online Services (AOS), in one data center for good (facts: avepoint-fluentpro §1 "Base URLs").
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AosTenant {
    /// Made from the name if left out.
    #[serde(default)]
    pub id: String,
    pub name: String,
    /// `we`, `us`, `gcp-we`, …; `fedramp` is the one that has no abbreviation.
    pub data_center: String,
    /// Who signs in at AOS if nobody else is named, as it stands in the audit.
    #[serde(default = "administrator")]
    pub administrator: String,
    /// The connected Microsoft tenant by id, name or domain; the id after loading. `None` means nobody has connected one.
    #[serde(default)]
    pub microsoft_tenant: Option<String>,
    /// Cloud Backup for Dynamics 365 is subscribed to.
    #[serde(default = "always")]
    pub dynamics_backup: bool,
    /// Trusted IP addresses are on, and whoever calls here is on no list (facts: avepoint-fluentpro §1 "Source-IP allow-list").
    #[serde(default)]
    pub trusted_addresses_only: bool,
    #[serde(default)]
    pub registrations: Vec<Registration>,
    #[serde(default)]
    pub profiles: Vec<Profile>,
    /// The service account that Settings > Scan uses, as object id after loading. `None`: nobody has scanned with one.
    #[serde(default)]
    pub scan_account: Option<String>,
    #[serde(default)]
    pub organizations: Vec<Organization>,
    #[serde(default)]
    pub audit: Vec<AuditRow>,
    /// `jti` of the assertions that were accepted: none is accepted twice.
    #[serde(skip)]
    pub used_assertions: HashSet<String>,
}

/// A row of Administration > App registrations: credentials for the API, and nothing else (facts: avepoint-fluentpro §1).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    pub client_id: String,
    pub name: String,
    #[serde(default)]
    pub secrets: Vec<AppSecret>,
    #[serde(default)]
    pub certificates: Vec<Certificate>,
    /// As the registration page spells them: `dynamics.readwrite.all`, `audit.read.all`, …
    #[serde(default)]
    pub scopes: Vec<String>,
}

/// How AvePoint gets into the Microsoft tenant: a row of App management, or of Service account (facts: avepoint-fluentpro §3).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    pub name: String,
    pub kind: ProfileKind,
    /// Who consented, or the service account itself: principal name or id; the object id after loading.
    pub user: String,
    /// The app by client id or name; the client id after loading. Left out, a modern profile has [`MODERN_APP`]; a service
    /// account has none.
    #[serde(default)]
    pub app: Option<String>,
    /// When the consent, or the password, was given; the start of the world if left out.
    #[serde(default)]
    pub authorized: Option<Timestamp>,
    /// End of the certificate whose `.pfx` a custom profile got; `None` for other kinds, or one that does not end.
    #[serde(default)]
    pub certificate_expires: Option<Timestamp>,
    /// A second factor was asked of the user already when they consented: only a later change does harm.
    #[serde(skip)]
    pub second_factor_then: bool,
    /// The user had a Dynamics 365 license when they consented.
    #[serde(skip)]
    pub licensed_then: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProfileKind {
    /// AvePoint's own app.
    Modern,
    /// An app of the customer's own.
    Custom,
    /// A user whose password AvePoint knows.
    ServiceAccount,
}

/// A Dynamics 365 organization that Settings > Scan knows.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(clippy::struct_field_names, reason = "organizationId is what AvePoint calls it")]
pub struct Organization {
    /// The environment by name, id, host or URL; the id after loading.
    pub environment: String,
    /// The environment's name if left out.
    #[serde(default)]
    pub name: String,
    /// `https://contoso.crm4.dynamics.com`, from the environment.
    #[serde(default)]
    pub url: String,
    /// `OrganizationId` of Dataverse, from the environment.
    #[serde(default)]
    pub organization_id: String,
    /// Name of the profile through which it is backed up.
    pub profile: String,
    /// Was it there when somebody pressed Scan? Nothing is backed up before that.
    #[serde(default = "always")]
    pub scanned: bool,
    /// Hours between two backups. AvePoint's own choices are not known (facts: avepoint-fluentpro §3 last row).
    #[serde(default = "daily")]
    pub every_hours: u32,
    /// How long a backup takes.
    #[serde(default = "twenty")]
    pub minutes: u32,
    /// How long before the start of the world its first backup began.
    #[serde(default = "one", skip_serializing)]
    pub protected_hours_ago: u32,
    /// How its backups end whatever else is true; `None` means as the authorization has it.
    #[serde(default)]
    pub outcome: Option<JobStatus>,
    /// When its next backup begins; `None` means that nothing is scheduled.
    #[serde(skip_deserializing)]
    pub next_backup: Option<Timestamp>,
    #[serde(default)]
    pub jobs: Vec<DynamicsJob>,
}

/// A row of the system auditor (facts: avepoint-fluentpro §2a `/aos/audit`).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditRow {
    pub time: Timestamp,
    pub user: String,
    pub action: String,
    #[serde(default)]
    pub product: Product,
    /// The page: App Management, Tenant Management, …
    #[serde(default)]
    pub module: Option<String>,
    #[serde(default)]
    pub object: Option<String>,
}

/// `productTypes` as the query names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Product {
    /// AvePoint Online Services itself.
    #[default]
    Portal,
    /// Cloud Backup for Dynamics 365.
    #[serde(rename = "CRMBackup")]
    CrmBackup,
}

fn administrator() -> String {
    "administrator@aos.example".into()
}

fn daily() -> u32 {
    24
}

fn twenty() -> u32 {
    20
}

fn one() -> u32 {
    1
}

impl AosTenant {
    pub fn registration(&self, client_id: &str) -> Option<&Registration> {
        self.registrations.iter().find(|it| it.client_id.eq_ignore_ascii_case(client_id))
    }

    pub fn profile(&self, name: &str) -> Option<&Profile> {
        self.profiles.iter().find(|it| it.name == name)
    }

    pub fn profile_mut(&mut self, name: &str) -> Option<&mut Profile> {
        self.profiles.iter_mut().find(|it| it.name == name)
    }

    /// The profile of a service account, by the account.
    pub fn service_account(&self, object_id: &str) -> Option<&Profile> {
        self.profiles.iter().find(|it| it.kind == ProfileKind::ServiceAccount && it.user == object_id)
    }

    pub fn organization_mut(&mut self, key: &str) -> Option<&mut Organization> {
        self.organizations.iter_mut().find(|it| it.is_called(key))
    }
}

impl Organization {
    /// By name, URL, environment id or organization id.
    pub fn is_called(&self, key: &str) -> bool {
        [&self.name, &self.url, &self.environment, &self.organization_id]
            .into_iter()
            .any(|name| name.eq_ignore_ascii_case(key))
    }

    /// A scan has seen it: its first backup begins at once [I].
    pub fn found_if(&mut self, seen: bool, now: Timestamp) {
        if seen {
            self.scanned = true;
            self.next_backup.get_or_insert(now);
        }
    }
}

impl Profile {
    /// Notes who is behind the profile, and how things stood then.
    pub fn authorize(&mut self, tenant: &Tenant, object_id: &str, now: Timestamp) {
        object_id.clone_into(&mut self.user);
        self.authorized = Some(now);
        let user = tenant.user(object_id);
        self.second_factor_then = user.is_some_and(|user| tenant.asks_second_factor(user));
        self.licensed_then = user.is_some_and(|user| tenant.has_dynamics_license(user));
    }
}
