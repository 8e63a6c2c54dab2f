//! What an answer says, before anybody reads its body: a fault, how long to wait, whether to try again.

use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};

use super::retry_after;
use crate::fault::{Fault, Kind};

/// A wait that is shorter than this is waited out here; a longer one goes back to the queue.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// One slip on the way is common; three in a row are news.
const TRIES: u32 = 3;

/// One answer, whatever its status.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// The whole body, bounded.
    pub body: Vec<u8>,
}

impl Answer {
    /// Whether the status is 2xx.
    #[must_use]
    pub fn ok(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether the same request may bring an answer a moment later.
    #[must_use]
    pub fn may_come_later(&self) -> bool {
        matches!(self.status, 429 | 502 | 503 | 504)
    }

    /// How long the other side asks to be left alone.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        let value = self.headers.get(RETRY_AFTER)?.to_str().ok()?;
        retry_after::parse(value, jiff::Timestamp::now())
    }

    /// How long the other side, which has too much to do, asks to be left alone by everybody.
    pub(super) fn overloaded(&self) -> Option<Duration> {
        if matches!(self.status, 429 | 503) { self.retry_after() } else { None }
    }

    /// How much of its limit Microsoft Graph says is used up, if that is much (facts/microsoft.md §1.10).
    pub(super) fn used(&self) -> Option<f64> {
        self.headers.get("x-ms-throttle-limit-percentage")?.to_str().ok()?.trim().parse().ok()
    }

    /// The fault that the status stands for by itself: 429, 5xx, and the usual 4xx. `None` for 2xx.
    #[must_use]
    pub fn fault(&self, service: &str, what: &str) -> Option<Fault> {
        let status = self.status;
        if status == 429 || self.overloaded().is_some() {
            return Some(left_alone(service, self.retry_after()));
        }
        let (kind, said) = match status {
            200..300 => return None,
            401 => (Kind::CredentialRefused, "refused the credential"),
            403 => (Kind::PermissionMissing, "does not permit it"),
            404 => (Kind::NotFound, "has no such thing"),
            409 => (Kind::Conflict, "says that it conflicts with what is there"),
            500.. => (Kind::ServerError, "failed on its side"),
            _ => (Kind::Refused, "refused the request"),
        };
        Some(Fault::new(kind, format!("{service} {said} ({what}: HTTP {status})")).after(self.retry_after()))
    }
}

/// The same sentence for who was told, and for who did not even ask because of it.
pub(super) fn left_alone(service: &str, wait: Option<Duration>) -> Fault {
    Fault::new(Kind::Throttled, format!("{service} asks to be left alone for a while")).after(wait)
}

/// How long to wait before the next try, after so many: doubling from a fifth of a second, unless told otherwise. `None`: not
/// again now.
#[must_use]
pub fn next_try(tried: u32, told: Option<Duration>) -> Option<Duration> {
    let wait = told.unwrap_or(Duration::from_millis(200) * 2_u32.pow(tried.saturating_sub(1).min(8)));
    (tried < TRIES && wait <= LONGEST_WAIT).then_some(wait)
}

/// A label value for a status.
pub(super) fn status_class(status: u16) -> &'static str {
    match status {
        200..300 => "2xx",
        300..400 => "3xx",
        401 => "401",
        403 => "403",
        404 => "404",
        429 => "429",
        400..500 => "4xx",
        _ => "5xx",
    }
}
