//! Which jobs of Cloud Backup for Dynamics 365 match? (facts: avepoint-fluentpro §2a `/dynamicsbackup/jobs`)

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Call, refuse};
use crate::http::{Answer, Reply, encoded};
use crate::ids::{guid_of, is_guid};
use crate::state::{Counts, DynamicsJob, JobOrder, JobStatus, JobWindow, Organization, OrganizationId, RunningJobs};

const TYPES: [u32; 7] = [0, 1, 2, 4, 8, 16, 32];
const STATUSES: [u32; 4] = [2, 3, 4, 7];
/// In the order of the sample's `nextLink`.
const OPTIONS: [&str; 7] = ["pageIndex", "pageSize", "startTime", "finishTime", "type", "status", "organizationId"];

/// What was asked for, understood.
struct Question {
    page_index: usize,
    page_size: usize,
    window: std::ops::RangeInclusive<Timestamp>,
    kind: u32,
    status: Option<u32>,
    organization: Option<String>,
}

pub fn list(call: &Call<'_>) -> Answer {
    let asked = question(call).map_err(|why| refuse(call.switches, 400, &why))?;
    let mut found: Vec<(&Organization, &DynamicsJob)> = call
        .aos
        .organizations
        .iter()
        .flat_map(|organization| organization.jobs.iter().map(move |job| (organization, job)))
        .filter(|(organization, job)| asked.wants(call, organization, job))
        .collect();
    found.sort_by_key(|(_, job)| job.started);
    if call.switches.job_order == JobOrder::NewestFirst {
        found.reverse();
    }
    let before = (asked.page_index - 1).saturating_mul(asked.page_size);
    let rows: Vec<Value> = found
        .iter()
        .skip(before)
        .take(asked.page_size)
        .map(|(organization, job)| row(call, organization, job))
        .collect();
    let more = before.saturating_add(rows.len()) < found.len() && !rows.is_empty();
    Ok(Reply::json(
        200,
        &json!({
            "totalCount": found.len(),
            "nextLink": more.then(|| next_link(call, &asked)),
            "jobs": rows,
            "pageIndex": asked.page_index,
            "pageSize": asked.page_size,
        }),
    ))
}

fn question(call: &Call<'_>) -> Result<Question, String> {
    call.options(&OPTIONS)?;
    let whole = |name: &str, usual: usize| match call.request.query(name) {
        None => Ok(usual),
        Some(text) => text
            .parse()
            .ok()
            .filter(|number| *number > 0)
            .ok_or_else(|| format!("The parameter '{name}' is no whole number from 1.")),
    };
    let one_of = |name: &str, text: &str, all: &[u32]| {
        text.parse::<u32>()
            .ok()
            .filter(|number| all.contains(number))
            .ok_or_else(|| format!("The parameter '{name}' is none of {all:?}."))
    };
    let longest = call.switches.longest_window_hours.map(SignedDuration::from_hours);
    let organization = call.request.query("organizationId").map(str::to_owned);
    if organization.as_ref().is_some_and(|id| !is_guid(id)) {
        return Err("The parameter 'organizationId' is no GUID.".into());
    }
    Ok(Question {
        page_index: whole("pageIndex", 1)?,
        page_size: whole("pageSize", 10)?.min(call.switches.largest_page.unwrap_or(usize::MAX)),
        window: call.window("startTime", "finishTime", longest)?,
        kind: one_of("type", call.needed("type")?, &TYPES)?,
        status: call.request.query("status").map(|text| one_of("status", text, &STATUSES)).transpose()?,
        organization,
    })
}

impl Question {
    fn wants(&self, call: &Call<'_>, organization: &Organization, job: &DynamicsJob) -> bool {
        let runs = job.status == JobStatus::InProgress;
        let time = match call.switches.job_window {
            JobWindow::Start => Some(job.started),
            JobWindow::Finish => job.finished,
        };
        let age = call.now.duration_since(job.finished.unwrap_or(call.now));
        let listed = call.switches.jobs_listed_hours.is_none_or(|hours| age < SignedDuration::from_hours(hours));
        listed
            && !(runs && call.switches.running_jobs == RunningJobs::Hidden)
            && time.is_some_and(|time| self.window.contains(&time))
            && (self.kind == 0 || self.kind == job.kind)
            && self.status.is_none_or(|status| status == job.status.number())
            && self.organization.as_ref().is_none_or(|id| id.eq_ignore_ascii_case(&organization_id(call, organization)))
    }
}

fn organization_id(call: &Call<'_>, organization: &Organization) -> String {
    match call.switches.organization_id {
        OrganizationId::Dataverse => organization.organization_id.clone(),
        OrganizationId::Environment => organization.environment.clone(),
        OrganizationId::Own => guid_of(&[&call.aos.id, "organization", &organization.environment]),
    }
}

fn row(call: &Call<'_>, organization: &Organization, job: &DynamicsJob) -> Value {
    let unfinished = match call.switches.running_jobs {
        RunningJobs::YearOne => json!("0001-01-01T00:00:00Z"),
        RunningJobs::NullFinish | RunningJobs::Hidden => Value::Null,
    };
    let hours = job.finished.map_or(0.0, |end| end.duration_since(job.started).as_secs_f64() / 3600.0);
    let mut row = json!({
        "module": job.module,
        "type": job.kind,
        "jobId": job.id,
        "startTime": job.started,
        "finishTime": job.finished.map_or(unfinished, |end| json!(end)),
        "durationHours": hours,
        "status": job.status.number(),
        "backupSize": job.size,
        "organizationId": organization_id(call, organization),
        "organizationName": organization.name,
    });
    for (what, counts) in [("Entity", job.entities), ("Record", job.records)] {
        let Counts { successful, failed, skipped, warning } = counts;
        let figures = [
            ("successful", successful),
            ("failed", failed),
            ("skipped", skipped),
            ("warning", warning),
            ("total", counts.total()),
        ];
        for (name, figure) in figures {
            row[format!("{name}{what}")] = figure.into();
        }
    }
    row
}

/// As in the sample: relative, and without the `/dynamicsbackup` that would make it lead anywhere.
fn next_link(call: &Call<'_>, asked: &Question) -> String {
    let pairs = OPTIONS.iter().filter_map(|name| {
        let value = match *name {
            "pageIndex" => (asked.page_index + 1).to_string(),
            "pageSize" => asked.page_size.to_string(),
            name => call.request.query(name)?.to_owned(),
        };
        Some(format!("{name}={}", encoded(&value)))
    });
    format!("/jobs?{}", pairs.collect::<Vec<_>>().join("&"))
}
