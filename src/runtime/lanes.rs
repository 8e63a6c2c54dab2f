//! Who goes first: what is new or changed never waits behind the periodic check of everything else.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

/// Two lanes for the objects of a kind, each with places of its own: neither can starve the other.
#[derive(Debug)]
pub struct Lanes {
    changed: Semaphore,
    periodic: Semaphore,
    // The generation that each object (by uid) was last worked through at.
    worked: Mutex<HashMap<String, i64>>,
}

/// A place in a lane, until it is dropped.
#[derive(Debug)]
pub struct Place<'a>(#[allow(dead_code)] SemaphorePermit<'a>);

/// Passes wait for other services most of the time: this bounds memory and open connections, not work.
const PLACES: usize = 64;

impl Default for Lanes {
    fn default() -> Self {
        Self { changed: Semaphore::new(PLACES), periodic: Semaphore::new(PLACES), worked: Mutex::default() }
    }
}

impl Lanes {
    /// Whether this generation of the object has not been worked through by this process.
    pub fn is_news(&self, uid: &str, generation: i64) -> bool {
        self.worked().get(uid) != Some(&generation)
    }

    /// A place in the object's lane, if there is one. Nobody waits for one: an object that waited in the one lane could not
    /// be looked at from the other when it is changed.
    pub fn enter(&self, news: bool) -> Option<Place<'_>> {
        let lane = if news { &self.changed } else { &self.periodic };
        lane.try_acquire().ok().map(Place)
    }

    /// This generation was worked through.
    pub fn leave(&self, uid: &str, generation: i64) {
        self.worked().insert(uid.to_owned(), generation);
    }

    /// Forgets objects that are gone.
    pub fn retain(&self, exists: impl Fn(&str) -> bool) {
        self.worked().retain(|uid, _| exists(uid));
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
        let periodic: Vec<_> = std::iter::from_fn(|| lanes.enter(false)).collect();
        assert_eq!(periodic.len(), PLACES);
        assert!(lanes.enter(true).is_some());
        drop(periodic);
        assert!(lanes.enter(false).is_some());
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
