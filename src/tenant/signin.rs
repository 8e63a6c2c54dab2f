//! How the operator signs in to Microsoft, through the same one way out as everything else.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use azure_core::cloud::{CloudConfiguration, CustomConfiguration};
use azure_core::credentials::{Secret, TokenCredential};
use azure_core::error::ErrorKind;
use azure_core::http::headers::Headers;
use azure_core::http::{AsyncRawResponse, Body, ClientOptions, HttpClient, RetryOptions, Transport};
use azure_identity::{ClientSecretCredential, ClientSecretCredentialOptions};
use reqwest::header::HeaderName;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

use super::{App, Cloud};
use crate::fault::{Fault, Kind};
use crate::http::{Effect, Proof, Request, Way};

/// The key under which everything that was read with an app is shared: the same app, tenant, cloud and secret.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct AppKey(Cloud, String, String, String);

impl AppKey {
    /// The key of an app.
    #[must_use]
    pub fn of(app: &App) -> Self {
        let secret = app.secret.expose_secret().to_owned();
        Self(app.cloud, app.tenant.to_ascii_lowercase(), app.client_id.to_ascii_lowercase(), secret)
    }
}

impl std::fmt::Debug for AppKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AppKey").field("tenant", &self.1).field("client_id", &self.2).finish_non_exhaustive()
    }
}

/// Tokens of one app at one tenant: cached until shortly before they end, and refusals for a while, so that a wrong
/// secret is not presented in a loop (AADSTS50196).
#[derive(Debug)]
pub struct SignIn {
    app: App,
    credential: Mutex<(Instant, Result<Arc<ClientSecretCredential>, Fault>)>,
    transport: Arc<OurTransport>,
    refused: Mutex<HashMap<String, (Instant, Fault)>>,
    // One sign-in at a time: the others find the token in the cache.
    turn: tokio::sync::Mutex<()>,
}

/// How long tokens are kept at least, whatever is refused with them.
const RENEWED_FOR: Duration = Duration::from_mins(3);
/// How long a refusal is remembered.
const REFUSED_FOR: Duration = Duration::from_secs(30);

impl SignIn {
    /// Nothing is sent yet.
    pub fn new(way: Way, app: &App) -> Self {
        let transport = Arc::new(OurTransport { way, last: Mutex::default() });
        let credential = credential(app, &transport);
        Self {
            app: app.clone(),
            credential: Mutex::new((Instant::now(), credential)),
            transport,
            refused: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        }
    }

    /// Forgets the tokens, at most every few minutes: they carry the permissions of the time when they were issued, so that
    /// one that was given since, or a token that was revoked, would not show for more than an hour.
    pub fn renew(&self) {
        let mut slot = self.credential.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.0.elapsed() >= RENEWED_FOR {
            *slot = (Instant::now(), credential(&self.app, &self.transport));
        }
    }

    /// A token for this scope.
    pub async fn token(&self, scope: &str) -> Result<SecretString, Fault> {
        let credential = self.credential.lock().unwrap_or_else(PoisonError::into_inner).1.clone()?;
        let _turn = self.turn.lock().await;
        if let Some((since, fault)) = self.refused().get(scope)
            && since.elapsed() < REFUSED_FOR
        {
            return Err(fault.clone());
        }
        match credential.get_token(&[scope], None).await {
            Ok(token) => {
                self.refused().remove(scope);
                Ok(token.token.secret().to_owned().into())
            }
            Err(error) => {
                let fault = self.transport.take_fault().unwrap_or_else(|| refusal(&error.to_string()));
                self.refused().insert(scope.to_owned(), (Instant::now(), fault.clone()));
                Err(fault)
            }
        }
    }

    fn refused(&self) -> std::sync::MutexGuard<'_, HashMap<String, (Instant, Fault)>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn credential(app: &App, transport: &Arc<OurTransport>) -> Result<Arc<ClientSecretCredential>, Fault> {
    let mut cloud = CustomConfiguration::default();
    cloud.authority_host = format!("https://{}", app.cloud.login());
    let options = ClientSecretCredentialOptions {
        client_options: ClientOptions {
            transport: Some(Transport::new(Arc::<OurTransport>::clone(transport))),
            // The way out tries again by itself, and hands long waits back to the queue.
            retry: RetryOptions::none(),
            cloud: Some(Arc::new(CloudConfiguration::Custom(cloud))),
            ..ClientOptions::default()
        },
    };
    let secret = Secret::new(app.secret.expose_secret().to_owned());
    ClientSecretCredential::new(&app.tenant, app.client_id.clone(), secret, Some(options))
        .map_err(|error| Fault::new(Kind::CredentialRefused, format!("The sign-in can't be tried: {error}")))
}

/// Microsoft's numbers for what is wrong with a sign-in (facts/microsoft.md §4.2). The number is shown, the text is not.
fn refusal(said: &str) -> Fault {
    let number: String = said
        .split("AADSTS")
        .nth(1)
        .map(|rest| rest.chars().take_while(char::is_ascii_digit).collect())
        .unwrap_or_default();
    let sentence = match number.as_str() {
        "90002" => {
            return Fault::new(
                Kind::TenantNotFound,
                "Microsoft knows no tenant of the id in spec.tenant.id in the cloud that spec.tenant.cloud names",
            );
        }
        "700016" => "Microsoft does not know the app (spec.credential.clientSecret.clientID) in this tenant",
        "7000215" => {
            "Microsoft refused the client secret: it is not one of the app's (is it the secret's id instead of its value?)"
        }
        "7000222" => "Microsoft refused the client secret: it has expired",
        "" => "Microsoft refused the sign-in of the operator's app",
        number => {
            return Fault::new(
                Kind::CredentialRefused,
                format!("Microsoft refused the sign-in of the operator's app (AADSTS{number})"),
            );
        }
    };
    Fault::new(Kind::CredentialRefused, sentence)
}

/// The sign-in library's transport: our one way out.
#[derive(Debug)]
struct OurTransport {
    way: Way,
    // The library wraps errors into its own; what we know of the last one would be lost.
    last: Mutex<Option<Fault>>,
}

impl OurTransport {
    fn take_fault(&self) -> Option<Fault> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn keep(&self, fault: Fault) -> azure_core::Error {
        let error = azure_core::Error::with_message(ErrorKind::Io, fault.sentence.clone());
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault);
        error
    }
}

#[async_trait]
impl HttpClient for OurTransport {
    async fn execute_request(&self, request: &azure_core::http::Request) -> azure_core::Result<AsyncRawResponse> {
        let Body::Bytes(body) = request.body() else {
            return Err(azure_core::Error::with_message(ErrorKind::Other, "a sign-in has a plain body"));
        };
        let headers = request
            .headers()
            .iter()
            .filter_map(|(name, value)| {
                let name = HeaderName::try_from(name.as_str()).ok()?;
                (name != reqwest::header::USER_AGENT).then(|| (name, value.as_str().to_owned()))
            })
            .collect();
        let answer = self
            .way
            .send(Request {
                service: "Microsoft sign-in",
                method: reqwest::Method::POST,
                url: request.url().clone(),
                // Changes nothing, and may be sent again.
                effect: Effect::Read,
                headers,
                proof: Proof::None,
                body: Some(body.to_vec()),
            })
            .await
            .map_err(|fault| self.keep(fault))?;
        if let Some(fault) = answer
            .fault("Microsoft sign-in", "token")
            .filter(|fault| fault.kind == Kind::ServerError || fault.kind == Kind::Throttled)
        {
            return Err(self.keep(fault));
        }
        Ok(AsyncRawResponse::from_bytes(answer.status.into(), Headers::new(), answer.body))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_tells_what_to_mend_and_never_quotes() {
        let said = "AADSTS7000215: Invalid client secret provided. hush-hush";
        assert!(refusal(said).sentence.contains("client secret"));
        assert!(!refusal(said).sentence.contains("hush"));
        assert_eq!(refusal("AADSTS90002: Tenant 'x' not found.").kind, Kind::TenantNotFound);
        assert!(refusal("AADSTS53003: blocked").sentence.contains("AADSTS53003"));
        assert_eq!(refusal("?").kind, Kind::CredentialRefused);
    }
}
