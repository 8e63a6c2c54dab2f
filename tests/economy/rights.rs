//! What the operator may do in the cluster, and what it does.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::harness::calls::contoso;
use crate::harness::{CONNECTOR, POLICY, Scene, example, root};
use crate::scene_of;

type Right = (String, String);

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_uses_every_right_that_it_is_given_and_is_refused_none() {
    let scene = scene_of(&contoso(|_| {})).await;
    scene.apply_yaml(&scene.orbiting("Connector", "newer").to_string()).await;
    scene.apply_yaml(&scene.orbiting("ServiceAccountPolicy", "newer").to_string()).await;
    let operator = scene.operator().await;
    for kind in ["Connector", "ServiceAccountPolicy"] {
        scene.until_condition(kind, "newer", "Ready", "False", "Unreadable").await;
    }
    // Somebody whose tokens are asked for, and are good for nothing here.
    scene.may_ask_for_tokens_of("entra").await;
    scene.apply_yaml(LABELLED).await;
    scene.apply_yaml(&by_identity(&scene.policy_yaml()).to_string()).await;
    scene.until_condition("ServiceAccountPolicy", "by-identity", "Ready", "False", "CredentialRefused").await;
    // Everything that a Secret can be: not there, without the label, right.
    scene.apply_yaml(&scene.policy_yaml()).await;
    scene.apply_yaml(&scene.connector_yaml()).await;
    scene.until_connector("Ready", "False", "DependencyMissing").await;
    scene.apply_yaml(&example("1-secrets.yaml").replace("backstay.dev/use", "example.com/other")).await;
    scene.until_connector("CredentialsValid", "False", "SecretInvalid").await;
    scene.apply_secrets().await;
    scene.until_connector("Ready", "False", "AwaitingPerson").await;
    let id = scene.play_the_person();
    scene.until_ready().await;
    // The same happens again: an Event that is there already is counted on.
    scene.world.act("set-health", json!({ "connector": id, "state": "critical", "reason": "BADTOKEN" })).unwrap();
    scene.until_connector("Ready", "False", "AwaitingPerson").await;
    // Somebody begins to sign in again: that is written down, and how it ends.
    let now = jiff::Timestamp::now().to_string();
    let window = |state: &'static str| move |it: &Value| it["status"]["elevation"]["state"] == state;
    scene.patch("Connector", CONNECTOR, json!({ "metadata": { "annotations": { "backstay.dev/begin": now } } })).await;
    scene.until("the window", "ServiceAccountPolicy", POLICY, window("Opening")).await;
    scene.world.act("clear-health", json!({ "connector": id })).unwrap();
    scene.until_connector("Ready", "True", "Current").await;
    scene.until("its end", "ServiceAccountPolicy", POLICY, window("Closed")).await;
    let held = json!({ "spec": { "deletionPolicy": "Delete", "allowedActions": ["Delete"] } });
    scene.patch("Connector", CONNECTOR, held).await;
    scene.until("the finalizer", "Connector", CONNECTOR, |it| it["metadata"]["finalizers"].is_array()).await;
    // A watch is in the log when it ends.
    assert_eq!(operator.stop().await, Some(0));

    let used = used(&scene);
    let mut granted = granted();
    granted.extend(
        [("get", "serviceaccounts"), ("create", "serviceaccounts/token")]
            .map(|(verb, of)| (verb.to_owned(), of.to_owned())),
    );
    assert_eq!(used.difference(&granted).collect::<Vec<_>>(), Vec::<&Right>::new(), "used, but not granted");
    assert_eq!(granted.difference(&used).collect::<Vec<_>>(), Vec::<&Right>::new(), "granted, but not used");
    let refused: Vec<_> = scene.audit().into_iter().filter(|entry| matches!(entry.code, 401 | 403)).collect();
    assert_eq!(refused, []);
}

const LABELLED: &str =
    r#"{ apiVersion: v1, kind: ServiceAccount, metadata: { name: entra, labels: { backstay.dev/use: "true" } } }"#;

/// Another policy, for another account, with the tokens of a `ServiceAccount`.
fn by_identity(policy: &str) -> Value {
    let mut policy: Value = serde_yaml::from_str(policy).unwrap();
    policy["metadata"]["name"] = json!("by-identity");
    policy["spec"]["credential"] = json!({
        "workloadIdentity": {
            "clientID": "c0ffee00-1111-4222-8333-444455556666",
            "serviceAccountRef": { "name": "entra" },
        },
    });
    policy["spec"]["account"]["user"] = json!({ "principalName": "somebody@contoso.com" });
    policy["spec"]["allowedActions"] = json!([]);
    policy
}

/// What the operator's user did to which resource.
fn used(scene: &Scene) -> BTreeSet<Right> {
    let entries = scene.audit();
    assert!(entries.iter().all(|entry| entry.namespace == scene.namespace || entry.resource.is_empty()), "{entries:?}");
    entries.into_iter().filter(|entry| !entry.resource.is_empty()).map(|entry| (entry.verb, entry.resource)).collect()
}

/// What the `ClusterRole` of `install/` lets it do.
fn granted() -> BTreeSet<Right> {
    let text = std::fs::read_to_string(root().join("install/rbac.yaml")).unwrap();
    // Everywhere, and in the operator's own namespace.
    let is_role = |document: &&str| document.contains("kind: ClusterRole\n") || document.contains("kind: Role\n");
    let is_binding = |document: &&str| document.contains("roleRef:");
    let roles = text.split("\n---").filter(|document| is_role(document) && !is_binding(document));
    let all: Vec<Value> = roles
        .flat_map(|role| serde_yaml::from_str::<Value>(role).unwrap()["rules"].as_array().unwrap().clone())
        .collect();
    let words = |value: &Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect()
    };
    let mut rights = BTreeSet::new();
    for rule in &all {
        assert_eq!(rule["resourceNames"], Value::Null);
        for group in words(&rule["apiGroups"]) {
            for resource in words(&rule["resources"]) {
                let named = if group.is_empty() { resource } else { format!("{resource}.{group}") };
                rights.extend(words(&rule["verbs"]).into_iter().map(|verb| (verb, named.clone())));
            }
        }
    }
    rights
}
