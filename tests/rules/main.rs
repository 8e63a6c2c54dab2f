//! Every rule of every page, on a tenant that answers like Microsoft's.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::must_use_candidate)]

#[path = "../harness/mod.rs"]
mod harness;

mod crowd;
mod fabrikam;
mod least;
mod possibilities;
mod reader;
mod repair;
mod waivers;

use std::collections::BTreeMap;

use backstay_world::FABRIKAM;
use harness::Scene;
use serde_json::{Value, json};

/// The policy that these tests look at.
pub const NAME: &str = "judged";
pub const ACCOUNT: &str = "svc-dataverse@fabrikam.com";
pub const ACCOUNT_ID: &str = "fab00000-0000-4000-8000-000000000001";
pub const APP: &str = "c0ffee00-2222-4222-8333-444455556666";
pub const FLUENT_PRO: &str = "fab00000-aaaa-4000-8000-0000000000f1";
pub const AVE_POINT: &str = "fab00000-aaaa-4000-8000-0000000000a1";

/// Fabrikam, where next to everything is wrong.
pub async fn fabrikam() -> Scene {
    let scene = Scene::with_world(FABRIKAM).await;
    scene.apply_yaml(SECRET).await;
    scene
}

const SECRET: &str = "
apiVersion: v1
kind: Secret
metadata: { name: entra, labels: { backstay.dev/use: 'true' } }
stringData: { client-secret: world-fabrikam-secret }";

/// A policy over Fabrikam: these profiles, and whatever else its spec has.
pub fn policy(profiles: &Value, more: &Value) -> String {
    let user = json!({ "user": { "principalName": ACCOUNT, "objectID": ACCOUNT_ID } });
    let mut policy = json!({
        "apiVersion": "backstay.dev/v1alpha1",
        "kind": "ServiceAccountPolicy",
        "metadata": { "name": NAME },
        "spec": {
            "tenant": { "id": "fabrikam.com" },
            "credential": { "clientSecret": { "clientID": APP, "secretRef": { "name": "entra", "key": "client-secret" } } },
            "account": user,
            "profiles": profiles,
            "interval": "10s",
        },
    });
    for (key, value) in more.as_object().into_iter().flatten() {
        policy["spec"][key] = value.clone();
    }
    policy.to_string()
}

/// The environments of Fabrikam by their last digit.
pub fn environments(last: &[u8]) -> Value {
    let ids: Vec<String> = last.iter().map(|digit| format!("22222222-aaaa-4bbb-8ccc-00000000000{digit}")).collect();
    json!({ "include": ids })
}

/// What was found, by id: result and sentence.
pub fn findings(policy: &Value) -> BTreeMap<String, (String, String)> {
    let all = policy["status"]["findings"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    all.iter().map(|it| (text(&it["id"]), (text(&it["result"]), text(&it["message"])))).collect()
}

/// Waits until the policy was judged as it stands, and brings what was found.
pub async fn judged(scene: &Scene) -> BTreeMap<String, (String, String)> {
    let seen = |policy: &Value| {
        policy["status"]["observedGeneration"] == policy["metadata"]["generation"]
            && policy["status"]["findings"].is_array()
    };
    findings(&scene.until("a judged policy", "ServiceAccountPolicy", NAME, seen).await)
}

/// Waits until a finding has this result and sentence.
pub async fn until_found(scene: &Scene, id: &str, result: &str, piece: &str) {
    let what = format!("{id} {result}: {piece}");
    let found =
        |policy: &Value| findings(policy).get(id).is_some_and(|(is, message)| is == result && message.contains(piece));
    scene.until(&what, "ServiceAccountPolicy", NAME, found).await;
}
