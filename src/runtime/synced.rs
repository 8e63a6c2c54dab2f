//! Whether every watch has brought its first list: what is not in a store then is not there.
//!
//! Not `Store::wait_until_ready`: it keeps the waker of its last caller only (kube 5.0.0), so that a second one who
//! waits, such as the controller itself, may sleep for ever.

use std::sync::Arc;

use tokio::sync::watch;

/// Which watches have brought their first list.
#[derive(Clone, Debug)]
pub struct Synced(Arc<watch::Sender<Vec<bool>>>);

impl Synced {
    /// Of so many watches.
    #[must_use]
    pub fn new(watches: usize) -> Self {
        Self(Arc::new(watch::Sender::new(vec![false; watches])))
    }

    /// What the watch of this number calls when its list is in.
    pub fn of(&self, number: usize) -> impl Fn() + Send + 'static {
        let sender = Arc::clone(&self.0);
        move || {
            sender.send_if_modified(|listed| !std::mem::replace(&mut listed[number], true));
        }
    }

    /// Waits until all are in.
    pub async fn all(&self) {
        // Can't fail: the sender lives as long as this does.
        let _ = self.0.subscribe().wait_for(|listed| listed.iter().all(|listed| *listed)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn everybody_who_waits_is_woken_when_the_last_list_is_in() {
        let synced = Synced::new(4);
        let waiting: Vec<_> = (0..3)
            .map(|_| {
                let synced = synced.clone();
                tokio::spawn(async move { synced.all().await })
            })
            .collect();
        for number in 0..4 {
            assert!(waiting.iter().all(|task| !task.is_finished()));
            synced.of(number)();
        }
        for task in waiting {
            task.await.unwrap();
        }
    }
}
