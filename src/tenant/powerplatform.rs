//! Which calls are made at the Power Platform's administration (facts/microsoft.md §2).

use std::sync::Arc;

use reqwest::Method;
use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::Tenant;
use super::facts::{Dataverse, Environment};
use super::wire::{Call, Scope, Service};
use crate::fault::{Fault, Kind};

pub(super) const SERVICE: Service<'static> =
    Service { name: "Power Platform", scope: Scope::PowerPlatform, headers: &[] };
const NEEDS: &str = "to be registered as a management application";
/// How the absence of a security group may be written.
const NO_GROUP: &str = "00000000-0000-0000-0000-000000000000";

fn at(tenant: &Tenant, rest: &str) -> Result<Url, Fault> {
    let host = tenant.cloud.power_platform();
    let base = format!("https://{host}/providers/Microsoft.BusinessAppPlatform/scopes/admin/environments");
    Url::parse(&format!("{base}{rest}")).map_err(|_| Fault::new(Kind::BadAnswer, "An environment's id is not one"))
}

#[derive(Deserialize)]
pub(super) struct WireEnvironment {
    name: String,
    properties: WireProperties,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireProperties {
    #[serde(default)]
    display_name: String,
    #[serde(default)]
    environment_sku: String,
    #[serde(default)]
    linked_environment_metadata: Option<WireLinked>,
    #[serde(default)]
    states: WireStates,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireLinked {
    #[serde(default)]
    instance_url: Option<String>,
    #[serde(default)]
    instance_state: Option<String>,
    #[serde(default)]
    security_group_id: Option<String>,
}

#[derive(Default, Deserialize)]
struct WireStates {
    #[serde(default)]
    runtime: Option<WireState>,
}

#[derive(Deserialize)]
struct WireState {
    #[serde(default)]
    id: String,
}

/// All environments of the tenant.
pub async fn environments(tenant: &Tenant) -> Result<Arc<[Environment]>, Fault> {
    let url = at(tenant, "?api-version=2020-10-01")?;
    let all: Vec<WireEnvironment> =
        tenant.read_all(Call::get(&SERVICE, url, "environments", NEEDS)).await.map_err(unregistered)?;
    Ok(all.into_iter().map(environment).collect())
}

/// Every other state than these is one in which Dataverse does not serve everybody; a state that is not given hinders
/// nobody.
pub(super) fn environment(wire: WireEnvironment) -> Environment {
    let WireProperties { display_name, environment_sku, linked_environment_metadata, states } = wire.properties;
    let enabled = states.runtime.is_none_or(|state| state.id == "Enabled");
    let dataverse = linked_environment_metadata.map(|linked| {
        // Without an address it is being made or restored: there, but not to be asked.
        let origin = linked.instance_url.unwrap_or_default().trim_end_matches('/').to_owned();
        let ready = linked.instance_state.is_none_or(|state| state == "Ready") && !origin.is_empty();
        // Nobody's group, and no group, are both written here.
        let security_group =
            linked.security_group_id.filter(|id| !id.is_empty() && *id != NO_GROUP).map(|id| id.to_ascii_lowercase());
        Dataverse { origin, running: ready && enabled, security_group }
    });
    let name = if display_name.is_empty() { wire.name.clone() } else { display_name };
    Environment { id: wire.name, name, sku: environment_sku, dataverse }
}

/// Makes an app a user of the environment. Microsoft gives it System Administrator.
pub async fn add_app_user(tenant: &Tenant, environment: &Environment, client_id: &str) -> Result<(), Fault> {
    let url = at(tenant, &format!("/{}/addAppUser?api-version=2020-10-01", environment.id))?;
    let body = json!({ "servicePrincipalAppId": client_id });
    add(tenant, url, body, "add the app to an environment").await
}

/// Makes a user of the tenant a user of the environment. Its row comes some time later.
pub async fn add_user(tenant: &Tenant, environment: &Environment, user: &str) -> Result<(), Fault> {
    let url = at(tenant, &format!("/{}/addUser?api-version=2023-06-01", environment.id))?;
    add(tenant, url, json!({ "objectId": user }), "add the account to an environment").await
}

async fn add(tenant: &Tenant, url: Url, body: serde_json::Value, what: &'static str) -> Result<(), Fault> {
    tenant.call(Call::write(&SERVICE, Method::POST, url, Some(body), what, NEEDS)).await.map_err(unregistered)?;
    Ok(())
}

/// Here a 403 has one cause: nobody has registered the app (facts/microsoft.md §2.1).
fn unregistered(fault: Fault) -> Fault {
    if fault.kind != Kind::PermissionMissing {
        return fault;
    }
    Fault::new(
        Kind::ManagementAppNotRegistered,
        "The operator's app is not registered as a management application of the Power Platform",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tenant::recorded::{List, recorded};

    #[test]
    fn recorded_environments_become_facts() {
        let Some(list) = recorded::<List<WireEnvironment>>("environments.json") else {
            println!("skipped: no recorded bodies here (set BACKSTAY_CONTRACTS)");
            return;
        };
        let found: Vec<Environment> = list.value.into_iter().map(environment).collect();
        let origin = "https://00000000-0000-0000-0000-000000000001.crm4.dynamics.com".to_owned();
        assert_eq!(found[0].dataverse, Some(Dataverse { origin, running: true, security_group: None }));
        assert_eq!((found[0].sku.as_str(), found[1].sku.as_str()), ("Developer", "Sandbox"));
        assert_eq!(found[1].dataverse, None);
        for (file, has_dataverse) in
            [("environment-1.json", true), ("environment-2.json", false), ("environment-without-dataverse.json", false)]
        {
            let one = environment(recorded(file).unwrap());
            assert_eq!(one.dataverse.is_some_and(|dataverse| dataverse.running), has_dataverse, "{file}");
        }
    }
}
