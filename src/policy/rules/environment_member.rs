//! Whether the account is an enabled user of an environment (R14, R15 of facts/microsoft.md §5).

use super::Judgement;
use crate::seen::Seen;
use crate::tenant::facts::{Access, AccountFacts, Environment};

pub fn judge(environment: &Environment, access: &Access, facts: &AccountFacts) -> Judgement {
    let users = format!("Power Platform admin center > Environments > {} > Users", environment.name);
    match &access.row {
        Some(row) if row.deleted => Judgement::fail(
            "The account was a user of the environment, and its row is deleted but not gone: it can't be added again",
            format!("{users} > Deleted users: restore the account"),
        ),
        None if !environment.takes_users() && !facts.is_application => {
            Judgement::not_applicable(match environment.sku.as_str() {
                "Developer" => "Only who made a Developer environment can be a user of it",
                _ => "A Teams environment takes its users from its team, when they first open it",
            })
        }
        None if facts.is_application => Judgement::fail(
            "The app is not an application user of the environment",
            format!(
                "Power Platform admin center > Environments > {} > Settings > Users + permissions > Application users > New app user: add the app",
                environment.name
            ),
        ),
        None => Judgement::fail(
            "The account is not a user of the environment",
            format!("{users} > Add user: add the account"),
        ),
        Some(row) if row.disabled => Judgement::fail(
            format!("The account is disabled in the environment: {}", cause(environment, facts)),
            format!("Mend the cause, then {users}: Refresh user"),
        ),
        Some(_) => Judgement::pass("The account is a user of the environment"),
    }
}

/// Why Microsoft disables a row (facts/microsoft.md §2.2, §2.3).
fn cause(environment: &Environment, facts: &AccountFacts) -> String {
    let Some(Some(user)) = facts.user.known() else { return "it was disabled by hand".to_owned() };
    if !user.enabled {
        return "its sign-in is blocked".to_owned();
    }
    if user.licenses.is_empty() {
        return "it has no license".to_owned();
    }
    let group = environment.dataverse.as_ref().and_then(|dataverse| dataverse.security_group.as_ref());
    match (group, &facts.second_factor.groups) {
        (None, _) => "it was disabled by hand, or its license has not arrived yet".to_owned(),
        (Some(id), Seen::Known(groups)) if !groups.iter().any(|group| group.id == *id) => {
            "it is not in the environment's security group, whose direct members alone are let in".to_owned()
        }
        (Some(_), _) => {
            "it is not a direct member of the environment's security group, or was disabled by hand".to_owned()
        }
    }
}
