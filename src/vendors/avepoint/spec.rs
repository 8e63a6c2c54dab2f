//! What a Connector says of AvePoint.

use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// Organizations in `AvePoint` Cloud Backup for Dynamics 365. Its interface shows the jobs of the backups and nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [
    {
        "rule": "self.dataCenter == oldSelf.dataCenter",
        "message": "dataCenter can't change: a tenant of AvePoint Online Services stays where it is; create another Connector"
    }
]))]
pub struct Spec {
    /// Where the tenant of `AvePoint` Online Services is, as in the addresses of its interface: `graph-<here>.…`; `fedramp` for
    /// the one of U.S. agencies. Example: `we`. Can't change.
    #[schemars(length(min = 1, max = 16), regex(pattern = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"))]
    pub data_center: String,
    /// How the operator signs in: exactly one key.
    pub credential: Credential,
    /// The organizations (environments) that are to be backed up, each as it is called in the jobs: 1 to 100.
    #[schemars(schema_with = "organizations_schema")]
    pub organizations: Vec<Organization>,
    /// What people say to have done where no program can see it: one entry for each hand-off.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "attestations_schema")]
    pub attestations: Vec<Attestation>,
    /// The scope that tokens are asked for. Default: `dynamics.readwrite.all`; the vendor's pages write it in two ways.
    #[serde(default = "default_scope")]
    #[schemars(length(min = 1, max = 128), default = "default_scope")]
    pub scope: String,
}

/// An app registration in `AvePoint` Online Services, and its proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Credential {
    /// By a client secret.
    ClientSecret(ClientSecret),
    /// By a certificate whose public half was uploaded.
    ClientCertificate(ClientCertificate),
}

/// An app registration with a client secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClientSecret {
    /// Client id of the app registration.
    #[serde(rename = "clientID")]
    #[schemars(length(min = 1, max = 128), regex(pattern = r"^[A-Za-z0-9._-]+$"))]
    pub client_id: String,
    /// The Secret with the key `client-secret`.
    pub secret_ref: SecretRef,
}

/// An app registration with a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClientCertificate {
    /// Client id of the app registration.
    #[serde(rename = "clientID")]
    #[schemars(length(min = 1, max = 128), regex(pattern = r"^[A-Za-z0-9._-]+$"))]
    pub client_id: String,
    /// The certificate and its RSA key: a Secret of type `kubernetes.io/tls`.
    pub secret_ref: SecretRef,
}

/// A Secret of the same namespace. It must carry the label `backstay.dev/use: "true"`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "AvePointSecretRef")]
pub struct SecretRef {
    /// Name of the Secret. Example: `avepoint-api`.
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"))]
    pub name: String,
}

/// An organization that is to be backed up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Organization {
    /// Its name in the jobs. Example: `Contoso Sales`.
    #[schemars(length(min = 1, max = 255))]
    pub name: String,
    /// Its id in the jobs, once known (`status.organizations`): then it may be called otherwise there. Example:
    /// `8a1f5c7e-2b3d-4e5f-9a6b-7c8d9e0f1a2b`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub id: Option<String>,
}

/// What a person says to have done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "AvePointAttestation")]
pub struct Attestation {
    /// Which hand-off was done: its name in `status.handOffs`.
    pub hand_off: AttestedHandOff,
    /// When it was done. Example: `2026-11-20T09:30:00Z`.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub time: Timestamp,
    /// Who says so. Example: `jane@contoso.com`.
    #[schemars(length(min = 1, max = 253))]
    pub by: String,
}

/// The hand-offs that can be attested.
// move-to-app-profile: the organizations no longer use the service account, but the app profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "AvePointAttestedHandOff")]
pub enum AttestedHandOff {
    MoveToAppProfile,
}

impl Credential {
    /// Client id of the app registration.
    #[must_use]
    pub fn client_id(&self) -> &str {
        match self {
            Self::ClientSecret(it) => &it.client_id,
            Self::ClientCertificate(it) => &it.client_id,
        }
    }
}

fn default_scope() -> String {
    "dynamics.readwrite.all".to_owned()
}

fn organizations_schema(generator: &mut SchemaGenerator) -> Schema {
    keyed(&generator.subschema_for::<Organization>(), "name", 1, 100)
}

fn attestations_schema(generator: &mut SchemaGenerator) -> Schema {
    keyed(&generator.subschema_for::<Attestation>(), "handOff", 0, 1)
}

/// A list that people can patch one entry of.
fn keyed(items: &Schema, by: &str, least: u32, most: u32) -> Schema {
    json_schema!({
        "type": "array",
        "items": items,
        "minItems": least,
        "maxItems": most,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": [by],
    })
}
