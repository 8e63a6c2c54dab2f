//! What becomes of a vendor connector whose Connector is deleted: it is deleted first, or stays, and why. [pure]

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::adoption;
use super::observed::Observed;
use super::resolve::allowed;
use super::steps::Step;
use crate::api::connector::DeletionPolicy;
use crate::api::{Connector, Reason};
use crate::fault::{Class, Fault};
use crate::runtime::conditions::find;
use crate::runtime::marks::{CREATING, RELEASE_DELETION, annotation};
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

/// Decides. `written`: this process has deleted it a moment ago.
pub fn leaving(connector: &Connector, observed: &Observed, written: bool) -> Leaving {
    let label = connector.spec.vendor.vendor().label();
    let stays = |why: &str| Leaving::Stays(why.to_owned());
    let status = connector.status.as_ref();
    let adopted = status.and_then(|status| status.connector_id.as_deref());
    let begun = annotation(&connector.metadata, CREATING).is_some();
    if adopted.is_none() && !begun {
        return stays("none was ever adopted");
    }
    if connector.spec.deletion_policy != Some(DeletionPolicy::Delete) {
        return stays("spec.deletionPolicy is not Delete any more");
    }
    let named = connector.spec.adoption.as_ref().and_then(|adoption| adoption.connector_id.as_deref());
    if named.is_some() && named != adopted {
        return stays("spec.adoption.connectorID names another one than status.connectorID");
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
    let found = match adopted {
        Some(id) => connectors.iter().find(|it| it.id.as_deref() == Some(id)),
        // It was being created: whether it is there shows by its name.
        None => match adoption::find(connector, connectors, true) {
            Ok(None) => return Leaving::Waits("its creation had begun, and it does not show: look there".to_owned()),
            Ok(found) => found,
            Err(problem) => return Leaving::Stays(problem.message),
        },
    };
    let Some((found, id)) = found.and_then(|found| Some((found, found.id.as_deref()?))) else {
        // Not to be seen is not to be gone: the credential may see less than before.
        return if written { Leaving::Gone } else { stays("it is not shown to this credential any more") };
    };
    if found.deleting {
        return Leaving::Gone;
    }
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
    let reason = format!("this Connector is deleted, and {label} still has it");
    let step = Step { write, reason, allowed: Allowed::Yes };
    Leaving::Delete { account: account.clone(), id: id.to_owned(), step }
}

/// Clocks differ a little.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);

/// Since when somebody has said that the deletion is meant; `None`: nobody has. A time of before the deletion, or of the time to
/// come, says nothing: left in Git, it would mean every deletion there will ever be.
pub fn released(connector: &Connector, now: Timestamp) -> Option<Timestamp> {
    let deleted = connector.metadata.deletion_timestamp.as_ref()?.0;
    let said: Timestamp = annotation(&connector.metadata, RELEASE_DELETION)?.parse().ok()?;
    (said >= deleted && said <= now + AHEAD).then_some(said)
}

/// Until when what can't be done now is waited for: so long from the first look at the deleted object that could not do it.
pub fn patience_ends(connector: &Connector, patience: Duration, now: Timestamp) -> Timestamp {
    let status = connector.status.as_ref();
    let current = status.filter(|status| status.observed_generation == connector.metadata.generation);
    let waits = current.and_then(|status| find(&status.conditions, "Ready"));
    let since =
        waits.filter(|ready| ready.reason == Reason::Unreachable.word()).map(|ready| ready.last_transition_time.0);
    let deleted = connector.metadata.deletion_timestamp.as_ref().map_or(now, |deleted| deleted.0);
    since.map_or(now, |since| since.max(deleted)).saturating_add(patience).unwrap_or(Timestamp::MAX)
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
            ("2026-11-20T10:34:00Z", true),
            ("2026-11-20T10:36:00Z", false),
            ("true", false),
            ("", false),
        ] {
            assert_eq!(released(&connector(said), now).is_some(), counts, "{said}");
        }
    }

    #[test]
    fn a_vendor_is_waited_for_from_the_first_look_that_it_did_not_answer() {
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let mut deleted = connector("");
        let ends = |connector: &Connector| patience_ends(connector, Duration::from_mins(15), now).to_string();
        assert_eq!(ends(&deleted), "2026-11-20T12:15:00Z", "it was held, or nobody looked");
        let ready = |since: &str| {
            json!({ "conditions": [{
                "type": "Ready", "status": "Unknown", "reason": "Unreachable", "message": "", "lastTransitionTime": since,
            }] })
        };
        deleted.status = serde_json::from_value(ready("2026-11-20T11:50:00Z")).unwrap();
        assert_eq!(ends(&deleted), "2026-11-20T12:05:00Z");
        deleted.status = serde_json::from_value(ready("2026-11-01T00:00:00Z")).unwrap();
        assert_eq!(ends(&deleted), "2026-11-20T10:15:00Z", "it was dead before the deletion");
    }
}
