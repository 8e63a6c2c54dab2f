//! What does an administrator do under App registrations and Security of AvePoint Online Services? (facts: avepoint-fluentpro §1)

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{Note, aos_of, note};
use crate::actions::{Action, Done, Params, said};
use crate::ids::fresh_guid;
use crate::services::jwt::{allows_digital_signature, certificate};
use crate::state::{AppSecret, Certificate, Product, Registration, Secret, State, is_known_scope};

pub const ACTIONS: &[Action] = &[
    Action {
        name: "register-aos-app",
        does: "register an app for AvePoint's API, with secret= (years= 1, 2 or 3) or the certificate pem=; scopes= is space separated",
        needs: &["name", "scopes"],
        may: &["secret", "years", "pem", "client_id", "aos", "by"],
        run: register,
    },
    Action {
        name: "rotate-aos-secret",
        does: "give a registration a new secret (years= 1, 2 or 3); keep=true leaves the old ones valid",
        needs: &["app", "value"],
        may: &["keep", "years", "aos", "by"],
        run: rotate,
    },
    Action {
        name: "expire-aos-credentials",
        does: "let the secrets and certificates of a registration expire",
        needs: &["app"],
        may: &["aos"],
        run: expire,
    },
    Action {
        name: "change-aos-permissions",
        does: "give a registration these permissions instead; reaches it with its next token",
        needs: &["app", "scopes"],
        may: &["aos", "by"],
        run: change,
    },
    Action {
        name: "delete-aos-app",
        does: "delete a registration; the tokens that are out live to their end",
        needs: &["app"],
        may: &["aos", "by"],
        run: delete,
    },
    Action {
        name: "restrict-aos-addresses",
        does: "switch Trusted IP addresses on (enabled=true: whoever calls here is on no list) or off",
        needs: &["enabled"],
        may: &["aos"],
        run: restrict,
    },
];

const MODULE: &str = "App Registrations";

fn scopes(params: &Params) -> Result<Vec<String>, String> {
    let scopes: Vec<String> = params.text("scopes")?.split_whitespace().map(str::to_owned).collect();
    match scopes.iter().find(|scope| !is_known_scope(scope)) {
        Some(scope) => Err(format!("there is no permission {scope:?} to grant")),
        None => Ok(scopes),
    }
}

/// The end of a secret: the page offers one, two or three years.
fn end(now: Timestamp, params: &Params) -> Result<Timestamp, String> {
    let years = params.number("years")?.unwrap_or(1);
    if !(1..=3).contains(&years) {
        return Err("a client secret is valid for 1, 2 or 3 years".into());
    }
    now.checked_add(SignedDuration::from_hours(24 * 365 * years)).map_err(|error| error.to_string())
}

fn register(state: &mut State, params: &Params) -> Done {
    let (name, scopes, now) = (params.text("name")?, scopes(params)?, state.now());
    let (mut secrets, mut certificates) = (Vec::new(), Vec::new());
    match (params.maybe("secret"), params.maybe("pem")) {
        (Some(secret), None) => {
            secrets.push(AppSecret { value: Secret::new(secret), expires: Some(end(now, params)?) });
        }
        (None, Some(pem)) => {
            let (der, _) = certificate(&pem).ok_or("the file is no X.509 certificate")?;
            if !allows_digital_signature(&der) {
                return Err("the Key Usage of the certificate does not include Digital Signature".into());
            }
            certificates.push(Certificate { pem, expires: None });
        }
        _ => return Err("an app registration takes either a client secret or a certificate".into()),
    }
    let client_id = params.maybe("client_id").unwrap_or_else(fresh_guid);
    let word = state.switches.avepoint.audit_actions.register_app.clone();
    let aos = aos_of(state, params)?;
    if aos.registrations.iter().any(|it| it.name == name || it.client_id == client_id) {
        return Err(format!("there is an app registration {name:?} already"));
    }
    aos.registrations.push(Registration {
        client_id: client_id.clone(),
        name: name.clone(),
        secrets,
        certificates,
        scopes,
    });
    note(state, params, &Note { action: &word, product: Product::Portal, module: MODULE, object: &name })?;
    Ok(json!({ "message": "registered", "client_id": client_id }))
}

fn registration<'a>(state: &'a mut State, params: &Params) -> Result<&'a mut Registration, String> {
    let key = params.text("app")?;
    let all = &mut aos_of(state, params)?.registrations;
    let found = all.iter_mut().find(|it| it.client_id.eq_ignore_ascii_case(&key) || it.name == key);
    found.ok_or_else(|| format!("there is no app registration {key:?}"))
}

fn updated(state: &mut State, params: &Params, text: &str) -> Done {
    let word = state.switches.avepoint.audit_actions.update_app.clone();
    let name = registration(state, params)?.name.clone();
    note(state, params, &Note { action: &word, product: Product::Portal, module: MODULE, object: &name })?;
    said(text)
}

fn rotate(state: &mut State, params: &Params) -> Done {
    let secret = AppSecret { value: Secret::new(params.text("value")?), expires: Some(end(state.now(), params)?) };
    let found = registration(state, params)?;
    if !params.yes("keep") {
        found.secrets.clear();
    }
    found.secrets.push(secret);
    updated(state, params, "rotated")
}

fn expire(state: &mut State, params: &Params) -> Done {
    let now = state.now();
    let found = registration(state, params)?;
    let secrets = found.secrets.iter_mut().map(|it| &mut it.expires);
    for expires in secrets.chain(found.certificates.iter_mut().map(|it| &mut it.expires)) {
        *expires = Some(now);
    }
    said("expired")
}

fn change(state: &mut State, params: &Params) -> Done {
    let scopes = scopes(params)?;
    registration(state, params)?.scopes = scopes;
    updated(state, params, "changed; reaches the app with its next token")
}

fn delete(state: &mut State, params: &Params) -> Done {
    let (client_id, name) = {
        let found = registration(state, params)?;
        (found.client_id.clone(), found.name.clone())
    };
    aos_of(state, params)?.registrations.retain(|it| it.client_id != client_id);
    let word = state.switches.avepoint.audit_actions.delete_app.clone();
    note(state, params, &Note { action: &word, product: Product::Portal, module: MODULE, object: &name })?;
    said("deleted")
}

fn restrict(state: &mut State, params: &Params) -> Done {
    aos_of(state, params)?.trusted_addresses_only = params.yes("enabled");
    said("set")
}
