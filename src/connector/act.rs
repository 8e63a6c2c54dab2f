//! Does what the plan says: hands over to people, and keeps what this process has seen with its own eyes. [io]

use std::time::Duration;

use jiff::Timestamp;
use kube::ResourceExt;

use super::gather::Observed;
use super::plan::Plan;
use super::resolve::Resolved;
use crate::api::Connector;
use crate::api::shared::HandOffStatus;
use crate::runtime::conditions::whole_seconds;
use crate::runtime::lately::Became;
use crate::runtime::{Allowed, Context, Note, handoffs};
use crate::seen::Seen;
use crate::vendors::{At, Authorization};

/// What was done.
#[derive(Debug, Default)]
pub struct Done {
    /// The hand-offs that are open now.
    pub hand_offs: Vec<HandOffStatus>,
    /// Whether anything was written: it is looked at again at once.
    pub changed: bool,
    /// What became of what was written, if it does not show, or was refused: one sentence.
    pub hindered: Option<String>,
}

/// Acts: whoever is needed is told once, by an Event, when a hand-off opens.
pub async fn act(
    connector: &Connector,
    resolved: &Resolved,
    plan: &Plan,
    observed: &Observed,
    context: &Context,
    now: Timestamp,
) -> Done {
    // The policy removes nothing on the word of a status alone: it asks whether this process has seen the Connector.
    // What is attested needs no Global Administrator, and what it does need is verified at Microsoft.
    let granted =
        matches!(resolved.authorization(), Some(Seen::Known(Authorization::Granted | Authorization::Attested(_))));
    let uid = connector.uid().unwrap_or_default();
    context.sightings.note(&uid, connector.metadata.generation.unwrap_or_default(), granted, observed.age);
    let old = connector.status.as_ref().map_or(&[][..], |status| &status.hand_offs);
    // What is taken back was not done.
    let open = |name: &str| plan.hand_offs.iter().any(|open| open.name == name);
    let old: Vec<HandOffStatus> = old.iter().filter(|old| !plan.withdrawn || open(&old.name)).cloned().collect();
    let (hand_offs, mut notes) = handoffs::merge(plan.hand_offs.clone(), &old, |_| plan.unsure, &whole_seconds(now));
    if let Some(found) = resolved.found.as_ref().filter(|_| resolved.adopted) {
        let label = connector.spec.vendor.vendor().label();
        notes.push(Note::normal("Adopted", "Adopt", format!("Found \"{}\" at {label} and adopted it", found.name)));
    }
    let (changed, hindered) = correct(connector, resolved, plan, observed, context, &mut notes).await;
    context.tell(connector, &notes).await;
    Done { hand_offs, changed, hindered }
}

/// A write that does not show, or was refused, is repeated after this long.
const RESTS: Duration = Duration::from_mins(5);

/// Takes the steps that may be taken, one after the other. Whether they show is told by the next look.
async fn correct(
    connector: &Connector,
    resolved: &Resolved,
    plan: &Plan,
    observed: &Observed,
    context: &Context,
    notes: &mut Vec<Note>,
) -> (bool, Option<String>) {
    let vendor = connector.spec.vendor.vendor();
    let (mut changed, mut hindered) = (false, None);
    let id = resolved.found.as_ref().and_then(|found| found.id.as_deref());
    let (Some(account), Some(id), Some(credential)) = (&resolved.account, id, &observed.credential) else {
        return (changed, hindered);
    };
    for step in plan.steps.iter().filter(|step| step.allowed == Allowed::Yes) {
        let (action, field, value) = (step.correction.action, step.correction.field, &step.correction.value);
        let written = format!("{}/{account}/{id}/{action}/{value}", vendor.label());
        match context.lately.noted(&written) {
            // What was written a moment ago and does not show is waited for, not written again.
            Some(Became::Written) => hindered = Some(format!("{action} was written, but does not show yet")),
            Some(Became::Refused(fault)) => hindered = Some(format!("{action} failed: {}", fault.sentence)),
            None => {
                tracing::info!(step = %action, "acting");
                let at = At { account, connector: id };
                match vendor.correct(&step.correction, at, credential, &context.desk).await {
                    Ok(()) => {
                        changed = true;
                        context.lately.note(&written, Became::Written, RESTS);
                        let sentence = format!("Wrote {value} for {field}, which was {}", step.observed);
                        notes.push(Note::normal("Corrected", "Correct", sentence).about("Step", action.to_string()));
                    }
                    Err(fault) => {
                        let sentence = format!("{action} failed: {}", fault.sentence);
                        notes.push(
                            Note::warning("StepFailed", "Correct", sentence.clone()).about("Step", action.to_string()),
                        );
                        context.lately.note(&written, Became::Refused(fault), RESTS);
                        hindered = Some(sentence);
                    }
                }
            }
        }
    }
    (changed, hindered)
}
