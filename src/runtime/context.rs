//! What every pass may use: clients, caches, settings. Nothing is global.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;
use kube::Client;
use kube::core::{DeserializeGuard, PartialObjectMeta};
use kube::runtime::events::Reporter;
use kube::runtime::reflector::Store;

use super::again::Again;
use super::deletions::Deletions;
use super::events::Events;
use super::grants::Grants;
use super::lanes::Lanes;
use super::lately::Lately;
use super::own_identity::OwnIdentity;
use super::secrets::{Secrets, WatchedSecrets};
use super::sightings::Sightings;
use super::synced::Synced;
use crate::api::{Connector, ServiceAccountPolicy};
use crate::elevation::Ledger;
use crate::http::Way;
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
    /// How many vendor connectors of one account may be deleted within a minute before somebody has to say that it is meant.
    pub deletions_per_minute: usize,
    /// How long a deleted object is held for a vendor that does not answer.
    pub deletion_patience: Duration,
    /// Where the operator writes down what it has given for a time.
    pub operator_namespace: String,
    /// Which Secrets may be read.
    pub secrets: WatchedSecrets,
    /// Whose policies may sign in as the operator itself; `None`: this is not the operator, and nobody has said.
    pub own_identity: Option<OwnIdentity>,
}

#[cfg(test)]
impl Settings {
    /// What the command line has by default, without grants.
    pub(crate) fn for_tests() -> Self {
        Self {
            grants: Grants::default(),
            read_only: false,
            waiting_interval: Duration::from_mins(1),
            deletions_per_minute: 3,
            deletion_patience: Duration::from_mins(15),
            operator_namespace: "backstay-system".to_owned(),
            secrets: WatchedSecrets::Everywhere,
            own_identity: None,
        }
    }
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
    /// What this process has seen of Connectors itself: whether their authorization works.
    pub sightings: Sightings,
    /// And of policies: whether their findings are of what was really read.
    pub findings: Sightings,
    /// Whom to look at again.
    pub again: Again,
    /// What was written outside a moment ago, and may not show yet.
    pub lately: Lately,
    /// Which vendor connectors were deleted a moment ago.
    pub deletions: Deletions,
    /// Who removes a role holds this, so that there is one at a time.
    pub removals: tokio::sync::Mutex<()>,
    /// Whose roles were removed in the last minutes.
    pub removed: Mutex<Vec<(String, tokio::time::Instant)>>,
    /// What was written to whom, for as long as the watch is behind.
    pub written: Mutex<HashMap<String, super::publish::Written>>,
    /// How often each object has failed in a row.
    pub failures: Mutex<HashMap<String, u32>>,
    /// What was given for a time.
    pub ledger: Ledger,
    /// Writes Events.
    pub events: Events,
    /// Counts.
    pub metrics: Arc<Metrics>,
}

/// The stores of the watches.
pub type Stores =
    (Store<Guarded<Connector>>, Store<Guarded<ServiceAccountPolicy>>, Vec<Store<PartialObjectMeta<Secret>>>);

impl Context {
    /// Nothing is known yet.
    #[must_use]
    pub fn new(
        client: Client,
        settings: Settings,
        way: Way,
        metrics: Arc<Metrics>,
        synced: Synced,
        again: Again,
        (connectors, policies, secrets): Stores,
    ) -> Self {
        let reporter = Reporter { controller: "backstay".into(), instance: std::env::var("HOSTNAME").ok() };
        Self {
            desk: Desk::new(way),
            tenants: Tenants::default(),
            secrets: Secrets::new(client.clone(), secrets),
            connectors,
            policies,
            synced,
            connector_lanes: Lanes::default(),
            policy_lanes: Lanes::default(),
            sightings: Sightings::default(),
            findings: Sightings::default(),
            again,
            lately: Lately::default(),
            deletions: Deletions::default(),
            removals: tokio::sync::Mutex::default(),
            removed: Mutex::default(),
            written: Mutex::default(),
            failures: Mutex::default(),
            ledger: Ledger::new(client.clone(), &settings.operator_namespace),
            events: Events::new(client.clone(), reporter),
            metrics,
            settings,
            client,
        }
    }

    /// The Connectors of a namespace that can be read.
    pub fn connectors_of(&self, namespace: &str) -> Vec<Arc<Guarded<Connector>>> {
        let mut all = self.connectors.state_filter(|guarded| {
            guarded.0.as_ref().is_ok_and(|it| it.metadata.namespace.as_deref() == Some(namespace))
        });
        all.sort_by_cached_key(|guarded| kube::ResourceExt::name_any(guarded.as_ref()));
        all
    }

    /// Lets the policies for an account (object id) be looked at at once.
    pub fn wake_policies_of(&self, account: &str) {
        for guarded in self.policies.state() {
            let Ok(policy) = &guarded.0 else { continue };
            let seen =
                policy.status.as_ref().and_then(|status| status.account.as_ref()).map(|it| it.object_id.as_str());
            if [policy.spec.account.pin().as_deref(), seen]
                .into_iter()
                .flatten()
                .any(|id| id.eq_ignore_ascii_case(account))
            {
                self.again.policy_at_once(&guarded);
            }
        }
    }

    /// Notes how a pass ended; how often it had failed in a row before.
    pub fn failed(&self, uid: &str, failed: bool) -> u32 {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if !failed {
            return failures.remove(uid).unwrap_or_default();
        }
        let count = failures.entry(uid.to_owned()).or_default();
        let before = *count;
        *count = count.saturating_add(1);
        before
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
