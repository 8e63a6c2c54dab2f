//! What asks for a second factor, and who has one? (microsoft.md §1.8)

use serde_json::{Value, json};

use super::fields::{ACCESS_POLICY, REGISTRATION_DETAILS, SECURITY_DEFAULTS};
use super::query::fits;
use super::users::not_premium;
use super::{Call, missing};
use crate::http::{Answer, Reply};
use crate::odata::project;
use crate::state::AccessPolicy;

/// Beta only (microsoft.md §1.8).
pub fn requirements(call: &mut Call<'_>, id: &str) -> Answer {
    call.options(&["$select"])?;
    call.user_is_there(id)?;
    let user = call.tenant()?.user(id).ok_or_else(|| missing(id))?;
    Ok(Reply::json(
        200,
        &json!({ "@odata.context": format!("https://{}/beta/$metadata#users('{}')/authentication/requirements", call.state.hosts.graph, user.id), "perUserMfaState": user.mfa }),
    ))
}

pub fn security_defaults(call: &mut Call<'_>) -> Answer {
    call.options(&["$select"])?;
    let fields = call.select("identitySecurityDefaultsEnforcementPolicy", SECURITY_DEFAULTS)?;
    // The id is the same in every tenant [M].
    let whole = json!({ "id": "00000000-0000-0000-0000-000000000005", "displayName": "Security Defaults", "description": null, "deletedDateTime": null, "isEnabled": call.tenant()?.security_defaults });
    Ok(Reply::json(200, &project(&whole, &fields)))
}

pub fn access_policies(call: &mut Call<'_>) -> Answer {
    call.options(&["$filter", "$select", "$top"])?;
    let fields = call.select("conditionalAccessPolicy", ACCESS_POLICY)?;
    let wanted = call.filter(&["state", "displayName"])?;
    let rows: Vec<Value> = call
        .tenant()?
        .conditional_access
        .iter()
        .map(policy)
        .filter(|row| fits(row, &wanted))
        .map(|row| project(&row, &fields))
        .collect();
    call.page("identity/conditionalAccess/policies", &rows)
}

fn policy(it: &AccessPolicy) -> Value {
    let controls = (!it.controls.is_empty() || it.strength.is_some()).then(|| {
        json!({ "operator": "OR", "builtInControls": it.controls, "customAuthenticationFactors": [], "termsOfUse": [], "authenticationStrength": it.strength.as_deref().map(strength) })
    });
    json!({
        "id": it.id,
        "templateId": null,
        "displayName": it.name,
        "description": null,
        "createdDateTime": "2026-01-05T08:00:00Z",
        "modifiedDateTime": null,
        "deletedDateTime": null,
        "state": it.state,
        "sessionControls": null,
        "conditions": {
            "userRiskLevels": [],
            "signInRiskLevels": [],
            "clientAppTypes": ["all"],
            "servicePrincipalRiskLevels": [],
            "platforms": null,
            "locations": null,
            "devices": null,
            "clientApplications": null,
            "applications": {
                "includeApplications": it.include_applications,
                "excludeApplications": it.exclude_applications,
                "includeUserActions": [],
                "includeAuthenticationContextClassReferences": [],
                "applicationFilter": null,
            },
            "users": {
                "includeUsers": it.include_users,
                "excludeUsers": it.exclude_users,
                "includeGroups": it.include_groups,
                "excludeGroups": it.exclude_groups,
                "includeRoles": it.include_roles,
                "excludeRoles": it.exclude_roles,
                "includeGuestsOrExternalUsers": null,
                "excludeGuestsOrExternalUsers": null,
            },
        },
        "grantControls": controls,
    })
}

/// Ids of the built-in strengths are [M].
fn strength(name: &str) -> Value {
    let id = match name {
        "Multifactor authentication" => "00000000-0000-0000-0000-000000000002",
        "Passwordless MFA" => "00000000-0000-0000-0000-000000000003",
        _ => "00000000-0000-0000-0000-000000000004",
    };
    json!({ "id": id, "displayName": name, "description": null, "policyType": "builtIn", "requirementsSatisfied": "mfa", "allowedCombinations": [], "createdDateTime": "2021-12-01T00:00:00Z", "modifiedDateTime": "2021-12-01T00:00:00Z" })
}

/// Registered is not asked for (microsoft.md §1.8).
pub fn registration(call: &mut Call<'_>, id: &str) -> Answer {
    call.options(&["$select"])?;
    let fields = call.select("userRegistrationDetails", REGISTRATION_DETAILS)?;
    let tenant = call.tenant()?;
    if !tenant.has_premium_p1() {
        return Err(not_premium());
    }
    // By object id only: a principal name is no key of this type [M].
    let user = tenant.user(id).filter(|user| user.id.eq_ignore_ascii_case(id)).ok_or_else(|| missing(id))?;
    let registered = !user.mfa_methods.is_empty();
    let is_admin = tenant.role_assignments.iter().any(|it| it.lag.is_real() && it.principal == user.id);
    let whole = json!({
        "id": user.id,
        "userPrincipalName": user.principal_name,
        "userDisplayName": user.display_name,
        "userType": if user.user_type == "Guest" { "guest" } else { "member" },
        "isAdmin": is_admin,
        "isSsprRegistered": registered,
        "isSsprEnabled": false,
        "isSsprCapable": false,
        "isMfaRegistered": registered,
        "isMfaCapable": registered,
        "isPasswordlessCapable": false,
        "methodsRegistered": user.mfa_methods,
        "isSystemPreferredAuthenticationMethodEnabled": true,
        "systemPreferredAuthenticationMethods": [],
        "userPreferredMethodForSecondaryAuthentication": "none",
        "lastUpdatedDateTime": call.state.now().to_string(),
    });
    Ok(Reply::json(200, &project(&whole, &fields)))
}
