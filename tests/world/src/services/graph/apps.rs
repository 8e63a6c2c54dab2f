//! What does Graph tell about the organization and the apps in it? (microsoft.md §1.7)

use serde_json::{Value, json};

use super::fields::{APPLICATION, ORGANIZATION, SERVICE_PRINCIPAL};
use super::query::fits;
use super::{Call, error, missing};
use crate::catalog::GRAPH_APP;
use crate::http::{Answer, Reply};
use crate::ids::guid_of;
use crate::odata::project;
use crate::state::{App, ServicePrincipal, Tenant};

pub fn organization(call: &mut Call<'_>) -> Answer {
    call.options(&["$select"])?;
    let fields = call.select("organization", ORGANIZATION)?;
    let tenant = call.tenant()?;
    let domains: Vec<Value> = tenant.domains.iter().enumerate().map(|(i, name)| json!({ "name": name, "isDefault": i == 0, "isInitial": name.ends_with(".onmicrosoft.com"), "type": "Managed", "capabilities": "Email" })).collect();
    let row = project(
        &json!({ "id": tenant.id, "displayName": tenant.name, "tenantType": "AAD", "verifiedDomains": domains, "assignedPlans": [], "countryLetterCode": null }),
        &fields,
    );
    call.page("organization", &[row])
}

pub fn service_principals(call: &mut Call<'_>) -> Answer {
    call.options(&["$select", "$filter", "$top"])?;
    let fields = call.select("servicePrincipal", SERVICE_PRINCIPAL)?;
    let wanted = call.filter(&["appId"])?;
    let tenant = call.tenant()?;
    let rows: Vec<Value> =
        all(tenant).into_iter().filter(|row| fits(row, &wanted)).map(|row| project(&row, &fields)).collect();
    call.page("servicePrincipals", &rows)
}

/// By the alternate key `appId`; 404 means the app is not in the tenant.
pub fn service_principal(call: &mut Call<'_>, segment: &str) -> Answer {
    let key = key(segment)?;
    one(call, "appId", &key)
}

pub fn service_principal_by_id(call: &mut Call<'_>, id: &str) -> Answer {
    one(call, "id", id)
}

fn one(call: &mut Call<'_>, property: &str, value: &str) -> Answer {
    call.options(&["$select"])?;
    let fields = call.select("servicePrincipal", SERVICE_PRINCIPAL)?;
    let is_it = |row: &Value| row[property].as_str().is_some_and(|own| own.eq_ignore_ascii_case(value));
    let found = all(call.tenant()?).into_iter().find(is_it);
    found.map(|row| Reply::json(200, &project(&row, &fields))).ok_or_else(|| missing(value))
}

pub fn application(call: &mut Call<'_>, segment: &str) -> Answer {
    call.options(&["$select"])?;
    let fields = call.select("application", APPLICATION)?;
    let key = key(segment)?;
    let app = call.tenant()?.app(&key).ok_or_else(|| missing(&key))?;
    Ok(Reply::json(200, &project(&application_body(app), &fields)))
}

/// Granted application permissions of a service principal: rows that point at roles of Graph's own service principal.
pub fn granted(call: &mut Call<'_>, id: &str) -> Answer {
    call.options(&["$select", "$top"])?;
    let tenant = call.tenant()?;
    let own = tenant.apps.iter().find(|app| app.service_principal_id.eq_ignore_ascii_case(id));
    let Some(app) = own else {
        // Application permissions of other apps are not modelled: they have none.
        tenant.service_principals().into_iter().find(|it| it.id.eq_ignore_ascii_case(id)).ok_or_else(|| missing(id))?;
        return call.page(&format!("servicePrincipals('{id}')/appRoleAssignments"), &[]);
    };
    let rows: Vec<Value> = app
        .graph_permissions
        .iter()
        .map(|permission| {
            json!({
                "id": guid_of(&[&app.service_principal_id, permission]),
                "appRoleId": app_role(permission),
                "principalId": app.service_principal_id,
                "principalDisplayName": app.name,
                "principalType": "ServicePrincipal",
                "resourceDisplayName": "Microsoft Graph",
                "resourceId": guid_of(&[&tenant.id, "service principal", GRAPH_APP]),
                "createdDateTime": null,
                "deletedDateTime": null,
            })
        })
        .collect();
    call.page(&format!("servicePrincipals('{id}')/appRoleAssignments"), &rows)
}

fn all(tenant: &Tenant) -> Vec<Value> {
    let roles: Vec<Value> = APP_ROLES.iter().map(|(value, id)| json!({ "id": id, "value": value, "isEnabled": true, "allowedMemberTypes": ["Application"], "displayName": value })).collect();
    let row = |it: ServicePrincipal| {
        let api = crate::catalog::resource(&it.app_id);
        let scopes: Vec<Value> = api
            .map(|api| api.scopes)
            .unwrap_or_default()
            .iter()
            .map(|(value, id)| json!({ "id": id, "value": value, "isEnabled": true, "type": "User" }))
            .collect();
        json!({
            "id": it.id,
            "appId": it.app_id,
            "displayName": it.name,
            "appDisplayName": it.name,
            "accountEnabled": it.enabled,
            "appRoleAssignmentRequired": it.assignment_required,
            "appOwnerOrganizationId": it.owner,
            "servicePrincipalType": "Application",
            "appRoles": if it.app_id == GRAPH_APP { json!(roles) } else { json!([]) },
            "oauth2PermissionScopes": scopes,
        })
    };
    tenant.service_principals().into_iter().map(row).collect()
}

fn application_body(app: &App) -> Value {
    let end = |time: Option<jiff::Timestamp>| time.map(|it| it.to_string());
    let secrets: Vec<Value> = app.secrets.iter().enumerate().map(|(i, it)| json!({ "keyId": guid_of(&[&app.client_id, "secret", &i.to_string()]), "displayName": null, "hint": it.value.hint(), "secretText": null, "endDateTime": end(it.expires) })).collect();
    let keys: Vec<Value> = app.certificates.iter().enumerate().map(|(i, it)| json!({ "keyId": guid_of(&[&app.client_id, "certificate", &i.to_string()]), "type": "AsymmetricX509Cert", "usage": "Verify", "key": null, "endDateTime": end(it.expires) })).collect();
    json!({ "id": app.object_id, "appId": app.client_id, "displayName": app.name, "signInAudience": "AzureADMyOrg", "passwordCredentials": secrets, "keyCredentials": keys })
}

fn key(segment: &str) -> Result<String, Reply> {
    segment
        .split_once("(appid='")
        .and_then(|(_, rest)| rest.strip_suffix("')"))
        .map(str::to_owned)
        .ok_or_else(|| error(400, "BadRequest", "The key value is not valid."))
}

/// Ids of application permissions (microsoft.md §1.9).
const APP_ROLES: &[(&str, &str)] = &[
    ("RoleManagement.Read.Directory", "483bed4a-2ad3-4361-a73b-c83ccdbdc53c"),
    ("RoleManagement.ReadWrite.Directory", "9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8"),
    ("User.Read.All", "df021288-bdef-4463-88db-98f22de89214"),
    ("Organization.Read.All", "498476ce-e0fe-48b0-b801-37ba7e2685c6"),
    ("LicenseAssignment.ReadWrite.All", "5facf0c1-8979-4e95-abcf-ff3d079771c0"),
    ("GroupMember.Read.All", "98830695-27a2-44f7-8c18-0c3ebc9698f6"),
    ("Application.Read.All", "9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30"),
    ("Directory.Read.All", "7ab1d382-f21e-4acd-a863-ba3e13f7da61"),
    ("Policy.Read.All", "246dd0d5-5bd0-4def-940b-0421030a5b68"),
    ("AuditLog.Read.All", "b0afded3-3588-46d8-8b3d-9842eff778da"),
];

/// The id, made up where the facts don't know it.
fn app_role(permission: &str) -> String {
    APP_ROLES
        .iter()
        .find(|(value, _)| *value == permission)
        .map_or_else(|| guid_of(&["app role", permission]), |(_, id)| (*id).to_owned())
}
