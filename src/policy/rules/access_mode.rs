//! Whether the account's access mode is one that the vendor can work with (R10 of facts/microsoft.md §5).

use super::Judgement;
use crate::tenant::facts::{AccessMode, Environment, SystemUser, User};

pub fn judge(environment: &Environment, row: &SystemUser, any_of: &[AccessMode], user: Option<&User>) -> Judgement {
    let (is, wanted) = (row.access_mode.name(), names(any_of));
    if any_of.contains(&row.access_mode) {
        return Judgement::pass(format!("The access mode is {is}"));
    }
    let set = format!(
        "Power Platform admin center > Environments > {} > Users > the account > Administration: set Access Mode to {}",
        environment.name,
        any_of.first().map(|mode| mode.name()).unwrap_or_default()
    );
    // Microsoft gives this mode to administrators without a license, and sets it back while there is none (facts/microsoft.md §0.3).
    if row.access_mode == AccessMode::Administrative && row.licensed == Some(false) {
        let without = user.is_some_and(|user| user.licenses.is_empty());
        let why =
            if without { "since the account has no license" } else { "and no license of the account shows there yet" };
        return Judgement::fail(
            format!("The access mode is Administrative, {why}"),
            format!("Give the account a Dynamics 365 license and wait until it has arrived; then {set}"),
        );
    }
    if row.access_mode == AccessMode::Administrative {
        return Judgement::fail(
            format!(
                "The access mode is Administrative, not {wanted}: it was an administrator without a license when it was added"
            ),
            set,
        );
    }
    Judgement::fail(format!("The access mode is {is}, not {wanted}"), set)
}

fn names(modes: &[AccessMode]) -> String {
    modes.iter().map(|mode| mode.name()).collect::<Vec<_>>().join(" or ")
}
