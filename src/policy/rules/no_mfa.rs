//! Whether anything asks the account for a second factor (R13 of facts/microsoft.md §5): three causes, none of them proof alone.

use super::Judgement;
use crate::api::policy::FindingResult;
use crate::seen::Seen;
use crate::tenant::DirectoryRole;
use crate::tenant::facts::{AccountFacts, FactorPolicy, People, held};

/// The worst of the causes; what can't be seen of one says nothing against what was seen of another.
pub fn judge(facts: &AccountFacts) -> Judgement {
    let causes = [per_user(facts), security_defaults(facts), policies(facts)];
    let worst = causes.iter().max_by_key(|judgement| super::severity(judgement.result));
    worst
        .filter(|judgement| judgement.result != FindingResult::Pass)
        .cloned()
        .unwrap_or_else(|| Judgement::pass("Nothing that can be configured asks the account for a second factor"))
}

fn per_user(facts: &AccountFacts) -> Judgement {
    match &facts.second_factor.per_user {
        Seen::Unknown(fault) => Judgement::unknown(fault),
        Seen::Known(false) => Judgement::pass("Per-user MFA is off"),
        Seen::Known(true) => Judgement::fail(
            "Per-user MFA is on for the account",
            "Microsoft Entra admin center > Users > Per-user MFA: disable it for the account",
        ),
    }
}

/// Global Administrators are asked at every sign-in, others when Microsoft finds it necessary (facts/microsoft.md §1.8).
fn security_defaults(facts: &AccountFacts) -> Judgement {
    let on = match &facts.second_factor.security_defaults {
        Seen::Unknown(fault) => return Judgement::unknown(fault),
        Seen::Known(on) => *on,
    };
    if !on {
        return Judgement::pass("Security defaults are off");
    }
    let roles = match &facts.roles {
        Seen::Unknown(fault) => return Judgement::unknown(fault),
        Seen::Known(roles) => roles,
    };
    let way_out = "Replace security defaults by Conditional Access policies that leave the account out; or use the vendor's app profile instead of a service account";
    if held(roles, DirectoryRole::GlobalAdministrator).is_some() {
        return Judgement::fail(
            "Security defaults are on, and ask every Global Administrator for a second factor",
            format!("Let the account hold Dynamics 365 Administrator instead. {way_out}"),
        );
    }
    Judgement::warn("Security defaults are on, and may ask the account for a second factor at any time", way_out)
}

fn policies(facts: &AccountFacts) -> Judgement {
    let policies = match &facts.second_factor.policies {
        Seen::Unknown(fault) => return Judgement::unknown(fault),
        Seen::Known(policies) => policies,
    };
    let mut worst = Judgement::pass("No Conditional Access policy asks for it");
    for policy in policies.iter().filter(|policy| policy.concerns_backup) {
        let judgement = one(policy, facts);
        if super::severity(judgement.result) > super::severity(worst.result) {
            worst = judgement;
        }
    }
    worst
}

fn one(policy: &FactorPolicy, facts: &AccountFacts) -> Judgement {
    let name = &policy.name;
    let remedy =
        format!("Microsoft Entra admin center > Conditional Access > {name} > Users > Exclude: add the account");
    match (meant(&policy.includes, facts), meant(&policy.excludes, facts)) {
        (Some(false), _) | (_, Some(true)) => Judgement::pass("The policy is not for the account"),
        (Some(true), Some(false)) if policy.conditional => Judgement::warn(
            format!("The Conditional Access policy {name} asks the account for a second factor under conditions"),
            remedy,
        ),
        (Some(true), Some(false)) => {
            Judgement::fail(format!("The Conditional Access policy {name} asks the account for a second factor"), remedy)
        }
        _ => Judgement {
            result: FindingResult::Unknown,
            message: format!("Can't be told: whether the Conditional Access policy {name} is for the account"),
            remedy: Some("Let the operator's app read the account's groups and roles (User.Read.All, RoleManagement.Read.Directory)".to_owned()),
            until: None,
        },
    }
}

/// Whether the account is among these people; `None`: it depends on what can't be seen.
fn meant(people: &People, facts: &AccountFacts) -> Option<bool> {
    if people.all {
        return Some(true);
    }
    let mut open = false;
    match facts.user.known() {
        Some(Some(user)) if people.users.contains(&user.id) => return Some(true),
        Some(_) => {}
        None => open |= !people.users.is_empty(),
    }
    match facts.second_factor.groups.known() {
        Some(groups) if groups.iter().any(|group| people.groups.contains(&group.id)) => return Some(true),
        Some(_) => {}
        None => open |= !people.groups.is_empty(),
    }
    match facts.roles.known() {
        Some(roles) if roles.iter().any(|held| people.roles.contains(&held.role)) => return Some(true),
        Some(_) => {}
        None => open |= !people.roles.is_empty(),
    }
    if open { None } else { Some(false) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::policy::FindingResult::{Fail, Pass, Unknown, Warn};
    use crate::fault::{Fault, Kind};
    use crate::policy::rules::facts_for_tests;
    use crate::tenant::facts::{Group, HeldRole};

    fn free() -> AccountFacts {
        let mut facts = facts_for_tests();
        facts.roles = Seen::Known([].into());
        facts.second_factor.per_user = Seen::Known(false);
        facts.second_factor.security_defaults = Seen::Known(false);
        facts.second_factor.policies = Seen::Known([].into());
        facts.second_factor.groups = Seen::Known([].into());
        facts
    }

    fn with(policy: FactorPolicy) -> AccountFacts {
        let mut facts = free();
        facts.second_factor.policies =
            Seen::Known([FactorPolicy { name: "P".into(), concerns_backup: true, ..policy }].into());
        facts
    }

    #[test]
    fn each_cause_alone_is_enough_and_none_is_needed() {
        assert_eq!(judge(&free()).result, Pass);
        let mut facts = free();
        facts.second_factor.per_user = Seen::Known(true);
        assert_eq!(judge(&facts).result, Fail);
        let mut facts = free();
        facts.second_factor.security_defaults = Seen::Known(true);
        assert_eq!(judge(&facts).result, Warn);
        let global = DirectoryRole::GlobalAdministrator.id();
        facts.roles = Seen::Known([HeldRole { role: global.into(), assignment: "a".into(), group: None }].into());
        assert_eq!(judge(&facts).result, Fail);
        let everybody = People { all: true, ..People::default() };
        assert_eq!(judge(&with(FactorPolicy { includes: everybody.clone(), ..FactorPolicy::default() })).result, Fail);
        let conditional = FactorPolicy { includes: everybody, conditional: true, ..FactorPolicy::default() };
        assert_eq!(judge(&with(conditional)).result, Warn);
    }

    #[test]
    fn a_policy_counts_for_whom_it_includes_and_does_not_exclude() {
        let group = || People { groups: vec!["g".into()], ..People::default() };
        let included = with(FactorPolicy { includes: group(), ..FactorPolicy::default() });
        assert_eq!(judge(&included).result, Pass, "not in the group");
        let in_group = |mut facts: AccountFacts| {
            let group = Group { id: "g".into(), name: "G".into(), role_assignable: false };
            facts.second_factor.groups = Seen::Known([group].into());
            facts
        };
        assert_eq!(judge(&in_group(included)).result, Fail);
        let everybody = People { all: true, ..People::default() };
        let excluded = FactorPolicy { includes: everybody.clone(), excludes: group(), ..FactorPolicy::default() };
        assert_eq!(judge(&in_group(with(excluded.clone()))).result, Pass);
        let mut unseen = with(excluded);
        unseen.second_factor.groups = Seen::Unknown(Fault::new(Kind::PermissionMissing, "no"));
        assert_eq!(judge(&unseen).result, Unknown);
        let mut facts = with(FactorPolicy { includes: everybody, ..FactorPolicy::default() });
        facts.second_factor.per_user = Seen::Unknown(Fault::new(Kind::PermissionMissing, "no"));
        assert_eq!(judge(&facts).result, Fail, "a cause that is known is there whatever the others are");
        let mut facts = free();
        facts.second_factor.security_defaults = Seen::Unknown(Fault::new(Kind::PermissionMissing, "no"));
        assert_eq!(judge(&facts).result, Unknown);
    }
}
