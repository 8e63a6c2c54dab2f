//! The one way out: every request to a vendor or to Microsoft passes here.

mod answer;
mod budget;
mod gate;
pub mod hosts;
mod retry_after;

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{HeaderName, HeaderValue};
use secrecy::ExposeSecret;
use secrecy::SecretString;
use url::Url;

use crate::fault::{Fault, Kind};
use crate::metrics::Metrics;
use crate::permit::Permit;
pub use answer::{Answer, next_try};
use answer::{left_alone, status_class};
pub use budget::Budget;
use gate::{Gate, Gates};
pub use hosts::Hosts;

/// Whether a request changes something on the other side. Not the same as its method: Keepit asks with PUT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Changes nothing, and may be sent again.
    Read,
    /// Changes something: sent once, and only while that is permitted.
    Write,
}

/// One request.
pub struct Request {
    /// A fixed word for metrics and sentences. Example: `Keepit`.
    pub service: &'static str,
    /// HTTP method.
    pub method: reqwest::Method,
    /// Where to. Only https.
    pub url: Url,
    /// Whether it changes something.
    pub effect: Effect,
    /// Headers that hold no secret.
    pub headers: Vec<(HeaderName, String)>,
    /// How it proves who we are.
    pub proof: Proof,
    /// Body, if any.
    pub body: Option<Vec<u8>>,
}

/// How a request proves who we are. Marked sensitive, so that no layer below prints it.
pub enum Proof {
    /// Not at all, or within the body (the sign-in).
    None,
    /// A bearer token.
    Bearer(SecretString),
    /// User name and password.
    Basic(String, SecretString),
}

/// The one way out. Cheap to clone.
#[derive(Clone)]
pub struct Way {
    inner: Arc<Inner>,
    // For whom: what a service says to one of them is heeded by all others of the same.
    account: Option<Arc<str>>,
}

impl std::fmt::Debug for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Way").finish_non_exhaustive()
    }
}

struct Inner {
    client: reqwest::Client,
    hosts: Hosts,
    permit: Permit,
    metrics: Arc<Metrics>,
    gates: Gates,
}

/// A whole exchange must fit into this: longer, and the object's turn is over.
const DEADLINE: Duration = Duration::from_secs(30);
/// More than any list that these services send in one page; less than what could hurt.
const MOST_BYTES: usize = 8 * 1024 * 1024;

impl Way {
    /// Makes the way out.
    ///
    /// `extra_ca`: PEM of certificate authorities to trust beside the platform's. The usual proxy variables are honoured.
    ///
    /// # Errors
    /// When the PEM can't be read or TLS can't be set up.
    pub fn new(hosts: Hosts, extra_ca: Option<&[u8]>, permit: Permit, metrics: Arc<Metrics>) -> Result<Self, String> {
        let mut builder = reqwest::Client::builder()
            .https_only(true)
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(10))
            .user_agent(concat!("backstay/", env!("CARGO_PKG_VERSION")));
        if let Some(pem) = extra_ca {
            let authorities = reqwest::Certificate::from_pem_bundle(pem)
                .map_err(|error| format!("no readable PEM certificate: {error}"))?;
            if authorities.is_empty() {
                return Err("no PEM certificate in it".to_owned());
            }
            builder = builder.tls_certs_merge(authorities);
        }
        let client = builder.build().map_err(|error| format!("TLS can't be set up: {}", chain(&error)))?;
        let inner = Inner { client, hosts, permit, metrics, gates: Gates::default() };
        Ok(Self { inner: Arc::new(inner), account: None })
    }

    /// The same way for one account, such as a tenant: a service that asks to be left alone for it, or is close to its limit,
    /// is asked by nobody of this account before that is over.
    #[must_use]
    pub fn on_behalf_of(&self, account: &str) -> Self {
        Self { inner: Arc::clone(&self.inner), account: Some(account.into()) }
    }

    /// Which hosts may be asked.
    #[must_use]
    pub fn hosts(&self) -> &Hosts {
        &self.inner.hosts
    }

    /// Sends a request and brings the whole answer, whatever its status.
    ///
    /// A read is tried again when it got no answer, 502, 503, 504 or 429 and no long wait was asked for. A write is
    /// sent once: whether it arrived must be read back by who sent it.
    ///
    /// # Errors
    /// Host not allowed, write that is not permitted, left alone for a while, no answer within 30 s, body over 8 MiB.
    pub async fn send(&self, request: Request) -> Result<Answer, Fault> {
        let (service, effect) = (request.service, request.effect);
        let admitted = match self.admit(&request) {
            Ok(()) => self.gate(&request.url, service).await,
            Err(fault) => Err(fault),
        };
        let result = match admitted {
            Ok(()) => tokio::time::timeout(DEADLINE, Box::pin(self.exchange(request))).await.unwrap_or_else(|_| {
                Err(Fault::new(Kind::Unreachable, format!("{service} did not answer within {} s", DEADLINE.as_secs())))
            }),
            Err(fault) => Err(fault),
        };
        let outcome = match &result {
            Ok(answer) => status_class(answer.status),
            Err(fault) => fault.kind.word(),
        };
        self.inner.metrics.outgoing(service, effect == Effect::Write, outcome);
        result
    }

    fn admit(&self, request: &Request) -> Result<(), Fault> {
        self.inner.hosts.admit(&request.url)?;
        match request.effect {
            Effect::Write => self.inner.permit.may_write(),
            Effect::Read => Ok(()),
        }
    }

    async fn gate(&self, url: &Url, service: &str) -> Result<(), Fault> {
        let Some(gate) = self.gate_of(url) else { return Ok(()) };
        gate.pass().await.map_err(|wait| left_alone(service, Some(wait)))
    }

    fn gate_of(&self, url: &Url) -> Option<Arc<Gate>> {
        Some(self.inner.gates.of(self.account.as_ref()?, url.host_str()?))
    }

    /// Remembers what an answer says of how often the service wants to be asked. Answers that come in another one's body are
    /// told here by who takes it apart.
    pub fn heed(&self, url: &Url, answer: &Answer) {
        let (wait, used) = (answer.overloaded(), answer.used());
        if wait.is_none() && used.is_none() {
            return;
        }
        let Some(gate) = self.gate_of(url) else { return };
        if let Some(used) = used {
            gate.heed(used);
        }
        if let Some(wait) = wait {
            gate.close(wait);
        }
    }

    async fn exchange(&self, request: Request) -> Result<Answer, Fault> {
        let mut tried = 0;
        loop {
            tried += 1;
            let result = self.once(&request).await;
            if let Ok(answer) = &result {
                self.heed(&request.url, answer);
            }
            let again = match &result {
                Ok(answer) if answer.may_come_later() => answer.retry_after(),
                Err(fault) if fault.kind == Kind::Unreachable => None,
                _ => return result,
            };
            let Some(wait) = next_try(tried, again).filter(|_| request.effect == Effect::Read) else { return result };
            tracing::debug!(service = request.service, tried, "trying again");
            tokio::time::sleep(wait).await;
        }
    }

    async fn once(&self, request: &Request) -> Result<Answer, Fault> {
        let service = request.service;
        let mut builder = self.inner.client.request(request.method.clone(), request.url.clone());
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        match &request.proof {
            Proof::None => {}
            Proof::Bearer(token) => {
                let mut value = HeaderValue::try_from(format!("Bearer {}", token.expose_secret()))
                    .map_err(|_| Fault::new(Kind::BadAnswer, format!("{service}'s token is not one")))?;
                value.set_sensitive(true);
                builder = builder.header(reqwest::header::AUTHORIZATION, value);
            }
            Proof::Basic(user, password) => builder = builder.basic_auth(user, Some(password.expose_secret())),
        }
        if let Some(body) = &request.body {
            builder = builder.body(body.clone());
        }
        // Now, and not only before what was waited for.
        if request.effect == Effect::Write {
            self.inner.permit.may_write()?;
        }
        let response = builder.send().await.map_err(|error| no_answer(service, &error))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = bounded(response, service).await?;
        tracing::debug!(service, method = %request.method, host = request.url.host_str(), path = request.url.path(), status, "asked");
        Ok(Answer { status, headers, body })
    }
}

async fn bounded(mut response: reqwest::Response, service: &str) -> Result<Vec<u8>, Fault> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > MOST_BYTES => {
                return Err(Fault::new(Kind::BadAnswer, format!("{service}'s answer is larger than 8 MiB")));
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Ok(body),
            Err(_) => return Err(Fault::new(Kind::Unreachable, format!("{service}'s answer broke off"))),
        }
    }
}

/// Why there was no answer, without the URL: a query could name what should not be in a status.
fn no_answer(service: &str, error: &reqwest::Error) -> Fault {
    let why = if error.is_timeout() {
        "did not answer in time"
    } else if error.is_connect() {
        "can't be connected to"
    } else {
        "broke the connection"
    };
    tracing::debug!(service, error = %chain(error), "no answer");
    Fault::new(Kind::Unreachable, format!("{service} {why}"))
}

fn chain(error: &reqwest::Error) -> String {
    let mut said = String::new();
    let mut next: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(cause) = next {
        if !said.is_empty() {
            said.push_str(": ");
        }
        said.push_str(&cause.to_string());
        next = cause.source();
    }
    said
}
