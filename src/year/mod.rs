//! A year in virtual time: fifty Connectors of five accounts at three vendors, authorizations that die, passwords that change,
//! Microsoft that throttles, an operator that is restarted or dies in the middle of a write, grants that are withdrawn, Connectors
//! that are deleted, and people who take minutes to weeks. What is decided is the operator's own; the vendors, Microsoft and the people are played here.

mod made;
mod outside;

use std::collections::BTreeSet;

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use made::shown;

use crate::api::connector::{ReauthenticationCause, ReauthenticationStatus};
use crate::api::elevation::ElevationMethod;
use crate::api::{Action, Connector, ServiceAccountPolicy};
use crate::connector::simulated as connector;
use crate::elevation::entry::{Given, Held, LAG, Next};
use crate::elevation::{Entry, Phase};
use crate::policy::simulated::{self as policy, Decision};
use crate::runtime::Settings;

const ACCOUNT: &str = "0d5b6a1c-2f3e-4a4d-8c5b-7e6f5a4b3c2d";
const SALES: &str = "1e1a282c-9c54-43a2-9310-98ef728faace";
const STEP: SignedDuration = SignedDuration::from_hours(6);
const BACKUP_EVERY: SignedDuration = SignedDuration::from_hours(12);
const CONNECTORS: usize = 10;

fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Keepit(ElevationMethod),
    AvePoint,
    FluentPro,
}

/// The role, as Microsoft has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    No,
    /// Given by the operator; it may end by itself.
    Operator(Option<Timestamp>),
    Person,
}

/// What a person is about to do, and when.
#[derive(Clone, Copy, Debug)]
enum Person {
    Comes(Timestamp),
    /// Has begun, and waits until the account has what it needs.
    Waits {
        since: Timestamp,
    },
    SignsIn(Timestamp),
}

/// One Connector, and what is true of it at its vendor.
struct One {
    object: Connector,
    alive: bool,
    signed_in: Timestamp,
    backup: Option<Timestamp>,
    next_backup: Timestamp,
    person: Option<Person>,
    sign_ins: usize,
}

/// One account with its policy, what is true of it at Microsoft, and the ledger.
struct Account {
    kind: Kind,
    rng: Rng,
    now: Timestamp,
    policy: ServiceAccountPolicy,
    all: Vec<One>,
    ledger: Option<Entry>,
    role: Role,
    password: Timestamp,
    enabled: bool,
    granted: bool,
    /// Until when the operator is down, or Microsoft asks to be left alone.
    down: Timestamp,
    throttled: Timestamp,
    /// What the person who may give roles is about to do.
    giver: Option<Timestamp>,
    taker: Option<Timestamp>,
    /// Since when nothing outside has hindered the operator.
    free_since: Timestamp,
    settings: Settings,
    told: Told,
}

/// What happened, for the test to see that it was no dull year.
#[derive(Debug, Default)]
struct Told {
    deaths: usize,
    passwords: usize,
    crashes: usize,
    deletions: usize,
    windows: Vec<(Timestamp, Timestamp)>,
    begins: BTreeSet<Timestamp>,
    elevated: SignedDuration,
}

impl Account {
    /// Until nothing changes any more, as objects wake each other: that it ends at all is a promise, too.
    fn settle(&mut self) {
        if self.now < self.down {
            return;
        }
        for _ in 0..12 {
            if !self.pass() {
                return;
            }
        }
        panic!("{:?} goes round in circles at {}: {:#?}", self.kind, self.now, self.policy.status);
    }

    /// Everybody looks once; whether anything changed.
    fn pass(&mut self) -> bool {
        let (now, kind) = (self.now, self.kind);
        let mut changed = false;
        for one in &mut self.all {
            let status = connector::look(&one.object, shown(kind, one), Some(&self.policy), &self.settings, now);
            let open = status.hand_offs.len();
            assert!(open <= 1, "{open} hand-offs are open for one cause: {:#?}", status.hand_offs);
            changed |= one.object.status.as_ref() != Some(&status);
            one.object.status = Some(status);
        }
        if self.now < self.throttled {
            return changed;
        }
        let objects: Vec<Connector> = self.all.iter().map(|one| one.object.clone()).collect();
        let granted =
            if self.granted { BTreeSet::from([Action::Elevation, Action::UntimedElevation]) } else { BTreeSet::new() };
        let (status, decision) =
            policy::look(&self.policy, self.facts(), &objects, granted, self.ledger.clone(), &self.settings, now);
        changed |= self.policy.status.as_ref() != Some(&status);
        self.policy.status = Some(status);
        match decision {
            Decision::Stay => {}
            // The operator was down, or Microsoft silent, for longer than a window lasts; there were very many; or a person has not taken the role back.
            Decision::Refuse(sentence) => {
                assert!(
                    ["too long ago", "maxWindowsPer30Days", "still being cleared"]
                        .iter()
                        .any(|piece| sentence.contains(piece)),
                    "{sentence}"
                );
            }
            Decision::Open(entry) => {
                let before = self.ledger.as_ref();
                assert!(before.is_none_or(|before| !before.is_standing()), "two windows at once");
                assert!(before.is_none_or(|before| entry.begun > before.begun), "a window without a new begin");
                assert!(self.told.begins.contains(&entry.begun), "nobody began at {}", entry.begun);
                self.ledger = Some(*entry);
                changed = true;
            }
            Decision::Join { connectors, begun } => {
                let entry = self.ledger.as_mut().unwrap();
                let end = entry.expires;
                entry.connectors.extend(connectors);
                entry.begun = begun;
                assert_eq!(entry.expires, end);
                changed = true;
            }
            Decision::Close => {
                let entry = self.ledger.as_mut().unwrap();
                entry.close(now);
                changed = true;
            }
        }
        changed | self.serve()
    }

    /// The ledger is served, as `elevation::serve` does it; now and then the operator dies in the middle of a write.
    fn serve(&mut self) -> bool {
        let now = self.now;
        let dies = |rng: &mut Rng| rng.f64() < 0.03;
        let (held, lasts) = match self.role {
            Role::No => (Held::No, false),
            Role::Operator(ends) => (Held::Directly("ours".into()), ends.is_none()),
            Role::Person => (Held::Directly("theirs".into()), true),
        };
        let Some(entry) = self.ledger.as_mut() else { return false };
        let expires = entry.expires;
        match entry.next(&held, lasts, now) {
            Next::Wait(_) | Next::Look => return false,
            Next::Absent => entry.absent = true,
            Next::Away(since) => entry.away = since,
            Next::NotOurs => (entry.phase, entry.ended) = (Phase::Closed, Some(now)),
            Next::Become(phase, given) => {
                if let (Phase::Open, Given::ByOperator, Held::Directly(id)) = (phase, given, &held) {
                    (entry.seen, entry.assignment) = (true, Some(id.clone()));
                }
                (entry.phase, entry.given) = (phase, given);
                if phase == Phase::Closing {
                    entry.close(now);
                }
                if phase == Phase::Closed {
                    entry.ended = Some(now);
                    self.told.windows.push((entry.starts, now));
                }
            }
            Next::Give => {
                if !self.granted {
                    entry.method = ElevationMethod::Manual;
                    return true;
                }
                (entry.given, entry.gave) = (Given::ByOperator, Some(now));
                let timed = entry.method == ElevationMethod::PrivilegedIdentityManagement;
                let (before, after) = (dies(&mut self.rng), dies(&mut self.rng));
                if !before {
                    self.role = Role::Operator(timed.then_some(expires));
                }
                if before || after {
                    self.crash();
                    return false;
                }
            }
            Next::TakeBack => {
                assert_ne!(self.role, Role::Person, "what a person gave is taken");
                let (before, after) = (dies(&mut self.rng), dies(&mut self.rng));
                if !before {
                    self.role = Role::No;
                }
                if before || after {
                    self.crash();
                    return false;
                }
                self.ledger.as_mut().unwrap().took = Some(now);
            }
        }
        true
    }

    fn crash(&mut self) {
        self.told.crashes += 1;
        self.down = self.now + minutes(self.rng.i64(1..20));
    }

    /// What must hold whenever nothing outside hinders the operator.
    fn check(&mut self) {
        let now = self.now;
        if now < self.down || now < self.throttled {
            self.free_since = now.max(self.down).max(self.throttled);
            return;
        }
        let Role::Operator(_) = self.role else { return };
        let entry = self.ledger.as_ref().expect("what the operator gave is written down");
        assert!(entry.is_standing(), "the account is elevated outside a window: {entry:#?}");
        let lag = LAG + minutes(10);
        if now > self.free_since + lag {
            assert!(now <= entry.expires + lag, "the account is elevated after its window: {entry:#?} at {now}");
        }
    }

    fn play(&mut self, until: Timestamp, quiet: bool) {
        while self.now < until {
            let next = self.next().min(until);
            let passed = next.duration_since(self.now);
            if matches!(self.role, Role::Operator(_)) {
                self.told.elevated += passed;
            }
            self.now = next;
            if !quiet {
                self.mishaps(passed);
            }
            self.events();
            self.settle();
            self.check();
        }
    }
}

/// Plays one account's year; with more of them, `BACKSTAY_SEEDS=20 cargo test --lib year`.
fn year(kind: Kind, seed: u64) {
    let mut account = Account::new(kind, seed);
    let begins = account.now;
    account.play(begins + days(365), false);
    // Nothing goes wrong any more, and everybody has the time to come.
    (account.enabled, account.granted) = (true, true);
    account.play(begins + days(365 + 75), true);
    for one in &account.all {
        let status = one.object.status.as_ref().unwrap();
        assert!(one.alive, "{kind:?} {seed}: it is still dead: {status:#?}");
        let due =
            |request: &ReauthenticationStatus| request.causes.iter().all(|cause| *cause == ReauthenticationCause::Due);
        let asked = status.reauthentication.as_ref();
        assert!(asked.is_none_or(due), "{kind:?} {seed}: somebody is still asked for: {status:#?}");
    }
    let told = &account.told;
    let standing = account.ledger.as_ref().is_some_and(Entry::is_standing);
    let at_it = account.all.iter().any(|one| one.person.is_some());
    assert!(!standing || at_it, "{kind:?} {seed}: a window stays open: {:#?}", account.ledger);
    assert!(standing || !matches!(account.role, Role::Operator(_)), "{kind:?} {seed}: the account stays elevated");
    // Windows follow each other, and outside of them the account holds nothing.
    assert!(told.windows.windows(2).all(|two| two[0].1 <= two[1].0), "{:?}", told.windows);
    let open: SignedDuration = told.windows.iter().map(|(from, to)| to.duration_since(*from)).sum();
    let last = SignedDuration::from_hours(3);
    assert!(told.elevated <= open + last, "{kind:?}: elevated for {:?} in windows of {open:?}", told.elevated);
    let sign_ins: usize = account.all.iter().map(|one| one.sign_ins).sum();
    assert!(told.deaths > 10 && sign_ins > 5 && told.deletions > 3 && told.passwords > 0, "a dull year: {told:?}");
    if matches!(kind, Kind::Keepit(method) if method != ElevationMethod::Manual) {
        let elevated = told.elevated > SignedDuration::ZERO;
        assert!(told.windows.len() > 10 && told.crashes > 0 && elevated, "{kind:?}: a dull year: {told:?}");
    }
    println!(
        "{kind:?} {seed}: {} windows, elevated for {} minutes of {}, {sign_ins} sign-ins, {} died, {} crashes",
        told.windows.len(),
        told.elevated.as_mins(),
        open.as_mins(),
        told.deaths,
        told.crashes
    );
}

#[test]
fn whatever_happens_in_a_year_every_authorization_comes_back_and_nobody_stays_elevated() {
    let seeds = std::env::var("BACKSTAY_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    for seed in 0..seeds {
        std::thread::scope(|scope| {
            for kind in [
                Kind::Keepit(ElevationMethod::PrivilegedIdentityManagement),
                Kind::Keepit(ElevationMethod::RoleAssignment),
                Kind::Keepit(ElevationMethod::Manual),
                Kind::AvePoint,
                Kind::FluentPro,
            ] {
                scope.spawn(move || year(kind, seed));
            }
        });
    }
}
