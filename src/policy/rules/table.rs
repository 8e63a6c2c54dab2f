//! Each rule in a table: what makes it hold, fail, be unknown or not a matter, and what a waiver makes of that.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::*;
use crate::api::policy::FindingResult::{Fail, NotApplicable, Pass, Unknown, Waived, Warn};
use crate::api::profiles::{LicenseFamily, Waiver};
use crate::policy::waivers;
use crate::tenant::facts::{Application, HeldBy, HeldRole, License, TableAccess, User};

const SALES: &str = "1e1a282c-9c54-43a2-9310-98ef728faace";
const NEAR: &str = "4a51bf65-409c-4a91-b845-1121b571cc9d";

fn unseen<T>() -> Seen<T> {
    Seen::Unknown(Fault::new(Kind::PermissionMissing, "Microsoft does not permit it"))
}

fn user(change: impl FnOnce(&mut User)) -> AccountFacts {
    let mut facts = facts_for_tests();
    let mut user = user_for_tests();
    user.licenses = vec![License { sku: SALES.into(), disabled_plans: Vec::new() }];
    change(&mut user);
    facts.user = Seen::Known(Some(user));
    facts
}

fn roles(held: &[DirectoryRole]) -> AccountFacts {
    let mut facts = facts_for_tests();
    let each = held.iter().map(|role| HeldRole { role: role.id().into(), assignment: "a".into(), group: None });
    facts.roles = Seen::Known(each.collect());
    facts
}

/// The account in one environment; `None`: it is no user of it.
fn access(row: Option<SystemUser>) -> AccountFacts {
    seen_there(Seen::Known(Access { row, tables: BTreeMap::new() }))
}

fn seen_there(access: Seen<Access>) -> AccountFacts {
    let mut facts = user(|_| {});
    facts.environments = Seen::Known([("e".to_owned(), (environment_for_tests(), access))].into());
    facts
}

fn row(change: impl FnOnce(&mut SystemUser)) -> AccountFacts {
    let mut row = row_for_tests();
    change(&mut row);
    access(Some(row))
}

fn tables() -> TablesWanted {
    TablesWanted { names: vec!["account".into()], privileges: Vec::new(), related: false }
}

fn with_tables(seen: TableAccess) -> AccountFacts {
    let seen = [(tables(), [("account".to_owned(), seen)].into())].into();
    seen_there(Seen::Known(Access { row: Some(row_for_tests()), tables: seen }))
}

fn app(application: Seen<Option<Application>>) -> AccountFacts {
    let mut facts = facts_for_tests();
    facts.applications.insert("app".into(), application);
    facts
}

fn vendor(enabled: bool) -> Application {
    Application {
        id: "sp".into(),
        name: "Vendor".into(),
        enabled,
        assignment_required: false,
        assigned: None,
        for_everybody: Vec::new(),
        for_account: Vec::new(),
    }
}

fn factor(per_user: Seen<bool>) -> AccountFacts {
    let mut facts = roles(&[]);
    facts.second_factor.per_user = per_user;
    facts.second_factor.security_defaults = Seen::Known(false);
    facts.second_factor.policies = Seen::Known([].into());
    facts.second_factor.groups = Seen::Known([].into());
    facts
}

#[allow(clippy::unnecessary_wraps)] // as the facts have it
fn at(second: i64) -> Option<Timestamp> {
    Some(Timestamp::from_second(second).unwrap())
}

/// A rule, what is seen, and what comes of it.
type Row = (&'static str, Rule, AccountFacts, FindingResult);

#[allow(clippy::too_many_lines)] // a table
fn rows() -> Vec<Row> {
    use DirectoryRole::{Dynamics365Administrator as Dynamics, GlobalAdministrator as Global};
    let dynamics = || Rule::DirectoryRole { any_of: vec![Dynamics], standing: true };
    let either = || Rule::DirectoryRole { any_of: vec![Global, Dynamics], standing: true };
    let absent = |must_go| Rule::NoDirectoryRole { role: Global, must_go };
    let license = |family| Rule::License(license::Wanted::usual(family));
    let read_write = || Rule::AccessMode(vec![AccessMode::ReadWrite]);
    let privileges = || Rule::TablePrivileges(tables());
    let consent = || Rule::Consent { app: "app".into(), permissions: Vec::new() };
    let nobody = || {
        let mut facts = facts_for_tests();
        facts.user = Seen::Known(None);
        facts
    };
    let hidden = || {
        let mut facts = facts_for_tests();
        facts.user = unseen();
        facts
    };
    vec![
        ("a user who can sign in", Rule::AccountUsable, user(|_| {}), Pass),
        ("a blocked user", Rule::AccountUsable, user(|user| user.enabled = false), Fail),
        ("a guest", Rule::AccountUsable, user(|user| user.guest = true), Fail),
        ("nobody", Rule::AccountUsable, nobody(), Fail),
        ("a user who can't be read", Rule::AccountUsable, hidden(), Unknown),
        ("a role that is held", dynamics(), roles(&[Dynamics]), Pass),
        ("a role that is not", dynamics(), roles(&[Global]), Fail),
        ("one of two", either(), roles(&[Global]), Pass),
        ("roles that can't be read", dynamics(), facts_for_tests(), Unknown),
        ("an unwanted role that is not held", absent(true), roles(&[Dynamics]), Pass),
        ("one that must go", absent(true), roles(&[Global]), Fail),
        ("one that may stay", absent(false), roles(&[Global]), Warn),
        ("an unwanted role that can't be told", absent(true), facts_for_tests(), Unknown),
        ("a license", license(LicenseFamily::Dynamics365), user(|_| {}), Pass),
        ("none", license(LicenseFamily::Dynamics365), user(|user| user.licenses.clear()), Fail),
        (
            "a near miss",
            license(LicenseFamily::PowerAutomatePremium),
            user(|user| user.licenses[0].sku = NEAR.into()),
            Fail,
        ),
        ("licenses that can't be read", license(LicenseFamily::Dynamics365), hidden(), Unknown),
        ("packs that can't be read", license(LicenseFamily::PowerPages), user(|_| {}), Unknown),
        ("a member", Rule::EnvironmentMember, row(|_| {}), Pass),
        ("no member", Rule::EnvironmentMember, access(None), Fail),
        ("a disabled member", Rule::EnvironmentMember, row(|row| row.disabled = true), Fail),
        ("a deleted member", Rule::EnvironmentMember, row(|row| row.deleted = true), Fail),
        ("an environment that can't be seen", Rule::EnvironmentMember, seen_there(unseen()), Unknown),
        (
            "no environment but one that rests",
            Rule::EnvironmentMember,
            seen_there(Seen::Unknown(Fault::new(Kind::NotRunning, "The environment rests"))),
            Unknown,
        ),
        ("environments that can't be listed", Rule::EnvironmentMember, user(|_| {}), Unknown),
        ("an administrator", Rule::SystemAdministrator, row(|row| row.system_administrator = Some(HeldBy::User)), Pass),
        (
            "an administrator by a team",
            Rule::SystemAdministrator,
            row(|row| row.system_administrator = Some(HeldBy::Team("T".into()))),
            Pass,
        ),
        ("no administrator", Rule::SystemAdministrator, row(|_| {}), Fail),
        ("nobody's role", Rule::SystemAdministrator, access(None), NotApplicable),
        ("a role that can't be seen", Rule::SystemAdministrator, seen_there(unseen()), Unknown),
        ("read-write", read_write(), row(|_| {}), Pass),
        ("administrative", read_write(), row(|row| row.access_mode = AccessMode::Administrative), Fail),
        ("a number that nobody knows", read_write(), row(|row| row.access_mode = AccessMode::Other(9)), Fail),
        ("a mode that can't be seen", read_write(), seen_there(unseen()), Unknown),
        ("nothing is asked of the table", privileges(), with_tables(TableAccess::Present(BTreeMap::new())), Pass),
        ("the table is not there", privileges(), with_tables(TableAccess::Absent), Warn),
        ("privileges that can't be read", privileges(), seen_there(unseen()), Unknown),
        ("an app that is there", consent(), app(Seen::Known(Some(vendor(true)))), Pass),
        ("an app that is blocked", consent(), app(Seen::Known(Some(vendor(false)))), Fail),
        ("an app that is not there", consent(), app(Seen::Known(None)), Fail),
        ("an app that can't be read", consent(), app(unseen()), Unknown),
        ("no second factor", Rule::NoMfa, factor(Seen::Known(false)), Pass),
        ("a second factor", Rule::NoMfa, factor(Seen::Known(true)), Fail),
        ("nobody knows of one", Rule::NoMfa, factor(unseen()), Unknown),
        ("an old password", Rule::PasswordKept, user(|user| user.password_changed = at(1)), Pass),
        ("a new password", Rule::PasswordKept, user(|user| user.password_changed = at(9)), Warn),
        ("a password of who can't be read", Rule::PasswordKept, hidden(), Unknown),
    ]
}

#[test]
fn every_rule_says_what_the_table_says_and_how_to_mend_it() {
    for (case, rule, facts, expected) in rows() {
        let verdict = judge(&rule, &facts, Circumstances { authorized: at(5), membership_elsewhere: true });
        assert_eq!(verdict.result(|_| true), expected, "{case}: {verdict:?}");
        let judgements: Vec<&Judgement> = match &verdict {
            Verdict::Whole(judgement) => vec![judgement],
            Verdict::Environments(each) => each.values().collect(),
        };
        for judgement in judgements {
            let silent = matches!(expected, Pass | NotApplicable);
            assert_eq!(judgement.remedy.is_none(), silent, "{case}: {judgement:?}");
            assert!(judgement.message.len() > 8 && !judgement.message.ends_with('.'), "{case}: {judgement:?}");
        }
    }
}

#[test]
fn a_waiver_makes_waived_of_what_is_wrong_or_unknown_and_of_nothing_else() {
    let waiver = Waiver {
        finding: "custom/a".into(),
        environments: Vec::new(),
        reason: "ticket 7".into(),
        expiration_time: None,
    };
    for (case, rule, facts, expected) in rows() {
        let verdict = judge(&rule, &facts, Circumstances { authorized: at(5), membership_elsewhere: true });
        let result = waivers::applied(&verdict, Some(&waiver), Timestamp::UNIX_EPOCH).result(|_| true);
        let expected = if matches!(expected, Fail | Warn | Unknown) { Waived } else { expected };
        assert_eq!(result, expected, "{case}");
    }
}

#[test]
fn every_rule_can_hold_fail_or_warn_and_be_unknown() {
    let word = |rule: &Rule| format!("{rule:?}").split([' ', '(']).next().unwrap().to_owned();
    let mut seen: BTreeMap<String, Vec<FindingResult>> = BTreeMap::new();
    for (_, rule, _, expected) in rows() {
        seen.entry(word(&rule)).or_default().push(expected);
    }
    assert_eq!(seen.len(), 11, "a rule is not in the table: {:?}", seen.keys());
    for (rule, results) in seen {
        assert!(results.contains(&Pass) && results.contains(&Unknown), "{rule}: {results:?}");
        assert!(results.contains(&Fail) || results.contains(&Warn), "{rule}: {results:?}");
    }
}
