//! How a requirement is judged: pure functions from facts to findings, one file a rule.

mod access_mode;
mod account_usable;
mod directory_role;
mod environment_member;
pub mod license;
mod system_administrator;

use std::collections::BTreeMap;

use crate::api::policy::FindingResult;
use crate::fault::Fault;
use crate::seen::Seen;
use crate::tenant::DirectoryRole;
use crate::tenant::facts::{Access, AccountFacts, Environment, SystemUser, User};

/// How a requirement is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// The account is there and can sign in.
    AccountUsable,
    /// The account holds the directory role.
    DirectoryRole(DirectoryRole),
    /// The account does not hold it: a failure if it must go, else a warning.
    NoDirectoryRole {
        /// Which role.
        role: DirectoryRole,
        /// Whether it must go.
        must_go: bool,
    },
    /// The account, or for capacity packs the tenant, has a license of the family.
    License(license::Family),
    /// The account is an enabled user of every selected environment.
    EnvironmentMember,
    /// The account is System Administrator of every selected environment.
    SystemAdministrator,
    /// The account's access mode is Read-Write in every selected environment.
    ReadWrite,
}

/// What was found for one thing: the account, or one environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The result.
    pub result: FindingResult,
    /// What was seen, in one sentence.
    pub message: String,
    /// What mends it; `None`: nothing is to be mended.
    pub remedy: Option<String>,
}

impl Judgement {
    /// It holds.
    pub fn pass(message: impl Into<String>) -> Self {
        Self { result: FindingResult::Pass, message: message.into(), remedy: None }
    }

    /// It holds, but somebody should know something.
    pub fn warn(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { result: FindingResult::Warn, message: message.into(), remedy: Some(remedy.into()) }
    }

    /// It does not hold.
    pub fn fail(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { result: FindingResult::Fail, message: message.into(), remedy: Some(remedy.into()) }
    }

    /// It can't be told: why, and what would make it known.
    #[must_use]
    pub fn unknown(fault: &Fault) -> Self {
        Self {
            result: FindingResult::Unknown,
            message: format!("Can't be told: {}", lower_first(&fault.sentence)),
            remedy: Some(remedy_of(fault)),
        }
    }

    /// It does not matter now.
    pub fn not_applicable(message: impl Into<String>) -> Self {
        Self { result: FindingResult::NotApplicable, message: message.into(), remedy: None }
    }
}

/// What was found for a requirement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// One thing was judged.
    Whole(Judgement),
    /// Each selected environment was judged, by its id.
    Environments(BTreeMap<String, Judgement>),
}

impl Verdict {
    /// The worst of what was found among the environments that `counts` names.
    pub fn result(&self, counts: impl Fn(&str) -> bool) -> FindingResult {
        match self {
            Self::Whole(judgement) => judgement.result,
            Self::Environments(each) => {
                let results = each.iter().filter(|(id, _)| counts(id)).map(|(_, judgement)| judgement.result);
                results.max_by_key(|result| severity(*result)).unwrap_or(FindingResult::NotApplicable)
            }
        }
    }
}

/// A failure is worse than not knowing: it is there whatever the unknown turns out to be.
#[must_use]
pub fn severity(result: FindingResult) -> u8 {
    match result {
        FindingResult::NotApplicable => 0,
        FindingResult::Pass => 1,
        FindingResult::Warn => 2,
        FindingResult::Unknown => 3,
        FindingResult::Fail => 4,
    }
}

/// Judges one rule.
#[must_use]
pub fn judge(asked: Rule, facts: &AccountFacts) -> Verdict {
    match asked {
        Rule::AccountUsable => Verdict::Whole(account_usable::judge(facts)),
        Rule::DirectoryRole(role) => Verdict::Whole(directory_role::required(facts, role)),
        Rule::NoDirectoryRole { role, must_go } => Verdict::Whole(directory_role::unwanted(facts, role, must_go)),
        Rule::License(family) => Verdict::Whole(license::judge(facts, family)),
        Rule::EnvironmentMember => each_environment(facts, environment_member::judge),
        Rule::SystemAdministrator => each_row(facts, system_administrator::judge),
        Rule::ReadWrite => each_row(facts, access_mode::judge),
    }
}

/// Judges every selected environment by what the account is there.
fn each_environment(
    facts: &AccountFacts,
    judge: impl Fn(&Environment, &Access, Option<&User>) -> Judgement,
) -> Verdict {
    let user = facts.user.known().and_then(Option::as_ref);
    match &facts.environments {
        Seen::Unknown(fault) => Verdict::Whole(Judgement::unknown(fault)),
        Seen::Known(all) => Verdict::Environments(
            all.iter()
                .map(|(id, (environment, access))| {
                    let judgement = match access {
                        Seen::Known(access) => judge(environment, access, user),
                        Seen::Unknown(fault) => Judgement::unknown(fault),
                    };
                    (id.clone(), judgement)
                })
                .collect(),
        ),
    }
}

/// The same by the account's row; where it has none, environment-member says so.
fn each_row(facts: &AccountFacts, judge: impl Fn(&Environment, &SystemUser) -> Judgement) -> Verdict {
    each_environment(facts, |environment, access, _| match &access.row {
        Some(row) => judge(environment, row),
        None => Judgement::not_applicable("The account is not a user of the environment"),
    })
}

/// A sentence as the second half of another.
#[must_use]
pub fn lower_first(sentence: &str) -> String {
    // Names stay as they are: "Microsoft Graph", "Keepit"; only our own articles begin small.
    match sentence.split_once(' ') {
        Some((first @ ("The" | "A" | "An"), rest)) => format!("{} {rest}", first.to_ascii_lowercase()),
        _ => sentence.to_owned(),
    }
}

/// What would make a thing known.
fn remedy_of(fault: &Fault) -> String {
    use crate::fault::Kind;
    match fault.kind {
        Kind::PermissionMissing => {
            "Give the operator's app the permission that the message names, and consent to it as an administrator".into()
        }
        Kind::NotMember => "Allow and grant SelfEnrollment, or add the operator's app to the environment as an application user (status.handOffs has the commands)".into(),
        Kind::ManagementAppNotRegistered => {
            "Register the operator's app as a management application (status.handOffs has the command)".into()
        }
        Kind::HostNotAllowed => "Start the operator with --allow-host and the host, if it is right".into(),
        Kind::Throttled | Kind::Unreachable | Kind::ServerError | Kind::BadAnswer => {
            "Nothing to do at first: it is tried again by itself".into()
        }
        _ => "Mend what the message names".into(),
    }
}
