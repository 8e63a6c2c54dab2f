//! Who is a person in a tenant, and which licences were they given? (microsoft.md §1.5, §1.8)

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::directory::enabled;
use super::{Lag, PerUserMfa, always};

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(clippy::struct_field_names, reason = "userType is what Graph calls it")]
pub struct User {
    /// Object id; made from the name if left out.
    #[serde(default)]
    pub id: String,
    pub principal_name: String,
    #[serde(default)]
    pub display_name: String,
    #[serde(default = "always")]
    pub enabled: bool,
    #[serde(default = "member")]
    pub user_type: String,
    #[serde(default)]
    pub usage_location: Option<String>,
    #[serde(default)]
    pub on_premises_synced: bool,
    #[serde(default)]
    pub licenses: Vec<License>,
    /// Plans that come from no licence of `licenses` (leftovers, grace).
    #[serde(default)]
    pub extra_plans: Vec<ExtraPlan>,
    #[serde(default)]
    pub last_password_change: Option<Timestamp>,
    #[serde(default)]
    pub password_policies: Option<String>,
    #[serde(default)]
    pub sign_ins: SignIns,
    #[serde(default)]
    pub mfa: PerUserMfa,
    /// `methodsRegistered`: `microsoftAuthenticatorPush`, `mobilePhone`, …
    #[serde(default)]
    pub mfa_methods: Vec<String>,
    /// addUser attempts until Power Platform knows of the licence (`lag.license_attempts`).
    #[serde(skip)]
    pub license_syncs: u32,
    /// Reads of their rows until `islicensed` shows the licence (`lag.license_reads`).
    #[serde(skip)]
    pub license_reads: u32,
    /// Reads until Graph finds a user who was just made (`lag.fresh_principal_reads`).
    #[serde(skip)]
    pub lag: Lag,
}

/// When somebody last signed in (`signInActivity`, microsoft.md §1.8): attempts count in all but `successful`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SignIns {
    pub interactive: Option<Timestamp>,
    pub non_interactive: Option<Timestamp>,
    pub successful: Option<Timestamp>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct License {
    /// SKU by id or part number; the id after loading.
    pub sku: String,
    #[serde(default)]
    pub disabled_plans: Vec<String>,
    /// The group that assigned it, by name or id; the id after loading. `None` means directly.
    #[serde(default)]
    pub by_group: Option<String>,
    #[serde(default)]
    pub state: LicenseState,
    /// `error` there: `CountViolation`, `DependencyViolation`, … [M].
    #[serde(default)]
    pub error: Option<String>,
    /// `capabilityStatus` of its plans: Enabled, Warning, Suspended, `LockedOut`, Deleted (microsoft.md §1.5).
    #[serde(default = "enabled")]
    pub status: String,
}

/// `state` in licenseAssignmentStates (microsoft.md §1.5; the values are [M]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum LicenseState {
    #[default]
    Active,
    /// In use, though something about it is wrong.
    ActiveWithError,
    Disabled,
    /// The assignment failed: the user does not have the licence.
    Error,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExtraPlan {
    pub id: String,
    #[serde(default)]
    pub service: String,
    #[serde(default = "enabled")]
    pub status: String,
}

fn member() -> String {
    "Member".into()
}
