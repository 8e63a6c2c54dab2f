//! How a policy's `spec.tenant` and `spec.credential` become an app that can sign in.

use std::sync::Arc;

use jiff::Timestamp;
use kube::ResourceExt;
use secrecy::ExposeSecret;

use super::service_accounts::ServiceAccounts;
use super::{Context, Problem};
use crate::api::policy::{self, Credential as Declared};
use crate::api::{Reason, ServiceAccountPolicy};
use crate::certificate::Certificate;
use crate::fault::{Fault, Kind};
use crate::tenant::{App, Cloud, Credential};

const CERTIFICATE: &str = "tls.crt";
const KEY: &str = "tls.key";

/// How a policy says that the operator signs in.
#[derive(Clone, Copy)]
pub struct Signing<'a> {
    /// Where its Secret or `ServiceAccount` is.
    pub namespace: &'a str,
    /// The tenant.
    pub tenant: &'a policy::Tenant,
    /// What it signs in with.
    pub credential: &'a Declared,
}

impl Context {
    /// The operator's app, as a policy declares it.
    ///
    /// # Errors
    /// One sentence that names what is not there or not right. The outer error: the API server did not answer.
    pub async fn app(&self, policy: &ServiceAccountPolicy) -> Result<Result<App, Problem>, Fault> {
        let namespace = policy.namespace().unwrap_or_default();
        let (tenant, credential) = (&policy.spec.tenant, &policy.spec.credential);
        self.app_of(Signing { namespace: &namespace, tenant, credential }).await
    }

    /// The operator's app, as it was declared in a namespace, be the policy there or not.
    ///
    /// # Errors
    /// As of `app`.
    pub async fn app_of(&self, signing: Signing<'_>) -> Result<Result<App, Problem>, Fault> {
        let Signing { namespace, tenant, credential } = signing;
        let (client_id, credential) = match credential {
            Declared::ClientSecret(it) => {
                (&it.client_id, self.client_secret(namespace, &it.secret_ref.name, &it.secret_ref.key).await?)
            }
            Declared::ClientCertificate(it) => (&it.client_id, self.certificate(namespace, &it.secret_ref.name).await?),
            Declared::WorkloadIdentity(it) => {
                let tokens = if let Some(named) = &it.service_account_ref {
                    let found = ServiceAccounts::find(&self.client, namespace, &named.name).await?;
                    found.map(|tokens| Credential::Federated(Arc::new(tokens)))
                } else {
                    let own = self.settings.own_identity.as_ref().ok_or_else(only_the_operator)?.tokens(namespace);
                    own.map(|tokens| Credential::Federated(Arc::new(tokens)))
                };
                (&it.client_id, tokens)
            }
        };
        Ok(credential.map(|credential| App {
            tenant: tenant.id.clone(),
            cloud: tenant.cloud.into(),
            client_id: client_id.clone(),
            credential,
        }))
    }

    async fn client_secret(
        &self,
        namespace: &str,
        name: &str,
        key: &str,
    ) -> Result<Result<Credential, Problem>, Fault> {
        let read = self.secrets.keys(namespace, name, &[key]).await?;
        // `keys` has seen to it that the key is there.
        let text = |value: &secrecy::SecretString| value.expose_secret().to_owned();
        Ok(read.map(|data| Credential::Secret(data.get(key).map(text).unwrap_or_default().into())))
    }

    async fn certificate(&self, namespace: &str, name: &str) -> Result<Result<Credential, Problem>, Fault> {
        let data = match self.secrets.keys(namespace, name, &[CERTIFICATE, KEY]).await? {
            Ok(data) => data,
            Err(problem) => return Ok(Err(problem)),
        };
        let text = |key: &str| data.get(key).map(ExposeSecret::expose_secret).unwrap_or_default();
        let read = Certificate::read(text(CERTIFICATE), text(KEY))
            .and_then(|certificate| certificate.valid_at(Timestamp::now()).map(|()| certificate));
        Ok(read.map(|certificate| Credential::Certificate(Arc::new(certificate))).map_err(|unfit| {
            let place = "spec.credential.clientCertificate.secretRef";
            let message = format!("Secret {namespace}/{name} ({place}) can't be signed in with: {unfit}");
            Problem::wrong("CredentialsValid", Reason::SecretInvalid, message)
        }))
    }
}

/// On a person's machine nobody can tell whether the operator may.
fn only_the_operator() -> Fault {
    Fault::new(
        Kind::Kubernetes,
        "Only the operator itself signs in as its own ServiceAccount (spec.credential.workloadIdentity without serviceAccountRef): to try it here, \
         give its token (--federated-token-file) and the policy's namespace (--federated-token-namespace)",
    )
}

impl From<policy::Cloud> for Cloud {
    fn from(cloud: policy::Cloud) -> Self {
        match cloud {
            policy::Cloud::Global => Self::Global,
            policy::Cloud::Gcc => Self::Gcc,
            policy::Cloud::GccHigh => Self::GccHigh,
            policy::Cloud::Dod => Self::Dod,
            policy::Cloud::China => Self::China,
        }
    }
}
