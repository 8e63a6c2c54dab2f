//! From what holds to what is said about it. [pure]

use std::time::Duration;

use jiff::Timestamp;

use super::act::Done;
use super::gather::{Observed, PolicySeen};
use super::resolve::Resolved;
use crate::api::connector::{
    AuthorizationState, AuthorizationStatus, BackupResult, HealthStatus, LastBackupStatus, VendorAccountStatus,
};
use crate::api::policy::Stage;
use crate::api::shared::span;
use crate::api::{Connector, ConnectorStatus, Reason};
use crate::runtime::conditions::{State, whole_seconds};
use crate::runtime::{Conditions, Note, Outcome, Problem, Settings, Trouble};
use crate::seen::Seen;
use crate::vendors::{Authorization, Backup, VendorConnector};

type Said = Outcome<ConnectorStatus>;

/// What one condition says, before it is written.
struct Says(State, Reason, String);

/// The status of a Connector that could be worked on.
pub fn report(connector: &Connector, resolved: &Resolved, done: Done, settings: &Settings, now: Timestamp) -> Said {
    let old = connector.status.clone().unwrap_or_default();
    let mut conditions = begin(connector, &old, now);
    let label = connector.spec.vendor.vendor().label();
    let found = resolved.found.as_ref();
    let mut notes = Vec::new();

    // One that was adopted before and is not shown now is gone, or hidden.
    let lost = found.is_none() && old.connector_id.is_some();
    let provisioned = provisioned(found, lost, label);
    let (state, authorized) = authorized(found, lost, label);
    let (backup, backed_up, until) = backed_up(connector, found, lost, label, now);
    let satisfied = satisfied(connector, resolved.policy.as_ref(), state);
    if let (Some(backup), Some(found)) = (&backup, found)
        && old.last_backup.as_ref().is_none_or(|old| old.completion_time != backup.completion_time)
    {
        notes.push(Note::normal("BackupFinished", "Observe", format!("A backup of \"{}\" has finished", found.name)));
    }

    let backup_unknown = backed_up.0 == State::Unknown;
    conditions.set("CredentialsValid", State::True, Reason::Accepted, format!("{label} accepted the credential"));
    for (kind, Says(state, reason, message)) in [
        ("PolicySatisfied", &satisfied),
        ("Provisioned", &provisioned),
        ("Authorized", &authorized),
        ("BackupCurrent", &backed_up),
    ] {
        conditions.set(kind, *state, *reason, message.clone());
    }
    match &satisfied {
        Says(State::False, reason, message) if for_good(*reason) => {
            conditions.refuse(&Problem::wrong("PolicySatisfied", *reason, message.clone()));
        }
        Says(_, Reason::DependencyMissing, message) => {
            conditions.refuse(&Problem::missing("PolicySatisfied", message.clone()));
        }
        _ => {
            let turn =
                done.hand_offs.first().map(|first| Says(State::False, Reason::AwaitingPerson, first.title.clone()));
            let Says(state, reason, message) =
                turn.or_else(|| first_not_true([provisioned, authorized, backed_up, satisfied])).unwrap_or_else(|| {
                    Says(State::True, Reason::Current, format!("{label} backs up, and the account holds what it needs"))
                });
            conditions.set("Ready", state, reason, message);
        }
    }
    let fine = conditions.ready().is_some_and(|ready| ready.status == "True");
    let look_again = if fine { span(&connector.spec.interval) } else { waiting(connector, settings) };
    notes.extend(conditions.turned());
    let status = ConnectorStatus {
        observed_generation: connector.metadata.generation,
        vendor: Some(label.to_owned()),
        account: Some(VendorAccountStatus { id: resolved.account.clone() }),
        // One that is gone may come back: it is followed by its id, whatever it is called then.
        connector_id: found.map(|found| found.id.clone()).or_else(|| old.connector_id.clone()),
        authorization: Some(authorization(state, &old, &conditions)),
        // What was last known stays while it can't be told.
        last_backup: backup.or_else(|| old.last_backup.clone().filter(|_| backup_unknown)),
        health: found
            .and_then(|found| found.health.known())
            .cloned()
            .flatten()
            .map(|health| HealthStatus { state: health.state, reason: health.reason }),
        hand_offs: done.hand_offs,
        conditions: conditions.finish(),
    };
    // A backup that is about to be too old is looked at when it is.
    Outcome { status, notes, next: until.map_or(look_again, |until| look_again.min(until)) }
}

/// The status of a Connector that can't be worked on as it is. What was adopted and what a person was asked for stays;
/// what can't be seen now is Unknown now.
pub fn refuse(
    connector: &Connector,
    observed: &Observed,
    problem: &Problem,
    settings: &Settings,
    now: Timestamp,
) -> Said {
    let old = connector.status.clone().unwrap_or_default();
    let mut conditions = begin(connector, &old, now);
    if problem.condition != "CredentialsValid" {
        let label = connector.spec.vendor.vendor().label();
        // What is wrong with the object was found out with an answer in hand; without one, nobody accepted anything.
        match problem.trouble {
            Trouble::Wrong => {
                let message = format!("{label} accepted the credential");
                conditions.set("CredentialsValid", State::True, Reason::Accepted, message);
            }
            Trouble::Missing | Trouble::Later => {
                conditions.set(
                    "CredentialsValid",
                    State::Unknown,
                    problem.reason,
                    "Can't be told while Ready says why",
                );
            }
        }
    }
    let Says(state, reason, message) = satisfied(connector, observed.policy.as_ref(), AuthorizationState::Unknown);
    conditions.set("PolicySatisfied", state, reason, message);
    for kind in ["Provisioned", "Authorized", "BackupCurrent"] {
        conditions.set(kind, State::Unknown, problem.reason, "Can't be told while Ready says why");
    }
    conditions.refuse(problem);
    let next = if problem.wakes_by_itself() { span(&connector.spec.interval) } else { waiting(connector, settings) };
    let next = problem.retry_after.map_or(next, |wait| wait.max(next));
    let notes = conditions.turned().into_iter().collect();
    let status = ConnectorStatus {
        observed_generation: connector.metadata.generation,
        vendor: Some(connector.spec.vendor.vendor().label().to_owned()),
        authorization: Some(authorization(AuthorizationState::Unknown, &old, &conditions)),
        health: None,
        hand_offs: if problem.concerns_identity() { Vec::new() } else { old.hand_offs.clone() },
        conditions: conditions.finish(),
        account: old.account.clone(),
        connector_id: old.connector_id.clone(),
        last_backup: old.last_backup.clone(),
    };
    Outcome { status, notes, next }
}

/// The status of a suspended Connector: nothing was looked at, so nothing is known.
pub fn suspended(connector: &Connector, now: Timestamp) -> Said {
    let old = connector.status.clone().unwrap_or_default();
    let mut conditions = begin(connector, &old, now);
    conditions.set("Ready", State::Unknown, Reason::Suspended, "Nothing is checked while spec.suspend is true");
    let status = ConnectorStatus {
        observed_generation: connector.metadata.generation,
        authorization: None,
        health: None,
        conditions: conditions.finish(),
        ..old
    };
    Outcome { status, notes: Vec::new(), next: span(&connector.spec.interval) }
}

fn begin<'a>(connector: &Connector, old: &'a ConnectorStatus, now: Timestamp) -> Conditions<'a> {
    Conditions::new(&old.conditions, connector.metadata.generation.unwrap_or_default(), now)
}

fn waiting(connector: &Connector, settings: &Settings) -> Duration {
    span(&connector.spec.interval).min(settings.waiting_interval)
}

fn first_not_true(all: [Says; 4]) -> Option<Says> {
    let (unknown, known): (Vec<Says>, Vec<Says>) =
        all.into_iter().filter(|says| says.0 != State::True).partition(|says| says.0 == State::Unknown);
    // What is known to be wrong is said before what is not known.
    known.into_iter().chain(unknown).next()
}

fn provisioned(found: Option<&VendorConnector>, lost: bool, label: &str) -> Says {
    match found {
        None if lost => {
            let message = format!("{label} no longer shows the connector that was adopted");
            Says(State::False, Reason::NotFound, message)
        }
        None => Says(State::False, Reason::NotFound, format!("{label} has no such connector yet")),
        Some(found) if found.deleting => {
            Says(State::False, Reason::Deleting, format!("The connector is scheduled for deletion at {label}"))
        }
        Some(found) if !found.accessible => Says(
            State::False,
            Reason::NotAccessible,
            "The credential's user may not look into the connector".to_owned(),
        ),
        Some(_) => Says(State::True, Reason::Adopted, format!("Found at {label} and adopted")),
    }
}

fn authorized(found: Option<&VendorConnector>, lost: bool, label: &str) -> (AuthorizationState, Says) {
    let required = |message| (AuthorizationState::Required, Says(State::False, Reason::AuthorizationRequired, message));
    let unknown = |message| (AuthorizationState::Unknown, Says(State::Unknown, Reason::NotObservable, message));
    match found {
        None if lost => {
            required("Nobody has signed in for a connector that takes the place of the one that was adopted".to_owned())
        }
        None => required("Nobody has signed in for the connector yet".to_owned()),
        Some(found) if found.deleting || !found.accessible => {
            unknown("Can't be told while the connector is not accessible".to_owned())
        }
        Some(found) => match &found.authorization {
            Seen::Known(Authorization::Granted) => (
                AuthorizationState::Granted,
                Says(State::True, Reason::Granted, format!("{label} works with the authorization")),
            ),
            Seen::Known(Authorization::Required) => required(format!("{label} says that the authorization is dead")),
            Seen::Known(Authorization::NoEvidence) => {
                unknown(format!("Nothing that {label} shows proves yet that the authorization works"))
            }
            Seen::Unknown(fault) => unknown(fault.sentence.clone()),
        },
    }
}

fn authorization(state: AuthorizationState, old: &ConnectorStatus, conditions: &Conditions<'_>) -> AuthorizationStatus {
    let unchanged = old.authorization.as_ref().filter(|old| old.state == state);
    let last_transition_time = unchanged.map_or_else(|| conditions.now(), |old| old.last_transition_time.clone());
    AuthorizationStatus { state, last_transition_time }
}

/// The last backup, what is said of it, and how long that stays true.
fn backed_up(
    connector: &Connector,
    found: Option<&VendorConnector>,
    lost: bool,
    label: &str,
    now: Timestamp,
) -> (Option<LastBackupStatus>, Says, Option<Duration>) {
    let unknown = |message: &str| (None, Says(State::Unknown, Reason::NotObservable, message.to_owned()), None);
    let Some(found) = found else {
        if lost {
            return unknown("Can't be told: the connector that was adopted is no longer shown");
        }
        return (None, Says(State::False, Reason::NoBackup, "There is no connector yet".to_owned()), None);
    };
    let Backup { latest, complete } = match &found.last_backup {
        Seen::Unknown(fault) => return unknown(&fault.sentence),
        // Its backups are listed no longer: that is not to say that there are none.
        Seen::Known(None) if found.deleting || !found.accessible => {
            return unknown("Can't be told while the connector is not accessible");
        }
        Seen::Known(None) => {
            let says = Says(State::False, Reason::NoBackup, format!("{label} shows no finished backup yet"));
            return (None, says, None);
        }
        Seen::Known(Some(backup)) => *backup,
    };
    let result = if complete == Some(latest) { BackupResult::Complete } else { BackupResult::Partial };
    let backup = Some(LastBackupStatus { completion_time: whole_seconds(latest), result });
    // What a restore can rely on is the last one that holds everything.
    let Some(complete) = complete else {
        let message = format!("{label} shows no complete backup yet, only partial ones");
        return (backup, Says(State::False, Reason::NoBackup, message), None);
    };
    let max_age = &connector.spec.backup.max_age;
    let age = Duration::try_from(now.duration_since(complete)).unwrap_or_default();
    if let Some(left) = span(max_age).checked_sub(age) {
        let message = "The last complete backup is younger than spec.backup.maxAge".to_owned();
        (backup, Says(State::True, Reason::Current, message), Some(left + Duration::from_secs(1)))
    } else {
        let message = format!("The last complete backup is older than spec.backup.maxAge ({})", spelled(max_age));
        (backup, Says(State::False, Reason::BackupTooOld, message), None)
    }
}

/// A duration as people write it in a spec: `36h`, not `36h0m0s`.
fn spelled(duration: &kube::core::Duration) -> String {
    let seconds = span(duration).as_secs();
    match (seconds / 3600, seconds % 3600 / 60, seconds % 60) {
        (hours, 0, 0) => format!("{hours}h"),
        (0, minutes, 0) => format!("{minutes}m"),
        (hours, minutes, 0) => format!("{hours}h{minutes}m"),
        _ => format!("{seconds}s"),
    }
}

/// Whether the policy's answer stays until somebody changes a spec: the Connector's, or the policy's.
fn for_good(reason: Reason) -> bool {
    let of_the_account = matches!(reason, Reason::AccountNotFound | Reason::AccountChanged);
    of_the_account || matches!(reason, Reason::NoMatchingProfile | Reason::EnvironmentNotFound)
}

/// What the policy answered, if it answered to what is asked now: the stage follows from the authorization, and an answer to
/// another stage is no answer.
fn satisfied(connector: &Connector, policy: Option<&PolicySeen>, authorization: AuthorizationState) -> Says {
    let Some(policy) = policy else {
        let message =
            format!("ServiceAccountPolicy {} (spec.policyRef.name) is not there", connector.spec.policy_ref.name);
        return Says(State::Unknown, Reason::DependencyMissing, message);
    };
    let name = &connector.spec.policy_ref.name;
    if let Some(reason) = policy.lost_account() {
        let message = format!(
            "ServiceAccountPolicy {name} says {reason} of the account: nobody should sign in as it before that is put right there"
        );
        return Says(State::False, reason, message);
    }
    let stage = match authorization {
        AuthorizationState::Required => Stage::Setup,
        AuthorizationState::Granted => Stage::Steady,
        AuthorizationState::Unknown => {
            let message = "Nothing is asked of the account while the authorization is unknown".to_owned();
            return Says(State::Unknown, Reason::Pending, message);
        }
    };
    let Some(answer) = policy.answer.as_ref().filter(|answer| answer.stage == stage) else {
        let message = match &policy.not_ready {
            Some(reason) => format!("ServiceAccountPolicy {name} gives no answer: its own Ready says {reason}"),
            None => "The policy has not answered yet".to_owned(),
        };
        return Says(State::Unknown, Reason::Pending, message);
    };
    let message = answer.message.clone().unwrap_or_default();
    // The person's steps are there, not here.
    let message = if policy.hands_off && answer.ready != "True" {
        format!("{message}; see status.handOffs of ServiceAccountPolicy {name}")
    } else {
        message
    };
    let reason = match answer.reason.as_deref() {
        Some("NoMatchingProfile") => Reason::NoMatchingProfile,
        Some("EnvironmentNotFound") => Reason::EnvironmentNotFound,
        Some("NotObservable") => Reason::NotObservable,
        _ => Reason::RequirementsNotMet,
    };
    match answer.ready.as_str() {
        "True" => {
            Says(State::True, Reason::Satisfied, "The account holds everything that this stage asks for".to_owned())
        }
        "False" => Says(State::False, reason, message),
        _ => Says(State::Unknown, reason, message),
    }
}
