//! Whether something may be written now: never, always, or as long as this process leads.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::fault::{Fault, Kind};

/// How often it is looked whether a permit is over.
const PIECE: Duration = Duration::from_millis(500);

/// Asked before every write, at the moment of sending: what was sent in time may be carried out later. Clones share what they say.
#[derive(Clone, Debug)]
pub enum Permit {
    /// Nothing may be written (`--read-only`).
    Never,
    /// Nobody else writes.
    Always,
    /// Until a time of this process's own clocks; `None`: not now.
    WhileLeading(Arc<Mutex<Option<Until>>>),
}

/// The end of a permit. By two clocks, and what either says: one nobody else can move, and it stands still while a machine sleeps; the
/// other one goes on then.
#[derive(Clone, Copy, Debug)]
pub struct Until {
    steady: Instant,
    wall: SystemTime,
}

impl Until {
    fn of(steady: Instant) -> Self {
        Self { steady, wall: SystemTime::now() + steady.saturating_duration_since(Instant::now()) }
    }

    fn is_over(self) -> bool {
        Instant::now() >= self.steady || SystemTime::now() >= self.wall
    }
}

impl Permit {
    /// For a process that does not lead yet.
    #[must_use]
    pub fn not_yet() -> Self {
        Self::WhileLeading(Arc::default())
    }

    /// Whether it may be.
    ///
    /// # Errors
    /// One sentence that says why not.
    pub fn may_write(&self) -> Result<(), Fault> {
        match self {
            Self::Always => Ok(()),
            Self::Never => Err(Fault::new(Kind::ReadOnly, "The operator runs with --read-only and writes nothing")),
            Self::WhileLeading(until) => {
                let until = *until.lock().unwrap_or_else(PoisonError::into_inner);
                if until.is_some_and(|until| !until.is_over()) {
                    return Ok(());
                }
                Err(Fault::new(Kind::NotLeading, "This process does not lead any more: another one goes on"))
            }
        }
    }

    /// Waits until that is over by this process's own clock.
    pub async fn over(&self) {
        let Self::WhileLeading(until) = self else { return std::future::pending().await };
        loop {
            let until = *until.lock().unwrap_or_else(PoisonError::into_inner);
            match until.filter(|until| !until.is_over()) {
                // In pieces: a sleep stands still while the machine does.
                Some(until) => tokio::time::sleep_until(until.steady.min(Instant::now() + PIECE)).await,
                None => return,
            }
        }
    }

    /// It leads until then.
    pub fn extend(&self, until: Instant) {
        self.set(Some(Until::of(until)));
    }

    /// It leads no more.
    pub fn withdraw(&self) {
        self.set(None);
    }

    fn set(&self, value: Option<Until>) {
        if let Self::WhileLeading(until) = self {
            *until.lock().unwrap_or_else(PoisonError::into_inner) = value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_leads_may_write_until_its_time_is_over_and_every_clone_knows() {
        let permit = Permit::not_yet();
        let clone = permit.clone();
        assert_eq!(clone.may_write().unwrap_err().kind, Kind::NotLeading);
        permit.extend(Instant::now() + Duration::from_secs(5));
        assert!(clone.may_write().is_ok());
        tokio::time::advance(Duration::from_secs(5)).await;
        assert!(clone.may_write().is_err(), "though nobody has taken it away");
        permit.extend(Instant::now() + Duration::from_secs(5));
        permit.withdraw();
        assert!(clone.may_write().is_err());
        assert_eq!(Permit::Never.may_write().unwrap_err().kind, Kind::ReadOnly);
    }
}
