//! Every call that is made at Microsoft: the least that the app needs for it, what it is for, and where that is known from.

use std::collections::BTreeSet;

use super::Cloud;

/// To read role assignments and their schedules.
pub const ROLES_READ: &str = "RoleManagement.Read.Directory";
/// To change role assignments: there is nothing smaller.
pub const ROLES_WRITE: &str = "RoleManagement.ReadWrite.Directory";
/// To read users with their licenses and groups.
pub const USERS: &str = "User.Read.All";
/// To read the tenant's subscriptions.
pub const LICENSES: &str = "LicenseAssignment.Read.All";
/// To read what may ask for a second factor.
pub const POLICIES: &str = "Policy.Read.All";
/// To read apps.
pub const APPS: &str = "Application.Read.All";
/// To read what was consented to, and who is assigned to an app.
pub const GRANTS: &str = "Directory.Read.All";

/// What a call is for: a fact that rules are judged by, or a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)] // the words are what they say
pub enum For {
    User,
    Roles,
    OtherAdministrators,
    Subscriptions,
    SecondFactor,
    Consent,
    Credentials,
    Environments,
    Access,
    Tables,
    DirectoryRoles,
    SecurityRoles,
    AccessMode,
    EnvironmentAccess,
    SelfEnrollment,
    Elevation,
    UntimedElevation,
}

/// What lets the app make a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Right {
    /// An application permission for Microsoft Graph, consented to by an administrator.
    Graph(&'static str),
    /// Being registered as a management application of the Power Platform.
    ManagementApplication,
    /// A role in the environment that reads users, security roles and teams; System Administrator does.
    Reader,
    /// System Administrator of the environment.
    SystemAdministrator,
}

/// One call.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// Whose: `Microsoft Graph`, `Power Platform` or `Dataverse`.
    pub service: &'static str,
    /// HTTP method.
    pub method: &'static str,
    /// Its path, with `{…}` for what differs from call to call.
    pub path: &'static str,
    /// The least that the app needs.
    pub right: Right,
    /// What it is for.
    pub purposes: &'static [For],
    /// Where that is known from: a section of facts/microsoft.md.
    pub source: &'static str,
}

const SIGN_IN: &str = "Sign-in";
const GRAPH: &str = "Microsoft Graph";
const POWER: &str = "Power Platform";
const DATAVERSE: &str = "Dataverse";

const fn call(
    service: &'static str,
    method: &'static str,
    path: &'static str,
    right: Right,
    purposes: &'static [For],
    source: &'static str,
) -> Known {
    Known { service, method, path, right, purposes, source }
}

/// All of them.
pub const CALLS: &[Known] = &[
    call(GRAPH, "GET", "/v1.0/users/{user}", Right::Graph(USERS), &[For::User, For::OtherAdministrators], "§1.5, §1.9"),
    call(
        GRAPH,
        "GET",
        "/v1.0/users/{user}/transitiveMemberOf/microsoft.graph.group",
        Right::Graph(USERS),
        &[For::Roles, For::SecondFactor, For::Access],
        "§1.2, §1.9",
    ),
    call(
        GRAPH,
        "GET",
        "/v1.0/roleManagement/directory/roleAssignments",
        Right::Graph(ROLES_READ),
        &[For::Roles, For::OtherAdministrators],
        "§1.2, §1.9",
    ),
    call(
        GRAPH,
        "GET",
        "/v1.0/roleManagement/directory/roleAssignmentScheduleInstances",
        Right::Graph(ROLES_READ),
        &[For::Roles],
        "§1.4, §1.9",
    ),
    call(
        GRAPH,
        "GET",
        "/v1.0/roleManagement/directory/roleEligibilityScheduleInstances",
        Right::Graph(ROLES_READ),
        &[For::Roles],
        "§1.4, §1.9",
    ),
    call(GRAPH, "GET", "/v1.0/subscribedSkus", Right::Graph(LICENSES), &[For::Subscriptions], "§1.5, §1.9"),
    call(
        GRAPH,
        "GET",
        "/beta/users/{user}/authentication/requirements",
        Right::Graph(POLICIES),
        &[For::SecondFactor],
        "§1.8 (beta only)",
    ),
    call(
        GRAPH,
        "GET",
        "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy",
        Right::Graph(POLICIES),
        &[For::SecondFactor],
        "§1.8",
    ),
    call(
        GRAPH,
        "GET",
        "/v1.0/identity/conditionalAccess/policies",
        Right::Graph(POLICIES),
        &[For::SecondFactor],
        "§1.8",
    ),
    call(GRAPH, "GET", "/v1.0/servicePrincipals", Right::Graph(APPS), &[For::Consent], "§1.7, §1.9"),
    call(GRAPH, "GET", "/v1.0/oauth2PermissionGrants", Right::Graph(GRANTS), &[For::Consent], "§1.7, §1.9"),
    call(
        GRAPH,
        "GET",
        "/v1.0/users/{user}/appRoleAssignments",
        Right::Graph(GRANTS),
        &[For::Consent],
        "§1.7, §1.9; only where an app is for assigned users only",
    ),
    call(
        GRAPH,
        "GET",
        "/v1.0/applications(appId='{client}')",
        Right::Graph(APPS),
        &[For::Credentials],
        "avepoint-fluentpro.md §4; once an hour, and nothing depends on it",
    ),
    call(
        GRAPH,
        "POST",
        "/v1.0/roleManagement/directory/roleAssignments",
        Right::Graph(ROLES_WRITE),
        &[For::DirectoryRoles, For::UntimedElevation],
        "§1.3, §1.9",
    ),
    call(
        GRAPH,
        "POST",
        "/v1.0/roleManagement/directory/roleAssignmentScheduleRequests",
        Right::Graph(ROLES_WRITE),
        &[For::Elevation],
        "§1.4, §1.9",
    ),
    call(
        GRAPH,
        "DELETE",
        "/v1.0/roleManagement/directory/roleAssignments/{assignment}",
        Right::Graph(ROLES_WRITE),
        &[For::DirectoryRoles, For::UntimedElevation],
        "§1.3, §1.9",
    ),
    call(
        POWER,
        "GET",
        "/providers/Microsoft.BusinessAppPlatform/scopes/admin/environments",
        Right::ManagementApplication,
        &[For::Environments],
        "§2.2",
    ),
    call(
        POWER,
        "POST",
        "/providers/Microsoft.BusinessAppPlatform/scopes/admin/environments/{environment}/addUser",
        Right::ManagementApplication,
        &[For::EnvironmentAccess],
        "§2.3",
    ),
    call(
        POWER,
        "POST",
        "/providers/Microsoft.BusinessAppPlatform/scopes/admin/environments/{environment}/addAppUser",
        Right::ManagementApplication,
        &[For::SelfEnrollment, For::EnvironmentAccess],
        "§2.3",
    ),
    call(DATAVERSE, "GET", "/api/data/v9.2/systemusers", Right::Reader, &[For::Access], "§3.2"),
    call(
        DATAVERSE,
        "GET",
        "/api/data/v9.2/systemusers({row})/teammembership_association",
        Right::Reader,
        &[For::Access],
        "§3.3",
    ),
    call(DATAVERSE, "GET", "/api/data/v9.2/EntityDefinitions", Right::Reader, &[For::Tables], "§3.4"),
    call(
        DATAVERSE,
        "GET",
        "/api/data/v9.2/systemusers({row})/Microsoft.Dynamics.CRM.RetrieveUserSetOfPrivilegesByNames(PrivilegeNames=@p1)",
        Right::Reader,
        &[For::Tables],
        "§3.4",
    ),
    call(DATAVERSE, "GET", "/api/data/v9.2/roles", Right::SystemAdministrator, &[For::SecurityRoles], "§3.3"),
    call(
        DATAVERSE,
        "POST",
        "/api/data/v9.2/systemusers({row})/systemuserroles_association/$ref",
        Right::SystemAdministrator,
        &[For::SecurityRoles],
        "§3.3",
    ),
    call(
        DATAVERSE,
        "PATCH",
        "/api/data/v9.2/systemusers({row})",
        Right::SystemAdministrator,
        &[For::AccessMode],
        "§3.2",
    ),
];

/// What is no call of its own: it comes before all of them, or carries some of them.
pub const BESIDE: &[(&str, &str, &str)] =
    &[(SIGN_IN, "POST", "/{tenant}/oauth2/v2.0/token"), (GRAPH, "POST", "/v1.0/$batch")];

/// Whether this is a call that is made: one of the table, or beside it.
#[must_use]
pub fn known(service: &str, method: &str, path: &str) -> bool {
    let beside = BESIDE.iter().any(|it| (it.0, it.1) == (service, method) && fits(it.2, path));
    beside || row(service, method, path).is_some()
}

/// The row of the table that a call is of.
#[must_use]
pub fn row(service: &str, method: &str, path: &str) -> Option<&'static Known> {
    CALLS.iter().find(|call| (call.service, call.method) == (service, method) && fits(call.path, path))
}

/// Whose host it is; `None`: none of these services'.
#[must_use]
pub fn service(host: &str) -> Option<&'static str> {
    Cloud::ALL.into_iter().find_map(|cloud| match host {
        _ if host == cloud.login() => Some(SIGN_IN),
        _ if host == cloud.graph() => Some(GRAPH),
        _ if host == cloud.power_platform() => Some(POWER),
        _ if cloud.has_environment(host) => Some(DATAVERSE),
        _ => None,
    })
}

/// Whether a path is one of a pattern's: `{…}` stands for something within a segment.
fn fits(pattern: &str, path: &str) -> bool {
    let Some((before, rest)) = pattern.split_once('{') else { return pattern == path };
    let (Some(path), Some((_, after))) = (path.strip_prefix(before), rest.split_once('}')) else { return false };
    let next = after.chars().next();
    let end = path.find(|c| c == '/' || Some(c) == next).unwrap_or(path.len());
    end > 0 && fits(after, &path[end..])
}

/// A permission that is enough for calls that need others: with it those need not be given (Microsoft's permission table).
const INCLUDES: &[(&str, &[&str])] = &[(ROLES_WRITE, &[ROLES_READ]), (GRANTS, &[USERS, LICENSES, APPS])];

/// The least that the app needs for all of this: what includes another makes the other unnecessary.
#[must_use]
pub fn least(purposes: &BTreeSet<For>) -> BTreeSet<Right> {
    let wanted = CALLS.iter().filter(|call| call.purposes.iter().any(|purpose| purposes.contains(purpose)));
    let all: BTreeSet<Right> = wanted.map(|call| call.right).collect();
    let unnecessary = |right: &Right| all.iter().any(|larger| larger != right && covers(*larger, *right));
    all.iter().filter(|right| !unnecessary(right)).copied().collect()
}

/// Whether who has the first can make the calls that need the second.
#[must_use]
pub fn covers(larger: Right, smaller: Right) -> bool {
    match (larger, smaller) {
        (Right::Graph(larger), Right::Graph(smaller)) => {
            larger == smaller || INCLUDES.iter().any(|(name, includes)| *name == larger && includes.contains(&smaller))
        }
        (Right::SystemAdministrator, Right::Reader) => true,
        _ => larger == smaller,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_known_by_its_service_its_method_and_the_whole_of_its_path() {
        let of = |path: &str| format!("/api/data/v9.2/systemusers{path}");
        for (service, method, path, expected) in [
            (GRAPH, "GET", "/v1.0/users/svc@contoso.com".to_owned(), true),
            (GRAPH, "GET", "/v1.0/users/".to_owned(), false),
            (GRAPH, "GET", "/v1.0/users/svc@contoso.com/messages".to_owned(), false),
            (GRAPH, "PATCH", "/v1.0/users/svc@contoso.com".to_owned(), false),
            (GRAPH, "POST", "/v1.0/$batch".to_owned(), true),
            (SIGN_IN, "POST", "/contoso.com/oauth2/v2.0/token".to_owned(), true),
            (SIGN_IN, "GET", "/contoso.com/oauth2/v2.0/token".to_owned(), false),
            (DATAVERSE, "GET", of(""), true),
            (GRAPH, "GET", of(""), false),
            (DATAVERSE, "PATCH", of("(1)"), true),
            (DATAVERSE, "DELETE", of("(1)"), false),
            (DATAVERSE, "POST", of("(1)/systemuserroles_association/$ref"), true),
            (DATAVERSE, "POST", of("(1)/teammembership_association/$ref"), false),
        ] {
            assert_eq!(known(service, method, &path), expected, "{service} {method} {path}");
        }
    }

    #[test]
    fn each_call_is_of_one_row_and_each_host_of_one_service() {
        for call in CALLS {
            let path = call.path.replace(['{', '}'], "");
            let of = CALLS.iter().filter(|it| (it.service, it.method) == (call.service, call.method));
            assert_eq!(of.filter(|it| fits(it.path, &path)).count(), 1, "{} {}", call.method, call.path);
        }
        assert_eq!(service("dod-graph.microsoft.us"), Some(GRAPH));
        assert_eq!(service("contoso.crm4.dynamics.com"), Some(DATAVERSE));
        assert_eq!(service("dk-co.keepit.com"), None);
    }
}
