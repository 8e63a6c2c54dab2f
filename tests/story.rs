//! The main story: a Connector becomes a working backup.

mod harness;

use harness::{ACCOUNT, AT_KEEPIT, GLOBAL_ADMINISTRATOR, Scene, finding, message};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_walks_from_nothing_to_ready_without_anyone_but_the_person_acting() {
    let scene = Scene::new().await;
    let _operator = scene.operator().await;
    scene.apply_example().await;

    let waiting = scene.until_connector("Ready", "False", "AwaitingPerson").await;
    let hand_off = &waiting["status"]["handOffs"][0];
    assert_eq!(hand_off["name"], "create-connector");
    assert!(message(&waiting, "Ready").contains(ACCOUNT));
    let policy = scene.until_policy("Ready", "False", "AwaitingPerson").await;
    assert_eq!(finding(&policy, "environment-member")["result"], "Fail");
    scene
        .until("the hand-off to name what is missing", "Connector", harness::CONNECTOR, |connector| {
            connector["status"]["handOffs"][0]["steps"][0].as_str().is_some_and(|step| step.starts_with("First mend"))
        })
        .await;

    scene.world.act("add-environment-user", json!({ "environment": "Contoso Test", "user": ACCOUNT })).unwrap();
    scene.until_policy("Ready", "True", "Satisfied").await;
    let id = scene.world.sign_in_for_connector("Contoso", AT_KEEPIT, "dynamics365", ACCOUNT).unwrap();
    let adopted = scene.until_connector("Provisioned", "True", "Adopted").await;
    assert_eq!(adopted["status"]["connectorID"], id.as_str());
    assert_eq!(adopted["status"]["handOffs"], serde_json::Value::Null);

    scene.world.finish_backup(&id).unwrap();
    let ready = scene.until_connector("Ready", "True", "Current").await;
    assert!(ready["status"]["lastBackup"]["completionTime"].is_string());
    assert_eq!(ready["status"]["authorization"]["state"], "Granted");
    let policy = scene.until_policy("Ready", "True", "Satisfied").await;
    assert_eq!(finding(&policy, "power-platform-administrator")["result"], "Pass");
    assert_eq!(finding(&policy, "no-global-administrator")["result"], "Pass");
    assert_eq!(finding(&policy, "system-administrator")["result"], "Pass");
    assert!(scene.world.grant_directory_role(ACCOUNT, GLOBAL_ADMINISTRATOR).is_ok(), "it was really gone");
}
