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

const SERVICE: Service<'static> = Service { name: "Power Platform", scope: Scope::PowerPlatform, headers: &[] };
const NEEDS: &str = "to be registered as a management application";

fn at(tenant: &Tenant, rest: &str) -> Result<Url, Fault> {
    let host = tenant.cloud.power_platform();
    let base = format!("https://{host}/providers/Microsoft.BusinessAppPlatform/scopes/admin/environments");
    Url::parse(&format!("{base}{rest}")).map_err(|_| Fault::new(Kind::BadAnswer, "An environment's id is not one"))
}

#[derive(Deserialize)]
struct WireEnvironment {
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
fn environment(wire: WireEnvironment) -> Environment {
    let WireProperties { display_name, environment_sku, linked_environment_metadata, states } = wire.properties;
    let enabled = states.runtime.is_none_or(|state| state.id == "Enabled");
    let dataverse = linked_environment_metadata.map(|linked| {
        // Without an address it is being made or restored: there, but not to be asked.
        let origin = linked.instance_url.unwrap_or_default().trim_end_matches('/').to_owned();
        let ready = linked.instance_state.is_none_or(|state| state == "Ready") && !origin.is_empty();
        Dataverse { origin, running: ready && enabled }
    });
    let name = if display_name.is_empty() { wire.name.clone() } else { display_name };
    Environment { id: wire.name, name, sku: environment_sku, dataverse }
}

/// Makes the operator's own app a user of the environment.
pub async fn add_app_user(tenant: &Tenant, environment: &Environment) -> Result<(), Fault> {
    let url = at(tenant, &format!("/{}/addAppUser?api-version=2020-10-01", environment.id))?;
    let body = json!({ "servicePrincipalAppId": tenant.client_id });
    tenant
        .call(Call::write(&SERVICE, Method::POST, url, Some(body), "add the app to an environment", NEEDS))
        .await
        .map_err(unregistered)?;
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
