//! One account's window: what was given for it, and what is to be done about that now. [pure]

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::api::elevation::{ElevationMethod, ElevationState};
use crate::api::policy::{Credential, Tenant};

/// The last window of an account. All that is needed to end it is in it: the objects may be gone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// The account's object id, lower case.
    pub account: String,
    /// The account's name, for what people are told.
    pub name: String,
    /// Its tenant.
    pub tenant: Tenant,
    /// How the operator signs in there: by a Secret or `ServiceAccount` of the policy's namespace.
    pub credential: Credential,
    /// The policy that asked for it.
    pub policy: Place,
    /// The Connectors that somebody signs in for.
    pub connectors: Vec<Place>,
    /// Who gives the role.
    pub method: ElevationMethod,
    /// How far it is.
    pub phase: Phase,
    /// What was given.
    pub given: Given,
    /// When the last of those who are at it began, by their own clock.
    pub begun: Timestamp,
    /// When it was opened.
    pub starts: Timestamp,
    /// When it ends at the latest.
    pub expires: Timestamp,
    /// Since when it is being closed.
    #[serde(default)]
    pub closing: Option<Timestamp>,
    /// When it was over, and what was given was seen to be gone.
    #[serde(default)]
    pub ended: Option<Timestamp>,
    /// Whether the account was seen without the role since it was opened: who holds it from then on was given it for the window.
    #[serde(default)]
    pub absent: bool,
    /// When the operator last asked Microsoft for it: it may show some time later.
    #[serde(default)]
    pub gave: Option<Timestamp>,
    /// Whether somebody has to approve what was asked for.
    #[serde(default)]
    pub pending: bool,
    /// Whether what the operator gave was seen.
    #[serde(default)]
    pub seen: bool,
    /// The assignment that it was seen by.
    #[serde(default)]
    pub assignment: Option<String>,
    /// When Microsoft last said that it was taken back: it may show for some time longer.
    #[serde(default)]
    pub took: Option<Timestamp>,
    /// Since when what a person gave is seen to be gone.
    #[serde(default)]
    pub away: Option<Timestamp>,
    /// Why it is not as it should be: one sentence.
    #[serde(default)]
    pub message: Option<String>,
    /// When the windows of the last thirty days were opened, this one last.
    pub windows: Vec<Timestamp>,
}

/// An object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
}

/// How far a window is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// The role is being given.
    Opening,
    /// It is held.
    Open,
    /// It is being taken back.
    Closing,
    /// It is over.
    Closed,
}

/// What was given for a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Given {
    /// Nothing yet.
    Nothing,
    /// Nothing: the account held it already, so that it stays.
    HeldBefore,
    /// By a person.
    ByPerson,
    /// By the operator, as far as anybody knows: that is written down before it is done.
    ByOperator,
}

/// What is seen of the role at the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// It does not hold it.
    No,
    /// It does, by this assignment of its own.
    Directly(String),
    /// It does, through a group: that is nobody's window.
    ThroughGroup,
}

/// What is to be done now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing before this time.
    Wait(Timestamp),
    /// Look again soon.
    Look,
    /// Note that the account does not hold the role.
    Absent,
    /// Note since when what a person gave is gone; `None`: it is not.
    Away(Option<Timestamp>),
    /// The entry becomes this, and then is looked at again.
    Become(Phase, Given),
    /// Give the role until the window's end.
    Give,
    /// Take back what was given.
    TakeBack,
    /// It is over: what is held now is not what was given.
    NotOurs,
}

/// So long what was given may take to show: what is not seen before that is not known to be gone.
const SHOWS_WITHIN: SignedDuration = SignedDuration::from_mins(2);
/// What was written and does not show is written again after this long: being so already is success.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_secs(10);
/// What is gone for so long is gone: one look may have been answered by a part of the directory that is behind.
const GONE: SignedDuration = SignedDuration::from_secs(15);
/// What the account held before may end meanwhile.
const LOOKED_AT: SignedDuration = SignedDuration::from_mins(1);
/// So long a window may be being cleared before that is an alarm.
pub const LAG: SignedDuration = SignedDuration::from_mins(5);
/// Windows are counted over this time.
pub const COUNTED: SignedDuration = SignedDuration::from_hours(30 * 24);

impl Entry {
    /// Whether it is not over.
    #[must_use]
    pub fn is_standing(&self) -> bool {
        self.phase != Phase::Closed
    }

    /// Whether somebody may sign in by it, now or soon: it is not being cleared.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        matches!(self.phase, Phase::Opening | Phase::Open)
    }

    /// It is being cleared from now on.
    pub fn close(&mut self, now: Timestamp) {
        self.phase = Phase::Closing;
        self.closing = self.closing.or(Some(now));
    }

    /// Whether a person is asked to give the role now.
    #[must_use]
    pub fn asks_for_it(&self) -> bool {
        self.phase == Phase::Opening && self.method == ElevationMethod::Manual
    }

    /// Whether something that was given is held longer than it may be.
    #[must_use]
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        let since = self.closing.filter(|_| self.phase == Phase::Closing).unwrap_or(self.expires).min(self.expires);
        let owed = matches!(self.given, Given::ByPerson | Given::ByOperator);
        // What nobody has approved is held by nobody.
        let held = self.seen || !self.pending;
        self.is_standing() && owed && held && now > since + LAG
    }

    /// What is said of it.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> ElevationState {
        match self.phase {
            _ if self.is_overdue(now) => ElevationState::Overdue,
            Phase::Opening => ElevationState::Opening,
            Phase::Open => ElevationState::Open,
            Phase::Closing => ElevationState::Closing,
            Phase::Closed => ElevationState::Closed,
        }
    }

    /// When the windows of the thirty days before were opened, the first of them first.
    #[must_use]
    pub fn windows_before(&self, now: Timestamp) -> Vec<Timestamp> {
        self.windows.iter().filter(|opened| **opened + COUNTED > now).copied().collect()
    }

    /// Whether something is to be seen of the account before it is known what comes next.
    #[must_use]
    pub fn needs_look(&self, now: Timestamp) -> bool {
        match self.phase {
            Phase::Closed => false,
            Phase::Opening => now < self.expires,
            Phase::Open => now < self.expires && self.given == Given::HeldBefore,
            Phase::Closing => match self.given {
                Given::Nothing => self.absent,
                given => given != Given::HeldBefore,
            },
        }
    }

    /// What is to be done about it, by what is seen of the role; `lasts`: whether what is seen stays for good.
    #[must_use]
    pub fn next(&self, held: &Held, lasts: bool, now: Timestamp) -> Next {
        let within = |since: Option<Timestamp>, span| since.is_some_and(|since| now < since + span);
        match (self.phase, self.given) {
            (Phase::Closed, _) => Next::Wait(Timestamp::MAX),
            (Phase::Opening | Phase::Open, given) if now >= self.expires => Next::Become(Phase::Closing, given),
            (Phase::Open, Given::HeldBefore) => match held {
                Held::No => Next::Become(Phase::Opening, Given::Nothing),
                _ => Next::Wait(self.expires.min(now + LOOKED_AT)),
            },
            (Phase::Open, _) => Next::Wait(self.expires),
            (Phase::Opening, given) => self.opening(given, held, &within),
            (Phase::Closing, Given::HeldBefore) => Next::Become(Phase::Closed, self.given),
            (Phase::Closing, Given::Nothing) if !self.absent => Next::Become(Phase::Closed, self.given),
            (Phase::Closing, Given::Nothing | Given::ByPerson) => match (held, self.away) {
                (Held::No, None) => Next::Away(Some(now)),
                (Held::No, Some(away)) if now < away + GONE => Next::Look,
                (Held::No, Some(_)) => Next::Become(Phase::Closed, self.given),
                // Given by a person in the last moment.
                _ if self.given == Given::Nothing => Next::Become(Phase::Closing, Given::ByPerson),
                (_, Some(_)) => Next::Away(None),
                (_, None) => Next::Look,
            },
            (Phase::Closing, Given::ByOperator) => self.closing(held, lasts, now, &within),
        }
    }

    fn opening(&self, given: Given, held: &Held, within: &dyn Fn(Option<Timestamp>, SignedDuration) -> bool) -> Next {
        match (held, given) {
            (Held::No, _) if !self.absent => Next::Absent,
            (Held::No, _) if self.pending || within(self.gave, AGAIN_AFTER) => Next::Look,
            // It was tried, and then refused: it may show yet; from then on nothing of it is the operator's.
            (Held::No, Given::ByOperator) if self.method == ElevationMethod::Manual => {
                if within(self.gave, SHOWS_WITHIN) { Next::Look } else { Next::Become(Phase::Opening, Given::Nothing) }
            }
            (Held::No, _) if self.method == ElevationMethod::Manual => Next::Look,
            (Held::No, _) => Next::Give,
            (_, Given::ByOperator) => Next::Become(Phase::Open, Given::ByOperator),
            // Whoever held it before anybody was asked keeps it.
            (_, _) if self.absent => Next::Become(Phase::Open, Given::ByPerson),
            (_, _) => Next::Become(Phase::Open, Given::HeldBefore),
        }
    }

    fn closing(
        &self,
        held: &Held,
        lasts: bool,
        now: Timestamp,
        within: &dyn Fn(Option<Timestamp>, SignedDuration) -> bool,
    ) -> Next {
        // Nobody can have approved it once it would be over.
        if self.pending && !self.seen && now < self.expires && !matches!(held, Held::Directly(_)) {
            return Next::Look;
        }
        let other = |id: &String| self.assignment.as_ref().is_some_and(|own| own != id);
        match held {
            // One that ends by itself was given; this one stays, or is another: somebody else's.
            Held::Directly(_) if lasts && self.method == ElevationMethod::PrivilegedIdentityManagement && self.seen => {
                Next::NotOurs
            }
            Held::Directly(id) if self.method != ElevationMethod::PrivilegedIdentityManagement && other(id) => {
                Next::NotOurs
            }
            Held::Directly(_) if within(self.took, AGAIN_AFTER) => Next::Look,
            Held::Directly(_) => Next::TakeBack,
            // What does not show may be there all the same: it is gone once Microsoft has said so, and what was asked for has had its time.
            Held::No | Held::ThroughGroup => match self.took {
                // A plain assignment that was never seen has no name to be removed by.
                None if self.method != ElevationMethod::PrivilegedIdentityManagement && self.assignment.is_none() => {
                    let showing = within(self.gave, SHOWS_WITHIN);
                    if showing { Next::Look } else { Next::Become(Phase::Closed, self.given) }
                }
                None => Next::TakeBack,
                Some(_) if !self.seen && within(self.gave, SHOWS_WITHIN) => Next::Look,
                Some(_) => Next::Become(Phase::Closed, self.given),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).unwrap()
    }

    /// An entry that was opened in minute 0, for an hour.
    fn entry(method: ElevationMethod) -> Entry {
        Entry {
            account: "a".into(),
            name: "svc@contoso.com".into(),
            tenant: serde_json::from_value(serde_json::json!({ "id": "t" })).unwrap(),
            credential: serde_json::from_value(serde_json::json!({
                "clientSecret": { "clientID": "c", "secretRef": { "name": "s", "key": "k" } },
            }))
            .unwrap(),
            policy: Place { namespace: "n".into(), name: "p".into(), uid: "u".into() },
            connectors: Vec::new(),
            method,
            phase: Phase::Opening,
            given: Given::Nothing,
            begun: at(0),
            starts: at(0),
            expires: at(60),
            closing: None,
            ended: None,
            absent: false,
            gave: None,
            pending: false,
            seen: false,
            assignment: None,
            took: None,
            away: None,
            message: None,
            windows: vec![at(0)],
        }
    }

    fn next(entry: &Entry, held: &Held, minute: i64) -> Next {
        entry.next(held, false, at(minute))
    }

    fn mine() -> Held {
        Held::Directly("x".into())
    }

    #[test]
    fn what_is_given_is_taken_back_at_the_end_and_only_what_microsoft_says_is_gone_is() {
        let mut entry = entry(ElevationMethod::PrivilegedIdentityManagement);
        assert_eq!(next(&entry, &Held::No, 0), Next::Absent);
        entry.absent = true;
        assert_eq!(next(&entry, &Held::No, 0), Next::Give);
        (entry.given, entry.gave) = (Given::ByOperator, Some(at(0)));
        assert_eq!(next(&entry, &Held::No, 0), Next::Look, "it may show later");
        assert_eq!(next(&entry, &Held::No, 1), Next::Give, "it never showed");
        assert_eq!(next(&entry, &mine(), 1), Next::Become(Phase::Open, Given::ByOperator));
        (entry.phase, entry.seen) = (Phase::Open, true);
        assert_eq!(next(&entry, &mine(), 59), Next::Wait(at(60)));
        assert_eq!(next(&entry, &mine(), 60), Next::Become(Phase::Closing, Given::ByOperator));
        entry.phase = Phase::Closing;
        assert_eq!(next(&entry, &mine(), 60), Next::TakeBack);
        assert_eq!(next(&entry, &Held::No, 60), Next::TakeBack, "a read alone proves nothing");
        assert!(
            Entry { phase: Phase::Open, ..entry.clone() }.is_overdue(at(66)),
            "though nobody could write that it closes"
        );
        entry.took = Some(at(60));
        assert_eq!(next(&entry, &mine(), 60), Next::Look);
        assert_eq!(next(&entry, &mine(), 61), Next::TakeBack);
        assert_eq!(next(&entry, &Held::No, 60), Next::Become(Phase::Closed, Given::ByOperator));
        entry.closing = Some(at(20));
        assert!(!entry.is_overdue(at(25)) && entry.is_overdue(at(26)), "from when it was to be taken back");
    }

    #[test]
    fn a_grant_of_a_moment_ago_that_does_not_show_is_not_taken_for_gone() {
        let entry = Entry {
            phase: Phase::Closing,
            given: Given::ByOperator,
            gave: Some(at(59)),
            took: Some(at(60)),
            ..entry(ElevationMethod::RoleAssignment)
        };
        assert_eq!(next(&entry, &Held::No, 60), Next::Look);
        assert_eq!(next(&entry, &Held::No, 62), Next::Become(Phase::Closed, Given::ByOperator));
        let pending = Entry { pending: true, ..entry };
        assert_eq!(
            next(&Entry { expires: at(90), ..pending.clone() }, &Held::No, 80),
            Next::Look,
            "it may be approved yet"
        );
        assert_eq!(next(&pending, &Held::No, 80), Next::Become(Phase::Closed, Given::ByOperator));
    }

    #[test]
    fn what_the_operator_did_not_give_it_never_takes() {
        for given in [Given::Nothing, Given::HeldBefore, Given::ByPerson] {
            for phase in [Phase::Opening, Phase::Open, Phase::Closing, Phase::Closed] {
                for method in [ElevationMethod::Manual, ElevationMethod::RoleAssignment] {
                    for minute in [0, 30, 60, 600] {
                        for absent in [false, true] {
                            let entry = Entry { phase, given, absent, ..entry(method) };
                            assert_ne!(next(&entry, &mine(), minute), Next::TakeBack, "{entry:?}");
                        }
                    }
                }
            }
        }
        let ours = |method| Entry { phase: Phase::Closing, given: Given::ByOperator, seen: true, ..entry(method) };
        let timed = ours(ElevationMethod::PrivilegedIdentityManagement);
        assert_eq!(timed.next(&mine(), true, at(60)), Next::NotOurs, "somebody has made it permanent");
        let plain = Entry { assignment: Some("own".into()), ..ours(ElevationMethod::RoleAssignment) };
        assert_eq!(plain.next(&mine(), true, at(60)), Next::NotOurs, "somebody has given it anew");
    }

    #[test]
    fn who_held_it_before_keeps_it_and_who_gave_it_for_the_window_takes_it_back() {
        let mut entry = entry(ElevationMethod::Manual);
        assert_eq!(next(&entry, &mine(), 0), Next::Become(Phase::Open, Given::HeldBefore));
        entry.absent = true;
        assert_eq!(next(&entry, &Held::No, 1), Next::Look);
        assert_eq!(next(&entry, &mine(), 5), Next::Become(Phase::Open, Given::ByPerson));
        entry.phase = Phase::Closing;
        assert_eq!(next(&entry, &mine(), 61), Next::Become(Phase::Closing, Given::ByPerson), "in the last moment");
        entry.given = Given::ByPerson;
        assert_eq!(next(&entry, &mine(), 61), Next::Look);
        assert_eq!(next(&entry, &Held::No, 62), Next::Away(Some(at(62))), "one look proves nothing");
        entry.away = Some(at(62));
        assert_eq!(next(&entry, &mine(), 62), Next::Away(None));
        assert_eq!(next(&entry, &Held::No, 62), Next::Look);
        assert_eq!(next(&entry, &Held::No, 63), Next::Become(Phase::Closed, Given::ByPerson));
        let before = Entry { phase: Phase::Open, given: Given::HeldBefore, ..entry.clone() };
        assert_eq!(
            next(&before, &Held::No, 30),
            Next::Become(Phase::Opening, Given::Nothing),
            "it has ended meanwhile"
        );
        let refused = Entry { phase: Phase::Opening, given: Given::ByOperator, gave: Some(at(0)), ..entry };
        assert_eq!(next(&refused, &Held::No, 1), Next::Look, "it may show yet");
        assert_eq!(next(&refused, &Held::No, 2), Next::Become(Phase::Opening, Given::Nothing));
    }
}
