//! A service that asks one to leave it alone is left alone by all of the same tenant.

use backstay_world::{Call, Fault};
use serde_json::{Value, json};

use crate::harness::calls::{BAP, GRAPH, asked_at, settled};
use crate::harness::{POLICY, message};
use crate::scene_of;

#[tokio::test(flavor = "multi_thread")]
async fn who_was_not_told_does_not_ask_sooner_than_who_was() {
    let scene = scene_of(&settled(|_| {})).await;
    scene.apply_secrets().await;
    scene.world.fault(Fault {
        host: Some(GRAPH.into()),
        path: Some("/v1.0/users/svc-backup@contoso.com".into()),
        status: Some(429),
        headers: [("Retry-After".to_owned(), "15".to_owned())].into(),
        times: Some(1),
        ..Fault::default()
    });
    let _operator = scene.operator_with("", &[]).await;
    scene.apply_yaml(&scene.policy_yaml()).await;
    let told = |call: &Call| call.host == GRAPH && call.status == 429;
    scene.until_asked(1, "the refusal", told).await;

    // Another policy, for another account, that comes a moment later.
    let mut neighbour: Value = serde_yaml::from_str(&scene.policy_yaml()).unwrap();
    neighbour["metadata"]["name"] = json!("neighbour");
    neighbour["spec"]["account"]["user"] = json!({ "principalName": "jane@contoso.com" });
    neighbour["spec"]["allowedActions"] = json!([]);
    scene.apply_yaml(&neighbour.to_string()).await;
    let waits = scene
        .until("the neighbour to wait, too", "ServiceAccountPolicy", "neighbour", |policy| {
            message(policy, "CredentialsValid").contains("asks to be left alone")
        })
        .await;
    // What stands on the one who was told, and on who was not, is the same.
    scene
        .until("the same sentence", "ServiceAccountPolicy", POLICY, |policy| {
            message(policy, "CredentialsValid") == message(&waits, "CredentialsValid")
        })
        .await;
    // Other services are not concerned.
    scene.until_true("the Power Platform to be asked", || scene.asked(|call| call.host == BAP) > 0).await;

    let found = scene
        .until("the neighbour's account", "ServiceAccountPolicy", "neighbour", |policy| {
            policy["status"]["account"]["name"] == "jane@contoso.com"
        })
        .await;
    assert_eq!(found["status"]["account"]["enabled"], true);
    let calls = scene.world.calls();
    let refusal = calls.iter().find(|call| told(call)).unwrap();
    // What was under way at the same moment could not know.
    let knew = |call: &&Call| asked_at(call).duration_since(asked_at(refusal)).as_secs_f64() > 0.5;
    let next = calls.iter().filter(|call| call.host == GRAPH && call.method == "GET").find(knew).unwrap();
    let after = asked_at(next).duration_since(asked_at(refusal)).as_secs_f64();
    assert!(after >= 14.9, "asked again after {after} s: {} {}", next.path, next.query);
}

#[tokio::test(flavor = "multi_thread")]
async fn close_to_its_limit_the_directory_is_asked_less_often() {
    let scene = scene_of(&settled(|_| {})).await;
    scene.apply_secrets().await;
    scene.world.fault(Fault {
        host: Some(GRAPH.into()),
        headers: [("x-ms-throttle-limit-percentage".to_owned(), "1.0".to_owned())].into(),
        ..Fault::default()
    });
    let _operator = scene.operator_with("", &[]).await;
    scene.apply_yaml(&scene.policy_yaml()).await;
    let looked = |policy: &Value| policy["status"]["findings"].is_array();
    scene.until("a look", "ServiceAccountPolicy", POLICY, looked).await;
    let calls = scene.world.calls();
    let times: Vec<jiff::Timestamp> =
        calls.iter().filter(|call| call.host == GRAPH && call.status == 200).map(asked_at).collect();
    assert!(times.len() >= 4, "{times:?}");
    for pair in times.windows(2) {
        let apart = pair[1].duration_since(pair[0]).as_secs_f64();
        assert!(apart > 0.6, "{apart} s apart: {times:?}");
    }
}
