//! What does an administrator do with the apps of vendors?

use serde_json::json;

use super::{Action, Done, Params, said, tenant_of, user_id};
use crate::ids::guid_of;
use crate::state::{AppAssignment, Consent, State, Tenant, VendorApp};

pub const ACTIONS: &[Action] = &[
    Action {
        name: "consent",
        does: "consent to an app for the whole tenant, or for user= alone; brings the app in (name=). scope= is space separated, resource= defaults to Microsoft Graph",
        needs: &["app", "scope"],
        may: &["user", "resource", "name", "tenant"],
        run: consent,
    },
    Action {
        name: "withdraw-consent",
        does: "take the consent for all back, or that of user=; only at resource= if given",
        needs: &["app"],
        may: &["user", "resource", "tenant"],
        run: withdraw,
    },
    Action {
        name: "block-app",
        does: "let nobody sign in to a vendor's app",
        needs: &["app"],
        may: &["tenant"],
        run: |state, params| block(state, params, true),
    },
    Action {
        name: "unblock-app",
        does: "let people sign in to a vendor's app again",
        needs: &["app"],
        may: &["tenant"],
        run: |state, params| block(state, params, false),
    },
    Action {
        name: "require-assignment",
        does: "let only assigned users into a vendor's app (required=false: everybody)",
        needs: &["app", "required"],
        may: &["tenant"],
        run: require,
    },
    Action {
        name: "assign-to-app",
        does: "assign a user or group to an app",
        needs: &["user", "app"],
        may: &["tenant"],
        run: |state, params| assign(state, params, true),
    },
    Action {
        name: "unassign-from-app",
        does: "take that assignment away",
        needs: &["user", "app"],
        may: &["tenant"],
        run: |state, params| assign(state, params, false),
    },
    Action {
        name: "remove-vendor-app",
        does: "delete a vendor's app from the tenant, with all consent",
        needs: &["app"],
        may: &["tenant"],
        run: remove,
    },
];

fn service_principal(tenant: &Tenant, key: &str) -> Result<String, String> {
    tenant.service_principal(key).map(|it| it.id).ok_or_else(|| format!("there is no app {key:?} in {}", tenant.name))
}

fn vendor<'a>(tenant: &'a mut Tenant, key: &str) -> Result<&'a mut VendorApp, String> {
    let is_it =
        |it: &&mut VendorApp| [&it.id, &it.app_id, &it.name].into_iter().any(|name| name.eq_ignore_ascii_case(key));
    tenant.vendor_apps.iter_mut().find(is_it).ok_or_else(|| format!("there is no vendor app {key:?}"))
}

fn consent(state: &mut State, params: &Params) -> Done {
    let (key, scopes) = (params.text("app")?, params.text("scope")?);
    let tenant = tenant_of(state, params)?;
    let user = params.maybe("user").map(|user| user_id(tenant, &user)).transpose()?;
    let resource = service_principal(tenant, &params.maybe("resource").unwrap_or_else(|| "Microsoft Graph".into()))?;
    if tenant.service_principal(&key).is_none() {
        if !crate::ids::is_guid(&key) {
            return Err(format!(
                "there is no app {key:?} in {}; an app that is new there is named by its app id",
                tenant.name
            ));
        }
        let id = guid_of(&[&tenant.id, "service principal", &key]);
        let name = params.maybe("name").unwrap_or_else(|| key.clone());
        let owner = guid_of(&["vendor", &key]);
        tenant.vendor_apps.push(VendorApp {
            app_id: key.clone(),
            name,
            id,
            enabled: true,
            assignment_required: false,
            owner,
        });
    }
    let app = service_principal(tenant, &key)?;
    let new = scopes.split_whitespace().map(str::to_owned);
    match tenant.consents.iter_mut().find(|it| it.app == app && it.resource == resource && it.user == user) {
        Some(row) => {
            row.scopes.extend(new);
            row.scopes.sort();
            row.scopes.dedup();
        }
        None => tenant.consents.push(Consent { app: app.clone(), resource, scopes: new.collect(), user }),
    }
    Ok(json!({ "message": "consented", "service_principal": app }))
}

fn withdraw(state: &mut State, params: &Params) -> Done {
    let key = params.text("app")?;
    let tenant = tenant_of(state, params)?;
    let app = service_principal(tenant, &key)?;
    let user = params.maybe("user").map(|user| user_id(tenant, &user)).transpose()?;
    let resource = params.maybe("resource").map(|key| service_principal(tenant, &key)).transpose()?;
    let before = tenant.consents.len();
    tenant.consents.retain(|it| {
        !(it.app == app && it.user == user && resource.as_ref().is_none_or(|resource| it.resource == *resource))
    });
    said(if tenant.consents.len() < before { "withdrawn" } else { "there was none" })
}

fn block(state: &mut State, params: &Params, blocked: bool) -> Done {
    let key = params.text("app")?;
    vendor(tenant_of(state, params)?, &key)?.enabled = !blocked;
    said(if blocked { "blocked" } else { "unblocked" })
}

fn require(state: &mut State, params: &Params) -> Done {
    let key = params.text("app")?;
    vendor(tenant_of(state, params)?, &key)?.assignment_required = params.yes("required");
    said("set")
}

fn assign(state: &mut State, params: &Params, assigned: bool) -> Done {
    let (user, key) = (params.text("user")?, params.text("app")?);
    let tenant = tenant_of(state, params)?;
    let app = service_principal(tenant, &key)?;
    let principal = tenant.principal(&user).ok_or_else(|| format!("there is no user or group {user:?}"))?;
    tenant.app_assignments.retain(|it| !(it.app == app && it.principal == principal));
    if assigned {
        tenant.app_assignments.push(AppAssignment { app, principal });
    }
    said(if assigned { "assigned" } else { "unassigned" })
}

fn remove(state: &mut State, params: &Params) -> Done {
    let key = params.text("app")?;
    let tenant = tenant_of(state, params)?;
    let id = vendor(tenant, &key)?.id.clone();
    tenant.vendor_apps.retain(|it| it.id != id);
    tenant.consents.retain(|it| it.app != id);
    tenant.app_assignments.retain(|it| it.app != id);
    said("removed")
}
