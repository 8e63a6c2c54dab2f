//! Who holds which directory role, and what happens when that is to change? (microsoft.md §1.1–1.3)

use serde_json::{Value, json};

use super::fields::{ROLE_ASSIGNMENT, ROLE_DEFINITION};
use super::query::fits;
use super::{Call, error, missing};
use crate::catalog::{DIRECTORY_ROLES, GLOBAL_ADMINISTRATOR};
use crate::http::{Answer, Reply};
use crate::odata::project;
use crate::state::{Lag, RoleAssignment};

pub fn list(call: &mut Call<'_>) -> Answer {
    call.options(&["$filter", "$select", "$top"])?;
    let fields = call.select("unifiedRoleAssignment", ROLE_ASSIGNMENT)?;
    let wanted = call.filter(&["principalId", "roleDefinitionId", "directoryScopeId"])?;
    let rows: Vec<Value> = call
        .tenant()?
        .role_assignments
        .iter()
        .filter(|it| it.lag.is_seen(false))
        .map(body)
        .filter(|row| fits(row, &wanted))
        .map(|row| project(&row, &fields))
        .collect();
    let reply = call.page("roleManagement/directory/roleAssignments", &rows);
    tick(call);
    reply
}

pub fn one(call: &mut Call<'_>, id: &str) -> Answer {
    call.options(&["$select"])?;
    let fields = call.select("unifiedRoleAssignment", ROLE_ASSIGNMENT)?;
    let found = call
        .tenant()?
        .role_assignments
        .iter()
        .find(|it| it.id == id && it.lag.is_seen(false))
        .map(|it| project(&body(it), &fields));
    tick(call);
    found.map(|row| Reply::json(200, &row)).ok_or_else(|| missing(id))
}

pub fn create(call: &mut Call<'_>) -> Answer {
    call.options(&[])?;
    let members = call.body(
        "unifiedRoleAssignment",
        &["principalId", "roleDefinitionId", "directoryScopeId", "appScopeId", "condition"],
    )?;
    let text = |name: &str| {
        members.get(name).and_then(Value::as_str).map(str::to_owned).ok_or_else(|| {
            error(
                400,
                "Request_BadRequest",
                &format!("A value is required for property '{name}' of resource 'RoleAssignment'."),
            )
        })
    };
    let (principal, role, scope) = (text("principalId")?, text("roleDefinitionId")?, text("directoryScopeId")?);
    let (reads, duplicate) = (call.state.switches.lag.graph_reads, call.state.switches.duplicate_assignment);

    let tenant = call.tenant()?;
    // [M]: what Entra says of an id it does not know.
    let principal = tenant
        .principal(&principal)
        .filter(|id| id.eq_ignore_ascii_case(&principal))
        .ok_or_else(|| missing(&principal))?;
    let role = tenant.role_id(&role).filter(|id| id.eq_ignore_ascii_case(&role)).ok_or_else(|| missing(&role))?;
    if tenant.group(&principal).is_some_and(|group| !group.role_assignable) {
        return Err(error(
            400,
            "Request_BadRequest",
            "A group that is not assignable to roles cannot be the principal of a role assignment.",
        ));
    }
    if tenant
        .role_assignments
        .iter()
        .any(|it| it.lag.is_real() && it.principal == principal && it.role == role && it.scope == scope)
    {
        return Err(conflicting(duplicate));
    }
    let assignment = RoleAssignment { lag: Lag::written(reads), ..RoleAssignment::plain(principal, role, scope) };
    let mut created = body(&assignment);
    created["@odata.context"] =
        format!("https://{}/v1.0/$metadata#roleManagement/directory/roleAssignments/$entity", call.state.hosts.graph)
            .into();
    let tenant_id = call.token.tenant.clone();
    if let Some(tenant) = call.state.tenant_mut(&tenant_id) {
        tenant.role_assignments.push(assignment);
    }
    Ok(Reply::json(201, &created))
}

/// Both forms were seen (microsoft.md §1.3); a switch of the world chooses.
fn conflicting(status: u16) -> Reply {
    const TEXT: &str =
        "A conflicting object with one or more of the specified property values is present in the directory.";
    if status == 400 {
        return error(400, "Request_BadRequest", TEXT);
    }
    let details = json!([{ "code": "ConflictingObjects", "message": TEXT, "target": "principalId" }]);
    Reply::json(
        status,
        &json!({ "error": { "code": "Request_MultipleObjectsWithSameKeyValue", "message": TEXT, "details": details, "innerError": {} } }),
    )
}

pub fn delete(call: &mut Call<'_>, id: &str) -> Answer {
    call.options(&[])?;
    let reads = call.state.switches.lag.graph_reads;
    let tenant_id = call.token.tenant.clone();
    let tenant = call.state.tenant_mut(&tenant_id).ok_or_else(|| missing(id))?;
    let found = tenant.role_assignments.iter().find(|it| it.id == id && it.lag.is_real()).ok_or_else(|| missing(id))?;
    let is_global = |it: &RoleAssignment| it.lag.is_real() && it.role == GLOBAL_ADMINISTRATOR && it.scope == "/";
    if is_global(found) && tenant.role_assignments.iter().filter(|it| is_global(it)).count() == 1 {
        // [M] that it is refused (microsoft.md §1.3), and the text.
        return Err(error(400, "Request_BadRequest", "The last Global Administrator of a tenant cannot be removed."));
    }
    for it in tenant.role_assignments.iter_mut().filter(|it| it.id == id) {
        it.lag.remove(reads);
    }
    tenant.role_assignments.retain(|it| !it.lag.is_over());
    Ok(Reply::empty(204))
}

/// Built-in roles have their template id as id (microsoft.md §1.1); custom ones their own.
pub fn definitions(call: &mut Call<'_>) -> Answer {
    call.options(&["$select", "$top"])?;
    let fields = call.select("unifiedRoleDefinition", ROLE_DEFINITION)?;
    let rows: Vec<Value> = all_definitions(call)?.iter().map(|row| project(row, &fields)).collect();
    call.page("roleManagement/directory/roleDefinitions", &rows)
}

pub fn definition(call: &mut Call<'_>, id: &str) -> Answer {
    call.options(&["$select"])?;
    let fields = call.select("unifiedRoleDefinition", ROLE_DEFINITION)?;
    let found = all_definitions(call)?.into_iter().find(|row| row["id"] == id);
    found.map(|row| Reply::json(200, &project(&row, &fields))).ok_or_else(|| missing(id))
}

fn all_definitions(call: &Call<'_>) -> Result<Vec<Value>, Reply> {
    let definition = |id: &str, name: &str, built_in: bool| json!({ "id": id, "displayName": name, "description": null, "isBuiltIn": built_in, "isEnabled": true, "templateId": id, "version": "1", "resourceScopes": ["/"] });
    let custom = call.tenant()?.custom_roles.iter().map(|role| definition(&role.id, &role.name, false));
    Ok(DIRECTORY_ROLES.iter().map(|(name, id)| definition(id, name, true)).chain(custom).collect())
}

fn body(it: &RoleAssignment) -> Value {
    json!({ "id": it.id, "principalId": it.principal, "roleDefinitionId": it.role, "directoryScopeId": it.scope, "appScopeId": null })
}

/// A read of role assignments has passed.
pub fn tick(call: &mut Call<'_>) {
    let tenant_id = call.token.tenant.clone();
    if let Some(tenant) = call.state.tenant_mut(&tenant_id) {
        for assignment in &mut tenant.role_assignments {
            assignment.lag.tick();
        }
        tenant.role_assignments.retain(|it| !it.lag.is_over());
    }
}
