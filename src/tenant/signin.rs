//! How the operator signs in to Microsoft: by a secret, a certificate, or the token of somebody whom the app trusts.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use azure_core::cloud::{CloudConfiguration, CustomConfiguration};
use azure_core::credentials::{Secret, TokenCredential};
use azure_core::error::ErrorKind;
use azure_core::http::{ClientMethodOptions, ClientOptions, RetryOptions, Transport};
use azure_identity::{
    ClientAssertion, ClientAssertionCredential, ClientAssertionCredentialOptions, ClientSecretCredential,
    ClientSecretCredentialOptions,
};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

use super::refusal::refusal;
use super::transport::OurTransport;
use super::{App, Cloud};
use crate::certificate::{Certificate, Signature};
use crate::fault::{Fault, Kind};
use crate::http::Way;

/// How an app proves that it is itself.
#[derive(Clone)]
pub enum Credential {
    /// By a client secret.
    Secret(SecretString),
    /// By a certificate: with each sign-in goes a statement that its key has signed.
    Certificate(Arc<Certificate>),
    /// By the token of somebody else whom the app trusts.
    Federated(Arc<dyn Federated>),
}

/// Somebody whom an app may trust, and whose tokens can be had.
#[async_trait]
pub trait Federated: Send + Sync {
    /// Who it is, as its tokens say. Example: `system:serviceaccount:backup:entra`.
    fn subject(&self) -> &str;

    /// Where it is named in a spec.
    fn place(&self) -> &'static str;

    /// A token for this audience, to be used at once.
    ///
    /// # Errors
    /// Why there is none.
    async fn token(&self, audience: &str) -> Result<SecretString, Fault>;
}

impl Credential {
    /// Where it stands in a spec.
    #[must_use]
    pub fn place(&self) -> &'static str {
        match self {
            Self::Secret(_) => "spec.credential.clientSecret",
            Self::Certificate(_) => "spec.credential.clientCertificate",
            Self::Federated(_) => "spec.credential.workloadIdentity",
        }
    }
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.place())
    }
}

/// The key under which everything that was read with an app is shared: the same app, tenant, cloud and credential.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct AppKey {
    cloud: Cloud,
    tenant: String,
    client_id: String,
    credential: (&'static str, String),
}

impl AppKey {
    /// The key of an app.
    #[must_use]
    pub fn of(app: &App) -> Self {
        let proof = match &app.credential {
            Credential::Secret(secret) => secret.expose_secret().to_owned(),
            Credential::Certificate(certificate) => certificate.identity(),
            Credential::Federated(tokens) => tokens.subject().to_owned(),
        };
        Self {
            cloud: app.cloud,
            tenant: app.tenant.to_ascii_lowercase(),
            client_id: app.client_id.to_ascii_lowercase(),
            credential: (app.credential.place(), proof),
        }
    }
}

impl std::fmt::Debug for AppKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AppKey")
            .field("tenant", &self.tenant)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// Tokens of one app at one tenant: cached until shortly before they end, and refusals for a while, so that a wrong
/// credential is not presented in a loop (AADSTS50196).
#[derive(Debug)]
pub struct SignIn {
    app: App,
    credential: Mutex<(Instant, Made)>,
    transport: Arc<OurTransport>,
    refused: Mutex<HashMap<String, (Instant, Fault)>>,
    // One sign-in at a time: the others find the token in the cache.
    turn: tokio::sync::Mutex<()>,
}

/// The sign-in library's credential, or why there can be none.
type Made = Result<Arc<dyn TokenCredential>, Fault>;

/// How long tokens are kept at least, whatever is refused with them.
const RENEWED_FOR: Duration = Duration::from_mins(3);
/// How long a token that is refused is not asked for anew: a revoked one is replaced once, whatever is wrong beside it.
const REVOKED_FOR: Duration = Duration::from_secs(10);
/// How long a refusal is remembered.
const REFUSED_FOR: Duration = Duration::from_secs(30);
/// How long the token of a [`Federated`] is used: for the sign-ins of one pass, each for another service.
const FEDERATED_FOR: Duration = Duration::from_mins(1);

impl SignIn {
    /// Nothing is sent yet.
    pub fn new(way: Way, app: &App) -> Self {
        let transport = Arc::new(OurTransport::new(way));
        let credential = credential(app, &transport);
        Self {
            app: app.clone(),
            credential: Mutex::new((Instant::now(), credential)),
            transport,
            refused: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        }
    }

    /// What the app proves itself with.
    pub fn credential(&self) -> &Credential {
        &self.app.credential
    }

    /// Forgets the tokens, at most every few minutes: they carry the permissions of the time when they were issued, so that
    /// one that was given since, or a token that was revoked, would not show for more than an hour.
    pub fn renew(&self) {
        self.renew_unless_younger(RENEWED_FOR);
    }

    /// Forgets the tokens, since one of them was refused though it has not ended: it was revoked. True: it is worth trying again
    /// with a new one. Not so a moment after the last time: then it is not the token that is wrong.
    pub fn renew_revoked(&self) -> bool {
        self.renew_unless_younger(REVOKED_FOR)
    }

    fn renew_unless_younger(&self, than: Duration) -> bool {
        let mut slot = self.credential.lock().unwrap_or_else(PoisonError::into_inner);
        let old = slot.0.elapsed() >= than;
        if old {
            *slot = (Instant::now(), credential(&self.app, &self.transport));
        }
        old
    }

    /// A token for this scope.
    ///
    /// # Errors
    /// Microsoft refuses the app, its tenant or its credential, or does not answer; there is no token of who the app trusts.
    pub async fn token(&self, scope: &str) -> Result<SecretString, Fault> {
        let credential = self.credential.lock().unwrap_or_else(PoisonError::into_inner).1.clone()?;
        let _turn = self.turn.lock().await;
        if let Some((since, fault)) = self.refused().get(scope)
            && since.elapsed() < fault.retry_after().unwrap_or_default().max(REFUSED_FOR)
        {
            return Err(fault.clone());
        }
        match credential.get_token(&[scope], None).await {
            Ok(token) => {
                self.refused().remove(scope);
                Ok(token.token.secret().to_owned().into())
            }
            Err(error) => {
                let fault =
                    self.transport.take_fault().unwrap_or_else(|| refusal(&error.to_string(), &self.app.credential));
                self.refused().insert(scope.to_owned(), (Instant::now(), fault.clone()));
                Err(fault)
            }
        }
    }

    fn refused(&self) -> std::sync::MutexGuard<'_, HashMap<String, (Instant, Fault)>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn credential(app: &App, transport: &Arc<OurTransport>) -> Made {
    let mut cloud = CustomConfiguration::default();
    cloud.authority_host = format!("https://{}", app.cloud.login());
    let client_options = ClientOptions {
        transport: Some(Transport::new(Arc::<OurTransport>::clone(transport))),
        // The way out tries again by itself, and hands long waits back to the queue.
        retry: RetryOptions::none(),
        cloud: Some(Arc::new(CloudConfiguration::Custom(cloud))),
        ..ClientOptions::default()
    };
    let (tenant, client_id) = (app.tenant.clone(), app.client_id.clone());
    let made: azure_core::Result<Arc<dyn TokenCredential>> = match &app.credential {
        Credential::Secret(secret) => {
            let secret = Secret::new(secret.expose_secret().to_owned());
            let options = ClientSecretCredentialOptions { client_options };
            ClientSecretCredential::new(&tenant, client_id, secret, Some(options)).map(|made| made as _)
        }
        Credential::Certificate(certificate) => {
            let signed = Signed {
                certificate: Arc::clone(certificate),
                client_id: client_id.clone(),
                endpoint: format!("https://{}/{tenant}/oauth2/v2.0/token", app.cloud.login()),
            };
            let options = ClientAssertionCredentialOptions { client_options };
            ClientAssertionCredential::new(tenant, client_id, signed, Some(options)).map(|made| made as _)
        }
        Credential::Federated(tokens) => {
            let exchanged = Exchanged {
                tokens: Arc::clone(tokens),
                audience: app.cloud.exchange_audience(),
                transport: Arc::clone(transport),
                last: Mutex::default(),
            };
            let options = ClientAssertionCredentialOptions { client_options };
            ClientAssertionCredential::new(tenant, client_id, exchanged, Some(options)).map(|made| made as _)
        }
    };
    made.map_err(|error| Fault::new(Kind::CredentialRefused, format!("The sign-in can't be tried: {error}")))
}

/// What a certificate's key signs.
#[derive(Debug)]
struct Signed {
    certificate: Arc<Certificate>,
    client_id: String,
    endpoint: String,
}

#[async_trait]
impl ClientAssertion for Signed {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        let signed = self.certificate.assertion(&self.client_id, &self.endpoint, Signature::Pss, Timestamp::now());
        signed.ok_or_else(|| azure_core::Error::with_message(ErrorKind::Other, "the key can't sign"))
    }
}

/// Somebody's token, as it is presented to Microsoft.
struct Exchanged {
    tokens: Arc<dyn Federated>,
    audience: &'static str,
    transport: Arc<OurTransport>,
    last: Mutex<Option<(Instant, SecretString)>>,
}

impl std::fmt::Debug for Exchanged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exchanged").field("subject", &self.tokens.subject()).finish_non_exhaustive()
    }
}

#[async_trait]
impl ClientAssertion for Exchanged {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        let last = || self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((since, token)) = &*last()
            && since.elapsed() < FEDERATED_FOR
        {
            return Ok(token.expose_secret().to_owned());
        }
        let token = self.tokens.token(self.audience).await.map_err(|fault| self.transport.keep(fault))?;
        *last() = Some((Instant::now(), token.clone()));
        Ok(token.expose_secret().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app() -> App {
        App {
            tenant: "contoso.com".to_owned(),
            cloud: Cloud::Global,
            client_id: "app".to_owned(),
            credential: Credential::Secret("hush".to_owned().into()),
        }
    }

    /// Who has less than everything must not see what somebody else has read.
    #[test]
    fn nothing_is_shared_with_another_cloud_tenant_app_or_credential() {
        let key = AppKey::of(&app());
        let upper = App { tenant: "Contoso.COM".to_owned(), client_id: "APP".to_owned(), ..app() };
        assert_eq!(AppKey::of(&upper), key);
        let federated: Arc<dyn Federated> = Arc::new(Named("hush"));
        for other in [
            App { cloud: Cloud::China, ..app() },
            App { tenant: "fabrikam.com".to_owned(), ..app() },
            App { client_id: "other".to_owned(), ..app() },
            App { credential: Credential::Secret("another".to_owned().into()), ..app() },
            // A name is no secret.
            App { credential: Credential::Federated(federated), ..app() },
        ] {
            assert_ne!(AppKey::of(&other), key, "{other:?}");
        }
    }

    #[test]
    fn no_secret_is_printed() {
        let printed = format!("{:?} {:?}", app(), AppKey::of(&app()));
        assert!(!printed.contains("hush"), "{printed}");
    }

    struct Named(&'static str);

    #[async_trait]
    impl Federated for Named {
        fn subject(&self) -> &str {
            self.0
        }

        fn place(&self) -> &'static str {
            "spec.credential.workloadIdentity"
        }

        async fn token(&self, _: &str) -> Result<SecretString, Fault> {
            Ok("token".to_owned().into())
        }
    }
}
