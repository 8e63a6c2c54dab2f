//! Which backup jobs ran, run and wait? (keepit.md §2.5)

use jiff::{SignedDuration, Timestamp};

use super::xml::{leaf, leaf_if, node, parse};
use super::{Call, error};
use crate::http::{Answer, Reply};
use crate::ids::keepit_id;
use crate::state::{Connector, Job, Snapshot};

/// GET lists, PUT asks with a filter and changes nothing (keepit.md §1 "PUT is also a query verb").
pub fn list(call: &mut Call<'_>, id: &str) -> Answer {
    let mut active_only = call.request.header("active-jobs-only") == Some("true");
    // Seven days to either side, unless the filter says otherwise (keepit.md §2.5).
    let week = SignedDuration::from_hours(24 * 7);
    let (mut from, mut to) = (call.now - week, call.now + week);
    if call.request.method == "PUT" {
        let body = parse(&call.request.body)
            .filter(|body| body.name == "filter")
            .ok_or_else(|| error(400, "BAD_REQUEST", "The body is not a filter element."))?;
        let time = |name: &str| body.text_of(name).and_then(|text| text.parse::<Timestamp>().ok());
        from = time("from-time").ok_or_else(|| error(400, "BAD_REQUEST", "The filter needs from-time."))?;
        to = time("to-time").unwrap_or(to);
        active_only = body.text_of("active-only") == Some("true");
    }
    call.connector(id)?;
    call.backups_were_read();
    let rows: String = call
        .connector(id)?
        .jobs
        .iter()
        .filter(|job| !active_only || job.state.is_none())
        .filter(|job| (from..=to).contains(&job.scheduled))
        .map(body)
        .collect();
    Ok(Reply::xml(200, &node("jobs", &rows)))
}

fn body(job: &Job) -> String {
    let ended = |state: &str| job.ended.filter(|_| job.state.as_deref() == Some(state));
    let inner = leaf("guid", &job.id)
        + &leaf("type", &job.kind)
        + &leaf("description", &job.description)
        + &leaf("active", job.state.is_none())
        + &leaf("priority", 0)
        + &leaf("start", job.scheduled)
        + &leaf("scheduled", job.scheduled)
        + &leaf_if("started", job.started)
        + &leaf_if("succeeded", ended("successful"))
        + &leaf_if("failed", ended("unsuccessful"))
        + &leaf_if("cancelled", ended("cancelled"))
        + &leaf_if("state", job.state.as_ref());
    node("job", &inner)
}

/// One job at a time: a second is `RUNNING_JOB` or `WAITING_JOB_TO_START` with its start (keepit.md §1 "Known codes"; the status 409 is [G]).
pub fn start(call: &mut Call<'_>, id: &str) -> Answer {
    let body = parse(&call.request.body)
        .filter(|body| body.name == "job")
        .ok_or_else(|| error(400, "BAD_REQUEST", "The body is not a job element."))?;
    if body.text_of("type") != Some("backup") || (body.child("immediate").is_none() && body.child("start").is_none()) {
        return Err(error(400, "BAD_REQUEST", "A job needs the type backup and either immediate or start."));
    }
    let description = body.text_of("description").unwrap_or_default().to_owned();
    let (now, immediate) = (call.now, body.child("immediate").is_some());
    let connector = call.connector_mut(id)?;
    if let Some(job) = connector.running_job() {
        let (code, since) = match job.started {
            Some(started) => ("RUNNING_JOB", started),
            None => ("WAITING_JOB_TO_START", job.scheduled),
        };
        return Err(Reply::xml(
            409,
            &node(
                "error",
                &(leaf("code", code) + &leaf("description", "There is a job already.") + &leaf("start-time", since)),
            ),
        ));
    }
    connector.jobs.push(Job {
        id: keepit_id(4),
        kind: "backup".into(),
        description,
        scheduled: now,
        started: immediate.then_some(now),
        ended: None,
        state: None,
    });
    Ok(Reply::empty(201))
}

impl Connector {
    /// Ends the running job, or one that was never listed: `complete`, `partial` (a snapshot with gaps) or `failed` (none).
    pub fn finish_backup(&mut self, result: &str, now: jiff::Timestamp) {
        let state = match result {
            "complete" => "successful",
            "partial" => "incomplete",
            _ => "unsuccessful",
        };
        if self.running_job().is_none() {
            self.jobs.push(Job {
                id: keepit_id(4),
                kind: "backup".into(),
                description: "Scheduled backup".into(),
                scheduled: now,
                started: Some(now),
                ended: None,
                state: None,
            });
        }
        if let Some(job) = self.running_job() {
            job.started.get_or_insert(now);
            job.ended = Some(now);
            job.state = Some(state.into());
        }
        if result != "failed" {
            self.snapshots.push(Snapshot { time: now, complete: result == "complete", size: 52_428_800 });
        }
    }
}
