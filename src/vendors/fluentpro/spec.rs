//! What a Connector says of FluentPro Backup.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use crate::vendors::declared::{Attested, keyed_list};

/// A Dataverse connection in `FluentPro` Backup. No program can look into it: what a person did there is attested here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Spec {
    /// What the environment is called in `FluentPro` Backup. Absent: as this object is called. Example: `Contoso Sales`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub name: Option<String>,
    /// What people say to have done, as the hand-offs ask for it: one entry for each hand-off, the newest counts. It goes on
    /// to count for `attestationDays`, or until what it rests on is seen to have changed: password, roles, consent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "attestations_schema")]
    pub attestations: Vec<Attested<AttestedHandOff>>,
    /// How many days an attestation counts. Default: 90; 1 to 366.
    #[serde(default = "default_days")]
    // As i32: the API server knows no format of unsigned numbers.
    #[schemars(with = "i32", range(min = 1, max = 366), default = "default_days")]
    pub attestation_days: u16,
}

/// The hand-offs that can be attested.
// add-environment: the environment was added, with the service account. reconnect: the account was signed in again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AttestedHandOff {
    AddEnvironment,
    Reconnect,
}

fn default_days() -> u16 {
    90
}

fn attestations_schema(generator: &mut SchemaGenerator) -> Schema {
    keyed_list::<Attested<AttestedHandOff>>(generator, "handOff", 2)
}
