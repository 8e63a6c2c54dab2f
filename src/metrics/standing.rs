//! How the objects stand, one series each: made anew whenever somebody looks, so that a series goes with its object.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// The gauges.
pub(super) struct Standing {
    ready: Family<Object, Gauge>,
    hand_offs: Family<Object, Gauge>,
    hand_off_since: Family<Object, Gauge>,
    backup: Family<Connector, Gauge>,
    max_age: Family<Connector, Gauge>,
    authorized: Family<Connector, Gauge>,
    authorization_due: Family<Connector, Gauge>,
    findings: Family<Finding, Gauge>,
}

/// Which object.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Object {
    /// Its kind.
    pub kind: &'static str,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// Which Connector.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Connector {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The vendor.
    pub vendor: String,
}

/// Which requirement, and what was found of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Finding {
    /// Profile and requirement.
    pub rule: String,
    /// Pass, Warn, Fail, Unknown, Waived or `NotApplicable`.
    pub result: String,
}

/// How one object stands.
#[derive(Clone, Debug)]
pub struct Stands {
    /// Which.
    pub object: Object,
    /// Whether its Ready is True.
    pub ready: bool,
    /// How many hand-offs are open.
    pub hand_offs: usize,
    /// Since when the oldest of them is, in seconds since 1970.
    pub hand_off_since: Option<i64>,
}

/// How one Connector stands beside that; times in seconds since 1970.
#[derive(Clone, Debug)]
pub struct BacksUp {
    /// Which.
    pub connector: Connector,
    /// When the last complete backup was taken.
    pub backup: Option<i64>,
    /// How old it may be, in seconds; `None`: the vendor shows no backups.
    pub max_age: Option<i64>,
    /// When somebody last signed in.
    pub authorized: Option<i64>,
    /// When somebody has to sign in again.
    pub authorization_due: Option<i64>,
}

impl Standing {
    /// Registers them.
    pub fn new(registry: &mut Registry) -> Self {
        fn family<L>(registry: &mut Registry, name: &str, help: &str) -> Family<L, Gauge>
        where
            L: Clone + std::fmt::Debug + std::hash::Hash + Eq + EncodeLabelSet + Send + Sync + 'static,
        {
            let family = Family::<L, Gauge>::default();
            registry.register(name, help, family.clone());
            family
        }
        Self {
            ready: family(registry, "object_ready", "Whether the object's Ready is True (1) or not (0)"),
            hand_offs: family(registry, "object_hand_offs", "Hand-offs of the object that wait for a person"),
            hand_off_since: family(
                registry,
                "object_hand_off_oldest_timestamp_seconds",
                "Since when the oldest open hand-off of the object waits; absent: none is open",
            ),
            backup: family(
                registry,
                "backup_last_timestamp_seconds",
                "When the last backup was completed that holds everything; absent: the vendor shows none",
            ),
            max_age: family(
                registry,
                "backup_max_age_seconds",
                "How old the last complete backup may be (spec.backup.maxAge); absent: the vendor shows no backups",
            ),
            authorized: family(
                registry,
                "authorization_timestamp_seconds",
                "When somebody was last seen, or said, to have signed in at the vendor; absent: nobody knows",
            ),
            authorization_due: family(
                registry,
                "authorization_due_timestamp_seconds",
                "When somebody has to sign in again (the beginning of that day); absent: nothing says",
            ),
            findings: family(registry, "findings", "Requirements of all policies, by rule and by what was found"),
        }
    }

    /// Nothing stands.
    pub fn clear(&self) {
        for family in [&self.ready, &self.hand_offs, &self.hand_off_since] {
            family.clear();
        }
        for family in [&self.backup, &self.max_age, &self.authorized, &self.authorization_due] {
            family.clear();
        }
        self.findings.clear();
    }

    /// One object.
    pub fn stands(&self, it: &Stands) {
        let set = |family: &Family<Object, Gauge>, value: i64| family.get_or_create(&it.object).set(value);
        set(&self.ready, i64::from(it.ready));
        set(&self.hand_offs, i64::try_from(it.hand_offs).unwrap_or(i64::MAX));
        it.hand_off_since.map(|since| set(&self.hand_off_since, since));
    }

    /// What a Connector stands for.
    pub fn backs_up(&self, it: &BacksUp) {
        let set = |family: &Family<Connector, Gauge>, value: Option<i64>| {
            value.map(|value| family.get_or_create(&it.connector).set(value))
        };
        set(&self.backup, it.backup);
        set(&self.max_age, it.max_age);
        set(&self.authorized, it.authorized);
        set(&self.authorization_due, it.authorization_due);
    }

    /// One more finding.
    pub fn found(&self, finding: &Finding) {
        self.findings.get_or_create(finding).inc();
    }
}
