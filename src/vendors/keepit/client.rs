//! Which calls are made at Keepit, once for each account.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use reqwest::header::ACCEPT;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::Spec;
use super::facts;
use super::xml::Element;
use crate::cache::{Keyed, Shared};
use crate::fault::{Fault, Kind};
use crate::http::{Effect, Proof, Request, Way};
use crate::seen::Seen;
use crate::vendors::{Credential, Desk, Sight, VendorConnector};

/// Key of the Secret: the API token's user name.
pub const USERNAME: &str = "username";
/// Key of the Secret: the API token's password.
pub const PASSWORD: &str = "password";

/// What was read of Keepit accounts, by credential: who presents the same one shares the answers.
pub type Accounts = Keyed<Login, Account>;

/// One API token at one region.
#[derive(Clone)]
pub struct Login {
    /// The region's host.
    pub host: String,
    /// The token's user name.
    pub username: String,
    /// The token's password.
    pub password: SecretString,
}

impl PartialEq for Login {
    fn eq(&self, other: &Self) -> bool {
        self.host == other.host
            && self.username == other.username
            && self.password.expose_secret() == other.password.expose_secret()
    }
}
impl Eq for Login {}
impl std::hash::Hash for Login {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.host.hash(state);
        self.username.hash(state);
    }
}
impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").field("host", &self.host).finish_non_exhaustive()
    }
}

impl Login {
    /// The way out for this token: what a region says to it is heeded by all who present it, and by nobody else.
    pub fn way(&self, way: &Way) -> Way {
        way.on_behalf_of(&format!("Keepit/{}/{}", self.host, self.username))
    }
}

/// What was read with one API token.
#[derive(Debug, Default)]
pub struct Account {
    id: Shared<String>,
    connectors: Shared<Arc<[VendorConnector]>>,
}

/// A token belongs to one account for ever.
const FOR_EVER: Duration = Duration::from_hours(8760);

/// What Keepit shows to this credential, not older than `max_age`.
pub async fn look(spec: &Spec, credential: &Credential, desk: &Desk, max_age: Duration) -> Sight {
    let login = match login(spec, credential, desk) {
        Ok(login) => login,
        Err(fault) => return Sight::nothing(&fault),
    };
    let account = desk.keepit.get(login.clone(), Account::default);
    let way = login.way(&desk.way);
    let id = account.id.get_lasting(FOR_EVER, max_age, async { own_account(&way, &login).await.into() }).await;
    let connectors = match &id {
        Seen::Known(id) => account.connectors.get(max_age, async { list(&way, &login, id).await.into() }).await,
        Seen::Unknown(fault) => Seen::Unknown(fault.clone()),
    };
    Sight { account: id.map(Some), connectors }
}

/// The token at its region, if that may be asked.
pub fn login(spec: &Spec, credential: &Credential, desk: &Desk) -> Result<Login, Fault> {
    let host = spec.host();
    if !desk.way.hosts().allows(&host) {
        let known: Vec<_> = super::HOSTS.iter().filter_map(|host| host.strip_suffix(".keepit.com")).collect();
        return Err(Fault::new(
            Kind::HostNotAllowed,
            format!(
                "spec.vendor.keepit.region '{}' is not a known region ({}); a new one needs --allow-host {host}",
                spec.region,
                known.join(", ")
            ),
        ));
    }
    let part = |key: &str| {
        credential.get(key).cloned().ok_or_else(|| Fault::new(Kind::Bug, format!("the key {key} was not read")))
    };
    Ok(Login { host, username: part(USERNAME)?.expose_secret().to_owned(), password: part(PASSWORD)? })
}

/// `GET /users/`: the account of the token; proves the token, too.
async fn own_account(way: &Way, login: &Login) -> Result<String, Fault> {
    let user = ask(way, login, "/users/", "user", None).await?;
    user.field("id").map(str::to_owned).ok_or_else(|| unreadable("names no account"))
}

/// The three aggregate lists of an account: connectors (those that are being deleted, too), health with reasons, backups.
async fn list(way: &Way, login: &Login, account: &str) -> Result<Arc<[VendorConnector]>, Fault> {
    let devices = format!("/users/{account}/devices?all=1");
    let health = format!("/users/{account}/devices/health?reason=true");
    let backups = format!("/users/{account}/monitoring/backup/summary");
    let (devices, health, backups) = futures::join!(
        ask(way, login, &devices, "devices", Some("application/vnd.keepit.v4+xml")),
        ask(way, login, &health, "devhealth", None),
        ask(way, login, &backups, "backup-summary", None),
    );
    Ok(facts::connectors(&devices?, &health.into(), &backups.into()).into())
}

/// One read of a document with this root: a page that says something else is no empty list. The version is pinned for each endpoint: a lower or higher one answers differently (facts/keepit.md §1).
async fn ask(way: &Way, login: &Login, path: &str, root: &str, accept: Option<&str>) -> Result<Element, Fault> {
    let url = Url::parse(&format!("https://{}{path}", login.host))
        .map_err(|_| Fault::new(Kind::BadAnswer, "Keepit gave an id that is not one"))?;
    let answer = way
        .send(Request {
            service: "Keepit",
            method: Method::GET,
            url,
            effect: Effect::Read,
            headers: accept.map(|accept| (ACCEPT, accept.to_owned())).into_iter().collect(),
            proof: Proof::Basic(login.username.clone(), login.password.clone()),
            body: None,
        })
        .await?;
    if let Some(fault) = answer.fault("Keepit", what(path)) {
        return Err(fault);
    }
    let document = Element::read(&answer.body).map_err(unreadable)?;
    if document.name == root { Ok(document) } else { Err(unreadable("is not what was asked for")) }
}

fn unreadable(why: &str) -> Fault {
    Fault::new(Kind::BadAnswer, format!("Keepit's answer {why}"))
}

/// The path in words: ids don't belong into messages.
fn what(path: &str) -> &'static str {
    match path {
        "/users/" => "own account",
        path if path.contains("/health") => "health of connectors",
        path if path.contains("/monitoring") => "backup summary",
        _ => "list of connectors",
    }
}
