//! What this very process has seen of a Connector, and when: a status may have been written weeks ago, or restored.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// When each Connector (by uid) was last looked at with an answer, and at which generation.
#[derive(Debug, Default)]
pub struct Sightings(Mutex<HashMap<String, (i64, Instant)>>);

impl Sightings {
    /// The vendor was just asked for this Connector, and answered.
    pub fn note(&self, uid: &str, generation: i64) {
        self.entries().insert(uid.to_owned(), (generation, Instant::now()));
    }

    /// Whether this generation was seen within this time.
    pub fn fresh(&self, uid: &str, generation: i64, within: Duration) -> bool {
        self.entries().get(uid).is_some_and(|(seen, at)| *seen == generation && at.elapsed() <= within)
    }

    /// Forgets objects that are gone.
    pub fn retain(&self, exists: impl Fn(&str) -> bool) {
        self.entries().retain(|uid, _| exists(uid));
    }

    fn entries(&self) -> std::sync::MutexGuard<'_, HashMap<String, (i64, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
