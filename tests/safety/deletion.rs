//! Deleting an object undoes nothing outside the cluster, and waits for nobody.

use backstay_world::Fault;
use serde_json::Value;

use crate::harness::calls::settled;
use crate::harness::{CONNECTOR, POLICY, Scene};
use crate::{scene, scene_of};

#[tokio::test(flavor = "multi_thread")]
async fn deleting_everything_leaves_microsoft_and_keepit_as_they_are() {
    let scene = scene().await;
    scene.play_the_person();
    scene.apply_example().await;
    let operator = scene.operator().await;
    scene.until_ready().await;
    let (before, written) = (scene.world.state(), scene.written());

    gone_at_once(&scene).await;
    scene.delete("Secret", "keepit-api").await;
    scene.delete("Secret", "entra-backstay").await;
    // Passes that had begun end before the process does.
    assert_eq!(operator.stop().await, Some(0));
    let _operator = scene.operator().await;
    assert_eq!(scene.world.state(), before);
    assert_eq!(scene.written(), written);
}

async fn gone_at_once(scene: &Scene) {
    for (kind, name) in [("Connector", CONNECTOR), ("ServiceAccountPolicy", POLICY)] {
        assert_eq!(scene.get(kind, name).await["metadata"]["finalizers"], Value::Null);
        scene.delete(kind, name).await;
        assert_eq!(scene.get(kind, name).await, Value::Null, "{name} is gone when the answer is there");
    }
}

fn everything_is_dead(scene: &Scene) {
    scene.world.fault(Fault { status: Some(503), ..Fault::default() });
}

#[tokio::test(flavor = "multi_thread")]
async fn deletion_is_immediate_while_everybody_outside_is_dead() {
    let scene = scene_of(&settled(|_| {})).await;
    scene.apply_example().await;
    let _operator = scene.operator().await;
    scene.until_ready().await;
    everything_is_dead(&scene);
    scene.until_asked(1, "a call that fails", |call| call.status == 503).await;
    gone_at_once(&scene).await;
    // What had begun may end; nothing begins any more.
    scene
        .until_true("the last call to be longer ago than the interval", || scene.quiet_for(|_| true).as_secs() >= 12)
        .await;
    assert_eq!(scene.written(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_goes_away_while_everybody_outside_is_dead() {
    let scene = scene_of(&settled(|_| {})).await;
    scene.apply_example().await;
    let _operator = scene.operator().await;
    scene.until_ready().await;
    everything_is_dead(&scene);
    scene.delete("Namespace", &scene.namespace).await;
    scene.until("the namespace to be gone", "Namespace", &scene.namespace, Value::is_null).await;
    assert_eq!(scene.written(), Vec::<String>::new());
}
