//! What else is done in Keepit's pages, and what happens there by itself?

use jiff::SignedDuration;

use super::{Action, Done, Params, said};
use crate::state::{Account, Connector, Health, Secret, State};

pub const ACTIONS: &[Action] = &[
    Action {
        name: "finish-backup",
        does: "end the running backup: result=complete (default), partial or failed; hours_ago= puts it into the past",
        needs: &["connector"],
        may: &["result", "hours_ago"],
        run: finish_backup,
    },
    Action {
        name: "age-backups",
        does: "make a connector and its backups so many hours older",
        needs: &["connector", "hours"],
        may: &[],
        run: age,
    },
    Action {
        name: "break-authorization",
        does: "let the consent die: health becomes critical, BADTOKEN unless reason= says otherwise",
        needs: &["connector"],
        may: &["reason"],
        run: break_authorization,
    },
    Action {
        name: "set-health",
        does: "say what health the connector has, whatever else is true",
        needs: &["connector", "state", "reason"],
        may: &[],
        run: set_health,
    },
    Action {
        name: "clear-health",
        does: "let health follow from the rest again",
        needs: &["connector"],
        may: &[],
        run: clear_health,
    },
    Action {
        name: "rename-connector",
        does: "give a connector another name",
        needs: &["connector", "name"],
        may: &[],
        run: rename,
    },
    Action {
        name: "save-configuration",
        does: "choose what a connector backs up, and save that",
        needs: &["connector"],
        may: &[],
        run: save,
    },
    Action {
        name: "delete-connector",
        does: "delete a connector: it stays for 30 days, listed only with all=1",
        needs: &["connector"],
        may: &[],
        run: delete,
    },
    Action { name: "restore-connector", does: "take a deletion back", needs: &["connector"], may: &[], run: restore },
    Action {
        name: "hide-connector",
        does: "let no token see it but those of Master, Compliance and Audit Admins",
        needs: &["connector"],
        may: &[],
        run: hide,
    },
    Action {
        name: "share-connector",
        does: "let a login of the account see it",
        needs: &["connector", "login"],
        may: &[],
        run: share,
    },
    Action {
        name: "rotate-keepit-token",
        does: "give a token another password",
        needs: &["login", "password"],
        may: &[],
        run: rotate,
    },
    Action {
        name: "disable-keepit-token",
        does: "let a token sign in no more",
        needs: &["login"],
        may: &[],
        run: disable_token,
    },
    Action {
        name: "set-token-role",
        does: "give a token another role (MasterAdmin, BackupAdmin, AuditAdmin, …)",
        needs: &["login", "role"],
        may: &[],
        run: set_role,
    },
];

fn finish_backup(state: &mut State, params: &Params) -> Done {
    let result = params.maybe("result").unwrap_or_else(|| "complete".into());
    if !["complete", "partial", "failed"].contains(&result.as_str()) {
        return Err(format!("{result:?} is none of complete, partial, failed"));
    }
    let hours = params.number("hours_ago")?.unwrap_or(0);
    let time = state.now().checked_sub(SignedDuration::from_hours(hours)).map_err(|error| error.to_string())?;
    let (account, id) = find(state, &params.text("connector")?)?;
    let found = account_of(state, &account)?.connector(&id).cloned().ok_or("gone")?;
    if result != "failed" && !crate::services::keepit::is_authorized(&state.tenants, &found) {
        return Err("the authorization of this connector is dead: its backup cannot succeed".into());
    }
    connector(state, params)?.finish_backup(&result, time);
    said(format!("backup {result}"))
}

fn age(state: &mut State, params: &Params) -> Done {
    let by = SignedDuration::from_hours(params.number("hours")?.unwrap_or(0));
    let found = connector(state, params)?;
    let jobs = found
        .jobs
        .iter_mut()
        .flat_map(|job| [Some(&mut job.scheduled), job.started.as_mut(), job.ended.as_mut()])
        .flatten();
    let times = found.snapshots.iter_mut().map(|it| &mut it.time).chain(&mut found.created).chain(jobs);
    for time in times {
        *time = time.checked_sub(by).map_err(|error| error.to_string())?;
    }
    for job in found.jobs.iter_mut().filter(|job| job.state.is_none()) {
        job.ended = job.started;
        job.state = Some("unsuccessful".into());
    }
    said("aged")
}

fn break_authorization(state: &mut State, params: &Params) -> Done {
    let reason = params.maybe("reason");
    let found = connector(state, params)?;
    found.authorization.as_mut().ok_or("nobody has signed in for this connector yet")?.valid = false;
    found.health = reason.map(|reason| Health { state: "critical".into(), reason });
    said("broken")
}

fn set_health(state: &mut State, params: &Params) -> Done {
    let health = Health { state: params.text("state")?, reason: params.text("reason")? };
    connector(state, params)?.health = Some(health);
    said("set")
}

fn clear_health(state: &mut State, params: &Params) -> Done {
    connector(state, params)?.health = None;
    said("cleared")
}

fn rename(state: &mut State, params: &Params) -> Done {
    connector(state, params)?.name = params.text("name")?;
    said("renamed")
}

/// Nothing is backed up before that (keepit.md §2.5).
fn save(state: &mut State, params: &Params) -> Done {
    connector(state, params)?.attributes.insert("ng_backup_config".to_owned(), "{}".to_owned());
    said("saved")
}

fn delete(state: &mut State, params: &Params) -> Done {
    let deadline = state.now().checked_add(SignedDuration::from_hours(24 * 30)).map_err(|error| error.to_string())?;
    connector(state, params)?.deletion_deadline = Some(deadline);
    said("scheduled for deletion")
}

fn restore(state: &mut State, params: &Params) -> Done {
    connector(state, params)?.deletion_deadline = None;
    said("restored")
}

fn hide(state: &mut State, params: &Params) -> Done {
    let found = connector(state, params)?;
    found.created_by = None;
    found.access.clear();
    said("hidden")
}

fn share(state: &mut State, params: &Params) -> Done {
    let login = params.text("login")?;
    connector(state, params)?.access.push(login);
    said("shared")
}

fn rotate(state: &mut State, params: &Params) -> Done {
    let password = Secret::new(params.text("password")?);
    token(state, params)?.password = password;
    said("rotated")
}

fn disable_token(state: &mut State, params: &Params) -> Done {
    token(state, params)?.enabled = false;
    said("disabled")
}

fn set_role(state: &mut State, params: &Params) -> Done {
    token(state, params)?.role = params.text("role")?;
    said("set")
}

pub fn account_of<'a>(state: &'a mut State, key: &str) -> Result<&'a mut Account, String> {
    let mut accounts = state.keepit.iter_mut().flat_map(|region| &mut region.accounts);
    accounts
        .find(|account| account.id == key || account.name == key)
        .ok_or_else(|| format!("there is no Keepit account {key:?}"))
}

/// Account id and connector id of a connector named by id or name.
pub fn find(state: &State, key: &str) -> Result<(String, String), String> {
    let mut accounts = state.keepit.iter().flat_map(|region| &region.accounts);
    accounts
        .find_map(|account| account.connector(key).map(|it| (account.id.clone(), it.id.clone())))
        .ok_or_else(|| format!("there is no connector {key:?}"))
}

pub fn connector<'a>(state: &'a mut State, params: &Params) -> Result<&'a mut Connector, String> {
    let (account, id) = find(state, &params.text("connector")?)?;
    account_of(state, &account)?.connector_mut(&id).ok_or_else(|| "gone".into())
}

fn token<'a>(state: &'a mut State, params: &Params) -> Result<&'a mut crate::state::Token, String> {
    let login = params.text("login")?;
    let mut tokens =
        state.keepit.iter_mut().flat_map(|region| &mut region.accounts).flat_map(|account| &mut account.tokens);
    tokens.find(|token| token.login == login).ok_or_else(|| format!("there is no Keepit sign-in {login:?}"))
}
