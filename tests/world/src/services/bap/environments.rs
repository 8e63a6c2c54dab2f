//! How does Power Platform administration describe an environment? (microsoft.md §2.2)

use serde_json::{Value, json};

use super::no_environment;
use crate::http::{Answer, Reply, Request, encoded};
use crate::state::{Environment, Issued, Runtime, State, Tenant, api_host};

pub fn list(state: &State, request: &Request, token: &Issued) -> Answer {
    let tenant = state.tenant(&token.tenant).ok_or_else(|| no_environment(""))?;
    let rows: Vec<Value> = tenant.environments.iter().map(|it| body(tenant, it)).collect();
    let Some(size) = state.switches.bap_page_size else {
        return Ok(Reply::json(200, &json!({ "value": rows })));
    };
    let start: usize = request.query("$skiptoken").and_then(|text| text.parse().ok()).unwrap_or(0);
    let page: Vec<&Value> = rows.iter().skip(start).take(size.max(1)).collect();
    let mut body = json!({ "value": page });
    let end = start + page.len();
    if end < rows.len() {
        // Paging by a next link is [M] in microsoft.md §2.2; the name is ARM's.
        let version = encoded(request.query("api-version").unwrap_or_default());
        body["nextLink"] =
            format!("https://{}{}?api-version={version}&$skiptoken={end}", request.host, request.path).into();
    }
    Ok(Reply::json(200, &body))
}

/// The shape of contracts/powerplatform/environment*.json; `linkedEnvironmentMetadata` is null without Dataverse.
pub fn body(tenant: &Tenant, it: &Environment) -> Value {
    let id = format!("/providers/Microsoft.BusinessAppPlatform/scopes/admin/environments/{}", it.id);
    let linked = it.host.as_ref().map(|host| {
        let name = host.split('.').next().unwrap_or_default();
        let mut linked = json!({
            "resourceId": it.organization_id,
            "friendlyName": it.name,
            "uniqueName": name,
            "domainName": name,
            "version": "9.2.23092.00206",
            "instanceUrl": format!("https://{host}/"),
            "instanceApiUrl": format!("https://{}", api_host(host)),
            "baseLanguage": 1033,
            "instanceState": "Ready",
            "createdTime": "2026-01-05T08:00:00Z",
            "backgroundOperationsState": "Enabled",
            "scaleGroup": "EURCRMLIVESG705",
            "platformSku": "Standard",
            "schemaType": "Standard",
        });
        if let Some(group) = &it.security_group {
            // Not in the recorded bodies; named in microsoft.md §2.2 [D, C].
            linked["securityGroupId"] = group.clone().into();
        }
        linked
    });
    let creator = match it.creator.as_deref().and_then(|id| tenant.user(id)) {
        Some(user) => {
            json!({ "id": user.id, "displayName": user.display_name, "email": user.principal_name, "type": "User", "tenantId": tenant.id, "userPrincipalName": user.principal_name })
        }
        None => json!({ "id": "SYSTEM", "displayName": "SYSTEM", "type": "NotSpecified" }),
    };
    json!({
        "id": id,
        "type": "Microsoft.BusinessAppPlatform/scopes/environments",
        "location": it.location,
        "name": it.id,
        "properties": {
            "tenantId": tenant.id,
            "azureRegion": "westeurope",
            "displayName": it.name,
            "createdTime": "2026-01-05T08:00:00.0000000Z",
            "createdBy": creator,
            "lastModifiedTime": "2026-01-05T08:00:00.0000000Z",
            "provisioningState": "Succeeded",
            "creationType": if it.sku == "Default" { "DefaultTenant" } else { "User" },
            "environmentSku": it.sku,
            "isDefault": it.sku == "Default",
            "clientUris": {
                "admin": format!("https://admin.powerplatform.microsoft.com/environments/environment/{}/hub", it.id),
                "maker": format!("https://make.powerapps.com/environments/{}/home", it.id),
            },
            "runtimeEndpoints": { "microsoft.BusinessAppPlatform": "https://europe.api.bap.microsoft.com", "microsoft.PowerApps": "https://europe.api.powerapps.com" },
            "databaseType": if it.host.is_some() { "CommonDataService" } else { "None" },
            "linkedEnvironmentMetadata": linked,
            "trialScenarioType": "None",
            "retentionPeriod": "P7D",
            "states": {
                "management": { "id": "Ready" },
                "runtime": { "runtimeReasonCode": "NotSpecified", "requestedBy": { "displayName": "SYSTEM", "type": "NotSpecified" }, "id": runtime(it.runtime) },
            },
            "updateCadence": { "id": "Moderate" },
            "protectionStatus": { "keyManagedBy": "Microsoft" },
            "cluster": { "category": "Prod", "number": "107", "uriSuffix": "eu-il107.gateway.prod.island", "geoShortName": "EU", "environment": "Prod" },
            "connectedGroups": [],
            "governanceConfiguration": { "protectionLevel": "Basic" },
        },
    })
}

fn runtime(runtime: Runtime) -> &'static str {
    match runtime {
        Runtime::Enabled => "Enabled",
        Runtime::AdminMode => "AdminMode",
        Runtime::Disabled => "Disabled",
    }
}
