//! What a policy hands to a person: what fails, and nobody allowed the operator to mend. [pure]

use super::enrolling::{self, POWER_PLATFORM_ADMIN};
use super::finding::Finding;
use super::observed::Observed;
use super::resolve::Resolved;
use super::rules::Rule;
use super::steps::{Step, What};
use super::words::MOST;
use crate::api::policy::{FindingResult, Stage};
use crate::elevation::entry::Given;
use crate::elevation::{Entry, Phase, ROLE};
use crate::handoff::HandOff;
use crate::runtime::Allowed;
use crate::tenant::centers::Centers;
use crate::tenant::facts::AccountFacts;

const ENTRA_ADMIN: &str = "Global Administrator or Privileged Role Administrator of the tenant";
const LICENSE_ADMIN: &str = "License Administrator or User Administrator of the tenant";
const CONSENT_ADMIN: &str = "Global Administrator or Privileged Role Administrator of the tenant";
const FACTOR_ADMIN: &str = "Conditional Access Administrator or Authentication Policy Administrator of the tenant";

/// Who gives a role for a window, and takes it back: they are open while the ledger says so, and no longer.
pub const GIVE: &str = "give-role";
pub const TAKE_BACK: &str = "take-back-role";

/// The hand-offs, one for each kind of work.
pub fn hand_offs(
    resolved: &Resolved,
    facts: &AccountFacts,
    steps: &[Step],
    removal_waits: bool,
    observed: &Observed,
) -> Vec<HandOff> {
    let caller = &observed.caller;
    let centers = caller.cloud.centers();
    // What only a new sign-in needs is asked of people while a window stands that they are to give it for.
    let asks_for_it = observed.window.as_ref().is_some_and(Entry::asks_for_it);
    let mut all: Vec<HandOff> = enrolling::hand_offs(resolved, facts, steps, caller).into_iter().collect();
    // What the account should hold is asked of people only while somebody asks for it.
    if resolved.asked {
        // What Microsoft has refused for long is not mended by trying again.
        let overdue = |step: &&Step| observed.overdue.contains(&step.what.key(&resolved.account_id));
        let steps: Vec<Step> = steps.iter().filter(|step| !overdue(step)).cloned().collect();
        all.extend(unmet(resolved, &steps, removal_waits, asks_for_it, centers));
    }
    all.extend(observed.window.as_ref().and_then(|entry| take_back(entry, centers)));
    all
}

/// What fails, and nobody allowed the operator to mend: one hand-off for each kind of work.
fn unmet(
    resolved: &Resolved,
    steps: &[Step],
    removal_waits: bool,
    asks_for_it: bool,
    centers: &Centers,
) -> Vec<HandOff> {
    let connecting = resolved.demands.iter().any(|demand| demand.stage == Stage::Setup);
    let mut all = Vec::new();
    let failing: Vec<&Finding> =
        resolved.findings.iter().filter(|finding| finding.counts && finding.result() == FindingResult::Fail).collect();
    let of = |wanted: fn(&Rule) -> bool| -> Vec<&Finding> {
        failing.iter().copied().filter(|finding| wanted(&finding.requirement.rule) && !mended(finding, steps)).collect()
    };
    let account = resolved.account.as_ref().map_or("the account", |account| account.name.as_str());
    let mut roles = of(|rule| matches!(rule, Rule::DirectoryRole { .. } | Rule::NoDirectoryRole { .. }));
    let of_window = |finding: &&Finding| {
        let only = matches!(&finding.requirement.rule, Rule::DirectoryRole { any_of, .. } if any_of == &[ROLE]);
        only && !finding.requirement.counts_in(Stage::Steady)
    };
    if !connecting {
        let (for_window, others): (Vec<&Finding>, Vec<&Finding>) = roles.into_iter().partition(of_window);
        roles = others;
        if asks_for_it && !for_window.is_empty() {
            let title = format!("Give {account} the role that it needs while somebody signs in");
            all.push(work(GIVE, title, ENTRA_ADMIN, centers.microsoft365, &for_window));
        }
    }
    // What the operator would not take away yet, nobody is told to take away either.
    roles.retain(|finding| !(removal_waits && matches!(finding.requirement.rule, Rule::NoDirectoryRole { .. })));
    if !roles.is_empty() {
        all.push(work(
            "directory-roles",
            format!("Put the directory roles of {account} right"),
            ENTRA_ADMIN,
            centers.microsoft365,
            &roles,
        ));
    }
    let licenses = of(|rule| matches!(rule, Rule::License(_)));
    if !licenses.is_empty() {
        all.push(work(
            "licenses",
            format!("Give {account} the licenses that are missing"),
            LICENSE_ADMIN,
            centers.microsoft365,
            &licenses,
        ));
    }
    let usable = of(|rule| matches!(rule, Rule::AccountUsable));
    if !usable.is_empty() {
        all.push(work("account", format!("Make {account} usable"), LICENSE_ADMIN, centers.microsoft365, &usable));
    }
    let consent = of(|rule| matches!(rule, Rule::Consent { .. }));
    if !consent.is_empty() {
        let title = format!("Let {account} use the vendor's app");
        all.push(work("consent", title, CONSENT_ADMIN, centers.entra, &consent));
    }
    let factor = of(|rule| matches!(rule, Rule::NoMfa));
    if !factor.is_empty() {
        let title = format!("Let {account} sign in without a second factor");
        all.push(work("second-factor", title, FACTOR_ADMIN, centers.entra, &factor));
    }
    let access = of(in_environments);
    if !access.is_empty() {
        let title = format!("Put the access of {account} to its environments right");
        all.push(work("environment-access", title, POWER_PLATFORM_ADMIN, centers.power_platform, &access));
    }
    all
}

fn in_environments(rule: &Rule) -> bool {
    matches!(rule, Rule::EnvironmentMember | Rule::SystemAdministrator | Rule::AccessMode(_) | Rule::TablePrivileges(_))
}

/// A role that a person gave for a window, and has to take back.
pub fn take_back(entry: &Entry, centers: &Centers) -> Option<HandOff> {
    let owed = entry.phase == Phase::Closing && entry.given == Given::ByPerson;
    let (role, account) = (ROLE.name(), &entry.name);
    owed.then(|| HandOff {
        name: TAKE_BACK,
        title: format!("Take {role} from {account}: the window that it was given for is over"),
        who: ENTRA_ADMIN,
        steps: vec![format!(
            "Microsoft 365 admin center > Users > Active users > {account} > Manage roles: deselect {role}"
        )],
        url: centers.microsoft365.map(str::to_owned),
        due_date: None,
        done_when: format!("the account no longer holds {role}"),
    })
}

/// Whether a rule has to hold, or to be known, for a hand-off to be done.
pub fn closes(rule: &Rule, name: &str) -> bool {
    let of = match rule {
        Rule::AccountUsable => ["account"].as_slice(),
        Rule::DirectoryRole { .. } | Rule::NoDirectoryRole { .. } => &["directory-roles"],
        Rule::License(_) => &["licenses"],
        Rule::Consent { .. } => &["consent"],
        Rule::NoMfa => &["second-factor"],
        // A warning, and the vendor's matter.
        Rule::PasswordKept => &[],
        Rule::EnvironmentMember | Rule::SystemAdministrator | Rule::AccessMode(_) | Rule::TablePrivileges(_) => {
            &["environment-access", "enroll-app", "register-management-app"]
        }
    };
    of.contains(&name)
}

/// Whether steps that are taken now, or soon, mend all of it.
fn mended(finding: &Finding, steps: &[Step]) -> bool {
    let coming = |step: &&Step| matches!(step.allowed, Allowed::Yes | Allowed::NotYet(_));
    let taken = || steps.iter().filter(coming).map(|step| &step.what);
    let everywhere = |mends: &dyn Fn(&What, &str) -> bool| {
        failing_environments(finding).iter().all(|id| taken().any(|what| mends(what, id)))
    };
    match &finding.requirement.rule {
        Rule::DirectoryRole { any_of, .. } => {
            taken().any(|what| matches!(what, What::AddDirectoryRole(role) if any_of.contains(role)))
        }
        Rule::NoDirectoryRole { role, .. } => {
            taken().any(|what| matches!(what, What::RemoveDirectoryRole { role: taken, .. } if taken == role))
        }
        Rule::EnvironmentMember => everywhere(&|what, id| matches!(what, What::AddToEnvironment(it) if it.id == id)),
        Rule::SystemAdministrator => {
            everywhere(&|what, id| matches!(what, What::AddSystemAdministrator(it) if it.id == id))
        }
        Rule::AccessMode(_) => everywhere(&|what, id| matches!(what, What::SetReadWrite(it) if it.id == id)),
        _ => false,
    }
}

fn failing_environments(finding: &Finding) -> Vec<&String> {
    match &finding.waived {
        super::rules::Verdict::Environments(each) => {
            each.iter().filter(|(_, judgement)| judgement.result == FindingResult::Fail).map(|(id, _)| id).collect()
        }
        super::rules::Verdict::Whole(_) => Vec::new(),
    }
}

/// The remedies of these findings as steps; at most twenty, so that a status stays small.
fn work(name: &'static str, title: String, who: &'static str, url: Option<&str>, findings: &[&Finding]) -> HandOff {
    let mut steps: Vec<String> = Vec::new();
    for finding in findings {
        match &finding.waived {
            super::rules::Verdict::Whole(judgement) => steps.extend(match &finding.requirement.rule {
                Rule::NoDirectoryRole { role, .. } => Some(format!(
                    "Microsoft 365 admin center > Users > Active users > the account > Manage roles: deselect {}",
                    role.name()
                )),
                _ => judgement.remedy.clone(),
            }),
            super::rules::Verdict::Environments(each) => steps.extend(
                each.values()
                    .filter(|judgement| judgement.result == FindingResult::Fail)
                    .filter_map(|judgement| judgement.remedy.clone()),
            ),
        }
    }
    // Several profiles may ask for the same.
    let mut said = std::collections::BTreeSet::new();
    steps.retain(|step| said.insert(step.clone()));
    if steps.len() > MOST {
        let more = steps.len() - MOST;
        steps.truncate(MOST);
        steps.push(format!("And {more} more like these"));
    }
    let names: Vec<String> = findings.iter().map(|finding| finding.requirement.id()).collect();
    HandOff {
        name,
        title,
        who,
        steps,
        url: url.map(str::to_owned),
        due_date: None,
        done_when: format!("these findings pass: {}", names.join(", ")),
    }
}
