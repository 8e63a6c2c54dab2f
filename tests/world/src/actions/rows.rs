//! What happens to a person's row in an environment?

use super::power::{environment, role_of, row_id};
use super::{Action, Done, Params, environment_of, said, user_id};
use crate::catalog::{
    DYNAMICS_365_ADMINISTRATOR, GLOBAL_ADMINISTRATOR, POWER_PLATFORM_ADMINISTRATOR, SYSTEM_ADMINISTRATOR,
};
use crate::state::{HeldRole, Runtime, State, SystemUser};

pub const ACTIONS: &[Action] = &[
    Action {
        name: "add-environment-user",
        does: "add a user to an environment, with role= if given",
        needs: &["environment", "user"],
        may: &["role", "mode"],
        run: add_user,
    },
    Action {
        name: "remove-environment-user",
        does: "take a user's row out of an environment",
        needs: &["environment", "user"],
        may: &[],
        run: super::power::remove_row,
    },
    Action {
        name: "open-environment",
        does: "use an environment as user=: whoever is entitled gets a row, or theirs is switched on again",
        needs: &["environment", "user"],
        may: &[],
        run: open,
    },
    Action {
        name: "self-elevate",
        does: "as an administrator, take System Administrator in an environment; ends with the PIM role that it comes from",
        needs: &["environment", "user"],
        may: &[],
        run: self_elevate,
    },
    Action {
        name: "set-access-mode",
        does: "0 Read-Write, 1 Administrative, 2 Read, 4 Non-interactive",
        needs: &["environment", "user", "mode"],
        may: &[],
        run: set_mode,
    },
    Action {
        name: "disable-environment-user",
        does: "switch a user's row off",
        needs: &["environment", "user"],
        may: &[],
        run: |state, params| disable(state, params, true),
    },
    Action {
        name: "enable-environment-user",
        does: "switch a user's row on",
        needs: &["environment", "user"],
        may: &[],
        run: |state, params| disable(state, params, false),
    },
];

fn add_user(state: &mut State, params: &Params) -> Done {
    let (tenant, at) = environment_of(state, &params.text("environment")?)?;
    let id = user_id(&state.tenants[tenant], &params.text("user")?)?;
    let environment = &mut state.tenants[tenant].environments[at];
    if environment.row_of_user(&id).is_some() {
        return said("there already");
    }
    let roles = params.maybe("role").map(|key| role_of(environment, &key)).transpose()?.into_iter().collect();
    let mode = params.number("mode")?.unwrap_or(0);
    let row = SystemUser { roles, access_mode: mode, ..SystemUser::of_person(&environment.id, &id) };
    environment.users.push(row);
    said("added")
}

/// First use (microsoft.md §2.3, §3.2): the only way into a Teams environment, where members of the team get Basic User [M].
fn open(state: &mut State, params: &Params) -> Done {
    let (t, at) = environment_of(state, &params.text("environment")?)?;
    let tenant = &mut state.tenants[t];
    let id = user_id(tenant, &params.text("user")?)?;
    let user = tenant.user(&id).cloned().ok_or("gone")?;
    let (licensed, environment) = (tenant.has_dynamics_license(&user), &tenant.environments[at]);
    let is_teams = environment.sku == "Teams";
    if environment.host.is_none() {
        return Err("there is nothing to open without Dataverse".into());
    }
    if environment.runtime != Runtime::Enabled {
        return Err("the environment is not open to users now".into());
    }
    if environment.sku == "Developer" && environment.creator.as_ref() != Some(&id) {
        return Err("a developer environment lets in only the user who created it".into());
    }
    // Teams environments come with the license of Teams, which is not modelled.
    if !user.enabled || !environment.lets_in(tenant, &id) || !(licensed || is_teams) {
        return Err("You do not have access: disabled, not licensed, or not in the security group.".into());
    }
    let environment = &mut tenant.environments[at];
    if let Some(row) = environment.row_of_user(&id) {
        row.disabled = false;
        return said("let in");
    }
    let roles = if is_teams { vec![role_of(environment, "Basic User")?] } else { Vec::new() };
    let row = SystemUser { roles, ..SystemUser::of_person(&environment.id, &id) };
    environment.users.push(row);
    said("let in, with a row of their own")
}

/// Only for oneself, and not by a role that a group holds (microsoft.md §0.1, §0.2).
fn self_elevate(state: &mut State, params: &Params) -> Done {
    let (t, at) = environment_of(state, &params.text("environment")?)?;
    let tenant = &mut state.tenants[t];
    let id = user_id(tenant, &params.text("user")?)?;
    let administrators = [GLOBAL_ADMINISTRATOR, POWER_PLATFORM_ADMINISTRATOR, DYNAMICS_365_ADMINISTRATOR];
    let own: Vec<_> = tenant
        .role_assignments
        .iter()
        .filter(|it| it.lag.is_real() && it.principal == id && administrators.contains(&it.role.as_str()))
        .collect();
    if own.is_empty() {
        return Err("not an administrator of Power Platform (a role held through a group does not count)".into());
    }
    // A role for good outweighs one for a time [I].
    let lasting = own.iter().any(|it| it.schedule.is_none());
    let by_schedule = if lasting { None } else { own.iter().find_map(|it| it.schedule.clone()) };
    let environment = &mut tenant.environments[at];
    if environment.host.is_none() {
        return Err("there is no Dataverse in this environment".into());
    }
    let role = HeldRole { by_schedule, ..role_of(environment, SYSTEM_ADMINISTRATOR)? };
    if environment.row_of_user(&id).is_none() {
        let row = SystemUser { setup: true, access_mode: 1, ..SystemUser::of_person(&environment.id, &id) };
        environment.users.push(row);
    }
    let row = environment.row_of_user(&id).ok_or("gone")?;
    if row.roles.iter().any(|held| held.role == role.role && held.lag.is_real()) {
        return said("held already");
    }
    row.roles.push(role);
    said("elevated")
}

fn set_mode(state: &mut State, params: &Params) -> Done {
    let (id, mode) = (row_id(state, params)?, params.number("mode")?.unwrap_or(0));
    environment(state, params)?.row_mut(&id).ok_or("gone")?.access_mode = mode;
    said("set")
}

fn disable(state: &mut State, params: &Params, disabled: bool) -> Done {
    let id = row_id(state, params)?;
    environment(state, params)?.row_mut(&id).ok_or("gone")?.disabled = disabled;
    said(if disabled { "disabled" } else { "enabled" })
}
