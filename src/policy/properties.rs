//! What holds of plans whatever is seen: tried over many worlds that nobody thought of.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::json;

use super::asking::Asking;
use super::demands::Demand;
use super::observed::Elsewhere;
use super::observed::Observed;
use super::plan::{Plan, plan};
use super::resolve::{Resolved, resolve};
use super::rules::{environment_for_tests, facts_for_tests, row_for_tests, user_for_tests};
use super::steps::What;
use crate::api::policy::Stage;
use crate::api::{Action, ServiceAccountPolicy};
use crate::fault::{Fault, Kind};
use crate::runtime::Allowed;
use crate::seen::Seen;
use crate::tenant::DirectoryRole::{self, Dynamics365Administrator, GlobalAdministrator, PowerPlatformAdministrator};
use crate::tenant::facts::{
    Access, AccessMode, AccountFacts, Consented, Environment, HeldBy, HeldRole, License, Resource, Schedule,
    SystemUser, User, held,
};

const SALES: &str = "1e1a282c-9c54-43a2-9310-98ef728faace";
const ACTIONS: [Action; 5] = [
    Action::DirectoryRoles,
    Action::SecurityRoles,
    Action::AccessMode,
    Action::EnvironmentAccess,
    Action::SelfEnrollment,
];
/// Profiles that Connectors can ask for.
const PROFILES: [&str; 4] = ["keepitPowerPlatform", "keepitDynamicsCE", "fluentProDataverse", "avePointServiceAccount"];

/// What is seen of an environment: most often all that is needed, else one thing that is not.
fn access() -> impl Strategy<Value = Seen<Access>> {
    let unknown = |kind: Kind| Just(Seen::Unknown(Fault::new(kind, "No")));
    let known = |row: Option<SystemUser>| Just(Seen::Known(Access { row, tables: BTreeMap::new() }));
    let fit = || SystemUser { system_administrator: Some(HeldBy::User), ..row_for_tests() };
    prop_oneof![
        16 => known(Some(fit())),
        1 => known(Some(SystemUser { system_administrator: Some(HeldBy::Team("t".into())), ..fit() })),
        2 => known(Some(row_for_tests())),
        2 => known(Some(SystemUser { access_mode: AccessMode::Administrative, ..fit() })),
        1 => known(Some(SystemUser { access_mode: AccessMode::Administrative, licensed: Some(false), ..fit() })),
        1 => known(Some(SystemUser { access_mode: AccessMode::Administrative, licensed: None, ..fit() })),
        1 => known(Some(SystemUser { access_mode: AccessMode::NonInteractive, ..row_for_tests() })),
        1 => known(Some(SystemUser { disabled: true, ..row_for_tests() })),
        1 => known(Some(SystemUser { deleted: true, disabled: true, ..row_for_tests() })),
        2 => known(None),
        1 => unknown(Kind::NotMember),
        1 => unknown(Kind::PrivilegeMissing),
        1 => unknown(Kind::NotRunning),
    ]
}

/// Most often the roles of an account that is about to be put right.
fn roles() -> impl Strategy<Value = Seen<Vec<HeldRole>>> {
    let held = |role: DirectoryRole, group: bool| HeldRole {
        role: role.id().into(),
        assignment: format!("{role:?}{group}"),
        group: group.then(|| "group".to_owned()),
    };
    let each = [GlobalAdministrator, Dynamics365Administrator, PowerPlatformAdministrator].map(|role| {
        // Held directly, not at all, through a group, or both.
        prop_oneof![6 => Just((true, false)), 2 => Just((false, false)), 1 => Just((false, true)), 1 => Just((true, true))]
            .prop_map(move |(direct, group)| {
                let both = [(direct, false), (group, true)];
                both.iter().filter(|(has, _)| *has).map(|(_, group)| held(role, *group)).collect::<Vec<_>>()
            })
    });
    prop_oneof![
        9 => each.prop_map(|each| Seen::Known(each.concat())),
        1 => Just(Seen::Unknown(Fault::new(Kind::PermissionMissing, "No"))),
    ]
}

prop_compose! {
    fn facts()(
        roles in roles(),
        environments in prop_oneof![1 => Just(Vec::new()), 9 => proptest::collection::vec(access(), 1..4)],
        another in prop_oneof![8 => Just(Some(true)), 1 => Just(Some(false)), 1 => Just(None)],
        licensed in prop_oneof![4 => Just(true), 1 => Just(false)],
        consented in any::<bool>(),
        schedule in prop_oneof![6 => Just(true), 1 => Just(false)],
        (enabled, guest) in prop_oneof![18 => Just((true, false)), 1 => Just((false, false)), 1 => Just((true, true))],
        eligible in prop_oneof![8 => Just(false), 1 => Just(true)],
    ) -> AccountFacts {
        let license = License { sku: SALES.into(), disabled_plans: Vec::new() };
        let mut facts = AccountFacts {
            roles: roles.map(Into::into),
            another_global_administrator: another
                .map_or_else(|| Seen::Unknown(Fault::new(Kind::Unreachable, "No")), Seen::Known),
            user: Seen::Known(Some(User {
                licenses: licensed.then_some(license).into_iter().collect(),
                enabled,
                guest,
                ..user_for_tests()
            })),
            environments: Seen::Known(
                environments
                    .into_iter()
                    .enumerate()
                    .map(|(at, access)| (at.to_string(), (environment(at), access)))
                    .collect(),
            ),
            ..facts_for_tests()
        };
        if eligible {
            let role = DirectoryRole::Dynamics365Administrator.id().to_owned();
            facts.schedule = Seen::Known(Schedule { eligible: vec![role], ..Schedule::default() });
        }
        if !schedule {
            facts.schedule = Seen::Unknown(Fault::new(Kind::PermissionMissing, "No"));
        }
        if consented {
            facts.applications.insert("f".into(), Seen::Known(Some(app())));
        }
        facts.second_factor.per_user = Seen::Known(false);
        facts.second_factor.security_defaults = Seen::Known(false);
        facts.second_factor.policies = Seen::Known([].into());
        facts.second_factor.groups = Seen::Known([].into());
        facts
    }
}

fn environment(at: usize) -> Environment {
    Environment { id: at.to_string(), name: format!("E{at}"), ..environment_for_tests() }
}

fn app() -> crate::tenant::facts::Application {
    let all = [
        (Resource::Graph, "User.Read"),
        (Resource::Graph, "offline_access"),
        (Resource::Dataverse, "user_impersonation"),
    ];
    crate::tenant::facts::Application {
        id: "sp".into(),
        name: "F".into(),
        enabled: true,
        assignment_required: false,
        assigned: None,
        for_everybody: all
            .iter()
            .map(|(resource, scope)| Consented { resource: *resource, scope: (*scope).into() })
            .collect(),
        for_account: Vec::new(),
    }
}

prop_compose! {
    /// A policy with some of the profiles, and Connectors of some of them in some stage.
    fn asked()(
        profiles in prop_oneof![
            Just(vec![PROFILES[0]]),
            proptest::sample::subsequence(PROFILES.to_vec(), 1..=4),
        ],
        stages in proptest::collection::vec(prop_oneof![4 => Just(Some(false)), 1 => Just(Some(true)), 1 => Just(None)], 4),
        allowed in prop_oneof![
            Just(ACTIONS.to_vec()),
            proptest::sample::subsequence(ACTIONS.to_vec(), 0..=5),
        ],
        remove in prop_oneof![4 => Just(true), 1 => Just(false)],
        seen in prop_oneof![6 => Just(true), 1 => Just(false)],
    ) -> (ServiceAccountPolicy, Vec<Asking>) {
        let mut spec = serde_json::Map::new();
        for profile in &profiles {
            let value = match *profile {
                "keepitPowerPlatform" => json!({ "globalAdministratorAfterSetup": if remove { "Remove" } else { "Report" } }),
                "fluentProDataverse" => json!({ "clientID": "f" }),
                _ => json!({}),
            };
            spec.insert((*profile).to_owned(), value);
        }
        let asking = profiles
            .iter()
            .zip(stages)
            .filter_map(|(profile, setup)| setup.map(|setup| asking(profile, if setup { Stage::Setup } else { Stage::Steady }, seen)))
            .collect();
        (policy(&spec.into(), &allowed), asking)
    }
}

fn policy(profiles: &serde_json::Value, allowed: &[Action]) -> ServiceAccountPolicy {
    serde_json::from_value(json!({
        "apiVersion": "backstay.dev/v1alpha1", "kind": "ServiceAccountPolicy", "metadata": { "name": "p" },
        "spec": {
            "tenant": { "id": "t" },
            "credential": { "clientSecret": { "clientID": "c", "secretRef": { "name": "s", "key": "k" } } },
            "account": { "user": { "principalName": "u@x", "objectID": "u" } },
            "profiles": profiles,
            "allowedActions": allowed,
        },
    }))
    .unwrap()
}

fn asking(profile: &'static str, stage: Stage, seen: bool) -> Asking {
    let demand = Demand {
        connector: profile.to_lowercase(),
        uid: profile.to_owned(),
        generation: 1,
        profile: Some(profile.to_owned()),
        fitting: &PROFILES,
        stage,
        environments: None,
    };
    let steady = stage == Stage::Steady;
    let (name, namespace) = (demand.connector.clone(), String::new());
    Asking {
        name,
        namespace,
        uid: demand.uid.clone(),
        requested: false,
        begun: None,
        demand: Some(demand),
        asleep: false,
        seen,
        granted: steady,
        changing: false,
        authorized: None,
    }
}

fn observed(facts: AccountFacts, asking: Vec<Asking>, policy: &ServiceAccountPolicy) -> Observed {
    Observed {
        age: std::time::Duration::ZERO,
        now: Timestamp::UNIX_EPOCH,
        connectors: asking,
        elsewhere: Vec::new(),
        needed_elsewhere: Vec::new(),
        elsewhere_holds: Elsewhere::Holds,
        obscured: false,
        rival: None,
        granted: policy.spec.allowed_actions.iter().copied().collect(),
        read_only: false,
        overdue: BTreeSet::new(),
        window: None,
        unread: false,
        credential_ends: None,
        app_credential_ends: None,
        caller: crate::tenant::Caller::default(),
        tenant: None,
        account: Ok(facts),
        selection: Ok(()),
    }
}

fn planned(policy: &ServiceAccountPolicy, observed: &Observed) -> (Resolved, Plan) {
    let resolved = resolve(policy, observed).unwrap();
    let plan = plan(&resolved, observed);
    (resolved, plan)
}

fn taken(plan: &Plan) -> Vec<What> {
    plan.steps.iter().filter(|step| step.allowed == Allowed::Yes).map(|step| step.what.clone()).collect()
}

/// Of many worlds some must be such that something is given, and some such that something is taken: else the rest proves nothing.
#[test]
fn the_worlds_that_are_tried_are_not_all_dull() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut words: BTreeMap<&str, usize> = BTreeMap::new();
    for _ in 0..2_000 {
        let facts = facts().new_tree(&mut runner).unwrap().current();
        let (policy, asking) = asked().new_tree(&mut runner).unwrap().current();
        for what in taken(&planned(&policy, &observed(facts, asking, &policy)).1) {
            *words.entry(what.word()).or_default() += 1;
        }
    }
    for word in [
        "AddDirectoryRole",
        "RemoveDirectoryRole",
        "AddSystemAdministrator",
        "SetReadWrite",
        "EnrollSelf",
        "AddToEnvironment",
    ] {
        assert!(words.get(word).is_some_and(|times| *times >= 20), "{word}: {words:?}");
    }
}

/// What a step does, if it does what it is for.
fn apply(facts: &mut AccountFacts, what: &What) {
    let holds = |role: DirectoryRole| HeldRole { role: role.id().into(), assignment: format!("{role:?}"), group: None };
    let mut roles: Vec<HeldRole> = facts.roles.known().map(|roles| roles.to_vec()).unwrap_or_default();
    let Seen::Known(all) = &mut facts.environments else { panic!("a step while the environments are not known") };
    let mut row = |environment: &Environment, change: &dyn Fn(&mut SystemUser)| {
        let access = &mut all.get_mut(&environment.id).unwrap().1;
        let Seen::Known(access) = access else { panic!("a step in an environment that is not seen") };
        change(access.row.as_mut().expect("a step for somebody who is no user"));
    };
    match what {
        What::AddDirectoryRole(role) => roles.push(holds(*role)),
        What::RemoveDirectoryRole { role, assignment } => {
            roles.retain(|held| held.role != role.id() || held.assignment != *assignment || held.group.is_some());
        }
        What::AddSystemAdministrator(environment) => {
            row(environment, &|row| row.system_administrator = Some(HeldBy::User));
        }
        What::SetReadWrite(environment) => row(environment, &|row| row.access_mode = AccessMode::ReadWrite),
        What::EnrollSelf(environment) => {
            all.get_mut(&environment.id).unwrap().1 = Seen::Known(Access { row: None, tables: BTreeMap::new() });
        }
        What::AddToEnvironment(environment) => {
            let added = Access { row: Some(row_for_tests()), tables: BTreeMap::new() };
            all.get_mut(&environment.id).unwrap().1 = Seen::Known(added);
        }
    }
    if facts.roles.known().is_some() {
        facts.roles = Seen::Known(roles.into());
    }
}

/// Whether what replaces Global Administrator is there, as far as it can be seen.
fn replaced(facts: &AccountFacts) -> bool {
    let holds = |role| facts.roles.known().is_some_and(|roles| held(roles, role).is_some_and(|it| it.group.is_none()));
    let fit = |access: &Seen<Access>| match access {
        Seen::Known(access) => access.row.as_ref().is_some_and(|row| {
            !row.disabled
                && !row.deleted
                && row.system_administrator.is_some()
                && row.access_mode == AccessMode::ReadWrite
        }),
        Seen::Unknown(_) => false,
    };
    holds(Dynamics365Administrator)
        && holds(PowerPlatformAdministrator)
        && facts.another_global_administrator == Seen::Known(true)
        && facts.environments.known().is_some_and(|all| !all.is_empty() && all.values().all(|(_, access)| fit(access)))
}

/// All that an account needs, and Global Administrator besides.
fn ready_to_lose() -> AccountFacts {
    let held = |role: DirectoryRole| HeldRole { role: role.id().into(), assignment: role.name().into(), group: None };
    let row = SystemUser { system_administrator: Some(HeldBy::User), ..row_for_tests() };
    let access = Seen::Known(Access { row: Some(row), tables: BTreeMap::new() });
    AccountFacts {
        roles: Seen::Known(
            [GlobalAdministrator, Dynamics365Administrator, PowerPlatformAdministrator].map(held).into(),
        ),
        another_global_administrator: Seen::Known(true),
        environments: Seen::Known([("0".to_owned(), (environment(0), access))].into()),
        ..facts_for_tests()
    }
}

#[test]
fn nobody_loses_a_role_while_what_anybody_needs_is_not_told() {
    let policy = policy(&json!({ "keepitPowerPlatform": { "globalAdministratorAfterSetup": "Remove" } }), &ACTIONS);
    let one = || vec![asking("keepitPowerPlatform", Stage::Steady, true)];
    let removes = |observed: &Observed| {
        taken(&planned(&policy, observed).1).iter().any(|what| matches!(what, What::RemoveDirectoryRole { .. }))
    };
    assert!(removes(&observed(ready_to_lose(), one(), &policy)), "nothing is in the way");

    let with = |demand: &dyn Fn(&mut Demand)| {
        let mut all = one();
        let mut other = asking("keepitPowerPlatform", Stage::Steady, true);
        demand(other.demand.as_mut().unwrap());
        all.push(other);
        observed(ready_to_lose(), all, &policy)
    };
    assert!(removes(&with(&|_| {})), "two that ask for the same");
    assert!(!removes(&with(&|demand| demand.profile = Some("another".into()))), "a profile that is not there");
    let nowhere = serde_json::from_value(json!({ "include": ["nowhere"] })).unwrap();
    let nowhere: crate::api::shared::EnvironmentSelector = nowhere;
    assert!(!removes(&with(&|demand| demand.environments = Some(nowhere.clone()))), "an environment that is not there");

    let elsewhere = Observed { elsewhere_holds: Elsewhere::Lacks, ..observed(ready_to_lose(), one(), &policy) };
    assert!(!removes(&elsewhere), "another policy lacks something");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn global_administrator_is_never_given_and_goes_only_when_all_that_replaces_it_is_there(
        facts in facts(), (policy, asking) in asked()
    ) {
        let observed = observed(facts.clone(), asking.clone(), &policy);
        let (_, plan) = planned(&policy, &observed);
        let needed = asking.iter().filter_map(|asking| asking.demand.as_ref()).any(|demand| {
            demand.stage == Stage::Setup && demand.profile.as_deref() != Some("avePointServiceAccount")
                && demand.profile.as_deref() != Some("fluentProDataverse")
                || demand.profile.as_deref() == Some("keepitDynamicsCE")
        });
        for what in taken(&plan) {
            match what {
                What::AddDirectoryRole(role) => prop_assert_ne!(role, GlobalAdministrator),
                What::RemoveDirectoryRole { role, .. } => {
                    prop_assert_eq!(role, GlobalAdministrator);
                    prop_assert!(replaced(&facts) && !needed);
                    // Add before remove: while something is still to be given, nothing is taken.
                    prop_assert_eq!(taken(&plan).len(), 1);
                }
                _ => {}
            }
        }
    }

    #[test]
    fn no_step_is_taken_on_what_is_not_known(facts in facts(), (policy, asking) in asked()) {
        let observed = observed(facts.clone(), asking, &policy);
        let (_, plan) = planned(&policy, &observed);
        for what in taken(&plan) {
            match &what {
                What::AddDirectoryRole(_) | What::RemoveDirectoryRole { .. } => prop_assert!(facts.roles.known().is_some()),
                What::EnrollSelf(environment) => {
                    let access = &facts.environments.known().unwrap()[&environment.id].1;
                    prop_assert!(access.unknown_for(Kind::NotMember));
                }
                What::AddToEnvironment(environment) => {
                    prop_assert!(facts.environments.known().unwrap()[&environment.id].1.known().is_some());
                    prop_assert!(!facts.user.known().unwrap().as_ref().unwrap().licenses.is_empty());
                }
                What::AddSystemAdministrator(environment) | What::SetReadWrite(environment) => {
                    let access = facts.environments.known().unwrap()[&environment.id].1.known().unwrap();
                    let row = access.row.as_ref().unwrap();
                    prop_assert!(!row.disabled && !row.deleted);
                    // Without a license Microsoft would set it back, and it would be written for ever.
                    prop_assert!(row.licensed == Some(true) || !matches!(what, What::SetReadWrite(_)));
                }
            }
        }
    }

    #[test]
    fn nothing_is_done_that_is_not_allowed_granted_asked_for_and_seen(facts in facts(), (policy, asking) in asked()) {
        let allowed: BTreeSet<Action> = policy.spec.allowed_actions.iter().copied().collect();
        let seen = asking.iter().all(|asking| asking.seen);
        let nobody = asking.is_empty();
        let barred = facts.user.known().is_some_and(|user| user.as_ref().is_some_and(|user| user.guest || !user.enabled));
        let eligible = facts.schedule.known().is_none_or(|schedule| !schedule.eligible.is_empty());
        let mut observed = observed(facts, asking, &policy);
        for what in taken(&planned(&policy, &observed).1) {
            prop_assert!(allowed.contains(&what.action()) && seen, "{what:?}");
            let removes = matches!(what, What::RemoveDirectoryRole { .. });
            prop_assert!(!nobody, "{what:?}");
            prop_assert!(!barred || removes || matches!(what, What::EnrollSelf(_)), "{what:?}");
            prop_assert!(!eligible || !matches!(what, What::AddDirectoryRole(DirectoryRole::Dynamics365Administrator)), "{what:?}");
        }
        observed.read_only = true;
        prop_assert!(taken(&planned(&policy, &observed).1).is_empty());
        observed.read_only = false;
        observed.granted.clear();
        prop_assert!(taken(&planned(&policy, &observed).1).is_empty());
    }

    #[test]
    fn repair_comes_to_an_end_and_nothing_is_undone_on_the_way(facts in facts(), (policy, asking) in asked()) {
        let mut facts = facts;
        let mut done: Vec<What> = Vec::new();
        for _ in 0..10 {
            let observed = observed(facts.clone(), asking.clone(), &policy);
            let steps = taken(&planned(&policy, &observed).1);
            if steps.is_empty() {
                return Ok(());
            }
            for what in &steps {
                prop_assert!(!done.contains(what), "{what:?} twice");
                apply(&mut facts, what);
            }
            done.extend(steps);
        }
        prop_assert!(false, "it goes on: {done:?}");
    }
}
