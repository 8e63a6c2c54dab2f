//! Does what the plan says: hands over to people, and keeps what this process has seen with its own eyes. [io]

use std::time::Duration;

use jiff::Timestamp;
use kube::ResourceExt;

use super::plan::Plan;
use super::resolve::Resolved;
use crate::api::Connector;
use crate::api::shared::HandOffStatus;
use crate::runtime::conditions::whole_seconds;
use crate::runtime::{Context, Note, handoffs};
use crate::seen::Seen;
use crate::vendors::Authorization;

/// What was done.
#[derive(Debug, Default)]
pub struct Done {
    /// The hand-offs that are open now.
    pub hand_offs: Vec<HandOffStatus>,
}

/// Acts: whoever is needed is told once, by an Event, when a hand-off opens.
pub async fn act(
    connector: &Connector,
    resolved: &Resolved,
    plan: &Plan,
    age: Duration,
    context: &Context,
    now: Timestamp,
) -> Done {
    // The policy removes nothing on the word of a status alone: it asks whether this process has seen the Connector.
    // What is attested needs no Global Administrator, and what it does need is verified at Microsoft.
    let granted =
        matches!(resolved.authorization(), Some(Seen::Known(Authorization::Granted | Authorization::Attested(_))));
    let uid = connector.uid().unwrap_or_default();
    context.sightings.note(&uid, connector.metadata.generation.unwrap_or_default(), granted, age);
    let old = connector.status.as_ref().map_or(&[][..], |status| &status.hand_offs);
    // What is taken back was not done.
    let open = |name: &str| plan.hand_offs.iter().any(|open| open.name == name);
    let old: Vec<HandOffStatus> = old.iter().filter(|old| !plan.withdrawn || open(&old.name)).cloned().collect();
    let (hand_offs, mut notes) = handoffs::merge(plan.hand_offs.clone(), &old, |_| plan.unsure, &whole_seconds(now));
    if let Some(found) = resolved.found.as_ref().filter(|_| resolved.adopted) {
        let label = connector.spec.vendor.vendor().label();
        notes.push(Note::normal("Adopted", "Adopt", format!("Found \"{}\" at {label} and adopted it", found.name)));
    }
    context.tell(connector, &notes).await;
    Done { hand_offs }
}
