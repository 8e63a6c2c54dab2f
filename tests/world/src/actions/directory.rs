//! What does an administrator do in the Microsoft 365 admin center?

use serde_json::json;

use super::{Action, Done, Params, said, tenant_of, user_id};
use crate::catalog::GLOBAL_ADMINISTRATOR;
use crate::ids::fresh_guid;
use crate::state::{Lag, PerUserMfa, RoleAssignment, SignIns, State, User};

pub const ACTIONS: &[Action] = &[
    Action {
        name: "grant-directory-role",
        does: "give a user (or group, or app) a directory role",
        needs: &["user", "role"],
        may: &["scope", "tenant"],
        run: grant_role,
    },
    Action {
        name: "remove-directory-role",
        does: "take a directory role away",
        needs: &["user", "role"],
        may: &["scope", "tenant"],
        run: remove_role,
    },
    Action {
        name: "enable-user",
        does: "let a user sign in again",
        needs: &["user"],
        may: &["tenant"],
        run: |state, params| enable(state, params, true),
    },
    Action {
        name: "disable-user",
        does: "block a user's sign-in; what they consented to dies with it",
        needs: &["user"],
        may: &["tenant"],
        run: |state, params| enable(state, params, false),
    },
    Action {
        name: "sign-in",
        does: "sign in somewhere; failed=true is an attempt, interactive=false comes from a refresh token",
        needs: &["user"],
        may: &["failed", "interactive", "tenant"],
        run: sign_in,
    },
    Action { name: "add-user", does: "make a user", needs: &["user"], may: &["name", "tenant"], run: add_user },
    Action {
        name: "rename-user",
        does: "give a user another name to sign in with; the object id stays",
        needs: &["user", "name"],
        may: &["tenant"],
        run: rename,
    },
    Action {
        name: "delete-user",
        does: "delete a user with everything they hold",
        needs: &["user"],
        may: &["tenant"],
        run: |state, params| delete(state, params).and_then(|_| said("deleted")),
    },
    Action {
        name: "replace-user",
        does: "delete a user and make a new one of the same name: another object id, without roles and licences",
        needs: &["user"],
        may: &["keep_licenses", "tenant"],
        run: replace,
    },
    Action {
        name: "change-password",
        does: "change a user's password now",
        needs: &["user"],
        may: &["tenant"],
        run: change_password,
    },
    Action {
        name: "add-to-group",
        does: "put a user into a group",
        needs: &["user", "group"],
        may: &["tenant"],
        run: |state, params| member(state, params, true),
    },
    Action {
        name: "remove-from-group",
        does: "take a user out of a group",
        needs: &["user", "group"],
        may: &["tenant"],
        run: |state, params| member(state, params, false),
    },
];

fn rename(state: &mut State, params: &Params) -> Done {
    let (key, name) = (params.text("user")?, params.text("name")?);
    let tenant = tenant_of(state, params)?;
    if tenant.user(&name).is_some() {
        return Err(format!("{name} is taken"));
    }
    tenant.user_mut(&key).ok_or_else(|| format!("there is no user {key:?}"))?.principal_name = name;
    said("renamed")
}

fn grant_role(state: &mut State, params: &Params) -> Done {
    let (key, role, scope) =
        (params.text("user")?, params.text("role")?, params.maybe("scope").unwrap_or_else(|| "/".into()));
    let tenant = tenant_of(state, params)?;
    let principal = tenant.principal(&key).ok_or_else(|| format!("there is no user, group or app {key:?}"))?;
    let role = tenant.role_id(&role).ok_or_else(|| format!("there is no directory role {role:?}"))?;
    if tenant
        .role_assignments
        .iter()
        .any(|it| it.lag.is_real() && it.principal == principal && it.role == role && it.scope == scope)
    {
        return said("held already");
    }
    tenant.role_assignments.push(RoleAssignment::plain(principal, role, scope));
    said("granted")
}

fn remove_role(state: &mut State, params: &Params) -> Done {
    let (key, role, scope) =
        (params.text("user")?, params.text("role")?, params.maybe("scope").unwrap_or_else(|| "/".into()));
    let tenant = tenant_of(state, params)?;
    let principal = tenant.principal(&key).ok_or_else(|| format!("there is no user, group or app {key:?}"))?;
    let role = tenant.role_id(&role).ok_or_else(|| format!("there is no directory role {role:?}"))?;
    let others = tenant
        .role_assignments
        .iter()
        .filter(|it| it.lag.is_real() && it.role == GLOBAL_ADMINISTRATOR && it.principal != principal)
        .count();
    if role == GLOBAL_ADMINISTRATOR && others == 0 && tenant.holds(&principal, &role) {
        return Err("the last Global Administrator of a tenant cannot be removed".into());
    }
    let before = tenant.role_assignments.len();
    tenant.role_assignments.retain(|it| !(it.principal == principal && it.role == role && it.scope == scope));
    said(if tenant.role_assignments.len() < before { "removed" } else { "was not held" })
}

fn enable(state: &mut State, params: &Params, enabled: bool) -> Done {
    let key = params.text("user")?;
    user_mut(state, params, &key)?.enabled = enabled;
    said(if enabled { "enabled" } else { "disabled" })
}

fn sign_in(state: &mut State, params: &Params) -> Done {
    let (key, now) = (params.text("user")?, state.now());
    let background = params.maybe("interactive").is_some() && !params.yes("interactive");
    let user = user_mut(state, params, &key)?;
    let failed = params.yes("failed") || !user.enabled;
    *(if background { &mut user.sign_ins.non_interactive } else { &mut user.sign_ins.interactive }) = Some(now);
    if !failed {
        user.sign_ins.successful = Some(now);
    }
    said(if failed { "refused" } else { "signed in" })
}

fn add_user(state: &mut State, params: &Params) -> Done {
    let key = params.text("user")?;
    let name = params.maybe("name").unwrap_or_else(|| key.clone());
    let reads = state.switches.lag.fresh_principal_reads;
    let tenant = tenant_of(state, params)?;
    if tenant.user(&key).is_some() {
        return Err(format!("there is a user {key:?} already"));
    }
    let domain = key.split_once('@').map(|(_, domain)| domain.to_owned()).unwrap_or_default();
    if !tenant.domains.contains(&domain) {
        return Err(format!("{domain:?} is no verified domain of {}", tenant.name));
    }
    let id = fresh_guid();
    tenant.users.push(User { lag: Lag::written(reads), ..User::new(&id, &key, &name) });
    Ok(json!({ "message": "made", "id": id }))
}

fn delete(state: &mut State, params: &Params) -> Result<User, String> {
    let key = params.text("user")?;
    let tenant = tenant_of(state, params)?;
    let id = user_id(tenant, &key)?;
    let at = tenant.users.iter().position(|user| user.id == id).ok_or("gone")?;
    tenant.role_assignments.retain(|it| it.principal != id);
    tenant.eligible_roles.retain(|it| it.principal != id);
    tenant.consents.retain(|it| it.user.as_ref() != Some(&id));
    tenant.app_assignments.retain(|it| it.principal != id);
    for group in &mut tenant.groups {
        group.members.retain(|member| *member != id);
    }
    // Their systemuser rows stay behind, as they do in Dataverse.
    Ok(tenant.users.remove(at))
}

fn replace(state: &mut State, params: &Params) -> Done {
    let old = delete(state, params)?;
    let reads = state.switches.lag.fresh_principal_reads;
    let tenant = tenant_of(state, params)?;
    let id = fresh_guid();
    let mut new = User { lag: Lag::written(reads), ..User::new(&id, &old.principal_name, &old.display_name) };
    if params.yes("keep_licenses") {
        new.licenses = old.licenses;
    }
    tenant.users.push(new);
    Ok(json!({ "message": "replaced", "old": old.id, "id": id }))
}

fn change_password(state: &mut State, params: &Params) -> Done {
    let (key, now) = (params.text("user")?, state.now());
    user_mut(state, params, &key)?.last_password_change = Some(now);
    said("changed")
}

fn member(state: &mut State, params: &Params, inside: bool) -> Done {
    let (key, group) = (params.text("user")?, params.text("group")?);
    let tenant = tenant_of(state, params)?;
    let id = tenant.principal(&key).ok_or_else(|| format!("there is no user or group {key:?}"))?;
    let found = tenant
        .groups
        .iter_mut()
        .find(|it| it.id == group || it.name == group)
        .ok_or_else(|| format!("there is no group {group:?}"))?;
    found.members.retain(|member| *member != id);
    if inside {
        found.members.push(id);
    }
    said(if inside { "added" } else { "removed" })
}

fn user_mut<'a>(state: &'a mut State, params: &Params, key: &str) -> Result<&'a mut User, String> {
    tenant_of(state, params)?.user_mut(key).ok_or_else(|| format!("there is no user {key:?}"))
}

impl User {
    fn new(id: &str, principal_name: &str, display_name: &str) -> Self {
        Self {
            id: id.into(),
            principal_name: principal_name.into(),
            display_name: display_name.into(),
            enabled: true,
            user_type: "Member".into(),
            usage_location: None,
            on_premises_synced: false,
            licenses: Vec::new(),
            extra_plans: Vec::new(),
            last_password_change: None,
            password_policies: None,
            sign_ins: SignIns::default(),
            mfa: PerUserMfa::default(),
            mfa_methods: Vec::new(),
            license_syncs: 0,
            license_reads: 0,
            lag: Lag::default(),
        }
    }
}
