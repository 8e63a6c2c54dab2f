//! Which service answers a request, and what do all of Microsoft's check first?

mod avepoint;
pub mod bap;
pub mod dataverse;
mod discovery;
pub mod graph;
pub mod jwt;
pub mod keepit;
pub mod login;

use crate::http::{Reply, Request};
use crate::state::{Issued, Service, State};

/// Sends a request to the service behind its host.
pub fn answer(state: &mut State, request: &Request) -> Reply {
    match state.service(&request.host) {
        Some(Service::Login) => login::answer(state, request),
        Some(Service::Graph) => graph::answer(state, request),
        Some(Service::Bap) => bap::answer(state, request),
        Some(Service::Dataverse(tenant, environment)) => dataverse::answer(state, request, tenant, environment),
        Some(Service::Keepit(region)) => keepit::answer(state, request, region),
        Some(Service::AvePointIdentity) => avepoint::identity::answer(state, request),
        Some(Service::AvePointGraph) => avepoint::answer(state, request),
        None => Reply::text(502, "this host is not in the world"),
    }
}

/// Who asks, for the call log: client id or Keepit login. Never the token.
pub fn caller(state: &State, request: &Request) -> Option<String> {
    if let Some(token) = request.bearer() {
        return state.issued.get(token).map(|issued| issued.client_id.clone());
    }
    if let Some((login, _)) = request.basic() {
        return Some(login);
    }
    match state.service(&request.host)? {
        Service::Login => request.form().into_iter().find(|(key, _)| key == "client_id").map(|(_, value)| value),
        Service::AvePointIdentity => avepoint::identity::client_of(&request.form()),
        _ => None,
    }
}

/// Why a bearer token is not good for a resource.
pub enum BadToken {
    Missing,
    Unknown,
    WrongAudience,
    Expired,
    /// The app or its tenant is gone or switched off.
    Disowned,
}

/// The checks every Microsoft service makes: known token, its audience, its lifetime, its app in its tenant.
pub fn bearer(state: &State, request: &Request, audience: &str) -> Result<Issued, BadToken> {
    let token = request.bearer().ok_or(BadToken::Missing)?;
    let issued = state.issued.get(token).ok_or(BadToken::Unknown)?;
    if !issued.audience.eq_ignore_ascii_case(audience) {
        return Err(BadToken::WrongAudience);
    }
    if issued.expires <= state.now() {
        return Err(BadToken::Expired);
    }
    let app = state.tenant(&issued.tenant).and_then(|tenant| tenant.app(&issued.client_id));
    if !app.is_some_and(|app| app.enabled) {
        return Err(BadToken::Disowned);
    }
    Ok(issued.clone())
}

/// How `Retry-After` is written: seconds, or an HTTP date (switch `limits.retry_after_as_date`).
pub fn retry_after(state: &State, seconds: i64) -> String {
    if !state.switches.limits.retry_after_as_date {
        return seconds.to_string();
    }
    let now = jiff::Timestamp::now();
    let then = now.checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap_or(now);
    then.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
