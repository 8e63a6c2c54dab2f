//! Each alert of the chart is true in its story and in no other: a real Prometheus scrapes the operator, and is asked.

use backstay_world::Fault;
use serde_json::json;

use crate::harness::calls::{KEEPIT, connector_yaml, settled};
use crate::harness::prometheus::Prometheus;
use crate::harness::{CONNECTOR, POLICY, Scene};
use crate::{Rotation, elevation};

const OTHER: &str = "not-there-yet";
/// What all stories have: the backup that is there grows old, if nothing comes.
const DAYS_LATER: (&str, &[&str]) = ("BackstayBackupTooOld", &[CONNECTOR]);

#[tokio::test(flavor = "multi_thread")]
async fn each_alert_is_true_in_its_story_and_in_no_other() {
    let rotation = Rotation::new(&elevation("RoleAssignment", "")).await;
    let scene = &rotation.scene;
    let Some(prometheus) = Prometheus::start(&scene.folder).await else { return };
    prometheus.until_alerts(0, &[("BackstayDown", &[""])]).await;
    let operator = rotation.operator().await;
    rotation.connected().await;
    prometheus.watch(&operator).await;
    prometheus.until_alerts(0, &[]).await;
    prometheus.until_alerts(35, &[]).await;
    prometheus.until_alerts(37, &[DAYS_LATER]).await;

    // Somebody has to sign in every thirty days.
    let due = json!({ "spec": { "reauthentication": { "everyDays": 30, "remindDays": 1 } } });
    scene.patch("Connector", CONNECTOR, due).await;
    prometheus.until_alerts(26 * 24, &[DAYS_LATER]).await;
    prometheus.until_alerts(28 * 24, &[("BackstayAuthorizationDue", &[CONNECTOR]), DAYS_LATER]).await;
    scene.patch("Connector", CONNECTOR, json!({ "spec": { "reauthentication": null } })).await;

    let expires = |day: &str| json!({ "metadata": { "annotations": { "backstay.dev/expires": day } } });
    let in_ten_days = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(240)).strftime("%Y-%m-%d").to_string();
    scene.patch("Secret", "entra-backstay", expires(&in_ten_days)).await;
    prometheus.until_alerts(0, &[("BackstayCredentialEnds", &["ServiceAccountPolicy"])]).await;
    scene.patch("Secret", "entra-backstay", expires("2099-12-31")).await;
    prometheus.until_alerts(0, &[]).await;

    // A Connector that waits for a person, as its policy does, and has no backup before they come.
    scene.apply_yaml(&connector_yaml(OTHER, "dk-co", "keepit-api", "Not there yet")).await;
    let no_backup: (&str, &[&str]) = ("BackstayNoBackup", &[OTHER]);
    prometheus.until_alerts(0, &[no_backup]).await;
    prometheus.until_alerts(47, &[DAYS_LATER, no_backup]).await;
    prometheus.until_alerts(49, &[DAYS_LATER, ("BackstayHandOffWaits", &[POLICY, OTHER]), no_backup]).await;
    scene.delete("Connector", OTHER).await;
    prometheus.until_alerts(49, &[DAYS_LATER]).await;

    // What was given can't be taken back.
    rotation.dies().await;
    rotation.begin().await;
    rotation.until_window("Open").await;
    assert_eq!(operator.stop().await, Some(0));
    prometheus.until_alerts(0, &[("BackstayDown", &[""])]).await;
    rotation.can_not_be_taken_back();
    rotation.let_it_end().await;
    let operator = rotation.operator().await;
    prometheus.watch(&operator).await;
    scene.until_policy("Ready", "False", "ElevationOverdue").await;
    let overdue: (&str, &[&str]) = ("BackstayElevationOverdue", &[""]);
    prometheus.until_alerts(0, &[overdue, ("BackstayNotReady", &[POLICY])]).await;
    scene.world.clear_faults();
    rotation.until_window("Closed").await;
    prometheus.until_alerts(0, &[]).await;
    rotation.begin().await;
    rotation.until_window("Open").await;
    rotation.signs_in();
    rotation.settled().await;

    // Nobody but whoever runs this can mend what is wrong.
    scene.patch("Connector", CONNECTOR, json!({ "spec": { "policyRef": { "name": "misspelt" } } })).await;
    prometheus.until_alerts(0, &[("BackstayNotReady", &[CONNECTOR])]).await;
    scene.patch("Connector", CONNECTOR, json!({ "spec": { "policyRef": { "name": POLICY } } })).await;
    prometheus.until_alerts(0, &[]).await;

    let stories = [
        "BackstayAuthorizationDue",
        "BackstayBackupTooOld",
        "BackstayCredentialEnds",
        "BackstayDown",
        "BackstayElevationOverdue",
        "BackstayHandOffWaits",
        "BackstayNoBackup",
        "BackstayNotReady",
        "BackstayRequestsFail",
    ];
    assert_eq!(prometheus.names(), stories, "an alert without a story");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_fail_more_often_than_not_are_an_alert() {
    let scene = Scene::with_world(&settled(|_| {})).await;
    let Some(prometheus) = Prometheus::start(&scene.folder).await else { return };
    scene.world.fault(Fault { host: Some(KEEPIT.into()), status: Some(503), ..Fault::default() });
    let operator = scene.operator().await;
    prometheus.watch(&operator).await;
    scene.apply_example().await;
    let (no_backup, not_ready) = ("BackstayNoBackup", "BackstayNotReady");
    let fail = ("BackstayRequestsFail", &["Keepit"][..]);
    prometheus.until_alerts(0, &[(no_backup, &[CONNECTOR]), (not_ready, &[CONNECTOR, POLICY]), fail]).await;
}
