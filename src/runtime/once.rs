//! Everything that a pass may use, for a single look: the objects are listed once, and nothing is watched.

use std::fmt::Debug;
use std::sync::Arc;

use futures::channel::mpsc;
use k8s_openapi::api::core::v1::Secret;
use kube::api::ListParams;
use kube::core::{NamespaceResourceScope, PartialObjectMeta};
use kube::runtime::reflector::{self, Store, store::Writer};
use kube::runtime::watcher;
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;

use super::again::Again;
use super::context::{Context, Guarded, Settings};
use super::synced::Synced;
use crate::api::{Connector, ServiceAccountPolicy};
use crate::fault::Fault;
use crate::http::Way;
use crate::metrics::Metrics;

/// A look at objects as they are, or would be.
pub struct Once {
    /// What a pass may use.
    pub context: Context,
    connectors: Writer<Guarded<Connector>>,
    policies: Writer<Guarded<ServiceAccountPolicy>>,
}

impl Once {
    /// Lists what is there: in all namespaces if that is permitted, else in this one.
    ///
    /// # Errors
    /// One sentence: the API server says no, or does not answer.
    pub async fn new(
        client: Client,
        namespace: &str,
        settings: Settings,
        way: Way,
        metrics: Arc<Metrics>,
    ) -> Result<Self, String> {
        let (connectors, connectors_in) = listed::<Guarded<Connector>>(&client, namespace, "Connectors").await?;
        let (policies, policies_in) =
            listed::<Guarded<ServiceAccountPolicy>>(&client, namespace, "ServiceAccountPolicies").await?;
        // Secrets are asked for by name.
        let (secrets, _) = reflector::store::<PartialObjectMeta<Secret>>();
        let again = Again::new(mpsc::unbounded().0, mpsc::unbounded().0);
        let stores = (connectors, policies, vec![secrets]);
        let context = Context::new(client, settings, way, metrics, Synced::new(0), again, stores);
        Ok(Self { context, connectors: connectors_in, policies: policies_in })
    }

    /// Puts a Connector in the place of the one that is there.
    pub fn put_connector(&mut self, connector: Connector) {
        self.connectors.apply_watcher_event(&watcher::Event::Apply(kube::core::DeserializeGuard(Ok(connector))));
    }

    /// Puts a policy in the place of the one that is there.
    pub fn put_policy(&mut self, policy: ServiceAccountPolicy) {
        self.policies.apply_watcher_event(&watcher::Event::Apply(kube::core::DeserializeGuard(Ok(policy))));
    }
}

async fn listed<K>(client: &Client, namespace: &str, what: &str) -> Result<(Store<K>, Writer<K>), String>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
        + Clone
        + Debug
        + DeserializeOwned
        + Send
        + Sync
        + 'static,
{
    let (store, mut writer) = reflector::store();
    let everywhere = Api::<K>::all(client.clone()).list(&ListParams::default()).await;
    let all = match everywhere {
        Err(kube::Error::Api(status)) if status.is_forbidden() => {
            Api::<K>::namespaced(client.clone(), namespace).list(&ListParams::default()).await
        }
        other => other,
    };
    let all = all.map_err(|error| not_listed(what, error))?;
    for object in all {
        writer.apply_watcher_event(&watcher::Event::Apply(object));
    }
    Ok((store, writer))
}

/// Why a kind can't be listed, in one sentence.
#[must_use]
pub fn not_listed(what: &str, error: kube::Error) -> String {
    match error {
        kube::Error::Api(status) if status.is_not_found() => {
            format!("the API server does not know {what}: install the CRDs first (backstay crd | kubectl apply -f -)")
        }
        error => format!("{what} can't be listed: {}", Fault::from(error)),
    }
}
