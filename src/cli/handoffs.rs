//! `backstay handoffs`: everything that waits for a person, the oldest first, with its steps.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde::Serialize;

use super::objects::{self, Listing, Objects};
use super::outside;
use super::shown::{Mark, Output, age, bold, print, wrapped};
use crate::api::shared::{HandOffStatus, counted};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Open {
    kind: &'static str,
    namespace: String,
    object: String,
    #[serde(flatten)]
    hand_off: HandOffStatus,
}

/// Prints them.
///
/// # Errors
/// One sentence: the cluster.
pub fn show(options: &Listing) -> Result<(), String> {
    let objects = outside::block_on(objects::read(&options.place))?;
    let open = open(&objects);
    for sentence in &objects.unreadable {
        eprintln!("backstay: {sentence}");
    }
    let unlooked = objects.unlooked();
    if unlooked > 0 {
        let objects = counted(unlooked, "object");
        eprintln!("backstay: no operator has looked at {objects} yet (backstay doctor says why)");
    }
    if open.is_empty() && options.output == Output::Text {
        let any = !(objects.policies.is_empty() && objects.connectors.is_empty());
        let what = if any { "Nobody is waited for" } else { "No Connector and no ServiceAccountPolicy" };
        return super::say(&format!("{what} in {}\n", objects.place));
    }
    let now = Timestamp::now();
    print(options.output, &open, |open| open.iter().map(|it| page(it, now)).collect::<Vec<_>>().join("\n"))
}

fn open(objects: &Objects) -> Vec<Open> {
    let policies = objects
        .policies
        .iter()
        .filter_map(|(place, it)| Some(("ServiceAccountPolicy", place, &it.status.as_ref()?.hand_offs)));
    let connectors =
        objects.connectors.iter().filter_map(|(place, it)| Some(("Connector", place, &it.status.as_ref()?.hand_offs)));
    let each = policies.chain(connectors).flat_map(|(kind, (namespace, object), hand_offs)| {
        hand_offs.iter().map(move |hand_off| Open {
            kind,
            namespace: namespace.clone(),
            object: object.clone(),
            hand_off: hand_off.clone(),
        })
    });
    let mut all: Vec<Open> = each.collect();
    all.sort_by_key(|open| open.hand_off.request_time.0);
    all
}

fn page(open: &Open, now: Timestamp) -> String {
    let Open { kind, namespace, object, hand_off } = open;
    let mut text = wrapped(&format!("{} ", Mark::Turn.sign()), "  ", &hand_off.title);
    let due = hand_off.due_date.as_ref().map(|due| format!(", by {due}")).unwrap_or_default();
    let of = bold(&format!("{kind} {namespace}/{object}"));
    let _ = writeln!(text, "  {of}, asked {} ago{due}", age(hand_off.request_time.0, now));
    text.push_str(&wrapped("  Who: ", "       ", &hand_off.who));
    if let Some(url) = &hand_off.url {
        text.push_str(&wrapped("  At:  ", "       ", url));
    }
    for (number, step) in (1..).zip(&hand_off.steps) {
        text.push_str(&wrapped(&format!("  {number}. "), "     ", step));
    }
    text.push_str(&wrapped("  Done when ", "            ", &hand_off.done_when));
    if let Some(evidence) = &hand_off.evidence {
        text.push_str(&wrapped("  Seen: ", "        ", evidence));
    }
    text
}
