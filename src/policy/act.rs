//! Does what the plan allows, one step after the other, and reads each back before the next. [io]

use std::time::Duration;

use jiff::Timestamp;
use kube::{Resource, ResourceExt};
use tokio::time::Instant;

use super::observed::Observed;
use super::plan::{Plan, lacks_license};
use super::resolve::Resolved;
use super::steps::{ARRIVES_WITHIN, What};
use super::window::Decision;
use crate::api::{Happened, ServiceAccountPolicy};
use crate::elevation::Entry;
use crate::fault::{Fault, Kind};
use crate::runtime::lately::Became;
use crate::runtime::{Allowed, Context, Note};
use crate::seen::Seen;
use crate::tenant::Tenant;
use crate::tenant::facts::{Access, AccessMode, AccessWanted, SystemUser, held};

/// What became of the plan.
#[derive(Debug, Default)]
pub struct Done {
    /// What happened.
    pub notes: Vec<Note>,
    /// Whether anything was written and read back.
    pub changed: bool,
    /// What was written but can't be read back yet.
    pub pending: Option<String>,
    /// What Microsoft refuses for now, and time alone may mend: one sentence.
    pub refused: Option<String>,
    /// What stopped it.
    pub fault: Option<Fault>,
    /// The window that was just opened or changed, as it is written now.
    pub window: Option<Entry>,
}

/// A write that does not show is repeated after this long: the tools of Microsoft itself wait for minutes.
const WRITTEN_FOR: Duration = Duration::from_mins(5);
/// A license lets somebody in some time after it was assigned (facts/microsoft.md §1.5): to ask at every pass helps nobody.
const REFUSED_FOR: Duration = Duration::from_secs(20);
/// A write shows after this many looks, or later by itself: directories take seconds to minutes.
const LOOKS: u32 = 4;
/// Leaves time in the pass to report.
const ENOUGH: Duration = Duration::from_mins(1);

/// Acts. A step that fails keeps no other from being taken, but for a removal: that relies on all the others.
pub async fn act(
    policy: &ServiceAccountPolicy,
    plan: &Plan,
    resolved: &Resolved,
    observed: &Observed,
    context: &Context,
) -> Done {
    let mut done = Done::default();
    let (Some(tenant), Ok(facts)) = (&observed.tenant, &observed.account) else { return done };
    let begun = Instant::now();
    if still_declared(policy, context) {
        done.window = decided(&plan.window, resolved, context, &mut done.notes).await;
    }
    for step in plan.steps.iter().filter(|step| step.allowed == Allowed::Yes) {
        let what = &step.what;
        let removes = matches!(what, What::RemoveDirectoryRole { .. });
        let hindered = done.fault.is_some() || done.pending.is_some() || done.refused.is_some();
        if begun.elapsed() > ENOUGH || (removes && hindered) || !still_declared(policy, context) {
            break;
        }
        let access = match what {
            What::AddSystemAdministrator(environment) | What::SetReadWrite(environment) => facts
                .environments
                .known()
                .and_then(|all| all.get(&environment.id))
                .and_then(|(_, access)| access.known()),
            _ => None,
        };
        match take(what, tenant, resolved, access, context).await {
            Ok(true) => {
                done.changed = true;
                // At once: whatever comes between, what was done is told.
                context.tell(policy, &[note(what)]).await;
            }
            Ok(false) => {
                done.pending =
                    Some(format!("{} was written for {}, but does not show yet", what.word(), what.target()));
            }
            // Nothing comes by itself while nobody has assigned one: that is a hand-off, and a person's turn.
            Err(fault) if fault.kind == Kind::NotLicensed && lacks_license(&resolved.findings) => {}
            // It arrives some time after the license was assigned.
            Err(fault)
                if fault.kind == Kind::NotLicensed
                    && context.lately.refused_for(&what.key(&resolved.account_id)) < ARRIVES_WITHIN =>
            {
                done.refused = Some(format!("{} for {} waits: {}", what.word(), what.target(), fault.sentence));
            }
            Err(fault) => {
                let sentence = format!("{} for {} failed: {}", what.word(), what.target(), fault.sentence);
                done.notes.push(Note::warning(Happened::StepFailed, "Repair", sentence).about("Step", what.word()));
                done.fault = Some(fault);
            }
        }
    }
    done
}

/// Writes down what was decided about the account's window: who serves the ledger goes on from there.
async fn decided(decision: &Decision, resolved: &Resolved, context: &Context, notes: &mut Vec<Note>) -> Option<Entry> {
    let account = resolved.account_id.to_ascii_lowercase();
    let written = match decision {
        Decision::Stay => return None,
        Decision::Refuse(sentence) => {
            notes.push(Note::warning(Happened::WindowRefused, "Elevate", sentence.clone()));
            return None;
        }
        Decision::Open(entry) => context.ledger.open((**entry).clone()).await.map(|_| context.ledger.of(&account)),
        Decision::Join { connectors, begun } => {
            context
                .ledger
                .change(&account, |entry| {
                    // Unless it went on meanwhile: then they begin again.
                    if entry.is_usable() {
                        entry.connectors.extend(connectors.iter().cloned());
                        entry.begun = *begun;
                    }
                })
                .await
        }
        Decision::Close => {
            let close = |entry: &mut Entry| {
                // Unless it went on meanwhile.
                if entry.is_usable() {
                    entry.close(Timestamp::now());
                }
            };
            context.ledger.change(&account, close).await
        }
    };
    written.unwrap_or_else(|fault| {
        notes.push(Note::warning(Happened::StepFailed, "Elevate", fault.sentence));
        None
    })
}

/// Whether the policy is still the one that the plan was made for: not changed, suspended or deleted meanwhile.
fn still_declared(policy: &ServiceAccountPolicy, context: &Context) -> bool {
    let now = context.policy(&policy.namespace().unwrap_or_default(), &policy.name_any());
    now.is_some_and(|now| {
        let now = now.meta();
        now.uid == policy.metadata.uid
            && now.generation == policy.metadata.generation
            && now.deletion_timestamp.is_none()
    })
}

/// Takes one step. True: it was read back; false: it does not show yet.
async fn take(
    what: &What,
    tenant: &Tenant,
    resolved: &Resolved,
    access: Option<&Access>,
    context: &Context,
) -> Result<bool, Fault> {
    let written = what.key(&resolved.account_id);
    match context.lately.noted(&written) {
        // What was written a moment ago and does not show is waited for, not written again.
        Some(Became::Written) => {}
        Some(Became::Refused(fault)) => return Err(fault),
        None => {
            tracing::info!(step = what.word(), target = what.target(), "acting");
            let became = write(what, tenant, resolved, access, context).await;
            if let Some(fault) = became.as_ref().err().filter(|fault| fault.kind == Kind::NotLicensed) {
                context.lately.note(&written, Became::Refused(fault.clone()), REFUSED_FOR);
            }
            became?;
            context.lately.note(&written, Became::Written, WRITTEN_FOR);
        }
    }
    for looked in 0..LOOKS {
        if shows(what, tenant, resolved).await {
            context.lately.forget(&written);
            return Ok(true);
        }
        tokio::time::sleep(Duration::from_millis(250) * 2_u32.pow(looked)).await;
    }
    Ok(false)
}

async fn write(
    what: &What,
    tenant: &Tenant,
    resolved: &Resolved,
    access: Option<&Access>,
    context: &Context,
) -> Result<(), Fault> {
    let account = resolved.account_id.as_str();
    match what {
        What::EnrollSelf(environment) => tenant.enroll_self(environment).await,
        What::AddDirectoryRole(role) => tenant.add_role(account, *role).await.map(|_| ()),
        What::AddToEnvironment(environment) => tenant.add_to_environment(environment, &resolved.who).await,
        What::SetReadWrite(environment) => tenant.set_read_write(environment, access.ok_or_else(unseen_row)?).await,
        What::AddSystemAdministrator(environment) => {
            tenant.add_system_administrator(environment, access.ok_or_else(unseen_row)?).await
        }
        What::RemoveDirectoryRole { assignment, .. } => {
            context.take_away(account, tenant, tenant.remove_assignment(assignment)).await
        }
    }
}

fn unseen_row() -> Fault {
    Fault::new(Kind::BadAnswer, "the account's user in the environment was not seen at the last look")
}

/// Whether a step can be read back.
async fn shows(what: &What, tenant: &Tenant, resolved: &Resolved) -> bool {
    let account = resolved.account_id.as_str();
    let wanted = AccessWanted { teams: true, tables: Vec::new() };
    let access = |environment| tenant.access(environment, &resolved.who, &wanted, Duration::ZERO);
    match what {
        What::EnrollSelf(environment) => matches!(access(environment).await, Seen::Known(_)),
        What::AddToEnvironment(environment) => {
            row_of(&access(environment).await).is_some_and(|row| !row.disabled && !row.deleted)
        }
        What::AddSystemAdministrator(environment) => {
            row_of(&access(environment).await).is_some_and(|row| row.system_administrator.is_some())
        }
        What::SetReadWrite(environment) => {
            row_of(&access(environment).await).is_some_and(|row| row.access_mode == AccessMode::ReadWrite)
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

fn row_of(access: &Seen<Access>) -> Option<&SystemUser> {
    access.known().and_then(|access| access.row.as_ref())
}

fn note(what: &What) -> Note {
    let target = what.target();
    match what {
        What::EnrollSelf(_) => {
            Note::normal(Happened::AppEnrolled, "Repair", format!("The operator's app is now a user of {target}"))
                .about("Environment", target)
        }
        What::AddSystemAdministrator(_) => {
            Note::normal(Happened::SecurityRoleAssigned, "Repair", format!("Assigned System Administrator in {target}"))
                .about("Environment", target)
        }
        What::AddToEnvironment(_) => {
            Note::normal(Happened::AccountAdded, "Repair", format!("Added the account to {target}"))
                .about("Environment", target)
        }
        What::SetReadWrite(_) => {
            Note::normal(Happened::AccessModeSet, "Repair", format!("Set the access mode to Read-Write in {target}"))
                .about("Environment", target)
        }
        What::AddDirectoryRole(_) => {
            Note::normal(Happened::RoleAssigned, "Repair", format!("Assigned {target}")).about("DirectoryRole", target)
        }
        What::RemoveDirectoryRole { .. } => {
            Note::normal(Happened::RoleRemoved, "Repair", format!("Removed {target}")).about("DirectoryRole", target)
        }
    }
}
