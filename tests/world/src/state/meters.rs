//! How much was asked lately, and when may more be asked?

use std::collections::{HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

/// So much in so long.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    pub most: u32,
    pub seconds: i64,
}

/// What was spent in the window that ends now, by name of the bucket.
#[derive(Debug, Default)]
pub struct Meters(HashMap<String, VecDeque<(Timestamp, u32)>>);

/// What a bucket says to one request.
#[derive(Clone, Copy, Debug)]
pub struct Spent {
    pub used: u32,
    /// Seconds to wait; `None` lets the request through.
    pub wait: Option<i64>,
}

impl Meters {
    /// Counts a request; one that is refused counts, too (microsoft.md §1.10).
    pub fn spend(&mut self, bucket: String, limit: Limit, cost: u32, now: Timestamp) -> Spent {
        let entries = self.0.entry(bucket).or_default();
        let window = SignedDuration::from_secs(limit.seconds);
        while entries.front().is_some_and(|(time, _)| now.duration_since(*time) >= window) {
            entries.pop_front();
        }
        entries.push_back((now, cost));
        let used: u32 = entries.iter().map(|(_, cost)| cost).sum();
        if used <= limit.most {
            return Spent { used, wait: None };
        }
        // The same request fits again when enough of the old ones have left the window.
        let mut rest = used;
        let last_to_leave = entries.iter().find(|(_, spent)| {
            rest -= spent;
            rest + cost <= limit.most
        });
        let left = window - now.duration_since(last_to_leave.map_or(now, |(time, _)| *time));
        Spent { used, wait: Some(left.as_secs() + i64::from(left.subsec_nanos() > 0)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_fills_refuses_and_empties() {
        let mut meters = Meters::default();
        let limit = Limit { most: 4, seconds: 10 };
        let at = |second: i64| Timestamp::from_second(1_000 + second).unwrap();
        let mut spend = |second: i64, cost: u32| meters.spend("b".into(), limit, cost, at(second)).wait;
        assert_eq!(spend(0, 2), None);
        assert_eq!(spend(3, 2), None);
        let wait = spend(4, 2).expect("full");
        assert!((9..=10).contains(&wait), "the refused one counts: {wait}");
        assert_eq!(spend(4 + wait, 2), None);
        assert_eq!(meters.spend("other".into(), limit, 4, at(0)).wait, None);
    }
}
