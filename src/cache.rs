//! Reads a thing once for all who ask for it.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::seen::Seen;

/// One value, read at most once at a time and shared by everybody whose patience it still satisfies.
#[derive(Debug)]
pub struct Shared<T> {
    slot: tokio::sync::Mutex<Option<(Instant, Seen<T>)>>,
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self { slot: tokio::sync::Mutex::new(None) }
    }
}

impl<T: Clone> Shared<T> {
    /// The value if it is not older than `max_age`, else what `read` brings. Who asks while another reads waits for that
    /// reading and takes it, since it began after the question: a hundred questions at once are one call. What could
    /// not be read is kept just as long, so that a dead service is not asked once for every object.
    pub async fn get<F>(&self, max_age: Duration, read: F) -> Seen<T>
    where
        F: Future<Output = Seen<T>>,
    {
        self.get_lasting(max_age, max_age, read).await
    }

    /// The same for a value that lasts longer, once known, than a failure to read it does.
    pub async fn get_lasting<F>(&self, known_for: Duration, unknown_for: Duration, read: F) -> Seen<T>
    where
        F: Future<Output = Seen<T>>,
    {
        let asked = Instant::now();
        let mut slot = self.slot.lock().await;
        if let Some((begun, value)) = slot.as_ref() {
            let max_age = if value.known().is_some() { known_for } else { unknown_for };
            if *begun >= asked || begun.elapsed() <= max_age {
                return value.clone();
            }
        }
        let begun = Instant::now();
        let value = read.await;
        *slot = Some((begun, value.clone()));
        value
    }
}

/// Many things of one kind, each made when it is first asked for and forgotten when nobody has asked for long.
#[derive(Debug)]
pub struct Keyed<K, V> {
    entries: Mutex<HashMap<K, (Arc<V>, Instant)>>,
}

impl<K, V> Default for Keyed<K, V> {
    fn default() -> Self {
        Self { entries: Mutex::new(HashMap::new()) }
    }
}

/// Longer than any sensible interval between two checks of one object, so that only what is gone is forgotten.
const FORGET_AFTER: Duration = Duration::from_hours(26);

impl<K: Hash + Eq, V> Keyed<K, V> {
    /// The value under this key, made now if there is none.
    pub fn get(&self, key: K, make: impl FnOnce() -> V) -> Arc<V> {
        let now = Instant::now();
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if !entries.contains_key(&key) {
            entries.retain(|_, (_, used)| now.duration_since(*used) < FORGET_AFTER);
        }
        let (value, used) = entries.entry(key).or_insert_with(|| (Arc::new(make()), now));
        *used = now;
        Arc::clone(value)
    }

    /// All that there are; nothing counts as asked for by this.
    pub fn values(&self) -> Vec<Arc<V>> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.values().map(|(value, _)| Arc::clone(value)).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_hundred_questions_at_once_are_one_reading() {
        let shared = Arc::new(Shared::default());
        let readings = Arc::new(AtomicUsize::new(0));
        let asked = (0..100).map(|_| {
            let (shared, readings) = (Arc::clone(&shared), Arc::clone(&readings));
            async move {
                shared
                    .get(Duration::ZERO, async {
                        tokio::time::sleep(Duration::from_secs(1)).await;
                        Seen::Known(readings.fetch_add(1, Ordering::SeqCst))
                    })
                    .await
            }
        });
        let answers = futures::future::join_all(asked).await;
        assert_eq!(readings.load(Ordering::SeqCst), 1);
        assert!(answers.iter().all(|answer| *answer == Seen::Known(0)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_value_is_read_again_when_it_is_older_than_the_one_who_asks_accepts() {
        let shared = Shared::default();
        let minute = Duration::from_mins(1);
        assert_eq!(shared.get(minute, async { Seen::Known(1) }).await, Seen::Known(1));
        tokio::time::advance(Duration::from_secs(59)).await;
        assert_eq!(shared.get(minute, async { Seen::Known(2) }).await, Seen::Known(1));
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(shared.get(minute, async { Seen::Known(3) }).await, Seen::Known(3));
    }
}
