//! What an answer says, before anybody reads its body: a fault, how long to wait, whether to try again.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};

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

    fn is_web_page(&self) -> bool {
        let kind = self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        kind.trim_start().to_ascii_lowercase().starts_with("text/html")
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

    /// The fault that the status stands for by itself: 429, 5xx, and the usual 4xx. `None` for 2xx, unless it is a page for people.
    #[must_use]
    pub fn fault(&self, service: &str, what: &str) -> Option<Fault> {
        let status = self.status;
        if status == 429 || self.overloaded().is_some() {
            return Some(left_alone(service, self.retry_after()));
        }
        let (kind, said) = match status {
            // Interfaces for programs send none, and no redirect either: something on the way does.
            200..300 if self.is_web_page() => {
                (Kind::BadAnswer, "answered with a web page, as a proxy or a sign-in page on the way does")
            }
            200..300 => return None,
            300..=399 => (Kind::BadAnswer, "answered with a redirect, as a proxy or a sign-in page on the way does"),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&'static str, &str)]) -> Answer {
        let headers = headers
            .iter()
            .map(|(name, value)| (reqwest::header::HeaderName::from_static(name), value.parse().unwrap()))
            .collect();
        Answer { status, headers, body: Vec::new() }
    }

    #[test]
    fn who_asks_to_be_left_alone_is_throttled_and_who_only_fails_is_not() {
        for (status, header, kind, wait) in [
            (429, Some("7"), Kind::Throttled, Some(7)),
            (429, None, Kind::Throttled, None),
            (503, Some("7"), Kind::Throttled, Some(7)),
            (503, None, Kind::ServerError, None),
            (500, Some("7"), Kind::ServerError, Some(7)),
        ] {
            let headers: Vec<_> = header.map(|value| ("retry-after", value)).into_iter().collect();
            let answer = answer(status, &headers);
            let fault = answer.fault("Service", "thing").unwrap();
            let told = (fault.kind, fault.retry_after().map(|wait| wait.as_secs()));
            assert_eq!(told, (kind, wait), "{status} {header:?}");
            // 500 concerns one request, whatever it says.
            let of_all = answer.overloaded().map(|wait| wait.as_secs());
            assert_eq!(of_all, wait.filter(|_| kind == Kind::Throttled), "{status} {header:?}");
        }
    }

    #[test]
    fn a_page_for_people_is_no_answer_whatever_its_status() {
        let kind = |status, media_type: Option<&str>| {
            let headers: Vec<_> = media_type.map(|value| ("content-type", value)).into_iter().collect();
            answer(status, &headers).fault("Service", "thing").map(|fault| fault.kind)
        };
        assert_eq!(kind(200, Some("Text/HTML; charset=utf-8")), Some(Kind::BadAnswer));
        assert_eq!((kind(200, Some("application/xml")), kind(204, None)), (None, None));
        assert_eq!(kind(302, None), Some(Kind::BadAnswer));
        assert_eq!(kind(403, Some("text/html")), Some(Kind::PermissionMissing));
    }

    #[test]
    fn how_much_of_a_limit_is_used_up_is_a_number_or_nothing() {
        let said = |value: &str| answer(200, &[("x-ms-throttle-limit-percentage", value)]).used();
        assert_eq!((said("0.85"), said(" 1.2 "), said("much")), (Some(0.85), Some(1.2), None));
        assert_eq!(answer(200, &[]).used(), None);
    }

    #[test]
    fn a_next_try_comes_when_it_was_told_or_doubled_but_not_late_and_not_for_ever() {
        let (second, minute) = (Duration::from_secs(1), Duration::from_mins(1));
        assert_eq!(next_try(1, Some(second)), Some(second));
        assert_eq!(next_try(1, Some(minute)), None);
        assert_eq!((next_try(1, None), next_try(2, None)), (Some(second / 5), Some(second * 2 / 5)));
        assert_eq!(next_try(3, None), None);
    }
}
