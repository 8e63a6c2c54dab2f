//! Lets a deleted Connector go: after its connector at the vendor, or without it. [io]

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use kube::ResourceExt;

use super::gather::{Observed, gather};
use super::leaving::{Leaving, leaving, patience_ends, released};
use super::plan::Step;
use super::report;
use super::says::Says;
use crate::api::{Connector, Reason};
use crate::fault::Fault;
use crate::runtime::conditions::{State, find};
use crate::runtime::lately::Became;
use crate::runtime::marks::{Mark, RELEASE_DELETION, is_held};
use crate::runtime::{Context, Note, Outcome, Patience};
use crate::vendors::At;

/// Nothing is left to be done: no look is needed any more.
const DONE: Duration = Duration::from_hours(1);
/// After a deletion the next look comes at once.
const AT_ONCE: Duration = Duration::from_secs(1);
/// What was written and does not show is looked at again after this long.
const SHOWS_SOON: Duration = Duration::from_secs(10);
/// What was refused is tried again after this long.
const RESTS: Duration = Duration::from_mins(1);

/// Decides, acts, and lets go. When to look again.
///
/// # Errors
/// When the object can't be written.
pub async fn release(connector: &Connector, context: &Context) -> Result<Duration, Fault> {
    let now = Timestamp::now();
    let observed = gather(connector, context, Patience::None).await?;
    let label = connector.spec.vendor.vendor().label();
    match leaving(connector, &observed) {
        Leaving::Stays(why) => let_go(connector, context, retained(label, &why)).await,
        Leaving::Gone => {
            let sentence = format!("{label} no longer has the connector, or deletes it: this object goes, too");
            let_go(connector, context, Note::normal("Deleted", "Delete", sentence)).await
        }
        Leaving::Waits(why) => wait(connector, context, &why, None, now).await,
        Leaving::Delete { account, id, step } => {
            delete(connector, context, &observed, (&account, &id), &step, now).await
        }
    }
}

async fn delete(
    connector: &Connector,
    context: &Context,
    observed: &Observed,
    (account, id): (&str, &str),
    step: &Step,
    now: Timestamp,
) -> Result<Duration, Fault> {
    let vendor = connector.spec.vendor.vendor();
    let label = vendor.label();
    let written = format!("{label}/{account}/{id}/Delete");
    match context.lately.noted(&written) {
        Some(Became::Written) => {
            let message = format!("Deleted at {label}, which does not show it yet");
            return say(connector, context, Says(State::False, Reason::Acting, message), Some(step), SHOWS_SOON).await;
        }
        Some(Became::Refused(fault)) => return wait(connector, context, &fault.sentence, Some(step), now).await,
        None => {}
    }
    let (uid, most) = (connector.uid().unwrap_or_default(), context.settings.deletions_per_minute);
    let waiting = waiting(connector, context, account);
    // Held once, held until somebody says so: it must not go on for the others having waited long enough.
    let was_held = ready(connector) == Some(Reason::DeletionHeld.word());
    let admitted = if was_held { Err(waiting.len()) } else { context.deletions.admit(account, &uid, &waiting, most) };
    if let (Err(many), None) = (admitted, released(connector, now)) {
        let message = if was_held { old_message(connector) } else { held(connector, many, most, label) };
        return say(connector, context, Says(State::False, Reason::DeletionHeld, message), Some(step), DONE).await;
    }
    let Some(credential) = &observed.credential else {
        return wait(connector, context, "there is no credential", Some(step), now).await;
    };
    tracing::info!(step = %step.write.action, "acting");
    let at = At { account, connector: Some(id) };
    match vendor.write(&step.write, at, credential, &context.desk).await {
        Ok(()) => {
            context.lately.note(&written, Became::Written, RESTS);
            let sentence = format!("Deleted \"{}\" at {label}", step.write.value);
            context.tell(connector, &[Note::normal("Deleted", "Delete", sentence)]).await;
            Ok(AT_ONCE)
        }
        Err(fault) => {
            let sentence = format!("Delete failed: {}", fault.sentence);
            context.lately.note(&written, Became::Refused(fault), RESTS);
            let note = Note::warning("StepFailed", "Delete", sentence.clone());
            context.tell(connector, &[note]).await;
            wait(connector, context, &sentence, Some(step), now).await
        }
    }
}

/// Waits, unless that has lasted long enough: nothing that is dead keeps an object, and with it its namespace, for ever.
async fn wait(
    connector: &Connector,
    context: &Context,
    why: &str,
    step: Option<&Step>,
    now: Timestamp,
) -> Result<Duration, Fault> {
    let label = connector.spec.vendor.vendor().label();
    let ends = patience_ends(connector, context.settings.deletion_patience, now);
    let left = Duration::try_from(ends.duration_since(now)).unwrap_or_default();
    if left.is_zero() {
        return let_go(connector, context, retained(label, why)).await;
    }
    let message =
        format!("Not deleted at {label} yet: {why}; if that lasts until {ends:.0}, the connector is left there");
    let next = left.min(context.settings.waiting_interval).max(AT_ONCE);
    say(connector, context, Says(State::Unknown, Reason::Unreachable, message), step, next).await
}

/// Takes the finalizer away, and says why.
async fn let_go(connector: &Connector, context: &Context, note: Note) -> Result<Duration, Fault> {
    context.tell(connector, &[note]).await;
    context.mark::<Connector>(&connector.metadata, &Mark::Finalizer(false)).await?;
    Ok(DONE)
}

fn retained(label: &str, why: &str) -> Note {
    Note::warning("Retained", "Delete", format!("The connector stays at {label}: {why}"))
}

async fn say(
    connector: &Connector,
    context: &Context,
    says: Says,
    step: Option<&Step>,
    next: Duration,
) -> Result<Duration, Fault> {
    let status = report::held(connector, says, step, Timestamp::now());
    context.publish(connector, &Outcome { status, notes: Vec::new(), next }).await?;
    Ok(next)
}

fn ready(connector: &Connector) -> Option<String> {
    Some(find(&connector.status.as_ref()?.conditions, "Ready")?.reason.clone())
}

fn old_message(connector: &Connector) -> String {
    let conditions = connector.status.as_ref().map_or(&[][..], |status| &status.conditions);
    find(conditions, "Ready").map(|ready| ready.message.clone()).unwrap_or_default()
}

fn held(connector: &Connector, many: usize, most: usize, label: &str) -> String {
    let name = connector.name_any();
    format!(
        "{many} Connectors of this {label} account were deleted within a minute, and {most} at most go without a word. If it is \
         meant: kubectl annotate connector {name} --overwrite {RELEASE_DELETION}=$(date -u +%FT%TZ); if it is not, set \
         spec.deletionPolicy: Retain, and the connector stays at {label}"
    )
}

/// The Connectors of an account that wait for the deletion of their connector.
fn waiting(connector: &Connector, context: &Context, account: &str) -> BTreeSet<String> {
    let label = connector.spec.vendor.vendor().label();
    let waits = |it: &Connector| {
        let at = it.status.as_ref().and_then(|status| status.account.as_ref());
        it.metadata.deletion_timestamp.is_some()
            && is_held(&it.metadata)
            && it.spec.vendor.vendor().label() == label
            && at.is_some_and(|at| at.id == account)
    };
    let all = context.connectors.state();
    all.iter().filter_map(|it| it.0.as_ref().ok()).filter(|it| waits(it)).filter_map(ResourceExt::uid).collect()
}
