//! Which jobs come as time passes, and how do they end? (facts: avepoint-fluentpro §2a `/dynamicsbackup/jobs`)

use jiff::{SignedDuration, Timestamp, Unit};
use serde::{Deserialize, Serialize};

use super::{AosTenant, AvePointSwitches, BrokenAuthorization, Organization, Profile, in_organization, of_profile};
use crate::ids::digits_of;
use crate::state::{State, Tenant};

/// `module` of the sample; others are not known (facts: avepoint-fluentpro §7 question 4).
pub const CUSTOMER_ENGAGEMENT: &str = "Customer Engagement";
/// `type` of a backup.
const BACKUP: u32 = 1;

/// A job of Cloud Backup for Dynamics 365.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DynamicsJob {
    #[serde(default)]
    pub id: String,
    /// 1 backup, 2 restore, 4 dry run, 8 retention, 16 audit backup, 32 export.
    #[serde(rename = "type", default = "backup")]
    pub kind: u32,
    #[serde(default = "module")]
    pub module: String,
    pub started: Timestamp,
    /// `None` while it runs.
    #[serde(default)]
    pub finished: Option<Timestamp>,
    #[serde(default)]
    pub status: JobStatus,
    #[serde(default)]
    pub entities: Counts,
    #[serde(default)]
    pub records: Counts,
    /// In bytes.
    #[serde(default)]
    pub size: u64,
}

/// Status of a job. The numbers are those of this endpoint: others of AvePoint's mean something else by 3 and 4.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobStatus {
    InProgress,
    #[default]
    Finished,
    Failed,
    FinishedWithException,
    /// [G]: not documented here (facts: avepoint-fluentpro §7 questions 4 and 6).
    Skipped,
}

/// How many entities (tables), or records (rows), and what became of them.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Counts {
    pub successful: u64,
    pub failed: u64,
    pub skipped: u64,
    pub warning: u64,
}

fn backup() -> u32 {
    BACKUP
}

fn module() -> String {
    CUSTOMER_ENGAGEMENT.into()
}

impl JobStatus {
    pub fn number(self) -> u32 {
        match self {
            Self::InProgress => 2,
            Self::Finished => 3,
            Self::Failed => 4,
            Self::Skipped => 5,
            Self::FinishedWithException => 7,
        }
    }
}

impl Counts {
    /// That a warning is counted besides what succeeded is [G].
    pub fn total(self) -> u64 {
        self.successful + self.failed + self.skipped + self.warning
    }
}

impl State {
    /// Backups begin, end and fail as they fall due. What is judged is how things stand when somebody looks next.
    pub(in crate::state) fn run_dynamics_backups(&mut self) {
        let now = self.now();
        let Self { avepoint, tenants, switches, .. } = self;
        for aos in avepoint {
            aos.run_backups(tenants, &switches.avepoint, now);
        }
    }
}

impl AosTenant {
    fn run_backups(&mut self, tenants: &[Tenant], switches: &AvePointSwitches, now: Timestamp) {
        let tenant = tenants.iter().find(|it| Some(&it.id) == self.microsoft_tenant.as_ref());
        let Self { organizations, profiles, dynamics_backup, .. } = self;
        for organization in organizations.iter_mut().filter(|_| *dynamics_backup) {
            let profile = profiles.iter().find(|it| it.name == organization.profile);
            let broken = is_broken(tenant, organization, profile, switches, now);
            organization.end_backup(broken, switches, now);
            organization.begin_backups(broken, switches, now);
        }
    }
}

fn is_broken(
    tenant: Option<&Tenant>,
    organization: &Organization,
    profile: Option<&Profile>,
    switches: &AvePointSwitches,
    now: Timestamp,
) -> bool {
    let (Some(tenant), Some(profile)) = (tenant, profile) else {
        return true;
    };
    of_profile(Some(tenant), profile, switches, now)
        .or_else(|| in_organization(tenant, organization, profile))
        .is_some()
}

impl Organization {
    fn outcome(&self, broken: bool, switches: &AvePointSwitches) -> JobStatus {
        let by_authorization = match switches.broken_authorization {
            _ if !broken => JobStatus::Finished,
            BrokenAuthorization::Skipped => JobStatus::Skipped,
            BrokenAuthorization::Failed | BrokenAuthorization::Silent => JobStatus::Failed,
        };
        self.outcome.unwrap_or(by_authorization)
    }

    /// The end of what runs, when its time has come.
    fn end_backup(&mut self, broken: bool, switches: &AvePointSwitches, now: Timestamp) {
        let (status, takes) = (self.outcome(broken, switches), self.takes());
        for job in self.jobs.iter_mut().filter(|job| job.status == JobStatus::InProgress) {
            let end = job.started.checked_add(takes).unwrap_or(now);
            if end <= now {
                job.end(status, end);
            }
        }
    }

    fn begin_backups(&mut self, broken: bool, switches: &AvePointSwitches, now: Timestamp) {
        let between = SignedDuration::from_hours(self.every_hours.max(1).into());
        while let Some(start) = self.next_backup.filter(|start| *start <= now) {
            self.next_backup = start.checked_add(between).ok();
            if broken && switches.broken_authorization == BrokenAuthorization::Silent {
                continue;
            }
            let job = DynamicsJob::running(&self.organization_id, start);
            self.jobs.push(job);
            self.end_backup(broken, switches, now);
        }
    }

    fn takes(&self) -> SignedDuration {
        SignedDuration::from_mins(self.minutes.into())
    }

    /// Ends the running backup, or one that nobody has seen.
    pub fn finish(&mut self, status: JobStatus, end: Timestamp) {
        if !self.jobs.iter().any(|job| job.status == JobStatus::InProgress) {
            let start = end.checked_sub(self.takes()).unwrap_or(end);
            self.jobs.push(DynamicsJob::running(&self.organization_id, start));
        }
        if let Some(job) = self.jobs.iter_mut().find(|job| job.status == JobStatus::InProgress) {
            job.end(status, end.max(job.started));
        }
    }
}

impl DynamicsJob {
    /// A backup that has just begun. Times are in milliseconds, as in the sample.
    fn running(organization: &str, start: Timestamp) -> Self {
        let started = start.round(Unit::Millisecond).unwrap_or(start);
        Self {
            id: job_id(organization, started),
            kind: BACKUP,
            module: module(),
            started,
            finished: None,
            status: JobStatus::InProgress,
            entities: Counts::default(),
            records: Counts::default(),
            size: 0,
        }
    }

    /// The figures are made up; that a job without success has none of it is [I].
    fn end(&mut self, status: JobStatus, end: Timestamp) {
        self.finished = end.round(Unit::Millisecond).ok();
        self.status = status;
        let counts = |successful, failed, skipped| Counts { successful, failed, skipped, warning: 0 };
        (self.entities, self.records, self.size) = match status {
            JobStatus::InProgress => (counts(0, 0, 0), counts(0, 0, 0), 0),
            JobStatus::Finished => (counts(212, 0, 0), counts(48_210, 0, 0), 52_428_800),
            JobStatus::FinishedWithException => (counts(209, 3, 0), counts(47_902, 308, 0), 52_100_000),
            JobStatus::Failed => (counts(0, 212, 0), counts(0, 0, 0), 0),
            JobStatus::Skipped => (counts(0, 0, 212), counts(0, 0, 0), 0),
        };
    }
}

/// As in the sample: `DCIB`, the start down to the millisecond, five digits. What jobs of other types begin with is not known.
pub fn job_id(organization: &str, started: Timestamp) -> String {
    let digits = digits_of(&[organization, &started.to_string()], 5);
    format!("DCIB{}{digits}", started.strftime("%Y%m%d%H%M%S%3f"))
}
