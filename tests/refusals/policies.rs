//! Policies, profiles, environments and permissions that a spec names in vain.

use serde_json::{Value, json};

use super::harness::{ACCOUNT, CONNECTOR, POLICY, Scene, condition, is, message};
use super::{awaited, hourly, nothing_written, recovered, refused, says, set_secret, with};

const NOWHERE: &str = "99999999-aaaa-4bbb-8ccc-000000000009";
const SALES: &str = "11111111-aaaa-4bbb-8ccc-000000000001";
const TEST: &str = "11111111-aaaa-4bbb-8ccc-000000000003";
const WITHOUT_DATAVERSE: &str = "11111111-aaaa-4bbb-8ccc-000000000004";
const ALLOWED: &str = "  allowedActions: [DirectoryRoles, SecurityRoles, SelfEnrollment]\n";
const TYPES: &str = "types: [Production, Sandbox]";

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_is_not_there_is_waited_for_while_the_connector_is_looked_at() {
    let scene = Scene::new().await;
    let _operator = scene.operator().await;
    scene.apply_secrets().await;
    scene.apply_yaml(&hourly(&scene.connector_yaml())).await;

    let connector = scene.until_connector("Ready", "False", "DependencyMissing").await;
    awaited(&connector, "DependencyMissing", &["ServiceAccountPolicy", POLICY, "spec.policyRef.name"]);
    assert!(is(&connector, "PolicySatisfied", "Unknown", "DependencyMissing"));
    assert!(is(&connector, "CredentialsValid", "True", "Accepted"));
    assert!(is(&connector, "Provisioned", "False", "NotFound"));
    assert!(is(&connector, "Authorized", "False", "AuthorizationRequired"));
    assert!(is(&connector, "BackupCurrent", "False", "NoBackup"));
    nothing_written(&scene);

    scene.apply_yaml(&scene.policy_yaml()).await;
    recovered(&scene.until_connector("Ready", "False", "AwaitingPerson").await);
    scene.until_connector("PolicySatisfied", "False", "PolicyAwaitsPerson").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_that_the_policy_does_not_have_is_named_with_those_that_it_has() {
    let scene = Scene::new().await;
    let _operator = scene.operator_with("", &[]).await;
    scene.apply_secrets().await;
    scene.apply_yaml(&hourly(&scene.policy_yaml())).await;
    let wrong = with(
        &hourly(&scene.connector_yaml()),
        "    name: keepit-service-account\n",
        "    name: keepit-service-account\n    profile: keepitEntraID\n",
    );
    scene.apply_yaml(&wrong).await;

    let connector = scene.until_connector("PolicySatisfied", "False", "NoMatchingProfile").await;
    refused(&connector, "NoMatchingProfile", &["keepitEntraID", "spec.policyRef.profile", "keepitPowerPlatform"]);
    assert!(is(&connector, "Provisioned", "False", "NotFound"), "the vendor is asked all the same");
    nothing_written(&scene);

    scene.patch("Connector", CONNECTOR, json!({ "spec": { "policyRef": { "profile": "keepitPowerPlatform" } } })).await;
    recovered(&scene.until_connector("Ready", "False", "AwaitingPerson").await);
}

/// The natural way to write "this profile, as it is by default".
#[tokio::test(flavor = "multi_thread")]
async fn a_profile_without_a_value_is_refused_or_taken_with_its_defaults_but_never_asks_for_nothing() {
    let scene = Scene::new().await;
    let _operator = scene.operator_with("", &[]).await;
    scene.apply_secrets().await;
    let yaml = scene.policy_yaml();
    let (before, rest) = yaml.split_once("    keepitPowerPlatform:\n").unwrap();
    let (_, after) = rest.split_once("  environments:\n").unwrap();
    let bare = format!("{before}    keepitPowerPlatform:\n  environments:\n{after}");
    if let Err(said) = scene.try_apply(&bare).await {
        assert!(said.contains("spec.profiles"), "{said}");
        return;
    }
    let policy = scene
        .until("a word on it", "ServiceAccountPolicy", POLICY, |policy| !condition(policy, "Ready").is_null())
        .await;
    assert!(
        !policy["status"]["findings"].as_array().is_none_or(Vec::is_empty),
        "it asks for nothing: {}",
        policy["status"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_environment_that_a_policy_names_in_vain_is_named_and_nothing_is_done_until_it_is_there() {
    let scene = Scene::new().await;
    let _operator = scene.operator().await;
    scene.apply_secrets().await;
    let named = hourly(&with(&scene.policy_yaml(), TYPES, &format!("include: [{SALES}, {NOWHERE}]")));
    scene.apply_yaml(&named).await;
    let policy = scene.until_policy("Ready", "False", "EnvironmentNotFound").await;
    refused(&policy, "EnvironmentNotFound", &["spec.environments.include", NOWHERE, "the tenant's environments"]);

    scene
        .patch(
            "ServiceAccountPolicy",
            POLICY,
            json!({ "spec": { "environments": { "include": [SALES, WITHOUT_DATAVERSE] } } }),
        )
        .await;
    let policy = scene
        .until("the other one to be named", "ServiceAccountPolicy", POLICY, |policy| {
            is(policy, "Ready", "False", "EnvironmentNotFound") && !message(policy, "Ready").contains(NOWHERE)
        })
        .await;
    refused(&policy, "EnvironmentNotFound", &["spec.environments.include", WITHOUT_DATAVERSE, "no Dataverse"]);
    nothing_written(&scene);

    scene
        .patch("ServiceAccountPolicy", POLICY, json!({ "spec": { "environments": { "include": [SALES, NOWHERE] } } }))
        .await;
    scene.until_policy("Ready", "False", "EnvironmentNotFound").await;
    let new = json!({ "name": "New", "sku": "Production", "id": NOWHERE, "host": "contoso-new.crm4.dynamics.com" });
    scene.world.act("add-environment", new).unwrap();
    recovered(&scene.until_policy("Ready", "True", "NoConnectors").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_environment_that_a_connector_names_in_vain_is_named_and_its_policy_goes_on() {
    let scene = Scene::new().await;
    let _operator = scene.operator_with("", &[]).await;
    scene.apply_secrets().await;
    // The policy has Production only: Contoso Test is a Sandbox.
    let policy = with(&with(&hourly(&scene.policy_yaml()), TYPES, "types: [Production]"), ALLOWED, "");
    scene.apply_yaml(&policy).await;
    scene.apply_yaml(&hourly(&scene.connector_yaml())).await;
    scene.until_connector("Ready", "False", "AwaitingPerson").await;
    for id in [NOWHERE, TEST, WITHOUT_DATAVERSE] {
        scene.patch("Connector", CONNECTOR, json!({ "spec": { "environments": { "include": [id] } } })).await;
        let connector = scene
            .until("the environment to be named", "Connector", CONNECTOR, |connector| {
                is(connector, "PolicySatisfied", "False", "EnvironmentNotFound")
                    && message(connector, "Ready").contains(id)
            })
            .await;
        refused(&connector, "EnvironmentNotFound", &["spec.environments.include", id, "the policy's environments"]);
        assert!(is(&connector, "Provisioned", "False", "NotFound"), "the vendor is asked all the same");
        let policy = scene.policy().await;
        assert_eq!(condition(&policy, "Stalled"), &Value::Null, "one Connector's mistake is not the policy's");
    }
    nothing_written(&scene);

    scene.patch("Connector", CONNECTOR, json!({ "spec": { "environments": { "include": [SALES] } } })).await;
    recovered(&scene.until_connector("Ready", "False", "AwaitingPerson").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_that_no_grant_covers_is_named_and_not_taken() {
    let scene = Scene::new().await;
    scene.apply_secrets().await;
    let right = scene.grants();
    scene.apply_yaml(&scene.connector_yaml()).await;
    let grants = [
        String::new(),
        with(&right, &format!("namespace: {}", scene.namespace), "namespace: another"),
        with(&right, "6f1c2c4e-8d0b-4b5e-9a53-0c6a3f1d2e01", "99999999-8888-4777-8666-555544443333"),
        with(&right, "0d5b6a1c-2f3e-4a4d-8c5b-7e6f5a4b3c2d", "b7e1f0a2-5c4d-4e3f-9b8a-1d2c3b4a5f60"),
        with(&right, "SelfEnrollment", ""),
    ];
    for grants in &grants {
        let operator = scene.operator_with(grants, &[]).await;
        scene.apply_yaml(&scene.policy_yaml()).await;
        let policy = scene
            .until("a plan that is not granted", "ServiceAccountPolicy", POLICY, |policy| {
                is(policy, "Ready", "False", "NotGranted") && policy["status"]["planTotal"].as_i64() > Some(0)
            })
            .await;
        refused(&policy, "NotGranted", &["spec.allowedActions", "SelfEnrollment", "grant"]);
        let plan = policy["status"]["plan"].as_array().unwrap();
        assert!(!plan.is_empty() && plan.iter().all(|step| step["allowed"] == "NotGranted"), "{plan:?}");
        operator.kill();
        scene.delete("ServiceAccountPolicy", POLICY).await;
    }
    nothing_written(&scene);

    let _operator = scene.operator_with(&right, &[]).await;
    scene.apply_yaml(&scene.policy_yaml()).await;
    recovered(&scene.until_policy("Ready", "False", "AwaitingPerson").await);
    assert!(!scene.world.writes().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_is_allowed_a_person_is_asked_for_everything_that_is_missing() {
    let scene = Scene::new().await;
    let _operator = scene.operator().await;
    scene.apply_secrets().await;
    scene.world.remove_directory_role(ACCOUNT, "Dynamics 365 Administrator").unwrap();
    scene.apply_yaml(&with(&scene.policy_yaml(), ALLOWED, "")).await;
    scene.apply_yaml(&scene.connector_yaml()).await;

    let policy = scene.until_policy("Ready", "False", "AwaitingPerson").await;
    recovered(&policy);
    says(message(&policy, "Ready"), &["Dynamics 365 Administrator"]);
    let asked: Vec<&str> =
        policy["status"]["handOffs"].as_array().unwrap().iter().filter_map(|it| it["name"].as_str()).collect();
    assert_eq!(asked, ["enroll-app", "directory-roles"]);
    let steps = policy["status"]["handOffs"][0]["steps"].to_string();
    assert!(["Contoso Sales", "Contoso Service", "Contoso Test"].iter().all(|name| steps.contains(name)), "{steps}");
    let plan = policy["status"]["plan"].as_array().unwrap();
    assert!(plan.iter().all(|step| step["allowed"] == "NotAllowed"), "{plan:?}");

    scene.world.grant_directory_role(ACCOUNT, "Dynamics 365 Administrator").unwrap();
    scene
        .until("one to be done, and the other to be awaited", "ServiceAccountPolicy", POLICY, |policy| {
            let hand_offs = policy["status"]["handOffs"].as_array();
            hand_offs.is_some_and(|all| all.len() == 1 && all[0]["name"] == "enroll-app")
                && is(policy, "Ready", "False", "AwaitingPerson")
        })
        .await;
    for environment in ["Contoso Sales", "Contoso Service", "Contoso Test"] {
        scene
            .world
            .act(
                "add-application-user",
                json!({ "environment": environment, "app": "c0ffee00-1111-4222-8333-444455556666" }),
            )
            .unwrap();
    }
    scene
        .until("these to be done, and the next to be asked for", "ServiceAccountPolicy", POLICY, |policy| {
            let hand_offs = policy["status"]["handOffs"].as_array();
            hand_offs.is_some_and(|all| all.len() == 1 && all[0]["name"] == "environment-access")
        })
        .await;
    nothing_written(&scene);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_whose_policy_is_refused_says_that_it_waits_for_that_policy_and_why() {
    let scene = Scene::new().await;
    let _operator = scene.operator().await;
    scene.apply_secrets().await;
    set_secret(&scene, "entra-backstay", "client-secret", Some("a-wrong-client-secret")).await;
    scene.apply_yaml(&scene.policy_yaml()).await;
    scene.until_policy("Ready", "False", "CredentialRefused").await;
    scene.apply_yaml(&scene.connector_yaml()).await;

    let connector = scene
        .until("a word on the policy", "Connector", CONNECTOR, |connector| {
            condition(connector, "PolicySatisfied")["status"] == "Unknown"
                && is(connector, "Provisioned", "False", "NotFound")
        })
        .await;
    let policy = scene.policy().await;
    assert!(is(&policy, "Stalled", "True", "CredentialRefused"));
    says(message(&connector, "PolicySatisfied"), &[POLICY, "CredentialRefused"]);
    nothing_written(&scene);

    set_secret(&scene, "entra-backstay", "client-secret", Some("world-app-secret")).await;
    scene.until_connector("PolicySatisfied", "False", "PolicyAwaitsPerson").await;
}
