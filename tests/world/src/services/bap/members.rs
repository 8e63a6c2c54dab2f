//! How do people and apps get into an environment? (microsoft.md §2.3)

use serde_json::{Value, json};

use super::{error, no_environment};
use crate::catalog::SYSTEM_ADMINISTRATOR;
use crate::http::{Answer, Reply, Request};
use crate::state::{
    HeldRole, InVain, Issued, Lag, Runtime, State, SystemUser, Tenant, is_service_administrator, why_not_added,
};

fn body(request: &Request, field: &str) -> Result<String, Reply> {
    let bad = |why: String| error(400, "InvalidRequestContent", &why);
    if request.content_type() != "application/json" {
        // [M]
        return Err(error(
            415,
            "UnsupportedMediaType",
            "The content media type is not supported. Only 'application/json' is supported.",
        ));
    }
    let value: Value = serde_json::from_slice(&request.body)
        .map_err(|_| bad("The request content was invalid and could not be deserialized.".into()))?;
    let members = value.as_object().ok_or_else(|| bad("The request content must be an object.".into()))?;
    if let Some(unknown) = members.keys().find(|name| *name != field) {
        return Err(bad(format!("Could not find member '{unknown}' on object.")));
    }
    members
        .get(field)
        .and_then(Value::as_str)
        .map(str::to_owned)
        .ok_or_else(|| bad(format!("The property '{field}' is required.")))
}

/// The row comes asynchronously, and only for the licensed; an administrator without licence becomes a set-up user in
/// Administrative mode (microsoft.md §2.3).
pub fn add_user(state: &mut State, request: &Request, token: &Issued, id: &str) -> Answer {
    let object_id = body(request, "objectId")?;
    let (reads, in_vain) = (state.switches.lag.new_row_reads, state.switches.add_user_in_vain);
    let tenant = state.tenant_mut(&token.tenant).ok_or_else(|| no_environment(id))?;
    let user =
        tenant.user(&object_id).filter(|user| user.id.eq_ignore_ascii_case(&object_id)).cloned().ok_or_else(|| {
            error(404, "UserNotFound", &format!("The user with object id '{object_id}' was not found in the tenant."))
        })?;
    let licensed = tenant.has_dynamics_license(&user) && user.license_syncs == 0;
    let setup = !licensed && is_service_administrator(tenant, &user.id);
    let at = environment_with_dataverse(tenant, id)?;
    if let Some(user) = tenant.user_mut(&object_id) {
        user.license_syncs = user.license_syncs.saturating_sub(1);
    }
    if !user.enabled {
        // Requirement from microsoft.md §2.3; the code is [I].
        return Err(error(
            400,
            "userNotEnabled",
            &format!("The user with object id '{object_id}' is disabled in Microsoft Entra ID."),
        ));
    }
    if !licensed && !setup {
        return Err(error(
            400,
            "userNotLicensed",
            &format!("The user with object id '{object_id}' does not have a license for this environment."),
        ));
    }
    let environment = &mut tenant.environments[at];
    if let Some(why) = why_not_added(environment, &user.id) {
        return match in_vain {
            // The code is [I].
            InVain::Refused => Err(error(400, "UserNotAllowedInEnvironment", why)),
            InVain::Silent => Ok(Reply::json(200, &json!({}))),
        };
    }
    if let Some(row) = environment.row_of_user(&user.id) {
        // addUser of someone who is there switches them on again (microsoft.md §3.2).
        row.disabled = false;
    } else {
        let row = SystemUser {
            access_mode: i64::from(setup),
            setup,
            lag: Lag::written(reads),
            ..SystemUser::of_person(&environment.id, &user.id)
        };
        environment.users.push(row);
    }
    Ok(Reply::json(200, &json!({})))
}

/// Yields an application user with System Administrator; a repeated call changes nothing ([I] in microsoft.md §2.3).
pub fn add_app_user(state: &mut State, request: &Request, token: &Issued, id: &str) -> Answer {
    let client_id = body(request, "servicePrincipalAppId")?;
    let reads = state.switches.lag.new_row_reads;
    let tenant = state.tenant_mut(&token.tenant).ok_or_else(|| no_environment(id))?;
    let client_id = tenant.service_principal(&client_id).map(|app| app.app_id).ok_or_else(|| {
        error(404, "ApplicationNotFound", &format!("The application '{client_id}' was not found in the tenant."))
    })?;
    let at = environment_with_dataverse(tenant, id)?;
    let environment = &mut tenant.environments[at];
    let existing = environment.any_row_of_app(&client_id);
    if existing.is_some_and(|row| row.deleted) {
        // A soft-deleted row blocks re-creation (microsoft.md §3.2 [C]); the code is [I].
        return Err(error(
            400,
            "ApplicationUserDeleted",
            &format!("A deleted application user of '{client_id}' exists in the environment."),
        ));
    }
    if existing.is_none() {
        let administrator = environment
            .role(SYSTEM_ADMINISTRATOR)
            .map(|role| role.id.clone())
            .into_iter()
            .map(HeldRole::from)
            .collect();
        let row = SystemUser {
            roles: administrator,
            lag: Lag::written(reads),
            ..SystemUser::of_application(&environment.id, &client_id)
        };
        environment.users.push(row);
    }
    Ok(Reply::json(200, &json!({})))
}

fn environment_with_dataverse(tenant: &Tenant, id: &str) -> Result<usize, Reply> {
    let at =
        tenant.environments.iter().position(|it| it.id.eq_ignore_ascii_case(id)).ok_or_else(|| no_environment(id))?;
    if tenant.environments[at].host.is_none() {
        return Err(error(400, "EnvironmentNotLinked", "The environment has no Dataverse database."));
    }
    if tenant.environments[at].runtime == Runtime::Disabled {
        // [I]; in administration mode people and apps can be added [I].
        return Err(error(400, "EnvironmentDisabled", "The environment is disabled."));
    }
    Ok(at)
}
