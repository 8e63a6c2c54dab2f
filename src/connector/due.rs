//! Whether a backup is to be started, and what stands in its way. [pure]

use jiff::{SignedDuration, Timestamp};

use super::steps::Step;
use crate::api::shared::{span, spelled};
use crate::api::{Connector, Reason};
use crate::runtime::marks::{START_BACKUP, annotation};
use crate::runtime::{Allowed, Problem};
use crate::seen::Seen;
use crate::vendors::{Action, Authorization, Jobs, VendorConnector, Write};

/// Another one is not tried sooner after the last: it may still be on its way to a snapshot, or fail as that one did.
const AGAIN: SignedDuration = SignedDuration::from_hours(6);
/// What was asked for longer ago than this was done, or given up.
const COUNTS: SignedDuration = SignedDuration::from_hours(24);

/// Why a backup is to be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Where it is asked for.
    pub field: &'static str,
    /// A person wants one that begins after this; `None`: the last one is too old.
    pub asked: Option<Timestamp>,
    /// Why: the beginning of a sentence.
    pub reason: String,
}

/// Whether one is due, as far as the account's listing shows it. Where nothing could be backed up, nothing is.
pub fn due(connector: &Connector, found: &VendorConnector, now: Timestamp) -> Option<Due> {
    let dead = matches!(found.authorization, Seen::Known(Authorization::Required | Authorization::Doubted));
    if found.id.is_none() || found.deleting || !found.accessible || found.unconfigured || dead {
        return None;
    }
    let backup = found.last_backup.known()?.as_ref();
    let asked = asked(connector).ok().flatten().filter(|asked| (now - COUNTS..=now).contains(asked));
    if let Some(asked) = asked.filter(|asked| backup.is_none_or(|backup| backup.latest < *asked)) {
        let reason = format!("the annotation {START_BACKUP} asks for one after {asked}");
        return Some(Due { field: "metadata.annotations", asked: Some(asked), reason });
    }
    let complete = backup.and_then(|backup| backup.complete)?;
    let max_age = &connector.spec.backup.max_age;
    let age = now.duration_since(complete);
    let too_old = age > SignedDuration::try_from(span(max_age)).unwrap_or(SignedDuration::MAX);
    // Without being allowed to, nothing is looked up for it.
    (too_old && connector.spec.allowed_actions.contains(&Action::StartBackup)).then(|| Due {
        field: "spec.backup.maxAge",
        asked: None,
        reason: format!("the last complete backup is older than {}", spelled(max_age)),
    })
}

/// When a person asked for one.
fn asked(connector: &Connector) -> Result<Option<Timestamp>, &str> {
    annotation(&connector.metadata, START_BACKUP).map(|said| said.parse().map_err(|_| said)).transpose()
}

/// An annotation that asks for nothing says so.
pub fn readable(connector: &Connector, now: Timestamp) -> Result<(), Problem> {
    let wrong = |why: String| {
        let message = format!("The annotation {START_BACKUP} {why}; give the time of now, such as {now:.0}");
        Err(Problem::wrong("BackupCurrent", Reason::InvalidSpec, message))
    };
    match asked(connector) {
        Err(said) => wrong(format!("is no time ('{}')", said.chars().take(40).collect::<String>())),
        // Clocks may differ a little.
        Ok(Some(asked)) if asked > now + SignedDuration::from_mins(5) => wrong("is of the time to come".to_owned()),
        Ok(_) => Ok(()),
    }
}

/// The step; `None`: what is asked for runs already, or has run.
pub fn start(due: &Due, found: &VendorConnector, allowed: Allowed, label: &str, now: Timestamp) -> Option<Step> {
    if found.details.paused.as_ref().is_some_and(|paused| paused.known() == Some(&true)) {
        return None;
    }
    let first = match found.details.jobs.as_ref()? {
        _ if found.details.paused.as_ref().is_some_and(|paused| paused.known().is_none()) => {
            Some("whether the connector is stopped can't be told".to_owned())
        }
        Seen::Unknown(fault) => Some(format!("whether one runs already can't be told: {}", fault.sentence)),
        Seen::Known(Jobs { active: true, .. }) => return None,
        Seen::Known(Jobs { latest, .. }) => match (due.asked, latest) {
            (Some(asked), Some(latest)) if *latest >= asked => return None,
            (None, Some(latest)) if now.duration_since(*latest) < AGAIN => Some(format!(
                "one began at {label} at {latest:.0}, and another one is started {} h later",
                AGAIN.as_hours()
            )),
            _ => None,
        },
    };
    let write =
        Write { action: Action::StartBackup, field: due.field, value: found.name.clone(), link: None, first: None };
    Some(Step { write, reason: due.reason.clone(), allowed: allowed.after(first.as_deref()) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::vendors::{Backup, Details};

    const NOW: &str = "2026-11-20T12:00:00Z";

    fn connector(asked: Option<&str>) -> Connector {
        let annotations = asked.map(|asked| json!({ START_BACKUP: asked }));
        serde_json::from_value(json!({
            "apiVersion": "backstay.dev/v1alpha1", "kind": "Connector",
            "metadata": { "name": "c", "annotations": annotations },
            "spec": {
                "vendor": { "keepit": { "region": "dk-co", "secretRef": { "name": "k" } } },
                "policyRef": { "name": "p" },
                "allowedActions": ["StartBackup"],
            },
        }))
        .unwrap()
    }

    fn found(backup: &str, jobs: Option<Jobs>) -> VendorConnector {
        let time: Timestamp = backup.parse().unwrap();
        VendorConnector {
            id: Some("a".into()),
            name: "n".into(),
            accessible: true,
            deleting: false,
            link: None,
            unconfigured: false,
            authorization: Seen::Known(Authorization::Granted),
            health: Seen::Known(None),
            last_backup: Seen::Known(Some(Backup { latest: time, complete: Some(time) })),
            retention: None,
            organizations: Vec::new(),
            undeclared: Vec::new(),
            details: Details { jobs: jobs.map(Seen::Known), ..Details::default() },
        }
    }

    fn jobs(active: bool, latest: Option<&str>) -> Jobs {
        Jobs { active, latest: latest.map(|latest| latest.parse().unwrap()) }
    }

    #[test]
    fn one_is_due_when_the_last_is_too_old_or_a_person_asks_and_not_for_ever() {
        let now: Timestamp = NOW.parse().unwrap();
        let is_due = |asked: Option<&str>, backup: &str| {
            due(&connector(asked), &found(backup, None), now).map(|due| due.asked.is_some())
        };
        assert_eq!(is_due(None, "2026-11-20T11:00:00Z"), None);
        assert_eq!(is_due(None, "2026-11-18T11:00:00Z"), Some(false));
        assert_eq!(is_due(Some("2026-11-20T11:30:00Z"), "2026-11-20T11:00:00Z"), Some(true));
        assert_eq!(is_due(Some("2026-11-20T10:30:00Z"), "2026-11-20T11:00:00Z"), None, "it was done");
        assert_eq!(is_due(Some("2026-11-19T11:30:00Z"), "2026-11-19T11:00:00Z"), None, "it is a day ago");
        let dead = VendorConnector {
            authorization: Seen::Known(Authorization::Required),
            ..found("2026-11-18T11:00:00Z", None)
        };
        assert_eq!(due(&connector(None), &dead, now), None);
        for (said, wrong) in [("now", true), ("2026-11-20T13:00:00Z", true), ("2026-11-20T12:04:00Z", false)] {
            assert_eq!(readable(&connector(Some(said)), now).is_err(), wrong, "{said}");
        }
    }

    #[test]
    fn what_runs_or_has_just_run_is_waited_for() {
        let now: Timestamp = NOW.parse().unwrap();
        let started = |asked: Option<&str>, jobs: Option<Jobs>| {
            let found = found("2026-11-18T11:00:00Z", jobs);
            let due = due(&connector(asked), &found, now).unwrap();
            start(&due, &found, Allowed::Yes, "Keepit", now).map(|step| step.allowed.word())
        };
        assert_eq!(started(None, Some(jobs(false, None))), Some("Yes"));
        assert_eq!(started(None, Some(jobs(false, Some("2026-11-20T06:00:00Z")))), Some("Yes"));
        assert_eq!(started(None, Some(jobs(false, Some("2026-11-20T06:00:01Z")))), Some("NotYet"));
        assert_eq!(started(None, Some(jobs(true, Some("2026-11-20T06:00:00Z")))), None);
        let asked = Some("2026-11-20T11:30:00Z");
        assert_eq!(started(asked, Some(jobs(false, Some("2026-11-20T11:00:00Z")))), Some("Yes"));
        assert_eq!(started(asked, Some(jobs(false, Some("2026-11-20T11:30:00Z")))), None);
        assert_eq!(started(asked, None), None, "nobody looked");
    }
}
