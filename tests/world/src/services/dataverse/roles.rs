//! Which security roles are there, who has them, and how are they given and taken? (microsoft.md §3.3)

use serde_json::{Value, json};

use super::columns::{ROLE, TEAM};
use super::table::{bad, chosen, fits, known_columns, row};
use super::users::{find, object_id};
use super::{Call, error};
use crate::catalog::SECURITY_ROLES;
use crate::http::{Answer, Reply};
use crate::odata::expand;
use crate::state::{HeldRole, Lag, SecurityRole};

pub fn list(call: &mut Call<'_>) -> Answer {
    call.needs("prvReadRole")?;
    call.options(&["$select", "$filter", "$top"])?;
    let wanted = call.comparisons("role", ROLE)?;
    let all: Vec<SecurityRole> = call.environment().roles.clone();
    reply(call, all.iter(), |row| fits(row, &wanted))
}

pub fn of_user(call: &mut Call<'_>, key: &str) -> Answer {
    call.needs("prvReadRole")?;
    call.options(&["$select"])?;
    let found = find(call, key)?;
    let held: Vec<SecurityRole> = found
        .roles
        .iter()
        .filter(|held| held.lag.is_seen(call.strong))
        .filter_map(|held| call.environment().role(&held.role))
        .cloned()
        .collect();
    let answer = reply(call, held.iter(), |_| true);
    call.roles_were_read();
    answer
}

pub fn of_team(call: &mut Call<'_>, key: &str) -> Answer {
    call.needs("prvReadTeam")?;
    call.options(&["$select"])?;
    let environment = call.environment();
    let team = environment
        .teams
        .iter()
        .find(|team| team.id.eq_ignore_ascii_case(key))
        .ok_or_else(|| error(404, "0x80040217", &format!("team With Id = {key} Does Not Exist")))?;
    let held: Vec<SecurityRole> = team.roles.iter().filter_map(|id| environment.role(id)).cloned().collect();
    reply(call, held.iter(), |_| true)
}

pub fn teams_of_user(call: &mut Call<'_>, key: &str) -> Answer {
    call.needs("prvReadTeam")?;
    call.options(&["$select", "$expand"])?;
    let fields = call.columns("team", TEAM)?;
    // Their roles come along when asked for, as collections do (MicrosoftDocs/powerapps-docs, query-data-web-api.md).
    let expanded = match call.request.query("$expand").map(expand).transpose().map_err(|why| bad(&why))? {
        None => None,
        Some((name, fields)) if name == "teamroles_association" => Some(known_columns("role", ROLE, fields)?),
        Some((name, _)) => {
            return Err(bad(&format!(
                "Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.team'."
            )));
        }
    };
    if expanded.is_some() {
        call.needs("prvReadRole")?; // as for users
    }
    let found = find(call, key)?;
    let environment = call.environment();
    let teams = found.user.as_deref().map(|user| environment.teams_of(call.tenant, user)).unwrap_or_default();
    let rows: Vec<Value> = teams
        .into_iter()
        .map(|team| {
            // Team type 0 Owner, 2 Entra security group [M].
            let kind = if team.group.is_some() { 2 } else { 0 };
            let known = json!({ "teamid": team.id, "name": team.name, "teamtype": kind, "isdefault": false, "azureactivedirectoryobjectid": team.group, "organizationid": environment.organization_id, "_businessunitid_value": environment.business_unit });
            let mut body = chosen(&row(TEAM, known), &fields, "teamid");
            if let Some(fields) = &expanded {
                let held = team.roles.iter().filter_map(|id| environment.role(id));
                body["teamroles_association"] =
                    held.map(|role| chosen(&role_row(call, role), fields, "roleid")).collect();
            }
            body
        })
        .collect();
    Ok(Reply::json(200, &json!({ "@odata.context": format!("{}/$metadata#teams", call.base()), "value": rows })))
}

/// `RetrieveAadUserRoles(DirectoryObjectId=…)`: own roles and those of group teams, for people without a row, too.
pub fn of_directory_object(call: &mut Call<'_>, argument: &str) -> Answer {
    call.needs("prvReadRole")?;
    call.options(&["$select"])?;
    let (name, value) = argument.split_once('=').ok_or_else(|| bad("The function needs DirectoryObjectId."))?;
    let id = if value.starts_with('@') { call.request.query(value).unwrap_or_default() } else { value }.to_owned();
    if name != "DirectoryObjectId" || !crate::ids::is_guid(&id) {
        return Err(bad("The function needs DirectoryObjectId, a GUID."));
    }
    let environment = call.environment();
    let own = environment
        .users
        .iter()
        .filter(|it| {
            it.lag.is_seen(false) && object_id(call.tenant, it).is_some_and(|own| own.eq_ignore_ascii_case(&id))
        })
        .flat_map(|it| it.roles.iter().filter(|held| held.lag.is_seen(call.strong)).map(|held| held.role.clone()));
    let by_team = environment.teams_of(call.tenant, &id).into_iter().flat_map(|team| team.roles.clone());
    let mut ids: Vec<String> = own.chain(by_team).collect();
    ids.sort();
    ids.dedup();
    let held: Vec<SecurityRole> = ids.iter().filter_map(|id| environment.role(id)).cloned().collect();
    let answer = reply(call, held.iter(), |_| true);
    call.roles_were_read();
    answer
}

pub fn assign(call: &mut Call<'_>, key: &str) -> Answer {
    call.needs_administrator("prvAssignRole")?;
    let found = find(call, key)?;
    let body = call.body()?;
    let link =
        body.get("@odata.id").and_then(Value::as_str).ok_or_else(|| bad("The request body needs '@odata.id'."))?;
    let role = role_of_link(call, link)?;
    if call.environment().disabled_because(call.tenant, &found).is_some() {
        // Documented (microsoft.md §3.3), the code is [I].
        return Err(error(
            400,
            "0x80040225",
            &format!("The specified user(Id = {}) is disabled. A disabled user cannot be assigned a role.", found.id),
        ));
    }
    let root = call.environment().business_unit.clone();
    if role.business_unit.as_ref().is_some_and(|unit| *unit != root) {
        // [M] in microsoft.md §3.3; the code is [I].
        return Err(error(400, "0x80042f09", "The role is not of the business unit of the user."));
    }
    let lag = call.lag;
    if let Some(row) = call.environment_mut().row_mut(&found.id)
        && !row.roles.iter().any(|held| held.role == role.id && held.lag.is_real())
    {
        row.roles.push(HeldRole { lag: Lag::written(lag), ..HeldRole::from(role.id) });
    }
    Ok(Reply::empty(204))
}

/// Takes the reference from `?$id=…` or from the path.
pub fn remove(call: &mut Call<'_>, key: &str, rest: &str) -> Answer {
    call.needs_administrator("prvAssignRole")?;
    let found = find(call, key)?;
    let in_path = rest.strip_prefix("systemuserroles_association(").and_then(|rest| rest.strip_suffix(")/$ref"));
    let role = match (in_path, call.request.query("$id")) {
        (Some(id), _) => role_of_link(call, &format!("roles({id})"))?,
        (None, Some(link)) if rest == "systemuserroles_association/$ref" => role_of_link(call, link)?,
        _ => return Err(bad("Which reference to remove was not said.")),
    };
    let lag = call.lag;
    let row = call.environment_mut().row_mut(&found.id);
    let held = row.and_then(|row| row.roles.iter_mut().find(|held| held.role == role.id && held.lag.is_real()));
    // [I]: what Dataverse says of a reference that isn't there.
    held.ok_or_else(|| error(404, "0x80040217", "The association does not exist."))?.lag.remove(lag);
    for row in &mut call.environment_mut().users {
        row.roles.retain(|held| !held.lag.is_over());
    }
    Ok(Reply::empty(204))
}

/// An unknown role is 0x80060888 with the id in the message (microsoft.md §3.3 [C]).
fn role_of_link(call: &Call<'_>, link: &str) -> Result<SecurityRole, Reply> {
    let relative = link.strip_prefix(&format!("{}/", call.base())).unwrap_or(link);
    let id = relative
        .strip_prefix("roles(")
        .and_then(|rest| rest.strip_suffix(')'))
        .ok_or_else(|| bad(&format!("Invalid URI '{link}'.")))?;
    let found = call.environment().roles.iter().find(|role| role.id.eq_ignore_ascii_case(id)).cloned();
    found.ok_or_else(|| bad(&format!("Entity 'role' With Id = {id} Does Not Exist")))
}

/// Microsoft's own roles; nobody changes those here.
pub fn is_managed(role: &SecurityRole) -> bool {
    SECURITY_ROLES.iter().any(|(name, template)| role.name == *name && role.template.as_deref() == *template)
}

pub fn role_row(call: &Call<'_>, role: &SecurityRole) -> Value {
    let environment = call.environment();
    let unit = role.business_unit.clone().unwrap_or_else(|| environment.business_unit.clone());
    // Copies of a role in other business units link to the one in the root (microsoft.md §3.3).
    let original = role.template.as_ref().and_then(|template| {
        environment.roles.iter().find(|it| it.business_unit.is_none() && it.template.as_ref() == Some(template))
    });
    let managed = |name: &str| json!({ "Value": true, "CanBeChanged": true, "ManagedPropertyLogicalName": name });
    let known = json!({
        "roleid": role.id,
        "name": role.name,
        "_roletemplateid_value": role.template,
        "_parentrootroleid_value": original.map_or(&role.id, |it| &it.id),
        "_businessunitid_value": unit,
        "organizationid": environment.organization_id,
        "ismanaged": is_managed(role),
        "isinherited": 1,
        "componentstate": 0,
        "overwritetime": "1900-01-01T00:00:00Z",
        "createdon": "2026-01-05T08:00:00Z",
        "modifiedon": "2026-01-05T08:00:00Z",
        "versionnumber": 1_397_640,
        "iscustomizable": managed("iscustomizableanddeletable"),
        "canbedeleted": managed("canbedeleted"),
    });
    row(ROLE, known)
}

fn reply<'r>(call: &Call<'_>, roles: impl Iterator<Item = &'r SecurityRole>, fits: impl Fn(&Value) -> bool) -> Answer {
    let fields = call.columns("role", ROLE)?;
    let rows: Vec<Value> = roles
        .map(|role| role_row(call, role))
        .filter(|row| fits(row))
        .map(|row| chosen(&row, &fields, "roleid"))
        .collect();
    Ok(Reply::json(
        200,
        &json!({ "@odata.context": format!("{}/$metadata#roles", call.base()), "value": call.top(rows)? }),
    ))
}
