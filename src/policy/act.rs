//! Does what the plan allows, one step after the other, and reads each back before the next. [io]

use std::time::Duration;

use tokio::time::Instant;

use super::gather::Observed;
use super::plan::{Allowed, Plan, Step, What};
use super::resolve::Resolved;
use crate::fault::Fault;
use crate::runtime::Note;
use crate::seen::Seen;
use crate::tenant::Tenant;
use crate::tenant::facts::{Access, held};

/// What became of the plan.
#[derive(Debug, Default)]
pub struct Done {
    /// What happened.
    pub notes: Vec<Note>,
    /// Whether anything was written and read back.
    pub changed: bool,
    /// What was written but can't be read back yet.
    pub pending: Option<String>,
    /// What stopped it.
    pub fault: Option<Fault>,
}

/// A write shows after this many looks, or later by itself: directories take seconds to minutes.
const LOOKS: u32 = 4;
/// Leaves time in the pass to report.
const ENOUGH: Duration = Duration::from_mins(1);

/// Acts. Stops at the first step that fails or does not show: what comes after it relies on it.
pub async fn act(plan: &Plan, resolved: &Resolved, observed: &Observed) -> Done {
    let mut done = Done::default();
    let (Ok((tenant, facts)), begun) = (&observed.account, Instant::now()) else { return done };
    for step in plan.steps.iter().filter(|step| step.allowed == Allowed::Yes) {
        if begun.elapsed() > ENOUGH {
            break;
        }
        let access = match &step.what {
            What::AddSystemAdministrator(environment) => facts
                .environments
                .known()
                .and_then(|all| all.get(&environment.id))
                .and_then(|(_, access)| access.known()),
            _ => None,
        };
        match take(step, tenant, &resolved.account_id, access).await {
            Ok(true) => {
                done.changed = true;
                done.notes.push(note(&step.what));
            }
            Ok(false) => {
                done.pending =
                    Some(format!("{} was written for {}, but does not show yet", step.what.word(), step.what.target()));
                break;
            }
            Err(fault) => {
                let sentence = format!("{} for {} failed: {}", step.what.word(), step.what.target(), fault.sentence);
                done.notes.push(Note::warning("StepFailed", "Repair", sentence).about("Step", step.what.word()));
                done.fault = Some(fault);
                break;
            }
        }
    }
    done
}

/// Takes one step. True: it was read back; false: it does not show yet.
async fn take(step: &Step, tenant: &Tenant, account: &str, access: Option<&Access>) -> Result<bool, Fault> {
    let what = &step.what;
    tracing::info!(step = what.word(), target = what.target(), "acting");
    match what {
        What::EnrollSelf(environment) => tenant.enroll_self(environment).await?,
        What::AddDirectoryRole(role) => tenant.add_role(account, *role).await?,
        What::AddSystemAdministrator(environment) => match access {
            Some(access) => tenant.add_system_administrator(environment, access).await?,
            None => return Ok(false),
        },
        What::RemoveDirectoryRole { assignment, .. } => tenant.remove_assignment(assignment).await?,
    }
    for looked in 0..LOOKS {
        if shows(what, tenant, account).await {
            return Ok(true);
        }
        tokio::time::sleep(Duration::from_millis(250) * 2_u32.pow(looked)).await;
    }
    Ok(false)
}

/// Whether a step can be read back.
async fn shows(what: &What, tenant: &Tenant, account: &str) -> bool {
    match what {
        What::EnrollSelf(environment) => {
            matches!(tenant.access(environment, account, Duration::ZERO).await, Seen::Known(_))
        }
        What::AddSystemAdministrator(environment) => {
            let access = tenant.access(environment, account, Duration::ZERO).await;
            let row = access.known().and_then(|access| access.row.as_ref());
            row.is_some_and(|row| row.system_administrator.is_some())
        }
        What::AddDirectoryRole(role) => {
            let roles = tenant.roles(account, Duration::ZERO).await;
            roles.known().is_some_and(|roles| held(roles, *role).is_some())
        }
        What::RemoveDirectoryRole { role, .. } => {
            let roles = tenant.roles(account, Duration::ZERO).await;
            roles.known().is_some_and(|roles| held(roles, *role).is_none_or(|held| held.group.is_some()))
        }
    }
}

fn note(what: &What) -> Note {
    let target = what.target();
    match what {
        What::EnrollSelf(_) => {
            Note::normal("AppEnrolled", "Repair", format!("The operator's app is now a user of {target}"))
                .about("Environment", target)
        }
        What::AddSystemAdministrator(_) => {
            Note::normal("SecurityRoleAssigned", "Repair", format!("Assigned System Administrator in {target}"))
                .about("Environment", target)
        }
        What::AddDirectoryRole(_) => {
            Note::normal("RoleAssigned", "Repair", format!("Assigned {target}")).about("DirectoryRole", target)
        }
        What::RemoveDirectoryRole { .. } => {
            Note::normal("RoleRemoved", "Repair", format!("Removed {target}")).about("DirectoryRole", target)
        }
    }
}
