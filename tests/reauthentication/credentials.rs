//! What the operator itself signs in with: its end is told ahead, and a new one is used at once, by one sign-in for all.

use serde_json::{Value, json};

use crate::harness::calls::contoso;
use crate::harness::{ACCOUNT, POLICY, Scene, example, is};
use crate::{Rotation, elevation};

const ENTRA: &str = "entra-backstay";

async fn annotate(scene: &Scene, expires: &str) {
    scene.patch("Secret", ENTRA, json!({ "metadata": { "annotations": { "backstay.dev/expires": expires } } })).await;
}

fn renewal(policy: &Value) -> Option<Value> {
    policy["status"]["handOffs"].as_array()?.iter().find(|it| it["name"] == "renew-credential").cloned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_that_ends_is_told_ahead_and_keeps_nobody_from_being_ready() {
    let rotation = Rotation::new(&elevation("Manual", "")).await;
    let operator = rotation.operator().await;
    rotation.connected().await;
    let scene = &rotation.scene;
    let day = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(240)).strftime("%Y-%m-%d").to_string();
    annotate(scene, &day).await;
    let told = scene
        .until("the end to be told", "ServiceAccountPolicy", POLICY, |it| {
            renewal(it).is_some_and(|it| it["dueDate"].is_string())
        })
        .await;
    assert!(is(&told, "Ready", "True", "Satisfied"), "{told:#}");
    assert!(told["status"]["credentialExpirationTime"].is_string(), "{told:#}");
    assert!(renewal(&told).unwrap()["title"].as_str().unwrap().contains(&format!("{}/{ENTRA}", scene.namespace)));
    let metric = "backstay_credential_earliest_expiration_timestamp_seconds{kind=\"ServiceAccountPolicy\"}";
    assert!(operator.get("/metrics").await.contains(metric));

    annotate(scene, "some day").await;
    scene
        .until("a date that is none to be told", "ServiceAccountPolicy", POLICY, |it| {
            renewal(it).is_some_and(|it| it["title"].as_str().unwrap().contains("it is no date"))
        })
        .await;
    annotate(scene, "2099-12-31").await;
    scene.until("it to be done", "ServiceAccountPolicy", POLICY, |it| renewal(it).is_none()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_microsoft_says_of_a_secret_s_end_is_told_without_an_annotation() {
    let scene = Scene::with_world(&contoso(|world| {
        let app = &mut world["tenants"][0]["apps"][0];
        app["secrets"].as_array_mut().unwrap()[0]["expires"] = json!(in_days(10));
        // Another one, which the operator does not have, ends sooner.
        let other = json!({ "value": "another-app's", "expires": in_days(2) });
        app["secrets"].as_array_mut().unwrap().push(other);
    }))
    .await;
    scene.apply_secrets().await;
    let _operator = scene.operator_with("[]", &[]).await;
    scene.apply_yaml(&scene.policy_yaml()).await;
    let told = scene.until("the end to be told", "ServiceAccountPolicy", POLICY, |it| renewal(it).is_some()).await;
    assert_eq!(told["status"]["credentialExpirationTime"], in_days(10), "{told:#}");
}

fn in_days(days: i64) -> String {
    let day = jiff::Timestamp::now().strftime("%Y-%m-%dT00:00:00Z").to_string();
    (day.parse::<jiff::Timestamp>().unwrap() + jiff::SignedDuration::from_hours(24 * days)).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_secret_is_used_at_once_by_one_sign_in_however_many_use_it() {
    let scene = Scene::new().await;
    used_at_once(&scene, &[]).await;
}

/// Each Secret has a watch of its own then.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_where_the_operator_may_read_this_secret_only() {
    let scene = Scene::new().await;
    let secret = format!("{}/{ENTRA}", scene.namespace);
    let other = format!("{}/keepit-api", scene.namespace);
    used_at_once(&scene, &["--watch-secret", &secret, "--watch-secret", &other]).await;
    let asked = scene.audit().into_iter().filter(|it| it.resource == "secrets" && it.verb != "get");
    assert!(
        asked.clone().count() >= 2 && asked.clone().all(|it| !it.name.is_empty()),
        "{:#?}",
        asked.collect::<Vec<_>>()
    );
}

async fn used_at_once(scene: &Scene, arguments: &[&str]) {
    scene.apply_secrets().await;
    let _operator = scene.operator_with("[]", arguments).await;
    let names = [ACCOUNT, "breakglass@contoso.onmicrosoft.com", "jane@contoso.com"];
    for (number, name) in names.iter().enumerate() {
        let mut policy: Value = serde_yaml::from_str(&example("2-policy.yaml")).unwrap();
        policy["metadata"]["name"] = json!(format!("p{number}"));
        policy["spec"]["account"]["user"] = json!({ "principalName": name });
        policy["spec"]["allowedActions"] = json!([]);
        // Nothing but the Secret wakes them.
        policy["spec"]["interval"] = json!("24h");
        scene.apply_yaml(&policy.to_string()).await;
    }
    for number in 0..names.len() {
        scene
            .until_condition("ServiceAccountPolicy", &format!("p{number}"), "CredentialsValid", "True", "Accepted")
            .await;
    }
    let signs_in =
        |calls: &[backstay_world::Call]| calls.iter().filter(|call| call.path.ends_with("/oauth2/v2.0/token")).count();
    let first = signs_in(&scene.world.calls());
    let since = scene.world.calls().last().map_or(0, |call| call.index + 1);
    let app = "c0ffee00-1111-4222-8333-444455556666";
    scene.world.act("rotate-secret", json!({ "app": app, "value": "another-secret" })).unwrap();
    scene.patch("Secret", ENTRA, json!({ "stringData": { "client-secret": "another-secret" } })).await;
    let asked = || {
        let calls = scene.world.calls_since(since);
        names.iter().all(|name| calls.iter().any(|call| call.path == format!("/v1.0/users/{name}")))
    };
    scene.until_true("all of them to be looked at anew", asked).await;
    for number in 0..names.len() {
        scene
            .until_condition("ServiceAccountPolicy", &format!("p{number}"), "CredentialsValid", "True", "Accepted")
            .await;
    }
    let again = signs_in(&scene.world.calls_since(since));
    assert!(again >= 1 && again <= first, "{again} sign-ins for {} policies, {first} the first time", names.len());
}
