//! What this process wrote outside the cluster a moment ago, or tried to: it may not show yet, and must not be repeated for that.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::fault::Fault;

/// Writes, by what they do to what.
#[derive(Debug, Default)]
pub struct Lately(Mutex<HashMap<String, Entry>>);

#[derive(Debug)]
struct Entry {
    became: Became,
    /// When the same first became of it.
    since: Instant,
    /// Until when it is not to be tried again.
    rests_until: Instant,
}

/// What became of a write.
#[derive(Clone, Debug)]
pub enum Became {
    /// It was accepted.
    Written,
    /// It was refused, in a way that time alone may mend.
    Refused(Fault),
}

/// A refusal that was not met again for this long after its rest is another one.
const REMEMBERED: Duration = Duration::from_mins(15);

impl Lately {
    /// It became this now, and is not to be tried again for this long.
    pub fn note(&self, write: &str, became: Became, rest: Duration) {
        let now = Instant::now();
        let mut entries = self.entries();
        let again = entries.get(write).filter(|old| {
            matches!(
                (&old.became, &became),
                (Became::Written, Became::Written) | (Became::Refused(_), Became::Refused(_))
            )
        });
        let since = again.map_or(now, |old| old.since);
        entries.insert(write.to_owned(), Entry { became, since, rests_until: now + rest });
    }

    /// What became of it, while it is not to be tried again.
    pub fn noted(&self, write: &str) -> Option<Became> {
        let now = Instant::now();
        self.entries().get(write).filter(|entry| entry.rests_until > now).map(|entry| entry.became.clone())
    }

    /// Why it was refused the last time, unless it has been written since; long after, that is forgotten.
    pub fn refused(&self, write: &str) -> Option<Fault> {
        match self.entries().get(write).map(|entry| &entry.became) {
            Some(Became::Refused(fault)) => Some(fault.clone()),
            _ => None,
        }
    }

    /// How long it has been refused now, time after time; zero: it was not, or just now for the first time.
    pub fn refused_for(&self, write: &str) -> Duration {
        let refused = |entry: &&Entry| matches!(entry.became, Became::Refused(_));
        self.entries().get(write).filter(refused).map(|entry| entry.since.elapsed()).unwrap_or_default()
    }

    /// What has been refused for at least this long, time after time.
    pub fn overdue(&self, for_long: Duration) -> BTreeSet<String> {
        let long = |entry: &Entry| matches!(entry.became, Became::Refused(_)) && entry.since.elapsed() >= for_long;
        self.entries().iter().filter(|(_, entry)| long(entry)).map(|(write, _)| write.clone()).collect()
    }

    /// It shows.
    pub fn forget(&self, write: &str) {
        self.entries().remove(write);
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        entries.retain(|_, entry| entry.rests_until + REMEMBERED > now);
        entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Kind;

    #[tokio::test(start_paused = true)]
    async fn a_refusal_rests_for_a_while_and_its_length_is_counted_from_the_first() {
        let lately = Lately::default();
        let refused = || Became::Refused(Fault::new(Kind::NotLicensed, "no"));
        let (rest, minute) = (Duration::from_secs(20), Duration::from_mins(1));
        lately.note("a", refused(), rest);
        assert!(matches!(lately.noted("a"), Some(Became::Refused(_))) && lately.refused_for("a").is_zero());
        tokio::time::advance(minute).await;
        assert!(lately.noted("a").is_none(), "it is to be tried again");
        assert_eq!(lately.refused_for("a"), minute);
        assert!(lately.overdue(minute).contains("a") && lately.overdue(minute * 2).is_empty());
        lately.note("a", refused(), rest);
        assert_eq!(lately.refused_for("a"), minute);
        lately.note("a", Became::Written, rest);
        assert_eq!(lately.refused_for("a"), Duration::ZERO);
        lately.note("b", refused(), rest);
        tokio::time::advance(rest + REMEMBERED).await;
        assert_eq!(lately.refused_for("b"), Duration::ZERO);
    }
}
