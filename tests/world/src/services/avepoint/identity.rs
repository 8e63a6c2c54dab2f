//! Does AvePoint's identity service give this registration a token? (facts: avepoint-fluentpro §1)

use jiff::SignedDuration;
use serde_json::json;

use super::AUDIENCE;
use crate::http::{Answer, Reply, Request};
use crate::ids::access_token;
use crate::services::jwt::{Jwt, certificate};
use crate::services::login::ASSERTION_TYPE;
use crate::state::{AosTenant, AvePointSwitches, Issued, Registration, State, avepoint_hosts, canonical_scopes};

/// The longest life of an assertion: what the samples give it (facts: avepoint-fluentpro §1 "Assertion").
const LONGEST_ASSERTION_SECONDS: f64 = 3600.0;

pub fn answer(state: &mut State, request: &Request) -> Reply {
    if request.path != "/connect/token" {
        return Reply::text(404, "");
    }
    if request.method != "POST" {
        return Reply::empty(405);
    }
    token(state, request).unwrap_or_else(|refusal| refusal)
}

/// Whom a token request is from: the certificate sample of the pages sends no `client_id` beside the assertion.
pub fn client_of(form: &[(String, String)]) -> Option<String> {
    let field = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    let issuer = || field("client_assertion").and_then(|it| Jwt::parse(&it)).map(|it| it.claim("iss").to_owned());
    field("client_id").or_else(issuer)
}

fn token(state: &mut State, request: &Request) -> Answer {
    let form = request.form();
    let field =
        |name: &str| form.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str());
    let needed = |name: &str| field(name).ok_or_else(|| refuse(400, "invalid_request", &format!("{name} is missing")));
    let switches = state.switches.avepoint.clone();
    let unknown = |why: &str| refuse(switches.invalid_client_status, "invalid_client", why);

    if needed("grant_type")? != "client_credentials" {
        return Err(refuse(400, "unsupported_grant_type", "only client_credentials is supported"));
    }
    let requested = needed("scope")?;
    let now = state.now();
    let jwt = field("client_assertion").map(|text| Jwt::parse(text).ok_or_else(|| unknown("no JWT"))).transpose()?;
    let client_id = match &jwt {
        Some(jwt) => jwt.claim("iss").to_owned(),
        None => needed("client_id")?.to_owned(),
    };
    let here = |aos: &&mut AosTenant| avepoint_hosts(&aos.data_center).is_some_and(|it| it.identity == request.host);
    let aos = state.avepoint.iter_mut().filter(here).find(|aos| aos.registration(&client_id).is_some());
    let aos = aos.ok_or_else(|| unknown("the client is unknown"))?;
    let registration = aos.registration(&client_id).cloned().ok_or_else(|| unknown("the client is unknown"))?;
    match (field("client_secret"), jwt) {
        (Some(secret), None) => by_secret(&registration, secret, now).map_err(unknown)?,
        (None, Some(jwt)) => {
            if field("client_assertion_type") != Some(ASSERTION_TYPE) {
                return Err(refuse(400, "invalid_request", "client_assertion_type is not supported"));
            }
            if field("client_id").is_some_and(|id| !id.eq_ignore_ascii_case(&registration.client_id)) {
                return Err(unknown("client_id is not the issuer of the assertion"));
            }
            let audience = format!("https://{}/connect/token", request.host);
            by_certificate(&registration, &jwt, &audience, &switches, now.as_second()).map_err(unknown)?;
            if !aos.used_assertions.insert(jwt.claim("jti").to_owned()) {
                return Err(unknown("the assertion was used before"));
            }
        }
        (Some(_), Some(_)) => return Err(refuse(400, "invalid_request", "both client_secret and client_assertion")),
        (None, None) => return Err(refuse(400, "invalid_request", "client_secret is missing")),
    }
    let scopes = canonical_scopes(requested, switches.scope_casing, switches.several_scopes)
        .map_err(|why| refuse(400, "invalid_scope", &why))?;
    if let Some(scope) = scopes.iter().find(|scope| !registration.scopes.contains(scope)) {
        return Err(refuse(400, "invalid_scope", &format!("{scope} was not granted")));
    }

    let lifetime = switches.token_lifetime_seconds;
    let token = access_token();
    let issued = Issued {
        tenant: aos.id.clone(),
        client_id: registration.client_id,
        audience: AUDIENCE.into(),
        expires: now.checked_add(SignedDuration::from_secs(lifetime)).unwrap_or(now),
        permissions: scopes,
    };
    state.issued.insert(token.clone(), issued);
    Ok(Reply::json(
        200,
        &json!({ "access_token": token, "expires_in": lifetime, "token_type": "Bearer", "scope": requested }),
    )
    .with("cache-control", "no-store"))
}

fn by_secret(registration: &Registration, secret: &str, now: jiff::Timestamp) -> Result<(), &'static str> {
    let found = registration.secrets.iter().find(|it| it.value.is(secret)).ok_or("the secret is wrong")?;
    if found.expires.is_some_and(|end| end <= now) { Err("the secret has expired") } else { Ok(()) }
}

/// Signed with RS256 by a registered certificate, for this endpoint, once, and not for longer than an hour.
fn by_certificate(
    registration: &Registration,
    jwt: &Jwt,
    audience: &str,
    switches: &AvePointSwitches,
    now: i64,
) -> Result<(), &'static str> {
    if jwt.header["alg"] != "RS256" {
        return Err("the algorithm is not RS256");
    }
    if jwt.claim("sub") != jwt.claim("iss") {
        return Err("sub is not iss");
    }
    if jwt.claims["aud"] != audience {
        return Err("aud is not the token endpoint");
    }
    if jwt.claim("jti").is_empty() {
        return Err("jti is missing");
    }
    if !jwt.is_current(now) {
        return Err("the assertion is not valid now");
    }
    #[allow(clippy::cast_precision_loss, reason = "seconds since 1970 fit")]
    let from = ["nbf", "iat"].into_iter().find_map(|name| jwt.claims[name].as_f64()).unwrap_or(now as f64);
    if jwt.claims["exp"].as_f64().is_none_or(|end| end - from > LONGEST_ASSERTION_SECONDS) {
        return Err("the assertion lives longer than an hour");
    }
    let signer = registration
        .certificates
        .iter()
        .filter_map(|it| certificate(&it.pem).map(|(der, key)| (it, der, key)))
        .find(|(_, der, key)| jwt.is_signed_by(key) && (!switches.assertion_names_certificate || jwt.names(der)));
    let (registered, ..) = signer.ok_or("no registered certificate verifies the signature")?;
    let ended = registered.expires.is_some_and(|end| end.as_second() <= now);
    if ended { Err("the certificate has expired") } else { Ok(()) }
}

/// OAuth's body; the pages show none (facts: avepoint-fluentpro §1 "Token error body" [I]).
fn refuse(status: u16, error: &str, description: &str) -> Reply {
    Reply::json(status, &json!({ "error": error, "error_description": description }))
}
