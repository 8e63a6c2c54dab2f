//! Which calls tell whether a second factor is asked for (facts/microsoft.md §1.8).

use std::sync::Arc;

use serde::Deserialize;
use url::Url;

use super::Tenant;
use super::calls::POLICIES;
use super::facts::{FactorPolicy, People};
use super::graph::{SERVICE, at, lower};
use super::wire::Call;
use crate::fault::{Fault, Kind};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireRequirements {
    per_user_mfa_state: String,
}

/// Whether the switch on the user itself is on. The call is in the beta version only.
pub async fn per_user(tenant: &Tenant, user: &str) -> Result<bool, Fault> {
    let mut url = Url::parse(&format!("https://{}/beta", tenant.cloud.graph()))
        .map_err(|_| Fault::new(Kind::Bug, "A Graph address can't be made"))?;
    url.path_segments_mut().map_err(|()| Fault::new(Kind::Bug, "A Graph address can't be made"))?.extend([
        "users",
        user,
        "authentication",
        "requirements",
    ]);
    let found: WireRequirements =
        tenant.read(Call::get(&SERVICE, url, "per-user MFA of the account", POLICIES)).await?;
    Ok(found.per_user_mfa_state != "disabled")
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireDefaults {
    is_enabled: bool,
}

/// Whether security defaults are on.
pub async fn security_defaults(tenant: &Tenant) -> Result<bool, Fault> {
    let url = at(tenant, &["policies", "identitySecurityDefaultsEnforcementPolicy"], &[])?;
    let found: WireDefaults = tenant.read(Call::get(&SERVICE, url, "security defaults", POLICIES)).await?;
    Ok(found.is_enabled)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WirePolicy {
    #[serde(default)]
    display_name: String,
    state: String,
    #[serde(default)]
    conditions: WireConditions,
    #[serde(default)]
    grant_controls: Option<WireControls>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireConditions {
    #[serde(default)]
    users: Option<WireUsers>,
    #[serde(default)]
    applications: Option<WireApplications>,
    #[serde(default)]
    locations: Option<serde_json::Value>,
    #[serde(default)]
    platforms: Option<serde_json::Value>,
    #[serde(default)]
    devices: Option<serde_json::Value>,
    #[serde(default)]
    client_app_types: Vec<String>,
    #[serde(default)]
    sign_in_risk_levels: Vec<String>,
    #[serde(default)]
    user_risk_levels: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireUsers {
    #[serde(default)]
    include_users: Vec<String>,
    #[serde(default)]
    exclude_users: Vec<String>,
    #[serde(default)]
    include_groups: Vec<String>,
    #[serde(default)]
    exclude_groups: Vec<String>,
    #[serde(default)]
    include_roles: Vec<String>,
    #[serde(default)]
    exclude_roles: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireApplications {
    #[serde(default)]
    include_applications: Vec<String>,
    #[serde(default)]
    exclude_applications: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireControls {
    #[serde(default)]
    built_in_controls: Vec<String>,
    #[serde(default)]
    custom_authentication_factors: Vec<String>,
    #[serde(default)]
    authentication_strength: Option<serde_json::Value>,
}

/// What a backup signs in to: Microsoft Graph and Dataverse (facts/microsoft.md §1.7).
const BACKUP: [&str; 2] = ["00000003-0000-0000-c000-000000000000", "00000007-0000-0000-c000-000000000000"];

/// Conditional access policies that are on and ask for a second factor. One that only reports asks nobody.
pub async fn policies(tenant: &Tenant) -> Result<Arc<[FactorPolicy]>, Fault> {
    let url = at(tenant, &["identity", "conditionalAccess", "policies"], &[])?;
    let all: Vec<WirePolicy> =
        tenant.read_all(Call::get(&SERVICE, url, "Conditional Access policies", POLICIES)).await?;
    Ok(all.into_iter().filter(asks).map(policy).collect())
}

fn asks(policy: &WirePolicy) -> bool {
    let controls = policy.grant_controls.as_ref();
    policy.state == "enabled"
        && controls.is_some_and(|it| {
            it.built_in_controls.iter().any(|control| control == "mfa")
                || it.authentication_strength.is_some()
                || !it.custom_authentication_factors.is_empty()
        })
}

fn policy(wire: WirePolicy) -> FactorPolicy {
    let WireConditions {
        users,
        applications,
        locations,
        platforms,
        devices,
        client_app_types,
        sign_in_risk_levels,
        user_risk_levels,
    } = wire.conditions;
    let (users, applications) = (users.unwrap_or_default(), applications.unwrap_or_default());
    let backup = |ids: &[String]| ids.iter().any(|id| BACKUP.contains(&id.to_ascii_lowercase().as_str()));
    let whole = |ids: &[String]| ids.iter().any(|id| matches!(id.as_str(), "All" | "Office365"));
    let excluded =
        BACKUP.iter().all(|id| applications.exclude_applications.iter().any(|it| it.eq_ignore_ascii_case(id)));
    FactorPolicy {
        name: wire.display_name,
        includes: people(&users.include_users, &users.include_groups, &users.include_roles),
        excludes: people(&users.exclude_users, &users.exclude_groups, &users.exclude_roles),
        concerns_backup: !excluded
            && (whole(&applications.include_applications) || backup(&applications.include_applications)),
        conditional: narrows(locations.as_ref(), "includeLocations", "excludeLocations")
            || narrows(platforms.as_ref(), "includePlatforms", "excludePlatforms")
            || devices.is_some_and(|it| !it.is_null())
            || narrows_apps(&client_app_types)
            || !sign_in_risk_levels.is_empty()
            || !user_risk_levels.is_empty(),
    }
}

/// Whether a condition leaves anything out: "all" without exceptions is none.
fn narrows(condition: Option<&serde_json::Value>, include: &str, exclude: &str) -> bool {
    let Some(condition) = condition.filter(|it| !it.is_null()) else { return false };
    let list = |name: &str| condition[name].as_array().cloned().unwrap_or_default();
    let all = list(include).iter().any(|it| it.as_str().is_some_and(|it| it.eq_ignore_ascii_case("all")));
    !all || !list(exclude).is_empty()
}

/// Backups sign in by modern clients: a condition that names both kinds of them leaves none of them out.
fn narrows_apps(types: &[String]) -> bool {
    let has = |name: &str| types.iter().any(|it| it == name);
    !(types.is_empty() || has("all") || (has("browser") && has("mobileAppsAndDesktopClients")))
}

fn people(users: &[String], groups: &[String], roles: &[String]) -> People {
    let each = |ids: &[String]| ids.iter().map(|id| lower(id)).collect();
    People { all: users.iter().any(|id| id == "All"), users: each(users), groups: each(groups), roles: each(roles) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conditional(conditions: &serde_json::Value) -> bool {
        let wire = serde_json::json!({ "state": "enabled", "conditions": conditions });
        policy(serde_json::from_value(wire).unwrap()).conditional
    }

    #[test]
    fn a_condition_that_leaves_nothing_out_is_none() {
        use serde_json::json;
        for whole in [
            json!({}),
            json!({ "locations": { "includeLocations": ["All"], "excludeLocations": [] } }),
            json!({ "platforms": { "includePlatforms": ["all"] } }),
            json!({ "clientAppTypes": ["browser", "mobileAppsAndDesktopClients"] }),
        ] {
            assert!(!conditional(&whole), "{whole}");
        }
        for part in [
            json!({ "locations": { "includeLocations": ["All"], "excludeLocations": ["AllTrusted"] } }),
            json!({ "platforms": { "includePlatforms": ["windows"] } }),
            json!({ "clientAppTypes": ["browser"] }),
            json!({ "signInRiskLevels": ["high"] }),
        ] {
            assert!(conditional(&part), "{part}");
        }
    }
}
