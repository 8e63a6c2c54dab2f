//! What asks people of a tenant for a second factor? (microsoft.md §1.8)

use serde::{Deserialize, Serialize};

/// `perUserMfaState`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PerUserMfa {
    #[default]
    Disabled,
    Enabled,
    Enforced,
}

/// A Conditional Access policy. Users, groups and roles by name or id; ids after loading. `All` and Graph's other words stay.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessPolicy {
    #[serde(default)]
    pub id: String,
    pub name: String,
    #[serde(default)]
    pub state: PolicyState,
    #[serde(default)]
    pub include_users: Vec<String>,
    #[serde(default)]
    pub exclude_users: Vec<String>,
    #[serde(default)]
    pub include_groups: Vec<String>,
    #[serde(default)]
    pub exclude_groups: Vec<String>,
    #[serde(default)]
    pub include_roles: Vec<String>,
    #[serde(default)]
    pub exclude_roles: Vec<String>,
    /// App ids or names, or `All`.
    #[serde(default)]
    pub include_applications: Vec<String>,
    #[serde(default)]
    pub exclude_applications: Vec<String>,
    /// `builtInControls`: mfa, block, `compliantDevice`, …
    #[serde(default)]
    pub controls: Vec<String>,
    /// Display name of an authentication strength.
    #[serde(default)]
    pub strength: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PolicyState {
    #[default]
    Enabled,
    Disabled,
    EnabledForReportingButNotEnforced,
}
