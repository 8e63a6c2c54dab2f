//! What becomes of a vendor connector whose Connector is deleted: it is deleted first, or stays, and why. [pure]

use std::time::Duration;

use jiff::Timestamp;

use super::gather::Observed;
use super::plan::Step;
use super::resolve::allowed;
use crate::api::Connector;
use crate::api::connector::DeletionPolicy;
use crate::fault::{Class, Fault};
use crate::runtime::marks::{RELEASE_DELETION, annotation};
use crate::runtime::{Allowed, Trouble};
use crate::seen::Seen;
use crate::vendors::{Action, Write};

/// What becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leaving {
    /// It stays at the vendor, and the object goes: why, as the end of a sentence.
    Stays(String),
    /// It is gone, or going, at the vendor: the object goes, too.
    Gone,
    /// It can't be told yet: why.
    Waits(String),
    /// It is to be deleted.
    Delete {
        /// The vendor account.
        account: String,
        /// The vendor's id of it.
        id: String,
        /// The step.
        step: Step,
    },
}

/// Decides.
pub fn leaving(connector: &Connector, observed: &Observed) -> Leaving {
    let label = connector.spec.vendor.vendor().label();
    let stays = |why: &str| Leaving::Stays(why.to_owned());
    let status = connector.status.as_ref();
    let Some(id) = status.and_then(|status| status.connector_id.as_deref()) else {
        return stays("none was ever adopted");
    };
    if connector.spec.deletion_policy != Some(DeletionPolicy::Delete) {
        return stays("spec.deletionPolicy is not Delete any more");
    }
    let sight = match &observed.sight {
        Ok(sight) => sight,
        Err(problem) if problem.trouble == Trouble::Later => return Leaving::Waits(problem.message.clone()),
        Err(problem) => return Leaving::Stays(problem.message.clone()),
    };
    let unseen = |fault: &Fault| match fault.class {
        Class::Retry(_) => Leaving::Waits(fault.sentence.clone()),
        _ => Leaving::Stays(fault.sentence.clone()),
    };
    let account = match &sight.account {
        Seen::Known(Some(account)) => account,
        Seen::Known(None) => return stays("the vendor shows no account"),
        Seen::Unknown(fault) => return unseen(fault),
    };
    if status.and_then(|status| status.account.as_ref()).is_none_or(|first| first.id != *account) {
        return stays("the credential belongs to another account than the one that it was adopted in");
    }
    match allowed(connector, observed, Action::Delete) {
        Allowed::Yes | Allowed::NotYet(_) => {}
        Allowed::NotAllowed => return stays("spec.allowedActions does not name Delete"),
        Allowed::NotGranted => return stays("no grant of the installation covers Delete at this vendor account"),
        Allowed::ReadOnly => return stays("the operator runs with --read-only"),
    }
    let connectors = match &sight.connectors {
        Seen::Known(connectors) => connectors,
        Seen::Unknown(fault) => return unseen(fault),
    };
    let Some(found) = connectors.iter().find(|it| it.id.as_deref() == Some(id)).filter(|found| !found.deleting) else {
        return Leaving::Gone;
    };
    if observed.others.iter().any(|other| other.connector_id.as_deref() == Some(id)) {
        return stays("another Connector stands for it");
    }
    let write = Write {
        action: Action::Delete,
        field: "spec.deletionPolicy",
        value: found.name.clone(),
        link: None,
        first: None,
    };
    let step =
        Step { write, reason: format!("this Connector is deleted, and {label} still has it"), allowed: Allowed::Yes };
    Leaving::Delete { account: account.clone(), id: id.to_owned(), step }
}

/// Since when somebody has said that the deletion is meant; `None`: nobody has. A time of before the deletion, or of the time to
/// come, says nothing: left in Git, it would mean every deletion there will ever be.
pub fn released(connector: &Connector, now: Timestamp) -> Option<Timestamp> {
    let deleted = connector.metadata.deletion_timestamp.as_ref()?.0;
    let said: Timestamp = annotation(&connector.metadata, RELEASE_DELETION)?.parse().ok()?;
    (said >= deleted && said <= now).then_some(said)
}

/// Until when a vendor that does not answer is waited for.
pub fn patience_ends(connector: &Connector, patience: Duration, now: Timestamp) -> Timestamp {
    let deleted = connector.metadata.deletion_timestamp.as_ref().map_or(now, |deleted| deleted.0);
    let since = released(connector, now).map_or(deleted, |released| released.max(deleted));
    since.saturating_add(patience).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn connector(release: &str) -> Connector {
        serde_json::from_value(json!({
            "apiVersion": "backstay.dev/v1alpha1", "kind": "Connector",
            "metadata": { "name": "c", "deletionTimestamp": "2026-11-20T10:00:00Z", "annotations": { RELEASE_DELETION: release } },
            "spec": {
                "vendor": { "keepit": { "region": "dk-co", "secretRef": { "name": "k" } } },
                "policyRef": { "name": "p" },
            },
        }))
        .unwrap()
    }

    #[test]
    fn a_release_counts_from_the_deletion_on_and_not_before_its_time() {
        let now: Timestamp = "2026-11-20T10:30:00Z".parse().unwrap();
        for (said, counts) in [
            ("2026-11-20T10:00:00Z", true),
            ("2026-11-20T12:10:00+02:00", true),
            ("2026-11-20T09:59:59Z", false),
            ("2026-11-20T10:30:01Z", false),
            ("true", false),
            ("", false),
        ] {
            assert_eq!(released(&connector(said), now).is_some(), counts, "{said}");
        }
        let ends = |said: &str| patience_ends(&connector(said), Duration::from_mins(15), now).to_string();
        assert_eq!(
            (ends(""), ends("2026-11-20T10:20:00Z")),
            ("2026-11-20T10:15:00Z".into(), "2026-11-20T10:35:00Z".into())
        );
    }
}
