//! What does a Keepit region answer, and to whom? (keepit.md §1, §2)

mod account;
mod devices;
mod jobs;
mod monitor;
mod xml;

use jiff::Timestamp;

use crate::http::{Answer, Reply, Request};
use crate::state::{Account, Connector, State, Switches, Tenant, Token};

/// What `/devices` carries for every connector, as a fixture of a third party shows (keepit.md §1 "Secret hazard").
/// Tests look for it in logs, status and events: it must never get there.
pub const PLANTED_PASSWORD: &str = "world-planted-device-password";

/// One request of a token that may act on the account in the path.
pub struct Call<'a> {
    pub tenants: &'a [Tenant],
    pub switches: &'a Switches,
    pub account: &'a mut Account,
    pub token: Token,
    pub request: &'a Request,
    pub version: u8,
    pub now: Timestamp,
    pub host: String,
}

pub fn answer(state: &mut State, request: &Request, region: usize) -> Reply {
    route(state, request, region).unwrap_or_else(|refusal| refusal)
}

fn route(state: &mut State, request: &Request, at: usize) -> Answer {
    let now = state.now();
    let State { tenants, keepit, switches, .. } = state;
    let region = &mut keepit[at];
    let host = region.host();
    if request.header("user-agent").is_none_or(str::is_empty) {
        // The docs always send one (keepit.md §1 "Required headers"); that it is refused without is [G].
        return Err(Reply::text(400, "Bad Request: User-Agent is missing"));
    }
    let (home, token) = request
        .basic()
        .and_then(|(login, password)| signed_in(&region.accounts, &login, &password))
        .ok_or_else(|| Reply::text(401, "Unauthorized"))?;
    let version = version(request)?;

    let path = request.path.trim_end_matches('/').to_owned();
    let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let [first, rest @ ..] = segments.as_slice() else {
        return Err(not_found());
    };
    if *first != "users" {
        return Err(not_found());
    }
    let Some((id, rest)) = rest.split_first() else {
        return if request.method == "GET" {
            Ok(Reply::xml(200, &xml::node("user", &xml::leaf("id", home))))
        } else {
            Err(Reply::text(405, "Method Not Allowed"))
        };
    };
    if !may_act_on(&region.accounts, &home, id) {
        // Its own account or one below it (keepit.md §2.2); the plain text is [V].
        return Err(Reply::text(403, "Forbidden"));
    }
    let account = region.accounts.iter_mut().find(|account| account.id == *id).ok_or_else(not_found)?;
    let mut call = Call { tenants, switches, account, token, request, version, now, host };
    if request.asks_for_change() && !matches!(call.token.role.as_str(), "MasterAdmin" | "BackupAdmin") {
        return Err(Reply::text(403, "Forbidden"));
    }
    let raw = rest.contains(&"attributes");
    if !call.request.body.is_empty() && !raw && call.request.content_type() != "application/xml" {
        // Required on bodies (keepit.md §1 "Required headers"); that it is refused without is [G].
        return Err(error(400, "BAD_REQUEST", "The Content-Type of the body must be application/xml."));
    }
    dispatch(&mut call, rest)
}

fn dispatch(call: &mut Call<'_>, rest: &[&str]) -> Answer {
    match (call.request.method.as_str(), rest) {
        ("GET", []) => account::settings(call),
        ("GET", ["tokens"]) => account::tokens(call),
        ("GET", ["resources"]) => account::resources(call),
        ("GET", ["devices"]) => devices::list(call),
        ("POST", ["devices"]) => devices::create(call),
        ("GET", ["devices", "health"]) => monitor::health_of_all(call),
        ("GET", ["monitoring", "backup", "summary"]) => monitor::summary_of_all(call),
        ("GET", ["devices", id]) => devices::one(call, id),
        ("PUT", ["devices", id]) => devices::change(call, id),
        ("DELETE", ["devices", id]) => devices::delete(call, id),
        ("GET", ["devices", id, "health"]) => monitor::health(call, id),
        ("GET", ["devices", id, "status"]) => monitor::status(call, id),
        ("GET", ["devices", id, "monitoring", "backup", "summary"]) => monitor::summary(call, id),
        ("GET", ["devices", id, "history", "latest"]) => monitor::latest(call, id),
        ("GET" | "PUT", ["devices", id, "jobs"]) => jobs::list(call, id),
        ("POST", ["devices", id, "jobs"]) => jobs::start(call, id),
        ("GET", ["devices", id, "attributes"]) => devices::attributes(call, id),
        ("GET", ["devices", id, "attributes", key]) => devices::attribute(call, id, key),
        ("PUT", ["devices", id, "attributes", key]) => devices::set_attribute(call, id, key),
        ("DELETE", ["devices", id, "attributes", key]) => devices::unset_attribute(call, id, key),
        ("GET", ["devices", id, "access_list"]) => devices::members(call, id),
        ("POST", ["devices", id, "access_list"]) => devices::let_in(call, id),
        _ => Err(not_found()),
    }
}

fn signed_in(accounts: &[Account], login: &str, password: &str) -> Option<(String, Token)> {
    let (account, token) = accounts
        .iter()
        .filter(|account| account.enabled)
        .find_map(|account| account.token(login).map(|token| (account, token)))?;
    (token.enabled && token.password.is(password)).then(|| (account.id.clone(), token.clone()))
}

fn may_act_on(accounts: &[Account], home: &str, wanted: &str) -> bool {
    let mut at = Some(wanted.to_owned());
    // An account tree is not deeper than it has accounts.
    for _ in 0..=accounts.len() {
        match at {
            Some(id) if id == home => return true,
            Some(id) => {
                at = accounts.iter().find(|account| account.id == id).and_then(|account| account.parent.clone());
            }
            None => return false,
        }
    }
    false
}

/// `application/vnd.keepit.vN+xml`, also without `+xml`; absent is v0 (keepit.md §1 "Version selection").
fn version(request: &Request) -> Result<u8, Reply> {
    let accept = request.header("accept").unwrap_or("*/*");
    if matches!(accept, "*/*" | "application/xml" | "text/xml") {
        return Ok(0);
    }
    let number = accept.strip_prefix("application/vnd.keepit.v").map(|rest| rest.trim_end_matches("+xml"));
    // What is no version at all is refused [G].
    number
        .and_then(|text| text.parse().ok())
        .filter(|version| *version <= 4)
        .ok_or_else(|| Reply::text(400, "Bad Request: this Accept is not known"))
}

pub fn not_found() -> Reply {
    Reply::text(404, "Not Found")
}

/// Keepit's error body (keepit.md §1 "Error body").
pub fn error(status: u16, code: &str, description: &str) -> Reply {
    Reply::xml(status, &xml::node("error", &(xml::leaf("code", code) + &xml::leaf("description", description))))
}

impl Call<'_> {
    /// A connector that is there for this token: a hidden one is refused, a deleted one only listed.
    pub fn connector(&self, id: &str) -> Result<&Connector, Reply> {
        let found = self.account.connectors.iter().find(|it| it.id == id).ok_or_else(not_found)?;
        if found.visible_to(&self.token) { Ok(found) } else { Err(Reply::text(403, "Forbidden")) }
    }

    pub fn connector_mut(&mut self, id: &str) -> Result<&mut Connector, Reply> {
        self.connector(id)?;
        self.account.connectors.iter_mut().find(|it| it.id == id).ok_or_else(not_found)
    }

    /// Connectors that a monitoring read of all sees.
    pub fn seen(&self) -> Vec<&Connector> {
        self.account
            .connectors
            .iter()
            .filter(|it| it.visible_to(&self.token) && it.deletion_deadline.is_none())
            .collect()
    }

    pub fn authorized(&self, connector: &Connector) -> bool {
        is_authorized(self.tenants, connector)
    }

    /// `?type=` of the aggregate calls.
    pub fn is_of_type(&self, connector: &Connector) -> bool {
        self.request.query("type").is_none_or(|kind| kind.is_empty() || kind == connector.kind)
    }

    /// A read has looked at backups: the first one may be due (`first_backup_after_reads`).
    pub fn backups_were_read(&mut self) {
        let (now, after) = (self.now, self.switches.first_backup_after_reads);
        let tenants = self.tenants;
        for connector in self.account.connectors.iter_mut().filter(|it| it.snapshots.is_empty()) {
            connector.reads = connector.reads.saturating_add(1);
            if after.is_some_and(|after| connector.reads > after)
                && connector.is_configured()
                && is_authorized(tenants, connector)
            {
                connector.finish_backup("complete", now);
            }
        }
    }
}

/// The consent holds, and the account that gave it is still the same and enabled.
pub fn is_authorized(tenants: &[Tenant], connector: &Connector) -> bool {
    connector.authorization.as_ref().is_some_and(|it| {
        let user = tenants
            .iter()
            .find(|tenant| tenant.id == it.tenant)
            .and_then(|tenant| tenant.users.iter().find(|user| user.id == it.user));
        it.valid && user.is_some_and(|user| user.enabled)
    })
}
