//! A look that somebody asks for: everything is read anew, once, and it is said when that is through.

use serde_json::json;

use crate::harness::calls::{lists_connectors, reads_roles};
use crate::harness::{CONNECTOR, POLICY};
use crate::settled_scene;

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_a_look_gets_a_fresh_one_and_is_told_when_it_is_through() {
    let scene = settled_scene().await;
    let _operator = scene.operator().await;
    scene.until_ready().await;
    // Nothing comes by itself from here on.
    for (kind, name) in [("Connector", CONNECTOR), ("ServiceAccountPolicy", POLICY)] {
        scene.patch(kind, name, json!({ "spec": { "interval": "24h" } })).await;
        scene.until("the new spec to be seen", kind, name, |it| it["status"]["observedGeneration"] == 2).await;
    }
    for (kind, name) in [("ServiceAccountPolicy", POLICY), ("Connector", CONNECTOR)] {
        let (lists, roles) = (scene.asked(lists_connectors), scene.asked(reads_roles));
        let ask = async |token: &str| {
            let marks = json!({ "metadata": { "annotations": { "backstay.dev/requestedAt": token } } });
            scene.patch(kind, name, marks).await;
        };
        ask("a token, which need not be a time").await;
        let handled =
            |token: &'static str| move |it: &serde_json::Value| it["status"]["lastHandledReconcileAt"] == token;
        scene.until("the look", kind, name, handled("a token, which need not be a time")).await;
        let anew =
            if kind == "Connector" { scene.asked(lists_connectors) > lists } else { scene.asked(reads_roles) > roles };
        assert!(anew, "{kind} was read anew");

        // A suspended one is not looked at, and does not say that it was.
        scene.patch(kind, name, json!({ "spec": { "suspend": true } })).await;
        ask("another").await;
        let asleep = scene
            .until("it to rest", kind, name, |it| it["status"]["observedGeneration"] == it["metadata"]["generation"])
            .await;
        assert_eq!(asleep["status"]["lastHandledReconcileAt"], "a token, which need not be a time");
        scene.patch(kind, name, json!({ "spec": { "suspend": false } })).await;
        scene.until("the look", kind, name, handled("another")).await;
    }
}
