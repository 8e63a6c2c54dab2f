//! One pass over one object: its turn, its deadline, its back-off; an unreadable object is a condition, not a crash.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, ObjectMeta};
use kube::api::{ApiResource, DynamicObject, Patch, PatchParams};
use kube::core::error_boundary::InvalidObject;
use kube::runtime::controller::Action;
use kube::runtime::events::{Event, EventType};
use kube::{Api, Resource, ResourceExt};
use serde_json::json;
use tokio::time::Instant;

use super::conditions::{Conditions, State};
use super::context::{Context, Guarded};
use super::marks::{Mark, is_held};
use super::publish::Published;
use crate::api::{Happened, Reason};
use crate::fault::{Fault, Kind};

/// How old what a pass sees outside the cluster may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// As the interval says, or younger while something is awaited.
    Routine,
    /// Read now.
    None,
}

/// A pass that takes longer than this is cut off: every write sequence bears being cut anywhere.
const DEADLINE: Duration = Duration::from_mins(2);
/// A slip is common; what fails so many times in a row is said on the object.
const SAID_AFTER: u32 = 3;
/// When every place is taken: soon again.
const NO_PLACE: Duration = Duration::from_secs(1);
/// The back-off of an object that fails: doubled each time, up to the longest.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_mins(5);

/// Runs `work` for an object.
///
/// # Errors
/// Never, as long as the process runs: what went wrong waits for its next turn.
pub async fn pass<K, W, F>(object: Arc<Guarded<K>>, context: Arc<Context>, work: W) -> Result<Action, Fault>
where
    K: Published,
    W: FnOnce(K, Arc<Context>) -> F,
    F: Future<Output = Result<Duration, Fault>>,
{
    let begun = Instant::now();
    let uid = object.uid().unwrap_or_default();
    let generation = object.meta().generation.unwrap_or_default();
    if object.meta().deletion_timestamp.is_some() && !is_held(object.meta()) {
        // Nothing outside the cluster is undone (Retain), so nothing holds the object and nothing is left to do.
        K::lanes(&context).turn(&uid, None);
        return Ok(Action::await_change());
    }
    // What is not in a store is taken for absent: nothing is judged before the first lists are in.
    context.synced.all().await;
    // What is given for a time must be known before anything is said of it.
    context.ledger.tried().await;
    let lanes = K::lanes(&context);
    let Some(_place) = lanes.enter(&uid, lanes.is_news(&uid, generation)) else {
        return Ok(Action::requeue(jittered(NO_PLACE)));
    };
    let worked = async {
        match object.0.clone() {
            Ok(object) => work(context.caught_up(object), Arc::clone(&context)).await,
            Err(invalid) => unreadable::<K>(&context, &invalid).await,
        }
    };
    let result = tokio::time::timeout(DEADLINE, worked).await.unwrap_or_else(|_| {
        Err(Fault::new(Kind::Unreachable, format!("The pass took longer than {} s", DEADLINE.as_secs())))
    });
    let outcome = result.as_ref().map_or_else(|fault| fault.kind.word(), |_| "ok");
    context.metrics.reconciled(K::KIND, outcome, begun.elapsed());
    let next_turn = |wait| {
        let wait = jittered(wait);
        lanes.turn(&uid, Some(wait));
        Ok(Action::requeue(wait))
    };
    // Failed or not: what fails again and again must not keep what is really new from its place.
    lanes.leave(&uid, generation);
    let fault = match result {
        Ok(next) => {
            if context.failed(&uid, false) > 0 {
                tracing::info!("passes end well again");
            }
            return next_turn(next);
        }
        Err(fault) => fault,
    };
    let before = context.failed(&uid, true);
    let wait = fault.retry_after().unwrap_or_else(|| back_off(before));
    // Once, however often it fails in a row.
    if before == 0 {
        tracing::warn!(kind = fault.kind.word(), %fault, "the pass failed; it is tried again until it does not");
    } else {
        tracing::debug!(kind = fault.kind.word(), %fault, wait = ?wait, "the pass failed again");
    }
    if before >= SAID_AFTER {
        let message = format!("The operator can't look at the object: {}", fault.sentence);
        // The rest of the status speaks of another generation, or of another time: it must not seem to speak of this one.
        let said = say::<K>(&context, object.meta(), false, |conditions| {
            conditions.set("Ready", State::Unknown, Reason::Unreachable, message);
        });
        // Most likely the same that made the pass fail: the log has it.
        if let Ok(Err(fault)) = tokio::time::timeout(DEADLINE, said).await {
            tracing::debug!(%fault, "and that could not be said on the object");
        }
    }
    next_turn(wait)
}

fn back_off(failed: u32) -> Duration {
    FIRST_WAIT.saturating_mul(2_u32.saturating_pow(failed)).min(LONGEST_WAIT)
}

/// A tenth more or less, so that objects that were created together drift apart.
fn jittered(wait: Duration) -> Duration {
    wait.mul_f64(0.9 + fastrand::f64() / 5.0)
}

/// Says on the object itself that it can't be read.
async fn unreadable<K: Published>(context: &Context, invalid: &InvalidObject) -> Result<Duration, Fault> {
    // What can't be read says nothing of what is to be deleted at the vendor, and must not stay for ever.
    if invalid.metadata.deletion_timestamp.is_some() {
        tracing::warn!("let go unread: what it stands for outside the cluster stays as it is");
        let metadata = &invalid.metadata;
        let regarding = ObjectReference {
            api_version: Some(K::api_version(&()).into_owned()),
            kind: Some(K::kind(&()).into_owned()),
            namespace: metadata.namespace.clone(),
            name: metadata.name.clone(),
            uid: metadata.uid.clone(),
            ..ObjectReference::default()
        };
        let event = Event {
            type_: EventType::Warning,
            reason: Happened::Retained.to_string(),
            note: Some("The object can't be read: what it stands for outside the cluster stays as it is".to_owned()),
            action: "Delete".to_owned(),
            secondary: None,
        };
        if let Err(error) = context.events.publish(&event, &regarding).await {
            tracing::warn!(%error, reason = event.reason, "an Event could not be written");
        }
        context.mark::<K>(&invalid.metadata, &Mark::Finalizer(false)).await?;
        return Ok(Duration::from_hours(1));
    }
    let message = format!(
        "This version of the operator ({}) can't read the object: {}; it was stored by another version",
        env!("CARGO_PKG_VERSION"),
        invalid.error
    );
    say::<K>(context, &invalid.metadata, true, |conditions| {
        conditions.set("Ready", State::False, Reason::Unreadable, message.clone());
        conditions.set("Stalled", State::True, Reason::Unreadable, message);
    })
    .await?;
    Ok(Duration::from_hours(1))
}

/// Writes conditions of an object that was not looked at, and nothing else. The rest of its status stays as it is: applied again
/// as it was read, since what is not applied again would be taken away. `observed`: this generation was seen to the end.
async fn say<K: Published>(
    context: &Context,
    metadata: &ObjectMeta,
    observed: bool,
    set: impl FnOnce(&mut Conditions<'_>),
) -> Result<(), Fault> {
    let (name, namespace) = (metadata.name.clone().unwrap_or_default(), metadata.namespace.clone().unwrap_or_default());
    let api: Api<DynamicObject> =
        Api::namespaced_with(context.client.clone(), &namespace, &ApiResource::erase::<K>(&()));
    let stored = api.get(&name).await?;
    let old: Vec<Condition> = serde_json::from_value(stored.data["status"]["conditions"].clone()).unwrap_or_default();
    let mut conditions = Conditions::new(&old, metadata.generation.unwrap_or_default(), Timestamp::now());
    set(&mut conditions);
    let conditions = conditions.finish();
    if old != conditions {
        let mut status = stored.data["status"].clone();
        if observed {
            status["observedGeneration"] = json!(metadata.generation);
        }
        status["conditions"] = json!(conditions);
        let patch = json!({
            "apiVersion": K::api_version(&()),
            "kind": K::kind(&()),
            "metadata": { "name": name, "uid": metadata.uid },
            "status": status,
        });
        api.patch_status(&name, &PatchParams::apply(K::MANAGER).force(), &Patch::Apply(&patch)).await?;
        context.metrics.status_written(K::KIND);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_back_off_doubles_up_to_five_minutes() {
        let waits: Vec<u64> = (0..10).map(|failed| back_off(failed).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]);
        assert_eq!(back_off(u32::MAX), LONGEST_WAIT);
    }

    #[test]
    fn jitter_stays_within_a_tenth() {
        let wait = Duration::from_secs(100);
        for _ in 0..100 {
            let jittered = jittered(wait);
            assert!(jittered >= Duration::from_secs(90) && jittered <= Duration::from_secs(110), "{jittered:?}");
        }
    }
}
