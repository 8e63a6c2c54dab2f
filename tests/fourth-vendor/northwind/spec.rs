//! What a Connector declares for Northwind.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::vendors::declared::SecretRef;

/// A connector at Northwind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Spec {
    /// The Secret with the API token (key `token`).
    pub secret_ref: SecretRef,
    /// What the connector is called there. Absent: as this object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}
