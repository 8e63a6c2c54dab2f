//! What does Microsoft Graph v1.0 answer, and to whom? (microsoft.md §1)

mod apps;
pub mod batch;
mod consents;
pub mod elevation;
mod fields;
mod licenses;
mod permissions;
mod protection;
mod query;
mod roles;
mod schedules;
mod throttle;
mod users;

use serde_json::json;

use super::{BadToken, bearer};
use crate::http::{Answer, Reply, Request};
use crate::ids::fresh_guid;
use crate::state::{Issued, State};

/// One request of an app that was let in.
pub struct Call<'a> {
    pub state: &'a mut State,
    pub request: &'a Request,
    pub token: Issued,
    /// Path segments after `/v1.0/`, lower-cased names, ids as they came.
    pub segments: Vec<String>,
}

pub fn answer(state: &mut State, request: &Request) -> Reply {
    let reply = route(state, request).unwrap_or_else(|refusal| refusal);
    let echo = request.header("client-request-id").map(str::to_owned);
    let reply = reply.with("request-id", fresh_guid());
    match echo {
        Some(id) => reply.with("client-request-id", id),
        None => reply,
    }
}

/// The parts of a `$batch`, if the caller may call Graph at all; `None` if the request is no batch.
pub fn open_batch(state: &State, request: &Request) -> Option<Result<Vec<batch::Part>, Reply>> {
    let at_batch = || segments(&request.path) == ["v1.0", "$batch"];
    let is_batch = request.method == "POST" && request.host == state.hosts.graph && at_batch();
    is_batch.then(|| authenticated(state, request).and_then(|_| batch::parts(request)))
}

/// The application permissions of whoever asks.
pub fn held_by_caller(state: &State, request: &Request) -> Vec<String> {
    let issued = request.bearer().and_then(|token| state.issued.get(token));
    issued.map(|issued| permissions::held(state, issued)).unwrap_or_default()
}

fn authenticated(state: &State, request: &Request) -> Result<Issued, Reply> {
    let audience = format!("https://{}", state.hosts.graph);
    bearer(state, request, &audience).map_err(|bad| {
        let why = match bad {
            BadToken::Missing => "Access token is empty.",
            BadToken::Unknown => "CompactToken parsing failed with error code: 80049217",
            BadToken::WrongAudience => "Access token validation failure. Invalid audience.",
            BadToken::Expired => "Lifetime validation failed, the token is expired.",
            BadToken::Disowned => "The identity of the calling application could not be established.",
        };
        error(401, "InvalidAuthenticationToken", why)
    })
}

fn route(state: &mut State, request: &Request) -> Answer {
    let token = authenticated(state, request)?;
    let segments = segments(&request.path);
    let version = segments.first().map_or("", String::as_str);
    let rest: Vec<&str> = segments.iter().skip(1).map(String::as_str).collect();
    // The rest of beta exists in reality; an operator on v1.0 has no business there.
    let is_requirements = matches!(rest.as_slice(), ["users", _, "authentication", "requirements"]);
    if version != "v1.0" && !(version == "beta" && is_requirements && request.method == "GET") {
        return Err(error(404, "BadRequest", &format!("Invalid version: {version}")));
    }
    let is_beta = version == "beta";
    let segments = segments[1..].to_vec();
    let (bill, within) = throttle::charge(state, request, &token, &segments);
    let answer = within.and_then(|()| {
        permissions::check(state, request, &token, &segments)?;
        let mut call = Call { state, request, token, segments };
        if is_beta {
            let id = call.segments[1].clone();
            return protection::requirements(&mut call, &id);
        }
        dispatch(&mut call)
    });
    Ok(bill.on(answer.unwrap_or_else(|refusal| refusal)))
}

fn dispatch(call: &mut Call<'_>) -> Answer {
    let segments: Vec<String> = call.segments.clone();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match (call.request.method.as_str(), segments.as_slice()) {
        ("GET", ["users", id]) => users::one(call, id),
        ("GET", ["users", id, "licensedetails"]) => licenses::details(call, id),
        ("GET", ["users", id, "transitivememberof"]) => users::groups(call, id, false),
        ("GET", ["users", id, "transitivememberof", "microsoft.graph.group"]) => users::groups(call, id, true),
        ("GET", ["groups", id, "members"]) => users::members(call, id),
        ("GET", ["subscribedskus"]) => licenses::subscribed(call),
        ("GET", ["rolemanagement", "directory", "roleassignments"]) => roles::list(call),
        ("POST", ["rolemanagement", "directory", "roleassignments"]) => roles::create(call),
        ("GET", ["rolemanagement", "directory", "roleassignments", id]) => roles::one(call, id),
        ("DELETE", ["rolemanagement", "directory", "roleassignments", id]) => roles::delete(call, id),
        ("GET", ["rolemanagement", "directory", "roledefinitions"]) => roles::definitions(call),
        ("GET", ["rolemanagement", "directory", "roledefinitions", id]) => roles::definition(call, id),
        ("GET", ["rolemanagement", "directory", "roleassignmentscheduleinstances"]) => {
            schedules::assignment_instances(call)
        }
        ("GET", ["rolemanagement", "directory", "roleassignmentschedules"]) => schedules::assignment_schedules(call),
        ("GET", ["rolemanagement", "directory", "roleeligibilityscheduleinstances"]) => {
            schedules::eligibility_instances(call)
        }
        ("GET", ["rolemanagement", "directory", "roleeligibilityschedules"]) => schedules::eligibility_schedules(call),
        ("POST", ["rolemanagement", "directory", "roleassignmentschedulerequests"]) => elevation::request(call),
        ("GET", ["organization"]) => apps::organization(call),
        ("GET", ["serviceprincipals"]) => apps::service_principals(call),
        ("GET", [one]) if one.starts_with("serviceprincipals(appid=") => apps::service_principal(call, one),
        ("GET", ["serviceprincipals", id]) => apps::service_principal_by_id(call, id),
        ("GET", ["oauth2permissiongrants"]) => consents::grants(call),
        ("GET", ["users", id, "approleassignments"]) => consents::assignments(call, id),
        ("GET", ["policies", "identitysecuritydefaultsenforcementpolicy"]) => protection::security_defaults(call),
        ("GET", ["identity", "conditionalaccess", "policies"]) => protection::access_policies(call),
        ("GET", ["reports", "authenticationmethods", "userregistrationdetails", id]) => {
            protection::registration(call, id)
        }
        ("GET", ["serviceprincipals", id, "approleassignments"]) => apps::granted(call, id),
        ("GET", [one]) if one.starts_with("applications(appid=") => apps::application(call, one),
        _ => Err(unknown(&segments)),
    }
}

fn unknown(segments: &[&str]) -> Reply {
    let last = segments.last().copied().unwrap_or_default();
    error(404, "BadRequest", &format!("Resource not found for the segment '{last}'."))
}

/// Names in lower case (Graph doesn't mind the case), ids untouched. Nor does it mind a slash too many: [P] its own client
/// for Python asks for `/v1.0//users`.
fn segments(path: &str) -> Vec<String> {
    let raw: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    raw.iter()
        .enumerate()
        .map(|(i, part)| {
            let is_id = i > 0
                && matches!(
                    raw[i - 1].to_ascii_lowercase().as_str(),
                    "users"
                        | "groups"
                        | "roleassignments"
                        | "roledefinitions"
                        | "serviceprincipals"
                        | "userregistrationdetails"
                );
            if is_id { (*part).to_owned() } else { part.to_ascii_lowercase() }
        })
        .collect()
}

/// Graph's error body (microsoft.md §1.10).
pub fn error(status: u16, code: &str, message: &str) -> Reply {
    let inner = json!({ "date": jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S").to_string(), "request-id": fresh_guid(), "client-request-id": fresh_guid() });
    Reply::json(status, &json!({ "error": { "code": code, "message": message, "innerError": inner } }))
}

pub fn missing(id: &str) -> Reply {
    error(
        404,
        "Request_ResourceNotFound",
        &format!("Resource '{id}' does not exist or one of its queried reference-property objects are not present."),
    )
}
