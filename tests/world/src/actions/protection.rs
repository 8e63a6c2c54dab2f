//! What does a security administrator do about second factors?

use super::{Action, Done, Params, said, tenant_of, word};
use crate::state::{AccessPolicy, PerUserMfa, PolicyState, State};

pub const ACTIONS: &[Action] = &[
    Action {
        name: "set-user-mfa",
        does: "per-user MFA: disabled, enabled or enforced",
        needs: &["user", "mfa"],
        may: &["tenant"],
        run: set_mfa,
    },
    Action {
        name: "register-mfa",
        does: "register a method (microsoftAuthenticatorPush, mobilePhone, …) for a user; without method= forget them all",
        needs: &["user"],
        may: &["method", "tenant"],
        run: register,
    },
    Action {
        name: "set-security-defaults",
        does: "switch security defaults on or off",
        needs: &["enabled"],
        may: &["tenant"],
        run: security_defaults,
    },
    Action {
        name: "set-access-policy",
        does: "change the state of a Conditional Access policy (enabled, disabled, enabledForReportingButNotEnforced), or make one that asks all of users= or role= for MFA",
        needs: &["policy", "state"],
        may: &["user", "role", "tenant"],
        run: access_policy,
    },
    Action {
        name: "remove-access-policy",
        does: "delete a Conditional Access policy",
        needs: &["policy"],
        may: &["tenant"],
        run: remove_policy,
    },
];

fn set_mfa(state: &mut State, params: &Params) -> Done {
    let (key, mfa) = (params.text("user")?, word::<PerUserMfa>(&params.text("mfa")?, "disabled, enabled, enforced")?);
    let tenant = tenant_of(state, params)?;
    tenant.user_mut(&key).ok_or_else(|| format!("there is no user {key:?}"))?.mfa = mfa;
    said("set")
}

fn register(state: &mut State, params: &Params) -> Done {
    let key = params.text("user")?;
    let tenant = tenant_of(state, params)?;
    let user = tenant.user_mut(&key).ok_or_else(|| format!("there is no user {key:?}"))?;
    match params.maybe("method") {
        Some(method) => user.mfa_methods.push(method),
        None => user.mfa_methods.clear(),
    }
    said("registered")
}

fn security_defaults(state: &mut State, params: &Params) -> Done {
    tenant_of(state, params)?.security_defaults = params.yes("enabled");
    said("set")
}

fn access_policy(state: &mut State, params: &Params) -> Done {
    const STATES: &str = "enabled, disabled, enabledForReportingButNotEnforced";
    let (name, policy_state) = (params.text("policy")?, word::<PolicyState>(&params.text("state")?, STATES)?);
    let tenant = tenant_of(state, params)?;
    if let Some(policy) = tenant.conditional_access.iter_mut().find(|it| it.name == name || it.id == name) {
        policy.state = policy_state;
        return said("set");
    }
    let users = match (params.maybe("user"), params.maybe("role")) {
        (Some(key), _) if key != "All" => {
            vec![tenant.principal(&key).ok_or_else(|| format!("there is no user {key:?}"))?]
        }
        (None, Some(_)) => Vec::new(),
        _ => vec!["All".to_owned()],
    };
    let roles = match params.maybe("role") {
        Some(key) => vec![tenant.role_id(&key).ok_or_else(|| format!("there is no directory role {key:?}"))?],
        None => Vec::new(),
    };
    tenant.conditional_access.push(AccessPolicy {
        id: crate::ids::guid_of(&[&tenant.id, "policy", &name]),
        name,
        state: policy_state,
        include_users: users,
        exclude_users: Vec::new(),
        include_groups: Vec::new(),
        exclude_groups: Vec::new(),
        include_roles: roles,
        exclude_roles: Vec::new(),
        include_applications: vec!["All".into()],
        exclude_applications: Vec::new(),
        controls: vec!["mfa".into()],
        strength: None,
    });
    said("made")
}

fn remove_policy(state: &mut State, params: &Params) -> Done {
    let name = params.text("policy")?;
    let tenant = tenant_of(state, params)?;
    let before = tenant.conditional_access.len();
    tenant.conditional_access.retain(|it| it.name != name && it.id != name);
    said(if tenant.conditional_access.len() < before { "removed" } else { "there was none" })
}
