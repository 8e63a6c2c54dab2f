//! From what holds and what was done to what is said about it. [pure]

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt;

use super::act::Done;
use super::finding::Finding;
use super::handoffs::{GIVE, TAKE_BACK, take_back};
use super::observed::Observed;
use super::plan::Plan;
use super::resolve::{self, Resolved};
use super::rules::Verdict;
use super::steps::Step;
use super::window::{self, Decision};
use super::{rights, words};
use crate::api::policy::{
    DemandStatus, ElevationStatus, EnvironmentsStatus, FindingResult, FindingStatus, PlannedStep, RefusedStatus,
    ServiceAccountPolicyStatus,
};
use crate::api::shared::{HandOffStatus, Several, span};
use crate::api::{Reason, ServiceAccountPolicy};
use crate::elevation::Entry;
use crate::fault::{Class, Fault, Kind};
use crate::handoff::HandOff;
use crate::runtime::conditions::{State, whole_seconds};
use crate::runtime::expiring::{self, Ends};
use crate::runtime::{Allowed, Conditions, Outcome, Problem, Settings, handoffs};
use crate::tenant::Cloud;
use crate::tenant::facts::AccountFacts;

type Said = Outcome<ServiceAccountPolicyStatus>;

/// After a write the next look comes at once; after one that does not show yet, soon.
const AT_ONCE: Duration = Duration::from_secs(1);
const SOON: Duration = Duration::from_secs(5);
const SIGNED_IN: &str = "Microsoft accepted the sign-in of the operator's app";
const UNREAD: &str = "The account can't be read";
const PINNED: &str = "The account is the one that was pinned";
/// `status.plan` shows so many steps.
const MOST_STEPS: usize = 20;

/// The status of a policy that could be worked on.
pub fn report(
    policy: &ServiceAccountPolicy,
    observed: &Observed,
    resolved: &Resolved,
    plan: &Plan,
    done: &Done,
    settings: &Settings,
) -> Said {
    let now = observed.now;
    let old = policy.status.clone().unwrap_or_default();
    let mut conditions = begin(policy, &old, now);
    let findings: Vec<FindingStatus> = resolved
        .findings
        .iter()
        .map(|finding| finding_status(finding, resolved, &old.findings, &conditions.now()))
        .collect();
    let count = |wanted: FindingResult| {
        let counted = resolved.findings.iter().filter(|finding| finding.counts && finding.result() == wanted);
        i32::try_from(counted.count()).unwrap_or(i32::MAX)
    };
    let (failing, unknown) = (count(FindingResult::Fail), count(FindingResult::Unknown));

    let asked = resolved.asked || resolved.no_connectors;
    let unsure = |name: &str| unsure(name, resolved);
    let lacking = observed
        .account
        .as_ref()
        .ok()
        .and_then(|facts| rights::hand_off(&rights::missing(facts, done, &resolved.allowed)));
    let namespace = policy.namespace().unwrap_or_default();
    let secret = policy.spec.credential.secret().map(|secret| format!("{namespace}/{secret}")).unwrap_or_default();
    let renewal = expiring::hand_off(&secret, observed.credential_ends, now);
    let of_account = expiring::hand_off_of_account(policy.spec.account.name(), observed.app_credential_ends, now);
    let open = plan.hand_offs.iter().cloned().chain(lacking).chain(renewal).chain(of_account).collect();
    let (hand_offs, mut notes) = handoffs::merge(open, &old.hand_offs, unsure, &conditions.now());
    notes.extend(done.notes.iter().cloned());

    seen(&mut conditions, resolved);
    let window = done.window.as_ref().or(observed.window.as_ref());
    window::say(&mut conditions, window, observed.unread, now);
    if let Some(entry) = window.filter(|entry| entry.is_overdue(now)) {
        conditions.set("Ready", State::False, Reason::ElevationOverdue, window::overdue(entry));
    } else if let Some(mistake) = resolved.mistakes.first() {
        conditions.set("Ready", State::False, Reason::InvalidSpec, mistake.clone());
        conditions.set("Stalled", State::True, Reason::InvalidSpec, mistake.clone());
    } else if resolved.ungranted.is_empty() {
        ready(
            &mut conditions,
            resolved,
            plan,
            done,
            (failing, unknown),
            hand_offs.iter().any(|it| !expiring::is_ahead(&it.name)),
        );
    } else {
        let actions: Vec<String> = resolved.ungranted.iter().map(ToString::to_string).collect();
        let message = format!(
            "spec.allowedActions names {}, which no grant of the installation covers for this namespace, tenant and account (backstay run --grants; 'backstay permissions' prints the entry)",
            actions.join(", ")
        );
        conditions.set("Ready", State::False, Reason::NotGranted, message.clone());
        conditions.set("Stalled", State::True, Reason::NotGranted, message);
    }
    let fine = conditions.ready().is_some_and(|ready| ready.status == "True");
    let next = match done {
        Done { fault: Some(fault), .. } => {
            fault.retry_after().map_or_else(|| waiting(policy, settings), |wait| wait.max(AT_ONCE))
        }
        Done { pending: Some(_), .. } => SOON,
        Done { changed: true, .. } => AT_ONCE,
        _ if fine => span(&policy.spec.interval),
        _ => waiting(policy, settings),
    };
    // A waiver that ends counts no longer from that second on.
    let until_waiver =
        resolved.next_waiver_end.map(|end| Duration::try_from(end.duration_since(now)).unwrap_or_default());
    let next = until_waiver.map_or(next, |until| next.min(until.max(AT_ONCE)));
    notes.extend(conditions.turned());
    let next = no_later_than_window(next, window, now);
    let refused = if let Decision::Refuse(sentence) = &plan.window { Some(sentence) } else { None };
    let begun = |uid: &str| observed.connectors.iter().find(|asking| asking.uid == uid)?.begun;
    let demands = resolved.demands.iter().map(|demand| DemandStatus {
        refused: refused
            .zip(begun(&demand.uid))
            .map(|(message, begun)| RefusedStatus { begin_time: Time(begun), message: message.clone() }),
        ..demand.clone()
    });
    let status = ServiceAccountPolicyStatus {
        elevation: elevation(policy, window, observed.unread, now),
        observed_generation: policy.metadata.generation,
        last_handled_reconcile_at: old.last_handled_reconcile_at.clone(),
        account: resolved.account.clone().or_else(|| old.account.clone()),
        credential_expiration_time: first_end(observed),
        demands: demands.collect(),
        environments: observed.account.as_ref().ok().and_then(environments),
        findings,
        // While nobody asks, nothing counts.
        failing: asked.then_some(failing),
        unknown: asked.then_some(unknown),
        plan: plan.steps.iter().take(MOST_STEPS).map(planned).collect(),
        plan_total: Some(i32::try_from(plan.steps.len()).unwrap_or(i32::MAX)),
        hand_offs,
        conditions: conditions.finish(),
    };
    Outcome { status, notes, next }
}

/// The status of a policy that can't be worked on as it is: what was known before stays, what it answered does not.
pub fn refuse(
    policy: &ServiceAccountPolicy,
    observed: &Observed,
    problem: &Problem,
    settings: &Settings,
    now: Timestamp,
) -> Said {
    let old = policy.status.clone().unwrap_or_default();
    let mut conditions = begin(policy, &old, now);
    // What is wrong with an environment or another policy says nothing against the account.
    let unseen = observed.account.as_ref().ok().map(|facts| resolve::subject_fault(policy, facts));
    if problem.condition != "CredentialsValid" {
        signed_in(&mut conditions, unseen.as_ref().and_then(Option::as_ref));
    }
    if problem.reason == Reason::EnvironmentNotFound && unseen == Some(None) {
        conditions.set("AccountPinned", State::True, Reason::Pinned, PINNED);
    }
    let window = observed.window.as_ref();
    window::say(&mut conditions, window, observed.unread, now);
    conditions.refuse(problem);
    let mut notes = Vec::new();
    notes.extend(conditions.turned());
    let next = if problem.wakes_by_itself() { span(&policy.spec.interval) } else { waiting(policy, settings) };
    let next = problem.retry_after.map_or(next, |wait| wait.max(next));
    let status = ServiceAccountPolicyStatus {
        observed_generation: policy.metadata.generation,
        last_handled_reconcile_at: old.last_handled_reconcile_at.clone(),
        demands: Vec::new(),
        plan: Vec::new(),
        plan_total: None,
        failing: None,
        unknown: None,
        findings: Vec::new(),
        environments: None,
        credential_expiration_time: first_end(observed),
        elevation: elevation(policy, window, observed.unread, now),
        hand_offs: if problem.concerns_identity() { Vec::new() } else { still_open(&old.hand_offs, window) },
        conditions: conditions.finish(),
        account: old.account.clone(),
    };
    Outcome { status, notes, next }
}

/// When the first credential ends: the operator's, or that of an account that is an app.
fn first_end(observed: &Observed) -> Option<Time> {
    let own = observed.credential_ends.and_then(Ends::time);
    own.into_iter().chain(observed.app_credential_ends).min().map(whole_seconds)
}

/// The status of a suspended policy: it answers nobody, and what it said before is no longer said.
pub fn suspended(policy: &ServiceAccountPolicy, window: Option<&Entry>, unread: bool, now: Timestamp) -> Said {
    let old = policy.status.clone().unwrap_or_default();
    let mut conditions = begin(policy, &old, now);
    conditions.set("Ready", State::Unknown, Reason::Suspended, "Nothing is checked while spec.suspend is true");
    // What was given for a time is taken back all the same.
    window::say(&mut conditions, window, unread, now);
    // And by whoever gave it: that goes on to be asked for.
    let centers = Cloud::from(policy.spec.tenant.cloud).centers();
    let owed: Vec<HandOff> = window.and_then(|entry| take_back(entry, centers)).into_iter().collect();
    let before: Vec<HandOffStatus> = old.hand_offs.iter().filter(|it| it.name == TAKE_BACK).cloned().collect();
    let (hand_offs, notes) = handoffs::merge(owed, &before, |_| unread, &conditions.now());
    let status = ServiceAccountPolicyStatus {
        observed_generation: policy.metadata.generation,
        last_handled_reconcile_at: old.last_handled_reconcile_at.clone(),
        account: old.account.clone(),
        elevation: elevation(policy, window, unread, now),
        hand_offs,
        conditions: conditions.finish(),
        ..ServiceAccountPolicyStatus::default()
    };
    // What is being taken back meanwhile is told as it changes.
    let next = no_later_than_window(span(&policy.spec.interval), window, now);
    Outcome { status, notes, next }
}

/// The next look, sooner if the window changes by itself before.
fn no_later_than_window(next: Duration, window: Option<&Entry>, now: Timestamp) -> Duration {
    let left = |time: Timestamp| Duration::try_from(time.duration_since(now)).unwrap_or_default();
    let ahead = window.and_then(|entry| window::next(entry, now)).map(left);
    ahead.map_or(next, |ahead| next.min(ahead.max(AT_ONCE)))
}

/// What was asked for before, but for what the ledger no longer asks for.
fn still_open(old: &[HandOffStatus], window: Option<&Entry>) -> Vec<HandOffStatus> {
    let open = |name: &str| match name {
        GIVE => window.is_some_and(Entry::asks_for_it),
        TAKE_BACK => window.is_some_and(Entry::is_standing),
        _ => true,
    };
    old.iter().filter(|hand_off| open(&hand_off.name)).cloned().collect()
}

/// The window; what was known of it before, while nobody can tell.
fn elevation(
    policy: &ServiceAccountPolicy,
    window: Option<&Entry>,
    unread: bool,
    now: Timestamp,
) -> Option<ElevationStatus> {
    let before = policy.status.as_ref().and_then(|status| status.elevation.clone()).filter(|_| unread);
    window.map(|entry| window::status(entry, policy.namespace().as_deref(), now)).or(before)
}

fn begin<'a>(policy: &ServiceAccountPolicy, old: &'a ServiceAccountPolicyStatus, now: Timestamp) -> Conditions<'a> {
    Conditions::new(&old.conditions, policy.metadata.generation.unwrap_or_default(), now)
}

fn waiting(policy: &ServiceAccountPolicy, settings: &Settings) -> Duration {
    span(&policy.spec.interval).min(settings.waiting_interval)
}

/// Ready, and Reconciling while the operator itself acts or waits for what it wrote to show.
fn ready(
    conditions: &mut Conditions<'_>,
    resolved: &Resolved,
    plan: &Plan,
    done: &Done,
    (failing, unknown): (i32, i32),
    handed_off: bool,
) {
    if let Some(fault) = done.fault.as_ref().filter(|fault| fault.class == Class::Denied) {
        // Tried again and again, but somebody else has to do something first.
        let message = format!("Microsoft refuses a step: {}", fault.sentence);
        conditions.set("Ready", State::False, Reason::AwaitingPerson, message);
    } else if let Some(fault) = &done.fault {
        conditions.set(
            "Ready",
            State::False,
            Reason::Acting,
            format!("A step failed and is tried again: {}", fault.sentence),
        );
        conditions.set("Reconciling", State::True, Reason::Acting, "The plan is being carried out");
    } else if let Some(pending) = &done.pending {
        conditions.set("Ready", State::False, Reason::Propagating, pending.clone());
        conditions.set("Reconciling", State::True, Reason::Propagating, "Waiting for what was written to show");
    } else if let Some(refused) = &done.refused {
        conditions.set("Ready", State::False, Reason::Propagating, refused.clone());
        conditions.set("Reconciling", State::True, Reason::Propagating, "Waiting for what was assigned to arrive");
    } else if done.changed {
        conditions.set("Ready", State::False, Reason::Acting, "The plan is being carried out");
        conditions.set("Reconciling", State::True, Reason::Acting, "The plan is being carried out");
    } else if resolved.no_connectors && !resolved.asked && resolved.account.is_none() {
        // Nothing is asked for, and still nothing was seen to be fine.
        let fault = resolved.unseen.as_ref();
        let reason = if shut_out(fault).is_some() { Reason::Unreachable } else { Reason::NotObservable };
        conditions.set("Ready", State::Unknown, reason, fault.map_or(UNREAD, |fault| &fault.sentence));
    } else if resolved.no_connectors && !resolved.asked {
        let message =
            "No Connector asks for anything: findings are judged for the Steady stage, and nothing is changed";
        let message = match (failing, unknown) {
            (0, 0) => message.to_owned(),
            (failing, 0) => format!("{message}; failing: {failing}"),
            (failing, unknown) => format!("{message}; failing: {failing}, unknown: {unknown}"),
        };
        conditions.set("Ready", State::True, Reason::NoConnectors, message);
    } else if resolved.demands.is_empty() {
        // During a first backup, say: whether the authorization works is not known, and so neither is what is needed.
        let message = "Nothing is asked of the account while it is not known whether any Connector is authorized";
        conditions.set("Ready", State::Unknown, Reason::Pending, message);
    } else if failing > 0 && handed_off {
        conditions.set("Ready", State::False, Reason::AwaitingPerson, unmet(resolved, FindingResult::Fail));
    } else if failing > 0 {
        let waits = plan.steps.iter().find_map(|step| match &step.allowed {
            Allowed::NotYet(first) => Some(first.clone()),
            _ => None,
        });
        let lacks = unmet(resolved, FindingResult::Fail);
        let message = waits.map_or(lacks.clone(), |first| format!("{lacks}; the next step waits: {first}"));
        conditions.set("Ready", State::False, Reason::RequirementsNotMet, message);
    } else if unknown > 0 && handed_off {
        let message = unmet(resolved, FindingResult::Unknown);
        conditions.set("Ready", State::False, Reason::AwaitingPerson, message);
    } else if unknown > 0 {
        conditions.set("Ready", State::Unknown, Reason::NotObservable, unmet(resolved, FindingResult::Unknown));
    } else {
        let waived = resolved.findings.iter().filter(|it| it.counts && it.result() == FindingResult::Waived).count();
        let message = match waived {
            0 => "The account holds everything that is asked of it now".to_owned(),
            1 => "The account holds everything that is asked of it now, but for one finding that is waived".to_owned(),
            waived => format!(
                "The account holds everything that is asked of it now, but for {waived} findings that are waived"
            ),
        };
        conditions.set("Ready", State::True, Reason::Satisfied, message);
    }
}

/// The findings of this result that count, in one sentence.
fn unmet(resolved: &Resolved, result: FindingResult) -> String {
    let of_result = resolved.findings.iter().filter(|finding| finding.counts && finding.result() == result);
    words::several(&of_result.collect::<Vec<_>>(), &resolved.environment_names)
}

/// Whether it can't be told if a hand-off was done: no Connector says now what it needs, or what would close it is Unknown.
fn unsure(name: &str, resolved: &Resolved) -> bool {
    if [GIVE, TAKE_BACK].contains(&name) {
        return false;
    }
    let pending = resolved.demands.is_empty() && !resolved.no_connectors;
    let mut unknown = resolved.findings.iter().filter(|it| it.counts && it.result() == FindingResult::Unknown);
    pending || unknown.any(|finding| super::handoffs::closes(&finding.requirement.rule, name))
}

/// Whether the sign-in works, and whether the account is the pinned one.
fn seen(conditions: &mut Conditions<'_>, resolved: &Resolved) {
    signed_in(conditions, resolved.unseen.as_ref());
    match &resolved.account {
        Some(_) => conditions.set("AccountPinned", State::True, Reason::Pinned, PINNED),
        None => conditions.set("AccountPinned", State::Unknown, Reason::NotObservable, UNREAD),
    }
}

/// Whether the sign-in works, by what became of the look at the account.
fn signed_in(conditions: &mut Conditions<'_>, fault: Option<&Fault>) {
    match shut_out(fault) {
        Some(fault) => {
            conditions.set("CredentialsValid", State::Unknown, Reason::Unreachable, fault.sentence.clone());
        }
        None => conditions.set("CredentialsValid", State::True, Reason::Accepted, SIGNED_IN),
    }
}

/// What keeps the operator from signing in: who is told that a permission is missing was let in.
fn shut_out(fault: Option<&Fault>) -> Option<&Fault> {
    fault.filter(|fault| fault.kind != Kind::PermissionMissing)
}

/// How many environments are judged, and which are not, and why.
fn environments(facts: &AccountFacts) -> Option<EnvironmentsStatus> {
    let all = facts.environments.known()?;
    let resting = all.values().filter(|(_, access)| access.unknown_for(Kind::NotRunning));
    let resting: Vec<String> = resting.map(|(environment, _)| environment.name.clone()).collect();
    Some(EnvironmentsStatus {
        selected: i32::try_from(all.len()).unwrap_or(i32::MAX),
        without_dataverse: Several::of(&facts.without_dataverse),
        not_running: Several::of(&resting),
    })
}

fn planned(step: &Step) -> PlannedStep {
    PlannedStep {
        step: step.what.word().to_owned(),
        effect: step.what.effect(),
        target: step.what.target().to_owned(),
        reason: step.allowed.reason(step.what.reason()),
        action: step.what.action().to_string(),
        allowed: step.allowed.word().to_owned(),
    }
}

fn finding_status(finding: &Finding, resolved: &Resolved, old: &[FindingStatus], now: &Time) -> FindingStatus {
    let id = finding.requirement.id();
    let result = finding.result();
    let (message, remedy, environments) = match &finding.waived {
        Verdict::Whole(judgement) => (judgement.message.clone(), judgement.remedy.clone(), None),
        Verdict::Environments(each) => words::summed_up(each, &resolved.environment_names),
    };
    let message = finding.in_vain.as_ref().map_or(message.clone(), |in_vain| format!("{message}; {in_vain}"));
    let since = old.iter().find(|old| old.id == id && old.result == result);
    FindingStatus {
        id,
        stages: finding.requirement.stages.to_vec(),
        result,
        message,
        remedy,
        environments,
        expiration_time: words::ends(&finding.waived, result).map(Time),
        last_transition_time: since.map_or_else(|| now.clone(), |old| old.last_transition_time.clone()),
    }
}
