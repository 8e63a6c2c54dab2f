//! The sign-in library's transport: our one way out.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use azure_core::error::ErrorKind;
use azure_core::http::headers::Headers;
use azure_core::http::{AsyncRawResponse, Body, HttpClient};
use reqwest::header::HeaderName;

use crate::fault::{Fault, Kind};
use crate::http::{Effect, Proof, Request, Way};

/// Sends what the sign-in library asks for.
#[derive(Debug)]
pub struct OurTransport {
    way: Way,
    // The library wraps errors into its own; what we know of the last one would be lost.
    last: Mutex<Option<Fault>>,
}

impl OurTransport {
    /// Over this way out.
    pub fn new(way: Way) -> Self {
        Self { way, last: Mutex::default() }
    }

    /// What went wrong last, if it was not Microsoft that said no.
    pub fn take_fault(&self) -> Option<Fault> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Keeps what went wrong, in exchange for the library's own error.
    pub fn keep(&self, fault: Fault) -> azure_core::Error {
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
