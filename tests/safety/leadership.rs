//! Of several processes one works: a hand-over loses nothing, and at no time do two write.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::calls::assigns_role;
use crate::harness::gate::Gate;
use crate::harness::{ACCOUNT, CONNECTOR, Operator, Scene};
use crate::scene;

/// The shortest that there is.
const LEASE: &str = "5s";

async fn process(scene: &Scene, gate: &Gate, identity: &str) -> Operator {
    let arguments = ["--identity", identity, "--lease-duration", LEASE];
    scene.operator_behind(gate, &scene.grants(), &arguments).await
}

async fn leads(operator: &Operator) -> bool {
    operator.get("/metrics").await.contains("\nbackstay_leading 1")
}

async fn until_leads(operator: &Operator) {
    let begun = Instant::now();
    while !leads(operator).await {
        assert!(begun.elapsed() < Duration::from_mins(1), "it does not lead:\n{}", operator.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Something that only a process that works notices, and writes outside and in the cluster for.
async fn works(scene: &Scene, suspend: bool) {
    scene.patch("Connector", CONNECTOR, json!({ "spec": { "suspend": suspend } })).await;
    let seen = |it: &Value| it["status"]["observedGeneration"] == it["metadata"]["generation"];
    scene.until("it to be noticed", "Connector", CONNECTOR, seen).await;
}

struct Two {
    scene: Scene,
    gates: [Gate; 2],
    first: Operator,
    second: Operator,
}

/// One that leads and has finished its work, and one that stands by.
async fn two() -> Two {
    let scene = scene().await;
    let gates = [scene.gate().await, scene.gate().await];
    let first = process(&scene, &gates[0], "first").await;
    let second = process(&scene, &gates[1], "second").await;
    assert!(leads(&first).await && !leads(&second).await);
    assert!(second.get("/readyz").await.starts_with("ok"), "who stands by is ready to");
    scene.apply_example().await;
    scene.until_connector("Ready", "False", "AwaitingPerson").await;
    scene.play_the_person();
    scene.until_ready().await;
    scene.until_policy("Ready", "True", "Satisfied").await;
    assert_eq!(gates[1].writes(), 0, "who stands by writes nothing");
    // What is counted of objects is shown once, by who leads.
    assert!(!second.get("/metrics").await.contains("backstay_objects_not_ready{"));
    assert!(first.get("/metrics").await.contains("backstay_objects_not_ready{"));
    Two { scene, gates, first, second }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_told_to_stop_hands_over_at_once_and_nothing_is_written_but_what_is_new() {
    let Two { scene, gates, first, second } = two().await;
    let begun = Instant::now();
    assert_eq!(first.stop().await, Some(0));
    until_leads(&second).await;
    println!("handed over {:?} after the signal", begun.elapsed());
    scene.until_more_reads(2).await;
    assert_eq!(gates[1].writes(), 0, "what has not changed is not written by the new one either");
    works(&scene, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_killed_is_replaced_when_its_lease_is_over() {
    let Two { scene, gates: _gates, first, second } = two().await;
    let begun = Instant::now();
    first.kill();
    until_leads(&second).await;
    println!("taken over {:?} after the kill; the lease is of {LEASE}", begun.elapsed());
    works(&scene, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_can_not_renew_its_lease_stops_writing_before_another_begins_and_may_lead_again() {
    let Two { scene, gates, first, second } = two().await;
    gates[0].close();
    let (mut lost, before) = (false, gates[0].writes());
    loop {
        let (one, other) = (leads(&first).await, leads(&second).await);
        assert!(!(one && other), "two lead");
        lost |= !one;
        if other {
            break;
        }
    }
    assert!(lost, "the first one never noticed");
    // Both see what is there; one of them writes, here and at Microsoft.
    let outside =
        |text: &str| text.lines().filter(|line| line.contains("effect=\"write\"")).map(str::to_owned).collect();
    let written: Vec<String> = outside(&first.get("/metrics").await);
    let role = json!({ "user": ACCOUNT, "role": "Power Platform Administrator" });
    let assigned = scene.asked(assigns_role);
    scene.world.act("remove-directory-role", role).unwrap();
    scene.until_true("the role to be given again", || scene.asked(assigns_role) > assigned).await;
    works(&scene, true).await;
    works(&scene, false).await;
    scene.until_ready().await;
    assert_eq!(gates[0].writes(), before);
    assert_eq!(scene.asked(assigns_role), assigned + 1, "once, and not by both");
    assert_eq!(outside(&first.get("/metrics").await), written, "nothing outside either");

    gates[0].reopen();
    assert_eq!(second.stop().await, Some(0));
    until_leads(&first).await;
    works(&scene, true).await;
    let lease = scene.get("Lease", &format!("backstay.{}", scene.namespace)).await;
    assert_eq!(lease["spec"]["holderIdentity"], "first");
    assert_eq!(lease["spec"]["leaseTransitions"], 2, "{lease:#}");
}
