//! How does an administrator make a security role of their own? (microsoft.md §3.4, §4.4)

use serde_json::{Value, json};

use super::columns::BUSINESS_UNIT;
use super::roles::is_managed;
use super::table::{bad, chosen, fits, row};
use super::{Call, error};
use crate::http::{Answer, Reply};
use crate::ids::fresh_guid;
use crate::state::{Depth, OF_NEW_ROLES, Ownership, Privilege, SecurityRole, privilege_id};

/// There is one business unit, the root; copies of roles in others are in the world file only.
pub fn business_units(call: &mut Call<'_>) -> Answer {
    call.needs("prvReadBusinessUnit")?;
    call.options(&["$select", "$filter", "$top"])?;
    let fields = call.columns("businessunit", BUSINESS_UNIT)?;
    let wanted = call.comparisons("businessunit", BUSINESS_UNIT)?;
    let environment = call.environment();
    let known = json!({ "businessunitid": environment.business_unit, "name": environment.name, "isdisabled": false, "organizationid": environment.organization_id, "createdon": "2026-01-05T08:00:00Z", "modifiedon": "2026-01-05T08:00:00Z" });
    let rows: Vec<Value> = std::iter::once(row(BUSINESS_UNIT, known))
        .filter(|row| fits(row, &wanted))
        .map(|row| chosen(&row, &fields, "businessunitid"))
        .collect();
    Ok(Reply::json(
        200,
        &json!({ "@odata.context": format!("{}/$metadata#businessunits", call.base()), "value": call.top(rows)? }),
    ))
}

pub fn create(call: &mut Call<'_>) -> Answer {
    call.needs_administrator("prvCreateRole")?;
    let body = call.body()?;
    if let Some(unknown) = body.keys().find(|name| !["name", "businessunitid@odata.bind"].contains(&name.as_str())) {
        return Err(bad(&format!("The column '{unknown}' cannot be set on a role in this world.")));
    }
    let name = body.get("name").and_then(Value::as_str).ok_or_else(|| bad("A role needs a name."))?.to_owned();
    root_unit(call, body.get("businessunitid@odata.bind"))?;
    if call.environment().roles.iter().any(|role| role.business_unit.is_none() && role.name == name) {
        // [I] code.
        return Err(error(412, "0x80040237", "A record with matching key values already exists."));
    }
    let id = fresh_guid();
    call.environment_mut().roles.push(SecurityRole {
        id: id.clone(),
        name,
        template: None,
        privileges: OF_NEW_ROLES.iter().map(|name| Privilege::global((*name).to_owned())).collect(),
        business_unit: None,
    });
    Ok(Reply::empty(204).with("odata-entityid", format!("{}/roles({id})", call.base())))
}

/// `AddPrivilegesRole`: what is there already takes the new depth.
pub fn add_privileges(call: &mut Call<'_>, key: &str) -> Answer {
    call.needs_administrator("prvWriteRole")?;
    let body = call.body()?;
    if let Some(unknown) = body.keys().find(|name| *name != "Privileges") {
        return Err(bad(&format!("The parameter '{unknown}' in the request payload is not a valid parameter.")));
    }
    let found = call.environment().roles.iter().find(|role| role.id.eq_ignore_ascii_case(key)).cloned();
    let found = found.ok_or_else(|| error(404, "0x80040217", &format!("role With Id = {key} Does Not Exist")))?;
    if is_managed(&found) {
        // That System Administrator cannot be changed is [M], for the others [I]; the code is [I].
        return Err(error(403, "0x80041102", "The role cannot be updated."));
    }
    let rows = body.get("Privileges").and_then(Value::as_array).ok_or_else(|| bad("Privileges is not a list."))?;
    let new = rows.iter().map(|row| privilege(call, row)).collect::<Result<Vec<_>, _>>()?;
    let role = call.environment_mut().roles.iter_mut().find(|role| role.id == found.id);
    if let Some(role) = role {
        role.privileges.retain(|it| !new.iter().any(|other| other.name == it.name));
        role.privileges.extend(new);
    }
    Ok(Reply::empty(204))
}

fn privilege(call: &Call<'_>, row: &Value) -> Result<Privilege, Reply> {
    const NAMES: [&str; 6] =
        ["PrivilegeId", "PrivilegeName", "Depth", "BusinessUnitId", "RecordFilterId", "RecordFilterUniqueName"];
    let members = row.as_object().ok_or_else(|| bad("A privilege is an object."))?;
    if let Some(unknown) = members.keys().find(|name| !name.contains('@') && !NAMES.contains(&name.as_str())) {
        return Err(bad(&format!(
            "The property '{unknown}' does not exist on type 'Microsoft.Dynamics.CRM.RolePrivilege'."
        )));
    }
    let id = row["PrivilegeId"].as_str().ok_or_else(|| bad("A privilege needs PrivilegeId."))?;
    let kinds = call.environment().privilege_kinds();
    let kind = kinds.iter().find(|kind| privilege_id(&kind.name).eq_ignore_ascii_case(id));
    let kind = kind.ok_or_else(|| bad(&format!("privilege With Id = {id} Does Not Exist")))?;
    let depth: Depth = serde_json::from_value(row["Depth"].clone())
        .map_err(|_| bad("Depth is none of Basic, Local, Deep, Global."))?;
    if kind.ownership == Ownership::Organization && depth != Depth::Global {
        // Organization-owned tables know only none and Global (microsoft.md §3.4); the code is [I].
        return Err(error(400, "0x8004140b", &format!("{} cannot have depth {depth:?}.", kind.name)));
    }
    Ok(Privilege { depth, ..Privilege::global(kind.name.clone()) })
}

/// The binding to the root business unit, which every row of this world belongs to.
pub fn root_unit(call: &Call<'_>, binding: Option<&Value>) -> Result<(), Reply> {
    let link =
        binding.and_then(Value::as_str).ok_or_else(|| bad("A value is required for 'businessunitid@odata.bind'."))?;
    let relative = link.strip_prefix(&format!("{}/", call.base())).unwrap_or(link).trim_start_matches('/');
    let root = format!("businessunits({})", call.environment().business_unit);
    if relative.eq_ignore_ascii_case(&root) {
        Ok(())
    } else {
        Err(bad(&format!("The binding '{link}' leads to no business unit.")))
    }
}
