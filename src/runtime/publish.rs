//! How what was found is told: the status if it changed, and an Event for what happened.

use std::fmt::Debug;
use std::sync::PoisonError;
use std::time::Duration;

use k8s_openapi::api::core::v1::ObjectReference;
use kube::api::{Patch, PatchParams};
use kube::runtime::events::{Event, EventType};
use kube::{Api, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::context::Context;
use super::journal::{Line, Said, changes};
use super::lanes::Lanes;
use super::marks::{REQUESTED_AT, annotation};
use super::note::{CHECK, Note};
use super::pass::Patience;
use crate::api::shared::HandOffStatus;
use crate::api::{Connector, ConnectorStatus, ServiceAccountPolicy, ServiceAccountPolicyStatus};
use crate::fault::Fault;

/// What a pass has to say.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome<S> {
    /// The whole new status.
    pub status: S,
    /// What happened.
    pub notes: Vec<Note>,
    /// When to look again.
    pub next: Duration,
}

/// A kind with a status of ours.
pub trait Published:
    Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope> + Clone + Debug + DeserializeOwned
{
    /// The status.
    type Status: Serialize + Clone + PartialEq + Default + DeserializeOwned + Send + Sync + 'static;
    /// The kind's name in metrics and as field manager.
    const KIND: &'static str;
    /// The field manager of the status.
    const MANAGER: &'static str;
    /// Who of this kind goes first.
    fn lanes(context: &Context) -> &Lanes;
    /// The status as it stands.
    fn status(&self) -> Option<&Self::Status>;
    /// Puts a status in.
    fn set_status(&mut self, status: Self::Status);
    /// What of a status the log tells.
    fn said(status: &Self::Status) -> Said<'_>;
    /// What waits for a person.
    fn open(status: &Self::Status) -> &[HandOffStatus];
    /// Whether nothing is to be looked at.
    fn is_suspended(&self) -> bool;
    /// Where a status says what it was last asked for.
    fn handled(status: &mut Self::Status) -> &mut Option<String>;

    /// What somebody asks for, and was not done yet; a suspended object is not looked at, so that it isn't done there either.
    fn requested(&self) -> Option<String> {
        let asked = annotation(self.meta(), REQUESTED_AT).filter(|_| !self.is_suspended())?;
        let mut status = self.status().cloned().unwrap_or_default();
        (Self::handled(&mut status).as_deref() != Some(asked)).then(|| asked.to_owned())
    }

    /// How old what is seen outside the cluster may be.
    fn patience(&self) -> Patience {
        if self.requested().is_some() { Patience::None } else { Patience::Routine }
    }
}

impl Published for Connector {
    type Status = ConnectorStatus;
    const KIND: &'static str = "Connector";
    const MANAGER: &'static str = "backstay-connector";
    fn lanes(context: &Context) -> &Lanes {
        &context.connector_lanes
    }
    fn status(&self) -> Option<&ConnectorStatus> {
        self.status.as_ref()
    }
    fn set_status(&mut self, status: ConnectorStatus) {
        self.status = Some(status);
    }
    fn said(status: &ConnectorStatus) -> Said<'_> {
        Said { conditions: &status.conditions, findings: &[] }
    }
    fn is_suspended(&self) -> bool {
        self.spec.suspend
    }
    fn open(status: &ConnectorStatus) -> &[HandOffStatus] {
        &status.hand_offs
    }
    fn handled(status: &mut ConnectorStatus) -> &mut Option<String> {
        &mut status.last_handled_reconcile_at
    }
}

impl Published for ServiceAccountPolicy {
    type Status = ServiceAccountPolicyStatus;
    const KIND: &'static str = "ServiceAccountPolicy";
    const MANAGER: &'static str = "backstay-policy";
    fn lanes(context: &Context) -> &Lanes {
        &context.policy_lanes
    }
    fn status(&self) -> Option<&ServiceAccountPolicyStatus> {
        self.status.as_ref()
    }
    fn set_status(&mut self, status: ServiceAccountPolicyStatus) {
        self.status = Some(status);
    }
    fn said(status: &ServiceAccountPolicyStatus) -> Said<'_> {
        Said { conditions: &status.conditions, findings: &status.findings }
    }
    fn is_suspended(&self) -> bool {
        self.spec.suspend
    }
    fn open(status: &ServiceAccountPolicyStatus) -> &[HandOffStatus] {
        &status.hand_offs
    }
    fn handled(status: &mut ServiceAccountPolicyStatus) -> &mut Option<String> {
        &mut status.last_handled_reconcile_at
    }
}

/// What was written, over which version, and which one it became: while the watch shows an older one, this is the newer status.
pub struct Written {
    over: String,
    became: Option<String>,
    status: serde_json::Value,
}

impl Written {
    /// Whether a version is from before. Versions are numbers that grow (so Kubernetes promises since 1.35); where they are not, only
    /// the very version that was written over is known to be older. Others write to the object, too: to its spec, or its annotations.
    fn is_newer_than(&self, version: &str) -> bool {
        match (version.parse::<u64>(), self.became.as_ref().map(|became| became.parse::<u64>())) {
            (Ok(version), Some(Ok(became))) => version < became,
            _ => version == self.over,
        }
    }
}

impl Context {
    /// The object with the status that this process last wrote, if the watch does not show it yet. Without it, a pass
    /// right after another would write the same again.
    pub fn caught_up<K: Published>(&self, mut object: K) -> K {
        let uid = object.uid().unwrap_or_default();
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        match written.get(&uid) {
            Some(last) if object.resource_version().is_some_and(|version| last.is_newer_than(&version)) => {
                if let Ok(status) = serde_json::from_value(last.status.clone()) {
                    object.set_status(status);
                }
            }
            Some(_) => {
                written.remove(&uid);
            }
            None => {}
        }
        object
    }

    /// Writes the status if it changed, then the log and the Events.
    ///
    /// # Errors
    /// When the status can't be written. Events that can't be written are logged.
    pub async fn publish<K: Published>(&self, object: &K, outcome: &Outcome<K::Status>) -> Result<(), Fault> {
        let mut status = outcome.status.clone();
        if let Some(asked) = object.requested() {
            *K::handled(&mut status) = Some(asked);
        }
        if object.status() != Some(&status) {
            self.write_status(object, &status).await?;
            for Line { trouble, state, sentence, what } in changes(object.status().map(K::said), K::said(&status)) {
                let what = what.join(", ");
                if trouble {
                    tracing::warn!(what, state, sentence, "trouble");
                } else {
                    tracing::info!(what, state, sentence, "changed");
                }
            }
        }
        self.tell(object, &outcome.notes).await;
        Ok(())
    }

    async fn write_status<K: Published>(&self, object: &K, status: &K::Status) -> Result<(), Fault> {
        let (name, namespace) = (object.name_any(), object.namespace().unwrap_or_default());
        let api: Api<K> = Api::namespaced(self.client.clone(), &namespace);
        // The uid makes it a write to this very object: one that was deleted and created again is another.
        let patch = json!({
            "apiVersion": K::api_version(&()),
            "kind": K::kind(&()),
            "metadata": { "name": name, "uid": object.uid() },
            "status": status,
        });
        let params = PatchParams::apply(K::MANAGER).force();
        let became = match api.patch_status(&name, &params, &Patch::Apply(&patch)).await {
            Ok(written) => written.resource_version(),
            // Gone meanwhile: nothing to be told any more. Replaced by another of the same name is a conflict: the next pass
            // is about that one.
            Err(kube::Error::Api(status)) if status.is_not_found() => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        self.metrics.status_written(K::KIND);
        if let (Some(uid), Some(over), Ok(status)) =
            (object.uid(), object.resource_version(), serde_json::to_value(status))
        {
            self.written.lock().unwrap_or_else(PoisonError::into_inner).insert(uid, Written { over, became, status });
        }
        Ok(())
    }

    /// Writes Events.
    pub async fn tell<K: Published>(&self, object: &K, notes: &[Note]) {
        for note in notes {
            let event = Event {
                type_: if note.warning { EventType::Warning } else { EventType::Normal },
                reason: note.reason.clone(),
                note: Some(note.sentence.clone()),
                action: note.action.to_owned(),
                secondary: note.related.as_ref().map(|(kind, name)| ObjectReference {
                    kind: Some((*kind).to_owned()),
                    name: Some(name.clone()),
                    ..ObjectReference::default()
                }),
            };
            let regarding = object.object_ref(&());
            let Note { reason, sentence, warning, .. } = note;
            match note.action {
                // The log has it from the status.
                CHECK => {}
                _ if !warning => tracing::info!(reason, sentence, "done"),
                // Told in this pass as in the last one.
                _ if self.events.told(&event, &regarding) => {}
                _ => tracing::warn!(reason, sentence, "trouble"),
            }
            // Losing an Event is no reason to fail: the status says it, too.
            if let Err(error) = self.events.publish(&event, &regarding).await {
                tracing::warn!(%error, reason = note.reason, "an Event could not be written");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_counts_until_the_watch_has_it_whoever_else_writes_meanwhile() {
        let written = |became: Option<&str>| Written {
            over: "10".to_owned(),
            became: became.map(str::to_owned),
            status: serde_json::Value::Null,
        };
        let newer = |became, version| written(became).is_newer_than(version);
        // Somebody else's write became 11, ours 12.
        assert_eq!(["10", "11", "12", "13"].map(|version| newer(Some("12"), version)), [true, true, false, false]);
        assert_eq!(["10", "9", "x"].map(|version| newer(Some("x"), version)), [true, false, false]);
        assert_eq!(["10", "11"].map(|version| newer(None, version)), [true, false]);
    }
}
