//! What can a person do in this world, by which name, and with which words?

mod apps;
mod avepoint;
mod consent;
mod directory;
mod elevation;
mod keepit;
mod licenses;
mod power;
mod protection;
mod rows;
mod vendors;
mod world;

use serde_json::{Map, Value, json};

use crate::state::{Environment, State, Tenant};

/// What an action changes and how it is called.
pub struct Action {
    pub name: &'static str,
    pub does: &'static str,
    pub needs: &'static [&'static str],
    pub may: &'static [&'static str],
    run: fn(&mut State, &Params) -> Done,
}

/// What an action says: news for a person, or why it was refused.
pub type Done = Result<Value, String>;

/// All actions, grouped as the world is.
pub fn all() -> impl Iterator<Item = &'static Action> {
    [
        consent::ACTIONS,
        keepit::ACTIONS,
        avepoint::registrations::ACTIONS,
        avepoint::profiles::ACTIONS,
        avepoint::scan::ACTIONS,
        directory::ACTIONS,
        licenses::ACTIONS,
        elevation::ACTIONS,
        protection::ACTIONS,
        vendors::ACTIONS,
        apps::ACTIONS,
        power::ACTIONS,
        rows::ACTIONS,
        world::ACTIONS,
    ]
    .into_iter()
    .flatten()
}

/// Does it, or says in one sentence why not.
pub fn act(state: &mut State, name: &str, params: Value) -> Done {
    let action = all()
        .find(|action| action.name == name)
        .ok_or_else(|| format!("there is no action {name:?}; `world do --help` lists them"))?;
    let members = match params {
        Value::Object(members) => members,
        Value::Null => Map::new(),
        _ => return Err("the words of an action are a JSON object".into()),
    };
    let usage = || format!("{name} takes {}", words(action));
    if let Some(unknown) =
        members.keys().find(|key| !action.needs.contains(&key.as_str()) && !action.may.contains(&key.as_str()))
    {
        return Err(format!("{name} does not know {unknown:?}; {}", usage()));
    }
    if let Some(missing) = action.needs.iter().find(|key| !members.contains_key(**key)) {
        return Err(format!("{name} needs {missing:?}; {}", usage()));
    }
    (action.run)(state, &Params(members))
}

/// `user=… role=… [scope=…]`
pub fn words(action: &Action) -> String {
    let needs = action.needs.iter().map(|key| format!("{key}=…"));
    let may = action.may.iter().map(|key| format!("[{key}=…]"));
    needs.chain(may).collect::<Vec<_>>().join(" ")
}

/// The words of an action; numbers and truth values may come as text, as they do from a command line.
pub struct Params(Map<String, Value>);

impl Params {
    fn maybe(&self, key: &str) -> Option<String> {
        match self.0.get(key)? {
            Value::String(text) => Some(text.clone()),
            Value::Null => None,
            other => Some(other.to_string()),
        }
    }

    fn text(&self, key: &str) -> Result<String, String> {
        self.maybe(key).filter(|text| !text.is_empty()).ok_or_else(|| format!("{key:?} is empty"))
    }

    fn yes(&self, key: &str) -> bool {
        self.maybe(key).is_some_and(|text| text == "true" || text == "yes" || text == "1")
    }

    fn number(&self, key: &str) -> Result<Option<i64>, String> {
        self.maybe(key)
            .map(|text| text.parse().map_err(|_| format!("{key:?} must be a whole number, not {text:?}")))
            .transpose()
    }
}

fn said(text: impl Into<String>) -> Done {
    Ok(json!({ "message": text.into() }))
}

/// The tenant that the words name, else the one that has the user, else the first.
fn tenant_of<'a>(state: &'a mut State, params: &Params) -> Result<&'a mut Tenant, String> {
    let at = match params.maybe("tenant") {
        Some(key) => state
            .tenants
            .iter()
            .position(|tenant| tenant.id == key || tenant.name == key || tenant.domains.contains(&key))
            .ok_or_else(|| format!("there is no tenant {key:?}"))?,
        None => params
            .maybe("user")
            .and_then(|user| state.tenants.iter().position(|tenant| tenant.user(&user).is_some()))
            .unwrap_or(0),
    };
    state.tenants.get_mut(at).ok_or_else(|| "this world has no tenant".into())
}

fn user_id(tenant: &Tenant, key: &str) -> Result<String, String> {
    tenant.user(key).map(|user| user.id.clone()).ok_or_else(|| format!("there is no user {key:?} in {}", tenant.name))
}

/// An environment by id or name, with its tenant.
fn environment_of(state: &mut State, key: &str) -> Result<(usize, usize), String> {
    let found = state
        .tenants
        .iter()
        .enumerate()
        .find_map(|(t, tenant)| tenant.environments.iter().position(|it| is(it, key)).map(|e| (t, e)));
    found.ok_or_else(|| format!("there is no environment {key:?}"))
}

fn is(environment: &Environment, key: &str) -> bool {
    environment.id.eq_ignore_ascii_case(key) || environment.name == key
}

/// A word of Graph's, as the state has it.
fn word<T: serde::de::DeserializeOwned>(text: &str, choice: &str) -> Result<T, String> {
    serde_json::from_value(text.into()).map_err(|_| format!("{text:?} is none of {choice}"))
}
