//! How many deletions one vendor account may see: a slip of `kubectl delete` must not take every backup with it.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// What was let through a moment ago.
#[derive(Debug, Default)]
pub struct Deletions(Mutex<HashMap<String, HashMap<String, Instant>>>);

/// Deletions are counted over this long.
const COUNTED: Duration = Duration::from_mins(1);

impl Deletions {
    /// Lets the deletion of this object through, unless that makes more than `most` with those that wait and those that were let
    /// through within the last minute.
    ///
    /// # Errors
    /// How many those are: it has to wait.
    pub fn admit(&self, account: &str, uid: &str, waiting: &BTreeSet<String>, most: usize) -> Result<(), usize> {
        let now = Instant::now();
        let mut accounts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        accounts.retain(|_, lately| {
            lately.retain(|_, at| now.duration_since(*at) < COUNTED);
            !lately.is_empty()
        });
        let lately = accounts.entry(account.to_owned()).or_default();
        let all: BTreeSet<&str> =
            lately.keys().chain(waiting).map(String::as_str).chain(std::iter::once(uid)).collect();
        // Once let through, it is the same deletion that goes on.
        if !lately.contains_key(uid) && all.len() > most {
            return Err(all.len());
        }
        lately.insert(uid.to_owned(), now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_fourth_within_a_minute_is_held_and_accounts_do_not_count_for_each_other() {
        let deletions = Deletions::default();
        let admit = |account, uid| deletions.admit(account, uid, &BTreeSet::new(), 3);
        assert_eq!(["a", "b", "c", "d"].map(|uid| admit("x", uid)), [Ok(()), Ok(()), Ok(()), Err(4)]);
        assert_eq!((admit("x", "a"), admit("y", "d")), (Ok(()), Ok(())));
        tokio::time::advance(COUNTED).await;
        assert_eq!(admit("x", "d"), Ok(()));
        let waiting: BTreeSet<String> = ["e", "f", "g"].map(str::to_owned).into();
        assert_eq!(deletions.admit("y", "e", &waiting, 3), Ok(()), "what waits is counted once");
        assert_eq!(deletions.admit("z", "e", &["f", "g", "h"].map(str::to_owned).into(), 3), Err(4));
    }
}
