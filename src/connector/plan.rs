//! From what holds to what is to be done, and by whom. [pure]

use jiff::Timestamp;
use kube::ResourceExt;

use super::due::start;
use super::observed::{Observed, called};
use super::reauthentication::Judged;
use super::resolve::{MOVE, Resolved, allowed};
use super::says::satisfied;
use super::steps::Step;
use crate::api::Connector;
use crate::api::connector::{AuthorizationState, DriftPolicy, ReauthenticationState};
use crate::handoff::HandOff;
use crate::runtime::conditions::State;
use crate::runtime::expiring;
use crate::runtime::marks::{BEGIN, DONE};
use crate::seen::Seen;
use crate::vendors::{Action, Authorization, Need, What, Write};

/// What is to be done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// What the operator could write at the vendor, in order.
    pub steps: Vec<Step>,
    /// What only a person can do.
    pub hand_offs: Vec<HandOff>,
    /// Whether nobody may be asked to sign in any more: what was asked before is taken back, not done.
    pub withdrawn: bool,
    /// Whether it can't be told if what a person was asked for before was done.
    pub unsure: bool,
    /// Whether what a person is asked for may wait: everything works until then.
    pub can_wait: bool,
}

/// What creates the connector, or makes it what is declared: where that is asked for, and it can be followed by an id.
fn steps(connector: &Connector, resolved: &Resolved, observed: &Observed, now: Timestamp) -> Vec<Step> {
    if let Some(creation) = &resolved.creation {
        return vec![create(connector, resolved, observed, &creation.write)];
    }
    let found = resolved.found.as_ref();
    let label = connector.spec.vendor.vendor().label();
    let backup = found
        .zip(resolved.due.as_ref())
        .and_then(|(found, due)| start(due, found, allowed(connector, observed, Action::StartBackup), label, now));
    let corrects = connector.spec.drift_policy == Some(DriftPolicy::Correct);
    let Some(found) = found.filter(|found| corrects && found.id.is_some() && !found.deleting) else {
        return backup.into_iter().collect();
    };
    let steps = |drift: &crate::vendors::Drift| {
        let writes = connector.spec.vendor.vendor().corrections(drift, found).into_iter();
        let step = |write: Write| {
            let allowed = allowed(connector, observed, write.action).after(write.first.as_deref());
            Step { reason: format!("{} is {}", write.field, drift.observed), write, allowed }
        };
        writes.map(step).collect::<Vec<_>>()
    };
    resolved.drift.iter().flat_map(steps).chain(backup).collect()
}

/// Nothing is created for an account that could not keep it alive.
fn create(connector: &Connector, resolved: &Resolved, observed: &Observed, write: &Write) -> Step {
    let stage = resolved.stage(AuthorizationState::Granted);
    let holds = satisfied(connector, resolved.policy.as_ref(), stage).0 == State::True;
    let first = (!holds).then_some("the account has to hold what its policy asks for first");
    let refused = (!resolved.creates).then_some("it was refused, and a person is asked to create it");
    let allowed = allowed(connector, observed, write.action).after(write.first.as_deref()).after(refused).after(first);
    let label = connector.spec.vendor.vendor().label();
    Step { write: write.clone(), reason: format!("{label} has no such connector"), allowed }
}

/// Makes the plan.
pub fn plan(connector: &Connector, resolved: &Resolved, observed: &Observed, now: Timestamp) -> Plan {
    let request = resolved.reauthentication.request.as_ref();
    let awaits = request.is_some_and(|request| request.state == ReauthenticationState::AwaitingEvidence);
    let what = match &resolved.found {
        None => (!resolved.creates).then_some(What::Create),
        Some(found) if found.deleting => Some(What::Undelete),
        Some(found) if !found.accessible => Some(What::GrantAccess),
        Some(_) if resolved.moving => Some(What::Move),
        Some(_) if awaits => None,
        Some(_) if request.is_some() || dead(resolved) => Some(What::Reauthenticate),
        Some(_) if !resolved.missing.is_empty() => Some(What::Create),
        Some(found) if found.unconfigured => Some(What::Configure),
        Some(_) => None,
    };
    // Whoever signed in now would sign in as somebody else.
    let withdrawn = resolved.policy.as_ref().is_some_and(|policy| policy.lost_account().is_some());
    let what = what.filter(|what| !withdrawn || !matches!(what, What::Create | What::Reauthenticate));
    let declared = called(connector).name;
    // The name that the person will see: a connector that was adopted may have been renamed since.
    let name = resolved.found.as_ref().filter(|found| found.id.is_some()).map_or(&declared, |found| &found.name);
    let missing = resolved.policy.as_ref().map_or(&[][..], |policy| &policy.missing);
    let account = resolved.policy.as_ref().and_then(|policy| policy.account.as_deref());
    let profile = resolved.policy.as_ref().and_then(|policy| policy.profile.as_deref());
    let all: Vec<String> = resolved.found.iter().flat_map(|it| &it.organizations).map(|it| it.name.clone()).collect();
    let hand_off = |what| {
        let organizations = if what == What::Create { &resolved.missing } else { &all };
        let dead = dead(resolved);
        let need = Need { what, name, account, profile, organizations, missing, dead };
        let hand_off = connector.spec.vendor.vendor().hand_off(&need);
        let due = resolved.reauthentication.due.filter(|_| what == What::Reauthenticate);
        let due = due.map(|due| due.strftime("%Y-%m-%d").to_string());
        HandOff { steps: framed(connector, resolved, what, hand_off.steps), due_date: due, ..hand_off }
    };
    // Asked to sign in again, and now nothing is shown: that is no proof of it.
    let works = |said| matches!(said, Seen::Known(Authorization::Granted | Authorization::Attested(_)));
    let unsure = resolved.authorization().is_some_and(|said| !works(said));
    let again = hand_off(What::Reauthenticate).name;
    let open = |name: &str| connector.status.iter().flat_map(|status| &status.hand_offs).any(|open| open.name == name);
    let steps = steps(connector, resolved, observed, now);
    let namespace = connector.namespace().unwrap_or_default();
    let secret = connector.spec.vendor.vendor().secret().map(|(secret, _)| format!("{namespace}/{secret}"));
    let renewal = secret.and_then(|secret| expiring::hand_off(&secret, observed.credential_ends, now));
    Plan {
        steps,
        hand_offs: what.map(hand_off).into_iter().chain(renewal).collect(),
        // What the operator does itself was not done by anybody.
        withdrawn: withdrawn || resolved.creates,
        unsure: (unsure && open(again) && !awaits) || (profile.is_none() && open(MOVE)),
        can_wait: what == Some(What::Reauthenticate) && request.is_some() && !resolved.reauthentication.is_urgent(now),
    }
}

/// How the step begins that is over once the account holds what it needs.
pub const WAIT: &str = "Wait until PolicySatisfied is True";

/// The steps of a sign-in between its beginning and its end, where the account has to be given something for it.
fn framed(connector: &Connector, resolved: &Resolved, what: What, steps: Vec<String>) -> Vec<String> {
    let Judged { request: Some(request), elevates, .. } = &resolved.reauthentication else { return steps };
    if what != What::Reauthenticate {
        return steps;
    }
    let (namespace, name) = (connector.namespace().unwrap_or_default(), connector.name_any());
    let said = |verb: &str, mark: &str| {
        format!(
            "kubectl backstay {verb} {name} -n {namespace} (or: kubectl annotate connector -n {namespace} {name} --overwrite {mark}=$(date -u +%FT%TZ))"
        )
    };
    // A refusal stands until somebody begins anew, whatever has changed since.
    let mut all: Vec<String> =
        request.message.iter().map(|why| format!("Know what came of it the last time: {why}.")).collect();
    match elevates {
        Some(role) if request.state == ReauthenticationState::Requested => all.push(format!(
            "Begin when you sit down to it: {}. The account gets {role} then, and only until you are done.",
            said("begin", BEGIN)
        )),
        Some(role) => all.push(format!("{WAIT}: the account has {role} then.")),
        None => {}
    }
    all.extend(steps);
    // What was dead shows by itself that it works again; an attestation says so.
    if resolved.attested.is_none() {
        all.push(format!("Say that you are done: {}.", said("done", DONE)));
    }
    all
}

/// Whether somebody has to sign in again, or at least has to look whether that is what is needed.
fn dead(resolved: &Resolved) -> bool {
    matches!(resolved.authorization(), Some(Seen::Known(Authorization::Required | Authorization::Doubted)))
}
