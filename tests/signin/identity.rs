//! Signing in as a Kubernetes `ServiceAccount` that the app trusts: no secret is kept anywhere.

use serde_json::{Value, json};

use super::harness::{POLICY, Scene, message};
use super::{APP, refused, says, with_credential};

const PLACE: &str = "spec.credential.workloadIdentity.serviceAccountRef";

fn policy(scene: &Scene) -> String {
    let credential = json!({ "workloadIdentity": { "clientID": APP, "serviceAccountRef": { "name": "entra" } } });
    with_credential(scene, &credential)
}

async fn put(scene: &Scene, labels: Value) {
    scene.may_ask_for_tokens_of("entra").await;
    let account =
        json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "entra", "labels": labels } });
    scene.apply_yaml(&account.to_string()).await;
}

/// The app trusts the `ServiceAccount`, as an administrator sets it up; some of it may be wrong.
async fn trust(scene: &Scene, wrong: Value) {
    let (issuer, keys) = scene.issuer().await;
    let mut trusted = json!({
        "app": "Backstay",
        "issuer": issuer,
        "subject": format!("system:serviceaccount:{}:entra", scene.namespace),
        "keys": keys,
    });
    for (key, value) in wrong.as_object().unwrap() {
        trusted[key] = value.clone();
    }
    scene.world.act("trust-identity", trusted).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_trusted_service_account_everything_is_read_and_put_right() {
    let scene = Scene::new().await;
    let operator = scene.operator().await;
    scene.world.act("expire-secrets", json!({ "app": "Backstay" })).unwrap();
    trust(&scene, json!({})).await;
    scene.apply_secrets().await;
    put(&scene, json!({ "backstay.dev/use": "true" })).await;
    scene.apply_yaml(&policy(&scene)).await;
    scene.apply_yaml(&scene.connector_yaml()).await;
    scene.until_policy("CredentialsValid", "True", "Accepted").await;
    scene.play_the_person();
    scene.until_ready().await;
    let tokens = scene.audit().into_iter().filter(|entry| entry.resource == "serviceaccounts/token").count();
    assert!((1..=3).contains(&tokens), "one token serves the sign-ins of a pass, not {tokens}");
    assert!(!operator.log().contains("eyJ"), "a token is in the log");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_account_that_is_not_there_or_not_meant_for_it_gives_no_token() {
    let scene = Scene::new().await;
    let _operator = scene.operator().await;
    trust(&scene, json!({})).await;
    scene.apply_yaml(&policy(&scene)).await;
    // Nobody has let it look at this one.
    let unseen = scene.until_policy("CredentialsValid", "False", "ServiceAccountInvalid").await;
    refused(&unseen, "ServiceAccountInvalid", &["RBAC", "/entra", PLACE]);
    scene.may_ask_for_tokens_of("entra").await;
    let missing = scene.until_policy("Ready", "False", "DependencyMissing").await;
    let said = message(&missing, "Ready");
    assert!(said.contains("/entra") && said.contains(PLACE) && said.contains("not there"), "{said}");

    put(&scene, json!({})).await;
    let unlabelled = scene.until_policy("CredentialsValid", "False", "ServiceAccountInvalid").await;
    refused(&unlabelled, "ServiceAccountInvalid", &["/entra", PLACE, "lacks the label backstay.dev/use: \"true\""]);
    put(&scene, json!({ "backstay.dev/use": "false" })).await;
    let audit = scene.audit();
    assert!(audit.iter().all(|entry| entry.resource != "serviceaccounts/token"), "no token was asked for");
    assert_eq!(scene.asked(|call| call.path.ends_with("/token")), 0);

    put(&scene, json!({ "backstay.dev/use": "true" })).await;
    scene.until_policy("Ready", "True", "NoConnectors").await;
    // Taken away, it counts at once, whatever tokens are still good.
    put(&scene, json!({})).await;
    scene.until_policy("CredentialsValid", "False", "ServiceAccountInvalid").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_does_not_trust_the_service_account_is_told_from_one_that_can_not_verify_it() {
    let scene = Scene::new().await;
    let _operator = scene.operator().await;
    let subject = format!("system:serviceaccount:{}:entra", scene.namespace);
    put(&scene, json!({ "backstay.dev/use": "true" })).await;
    trust(&scene, json!({ "subject": "system:serviceaccount:elsewhere:entra" })).await;
    trust(&scene, json!({ "audience": "api://AzureADTokenExchangeChina" })).await;
    scene.apply_yaml(&policy(&scene)).await;
    let stranger = scene.until_policy("CredentialsValid", "False", "CredentialRefused").await;
    refused(&stranger, "CredentialRefused", &[PLACE, &subject, "federated credential", "AADSTS700213"]);

    trust(&scene, json!({ "keys": [] })).await;
    let unverified = scene
        .until("the other refusal", "ServiceAccountPolicy", POLICY, |policy| {
            says(policy, "CredentialRefused", "AADSTS700027")
        })
        .await;
    refused(&unverified, "CredentialRefused", &[PLACE, "keys", "issuer"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_that_may_not_ask_for_tokens_says_so() {
    let scene = Scene::new().await;
    // As somebody has it who gave half of the right.
    let rules = json!([
        { "apiGroups": ["backstay.dev"], "resources": ["*"], "verbs": ["get", "list", "watch", "patch"] },
        { "apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list", "watch"] },
        { "apiGroups": [""], "resources": ["serviceaccounts"], "verbs": ["get"] },
        { "apiGroups": ["events.k8s.io"], "resources": ["events"], "verbs": ["create", "patch"] },
    ]);
    put(&scene, json!({ "backstay.dev/use": "true" })).await;
    scene.delete("RoleBinding", "backstay-tokens").await;
    scene.narrow(rules).await;
    let _operator = scene.operator().await;
    scene.apply_yaml(&policy(&scene)).await;
    let policy = scene.until_policy("CredentialsValid", "False", "CredentialRefused").await;
    refused(&policy, "CredentialRefused", &["RBAC", "/entra", PLACE]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operators_own_service_account_signs_in_for_the_namespaces_that_the_installation_names() {
    let scene = Scene::new().await;
    let subject = format!("system:serviceaccount:{}:backstay", scene.namespace);
    let file = scene.own_token("api://AzureADTokenExchange").await;
    let policy = with_credential(&scene, &json!({ "workloadIdentity": { "clientID": APP } }));
    scene.apply_yaml(&policy).await;
    let with_namespace = |namespace: &str| {
        [format!("--federated-token-file={file}"), format!("--federated-token-namespace={namespace}")]
    };

    let [token, elsewhere] = with_namespace("elsewhere");
    let operator = scene.operator_with(&scene.grants(), &[&token, &elsewhere]).await;
    let others = scene.until_policy("CredentialsValid", "False", "ServiceAccountInvalid").await;
    refused(&others, "ServiceAccountInvalid", &["serviceAccountRef", &scene.namespace, "--federated-token-namespace"]);
    assert_eq!(scene.asked(|call| call.path.ends_with("/token")), 0);
    operator.stop().await;

    let [token, here] = with_namespace(&scene.namespace);
    let operator = scene.operator_with(&scene.grants(), &[&token, &here]).await;
    let stranger = scene.until_policy("CredentialsValid", "False", "CredentialRefused").await;
    refused(&stranger, "CredentialRefused", &[&subject, "federated credential"]);
    trust(&scene, json!({ "subject": subject })).await;
    scene.until_policy("Ready", "True", "NoConnectors").await;
    assert!(
        scene.audit().iter().all(|entry| entry.resource != "serviceaccounts/token"),
        "the API server is asked for no token"
    );
    assert!(!operator.log().contains("eyJ"), "a token is in the log");
}
