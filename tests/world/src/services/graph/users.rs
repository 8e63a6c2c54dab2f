//! What does Graph tell about a person and the groups around them? (microsoft.md §1.2, §1.5)

use jiff::Timestamp;
use serde_json::{Value, json};

use super::fields::{GROUP, USER, USER_DEFAULT};
use super::{Call, error, missing};
use crate::http::{Answer, Reply};
use crate::odata::project;
use crate::state::{Tenant, User};

pub fn one(call: &mut Call<'_>, id: &str) -> Answer {
    call.options(&["$select"])?;
    let fields = call.select("user", USER)?;
    call.user_is_there(id)?;
    let tenant = call.tenant()?;
    let user = tenant.user(id).ok_or_else(|| missing(id))?;
    if fields.iter().any(|field| field == "signInActivity") && !tenant.has_premium_p1() {
        // [P] code, seen with the registration report (microsoft.md §1.8).
        return Err(not_premium());
    }
    let default: Vec<String> = USER_DEFAULT.iter().map(|field| (*field).to_owned()).collect();
    let chosen = if fields.is_empty() { &default } else { &fields };
    let mut body =
        json!({ "@odata.context": format!("https://{}/v1.0/$metadata#users/$entity", call.state.hosts.graph) });
    let whole = user_body(tenant, user);
    for field in chosen {
        // A property this world does not model is null, as it is for most real users.
        body[field] = whole.get(field).cloned().unwrap_or(Value::Null);
    }
    Ok(Reply::json(200, &body))
}

fn user_body(tenant: &Tenant, user: &User) -> Value {
    let licenses: Vec<Value> =
        user.held_licenses().map(|it| json!({ "disabledPlans": it.disabled_plans, "skuId": it.sku })).collect();
    let states: Vec<Value> = user
        .licenses
        .iter()
        .map(|it| json!({ "skuId": it.sku, "disabledPlans": it.disabled_plans, "assignedByGroup": it.by_group, "state": it.state, "error": it.error.as_deref().unwrap_or("None"), "lastUpdatedDateTime": "2026-01-05T08:00:00Z" }))
        .collect();
    json!({
        // Lists are never null.
        "businessPhones": [],
        "otherMails": [],
        "provisionedPlans": [],
        "proxyAddresses": [],
        "displayName": user.display_name,
        "mail": user.principal_name,
        "userPrincipalName": user.principal_name,
        "id": user.id,
        "accountEnabled": user.enabled,
        "userType": user.user_type,
        "usageLocation": user.usage_location,
        "onPremisesSyncEnabled": user.on_premises_synced.then_some(true),
        "assignedLicenses": licenses,
        "assignedPlans": assigned_plans(tenant, user),
        "licenseAssignmentStates": states,
        "passwordPolicies": user.password_policies,
        "lastPasswordChangeDateTime": text(user.last_password_change),
        "signInActivity": {
            "lastSignInDateTime": text(user.sign_ins.interactive),
            "lastSignInRequestId": null,
            "lastNonInteractiveSignInDateTime": text(user.sign_ins.non_interactive),
            "lastNonInteractiveSignInRequestId": null,
            "lastSuccessfulSignInDateTime": text(user.sign_ins.successful),
            "lastSuccessfulSignInRequestId": null,
        },
    })
}

pub fn text(time: Option<Timestamp>) -> Option<String> {
    time.map(|time| time.to_string())
}

/// What the reports about sign-ins answer without Entra ID P1 (microsoft.md §1.8 [P]).
pub fn not_premium() -> Reply {
    error(
        403,
        "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
        "Neither tenant is B2C or tenant doesn't have premium license",
    )
}

fn assigned_plans(tenant: &Tenant, user: &User) -> Vec<Value> {
    let plan = |id: &str, service: &str, status: &str| json!({ "assignedDateTime": "2026-01-05T08:00:00Z", "capabilityStatus": status, "service": service, "servicePlanId": id });
    // `service` is a name like "CRM" in reality; nobody should match on it.
    let licensed = user.held_licenses().flat_map(|license| {
        let plans = tenant.sku(&license.sku).map(|sku| sku.plans.as_slice()).unwrap_or_default();
        plans.iter().map(move |it| {
            let off = license.disabled_plans.iter().any(|id| id.eq_ignore_ascii_case(&it.id));
            plan(&it.id, &it.name, if off { "Deleted" } else { &license.status })
        })
    });
    licensed.chain(user.extra_plans.iter().map(|it| plan(&it.id, &it.service, &it.status))).collect()
}

/// Groups of a user, through other groups too. Directory roles would be in the uncast list as well; they are disputed there
/// (microsoft.md §1.2), and left out here.
pub fn groups(call: &mut Call<'_>, id: &str, cast: bool) -> Answer {
    call.options(&["$select", "$top", "$count"])?;
    let fields = call.select("group", GROUP)?;
    call.user_is_there(id)?;
    let tenant = call.tenant()?;
    let user = tenant.user(id).ok_or_else(|| missing(id))?;
    let rows: Vec<Value> = tenant
        .groups_of(&user.id)
        .into_iter()
        .map(|group| {
            let whole = json!({ "id": group.id, "displayName": group.name, "isAssignableToRole": group.role_assignable, "securityEnabled": true, "mailEnabled": false, "groupTypes": [], "deletedDateTime": null });
            let mut row = project(&whole, &fields);
            if !cast {
                row["@odata.type"] = "#microsoft.graph.group".into();
            }
            row
        })
        .collect();
    call.page(if cast { "groups" } else { "directoryObjects" }, &rows)
}

/// Direct members only.
pub fn members(call: &mut Call<'_>, id: &str) -> Answer {
    call.options(&["$select", "$top"])?;
    let tenant = call.tenant()?;
    let group = tenant.group(id).filter(|group| group.id.eq_ignore_ascii_case(id)).ok_or_else(|| missing(id))?;
    let fields = crate::odata::select(call.request.query("$select"));
    let rows: Vec<Value> = group
        .members
        .iter()
        .map(|member| {
            let whole = match (tenant.user(member), tenant.group(member)) {
                (Some(user), _) => json!({ "@odata.type": "#microsoft.graph.user", "id": user.id, "displayName": user.display_name, "userPrincipalName": user.principal_name }),
                (_, Some(group)) => json!({ "@odata.type": "#microsoft.graph.group", "id": group.id, "displayName": group.name }),
                _ => json!({ "@odata.type": "#microsoft.graph.servicePrincipal", "id": member }),
            };
            project(&whole, &fields)
        })
        .collect();
    call.page("directoryObjects", &rows)
}

impl Call<'_> {
    /// A user who was just made is not found for some reads (`lag.fresh_principal_reads`).
    pub fn user_is_there(&mut self, id: &str) -> Result<(), Reply> {
        let tenant_id = self.token.tenant.clone();
        let user =
            self.state.tenant_mut(&tenant_id).and_then(|tenant| tenant.user_mut(id)).ok_or_else(|| missing(id))?;
        let seen = user.lag.is_seen(false);
        user.lag.tick();
        if seen { Ok(()) } else { Err(missing(id)) }
    }

    pub fn tenant(&self) -> Result<&Tenant, Reply> {
        self.state
            .tenant(&self.token.tenant)
            .ok_or_else(|| error(401, "InvalidAuthenticationToken", "The tenant of the token does not exist."))
    }
}
