//! Which app may do what for whom? (microsoft.md §1.7)

use serde_json::{Value, json};

use super::fields::{APP_ROLE_ASSIGNMENT, PERMISSION_GRANT};
use super::query::fits;
use super::{Call, missing};
use crate::http::Answer;
use crate::ids::guid_of;
use crate::odata::project;

/// The role of an assignment that names none: default access [M].
const DEFAULT_ACCESS: &str = "00000000-0000-0000-0000-000000000000";

pub fn grants(call: &mut Call<'_>) -> Answer {
    call.options(&["$filter", "$select", "$top"])?;
    let fields = call.select("oAuth2PermissionGrant", PERMISSION_GRANT)?;
    // The facts know clientId; the others are [M].
    let wanted = call.filter(&["clientId", "consentType", "principalId", "resourceId"])?;
    let rows: Vec<Value> = call
        .tenant()?
        .consents
        .iter()
        .map(|it| {
            json!({
                "id": guid_of(&["grant", &it.app, &it.resource, it.user.as_deref().unwrap_or_default()]),
                "clientId": it.app,
                "consentType": if it.user.is_some() { "Principal" } else { "AllPrincipals" },
                "principalId": it.user,
                "resourceId": it.resource,
                "scope": it.scopes.join(" "),
            })
        })
        .filter(|row| fits(row, &wanted))
        .map(|row| project(&row, &fields))
        .collect();
    call.page("oauth2PermissionGrants", &rows)
}

/// A user's own, and those of the groups they are directly in [M].
pub fn assignments(call: &mut Call<'_>, id: &str) -> Answer {
    call.options(&["$select", "$top"])?;
    let fields = call.select("appRoleAssignment", APP_ROLE_ASSIGNMENT)?;
    call.user_is_there(id)?;
    let tenant = call.tenant()?;
    let user = tenant.user(id).ok_or_else(|| missing(id))?;
    let groups = tenant.groups.iter().filter(|group| group.members.contains(&user.id));
    let holders: Vec<(&str, &str, &str)> = std::iter::once((user.id.as_str(), user.display_name.as_str(), "User"))
        .chain(groups.map(|group| (group.id.as_str(), group.name.as_str(), "Group")))
        .collect();
    let row = |app: &str, (holder, name, kind): (&str, &str, &str)| {
        let resource = tenant.service_principal(app).map(|it| it.name);
        json!({ "id": guid_of(&["app role assignment", app, holder]), "appRoleId": DEFAULT_ACCESS, "principalId": holder, "principalDisplayName": name, "principalType": kind, "resourceId": app, "resourceDisplayName": resource, "createdDateTime": null, "deletedDateTime": null })
    };
    let rows: Vec<Value> = tenant
        .app_assignments
        .iter()
        .filter_map(|it| {
            holders.iter().find(|(holder, ..)| *holder == it.principal).map(|holder| row(&it.app, *holder))
        })
        .map(|row| project(&row, &fields))
        .collect();
    call.page(&format!("users('{id}')/appRoleAssignments"), &rows)
}
