//! Where it is written down what was given to whom: a `ConfigMap` an account, in the operator's own namespace. [io]

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{ListParams, PostParams};
use kube::{Api, Client, ResourceExt};
use tokio::sync::watch;

use super::Entry;
use crate::fault::{Fault, Kind};

/// The ledger. One writer at a time: what somebody else has written meanwhile is never written over.
pub struct Ledger {
    api: Api<ConfigMap>,
    known: Mutex<Known>,
    /// What is read or written, one after the other: an old list must not come after a new entry.
    one: tokio::sync::Mutex<()>,
    changes: watch::Sender<u64>,
}

#[derive(Default)]
struct Known {
    /// By account, with the version that was read or written.
    entries: BTreeMap<String, (Entry, Option<String>)>,
    /// How many of its objects can't be read: what was given by them is taken back by nobody.
    unreadable: usize,
    /// Why it is not known what the ledger holds; `None`: it is.
    trouble: Option<String>,
    /// Whether it was tried to be read at all.
    tried: bool,
}

/// Marks the ledger's objects.
const LABEL: (&str, &str) = ("backstay.dev/ledger", "elevation");
const KEY: &str = "entry.json";

impl Ledger {
    /// The ledger of this namespace; nothing of it is known yet.
    #[must_use]
    pub fn new(client: Client, namespace: &str) -> Self {
        let known = Known { trouble: Some("it was not read yet".to_owned()), ..Known::default() };
        Self {
            api: Api::namespaced(client, namespace),
            known: Mutex::new(known),
            one: tokio::sync::Mutex::default(),
            changes: watch::Sender::new(0),
        }
    }

    /// Reads all of it. An entry that can't be read is counted and told: the others are served all the same.
    ///
    /// # Errors
    /// The API server says no, or does not answer: until it does, no window is opened.
    pub async fn load(&self) -> Result<(), Fault> {
        let _one = self.one.lock().await;
        self.read_all().await
    }

    async fn read_all(&self) -> Result<(), Fault> {
        let label = format!("{}={}", LABEL.0, LABEL.1);
        let list = self.api.list(&ListParams::default().labels(&label)).await;
        let mut known = self.known();
        let first = !std::mem::replace(&mut known.tried, true);
        let list = match list {
            Ok(list) => list,
            Err(error) => {
                let fault = Fault::from(error);
                let news = known.trouble.replace(fault.sentence.clone()).as_ref() != Some(&fault.sentence);
                drop(known);
                if first || news {
                    self.told();
                }
                return Err(fault);
            }
        };
        let before = std::mem::take(&mut known.entries);
        let (unreadable, trouble) = (std::mem::take(&mut known.unreadable), known.trouble.is_some());
        for map in &list.items {
            match read(map) {
                Ok((entry, version)) => {
                    known.entries.insert(entry.account.clone(), (entry, version));
                }
                Err(fault) => {
                    known.unreadable += 1;
                    tracing::error!(%fault, "an entry of the ledger can't be read: what was given by it is not taken back");
                }
            }
        }
        // What was deleted by hand is owed all the same: it is written anew with its next change.
        for (account, (entry, version)) in &before {
            if entry.is_standing() && !known.entries.contains_key(account) {
                let there = list.items.iter().any(|map| map.name_any() == name_of(account));
                known.entries.insert(account.clone(), (entry.clone(), version.clone().filter(|_| there)));
            }
        }
        known.trouble = None;
        let news = first || trouble || unreadable != known.unreadable || before != known.entries;
        drop(known);
        if news {
            self.told();
        }
        Ok(())
    }

    /// Waits until it was tried to be read once.
    pub async fn tried(&self) {
        let mut changes = self.changes();
        while !self.known().tried {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// Why it is not known what it holds, if so.
    pub fn trouble(&self) -> Option<String> {
        self.known().trouble.clone()
    }

    /// How many of its objects can't be read.
    pub fn unreadable(&self) -> usize {
        self.known().unreadable
    }

    /// What is written of an account (object id).
    pub fn of(&self, account: &str) -> Option<Entry> {
        self.known().entries.get(&account.to_ascii_lowercase()).map(|(entry, _)| entry.clone())
    }

    /// All windows that are not over.
    pub fn standing(&self) -> Vec<Entry> {
        self.known().entries.values().map(|(entry, _)| entry).filter(|entry| entry.is_standing()).cloned().collect()
    }

    /// Writes a new window down; false: the account has one already.
    ///
    /// # Errors
    /// It could not be written, so that it is not open.
    pub async fn open(&self, entry: Entry) -> Result<bool, Fault> {
        if let Some(trouble) = self.trouble() {
            return Err(Fault::new(Kind::Kubernetes, format!("The ledger can't be read: {trouble}")));
        }
        let before = self.known().entries.get(&entry.account).cloned();
        if before.as_ref().is_some_and(|(before, _)| before.is_standing()) {
            return Ok(false);
        }
        self.write(entry, before.and_then(|(_, version)| version)).await?;
        Ok(true)
    }

    /// Changes what is written of an account; `None`: nothing is.
    ///
    /// # Errors
    /// It could not be written: nothing that rests on it may be done.
    pub async fn change(&self, account: &str, change: impl FnOnce(&mut Entry)) -> Result<Option<Entry>, Fault> {
        let Some((mut entry, version)) = self.known().entries.get(account).cloned() else { return Ok(None) };
        let before = entry.clone();
        change(&mut entry);
        if entry == before {
            return Ok(Some(entry));
        }
        self.write(entry.clone(), version).await?;
        Ok(Some(entry))
    }

    /// Tells whenever something was read or written.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn told(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    async fn write(&self, entry: Entry, version: Option<String>) -> Result<(), Fault> {
        let _one = self.one.lock().await;
        let account = entry.account.clone();
        let name = name_of(&account);
        let text = serde_json::to_string_pretty(&entry)
            .map_err(|_| Fault::new(Kind::Bug, "A window can't be written down"))?;
        let map = ConfigMap {
            metadata: ObjectMeta {
                name: Some(name.clone()),
                labels: Some(BTreeMap::from([
                    (LABEL.0.to_owned(), LABEL.1.to_owned()),
                    ("app.kubernetes.io/managed-by".to_owned(), "backstay".to_owned()),
                ])),
                resource_version: version.clone(),
                ..ObjectMeta::default()
            },
            data: Some(BTreeMap::from([(KEY.to_owned(), text)])),
            ..ConfigMap::default()
        };
        let params = PostParams::default();
        let written = match version {
            Some(_) => self.api.replace(&name, &params, &map).await,
            None => self.api.create(&params, &map).await,
        };
        let written = match written {
            Ok(written) => written,
            Err(error) => {
                // Somebody else has written there, or what became of it is not known: as it is now.
                let fault = Fault::from(error);
                let _ = self.read_all().await;
                return Err(Fault::new(Kind::Kubernetes, format!("The ledger can't be written: {}", fault.sentence)));
            }
        };
        self.known().entries.insert(account, (entry, written.resource_version()));
        self.told();
        Ok(())
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn name_of(account: &str) -> String {
    format!("backstay-elevation-{account}")
}

fn read(map: &ConfigMap) -> Result<(Entry, Option<String>), Fault> {
    let text = map.data.as_ref().and_then(|data| data.get(KEY)).map(String::as_str).unwrap_or_default();
    let entry = serde_json::from_str(text).map_err(|error| {
        let at = format!("line {}", error.line());
        Fault::new(Kind::Kubernetes, format!("ConfigMap {} is not as the operator wrote it ({at})", map.name_any()))
    })?;
    Ok((entry, map.resource_version()))
}
