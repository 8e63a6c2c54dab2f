//! Whether the account's access mode is Read-Write in an environment (R10 of facts/microsoft.md §5).

use super::Judgement;
use crate::tenant::facts::{AccessMode, Environment, SystemUser};

pub fn judge(environment: &Environment, row: &SystemUser) -> Judgement {
    match row.access_mode {
        AccessMode::ReadWrite => Judgement::pass("The access mode is Read-Write"),
        // Microsoft gives this mode to administrators without a license (facts/microsoft.md §0.3).
        AccessMode::Administrative => Judgement::fail(
            "The access mode is Administrative, as it is for an administrator without a license",
            format!(
                "Give the account a Dynamics 365 license, wait until it has arrived, then Power Platform admin center > Environments > {} > Users > the account > Administration: set Access Mode to Read-Write",
                environment.name
            ),
        ),
        other => Judgement::fail(
            format!("The access mode is {}, not Read-Write", other.name()),
            format!(
                "Power Platform admin center > Environments > {} > Users > the account > Administration: set Access Mode to Read-Write",
                environment.name
            ),
        ),
    }
}
