//! How an account gets for a short time what only a new sign-in at a vendor needs, and what is said about it.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::core::Duration;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use super::shared::{duration_schema, span};

/// How the account gets the roles that only a new sign-in at the vendor needs, and for how long.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Elevation {
    /// Who gives the role. `Manual` (default): a person. `PrivilegedIdentityManagement`: the operator, by an assignment that ends by itself;
    /// it needs the action `Elevation`, and Microsoft Entra ID P2 in the tenant. `RoleAssignment`: the operator, by an assignment that it
    /// takes back; it needs the action `UntimedElevation`. Where the operator can't or may not, a person is asked.
    #[serde(default)]
    #[schemars(default)]
    pub method: ElevationMethod,
    /// How long the role is held at most, from the time that somebody begins. Default: `2h`; `15m` to `12h`.
    #[serde(default = "default_window")]
    #[schemars(schema_with = "window_schema", default = "default_window_text")]
    pub window: Duration,
    /// How many windows may be opened within 30 days. Default: 4; 1 to 30.
    #[serde(default = "default_max_windows", rename = "maxWindowsPer30Days")]
    // As i32: the API server knows no format of unsigned numbers.
    #[schemars(with = "i32", range(min = 1, max = 30), default = "default_max_windows")]
    pub max_windows_per_30_days: u16,
    /// The hours in which a window may be opened. Absent: at any time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<ElevationHours>,
}

impl Default for Elevation {
    fn default() -> Self {
        Self {
            method: ElevationMethod::default(),
            window: default_window(),
            max_windows_per_30_days: default_max_windows(),
            hours: None,
        }
    }
}

impl Elevation {
    /// How long a window lasts at most.
    #[must_use]
    pub fn length(&self) -> std::time::Duration {
        span(&self.window)
    }
}

/// Who gives the role.
// Plain comments only: see `Action`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ElevationMethod {
    #[default]
    Manual,
    RoleAssignment,
    PrivilegedIdentityManagement,
}

/// The hours in which a window may be opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ElevationHours {
    /// The time zone, by its IANA name. Example: `Europe/Copenhagen`.
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[A-Za-z0-9_+/-]+$"))]
    pub time_zone: String,
    /// From when on. Example: `08:00`.
    #[schemars(regex(pattern = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"))]
    pub from: String,
    /// Until when; before `from`: over midnight. Example: `17:00`.
    #[schemars(regex(pattern = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"))]
    pub until: String,
    /// On which days, by the day on which the hours begin: `Monday`, `Tuesday`, `Wednesday`, `Thursday`, `Friday`, `Saturday`, `Sunday`.
    /// Absent or empty: on all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 7))]
    pub days: Vec<Day>,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs)] // the words are what they say
pub enum Day {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

/// The window of a reauthentication.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ElevationStatus {
    /// How far it is.
    pub state: ElevationState,
    /// The role that is held for the time of the window. Example: `Global Administrator`.
    pub role: String,
    /// Who gives it: `Manual` also where the operator was to, and could not.
    pub method: ElevationMethod,
    /// When somebody began.
    pub start_time: Time,
    /// When it ends at the latest.
    pub expiration_time: Time,
    /// When it was cleared: what was given is gone, and that was read back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_time: Option<Time>,
    /// The Connectors that somebody signs in for, of this namespace.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub connectors: Vec<String>,
    /// Why it is not as it should be, in one sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// How far a window is.
// Opening: the role is being given. Open: it is held. Closing: it is being taken back. Overdue: it is held longer than it may be.
// Closed: it is over, and what was given is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum ElevationState {
    Opening,
    Open,
    Closing,
    Overdue,
    Closed,
}

fn default_window() -> Duration {
    std::time::Duration::from_hours(2).into()
}
fn default_window_text() -> &'static str {
    "2h"
}
fn default_max_windows() -> u16 {
    4
}
/// A time span in Go's form, from a quarter of an hour to half a day.
fn window_schema(_: &mut SchemaGenerator) -> Schema {
    duration_schema("15m", "12h")
}
