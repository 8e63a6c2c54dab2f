//! Which application permissions does a Graph call ask for?
//!
//! The rows are those of contracts/graph-permissions.csv for the calls that exist here, least first; what is missing there
//! has the permissions of microsoft.md §1.9.

use super::{Call, error};
use crate::http::{Reply, Request};
use crate::state::{Issued, State};

/// Method, path (`*` is one segment), permissions of which one is enough.
const CALLS: &[(&str, &str, &[&str])] = &[
    (
        "GET",
        "users/*",
        &["User.ReadBasic.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All", "User.Read.All"],
    ),
    (
        "GET",
        "users/*/licensedetails",
        &[
            "LicenseAssignment.Read.All",
            "Directory.Read.All",
            "Directory.ReadWrite.All",
            "User.Read.All",
            "User.ReadWrite.All",
        ],
    ),
    ("GET", "users/*/transitivememberof", MEMBER_OF),
    ("GET", "users/*/transitivememberof/microsoft.graph.group", MEMBER_OF),
    (
        "GET",
        "groups/*/members",
        &[
            "GroupMember.ReadBasic.All",
            "Directory.Read.All",
            "Group.Read.All",
            "Group.ReadBasic.All",
            "Group.ReadWrite.All",
            "GroupMember.Read.All",
            "GroupMember.ReadWrite.All",
        ],
    ),
    (
        "GET",
        "subscribedskus",
        &[
            "LicenseAssignment.Read.All",
            "Directory.Read.All",
            "Directory.ReadWrite.All",
            "Organization.Read.All",
            "Organization.ReadWrite.All",
        ],
    ),
    ("GET", "rolemanagement/directory/roleassignments", READ_ROLES),
    ("GET", "rolemanagement/directory/roleassignments/*", READ_ROLES),
    ("POST", "rolemanagement/directory/roleassignments", &["RoleManagement.ReadWrite.Directory"]),
    ("DELETE", "rolemanagement/directory/roleassignments/*", &["RoleManagement.ReadWrite.Directory"]),
    ("GET", "rolemanagement/directory/roledefinitions", READ_DEFINITIONS),
    ("GET", "rolemanagement/directory/roledefinitions/*", READ_DEFINITIONS),
    (
        "GET",
        "organization",
        &[
            "DeviceManagementServiceConfig.Read.All",
            "Directory.Read.All",
            "Directory.ReadWrite.All",
            "Organization.Read.All",
            "Organization.ReadWrite.All",
            "User.Read.All",
        ],
    ),
    (
        "GET",
        "serviceprincipals",
        &["Application.Read.All", "Application.ReadWrite.OwnedBy", "Application.ReadWrite.All", "Directory.Read.All"],
    ),
    ("GET", "serviceprincipals(*)", READ_APPS),
    ("GET", "serviceprincipals/*", READ_APPS),
    (
        "GET",
        "oauth2permissiongrants",
        &["Directory.Read.All", "DelegatedPermissionGrant.ReadWrite.All", "Directory.ReadWrite.All"],
    ),
    ("GET", "users/*/approleassignments", &["AppRoleAssignment.ReadWrite.All", "Directory.Read.All"]),
    ("GET", "policies/identitysecuritydefaultsenforcementpolicy", &["Policy.Read.All"]),
    ("GET", "identity/conditionalaccess/policies", &["Policy.Read.All"]),
    ("GET", "reports/authenticationmethods/userregistrationdetails/*", &["AuditLog.Read.All"]),
    // Beta.
    ("GET", "users/*/authentication/requirements", &["Policy.Read.All", "Policy.ReadWrite.AuthenticationMethod"]),
    ("GET", "serviceprincipals/*/approleassignments", READ_APPS),
    ("GET", "applications(*)", READ_APPS),
];
/// Calls, or permissions of calls, that the published list does not have: from microsoft.md §1.9 [D, C].
const BESIDES: &[(&str, &str, &[&str])] = &[
    ("GET", "rolemanagement/directory/roleassignmentscheduleinstances", READ_SCHEDULES),
    ("GET", "rolemanagement/directory/roleassignmentschedules", READ_SCHEDULES),
    ("GET", "rolemanagement/directory/roleeligibilityscheduleinstances", READ_ELIGIBILITY),
    ("GET", "rolemanagement/directory/roleeligibilityschedules", READ_ELIGIBILITY),
    (
        "POST",
        "rolemanagement/directory/roleassignmentschedulerequests",
        &["RoleAssignmentSchedule.ReadWrite.Directory", "RoleManagement.ReadWrite.Directory", REMOVE_SCHEDULES],
    ),
];
const REMOVE_SCHEDULES: &str = "RoleAssignmentSchedule.Remove.Directory";
const READ_SCHEDULES: &[&str] = &[
    "RoleAssignmentSchedule.Read.Directory",
    "RoleAssignmentSchedule.ReadWrite.Directory",
    "RoleManagement.Read.Directory",
    "RoleManagement.ReadWrite.Directory",
];
const READ_ELIGIBILITY: &[&str] = &[
    "RoleEligibilitySchedule.Read.Directory",
    "RoleEligibilitySchedule.ReadWrite.Directory",
    "RoleManagement.Read.Directory",
    "RoleManagement.ReadWrite.Directory",
];
const MEMBER_OF: &[&str] = &[
    "User.Read.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
    "Group.Read.All",
    "Group.ReadBasic.All",
    "GroupMember.Read.All",
    "GroupMember.ReadBasic.All",
];
const READ_ROLES: &[&str] = &[
    "RoleManagement.Read.Directory",
    "RoleManagement.ReadWrite.Directory",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];
const READ_DEFINITIONS: &[&str] = &[
    "RoleManagement.Read.Directory",
    "RoleManagement.ReadWrite.Directory",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
    "RoleManagement.Read.All",
];
const READ_APPS: &[&str] = &[
    "Application.Read.All",
    "Application.ReadWrite.OwnedBy",
    "Application.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];

/// Fields of a user that `User.ReadBasic.All` shows; asking for others with only that permission is refused ([M] in microsoft.md §1.9).
const BASIC_FIELDS: &[&str] = &["id", "displayName", "givenName", "mail", "surname", "userPrincipalName", "userType"];

/// 403 `Authorization_RequestDenied` unless the app holds one of the call's permissions. A path that doesn't exist is let through: it gets its 404.
pub fn check(state: &State, request: &Request, token: &Issued, segments: &[String]) -> Result<(), Reply> {
    let Some((_, _, enough)) =
        CALLS.iter().chain(BESIDES).find(|(method, path, _)| *method == request.method && matches(path, segments))
    else {
        return Ok(());
    };
    let held = held(state, token);
    let holds = |permission: &&&str| held.iter().any(|it| it == **permission);
    let found: Vec<&&str> = enough.iter().filter(holds).collect();
    let only_basic = found == [&"User.ReadBasic.All"];
    let asks_more =
        crate::odata::select(request.query("$select")).iter().any(|field| !BASIC_FIELDS.contains(&field.as_str()));
    // [M] in microsoft.md §1.9.
    let asks_sign_ins = crate::odata::select(request.query("$select")).iter().any(|field| field == "signInActivity");
    let may_not_see_them = asks_sign_ins && !held.iter().any(|it| it == "AuditLog.Read.All");
    if found.is_empty() || (only_basic && asks_more) || may_not_see_them {
        return Err(denied());
    }
    Ok(())
}

fn denied() -> Reply {
    error(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
}

/// Who may only end schedules may do nothing else with them (microsoft.md §1.9).
pub fn beyond_removal(call: &Call<'_>) -> Result<(), Reply> {
    let more = ["RoleAssignmentSchedule.ReadWrite.Directory", "RoleManagement.ReadWrite.Directory"];
    let held = held(call.state, &call.token);
    if held.iter().any(|it| more.contains(&it.as_str())) { Ok(()) } else { Err(denied()) }
}

/// A token carries the permissions of its time of issue, unless the world was told to look at every call.
pub fn held(state: &State, token: &Issued) -> Vec<String> {
    if state.switches.permissions_in_token {
        return token.permissions.clone();
    }
    state
        .tenant(&token.tenant)
        .and_then(|tenant| tenant.app(&token.client_id))
        .map(|app| app.graph_permissions.clone())
        .unwrap_or_default()
}

fn matches(pattern: &str, segments: &[String]) -> bool {
    let pattern: Vec<&str> = pattern.split('/').collect();
    pattern.len() == segments.len()
        && pattern.iter().zip(segments).all(|(part, segment)| match part.split_once('*') {
            Some((start, end)) => {
                segment.len() > start.len() + end.len() && segment.starts_with(start) && segment.ends_with(end)
            }
            None => part == segment,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_stands_in_microsofts_own_list() {
        let Some(folder) = crate::contracts_folder() else {
            println!("skipped: no contracts folder (set BACKSTAY_CONTRACTS)");
            return;
        };
        let published = std::fs::read_to_string(folder.join("graph-permissions.csv")).unwrap().to_lowercase();
        for (method, path, enough) in CALLS {
            let path =
                path.replace("(*)", "(appid={value})").replace("/microsoft.graph.group", "").replace('*', "{id}");
            for permission in *enough {
                let row = format!("\n{method},/{path},{permission},").to_lowercase();
                assert!(published.contains(&row), "not in graph-permissions.csv: {row}");
            }
        }
    }
}
