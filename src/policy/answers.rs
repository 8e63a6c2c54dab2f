//! What is answered to a Connector: whether the account has what it asks for, in the environments that it asks for. [pure]

use std::collections::{BTreeMap, BTreeSet};

use super::demands::Demand;
use super::finding::Finding;
use super::profiles;
use super::rules::Rule;
use super::{environments, words};
use crate::api::policy::{DemandStatus, FindingResult, Stage};
use crate::api::profiles::Profiles;
use crate::api::{Reason, ServiceAccountPolicy};
use crate::seen::Seen;
use crate::tenant::DirectoryRole;
use crate::tenant::facts::{AccountFacts, Environment};

/// What an answer to a demand is made of.
pub struct Answering<'a> {
    /// Of this policy.
    pub policy: &'a ServiceAccountPolicy,
    /// By what was seen.
    pub facts: &'a AccountFacts,
    /// And found.
    pub findings: &'a [Finding],
    /// Display names of environments, by id.
    pub names: &'a BTreeMap<String, String>,
    /// Whether every Connector for the account says that it is authorized.
    pub settled: bool,
}

impl Answering<'_> {
    /// Whether the account has what one Connector asks for, in the environments that it asks for.
    pub fn answer(&self, demand: &Demand) -> DemandStatus {
        let said = |profile: &str, ready: &str, reason: Option<Reason>, message: Option<String>| DemandStatus {
            connector: demand.connector.clone(),
            uid: demand.uid.clone(),
            generation: demand.generation,
            profile: profile.to_owned(),
            stage: demand.stage,
            ready: ready.to_owned(),
            reason: reason.map(Reason::word),
            message,
            elevates: elevates(self.findings, profile).map(|role| role.name().to_owned()),
            refused: None,
        };
        let profile = match profile(demand, self.policy) {
            Ok(profile) => profile,
            Err(sentence) => {
                let wanted = demand.profile.as_deref().unwrap_or_default();
                return said(wanted, "False", Some(Reason::NoMatchingProfile), Some(sentence));
            }
        };
        let within = match narrowed(demand, self.facts) {
            Ok(within) => within,
            Err(sentence) => return said(profile, "False", Some(Reason::EnvironmentNotFound), Some(sentence)),
        };
        let of_result = |wanted: FindingResult| -> Vec<&Finding> {
            let counted = self.findings.iter().filter(|finding| self.counts(finding, profile, demand.stage));
            counted
                .filter(|finding| {
                    finding.waived.result(|id| within.as_ref().is_none_or(|within| within.contains(id))) == wanted
                })
                .collect()
        };
        let (failing, unknown) = (of_result(FindingResult::Fail), of_result(FindingResult::Unknown));
        if !failing.is_empty() {
            let sentence = words::several(&failing, self.names);
            said(profile, "False", Some(Reason::RequirementsNotMet), Some(sentence))
        } else if !unknown.is_empty() {
            let sentence = words::several(&unknown, self.names);
            said(profile, "Unknown", Some(Reason::NotObservable), Some(sentence))
        } else {
            said(profile, "True", None, None)
        }
    }

    /// Whether a finding is a matter of a Connector in this stage of this profile.
    fn counts(&self, finding: &Finding, profile: &str, stage: Stage) -> bool {
        // A role that stays while another Connector is being connected is no fault of this one.
        let waits = matches!(finding.requirement.rule, Rule::NoDirectoryRole { .. }) && !self.settled;
        !waits && finding.requirement.asked_by(profile, stage)
    }
}

/// The profile that a demand means.
pub fn profile(demand: &Demand, policy: &ServiceAccountPolicy) -> Result<&'static str, String> {
    profile_for(demand.profile.as_deref(), demand.fitting, &policy.spec.profiles)
}

/// The profile that somebody means who names one, or none, and whose vendor these fit.
///
/// # Errors
/// Why it is none of these, in one sentence.
pub fn profile_for(named: Option<&str>, fitting: &[&'static str], profiles: &Profiles) -> Result<&'static str, String> {
    let has = profiles::names(profiles);
    let list = has.join(", ");
    match named {
        Some(wanted) => match has.iter().find(|name| **name == wanted) {
            Some(name) if fitting.contains(name) => Ok(name),
            Some(name) => Err(format!("The profile {name} (spec.policyRef.profile) is not for this vendor")),
            None => Err(format!("The policy has no profile {wanted} (spec.policyRef.profile); it has {list}")),
        },
        None => match has.iter().filter(|name| fitting.contains(name)).collect::<Vec<_>>().as_slice() {
            [only] => Ok(only),
            [] if has.is_empty() => Err("The policy has no profile (spec.profiles)".to_owned()),
            [] => Err(format!("The policy has no profile for this vendor; it has {list}")),
            _ => Err(format!("More than one profile of the policy fits; name one in spec.policyRef.profile: {list}")),
        },
    }
}

/// The ids of the environments that the demand narrows to; `None`: all of the policy's, or those are not known.
pub fn narrowed(demand: &Demand, facts: &AccountFacts) -> Result<Option<BTreeSet<String>>, String> {
    let (Some(selector), Seen::Known(all)) = (&demand.environments, &facts.environments) else { return Ok(None) };
    let all: Vec<Environment> = all.values().map(|(environment, _)| environment.clone()).collect();
    let selected = environments::select(&all, Some(selector), "the policy's")?;
    Ok(Some(selected.taken.into_iter().map(|environment| environment.id.clone()).collect()))
}

/// The directory role that a new sign-in for this profile needs, and that the account does not keep.
fn elevates(findings: &[Finding], profile: &str) -> Option<DirectoryRole> {
    let of_profile = findings.iter().map(|finding| &finding.requirement).filter(|it| it.profile == profile);
    let mut for_sign_in = of_profile.filter(|it| it.counts_in(Stage::Reauthentication) && !it.counts_in(Stage::Steady));
    for_sign_in.find_map(|it| match &it.rule {
        Rule::DirectoryRole { any_of, .. } => any_of.first().copied(),
        _ => None,
    })
}
