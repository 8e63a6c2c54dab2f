//! From what is declared and what was seen to what holds: findings, and an answer for each demand. [pure]

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::answers::{Answering, narrowed, profile};
use super::demands::Demand;
use super::gather::{Asking, Observed};
use super::profiles::{self, Requirement};
use super::rules::{Circumstances, Judgement, Rule, Verdict, judge};
use super::waivers;
use crate::api::policy::{Account, AccountStatus, DemandStatus, FindingResult, Stage};
use crate::api::{Action, Reason, ServiceAccountPolicy};
use crate::fault::{Class, Fault};
use crate::runtime::Problem;
use crate::seen::Seen;
use crate::tenant::DirectoryRole;
use crate::tenant::facts::{AccountFacts, Application, Who, held};

/// What holds.
#[allow(clippy::struct_excessive_bools)] // each a fact of its own, none implies another
pub struct Resolved {
    /// The account, if it was seen.
    pub account: Option<AccountStatus>,
    /// Its object id: as seen, or as declared. Empty: neither.
    pub account_id: String,
    /// The same, as environments know it.
    pub who: Who,
    /// Why the account could not be seen, if it could not.
    pub unseen: Option<Fault>,
    /// What in the spec says nothing, one sentence each: everything else is judged all the same.
    pub mistakes: Vec<String>,
    /// When the next waiver ends.
    pub next_waiver_end: Option<Timestamp>,
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
    /// Whether anything is asked of the account: by a Connector, or by a profile that no Connector can ask for.
    pub asked: bool,
    /// What is known of the account without the environments that no Connector asks for, if there are any.
    narrower: Option<AccountFacts>,
}

impl Resolved {
    /// What is known of the account, as far as somebody asks for it.
    pub fn facts<'a>(&'a self, observed: &'a AccountFacts) -> &'a AccountFacts {
        self.narrower.as_ref().unwrap_or(observed)
    }
}

/// What was found for one requirement.
pub struct Finding {
    /// The requirement.
    pub requirement: Requirement,
    /// What was found: steps are decided by this.
    pub verdict: Verdict,
    /// The same with what somebody answers for: readiness is decided by this.
    pub waived: Verdict,
    /// Whether it counts now: some Connector of its profile is in a stage that it belongs to.
    pub counts: bool,
}

impl Finding {
    /// The worst result over all selected environments, with waivers.
    #[must_use]
    pub fn result(&self) -> FindingResult {
        self.waived.result(|_| true)
    }

    /// The worst that was really found: a waiver changes nothing about it.
    #[must_use]
    pub fn found(&self) -> FindingResult {
        self.verdict.result(|_| true)
    }
}

/// Resolves, or says why it can't be.
pub fn resolve(policy: &ServiceAccountPolicy, observed: &Observed) -> Result<Resolved, Problem> {
    let facts = observed.account.as_ref().map_err(Clone::clone)?;
    let account = pinned(policy, facts)?;
    observed.selection.clone()?;
    if let Some(rival) = &observed.rival {
        return Err(Problem::wrong(
            "AccountPinned",
            Reason::AccountClaimed,
            format!("{rival} already acts on this account; remove spec.allowedActions from one of the two"),
        ));
    }
    let asked_for = asked_for(observed, policy);
    let (whole, asked) = (facts, asked(observed, facts));
    let facts = asked.as_ref();
    let requirements = profiles::requirements(&policy.spec);
    let needed = needed(&requirements, &asked_for, observed, facts);
    let with_membership: BTreeSet<&'static str> = requirements
        .iter()
        .filter(|requirement| requirement.rule == Rule::EnvironmentMember)
        .map(|requirement| requirement.profile)
        .collect();
    let circumstances = |profile: &'static str| Circumstances {
        authorized: authorized(observed, policy, profile),
        membership_elsewhere: with_membership.contains(profile),
    };
    let waiver_of = |id: &str| policy.spec.waivers.iter().find(|waiver| waiver.finding == id);
    let findings: Vec<Finding> = requirements
        .into_iter()
        .map(|requirement| {
            let verdict = match (&requirement.rule, out_of_stage(&requirement, &asked_for)) {
                (_, Some(sentence)) => Verdict::Whole(Judgement::not_applicable(sentence)),
                // Required beats absent: while somebody needs the role, its absence is nobody's demand.
                (Rule::NoDirectoryRole { role, .. }, None) if needed.contains(role) => Verdict::Whole(
                    Judgement::not_applicable("The role is still needed: a Connector or another profile requires it"),
                ),
                (rule, None) => judge(rule, facts, circumstances(requirement.profile)),
            };
            let waived = waivers::applied(&verdict, waiver_of(&requirement.id()), observed.now);
            let counts = counts(&requirement, &asked_for);
            Finding { requirement, verdict, waived, counts }
        })
        .collect();
    let awake = || observed.connectors.iter().filter(|asking| !asking.asleep);
    let steady = |asking: &Asking| asking.demand.as_ref().is_some_and(|demand| demand.stage == Stage::Steady);
    let mut everybody = awake().chain(observed.elsewhere.iter().filter(|asking| !asking.asleep));
    // What a Connector needs is not known while what it asks for can't be told: nothing is taken for it.
    let understood =
        observed.demands().all(|demand| profile(demand, policy).is_ok() && narrowed(demand, whole).is_ok());
    let proven = everybody.all(|asking| asking.granted && steady(asking))
        && understood
        && observed.elsewhere_holds
        && !observed.obscured;
    let environment_names: BTreeMap<String, String> = whole
        .environments
        .known()
        .into_iter()
        .flatten()
        .map(|(id, (environment, _))| (id.clone(), environment.name.clone()))
        .collect();
    let answering = Answering { policy, facts: whole, findings: &findings, names: &environment_names, proven };
    let demands: Vec<DemandStatus> = observed.demands().map(|demand| answering.answer(demand)).collect();
    let mistakes = waivers::in_vain(&policy.spec.waivers, &findings);
    let account_id = account.as_ref().map(|account| account.object_id.clone()).or_else(|| policy.spec.account.pin());
    let allowed: BTreeSet<Action> = policy.spec.allowed_actions.iter().copied().collect();
    Ok(Resolved {
        who: match &policy.spec.account {
            Account::User(_) => Who::User(account_id.clone().unwrap_or_default()),
            Account::Application(app) => Who::Application(app.client_id.to_ascii_lowercase()),
        },
        account_id: account_id.unwrap_or_default(),
        account,
        unseen: subject_fault(policy, facts),
        mistakes,
        next_waiver_end: waivers::next_end(&policy.spec.waivers, observed.now),
        findings,
        asked: !demands.is_empty() || standing_alone(policy).next().is_some(),
        demands,
        no_connectors: awake().next().is_none(),
        all_granted: proven && awake().next().is_some(),
        all_seen: observed.connectors.iter().all(|asking| asking.demand.is_none() || asking.seen),
        ungranted: allowed.difference(&observed.granted).copied().collect(),
        allowed,
        environment_names,
        narrower: if let Cow::Owned(asked) = asked { Some(asked) } else { None },
    })
}

/// Why the account itself could not be seen, if it could not.
fn subject_fault(policy: &ServiceAccountPolicy, facts: &AccountFacts) -> Option<Fault> {
    match &policy.spec.account {
        Account::User(_) => facts.user.fault().cloned(),
        Account::Application(app) => application(facts, &app.client_id).and_then(Seen::fault).cloned(),
    }
}

/// What was seen of an app.
fn application<'a>(facts: &'a AccountFacts, client_id: &str) -> Option<&'a Seen<Option<Application>>> {
    facts.applications.get(&client_id.to_ascii_lowercase())
}

/// The account by its id: found under the name, and the same as declared or first seen.
fn pinned(policy: &ServiceAccountPolicy, facts: &AccountFacts) -> Result<Option<AccountStatus>, Problem> {
    let wrong = |reason, sentence: String| Problem::wrong("AccountPinned", reason, sentence);
    let found = match &policy.spec.account {
        Account::User(declared) => match &facts.user {
            Seen::Unknown(fault) => return unseen(fault),
            Seen::Known(None) => {
                let place = "(spec.account.user.principalName)";
                let sentence = format!("The tenant has no user {} {place}", declared.principal_name);
                return Err(wrong(Reason::AccountNotFound, sentence));
            }
            Seen::Known(Some(user)) => {
                AccountStatus { name: user.principal_name.clone(), object_id: user.id.clone(), enabled: user.enabled }
            }
        },
        Account::Application(declared) => match application(facts, &declared.client_id) {
            // That it is not there is the matter of a finding: an administrator's consent brings it.
            None | Some(Seen::Known(None)) => return Ok(None),
            Some(Seen::Unknown(fault)) => return unseen(fault),
            Some(Seen::Known(Some(app))) => {
                AccountStatus { name: app.name.clone(), object_id: app.id.clone(), enabled: app.enabled }
            }
        },
    };
    let first_seen =
        policy.status.as_ref().and_then(|status| status.account.as_ref()).map(|account| account.object_id.clone());
    let pinned = match &policy.spec.account {
        Account::User(declared) => declared.object_id.clone().or(first_seen),
        // A client id pins an app: its object in the tenant is made anew when somebody consents again.
        Account::Application(_) => None,
    };
    match pinned {
        Some(pinned) if !pinned.eq_ignore_ascii_case(&found.object_id) => Err(wrong(
            Reason::AccountChanged,
            format!(
                "The user {} is another one than the policy was made for: its object id has changed; \
                 if that is right, create another ServiceAccountPolicy",
                policy.spec.account.name()
            ),
        )),
        _ => Ok(Some(found)),
    }
}

/// The account can't be seen: for now, or until somebody changes something, so that nothing else can be known either.
fn unseen(fault: &Fault) -> Result<Option<AccountStatus>, Problem> {
    if fault.class == Class::Stalled { Err(Problem::from_fault("CredentialsValid", fault)) } else { Ok(None) }
}

/// Which stages of which profiles count now; while nothing is asked for at all, Steady of all of them.
fn asked_for(observed: &Observed, policy: &ServiceAccountPolicy) -> BTreeSet<(&'static str, Stage)> {
    let demands: Vec<&Demand> = observed.demands().collect();
    let alone: BTreeSet<(&'static str, Stage)> = standing_alone(policy).map(|name| (name, Stage::Steady)).collect();
    if demands.is_empty() && alone.is_empty() {
        return profiles::ALL.iter().map(|name| (*name, Stage::Steady)).collect();
    }
    // Nobody's rules of one's own: they count for whatever the policy is asked.
    let stages = demands.iter().map(|demand| demand.stage).chain(alone.iter().map(|(_, stage)| *stage));
    let custom: BTreeSet<(&'static str, Stage)> = stages.map(|stage| (profiles::CUSTOM, stage)).collect();
    let asked = demands.iter().filter_map(|demand| Some((profile(demand, policy).ok()?, demand.stage)));
    asked.chain(custom).chain(alone).collect()
}

/// The declared profiles that no Connector can ask for.
fn standing_alone(policy: &ServiceAccountPolicy) -> impl Iterator<Item = &'static str> {
    let declared = profiles::names(&policy.spec.profiles);
    profiles::STANDING_ALONE.iter().copied().filter(move |name| declared.contains(name))
}

/// When the vendor of a profile was last seen to be authorized, as its Connectors say; `None`: none says.
fn authorized(observed: &Observed, policy: &ServiceAccountPolicy, of: &'static str) -> Option<Timestamp> {
    let awake = observed.connectors.iter().filter(|asking| !asking.asleep);
    let of_profile = awake.filter(|asking| {
        let asks = asking.demand.as_ref().and_then(|demand| profile(demand, policy).ok());
        asks.is_some_and(|asks| of == asks || of == profiles::CUSTOM)
    });
    of_profile.filter_map(|asking| asking.authorized).min()
}

/// Whether a requirement counts now: its profile is asked for in a stage that it belongs to.
fn counts(requirement: &Requirement, asked_for: &BTreeSet<(&'static str, Stage)>) -> bool {
    asked_for.iter().any(|(profile, stage)| *profile == requirement.profile && requirement.counts_in(*stage))
}

/// Why a requirement is not a matter of now: its profile is asked for, but in other stages than it belongs to.
fn out_of_stage(requirement: &Requirement, asked_for: &BTreeSet<(&'static str, Stage)>) -> Option<&'static str> {
    let stages: Vec<Stage> =
        asked_for.iter().filter(|(profile, _)| *profile == requirement.profile).map(|(_, stage)| *stage).collect();
    // Nobody asks for the profile: it is judged as it would be once somebody's connector works.
    let stages = if stages.is_empty() { vec![Stage::Steady] } else { stages };
    if stages.iter().any(|stage| requirement.counts_in(*stage)) {
        None
    } else if requirement.counts_in(Stage::Setup) {
        Some("Asked for only while a Connector is being authorized")
    } else {
        Some("Asked for only once every Connector is authorized")
    }
}

/// The directory roles that somebody needs now: by this policy's own profiles, or by another policy for the account.
fn needed(
    requirements: &[Requirement],
    asked_for: &BTreeSet<(&'static str, Stage)>,
    observed: &Observed,
    facts: &AccountFacts,
) -> BTreeSet<DirectoryRole> {
    let asked = requirements.iter().filter(|requirement| counts(requirement, asked_for));
    let own = asked.filter_map(|requirement| match &requirement.rule {
        Rule::DirectoryRole { any_of, .. } => Some(any_of),
        _ => None,
    });
    let held_for_good = |role: &DirectoryRole| {
        facts.roles.known().is_some_and(|roles| held(roles, *role).is_some_and(|held| held.group.is_none()))
    };
    let mut needed = BTreeSet::new();
    for any_of in own.chain(&observed.needed_elsewhere) {
        match any_of.as_slice() {
            // The last gives the least: while it is held, nobody needs the others.
            [.., least] if held_for_good(least) => needed.extend([*least]),
            all => needed.extend(all.iter().copied()),
        }
    }
    needed
}

/// The facts without the environments that no Connector asks for; while none asks for anything, all of them.
fn asked<'a>(observed: &Observed, facts: &'a AccountFacts) -> Cow<'a, AccountFacts> {
    // A Connector that names environments in vain asks for none of them.
    let within = observed.demands().map(|demand| narrowed(demand, facts).unwrap_or_else(|_| Some(BTreeSet::new())));
    // One that asks for all of them leaves nothing out: what was seen in hundreds of environments is not copied then.
    let Some(within) = within.collect::<Option<Vec<BTreeSet<String>>>>().filter(|within| !within.is_empty()) else {
        return Cow::Borrowed(facts);
    };
    let mut asked = facts.clone();
    if let Seen::Known(all) = &mut asked.environments {
        all.retain(|id, _| within.iter().any(|within| within.contains(id)));
    }
    Cow::Owned(asked)
}
