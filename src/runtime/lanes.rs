//! Who goes first: what is new or changed never waits behind the periodic check of everything else.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

/// Two lanes for the objects of a kind, each with places of its own: neither can starve the other.
#[derive(Debug)]
pub struct Lanes {
    changed: Semaphore,
    periodic: Semaphore,
    // The generation that each object (by uid) was last worked through at.
    worked: Mutex<HashMap<String, i64>>,
    // When the next turn of each object is, or was.
    due: Mutex<HashMap<String, Instant>>,
}

/// A place in a lane, until it is dropped.
#[derive(Debug)]
pub struct Place<'a>(#[allow(dead_code)] SemaphorePermit<'a>);

/// Passes wait for other services most of the time: this bounds memory and open connections, not work.
const PLACES: usize = 64;

impl Default for Lanes {
    fn default() -> Self {
        Self {
            changed: Semaphore::new(PLACES),
            periodic: Semaphore::new(PLACES),
            worked: Mutex::default(),
            due: Mutex::default(),
        }
    }
}

impl Lanes {
    /// Whether this generation of the object has not been worked through by this process.
    pub fn is_news(&self, uid: &str, generation: i64) -> bool {
        self.worked().get(uid) != Some(&generation)
    }

    /// A place in the object's lane, if there is one. Nobody waits for one: an object that waited in the one lane could not
    /// be looked at from the other when it is changed.
    pub fn enter(&self, uid: &str, news: bool) -> Option<Place<'_>> {
        let lane = if news { &self.changed } else { &self.periodic };
        let place = lane.try_acquire().ok().map(Place);
        if place.is_some() {
            self.turns().remove(uid);
        } else {
            let now = Instant::now();
            self.turns().entry(uid.to_owned()).and_modify(|due| *due = now.min(*due)).or_insert(now);
        }
        place
    }

    /// This generation was worked through.
    pub fn leave(&self, uid: &str, generation: i64) {
        self.worked().insert(uid.to_owned(), generation);
    }

    /// Its next turn is in so long; `None`: it has none.
    pub fn turn(&self, uid: &str, wait: Option<Duration>) {
        match wait {
            Some(wait) => self.turns().insert(uid.to_owned(), Instant::now() + wait),
            None => self.turns().remove(uid),
        };
    }

    /// For how long an object has waited for a turn that was due.
    pub fn waits(&self, uid: &str) -> Duration {
        self.turns().get(uid).map_or(Duration::ZERO, Instant::elapsed)
    }

    /// Forgets objects that are gone.
    pub fn retain(&self, exists: impl Fn(&str) -> bool) {
        self.worked().retain(|uid, _| exists(uid));
        self.turns().retain(|uid, _| exists(uid));
    }

    fn turns(&self) -> std::sync::MutexGuard<'_, HashMap<String, Instant>> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn worked(&self) -> std::sync::MutexGuard<'_, HashMap<String, i64>> {
        self.worked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_object_gets_a_place_when_the_periodic_lane_is_full() {
        let lanes = Lanes::default();
        let periodic: Vec<_> = std::iter::from_fn(|| lanes.enter("other", false)).collect();
        assert_eq!(periodic.len(), PLACES);
        assert!(lanes.enter("changed", true).is_some());
        drop(periodic);
        assert!(lanes.enter("waiting", false).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_due_waits_from_then_on_until_there_is_a_place() {
        let lanes = Lanes::default();
        let minute = Duration::from_mins(1);
        lanes.turn("a", Some(minute));
        tokio::time::advance(minute).await;
        assert_eq!(lanes.waits("a"), Duration::ZERO);
        tokio::time::advance(minute).await;
        assert_eq!(lanes.waits("a"), minute);
        let places: Vec<_> = std::iter::from_fn(|| lanes.enter("b", false)).collect();
        assert_eq!(lanes.waits("b"), Duration::ZERO, "it has waited since just now");
        assert!(lanes.enter("a", false).is_none());
        tokio::time::advance(minute).await;
        assert_eq!((lanes.waits("a"), lanes.waits("b")), (2 * minute, minute));
        drop(places);
        assert!(lanes.enter("a", false).is_some());
        assert_eq!(lanes.waits("a"), Duration::ZERO, "it is at work");
        lanes.turn("b", None);
        assert_eq!(lanes.waits("b"), Duration::ZERO);
    }

    #[test]
    fn an_object_is_news_until_its_generation_was_worked_through() {
        let lanes = Lanes::default();
        assert!(lanes.is_news("a", 1));
        lanes.leave("a", 1);
        assert!(!lanes.is_news("a", 1));
        assert!(lanes.is_news("a", 2));
    }
}
