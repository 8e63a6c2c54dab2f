//! What does an administrator do in the Power Platform admin center?

use serde_json::json;

use super::{Action, Done, Params, environment_of, is, said, tenant_of, user_id};
use crate::catalog::SYSTEM_ADMINISTRATOR;
use crate::state::{Environment, HeldRole, Runtime, State, SystemUser, settle_environment};

pub const ACTIONS: &[Action] = &[
    Action {
        name: "add-environment",
        does: "make an environment; without host= it has no Dataverse",
        needs: &["name", "sku"],
        may: &["id", "host", "security_group", "creator", "tenant"],
        run: add,
    },
    Action {
        name: "remove-environment",
        does: "delete an environment",
        needs: &["environment"],
        may: &[],
        run: remove,
    },
    Action {
        name: "rename-environment",
        does: "change an environment's display name",
        needs: &["environment", "name"],
        may: &[],
        run: rename,
    },
    Action {
        name: "set-runtime",
        does: "put an environment into Enabled, AdminMode or Disabled",
        needs: &["environment", "runtime"],
        may: &[],
        run: set_runtime,
    },
    Action {
        name: "add-application-user",
        does: "add an app to an environment; role= defaults to System Administrator",
        needs: &["environment", "app"],
        may: &["role"],
        run: add_app,
    },
    Action {
        name: "remove-application-user",
        does: "take an app out of an environment",
        needs: &["environment", "app"],
        may: &[],
        run: remove_row,
    },
    Action {
        name: "delete-application-user",
        does: "delete an app's row softly: it stays, with deletedstate 1, and a new one can't be made",
        needs: &["environment", "app"],
        may: &[],
        run: |state, params| delete_app(state, params, true),
    },
    Action {
        name: "restore-application-user",
        does: "take that back",
        needs: &["environment", "app"],
        may: &[],
        run: |state, params| delete_app(state, params, false),
    },
    Action {
        name: "grant-security-role",
        does: "give a user= or app= a security role",
        needs: &["environment", "role"],
        may: &["user", "app"],
        run: |state, params| role(state, params, true),
    },
    Action {
        name: "remove-security-role",
        does: "take a security role away",
        needs: &["environment", "role"],
        may: &["user", "app"],
        run: |state, params| role(state, params, false),
    },
];

fn add(state: &mut State, params: &Params) -> Done {
    let name = params.text("name")?;
    let host = params.maybe("host");
    if host.as_ref().is_some_and(|host| state.service(host).is_some()) {
        return Err(format!("the host {host:?} is taken"));
    }
    let tenant = tenant_of(state, params)?;
    let mut environment = Environment {
        id: params.maybe("id").unwrap_or_default(),
        name,
        sku: params.text("sku")?,
        host,
        location: "europe".into(),
        runtime: Runtime::Enabled,
        security_group: params.maybe("security_group"),
        creator: params.maybe("creator"),
        organization_id: String::new(),
        business_unit: String::new(),
        roles: Vec::new(),
        users: Vec::new(),
        teams: Vec::new(),
        tables: Vec::new(),
    };
    settle_environment(tenant, &mut environment)?;
    let id = environment.id.clone();
    tenant.environments.push(environment);
    Ok(json!({ "message": "made", "id": id }))
}

fn remove(state: &mut State, params: &Params) -> Done {
    let key = params.text("environment")?;
    let (tenant, _) = environment_of(state, &key)?;
    state.tenants[tenant].environments.retain(|it| !is(it, &key));
    said("deleted")
}

pub fn environment<'a>(state: &'a mut State, params: &Params) -> Result<&'a mut Environment, String> {
    let (tenant, at) = environment_of(state, &params.text("environment")?)?;
    Ok(&mut state.tenants[tenant].environments[at])
}

fn rename(state: &mut State, params: &Params) -> Done {
    environment(state, params)?.name = params.text("name")?;
    said("renamed")
}

fn set_runtime(state: &mut State, params: &Params) -> Done {
    environment(state, params)?.runtime = match params.text("runtime")?.as_str() {
        "Enabled" => Runtime::Enabled,
        "AdminMode" => Runtime::AdminMode,
        "Disabled" => Runtime::Disabled,
        other => return Err(format!("{other:?} is none of Enabled, AdminMode, Disabled")),
    };
    said("set")
}

pub fn role_of(environment: &Environment, key: &str) -> Result<HeldRole, String> {
    environment
        .role(key)
        .map(|role| HeldRole::from(role.id.clone()))
        .ok_or_else(|| format!("{} has no security role {key:?}", environment.name))
}

fn add_app(state: &mut State, params: &Params) -> Done {
    let (tenant, at) = environment_of(state, &params.text("environment")?)?;
    let key = params.text("app")?;
    let client_id = state.tenants[tenant]
        .service_principal(&key)
        .map(|app| app.app_id)
        .ok_or_else(|| format!("there is no app {key:?}"))?;
    let environment = &mut state.tenants[tenant].environments[at];
    match environment.any_row_of_app(&client_id) {
        Some(row) if row.deleted => return Err("a deleted row of this app is in the way; restore it".into()),
        Some(_) => return said("there already"),
        None => {}
    }
    let role = role_of(environment, &params.maybe("role").unwrap_or_else(|| SYSTEM_ADMINISTRATOR.into()))?;
    let row = SystemUser { roles: vec![role], ..SystemUser::of_application(&environment.id, &client_id) };
    environment.users.push(row);
    said("added")
}

/// The id of the row that `user=` or `app=` means.
pub fn row_id(state: &mut State, params: &Params) -> Result<String, String> {
    let (tenant, at) = environment_of(state, &params.text("environment")?)?;
    let found = match (params.maybe("user"), params.maybe("app")) {
        (Some(user), None) => {
            let id = user_id(&state.tenants[tenant], &user)?;
            state.tenants[tenant].environments[at].row_of_user(&id).map(|row| row.id.clone())
        }
        (None, Some(app)) => state.tenants[tenant].environments[at].any_row_of_app(&app).map(|row| row.id.clone()),
        _ => return Err("say either user= or app=".into()),
    };
    found.ok_or_else(|| "that one is not in the environment".into())
}

pub fn remove_row(state: &mut State, params: &Params) -> Done {
    let id = row_id(state, params)?;
    environment(state, params)?.users.retain(|row| row.id != id);
    said("removed")
}

fn delete_app(state: &mut State, params: &Params, deleted: bool) -> Done {
    let id = row_id(state, params)?;
    environment(state, params)?.row_mut(&id).ok_or("gone")?.deleted = deleted;
    said(if deleted { "deleted" } else { "restored" })
}

fn role(state: &mut State, params: &Params, granted: bool) -> Done {
    let id = row_id(state, params)?;
    let environment = environment(state, params)?;
    let role = role_of(environment, &params.text("role")?)?;
    let row = environment.row_mut(&id).ok_or("gone")?;
    row.roles.retain(|held| held.role != role.role);
    if granted {
        row.roles.push(role);
    }
    said(if granted { "granted" } else { "removed" })
}
