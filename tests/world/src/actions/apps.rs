//! What does an administrator do with the operator's app registration?

use super::{Action, Done, Params, said, tenant_of};
use crate::state::{App, AppSecret, Certificate, FederatedCredential, Secret, State};

pub const ACTIONS: &[Action] = &[
    Action {
        name: "grant-permission",
        does: "grant an app a Graph application permission; reaches it with its next token, or now=true",
        needs: &["app", "permission"],
        may: &["now", "tenant"],
        run: |state, params| permission(state, params, true),
    },
    Action {
        name: "withdraw-permission",
        does: "withdraw a Graph application permission; reaches the app with its next token, or now=true",
        needs: &["app", "permission"],
        may: &["now", "tenant"],
        run: |state, params| permission(state, params, false),
    },
    Action {
        name: "rotate-secret",
        does: "give an app a new client secret; keep=true leaves the old ones valid",
        needs: &["app", "value"],
        may: &["keep", "tenant"],
        run: rotate,
    },
    Action {
        name: "expire-secrets",
        does: "let all client secrets of an app expire",
        needs: &["app"],
        may: &["tenant"],
        run: expire_secrets,
    },
    Action {
        name: "register-certificate",
        does: "give an app a certificate (PEM) to sign in with",
        needs: &["app", "pem"],
        may: &["tenant"],
        run: register_certificate,
    },
    Action {
        name: "trust-identity",
        does: "let an app be signed in to by somebody's tokens; keys is a list of PEM public keys or JWKs",
        needs: &["app", "issuer", "subject", "keys"],
        may: &["audience", "tenant"],
        run: trust,
    },
    Action {
        name: "expire-tokens",
        does: "void the access tokens that are out (of one app, or all)",
        needs: &[],
        may: &["app"],
        run: expire_tokens,
    },
    Action {
        name: "enable-app",
        does: "let an app sign in again",
        needs: &["app"],
        may: &["tenant"],
        run: |state, params| enable(state, params, true),
    },
    Action {
        name: "disable-app",
        does: "let an app sign in no more",
        needs: &["app"],
        may: &["tenant"],
        run: |state, params| enable(state, params, false),
    },
    Action {
        name: "register-management-application",
        does: "register an app with Power Platform, as only a person can",
        needs: &["app"],
        may: &["tenant"],
        run: |state, params| register(state, params, true),
    },
    Action {
        name: "unregister-management-application",
        does: "take that registration back",
        needs: &["app"],
        may: &["tenant"],
        run: |state, params| register(state, params, false),
    },
];

fn app<'a>(state: &'a mut State, params: &Params) -> Result<&'a mut App, String> {
    let key = params.text("app")?;
    let tenant = tenant_of(state, params)?;
    tenant
        .apps
        .iter_mut()
        .find(|app| app.client_id.eq_ignore_ascii_case(&key) || app.name == key)
        .ok_or_else(|| format!("there is no app {key:?}"))
}

fn permission(state: &mut State, params: &Params, granted: bool) -> Done {
    let permission = params.text("permission")?;
    let found = app(state, params)?;
    found.graph_permissions.retain(|it| *it != permission);
    if granted {
        found.graph_permissions.push(permission);
    }
    let client_id = found.client_id.clone();
    if params.yes("now") {
        state.issued.retain(|_, issued| issued.client_id != client_id);
        return said("done, and the tokens that were out are void");
    }
    said("done; reaches the app with its next token")
}

fn rotate(state: &mut State, params: &Params) -> Done {
    let value = Secret::new(params.text("value")?);
    let keep = params.yes("keep");
    let found = app(state, params)?;
    if !keep {
        found.secrets.clear();
    }
    found.secrets.push(AppSecret { value, expires: None });
    said("rotated")
}

fn expire_secrets(state: &mut State, params: &Params) -> Done {
    let now = state.now();
    for secret in &mut app(state, params)?.secrets {
        secret.expires = Some(now);
    }
    said("expired")
}

fn register_certificate(state: &mut State, params: &Params) -> Done {
    let certificate = Certificate { pem: params.text("pem")?, expires: None };
    app(state, params)?.certificates.push(certificate);
    said("registered")
}

fn trust(state: &mut State, params: &Params) -> Done {
    let keys = serde_json::from_str(&params.text("keys")?).map_err(|_| "keys is no list".to_owned())?;
    let usual = state.hosts.exchange_audience.clone();
    let credential = FederatedCredential {
        issuer: params.text("issuer")?,
        subject: params.text("subject")?,
        audience: params.maybe("audience").unwrap_or(usual),
        keys,
    };
    app(state, params)?.federated.push(credential);
    said("trusted")
}

fn expire_tokens(state: &mut State, params: &Params) -> Done {
    let (now, only) = (state.now(), params.maybe("app"));
    let mut count = 0;
    for issued in state
        .issued
        .values_mut()
        .filter(|issued| only.as_ref().is_none_or(|app| issued.client_id.eq_ignore_ascii_case(app)))
    {
        issued.expires = now;
        count += 1;
    }
    said(format!("{count} tokens expired"))
}

fn enable(state: &mut State, params: &Params, enabled: bool) -> Done {
    app(state, params)?.enabled = enabled;
    said(if enabled { "enabled" } else { "disabled" })
}

fn register(state: &mut State, params: &Params, registered: bool) -> Done {
    app(state, params)?.management_application = registered;
    said(if registered { "registered" } else { "unregistered" })
}
