//! The accounts and Connectors of the year, and what Microsoft and the vendors show of them.

use std::collections::BTreeMap;

use fastrand::Rng;
use jiff::Timestamp;
use serde_json::json;

use super::{ACCOUNT, Account, BACKUP_EVERY, CONNECTORS, Kind, One, Role, SALES, Told, days, minutes};
use crate::api::Connector;
use crate::api::elevation::ElevationMethod;
use crate::fault::{Fault, Kind::NotShown};
use crate::policy::simulated as policy;
use crate::runtime::Settings;
use crate::seen::Seen;
use crate::tenant::DirectoryRole::{Dynamics365Administrator, GlobalAdministrator, PowerPlatformAdministrator};
use crate::tenant::facts::{
    Access, AccountFacts, Application, Consented, HeldBy, HeldRole, License, Resource, Schedule, SystemUser, TimedRole,
    User,
};
use crate::vendors::{Attestation, Authorization, Backup, Details, Health, Organization, VendorConnector};

impl Account {
    pub(super) fn new(kind: Kind, seed: u64) -> Self {
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
            settings: Settings::for_tests(),
            told: Told::default(),
        };
        account.all = (0..CONNECTORS).map(|number| account.connector(number, 0)).collect();
        account
    }

    /// A Connector that works.
    pub(super) fn connector(&self, number: usize, life: usize) -> One {
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

    pub(super) fn facts(&self) -> AccountFacts {
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
        facts.schedule = Seen::Known(Schedule { timed, eligible: Vec::new(), lasting: Vec::new() });
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
}

pub(super) fn mark(object: &mut Connector, key: &str, time: Timestamp) {
    object.metadata.annotations.get_or_insert_default().insert(key.into(), time.to_string());
}

/// A person says so in the spec, which is another generation.
pub(super) fn attest(object: &mut Connector, time: Timestamp) {
    let mut value = serde_json::to_value(&*object).unwrap();
    let time = Timestamp::from_second(time.as_second()).unwrap().to_string();
    value["spec"]["vendor"]["fluentPro"]["attestations"] =
        json!([{ "handOff": "reconnect", "time": time, "by": "jane" }]);
    *object = serde_json::from_value(value).unwrap();
    *object.metadata.generation.as_mut().unwrap() += 1;
}

/// What the vendor shows of a connector.
pub(super) fn shown(kind: Kind, one: &One) -> Option<VendorConnector> {
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
