//! How tokens of `ServiceAccounts` are had: only of those that carry the label, and only for Microsoft.

use async_trait::async_trait;
use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::PostParams;
use kube::core::PartialObjectMeta;
use kube::{Api, Client};
use secrecy::SecretString;

use super::problem::Problem;
use crate::api::{Reason, USE_LABEL};
use crate::fault::{Fault, Kind};
use crate::tenant::Federated;

const CREDENTIALS: &str = "CredentialsValid";
const PLACE: &str = "spec.credential.workloadIdentity.serviceAccountRef";
/// The shortest that Kubernetes issues. Each token is exchanged within a minute.
const LASTS_SECONDS: i64 = 600;

/// The tokens of one `ServiceAccount`.
pub struct ServiceAccounts {
    client: Client,
    namespace: String,
    name: String,
    subject: String,
}

impl ServiceAccounts {
    /// The tokens of a `ServiceAccount` that carries the label. It is looked at each time: taking the label away counts at once.
    ///
    /// # Errors
    /// One sentence: not there, without the label, not to be read. The outer error: the API server did not answer.
    pub async fn find(client: &Client, namespace: &str, name: &str) -> Result<Result<Self, Problem>, Fault> {
        let api: Api<PartialObjectMeta<ServiceAccount>> = Api::namespaced(client.clone(), namespace);
        let wrong = |message: String| Ok(Err(Problem::wrong(CREDENTIALS, Reason::ServiceAccountInvalid, message)));
        let labels = match api.get(name).await {
            Ok(account) => account.metadata.labels.unwrap_or_default(),
            Err(kube::Error::Api(status)) if status.is_not_found() => {
                return Ok(Err(Problem::missing(CREDENTIALS, absent(namespace, name))));
            }
            Err(kube::Error::Api(status)) if status.is_forbidden() => {
                return wrong(format!("RBAC does not permit reading ServiceAccount {namespace}/{name} ({PLACE})"));
            }
            Err(error) => return Err(error.into()),
        };
        if labels.get(USE_LABEL).map(String::as_str) != Some("true") {
            return wrong(format!(
                "ServiceAccount {namespace}/{name} ({PLACE}) is not meant for the operator: it lacks the label {USE_LABEL}: \"true\""
            ));
        }
        let subject = format!("system:serviceaccount:{namespace}:{name}");
        Ok(Ok(Self { client: client.clone(), namespace: namespace.to_owned(), name: name.to_owned(), subject }))
    }
}

fn absent(namespace: &str, name: &str) -> String {
    format!("ServiceAccount {namespace}/{name} ({PLACE}) is not there")
}

#[async_trait]
impl Federated for ServiceAccounts {
    fn subject(&self) -> &str {
        &self.subject
    }

    fn place(&self) -> &'static str {
        PLACE
    }

    async fn token(&self, audience: &str) -> Result<SecretString, Fault> {
        let Self { namespace, name, .. } = self;
        let api: Api<ServiceAccount> = Api::namespaced(self.client.clone(), namespace);
        let request = TokenRequest {
            spec: Some(TokenRequestSpec {
                audiences: Some(vec![audience.to_owned()]),
                expiration_seconds: Some(LASTS_SECONDS),
                ..TokenRequestSpec::default()
            }),
            ..TokenRequest::default()
        };
        let refused = |message: String| Err(Fault::new(Kind::CredentialRefused, message));
        let issued = match api.create_token_request(name, &PostParams::default(), &request).await {
            Ok(issued) => issued,
            Err(kube::Error::Api(status)) if status.is_not_found() => return refused(absent(namespace, name)),
            Err(kube::Error::Api(status)) if status.is_forbidden() => {
                return refused(format!(
                    "RBAC does not permit asking for a token of ServiceAccount {namespace}/{name} ({PLACE})"
                ));
            }
            Err(error) => return Err(error.into()),
        };
        issued.status.and_then(|status| status.token).map(SecretString::from).ok_or_else(|| {
            Fault::new(
                Kind::Kubernetes,
                format!("The Kubernetes API issued no token for ServiceAccount {namespace}/{name}"),
            )
        })
    }
}
