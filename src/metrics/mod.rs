//! What the process counts of itself.

mod standing;

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use standing::Standing;
pub use standing::{BacksUp, Connector, Finding, Object, Stands};

/// All counters. What is counted of the process has fixed words as labels; what is shown of objects has one series an object.
pub struct Metrics {
    registry: Registry,
    // Held while what stands is counted anew, and while it is shown: nobody sees half of it.
    standing: Mutex<Standing>,
    outgoing: Family<OutgoingLabels, Counter>,
    reconciles: Family<ReconcileLabels, Counter>,
    reconcile_seconds: Family<KindLabels, Histogram>,
    status_writes: Family<KindLabels, Counter>,
    watch_errors: Family<KindLabels, Counter>,
    hand_offs: Family<KindLabels, Gauge>,
    not_ready: Family<KindLabels, Gauge>,
    hand_off_age: Family<KindLabels, Gauge>,
    credential_ends: Family<KindLabels, Gauge>,
    elevated: Gauge,
    overdue: Gauge,
    leading: Gauge,
    queue_age: Family<KindLabels, Gauge>,
    budgets_left: Family<BudgetLabels, Gauge<f64, AtomicU64>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BudgetLabels {
    budget: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutgoingLabels {
    service: &'static str,
    effect: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReconcileLabels {
    kind: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabels {
    kind: &'static str,
}

impl Metrics {
    /// A fresh set, all at zero.
    #[must_use]
    pub fn new() -> Arc<Self> {
        let mut registry = Registry::with_prefix("backstay");
        let outgoing = Family::<OutgoingLabels, Counter>::default();
        registry.register("outgoing_requests", "Requests to vendors and to Microsoft, by outcome", outgoing.clone());
        let reconciles = Family::<ReconcileLabels, Counter>::default();
        registry.register("reconciles", "Passes over an object, by outcome", reconciles.clone());
        let reconcile_seconds = Family::<KindLabels, Histogram>::new_with_constructor(|| {
            Histogram::new([0.005, 0.02, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0])
        });
        registry.register_with_unit(
            "reconcile_duration",
            "How long a pass over an object took",
            Unit::Seconds,
            reconcile_seconds.clone(),
        );
        let status_writes = Family::<KindLabels, Counter>::default();
        registry.register("status_writes", "Statuses written because something changed", status_writes.clone());
        let watch_errors = Family::<KindLabels, Counter>::default();
        registry.register("watch_errors", "Errors of the watches on the Kubernetes API", watch_errors.clone());
        let hand_offs = Family::<KindLabels, Gauge>::default();
        registry.register("hand_offs_open", "Hand-offs that wait for a person", hand_offs.clone());
        let not_ready = Family::<KindLabels, Gauge>::default();
        registry.register("objects_not_ready", "Objects whose Ready is not True", not_ready.clone());
        let hand_off_age = Family::<KindLabels, Gauge>::default();
        registry.register_with_unit(
            "hand_off_oldest_age",
            "For how long the oldest open hand-off has waited for a person",
            Unit::Seconds,
            hand_off_age.clone(),
        );
        let credential_ends = Family::<KindLabels, Gauge>::default();
        registry.register(
            "credential_earliest_expiration_timestamp_seconds",
            "When the first credential ends whose end is known; absent: none is",
            credential_ends.clone(),
        );
        let elevated = Gauge::default();
        registry.register("elevated_accounts", "Accounts that hold a role for the time of a window", elevated.clone());
        let overdue = Gauge::default();
        registry.register("elevations_overdue", "Accounts that hold it though the window is over", overdue.clone());
        let leading = Gauge::default();
        registry.register("leading", "Whether this process works (1) or stands by (0)", leading.clone());
        let queue_age = Family::<KindLabels, Gauge>::default();
        registry.register_with_unit(
            "queue_oldest_age",
            "For how long the object whose turn is most overdue waits for it",
            Unit::Seconds,
            queue_age.clone(),
        );
        let budgets_left = Family::<BudgetLabels, Gauge<f64, AtomicU64>>::default();
        registry.register(
            "microsoft_budget_left_ratio",
            "What is left of the operator's own budgets within Microsoft's limits, at the tenant or environment with the least (1: all of it)",
            budgets_left.clone(),
        );
        let standing = Mutex::new(Standing::new(&mut registry));
        Arc::new(Self {
            registry,
            standing,
            outgoing,
            reconciles,
            reconcile_seconds,
            status_writes,
            watch_errors,
            hand_offs,
            not_ready,
            hand_off_age,
            credential_ends,
            elevated,
            overdue,
            leading,
            queue_age,
            budgets_left,
        })
    }

    /// A request went out, or was kept from going out.
    pub fn outgoing(&self, service: &'static str, write: bool, outcome: &'static str) {
        let effect = if write { "write" } else { "read" };
        self.outgoing.get_or_create(&OutgoingLabels { service, effect, outcome }).inc();
    }

    /// A pass over an object ended.
    pub fn reconciled(&self, kind: &'static str, outcome: &'static str, took: Duration) {
        self.reconciles.get_or_create(&ReconcileLabels { kind, outcome }).inc();
        self.reconcile_seconds.get_or_create(&KindLabels { kind }).observe(took.as_secs_f64());
    }

    /// A status was written.
    pub fn status_written(&self, kind: &'static str) {
        self.status_writes.get_or_create(&KindLabels { kind }).inc();
    }

    /// A watch failed; it is tried again by itself.
    pub fn watch_error(&self, kind: &'static str) {
        self.watch_errors.get_or_create(&KindLabels { kind }).inc();
    }

    /// When the first credential of a kind of objects ends, in seconds since 1970; `None`: nobody knows of any.
    pub fn set_credential_ends(&self, kind: &'static str, ends: Option<i64>) {
        match ends {
            Some(ends) => {
                self.credential_ends.get_or_create(&KindLabels { kind }).set(ends);
            }
            None => {
                self.credential_ends.remove(&KindLabels { kind });
            }
        }
    }

    /// For how many seconds the object of a kind that has waited longest for its turn has done so.
    pub fn set_queue_age(&self, kind: &'static str, seconds: i64) {
        self.queue_age.get_or_create(&KindLabels { kind }).set(seconds);
    }

    /// What is left of Microsoft's budgets, by name, from 0 to 1.
    pub fn set_budgets_left(&self, all: impl IntoIterator<Item = (&'static str, f64)>) {
        self.budgets_left.clear();
        for (budget, left) in all {
            self.budgets_left.get_or_create(&BudgetLabels { budget }).set(left);
        }
    }

    /// Whether this process leads.
    pub fn set_leading(&self, leading: bool) {
        self.leading.set(i64::from(leading));
    }

    /// Shows these objects and no others, and all of it in the OpenMetrics text form.
    pub fn shown(&self, all: &[Stands], connectors: &[BacksUp], findings: &[Finding]) -> String {
        let standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner);
        standing.clear();
        for it in all {
            standing.stands(it);
        }
        for it in connectors {
            standing.backs_up(it);
        }
        for it in findings {
            standing.found(it);
        }
        self.text()
    }

    /// Nothing is known of any object: this process does not lead.
    pub fn clear_standing(&self) {
        for family in [&self.hand_offs, &self.not_ready, &self.hand_off_age, &self.credential_ends, &self.queue_age] {
            family.clear();
        }
        self.budgets_left.clear();
        self.set_elevated(0, 0);
    }

    /// How many accounts are elevated, and how many of them for too long.
    pub fn set_elevated(&self, elevated: i64, overdue: i64) {
        self.elevated.set(elevated);
        self.overdue.set(overdue);
    }

    /// How many hand-offs are open, for how many seconds the oldest is, and how many objects are not Ready, of one kind.
    pub fn set_standing(&self, kind: &'static str, hand_offs: i64, oldest: i64, not_ready: i64) {
        self.hand_off_age.get_or_create(&KindLabels { kind }).set(oldest);
        self.hand_offs.get_or_create(&KindLabels { kind }).set(hand_offs);
        self.not_ready.get_or_create(&KindLabels { kind }).set(not_ready);
    }

    /// All of it, in the OpenMetrics text form.
    fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a String does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }

    /// Everything that is ever shown, once each, in the OpenMetrics text form: what the documentation is made from.
    #[must_use]
    pub fn sample() -> String {
        let metrics = Self::new();
        let (kind, name) = ("Connector", String::new);
        metrics.outgoing("", false, "");
        metrics.reconciled(kind, "", Duration::ZERO);
        metrics.status_written(kind);
        metrics.watch_error(kind);
        metrics.set_credential_ends(kind, Some(0));
        metrics.set_standing(kind, 0, 0, 0);
        metrics.set_queue_age(kind, 0);
        metrics.set_budgets_left([("", 1.0)]);
        let stands = Stands {
            object: Object { kind, namespace: name(), name: name() },
            ready: true,
            hand_offs: 0,
            hand_off_since: Some(0),
        };
        let backs_up = BacksUp {
            connector: Connector { namespace: name(), name: name(), vendor: name() },
            backup: Some(0),
            max_age: Some(0),
            authorized: Some(0),
            authorization_due: Some(0),
        };
        metrics.shown(&[stands], &[backs_up], &[Finding { rule: name(), result: name() }])
    }
}
