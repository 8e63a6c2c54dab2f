//! How Secrets are read: watched as metadata only, read by name when used, and only with the label.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use k8s_openapi::api::core::v1::Secret;
use kube::core::PartialObjectMeta;
use kube::runtime::reflector::{ObjectRef, Store};
use kube::{Api, Client, ResourceExt};
use secrecy::{ExposeSecret, SecretString};

use super::problem::Problem;
use crate::api::{Reason, USE_LABEL};
use crate::fault::Fault;
use crate::vendors::Credential;

/// Label selector of the watch.
pub const SELECTOR: &str = "backstay.dev/use=true";

/// By namespace and name: the version that was read, and its data.
type Read = HashMap<(String, String), (String, Arc<Credential>)>;

/// Secrets that may be used. Data is kept only for the version that was last used.
pub struct Secrets {
    client: Client,
    metadata: Store<PartialObjectMeta<Secret>>,
    read: Mutex<Read>,
}

impl Secrets {
    /// Reads through the store of the metadata watch.
    #[must_use]
    pub fn new(client: Client, metadata: Store<PartialObjectMeta<Secret>>) -> Self {
        Self { client, metadata, read: Mutex::default() }
    }

    /// The named keys of a Secret.
    ///
    /// # Errors
    /// One sentence: not there, without the label, without a key. The outer error: the API server did not answer.
    pub async fn keys(
        &self,
        namespace: &str,
        name: &str,
        keys: &[&str],
    ) -> Result<Result<Arc<Credential>, Problem>, Fault> {
        let reference = ObjectRef::new(name).within(namespace);
        let Some(metadata) = self.metadata.get(&reference) else {
            return self.why_not(namespace, name).await.map(Err);
        };
        let version = metadata.resource_version().unwrap_or_default();
        let place = (namespace.to_owned(), name.to_owned());
        let known = self.entries().get(&place).filter(|(known, _)| *known == version).map(|(_, data)| Arc::clone(data));
        let data = match known {
            Some(data) => data,
            None => match self.fetch(namespace, name).await? {
                Some((version, data)) => {
                    let data = Arc::new(data);
                    self.entries().insert(place, (version, Arc::clone(&data)));
                    data
                }
                None => return self.why_not(namespace, name).await.map(Err),
            },
        };
        let usable = |key: &&&str| data.get(**key).is_some_and(|value| !value.expose_secret().trim().is_empty());
        Ok(match keys.iter().find(|key| !usable(key)) {
            None => Ok(data),
            Some(key) => Err(Problem::wrong(
                CREDENTIALS,
                Reason::SecretInvalid,
                format!("Secret {namespace}/{name} has no key \"{key}\", or it is empty or not text"),
            )),
        })
    }

    /// Forgets data of Secrets that are gone or no longer labelled.
    pub fn forget_gone(&self) {
        self.entries()
            .retain(|(namespace, name), _| self.metadata.get(&ObjectRef::new(name).within(namespace)).is_some());
    }

    async fn fetch(&self, namespace: &str, name: &str) -> Result<Option<(String, Credential)>, Fault> {
        let api: Api<Secret> = Api::namespaced(self.client.clone(), namespace);
        let Some(secret) = api.get_opt(name).await? else { return Ok(None) };
        // The watch may be behind: what counts is the label on what was read.
        if secret.labels().get(USE_LABEL).map(String::as_str) != Some("true") {
            return Ok(None);
        }
        let version = secret.resource_version().unwrap_or_default();
        let data: BTreeMap<String, SecretString> = secret
            .data
            .unwrap_or_default()
            .into_iter()
            .filter_map(|(key, value)| {
                Some((key, String::from_utf8(value.0).ok()?.trim_end_matches('\n').to_owned().into()))
            })
            .collect();
        Ok(Some((version, data)))
    }

    /// A Secret that is not in the watch is not there, or has no label: its metadata alone tells which.
    async fn why_not(&self, namespace: &str, name: &str) -> Result<Problem, Fault> {
        let api: Api<PartialObjectMeta<Secret>> = Api::namespaced(self.client.clone(), namespace);
        let there = match api.get(name).await {
            Ok(secret) => Some(secret),
            Err(kube::Error::Api(status)) if status.is_not_found() => None,
            Err(error) => return Err(error.into()),
        };
        Ok(match there {
            None => Problem::missing(CREDENTIALS, format!("Secret {namespace}/{name} is not there")),
            Some(_) => Problem::wrong(
                CREDENTIALS,
                Reason::SecretInvalid,
                format!(
                    "Secret {namespace}/{name} is not meant for the operator: it lacks the label {USE_LABEL}: \"true\""
                ),
            ),
        })
    }

    fn entries(&self) -> std::sync::MutexGuard<'_, Read> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const CREDENTIALS: &str = "CredentialsValid";
