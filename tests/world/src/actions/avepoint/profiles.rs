//! What do people do under Tenant management and App management of AvePoint Online Services? (facts: avepoint-fluentpro §3)

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{Note, aos_at, connected, note};
use crate::actions::{Action, Done, Params, act, said, word};
use crate::catalog::directory_role;
use crate::state::{
    MODERN_APP, MODERN_APP_NAME, Product, Profile, ProfileKind, State, Tenant, consents_missing, is_delegated,
    of_profile,
};

pub const ACTIONS: &[Action] = &[
    Action {
        name: "connect-microsoft-tenant",
        does: "connect a Microsoft tenant to AvePoint Online Services, signing in to Microsoft as user=",
        needs: &["tenant", "user"],
        may: &["aos", "by"],
        run: connect,
    },
    Action {
        name: "reconnect-microsoft-tenant",
        does: "connect the same Microsoft tenant again, signing in to Microsoft as user=",
        needs: &["user"],
        may: &["aos", "by"],
        run: reconnect,
    },
    Action {
        name: "create-app-profile",
        does: "let AvePoint in: kind=modern or custom (app=, certificate_days= defaults to 365), user= consents; kind=service_account, user= is the account whose password AvePoint gets",
        needs: &["name", "kind", "user"],
        may: &["app", "certificate_days", "aos", "by"],
        run: create,
    },
    Action {
        name: "reauthorize-app-profile",
        does: "consent again, as before or as user=; certificate_days= is a new certificate of a custom app; a service account's password is entered again",
        needs: &["profile"],
        may: &["user", "certificate_days", "aos", "by"],
        run: reauthorize,
    },
    Action {
        name: "read-app-profile",
        does: "look at the status of a profile, as only the page shows it",
        needs: &["profile"],
        may: &["aos"],
        run: read,
    },
];

const APP_MANAGEMENT: &str = "App Management";
const TENANT_MANAGEMENT: &str = "Tenant Management";

/// A person signs in to Microsoft, and holds one of these roles.
fn signed_in(tenant: &Tenant, key: &str, roles: &[&str]) -> Result<String, String> {
    let user =
        tenant.user(key).ok_or_else(|| format!("Microsoft: We couldn't find an account with the username {key}."))?;
    if !user.enabled {
        return Err("Microsoft: AADSTS50057: The user account is disabled.".into());
    }
    let held = roles.iter().filter_map(|role| directory_role(role)).any(|role| tenant.holds(&user.id, role));
    if !held && !roles.is_empty() {
        return Err(format!("Need admin approval: {key} does not have the role {}.", roles.join(" or ")));
    }
    Ok(user.id.clone())
}

/// Microsoft asks who consents for a whole tenant (facts: avepoint-fluentpro §3 "Who may consent").
const CREATES: &[&str] = &["Global Administrator"];
/// "In general" (facts: avepoint-fluentpro §3 "Re-authorize").
const REAUTHORIZES: &[&str] = &["Global Administrator", "Privileged Role Administrator"];

fn connect(state: &mut State, params: &Params) -> Done {
    let key = params.text("tenant")?;
    let at = aos_at(state, params)?;
    let tenant = state
        .tenants
        .iter()
        .find(|it| it.id == key || it.name == key || it.domains.contains(&key))
        .ok_or_else(|| format!("there is no tenant {key:?}"))?;
    // Who may is not on the page; the consent is one for the whole tenant [I].
    signed_in(tenant, &params.text("user")?, CREATES)?;
    let (id, name) = (tenant.id.clone(), tenant.name.clone());
    if let Some(other) = state.avepoint.iter().find(|it| it.microsoft_tenant.as_ref() == Some(&id)) {
        return Err(format!("{name} is connected to {} already; Product Support would have to agree", other.name));
    }
    if state.avepoint[at].microsoft_tenant.is_some() {
        return Err("this world knows one Microsoft tenant for each of AvePoint's".into());
    }
    state.avepoint[at].microsoft_tenant = Some(id);
    let action = state.switches.avepoint.audit_actions.connect_tenant.clone();
    note(state, params, &Note { action: &action, product: Product::Portal, module: TENANT_MANAGEMENT, object: &name })?;
    said("connected")
}

fn reconnect(state: &mut State, params: &Params) -> Done {
    let at = aos_at(state, params)?;
    let tenant = connected(&state.tenants, &state.avepoint[at])?;
    signed_in(tenant, &params.text("user")?, CREATES)?;
    let name = tenant.name.clone();
    let action = state.switches.avepoint.audit_actions.reconnect_tenant.clone();
    note(state, params, &Note { action: &action, product: Product::Portal, module: TENANT_MANAGEMENT, object: &name })?;
    said("reconnected")
}

fn certificate_end(now: Timestamp, params: &Params) -> Result<Option<Timestamp>, String> {
    let days = params.number("certificate_days")?.unwrap_or(365);
    let end = days.checked_mul(24).and_then(|hours| now.checked_add(SignedDuration::from_hours(hours)).ok());
    end.map(Some).ok_or_else(|| "too far".into())
}

fn create(state: &mut State, params: &Params) -> Done {
    let (name, key) = (params.text("name")?, params.text("user")?);
    let kind: ProfileKind = word(&params.text("kind")?, "modern, custom, service_account")?;
    let (at, now) = (aos_at(state, params)?, state.now());
    if state.avepoint[at].profile(&name).is_some() {
        return Err(format!("there is a profile {name:?} already"));
    }
    let tenant = connected(&state.tenants, &state.avepoint[at])?;
    let user = match kind {
        ProfileKind::ServiceAccount => with_password(tenant, &key)?,
        ProfileKind::Modern | ProfileKind::Custom => signed_in(tenant, &key, CREATES)?,
    };
    let app = match (kind, params.maybe("app")) {
        (ProfileKind::Modern, None) => Some(MODERN_APP.to_owned()),
        (ProfileKind::ServiceAccount, None) => None,
        (ProfileKind::Custom, Some(app)) => {
            let own = tenant.apps.iter().find(|it| it.client_id.eq_ignore_ascii_case(&app) || it.name == app);
            let missing =
                || format!("there is no app {app:?} in {}: it has to be prepared in Entra first", tenant.name);
            Some(own.filter(|it| it.enabled).ok_or_else(missing)?.client_id.clone())
        }
        (ProfileKind::Custom, None) => return Err("a custom app is named by its application id; say app=".into()),
        (_, Some(_)) => return Err("only a custom profile has an app of one's own".into()),
    };
    let certificate_expires = if kind == ProfileKind::Custom { certificate_end(now, params)? } else { None };
    let mut profile = Profile {
        name: name.clone(),
        kind,
        user: user.clone(),
        app,
        authorized: None,
        certificate_expires,
        second_factor_then: false,
        licensed_then: false,
    };
    profile.authorize(tenant, &user, now);
    consent(state, at, &profile)?;
    state.avepoint[at].profiles.push(profile);
    let action = state.switches.avepoint.audit_actions.create_profile.clone();
    note(state, params, &Note { action: &action, product: Product::Portal, module: APP_MANAGEMENT, object: &name })?;
    said("created")
}

/// AvePoint signs in with the password alone: nobody is there to give a second factor (seed 004).
fn with_password(tenant: &Tenant, key: &str) -> Result<String, String> {
    let id = signed_in(tenant, key, &[])?;
    if tenant.user(&id).is_some_and(|user| tenant.asks_second_factor(user)) {
        return Err(
            "Microsoft: AADSTS50076: a second factor is asked; MFA is not supported for service accounts.".into()
        );
    }
    Ok(id)
}

/// What the person agrees to at Microsoft; the app comes into the tenant with it.
fn consent(state: &mut State, at: usize, profile: &Profile) -> Result<(), String> {
    let (Some(app), true) = (&profile.app, is_delegated(profile, &state.switches.avepoint)) else {
        return Ok(());
    };
    let tenant = connected(&state.tenants, &state.avepoint[at])?;
    let present = tenant.service_principal(app);
    let missing = consents_missing(tenant, present.as_ref().map_or("", |it| it.id.as_str()));
    let id = tenant.id.clone();
    for (resource, scope) in missing {
        let words = json!({ "app": app, "name": MODERN_APP_NAME, "resource": resource, "scope": scope, "tenant": id });
        act(state, "consent", words)?;
    }
    Ok(())
}

fn reauthorize(state: &mut State, params: &Params) -> Done {
    let name = params.text("profile")?;
    let (at, now) = (aos_at(state, params)?, state.now());
    let mut profile = found(state, at, &name)?;
    let tenant = connected(&state.tenants, &state.avepoint[at])?;
    let key = params.maybe("user").unwrap_or_else(|| profile.user.clone());
    let user = match profile.kind {
        ProfileKind::ServiceAccount => with_password(tenant, &key)?,
        ProfileKind::Modern | ProfileKind::Custom => signed_in(tenant, &key, REAUTHORIZES)?,
    };
    if profile.kind == ProfileKind::ServiceAccount && user != profile.user {
        return Err("another service account is another profile".into());
    }
    profile.authorize(tenant, &user, now);
    if profile.kind == ProfileKind::Custom && params.maybe("certificate_days").is_some() {
        profile.certificate_expires = certificate_end(now, params)?;
    }
    consent(state, at, &profile)?;
    *state.avepoint[at].profile_mut(&name).ok_or("gone")? = profile;
    let action = state.switches.avepoint.audit_actions.reauthorize_profile.clone();
    note(state, params, &Note { action: &action, product: Product::Portal, module: APP_MANAGEMENT, object: &name })?;
    said("authorized again")
}

fn found(state: &State, at: usize, name: &str) -> Result<Profile, String> {
    state.avepoint[at].profile(name).cloned().ok_or_else(|| format!("there is no profile {name:?}"))
}

fn read(state: &mut State, params: &Params) -> Done {
    let at = aos_at(state, params)?;
    let profile = found(state, at, &params.text("profile")?)?;
    let tenant = connected(&state.tenants, &state.avepoint[at]).ok();
    match of_profile(tenant, &profile, &state.switches.avepoint, state.now()) {
        None => Ok(json!({ "message": "Active", "status": "Active" })),
        Some(why) => Ok(json!({ "message": format!("Invalid: {why}"), "status": "Invalid" })),
    }
}
