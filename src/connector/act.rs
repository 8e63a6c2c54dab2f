//! Does what the plan says: hands over to people, and keeps what this process has seen with its own eyes. [io]

use std::time::Duration;

use jiff::Timestamp;
use kube::ResourceExt;

use super::gather::creation_of;
use super::observed::Observed;
use super::plan::Plan;
use super::resolve::Resolved;
use super::steps::Step;
use crate::api::shared::HandOffStatus;
use crate::api::{Connector, Happened};
use crate::fault::{Class, Fault, Kind};
use crate::runtime::conditions::whole_seconds;
use crate::runtime::lately::Became;
use crate::runtime::marks::{CREATING, Mark};
use crate::runtime::{Allowed, Context, Note, handoffs};
use crate::seen::Seen;
use crate::vendors::{Action, At, Authorization, Write};

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
///
/// # Errors
/// When the object can't be marked.
pub async fn act(
    connector: &Connector,
    resolved: &Resolved,
    plan: &Plan,
    observed: &Observed,
    context: &Context,
    now: Timestamp,
) -> Result<Done, Fault> {
    sighted(connector, resolved, observed, context);
    let (hand_offs, mut notes) = hand_over(connector, plan, now);
    if let Some(found) = resolved.found.as_ref().filter(|_| resolved.adopted) {
        let label = connector.spec.vendor.vendor().label();
        notes.push(Note::normal(
            Happened::Adopted,
            "Adopt",
            format!("Found \"{}\" at {label} and adopted it", found.name),
        ));
    }
    // What was begun has its end: it is there, and the status says so already. The other way round, a crash in between would forget
    // that it was asked for.
    if resolved.found.as_ref().is_some_and(|found| found.id.is_some()) && !resolved.adopted {
        context.mark::<Connector>(&connector.metadata, &Mark::Annotation(CREATING, None)).await?;
    }
    let taken = take(connector, resolved, plan, observed, context, &mut notes).await;
    context.tell(connector, &notes).await;
    let (changed, hindered) = taken?;
    Ok(Done { hand_offs, changed, hindered })
}

/// Notes what this process has seen of the Connector with its own eyes.
pub fn sighted(connector: &Connector, resolved: &Resolved, observed: &Observed, context: &Context) {
    // The policy removes nothing on the word of a status alone: it asks whether this process has seen the Connector.
    // What is attested needs no Global Administrator, and what it does need is verified at Microsoft.
    // One that is yet to be created was not seen to work, whatever its connection does for others.
    let granted = resolved.found.is_some()
        && matches!(resolved.authorization(), Some(Seen::Known(Authorization::Granted | Authorization::Attested(_))));
    let uid = connector.uid().unwrap_or_default();
    context.sightings.note(&uid, connector.metadata.generation.unwrap_or_default(), granted, observed.age);
}

/// The hand-offs that are open now, and what is news of them.
pub fn hand_over(connector: &Connector, plan: &Plan, now: Timestamp) -> (Vec<HandOffStatus>, Vec<Note>) {
    let old = connector.status.as_ref().map_or(&[][..], |status| &status.hand_offs);
    // What is taken back was not done.
    let open = |name: &str| plan.hand_offs.iter().any(|open| open.name == name);
    let old: Vec<HandOffStatus> = old.iter().filter(|old| !plan.withdrawn || open(&old.name)).cloned().collect();
    handoffs::merge(plan.hand_offs.clone(), &old, |_| plan.unsure, &whole_seconds(now))
}

/// A write that does not show, or was refused, is repeated after this long.
const RESTS: Duration = Duration::from_mins(5);
const A_DAY: Duration = Duration::from_hours(24);

/// A step, among what was written lately.
fn key(connector: &Connector, resolved: &Resolved, step: &Step) -> String {
    let Write { action, value, .. } = &step.write;
    let id = resolved.found.as_ref().and_then(|found| found.id.as_deref()).unwrap_or_default();
    if *action == Action::Create {
        return creation_of(connector);
    }
    let (label, account) = (connector.spec.vendor.vendor().label(), resolved.account.as_deref());
    format!("{label}/{}/{id}/{action}/{value}", account.unwrap_or_default())
}

/// Whether something would be written now: what rests is not looked at anew for that.
pub fn writes(connector: &Connector, resolved: &Resolved, plan: &Plan, context: &Context) -> bool {
    let fresh = |step: &&Step| context.lately.noted(&key(connector, resolved, step)).is_none();
    plan.steps.iter().filter(|step| step.allowed == Allowed::Yes).any(|step| fresh(&step))
}

/// Takes the steps that may be taken, one after the other. Whether they show is told by the next look.
async fn take(
    connector: &Connector,
    resolved: &Resolved,
    plan: &Plan,
    observed: &Observed,
    context: &Context,
    notes: &mut Vec<Note>,
) -> Result<(bool, Option<String>), Fault> {
    let vendor = connector.spec.vendor.vendor();
    let (mut changed, mut hindered) = (false, None);
    let id = resolved.found.as_ref().and_then(|found| found.id.as_deref());
    let (Some(account), Some(credential)) = (&resolved.account, &observed.credential) else {
        return Ok((changed, hindered));
    };
    for step in plan.steps.iter().filter(|step| step.allowed == Allowed::Yes) {
        let action = step.write.action;
        let written = key(connector, resolved, step);
        match context.lately.noted(&written) {
            // What was written a moment ago and does not show is waited for, not written again.
            Some(Became::Written) => hindered = Some(format!("{action} was written, but does not show yet")),
            Some(Became::Refused(fault)) => hindered = Some(format!("{action} failed: {}", fault.sentence)),
            None => {
                tracing::info!(step = %action, "acting");
                let creates = action == Action::Create;
                // Said before it is done: whoever comes after a crash must not make a second one.
                if creates && !context.begin::<Connector>(&connector.metadata, CREATING, Timestamp::now()).await? {
                    return Ok((changed, hindered));
                }
                let at = At { account, connector: id };
                match vendor.write(&step.write, at, credential, &context.desk).await {
                    Ok(()) => {
                        changed = true;
                        context.lately.note(&written, Became::Written, RESTS);
                        notes.push(wrote(step, vendor.label()));
                    }
                    Err(fault) => {
                        if creates && !is_uncertain(&fault) {
                            context.end::<Connector>(&connector.metadata, CREATING).await?;
                        }
                        // Whether it took all the same is seen at once.
                        changed |= creates && is_uncertain(&fault);
                        let sentence = format!("{action} failed: {}", fault.sentence);
                        notes.push(
                            Note::warning(Happened::StepFailed, "Correct", sentence.clone())
                                .about("Step", action.to_string()),
                        );
                        // What is refused for good is a person's from then on, until something is declared otherwise.
                        let for_good = creates && !matches!(fault.class, Class::Retry(_));
                        let rests = if for_good { A_DAY } else { RESTS };
                        context.lately.note(&written, Became::Refused(fault), rests);
                        hindered = Some(sentence);
                    }
                }
            }
        }
    }
    Ok((changed, hindered))
}

/// Whether the write may have been done all the same.
fn is_uncertain(fault: &Fault) -> bool {
    matches!(fault.kind, Kind::Unreachable | Kind::ServerError | Kind::BadAnswer)
}

/// What was done, as an Event.
fn wrote(step: &Step, label: &str) -> Note {
    let Write { action, field, value, .. } = &step.write;
    let note = match action {
        Action::Create => Note::normal(
            Happened::Created,
            "Create",
            format!("Created \"{value}\" at {label} with the connection that {field} names"),
        ),
        Action::StartBackup => {
            let sentence =
                format!("Started a backup of \"{value}\" at {label}; its next automatic one is due twelve hours later");
            Note::normal(Happened::BackupStarted, "StartBackup", sentence)
        }
        Action::GrantAccess => {
            Note::normal(Happened::AccessGranted, "Correct", format!("Let {value} into the connector at {label}"))
        }
        _ => {
            Note::normal(Happened::Corrected, "Correct", format!("Wrote {value} for {field}; before, {}", step.reason))
        }
    };
    note.about("Step", action.to_string())
}
