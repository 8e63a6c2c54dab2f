//! What the operator writes on an object beside its status: a finalizer while something outside has to go first, an annotation
//! while a creation is under way. Written before what they stand for, so that whoever comes after a crash knows.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{ApiResource, DynamicObject, Patch, PatchParams};
use kube::core::PartialObjectMeta;
use kube::{Api, Resource};
use serde_json::{Value, json};

use super::context::Context;
use crate::fault::{Fault, Kind};

/// Holds a Connector until its connector at the vendor is gone. There only while the spec asks for that.
pub const FINALIZER: &str = "backstay.dev/vendor-connector";
/// Since when a connector is being created at the vendor.
pub const CREATING: &str = "backstay.dev/creating";
/// Since when the deletion waits for somebody to say that it is meant.
pub const DELETION_HELD: &str = "backstay.dev/deletion-held";
/// A backup is wanted that begins after this time.
pub const START_BACKUP: &str = "backstay.dev/start-backup";
/// The deletion goes on though many were deleted at once: when that was decided.
pub const RELEASE_DELETION: &str = "backstay.dev/release-deletion";

/// A look is wanted in which everything is read anew: any value that is not in `status.lastHandledReconcileAt`.
pub const REQUESTED_AT: &str = "backstay.dev/requestedAt";

/// Somebody is asked to sign in again at the vendor, if nobody has since this time.
pub const REAUTHENTICATE: &str = "backstay.dev/reauthenticate";
/// Somebody begins to sign in again: when.
pub const BEGIN: &str = "backstay.dev/begin";
/// Somebody has signed in again: when.
pub const DONE: &str = "backstay.dev/done";

/// What is marked on an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mark {
    /// The finalizer is there, or not.
    Finalizer(bool),
    /// The annotation has this value, or is not there.
    Annotation(&'static str, Option<String>),
}

/// An annotation of an object.
#[must_use]
pub fn annotation<'a>(metadata: &'a ObjectMeta, key: &str) -> Option<&'a str> {
    metadata.annotations.as_ref()?.get(key).map(String::as_str)
}

/// Whether the object is held.
#[must_use]
pub fn is_held(metadata: &ObjectMeta) -> bool {
    metadata.finalizers.iter().flatten().any(|it| it == FINALIZER)
}

/// What has to change for the mark; `None`: nothing.
fn change(metadata: &ObjectMeta, mark: &Mark) -> Option<Value> {
    match mark {
        Mark::Finalizer(wanted) => {
            let others = metadata.finalizers.iter().flatten().filter(|it| *it != FINALIZER).cloned();
            let all: Vec<String> = others.chain(wanted.then(|| FINALIZER.to_owned())).collect();
            (is_held(metadata) != *wanted).then(|| json!({ "finalizers": all }))
        }
        Mark::Annotation(key, value) => {
            let change = BTreeMap::from([(*key, value)]);
            (annotation(metadata, key) != value.as_deref()).then(|| json!({ "annotations": change }))
        }
    }
}

impl Context {
    /// Marks an object; whether it is there (still). Nothing is written where it is so already.
    ///
    /// # Errors
    /// When the API server refuses it or does not answer, or somebody else changed the object in the same moment.
    pub async fn mark<K>(&self, metadata: &ObjectMeta, mark: &Mark) -> Result<bool, Fault>
    where
        K: Resource<DynamicType = ()>,
    {
        if change(metadata, mark).is_none() {
            return Ok(true);
        }
        self.mark_if::<K>(metadata, mark, |_| true).await
    }

    /// Says that something begins; whether it may: the object is there as it was read, is not going, and nobody has said so before.
    ///
    /// # Errors
    /// As of `mark`.
    pub async fn begin<K>(&self, metadata: &ObjectMeta, key: &'static str, since: Timestamp) -> Result<bool, Fault>
    where
        K: Resource<DynamicType = ()>,
    {
        let as_read = |live: &ObjectMeta| {
            live.deletion_timestamp.is_none()
                && live.generation == metadata.generation
                && annotation(live, key).is_none()
        };
        self.mark_if::<K>(metadata, &Mark::Annotation(key, Some(format!("{since:.0}"))), as_read).await
    }

    /// Takes back what `begin` has said, which what was read before does not show.
    ///
    /// # Errors
    /// As of `mark`.
    pub async fn end<K>(&self, metadata: &ObjectMeta, key: &'static str) -> Result<bool, Fault>
    where
        K: Resource<DynamicType = ()>,
    {
        self.mark_if::<K>(metadata, &Mark::Annotation(key, None), |_| true).await
    }

    async fn mark_if<K>(
        &self,
        metadata: &ObjectMeta,
        mark: &Mark,
        may: impl Fn(&ObjectMeta) -> bool,
    ) -> Result<bool, Fault>
    where
        K: Resource<DynamicType = ()>,
    {
        let (name, namespace) =
            (metadata.name.as_deref().unwrap_or_default(), metadata.namespace.as_deref().unwrap_or_default());
        let api: Api<DynamicObject> =
            Api::namespaced_with(self.client.clone(), namespace, &ApiResource::erase::<K>(&()));
        // As it is now: a list of finalizers is written as a whole, and others may have theirs in it.
        let live: PartialObjectMeta<DynamicObject> = match api.get_metadata(name).await {
            Ok(live) => live,
            Err(kube::Error::Api(status)) if status.is_not_found() => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        if live.metadata.uid != metadata.uid || !may(&live.metadata) {
            return Ok(false);
        }
        let Some(mut patch) = change(&live.metadata, mark) else { return Ok(true) };
        patch["uid"] = json!(live.metadata.uid);
        patch["resourceVersion"] = json!(live.metadata.resource_version);
        match api.patch_metadata(name, &PatchParams::default(), &Patch::Merge(json!({ "metadata": patch }))).await {
            Ok(_) => Ok(true),
            Err(kube::Error::Api(status)) if status.is_not_found() => Ok(false),
            Err(kube::Error::Api(status)) if status.is_conflict() => {
                Err(Fault::new(Kind::Kubernetes, "The object was changed by somebody else in the same moment"))
            }
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_stays_and_nothing_is_written_twice() {
        let metadata = |finalizers: &[&str]| ObjectMeta {
            finalizers: Some(finalizers.iter().map(|&it| it.to_owned()).collect()),
            ..ObjectMeta::default()
        };
        let theirs = metadata(&["a", "b"]);
        assert_eq!(change(&theirs, &Mark::Finalizer(true)), Some(json!({ "finalizers": ["a", "b", FINALIZER] })));
        assert_eq!(change(&theirs, &Mark::Finalizer(false)), None);
        let both = metadata(&["a", FINALIZER, "b"]);
        assert_eq!(change(&both, &Mark::Finalizer(false)), Some(json!({ "finalizers": ["a", "b"] })));
        assert_eq!(change(&both, &Mark::Finalizer(true)), None);
        let gone = Mark::Annotation(CREATING, None);
        assert_eq!(change(&theirs, &gone), None);
        let annotated = ObjectMeta {
            annotations: Some(BTreeMap::from([(CREATING.to_owned(), "2026-11-20T01:00:00Z".to_owned())])),
            ..ObjectMeta::default()
        };
        assert_eq!(change(&annotated, &gone), Some(json!({ "annotations": { CREATING: null } })));
    }
}
