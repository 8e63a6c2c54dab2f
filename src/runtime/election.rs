//! Who of several processes works: the holder of a Lease, by compare-and-swap, and by its own clock no longer than it may. [io]

use std::fmt::Display;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::api::PostParams;
use kube::{Api, Client, ResourceExt};
use tokio::time::Instant;

use crate::permit::Permit;

/// What an election is about.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Where the Lease is.
    pub namespace: String,
    /// Its name.
    pub lease: String,
    /// Who this process is; no other that runs at the same time may be called so.
    pub identity: String,
    /// How long others wait for a holder that says nothing.
    pub duration: Duration,
}

/// One process's part in it.
pub struct Election {
    api: Api<Lease>,
    terms: Terms,
    permit: Permit,
    // As it was last written by this process.
    held: tokio::sync::Mutex<Option<Lease>>,
}

/// What a Lease says that was given back.
const RELEASED: i32 = 1;
/// How often somebody who waits looks.
const LOOKS: Duration = Duration::from_secs(1);
/// How soon a renewal that failed is tried again, at most.
const AGAIN: Duration = Duration::from_secs(1);

impl Election {
    /// Nothing is asked yet. The client must not be one that asks the permit.
    #[must_use]
    pub fn new(client: Client, terms: Terms, permit: Permit) -> Self {
        let api = Api::namespaced(client, &terms.namespace);
        Self { api, terms, permit, held: tokio::sync::Mutex::default() }
    }

    /// Waits until this process leads. `standing_by` is called once it is known that somebody else does.
    pub async fn won(&self, standing_by: impl Fn()) {
        // How long the Lease is as it is, by this process's own clock: those of others may be wrong.
        let mut unchanged: Option<(Option<String>, Instant)> = None;
        // So long a holder was ever seen to have, whatever became of the Lease since: it may write for that time.
        let mut longest = Duration::ZERO;
        let mut told = None;
        loop {
            let asked = Instant::now();
            match self.in_time(self.api.get_opt(&self.terms.lease)).await {
                Ok(lease) => {
                    let version = lease.as_ref().and_then(ResourceExt::resource_version);
                    if unchanged.as_ref().is_none_or(|(known, _)| *known != version) {
                        unchanged = Some((version, Instant::now()));
                    }
                    let silent = unchanged.as_ref().map(|(_, since)| since.elapsed()).unwrap_or_default();
                    let spec = lease.as_ref().and_then(|lease| lease.spec.as_ref());
                    let holder = holder(spec).to_owned();
                    if !holder.is_empty() && holder != self.terms.identity {
                        longest = longest.max(granted(spec, &self.terms));
                    }
                    if is_free(spec, &self.terms, silent, longest) {
                        if self.take(lease, asked).await {
                            return;
                        }
                    } else if told.as_ref() != Some(&holder) {
                        tracing::info!(holder, lease = self.terms.lease, "standing by: another process leads");
                        standing_by();
                        told = Some(holder);
                    }
                }
                Err(error) => {
                    let error = error.to_string();
                    if told.as_ref() != Some(&error) {
                        let Terms { namespace, lease, .. } = &self.terms;
                        tracing::warn!(error, namespace, lease, "the Lease can't be read; it is tried again");
                        told = Some(error);
                    }
                }
            }
            tokio::time::sleep(LOOKS).await;
        }
    }

    /// Goes on leading until that is over, and says why it is.
    pub async fn lost(&self) -> String {
        let why = tokio::select! {
            holder = self.renewed_until_taken() => format!("{holder} holds the Lease now"),
            () = self.permit.over() => "the Lease could not be renewed in time".to_owned(),
        };
        self.permit.withdraw();
        why
    }

    /// Renews it until it is somebody else's, and says whose.
    async fn renewed_until_taken(&self) -> String {
        let every = self.terms.duration / 3;
        // Several tries fit between a renewal that fails and the end of what the last one gave.
        let again = AGAIN.min(self.terms.duration / 10);
        let mut next = Instant::now() + every;
        loop {
            tokio::time::sleep_until(next).await;
            let asked = Instant::now();
            next = match self.renew().await {
                Ok(()) => asked + every,
                Err(Lost::ToSomebody(holder)) => return holder,
                Err(Lost::NotYet(error)) => {
                    tracing::warn!(
                        error,
                        lease = self.terms.lease,
                        "the Lease could not be renewed; it is tried again"
                    );
                    Instant::now() + again
                }
            };
        }
    }

    /// Lets others lead at once. What this process still writes must be written before.
    pub async fn release(&self) {
        self.permit.withdraw();
        let Some(mut lease) = self.held.lock().await.take() else { return };
        let spec = lease.spec.get_or_insert_default();
        spec.holder_identity = Some(String::new());
        // Should nobody read the empty name, it is soon over all the same.
        spec.lease_duration_seconds = Some(RELEASED);
        match self.in_time(self.api.replace(&self.terms.lease, &PostParams::default(), &lease)).await {
            Ok(_) => tracing::info!(lease = self.terms.lease, "the Lease is given back"),
            Err(error) => tracing::warn!(%error, "the Lease could not be given back; others wait until it is over"),
        }
    }

    /// Takes what is free; false: somebody else was faster, or it did not work.
    async fn take(&self, found: Option<Lease>, asked: Instant) -> bool {
        let params = PostParams::default();
        let mine = self.mine(found.as_ref());
        let taken = match &found {
            None => self.in_time(self.api.create(&params, &mine)).await,
            Some(_) => self.in_time(self.api.replace(&self.terms.lease, &params, &mine)).await,
        };
        match taken {
            Ok(lease) => {
                *self.held.lock().await = Some(lease);
                self.permit.extend(asked + self.own_time());
                tracing::info!(identity = self.terms.identity, lease = self.terms.lease, "leading");
                true
            }
            Err(error) => {
                tracing::info!(%error, "the Lease could not be taken");
                false
            }
        }
    }

    async fn renew(&self) -> Result<(), Lost> {
        let mut held = self.held.lock().await;
        let asked = Instant::now();
        let mine = self.mine(held.as_ref());
        match self.in_time(self.api.replace(&self.terms.lease, &PostParams::default(), &mine)).await {
            Ok(lease) => {
                *held = Some(lease);
                self.permit.extend(asked + self.own_time());
                Ok(())
            }
            // Somebody has written there, or it is gone: whose is it?
            Err(Failed::Api(status)) if status.is_conflict() || status.is_not_found() => {
                match self.in_time(self.api.get_opt(&self.terms.lease)).await {
                    Ok(Some(lease)) if holder(lease.spec.as_ref()) == self.terms.identity => {
                        *held = Some(lease);
                        Err(Lost::NotYet("it was changed by somebody else".to_owned()))
                    }
                    Ok(Some(lease)) => Err(Lost::ToSomebody(holder(lease.spec.as_ref()).to_owned())),
                    Ok(None) => Err(Lost::ToSomebody("nobody".to_owned())),
                    Err(error) => Err(Lost::NotYet(error.to_string())),
                }
            }
            Err(error) => Err(Lost::NotYet(error.to_string())),
        }
    }

    /// The Lease as this process writes it, over what is there.
    fn mine(&self, there: Option<&Lease>) -> Lease {
        let now = MicroTime(Timestamp::now());
        let mut lease = there.cloned().unwrap_or_else(|| Lease {
            metadata: ObjectMeta { name: Some(self.terms.lease.clone()), ..ObjectMeta::default() },
            ..Lease::default()
        });
        let spec = lease.spec.get_or_insert_default();
        if spec.holder_identity.as_deref() != Some(&self.terms.identity) {
            spec.lease_transitions = Some(spec.lease_transitions.map_or(0, |before| before.saturating_add(1)));
            spec.acquire_time = Some(now.clone());
            spec.holder_identity = Some(self.terms.identity.clone());
        }
        spec.lease_duration_seconds = Some(i32::try_from(self.terms.duration.as_secs()).unwrap_or(i32::MAX));
        spec.renew_time = Some(now);
        lease
    }

    /// How long after a renewal was asked for this process may send writes: less than others wait. What was sent may be done later.
    fn own_time(&self) -> Duration {
        self.terms.duration * 4 / 5
    }

    /// An answer that comes too late for a renewal is none.
    async fn in_time<T>(&self, asked: impl Future<Output = Result<T, kube::Error>>) -> Result<T, Failed> {
        match tokio::time::timeout(self.terms.duration / 6, asked).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(kube::Error::Api(status))) => Err(Failed::Api(status)),
            Ok(Err(error)) => Err(Failed::Silent(error.to_string())),
            Err(_) => Err(Failed::Silent("the API server does not answer".to_owned())),
        }
    }
}

/// Why a renewal did not work.
enum Lost {
    /// It is another process's now.
    ToSomebody(String),
    /// It may work the next time.
    NotYet(String),
}

/// What became of a call.
enum Failed {
    Api(Box<kube::core::Status>),
    Silent(String),
}

impl Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Api(status) => f.write_str(&status.message),
            Self::Silent(why) => f.write_str(why),
        }
    }
}

fn holder(spec: Option<&LeaseSpec>) -> &str {
    spec.and_then(|spec| spec.holder_identity.as_deref()).unwrap_or_default()
}

/// For how long its holder says that it may be silent.
fn granted(spec: Option<&LeaseSpec>, terms: &Terms) -> Duration {
    let seconds = spec.and_then(|spec| spec.lease_duration_seconds).and_then(|seconds| u64::try_from(seconds).ok());
    seconds.map_or(terms.duration, Duration::from_secs)
}

/// Whether a Lease may be taken that has not changed for this long; `None`: it is not there. One's own name is of a process that has ended:
/// it ran in the same Pod. Who gives it back says a second; what somebody has deleted or emptied by hand may still be written under.
fn is_free(spec: Option<&LeaseSpec>, terms: &Terms, silent: Duration, longest: Duration) -> bool {
    let holder = holder(spec);
    if holder == terms.identity {
        return true;
    }
    let given_back = holder.is_empty() && spec.is_some_and(|spec| spec.lease_duration_seconds == Some(RELEASED));
    let wait = if holder.is_empty() { longest } else { granted(spec, terms).max(longest) };
    given_back || silent >= wait
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_free_when_nobody_holds_it_or_its_holder_was_silent_for_as_long_as_it_said_itself() {
        let terms = Terms {
            namespace: "backstay-system".to_owned(),
            lease: "backstay".to_owned(),
            identity: "me".to_owned(),
            duration: Duration::from_secs(15),
        };
        let lease = |holder: &str, seconds| LeaseSpec {
            holder_identity: Some(holder.to_owned()),
            lease_duration_seconds: seconds,
            ..LeaseSpec::default()
        };
        let seconds = Duration::from_secs;
        for (spec, silent, free) in [
            (None, 0, true),
            (Some(lease("", Some(15))), 0, true),
            (Some(lease("me", Some(15))), 0, true),
            (Some(lease("other", Some(15))), 14, false),
            (Some(lease("other", Some(15))), 15, true),
            (Some(lease("other", Some(60))), 59, false),
            (Some(lease("other", None)), 14, false),
            (Some(lease("other", None)), 15, true),
            // What no duration is says nothing.
            (Some(lease("other", Some(-1))), 14, false),
        ] {
            assert_eq!(is_free(spec.as_ref(), &terms, seconds(silent), Duration::ZERO), free, "{spec:?} {silent}");
        }
        // What somebody has deleted, emptied or shortened by hand, while a holder was seen that may write for a minute.
        for spec in [None, Some(lease("", Some(15))), Some(lease("other", Some(5)))] {
            assert!(!is_free(spec.as_ref(), &terms, seconds(59), seconds(60)), "{spec:?}");
            assert!(is_free(spec.as_ref(), &terms, seconds(60), seconds(60)), "{spec:?}");
        }
        assert!(is_free(Some(&lease("", Some(RELEASED))), &terms, seconds(0), seconds(60)), "given back");
    }
}
