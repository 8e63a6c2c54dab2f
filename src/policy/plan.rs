//! From what holds to what is to be done, by whom, and in which order: add before remove, and never on an Unknown. [pure]

use super::finding::Finding;
use super::handoffs;
use super::observed::Observed;
use super::resolve::Resolved;
use super::rules::{Rule, Verdict};
use super::steps::{Step, What};
use super::window::Decision;
use crate::api::policy::FindingResult;
use crate::fault::Kind;
use crate::handoff::HandOff;
use crate::runtime::Allowed;
use crate::seen::Seen;
use crate::tenant::DirectoryRole;
use crate::tenant::facts::{Access, AccessMode, AccountFacts, Environment, held};

/// What is to be done.
#[derive(Debug, Default)]
pub struct Plan {
    /// What the operator could do, in order.
    pub steps: Vec<Step>,
    /// What only a person can do, or is allowed to.
    pub hand_offs: Vec<HandOff>,
    /// What becomes of the account's window.
    pub window: Decision,
}

impl Plan {
    /// Whether something would be taken away, now or once all that must come first is there.
    #[must_use]
    pub fn wants_removal(&self) -> bool {
        let soon = |step: &Step| matches!(step.allowed, Allowed::Yes | Allowed::NotYet(_));
        self.steps.iter().any(|step| matches!(step.what, What::RemoveDirectoryRole { .. }) && soon(step))
    }

    /// Whether something would be taken away now.
    #[must_use]
    pub fn removes(&self) -> bool {
        let removes = |step: &&Step| matches!(step.what, What::RemoveDirectoryRole { .. });
        self.steps.iter().filter(removes).any(|step| step.allowed == Allowed::Yes)
    }

    /// Whether something would be written now.
    #[must_use]
    pub fn writes(&self) -> bool {
        self.steps.iter().any(|step| step.allowed == Allowed::Yes)
    }
}

const UNSEEN: &str = "what the Connectors say must first be seen again, after the operator's start";
const UNPINNED: &str = "the account itself can't be seen, so it is not known to be the pinned one";

/// Makes the plan.
pub fn plan(resolved: &Resolved, observed: &Observed) -> Plan {
    let Ok(facts) = &observed.account else { return Plan::default() };
    let facts = resolved.facts(facts);
    let gate = |what: What| {
        let action = what.action();
        let named = resolved.allowed.contains(&action);
        let unpinned = resolved.account.is_none() && !matches!(what, What::EnrollSelf(_));
        let allowed = Allowed::by(named, observed.granted.contains(&action), observed.read_only)
            .after((!resolved.all_seen).then_some(UNSEEN))
            .after(unpinned.then_some(UNPINNED));
        Step { what, allowed }
    };
    let coming = |(what, first): (What, First)| {
        let Step { what, allowed } = gate(what);
        Step { what, allowed: allowed.after(first) }
    };
    let mut steps: Vec<Step> = Vec::new();
    let first = before_removal(resolved, facts);
    // Nobody asks for anything: everything is judged, but nothing is given or taken.
    if resolved.asked {
        steps.extend(enrollments(facts).map(gate));
        steps.extend(additions(resolved, facts).map(coming));
        if let Some(removal) = removal(&resolved.findings, facts) {
            let mut step = gate(removal);
            // Whoever does it, the operator or a person: not before all else holds.
            if let Some(first) = &first {
                step.allowed = Allowed::NotYet(first.clone());
            }
            steps.push(step);
        }
    }
    let hand_offs = handoffs::hand_offs(resolved, facts, &steps, first.is_some(), observed);
    Plan { steps, hand_offs, window: Decision::Stay }
}

/// Environments that the operator's app is not a user of.
fn enrollments(facts: &AccountFacts) -> impl Iterator<Item = What> {
    let environments = facts.environments.known().into_iter().flat_map(|all| all.values());
    environments
        .filter(|(_, access)| access.unknown_for(Kind::NotMember))
        .map(|(environment, _)| What::EnrollSelf(environment.clone()))
}

/// What must come first, as the end of a sentence; `None`: nothing.
type First = Option<&'static str>;

/// What fails now and can be mended by giving something.
fn additions<'a>(resolved: &'a Resolved, facts: &'a AccountFacts) -> impl Iterator<Item = (What, First)> + 'a {
    let mut planned: Vec<(What, First)> = Vec::new();
    // Who is not there, is barred or is another tenant's guest is given nothing: that comes first, and is a person's matter.
    let given = facts.is_application
        || facts.user.known().is_some_and(|user| user.as_ref().is_some_and(|user| user.enabled && !user.guest));
    if !given {
        return planned.into_iter();
    }
    let licensed = licensed(facts);
    let now = |what: What| (what, None);
    for finding in resolved.findings.iter().filter(|finding| finding.counts && finding.requirement.repairable()) {
        // What is waived is left as it is.
        let steps = match (&finding.requirement.rule, &finding.waived) {
            (Rule::DirectoryRole { any_of, .. }, verdict) if verdict.result(|_| true) == FindingResult::Fail => {
                // Global Administrator is given to nobody here: that is a window of its own, and a person's decision.
                let least = any_of.last().filter(|role| **role != DirectoryRole::GlobalAdministrator);
                // Who may activate it himself, or may be able to, is given nothing that stays: a person decides.
                let least = least.filter(|_| !eligible(facts, any_of));
                least.map(|role| now(What::AddDirectoryRole(*role))).into_iter().collect()
            }
            (Rule::EnvironmentMember, Verdict::Environments(each)) => failing(each, facts)
                .filter_map(|(environment, access)| added(environment, access, licensed))
                .map(now)
                .collect(),
            (Rule::SystemAdministrator, Verdict::Environments(each)) => failing(each, facts)
                .filter_map(|(environment, access)| {
                    // A role can be given to an enabled user only (facts/microsoft.md §3.3).
                    let row = access.known()?.row.as_ref()?;
                    (!row.disabled && !row.deleted).then(|| now(What::AddSystemAdministrator(environment.clone())))
                })
                .collect(),
            (Rule::AccessMode(any_of), Verdict::Environments(each)) if any_of.contains(&AccessMode::ReadWrite) => {
                let each = failing(each, facts);
                each.filter_map(|(environment, access)| made_read_write(environment, access, resolved.license_arrives))
                    .collect()
            }
            _ => Vec::new(),
        };
        // Several profiles may ask for the same.
        for step in steps {
            if !planned.contains(&step) {
                planned.push(step);
            }
        }
    }
    // Who is not there yet can be given nothing.
    planned.sort_by_key(|(what, _)| !matches!(what, What::AddToEnvironment(_)));
    planned.into_iter()
}

/// Whether the account may activate one of these roles itself, or nobody can tell.
fn eligible(facts: &AccountFacts, any_of: &[DirectoryRole]) -> bool {
    facts
        .schedule
        .known()
        .is_none_or(|schedule| any_of.iter().any(|role| schedule.eligible.iter().any(|id| id == role.id())))
}

/// The environments in which a requirement fails, with what the account is there.
fn failing<'a>(
    each: &'a std::collections::BTreeMap<String, super::rules::Judgement>,
    facts: &'a AccountFacts,
) -> impl Iterator<Item = (&'a Environment, &'a Seen<Access>)> {
    let failing = each.iter().filter(|(_, judgement)| judgement.result == FindingResult::Fail);
    failing.filter_map(|(id, _)| facts.environments.known()?.get(id).map(|(environment, access)| (environment, access)))
}

/// Adding the account, where it is missing and Microsoft would let it in: a row that was deleted has to be restored first, and one
/// that is disabled has a cause that is not ours to mend.
fn added(environment: &Environment, access: &Seen<Access>, licensed: bool) -> Option<What> {
    (access.known()?.row.is_none() && licensed).then(|| What::AddToEnvironment(environment.clone()))
}

/// Whether the account has a license at all: which of them let it into an environment is told by Microsoft alone. An application
/// needs none.
fn licensed(facts: &AccountFacts) -> bool {
    facts.is_application || facts.user.known().and_then(Option::as_ref).is_some_and(|user| !user.licenses.is_empty())
}

/// Whether a license that lets the account into environments is asked for and not found: a person has to assign it first.
pub fn lacks_license(findings: &[Finding]) -> bool {
    let asked = findings.iter().filter(|finding| finding.counts && finding.requirement.rule.lets_into_environments());
    // One that is waived is a person's word that there will be none: nobody is sent for it.
    asked.map(Finding::result).any(|result| result == FindingResult::Fail)
}

/// Read-Write, for an enabled user whose license has arrived, or is expected to: without one Microsoft would set it back
/// (facts/microsoft.md §0.3).
fn made_read_write(environment: &Environment, access: &Seen<Access>, arrives: bool) -> Option<(What, First)> {
    let row = access.known()?.row.as_ref().filter(|row| !row.disabled && !row.deleted)?;
    let first = match row.licensed {
        Some(true) => None,
        Some(false) if arrives => Some("its license has not arrived in the environment yet"),
        // It does not come by itself, or nobody can tell: a person's matter.
        _ => return None,
    };
    Some((What::SetReadWrite(environment.clone()), first))
}

/// A standing role that must go.
fn removal(findings: &[Finding], facts: &AccountFacts) -> Option<What> {
    let finding = findings.iter().find(|finding| {
        matches!(finding.requirement.rule, Rule::NoDirectoryRole { must_go: true, .. })
            && finding.counts
            && finding.requirement.repairable()
            && finding.result() == FindingResult::Fail
    })?;
    let Rule::NoDirectoryRole { role, .. } = finding.requirement.rule else { return None };
    let held = held(facts.roles.known()?, role)?;
    held.group.is_none().then(|| What::RemoveDirectoryRole { role, assignment: held.assignment.clone() })
}

/// What must hold before a standing Global Administrator is removed, if it does not: one sentence.
fn before_removal(resolved: &Resolved, facts: &AccountFacts) -> Option<String> {
    if let Some(first) = &resolved.lacking {
        return Some(first.clone());
    }
    match &facts.another_global_administrator {
        Seen::Known(true) => {}
        Seen::Known(false) => {
            return Some("the account is the tenant's last Global Administrator that can sign in".to_owned());
        }
        Seen::Unknown(_) => return Some("it can't be told whether another Global Administrator remains".to_owned()),
    }
    if facts.environments.known().is_none_or(std::collections::BTreeMap::is_empty) {
        return Some("at least one environment must be selected and seen".to_owned());
    }
    // It is not judged, and nobody is blamed for it; but what it will be like without the role is not known either.
    let resting = facts.environments.known().into_iter().flat_map(|all| all.values());
    let mut resting =
        resting.filter(|(_, access)| access.unknown_for(Kind::NotRunning)).map(|(environment, _)| environment);
    if let Some(environment) = resting.next() {
        return Some(format!("{} must be running and seen first", environment.name));
    }
    let others =
        resolved.findings.iter().filter(|finding| finding.counts && finding.requirement.rule.bears_on_removal());
    for finding in others {
        // As it was found: a waiver answers for a finding, not for what happens when the role is gone.
        if finding.found() != FindingResult::Pass {
            return Some(format!("{} must hold first", finding.requirement.name));
        }
    }
    None
}
