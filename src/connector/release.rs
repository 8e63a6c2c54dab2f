//! Lets a deleted Connector go: after its connector at the vendor, or without it. [io]

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use kube::ResourceExt;

use super::gather::gather;
use super::leaving::{Leaving, leaving, patience_ends, released};
use super::observed::Observed;
use super::report;
use super::says::Says;
use super::steps::Step;
use crate::api::{Connector, Happened, Reason};
use crate::fault::Fault;
use crate::runtime::conditions::State;
use crate::runtime::lately::Became;
use crate::runtime::marks::{DELETION_HELD, Mark, RELEASE_DELETION, annotation, is_held};
use crate::runtime::{Allowed, Context, Note, Outcome, Patience};
use crate::vendors::At;

/// Nothing is left to be done: no look is needed any more.
const DONE: Duration = Duration::from_hours(1);
/// After a deletion the next look comes at once.
const AT_ONCE: Duration = Duration::from_secs(1);
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
    let written = written(connector);
    let became = context.lately.noted(&written);
    // Held once, held until somebody says so: neither time nor a vendor that does not answer lets it go on.
    let is_held = annotation(&connector.metadata, DELETION_HELD).is_some() && released(connector, now).is_none();
    match leaving(connector, &observed, matches!(became, Some(Became::Written))) {
        Leaving::Stays(why) => let_go(connector, context, retained(label, &why)).await,
        Leaving::Gone => {
            let sentence = format!("{label} no longer has the connector, or deletes it: this object goes, too");
            let_go(connector, context, Note::normal(Happened::Deleted, "Delete", sentence)).await
        }
        Leaving::Waits(_) if is_held => hold(connector, context, None, now).await,
        Leaving::Delete { step, .. } if is_held => hold(connector, context, Some(step), now).await,
        Leaving::Waits(why) => wait(connector, context, &why, None, now).await,
        Leaving::Delete { account, id, step } => match became {
            Some(Became::Written) => {
                wait(connector, context, "the deletion was accepted, and does not show yet", Some(&step), now).await
            }
            Some(Became::Refused(fault)) => wait(connector, context, &fault.sentence, Some(&step), now).await,
            None => delete(connector, context, &observed, (&account, &id), step, now).await,
        },
    }
}

/// The deletion of its connector, among what was written lately.
fn written(connector: &Connector) -> String {
    format!("{}/Delete", connector.uid().unwrap_or_default())
}

async fn delete(
    connector: &Connector,
    context: &Context,
    observed: &Observed,
    (account, id): (&str, &str),
    step: Step,
    now: Timestamp,
) -> Result<Duration, Fault> {
    let vendor = connector.spec.vendor.vendor();
    let label = vendor.label();
    let (uid, most) = (connector.uid().unwrap_or_default(), context.settings.deletions_per_minute);
    let admitted = context.deletions.admit(account, &uid, &waiting(connector, context, account), most);
    if admitted.is_err() && released(connector, now).is_none() {
        // Before it is said: whatever is said later, it stays held.
        let mark = Mark::Annotation(DELETION_HELD, Some(format!("{now:.0}")));
        context.mark::<Connector>(&connector.metadata, &mark).await?;
        return hold(connector, context, Some(step), now).await;
    }
    let Some(credential) = &observed.credential else {
        return wait(connector, context, "there is no credential", Some(&step), now).await;
    };
    tracing::info!(step = %step.write.action, "acting");
    let at = At { account, connector: Some(id) };
    match vendor.write(&step.write, at, credential, &context.desk).await {
        Ok(()) => {
            // Once, and then it has to show.
            let rests = context.settings.deletion_patience.max(RESTS);
            context.lately.note(&written(connector), Became::Written, rests);
            let sentence = format!("Deleted \"{}\" at {label}", step.write.value);
            context.tell(connector, &[Note::normal(Happened::Deleted, "Delete", sentence)]).await;
            Ok(AT_ONCE)
        }
        Err(fault) => {
            let sentence = format!("Delete failed: {}", fault.sentence);
            context.lately.note(&written(connector), Became::Refused(fault), RESTS);
            let note = Note::warning(Happened::StepFailed, "Delete", sentence.clone());
            context.tell(connector, &[note]).await;
            wait(connector, context, &sentence, Some(&step), now).await
        }
    }
}

/// Says that it is held, and the way out.
async fn hold(connector: &Connector, context: &Context, step: Option<Step>, now: Timestamp) -> Result<Duration, Fault> {
    let (most, label) = (context.settings.deletions_per_minute, connector.spec.vendor.vendor().label());
    let says = Says(State::False, Reason::DeletionHeld, held(connector, most, label, now));
    let first = "somebody has to say that it is meant".to_owned();
    let step = step.map(|step| Step { allowed: Allowed::NotYet(first), ..step });
    say(connector, context, says, step.as_ref(), DONE).await
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
    Note::warning(Happened::Retained, "Delete", format!("The connector stays at {label}: {why}"))
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

fn held(connector: &Connector, most: usize, label: &str, now: Timestamp) -> String {
    let (name, namespace) = (connector.name_any(), connector.namespace().unwrap_or_default());
    let said = annotation(&connector.metadata, RELEASE_DELETION);
    let but = match said.filter(|_| released(connector, now).is_none()) {
        Some(_) => format!("; the annotation {RELEASE_DELETION} that is there is no time since the deletion"),
        None => String::new(),
    };
    format!(
        "More Connectors of this {label} account were deleted within a minute than go without a word ({most}). If it is meant: \
         kubectl annotate connector -n {namespace} {name} --overwrite {RELEASE_DELETION}=$(date -u +%FT%TZ); if it is not, set \
         spec.deletionPolicy: Retain, and the connector stays at {label}{but}"
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
