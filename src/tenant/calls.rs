//! Every call that is made at Microsoft: the least that the app needs for it, what it is for, and where that is known from.

use std::collections::BTreeSet;

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
    Environments,
    Access,
    Tables,
    DirectoryRoles,
    SecurityRoles,
    AccessMode,
    EnvironmentAccess,
    SelfEnrollment,
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
        "POST",
        "/v1.0/roleManagement/directory/roleAssignments",
        Right::Graph(ROLES_WRITE),
        &[For::DirectoryRoles],
        "§1.3, §1.9",
    ),
    call(
        GRAPH,
        "DELETE",
        "/v1.0/roleManagement/directory/roleAssignments/{assignment}",
        Right::Graph(ROLES_WRITE),
        &[For::DirectoryRoles],
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
