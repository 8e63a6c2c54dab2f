//! Who is in the organization, and in which access mode? (microsoft.md §3.1, §3.2)

use serde_json::{Value, json};

use super::columns::{ROLE, SYSTEMUSER};
use super::roles::role_row;
use super::table::{bad, chosen, fits, known_columns, row};
use super::{Call, error};
use crate::http::{Answer, Reply};
use crate::odata::expand;
use crate::state::{SystemUser, Tenant};

const MOST_NON_INTERACTIVE: usize = 7;

pub fn who_am_i(call: &mut Call<'_>) -> Answer {
    let environment = call.environment();
    let body = json!({
        "@odata.context": format!("{}/$metadata#Microsoft.Dynamics.CRM.WhoAmIResponse", call.base()),
        "BusinessUnitId": environment.business_unit,
        "UserId": call.caller.id,
        "OrganizationId": environment.organization_id,
    });
    Ok(Reply::json(200, &body))
}

pub fn list(call: &mut Call<'_>) -> Answer {
    call.needs("prvReadUser")?;
    call.options(&["$select", "$filter", "$expand", "$top"])?;
    let fields = call.columns("systemuser", SYSTEMUSER)?;
    let wanted = call.comparisons("systemuser", SYSTEMUSER)?;
    let expanded = expanded(call)?;
    let rows: Vec<Value> = call
        .environment()
        .users
        .iter()
        .filter(|it| it.lag.is_seen(false))
        .map(|it| (it, user_row(call, it)))
        .filter(|(_, row)| fits(row, &wanted))
        .map(|(it, row)| with_roles(call, it, chosen(&row, &fields, "systemuserid"), expanded.as_deref()))
        .collect();
    let body = json!({ "@odata.context": format!("{}/$metadata#systemusers", call.base()), "value": call.top(rows)? });
    if expanded.is_some() {
        call.roles_were_read();
    }
    call.people_were_read();
    Ok(Reply::json(200, &body))
}

pub fn one(call: &mut Call<'_>, key: &str) -> Answer {
    call.needs("prvReadUser")?;
    call.options(&["$select", "$expand"])?;
    let fields = call.columns("systemuser", SYSTEMUSER)?;
    let expanded = expanded(call)?;
    let found = find(call, key)?;
    let mut body =
        with_roles(call, &found, chosen(&user_row(call, &found), &fields, "systemuserid"), expanded.as_deref());
    body["@odata.context"] = format!("{}/$metadata#systemusers/$entity", call.base()).into();
    if expanded.is_some() {
        call.roles_were_read();
    }
    call.people_were_read();
    Ok(Reply::json(200, &body))
}

/// Only access mode and the environment's own off-switch can be written here.
pub fn change(call: &mut Call<'_>, key: &str) -> Answer {
    call.needs_administrator("prvWriteUser")?;
    let found = find(call, key)?;
    let members = call.body()?;
    known_columns("systemuser", SYSTEMUSER, members.keys().cloned().collect())?;
    for (column, value) in members {
        match (column.as_str(), &value) {
            ("accessmode", Value::Number(mode)) => {
                set_mode(call, &found, mode.as_i64().unwrap_or(-1))?;
            }
            ("isdisabled", Value::Bool(disabled)) => {
                if let Some(row) = call.environment_mut().row_mut(&found.id) {
                    row.disabled = *disabled;
                }
            }
            _ => {
                return Err(bad(&format!("The column '{column}' cannot be set to {value} in this world.")));
            }
        }
    }
    Ok(Reply::empty(204).with("odata-entityid", format!("{}/systemusers({})", call.base(), found.id)))
}

/// Codes of the refusals are [I]; the limit of seven is documented (microsoft.md §3.2).
fn set_mode(call: &mut Call<'_>, found: &SystemUser, mode: i64) -> Result<(), Reply> {
    if !(0..=5).contains(&mode) {
        return Err(error(400, "0x80048408", &format!("{mode} is not a valid access mode.")));
    }
    if found.application.is_some() {
        return Err(error(400, "0x80040216", "The access mode of an application user cannot be changed."));
    }
    let non_interactive = call
        .environment()
        .users
        .iter()
        .filter(|row| row.user.is_some() && row.access_mode == 4 && row.id != found.id)
        .count();
    if mode == 4 && non_interactive >= MOST_NON_INTERACTIVE {
        return Err(error(
            400,
            "0x80040216",
            "You cannot create more than 7 non-interactive user accounts in an environment.",
        ));
    }
    // Read-Write for somebody without a licence: whether that is refused is not said; here it is not [I].
    if let Some(row) = call.environment_mut().row_mut(&found.id) {
        row.access_mode = mode;
    }
    Ok(())
}

/// A row by its id or by the alternate key `azureactivedirectoryobjectid=…`.
pub fn find(call: &Call<'_>, key: &str) -> Result<SystemUser, Reply> {
    let found =
        call.environment().users.iter().filter(|it| it.lag.is_seen(false)).find(|it| match key.split_once('=') {
            Some(("azureactivedirectoryobjectid", id)) => {
                object_id(call.tenant, it).is_some_and(|own| own.eq_ignore_ascii_case(id))
            }
            Some(_) => false,
            None => it.id.eq_ignore_ascii_case(key),
        });
    // [M] code.
    found.cloned().ok_or_else(|| error(404, "0x80040217", &format!("systemuser With Id = {key} Does Not Exist")))
}

/// Entra object id of a row: of the person, or of the application's service principal.
pub fn object_id(tenant: &Tenant, it: &SystemUser) -> Option<String> {
    let app = || it.application.as_deref().and_then(|client| tenant.service_principal(client)).map(|app| app.id);
    it.user.clone().or_else(app)
}

fn user_row(call: &Call<'_>, it: &SystemUser) -> Value {
    let environment = call.environment();
    let person = it.user.as_deref().and_then(|id| call.tenant.user(id));
    let name = person
        .map(|user| user.display_name.clone())
        .or_else(|| {
            it.application
                .as_deref()
                .and_then(|client| call.tenant.service_principal(client))
                .map(|app| format!("# {}", app.name))
        })
        .unwrap_or_default();
    let mail = person.map(|user| user.principal_name.clone());
    let licensed = person.is_some_and(|user| call.tenant.has_dynamics_license(user) && user.license_reads == 0);
    let gone = it.user.is_some() && person.is_none();
    let known = json!({
        "systemuserid": it.id,
        "ownerid": it.id,
        "azureactivedirectoryobjectid": object_id(call.tenant, it),
        "applicationid": it.application,
        "organizationid": environment.organization_id,
        "_businessunitid_value": environment.business_unit,
        "fullname": name,
        "domainname": mail,
        "windowsliveid": mail,
        "internalemailaddress": mail,
        "accessmode": it.access_mode,
        "isdisabled": environment.disabled_because(call.tenant, it).is_some(),
        "islicensed": licensed,
        "setupuser": it.setup,
        "issyncwithdirectory": it.user.is_some(),
        // 0 Exists, 1 soft deleted, 2 not found or hard deleted [M].
        "azurestate": if gone { 2 } else { 0 },
        // 0 not deleted, 1 soft-deleted [M].
        "deletedstate": i64::from(it.deleted),
        "userlicensetype": if licensed { 38 } else { -1 },
        "isintegrationuser": it.application.is_some(),
        "caltype": 7,
        "identityid": 122,
        "createdon": "2026-01-05T08:00:00Z",
        "modifiedon": "2026-01-05T08:00:00Z",
        "versionnumber": 1_760_402,
    });
    row(SYSTEMUSER, known)
}

/// Only `systemuserroles_association` can be expanded; anything else is refused. Reading a role takes prvReadRole ("Retrieve
/// message privileges" of Microsoft's developer guide); that an expansion takes it, too, is [I].
fn expanded(call: &Call<'_>) -> Result<Option<Vec<String>>, Reply> {
    let Some(text) = call.request.query("$expand") else {
        return Ok(None);
    };
    call.needs("prvReadRole")?;
    let (name, fields) = expand(text).map_err(|why| bad(&why))?;
    if name != "systemuserroles_association" {
        return Err(bad(&format!(
            "Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.systemuser'."
        )));
    }
    known_columns("role", ROLE, fields).map(Some)
}

fn with_roles(call: &Call<'_>, it: &SystemUser, mut body: Value, fields: Option<&[String]>) -> Value {
    if let Some(fields) = fields {
        let held = it
            .roles
            .iter()
            .filter(|held| held.lag.is_seen(call.strong))
            .filter_map(|held| call.environment().role(&held.role));
        let rows: Vec<Value> = held.map(|role| chosen(&role_row(call, role), fields, "roleid")).collect();
        body["systemuserroles_association"] = rows.into();
    }
    body
}
