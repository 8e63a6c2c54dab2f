//! Two accounts at one vendor: what happens to one is no matter of the other.

use backstay_world::{Call, Fault};
use serde_json::{Value, json};

use crate::harness::calls::{KEEPIT, at_keepit, connector_yaml, settled};
use crate::harness::{Scene, is};
use crate::scene_of;

const FINE: &str = "kp7a2b-c3d4e5-f6g7h8";
const DEAD: &str = "kpdead-c3d4e5-f6g7h8";
const COUNT: usize = 10;
const LOOKS: usize = 5;

const SECRET: &str = r#"{ apiVersion: v1, kind: Secret, metadata: { name: other-api, labels: { backstay.dev/use: "true" } },
  stringData: { username: other-token, password: other-password } }"#;

/// A Connector of one account, and ten of another one.
async fn scene() -> Scene {
    let scene = scene_of(&settled(|world| {
        let names = (0..COUNT).map(|number| at_keepit(&format!("Other {number}")));
        world["keepit"][0]["accounts"].as_array_mut().unwrap().push(json!({
            "id": DEAD, "name": "Other", "connectors": names.collect::<Vec<_>>(), "resources": [],
            "tokens": [
                { "login": "ops@contoso.com", "password": "x", "name": "Operations", "role": "BackupAdmin", "primary": true },
                { "login": "other-token", "password": "other-password", "name": "Other", "role": "MasterAdmin" },
            ],
        }));
    }))
    .await;
    scene.apply_yaml(SECRET).await;
    scene.apply_example().await;
    for number in 0..COUNT {
        let yaml = connector_yaml(&format!("o-{number}"), "dk-co", "other-api", &format!("Other {number}"));
        scene.apply_yaml(&yaml).await;
    }
    scene
}

/// What was asked of an account, look by look: the three lists of one are asked for at once, in no order.
fn looks(scene: &Scene, account: &str) -> Vec<Vec<String>> {
    let of = |call: &Call| {
        let rest = call.path.strip_prefix(&format!("/users/{account}/"))?.to_owned();
        ["devices", "devices/health", "monitoring/backup/summary"].contains(&rest.as_str()).then_some(rest)
    };
    let calls: Vec<String> = scene.world.calls().iter().filter_map(of).collect();
    let sorted = |look: &[String]| {
        let mut look = look.to_vec();
        look.sort();
        look
    };
    calls.chunks(3).filter(|look| look.len() == 3).map(sorted).collect()
}

/// The first looks at the account that is fine, and the status of its Connector afterwards.
async fn looked(scene: &Scene) -> (Vec<Vec<String>>, Value) {
    let so_far = looks(scene, FINE).len();
    scene.until_true("looks at the account that is fine", || looks(scene, FINE).len() >= so_far + LOOKS).await;
    (looks(scene, FINE)[so_far..so_far + LOOKS].to_vec(), scene.connector().await["status"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_dead_or_throttled_changes_nothing_for_another_one() {
    let scene = scene().await;
    let _operator = scene.operator().await;
    scene.until_all("all to be Ready", "Connector", COUNT + 1, |it| is(it, "Ready", "True", "Current")).await;
    let quiet = looked(&scene).await;
    // Told to leave it alone for so long, nobody would ask anything within the test if both had one queue.
    let throttled = [("retry-after".to_owned(), "600".to_owned())].into();
    for headers in [std::collections::BTreeMap::new(), throttled] {
        let fault = scene.world.fault(Fault {
            host: Some(KEEPIT.into()),
            path: Some(format!("/users/{DEAD}")),
            status: Some(503),
            headers,
            ..Fault::default()
        });
        let others = |it: &Value| {
            it["metadata"]["name"] == crate::harness::CONNECTOR || is(it, "Ready", "Unknown", "Unreachable")
        };
        scene.until_all("the others to be Unknown", "Connector", COUNT + 1, others).await;
        assert_eq!(looked(&scene).await, quiet);
        scene.world.clear_fault(fault);
    }
}
