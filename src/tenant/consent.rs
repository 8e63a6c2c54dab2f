//! Which calls tell what an app was consented to (facts/microsoft.md §1.7).

use serde::Deserialize;

use super::Tenant;
use super::calls::{APPS, GRANTS};
use super::facts::{Application, Consented, Resource};
use super::graph::{SERVICE, at, lower};
use super::wire::Call;
use crate::fault::Fault;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireApp {
    id: String,
    #[serde(default)]
    display_name: Option<String>,
    #[serde(default)]
    account_enabled: Option<bool>,
    #[serde(default)]
    app_role_assignment_required: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireGrant {
    consent_type: String,
    #[serde(default)]
    principal_id: Option<String>,
    resource_id: String,
    #[serde(default)]
    scope: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireAssigned {
    resource_id: String,
}

/// The app as the tenant has it, and what was consented to for everybody and for this user; `None`: it is not in the tenant.
pub async fn application(tenant: &Tenant, client_id: &str, user: Option<&str>) -> Result<Option<Application>, Fault> {
    let Some(app) = found(tenant, client_id).await? else { return Ok(None) };
    let filter = format!("clientId eq '{}'", app.id);
    let url = at(tenant, &["oauth2PermissionGrants"], &[("$filter", filter.as_str())])?;
    let grants: Vec<WireGrant> = tenant.read_all(Call::get(&SERVICE, url, "consents of the app", GRANTS)).await?;
    let (graph, dataverse) = if grants.is_empty() {
        (None, None)
    } else {
        // Grants name a service by its id in this tenant, which no other tenant shares.
        (tenant.resource(Resource::Graph).await?, tenant.resource(Resource::Dataverse).await?)
    };
    let of = |wanted: &dyn Fn(&WireGrant) -> bool| -> Vec<Consented> {
        let each = grants.iter().filter(|grant| wanted(grant)).flat_map(|grant| {
            let resource = if graph.as_deref() == Some(&*lower(&grant.resource_id)) {
                Some(Resource::Graph)
            } else if dataverse.as_deref() == Some(&*lower(&grant.resource_id)) {
                Some(Resource::Dataverse)
            } else {
                None
            };
            let scopes = grant.scope.as_deref().unwrap_or_default().split_whitespace();
            scopes.filter_map(move |scope| Some(Consented { resource: resource?, scope: scope.to_owned() }))
        });
        each.collect()
    };
    let required = app.app_role_assignment_required == Some(true);
    let assigned = match user {
        Some(user) if required => Some(assigned(tenant, user, &app.id).await?),
        _ => None,
    };
    Ok(Some(Application {
        name: app.display_name.unwrap_or_else(|| client_id.to_owned()),
        enabled: app.account_enabled != Some(false),
        assignment_required: required,
        assigned,
        for_everybody: of(&|grant| grant.consent_type == "AllPrincipals"),
        for_account: of(&|grant| {
            grant.consent_type == "Principal"
                && user.is_some_and(|user| grant.principal_id.as_ref().is_some_and(|id| id.eq_ignore_ascii_case(user)))
        }),
        id: lower(&app.id),
    }))
}

/// The id that one of Microsoft's services has in this tenant; `None`: it has not got it.
pub async fn resource(tenant: &Tenant, resource: Resource) -> Result<Option<String>, Fault> {
    let app_id = match resource {
        Resource::Graph => "00000003-0000-0000-c000-000000000000",
        Resource::Dataverse => "00000007-0000-0000-c000-000000000000",
    };
    Ok(found(tenant, app_id).await?.map(|app| lower(&app.id)))
}

async fn found(tenant: &Tenant, client_id: &str) -> Result<Option<WireApp>, Fault> {
    let filter = format!("appId eq '{client_id}'");
    let select = "id,displayName,accountEnabled,appRoleAssignmentRequired";
    let url = at(tenant, &["servicePrincipals"], &[("$filter", filter.as_str()), ("$select", select)])?;
    let all: Vec<WireApp> = tenant.read_all(Call::get(&SERVICE, url, "the app", APPS)).await?;
    Ok(all.into_iter().next())
}

async fn assigned(tenant: &Tenant, user: &str, app: &str) -> Result<bool, Fault> {
    let url = at(tenant, &["users", user, "appRoleAssignments"], &[])?;
    let all: Vec<WireAssigned> = tenant.read_all(Call::get(&SERVICE, url, "apps of the account", GRANTS)).await?;
    Ok(all.iter().any(|row| row.resource_id.eq_ignore_ascii_case(app)))
}
