//! What the specs of several vendors are made of: references to Secrets, people's attestations, lists that people can patch.

use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A Secret of the same namespace. It must carry the label `backstay.dev/use: "true"`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretRef {
    /// Name of the Secret. Example: `keepit-api`.
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"))]
    pub name: String,
}

/// What a person says to have done.
// `H`: the hand-offs that can be attested. A plain comment: it would stand in the CRD.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Attested<H> {
    /// Which hand-off was done: its name in `status.handOffs`.
    pub hand_off: H,
    /// When it was done. Example: `2026-11-20T09:30:00Z`.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub time: Timestamp,
    /// Who says so. Example: `jane@contoso.com`.
    #[schemars(length(min = 1, max = 253))]
    pub by: String,
}

/// A list of so many items at most that people can patch one entry of.
pub fn keyed_list<T: JsonSchema>(generator: &mut SchemaGenerator, key: &str, most: u32) -> Schema {
    json_schema!({
        "type": "array",
        "items": generator.subschema_for::<T>(),
        "maxItems": most,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": [key],
    })
}
