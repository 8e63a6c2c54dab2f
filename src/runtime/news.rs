//! Who has to look again when another object changes: only those for whom there is news in it.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};

/// What was last told to whom.
#[derive(Debug, Default)]
pub struct News(Mutex<HashMap<String, u64>>);

impl News {
    /// Whether this differs from what this listener was told before.
    pub fn tell(&self, listener: &str, news: &impl Hash) -> bool {
        let mut hasher = DefaultHasher::new();
        news.hash(&mut hasher);
        let hash = hasher.finish();
        self.entries().insert(listener.to_owned(), hash) != Some(hash)
    }

    /// Forgets a listener that is gone.
    pub fn forget(&self, listener: &str) {
        self.entries().remove(listener);
    }

    fn entries(&self) -> std::sync::MutexGuard<'_, HashMap<String, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_news_is_told_once() {
        let news = News::default();
        assert!(news.tell("a", &("x", 1)));
        assert!(!news.tell("a", &("x", 1)));
        assert!(news.tell("b", &("x", 1)));
        assert!(news.tell("a", &("x", 2)));
    }
}
