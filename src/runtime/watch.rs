//! How a kind is watched: its store is kept, and every change is told.

use futures::{Stream, TryStreamExt};
use kube::runtime::{WatchStreamExt, reflector, watcher};
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;

/// The objects of a namespace, or of all.
#[must_use]
pub fn api<K>(client: &Client, namespace: Option<&str>) -> Api<K>
where
    K: Resource<Scope = kube::core::NamespaceResourceScope, DynamicType = ()>,
{
    match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    }
}

/// Watches a kind: keeps its store, says when the first list is in, and tells of every object that changed or is gone.
pub fn watch<K>(
    api: Api<K>,
    config: watcher::Config,
    writer: reflector::store::Writer<K>,
    listed: impl Fn() + Send + 'static,
    changed: impl Fn(&K, bool) + Send + 'static,
) -> impl Stream<Item = Result<K, watcher::Error>> + Send + 'static
where
    K: Resource<DynamicType = ()> + Clone + std::fmt::Debug + DeserializeOwned + Send + Sync + 'static,
{
    watcher(api, config)
        .reflect(writer)
        .inspect_ok(move |event| match event {
            watcher::Event::Apply(object) | watcher::Event::InitApply(object) => changed(object, false),
            watcher::Event::Delete(object) => changed(object, true),
            watcher::Event::InitDone => listed(),
            watcher::Event::Init => {}
        })
        .applied_objects()
        // After `applied_objects`: before it, every new round would reset the back-off.
        .default_backoff()
}
