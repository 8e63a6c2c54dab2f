//! Whether somebody has to sign in again at the vendor, how far that is, and whether it was done. [pure]

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::observed::{PolicySeen, WindowSeen};
use super::resolve::Resolved;
use crate::api::Connector;
use crate::api::connector::{
    Reauthentication, ReauthenticationCause as Cause, ReauthenticationState as State, ReauthenticationStatus,
};
use crate::api::shared::span;
use crate::runtime::conditions::whole_seconds;
use crate::runtime::marks::{BEGIN, DONE, REAUTHENTICATE, annotation};
use crate::seen::Seen;
use crate::vendors::Authorization;

/// What was found of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judged {
    /// What is asked for now; `None`: nothing.
    pub request: Option<ReauthenticationStatus>,
    /// When somebody was just found to have signed in again.
    pub completed: Option<Timestamp>,
    /// When somebody last signed in, as far as it is known.
    pub authorized: Option<Timestamp>,
    /// When somebody has to sign in again, by the spec.
    pub due: Option<Timestamp>,
    /// The directory role that has to be given for it, once somebody begins; `None`: the account has all that it takes.
    pub elevates: Option<String>,
}

impl Judged {
    /// Whether the connector stands still until somebody signs in: what is only due later keeps nobody from being Ready.
    pub fn is_urgent(&self, now: Timestamp) -> bool {
        let later = self.due.is_some_and(|due| due > now);
        self.request.as_ref().is_some_and(|request| !(later && request.causes == [Cause::Due]))
    }
}

/// What is known of an authorization.
struct Facts<'a> {
    /// Whether it works; `None`: nobody knows.
    living: Option<bool>,
    /// When a person attested it, if that counts.
    attested: Option<Timestamp>,
    /// When the newest backup was taken.
    backup: Option<Timestamp>,
    /// When a person last did something for it, by the vendor's audit.
    deed: Option<Timestamp>,
    /// What was seen at Microsoft since then that ends it, or will.
    predicted: BTreeSet<Cause>,
    /// The directory role that is given for it.
    elevates: Option<&'a str>,
    /// The window of the account.
    window: Option<&'a WindowSeen>,
    /// That what was begun at that time can't be, and why.
    refused: Option<(Timestamp, &'a str)>,
    /// When somebody signed in before what is attested now.
    before: Option<Timestamp>,
    /// Whether people attest it: the vendor shows nothing.
    attests: bool,
    /// Whether the policy has said what it takes.
    answered: bool,
    /// So long a person's word is waited on for the vendor to show it.
    patience: SignedDuration,
}

/// What people say by annotations.
#[derive(Clone, Copy, Debug, Default)]
struct Said {
    asked: Option<Timestamp>,
    begun: Option<Timestamp>,
    done: Option<Timestamp>,
}

impl Said {
    /// Without the words that are about an earlier sign-in, which is over since, or older than what asks for this one.
    fn unspent(self, authorized: Option<Timestamp>, requested: Option<Timestamp>) -> Self {
        // Who asks may have a clock that is ahead of that of who answers: since when it stands here is what counts then.
        let asked = self.asked.map(|asked| requested.map_or(asked, |requested| asked.min(requested)));
        let fresh = |time: &Timestamp| {
            authorized.is_none_or(|over| *time > whole_seconds(over).0) && asked.is_none_or(|asked| *time >= asked)
        };
        Self { asked: self.asked, begun: self.begun.filter(fresh), done: self.done.filter(fresh) }
    }
}

/// Clocks of people's machines differ from the operator's.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// Judges it, by what was seen and what people say.
pub fn judge(connector: &Connector, resolved: &Resolved, deed: Option<Timestamp>, now: Timestamp) -> Judged {
    let old = connector.status.as_ref();
    let before = old.and_then(|old| old.authorization.as_ref());
    let request = old.and_then(|old| old.reauthentication.as_ref());
    let found = resolved.found.as_ref().filter(|found| found.accessible && !found.deleting && !resolved.moving);
    // One that never worked is connected, not connected again.
    let worked = before.is_some_and(|before| before.authorized_time.is_some() || before.profile.is_some());
    let new = !resolved.missing.is_empty() || !(worked || found.is_some_and(|found| found.id.is_some()));
    let Some(found) = found.filter(|_| !new) else {
        // Who is not asked to sign in again is asked to connect; what was asked before has no object any more.
        let authorized = before.and_then(|before| before.authorized_time.as_ref()).map(|time| time.0);
        return Judged { authorized, ..Judged::default() };
    };
    let living = match resolved.authorization() {
        Some(Seen::Known(Authorization::Granted | Authorization::Attested(_))) => Some(true),
        Some(Seen::Known(Authorization::Required)) => Some(false),
        _ => None,
    };
    let attested =
        resolved.attested.as_ref().filter(|attested| attested.void.is_none()).map(|it| whole_seconds(it.said.time).0);
    // Before there was such a field, the change to Granted was all that was known.
    let since = before.and_then(|before| before.authorized_time.as_ref()).map(|time| time.0);
    let authorized = attested.or(since);
    let policy = resolved.policy.as_ref();
    let facts = Facts {
        living,
        attested,
        backup: found.last_backup.known().copied().flatten().map(|backup| backup.latest),
        deed: deed.map(|deed| whole_seconds(deed).0),
        // What changed since makes an attestation void by itself.
        predicted: policy
            .filter(|_| resolved.attested.is_none())
            .map(|policy| predicted(policy, authorized))
            .unwrap_or_default(),
        elevates: policy.and_then(|policy| policy.answer.as_ref()?.elevates.as_deref()),
        window: policy.and_then(|policy| policy.window.as_ref()),
        refused: policy
            .and_then(|policy| policy.answer.as_ref()?.refused.as_ref())
            .map(|refused| (refused.begin_time.0, refused.message.as_str())),
        before: since,
        attests: resolved.attested.is_some(),
        answered: policy.is_some_and(|policy| policy.answer.is_some()),
        patience: SignedDuration::try_from(span(&connector.spec.backup.max_age)).unwrap_or(SignedDuration::MAX),
    };
    // In whole seconds, as statuses have them.
    let time = |key| {
        let time = annotation(&connector.metadata, key).and_then(|text| text.parse::<Timestamp>().ok());
        time.map(|time| whole_seconds(time).0)
    };
    let not_of_tomorrow = |time: &Timestamp| *time <= now + SKEW;
    let said = Said {
        asked: time(REAUTHENTICATE).filter(not_of_tomorrow),
        begun: time(BEGIN).filter(not_of_tomorrow),
        done: time(DONE).filter(not_of_tomorrow),
    };
    let mut judged = decide(&facts, said, connector.spec.reauthentication.as_ref(), request, now);
    // What somebody has written and nobody could act on.
    if let Some(open) = judged.request.as_mut().filter(|open| open.state == State::Requested && open.message.is_none())
    {
        open.message = [BEGIN, DONE].into_iter().find_map(|key| {
            annotation(&connector.metadata, key).filter(|_| time(key).is_none_or(|time| !not_of_tomorrow(&time)))?;
            Some(format!("the annotation {key} says no time up to now, such as 2027-02-18T09:30:00Z"))
        });
    }
    judged
}

/// What the policy found that ends an authorization which is older than that.
fn predicted(policy: &PolicySeen, authorized: Option<Timestamp>) -> BTreeSet<Cause> {
    let cause = |name: &str| match name {
        "account-usable" => Some(Cause::AccountDisabled),
        "consent" => Some(Cause::ConsentRevoked),
        _ => None,
    };
    let newer = policy.failing.iter().filter(|failing| authorized.is_some_and(|authorized| failing.since > authorized));
    // By the time itself: what the finding says may be about another Connector's sign-in.
    let changed = policy.password_changed.zip(authorized).filter(|(changed, authorized)| changed > authorized);
    newer.filter_map(|failing| cause(&failing.name)).chain(changed.map(|_| Cause::PasswordChanged)).collect()
}

fn decide(
    facts: &Facts<'_>,
    said: Said,
    spec: Option<&Reauthentication>,
    old: Option<&ReauthenticationStatus>,
    now: Timestamp,
) -> Judged {
    // Asked for anew while the vendor is waited on: that is another one. What was dead shows by itself that it works.
    let old = old.filter(|old| {
        let worked = facts.living == Some(true) && !old.causes.contains(&Cause::Dead);
        let waited = old.done_time.as_ref().filter(|_| worked && old.state == State::AwaitingEvidence);
        waited.zip(said.asked).is_none_or(|(done, asked)| asked <= done.0)
    });
    let said = said.unspent(facts.attested.or(facts.before), old.map(|old| old.request_time.0));
    // The first time that it is seen to work is all that is known of its age.
    let authorized = facts.attested.or(facts.before).or_else(|| (facts.living == Some(true)).then_some(now));
    let elevates = facts.elevates.map(str::to_owned);
    let days = |days: u16| SignedDuration::from_hours(24 * i64::from(days));
    let due = spec.zip(authorized).and_then(|(spec, since)| since.checked_add(days(spec.every_days)).ok());
    let judged = Judged { authorized, due, elevates, ..Judged::default() };
    if let Some(completed) = old.and_then(|old| evidence(facts, said, old, now)) {
        let due = spec.and_then(|spec| completed.checked_add(days(spec.every_days)).ok());
        return Judged { completed: Some(completed), authorized: Some(completed), due, ..judged };
    }
    let mut causes: BTreeSet<Cause> = old.map(|old| old.causes.iter().copied().collect()).unwrap_or_default();
    if facts.living.is_some() {
        // What people have said can be taken back; what was seen can't.
        causes.retain(|cause| !matches!(cause, Cause::Due | Cause::Asked));
    }
    causes.extend(&facts.predicted);
    if facts.living == Some(false) {
        causes.insert(Cause::Dead);
    }
    // What nobody knows asks for nothing.
    if facts.living.is_some() {
        let reminded = spec.zip(due).is_some_and(|(spec, due)| due <= now + days(spec.remind_days));
        causes.extend(reminded.then_some(Cause::Due));
        // By whole seconds: that is how the times of annotations and statuses are written.
        let newer = |asked: &Timestamp| authorized.is_none_or(|since| whole_seconds(*asked).0 > whole_seconds(since).0);
        causes.extend(said.asked.filter(newer).map(|_| Cause::Asked));
    }
    if causes.is_empty() {
        return judged;
    }
    let request_time = old.map_or_else(|| whole_seconds(now), |old| old.request_time.clone());
    let Progress { state, begun, done, message } = progress(facts, said, request_time.0, old, now);
    let request = ReauthenticationStatus {
        state,
        causes: causes.into_iter().collect(),
        request_time,
        begin_time: begun.map(Time),
        done_time: done.map(Time),
        message,
    };
    Judged { request: Some(request), ..judged }
}

/// How far it is.
struct Progress {
    state: State,
    /// When somebody began, whatever became of it.
    begun: Option<Timestamp>,
    /// When somebody said that it was done, if that is waited on.
    done: Option<Timestamp>,
    /// Why it is not further: one sentence.
    message: Option<String>,
}

/// How far it is, by what people say and by the window of the account.
fn progress(
    facts: &Facts<'_>,
    said: Said,
    requested: Timestamp,
    old: Option<&ReauthenticationStatus>,
    now: Timestamp,
) -> Progress {
    let before = old.and_then(|old| old.begin_time.as_ref()).map(|time| time.0);
    let open = facts.window.filter(|window| window.open && window.expires > now);
    // Clocks of people's machines may be behind; what was begun for an earlier request is used up, and known to be.
    let own = said.begun.filter(|begun| *begun + SKEW >= requested);
    // Who needs it, too, joins what somebody else has begun; who is done is not drawn in again.
    let waits = old.is_some_and(|old| old.state == State::AwaitingEvidence);
    // Where people attest it, that is the word that counts.
    let done = said.done.filter(|done| !facts.attests && *done + SKEW >= requested);
    let done = done.filter(|done| own.max(before).is_none_or(|begun| *done >= begun));
    let joined = open.filter(|_| !waits && done.is_none()).map(|window| window.begun);
    let begun = own.max(joined).max(before);
    let at = |state, begun, message: Option<&str>| Progress {
        state,
        begun,
        done: None,
        message: message.map(str::to_owned),
    };
    match done {
        Some(done) if now.duration_since(done) < facts.patience => {
            return Progress { state: State::AwaitingEvidence, begun, done: Some(done), message: None };
        }
        Some(_) => {
            let message = "It was said to be done, and the vendor has shown nothing of it since: sign in once more";
            return at(State::Requested, begun, Some(message));
        }
        None => {}
    }
    // While nobody answers, who is at it stays at it.
    let at_it = old.is_some_and(|old| old.state == State::Begun) && !facts.answered;
    let Some(begun) = begun.filter(|_| facts.elevates.is_some() || at_it) else {
        return at(State::Requested, before, None);
    };
    if let Some((_, refused)) = facts.refused.filter(|(refused, _)| *refused >= begun) {
        return at(State::Requested, Some(begun), Some(refused));
    }
    if is_over(facts.window, begun, now) {
        return at(State::Requested, Some(begun), Some(OVER));
    }
    // What was refused once stays so until somebody begins anew.
    if let Some(old) = old.filter(|old| old.state == State::Requested && before == Some(begun) && open.is_none()) {
        return at(State::Requested, Some(begun), old.message.as_deref());
    }
    at(State::Begun, Some(begun), None)
}

const OVER: &str = "The time that was begun is over: begin again";

/// Whether the time that was begun is over.
fn is_over(window: Option<&WindowSeen>, begun: Timestamp, now: Timestamp) -> bool {
    window.is_some_and(|window| window.begun >= begun && !(window.open && window.expires > now))
}

/// What was asked for stays while nothing can be seen, but nobody is at it once the time is over.
pub fn kept(
    old: Option<&ReauthenticationStatus>,
    policy: Option<&PolicySeen>,
    now: Timestamp,
) -> Option<ReauthenticationStatus> {
    let old = old?.clone();
    let begun = old.begin_time.as_ref().filter(|_| old.state == State::Begun).map(|time| time.0);
    let window = policy.and_then(|policy| policy.window.as_ref());
    if begun.is_some_and(|begun| is_over(window, begun, now)) {
        return Some(ReauthenticationStatus { state: State::Requested, message: Some(OVER.to_owned()), ..old });
    }
    Some(old)
}

/// When somebody was found to have signed in again since it was asked for; `None`: nothing shows it.
fn evidence(facts: &Facts<'_>, said: Said, old: &ReauthenticationStatus, now: Timestamp) -> Option<Timestamp> {
    let requested = old.request_time.0;
    if let Some(attested) = facts.attested {
        // Newer than what was known before, and than what somebody asked for since.
        let newer = |than: Option<Timestamp>| than.is_none_or(|than| attested > than);
        let asked = said.asked.is_none_or(|asked| attested >= asked);
        return (newer(facts.before) && asked).then_some(attested);
    }
    if facts.living != Some(true) {
        return None;
    }
    // What was dead and works again was brought back by somebody.
    if old.causes.contains(&Cause::Dead) {
        return Some(now);
    }
    // What has worked all the time proves nothing by that: somebody has to say, or the vendor's audit, that it was done, and a backup
    // has to follow.
    let begun = old.begin_time.as_ref().map_or(requested - SKEW, |time| time.0);
    let done = said.done.filter(|done| *done >= begun).or(facts.deed.filter(|deed| *deed >= requested))?;
    let answered = done.max(requested).max(said.asked.unwrap_or(done));
    facts.backup.is_some_and(|backup| backup > done).then_some(answered)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    const DAY: i64 = 24 * 3600;

    fn facts(living: Option<bool>) -> Facts<'static> {
        Facts {
            living,
            attested: None,
            backup: None,
            deed: None,
            predicted: BTreeSet::new(),
            elevates: Some("Global Administrator"),
            window: None,
            refused: None,
            before: Some(at(0)),
            attests: false,
            answered: true,
            patience: SignedDuration::from_secs(1000),
        }
    }

    fn causes(judged: &Judged) -> Vec<Cause> {
        judged.request.as_ref().map(|request| request.causes.clone()).unwrap_or_default()
    }

    fn state(judged: &Judged) -> State {
        judged.request.as_ref().unwrap().state
    }

    #[test]
    fn each_cause_asks_and_what_nobody_knows_asks_for_nothing() {
        let spec = Reauthentication { every_days: 30, remind_days: 10 };
        let ask = |facts: &Facts<'_>, said, day| causes(&decide(facts, said, Some(&spec), None, at(day * DAY)));
        assert_eq!(ask(&facts(Some(false)), Said::default(), 1), [Cause::Dead]);
        assert!(ask(&facts(Some(true)), Said::default(), 19).is_empty());
        assert_eq!(ask(&facts(Some(true)), Said::default(), 20), [Cause::Due]);
        let asked = |second| Said { asked: Some(at(second)), ..Said::default() };
        assert_eq!(ask(&facts(Some(true)), asked(5), 1), [Cause::Asked]);
        assert!(ask(&facts(Some(true)), asked(0), 1).is_empty(), "it was done since");
        assert!(ask(&facts(None), asked(5), 29).is_empty());
        let changed = Facts { predicted: BTreeSet::from([Cause::PasswordChanged]), ..facts(Some(true)) };
        assert_eq!(ask(&changed, Said::default(), 1), [Cause::PasswordChanged]);
    }

    #[test]
    fn what_is_only_due_later_is_not_urgent() {
        let spec = Reauthentication { every_days: 30, remind_days: 10 };
        let judged = |day| decide(&facts(Some(true)), Said::default(), Some(&spec), None, at(day * DAY));
        assert!(!judged(25).is_urgent(at(25 * DAY)) && judged(30).is_urgent(at(30 * DAY)));
    }

    #[test]
    fn a_begin_counts_once_and_only_if_it_is_newer_than_the_request() {
        let started = |second| Said { begun: Some(at(second)), ..Said::default() };
        let asked = decide(&facts(Some(false)), Said::default(), None, None, at(100)).request.unwrap();
        let go =
            |facts: &Facts<'_>, said, old: &ReauthenticationStatus, now| decide(facts, said, None, Some(old), at(now));
        let long_ago = SKEW.as_secs() + 1;
        let before = ReauthenticationStatus { request_time: Time(at(100 + long_ago)), ..asked.clone() };
        assert_eq!(state(&go(&facts(Some(false)), started(100), &before, 110 + long_ago)), State::Requested);
        assert_eq!(state(&go(&facts(Some(false)), started(99), &asked, 110)), State::Begun, "clocks differ");
        let begun = go(&facts(Some(false)), started(105), &asked, 110).request.unwrap();
        assert_eq!(begun.state, State::Begun);
        let window = |open| WindowSeen { open, begun: at(105), expires: at(200) };
        let with = |window| Facts { window: Some(Box::leak(Box::new(window))), ..facts(Some(false)) };
        assert_eq!(state(&go(&with(window(true)), started(105), &begun, 150)), State::Begun);
        for over in
            [go(&with(window(true)), started(105), &begun, 200), go(&with(window(false)), started(105), &begun, 150)]
        {
            assert_eq!(state(&over), State::Requested);
            assert!(over.request.unwrap().message.unwrap().contains("begin again"));
        }
        let again = go(&with(window(false)), started(160), &begun, 161);
        assert_eq!(state(&again), State::Begun);
    }

    #[test]
    fn what_was_said_of_an_earlier_sign_in_is_no_answer_to_a_new_request() {
        // It was begun at 105, done at 110 and shown by a backup at 120; somebody asks again at 130, or it dies.
        let said = |asked| Said { asked: Some(at(asked)), begun: Some(at(105)), done: Some(at(110)) };
        let facts = |living| Facts { before: Some(at(110)), backup: Some(at(120)), ..facts(Some(living)) };
        for (living, asked, cause) in [(true, 130, Cause::Asked), (false, 100, Cause::Dead)] {
            let judged = decide(&facts(living), said(asked), None, None, at(131));
            assert_eq!((causes(&judged), state(&judged)), (vec![cause], State::Requested));
            let old = judged.request.unwrap();
            assert_eq!((&old.begin_time, &old.message), (&None, &None));
            let later = decide(&facts(living), said(asked), None, Some(&old), at(140));
            assert_eq!((later.completed, state(&later)), (None, State::Requested));
        }
    }

    #[test]
    fn who_asks_again_while_the_vendor_is_waited_on_asks_anew() {
        let before = facts(Some(true));
        let said = |asked| Said { asked: Some(at(asked)), begun: Some(at(105)), done: Some(at(110)) };
        let asked = decide(&before, said(100), None, None, at(111)).request.unwrap();
        let old = decide(&before, said(100), None, Some(&asked), at(111)).request.unwrap();
        assert_eq!(old.state, State::AwaitingEvidence);
        let anew = decide(&Facts { backup: Some(at(125)), ..before }, said(120), None, Some(&old), at(130));
        assert_eq!((anew.completed, state(&anew)), (None, State::Requested));
        assert_eq!(anew.request.unwrap().request_time, Time(at(130)));
    }

    #[test]
    fn who_needs_it_too_joins_an_open_window() {
        let asked = decide(&facts(Some(false)), Said::default(), None, None, at(100)).request.unwrap();
        let open = WindowSeen { open: true, begun: at(50), expires: at(200) };
        let with = Facts { window: Some(&open), ..facts(Some(false)) };
        assert_eq!(state(&decide(&with, Said::default(), None, Some(&asked), at(120))), State::Begun);
    }

    #[test]
    fn a_refusal_stays_until_somebody_begins_anew() {
        let asked = decide(&facts(Some(false)), Said::default(), None, None, at(100)).request.unwrap();
        let started = |second| Said { begun: Some(at(second)), ..Said::default() };
        let begun = decide(&facts(Some(false)), started(105), None, Some(&asked), at(106)).request.unwrap();
        let refused = Facts { refused: Some((at(105), "not at night")), ..facts(Some(false)) };
        let judged = decide(&refused, started(105), None, Some(&begun), at(107));
        let old = judged.request.unwrap();
        assert_eq!((old.state, old.message.as_deref()), (State::Requested, Some("not at night")));
        let still = decide(&facts(Some(false)), started(105), None, Some(&old), at(108)).request.unwrap();
        assert_eq!(still, old);
        assert_eq!(state(&decide(&facts(Some(false)), started(109), None, Some(&old), at(110))), State::Begun);
    }

    #[test]
    fn evidence_is_health_that_comes_back_or_a_backup_after_what_was_done() {
        let dead = decide(&facts(Some(false)), Said::default(), None, None, at(100)).request.unwrap();
        let judged =
            |facts: &Facts<'_>, said, old: &ReauthenticationStatus| decide(facts, said, None, Some(old), at(300));
        assert_eq!(judged(&facts(None), Said::default(), &dead).completed, None);
        assert_eq!(judged(&facts(Some(true)), Said::default(), &dead).completed, Some(at(300)));

        let asked = Said { asked: Some(at(100)), ..Said::default() };
        let asked = decide(&facts(Some(true)), asked, None, None, at(100)).request.unwrap();
        let backup = |second| Facts { backup: Some(at(second)), ..facts(Some(true)) };
        let done = Said { asked: Some(at(100)), done: Some(at(150)), ..Said::default() };
        assert_eq!(judged(&backup(200), Said::default(), &asked).completed, None, "nobody says that it was done");
        let waits = judged(&backup(140), done, &asked);
        assert_eq!((waits.completed, state(&waits)), (None, State::AwaitingEvidence));
        assert_eq!(judged(&backup(200), done, &asked).completed, Some(at(150)));
        let late = decide(&backup(140), done, None, Some(&asked), at(1150));
        assert_eq!(state(&late), State::Requested, "nothing has come of it");
        let audited = Facts { deed: Some(at(120)), ..backup(130) };
        assert_eq!(judged(&audited, Said::default(), &asked).completed, Some(at(120)));
        let attested = Facts { attested: Some(at(160)), ..facts(Some(true)) };
        assert_eq!(judged(&attested, Said::default(), &asked).completed, Some(at(160)));
    }
}
