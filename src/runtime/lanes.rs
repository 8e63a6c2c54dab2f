//! Who goes first: what is new or changed never waits behind the periodic check of everything else.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

/// Two lanes, each with places of its own: neither can starve the other.
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
const PLACES: usize = 32;

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

    /// Waits for a place in the object's lane.
    ///
    /// # Errors
    /// Never, as long as the process runs: the lanes are not closed.
    pub async fn enter(&self, news: bool) -> Result<Place<'_>, tokio::sync::AcquireError> {
        let lane = if news { &self.changed } else { &self.periodic };
        Ok(Place(lane.acquire().await?))
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

    #[tokio::test(start_paused = true)]
    async fn a_changed_object_gets_a_place_when_the_periodic_lane_is_full() {
        let lanes = Lanes::default();
        let mut periodic = Vec::new();
        for _ in 0..PLACES {
            periodic.push(lanes.enter(false).await.unwrap());
        }
        let second = std::time::Duration::from_secs(1);
        assert!(tokio::time::timeout(second, lanes.enter(false)).await.is_err(), "the periodic lane is full");
        assert!(tokio::time::timeout(second, lanes.enter(true)).await.is_ok(), "the other is not");
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
