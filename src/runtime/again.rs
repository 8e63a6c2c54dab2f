//! Who is to be looked at again soon, though nothing about it has changed: somebody else's decision rests on what was seen of it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::channel::mpsc::UnboundedSender;
use kube::runtime::reflector::ObjectRef;
use kube::{Resource, ResourceExt};
use tokio::time::Instant;

use super::context::Guarded;
use crate::api::{Connector, ServiceAccountPolicy};

/// Two that wait for each other must not keep each other busy.
const NOT_SOONER: Duration = Duration::from_secs(30);

/// Wakes objects whose last sighting has become too old to be relied on.
#[derive(Debug)]
pub struct Again {
    connectors: UnboundedSender<ObjectRef<Guarded<Connector>>>,
    policies: UnboundedSender<ObjectRef<Guarded<ServiceAccountPolicy>>>,
    asked: Mutex<HashMap<String, Instant>>,
}

impl Again {
    /// These wake the two controllers.
    #[must_use]
    pub fn new(
        connectors: UnboundedSender<ObjectRef<Guarded<Connector>>>,
        policies: UnboundedSender<ObjectRef<Guarded<ServiceAccountPolicy>>>,
    ) -> Self {
        Self { connectors, policies, asked: Mutex::default() }
    }

    /// A Connector is to be looked at again, and what is remembered of it won't do.
    pub fn connector(&self, connector: &Guarded<Connector>) {
        if self.ask(connector) {
            let _ = self.connectors.unbounded_send(ObjectRef::from_obj(connector));
        }
    }

    /// The same of a policy.
    pub fn policy(&self, policy: &Guarded<ServiceAccountPolicy>) {
        if self.ask(policy) {
            let _ = self.policies.unbounded_send(ObjectRef::from_obj(policy));
        }
    }

    /// The same at once, however often.
    pub fn policy_at_once(&self, policy: &Guarded<ServiceAccountPolicy>) {
        if let Some(uid) = policy.uid() {
            self.asked().insert(uid, Instant::now());
        }
        let _ = self.policies.unbounded_send(ObjectRef::from_obj(policy));
    }

    /// Whether an object (by uid) was asked for: its pass takes nothing that was read before.
    pub fn is_wanted(&self, uid: Option<&str>) -> bool {
        uid.is_some_and(|uid| self.asked().contains_key(uid))
    }

    fn ask(&self, object: &impl Resource) -> bool {
        let Some(uid) = object.uid() else { return false };
        let mut asked = self.asked();
        let news = !asked.contains_key(&uid);
        if news {
            asked.insert(uid, Instant::now());
        }
        news
    }

    fn asked(&self) -> std::sync::MutexGuard<'_, HashMap<String, Instant>> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.retain(|_, at| at.elapsed() < NOT_SOONER);
        asked
    }
}

#[cfg(test)]
mod tests {
    use futures::StreamExt;
    use futures::channel::mpsc;

    use super::*;

    fn connector(uid: &str) -> Guarded<Connector> {
        let spec = r#"{ "vendor": { "keepit": { "region": "dk-co", "secretRef": { "name": "a" } } }, "policyRef": { "name": "p" } }"#;
        let mut connector = Connector::new("c", serde_json::from_str(spec).unwrap());
        connector.metadata.uid = Some(uid.into());
        kube::core::DeserializeGuard(Ok(connector))
    }

    #[tokio::test(start_paused = true)]
    async fn somebody_is_woken_once_in_half_a_minute_and_wanted_as_long() {
        let ((to_connectors, mut woken), (to_policies, _)) = (mpsc::unbounded(), mpsc::unbounded());
        let again = Again::new(to_connectors, to_policies);
        assert!(!again.is_wanted(Some("a")));
        again.connector(&connector("a"));
        again.connector(&connector("a"));
        assert!(again.is_wanted(Some("a")) && !again.is_wanted(Some("b")) && !again.is_wanted(None));
        tokio::time::advance(NOT_SOONER).await;
        assert!(!again.is_wanted(Some("a")));
        again.connector(&connector("a"));
        drop(again);
        assert_eq!(woken.by_ref().count().await, 2);
    }
}
