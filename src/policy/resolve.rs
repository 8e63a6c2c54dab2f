//! From what is declared and what was seen to what holds: findings, and an answer for each demand. [pure]

use std::collections::{BTreeMap, BTreeSet};

use super::demands::Demand;
use super::environments;
use super::gather::{Asking, Observed};
use super::profiles::{self, Requirement};
use super::rules::{Judgement, Rule, Verdict, judge};
use crate::api::policy::{Account, AccountStatus, DemandStatus, FindingResult, Stage};
use crate::api::{Action, Reason, ServiceAccountPolicy};
use crate::fault::{Class, Fault};
use crate::runtime::Problem;
use crate::seen::Seen;
use crate::tenant::facts::{AccountFacts, Environment};

/// What holds.
pub struct Resolved {
    /// The account, if it was seen.
    pub account: Option<AccountStatus>,
    /// Its object id: as seen, or as declared. Empty: neither.
    pub account_id: String,
    /// Why the account could not be seen, if it could not.
    pub unseen: Option<Fault>,
    /// One for each requirement of each profile.
    pub findings: Vec<Finding>,
    /// One answer for each demand.
    pub demands: Vec<DemandStatus>,
    /// Whether no Connector that is awake refers to the policy.
    pub no_connectors: bool,
    /// Whether every Connector that is awake, of this or another policy for the account, was just seen to be authorized, and
    /// there is one.
    pub all_granted: bool,
    /// Whether every Connector that asks for something was seen by this process: a status alone moves nothing.
    pub all_seen: bool,
    /// What the spec allows.
    pub allowed: BTreeSet<Action>,
    /// What the spec allows, but no grant of the installation covers.
    pub ungranted: BTreeSet<Action>,
    /// Display names of the selected environments, by id.
    pub environment_names: BTreeMap<String, String>,
}

/// What was found for one requirement.
pub struct Finding {
    /// The requirement.
    pub requirement: Requirement,
    /// What was found.
    pub verdict: Verdict,
    /// Whether it counts now: some Connector is in a stage that it belongs to.
    pub counts: bool,
}

impl Finding {
    /// The worst result over all selected environments.
    #[must_use]
    pub fn result(&self) -> FindingResult {
        self.verdict.result(|_| true)
    }
}

/// Resolves, or says why it can't be.
pub fn resolve(policy: &ServiceAccountPolicy, observed: &Observed) -> Result<Resolved, Problem> {
    let (_, facts) = observed.account.as_ref().map_err(Clone::clone)?;
    let account = pinned(policy, facts)?;
    observed.selection.clone()?;
    if let Some(rival) = &observed.rival {
        return Err(Problem::wrong(
            "AccountPinned",
            Reason::AccountClaimed,
            format!("{rival} already acts on this account; remove spec.allowedActions from one of the two"),
        ));
    }
    let stages = stages(observed);
    let elsewhere = || observed.elsewhere.iter().filter_map(|asking| asking.demand.as_ref());
    let in_setup = stages.contains(&Stage::Setup) || elsewhere().any(|demand| demand.stage == Stage::Setup);
    let (whole, asked) = (facts, asked(observed, facts));
    let facts = &asked;
    let findings: Vec<Finding> = profiles::requirements(&policy.spec.profiles)
        .into_iter()
        .map(|requirement| {
            let verdict = match requirement.rule {
                // Required beats absent: while one Connector needs the role, its absence is nobody's demand.
                Rule::NoDirectoryRole { .. } if in_setup => {
                    Verdict::Whole(Judgement::not_applicable("A Connector still needs the role to be connected"))
                }
                rule => judge(rule, facts),
            };
            let counts = stages.iter().any(|stage| requirement.counts_in(*stage));
            Finding { requirement, verdict, counts }
        })
        .collect();
    let demands = observed
        .connectors
        .iter()
        .filter_map(|asking| asking.demand.as_ref())
        .map(|demand| answer(demand, policy, whole, &findings))
        .collect();
    let awake = || observed.connectors.iter().filter(|asking| !asking.asleep);
    let steady = |asking: &Asking| asking.demand.as_ref().is_some_and(|demand| demand.stage == Stage::Steady);
    let mut everybody = awake().chain(observed.elsewhere.iter().filter(|asking| !asking.asleep));
    let proven = everybody.all(|asking| asking.granted && steady(asking)) && !observed.obscured;
    let Account::User(declared) = &policy.spec.account;
    let account_id = account.as_ref().map(|account| account.object_id.clone()).or_else(|| declared.object_id.clone());
    let allowed: BTreeSet<Action> = policy.spec.allowed_actions.iter().copied().collect();
    Ok(Resolved {
        account_id: account_id.unwrap_or_default(),
        account,
        unseen: facts.user.fault().cloned(),
        findings,
        demands,
        no_connectors: awake().next().is_none(),
        all_granted: proven && awake().next().is_some(),
        all_seen: observed.connectors.iter().all(|asking| asking.demand.is_none() || asking.seen),
        ungranted: allowed.difference(&observed.granted).copied().collect(),
        allowed,
        environment_names: facts
            .environments
            .known()
            .into_iter()
            .flatten()
            .map(|(id, (environment, _))| (id.clone(), environment.name.clone()))
            .collect(),
    })
}

/// The account by its id: found under the name, and the same as declared or first seen.
fn pinned(policy: &ServiceAccountPolicy, facts: &AccountFacts) -> Result<Option<AccountStatus>, Problem> {
    let Account::User(declared) = &policy.spec.account;
    let first_seen =
        policy.status.as_ref().and_then(|status| status.account.as_ref()).map(|account| &account.object_id);
    let pinned = declared.object_id.as_ref().or(first_seen);
    match &facts.user {
        // Wrong until somebody changes something: nothing else can be known either.
        Seen::Unknown(fault) if fault.class == Class::Stalled => Err(Problem::from_fault("CredentialsValid", fault)),
        Seen::Unknown(_) => Ok(None),
        Seen::Known(None) => Err(Problem::wrong(
            "AccountPinned",
            Reason::AccountNotFound,
            format!("The tenant has no user {} (spec.account.user.principalName)", declared.principal_name),
        )),
        Seen::Known(Some(user)) => match pinned {
            Some(pinned) if !pinned.eq_ignore_ascii_case(&user.id) => Err(Problem::wrong(
                "AccountPinned",
                Reason::AccountChanged,
                format!(
                    "The user {} is another one than the policy was made for: its object id has changed; \
                     if that is right, create another ServiceAccountPolicy",
                    declared.principal_name
                ),
            )),
            _ => Ok(Some(AccountStatus {
                name: user.principal_name.clone(),
                object_id: user.id.clone(),
                enabled: user.enabled,
            })),
        },
    }
}

/// The stages that count now; without any demand, Steady.
fn stages(observed: &Observed) -> BTreeSet<Stage> {
    let asked: BTreeSet<Stage> =
        observed.connectors.iter().filter_map(|asking| asking.demand.as_ref()).map(|demand| demand.stage).collect();
    if asked.is_empty() { [Stage::Steady].into() } else { asked }
}

/// The facts without the environments that no Connector asks for; while none asks for anything, all of them.
fn asked(observed: &Observed, facts: &AccountFacts) -> AccountFacts {
    let mut asked = facts.clone();
    let demands: Vec<&Demand> = observed.connectors.iter().filter_map(|asking| asking.demand.as_ref()).collect();
    if let (Seen::Known(all), false) = (&mut asked.environments, demands.is_empty()) {
        // A Connector that names environments in vain asks for none of them.
        let within: Vec<Option<BTreeSet<String>>> =
            demands.iter().map(|demand| narrowed(demand, facts).unwrap_or_else(|_| Some(BTreeSet::new()))).collect();
        all.retain(|id, _| within.iter().any(|within| within.as_ref().is_none_or(|within| within.contains(id))));
    }
    asked
}

/// Whether the account has what one Connector asks for, in the environments that it asks for.
fn answer(demand: &Demand, policy: &ServiceAccountPolicy, facts: &AccountFacts, findings: &[Finding]) -> DemandStatus {
    let said = |profile: &str, ready: &str, reason: Option<Reason>, message: Option<String>| DemandStatus {
        connector: demand.connector.clone(),
        uid: demand.uid.clone(),
        generation: demand.generation,
        profile: profile.to_owned(),
        stage: demand.stage,
        ready: ready.to_owned(),
        reason: reason.map(Reason::word),
        message,
    };
    let profile = match profile(demand, policy) {
        Ok(profile) => profile,
        Err(sentence) => {
            let wanted = demand.profile.as_deref().unwrap_or_default();
            return said(wanted, "False", Some(Reason::NoMatchingProfile), Some(sentence));
        }
    };
    let within = match narrowed(demand, facts) {
        Ok(within) => within,
        Err(sentence) => return said(profile, "False", Some(Reason::EnvironmentNotFound), Some(sentence)),
    };
    let counted =
        || findings.iter().filter(|it| it.requirement.profile == profile && it.requirement.counts_in(demand.stage));
    let of_result = |wanted: FindingResult| -> Vec<&str> {
        counted()
            .filter(|finding| {
                finding.verdict.result(|id| within.as_ref().is_none_or(|within| within.contains(id))) == wanted
            })
            .map(|finding| finding.requirement.name)
            .collect()
    };
    let (failing, unknown) = (of_result(FindingResult::Fail), of_result(FindingResult::Unknown));
    if !failing.is_empty() {
        let sentence = format!("The account lacks: {}", failing.join(", "));
        said(profile, "False", Some(Reason::RequirementsNotMet), Some(sentence))
    } else if !unknown.is_empty() {
        let sentence = format!("It can't be told whether the account has: {}", unknown.join(", "));
        said(profile, "Unknown", Some(Reason::NotObservable), Some(sentence))
    } else {
        said(profile, "True", None, None)
    }
}

/// The profile that a demand means.
fn profile(demand: &Demand, policy: &ServiceAccountPolicy) -> Result<&'static str, String> {
    let has = profiles::names(&policy.spec.profiles);
    let list = has.join(", ");
    match &demand.profile {
        Some(wanted) => match has.iter().find(|name| *name == wanted) {
            Some(name) if demand.fitting.contains(name) => Ok(name),
            Some(name) => Err(format!("The profile {name} (spec.policyRef.profile) is not for this vendor")),
            None => Err(format!("The policy has no profile {wanted} (spec.policyRef.profile); it has {list}")),
        },
        None => match has.iter().filter(|name| demand.fitting.contains(name)).collect::<Vec<_>>().as_slice() {
            [only] => Ok(only),
            [] => Err(format!("The policy has no profile for this vendor; it has {list}")),
            _ => Err(format!("More than one profile of the policy fits; name one in spec.policyRef.profile: {list}")),
        },
    }
}

/// The ids of the environments that the demand narrows to; `None`: all of the policy's, or those are not known.
fn narrowed(demand: &Demand, facts: &AccountFacts) -> Result<Option<BTreeSet<String>>, String> {
    let (Some(selector), Seen::Known(all)) = (&demand.environments, &facts.environments) else { return Ok(None) };
    let all: Vec<Environment> = all.values().map(|(environment, _)| environment.clone()).collect();
    let taken = environments::select(&all, Some(selector), "the policy's")?;
    Ok(Some(taken.into_iter().map(|environment| environment.id.clone()).collect()))
}
