//! How Events are written: another sentence is another Event, the same one is counted on.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use kube::runtime::events::{Event, Recorder, Reporter};
use tokio::time::Instant;

/// kube's recorder counts by everything but the sentence, and keeps the first one (5.0.0): the count would rise on a
/// sentence that no longer holds. So each sentence about an object has a recorder of its own.
pub struct Events {
    client: Client,
    reporter: Reporter,
    recorders: Mutex<HashMap<Told, (Recorder, Instant)>>,
}

/// The uid of the object, and the sentence.
type Told = (String, String);

/// kube's recorder begins a new Event when the last was told longer ago than this.
const COUNTED_ON: Duration = Duration::from_mins(6);

impl Events {
    /// Nothing was told yet.
    #[must_use]
    pub fn new(client: Client, reporter: Reporter) -> Self {
        Self { client, reporter, recorders: Mutex::default() }
    }

    /// Writes an Event, or counts on one that was told already.
    ///
    /// # Errors
    /// When the API server refuses it or does not answer.
    pub async fn publish(&self, event: &Event, regarding: &ObjectReference) -> Result<(), kube::Error> {
        let recorder = self.recorder(told(event, regarding));
        recorder.publish(event, regarding).await
    }

    /// Whether this was told already, and the next time will be counted on it.
    pub fn told(&self, event: &Event, regarding: &ObjectReference) -> bool {
        self.entries().get(&told(event, regarding)).is_some_and(|(_, last)| last.elapsed() < COUNTED_ON)
    }

    fn recorder(&self, told: Told) -> Recorder {
        let now = Instant::now();
        let mut recorders = self.entries();
        recorders.retain(|_, (_, last)| now.duration_since(*last) < COUNTED_ON);
        let fresh = || (Recorder::new(self.client.clone(), self.reporter.clone()), now);
        let (recorder, last) = recorders.entry(told).or_insert_with(fresh);
        *last = now;
        recorder.clone()
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<Told, (Recorder, Instant)>> {
        self.recorders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn told(event: &Event, regarding: &ObjectReference) -> Told {
    (regarding.uid.clone().unwrap_or_default(), event.note.clone().unwrap_or_default())
}
