//! A year in virtual time: fifty Connectors of five accounts at three vendors, authorizations that die, passwords that change,
//! Microsoft that throttles, an operator that is restarted or dies in the middle of a write, grants that are withdrawn, Connectors
//! that are deleted, and people who take minutes to weeks. What is decided is the operator's own; the vendors, Microsoft and the people are played here.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::api::connector::{ReauthenticationCause, ReauthenticationState, ReauthenticationStatus};
use crate::api::elevation::ElevationMethod;
use crate::api::{Action, Connector, ServiceAccountPolicy};
use crate::connector::simulated as connector;
use crate::elevation::entry::{Given, Held, LAG, Next};
use crate::elevation::{Entry, Phase};
use crate::fault::{Fault, Kind::NotShown};
use crate::policy::simulated::{self as policy, Decision};
use crate::runtime::Settings;
use crate::runtime::conditions::find;
use crate::runtime::grants::Grants;
use crate::seen::Seen;
use crate::tenant::DirectoryRole::{Dynamics365Administrator, GlobalAdministrator, PowerPlatformAdministrator};
use crate::tenant::facts::{
    Access, AccountFacts, Application, Consented, HeldBy, HeldRole, License, Resource, Schedule, SystemUser, TimedRole,
    User,
};
use crate::vendors::{Attestation, Authorization, Backup, Details, Health, Organization, VendorConnector};

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

fn settings() -> Settings {
    Settings {
        grants: Grants::default(),
        read_only: false,
        waiting_interval: Duration::from_mins(1),
        deletions_per_minute: 3,
        deletion_patience: Duration::from_mins(15),
        operator_namespace: "backstay-system".into(),
    }
}

impl Account {
    fn new(kind: Kind, seed: u64) -> Self {
        let now: Timestamp = "2027-01-01T00:00:00Z".parse().unwrap();
        let (profile, method) = match kind {
            Kind::Keepit(method) => (
                json!({ "keepitPowerPlatform": { "workloads": ["Dynamics365"], "globalAdministratorAfterSetup": "Remove" } }),
                method,
            ),
            Kind::AvePoint => (json!({ "avePointServiceAccount": {} }), ElevationMethod::Manual),
            Kind::FluentPro => (
                json!({ "fluentProDataverse": { "clientID": "c0ffee00-aaaa-4222-8333-0000000000f1", "operations": ["Backup"], "tables": ["account"] } }),
                ElevationMethod::Manual,
            ),
        };
        let policy = serde_json::from_value(json!({
            "apiVersion": "backstay.dev/v1alpha1", "kind": "ServiceAccountPolicy",
            "metadata": { "name": "p", "namespace": "n", "uid": "p", "generation": 1 },
            "spec": {
                "tenant": { "id": "contoso.com" },
                "credential": { "clientSecret": { "clientID": "c", "secretRef": { "name": "s", "key": "k" } } },
                "account": { "user": { "principalName": "u@contoso.com", "objectID": ACCOUNT } },
                "profiles": profile,
                "allowedActions": ["Elevation", "UntimedElevation"],
                "elevation": { "method": method, "window": "2h", "maxWindowsPer30Days": 30 },
            },
        }))
        .unwrap();
        let mut account = Self {
            kind,
            rng: Rng::with_seed(seed),
            now,
            policy,
            all: Vec::new(),
            ledger: None,
            role: Role::No,
            password: now - days(30),
            enabled: true,
            granted: true,
            down: now,
            throttled: now,
            giver: None,
            taker: None,
            free_since: now,
            settings: settings(),
            told: Told::default(),
        };
        account.all = (0..CONNECTORS).map(|number| account.connector(number, 0)).collect();
        account
    }

    /// A Connector that works.
    fn connector(&self, number: usize, life: usize) -> One {
        let name = format!("c{number}");
        let vendor = match self.kind {
            Kind::Keepit(_) => json!({ "keepit": { "region": "dk-co", "secretRef": { "name": "s" }, "name": name } }),
            Kind::AvePoint => json!({ "avePoint": {
                "dataCenter": "we",
                "credential": { "clientSecret": { "clientID": "c0ffee00-aaaa-4222-8333-0000000000f1", "secretRef": { "name": "s", "key": "k" } } },
                "organizations": [{ "name": name }],
            } }),
            Kind::FluentPro => json!({ "fluentPro": { "attestationDays": 120 } }),
        };
        let mut spec = json!({ "vendor": vendor, "policyRef": { "name": "p" }, "backup": { "maxAge": "36h" } });
        if number == 0 {
            spec["reauthentication"] = json!({ "everyDays": 90, "remindDays": 10 });
        }
        let object = serde_json::from_value(json!({
            "apiVersion": "backstay.dev/v1alpha1", "kind": "Connector",
            "metadata": { "name": name, "namespace": "n", "uid": format!("{name}-{life}"), "generation": 1 },
            "spec": spec,
        }))
        .unwrap();
        let mut one = One {
            object,
            alive: true,
            signed_in: self.now,
            backup: Some(self.now - minutes(5)),
            next_backup: self.now + BACKUP_EVERY,
            person: None,
            sign_ins: 0,
        };
        if self.kind == Kind::FluentPro {
            attest(&mut one.object, self.now);
        }
        one
    }

    fn facts(&self) -> AccountFacts {
        let held = |role: crate::tenant::DirectoryRole| HeldRole {
            role: role.id().into(),
            assignment: role.id().into(),
            group: None,
        };
        let global = (self.role != Role::No).then(|| held(GlobalAdministrator));
        let timed = match self.role {
            Role::Operator(ends @ Some(_)) => vec![TimedRole { role: GlobalAdministrator.id().into(), ends }],
            _ => Vec::new(),
        };
        let mut facts = policy::facts_for_tests();
        facts.user = Seen::Known(Some(User {
            id: ACCOUNT.into(),
            principal_name: "u@contoso.com".into(),
            enabled: self.enabled,
            password_changed: Some(self.password),
            licenses: vec![License { sku: SALES.into(), disabled_plans: Vec::new() }],
            ..policy::user_for_tests()
        }));
        facts.roles = Seen::Known(
            [held(Dynamics365Administrator), held(PowerPlatformAdministrator)].into_iter().chain(global).collect(),
        );
        facts.schedule = Seen::Known(Schedule { timed, eligible: Vec::new() });
        facts.another_global_administrator = Seen::Known(true);
        facts.second_factor.per_user = Seen::Known(false);
        facts.second_factor.security_defaults = Seen::Known(false);
        facts.second_factor.policies = Seen::Known([].into());
        facts.second_factor.groups = Seen::Known([].into());
        let consented = |resource, scope: &str| Consented { resource, scope: scope.into() };
        let app = Application {
            id: "a".into(),
            name: "FluentPro Backup".into(),
            enabled: true,
            assignment_required: false,
            assigned: None,
            for_everybody: vec![
                consented(Resource::Graph, "User.Read"),
                consented(Resource::Graph, "offline_access"),
                consented(Resource::Dataverse, "user_impersonation"),
            ],
            for_account: Vec::new(),
        };
        facts.applications = BTreeMap::from([("c0ffee00-aaaa-4222-8333-0000000000f1".into(), Seen::Known(Some(app)))]);
        let row = SystemUser { system_administrator: Some(HeldBy::User), ..policy::row_for_tests() };
        let access = Seen::Known(Access { row: Some(row), tables: BTreeMap::new() });
        facts.environments = Seen::Known(BTreeMap::from([("e".into(), (policy::environment_for_tests(), access))]));
        facts
    }

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
                (entry.phase, entry.closing) = (Phase::Closing, Some(now));
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
            Next::NotOurs => (entry.phase, entry.ended) = (Phase::Closed, Some(now)),
            Next::Become(phase, given) => {
                if let (Phase::Open, Given::ByOperator, Held::Directly(id)) = (phase, given, &held) {
                    (entry.seen, entry.assignment) = (true, Some(id.clone()));
                }
                (entry.phase, entry.given) = (phase, given);
                if phase == Phase::Closing {
                    entry.closing = entry.closing.or(Some(now));
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

    /// What happens outside between two looks.
    fn events(&mut self) {
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
        let (give, take) = (asked("directory-roles") && self.role == Role::No, asked("take-back-role"));
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
    fn person(&mut self, at: usize) {
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
    fn mishaps(&mut self, passed: SignedDuration) {
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
    fn next(&self) -> Timestamp {
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

fn mark(object: &mut Connector, key: &str, time: Timestamp) {
    object.metadata.annotations.get_or_insert_default().insert(key.into(), time.to_string());
}

/// A person says so in the spec, which is another generation.
fn attest(object: &mut Connector, time: Timestamp) {
    let mut value = serde_json::to_value(&*object).unwrap();
    let time = Timestamp::from_second(time.as_second()).unwrap().to_string();
    value["spec"]["vendor"]["fluentPro"]["attestations"] =
        json!([{ "handOff": "reconnect", "time": time, "by": "jane" }]);
    *object = serde_json::from_value(value).unwrap();
    *object.metadata.generation.as_mut().unwrap() += 1;
}

/// What the vendor shows of a connector.
fn shown(kind: Kind, one: &One) -> Option<VendorConnector> {
    let name = one.object.metadata.name.clone().unwrap();
    let backup = one.backup.map(|latest| Backup { latest, complete: Some(latest) });
    let keepit = VendorConnector {
        id: Some(format!("id-{name}")),
        name: name.clone(),
        accessible: true,
        deleting: false,
        link: None,
        unconfigured: false,
        authorization: Seen::Known(if one.alive { Authorization::Granted } else { Authorization::Required }),
        health: Seen::Known(Some(Health {
            state: if one.alive { "healthy" } else { "critical" }.into(),
            reason: None,
        })),
        last_backup: Seen::Known(backup),
        retention: None,
        organizations: Vec::new(),
        undeclared: Vec::new(),
        details: Details::default(),
    };
    match kind {
        Kind::Keepit(_) => Some(keepit),
        Kind::AvePoint => Some(VendorConnector {
            id: None,
            authorization: Seen::Known(if one.alive { Authorization::Granted } else { Authorization::Doubted }),
            organizations: vec![Organization {
                name,
                id: None,
                last_job: Some("Finished".into()),
                last_backup: backup,
            }],
            ..keepit
        }),
        Kind::FluentPro => {
            let value = serde_json::to_value(&one.object.spec.vendor).unwrap();
            let time: Timestamp = value["fluentPro"]["attestations"][0]["time"].as_str()?.parse().unwrap();
            let attestation = Attestation { by: "jane".into(), time, until: time + days(120) };
            Some(VendorConnector {
                id: None,
                authorization: Seen::Known(Authorization::Attested(attestation)),
                last_backup: Seen::Unknown(Fault::new(NotShown, "It shows no backup to a program")),
                ..keepit
            })
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
