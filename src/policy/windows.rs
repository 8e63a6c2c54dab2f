//! What holds of the windows of an account whatever its Connectors say and the ledger holds: tried over many that nobody thought of.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::rules::facts_for_tests;
use super::simulated::look;
use super::window::Decision;
use crate::api::connector::{AuthorizationState, ReauthenticationState, stage};
use crate::api::policy::Stage;
use crate::api::{Action, Connector, ServiceAccountPolicy};
use crate::elevation::{Entry, Phase};
use crate::runtime::Settings;
use crate::seen::Seen;
use crate::tenant::facts::User;

const ACCOUNT: &str = "0d5b6a1c-2f3e-4a4d-8c5b-7e6f5a4b3c2d";

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + minute * 60).unwrap()
}

/// What a Connector says: its authorization, how far a new sign-in is, since when, and whether it is awake.
type Says = (&'static str, Option<(&'static str, i64)>, bool);

fn says() -> impl Strategy<Value = Says> {
    let authorization = prop::sample::select(vec!["Granted", "Expiring", "Required", "Unknown"]);
    let state = prop::sample::select(vec!["Requested", "Begun", "AwaitingEvidence"]);
    (authorization, prop::option::weighted(0.8, (state, 0..400_i64)), prop::bool::weighted(0.9))
}

fn connector(number: usize, (authorization, request, awake): &Says) -> Connector {
    let request = request.map_or(Value::Null, |(state, begun)| {
        json!({ "state": state, "causes": ["Dead"], "requestTime": at(0).to_string(), "beginTime": at(begun).to_string() })
    });
    serde_json::from_value(json!({
        "apiVersion": "backstay.dev/v1alpha1", "kind": "Connector",
        "metadata": { "name": format!("c{number}"), "namespace": "n", "uid": number.to_string(), "generation": 1 },
        "spec": {
            "vendor": { "keepit": { "region": "dk-co", "secretRef": { "name": "s" } } },
            "policyRef": { "name": "p" }, "suspend": !awake,
        },
        "status": {
            "observedGeneration": 1,
            "authorization": { "state": authorization, "lastTransitionTime": at(0).to_string() },
            "reauthentication": request,
        },
    }))
    .unwrap()
}

fn policy(windows: u16) -> ServiceAccountPolicy {
    serde_json::from_value(json!({
        "apiVersion": "backstay.dev/v1alpha1", "kind": "ServiceAccountPolicy",
        "metadata": { "name": "p", "namespace": "n", "uid": "p", "generation": 1 },
        "spec": {
            "tenant": { "id": "contoso.com" },
            "credential": { "clientSecret": { "clientID": "c", "secretRef": { "name": "s", "key": "k" } } },
            "account": { "user": { "principalName": "u@contoso.com", "objectID": ACCOUNT } },
            "profiles": { "keepitPowerPlatform": { "workloads": ["Dynamics365"] } },
            "allowedActions": ["UntimedElevation"],
            "elevation": { "method": "RoleAssignment", "window": "2h", "maxWindowsPer30Days": windows },
        },
    }))
    .unwrap()
}

/// A window that was opened at this minute: how far it is, and for which of the Connectors.
fn entry() -> impl Strategy<Value = Option<Entry>> {
    let phase = prop::sample::select(vec![Phase::Opening, Phase::Open, Phase::Closing, Phase::Closed]);
    let entry = (phase, 0..400_i64, prop::collection::btree_set(0..4_usize, 0..4)).prop_map(|(phase, minute, of)| {
        let places: Vec<Value> =
            of.iter().map(|it| json!({ "namespace": "n", "name": format!("c{it}"), "uid": it.to_string() })).collect();
        serde_json::from_value(json!({
            "account": ACCOUNT, "name": "u@contoso.com", "tenant": { "id": "contoso.com" },
            "credential": { "clientSecret": { "clientID": "c", "secretRef": { "name": "s", "key": "k" } } },
            "policy": { "namespace": "n", "name": "p", "uid": "p" }, "connectors": places,
            "method": "RoleAssignment", "phase": phase, "given": "ByOperator", "begun": at(minute),
            "starts": at(minute), "expires": at(minute + 120), "windows": [at(minute)],
        }))
        .unwrap()
    });
    prop::option::weighted(0.7, entry)
}

fn decided(all: &[Says], entry: Option<&Entry>, windows: u16, now: i64) -> Decision {
    let connectors: Vec<Connector> = all.iter().enumerate().map(|(number, says)| connector(number, says)).collect();
    let mut facts = facts_for_tests();
    let user = super::rules::user_for_tests();
    facts.user = Seen::Known(Some(User { id: ACCOUNT.into(), principal_name: "u@contoso.com".into(), ..user }));
    let granted = BTreeSet::from([Action::UntimedElevation]);
    look(&policy(windows), facts, &connectors, granted, entry.cloned(), &Settings::for_tests(), at(now)).1
}

/// Who is at it: awake, and has begun.
fn at_it(all: &[Says]) -> Vec<(String, Timestamp)> {
    let each = all.iter().enumerate().filter_map(|(number, (_, request, awake))| match request {
        Some(("Begun", begun)) if *awake => Some((number.to_string(), at(*begun))),
        _ => None,
    });
    each.collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_window_is_opened_by_a_new_begin_alone_is_never_a_second_one_and_is_never_made_longer(
        all in prop::collection::vec(says(), 0..4),
        entry in entry(),
        windows in 1..3_u16,
        now in 0..600_i64,
    ) {
        let (busy, standing) = (at_it(&all), entry.as_ref().filter(|entry| entry.is_standing()));
        let usable = |entry: &&Entry| matches!(entry.phase, Phase::Opening | Phase::Open) && at(now) < entry.expires;
        match decided(&all, entry.as_ref(), windows, now) {
            Decision::Stay => {}
            Decision::Refuse(sentence) => prop_assert!(!busy.is_empty(), "nobody has begun: {sentence}"),
            Decision::Open(opened) => {
                prop_assert!(standing.is_none(), "a second one");
                let latest = busy.iter().map(|(_, begun)| *begun).max();
                prop_assert_eq!(Some(opened.begun), latest);
                prop_assert!(entry.as_ref().is_none_or(|before| opened.begun > before.begun), "no new begin");
                let longest = SignedDuration::from_hours(2);
                prop_assert!(opened.expires <= at(now) + longest && opened.expires <= opened.begun + longest);
                prop_assert!(opened.windows.len() <= usize::from(windows), "too many");
                let of: BTreeSet<String> = opened.connectors.iter().map(|place| place.uid.clone()).collect();
                prop_assert_eq!(of, busy.into_iter().map(|(uid, _)| uid).collect::<BTreeSet<_>>());
            }
            Decision::Join { connectors, begun } => {
                let open = standing.filter(usable);
                prop_assert!(open.is_some_and(|open| begun >= open.begun));
                let known = |uid: &String| open.is_some_and(|open| open.connectors.iter().any(|place| place.uid == *uid));
                prop_assert!(connectors.iter().all(|place| !known(&place.uid)));
            }
            Decision::Close => {
                let open = standing.filter(usable);
                let of = |uid: &String| open.is_some_and(|open| open.connectors.iter().any(|place| place.uid == *uid));
                prop_assert!(open.is_some() && !busy.iter().any(|(uid, _)| of(uid)), "somebody is at it");
            }
        }
    }
}

#[test]
fn only_who_has_begun_asks_for_what_a_new_sign_in_needs_and_who_is_unknown_asks_for_nothing() {
    use AuthorizationState::{Expiring, Granted, Required, Unknown};
    use ReauthenticationState::{AwaitingEvidence, Begun, Requested};
    for authorization in [Granted, Expiring, Required, Unknown] {
        for restores in [false, true] {
            let quiet = if restores { Stage::Restore } else { Stage::Steady };
            assert_eq!(stage(authorization, Some(Begun), restores), Some(Stage::Reauthentication));
            let quiet = (authorization != Unknown).then_some(quiet);
            assert_eq!(stage(authorization, Some(Requested), restores), quiet);
            assert_eq!(stage(authorization, Some(AwaitingEvidence), restores), quiet);
        }
    }
    assert_eq!(stage(Required, None, false), Some(Stage::Setup));
    assert_eq!(stage(Unknown, None, true), None);
    assert_eq!(stage(Granted, None, false), Some(Stage::Steady));
    assert_eq!(stage(Granted, None, true), Some(Stage::Restore));
}
