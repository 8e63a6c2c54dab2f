//! From AvePoint's jobs to what they say of the organizations of one Connector (facts/avepoint-fluentpro.md §2a).

use std::collections::BTreeSet;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer};

use super::spec;
use crate::fault::{Fault, Kind};
use crate::seen::Seen;
use crate::vendors::{Authorization, Backup, Details, Health, Organization, Undeclared, VendorConnector, listed};

/// One page of `GET /dynamicsbackup/jobs`. Its `nextLink` leads nowhere, so that it is not even read.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Page {
    /// How many jobs there are on all pages.
    pub total_count: usize,
    /// Those of this page.
    pub jobs: Vec<Job>,
}

/// One job.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    /// Its id.
    #[serde(rename = "jobId")]
    pub id: String,
    /// What it does: 1 is a backup.
    #[serde(rename = "type")]
    pub kind: i64,
    /// What became of it.
    #[serde(deserialize_with = "status")]
    pub status: Status,
    /// When it began.
    #[serde(deserialize_with = "time")]
    pub start_time: Timestamp,
    /// When it ended; `None`: it runs.
    #[serde(default, deserialize_with = "end")]
    pub finish_time: Option<Timestamp>,
    /// Whose data: an id.
    #[serde(default)]
    pub organization_id: Option<String>,
    /// And a name.
    #[serde(default)]
    pub organization_name: Option<String>,
}

/// What became of a job of this endpoint. The same numbers mean other things at AvePoint's other endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// 2
    InProgress,
    /// 3
    Finished,
    /// 4
    Failed,
    /// 7
    FinishedWithException,
    /// Another number, whose meaning is not documented.
    Other(i64),
}

/// The type of a job that backs up.
pub const BACKUP: i64 = 1;

impl Status {
    fn word(self) -> String {
        match self {
            Self::InProgress => "InProgress".to_owned(),
            Self::Finished => "Finished".to_owned(),
            Self::Failed => "Failed".to_owned(),
            Self::FinishedWithException => "FinishedWithException".to_owned(),
            Self::Other(number) => format!("Status{number}"),
        }
    }

    /// Whether there is a backup now: with exceptions, it is not of everything.
    fn backed_up(self) -> bool {
        matches!(self, Self::Finished | Self::FinishedWithException)
    }
}

fn status<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Status, D::Error> {
    Ok(match i64::deserialize(deserializer)? {
        2 => Status::InProgress,
        3 => Status::Finished,
        4 => Status::Failed,
        7 => Status::FinishedWithException,
        number => Status::Other(number),
    })
}

fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(deserializer)?;
    utc(&text).ok_or_else(|| serde::de::Error::custom("no time"))
}

/// One that runs has none, or one long past.
fn end<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)?.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let time = utc(&text).ok_or_else(|| serde::de::Error::custom("no time"))?;
    Ok(Some(time).filter(|time| *time > Timestamp::UNIX_EPOCH))
}

/// A time; one without a zone is one of UTC, too.
pub fn utc(text: &str) -> Option<Timestamp> {
    let without_zone = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    text.parse().ok().or_else(without_zone)
}

/// What the jobs of so many days say of the organizations that are declared.
///
/// # Errors
/// That a name means more than one of them.
pub fn connector(declared: &[spec::Organization], jobs: &[Job], days: i64) -> Result<VendorConnector, Fault> {
    let mut each = Vec::new();
    for organization in declared {
        each.push((organization, of_organization(organization, jobs)?));
    }
    let organizations: Vec<Organization> = each.iter().map(|(declared, jobs)| organization(declared, jobs)).collect();
    let newest = || each.iter().filter_map(|(_, jobs)| ended(jobs).next()).map(|job| job.status);
    let backed_up = newest().any(Status::backed_up);
    let failed = newest().any(|status| status == Status::Failed).then_some("failed");
    let state = failed.or_else(|| backed_up.then_some("finished"));
    Ok(VendorConnector {
        id: None,
        name: String::new(),
        accessible: true,
        deleting: false,
        link: None,
        unconfigured: false,
        details: Details::default(),
        authorization: Seen::Known(authorization(&each.iter().map(|(_, jobs)| jobs.as_slice()).collect::<Vec<_>>())),
        health: Seen::Known(state.map(|state| Health { state: state.to_owned(), reason: None })),
        last_backup: last_backup(&organizations, days),
        retention: None,
        undeclared: undeclared(declared, jobs),
        organizations,
    })
}

/// What ended so long before the newest job says nothing of now.
const OF_LATE: SignedDuration = SignedDuration::from_hours(48);

/// All organizations go through one authorization: one that was backed up of late shows that it works.
fn authorization(each: &[&[&Job]]) -> Authorization {
    let last = |jobs: &[&Job]| ended(jobs).next().and_then(|job| job.finish_time);
    let Some(newest) = each.iter().filter_map(|jobs| last(jobs)).max() else { return Authorization::NoEvidence };
    let of_late = || each.iter().filter(|jobs| last(jobs).is_some_and(|end| newest.duration_since(end) <= OF_LATE));
    if of_late().any(|jobs| ended(jobs).next().is_some_and(|job| job.status.backed_up())) {
        return Authorization::Granted;
    }
    // Two in a row, or the only one there is: one may fail for any reason.
    let only_fails = |jobs: &&&[&Job]| ended(jobs).take(2).all(|job| job.status == Status::Failed);
    if of_late().all(|jobs| only_fails(&jobs)) { Authorization::Doubted } else { Authorization::NoEvidence }
}

/// Those that have ended, the newest first.
fn ended<'a>(jobs: &'a [&'a Job]) -> impl Iterator<Item = &'a Job> {
    jobs.iter().copied().filter(|job| job.finish_time.is_some())
}

/// The backup jobs of an organization, the newest first: by its id, or else by its name.
fn of_organization<'a>(organization: &spec::Organization, jobs: &'a [Job]) -> Result<Vec<&'a Job>, Fault> {
    let mut all: Vec<&Job> = jobs.iter().filter(|job| job.kind == BACKUP && is_of(organization, job)).collect();
    let ids: BTreeSet<&String> = all.iter().filter_map(|job| job.organization_id.as_ref()).collect();
    if organization.id.is_none() && ids.len() > 1 {
        let ids: Vec<&str> = ids.into_iter().map(String::as_str).collect();
        return Err(Fault::new(
            Kind::Conflict,
            format!(
                "AvePoint has {} organizations called {}; declare its id in spec.vendor.avePoint.organizations: one of {}",
                ids.len(),
                organization.name,
                ids.join(", ")
            ),
        ));
    }
    all.sort_by_key(|job| std::cmp::Reverse(job.start_time));
    Ok(all)
}

fn is_of(organization: &spec::Organization, job: &Job) -> bool {
    let same = |one: &str, other: &Option<String>| other.as_ref().is_some_and(|other| other.eq_ignore_ascii_case(one));
    match &organization.id {
        Some(id) => same(id, &job.organization_id),
        None => same(&organization.name, &job.organization_name),
    }
}

fn organization(declared: &spec::Organization, jobs: &[&Job]) -> Organization {
    let finished = |wanted: fn(Status) -> bool| {
        jobs.iter().filter(|job| wanted(job.status)).filter_map(|job| job.finish_time).max()
    };
    let latest = finished(Status::backed_up);
    Organization {
        name: declared.name.clone(),
        id: jobs.iter().find_map(|job| job.organization_id.clone()),
        last_job: jobs.first().map(|job| job.status.word()),
        last_backup: latest.map(|latest| Backup { latest, complete: finished(|status| status == Status::Finished) }),
    }
}

/// That of the organization that is worst off: what a restore of all of them can rely on.
fn last_backup(organizations: &[Organization], days: i64) -> Seen<Option<Backup>> {
    let silent: Vec<&str> =
        organizations.iter().filter(|it| it.last_job.is_none()).map(|it| it.name.as_str()).collect();
    if !silent.is_empty() {
        let sentence = format!(
            "AvePoint shows no backup job of {} in the last {days} days: not backed up, or not called so there",
            listed(&silent)
        );
        return Seen::Unknown(Fault::new(Kind::NotFound, sentence));
    }
    let worst = organizations.iter().min_by_key(|it| it.last_backup.map(|backup| (backup.complete, backup.latest)));
    Seen::Known(worst.and_then(|worst| worst.last_backup))
}

/// Organizations that have jobs and are not declared here.
fn undeclared(declared: &[spec::Organization], jobs: &[Job]) -> Vec<Undeclared> {
    let foreign = jobs.iter().filter(|job| job.kind == BACKUP && !declared.iter().any(|it| is_of(it, job)));
    let each = foreign.filter_map(|job| Some((job.organization_name.clone()?, job.organization_id.clone())));
    let each: BTreeSet<(String, Option<String>)> = each.collect();
    each.into_iter().map(|(name, id)| Undeclared { name, id }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(organization: &str, status: i64, start: &str, finish: &str) -> Job {
        serde_json::from_value(serde_json::json!({
            "module": "Customer Engagement", "type": 1, "jobId": format!("DCIB{start}"), "status": status,
            "startTime": start, "finishTime": if finish.is_empty() { None } else { Some(finish) },
            "organizationId": format!("id of {organization}"), "organizationName": organization,
        }))
        .unwrap()
    }

    fn declared(names: &[&str]) -> Vec<spec::Organization> {
        names.iter().map(|name| spec::Organization { name: (*name).to_owned(), id: None }).collect()
    }

    fn authorization(jobs: &[Job]) -> Authorization {
        match connector(&declared(&["a", "b"]), jobs, 28).unwrap().authorization {
            Seen::Known(authorization) => authorization,
            Seen::Unknown(fault) => panic!("{fault}"),
        }
    }

    const TODAY: (&str, &str) = ("2026-11-24T01:00:00Z", "2026-11-24T02:00:00Z");
    const BEFORE: (&str, &str) = ("2026-11-23T01:00:00Z", "2026-11-23T02:00:00Z");

    #[test]
    fn one_backup_of_any_organization_proves_the_authorization_and_only_failures_everywhere_speak_against_it() {
        let (today, before) = (TODAY, BEFORE);
        let of = |name, status, (start, finish)| job(name, status, start, finish);
        assert_eq!(authorization(&[of("a", 3, today), of("b", 4, today)]), Authorization::Granted);
        assert_eq!(authorization(&[of("a", 7, today)]), Authorization::Granted, "b is silent");
        assert_eq!(authorization(&[]), Authorization::NoEvidence);
        assert_eq!(authorization(&[of("a", 4, today)]), Authorization::Doubted, "b is silent, and says nothing for it");
        let long_ago = ("2026-11-04T01:00:00Z", "2026-11-04T02:00:00Z");
        let since = [of("a", 4, today), of("a", 4, before), of("b", 3, long_ago)];
        assert_eq!(authorization(&since), Authorization::Doubted, "what worked weeks ago is no proof");
        assert_eq!(authorization(&[of("a", 4, today), of("b", 4, today)]), Authorization::Doubted);
        let once = [of("a", 4, today), of("a", 3, before), of("b", 4, today), of("b", 4, before)];
        assert_eq!(authorization(&once), Authorization::NoEvidence, "a failed but once");
        assert_eq!(authorization(&[of("a", 12, today), of("b", 12, today)]), Authorization::NoEvidence);
        // What runs says nothing, and what ran before it still counts.
        assert_eq!(authorization(&[job("a", 2, today.0, ""), of("a", 3, before)]), Authorization::Granted);
    }

    #[test]
    fn the_organization_that_is_worst_off_decides_over_the_last_backup() {
        let of = |name, status, (start, finish)| job(name, status, start, finish);
        let seen = |jobs: &[Job]| connector(&declared(&["a", "b"]), jobs, 28).unwrap().last_backup;
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let all = Backup { latest: at(BEFORE.1), complete: Some(at(BEFORE.1)) };
        assert_eq!(seen(&[of("a", 3, TODAY), of("b", 3, BEFORE)]), Seen::Known(Some(all)));
        let partial = Backup { latest: at(TODAY.1), complete: None };
        assert_eq!(seen(&[of("a", 7, TODAY), of("b", 3, BEFORE)]), Seen::Known(Some(partial)));
        assert_eq!(seen(&[of("a", 4, TODAY), of("b", 3, BEFORE)]), Seen::Known(None));
        let silent = seen(&[of("a", 3, TODAY)]);
        assert!(silent.fault().unwrap().sentence.contains("no backup job of b in the last 28 days"), "{silent:?}");
    }

    #[test]
    fn an_organization_is_known_by_its_id_once_that_is_declared_and_all_others_are_named() {
        let jobs = [job("a", 3, TODAY.0, TODAY.1), job("c", 3, TODAY.0, TODAY.1), job("c", 4, BEFORE.0, BEFORE.1)];
        let by_id = [spec::Organization { name: "another name".into(), id: Some("ID OF a".into()) }];
        let seen = connector(&by_id, &jobs, 28).unwrap();
        assert_eq!(seen.organizations[0].last_job.as_deref(), Some("Finished"));
        let c = Undeclared { name: "c".into(), id: Some("id of c".into()) };
        assert_eq!(seen.undeclared, [c]);
        // Two of one name can't be told apart by that.
        let mut twins = [job("a", 3, TODAY.0, TODAY.1), job("a", 4, BEFORE.0, BEFORE.1)];
        twins[1].organization_id = Some("another".into());
        let said = connector(&declared(&["a"]), &twins, 28).unwrap_err().sentence;
        assert!(said.contains("2 organizations called a") && said.contains("another, id of a"), "{said}");
    }

    #[test]
    fn what_runs_has_no_end_however_that_is_written_and_a_time_without_a_zone_is_utc() {
        let mut running = serde_json::json!({
            "type": 1, "jobId": "x", "status": 2, "startTime": "2026-11-24T01:00:00", "finishTime": "0001-01-01T00:00:00Z",
        });
        let read: Job = serde_json::from_value(running.clone()).unwrap();
        assert_eq!((read.start_time.to_string().as_str(), read.finish_time), ("2026-11-24T01:00:00Z", None));
        running["finishTime"] = serde_json::Value::Null;
        assert_eq!(serde_json::from_value::<Job>(running.clone()).unwrap().finish_time, None);
        running["finishTime"] = "soon".into();
        assert!(serde_json::from_value::<Job>(running).is_err());
    }
}
