//! Credentials, tenants, accounts and hosts that Microsoft does not know, or that are not what they were.

use std::time::{Duration, Instant};

use backstay_world::CONTOSO;
use serde_json::json;

use super::harness::{ACCOUNT, POLICY, Scene, condition, finding, is, message};
use super::{asked, hourly, nothing_written, recovered, refused, set_secret, with};

const LOGIN: &str = "login.microsoftonline.com";
const EVIL: &str = "evil.example.com";
const OBJECT_ID: &str = "\n      objectID: 0d5b6a1c-2f3e-4a4d-8c5b-7e6f5a4b3c2d";
const ALLOWED: &str = "  allowedActions: [DirectoryRoles, SecurityRoles, SelfEnrollment]\n";

/// The example's policy without anything allowed and without the pin.
fn unpinned(scene: &Scene) -> String {
    with(&with(&scene.policy_yaml(), OBJECT_ID, ""), ALLOWED, "")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_client_secret_is_presented_once_and_the_right_one_within_seconds() {
    let scene = Scene::new().await;
    let _operator = scene.operator().await;
    scene.apply_secrets().await;
    set_secret(&scene, "entra-backstay", "client-secret", Some("a-wrong-client-secret")).await;
    scene.apply_yaml(&hourly(&scene.policy_yaml())).await;

    let policy = scene.until_policy("CredentialsValid", "False", "CredentialRefused").await;
    refused(&policy, "CredentialRefused", &["Microsoft refused", "client secret"]);
    nothing_written(&scene);
    let tokens = asked(&scene, LOGIN, "/token");
    assert!((1..=4).contains(&tokens), "a wrong secret was presented {tokens} times");

    scene.world.act("expire-secrets", json!({ "app": "Backstay" })).unwrap();
    set_secret(&scene, "entra-backstay", "client-secret", Some("world-app-secret")).await;
    let policy = scene
        .until("the other sentence", "ServiceAccountPolicy", POLICY, |policy| {
            message(policy, "Ready").contains("expired")
        })
        .await;
    refused(&policy, "CredentialRefused", &["Microsoft refused", "client secret", "expired"]);
    nothing_written(&scene);

    scene.world.act("rotate-secret", json!({ "app": "Backstay", "value": "a-new-secret" })).unwrap();
    let begun = Instant::now();
    set_secret(&scene, "entra-backstay", "client-secret", Some("a-new-secret")).await;
    recovered(&scene.until_policy("Ready", "True", "NoConnectors").await);
    assert!(begun.elapsed() < Duration::from_secs(25), "it took {:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_or_an_app_that_microsoft_does_not_know_is_named_by_its_place_in_the_spec() {
    let scene = Scene::new().await;
    let _operator = scene.operator().await;
    scene.apply_secrets().await;
    let right = hourly(&scene.policy_yaml());

    for tenant in ["99999999-8888-4777-8666-555544443333", "fabrikam.example"] {
        let wrong = with(&right, "id: 6f1c2c4e-8d0b-4b5e-9a53-0c6a3f1d2e01", &format!("id: {tenant}"));
        scene.apply_yaml(&wrong).await;
        let policy = scene.until_policy("CredentialsValid", "False", "TenantNotFound").await;
        refused(&policy, "TenantNotFound", &["no tenant", "spec.tenant.id"]);
        // A tenant can't be changed: the sentence of the API server says to make another policy.
        scene.delete("ServiceAccountPolicy", POLICY).await;
    }
    let wrong = with(&right, "c0ffee00-1111-4222-8333-444455556666", "c0ffee00-1111-4222-8333-000000000000");
    scene.apply_yaml(&wrong).await;
    let policy = scene.until_policy("CredentialsValid", "False", "CredentialRefused").await;
    refused(&policy, "CredentialRefused", &["app", "spec.credential.clientSecret.clientID"]);
    nothing_written(&scene);

    scene.apply_yaml(&right).await;
    recovered(&scene.until_policy("Ready", "True", "NoConnectors").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_not_there_is_named_and_found_when_it_comes() {
    let scene = Scene::new().await;
    let _operator = scene.operator().await;
    scene.apply_secrets().await;
    scene.apply_yaml(&hourly(&with(&unpinned(&scene), ACCOUNT, "nobody@contoso.com"))).await;

    let policy = scene.until_policy("AccountPinned", "False", "AccountNotFound").await;
    refused(&policy, "AccountNotFound", &["nobody@contoso.com", "spec.account.user.principalName"]);
    nothing_written(&scene);

    scene.world.act("add-user", json!({ "user": "nobody@contoso.com" })).unwrap();
    recovered(&scene.until_policy("AccountPinned", "True", "Pinned").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_after_the_sign_in_says_that_the_sign_in_works() {
    let scene = Scene::new().await;
    let _operator = scene.operator().await;
    scene.apply_secrets().await;
    set_secret(&scene, "entra-backstay", "client-secret", Some("a-wrong-client-secret")).await;
    scene.apply_yaml(&with(&unpinned(&scene), ACCOUNT, "nobody@contoso.com")).await;
    scene.until_policy("CredentialsValid", "False", "CredentialRefused").await;

    set_secret(&scene, "entra-backstay", "client-secret", Some("world-app-secret")).await;
    let policy = scene.until_policy("Ready", "False", "AccountNotFound").await;
    assert!(is(&policy, "CredentialsValid", "True", "Accepted"), "{}", condition(&policy, "CredentialsValid"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_was_replaced_under_its_name_is_given_nothing() {
    let scene = Scene::new().await;
    let _operator = scene.operator().await;
    scene.apply_example().await;
    scene.play_the_person();
    scene.until_connector("Ready", "True", "Current").await;
    let settled = scene.until_policy("Ready", "True", "Satisfied").await;
    scene.world.clear_calls();

    // The new one lacks every role that the operator gives to the old one.
    scene.world.act("replace-user", json!({ "user": ACCOUNT, "keep_licenses": true })).unwrap();
    let policy = scene.until_policy("AccountPinned", "False", "AccountChanged").await;
    refused(&policy, "AccountChanged", &[ACCOUNT, "another"]);
    assert_eq!(policy["status"]["account"], settled["status"]["account"], "the pinned one stays the pinned one");
    // It looks again, by itself and when it is told to, and still gives nothing.
    let looks = asked(&scene, "graph.microsoft.com", "/v1.0/users/");
    scene.until_true("further looks", || asked(&scene, "graph.microsoft.com", "/v1.0/users/") > looks).await;
    scene.patch("ServiceAccountPolicy", POLICY, json!({ "spec": { "interval": "11s" } })).await;
    refused(&scene.until_policy("AccountPinned", "False", "AccountChanged").await, "AccountChanged", &[ACCOUNT]);
    nothing_written(&scene);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_object_id_the_account_first_seen_is_the_account() {
    let scene = Scene::new().await;
    let _operator = scene.operator().await;
    scene.apply_secrets().await;
    scene.apply_yaml(&unpinned(&scene)).await;
    let first = scene.until_policy("AccountPinned", "True", "Pinned").await;
    let pinned = first["status"]["account"]["objectID"].clone();
    assert_eq!(pinned, "0d5b6a1c-2f3e-4a4d-8c5b-7e6f5a4b3c2d");

    scene.world.act("replace-user", json!({ "user": ACCOUNT })).unwrap();
    let policy = scene.until_policy("AccountPinned", "False", "AccountChanged").await;
    refused(&policy, "AccountChanged", &[ACCOUNT, "create another ServiceAccountPolicy"]);
    assert_eq!(policy["status"]["account"]["objectID"], pinned);
    nothing_written(&scene);

    // As the sentence says.
    scene.delete("ServiceAccountPolicy", POLICY).await;
    scene.apply_yaml(&unpinned(&scene)).await;
    let another = scene.until_policy("AccountPinned", "True", "Pinned").await;
    recovered(&another);
    assert_ne!(another["status"]["account"]["objectID"], pinned);
}

/// Microsoft knows no such resource, and would refuse the sign-in for it with a number that explains nothing.
#[tokio::test(flavor = "multi_thread")]
async fn no_token_is_asked_for_a_host_that_may_not_be_asked() {
    let scene = Scene::with_world(&with(CONTOSO, "contoso-test.crm4.dynamics.com", EVIL)).await;
    let _operator = scene.operator().await;
    scene.apply_secrets().await;
    let test = "include: [11111111-aaaa-4bbb-8ccc-000000000003]";
    scene.apply_yaml(&with(&scene.policy_yaml(), "types: [Production, Sandbox]", test)).await;
    let policy = scene.until_policy("Ready", "True", "NoConnectors").await;
    assert_eq!(finding(&policy, "environment-member")["result"], "Unknown");
    assert_eq!(asked(&scene, LOGIN, "/token"), 2, "one token for Graph, one for the Power Platform, none for {EVIL}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_environment_on_a_host_that_is_not_microsofts_is_not_asked_and_hides_no_other() {
    let scene = Scene::with_world(&with(CONTOSO, "contoso-test.crm4.dynamics.com", EVIL)).await;
    let operator = scene.operator().await;
    scene.apply_example().await;

    let flag = format!("--allow-host {EVIL}");
    let policy = scene
        .until("all other environments to be put right", "ServiceAccountPolicy", POLICY, |policy| {
            ["environment-member", "system-administrator", "read-write"].iter().all(|name| {
                let finding = finding(policy, name);
                finding["result"] == "Unknown"
                    && finding["message"].as_str().is_some_and(|said| said.starts_with("In 1 of 3 environments"))
            })
        })
        .await;
    for name in ["environment-member", "system-administrator", "read-write"] {
        let said = finding(&policy, name)["message"].as_str().unwrap();
        assert!(said.contains(EVIL) && said.contains(&flag), "{said}");
        assert_eq!(finding(&policy, name)["environments"]["sample"], json!(["Contoso Test"]));
        assert!(finding(&policy, name)["remedy"].as_str().is_some_and(|remedy| remedy.contains("--allow-host")));
    }
    assert!(
        !message(&policy, "Ready").is_empty() && condition(&policy, "Ready")["status"] != "True",
        "unknown is not fine"
    );
    assert_eq!(asked(&scene, EVIL, ""), 0, "the host was asked, or connected to");
    let scope_asked =
        scene.world.writes().iter().any(|call| call.path.contains("11111111-aaaa-4bbb-8ccc-000000000003"));
    assert!(!scope_asked, "nothing is written for an environment that can't be seen");

    operator.kill();
    let _operator = scene.operator_with(&scene.grants(), &["--allow-host", EVIL]).await;
    scene.until_true("the host to be asked", || asked(&scene, EVIL, "/api/data/") > 0).await;
    scene
        .until("it to be judged, too", "ServiceAccountPolicy", POLICY, |policy| {
            finding(policy, "environment-member")["message"]
                .as_str()
                .is_some_and(|said| said.contains("not a user of the environment"))
        })
        .await;
}
