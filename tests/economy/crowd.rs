//! Many Connectors of one account.

use std::collections::BTreeMap;

use backstay_world::{Call, Fault};
use serde_json::{Value, json};

use crate::harness::calls::{
    asked_at, at_keepit, connector_yaml, lists_connectors, reads_holders, reads_roles, said, settled, side_by_side,
};
use crate::harness::{CONNECTOR, Operator, Scene, is};
use crate::scene_of;

fn reads_health(call: &Call) -> bool {
    call.path.ends_with("/devices/health")
}

fn reads_backups(call: &Call) -> bool {
    call.path.ends_with("/monitoring/backup/summary")
}

/// The shortest time between two readings of what is checked every 10 s: half of the interval, and a little for a busy
/// machine, since the log has the time of arrival.
const LEAST: f64 = 4.0;

#[tokio::test(flavor = "multi_thread")]
async fn calls_to_keepit_and_microsoft_do_not_grow_with_the_number_of_connectors() {
    side_by_side(vec![("5 Connectors", steady(5)), ("200 Connectors", steady(200))]).await;
}

async fn steady(count: usize) {
    let names: Vec<String> = (0..count).map(|number| format!("c-{number:03}")).collect();
    let world = settled(|world| {
        let connectors: Vec<Value> = names.iter().map(|name| at_keepit(&format!("Keepit {name}"))).collect();
        world["keepit"][0]["accounts"][0]["connectors"] = json!(connectors);
    });
    let scene = scene_of(&world).await;
    scene.apply_secrets().await;
    scene.apply_yaml(&scene.policy_yaml()).await;
    for name in &names {
        scene.apply_yaml(&connector_yaml(name, "dk-co", "keepit-api", &format!("Keepit {name}"))).await;
    }
    let _operator = scene.operator().await;
    scene.until_all("all to be Ready", "Connector", count, |connector| is(connector, "Ready", "True", "Current")).await;
    scene.until_policy("Ready", "True", "Satisfied").await;
    // News of the last ones may still be on their way.
    scene.until_asked(1, "lists", lists_connectors).await;

    scene.world.clear_calls();
    // A reading is three calls side by side, in any order.
    let kinds = [lists_connectors as fn(&Call) -> bool, reads_health, reads_backups];
    scene.until_true("three readings", || kinds.iter().all(|kind| scene.asked(kind) >= 3)).await;
    let calls = scene.world.calls();
    let lists: Vec<&Call> = calls.iter().filter(|call| lists_connectors(call)).collect();
    for pair in lists.windows(2) {
        let between = asked_at(pair[1]).duration_since(asked_at(pair[0])).as_secs_f64();
        assert!(between > LEAST, "{count} Connectors: asked again after {between} s");
    }
    let keepit = calls.iter().filter(|call| call.host.ends_with(".keepit.com")).count();
    assert_eq!(keepit, 3 * 3, "{count} Connectors: list, health and backups, once each: {:?}", scene.world.calls());
    let seconds = asked_at(&calls[calls.len() - 1]).duration_since(asked_at(&calls[0])).as_secs_f64();
    for (what, asked) in [("roles", reads_roles as fn(&Call) -> bool), ("holders", reads_holders)] {
        let times = calls.iter().filter(|call| asked(call)).count();
        #[allow(clippy::cast_precision_loss)] // a handful
        let often = times as f64 > seconds / LEAST + 1.0;
        assert!(!often, "{count} Connectors: {what} were read {times} times in {seconds} s");
    }
    // Whatever a pass of the policy asks, it asks once.
    let passes = calls.iter().filter(|call| reads_roles(call)).count() + 1;
    let mut each: BTreeMap<String, usize> = BTreeMap::new();
    for call in calls.iter().filter(|call| !call.host.ends_with(".keepit.com")) {
        *each.entry(format!("{}?{}", said(call), call.query)).or_default() += 1;
    }
    assert!(each.values().all(|times| *times <= passes), "{count} Connectors, {passes} passes: {each:?}");
}

/// How many Connectors hang: more than there are places for periodic checks.
const HANGING: usize = 64;
const OTHER_REGION: &str = "uk-ld.keepit.com";

/// The periodic checks of very many Connectors hang, and go on doing so for a while.
async fn hanging_scene() -> (Scene, Operator) {
    let world = settled(|world| {
        let connectors: Vec<Value> = (0..HANGING).map(|number| at_keepit(&format!("Keepit {number}"))).collect();
        world["keepit"].as_array_mut().unwrap().push(json!({ "region": "uk-ld", "accounts": [{
            "id": "uk1111-222222-333333",
            "name": "Elsewhere",
            "tokens": [
                { "login": "ops@contoso.com", "password": "x", "name": "Operations", "role": "BackupAdmin", "primary": true },
                { "login": "uk-token", "password": "uk-password", "name": "Backstay", "role": "BackupAdmin", "owner": "ops@contoso.com" },
            ],
            "connectors": connectors,
        }] }));
    });
    let scene = scene_of(&world).await;
    scene.apply_example().await;
    let secret = "{ apiVersion: v1, kind: Secret, metadata: { name: keepit-uk, labels: { backstay.dev/use: 'true' } },
        stringData: { username: uk-token, password: uk-password } }";
    scene.apply_yaml(secret).await;
    for number in 0..HANGING {
        let name = format!("hanging-{number}");
        scene.apply_yaml(&connector_yaml(&name, "uk-ld", "keepit-uk", &format!("Keepit {number}"))).await;
    }
    let operator = scene.operator().await;
    scene.until_all("all to be Ready", "Connector", HANGING + 1, |it| is(it, "Ready", "True", "Current")).await;

    scene.world.fault(Fault { host: Some(OTHER_REGION.into()), hang: true, ..Fault::default() });
    // By then the turn of each of them has come: every one waits for the answer that does not come.
    scene.until_true("a check to hang", || scene.asked(hangs) > 0).await;
    scene.until_true("all checks to hang", || oldest(&scene, hangs) >= 11.5).await;
    (scene, operator)
}

fn hangs(call: &Call) -> bool {
    call.host == OTHER_REGION && call.fault.is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_object_does_not_wait_for_the_periodic_check_of_others_that_hang() {
    let (scene, _operator) = hanging_scene().await;
    let hung = scene.asked(hangs);
    scene.apply_yaml(&connector_yaml("new", "dk-co", "keepit-api", "Not There")).await;
    scene.until_condition("Connector", "new", "Ready", "False", "AwaitingPerson").await;
    assert_eq!(scene.asked(hangs), hung, "the first ones have not ended yet");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_object_does_not_wait_for_the_periodic_check_of_others_that_hang() {
    let (scene, _operator) = hanging_scene().await;
    let hung = scene.asked(hangs);
    scene.patch("Connector", CONNECTOR, json!({ "spec": { "backup": { "maxAge": "40h" } } })).await;
    let looked_at = |it: &Value| it["status"]["observedGeneration"] == it["metadata"]["generation"];
    scene.until("the change to be looked at", "Connector", CONNECTOR, looked_at).await;
    assert_eq!(scene.asked(hangs), hung, "the first ones have not ended yet");
}

/// How long ago this was first asked, in seconds.
fn oldest(scene: &Scene, what: impl Fn(&Call) -> bool) -> f64 {
    let calls = scene.world.calls();
    let first = calls.iter().find(|call| what(call)).map(asked_at).unwrap();
    jiff::Timestamp::now().duration_since(first).as_secs_f64()
}
