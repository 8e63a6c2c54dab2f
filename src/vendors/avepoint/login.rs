//! How the operator signs in to AvePoint: one token for its scope, kept until shortly before it ends (facts/avepoint-fluentpro.md §1).

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::time::Instant;
use url::Url;
use url::form_urlencoded::Serializer;

use super::centers::{self, Center};
use super::{CERTIFICATE, KEY, SECRET, Spec, spec};
use crate::certificate::{Certificate, Signature};
use crate::fault::{Fault, Kind};
use crate::http::{Effect, Proof, Request, Way};
use crate::vendors::{Credential, Vendor};

const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// A token is not used in its last minutes: a listing of many pages takes some.
const NOT_LATER: Duration = Duration::from_mins(5);
/// No token is kept for longer, whatever it says of itself.
const LONGEST: Duration = Duration::from_hours(24);
/// How long a refusal is remembered: a wrong secret is not presented in a loop.
const REFUSED_FOR: Duration = Duration::from_secs(30);

/// One app registration, its proof, and where it is: whoever presents the same shares what was read.
#[derive(Clone)]
pub struct Login {
    pub(super) center: Center,
    client_id: String,
    scope: String,
    proof: LoginProof,
}

#[derive(Clone)]
enum LoginProof {
    Secret(SecretString),
    Certificate(Arc<Certificate>),
}

impl LoginProof {
    /// Tells it from every other.
    fn identity(&self) -> String {
        match self {
            Self::Secret(secret) => secret.expose_secret().to_owned(),
            Self::Certificate(certificate) => certificate.identity(),
        }
    }
}

impl Login {
    /// Of a spec and its Secret.
    ///
    /// # Errors
    /// The data center is not known, or the certificate can't be signed in with.
    pub fn of(spec: &Spec, credential: &Credential, way: &Way, now: Timestamp) -> Result<Self, Fault> {
        let center = centers::of(&spec.data_center);
        if let Some((field, why)) = spec.not_allowed(way.hosts()) {
            return Err(Fault::new(Kind::HostNotAllowed, format!("{field} {why}")));
        }
        let part = |key: &str| {
            credential.get(key).cloned().ok_or_else(|| Fault::new(Kind::Bug, format!("the key {key} was not read")))
        };
        let proof = match &spec.credential {
            spec::Credential::ClientSecret(_) => LoginProof::Secret(part(SECRET)?),
            spec::Credential::ClientCertificate(it) => {
                let unfit = |why| {
                    let sentence = format!(
                        "Secret {} (spec.vendor.avePoint.credential.clientCertificate): {why}",
                        it.secret_ref.name
                    );
                    Fault::new(Kind::CredentialRefused, sentence)
                };
                let certificate =
                    Certificate::read(part(CERTIFICATE)?.expose_secret(), part(KEY)?.expose_secret()).map_err(unfit)?;
                certificate.valid_at(now).map_err(unfit)?;
                LoginProof::Certificate(Arc::new(certificate))
            }
        };
        Ok(Self {
            center,
            client_id: spec.credential.registration().client_id.clone(),
            scope: spec.scope.clone(),
            proof,
        })
    }

    /// The same app registration, for tokens of another scope: AvePoint gives one scope a token.
    pub(super) fn with_scope(&self, scope: &str) -> Self {
        Self { scope: scope.to_owned(), ..self.clone() }
    }

    /// Whose app registration it is: what AvePoint says to it of how often it wants to be asked counts for all who use it.
    pub(super) fn client_id(&self) -> &str {
        &self.client_id
    }

    fn key(&self) -> (&str, &str, &str, String) {
        (&self.center.graph, &self.client_id, &self.scope, self.proof.identity())
    }

    /// `POST /connect/token`.
    async fn sign_in(&self, way: &Way) -> Result<(SecretString, Duration), Fault> {
        let url = Url::parse(&format!("https://{}/connect/token", self.center.identity))
            .map_err(|_| Fault::new(Kind::Bug, "a data center's address is not one"))?;
        let body = self.form(&url)?;
        let answer = way
            .on_behalf_of(&self.client_id)
            .send(Request {
                service: "AvePoint",
                method: Method::POST,
                url,
                effect: Effect::Read,
                headers: vec![(CONTENT_TYPE, "application/x-www-form-urlencoded".to_owned())],
                proof: Proof::None,
                body: Some(body.into_bytes()),
            })
            .await?;
        if matches!(answer.status, 400 | 401) {
            return Err(self.refused(&answer.body));
        }
        if let Some(fault) = answer.fault("AvePoint", "sign-in") {
            return Err(fault);
        }
        let Token { access_token, expires_in } = usable(&answer.body)
            .ok_or_else(|| Fault::new(Kind::BadAnswer, "AvePoint's answer to the sign-in has no token in it"))?;
        Ok((access_token.into(), Duration::from_secs(expires_in).min(LONGEST)))
    }

    /// The body of a sign-in at this address.
    fn form(&self, url: &Url) -> Result<String, Fault> {
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials").append_pair("scope", &self.scope);
        match &self.proof {
            LoginProof::Secret(secret) => {
                form.append_pair("client_id", &self.client_id).append_pair("client_secret", secret.expose_secret());
            }
            // With the assertion, the vendor's own sample sends no client id beside.
            LoginProof::Certificate(certificate) => {
                let assertion = certificate
                    .assertion(&self.client_id, url.as_str(), Signature::Pkcs1, Timestamp::now())
                    .ok_or_else(|| Fault::new(Kind::Bug, "the key can't sign"))?;
                form.append_pair("client_assertion_type", ASSERTION).append_pair("client_assertion", &assertion);
            }
        }
        Ok(form.finish())
    }

    /// Why it is refused, by OAuth's word for it; the description is not passed on: it might repeat what was sent.
    fn refused(&self, body: &[u8]) -> Fault {
        let word = serde_json::from_slice::<Refusal>(body).map(|refusal| refusal.error).unwrap_or_default();
        let place = "spec.vendor.avePoint";
        let sentence = match word.as_str() {
            "invalid_client" => format!(
                "AvePoint does not know the app registration (clientID of {place}.credential) in this data center, or its \
                 secret or certificate is wrong or has expired"
            ),
            "invalid_scope" | "unauthorized_client" => format!(
                "AvePoint gives the app registration no token for the scope {} ({place}.scope): grant it under \
                 Administration > App registrations",
                self.scope
            ),
            _ => format!("AvePoint refused the sign-in of the app registration ({place}.credential)"),
        };
        Fault::new(Kind::CredentialRefused, sentence)
    }
}

impl PartialEq for Login {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}
impl Eq for Login {}
impl std::hash::Hash for Login {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (&self.center.graph, &self.client_id).hash(state);
    }
}
impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login")
            .field("host", &self.center.graph)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Token {
    access_token: String,
    expires_in: u64,
}

/// The token of an answer. One that no request could carry would be kept for as long as it says to last.
fn usable(body: &[u8]) -> Option<Token> {
    let token: Token = serde_json::from_slice(body).ok()?;
    let plain = token.access_token.bytes().all(|byte| byte.is_ascii_graphic());
    (plain && !token.access_token.is_empty()).then_some(token)
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    error: String,
}

/// The token of one login, or why there is none.
#[derive(Default)]
pub struct Tokens(tokio::sync::Mutex<Option<(Instant, Result<SecretString, Fault>)>>);

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").finish_non_exhaustive()
    }
}

impl Tokens {
    /// A token that counts for some minutes yet: one sign-in, however many ask.
    ///
    /// # Errors
    /// AvePoint refuses the app registration, or does not answer.
    pub async fn token(&self, login: &Login, way: &Way) -> Result<SecretString, Fault> {
        let mut slot = self.0.lock().await;
        if let Some((until, result)) = slot.as_ref()
            && *until > Instant::now()
        {
            return result.clone();
        }
        let (lasts, result) = match login.sign_in(way).await {
            // One that lasts for minutes only is used for half of them.
            Ok((token, lifetime)) => (lifetime.saturating_sub(NOT_LATER).max(lifetime / 2), Ok(token)),
            Err(fault) => (fault.retry_after().unwrap_or_default().max(REFUSED_FOR), Err(fault)),
        };
        *slot = Some((Instant::now() + lasts, result.clone()));
        result
    }

    /// Forgets the token: it was refused though it has not ended.
    pub async fn forget(&self) {
        *self.0.lock().await = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_one_that_a_request_can_carry() {
        let body = |token: &str| serde_json::json!({ "access_token": token, "expires_in": 3599 }).to_string();
        let read = |body: &str| usable(body.as_bytes()).map(|token| token.access_token);
        assert_eq!(read(&body("eyJ.a-b_c")).as_deref(), Some("eyJ.a-b_c"));
        for bad in [body(""), body("a\nb"), body("a b"), body("ü"), "{}".to_owned(), "<html>".to_owned(), String::new()]
        {
            assert_eq!(read(&bad), None, "{bad}");
        }
    }
}
