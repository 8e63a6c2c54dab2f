//! How does an application become a user of the organization? (microsoft.md §3.2)

use serde_json::{Value, json};

use super::columns::{APPLICATION_USER, SYSTEMUSER};
use super::custom_roles::root_unit;
use super::table::{bad, chosen, fits, known_columns, row};
use super::users::object_id;
use super::{Call, error};
use crate::http::{Answer, Reply};
use crate::state::SystemUser;

pub fn list(call: &mut Call<'_>) -> Answer {
    call.needs("prvReadUser")?;
    call.options(&["$select", "$filter", "$top"])?;
    let fields = call.columns("applicationuser", APPLICATION_USER)?;
    let wanted = call.comparisons("applicationuser", APPLICATION_USER)?;
    let rows: Vec<Value> = call
        .environment()
        .users
        .iter()
        .filter(|it| it.application.is_some() && it.lag.is_seen(false))
        .map(|it| row(APPLICATION_USER, json!({ "applicationuserid": it.id, "applicationid": it.application, "azureactivedirectoryobjectid": object_id(call.tenant, it) })))
        .filter(|row| fits(row, &wanted))
        .map(|row| chosen(&row, &fields, "applicationuserid"))
        .collect();
    Ok(Reply::json(
        200,
        &json!({ "@odata.context": format!("{}/$metadata#applicationusers", call.base()), "value": call.top(rows)? }),
    ))
}

/// A row without roles; persons come by addUser only. One user an app, and a soft-deleted one is in the way
/// (microsoft.md §3.2). The codes are [I].
pub fn create(call: &mut Call<'_>) -> Answer {
    call.needs_administrator("prvCreateUser")?;
    let body = call.body()?;
    let columns = body.keys().filter(|name| *name != "businessunitid@odata.bind").cloned().collect();
    known_columns("systemuser", SYSTEMUSER, columns)?;
    if let Some(other) =
        body.keys().find(|name| !["applicationid", "businessunitid@odata.bind"].contains(&name.as_str()))
    {
        return Err(bad(&format!("The column '{other}' cannot be set on a new user in this world.")));
    }
    let client = body.get("applicationid").and_then(Value::as_str).ok_or_else(|| {
        error(400, "0x80040216", "Only application users are made here; a person comes by the admin center.")
    })?;
    root_unit(call, body.get("businessunitid@odata.bind"))?;
    let client = call.tenant.service_principal(client).map(|app| app.app_id).ok_or_else(|| {
        error(400, "0x80048306", &format!("The application '{client}' was not found in Microsoft Entra ID."))
    })?;
    match call.environment().any_row_of_app(&client) {
        Some(row) if row.deleted => {
            return Err(error(412, "0x80040237", "A deleted user with this application id exists."));
        }
        Some(_) => return Err(error(412, "0x80040237", "A user with this application id exists already.")),
        None => {}
    }
    let row = SystemUser::of_application(&call.environment().id, &client);
    let id = row.id.clone();
    call.environment_mut().users.push(row);
    Ok(Reply::empty(204).with("odata-entityid", format!("{}/systemusers({id})", call.base())))
}
