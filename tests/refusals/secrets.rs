//! Secrets that are not there, not meant for the operator, or not whole.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::Api;
use kube::api::{ObjectMeta, PostParams};
use serde_json::json;

use super::harness::{Scene, condition, example, is, message};
use super::{awaited, hourly, nothing_written, recovered, refused, says, with};

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_not_there_is_waited_for_and_used_when_it_comes() {
    let scene = Scene::new().await;
    let _operator = scene.operator().await;
    scene.apply_yaml(&hourly(&scene.policy_yaml())).await;
    scene.apply_yaml(&hourly(&scene.connector_yaml())).await;

    let connector = scene.until_connector("CredentialsValid", "Unknown", "DependencyMissing").await;
    awaited(&connector, "DependencyMissing", &["Secret", &format!("{}/keepit-api", scene.namespace), "not there"]);
    let policy = scene.until_policy("CredentialsValid", "Unknown", "DependencyMissing").await;
    awaited(&policy, "DependencyMissing", &["Secret", &format!("{}/entra-backstay", scene.namespace), "not there"]);
    assert!(scene.world.calls().is_empty(), "nobody is asked without a credential");

    scene.apply_secrets().await;
    recovered(&scene.until_connector("CredentialsValid", "True", "Accepted").await);
    scene.until_policy("CredentialsValid", "True", "Accepted").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_missing_empty_or_not_text_is_named_and_the_secret_used_once_it_is_whole() {
    let scene = Scene::new().await;
    let _operator = scene.operator_with("", &[]).await;
    scene.apply_secrets().await;
    scene.apply_yaml(&hourly(&scene.policy_yaml())).await;
    scene.apply_yaml(&hourly(&scene.connector_yaml())).await;
    scene.until_connector("CredentialsValid", "True", "Accepted").await;
    scene.until_policy("CredentialsValid", "True", "Accepted").await;

    let binary = || json!({ "data": { "password": "//79/A==" } });
    for (key, broken) in [
        ("password", json!({ "data": { "password": null } })),
        ("password", json!({ "stringData": { "password": "" } })),
        ("password", json!({ "stringData": { "password": " \n" } })),
        ("password", binary()),
        ("username", json!({ "data": { "username": null } })),
    ] {
        scene.patch("Secret", "keepit-api", broken).await;
        let connector = scene.until_connector("CredentialsValid", "False", "SecretInvalid").await;
        refused(&connector, "SecretInvalid", &[&format!("{}/keepit-api", scene.namespace), &format!("\"{key}\"")]);
        scene.apply_secrets().await;
        recovered(&scene.until_connector("CredentialsValid", "True", "Accepted").await);
    }
    for broken in [
        json!({ "data": { "client-secret": null }, "stringData": { "clientSecret": "world-app-secret" } }),
        json!({ "stringData": { "client-secret": "" } }),
    ] {
        scene.patch("Secret", "entra-backstay", broken).await;
        let policy = scene.until_policy("CredentialsValid", "False", "SecretInvalid").await;
        refused(&policy, "SecretInvalid", &[&format!("{}/entra-backstay", scene.namespace), "\"client-secret\""]);
        scene.apply_secrets().await;
        scene.until_policy("CredentialsValid", "True", "Accepted").await;
    }
    nothing_written(&scene);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_without_the_label_is_not_used_and_the_sentence_says_which_label() {
    let scene = Scene::new().await;
    let _operator = scene.operator().await;
    let unlabelled = with(&example("1-secrets.yaml"), "backstay.dev/use: \"true\"", "backstay.dev/use: \"false\"");
    scene.apply_yaml(&unlabelled).await;
    scene.apply_yaml(&hourly(&scene.policy_yaml())).await;
    scene.apply_yaml(&hourly(&scene.connector_yaml())).await;

    let label = "backstay.dev/use: \"true\"";
    let connector = scene.until_connector("CredentialsValid", "False", "SecretInvalid").await;
    refused(&connector, "SecretInvalid", &[&format!("{}/keepit-api", scene.namespace), label]);
    let policy = scene.until_policy("CredentialsValid", "False", "SecretInvalid").await;
    refused(&policy, "SecretInvalid", &[&format!("{}/entra-backstay", scene.namespace), label]);
    assert!(scene.world.calls().is_empty(), "what is not meant for the operator is presented to nobody");

    scene.apply_secrets().await;
    recovered(&scene.until_connector("CredentialsValid", "True", "Accepted").await);
    scene.until_policy("CredentialsValid", "True", "Accepted").await;

    let without = json!({ "metadata": { "labels": { "backstay.dev/use": null } } });
    scene.patch("Secret", "keepit-api", without).await;
    let connector = scene.until_connector("CredentialsValid", "False", "SecretInvalid").await;
    refused(&connector, "SecretInvalid", &["keepit-api", label]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_of_another_namespace_can_be_neither_named_nor_used() {
    let scene = Scene::new().await;
    let elsewhere = format!("{}-other", scene.namespace);
    let namespace = Namespace {
        metadata: ObjectMeta { name: Some(elsewhere.clone()), ..ObjectMeta::default() },
        ..Namespace::default()
    };
    Api::<Namespace>::all(scene.client.clone()).create(&PostParams::default(), &namespace).await.unwrap();
    for (name, data) in [
        ("keepit-api", [("username", "backstay-api-token"), ("password", "world-keepit-password")].as_slice()),
        ("entra-backstay", [("client-secret", "world-app-secret")].as_slice()),
    ] {
        let labels = BTreeMap::from([("backstay.dev/use".to_owned(), "true".to_owned())]);
        let metadata = ObjectMeta { name: Some(name.into()), labels: Some(labels), ..ObjectMeta::default() };
        let data = data.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let secret = Secret { metadata, string_data: Some(data), ..Secret::default() };
        Api::namespaced(scene.client.clone(), &elsewhere).create(&PostParams::default(), &secret).await.unwrap();
    }

    let named = |yaml: &str, name: &str| {
        with(yaml, &format!("name: {name}\n"), &format!("name: {name}\n        namespace: {elsewhere}\n"))
    };
    let said = scene.try_apply(&named(&scene.connector_yaml(), "keepit-api")).await.unwrap_err();
    assert!(said.contains(".spec.vendor.keepit.secretRef.namespace"), "{said}");
    let said = scene.try_apply(&named(&scene.policy_yaml(), "entra-backstay")).await.unwrap_err();
    assert!(said.contains(".spec.credential.clientSecret.secretRef.namespace"), "{said}");

    let _operator = scene.operator().await;
    scene.apply_yaml(&scene.policy_yaml()).await;
    scene.apply_yaml(&scene.connector_yaml()).await;
    let connector = scene.until_connector("CredentialsValid", "Unknown", "DependencyMissing").await;
    awaited(&connector, "DependencyMissing", &[&format!("{}/keepit-api", scene.namespace)]);
    let policy = scene.until_policy("CredentialsValid", "Unknown", "DependencyMissing").await;
    awaited(&policy, "DependencyMissing", &[&format!("{}/entra-backstay", scene.namespace)]);
    assert!(scene.world.calls().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_no_secret_can_have_is_refused_or_said_to_be_missing() {
    let scene = Scene::new().await;
    let _operator = scene.operator().await;
    scene.apply_secrets().await;
    let names =
        ["keepit api", "keepit/api", "keepit-api?x=1", "keepit-api#x", "keepit%zz", "../keepit-api", "Keepit_API"];
    let mut taken = Vec::new();
    for (number, name) in names.iter().enumerate() {
        let object = format!("bad-name-{number}");
        let yaml = with(&scene.connector_yaml(), "name: contoso-power-platform", &format!("name: {object}"));
        match scene.try_apply(&with(&yaml, "name: keepit-api", &format!("name: {name:?}"))).await {
            Err(said) => assert!(said.contains("secretRef.name"), "{said}"),
            Ok(_) => taken.push((object, name)),
        }
    }
    for (object, name) in taken {
        let what = format!("a word on the Secret name {name:?}");
        let connector =
            scene.until(&what, "Connector", &object, |connector| !condition(connector, "Ready").is_null()).await;
        says(message(&connector, "Ready"), &["Secret", name]);
        assert!(is(&connector, "Ready", "False", "DependencyMissing"), "{name:?}: {}", condition(&connector, "Ready"));
    }
    assert!(scene.world.calls().is_empty());
}

/// As after a namespace is deleted whose Secrets the installation lets the operator read: its Role went with it.
#[tokio::test(flavor = "multi_thread")]
async fn secrets_that_it_may_not_watch_hold_up_nobody_who_uses_others() {
    let scene = Scene::new().await;
    scene.apply_secrets().await;
    scene.apply_yaml(&hourly(&scene.policy_yaml())).await;
    let gone = format!("{}-gone", scene.namespace);
    let places = ["--watch-secrets-in", &scene.namespace, "--watch-secrets-in", &gone];
    // Ready when it returns.
    let operator = scene.operator_with("", &places).await;
    scene.until_policy("CredentialsValid", "True", "Accepted").await;
    let log = operator.log();
    let told = log.lines().filter(|line| line.contains("the watch on Secrets failed") && line.contains(&gone));
    assert_eq!(told.count(), 1, "{log}");
}
