//! What is open, not Ready and elevated, as the gauges show it.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt;

use super::conditions::find;
use super::context::{Context, Guarded};
use super::expiring;
use super::publish::Published;
use crate::api::Connector;
use crate::api::shared::{HandOffStatus, span};
use crate::elevation::Phase;
use crate::metrics::{BacksUp, Connector as Shown, Finding, Metrics, Object, Stands};

/// Whose objects are counted: those of who leads, and of nobody else.
#[derive(Clone, Default)]
pub struct Counted(Arc<Mutex<Weak<Context>>>);

impl Counted {
    /// These, from now on and as long as they are there.
    pub fn set(&self, context: &Arc<Context>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(context);
    }

    /// All metrics, with the gauges as they are by now.
    pub fn shown(&self, metrics: &Metrics) -> String {
        let context = self.0.lock().unwrap_or_else(PoisonError::into_inner).upgrade();
        let Some(context) = context else {
            metrics.clear_standing();
            return metrics.shown(&[], &[], &[]);
        };
        let now = Timestamp::now();
        let (connectors, policies) = (context.connectors.state(), context.policies.state());
        count(&context, now, &connectors, |status| status.credential_expiration_time.as_ref());
        count(&context, now, &policies, |status| status.credential_expiration_time.as_ref());
        metrics.set_budgets_left(context.tenants.budgets_left());
        let standing = context.ledger.standing();
        let held = standing.iter().filter(|entry| entry.phase != Phase::Opening).count();
        let overdue = standing.iter().filter(|entry| entry.is_overdue(now)).count();
        metrics.set_elevated(number(held), number(overdue + context.ledger.unreadable()));
        let readable = || connectors.iter().filter_map(|guarded| guarded.0.as_ref().ok());
        let objects = connectors.iter().filter_map(|it| stands(it));
        let all: Vec<Stands> = objects.chain(policies.iter().filter_map(|it| stands(it))).collect();
        let backs_up: Vec<BacksUp> = readable().filter(|it| !it.spec.suspend).map(backs_up).collect();
        let statuses = policies.iter().filter_map(|guarded| guarded.0.as_ref().ok()?.status.as_ref());
        let findings: Vec<Finding> = statuses
            .flat_map(|status| &status.findings)
            .map(|it| Finding { rule: it.id.clone(), result: format!("{:?}", it.result) })
            .collect();
        metrics.shown(&all, &backs_up, &findings)
    }
}

/// One object, read or not; `None`: it is suspended, and says nothing of what is.
fn stands<K: Published>(guarded: &Guarded<K>) -> Option<Stands> {
    let object = guarded.0.as_ref().ok();
    if object.is_some_and(Published::is_suspended) {
        return None;
    }
    let status = object.and_then(Published::status);
    // What ends some day waits for nobody yet.
    let open = |it: &&HandOffStatus| !expiring::is_ahead(&it.name);
    let since: Vec<i64> =
        status.map(K::open).unwrap_or_default().iter().filter(open).map(|it| it.request_time.0.as_second()).collect();
    let ready = status.map(K::said).and_then(|said| find(said.conditions, "Ready"));
    Some(Stands {
        object: Object { kind: K::KIND, namespace: guarded.namespace().unwrap_or_default(), name: guarded.name_any() },
        ready: ready.is_some_and(|ready| ready.status == "True"),
        hand_offs: since.len(),
        hand_off_since: since.into_iter().min(),
    })
}

fn backs_up(connector: &Connector) -> BacksUp {
    let status = connector.status.clone().unwrap_or_default();
    let authorization = status.authorization;
    let due = authorization.as_ref().and_then(|it| it.due_date.as_ref()?.parse::<Date>().ok());
    BacksUp {
        connector: Shown {
            namespace: connector.namespace().unwrap_or_default(),
            name: connector.name_any(),
            vendor: status.vendor.unwrap_or_default(),
        },
        backup: status.last_backup.and_then(|backup| backup.complete_time).map(|time| time.0.as_second()),
        // A vendor that nobody signs in to shows no backups to a program either.
        max_age: connector
            .spec
            .vendor
            .vendor()
            .secret()
            .map(|_| i64::try_from(span(&connector.spec.backup.max_age).as_secs()).unwrap_or(i64::MAX)),
        authorized: authorization.and_then(|it| it.authorized_time).map(|time| time.0.as_second()),
        authorization_due: due.and_then(|day| day.to_zoned(TimeZone::UTC).ok()).map(|day| day.timestamp().as_second()),
    }
}

/// What is counted of all objects of a kind; `ends`: when what one of them signs in with does.
fn count<K: Published>(
    context: &Context,
    now: Timestamp,
    objects: &[Arc<Guarded<K>>],
    ends: impl Fn(&K::Status) -> Option<&Time>,
) {
    let statuses = || objects.iter().map(|guarded| guarded.0.as_ref().ok().and_then(Published::status));
    let ends = statuses().flatten().filter_map(ends);
    context.metrics.set_credential_ends(K::KIND, ends.map(|end| end.0.as_second()).min());

    let (mut open, mut oldest, mut not_ready) = (0, 0, 0);
    for status in statuses() {
        let Some(status) = status else {
            not_ready += 1;
            continue;
        };
        let hand_offs = K::open(status);
        open += hand_offs.len();
        let ages = hand_offs.iter().map(|hand_off| now.duration_since(hand_off.request_time.0).as_secs());
        oldest = ages.max().unwrap_or_default().max(oldest);
        let ready = find(K::said(status).conditions, "Ready");
        not_ready += usize::from(ready.is_none_or(|ready| ready.status != "True"));
    }
    context.metrics.set_standing(K::KIND, number(open), oldest, number(not_ready));

    let lanes = K::lanes(context);
    let waits = objects.iter().filter_map(|object| object.uid()).map(|uid| lanes.waits(&uid)).max();
    let waits = waits.unwrap_or_default().as_secs();
    context.metrics.set_queue_age(K::KIND, i64::try_from(waits).unwrap_or(i64::MAX));
}

fn number(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
