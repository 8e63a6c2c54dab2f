//! Why somebody is asked to sign in again, before anything stands still.

use serde_json::{Value, json};

use crate::harness::{ACCOUNT, AT_KEEPIT, CONNECTOR, is};
use crate::{Rotation, elevation};

fn causes(connector: &Value) -> Vec<&str> {
    let all = connector["status"]["reauthentication"]["causes"].as_array();
    all.into_iter().flatten().filter_map(Value::as_str).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_password_asks_once_and_a_new_sign_in_with_a_backup_answers_it() {
    let rotation = Rotation::new(&elevation("RoleAssignment", "")).await;
    let _operator = rotation.operator().await;
    rotation.connected().await;
    let scene = &rotation.scene;
    rotation.next_second().await;
    scene.world.act("change-password", json!({ "user": ACCOUNT })).unwrap();
    let asked = scene
        .until("somebody to be asked", "Connector", CONNECTOR, |it| {
            causes(it) == ["PasswordChanged"] && it["status"]["handOffs"][0]["name"] == "reauthenticate"
        })
        .await;
    assert!(is(&asked, "Authorized", "True", "ReauthenticationRequested"), "{asked:#}");
    assert!(is(&asked, "Ready", "False", "AwaitingPerson"), "{asked:#}");
    rotation.begin().await;
    rotation.until_window("Open").await;
    scene.world.reauthenticate(AT_KEEPIT, ACCOUNT).unwrap();
    rotation.done().await;
    rotation.next_second().await;
    scene.world.finish_backup(AT_KEEPIT).unwrap();
    rotation.settled().await;
    let sign_in = scene.connector().await["status"]["authorization"]["authorizedTime"].clone();
    assert!(sign_in.is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_due_soon_is_told_and_keeps_nobody_from_being_ready() {
    let rotation = Rotation::new(&elevation("RoleAssignment", "")).await;
    let _operator = rotation.operator().await;
    rotation.connected().await;
    let scene = &rotation.scene;
    // Two days ago somebody signed in.
    let days = |days: i64| jiff::SignedDuration::from_hours(24 * days);
    let mut status = scene.connector().await["status"].clone();
    status["authorization"]["authorizedTime"] = json!((jiff::Timestamp::now() - days(2)).to_string());
    scene.replace_status("Connector", CONNECTOR, Some(status)).await;
    let spec = json!({ "spec": { "reauthentication": { "everyDays": 10, "remindDays": 9 } } });
    scene.patch("Connector", CONNECTOR, spec).await;
    let soon = scene.until_connector("Ready", "True", "ReauthenticationRequested").await;
    assert_eq!(causes(&soon), ["Due"]);
    let due = soon["status"]["authorization"]["dueDate"].as_str().unwrap();
    assert_eq!(due, (jiff::Timestamp::now() + days(8)).strftime("%Y-%m-%d").to_string());
    assert_eq!(soon["status"]["handOffs"][0]["dueDate"], due);
    assert_eq!(soon["status"]["authorization"]["state"], "Expiring");

    // Whoever asks for it less often is asked for nothing now.
    let spec = json!({ "spec": { "reauthentication": { "everyDays": 100, "remindDays": 9 } } });
    scene.patch("Connector", CONNECTOR, spec).await;
    scene.until_connector("Ready", "True", "Current").await;
    assert!(!rotation.elevated());
}
