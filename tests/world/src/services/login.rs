//! Does login.microsoftonline.com give this app a token? (microsoft.md §4.1, §4.2)

use jiff::SignedDuration;
use serde_json::json;

use super::jwt::{Jwt, certificate};
use crate::http::{Answer, Reply, Request};
use crate::ids::{access_token, fresh_guid};
use crate::state::{App, Issued, State, Tenant};

pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

pub fn answer(state: &mut State, request: &Request) -> Reply {
    let segments = request.segments();
    let [tenant, "oauth2", "v2.0", "token"] = segments.as_slice() else {
        return super::discovery::answer(state, request).unwrap_or_else(|| Reply::text(404, ""));
    };
    token(state, request, tenant).unwrap_or_else(|refusal| refusal)
}

fn token(state: &mut State, request: &Request, tenant_key: &str) -> Answer {
    if request.method != "POST" {
        // [M]
        return Err(refuse(
            400,
            "invalid_request",
            900_561,
            &format!("The endpoint only accepts POST requests. Received a {} request.", request.method),
        ));
    }
    let form = request.form();
    let field = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let needed = |name: &str| {
        // [M]
        field(name).ok_or_else(|| {
            refuse(
                400,
                "invalid_request",
                900_144,
                &format!("The request body must contain the following parameter: '{name}'."),
            )
        })
    };

    let tenant = state.tenant(tenant_key).ok_or_else(|| refuse(400, "invalid_request", 90002, &format!("Tenant '{tenant_key}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.")))?;
    if needed("grant_type")? != "client_credentials" {
        // [M]; people sign in through the control API here.
        return Err(refuse(400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type."));
    }
    let client_id = needed("client_id")?;
    let app = tenant.app(client_id).filter(|app| app.enabled).ok_or_else(|| {
        refuse(
            400,
            "unauthorized_client",
            700_016,
            &format!("Application with identifier '{client_id}' was not found in the directory '{}'.", tenant.name),
        )
    })?;
    let audience = audience(state, tenant, needed("scope")?)?;
    prove(state, tenant, app, &field)?;

    let lifetime = state.switches.token_lifetime_seconds;
    let token = access_token();
    let issued = Issued {
        tenant: tenant.id.clone(),
        client_id: app.client_id.clone(),
        audience,
        expires: state.now().checked_add(SignedDuration::from_secs(lifetime)).unwrap_or_else(|_| state.now()),
        permissions: app.graph_permissions.clone(),
    };
    state.issued.insert(token.clone(), issued);
    Ok(Reply::json(
        200,
        &json!({ "token_type": "Bearer", "expires_in": lifetime, "ext_expires_in": lifetime, "access_token": token }),
    )
    .with("cache-control", "no-store"))
}

/// The audience of the one resource in `scope`; it must be a resource this tenant knows.
fn audience(state: &State, tenant: &Tenant, scope: &str) -> Result<String, Reply> {
    let bad = || {
        refuse(
            400,
            "invalid_scope",
            70011,
            &format!(
                "The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid. The scope {scope} is not valid."
            ),
        )
    };
    let resource = scope
        .strip_suffix("/.default")
        .filter(|resource| !resource.contains(' '))
        .ok_or_else(bad)?
        .trim_end_matches('/');
    let organizations = tenant
        .environments
        .iter()
        .filter_map(|environment| environment.host.as_ref())
        .map(|host| format!("https://{host}"));
    let known = organizations.chain([
        format!("https://{}", state.hosts.graph),
        state.hosts.bap_resource.clone(),
        state.hosts.power_platform.clone(),
    ]);
    known.into_iter().find(|name| name.eq_ignore_ascii_case(resource)).ok_or_else(|| {
        // [M] code.
        refuse(
            400,
            "invalid_resource",
            500_011,
            &format!("The resource principal named {resource} was not found in the tenant named {}.", tenant.name),
        )
    })
}

/// The app proves who it is: by secret, by certificate, or by the token of an issuer it trusts.
fn prove<'a>(state: &State, tenant: &Tenant, app: &App, field: &impl Fn(&str) -> Option<&'a str>) -> Result<(), Reply> {
    let refuse = |code, message: &str| refuse(401, "invalid_client", code, message);
    match (field("client_secret"), field("client_assertion")) {
        (Some(secret), None) => {
            let found = app.secrets.iter().find(|it| it.value.is(secret)).ok_or_else(|| refuse(7_000_215, &format!("Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{}'.", app.client_id)))?;
            if found.expires.is_some_and(|end| end <= state.now()) {
                return Err(refuse(
                    7_000_222,
                    &format!("The provided client secret keys for app '{}' are expired.", app.client_id),
                ));
            }
            Ok(())
        }
        (None, Some(assertion)) => {
            let bad = |why: &str| refuse(700_027, &format!("Client assertion failed signature validation. {why}"));
            if field("client_assertion_type") != Some(ASSERTION_TYPE) {
                // [M]
                return Err(refuse(7_000_214, "The client_assertion_type is not supported."));
            }
            let jwt = Jwt::parse(assertion).ok_or_else(|| bad("The assertion is not a JWT."))?;
            if !jwt.is_current(state.now().as_second()) {
                // [M] code.
                return Err(refuse(700_024, "Client assertion is not within its valid time range."));
            }
            if jwt.claim("iss").eq_ignore_ascii_case(&app.client_id) {
                by_certificate(state, tenant, app, &jwt).map_err(|why| bad(&why))
            } else {
                by_federation(app, &jwt, &refuse)
            }
        }
        // [M]
        _ => Err(refuse(
            7_000_218,
            "The request body must contain exactly one of the following parameters: 'client_assertion' or 'client_secret'.",
        )),
    }
}

fn by_certificate(state: &State, tenant: &Tenant, app: &App, jwt: &Jwt) -> Result<(), String> {
    let endpoint = |tenant: &str| format!("https://{}/{tenant}/oauth2/v2.0/token", state.hosts.login);
    if jwt.claim("sub") != jwt.claim("iss") {
        return Err("The sub claim must be the client id.".into());
    }
    if !std::iter::once(&tenant.id).chain(&tenant.domains).any(|name| jwt.has_audience(&endpoint(name))) {
        return Err("The audience claim is not the token endpoint.".into());
    }
    let named = app
        .certificates
        .iter()
        .filter_map(|it| certificate(&it.pem).map(|(der, key)| (it, der, key)))
        .find(|(_, der, _)| jwt.names_certificate(der));
    let (registered, _, key) = named.ok_or("The key was not found: no registered certificate has that thumbprint.")?;
    if registered.expires.is_some_and(|end| end <= state.now()) {
        return Err("The key is expired.".into());
    }
    if !jwt.is_signed_by(&key) {
        return Err("The signature does not verify.".into());
    }
    Ok(())
}

fn by_federation(app: &App, jwt: &Jwt, refuse: &impl Fn(u64, &str) -> Reply) -> Result<(), Reply> {
    let (issuer, subject) = (jwt.claim("iss"), jwt.claim("sub"));
    // Newer services say 700211 (issuer) or 700212 (audience) where the facts know one code only.
    let credential =
        app.federated.iter().find(|it| it.issuer == issuer && it.subject == subject && jwt.has_audience(&it.audience));
    let credential = credential.ok_or_else(|| refuse(700_213, &format!("No matching federated identity record found for presented assertion. Assertion issuer: '{issuer}'. Assertion subject: '{subject}'. Assertion audience: '{}'.", jwt.claims["aud"])))?;
    if !credential.keys.iter().any(|key| jwt.is_signed_by_issuer_key(key)) {
        return Err(refuse(
            700_027,
            "Client assertion failed signature validation. No key of the issuer verifies the signature.",
        ));
    }
    Ok(())
}

/// An AADSTS error: clients react to `error`, codes are for hints (microsoft.md §4.2).
pub fn refuse(status: u16, error: &str, code: u64, message: &str) -> Reply {
    let (trace, correlation) = (fresh_guid(), fresh_guid());
    let description = format!("AADSTS{code}: {message} Trace ID: {trace} Correlation ID: {correlation}");
    Reply::json(
        status,
        &json!({ "error": error, "error_description": description, "error_codes": [code], "trace_id": trace, "correlation_id": correlation, "error_uri": format!("https://login.microsoftonline.com/error?code={code}") }),
    )
}
