//! What happens in the year outside the operator: people who come, and what goes wrong.

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};

use super::made::{attest, mark};
use super::{Account, BACKUP_EVERY, Kind, Person, Role, STEP, minutes};
use crate::api::connector::ReauthenticationState;
use crate::elevation::Entry;
use crate::runtime::conditions::find;

impl Account {
    /// What happens outside between two looks.
    pub(super) fn events(&mut self) {
        let (now, kind) = (self.now, self.kind);
        if let Role::Operator(Some(end)) = self.role
            && now >= end
        {
            self.role = Role::No;
        }
        let (password, enabled) = (self.password, self.enabled);
        for one in &mut self.all {
            if now < one.next_backup {
                continue;
            }
            one.next_backup = now + BACKUP_EVERY;
            if password > one.signed_in && one.alive {
                one.alive = false;
                self.told.deaths += 1;
            }
            if one.alive && enabled {
                one.backup = Some(now);
            }
        }
        for at in 0..self.all.len() {
            self.person(at);
        }
        // Who may give roles is asked by the policy's own hand-offs.
        let asked = |name: &str| self.policy.status.iter().flat_map(|it| &it.hand_offs).any(|it| it.name == name);
        let (give, take) = (asked("give-role") && self.role == Role::No, asked("take-back-role"));
        if give && self.giver.is_none() {
            self.giver = Some(now + minutes(self.rng.i64(1..40)));
        }
        if self.giver.is_some_and(|at| at <= now) {
            self.giver = None;
            if give && matches!(kind, Kind::Keepit(_)) {
                self.role = Role::Person;
            }
        }
        if take && self.taker.is_none() {
            self.taker = Some(now + minutes(self.rng.i64(1..600)));
        }
        if self.taker.is_some_and(|at| at <= now) {
            self.taker = None;
            if self.role == Role::Person {
                self.role = Role::No;
            }
        }
    }

    /// What the person does whom a Connector asks for.
    pub(super) fn person(&mut self, at: usize) {
        let now = self.now;
        let needs_role = matches!(self.kind, Kind::Keepit(_));
        let (fluent, usable, elevated) = (self.kind == Kind::FluentPro, self.enabled, self.role != Role::No);
        // Minutes to weeks, each as likely as the other.
        let patience = minutes(1 << self.rng.i64(1..11)) * self.rng.i32(1..20);
        let (takes, says) = (self.rng.i64(3..20), self.rng.f64() < 0.7);
        let one = &mut self.all[at];
        let asked = one.object.status.as_ref().is_some_and(|status| !status.hand_offs.is_empty());
        let Some(person) = one.person else {
            if asked {
                one.person = Some(Person::Comes(now + patience));
            }
            return;
        };
        let request = one.object.status.as_ref().and_then(|status| status.reauthentication.clone());
        match person {
            Person::Comes(when) if when <= now && !asked => one.person = None,
            Person::Comes(when) if when <= now => {
                if needs_role && request.is_some() {
                    let begun = Timestamp::from_second(now.as_second()).unwrap();
                    mark(&mut one.object, "backstay.dev/begin", begun);
                    self.told.begins.insert(begun);
                    one.person = Some(Person::Waits { since: now });
                } else {
                    one.person = Some(Person::SignsIn(now + minutes(takes)));
                }
            }
            Person::Waits { since } => {
                let status = one.object.status.as_ref().unwrap();
                let ready = find(&status.conditions, "PolicySatisfied").is_some_and(|it| it.status == "True");
                let begun = request.as_ref().is_some_and(|it| it.state == ReauthenticationState::Begun);
                if request.is_none() {
                    one.person = None;
                } else if ready && begun && elevated {
                    one.person = Some(Person::SignsIn(now + minutes(takes)));
                } else if now > since + minutes(150) {
                    // Gives up for now, and comes back.
                    one.person = Some(Person::Comes(now + patience));
                }
            }
            Person::SignsIn(when) if when <= now => {
                one.person = None;
                if usable && (elevated || !needs_role) {
                    (one.alive, one.signed_in) = (true, now);
                    one.sign_ins += 1;
                    one.next_backup = one.next_backup.min(now + minutes(60));
                    if fluent {
                        attest(&mut one.object, now);
                    } else if says {
                        mark(&mut one.object, "backstay.dev/done", Timestamp::from_second(now.as_second()).unwrap());
                    }
                }
            }
            Person::Comes(_) | Person::SignsIn(_) => {}
        }
    }

    /// What goes wrong, by chance.
    pub(super) fn mishaps(&mut self, passed: SignedDuration) {
        let part = passed.as_secs_f64() / 86_400.0;
        let now = self.now;
        let happens = |rng: &mut Rng, days: f64| rng.f64() < part / days;
        for at in 0..self.all.len() {
            // FluentPro shows nothing: what dies there unseen is found out when the attestation ends.
            if self.all[at].alive && self.kind != Kind::FluentPro && happens(&mut self.rng, 70.0) {
                self.all[at].alive = false;
                self.told.deaths += 1;
            }
            if happens(&mut self.rng, 150.0) {
                // Deleted, and declared again.
                self.told.deletions += 1;
                let next = self.connector(at, self.told.deletions);
                let old = std::mem::replace(&mut self.all[at], next);
                (self.all[at].alive, self.all[at].signed_in) = (old.alive, old.signed_in);
            }
            if happens(&mut self.rng, 200.0) {
                mark(
                    &mut self.all[at].object,
                    "backstay.dev/reauthenticate",
                    Timestamp::from_second(now.as_second()).unwrap(),
                );
            }
        }
        if happens(&mut self.rng, 45.0) {
            (self.password, self.told.passwords) = (now, self.told.passwords + 1);
        }
        if happens(&mut self.rng, 90.0) {
            self.enabled = false;
        } else if !self.enabled && happens(&mut self.rng, 1.0) {
            self.enabled = true;
        }
        if happens(&mut self.rng, 40.0) {
            self.granted = !self.granted;
        } else if !self.granted && happens(&mut self.rng, 5.0) {
            self.granted = true;
        }
        if happens(&mut self.rng, 10.0) {
            self.throttled = now + minutes(self.rng.i64(1..180));
        }
        if happens(&mut self.rng, 15.0) {
            self.down = now + minutes(self.rng.i64(1..240));
        }
    }

    /// When something happens next.
    pub(super) fn next(&self) -> Timestamp {
        let people = self.all.iter().filter_map(|one| match one.person? {
            Person::Comes(at) | Person::SignsIn(at) => Some(at),
            Person::Waits { .. } => Some(self.now + minutes(5)),
        });
        let standing = self.ledger.as_ref().is_some_and(Entry::is_standing).then(|| self.now + minutes(5));
        let backups = self.all.iter().map(|one| one.next_backup);
        let times = people.chain(standing).chain(backups).chain([self.giver, self.taker].into_iter().flatten());
        let soonest = times.filter(|time| *time > self.now).min().unwrap_or(self.now + STEP);
        soonest.min(self.now + STEP).max(self.now + minutes(1))
    }
}
