//! What this process wrote outside the cluster a moment ago: it may not show yet, and must not be written again for that.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Writes, by what they do to what.
#[derive(Debug, Default)]
pub struct Lately(Mutex<HashMap<String, Instant>>);

impl Lately {
    /// It was written now.
    pub fn note(&self, write: &str) {
        self.entries().insert(write.to_owned(), Instant::now());
    }

    /// Whether it was written within this time.
    pub fn noted(&self, write: &str, within: Duration) -> bool {
        let mut entries = self.entries();
        entries.retain(|_, at| at.elapsed() <= within);
        entries.contains_key(write)
    }

    /// It shows.
    pub fn forget(&self, write: &str) {
        self.entries().remove(write);
    }

    fn entries(&self) -> std::sync::MutexGuard<'_, HashMap<String, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
