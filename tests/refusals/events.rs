//! What Events say: what the status said, sentence by sentence, and nothing twice.

use kube::api::{DynamicObject, ListParams};
use serde_json::Value;

use super::harness::Scene;
use super::{hourly, set_secret};

/// The Connector's Events of a reason: the sentence, and how often it was told.
async fn told(scene: &Scene, reason: &str) -> Vec<(String, i64)> {
    let events = scene.api("Event").list(&ListParams::default()).await.unwrap().items;
    let count = |event: &DynamicObject| event.data["series"]["count"].as_i64().unwrap_or(1);
    let sentence = |event: &DynamicObject| event.data["note"].as_str().unwrap_or_default().to_owned();
    let of = |event: &&DynamicObject| event.data["reason"] == reason && event.data["regarding"]["kind"] == "Connector";
    events.iter().filter(of).map(|event| (sentence(event), count(event))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn another_sentence_of_the_same_reason_is_another_event_and_the_same_one_is_counted_on() {
    let scene = Scene::new().await;
    let _operator = scene.operator_with("", &[]).await;
    scene.apply_secrets().await;
    scene.apply_yaml(&hourly(&scene.policy_yaml())).await;
    scene.apply_yaml(&hourly(&scene.connector_yaml())).await;
    scene.until_connector("CredentialsValid", "True", "Accepted").await;

    let lacks = |key: &'static str| {
        move |connector: &Value| super::message(connector, "Ready").contains(&format!("has no key \"{key}\""))
    };
    let kind = "Connector";
    set_secret(&scene, "keepit-api", "password", None).await;
    scene.until("the first sentence", kind, super::harness::CONNECTOR, lacks("password")).await;
    // The one is mended and the other broken at once: the reason stays, the sentence does not.
    let other =
        serde_json::json!({ "data": { "username": null }, "stringData": { "password": "world-keepit-password" } });
    scene.patch("Secret", "keepit-api", other).await;
    scene.until("the second sentence", kind, super::harness::CONNECTOR, lacks("username")).await;
    scene.until_event("SecretInvalid").await;
    scene.apply_secrets().await;
    scene.until_connector("CredentialsValid", "True", "Accepted").await;
    set_secret(&scene, "keepit-api", "password", None).await;
    scene.until("the first sentence again", kind, super::harness::CONNECTOR, lacks("password")).await;
    scene.apply_secrets().await;
    scene.until_connector("CredentialsValid", "True", "Accepted").await;

    let mut invalid = told(&scene, "SecretInvalid").await;
    invalid.sort();
    let sentence = |key: &str| {
        format!("Not ready: Secret {}/keepit-api has no key \"{key}\", or it is empty or not text", scene.namespace)
    };
    assert_eq!(invalid, [(sentence("password"), 2), (sentence("username"), 1)]);
}
