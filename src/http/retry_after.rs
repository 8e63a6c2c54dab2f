//! How long the other side asks to be left alone (`Retry-After`: seconds, or a date).

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;

/// Nobody is obeyed for longer than this: a mistyped date must not silence an object for years.
const LONGEST: Duration = Duration::from_hours(1);

/// The wait from `now` on, at most an hour; `None` when the value is neither seconds nor a date.
pub fn parse(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    let wait = if let Ok(seconds) = value.parse::<u64>() {
        Duration::from_secs(seconds)
    } else {
        // HTTP dates end in "GMT", which RFC 2822 knows as an obsolete zone.
        let at = rfc2822::parse(value).ok()?.timestamp();
        Duration::try_from(at.duration_since(now)).unwrap_or_default()
    };
    Some(wait.min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates_are_understood_and_bounded() {
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        assert_eq!(parse("17", now), Some(Duration::from_secs(17)));
        assert_eq!(parse(" 0 ", now), Some(Duration::ZERO));
        assert_eq!(parse("Sun, 22 Nov 2026 10:00:30 GMT", now), Some(Duration::from_secs(30)));
        assert_eq!(parse("Sun, 22 Nov 2026 09:59:00 GMT", now), Some(Duration::ZERO));
        assert_eq!(parse("999999999", now), Some(LONGEST));
        assert_eq!(parse("soon", now), None);
    }
}
