//! What somebody begins: once, together with who needs it too, and not at any hour.

use serde_json::{Value, json};

use crate::harness::{AT_KEEPIT, CONNECTOR, POLICY, Scene, is};
use crate::{Rotation, elevation};

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_ask_begin_tell_the_steps_and_end() {
    let rotation = Rotation::new(&elevation("RoleAssignment", "")).await;
    let _operator = rotation.operator().await;
    rotation.connected().await;
    let scene = &rotation.scene;
    let said = |verb: &str| scene.backstay(&[verb, CONNECTOR, "-n", &scene.namespace], "");

    let refused = said("begin");
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.err.contains("nobody is asked") && refused.err.contains("kubectl backstay reauthenticate"),
        "{}",
        refused.err
    );
    let unknown = scene.backstay(&["begin", "nobody", "-n", &scene.namespace], "");
    assert!(unknown.err.contains("there is no Connector nobody"), "{}", unknown.err);

    rotation.next_second().await;
    assert_eq!(said("reauthenticate").code, Some(0));
    scene
        .until("somebody to be asked", "Connector", CONNECTOR, |it| {
            it["status"]["reauthentication"]["causes"] == json!(["Asked"])
                && it["status"]["authorization"]["state"] == "Expiring"
        })
        .await;
    assert!(!rotation.elevated());
    let begun = said("begin");
    assert_eq!(begun.code, Some(0), "{}", begun.err);
    assert!(
        begun.out.contains("holds what it needs until") && begun.out.contains("Authenticate (key)"),
        "{}",
        begun.out
    );
    assert!(rotation.elevated());
    scene.world.reauthenticate(AT_KEEPIT, crate::harness::ACCOUNT).unwrap();
    assert_eq!(said("done").code, Some(0));
    rotation.until_window("Closed").await;
    let waiting = scene.connector().await;
    assert_eq!(
        waiting["status"]["reauthentication"]["state"], "AwaitingEvidence",
        "an old backup proves nothing: {waiting:#}"
    );
    rotation.next_second().await;
    scene.world.finish_backup(AT_KEEPIT).unwrap();
    rotation.settled().await;

    // What was said then is no answer to what is asked now.
    rotation.next_second().await;
    assert_eq!(said("reauthenticate").code, Some(0));
    let asked = scene
        .until("somebody to be asked again", "Connector", CONNECTOR, |it| {
            it["status"]["reauthentication"]["state"] == "Requested"
        })
        .await;
    assert!(asked["status"]["handOffs"][0]["steps"][0].as_str().unwrap().starts_with("Begin when"), "{asked:#}");
    let marks = json!({ "metadata": { "annotations": { "backstay.dev/begin": "now" } } });
    scene.patch("Connector", CONNECTOR, marks).await;
    scene
        .until("to be told that this is no time", "Connector", CONNECTOR, |it| {
            let message = it["status"]["reauthentication"]["message"].as_str().unwrap_or_default();
            message.contains("the annotation backstay.dev/begin says no time")
        })
        .await;
    assert_eq!(said("begin").code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn at_another_hour_or_too_often_it_is_refused_with_the_next_opening() {
    let hours = ", hours: { timeZone: UTC, from: '00:00', until: '00:01', days: [%] }";
    // A day that is neither today nor yesterday.
    let day = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(72)).strftime("%A").to_string();
    let rotation = Rotation::new(&elevation("RoleAssignment", &hours.replace('%', &day))).await;
    let _operator = rotation.operator().await;
    rotation.connected().await;
    rotation.dies().await;
    let scene = &rotation.scene;
    let refused = scene.backstay(&["begin", CONNECTOR, "-n", &scene.namespace], "");
    assert_eq!(refused.code, Some(1), "{}", refused.out);
    assert!(refused.err.contains("spec.elevation.hours") && refused.err.contains("next opening is"), "{}", refused.err);
    assert!(!rotation.elevated());
    let connector = scene.connector().await;
    assert_eq!(connector["status"]["reauthentication"]["state"], "Requested");
    assert!(
        connector["status"]["handOffs"][0]["steps"][0].as_str().unwrap().contains("next opening is"),
        "{connector:#}"
    );

    // At any hour, but once in thirty days.
    let elevation =
        json!({ "method": "RoleAssignment", "window": "15m", "maxWindowsPer30Days": 1, "hours": Value::Null });
    scene.patch("ServiceAccountPolicy", POLICY, json!({ "spec": { "elevation": elevation } })).await;
    assert!(!rotation.elevated(), "what was refused is not done later by itself");
    let begun = scene.backstay(&["begin", CONNECTOR, "-n", &scene.namespace], "");
    assert_eq!(begun.code, Some(0), "{}", begun.err);
    rotation.signs_in();
    rotation.settled().await;
    rotation.dies().await;
    let refused = scene.backstay(&["begin", CONNECTOR, "-n", &scene.namespace], "");
    assert!(refused.err.contains("maxWindowsPer30Days"), "{}", refused.err);
    assert!(!rotation.elevated());
}

/// A second Connector of the same account, at the same vendor account.
fn another(scene: &Scene) -> String {
    scene
        .connector_yaml()
        .replace("name: contoso-power-platform", "name: second")
        .replace("      name: Contoso Power Platform", "      name: Second")
}

#[tokio::test(flavor = "multi_thread")]
async fn who_needs_it_too_joins_and_the_window_stays_until_the_last_is_done() {
    let rotation = Rotation::new(&elevation("RoleAssignment", "")).await;
    let _operator = rotation.operator().await;
    rotation.connected().await;
    let scene = &rotation.scene;
    scene.apply_yaml(&another(scene)).await;
    scene.until_condition("Connector", "second", "Ready", "False", "AwaitingPerson").await;
    scene.world.grant_directory_role(crate::harness::ACCOUNT, crate::harness::GLOBAL_ADMINISTRATOR).unwrap();
    scene.world.sign_in_for_connector("Contoso", "Second", "dynamics365", crate::harness::ACCOUNT).unwrap();
    scene.world.finish_backup("Second").unwrap();
    scene.until_condition("Connector", "second", "Ready", "True", "Current").await;
    scene.until_true("the role of the set-up to go", || !rotation.elevated()).await;

    rotation.next_second().await;
    for name in [CONNECTOR, "second"] {
        let asked = json!({ "metadata": { "annotations": { "backstay.dev/reauthenticate": now() } } });
        scene.patch("Connector", name, asked).await;
        scene
            .until("somebody to be asked", "Connector", name, |it| {
                it["status"]["reauthentication"]["state"] == "Requested"
            })
            .await;
    }
    rotation.begin().await;
    scene
        .until("the other to join", "Connector", "second", |it| it["status"]["reauthentication"]["state"] == "Begun")
        .await;
    scene
        .until("both to be in one window", "ServiceAccountPolicy", POLICY, |it| {
            it["status"]["elevation"]["connectors"].as_array().is_some_and(|all| all.len() == 2)
        })
        .await;
    rotation.until_window("Open").await;
    rotation.done().await;
    scene
        .until("one to be done", "Connector", CONNECTOR, |it| {
            it["status"]["reauthentication"]["state"] == "AwaitingEvidence"
        })
        .await;
    assert!(is(&scene.policy().await, "Elevated", "True", "WindowOpen"), "the other is still at it");
    scene.patch("Connector", "second", json!({ "metadata": { "annotations": { "backstay.dev/done": now() } } })).await;
    rotation.until_window("Closed").await;
    assert!(!rotation.elevated());
    assert_eq!(rotation.ledger().await["windows"].as_array().unwrap().len(), 1);
}

fn now() -> String {
    jiff::Timestamp::from_second(jiff::Timestamp::now().as_second()).unwrap().to_string()
}
