//! A vendor that is dead for a while.

use backstay_world::{Call, Fault};
use serde_json::{Value, json};

use crate::harness::calls::{KEEPIT, asked_at, at_keepit, connector_yaml, lists_connectors, settled};
use crate::harness::{condition, is, message};
use crate::scene_of;

const COUNT: usize = 20;

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_vendor_makes_everything_unknown_loses_nothing_and_is_asked_no_more_than_it_bears() {
    let world = settled(|world| {
        let connectors: Vec<Value> = (0..COUNT).map(|number| at_keepit(&format!("Keepit {number}"))).collect();
        world["keepit"][0]["accounts"][0]["connectors"] = json!(connectors);
    });
    let scene = scene_of(&world).await;
    scene.apply_secrets().await;
    scene.apply_yaml(&scene.policy_yaml()).await;
    for number in 0..COUNT {
        let yaml = connector_yaml(&format!("c-{number}"), "dk-co", "keepit-api", &format!("Keepit {number}"));
        scene.apply_yaml(&yaml).await;
    }
    let _operator = scene.operator().await;
    let ready = |connector: &Value| is(connector, "Ready", "True", "Current");
    scene.until_all("all to be Ready", "Connector", COUNT, ready).await;
    let before = scene.get("Connector", "c-7").await;

    let fault = scene.world.fault(Fault { host: Some(KEEPIT.into()), status: Some(503), ..Fault::default() });
    let unreachable = |connector: &Value| is(connector, "Ready", "Unknown", "Unreachable");
    scene.until_all("all to be Unknown", "Connector", COUNT, unreachable).await;
    let dead = scene.get("Connector", "c-7").await;
    for kind in ["Provisioned", "Authorized", "BackupCurrent"] {
        assert_eq!(condition(&dead, kind)["status"], "Unknown", "{kind}");
    }
    assert!(message(&dead, "Ready").contains("Keepit"), "{}", message(&dead, "Ready"));
    for kept in ["connectorID", "account", "lastBackup"] {
        assert_eq!(dead["status"][kept], before["status"][kept], "{kept}");
    }
    assert_eq!(dead["status"]["handOffs"], Value::Null, "nobody is asked to do anything about it");

    // All of them look every second. For all together the list is read at most every half a second, with two more tries.
    scene.world.clear_calls();
    scene.until_asked(12, "lists", lists_connectors).await;
    let calls = scene.world.calls();
    let tries: Vec<&Call> = calls.iter().filter(|call| lists_connectors(call)).collect();
    let seconds = asked_at(tries[tries.len() - 1]).duration_since(asked_at(tries[0])).as_secs_f64();
    #[allow(clippy::cast_precision_loss)] // a dozen
    let each_second = (tries.len() - 1) as f64 / seconds;
    assert!(each_second <= 6.0, "{each_second} a second: {} in {seconds} s", tries.len());

    scene.world.clear_fault(fault);
    scene.until_all("all to be Ready again", "Connector", COUNT, ready).await;
    let after = scene.get("Connector", "c-7").await;
    for kept in ["connectorID", "account", "lastBackup"] {
        assert_eq!(after["status"][kept], before["status"][kept], "{kept}");
    }
    assert_eq!(scene.written(), Vec::<String>::new());
}
