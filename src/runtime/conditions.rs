//! How conditions are written: in order, with the time of their last change kept, and as kstatus reads them.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use super::note::Note;
use super::problem::{Problem, Trouble};
use crate::api::Reason;

/// What a condition says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It holds.
    True,
    /// It does not.
    False,
    /// It can't be told.
    Unknown,
}

impl State {
    /// As Kubernetes writes it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

/// The conditions of one object, as they are being written.
#[derive(Clone, Debug)]
pub struct Conditions<'a> {
    old: &'a [Condition],
    generation: i64,
    now: Time,
    list: Vec<Condition>,
}

/// How long something may be missing before that is called a failure: a whole `kubectl apply` of a folder fits in.
pub const PATIENCE: Duration = Duration::from_mins(5);

impl<'a> Conditions<'a> {
    /// Begins with nothing; `old` gives the times of what has not changed.
    #[must_use]
    pub fn new(old: &'a [Condition], generation: i64, now: Timestamp) -> Self {
        Self { old, generation, now: whole_seconds(now), list: Vec::new() }
    }

    /// The time that new entries get: in whole seconds, as the API server stores it.
    #[must_use]
    pub fn now(&self) -> Time {
        self.now.clone()
    }

    /// Sets one.
    pub fn set(&mut self, kind: &'static str, state: State, reason: Reason, message: impl Into<String>) {
        let status = state.word();
        let since = self
            .old
            .iter()
            .find(|old| old.type_ == kind && old.status == status)
            .map_or_else(|| self.now.clone(), |old| old.last_transition_time.clone());
        let condition = Condition {
            type_: kind.to_owned(),
            status: status.to_owned(),
            reason: reason.word(),
            message: message.into(),
            last_transition_time: since,
            observed_generation: Some(self.generation),
        };
        match self.list.iter_mut().find(|known| known.type_ == kind) {
            Some(known) => *known = condition,
            None => self.list.push(condition),
        }
    }

    /// Sets Ready and, as kstatus reads them, Reconciling and Stalled: a thing that is wrong is Stalled, a thing that is
    /// still missing is Reconciling for a while and Stalled after that.
    pub fn refuse(&mut self, problem: &Problem) {
        let Problem { trouble, condition, reason, message, retry_after: _ } = problem;
        let state = if *trouble == Trouble::Wrong { State::False } else { State::Unknown };
        self.set(condition, state, *reason, message.clone());
        let ready = if *trouble == Trouble::Later { State::Unknown } else { State::False };
        self.set("Ready", ready, *reason, message.clone());
        match trouble {
            Trouble::Wrong => self.set("Stalled", State::True, *reason, message.clone()),
            Trouble::Missing if self.missing_for() >= PATIENCE => {
                self.set("Stalled", State::True, *reason, message.clone());
            }
            Trouble::Missing => self.set("Reconciling", State::True, *reason, message.clone()),
            Trouble::Later => {}
        }
    }

    /// How long the thing has been missing: since Reconciling says so. Once that was called a failure, it stays one.
    fn missing_for(&self) -> Duration {
        let missing = |kind: &str| {
            self.old.iter().find(|old| old.type_ == kind && old.reason == Reason::DependencyMissing.word())
        };
        if missing("Stalled").is_some() {
            return PATIENCE;
        }
        let since = missing("Reconciling").map(|old| self.now.0.duration_since(old.last_transition_time.0));
        since.and_then(|since| Duration::try_from(since).ok()).unwrap_or_default()
    }

    /// What is news about Ready: an Event when it says something else than before. While the operator itself is at it, each
    /// step would be another sentence: that it is at it is told once.
    #[must_use]
    pub fn turned(&self) -> Option<Note> {
        let ready = self.ready()?;
        let at_it = |all: &[Condition]| find(all, "Reconciling").is_some();
        let same = |before: &Condition| {
            let said = before.message == ready.message || at_it(self.old) && at_it(&self.list);
            before.status == ready.status && before.reason == ready.reason && said
        };
        if find(self.old, "Ready").is_some_and(same) {
            return None;
        }
        let sentence = match ready.status.as_str() {
            "True" => format!("Ready: {}", ready.message),
            _ => format!("Not ready: {}", ready.message),
        };
        let fine = ready.status == "True" || at_it(&self.list);
        Some(Note::ready(fine, &ready.reason, sentence))
    }

    /// Ready, if it was set.
    #[must_use]
    pub fn ready(&self) -> Option<&Condition> {
        self.list.iter().find(|known| known.type_ == "Ready")
    }

    /// All of them, Ready first, then Reconciling and Stalled where they hold, then the others as they were set.
    #[must_use]
    pub fn finish(mut self) -> Vec<Condition> {
        let rank = |condition: &Condition| match condition.type_.as_str() {
            "Ready" => 0,
            "Reconciling" => 1,
            "Stalled" => 2,
            _ => 3,
        };
        self.list.sort_by_key(rank);
        self.list
    }
}

/// The API server stores whole seconds: anything finer would differ from what is read back, and be written for ever.
#[must_use]
pub fn whole_seconds(time: Timestamp) -> Time {
    Time(Timestamp::from_second(time.as_second()).unwrap_or(time))
}

/// A named condition of a status.
#[must_use]
pub fn find<'a>(conditions: &'a [Condition], kind: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.type_ == kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn refused(old: &[Condition], now: i64) -> Vec<Condition> {
        let mut conditions = Conditions::new(old, 1, at(now));
        conditions.refuse(&Problem::missing("CredentialsValid", "Secret b/a is not there"));
        conditions.finish()
    }

    fn types(conditions: &[Condition]) -> Vec<(&str, &str)> {
        conditions.iter().map(|condition| (condition.type_.as_str(), condition.status.as_str())).collect()
    }

    #[test]
    fn a_missing_thing_is_reconciling_for_five_minutes_and_stalled_after() {
        let first = refused(&[], 1_000);
        assert_eq!(types(&first), [("Ready", "False"), ("Reconciling", "True"), ("CredentialsValid", "Unknown")]);
        let still = refused(&first, 1_299);
        assert_eq!(types(&still)[1], ("Reconciling", "True"));
        let late = refused(&still, 1_300);
        assert_eq!(types(&late)[1], ("Stalled", "True"));
        assert_eq!(types(&refused(&late, 9_000))[1], ("Stalled", "True"));
    }

    #[test]
    fn the_patience_begins_when_the_thing_is_missed_however_long_the_object_was_not_ready() {
        let mut waiting = Conditions::new(&[], 1, at(0));
        waiting.set("Ready", State::False, Reason::AwaitingPerson, "a");
        let first = refused(&waiting.finish(), 100_000);
        assert_eq!(types(&first)[1], ("Reconciling", "True"));
        assert_eq!(types(&refused(&first, 100_060))[1], ("Reconciling", "True"));
    }

    #[test]
    fn another_sentence_is_told_and_the_steps_of_the_operator_itself_are_not() {
        let said = |old: &[Condition], message: &str, at_it: bool| {
            let mut conditions = Conditions::new(old, 1, at(0));
            conditions.set("Ready", State::False, Reason::Acting, message);
            if at_it {
                conditions.set("Reconciling", State::True, Reason::Acting, "c");
            }
            (conditions.turned().map(|note| note.sentence), conditions.finish())
        };
        let (first, waiting) = said(&[], "a", false);
        assert_eq!(first.as_deref(), Some("Not ready: a"));
        assert_eq!(said(&waiting, "a", false).0, None);
        assert_eq!(said(&waiting, "b", false).0.as_deref(), Some("Not ready: b"));
        let (begun, acting) = said(&waiting, "b", true);
        assert_eq!((begun.as_deref(), said(&acting, "c", true).0), (Some("Not ready: b"), None));
    }

    #[test]
    fn the_time_moves_only_when_the_status_does() {
        let mut first = Conditions::new(&[], 1, at(10));
        first.set("Ready", State::False, Reason::Pending, "a");
        let first = first.finish();
        let mut second = Conditions::new(&first, 2, at(20));
        second.set("Ready", State::False, Reason::AwaitingPerson, "b");
        let second = second.finish();
        assert_eq!(second[0].last_transition_time.0, at(10));
        let mut third = Conditions::new(&second, 2, at(30));
        third.set("Ready", State::True, Reason::Current, "c");
        assert_eq!(third.finish()[0].last_transition_time.0, at(30));
    }
}
