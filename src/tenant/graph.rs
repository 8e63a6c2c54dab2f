//! Which calls are made at Microsoft Graph, for what, and what the app needs for each (facts/microsoft.md §1).

use std::sync::Arc;

use jiff::Timestamp;
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::batch::MOST;
use super::calls::{LICENSES, ROLES_READ, ROLES_WRITE, USERS};
use super::facts::{Group, HeldRole, License, LicenseState, Plan, PlanState, Subscribed, User};
use super::wire::{Call, Scope, Service, unwrapped};
use super::{DirectoryRole, Requested, Tenant, schedule};
use crate::fault::{Fault, Kind};
use crate::http::Answer;

pub(super) const SERVICE: Service<'static> = Service {
    name: "Microsoft Graph",
    scope: Scope::Graph,
    // Background work gives way to people when the tenant is throttled (facts/microsoft.md §1.10).
    headers: &[("x-ms-throttle-priority", "low")],
};
/// A URL below `/v1.0`; every part is escaped as one segment.
pub(super) fn at(tenant: &Tenant, segments: &[&str], query: &[(&str, &str)]) -> Result<Url, Fault> {
    let bug = || Fault::new(Kind::Bug, "A Graph address can't be made");
    let mut url = Url::parse(&format!("https://{}/v1.0", tenant.cloud.graph())).map_err(|_| bug())?;
    url.path_segments_mut().map_err(|()| bug())?.extend(segments);
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    Ok(url)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireUser {
    id: String,
    user_principal_name: String,
    account_enabled: bool,
    #[serde(default)]
    user_type: Option<String>,
    #[serde(default)]
    assigned_licenses: Vec<WireLicense>,
    #[serde(default)]
    assigned_plans: Vec<WirePlan>,
    #[serde(default)]
    license_assignment_states: Vec<WireLicenseState>,
    #[serde(default)]
    last_password_change_date_time: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireLicenseState {
    sku_id: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    error: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireLicense {
    sku_id: String,
    #[serde(default)]
    disabled_plans: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WirePlan {
    service_plan_id: String,
    #[serde(default)]
    capability_status: String,
}

/// The user under a principal name or object id; `None`: there is none.
pub async fn user(tenant: &Tenant, name: &str) -> Result<Option<User>, Fault> {
    user_in(tenant.call(user_call(tenant, name)?).await)
}

fn user_call(tenant: &Tenant, name: &str) -> Result<Call<'static>, Fault> {
    let select = "id,userPrincipalName,accountEnabled,userType,assignedLicenses,assignedPlans,licenseAssignmentStates,lastPasswordChangeDateTime";
    let url = at(tenant, &["users", name], &[("$select", select)])?;
    Ok(Call::get(&SERVICE, url, "user", USERS))
}

fn user_in(answer: Result<Answer, Fault>) -> Result<Option<User>, Fault> {
    let user: WireUser = match answer {
        Ok(answer) => unwrapped(SERVICE.name, "user", &answer)?,
        Err(fault) if fault.kind == Kind::NotFound => return Ok(None),
        Err(fault) => return Err(fault),
    };
    Ok(Some(User {
        id: user.id.to_ascii_lowercase(),
        principal_name: user.user_principal_name,
        enabled: user.account_enabled,
        guest: user.user_type.as_deref() == Some("Guest"),
        password_changed: user.last_password_change_date_time,
        license_states: user.license_assignment_states.into_iter().map(license_state).collect(),
        licenses: user
            .assigned_licenses
            .into_iter()
            .map(|license| License { sku: lower(&license.sku_id), disabled_plans: all_lower(&license.disabled_plans) })
            .collect(),
        plans: user
            .assigned_plans
            .into_iter()
            .map(|plan| Plan {
                id: lower(&plan.service_plan_id),
                state: match plan.capability_status.as_str() {
                    "Enabled" => PlanState::Enabled,
                    "Warning" => PlanState::Warning,
                    _ => PlanState::Off,
                },
            })
            .collect(),
    }))
}

fn license_state(wire: WireLicenseState) -> LicenseState {
    // A state that is not Active says what is wrong in `error`, or at least that something is.
    let error = wire.error.filter(|error| !error.is_empty() && error != "None");
    let broken = wire.state.contains("Error").then(|| wire.state.clone());
    LicenseState { sku: lower(&wire.sku_id), error: error.or(broken) }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireAssignment {
    id: String,
    principal_id: String,
    role_definition_id: String,
    #[serde(default)]
    directory_scope_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireGroup {
    id: String,
    #[serde(default)]
    display_name: Option<String>,
    #[serde(default)]
    is_assignable_to_role: Option<bool>,
}

/// All groups that a user is in, directly and through others.
pub async fn groups(tenant: &Tenant, user: &str) -> Result<Arc<[Group]>, Fault> {
    let url = at(
        tenant,
        &["users", user, "transitiveMemberOf", "microsoft.graph.group"],
        &[("$select", "id,displayName,isAssignableToRole")],
    )?;
    let groups: Vec<WireGroup> = tenant.read_all(Call::get(&SERVICE, url, "groups of the account", USERS)).await?;
    Ok(groups
        .into_iter()
        .map(|group| Group {
            name: group.display_name.unwrap_or_else(|| group.id.clone()),
            id: lower(&group.id),
            role_assignable: group.is_assignable_to_role == Some(true),
        })
        .collect())
}

/// The roles that a user holds at "/", directly and through role-assignable groups. Transitive role assignments are
/// beta only, so the groups are asked one by one (facts/microsoft.md §1.2).
pub async fn roles(tenant: &Tenant, user: &str, groups: &[Group]) -> Result<Arc<[HeldRole]>, Fault> {
    let mut roles = held_by(assignments(tenant, &format!("principalId eq '{user}'")).await?, None);
    let groups: Vec<&Group> = groups.iter().filter(|group| group.role_assignable).collect();
    let calls: Result<Vec<Call<'_>>, Fault> =
        groups.iter().map(|group| assignments_call(tenant, &format!("principalId eq '{}'", group.id))).collect();
    for (assignments, group) in tenant.batch_all(calls?).await.into_iter().zip(groups) {
        roles.extend(held_by(at_root(assignments?), Some(&group.name)));
    }
    Ok(roles.into())
}

fn held_by(assignments: Vec<WireAssignment>, group: Option<&str>) -> Vec<HeldRole> {
    assignments
        .into_iter()
        .map(|assignment| HeldRole {
            role: lower(&assignment.role_definition_id),
            assignment: assignment.id,
            group: group.map(str::to_owned),
        })
        .collect()
}

async fn assignments(tenant: &Tenant, filter: &str) -> Result<Vec<WireAssignment>, Fault> {
    Ok(at_root(tenant.read_all(assignments_call(tenant, filter)?).await?))
}

fn assignments_call(tenant: &Tenant, filter: &str) -> Result<Call<'static>, Fault> {
    let url = at(tenant, &["roleManagement", "directory", "roleAssignments"], &[("$filter", filter)])?;
    Ok(Call::get(&SERVICE, url, "role assignments", ROLES_READ))
}

/// Assignments at "/": an administrative unit's are not the role that vendors mean.
fn at_root(mut assignments: Vec<WireAssignment>) -> Vec<WireAssignment> {
    assignments.retain(|assignment| assignment.directory_scope_id.as_deref() == Some("/"));
    assignments
}

/// Whether a user beside these holds Global Administrator for good, and can sign in. Groups and applications hold it, too, but
/// a group may be empty and an application is nobody who could put things right; and who holds it for a time holds it no
/// more when that is over.
pub async fn another_global_administrator(tenant: &Tenant, beside: &[String]) -> Result<bool, Fault> {
    let role = DirectoryRole::GlobalAdministrator.id();
    let mut holders = assignments(tenant, &format!("roleDefinitionId eq '{role}'")).await?;
    holders.retain(|holder| !beside.iter().any(|id| holder.principal_id.eq_ignore_ascii_case(id)));
    let mut unseen = None;
    for some in holders.chunks(MOST) {
        let calls: Result<Vec<Call<'_>>, Fault> =
            some.iter().map(|holder| user_call(tenant, &holder.principal_id)).collect();
        for answer in tenant.batch(calls?).await {
            match user_in(answer) {
                Ok(Some(user)) if user.enabled => match schedule::is_timed(tenant, &user.id, role).await {
                    Ok(false) => return Ok(true),
                    Ok(true) => {}
                    Err(fault) => unseen = Some(fault),
                },
                Ok(_) => {}
                Err(fault) => unseen = Some(fault),
            }
        }
    }
    // One who can't be seen may be the one; one who was seen is enough.
    unseen.map_or(Ok(false), Err)
}

/// Assigns a role at "/".
pub async fn add_role(tenant: &Tenant, user: &str, role: DirectoryRole) -> Result<Requested, Fault> {
    let url = at(tenant, &["roleManagement", "directory", "roleAssignments"], &[])?;
    let body = json!({ "principalId": user, "roleDefinitionId": role.id(), "directoryScopeId": "/" });
    let call = Call::write(&SERVICE, Method::POST, url, Some(body), "assign a role", ROLES_WRITE);
    match tenant.call(call).await {
        Ok(_) => Ok(Requested::Given),
        Err(fault) if fault.kind == Kind::Conflict => Ok(Requested::Held),
        Err(fault) => Err(fault),
    }
}

/// Removes one assignment.
pub async fn remove_assignment(tenant: &Tenant, assignment: &str) -> Result<(), Fault> {
    let url = at(tenant, &["roleManagement", "directory", "roleAssignments", assignment], &[])?;
    let call = Call::write(&SERVICE, Method::DELETE, url, None, "remove a role assignment", ROLES_WRITE);
    match tenant.call(call).await {
        Err(fault) if fault.kind != Kind::NotFound => Err(fault),
        _ => Ok(()),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireSku {
    sku_id: String,
    #[serde(default)]
    capability_status: String,
    #[serde(default)]
    prepaid_units: WireUnits,
}

#[derive(Default, Deserialize)]
struct WireUnits {
    #[serde(default)]
    enabled: i64,
    #[serde(default)]
    warning: i64,
}

/// The subscriptions of the tenant.
pub async fn subscribed(tenant: &Tenant) -> Result<Arc<[Subscribed]>, Fault> {
    let url = at(tenant, &["subscribedSkus"], &[])?;
    let all: Vec<WireSku> = tenant.read_all(Call::get(&SERVICE, url, "subscriptions", LICENSES)).await?;
    Ok(all
        .into_iter()
        .map(|sku| Subscribed {
            sku: lower(&sku.sku_id),
            usable: matches!(sku.capability_status.as_str(), "Enabled" | "Warning"),
            units: sku.prepaid_units.enabled + sku.prepaid_units.warning,
        })
        .collect())
}

pub(super) fn lower(id: &str) -> String {
    id.to_ascii_lowercase()
}

fn all_lower(ids: &[String]) -> Vec<String> {
    ids.iter().map(|id| lower(id)).collect()
}
