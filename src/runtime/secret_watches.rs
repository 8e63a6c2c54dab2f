//! The watches on Secrets: one for each place that RBAC lets the operator read, and what becomes of one that is refused.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::Secret;
use kube::core::PartialObjectMeta;
use kube::runtime::reflector::store::Writer;
use kube::runtime::watcher;

use super::secrets::SELECTOR;
use super::synced::Synced;
use super::watch::{api, watch};
use crate::metrics::Metrics;

/// A namespace (`None`: all) and a name (`None`: all), and the store of what is there.
pub type Place = ((Option<String>, Option<String>), Writer<PartialObjectMeta<Secret>>);

/// Longer than the longest pause between two tries: after it, the same trouble is a new one.
const QUIET: Duration = Duration::from_mins(5);

/// Runs them: each says when its list is in (from this number on), and every change is told.
pub async fn run(
    client: &kube::Client,
    places: impl Iterator<Item = Place>,
    (synced, first): (&Synced, usize),
    changed: impl Fn(&PartialObjectMeta<Secret>) + Clone + Send + 'static,
    metrics: &Metrics,
) {
    let watches = places.enumerate().map(|(number, ((namespace, name), writer))| {
        let config = watcher::Config::default().labels(SELECTOR);
        let config = name.iter().fold(config, |config, name| config.fields(&format!("metadata.name={name}")));
        let listed = Arc::new(synced.of(first + number));
        let place = namespace.clone().unwrap_or_else(|| "all".to_owned());
        // What was told of this watch, and when it last failed.
        let told: Arc<Mutex<Option<(String, Instant)>>> = Arc::default();
        let works = {
            let (listed, told, namespace) = (Arc::clone(&listed), Arc::clone(&told), place.clone());
            move || {
                listed();
                if told.lock().unwrap_or_else(PoisonError::into_inner).take().is_some() {
                    tracing::info!(namespace, "the watch on Secrets works again");
                }
            }
        };
        let api = api(client, namespace.as_deref());
        let fails = move |error: &watcher::Error| {
            let sentence = error.to_string();
            let before =
                told.lock().unwrap_or_else(PoisonError::into_inner).replace((sentence.clone(), Instant::now()));
            // One that goes on where it was cut says nothing of it.
            if before.is_none_or(|(said, at)| said != sentence || at.elapsed() > QUIET) {
                tracing::warn!(%error, namespace = place, "the watch on Secrets failed; it is tried again");
            }
            // Nobody waits for what may not be watched, such as in a namespace that is gone with its Role: whoever uses a Secret of it
            // asks for that by name, and says what is wrong.
            if is_refused(error) {
                listed();
            }
        };
        let changed = changed.clone();
        watch(api, config, writer, works, move |secret, _| changed(secret)).inspect_err(fails).boxed()
    });
    let mut all = futures::stream::select_all(watches);
    while let Some(object) = all.next().await {
        if object.is_err() {
            metrics.watch_error("Secret");
        }
    }
}

/// Whether the API server says that there is nothing to watch, and not that it can't tell.
fn is_refused(error: &watcher::Error) -> bool {
    match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status)) => status.is_forbidden() || status.is_not_found(),
        _ => false,
    }
}
