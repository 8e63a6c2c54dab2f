//! How Secrets are read: watched as metadata only, read by name when used, and only with the label.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use k8s_openapi::api::core::v1::Secret;
use kube::core::PartialObjectMeta;
use kube::runtime::reflector::{ObjectRef, Store};
use kube::{Api, Client, ResourceExt};
use secrecy::ExposeSecret;

use super::expiring::{EXPIRES, Ends};
use super::marks::annotation;
use super::problem::Problem;
use crate::api::{Reason, USE_LABEL};
use crate::certificate::Certificate;
use crate::fault::Fault;
use crate::vendors::Credential;

/// Label selector of the watch.
pub const SELECTOR: &str = "backstay.dev/use=true";

/// Which Secrets the operator may read, as far as its RBAC goes: each watch stays within that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum WatchedSecrets {
    /// Those of every namespace that is watched.
    #[default]
    Everywhere,
    /// Those of these namespaces.
    In(Vec<String>),
    /// These: namespace and name.
    Named(Vec<(String, String)>),
}

impl WatchedSecrets {
    /// One watch each: a namespace (`None`: all), and a name (`None`: all).
    #[must_use]
    pub fn watches(&self, scope: Option<&str>) -> Vec<(Option<String>, Option<String>)> {
        match self {
            Self::Everywhere => vec![(scope.map(str::to_owned), None)],
            Self::In(namespaces) => namespaces.iter().map(|it| (Some(it.clone()), None)).collect(),
            Self::Named(all) => all.iter().map(|(it, name)| (Some(it.clone()), Some(name.clone()))).collect(),
        }
    }
}

/// By namespace and name: the version that was read, and its data.
type Read = HashMap<(String, String), (String, Arc<Credential>)>;

/// Secrets that may be used. Data is kept only for the version that was last used.
pub struct Secrets {
    client: Client,
    // One for each watch.
    metadata: Vec<Store<PartialObjectMeta<Secret>>>,
    read: Mutex<Read>,
}

impl Secrets {
    /// Reads through the stores of the metadata watches.
    #[must_use]
    pub fn new(client: Client, metadata: Vec<Store<PartialObjectMeta<Secret>>>) -> Self {
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
        let place = (namespace.to_owned(), name.to_owned());
        // A Secret that the watch does not show may have come a moment ago: the API server is asked, not the watch.
        let version = self.watched(namespace, name).and_then(|it| it.resource_version());
        let known = self.entries().get(&place).filter(|(known, _)| Some(known) == version.as_ref()).cloned();
        let data = match known {
            Some((_, data)) => data,
            None => match self.fetch(namespace, name).await? {
                Ok((version, data)) => {
                    let data = Arc::new(data);
                    self.entries().insert(place, (version, Arc::clone(&data)));
                    data
                }
                Err(problem) => {
                    // What is gone, or meant for nobody any more, is not remembered either.
                    self.entries().remove(&place);
                    return Ok(Err(problem));
                }
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

    /// When what was last read of a Secret ends, as its annotation says, or a certificate in it; `None`: nothing says, or it can't be read.
    pub fn ends(&self, namespace: &str, name: &str) -> Option<Ends> {
        let (_, data) = self.entries().get(&(namespace.to_owned(), name.to_owned())).cloned()?;
        let certificate =
            data.get(CERTIFICATE).and_then(|chain| Certificate::ends(chain.expose_secret())).map(Ends::At);
        let watched = self.watched(namespace, name);
        let said = watched.and_then(|secret| annotation(&secret.metadata, EXPIRES).map(Ends::read));
        certificate.into_iter().chain(said).min()
    }

    /// Forgets data of Secrets that are gone or no longer labelled.
    pub fn forget_gone(&self) {
        self.entries().retain(|(namespace, name), _| self.watched(namespace, name).is_some());
    }

    fn watched(&self, namespace: &str, name: &str) -> Option<Arc<PartialObjectMeta<Secret>>> {
        let place = ObjectRef::new(name).within(namespace);
        self.metadata.iter().find_map(|store| store.get(&place))
    }

    /// Reads a Secret that carries the label; of any other the metadata alone is read, to say what is wrong with it.
    async fn fetch(&self, namespace: &str, name: &str) -> Result<Result<(String, Credential), Problem>, Fault> {
        let metadata: Api<PartialObjectMeta<Secret>> = Api::namespaced(self.client.clone(), namespace);
        let labels = match metadata.get(name).await {
            Ok(secret) => secret.metadata.labels.unwrap_or_default(),
            Err(kube::Error::Api(status)) if status.is_not_found() => {
                return Ok(Err(Problem::missing(CREDENTIALS, format!("Secret {namespace}/{name} is not there"))));
            }
            Err(kube::Error::Api(status)) if status.is_forbidden() => {
                let message = format!("RBAC does not permit reading Secret {namespace}/{name}");
                return Ok(Err(Problem::wrong(CREDENTIALS, Reason::SecretInvalid, message)));
            }
            Err(error) => return Err(error.into()),
        };
        if labels.get(USE_LABEL).map(String::as_str) != Some("true") {
            let message = format!(
                "Secret {namespace}/{name} is not meant for the operator: it lacks the label {USE_LABEL}: \"true\""
            );
            return Ok(Err(Problem::wrong(CREDENTIALS, Reason::SecretInvalid, message)));
        }
        let secret = Api::<Secret>::namespaced(self.client.clone(), namespace).get(name).await?;
        let version = secret.resource_version().unwrap_or_default();
        // Tools that write Secrets from files often leave a line feed at the end.
        let text = |value: Vec<u8>| Some(String::from_utf8(value).ok()?.trim_end_matches('\n').to_owned().into());
        let data = secret.data.unwrap_or_default();
        Ok(Ok((version, data.into_iter().filter_map(|(key, value)| Some((key, text(value.0)?))).collect())))
    }

    fn entries(&self) -> std::sync::MutexGuard<'_, Read> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const CREDENTIALS: &str = "CredentialsValid";
/// Where a `kubernetes.io/tls` Secret has its certificate.
const CERTIFICATE: &str = "tls.crt";
