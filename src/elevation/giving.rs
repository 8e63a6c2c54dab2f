//! How a role is given for a window, if it still may be; else a person is asked. [io]

use std::time::Duration;

use jiff::Timestamp;

use super::debts::{SOON, change, policy_of, until};
use super::entry::{Entry, Given};
use crate::api::Action;
use crate::api::elevation::ElevationMethod;
use crate::fault::{Class, Fault};
use crate::runtime::Context;
use crate::seen::Seen;
use crate::tenant::{DirectoryRole, Requested, Tenant};

/// The role that windows are for.
pub const ROLE: DirectoryRole = DirectoryRole::GlobalAdministrator;
/// Microsoft gives no role for less.
const SHORTEST: Duration = Duration::from_mins(5);
/// An account that can't sign in is looked at again after this long.
const DISABLED: Duration = Duration::from_secs(30);
/// A justification names so many Connectors.
const MOST_NAMED: usize = 5;

/// The action that a method needs.
#[must_use]
pub fn action(method: ElevationMethod) -> Option<Action> {
    match method {
        ElevationMethod::Manual => None,
        ElevationMethod::RoleAssignment => Some(Action::UntimedElevation),
        ElevationMethod::PrivilegedIdentityManagement => Some(Action::Elevation),
    }
}

/// Gives the role until the window's end; how long until it is looked at.
pub async fn give(entry: &Entry, tenant: &Tenant, context: &Context, now: Timestamp) -> Result<Duration, Fault> {
    let left = Duration::try_from(entry.expires.duration_since(now)).unwrap_or_default();
    if left < SHORTEST {
        return Ok(until(entry.expires, now));
    }
    if let Some(sentence) = barred(entry, context) {
        return ask(
            entry,
            format!("The operator may not give {}, so that a person is asked: {sentence}", ROLE.name()),
            context,
        )
        .await;
    }
    match tenant.user(&entry.account, Duration::ZERO).await {
        Seen::Unknown(fault) => return Err(fault),
        Seen::Known(Some(user)) if user.enabled && !user.guest && user.id == entry.account => {}
        Seen::Known(_) => {
            let message = "The account can't sign in, so that it is given nothing".to_owned();
            change(entry, context, |entry| entry.message = Some(message)).await?;
            return Ok(DISABLED);
        }
    }
    // What could not be taken back afterwards is not given.
    let beside = context.passing(&entry.account);
    if !tenant.another_global_administrator_beside(&beside).await? {
        let sentence = format!(
            "The operator gives {} only where another user who can sign in holds it for good, so that a person is asked",
            ROLE.name()
        );
        return ask(entry, sentence, context).await;
    }
    // Before it is asked for: whatever becomes of it, it is known that it may have been given.
    let written =
        change(entry, context, |entry| (entry.given, entry.gave) = (Given::ByOperator, Some(Timestamp::now())));
    if !written.await? {
        return Ok(Duration::ZERO);
    }
    tracing::info!(account = entry.account, role = ROLE.name(), method = ?entry.method, "giving");
    let given = match entry.method {
        ElevationMethod::PrivilegedIdentityManagement => {
            let named = entry.connectors.iter().take(MOST_NAMED).map(|it| format!("{}/{}", it.namespace, it.name));
            let justification =
                format!("Backstay: somebody signs in again for {}", named.collect::<Vec<_>>().join(", "));
            tenant.give_until(&entry.account, ROLE, entry.expires, &justification).await
        }
        ElevationMethod::RoleAssignment => tenant.add_role(&entry.account, ROLE).await,
        ElevationMethod::Manual => return Ok(SOON),
    };
    became(entry, given, context).await
}

/// What became of it is written down, too.
async fn became(entry: &Entry, given: Result<Requested, Fault>, context: &Context) -> Result<Duration, Fault> {
    let first = entry.given != Given::ByOperator;
    let (now, before) = (Timestamp::now(), (entry.given, entry.gave));
    match given {
        // It was there before it was asked for the first time: somebody else gave it.
        Ok(Requested::Held) if first => {
            change(entry, context, |entry| (entry.given, entry.gave) = before).await?;
            Ok(SOON)
        }
        Ok(Requested::Given | Requested::Held) => {
            change(entry, context, |entry| (entry.gave, entry.message) = (Some(now), None)).await?;
            Ok(Duration::from_millis(250))
        }
        Ok(Requested::AwaitsApproval) => {
            let message = "Somebody has to approve it in Privileged Identity Management".to_owned();
            let pending = |entry: &mut Entry| (entry.pending, entry.message) = (true, Some(message));
            change(entry, context, pending).await?;
            Ok(SOON)
        }
        // Whether it was done all the same nobody knows, whatever a gateway says: it counts as given.
        Err(fault) if matches!(fault.class, Class::Retry(_)) => Err(fault),
        Err(fault) => {
            let sentence =
                format!("The operator can't give {}, so that a person is asked: {}", ROLE.name(), fault.sentence);
            if first {
                // It was refused, and never tried before: nothing was given.
                change(entry, context, |entry| (entry.given, entry.gave) = before).await?;
            }
            ask(entry, sentence, context).await
        }
    }
}

/// Why the operator may not give it, if so: what was allowed when the window was opened may be so no longer.
fn barred(entry: &Entry, context: &Context) -> Option<String> {
    let Some(policy) = policy_of(entry, context).filter(|policy| policy.metadata.deletion_timestamp.is_none()) else {
        return Some("the policy is gone".to_owned());
    };
    if policy.spec.suspend {
        return Some("the policy is suspended".to_owned());
    }
    if context.settings.read_only {
        return Some("the operator runs with --read-only".to_owned());
    }
    let action = action(entry.method)?;
    if !policy.spec.allowed_actions.contains(&action) {
        return Some(format!("spec.allowedActions does not name {action}"));
    }
    let covered = context.settings.grants.cover(&entry.policy.namespace, &entry.tenant.id, &entry.account, action);
    (!covered).then(|| format!("no grant of the installation covers {action} for this namespace, tenant and account"))
}

/// A person is asked in the operator's place.
async fn ask(entry: &Entry, sentence: String, context: &Context) -> Result<Duration, Fault> {
    let manual = |entry: &mut Entry| (entry.method, entry.message) = (ElevationMethod::Manual, Some(sentence));
    change(entry, context, manual).await?;
    Ok(SOON)
}
