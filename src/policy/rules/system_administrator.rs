//! Whether the account is System Administrator of an environment (R9 of facts/microsoft.md §5), directly or by a team.

use super::Judgement;
use crate::tenant::facts::{Environment, HeldBy, SystemUser};

pub fn judge(environment: &Environment, row: &SystemUser) -> Judgement {
    match &row.system_administrator {
        Some(HeldBy::User) => Judgement::pass("The account is System Administrator"),
        Some(HeldBy::Team(team)) => {
            Judgement::pass(format!("The account is System Administrator through the team {team}"))
        }
        None => Judgement::fail(
            "The account is not System Administrator",
            format!(
                "Power Platform admin center > Environments > {} > Users > the account > Manage security roles: select System Administrator",
                environment.name
            ),
        ),
    }
}
