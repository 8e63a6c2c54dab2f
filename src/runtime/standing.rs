//! What is open, not Ready and elevated, as the gauges show it.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::conditions::find;
use super::context::Context;
use crate::api::shared::HandOffStatus;
use crate::elevation::Phase;
use crate::metrics::Metrics;

/// Whose objects are counted: those of who leads, and of nobody else.
#[derive(Clone, Default)]
pub struct Counted(Arc<Mutex<Weak<Context>>>);

impl Counted {
    /// These, from now on and as long as they are there.
    pub fn set(&self, context: &Arc<Context>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(context);
    }

    /// Brings the gauges up to date.
    pub fn refresh(&self, metrics: &Metrics) {
        let context = self.0.lock().unwrap_or_else(PoisonError::into_inner).upgrade();
        match context {
            Some(context) => count(&context),
            None => metrics.clear_standing(),
        }
    }
}

fn count(context: &Context) {
    let now = Timestamp::now();
    let connectors = context.connectors.state();
    let connectors = || connectors.iter().map(|guarded| guarded.0.as_ref().ok().and_then(|it| it.status.as_ref()));
    let ends = connectors().flatten().filter_map(|status| status.credential_expiration_time.as_ref());
    context.metrics.set_credential_ends("Connector", ends.map(|end| end.0.as_second()).min());
    let connectors = connectors();
    set(context, "Connector", now, connectors.map(|status| status.map(|it| (&it.hand_offs[..], &it.conditions[..]))));
    let policies = context.policies.state();
    let policies = || policies.iter().map(|guarded| guarded.0.as_ref().ok().and_then(|it| it.status.as_ref()));
    let ends = policies().flatten().filter_map(|status| status.credential_expiration_time.as_ref());
    context.metrics.set_credential_ends("ServiceAccountPolicy", ends.map(|end| end.0.as_second()).min());
    let policies = policies();
    set(
        context,
        "ServiceAccountPolicy",
        now,
        policies.map(|status| status.map(|it| (&it.hand_offs[..], &it.conditions[..]))),
    );
    let standing = context.ledger.standing();
    let held = standing.iter().filter(|entry| entry.phase != Phase::Opening).count();
    let overdue = standing.iter().filter(|entry| entry.is_overdue(now)).count();
    context.metrics.set_elevated(number(held), number(overdue + context.ledger.unreadable()));
}

type Standing<'a> = Option<(&'a [HandOffStatus], &'a [Condition])>;

/// What is open and not Ready, of one kind; `None`: an object without a status.
fn set<'a>(context: &Context, kind: &'static str, now: Timestamp, all: impl Iterator<Item = Standing<'a>>) {
    let (mut open, mut oldest, mut not_ready) = (0, 0, 0);
    for standing in all {
        let Some((hand_offs, conditions)) = standing else {
            not_ready += 1;
            continue;
        };
        open += hand_offs.len();
        let ages = hand_offs.iter().map(|hand_off| now.duration_since(hand_off.request_time.0).as_secs());
        oldest = ages.max().unwrap_or_default().max(oldest);
        not_ready += usize::from(find(conditions, "Ready").is_none_or(|ready| ready.status != "True"));
    }
    context.metrics.set_standing(kind, number(open), oldest, number(not_ready));
}

fn number(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
