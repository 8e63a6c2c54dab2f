//! From what is declared and what was seen to what holds: findings, and an answer for each demand. [pure]

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

use super::answers::{Answering, narrowed};
use super::asked::{Asked, authorized};
use super::finding::Finding;
use super::observed::Observed;
use super::profiles::{self};
use super::proof::Proof;
use super::rules::{Circumstances, Judgement, Rule, Verdict, judge};
use super::{waivers, window};
use crate::api::policy::{Account, AccountStatus, DemandStatus, FindingResult};
use crate::api::{Action, Reason, ServiceAccountPolicy};
use crate::fault::{Class, Fault};
use crate::runtime::Problem;
use crate::seen::Seen;
use crate::tenant::facts::{AccountFacts, Application, Who};

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
    /// What must come first before anything is taken away, whatever was found: the end of a sentence; `None`: nothing.
    pub lacking: Option<String>,
    /// Whether every Connector that asks for something was seen by this process: a status alone moves nothing.
    pub all_seen: bool,
    /// What the spec allows.
    pub allowed: BTreeSet<Action>,
    /// What the spec allows, but no grant of the installation covers.
    pub ungranted: BTreeSet<Action>,
    /// Display names of the selected environments, by id.
    pub environment_names: BTreeMap<String, String>,
    /// Whether any Connector asks for anything.
    pub asked: bool,
    /// Whether a license that lets it into environments was found a short while ago: it arrives there by itself.
    pub license_arrives: bool,
    /// What is known of the account without the environments that no Connector asks for, if there are any.
    narrower: Option<AccountFacts>,
}

impl Resolved {
    /// What is known of the account, as far as somebody asks for it.
    pub fn facts<'a>(&'a self, observed: &'a AccountFacts) -> &'a AccountFacts {
        self.narrower.as_ref().unwrap_or(observed)
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
    let asked = Asked::of(observed, policy);
    let (whole, narrower) = (facts, narrower(observed, facts));
    let facts = narrower.as_ref();
    let requirements = profiles::requirements(&policy.spec);
    let needed = asked.needed(&requirements, observed, facts);
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
            let verdict = match (&requirement.rule, asked.out_of_stage(&requirement)) {
                (_, Some(sentence)) => Verdict::Whole(Judgement::not_applicable(sentence)),
                // Required beats absent: while somebody needs the role, its absence is nobody's demand.
                (Rule::NoDirectoryRole { role, .. }, None) if needed.contains(role) => Verdict::Whole(
                    Judgement::not_applicable("The role is still needed: a Connector or another profile requires it"),
                ),
                (rule, None) => judge(rule, facts, circumstances(requirement.profile)),
            };
            let by = waiver_of(&requirement.id());
            let waived = waivers::applied(&verdict, by, observed.now);
            let counts = asked.counts(&requirement);
            let in_vain = by.and_then(|waiver| waivers::environments_in_vain(waiver, &verdict, whole));
            Finding { requirement, verdict, waived, counts, in_vain }
        })
        .collect();
    let awake = || observed.connectors.iter().filter(|asking| !asking.asleep);
    let Proof { settled, lacking } = Proof::of(policy, observed, whole);
    let environment_names: BTreeMap<String, String> = whole
        .environments
        .known()
        .into_iter()
        .flatten()
        .map(|(id, (environment, _))| (id.clone(), environment.name.clone()))
        .collect();
    let answering = Answering { policy, facts: whole, findings: &findings, names: &environment_names, settled };
    let demands: Vec<DemandStatus> = observed.demands().map(|demand| answering.answer(demand)).collect();
    let ids: Vec<String> = findings.iter().map(|finding| finding.requirement.id()).collect();
    let in_vain = waivers::in_vain(&policy.spec.waivers, &ids).into_iter().map(|(at, waiver)| {
        format!(
            "spec.waivers[{at}].finding names {}, which is no finding of this policy; see status.findings for those that are",
            waiver.finding
        )
    });
    let mut mistakes: Vec<String> = in_vain.collect();
    let hours = policy.spec.elevation.as_ref().and_then(|elevation| elevation.hours.as_ref());
    mistakes.extend(hours.and_then(|hours| window::opening(hours, observed.now).err()));
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
        license_arrives: license_arrives(policy, &findings, observed.now),
        findings,
        asked: !demands.is_empty(),
        demands,
        no_connectors: awake().next().is_none(),
        lacking,
        all_seen: observed.connectors.iter().all(|asking| asking.demand.is_none() || asking.seen),
        ungranted: allowed.difference(&observed.granted).copied().collect(),
        allowed,
        environment_names,
        narrower: if let Cow::Owned(narrower) = narrower { Some(narrower) } else { None },
    })
}

/// So long a license takes at most until it shows in environments (facts/microsoft.md §1.5); after that a person should look.
const ARRIVES_WITHIN: SignedDuration = SignedDuration::from_mins(30);

/// Whether a license that lets the account into environments is asked for, and was found not long ago.
fn license_arrives(policy: &ServiceAccountPolicy, findings: &[Finding], now: Timestamp) -> bool {
    let old = policy.status.as_ref().map_or(&[][..], |status| &status.findings);
    let lately = |id: &str| {
        let known = old.iter().find(|old| old.id == id && old.result == FindingResult::Pass);
        known.is_none_or(|known| now.duration_since(known.last_transition_time.0) < ARRIVES_WITHIN)
    };
    let lets_in = findings.iter().filter(|it| it.counts && it.requirement.rule.lets_into_environments());
    lets_in.filter(|it| it.found() == FindingResult::Pass).any(|it| lately(&it.requirement.id()))
}

/// Why the account itself could not be seen, if it could not.
pub fn subject_fault(policy: &ServiceAccountPolicy, facts: &AccountFacts) -> Option<Fault> {
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
            Seen::Known(Some(user)) => AccountStatus {
                name: user.principal_name.clone(),
                object_id: user.id.clone(),
                enabled: user.enabled,
                password_changed_time: user.password_changed.map(MicroTime),
            },
        },
        Account::Application(declared) => match application(facts, &declared.client_id) {
            // That it is not there is the matter of a finding: an administrator's consent brings it.
            None | Some(Seen::Known(None)) => return Ok(None),
            Some(Seen::Unknown(fault)) => return unseen(fault),
            Some(Seen::Known(Some(app))) => AccountStatus {
                name: app.name.clone(),
                object_id: app.id.clone(),
                enabled: app.enabled,
                password_changed_time: None,
            },
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
        Some(pinned) if !pinned.eq_ignore_ascii_case(&found.object_id) => {
            let (name, is) = (policy.spec.account.name(), &found.object_id);
            let declared = matches!(&policy.spec.account, Account::User(user) if user.object_id.is_some());
            let by = if declared { "spec.account.user.objectID says" } else { "the policy was made for" };
            let sentence = format!(
                "The user {name} has the object id {is}, and {by} {pinned}: it is another user than before, or the id is \
                 mistyped; if this is the right one, create another ServiceAccountPolicy"
            );
            Err(wrong(Reason::AccountChanged, sentence))
        }
        _ => Ok(Some(found)),
    }
}

/// The account can't be seen: for now, or until somebody changes something, so that nothing else can be known either.
fn unseen(fault: &Fault) -> Result<Option<AccountStatus>, Problem> {
    if fault.class == Class::Stalled { Err(Problem::from_fault("CredentialsValid", fault)) } else { Ok(None) }
}

/// The facts without the environments that no Connector asks for; while none asks for anything, all of them.
fn narrower<'a>(observed: &Observed, facts: &'a AccountFacts) -> Cow<'a, AccountFacts> {
    // A Connector that names environments in vain asks for none of them.
    let within = observed.demands().map(|demand| narrowed(demand, facts).unwrap_or_else(|_| Some(BTreeSet::new())));
    // One that asks for all of them leaves nothing out: what was seen in hundreds of environments is not copied then.
    let Some(within) = within.collect::<Option<Vec<BTreeSet<String>>>>().filter(|within| !within.is_empty()) else {
        return Cow::Borrowed(facts);
    };
    let mut narrower = facts.clone();
    if let Seen::Known(all) = &mut narrower.environments {
        all.retain(|id, _| within.iter().any(|within| within.contains(id)));
    }
    Cow::Owned(narrower)
}
