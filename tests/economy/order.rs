//! In which order things are applied, and how often, is all the same.

use serde_json::{Value, json};

use crate::harness::calls::settled;
use crate::harness::{CONNECTOR, POLICY, Scene, example, is};
use crate::{scene_of, settled_scene};

#[tokio::test(flavor = "multi_thread")]
async fn any_order_of_applying_ends_in_the_same_state() {
    let mut ends = Vec::new();
    for backwards in [false, true] {
        let scene = scene_of(&settled(|_| {})).await;
        let _operator = scene.operator().await;
        let (policy, connector) = (scene.policy_yaml(), scene.connector_yaml());
        let secrets = example("1-secrets.yaml");
        if backwards {
            scene.apply_yaml(&connector).await;
            let waits = scene.until_connector("Ready", "False", "DependencyMissing").await;
            assert!(is(&waits, "Reconciling", "True", "DependencyMissing"), "{}", waits["status"]);
            scene.apply_yaml(&policy).await;
            scene.until_policy("Ready", "False", "DependencyMissing").await;
            scene.apply_yaml(&secrets).await;
        } else {
            for yaml in [&secrets, &policy, &connector] {
                scene.apply_yaml(yaml).await;
            }
        }
        scene.until_ready().await;
        ends.push([
            timeless(&scene, "Connector", CONNECTOR).await,
            timeless(&scene, "ServiceAccountPolicy", POLICY).await,
        ]);
    }
    assert_eq!(ends[0], ends[1]);
}

/// A status without what differs from one scene to another: times and uids.
async fn timeless(scene: &Scene, kind: &str, name: &str) -> Value {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(all) => {
                all.retain(|key, _| !key.ends_with("Time") && key != "uid");
                all.values_mut().for_each(strip);
            }
            Value::Array(all) => all.iter_mut().for_each(strip),
            _ => {}
        }
    }
    let mut status = scene.get(kind, name).await["status"].clone();
    strip(&mut status);
    status
}

#[tokio::test(flavor = "multi_thread")]
async fn applying_again_what_is_there_changes_nothing() {
    let scene = settled_scene().await;
    let _operator = scene.operator().await;
    scene.until_ready().await;
    for (kind, name, yaml) in
        [("Connector", CONNECTOR, scene.connector_yaml()), ("ServiceAccountPolicy", POLICY, scene.policy_yaml())]
    {
        let before = scene.get(kind, name).await;
        assert_eq!(before["metadata"]["generation"], 1);
        scene.apply_yaml(&yaml).await;
        // And as it is stored, with all that the API server filled in.
        let mut stored = before.clone();
        stored["metadata"] = json!({ "name": name });
        stored.as_object_mut().unwrap().remove("status");
        scene.apply_yaml(&stored.to_string()).await;
        let after = scene.get(kind, name).await;
        assert_eq!(after["metadata"]["generation"], 1, "{name}");
        assert_eq!(after["spec"], before["spec"], "{name}");
        assert_eq!(after["status"], before["status"], "{name}");
    }
}
