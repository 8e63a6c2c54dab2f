//! Which environments does Power Platform administration show, and whom does it let into them? (microsoft.md §2)

mod environments;
mod members;

use serde_json::json;

use super::{BadToken, bearer};
use crate::http::{Answer, Reply, Request};
use crate::ids::fresh_guid;
use crate::state::State;

const ADMIN: &str = "/providers/microsoft.businessappplatform/scopes/admin/environments";
const APPLICATIONS: &str = "/providers/microsoft.businessappplatform/adminapplications";

/// Method, what follows `ADMIN`, api-versions that were seen with it (microsoft.md §2.2, §2.3).
const VERSIONS: &[(&str, &str, &[&str])] = &[
    ("GET", "", &["2020-10-01", "2023-06-01"]),
    ("GET", "/*", &["2020-10-01", "2023-06-01"]),
    ("POST", "/*/adduser", &["2019-05-01", "2020-10-01", "2023-06-01"]),
    ("POST", "/*/addappuser", &["2020-10-01"]),
];

pub fn answer(state: &mut State, request: &Request) -> Reply {
    route(state, request).unwrap_or_else(|refusal| refusal).with("x-ms-correlation-request-id", fresh_guid())
}

fn route(state: &mut State, request: &Request) -> Answer {
    let token = bearer(state, request, &state.hosts.bap_resource).map_err(|bad| match bad {
        BadToken::Missing => {
            error(401, "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.")
        }
        BadToken::Unknown | BadToken::Disowned => {
            error(401, "InvalidAuthenticationToken", "The access token is invalid.")
        }
        BadToken::WrongAudience => error(
            401,
            "InvalidAuthenticationTokenAudience",
            "The access token has been obtained from wrong audience or resource.",
        ),
        BadToken::Expired => {
            error(401, "ExpiredAuthenticationToken", "The access token expiry is earlier than the current time.")
        }
    })?;
    let path = request.path.to_ascii_lowercase();
    let path = path.trim_end_matches('/');
    let not_found = || error(404, "NotFound", &format!("The path '{}' was not found.", request.path));
    let is_registration = path.starts_with(APPLICATIONS);
    let rest = if is_registration { "" } else { path.strip_prefix(ADMIN).ok_or_else(not_found)? };
    let version = request.query("api-version").ok_or_else(|| {
        error(
            400,
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        )
    })?;

    let tenant = state.tenant(&token.tenant).ok_or_else(not_found)?;
    let app = tenant.app(&token.client_id).ok_or_else(not_found)?;
    if is_registration || !app.management_application {
        // A service principal cannot register itself; a person does (microsoft.md §2.1, wording from the same place).
        let url = format!("https://{}{}", request.host, request.path);
        let text = format!(
            "The service principal with id '{}' for application {} does not have permission to access the path '{url}' in tenant {}.",
            app.service_principal_id, app.client_id, tenant.id
        );
        return Err(error(403, "Forbidden", &text));
    }

    let segments: Vec<&str> = rest.split('/').skip(1).collect();
    let (_, _, versions) = VERSIONS
        .iter()
        .find(|(method, pattern, _)| {
            *method == request.method
                && shape(pattern) == segments.len()
                && (segments.len() < 2 || pattern.ends_with(segments[1]))
        })
        .ok_or_else(not_found)?;
    if !versions.contains(&version) {
        return Err(error(
            400,
            "InvalidApiVersionParameter",
            &format!("The api-version '{version}' is invalid. The supported versions are '{}'.", versions.join(",")),
        ));
    }
    match segments.as_slice() {
        [] => environments::list(state, request, &token),
        [id] => tenant
            .environments
            .iter()
            .find(|it| it.id.eq_ignore_ascii_case(id))
            .map(|it| Reply::json(200, &environments::body(tenant, it)))
            .ok_or_else(|| no_environment(id)),
        [id, "adduser"] => members::add_user(state, request, &token, id),
        [id, "addappuser"] => members::add_app_user(state, request, &token, id),
        _ => Err(not_found()),
    }
}

fn shape(pattern: &str) -> usize {
    pattern.split('/').count() - 1
}

fn no_environment(id: &str) -> Reply {
    error(404, "EnvironmentNotFound", &format!("Environment '{id}' could not be found in the tenant."))
}

fn error(status: u16, code: &str, message: &str) -> Reply {
    Reply::json(status, &json!({ "error": { "code": code, "message": message } }))
}
