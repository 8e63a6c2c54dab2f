//! Whether the account holds a directory role (R1-R5 of facts/microsoft.md §5): at "/", by id, directly or through a group, for good.

use super::Judgement;
use crate::seen::Seen;
use crate::tenant::DirectoryRole;
use crate::tenant::facts::{AccountFacts, HeldRole, TimedRole, held};

/// One of them must be held; `standing`: for good.
pub fn required(facts: &AccountFacts, any_of: &[DirectoryRole], standing: bool) -> Judgement {
    let roles = match &facts.roles {
        Seen::Unknown(fault) => return Judgement::unknown(fault),
        Seen::Known(roles) => roles,
    };
    let holds = any_of.iter().filter_map(|role| held(roles, *role).map(|held| (*role, held)));
    let judged = holds.map(|(role, held)| holding(facts, role, held, standing));
    // The best of them: one that is held for good outweighs one that is not.
    if let Some(best) = judged.min_by_key(|judgement| super::severity(judgement.result)) {
        return best;
    }
    let name = any_of.iter().map(|role| role.name()).collect::<Vec<_>>().join(" or ");
    let select = "Microsoft 365 admin center > Users > Active users > the account > Manage roles: select";
    let least = any_of.last().map(|role| role.name()).unwrap_or_default();
    match &facts.schedule {
        // Nobody is there to activate it when a backup runs (facts/microsoft.md §1.4).
        Seen::Known(schedule) if any_of.iter().any(|role| schedule.eligible.iter().any(|id| id == role.id())) => {
            Judgement::fail(
                format!("The account is only eligible for {name}: it does not hold it until somebody activates it"),
                format!(
                    "Microsoft Entra admin center > Identity governance > Privileged Identity Management > Microsoft Entra roles > Assignments: \
                     add an active assignment of {least} for the account"
                ),
            )
        }
        _ => Judgement::fail(format!("The account does not hold {name}"), format!("{select} {least}")),
    }
}

/// What a role that is held is worth.
fn holding(facts: &AccountFacts, role: DirectoryRole, held: &HeldRole, standing: bool) -> Judgement {
    let name = role.name();
    if let Some(group) = &held.group {
        return Judgement::warn(
            format!("The account holds {name}, but only through the group {group}"),
            format!(
                "Assign {name} to the account itself: some of Microsoft's services do not honour it through a group"
            ),
        );
    }
    match &facts.schedule {
        // It is held now; whether it stays is another question, and the only one that is open.
        Seen::Unknown(fault) if standing => Judgement::unknown(fault),
        Seen::Known(schedule) => match timed(&schedule.timed, role) {
            Some(timed) if standing => Judgement::warn(
                format!("The account holds {name} for a time only, and loses it by itself"),
                format!("Make the assignment of {name} permanent, if the tenant's rules allow it"),
            )
            .until(timed.ends),
            Some(timed) => Judgement::pass(format!("The account holds {name} for a time")).until(timed.ends),
            None => Judgement::pass(format!("The account holds {name}")),
        },
        Seen::Unknown(_) => Judgement::pass(format!("The account holds {name}")),
    }
}

fn timed(roles: &[TimedRole], role: DirectoryRole) -> Option<&TimedRole> {
    roles.iter().find(|timed| timed.role == role.id())
}

/// It should not be held.
pub fn unwanted(facts: &AccountFacts, role: DirectoryRole, must_go: bool) -> Judgement {
    let roles = match &facts.roles {
        Seen::Unknown(fault) => return Judgement::unknown(fault),
        Seen::Known(roles) => roles,
    };
    let name = role.name();
    let Some(held) = held(roles, role) else {
        return Judgement::pass(format!("The account does not hold {name}"));
    };
    if let Some(group) = &held.group {
        return Judgement::warn(
            format!("The account holds {name} through the group {group}"),
            format!("Take the account out of the group {group}; the operator never changes groups"),
        );
    }
    if let Some(timed) = facts.schedule.known().and_then(|schedule| timed(&schedule.timed, role)) {
        return Judgement::warn(
            format!("The account holds {name} for a time, which it no longer needs"),
            "It ends by itself; or end it in Privileged Identity Management",
        )
        .until(timed.ends);
    }
    // How it goes is the hand-off's matter: not before all that replaces it holds.
    if must_go {
        Judgement::fail(
            format!("The account still holds {name}, which it no longer needs"),
            "It stays until everything that replaces it holds; status.plan or status.handOffs then says so",
        )
    } else {
        Judgement::warn(
            format!("The account holds {name}, which it no longer needs"),
            "Set globalAdministratorAfterSetup to Remove: status.plan then says when it can go (or to Keep, to hear no more of it)",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::policy::FindingResult::{Fail, Pass, Unknown, Warn};
    use crate::fault::{Fault, Kind};
    use crate::policy::rules::facts_for_tests;
    use crate::tenant::facts::Schedule;
    use DirectoryRole::{Dynamics365Administrator as Dynamics, GlobalAdministrator as Global};

    fn facts(
        roles: &[(DirectoryRole, Option<&str>)],
        timed: &[DirectoryRole],
        eligible: &[DirectoryRole],
    ) -> AccountFacts {
        let mut facts = facts_for_tests();
        let held = roles.iter().map(|(role, group)| HeldRole {
            role: role.id().into(),
            assignment: "a".into(),
            group: group.map(str::to_owned),
        });
        facts.roles = Seen::Known(held.collect());
        let ends = Some(jiff::Timestamp::from_second(9).unwrap());
        let timed = timed.iter().map(|role| TimedRole { role: role.id().into(), ends });
        facts.schedule = Seen::Known(Schedule {
            timed: timed.collect(),
            eligible: eligible.iter().map(|role| role.id().to_owned()).collect(),
            lasting: Vec::new(),
        });
        facts
    }

    #[test]
    fn one_of_them_is_enough_and_the_best_of_them_counts() {
        assert_eq!(required(&facts(&[(Dynamics, None)], &[], &[]), &[Global, Dynamics], true).result, Pass);
        assert_eq!(required(&facts(&[(Global, Some("g"))], &[], &[]), &[Global, Dynamics], true).result, Warn);
        let both = facts(&[(Global, Some("g")), (Dynamics, None)], &[], &[]);
        assert_eq!(required(&both, &[Global, Dynamics], true).result, Pass);
        assert_eq!(required(&facts(&[], &[], &[]), &[Global, Dynamics], true).result, Fail);
    }

    #[test]
    fn eligible_is_missing_with_a_remedy_of_its_own() {
        let judged = required(&facts(&[], &[], &[Dynamics]), &[Dynamics], true);
        assert_eq!(judged.result, Fail);
        assert!(judged.message.contains("only eligible"), "{}", judged.message);
        assert!(judged.remedy.unwrap().contains("Privileged Identity Management"));
    }

    #[test]
    fn what_is_held_for_a_time_is_enough_for_a_sign_in_but_not_for_good() {
        let timed = facts(&[(Global, None)], &[Global], &[]);
        let (now, always) = (required(&timed, &[Global], false), required(&timed, &[Global], true));
        assert_eq!((now.result, always.result), (Pass, Warn));
        assert!(always.until.is_some());
        assert_eq!(unwanted(&timed, Global, true).result, Warn, "it ends by itself");
    }

    #[test]
    fn a_schedule_that_is_not_seen_leaves_open_whether_a_role_stays() {
        let mut facts = facts(&[(Dynamics, None)], &[], &[]);
        facts.schedule = Seen::Unknown(Fault::new(Kind::PermissionMissing, "no"));
        assert_eq!(required(&facts, &[Dynamics], true).result, Unknown);
        assert_eq!(required(&facts, &[Dynamics], false).result, Pass);
    }
}
