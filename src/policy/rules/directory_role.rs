//! Whether the account holds a directory role (R1-R4 of facts/microsoft.md §5): at "/", by id, directly or through a group.

use super::Judgement;
use crate::seen::Seen;
use crate::tenant::DirectoryRole;
use crate::tenant::facts::{AccountFacts, held};

/// It must be held.
pub fn required(facts: &AccountFacts, role: DirectoryRole) -> Judgement {
    let roles = match &facts.roles {
        Seen::Unknown(fault) => return Judgement::unknown(fault),
        Seen::Known(roles) => roles,
    };
    let name = role.name();
    match held(roles, role).map(|held| held.group.as_deref()) {
        Some(None) => Judgement::pass(format!("The account holds {name}")),
        Some(Some(group)) => Judgement::warn(
            format!("The account holds {name}, but only through the group {group}"),
            format!(
                "Assign {name} to the account itself: some of Microsoft's services do not honour it through a group"
            ),
        ),
        None => Judgement::fail(
            format!("The account does not hold {name}"),
            format!("Microsoft 365 admin center > Users > Active users > the account > Manage roles: select {name}"),
        ),
    }
}

/// It should not be held.
pub fn unwanted(facts: &AccountFacts, role: DirectoryRole, must_go: bool) -> Judgement {
    let roles = match &facts.roles {
        Seen::Unknown(fault) => return Judgement::unknown(fault),
        Seen::Known(roles) => roles,
    };
    let name = role.name();
    match held(roles, role).map(|held| held.group.as_deref()) {
        None => Judgement::pass(format!("The account does not hold {name}")),
        Some(Some(group)) => Judgement::warn(
            format!("The account holds {name} through the group {group}"),
            format!("Take the account out of the group {group}; the operator never changes groups"),
        ),
        // How it goes is the hand-off's matter: not before all that replaces it holds.
        Some(None) if must_go => Judgement::fail(
            format!("The account still holds {name}, which it no longer needs"),
            "status.plan says when it can go; until then it stays",
        ),
        Some(None) => Judgement::warn(
            format!("The account holds {name}, which it no longer needs"),
            "Set globalAdministratorAfterSetup to Remove: status.plan then says when it can go (or to Keep, to hear no more of it)",
        ),
    }
}
