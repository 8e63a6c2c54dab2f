//! Which objects a command is about, and how they are read: what this version can't read is told, and keeps nothing from being shown.

use std::collections::BTreeMap;
use std::fmt::Debug;

use clap::Args;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::api::{ListParams, Patch, PatchParams};
use kube::core::{DeserializeGuard, NamespaceResourceScope};
use kube::{Api, Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use serde_json::json;

use super::outside;
use super::shown::Output;
use crate::api::{Connector, ServiceAccountPolicy};
use crate::runtime::once::not_listed;

/// Which namespaces.
#[derive(Args)]
pub struct Where {
    /// The namespace [default: the kubeconfig's].
    #[arg(long, short, value_name = "NAME")]
    pub namespace: Option<String>,
    /// All namespaces.
    #[arg(long, short = 'A', conflicts_with = "namespace")]
    pub all_namespaces: bool,
    #[command(flatten)]
    pub cluster: outside::Cluster,
}

/// Which objects are shown, and how.
#[derive(Args)]
pub struct Listing {
    #[command(flatten)]
    pub place: Where,
    /// The form of the answer.
    #[arg(short, long, value_enum, default_value = "text")]
    pub output: Output,
}

/// The objects of both kinds.
#[derive(Default)]
pub struct Objects {
    /// By namespace and name.
    pub policies: BTreeMap<(String, String), ServiceAccountPolicy>,
    /// By namespace and name.
    pub connectors: BTreeMap<(String, String), Connector>,
    /// What can't be read, one sentence each.
    pub unreadable: Vec<String>,
    /// Where was looked, in words.
    pub place: String,
}

/// Reads all of them.
///
/// # Errors
/// One sentence: the cluster can't be reached, does not know the kinds, or refuses.
pub async fn read(place: &Where) -> Result<Objects, String> {
    let (client, own) = place.cluster.reach()?;
    let namespace = (!place.all_namespaces).then(|| place.namespace.clone().unwrap_or(own));
    let mut objects = Objects {
        place: namespace.as_ref().map_or_else(|| "any namespace".to_owned(), |name| format!("namespace {name}")),
        ..Objects::default()
    };
    for policy in list::<ServiceAccountPolicy>(&client, namespace.as_deref()).await? {
        objects.take(policy, |objects| &mut objects.policies);
    }
    for connector in list::<Connector>(&client, namespace.as_deref()).await? {
        objects.take(connector, |objects| &mut objects.connectors);
    }
    Ok(objects)
}

impl Objects {
    /// How many no operator has said anything of.
    pub fn unlooked(&self) -> usize {
        let policies = self.policies.values().map(|it| it.status.as_ref().map(|status| &status.conditions));
        let connectors = self.connectors.values().map(|it| it.status.as_ref().map(|status| &status.conditions));
        policies.chain(connectors).filter(|said| is_unlooked(*said)).count()
    }

    fn take<K: Resource<DynamicType = ()>>(
        &mut self,
        guarded: DeserializeGuard<K>,
        into: impl Fn(&mut Self) -> &mut BTreeMap<(String, String), K>,
    ) {
        match guarded.0 {
            Ok(object) => {
                let place = (object.namespace().unwrap_or_default(), object.name_any());
                into(self).insert(place, object);
            }
            Err(invalid) => {
                let name = invalid.metadata.name.unwrap_or_default();
                let namespace = invalid.metadata.namespace.unwrap_or_default();
                self.unreadable.push(format!(
                    "{} {namespace}/{name} can't be read by this version of backstay: {}",
                    K::kind(&()),
                    invalid.error
                ));
            }
        }
    }
}

/// Whether no operator has said anything of the object with these conditions.
pub fn is_unlooked(said: Option<&Vec<Condition>>) -> bool {
    said.is_none_or(Vec::is_empty)
}

async fn list<K>(client: &Client, namespace: Option<&str>) -> Result<Vec<DeserializeGuard<K>>, String>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + Debug + DeserializeOwned,
{
    let api: Api<DeserializeGuard<K>> = match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    };
    let listed = api.list(&ListParams::default()).await;
    listed.map(|list| list.items).map_err(|error| not_listed(&K::plural(&()), error))
}

/// Says something on an object, as `kubectl annotate --overwrite` does.
///
/// # Errors
/// What the cluster says.
pub async fn annotate<K>(api: &Api<K>, name: &str, key: &str, value: &str) -> Result<(), kube::Error>
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned,
{
    let patch = json!({ "metadata": { "annotations": { key: value } } });
    let params = PatchParams { field_manager: Some("kubectl-backstay".to_owned()), ..PatchParams::default() };
    let patched = api.patch_metadata(name, &params, &Patch::Merge(&patch)).await;
    patched.map(|_| ())
}
