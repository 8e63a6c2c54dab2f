//! What a Connector says while its policy waits for a person, and once that policy has lost its account.

use serde_json::{Value, json};

use super::harness::calls::settled;
use super::harness::{ACCOUNT, CONNECTOR, POLICY, Scene, condition, is, message};
use super::{refused, says, with};

const ALLOWED: &str = "  allowedActions: [DirectoryRoles, SecurityRoles, SelfEnrollment]\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_whose_policy_waits_for_a_person_says_where_that_persons_steps_are() {
    let scene = Scene::with_world(&settled(|_| {})).await;
    let _operator = scene.operator().await;
    scene.apply_secrets().await;
    scene.apply_yaml(&with(&scene.policy_yaml(), ALLOWED, "")).await;
    scene.apply_yaml(&scene.connector_yaml()).await;
    scene.until_ready().await;

    scene.world.remove_directory_role(ACCOUNT, "Power Platform Administrator").unwrap();
    let pointed = format!("see status.handOffs of ServiceAccountPolicy {POLICY}");
    let connector = scene
        .until("where to look", "Connector", CONNECTOR, |connector| message(connector, "Ready").contains(&pointed))
        .await;
    assert!(is(&connector, "Ready", "False", "PolicyAwaitsPerson"), "{}", condition(&connector, "Ready"));
    says(message(&connector, "Ready"), &["Power Platform Administrator"]);
    assert_eq!(connector["status"]["handOffs"], Value::Null, "what it asks for itself is nothing");
    assert_eq!(scene.policy().await["status"]["handOffs"][0]["name"], "directory-roles");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_told_any_more_to_sign_in_as_an_account_that_the_policy_has_lost() {
    let scene = Scene::new().await;
    let _operator = scene.operator().await;
    scene.apply_example().await;
    let waiting = scene.until_connector("Ready", "False", "AwaitingPerson").await;
    assert_eq!(waiting["status"]["handOffs"][0]["name"], "create-connector");

    scene.world.act("replace-user", json!({ "user": ACCOUNT })).unwrap();
    scene.until_policy("Ready", "False", "AccountChanged").await;
    let connector = scene.until_connector("Ready", "False", "AccountChanged").await;
    refused(&connector, "AccountChanged", &[POLICY, "sign in"]);
    assert_eq!(connector["status"]["handOffs"], Value::Null);
    assert!(is(&connector, "Provisioned", "False", "NotFound"), "the vendor is asked all the same");
    let told = scene.events().await;
    assert!(!told.iter().any(|(reason, _)| reason == "HandOffDone"), "it was taken back, not done: {told:?}");
}
