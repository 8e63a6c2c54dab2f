//! Credentials, accounts and regions that are not the right ones at Keepit.

use std::time::{Duration, Instant};

use backstay_world::CONTOSO;
use serde_json::Value;

use super::harness::{CONNECTOR, Scene, condition};
use super::{asked, hourly, nothing_written, recovered, refused, says, set_secret, with};

const KEEPIT: &str = "dk-co.keepit.com";
const PINNED: &str = "      accountID: kp7a2b-c3d4e5-f6g7h8\n";

/// The world of the main story, with a second account at the same region.
fn two_accounts() -> String {
    format!(
        "{CONTOSO}
      - id: zz9z9z-zz9z9z-zz9z9z
        name: Fabrikam
        tokens:
          - {{ login: fabrikam-api-token, password: fabrikam-keepit-password, name: Fabrikam, role: BackupAdmin, primary: true }}
"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_keepit_password_is_presented_once_and_the_right_one_within_seconds() {
    let scene = Scene::new().await;
    let _operator = scene.operator_with("", &[]).await;
    scene.apply_secrets().await;
    set_secret(&scene, "keepit-api", "password", Some("a-wrong-keepit-password")).await;
    scene.apply_yaml(&hourly(&scene.policy_yaml())).await;
    scene.apply_yaml(&hourly(&scene.connector_yaml())).await;

    let connector = scene.until_connector("CredentialsValid", "False", "CredentialRefused").await;
    refused(&connector, "CredentialRefused", &["Keepit refused the credential"]);
    for unknown in ["Provisioned", "Authorized", "BackupCurrent"] {
        assert_eq!(condition(&connector, unknown)["status"], "Unknown", "{unknown} can't be told");
    }
    nothing_written(&scene);
    scene.until_policy("CredentialsValid", "True", "Accepted").await;
    let tries = asked(&scene, KEEPIT, "/users/");
    assert!((1..=4).contains(&tries), "a wrong password was presented {tries} times");

    let begun = Instant::now();
    set_secret(&scene, "keepit-api", "password", Some("world-keepit-password")).await;
    recovered(&scene.until_connector("Ready", "False", "AwaitingPerson").await);
    assert!(begun.elapsed() < Duration::from_secs(25), "it took {:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_another_account_than_the_one_that_is_pinned_is_refused() {
    let scene = Scene::with_world(&two_accounts()).await;
    let _operator = scene.operator_with("", &[]).await;
    scene.apply_secrets().await;
    let pinned_wrong = with(&hourly(&scene.connector_yaml()), "kp7a2b-c3d4e5-f6g7h8", "zz9z9z-zz9z9z-zz9z9z");
    scene.apply_yaml(&pinned_wrong).await;

    let connector = scene.until_connector("CredentialsValid", "False", "AccountMismatch").await;
    refused(&connector, "AccountMismatch", &["Keepit account kp7a2b-c3d4e5-f6g7h8", "accountID"]);
    nothing_written(&scene);

    set_secret(&scene, "keepit-api", "username", Some("fabrikam-api-token")).await;
    set_secret(&scene, "keepit-api", "password", Some("fabrikam-keepit-password")).await;
    let connector = scene.until_connector("CredentialsValid", "True", "Accepted").await;
    assert_eq!(connector["status"]["account"]["id"], "zz9z9z-zz9z9z-zz9z9z");
    assert_eq!(condition(&connector, "Stalled"), &Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_account_id_the_account_first_seen_is_the_account() {
    let scene = Scene::with_world(&two_accounts()).await;
    let _operator = scene.operator_with("", &[]).await;
    scene.apply_secrets().await;
    scene.apply_yaml(&with(&hourly(&scene.connector_yaml()), PINNED, "")).await;
    let first = scene.until_connector("CredentialsValid", "True", "Accepted").await;
    assert_eq!(first["status"]["account"]["id"], "kp7a2b-c3d4e5-f6g7h8");

    set_secret(&scene, "keepit-api", "username", Some("fabrikam-api-token")).await;
    set_secret(&scene, "keepit-api", "password", Some("fabrikam-keepit-password")).await;
    let connector = scene.until_connector("CredentialsValid", "False", "AccountMismatch").await;
    refused(
        &connector,
        "AccountMismatch",
        &["zz9z9z-zz9z9z-zz9z9z", "another one than before", "create another Connector"],
    );
    assert_eq!(connector["status"]["account"]["id"], "kp7a2b-c3d4e5-f6g7h8", "the first one stays the one");

    set_secret(&scene, "keepit-api", "username", Some("backstay-api-token")).await;
    set_secret(&scene, "keepit-api", "password", Some("world-keepit-password")).await;
    let connector = scene.until_connector("CredentialsValid", "True", "Accepted").await;
    assert_eq!(condition(&connector, "Stalled"), &Value::Null);
    nothing_written(&scene);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_region_that_is_not_known_is_not_asked_until_its_host_is_allowed() {
    let scene = Scene::new().await;
    let operator = scene.operator_with("", &[]).await;
    scene.apply_secrets().await;
    let elsewhere = with(&scene.connector_yaml(), "region: dk-co", "region: xx-yy");
    scene.apply_yaml(&elsewhere).await;

    let connector = scene.until_connector("Ready", "False", "HostNotAllowed").await;
    let known = ["spec.vendor.keepit.region", "xx-yy", "dk-co", "us-dc", "--allow-host xx-yy.keepit.com"];
    refused(&connector, "HostNotAllowed", &known);
    assert!(scene.world.calls().is_empty(), "nothing is asked, not even the proxy");

    operator.kill();
    let _operator = scene.operator_with("", &["--allow-host", "xx-yy.keepit.com"]).await;
    // This world has no such host, so that the proxy refuses: it was asked at least, and that is no longer bad input.
    scene.until_true("the host to be asked", || asked(&scene, "xx-yy.keepit.com", "") > 0).await;
    let connector = scene.until_connector("CredentialsValid", "Unknown", "Unreachable").await;
    says(super::message(&connector, "Ready"), &["Keepit"]);
    assert_eq!(condition(&connector, "Ready")["status"], "Unknown");
    recovered(&connector);

    // A region can't be changed: another Connector.
    scene.delete("Connector", CONNECTOR).await;
    scene.apply_yaml(&scene.connector_yaml()).await;
    scene.until_connector("CredentialsValid", "True", "Accepted").await;
}
