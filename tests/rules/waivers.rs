//! A waiver answers for a finding until it ends, by itself, and never for what a step depends on.

use jiff::{Timestamp, ToSpan};
use serde_json::json;

use crate::harness::{is, message};
use crate::{NAME, environments, fabrikam, findings, policy, until_found};

fn profiles() -> serde_json::Value {
    json!({ "custom": { "rules": [{ "id": "read-write", "check": { "accessMode": { "anyOf": ["ReadWrite"] } } }] } })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiver_ends_by_itself_at_its_time_and_the_finding_fails_again() {
    let scene = fabrikam().await;
    let ends = Timestamp::now() + 12.seconds();
    let ends = ends.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let waiver =
        json!([{ "finding": "custom/read-write", "reason": "until the license arrives", "expirationTime": ends }]);
    // The policy itself is looked at once an hour.
    let more = json!({ "waivers": waiver, "environments": environments(&[1]), "interval": "1h" });
    scene.apply_yaml(&policy(&profiles(), &more)).await;
    let _operator = scene.operator_with("[]", &["--waiting-interval", "1h"]).await;
    until_found(&scene, "custom/read-write", "Waived", "until the license arrives").await;
    let seen = scene.get("ServiceAccountPolicy", NAME).await;
    assert_eq!(seen["status"]["findings"][0]["expirationTime"], ends.as_str());
    assert_eq!(seen["status"]["failing"], 0);
    until_found(&scene, "custom/read-write", "Fail", "Administrative").await;
    assert!(Timestamp::now() >= ends.parse().unwrap(), "it ended before its time");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiver_for_a_finding_that_is_not_there_is_named_by_its_place_and_the_rest_is_judged() {
    let scene = fabrikam().await;
    let waivers = json!([{ "finding": "custom/misspelt", "reason": "it is not there" }]);
    scene.apply_yaml(&policy(&profiles(), &json!({ "waivers": waivers, "environments": environments(&[1]) }))).await;
    let _operator = scene.operator_with("[]", &[]).await;
    let stalled = scene
        .until("a stalled policy", "ServiceAccountPolicy", NAME, |policy| is(policy, "Stalled", "True", "InvalidSpec"))
        .await;
    assert!(message(&stalled, "Ready").contains("spec.waivers[0].finding names custom/misspelt"), "{stalled}");
    assert_eq!(findings(&stalled)["custom/read-write"].0, "Fail");
}
