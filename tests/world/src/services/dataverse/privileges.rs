//! Which privileges are there, and who has which, how deep? (microsoft.md §3.4)

use serde_json::{Value, json};

use super::columns::PRIVILEGE;
use super::table::{bad, chosen, fits, row};
use super::users::find;
use super::{Call, error};
use crate::http::{Answer, Reply};
use crate::ids::guid_of;
use crate::state::{Depth, Ownership, Privilege, greatest, privilege_id};

const NO_FILTER: &str = "00000000-0000-0000-0000-000000000000";

/// The table of privileges: reading it takes prvReadRole [I].
pub fn list(call: &mut Call<'_>) -> Answer {
    call.needs("prvReadRole")?;
    call.options(&["$select", "$filter", "$top"])?;
    let fields = call.columns("privilege", PRIVILEGE)?;
    let wanted = call.comparisons("privilege", PRIVILEGE)?;
    let rows: Vec<Value> = call
        .environment()
        .privilege_kinds()
        .into_iter()
        .map(|kind| {
            let deep = kind.ownership == Ownership::User;
            row(PRIVILEGE, json!({ "privilegeid": privilege_id(&kind.name), "name": kind.name, "canbebasic": deep, "canbelocal": deep, "canbedeep": deep, "canbeglobal": true }))
        })
        .filter(|row| fits(row, &wanted))
        .map(|row| chosen(&row, &fields, "privilegeid"))
        .collect();
    Ok(Reply::json(
        200,
        &json!({ "@odata.context": format!("{}/$metadata#privileges", call.base()), "value": call.top(rows)? }),
    ))
}

/// A function bound to a row of systemusers, by its full name. Whether it takes prvReadRole besides prvReadUser is [I].
pub fn of_user(call: &mut Call<'_>, key: &str, function: &str) -> Answer {
    call.needs("prvReadUser")?;
    call.needs("prvReadRole")?;
    call.options(&[])?;
    let function = function.trim_start_matches("Microsoft.Dynamics.CRM.");
    let (name, arguments) = match function.split_once('(') {
        Some((name, rest)) => (name, rest.strip_suffix(')').unwrap_or(rest)),
        None => (function, ""),
    };
    let found = find(call, key)?;
    let grants = call.environment().grants(call.tenant, &found).into_iter();
    let held = match name {
        "RetrieveUserPrivileges" if arguments.is_empty() => {
            // What comes through a team is told at Basic depth only (microsoft.md §0.9).
            greatest(grants.map(|it| Privilege {
                depth: if it.by_team { Depth::Basic } else { it.privilege.depth },
                ..it.privilege
            }))
        }
        "RetrieveUserSetOfPrivilegesByNames" => {
            let mut names = None;
            let mut without_team_basic = false;
            for (name, value) in arguments.split(',').filter_map(|part| part.split_once('=')) {
                let value = if value.starts_with('@') { call.request.query(value).unwrap_or_default() } else { value };
                match name.trim() {
                    "PrivilegeNames" => names = serde_json::from_str::<Vec<String>>(value).ok(),
                    "ExcludeTeamBasic" => without_team_basic = value == "true",
                    other => return Err(bad(&format!("The function has no parameter '{other}'."))),
                }
            }
            let names = names.ok_or_else(|| bad("The parameter PrivilegeNames is not a JSON array of strings."))?;
            let wanted = |name: &str| names.iter().any(|it| it.eq_ignore_ascii_case(name));
            greatest(
                grants
                    .filter(|it| !(without_team_basic && it.by_team && it.privilege.depth == Depth::Basic))
                    .map(|it| it.privilege)
                    .filter(|it| wanted(&it.name)),
            )
        }
        _ => return Err(error(404, "0x80060888", &format!("Resource not found for the segment '{name}'."))),
    };
    Ok(reply(call, name, &held))
}

/// `RetrieveRolePrivilegesRole(RoleId=…)` (microsoft.md §3.4 [P]).
pub fn of_role(call: &mut Call<'_>, argument: &str) -> Answer {
    call.needs("prvReadRole")?;
    call.options(&[])?;
    let id = argument.strip_prefix("RoleId=").ok_or_else(|| bad("The function needs RoleId."))?;
    let environment = call.environment();
    let role = environment.roles.iter().find(|role| role.id.eq_ignore_ascii_case(id));
    let role = role.ok_or_else(|| error(404, "0x80040217", &format!("role With Id = {id} Does Not Exist")))?;
    let held = environment.privileges_of_role(role);
    Ok(reply(call, "RetrieveRolePrivilegesRole", &held))
}

fn reply(call: &Call<'_>, function: &str, held: &[Privilege]) -> Reply {
    let environment = call.environment();
    let none = if call.record_filter_null { Value::Null } else { NO_FILTER.into() };
    let rows: Vec<Value> = held
        .iter()
        .map(|it| {
            let filter = it.record_filter.as_ref();
            json!({
                "PrivilegeName": it.name,
                "PrivilegeId": privilege_id(&it.name),
                "Depth": it.depth,
                "BusinessUnitId": environment.business_unit,
                "RecordFilterId": filter.map_or_else(|| none.clone(), |name| guid_of(&[&environment.id, "filter", name]).into()),
                "RecordFilterUniqueName": filter.map_or("", String::as_str),
            })
        })
        .collect();
    Reply::json(
        200,
        &json!({ "@odata.context": format!("{}/$metadata#Microsoft.Dynamics.CRM.{function}Response", call.base()), "RolePrivileges": rows }),
    )
}
