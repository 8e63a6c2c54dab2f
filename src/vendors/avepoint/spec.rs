//! What a Connector says of AvePoint.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use crate::vendors::declared::{Attested, SecretRef, keyed_list};

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
    /// the one of U.S. agencies. Example: `we`. Known: au, sg, ca, ne, we, fr, de, jp, kr, ch, uk, us, uae, za, qa, gov, aos2, gcp-au,
    /// gcp-jp, gcp-us, gcp-we, gcp-kr, fedramp; another one needs `--allow-host`. Can't change.
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
    pub attestations: Vec<Attested<AttestedHandOff>>,
    /// The scope that tokens are asked for. Default: `dynamics.readwrite.all`; the vendor's pages write it in two ways.
    #[serde(default = "default_scope")]
    #[schemars(length(min = 1, max = 128), default = "default_scope")]
    pub scope: String,
    /// The scope that tokens for the audit are asked for, where the app registration may read it: then an open hand-off shows what people
    /// were seen to do of it. Absent: the audit is not looked into. Example: `audit.read.all`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub audit_scope: Option<String>,
}

/// How an app registration in `AvePoint` Online Services proves that it is itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Credential {
    /// By a client secret: the key `client-secret` of the Secret.
    ClientSecret(Registration),
    /// By a certificate whose public half was uploaded, and its RSA key: a Secret of type `kubernetes.io/tls`.
    ClientCertificate(Registration),
}

/// An app registration, and the Secret with its proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Registration {
    /// Client id of the app registration. Example: `ed0a5cad-0000-4000-8000-00000000a05a`.
    #[serde(rename = "clientID")]
    #[schemars(length(min = 1, max = 128), regex(pattern = r"^[A-Za-z0-9._-]+$"))]
    pub client_id: String,
    /// Where its proof is.
    pub secret_ref: SecretRef,
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

/// The hand-offs that can be attested.
// move-to-app-profile: the organizations no longer use the service account, but the app profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "AvePointAttestedHandOff")]
pub enum AttestedHandOff {
    MoveToAppProfile,
}

impl Credential {
    /// The app registration, whatever its proof.
    #[must_use]
    pub fn registration(&self) -> &Registration {
        let (Self::ClientSecret(it) | Self::ClientCertificate(it)) = self;
        it
    }
}

fn default_scope() -> String {
    "dynamics.readwrite.all".to_owned()
}

/// At least one.
fn organizations_schema(generator: &mut SchemaGenerator) -> Schema {
    let mut list = keyed_list::<Organization>(generator, "name", 100);
    list.insert("minItems".to_owned(), 1.into());
    list
}

fn attestations_schema(generator: &mut SchemaGenerator) -> Schema {
    keyed_list::<Attested<AttestedHandOff>>(generator, "handOff", 1)
}
