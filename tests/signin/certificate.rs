//! Signing in with a certificate: what is signed is taken, and what can't be signed with is said.

use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, date_time_ymd};
use serde_json::json;

use super::harness::{POLICY, Scene, message};
use super::{APP, refused, says, with_credential};

/// A certificate and its key in PEM, valid until the end of this year.
fn made(until: i32) -> (String, String) {
    let pair = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
    let mut params = CertificateParams::new(["backstay".to_owned()]).unwrap();
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(until, 1, 1));
    (params.self_signed(&pair).unwrap().pem(), pair.serialize_pem())
}

/// The Secret as tools such as cert-manager write it.
async fn put(scene: &Scene, certificate: &str, key: &str) {
    let secret = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/tls",
        "metadata": { "name": "entra-certificate", "labels": { "backstay.dev/use": "true" } },
        "stringData": { "tls.crt": certificate, "tls.key": key },
    });
    scene.apply_yaml(&secret.to_string()).await;
}

fn policy(scene: &Scene) -> String {
    let credential = json!({ "clientCertificate": { "clientID": APP, "secretRef": { "name": "entra-certificate" } } });
    with_credential(scene, &credential)
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_certificate_everything_is_read_and_put_right() {
    let scene = Scene::new().await;
    let operator = scene.operator().await;
    let (certificate, key) = made(2100);
    scene.world.act("register-certificate", json!({ "app": "Backstay", "pem": certificate })).unwrap();
    scene.world.act("expire-secrets", json!({ "app": "Backstay" })).unwrap();
    scene.apply_secrets().await;
    put(&scene, &certificate, &key).await;
    scene.apply_yaml(&policy(&scene)).await;
    scene.apply_yaml(&scene.connector_yaml()).await;
    scene.until_policy("CredentialsValid", "True", "Accepted").await;
    scene.play_the_person();
    scene.until_ready().await;
    let signed_in = scene.asked(|call| call.path.ends_with("/token"));
    assert!((5..=8).contains(&signed_in), "one sign-in for each of five services, not {signed_in}");
    let log = operator.log();
    let secret_line = key.lines().nth(3).unwrap();
    assert!(!log.contains(secret_line) && !log.contains("eyJ"), "a key or an assertion is in the log");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_can_not_be_used_is_refused_with_what_is_wrong_and_the_right_one_taken_at_once() {
    let scene = Scene::new().await;
    let _operator = scene.operator().await;
    let ((right, key), (expired, old_key), (_, other_key)) = (made(2100), made(2021), made(2100));
    scene.world.act("register-certificate", json!({ "app": "Backstay", "pem": right })).unwrap();
    let place = "spec.credential.clientCertificate.secretRef";
    scene.apply_yaml(&policy(&scene)).await;
    scene.until_policy("Ready", "False", "DependencyMissing").await;

    for (certificate, key, piece) in [
        ("not a certificate", key.as_str(), "tls.crt holds no readable certificate"),
        (right.as_str(), "not a key", "tls.key holds no readable private key"),
        (&right, &other_key, "tls.key is not the key of the certificate"),
        (&expired, &old_key, "has expired"),
    ] {
        put(&scene, certificate, key).await;
        let what = format!("the sentence: {piece}");
        let policy =
            scene.until(&what, "ServiceAccountPolicy", POLICY, |policy| says(policy, "SecretInvalid", piece)).await;
        refused(&policy, "SecretInvalid", &[place, "entra-certificate", piece]);
    }
    assert_eq!(scene.asked(|call| call.path.ends_with("/token")), 0, "nothing of this is presented to Microsoft");

    put(&scene, &right, &key).await;
    scene.until_policy("Ready", "True", "NoConnectors").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_the_app_does_not_have_is_refused_and_taken_once_it_is_registered() {
    let scene = Scene::new().await;
    let _operator = scene.operator().await;
    let (certificate, key) = made(2100);
    put(&scene, &certificate, &key).await;
    scene.apply_yaml(&policy(&scene)).await;
    let policy = scene.until_policy("CredentialsValid", "False", "CredentialRefused").await;
    refused(
        &policy,
        "CredentialRefused",
        &["spec.credential.clientCertificate.secretRef", "registered", "AADSTS700027"],
    );
    assert!(!message(&policy, "Ready").contains("thumbprint"), "Microsoft's text is not shown");
    // Nobody tells of it: it is looked for.
    scene.world.act("register-certificate", json!({ "app": "Backstay", "pem": certificate })).unwrap();
    scene.until_policy("Ready", "True", "NoConnectors").await;
}
