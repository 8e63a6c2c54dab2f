//! How a policy's `spec.tenant` and `spec.credential` become an app that can sign in.

use kube::ResourceExt;
use secrecy::ExposeSecret;

use super::{Context, Problem};
use crate::api::ServiceAccountPolicy;
use crate::api::policy::{self, Credential};
use crate::fault::Fault;
use crate::tenant::{App, Cloud};

impl Context {
    /// The operator's app, as a policy declares it.
    ///
    /// # Errors
    /// One sentence that names what is not there or not right. The outer error: the API server did not answer.
    pub async fn app(&self, policy: &ServiceAccountPolicy) -> Result<Result<App, Problem>, Fault> {
        let namespace = policy.namespace().unwrap_or_default();
        let Credential::ClientSecret(credential) = &policy.spec.credential;
        let key = credential.secret_ref.key.as_str();
        let read = self.secrets.keys(&namespace, &credential.secret_ref.name, &[key]).await?;
        Ok(read.map(|data| App {
            tenant: policy.spec.tenant.id.clone(),
            cloud: policy.spec.tenant.cloud.into(),
            client_id: credential.client_id.clone(),
            // `keys` has seen to it that the key is there.
            secret: data.get(key).map(|value| value.expose_secret().to_owned()).unwrap_or_default().into(),
        }))
    }
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
