//! How a requirement is judged: pure functions from facts to findings, one file a rule.

mod access_mode;
mod account_usable;
pub mod consent;
mod directory_role;
mod environment_member;
pub mod license;
mod no_mfa;
mod password;
mod system_administrator;
#[cfg(test)]
mod table;
mod table_privileges;

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::api::policy::FindingResult;
use crate::api::profiles::{LicenseFamily, LookAt};
use crate::fault::{Fault, Kind};
use crate::seen::Seen;
use crate::tenant::DirectoryRole;
use crate::tenant::facts::{Access, AccessMode, AccountFacts, Consented, Environment, SystemUser, TablesWanted};

/// How a requirement is judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// The account is there and can sign in.
    AccountUsable,
    /// The account holds one of these directory roles; the last is what mends it, since it gives the least.
    DirectoryRole {
        /// Which; never empty.
        any_of: Vec<DirectoryRole>,
        /// Whether one that ends by itself falls short of what is needed.
        standing: bool,
    },
    /// The account does not hold it: a failure if it must go, else a warning.
    NoDirectoryRole {
        /// Which role.
        role: DirectoryRole,
        /// Whether it must go.
        must_go: bool,
    },
    /// The account, or for capacity packs the tenant, has a license of the family.
    License(license::Wanted),
    /// The account is an enabled user of every selected environment.
    EnvironmentMember,
    /// The account is System Administrator of every selected environment.
    SystemAdministrator,
    /// The account's access mode is one of these in every selected environment.
    AccessMode(Vec<AccessMode>),
    /// The account has these privileges on these tables of every selected environment, or System Administrator.
    TablePrivileges(TablesWanted),
    /// An app is in the tenant, is not blocked, and was consented to all of this.
    Consent {
        /// Its client id, lower case.
        app: String,
        /// What was to be consented to; nothing: that it is there is enough.
        permissions: Vec<Consented>,
    },
    /// Nothing asks the account for a second factor.
    NoMfa,
    /// The password was not changed after the vendor was last authorized.
    PasswordKept,
}

/// What the rules know beside the account: nothing of it comes from Microsoft.
#[derive(Clone, Copy, Debug, Default)]
pub struct Circumstances {
    /// When the vendor was last seen to be authorized; `None`: no Connector says.
    pub authorized: Option<Timestamp>,
    /// Whether another rule of the profile says that the account is a user of an environment: else a rule about its row does.
    pub membership_elsewhere: bool,
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
    /// When what was found ends by itself; `None`: it does not.
    pub until: Option<Timestamp>,
}

impl Judgement {
    /// It holds.
    pub fn pass(message: impl Into<String>) -> Self {
        Self { result: FindingResult::Pass, message: message.into(), remedy: None, until: None }
    }

    /// It holds, but somebody should know something.
    pub fn warn(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { result: FindingResult::Warn, message: message.into(), remedy: Some(remedy.into()), until: None }
    }

    /// It does not hold.
    pub fn fail(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { result: FindingResult::Fail, message: message.into(), remedy: Some(remedy.into()), until: None }
    }

    /// It can't be told: why, and what would make it known.
    #[must_use]
    pub fn unknown(fault: &Fault) -> Self {
        Self {
            result: FindingResult::Unknown,
            message: format!("Can't be told: {}", lower_first(&fault.sentence)),
            remedy: Some(remedy_of(fault)),
            until: None,
        }
    }

    /// It can't be told, though nothing went wrong: why, and what would make it known.
    fn unseen(why: &str, remedy: &str) -> Self {
        Self {
            result: FindingResult::Unknown,
            message: format!("Can't be told: {why}"),
            remedy: Some(remedy.to_owned()),
            until: None,
        }
    }

    /// The same, until then.
    #[must_use]
    pub fn until(mut self, end: Option<Timestamp>) -> Self {
        self.until = end;
        self
    }

    /// It does not matter now.
    pub fn not_applicable(message: impl Into<String>) -> Self {
        Self { result: FindingResult::NotApplicable, message: message.into(), remedy: None, until: None }
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

impl Rule {
    /// Whether it is about the license that lets a user into environments.
    #[must_use]
    pub fn lets_into_environments(&self) -> bool {
        matches!(self, Self::License(wanted) if wanted.family == LicenseFamily::Dynamics365 && wanted.look_at == LookAt::User)
    }

    /// Whether it has to hold before Global Administrator is taken away: not so licenses, consents, second factors and the
    /// password, which a role neither replaces nor is replaced by.
    #[must_use]
    pub fn bears_on_removal(&self) -> bool {
        !matches!(
            self,
            Self::NoDirectoryRole { .. } | Self::License(_) | Self::Consent { .. } | Self::NoMfa | Self::PasswordKept
        )
    }
}

impl Verdict {
    /// The worst of what was found among the environments that `counts` names.
    pub fn result(&self, counts: impl Fn(&str) -> bool) -> FindingResult {
        match self {
            Self::Whole(judgement) => judgement.result,
            Self::Environments(each) => {
                let results = each.iter().filter(|(id, _)| counts(id)).map(|(_, judgement)| judgement.result);
                // Where nothing was judged, nothing is known.
                results.max_by_key(|result| severity(*result)).unwrap_or(FindingResult::Unknown)
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
        FindingResult::Waived => 2,
        FindingResult::Warn => 3,
        FindingResult::Unknown => 4,
        FindingResult::Fail => 5,
    }
}

/// Judges one rule.
#[must_use]
pub fn judge(asked: &Rule, facts: &AccountFacts, circumstances: Circumstances) -> Verdict {
    match asked {
        Rule::AccountUsable => Verdict::Whole(account_usable::judge(facts)),
        Rule::DirectoryRole { any_of, standing } => Verdict::Whole(directory_role::required(facts, any_of, *standing)),
        Rule::NoDirectoryRole { role, must_go } => Verdict::Whole(directory_role::unwanted(facts, *role, *must_go)),
        Rule::License(wanted) => Verdict::Whole(license::judge(facts, wanted)),
        Rule::EnvironmentMember => each_environment(facts, environment_member::judge),
        Rule::SystemAdministrator => {
            each_row(facts, circumstances, |environment, _, row| system_administrator::judge(environment, row))
        }
        Rule::AccessMode(any_of) => {
            let user = facts.user.known().and_then(Option::as_ref);
            each_row(facts, circumstances, |environment, _, row| access_mode::judge(environment, row, any_of, user))
        }
        Rule::TablePrivileges(tables) => each_row(facts, circumstances, |environment, access, row| {
            table_privileges::judge(environment, access, row, tables)
        }),
        Rule::Consent { app, permissions } => Verdict::Whole(consent::judge(facts, app, permissions)),
        Rule::NoMfa => Verdict::Whole(no_mfa::judge(facts)),
        Rule::PasswordKept => Verdict::Whole(password::judge(facts, circumstances.authorized)),
    }
}

/// Judges every selected environment by what the account is there.
fn each_environment(
    facts: &AccountFacts,
    judge: impl Fn(&Environment, &Access, &AccountFacts) -> Judgement,
) -> Verdict {
    match &facts.environments {
        Seen::Unknown(fault) => Verdict::Whole(Judgement::unknown(fault)),
        Seen::Known(all) if all.is_empty() => Verdict::Whole(Judgement::unseen(
            "no environment is selected",
            "Correct spec.environments, of the policy or of the Connector: it selects none that has Dataverse",
        )),
        Seen::Known(all) if all.values().all(|(_, access)| access.unknown_for(Kind::NotRunning)) => {
            Verdict::Whole(Judgement::unseen(
                "no selected environment is running",
                "Nothing to do at first: they are looked at again by themselves",
            ))
        }
        Seen::Known(all) => Verdict::Environments(
            all.iter()
                .map(|(id, (environment, access))| {
                    let judgement = match access {
                        Seen::Known(access) => judge(environment, access, facts),
                        // Nobody gets in there now, the vendor as little as we: that says nothing against the account.
                        Seen::Unknown(fault) if fault.kind == Kind::NotRunning => {
                            Judgement::not_applicable(fault.sentence.clone())
                        }
                        Seen::Unknown(fault) => Judgement::unknown(fault),
                    };
                    (id.clone(), judgement)
                })
                .collect(),
        ),
    }
}

/// The same by the account's row; where it has none, environment-member says so, if the profile has that.
fn each_row(
    facts: &AccountFacts,
    circumstances: Circumstances,
    judge: impl Fn(&Environment, &Access, &SystemUser) -> Judgement,
) -> Verdict {
    each_environment(facts, |environment, access, facts| match &access.row {
        Some(row) if !row.deleted => judge(environment, access, row),
        _ if circumstances.membership_elsewhere => {
            Judgement::not_applicable("The account is not a user of the environment")
        }
        _ => environment_member::judge(environment, access, facts),
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
    match fault.kind {
        Kind::PermissionMissing => {
            "Give the operator's app the permission that the message names, and consent to it as an administrator".into()
        }
        Kind::PrivilegeMissing => {
            "Give the operator's app a role with what the message names in the environment (status.handOffs has the commands)".into()
        }
        Kind::NotMember => "Allow and grant SelfEnrollment, or add the operator's app to the environment as an application user (status.handOffs has the commands)".into(),
        Kind::ManagementAppNotRegistered => {
            "Register the operator's app as a management application (status.handOffs has the command)".into()
        }
        Kind::PremiumMissing => "Nothing, unless the tenant gets Microsoft Entra ID P1 or P2; waive the finding if it is known otherwise".into(),
        Kind::HostNotAllowed => "Start the operator with --allow-host and the host, if it is right".into(),
        Kind::Throttled | Kind::Unreachable | Kind::ServerError | Kind::BadAnswer => {
            "Nothing to do at first: it is tried again by itself".into()
        }
        _ => "Mend what the message names".into(),
    }
}

/// Facts of which nothing is known, for tests of single rules.
#[cfg(test)]
pub(crate) fn facts_for_tests() -> AccountFacts {
    use crate::tenant::facts::SecondFactor;
    fn unseen<T>() -> Seen<T> {
        Seen::Unknown(Fault::new(Kind::Bug, "not asked"))
    }
    AccountFacts {
        is_application: false,
        user: Seen::Known(Some(user_for_tests())),
        roles: unseen(),
        schedule: Seen::Known(crate::tenant::facts::Schedule::default()),
        another_global_administrator: unseen(),
        subscribed: unseen(),
        second_factor: SecondFactor {
            per_user: unseen(),
            security_defaults: unseen(),
            policies: unseen(),
            groups: unseen(),
        },
        applications: BTreeMap::new(),
        environments: unseen(),
        without_dataverse: Vec::new(),
    }
}

/// A user without anything.
#[cfg(test)]
pub(crate) fn user_for_tests() -> crate::tenant::facts::User {
    crate::tenant::facts::User {
        id: "u".into(),
        principal_name: "u@x".into(),
        enabled: true,
        guest: false,
        licenses: Vec::new(),
        license_states: Vec::new(),
        plans: Vec::new(),
        password_changed: None,
    }
}

/// An environment that runs.
#[cfg(test)]
pub(crate) fn environment_for_tests() -> Environment {
    let dataverse = crate::tenant::facts::Dataverse { origin: "https://x".into(), running: true, security_group: None };
    Environment { id: "e".into(), name: "Sales".into(), sku: "Production".into(), dataverse: Some(dataverse) }
}

/// A row without any role.
#[cfg(test)]
pub(crate) fn row_for_tests() -> SystemUser {
    SystemUser {
        id: "r".into(),
        business_unit: "b".into(),
        disabled: false,
        deleted: false,
        access_mode: AccessMode::ReadWrite,
        licensed: Some(true),
        system_administrator: None,
    }
}
