//! Keepit: a Connector that is deleted, and what becomes of its connector there.

use backstay_world::{Call, Fault};
use serde_json::{Value, json};

use crate::harness::calls::{KEEPIT, at_keepit};
use crate::harness::{AT_KEEPIT, CONNECTOR, Operator, Scene, is, message};
use crate::keepit::{apply, changes, grants, planned, with};

const FINALIZER: &str = "backstay.dev/vendor-connector";
const RELEASE: &str = "backstay.dev/release-deletion";

fn deletes(call: &Call) -> bool {
    changes(call) && call.method == "DELETE"
}

fn held(object: &Value) -> bool {
    object["metadata"]["finalizers"].as_array().is_some_and(|all| all.contains(&json!(FINALIZER)))
}

/// Ready, and to be deleted with its connector.
async fn ready(scene: &Scene, actions: &str, arguments: &[&str]) -> Operator {
    let operator = scene.operator_with(&grants(scene, actions), arguments).await;
    apply(scene, &json!({ "deletionPolicy": "Delete", "allowedActions": ["Delete"] })).await;
    scene.until_ready().await;
    scene.until("the finalizer", "Connector", CONNECTOR, held).await;
    operator
}

async fn until_gone(scene: &Scene) {
    scene.until("it to be gone", "Connector", CONNECTOR, Value::is_null).await;
}

async fn retained_for(scene: &Scene, why: &str) {
    let said = scene.events().await;
    let told = |(reason, sentence): &(String, String)| reason == "Retained" && sentence.contains(why);
    assert!(said.iter().any(told), "{said:?}");
    assert_eq!(scene.asked(deletes), 0, "{:?}", scene.written());
}

#[tokio::test(flavor = "multi_thread")]
async fn where_it_is_declared_the_connector_goes_first_and_once() {
    let scene = Scene::with_world(&with(&[at_keepit(AT_KEEPIT)])).await;
    let _operator = ready(&scene, "Delete", &[]).await;
    scene.delete("Connector", CONNECTOR).await;
    until_gone(&scene).await;
    assert_eq!(scene.asked(deletes), 1, "{:?}", scene.written());
    let state = scene.world.state();
    let deadline = &state["keepit"][0]["accounts"][0]["connectors"][0]["deletion_deadline"];
    assert!(deadline.is_string(), "{state:#}");
    let events = scene.events().await;
    assert!(events.iter().any(|(reason, said)| reason == "Deleted" && said.contains(AT_KEEPIT)), "{events:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_changes_their_mind_keeps_it() {
    let scene = Scene::with_world(&with(&[at_keepit(AT_KEEPIT)])).await;
    let _operator = ready(&scene, "Delete", &[]).await;
    scene.patch("Connector", CONNECTOR, json!({ "spec": { "deletionPolicy": "Retain" } })).await;
    scene.until("the finalizer to be gone", "Connector", CONNECTOR, |it| !held(it)).await;
    scene.delete("Connector", CONNECTOR).await;
    assert_eq!(scene.get("Connector", CONNECTOR).await, Value::Null);
    assert_eq!(scene.asked(deletes), 0, "{:?}", scene.written());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_grant_a_secret_or_while_suspended_nothing_pins_the_object() {
    let scene = Scene::with_world(&with(&[at_keepit(AT_KEEPIT)])).await;
    let operator = ready(&scene, "Delete", &[]).await;
    // The grant was taken back.
    assert_eq!(operator.stop().await, Some(0));
    let operator = scene.operator().await;
    scene.patch("Connector", CONNECTOR, json!({ "spec": { "suspend": true } })).await;
    scene.delete("Connector", CONNECTOR).await;
    until_gone(&scene).await;
    retained_for(&scene, "no grant of the installation covers Delete").await;
    // Its Secret went with it, and its policy before.
    assert_eq!(operator.stop().await, Some(0));
    let _operator = ready(&scene, "Delete", &[]).await;
    scene.delete("ServiceAccountPolicy", crate::harness::POLICY).await;
    scene.delete("Secret", "keepit-api").await;
    scene.delete("Connector", CONNECTOR).await;
    until_gone(&scene).await;
    retained_for(&scene, "keepit-api").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_vendor_is_waited_for_and_not_for_ever() {
    let scene = Scene::with_world(&with(&[at_keepit(AT_KEEPIT)])).await;
    let operator = ready(&scene, "Delete", &[]).await;
    scene.world.fault(Fault { host: Some(KEEPIT.into()), status: Some(503), ..Fault::default() });
    scene.delete("Connector", CONNECTOR).await;
    let waits = scene.until_connector("Ready", "Unknown", "Unreachable").await;
    assert!(message(&waits, "Ready").contains("the connector is left there"), "{waits:#}");
    assert_eq!(operator.stop().await, Some(0));
    let _operator = scene.operator_with(&grants(&scene, "Delete"), &["--deletion-patience", "1s"]).await;
    until_gone(&scene).await;
    retained_for(&scene, "The connector stays at Keepit").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vendor_that_comes_back_deletes_it_after_all() {
    let scene = Scene::with_world(&with(&[at_keepit(AT_KEEPIT)])).await;
    let _operator = ready(&scene, "Delete", &[]).await;
    scene.world.fault(Fault { host: Some(KEEPIT.into()), status: Some(503), ..Fault::default() });
    scene.delete("Connector", CONNECTOR).await;
    scene.until_connector("Ready", "Unknown", "Unreachable").await;
    scene.world.clear_faults();
    until_gone(&scene).await;
    assert_eq!(scene.asked(deletes), 1, "{:?}", scene.written());
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_a_few_at_once_are_held_until_each_is_released_by_a_time() {
    let names = ["a", "b", "c"];
    let world = with(&names.map(at_keepit));
    let scene = Scene::with_world(&world).await;
    let arguments = ["--deletions-per-minute", "1"];
    let _operator = scene.operator_with(&grants(&scene, "Delete"), &arguments).await;
    scene.apply_secrets().await;
    scene.apply_yaml(&scene.policy_yaml()).await;
    for name in names {
        let mut connector: Value = serde_yaml::from_str(&scene.connector_yaml()).unwrap();
        connector["metadata"]["name"] = json!(name);
        connector["spec"]["vendor"]["keepit"]["name"] = json!(name);
        connector["spec"]["deletionPolicy"] = json!("Delete");
        connector["spec"]["allowedActions"] = json!(["Delete"]);
        scene.apply_yaml(&connector.to_string()).await;
    }
    for name in names {
        scene.until_condition("Connector", name, "Ready", "True", "Current").await;
        scene.until("the finalizer", "Connector", name, held).await;
    }
    // The first is alone; the other two are one too many within the minute.
    scene.delete("Connector", "a").await;
    scene.until("the first to be gone", "Connector", "a", Value::is_null).await;
    for name in ["b", "c"] {
        scene.delete("Connector", name).await;
    }
    for name in ["b", "c"] {
        let held = scene.until_condition("Connector", name, "Ready", "False", "DeletionHeld").await;
        assert!(
            message(&held, "Ready").contains(&format!("kubectl annotate connector -n {} {name}", scene.namespace)),
            "{held:#}"
        );
        assert_eq!(planned(&held), [("Delete".to_owned(), "NotYet".to_owned())]);
    }
    assert_eq!(scene.asked(deletes), 1, "{:?}", scene.written());
    // Nor does it go on when the vendor has not answered for a while, or the operator was started anew.
    let dead = scene.world.fault(Fault { host: Some(KEEPIT.into()), status: Some(503), ..Fault::default() });
    scene.patch("Connector", "c", json!({ "metadata": { "labels": { "look": "again" } } })).await;
    scene.until_asked(2, "calls that fail", |call| call.status == 503).await;
    scene.world.clear_fault(dead);
    scene.patch("Connector", "c", json!({ "metadata": { "labels": { "look": "once-more" } } })).await;
    scene.until_asked(1, "looks at Keepit", crate::harness::calls::lists_connectors).await;
    assert!(is(&scene.get("Connector", "c").await, "Ready", "False", "DeletionHeld"));
    // A word that could stay in Git for ever releases nothing.
    let release = |said: &str| json!({ "metadata": { "annotations": { RELEASE: said } } });
    for said in ["true", "2026-01-01T00:00:00Z", "2100-01-01T00:00:00Z"] {
        scene.patch("Connector", "b", release(said)).await;
        scene.until_asked(1, "looks at Keepit", crate::harness::calls::lists_connectors).await;
        assert!(is(&scene.get("Connector", "b").await, "Ready", "False", "DeletionHeld"));
    }
    let now = jiff::Timestamp::now().to_string();
    scene.patch("Connector", "b", release(&now)).await;
    scene.until("the released one to be gone", "Connector", "b", Value::is_null).await;
    scene.patch("Connector", "c", json!({ "spec": { "deletionPolicy": "Retain" } })).await;
    scene.until("the other one to be let go", "Connector", "c", Value::is_null).await;
    assert_eq!(scene.asked(deletes), 2, "{:?}", scene.written());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_that_could_never_be_done_is_refused_when_it_is_declared() {
    let scene = Scene::with_world(&with(&[])).await;
    let with = |more: &str| format!("{}{more}", scene.connector_yaml());
    let fluent = crate::harness::example_of("fluentpro-dataverse", "3-connector.yaml");
    for yaml in [
        with("  deletionPolicy: Delete\n"),
        with("  deletionPolicy: Delete\n  allowedActions: [Create]\n"),
        format!("{fluent}  deletionPolicy: Delete\n  allowedActions: [Delete]\n"),
    ] {
        let said = scene.try_apply(&yaml).await.unwrap_err();
        assert!(said.contains("deletionPolicy Delete is for Keepit, and needs Delete in allowedActions"), "{said}");
    }
}
