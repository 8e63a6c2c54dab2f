//! What this process wrote outside the cluster a moment ago, or tried to: it may not show yet, and must not be repeated for that.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::fault::Fault;

/// Writes, by what they do to what.
#[derive(Debug, Default)]
pub struct Lately(Mutex<HashMap<String, (Instant, Became)>>);

/// What became of a write.
#[derive(Clone, Debug)]
pub enum Became {
    /// It was accepted.
    Written,
    /// It was refused, in a way that time alone may mend.
    Refused(Fault),
}

impl Lately {
    /// It became this now, and is not to be tried again for this long.
    pub fn note(&self, write: &str, became: Became, rest: Duration) {
        self.entries().insert(write.to_owned(), (Instant::now() + rest, became));
    }

    /// What became of it, while it is not to be tried again.
    pub fn noted(&self, write: &str) -> Option<Became> {
        self.entries().get(write).map(|(_, became)| became.clone())
    }

    /// It shows.
    pub fn forget(&self, write: &str) {
        self.entries().remove(write);
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<String, (Instant, Became)>> {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        entries.retain(|_, (until, _)| *until > now);
        entries
    }
}
