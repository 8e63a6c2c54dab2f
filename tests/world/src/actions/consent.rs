//! What does a person do who signs in to Microsoft for a Keepit connector?

use serde_json::json;

use super::keepit::{account_of, connector, find};
use super::{Action, Done, Params, said};
use crate::catalog::{DYNAMICS_365_ADMINISTRATOR, GLOBAL_ADMINISTRATOR, directory_role_name};
use crate::ids::{guid_of, keepit_id};
use crate::state::{Account, Authorization, Connector, Job, State, Tenant};

pub const ACTIONS: &[Action] = &[
    Action {
        name: "sign-in-for-connector",
        does: "sign in to Microsoft as user= and create a connector; by= is the person at Keepit",
        needs: &["account", "name", "type", "user"],
        may: &["by"],
        run: sign_in,
    },
    Action {
        name: "reauthenticate",
        does: "sign in again for a connector; without user= as the account that did it before",
        needs: &["connector"],
        may: &["user", "by"],
        run: reauthenticate,
    },
];

/// What the vendor's page asks of the service account (seed 002): both roles now, a licence, a sign-in that is not blocked.
fn may_consent(tenant: &Tenant, key: &str) -> Result<String, String> {
    let user =
        tenant.user(key).ok_or_else(|| format!("Microsoft: We couldn't find an account with the username {key}."))?;
    if !user.enabled {
        return Err("Microsoft: AADSTS50057: The user account is disabled.".into());
    }
    let missing: Vec<&str> = [GLOBAL_ADMINISTRATOR, DYNAMICS_365_ADMINISTRATOR]
        .into_iter()
        .filter(|role| !tenant.holds(&user.id, role))
        .filter_map(directory_role_name)
        .collect();
    if !missing.is_empty() {
        return Err(format!(
            "Need admin approval: {key} does not have the role {}, which is needed to authorize a Dynamics 365 connector.",
            missing.join(" and ")
        ));
    }
    if !tenant.has_dynamics_license(user) {
        return Err(format!(
            "{key} has no valid Dynamics 365 license, which is needed to authorize a Dynamics 365 connector."
        ));
    }
    Ok(user.id.clone())
}

fn consent(state: &State, key: &str) -> Result<Authorization, String> {
    let tenant = state
        .tenants
        .iter()
        .find(|tenant| tenant.user(key).is_some())
        .or(state.tenants.first())
        .ok_or("this world has no tenant")?;
    Ok(Authorization { tenant: tenant.id.clone(), user: may_consent(tenant, key)?, time: state.now(), valid: true })
}

fn sign_in(state: &mut State, params: &Params) -> Done {
    let (key, name, kind, user) =
        (params.text("account")?, params.text("name")?, params.text("type")?, params.text("user")?);
    let account = account_of(state, &key)?;
    let by = person(account, params.maybe("by"))?;
    if account.connectors.iter().any(|it| it.name == name && it.deletion_deadline.is_none()) {
        return Err(format!("There is a connector with the name {name:?} already."));
    }
    let authorization = consent(state, &user)?;
    let now = state.now();
    let account = account_of(state, &key)?;
    // One connection per organization, reused by its later connectors (keepit.md §3).
    let orglink = guid_of(&[&account.id, "orglink", &authorization.tenant]);
    let id = keepit_id(3);
    let job = Job {
        id: keepit_id(4),
        kind: "backup".into(),
        description: "First backup".into(),
        scheduled: now,
        started: Some(now),
        ended: None,
        state: None,
    };
    account.connectors.push(Connector {
        id: id.clone(),
        name,
        kind,
        agent_type: None,
        created: Some(now),
        orglink: Some(orglink.clone()),
        retention: None,
        deletion_deadline: None,
        created_by: Some(by),
        access: Vec::new(),
        attributes: [("ng_backup_config".to_owned(), "{\"CRM\":{},\"PowerApps\":{},\"PowerAutomate\":{}}".to_owned())]
            .into(),
        authorization: Some(authorization),
        health: None,
        snapshots: Vec::new(),
        jobs: vec![job],
        reads: 0,
    });
    Ok(json!({ "message": "connector created, its first backup runs", "connector": id, "orglink": orglink }))
}

/// Repairs every connector of the connection (keepit.md §3).
fn reauthenticate(state: &mut State, params: &Params) -> Done {
    let key = params.text("connector")?;
    let (account, id) = find(state, &key)?;
    person(account_of(state, &account)?, params.maybe("by"))?;
    let before = connector(state, params)?.authorization.as_ref().map(|it| it.user.clone());
    let user = params.maybe("user").or(before).ok_or("nobody has signed in for this connector yet; say user=")?;
    let authorization = consent(state, &user)?;
    let account = account_of(state, &account)?;
    let tenant_link = guid_of(&[&account.id, "orglink", &authorization.tenant]);
    let link = account.connector(&id).and_then(|it| it.orglink.clone()).unwrap_or(tenant_link);
    for it in account.connectors.iter_mut().filter(|it| it.id == id || it.orglink.as_ref() == Some(&link)) {
        it.orglink = Some(link.clone());
        it.authorization = Some(authorization.clone());
        if it
            .health
            .as_ref()
            .is_some_and(|health| ["BADTOKEN", "BADLOGIN", "NONADMINLOGIN"].contains(&health.reason.as_str()))
        {
            it.health = None;
        }
    }
    said("reauthenticated")
}

/// Who sits at Keepit's page: must be Master or Backup Admin. Without a name, the person behind the account's first token.
fn person(account: &Account, by: Option<String>) -> Result<String, String> {
    let first = || account.tokens.first().map(|token| token.owner.clone().unwrap_or_else(|| token.login.clone()));
    let login = by.or_else(first).ok_or("the Keepit account has nobody who could sign in")?;
    let role = account
        .tokens
        .iter()
        .find(|token| token.login == login || token.owner.as_ref() == Some(&login))
        .map(|token| token.role.as_str());
    match role {
        Some("MasterAdmin" | "BackupAdmin") => Ok(login),
        Some(role) => Err(format!(
            "{login} is {role} at Keepit; creating and reauthenticating connectors takes a Master Admin or a Backup Admin."
        )),
        None => Err(format!("{login} has no sign-in at Keepit account {}", account.name)),
    }
}
