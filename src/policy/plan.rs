//! From what holds to what is to be done, by whom, and in which order: add before remove, and never on an Unknown. [pure]

use super::gather::Observed;
use super::handoffs;
use super::resolve::{Finding, Resolved};
use super::rules::{Rule, Verdict};
use crate::api::Action;
use crate::api::policy::{FindingResult, StepEffect};
use crate::fault::Kind;
use crate::handoff::HandOff;
use crate::seen::Seen;
use crate::tenant::DirectoryRole;
use crate::tenant::facts::{AccountFacts, Environment, held};

/// What is to be done.
#[derive(Debug, Default)]
pub struct Plan {
    /// What the operator could do, in order.
    pub steps: Vec<Step>,
    /// What only a person can do, or is allowed to.
    pub hand_offs: Vec<HandOff>,
}

impl Plan {
    /// Whether something would be written now.
    #[must_use]
    pub fn writes(&self) -> bool {
        self.steps.iter().any(|step| step.allowed == Allowed::Yes)
    }
}

/// One write.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What.
    pub what: What,
    /// Whether it may be done now.
    pub allowed: Allowed,
}

/// One write.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// Make the operator's app a user of the environment.
    EnrollSelf(Environment),
    /// Assign a directory role to the account.
    AddDirectoryRole(DirectoryRole),
    /// Assign System Administrator to the account.
    AddSystemAdministrator(Environment),
    /// Remove a directory role that the account holds directly.
    RemoveDirectoryRole {
        /// Which role.
        role: DirectoryRole,
        /// By which assignment.
        assignment: String,
    },
}

impl What {
    /// The word in `status.plan`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::EnrollSelf(_) => "EnrollSelf",
            Self::AddDirectoryRole(_) => "AddDirectoryRole",
            Self::AddSystemAdministrator(_) => "AddSystemAdministrator",
            Self::RemoveDirectoryRole { .. } => "RemoveDirectoryRole",
        }
    }

    /// On what.
    #[must_use]
    pub fn target(&self) -> &str {
        match self {
            Self::EnrollSelf(environment) | Self::AddSystemAdministrator(environment) => &environment.name,
            Self::AddDirectoryRole(role) | Self::RemoveDirectoryRole { role, .. } => role.name(),
        }
    }

    /// What it does to it.
    #[must_use]
    pub fn effect(&self) -> StepEffect {
        match self {
            Self::RemoveDirectoryRole { .. } => StepEffect::Delete,
            _ => StepEffect::Create,
        }
    }

    /// The action that allows it.
    #[must_use]
    pub fn action(&self) -> Action {
        match self {
            Self::EnrollSelf(_) => Action::SelfEnrollment,
            Self::AddSystemAdministrator(_) => Action::SecurityRoles,
            Self::AddDirectoryRole(_) | Self::RemoveDirectoryRole { .. } => Action::DirectoryRoles,
        }
    }

    /// The finding that it mends.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::EnrollSelf(_) => "the operator can't see into the environment",
            Self::AddDirectoryRole(_) => "the account does not hold it",
            Self::AddSystemAdministrator(_) => "the account is not System Administrator there",
            Self::RemoveDirectoryRole { .. } => "the account no longer needs it",
        }
    }
}

/// Whether a step may be taken now.
#[allow(clippy::enum_variant_names)] // the words of `status.plan`
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// It may.
    Yes,
    /// The spec's `allowedActions` does not name its action.
    NotAllowed,
    /// No grant of the installation covers it.
    NotGranted,
    /// The operator runs with `--read-only`.
    ReadOnly,
    /// Something else has to hold first: what.
    NotYet(String),
}

impl Allowed {
    /// The word in `status.plan`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Yes => "Yes",
            Self::NotAllowed => "NotAllowed",
            Self::NotGranted => "NotGranted",
            Self::ReadOnly => "ReadOnly",
            Self::NotYet(_) => "NotYet",
        }
    }
}

/// Makes the plan.
pub fn plan(resolved: &Resolved, observed: &Observed) -> Plan {
    let Ok((_, facts)) = &observed.account else { return Plan::default() };
    let gate = |what: What| {
        let action = what.action();
        let allowed = if !resolved.allowed.contains(&action) {
            Allowed::NotAllowed
        } else if !observed.granted.contains(&action) {
            Allowed::NotGranted
        } else if observed.read_only {
            Allowed::ReadOnly
        } else if !resolved.all_seen {
            Allowed::NotYet("what the Connectors say must first be seen again, after the operator's start".to_owned())
        } else if resolved.account.is_none() && !matches!(what, What::EnrollSelf(_)) {
            Allowed::NotYet("the account itself can't be seen, so it is not known to be the pinned one".to_owned())
        } else {
            Allowed::Yes
        };
        Step { what, allowed }
    };
    let mut steps: Vec<Step> = Vec::new();
    // Nobody asks for anything: everything is judged, but nothing is given or taken.
    if !resolved.demands.is_empty() {
        steps.extend(enrollments(facts).map(gate));
        steps.extend(additions(&resolved.findings, facts).map(gate));
        if let Some(removal) = removal(&resolved.findings, facts) {
            let mut step = gate(removal);
            // Whoever does it, the operator or a person: not before all else holds.
            if let Some(first) = before_removal(resolved, facts) {
                step.allowed = Allowed::NotYet(first);
            }
            steps.push(step);
        }
    }
    let hand_offs = handoffs::hand_offs(resolved, facts, &steps);
    Plan { steps, hand_offs }
}

/// Environments that the operator's app is not a user of.
fn enrollments(facts: &AccountFacts) -> impl Iterator<Item = What> {
    let environments = facts.environments.known().into_iter().flat_map(|all| all.values());
    environments
        .filter(|(_, access)| access.unknown_for(Kind::NotMember))
        .map(|(environment, _)| What::EnrollSelf(environment.clone()))
}

/// What fails now and can be mended by giving something.
fn additions<'a>(findings: &'a [Finding], facts: &'a AccountFacts) -> impl Iterator<Item = What> + 'a {
    findings.iter().filter(|finding| finding.counts).flat_map(move |finding| {
        match (&finding.requirement.rule, &finding.verdict) {
            // Global Administrator is given to nobody here: that is a window of its own, and a person's decision.
            (Rule::DirectoryRole(DirectoryRole::GlobalAdministrator), _) => Vec::new(),
            (Rule::DirectoryRole(role), verdict) if verdict.result(|_| true) == FindingResult::Fail => {
                vec![What::AddDirectoryRole(*role)]
            }
            (Rule::SystemAdministrator, Verdict::Environments(each)) => each
                .iter()
                .filter(|(_, judgement)| judgement.result == FindingResult::Fail)
                .filter_map(|(id, _)| {
                    let (environment, access) = facts.environments.known()?.get(id)?;
                    // A role can be given to an enabled user only (facts/microsoft.md §3.3).
                    let row = access.known()?.row.as_ref()?;
                    (!row.disabled).then(|| What::AddSystemAdministrator(environment.clone()))
                })
                .collect(),
            _ => Vec::new(),
        }
    })
}

/// A standing role that must go.
fn removal(findings: &[Finding], facts: &AccountFacts) -> Option<What> {
    let finding = findings.iter().find(|finding| {
        matches!(finding.requirement.rule, Rule::NoDirectoryRole { must_go: true, .. })
            && finding.counts
            && finding.result() == FindingResult::Fail
    })?;
    let Rule::NoDirectoryRole { role, .. } = finding.requirement.rule else { return None };
    let held = held(facts.roles.known()?, role)?;
    held.group.is_none().then(|| What::RemoveDirectoryRole { role, assignment: held.assignment.clone() })
}

/// What must hold before a standing Global Administrator is removed, if it does not: one sentence.
fn before_removal(resolved: &Resolved, facts: &AccountFacts) -> Option<String> {
    if !resolved.all_granted {
        return Some("every Connector must first be seen to be authorized".to_owned());
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
    let others = resolved.findings.iter().filter(|finding| {
        finding.counts && !matches!(finding.requirement.rule, Rule::NoDirectoryRole { .. } | Rule::License(_))
    });
    for finding in others {
        let holds = finding.result() == FindingResult::Pass;
        if !holds {
            return Some(format!("{} must hold first", finding.requirement.name));
        }
    }
    None
}
