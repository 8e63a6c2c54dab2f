//! What this very process has seen of objects, and when: a status may have been written weeks ago, or restored.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// What was seen of an object with our own eyes.
#[derive(Clone, Copy, Debug)]
struct Sighting {
    generation: i64,
    good: bool,
    at: Instant,
}

/// The last sighting of each object (by uid).
#[derive(Debug, Default)]
pub struct Sightings(Mutex<HashMap<String, Sighting>>);

/// A removal may rely on what was seen within this time; whoever was seen longer ago is looked at again first (`Again`).
const FRESH: Duration = Duration::from_mins(5);

impl Sightings {
    /// It was looked at, and what was read was at most `age` old: whether it is good.
    pub fn note(&self, uid: &str, generation: i64, good: bool, age: Duration) {
        // On a machine that has run for less than `age`, nothing can be told to be fresh.
        let (now, at) = (Instant::now(), Instant::now().checked_sub(age));
        let (good, at) = (good && at.is_some(), at.unwrap_or(now));
        self.entries().insert(uid.to_owned(), Sighting { generation, good, at });
    }

    /// Whether this generation was seen at all.
    pub fn seen(&self, uid: &str, generation: i64) -> bool {
        self.entries().get(uid).is_some_and(|seen| seen.generation == generation)
    }

    /// Whether this generation was just seen to be good.
    pub fn good(&self, uid: &str, generation: i64) -> bool {
        let entry = self.entries().get(uid).copied();
        entry.is_some_and(|seen| seen.generation == generation && seen.good && seen.at.elapsed() <= FRESH)
    }

    /// Forgets objects that are gone.
    pub fn retain(&self, exists: impl Fn(&str) -> bool) {
        self.entries().retain(|uid, _| exists(uid));
    }

    fn entries(&self) -> std::sync::MutexGuard<'_, HashMap<String, Sighting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_a_fresh_look_at_this_generation_that_found_it_good_counts() {
        let sightings = Sightings::default();
        assert!(!sightings.seen("a", 1) && !sightings.good("a", 1));
        sightings.note("a", 1, true, Duration::from_mins(1));
        assert!(sightings.good("a", 1) && !sightings.good("a", 2) && !sightings.seen("a", 2));
        tokio::time::advance(Duration::from_mins(4)).await;
        assert!(sightings.good("a", 1));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(!sightings.good("a", 1), "what was read is older than five minutes now");
        sightings.note("a", 1, false, Duration::ZERO);
        assert!(sightings.seen("a", 1) && !sightings.good("a", 1));
    }
}
