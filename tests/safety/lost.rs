//! A connector that somebody deletes at the vendor: what can't be seen of it any more is Unknown, and what was known stays.

use serde_json::{Value, json};

use crate::harness::calls::settled;
use crate::harness::{AT_KEEPIT, condition, is};
use crate::scene_of;

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_that_is_deleted_at_the_vendor_makes_its_backups_unknown_and_keeps_the_last_one_that_was_seen() {
    let scene = scene_of(&settled(|_| {})).await;
    let _operator = scene.operator().await;
    scene.apply_example().await;
    let before = scene.until_ready().await;
    assert!(before["status"]["lastBackup"]["completionTime"].is_string());

    scene.world.act("delete-connector", json!({ "connector": AT_KEEPIT })).unwrap();
    let gone = scene.until_connector("Provisioned", "False", "Deleting").await;
    assert!(is(&gone, "BackupCurrent", "Unknown", "NotObservable"), "{}", condition(&gone, "BackupCurrent"));
    assert!(is(&gone, "Ready", "False", "AwaitingPerson"), "{}", condition(&gone, "Ready"));
    for kept in ["lastBackup", "connectorID", "account"] {
        assert_eq!(gone["status"][kept], before["status"][kept], "{kept}");
    }

    scene.world.act("restore-connector", json!({ "connector": AT_KEEPIT })).unwrap();
    let back = scene.until_ready().await;
    assert_eq!(back["status"]["handOffs"], Value::Null);
}
