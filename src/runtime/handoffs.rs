//! Hand-offs in a status: opened once, kept while they are open, and news when they open or are done. [pure]

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::conditions::find;
use super::expiring;
use super::note::Note;
use crate::api::shared::HandOffStatus;
use crate::api::{Happened, Reason, ServiceAccountPolicy};
use crate::handoff::HandOff;

/// The open hand-offs as a status shows them, each with the time it was first asked for; and what is news. One that was open
/// and about which `unsure` is true stays open: that it is no longer seen to be needed does not mean that it was done.
#[must_use]
pub fn merge(
    open: Vec<HandOff>,
    old: &[HandOffStatus],
    unsure: impl Fn(&str) -> bool,
    now: &Time,
) -> (Vec<HandOffStatus>, Vec<Note>) {
    let mut notes = Vec::new();
    let mut merged: Vec<HandOffStatus> = open
        .into_iter()
        .map(|HandOff { name, title, who, steps, url, due_date, done_when }| {
            let known = old.iter().find(|old| old.name == name);
            if known.is_none() {
                let sentence = format!("A person is needed ({who}): {title}");
                notes.push(Note::warning(Happened::HandOffOpened, "HandOver", sentence).about("HandOff", name));
            }
            HandOffStatus {
                name: name.to_owned(),
                title,
                who: who.to_owned(),
                steps,
                url,
                request_time: known.map_or_else(|| now.clone(), |known| known.request_time.clone()),
                due_date,
                done_when,
                evidence: known.and_then(|known| known.evidence.clone()),
            }
        })
        .collect();
    let gone: Vec<&HandOffStatus> = old.iter().filter(|old| !merged.iter().any(|open| open.name == old.name)).collect();
    for gone in gone {
        if unsure(&gone.name) {
            merged.push(gone.clone());
        } else {
            let sentence = format!("Done: {}", gone.title);
            notes.push(Note::normal(Happened::HandOffDone, "HandOver", sentence).about("HandOff", &gone.name));
        }
    }
    (merged, notes)
}

/// Whether a policy waits for a person now: what ends some day is asked for, too, and nobody waits for it.
#[must_use]
pub fn awaits_person(policy: &ServiceAccountPolicy) -> bool {
    policy.status.as_ref().is_some_and(|status| {
        find(&status.conditions, "Ready").is_some_and(|ready| ready.reason == Reason::AwaitingPerson.word())
            && status.hand_offs.iter().any(|it| !expiring::is_ahead(&it.name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Time {
        Time(jiff::Timestamp::from_second(second).unwrap())
    }

    fn hand_off(title: &str) -> HandOff {
        HandOff {
            name: "a",
            title: title.to_owned(),
            who: "somebody",
            steps: vec![],
            url: None,
            due_date: None,
            done_when: String::new(),
        }
    }

    #[test]
    fn a_hand_off_is_asked_for_once_however_often_it_is_looked_at() {
        let (first, news) = merge(vec![hand_off("one")], &[], |_| false, &at(1));
        assert_eq!(news.iter().map(|note| note.reason.as_str()).collect::<Vec<_>>(), ["HandOffOpened"]);
        let (second, news) = merge(vec![hand_off("other words")], &first, |_| false, &at(2));
        assert_eq!((second[0].request_time.clone(), news.len()), (at(1), 0));
        let (kept, news) = merge(vec![], &second, |name| name == "a", &at(3));
        assert_eq!((kept.len(), news.len()), (1, 0), "nobody knows whether it was done");
        let (third, news) = merge(vec![], &second, |_| false, &at(3));
        assert_eq!((third.len(), news[0].reason.as_str()), (0, "HandOffDone"));
    }
}
