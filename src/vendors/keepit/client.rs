//! Which calls are made at Keepit, once for each account.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use reqwest::header::{ACCEPT, HeaderName};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::Spec;
use super::details::Pages;
use super::facts;
use super::xml::Element;
use crate::cache::{Keyed, Shared};
use crate::fault::{Fault, Kind};
use crate::http::{Answer, Effect, Proof, Request, Way};
use crate::seen::Seen;
use crate::vendors::{Action, Credential, Desk, Sight, Vendor, VendorConnector};

/// Key of the Secret: the API token's user name.
pub const USERNAME: &str = "username";
/// Key of the Secret: the API token's password.
pub const PASSWORD: &str = "password";

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

/// What was read of Keepit: who presents the same token shares the answers.
#[derive(Debug, Default)]
pub struct Accounts {
    /// The account that a token belongs to.
    own: Keyed<Login, Shared<String>>,
    /// What a token shows of an account: its own, or one below it.
    shown: Keyed<(Login, String), Account>,
}

/// What was read of one account.
#[derive(Debug, Default)]
pub struct Account {
    /// Whether a token of another account may act on it.
    below: Shared<()>,
    connectors: Shared<Arc<[VendorConnector]>>,
    lacks: Shared<Arc<[Action]>>,
    exceeded: Shared<Arc<[String]>>,
    /// By connector.
    pub(super) details: Keyed<String, Pages>,
}

/// A token belongs to one account for ever.
const FOR_EVER: Duration = Duration::from_hours(8760);

/// Rights and limits change seldom, and nothing hangs on their being told at once.
const SELDOM: Duration = Duration::from_hours(1);

/// What Keepit shows to this credential, not older than `max_age`.
pub async fn look(spec: &Spec, credential: &Credential, desk: &Desk, max_age: Duration) -> Sight {
    let login = match login(spec, credential, desk) {
        Ok(login) => login,
        Err(fault) => return Sight::nothing(&fault),
    };
    let way = login.way(&desk.way);
    let own = desk.keepit.own.get(login.clone(), Shared::default);
    let own = match own.get_lasting(FOR_EVER, max_age, async { own_account(&way, &login).await.into() }).await {
        Seen::Known(own) => own,
        Seen::Unknown(fault) => return Sight::nothing(&fault),
    };
    let id = spec.account_id.clone().unwrap_or_else(|| own.clone());
    let account = desk.keepit.shown(&login, &id);
    if id != own {
        // A partner's token acts on the accounts below its own, too.
        match account.below.get_lasting(FOR_EVER, max_age, async { below(&way, &login, &id).await.into() }).await {
            Seen::Known(()) => {}
            // It is told of the account that it is: the Connector says that this is another one than the one that is pinned.
            Seen::Unknown(fault) if matches!(fault.kind, Kind::PermissionMissing | Kind::NotFound) => {
                return Sight::new(Seen::Known(Some(own)), Seen::Unknown(fault));
            }
            Seen::Unknown(fault) => return Sight::nothing(&fault),
        }
    }
    let seldom = SELDOM.max(max_age);
    let (connectors, lacks, exceeded) = futures::join!(
        account.connectors.get(max_age, async { list(&way, &login, &id).await.into() }),
        account.lacks.get_lasting(seldom, seldom, async { lacks(&way, &login, &own).await.into() }),
        account.exceeded.get_lasting(seldom, seldom, async { exceeded(&way, &login, &id).await.into() }),
    );
    Sight {
        account: Seen::Known(Some(id)),
        connectors,
        lacks: lacks.known().cloned().unwrap_or_default(),
        exceeded: exceeded.known().cloned().unwrap_or_default(),
    }
}

impl Accounts {
    /// What a token shows of an account.
    pub(super) fn shown(&self, login: &Login, account: &str) -> Arc<Account> {
        self.shown.get((login.clone(), account.to_owned()), Account::default)
    }
}

/// The token at its region, if that may be asked.
pub fn login(spec: &Spec, credential: &Credential, desk: &Desk) -> Result<Login, Fault> {
    if let Some((field, why)) = spec.not_allowed(desk.way.hosts()) {
        return Err(Fault::new(Kind::HostNotAllowed, format!("{field} {why}")));
    }
    let part = |key: &str| {
        credential.get(key).cloned().ok_or_else(|| Fault::new(Kind::Bug, format!("the key {key} was not read")))
    };
    Ok(Login { host: spec.host(), username: part(USERNAME)?.expose_secret().to_owned(), password: part(PASSWORD)? })
}

/// `GET /users/`: the account of the token; proves the token, too.
async fn own_account(way: &Way, login: &Login) -> Result<String, Fault> {
    let user = ask(way, login, "/users/", "user", None).await?;
    user.field("id")
        .filter(|id| facts::is_id(id))
        .map(str::to_owned)
        .ok_or_else(|| unreadable("names no account", "own account"))
}

/// `GET /users/{account}`: answers who may act on it.
async fn below(way: &Way, login: &Login, account: &str) -> Result<(), Fault> {
    ask(way, login, &format!("/users/{account}"), "user", None).await.map(|_| ())
}

/// `GET /users/{account}/tokens`: the token's own rights. Its lower versions only (facts/keepit.md §1).
async fn lacks(way: &Way, login: &Login, account: &str) -> Result<Arc<[Action]>, Fault> {
    let path = format!("/users/{account}/tokens?aname={}", encoded(&login.username));
    let tokens = ask(way, login, &path, "tokens", Some("application/vnd.keepit.v2+xml")).await?;
    facts::lacks(&tokens, &login.username)
        .map(Into::into)
        .ok_or_else(|| unreadable("does not show them", "rights of the token"))
}

/// `GET /users/{account}/resources`: which limits are exceeded.
async fn exceeded(way: &Way, login: &Login, account: &str) -> Result<Arc<[String]>, Fault> {
    let resources = ask(way, login, &format!("/users/{account}/resources"), "resources", None).await?;
    Ok(facts::exceeded(&resources).into())
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
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
    // One token asks for all three: a token that one of them refuses is not one that was accepted.
    let refused = |it: &&Fault| it.kind == Kind::CredentialRefused;
    if let Some(fault) = [health.as_ref().err(), backups.as_ref().err()].into_iter().flatten().find(refused) {
        return Err(fault.clone());
    }
    Ok(facts::connectors(&devices?, &health.into(), &backups.into()).into())
}

/// One read of a document with this root: a page that says something else is no empty list. The version is pinned for each endpoint: a
/// lower or higher one answers differently (facts/keepit.md §1).
pub(super) async fn ask(
    way: &Way,
    login: &Login,
    path: &str,
    root: &str,
    accept: Option<&str>,
) -> Result<Element, Fault> {
    let headers = accept.map(|accept| (ACCEPT, accept.to_owned())).into_iter().collect();
    let answer = get(way, login, path, headers).await?;
    if let Some(fault) = answer.fault("Keepit", what(path)) {
        return Err(with_advice(fault, path));
    }
    document(&answer.body, root, what(path))
}

/// A document with this root.
pub(super) fn document(body: &[u8], root: &str, what: &str) -> Result<Element, Fault> {
    let document = Element::read(body).map_err(|why| unreadable(why, what))?;
    if document.name == root { Ok(document) } else { Err(unreadable("is not what was asked for", what)) }
}

/// One read.
pub(super) async fn get(
    way: &Way,
    login: &Login,
    path: &str,
    headers: Vec<(HeaderName, String)>,
) -> Result<Answer, Fault> {
    let url = Url::parse(&format!("https://{}{path}", login.host))
        .map_err(|_| Fault::new(Kind::BadAnswer, "Keepit gave an id that is not one"))?;
    way.send(Request {
        service: "Keepit",
        method: Method::GET,
        url,
        effect: Effect::Read,
        headers,
        proof: Proof::Basic(login.username.clone(), login.password.clone()),
        body: None,
    })
    .await
}

fn unreadable(why: &str, what: &str) -> Fault {
    Fault::new(Kind::BadAnswer, format!("Keepit's answer {why} ({what})"))
}

/// With what to do, where a status says what is wrong.
fn with_advice(mut fault: Fault, path: &str) -> Fault {
    fault.sentence += match fault.kind {
        Kind::CredentialRefused => {
            ": the API token in the Secret of spec.vendor.keepit.secretRef is wrong or no longer there; put another one into it"
        }
        Kind::PermissionMissing => {
            ": the API token in the Secret of spec.vendor.keepit.secretRef needs the role Backup Admin or Master Admin"
        }
        // With an account all else is asked where that is.
        Kind::NotFound if path == "/users/" => ": spec.vendor.keepit.region may be another one than the account's",
        _ => "",
    };
    fault
}

/// The path in words: ids don't belong into messages.
pub(super) fn what(path: &str) -> &'static str {
    match path {
        "/users/" => "own account",
        path if path.ends_with("/jobs") => "jobs of a connector",
        path if path.ends_with("/access_list") => "access list of a connector",
        path if path.contains("/attributes/") => "attribute of a connector",
        path if path.contains("/tokens?") => "rights of the token",
        path if path.ends_with("/resources") => "limits of the account",
        path if path.contains("/health") => "health of connectors",
        path if path.contains("/monitoring") => "backup summary",
        path if path.contains("/devices") => "list of connectors",
        _ => "account below the token's",
    }
}
