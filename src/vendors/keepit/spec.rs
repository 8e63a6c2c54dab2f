//! What a Connector says of Keepit.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::vendors::declared::SecretRef;

/// A Keepit connector for Power Platform and Dynamics 365.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [
    {
        "rule": "self.region == oldSelf.region",
        "message": "region can't change: every region is an installation of its own; create another Connector"
    },
    {
        "rule": "!has(oldSelf.accountID) || (has(self.accountID) && self.accountID == oldSelf.accountID)",
        "message": "accountID can't change once set; create another Connector"
    }
]))]
pub struct Spec {
    /// Region of the Keepit account, as in the address of its web pages: `https://<region>.keepit.com`. Example: `dk-co`.
    /// Known: au-sy, ca-tr, ch-zh, de-fr, dk-co, uk-ld, us-dc, ws; another one needs `--allow-host`. Can't change.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"))]
    pub region: String,
    /// Id of the Keepit account: the token's own, or one below it (a partner's token); any other is refused. Absent: the one that the
    /// token belongs to, shown in `status.account.id`. Can't change once set. Example: `k7q2mz-p4x9aa-0b3c8d`.
    #[serde(default, rename = "accountID", skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[A-Za-z0-9-]+$"))]
    pub account_id: Option<String>,
    /// The Secret with the API token: keys `username` and `password`.
    pub secret_ref: SecretRef,
    /// What the connector is called at Keepit; unique in the account. Absent: as this object is called.
    /// Example: `Contoso Power Platform`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub name: Option<String>,
    /// How long backups are kept: an ISO 8601 duration of days or more. Absent: as long as the account's, and nothing is compared.
    /// Example: `P1Y`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 3, max = 16), regex(pattern = r"^P([0-9]+Y)?([0-9]+M)?([0-9]+W)?([0-9]+D)?$"))]
    pub retention: Option<String>,
    /// The id of another connector of the account, whose connection to Microsoft this one is created with: the same tenant, and the
    /// same service account. For `allowedActions: [Create]`; without it, a person creates the connector and signs in. Example:
    /// `k7q2mz-p4x9aa-0b3c8d`.
    #[serde(default, rename = "createFrom", skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub create_from: Option<String>,
    /// Whether the connector is stopped. Absent: left as it is. `driftPolicy: Correct` and `Pause` in `allowedActions` make it so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<bool>,
    /// Users of the Keepit account who may look into the connector, by their login; others are left alone. `driftPolicy: Correct` and
    /// `GrantAccess` in `allowedActions` let in who is missing. Example: `jane@contoso.com`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50), inner(length(min = 1, max = 255)), extend("x-kubernetes-list-type" = "set"))]
    pub access: Vec<String>,
    /// Says that older backups may be lost: the id of the connector (`status.connectorID`) whose retention may be shortened.
    /// Example: `k7q2mz-p4x9aa-0b3c8d`.
    #[serde(default, rename = "shortenRetentionOf", skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub shorten_retention_of: Option<String>,
}

impl Spec {
    /// The region's host.
    #[must_use]
    pub fn host(&self) -> String {
        format!("{}.keepit.com", self.region)
    }
}
