//! An object that a newer version has stored.

use serde_json::{Value, json};

use crate::harness::calls::{connector_yaml, settled};
use crate::harness::{CONNECTOR, POLICY, condition, is, message};
use crate::{scene, scene_of};

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_connector_says_so_and_stops_nobody_else() {
    let scene = scene().await;
    scene.play_the_person();
    scene.apply_yaml(&scene.orbiting("Connector", "newer").to_string()).await;
    let operator = scene.operator().await;
    let newer = scene.until_condition("Connector", "newer", "Ready", "False", "Unreadable").await;
    assert!(is(&newer, "Stalled", "True", "Unreadable"));
    assert!(message(&newer, "Ready").contains("Orbit"), "{}", message(&newer, "Ready"));
    scene.apply_example().await;
    scene.until_ready().await;

    // The watch still brings news of both.
    scene.patch("Connector", CONNECTOR, json!({ "spec": { "backup": { "maxAge": "40h" } } })).await;
    scene.until_ready().await;
    assert!(is(&scene.get("Connector", "newer").await, "Ready", "False", "Unreadable"));

    scene.delete("Connector", "newer").await;
    assert_eq!(scene.get("Connector", "newer").await, Value::Null);
    scene.until_more_reads(1).await;
    assert_eq!(operator.get("/healthz").await, "ok\n");
    assert_eq!(operator.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_that_becomes_readable_again_goes_on_where_it_was() {
    let scene = scene_of(&settled(|_| {})).await;
    scene.apply_example().await;
    let _operator = scene.operator().await;
    let before = scene.until_ready().await;
    scene.patch("Connector", CONNECTOR, json!({ "spec": { "environments": { "types": ["Orbit"] } } })).await;
    let unreadable = scene.until_connector("Ready", "False", "Unreadable").await;
    assert_eq!(
        unreadable["status"]["connectorID"], before["status"]["connectorID"],
        "it is kept: it may be all there is"
    );
    scene.patch("Connector", CONNECTOR, json!({ "spec": { "environments": null } })).await;
    let after = scene.until_ready().await;
    assert_eq!(condition(&after, "Stalled"), &Value::Null);
    assert_eq!(after["status"]["connectorID"], before["status"]["connectorID"]);
    assert_eq!(scene.written(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_policy_says_so_and_stops_nobody_else() {
    let scene = scene_of(&settled(|_| {})).await;
    scene.apply_yaml(&scene.orbiting("ServiceAccountPolicy", "newer").to_string()).await;
    let of_newer = connector_yaml("of-newer", "dk-co", "keepit-api", "Nowhere").replace(POLICY, "newer");
    scene.apply_yaml(&of_newer).await;
    scene.apply_example().await;
    let _operator = scene.operator().await;
    let newer = scene.until_condition("ServiceAccountPolicy", "newer", "Ready", "False", "Unreadable").await;
    assert!(is(&newer, "Stalled", "True", "Unreadable"));
    scene.until_ready().await;
    let waits = scene
        .until("a word on the policy", "Connector", "of-newer", |connector| {
            !message(connector, "PolicySatisfied").is_empty()
        })
        .await;
    assert_ne!(condition(&waits, "PolicySatisfied")["status"], "True");
    let said = message(&waits, "PolicySatisfied");
    assert!(!said.contains("is not there"), "it is there: {said}");
    scene.delete("ServiceAccountPolicy", "newer").await;
    assert_eq!(scene.get("ServiceAccountPolicy", "newer").await, Value::Null);
}
