//! Which tenant is signed in to, and how.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::shared::SecretKeyRef;

/// An Entra tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tenant {
    /// Tenant id (a GUID) or a verified domain. Example: `contoso.com`.
    #[schemars(
        length(min = 1, max = 253),
        regex(
            pattern = r"^([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,})$"
        )
    )]
    pub id: String,
    /// The cloud of Microsoft that the tenant is in. Default: `Global`.
    #[serde(default)]
    pub cloud: Cloud,
}

/// One of Microsoft's clouds.
// Plain comments only: see `Action`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Cloud {
    #[default]
    Global,
    #[serde(rename = "GCC")]
    Gcc,
    #[serde(rename = "GCCHigh")]
    GccHigh,
    #[serde(rename = "DoD")]
    Dod,
    China,
}

/// How the operator signs in: exactly one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Credential {
    /// An app registration with a client secret.
    ClientSecret(ClientSecret),
    /// An app registration with a certificate.
    ClientCertificate(ClientCertificate),
    /// An app registration that trusts a Kubernetes `ServiceAccount` (a federated credential): nothing secret is kept.
    WorkloadIdentity(WorkloadIdentity),
}

impl Credential {
    /// Application (client) id of the operator's own app registration.
    #[must_use]
    pub fn client_id(&self) -> &str {
        match self {
            Self::ClientSecret(it) => &it.client_id,
            Self::ClientCertificate(it) => &it.client_id,
            Self::WorkloadIdentity(it) => &it.client_id,
        }
    }

    /// The Secret that it uses, if it uses one.
    #[must_use]
    pub fn secret(&self) -> Option<&String> {
        match self {
            Self::ClientSecret(it) => Some(&it.secret_ref.name),
            Self::ClientCertificate(it) => Some(&it.secret_ref.name),
            Self::WorkloadIdentity(_) => None,
        }
    }
}

/// An app registration with a client secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClientSecret {
    /// Application (client) id of the operator's own app registration: a GUID.
    /// Example: `c0ffee00-1111-4222-8333-444455556666`.
    #[serde(rename = "clientID")]
    #[schemars(regex(pattern = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"))]
    pub client_id: String,
    /// Where the client secret is.
    pub secret_ref: SecretKeyRef,
}

/// An app registration with a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClientCertificate {
    /// Application (client) id of the operator's own app registration: a GUID.
    /// Example: `c0ffee00-1111-4222-8333-444455556666`.
    #[serde(rename = "clientID")]
    #[schemars(regex(pattern = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"))]
    pub client_id: String,
    /// The certificate and its RSA key: a Secret of type `kubernetes.io/tls`.
    pub secret_ref: TlsSecretRef,
}

/// A Secret of the same namespace with the keys `tls.crt` and `tls.key`. It must carry the label `backstay.dev/use: "true"`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TlsSecretRef {
    /// Name of the Secret. Example: `entra-certificate`.
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"))]
    pub name: String,
}

/// An app registration that trusts a Kubernetes `ServiceAccount`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadIdentity {
    /// Application (client) id of the operator's own app registration: a GUID.
    /// Example: `c0ffee00-1111-4222-8333-444455556666`.
    #[serde(rename = "clientID")]
    #[schemars(regex(pattern = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"))]
    pub client_id: String,
    /// Whom the app trusts. Default: the operator's own `ServiceAccount`, if the installation lets policies of this namespace sign in as
    /// that (`--federated-token-namespace`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account_ref: Option<ServiceAccountRef>,
}

/// A `ServiceAccount` of the same namespace. It must carry the label `backstay.dev/use: "true"`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceAccountRef {
    /// Name of the `ServiceAccount`. Example: `entra-backstay`.
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"))]
    pub name: String,
}
