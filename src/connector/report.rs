//! From what holds to what is said about it. [pure]

use std::time::Duration;

use jiff::Timestamp;

use super::act::Done;
use super::authorization::{ahead, authorization, reauthenticated, with_profile, with_time};
use super::observed::Observed;
use super::organizations;
use super::plan::Plan;
use super::reauthentication::kept;
use super::resolve::Resolved;
use super::says::{Says, authorized, backed_up, for_good, in_sync, provisioned, satisfied};
use super::steps::Step;
use crate::api::connector::{AuthorizationState, DriftStatus, HealthStatus, LastBackupStatus, VendorAccountStatus};
use crate::api::policy::{PlannedStep, StepEffect};
use crate::api::shared::{HandOffStatus, Several, span};
use crate::api::{Connector, ConnectorStatus, Happened, Reason};
use crate::fault::Kind;
use crate::runtime::conditions::{State, whole_seconds};
use crate::runtime::expiring::{self, Ends};
use crate::runtime::{Allowed, Conditions, Note, Outcome, Problem, Settings, Trouble};
use crate::seen::Seen;
use crate::vendors::{Action, Drift, VendorConnector};

type Said = Outcome<ConnectorStatus>;

/// After a write the next look comes at once.
const AT_ONCE: Duration = Duration::from_secs(1);

/// The status of a Connector that could be worked on.
pub fn report(
    connector: &Connector,
    resolved: &Resolved,
    plan: &Plan,
    observed: &Observed,
    done: Done,
    settings: &Settings,
    now: Timestamp,
) -> Said {
    let old = connector.status.clone().unwrap_or_default();
    let mut conditions = begin(connector, &old, now);
    let vendor = connector.spec.vendor.vendor();
    let label = vendor.label();
    let found = resolved.found.as_ref();

    // One that was adopted before and is not shown now is gone, or hidden.
    let lost = found.is_none() && old.connector_id.is_some();
    let hindrance = done.hindered.clone().or_else(|| plan.steps.iter().find_map(hindrance));
    let provisioned = provisioned(resolved, lost, hindrance.as_deref(), label);
    let (state, authorized) = authorized(resolved, lost, label);
    let (backup, backed_up, until) = backed_up(connector, found, lost, label, now);
    let satisfied = satisfied(connector, resolved.policy.as_ref(), resolved.stage(state));
    let organizations = organizations::seen(found, &resolved.missing, &old.organizations);
    let mut notes = organizations::failed(&organizations, &old.organizations);
    notes.extend(finished(backup.as_ref(), found, old.last_backup.as_ref()));
    let mut hand_offs = done.hand_offs;
    notes.extend(evidence(&mut hand_offs, observed, label));
    notes.extend(exceeded(&resolved.exceeded, &old.limits_exceeded, label));
    let backup_unknown = backed_up.0 == State::Unknown;
    // What a vendor shows to no program, ever, is waited for by nobody: the condition goes on to say that it is not known.
    let never_shown = found.is_some_and(|found| found.last_backup.unknown_for(Kind::NotShown));
    let shown = if never_shown { None } else { Some(backed_up.clone()) };
    let ends = resolved.attested.as_ref().filter(|attested| attested.void.is_none()).map(|attested| {
        Duration::try_from(attested.said.until.duration_since(now)).unwrap_or_default() + Duration::from_secs(1)
    });
    if vendor.secret().is_some() {
        conditions.set("CredentialsValid", State::True, Reason::Accepted, accepted(label, &resolved.lacks));
    }
    for (kind, Says(state, reason, message)) in [
        ("PolicySatisfied", &satisfied),
        ("Provisioned", &provisioned),
        ("Authorized", &authorized),
        ("BackupCurrent", &backed_up),
    ] {
        conditions.set(kind, *state, *reason, message.clone());
    }
    let drift = drifted(resolved);
    let unseen = found.and_then(|found| found.details.unseen());
    if let Some(Says(state, reason, message)) = found
        .filter(|it| vendor.can_drift() && it.accessible && !it.deleting)
        .map(|_| in_sync(&drift, hindrance.as_deref(), unseen, label))
    {
        conditions.set("InSync", state, reason, message);
    }
    match &satisfied {
        Says(State::False, reason, message) if for_good(*reason) => {
            conditions.refuse(&Problem::wrong("PolicySatisfied", *reason, message.clone()));
        }
        Says(_, Reason::DependencyMissing, message) => {
            conditions.refuse(&Problem::missing("PolicySatisfied", message.clone()));
        }
        _ => {
            let all = [Some(provisioned), Some(authorized), shown, Some(satisfied)];
            let Says(state, reason, message) = ready(resolved, plan, &hand_offs, all, label);
            conditions.set("Ready", state, reason, message);
        }
    }
    let judged = &resolved.reauthentication;
    notes.extend(reauthenticated(judged, old.reauthentication.as_ref(), label));
    let ahead = ahead(connector, resolved, now);
    let until = until.into_iter().chain(ends).chain(ahead).min();
    let fine = conditions.ready().is_some_and(|ready| ready.status == "True");
    let look_again = if done.changed {
        AT_ONCE
    } else if fine && done.hindered.is_none() {
        span(&connector.spec.interval)
    } else {
        waiting(connector, settings)
    };
    notes.extend(conditions.turned());
    let status = ConnectorStatus {
        observed_generation: connector.metadata.generation,
        last_handled_reconcile_at: old.last_handled_reconcile_at.clone(),
        vendor: Some(label.to_owned()),
        account: resolved.account.clone().map(|id| VendorAccountStatus { id }),
        credential_expiration_time: observed.credential_ends.and_then(Ends::time).map(whole_seconds),
        // One that is gone may come back: it is followed by its id, whatever it is called then.
        connector_id: found.and_then(|found| found.id.clone()).or_else(|| old.connector_id.clone()),
        authorization: Some(with_time(
            with_profile(
                authorization(state, resolved.attested.as_ref(), &old, &conditions),
                resolved,
                &conditions.now(),
            ),
            judged,
        )),
        reauthentication: judged.request.clone(),
        // What was last known stays while it can't be told.
        last_backup: backup.or_else(|| old.last_backup.clone().filter(|_| backup_unknown)),
        health: found
            .and_then(|found| found.health.known())
            .cloned()
            .flatten()
            .map(|health| HealthStatus { state: health.state, reason: health.reason }),
        organizations,
        drift,
        plan: plan.steps.iter().map(planned).collect(),
        undeclared: Several::of(&resolved.undeclared),
        limits_exceeded: resolved.exceeded.clone(),
        hand_offs,
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
    if problem.condition != "CredentialsValid" && connector.spec.vendor.vendor().secret().is_some() {
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
    let Says(state, reason, message) = satisfied(connector, observed.policy.as_ref(), None);
    conditions.set("PolicySatisfied", state, reason, message);
    let in_sync = connector.spec.vendor.vendor().can_drift().then_some("InSync");
    for kind in ["Provisioned", "Authorized", "BackupCurrent"].into_iter().chain(in_sync) {
        conditions.set(kind, State::Unknown, problem.reason, "Can't be told while Ready says why");
    }
    conditions.refuse(problem);
    let next = if problem.wakes_by_itself() { span(&connector.spec.interval) } else { waiting(connector, settings) };
    let next = problem.retry_after.map_or(next, |wait| wait.max(next));
    let notes = conditions.turned().into_iter().collect();
    let status = ConnectorStatus {
        observed_generation: connector.metadata.generation,
        last_handled_reconcile_at: old.last_handled_reconcile_at.clone(),
        vendor: Some(connector.spec.vendor.vendor().label().to_owned()),
        authorization: Some(authorization(AuthorizationState::Unknown, None, &old, &conditions)),
        health: None,
        hand_offs: if problem.concerns_identity() { Vec::new() } else { old.hand_offs.clone() },
        // What can't be seen now was not done for that.
        reauthentication: kept(old.reauthentication.as_ref(), observed.policy.as_ref(), now)
            .filter(|_| !problem.concerns_identity()),
        conditions: conditions.finish(),
        account: old.account.clone(),
        credential_expiration_time: observed.credential_ends.and_then(Ends::time).map(whole_seconds),
        connector_id: old.connector_id.clone(),
        last_backup: old.last_backup.clone(),
        organizations: old.organizations.clone(),
        drift: old.drift.clone(),
        plan: Vec::new(),
        undeclared: old.undeclared.clone(),
        limits_exceeded: old.limits_exceeded.clone(),
    };
    Outcome { status, notes, next }
}

/// The status of a suspended Connector: nothing was looked at, so nothing is known.
pub fn suspended(connector: &Connector, now: Timestamp) -> Said {
    let old = connector.status.clone().unwrap_or_default();
    let mut conditions = begin(connector, &old, now);
    conditions.set("Ready", State::Unknown, Reason::Suspended, "Nothing is checked while spec.suspend is true");
    // What was void before goes on to be void afterwards, and what was last signed in goes on to age.
    let kept = old.authorization.as_ref().is_some_and(|old| old.attestation.is_some() || old.authorized_time.is_some());
    let unknown = kept.then(|| authorization(AuthorizationState::Unknown, None, &old, &conditions));
    let status = ConnectorStatus {
        observed_generation: connector.metadata.generation,
        last_handled_reconcile_at: old.last_handled_reconcile_at.clone(),
        authorization: unknown,
        health: None,
        conditions: conditions.finish(),
        ..old
    };
    Outcome { status, notes: Vec::new(), next: span(&connector.spec.interval) }
}

/// The status of a Connector that is deleted and held: whose turn it is, and what is about to be done.
pub fn held(
    connector: &Connector,
    Says(state, reason, message): Says,
    step: Option<&Step>,
    now: Timestamp,
) -> ConnectorStatus {
    let old = connector.status.clone().unwrap_or_default();
    let mut conditions = begin(connector, &old, now);
    conditions.set("Ready", state, reason, message);
    ConnectorStatus {
        observed_generation: connector.metadata.generation,
        last_handled_reconcile_at: old.last_handled_reconcile_at.clone(),
        plan: step.map(planned).into_iter().collect(),
        hand_offs: Vec::new(),
        conditions: conditions.finish(),
        ..old
    }
}

/// What is declared and is otherwise at the vendor.
fn drifted(resolved: &Resolved) -> Vec<DriftStatus> {
    let status = |it: &Drift| DriftStatus {
        field: it.field.to_owned(),
        desired: it.desired.clone(),
        observed: it.observed.clone(),
    };
    resolved.drift.iter().map(status).collect()
}

/// Why a step is not taken, if it is not: the end of a sentence.
fn hindrance(step: &Step) -> Option<String> {
    let action = step.write.action;
    match &step.allowed {
        Allowed::Yes => None,
        Allowed::NotAllowed => Some(format!("spec.allowedActions does not name {action}")),
        Allowed::NotGranted => {
            Some(format!("no grant of the installation covers {action} at this vendor account (backstay run --grants)"))
        }
        Allowed::ReadOnly => Some("the operator runs with --read-only".to_owned()),
        Allowed::NotYet(first) => Some(first.clone()),
    }
}

/// That the credential is good, and what it is not good for: said before it is tried.
fn accepted(label: &str, lacks: &[Action]) -> String {
    if lacks.is_empty() {
        return format!("{label} accepted the credential");
    }
    let lacks = lacks.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    format!(
        "{label} accepted the credential, whose own rights there don't cover {lacks}: its user needs a role that may"
    )
}

/// An Event for a backup that was not shown before.
fn finished(
    backup: Option<&LastBackupStatus>,
    found: Option<&VendorConnector>,
    before: Option<&LastBackupStatus>,
) -> Option<Note> {
    let (backup, found) = backup.zip(found)?;
    let new = before.is_none_or(|old| old.completion_time != backup.completion_time);
    new.then(|| {
        Note::normal(Happened::BackupFinished, "Observe", format!("A backup of \"{}\" has finished", found.name))
    })
}

/// What people were seen to have done of what they were asked for, and an Event for what is new. It supports, and proves nothing: the
/// hand-off stays open until the vendor works.
fn evidence(hand_offs: &mut [HandOffStatus], observed: &Observed, label: &str) -> Vec<Note> {
    let deeds = match &observed.details.audit {
        None => return Vec::new(),
        Some(Seen::Known(deeds)) => deeds,
        Some(Seen::Unknown(fault)) => {
            let sentence = format!("{label}'s audit can't be looked into: {}", fault.sentence);
            for hand_off in hand_offs {
                hand_off.evidence = Some(sentence.clone());
            }
            return Vec::new();
        }
    };
    let mut notes = Vec::new();
    for hand_off in hand_offs {
        let Some(deed) = deeds.iter().find(|deed| deed.time >= hand_off.request_time.0) else {
            hand_off.evidence = None;
            continue;
        };
        let sentence = format!("{label}'s audit: {} by {} at {:.0}", deed.what, deed.who, deed.time);
        if hand_off.evidence.as_ref() != Some(&sentence) {
            notes.push(
                Note::normal(Happened::HandOffUnderWay, "Observe", sentence.clone()).about("HandOff", &hand_off.name),
            );
            hand_off.evidence = Some(sentence);
        }
    }
    notes
}

/// An Event for limits that were not exceeded before.
fn exceeded(now: &[String], before: &[String], label: &str) -> Option<Note> {
    let new: Vec<&str> = now.iter().filter(|limit| !before.contains(limit)).map(String::as_str).collect();
    let sentence = format!("The {label} account exceeds a limit: {}", new.join(", "));
    (!new.is_empty()).then(|| Note::warning(Happened::LimitExceeded, "Observe", sentence))
}

/// A step, as a status has it.
fn planned(step: &Step) -> PlannedStep {
    PlannedStep {
        step: step.write.action.to_string(),
        effect: match step.write.action {
            Action::Create | Action::StartBackup | Action::GrantAccess => StepEffect::Create,
            Action::Delete => StepEffect::Delete,
            Action::Pause | Action::Rename | Action::ExtendRetention | Action::ShortenRetention => StepEffect::Change,
        },
        target: step.write.value.clone(),
        reason: step.allowed.reason(&step.reason),
        action: step.write.action.to_string(),
        allowed: step.allowed.word().to_owned(),
    }
}

fn begin<'a>(connector: &Connector, old: &'a ConnectorStatus, now: Timestamp) -> Conditions<'a> {
    Conditions::new(&old.conditions, connector.metadata.generation.unwrap_or_default(), now)
}

fn waiting(connector: &Connector, settings: &Settings) -> Duration {
    span(&connector.spec.interval).min(settings.waiting_interval)
}

/// Whether all is well, or whose turn it is.
fn ready(resolved: &Resolved, plan: &Plan, hand_offs: &[HandOffStatus], all: [Option<Says>; 4], label: &str) -> Says {
    // What ends some day keeps nobody from being Ready before.
    let first = hand_offs.iter().find(|hand_off| !expiring::is_ahead(&hand_off.name));
    if let Some(first) = first.filter(|_| !plan.can_wait) {
        return Says(State::False, Reason::AwaitingPerson, first.title.clone());
    }
    if let Some(says) = first_not_true(all) {
        return says;
    }
    if let Some(first) = first {
        let message = format!("{label} backs up; soon: {}", first.title);
        return Says(State::True, Reason::ReauthenticationRequested, message);
    }
    if resolved.attested.is_some() {
        let message = "The account holds what it needs, and a person has attested the rest".to_owned();
        return Says(State::True, Reason::Attested, message);
    }
    Says(State::True, Reason::Current, format!("{label} backs up, and the account holds what it needs"))
}

fn first_not_true(all: [Option<Says>; 4]) -> Option<Says> {
    let (unknown, known): (Vec<Says>, Vec<Says>) =
        all.into_iter().flatten().filter(|says| says.0 != State::True).partition(|says| says.0 == State::Unknown);
    // What is known to be wrong is said before what is not known.
    known.into_iter().chain(unknown).next()
}
