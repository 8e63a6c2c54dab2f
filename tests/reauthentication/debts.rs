//! What was given is taken back through crashes, and whatever becomes of the objects.

use backstay_world::Fault;
use serde_json::json;

use crate::harness::{ACCOUNT, CONNECTOR, GLOBAL_ADMINISTRATOR, POLICY, is, message};
use crate::{Rotation, elevation};

/// Up to the open window.
async fn opened(method: &str) -> (Rotation, crate::harness::Operator) {
    let rotation = Rotation::new(&elevation(method, "")).await;
    let operator = rotation.operator().await;
    rotation.connected().await;
    rotation.dies().await;
    rotation.begin().await;
    rotation.until_window("Open").await;
    assert!(rotation.elevated());
    (rotation, operator)
}

#[tokio::test(flavor = "multi_thread")]
async fn at_its_end_it_is_taken_back_though_the_objects_are_gone_suspended_or_allow_nothing() {
    for what in ["deleted", "suspended", "withdrawn", "lost"] {
        let (rotation, operator) = opened("RoleAssignment").await;
        operator.kill();
        let scene = &rotation.scene;
        match what {
            "deleted" => {
                scene.delete("Connector", CONNECTOR).await;
                scene.delete("ServiceAccountPolicy", POLICY).await;
            }
            "suspended" => {
                scene.patch("Connector", CONNECTOR, json!({ "spec": { "suspend": true } })).await;
                scene.patch("ServiceAccountPolicy", POLICY, json!({ "spec": { "suspend": true } })).await;
            }
            "withdrawn" => {
                scene.patch("ServiceAccountPolicy", POLICY, json!({ "spec": { "allowedActions": [] } })).await;
            }
            _ => scene.replace_status("ServiceAccountPolicy", POLICY, None).await,
        }
        rotation.let_it_end().await;
        let grants = if what == "withdrawn" { String::new() } else { rotation.grants() };
        let _operator = scene.operator_with(&grants, &[]).await;
        scene.until_true(&format!("the role to be taken back: {what}"), || !rotation.elevated()).await;
        let closed =
            |it: &serde_json::Value| it["data"]["entry.json"].as_str().is_some_and(|it| it.contains("\"Closed\""));
        scene
            .until(
                "the ledger to be cleared",
                "ConfigMap",
                &format!("backstay-elevation-{}", crate::ACCOUNT_ID),
                closed,
            )
            .await;
        if what == "suspended" {
            rotation.until_window("Closed").await;
        }
    }
}

/// Whoever stands by need not wait for the Lease: the window is theirs to serve at once.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_told_to_stop_in_the_middle_of_a_window_hands_it_over() {
    let (rotation, operator) = opened("RoleAssignment").await;
    assert_eq!(operator.stop().await, Some(0));
    let lease = rotation.scene.get("Lease", &format!("backstay.{}", rotation.scene.namespace)).await;
    assert_eq!(lease["spec"]["holderIdentity"].as_str().unwrap_or_default(), "", "{lease:#}");
    assert!(rotation.elevated(), "it is somebody else's turn now");
    let _operator = rotation.scene.operator_with(&rotation.grants(), &["--identity", "another"]).await;
    rotation.signs_in();
    rotation.settled().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_elevated_for_too_long_is_told_everywhere() {
    let (rotation, operator) = opened("RoleAssignment").await;
    operator.kill();
    let scene = &rotation.scene;
    rotation.can_not_be_taken_back();
    rotation.let_it_end().await;
    let operator = rotation.operator().await;
    let policy = scene.until_policy("Elevated", "True", "ElevationOverdue").await;
    assert!(is(&policy, "Ready", "False", "ElevationOverdue"), "{policy:#}");
    let policy = scene
        .until("the reason to be told", "ServiceAccountPolicy", POLICY, |it| {
            message(it, "Ready").contains("RoleManagement.ReadWrite.Directory")
        })
        .await;
    assert_eq!(policy["status"]["elevation"]["state"], "Overdue");
    assert!(scene.events().await.iter().any(|(reason, _)| reason == "ElevationOverdue"));
    assert!(operator.log().contains("an account is elevated for too long"));
    assert!(operator.get("/metrics").await.contains("backstay_elevations_overdue 1"));
    scene.world.clear_faults();
    rotation.until_window("Closed").await;
    assert!(!rotation.elevated());
    assert!(operator.get("/metrics").await.contains("backstay_elevations_overdue 0"));
}

/// The operator ends in the middle of a write, whatever it is, once for each write of a whole rotation: what comes out is the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_any_write_of_a_rotation_changes_nothing_about_its_end() {
    for method in ["RoleAssignment", "PrivilegedIdentityManagement"] {
        let rotation = Rotation::new(&elevation(method, ", maxWindowsPer30Days: 30")).await;
        let mut operator = rotation.operator().await;
        rotation.connected().await;
        // Given and taken back: each write of that is struck twice, once before it is done and once after.
        for (nth, applied) in [(0, false), (0, true), (1, false), (1, true)] {
            let scene = &rotation.scene;
            rotation.dies().await;
            let before = scene.world.writes().len();
            scene.world.fault(Fault {
                host: Some("graph.microsoft.com".into()),
                path: Some("/v1.0/roleManagement/directory/roleAssignment".into()),
                after: 0,
                hang: true,
                applied,
                times: Some(1),
                method: Some(if nth == 0 || method != "RoleAssignment" { "POST" } else { "DELETE" }.into()),
                ..Fault::default()
            });
            let struck = || scene.world.writes().len() > before;
            if nth == 1 && method != "RoleAssignment" {
                // The first POST gives, the second one takes back.
                scene.world.clear_faults();
            }
            rotation.begin().await;
            if nth == 1 {
                rotation.until_window("Open").await;
                scene.until_connector("PolicySatisfied", "True", "Satisfied").await;
                if method != "RoleAssignment" {
                    scene.world.fault(Fault {
                        host: Some("graph.microsoft.com".into()),
                        path: Some("/v1.0/roleManagement/directory/roleAssignmentScheduleRequests".into()),
                        method: Some("POST".into()),
                        hang: true,
                        applied,
                        times: Some(1),
                        ..Fault::default()
                    });
                }
                let given = scene.world.writes().len();
                rotation.signs_in();
                scene.until_true("the write that takes back", || scene.world.writes().len() > given).await;
            } else {
                scene.until_true("the write that gives", struck).await;
            }
            operator.kill();
            scene.world.clear_faults();
            operator = rotation.operator().await;
            if nth == 0 {
                rotation.until_window("Open").await;
                scene.until_connector("PolicySatisfied", "True", "Satisfied").await;
                rotation.signs_in();
            }
            rotation.settled().await;
        }
        operator.kill();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_gave_is_asked_back_though_the_policy_is_suspended() {
    let rotation = Rotation::new(&elevation("Manual", "")).await;
    let operator = rotation.operator().await;
    rotation.connected().await;
    rotation.dies().await;
    rotation.begin().await;
    rotation.until_window("Opening").await;
    let scene = &rotation.scene;
    scene.world.grant_directory_role(ACCOUNT, GLOBAL_ADMINISTRATOR).unwrap();
    rotation.until_window("Open").await;
    operator.kill();
    scene.patch("ServiceAccountPolicy", POLICY, json!({ "spec": { "suspend": true } })).await;
    rotation.let_it_end().await;
    let _operator = rotation.operator().await;
    let asked = scene
        .until("the role to be asked back", "ServiceAccountPolicy", POLICY, |it| {
            it["status"]["handOffs"][0]["name"] == "take-back-role"
        })
        .await;
    assert!(is(&asked, "Ready", "Unknown", "Suspended"), "{asked:#}");
    scene.world.remove_directory_role(ACCOUNT, GLOBAL_ADMINISTRATOR).unwrap();
    let closed = rotation.until_window("Closed").await;
    assert_eq!(closed["status"]["handOffs"], serde_json::Value::Null, "{closed:#}");
}
