//! Whether the account is an enabled user of an environment (R15 of facts/microsoft.md §5).

use super::Judgement;
use crate::tenant::facts::{Access, Environment, User};

pub fn judge(environment: &Environment, access: &Access, user: Option<&User>) -> Judgement {
    match &access.row {
        None => Judgement::fail(
            "The account is not a user of the environment",
            format!(
                "Power Platform admin center > Environments > {} > Users > Add user: add the account",
                environment.name
            ),
        ),
        Some(row) if row.disabled => {
            let unlicensed = user.is_some_and(|user| user.licenses.is_empty());
            let cause = if unlicensed {
                "it has no license"
            } else {
                "it is not in the environment's security group, or was disabled by hand"
            };
            Judgement::fail(
                format!("The account is disabled in the environment: {cause}"),
                format!(
                    "Mend the cause, then Power Platform admin center > Environments > {} > Users: Refresh user",
                    environment.name
                ),
            )
        }
        Some(_) => Judgement::pass("The account is a user of the environment"),
    }
}
