//! What every pass may use: clients, caches, settings. Nothing is global.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kube::Client;
use kube::core::DeserializeGuard;
use kube::runtime::events::Recorder;
use kube::runtime::reflector::Store;

use super::grants::Grants;
use super::lanes::Lanes;
use super::lately::Lately;
use super::secrets::Secrets;
use super::sightings::Sightings;
use super::synced::Synced;
use crate::api::{Connector, ServiceAccountPolicy};
use crate::metrics::Metrics;
use crate::tenant::Tenants;
use crate::vendors::Desk;

/// A kind as it is watched: an object that can't be read is an object still.
pub type Guarded<K> = DeserializeGuard<K>;

/// What the installation decides.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What may be done for whom.
    pub grants: Grants,
    /// Whether nothing may be written outside the cluster.
    pub read_only: bool,
    /// How often somebody is looked for who has to act.
    pub waiting_interval: Duration,
}

/// What every pass may use.
pub struct Context {
    /// The Kubernetes API.
    pub client: Client,
    /// What the installation decides.
    pub settings: Settings,
    /// The way out to vendors, and what was read there.
    pub desk: Desk,
    /// What was read at Microsoft.
    pub tenants: Tenants,
    /// The Secrets.
    pub secrets: Secrets,
    /// All Connectors that are watched.
    pub connectors: Store<Guarded<Connector>>,
    /// All policies that are watched.
    pub policies: Store<Guarded<ServiceAccountPolicy>>,
    /// Whether the stores hold everything.
    pub synced: Synced,
    /// Which Connectors go first.
    pub connector_lanes: Lanes,
    /// Which policies go first: they don't wait for Connectors whose vendor does not answer.
    pub policy_lanes: Lanes,
    /// What this process has seen itself.
    pub sightings: Sightings,
    /// What was written outside a moment ago, and may not show yet.
    pub lately: Lately,
    /// One removal of a role at a time.
    pub removals: tokio::sync::Mutex<()>,
    /// What was written to whom, for as long as the watch is behind.
    pub written: Mutex<HashMap<String, super::publish::Written>>,
    /// How often each object has failed in a row.
    pub failures: Mutex<HashMap<String, u32>>,
    /// Writes Events.
    pub recorder: Recorder,
    /// Counts.
    pub metrics: Arc<Metrics>,
}

impl Context {
    /// The Connectors of a namespace that can be read.
    pub fn connectors_of(&self, namespace: &str) -> Vec<Arc<Guarded<Connector>>> {
        let mut all = self.connectors.state_filter(|guarded| {
            guarded.0.as_ref().is_ok_and(|it| it.metadata.namespace.as_deref() == Some(namespace))
        });
        all.sort_by_cached_key(|guarded| kube::ResourceExt::name_any(guarded.as_ref()));
        all
    }

    /// Whether the last pass over an object failed.
    pub fn fails(&self, uid: &str) -> bool {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).contains_key(uid)
    }

    /// A policy by name, if it is there and can be read.
    pub fn policy(&self, namespace: &str, name: &str) -> Option<Arc<Guarded<ServiceAccountPolicy>>> {
        let reference = kube::runtime::reflector::ObjectRef::new(name).within(namespace);
        self.policies.get(&reference)
    }
}
