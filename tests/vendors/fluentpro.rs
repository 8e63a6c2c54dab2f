//! FluentPro shows nothing to a program: what it needs is verified at Microsoft, and a person attests the rest.

use serde_json::{Value, json};

use crate::harness::calls::{contoso, replaced};
use crate::harness::{ACCOUNT, Operator, Scene, condition, example_of, is, message};

const FOLDER: &str = "fluentpro-dataverse";
const POLICY: &str = "fluentpro-account";
const CONNECTOR: &str = "contoso-sales";

/// The example, with everything that a person does in Entra done.
async fn begun() -> (Scene, Operator) {
    // Nobody has consented to it yet.
    let world = contoso(|world| {
        world["tenants"][0]["vendor_apps"] =
            json!([{ "app_id": "c0ffee00-aaaa-4222-8333-0000000000f1", "name": "FluentPro Backup" }]);
    });
    let scene = Scene::with_world(&world).await;
    let file = |name: &str| example_of(FOLDER, name);
    for name in ["1-secrets.yaml", "2-policy.yaml", "3-connector.yaml"] {
        let every = if name == "1-secrets.yaml" { "" } else { "  interval: 10s\n" };
        scene.apply_yaml(&format!("{}{every}", file(name))).await;
    }
    let grants =
        replaced(&file("operator/grants.yaml"), "namespace: backup", &format!("namespace: {}", scene.namespace));
    let operator = scene.operator_with(&grants, &[]).await;
    (scene, operator)
}

/// What the policy finds of the consent.
fn consented(policy: &Value) -> String {
    let all = policy["status"]["findings"].as_array().cloned().unwrap_or_default();
    let finding = all.into_iter().find(|finding| finding["id"] == "fluentProDataverse/consent");
    finding.and_then(|finding| finding["result"].as_str().map(str::to_owned)).unwrap_or_default()
}

fn consent(scene: &Scene) {
    for (resource, scope) in [("Microsoft Graph", "User.Read offline_access"), ("Dataverse", "user_impersonation")] {
        let words = json!({ "app": "FluentPro Backup", "resource": resource, "scope": scope, "tenant": "Contoso" });
        scene.world.act("consent", words).unwrap();
    }
}

async fn attest(scene: &Scene, hand_off: &str, time: jiff::Timestamp) {
    let mut patch: Value = serde_yaml::from_str(&example_of(FOLDER, "later/attest.yaml")).unwrap();
    let entry = &mut patch["spec"]["vendor"]["fluentPro"]["attestations"][0];
    entry["handOff"] = json!(hand_off);
    entry["time"] = json!(time.to_string());
    scene.patch("Connector", CONNECTOR, patch).await;
}

async fn until(scene: &Scene, status: &str, reason: &str) -> Value {
    scene.until_condition("Connector", CONNECTOR, "Ready", status, reason).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_is_ready_once_a_person_has_attested_it_and_says_what_nobody_can_see() {
    let (scene, _operator) = begun().await;
    let waiting = until(&scene, "False", "AwaitingPerson").await;
    let hand_off = &waiting["status"]["handOffs"][0];
    assert_eq!(hand_off["name"], "add-environment");
    assert!(hand_off["steps"].as_array().unwrap().last().unwrap().as_str().unwrap().contains("attestations"));
    // The consent is missing, and the policy has the hand-off for it.
    let policy = scene
        .until("the consent to be missing", "ServiceAccountPolicy", POLICY, |policy| {
            consented(policy) == "Fail" && policy["status"]["handOffs"].is_array()
        })
        .await;
    assert!(policy["status"]["handOffs"].as_array().unwrap().iter().any(|it| it["name"] == "consent"), "{policy:#}");

    consent(&scene);
    attest(&scene, "add-environment", jiff::Timestamp::now()).await;
    let ready = until(&scene, "True", "Attested").await;
    assert!(is(&ready, "PolicySatisfied", "True", "Satisfied"), "{ready:#}");
    assert!(is(&ready, "Provisioned", "True", "Attested") && is(&ready, "Authorized", "True", "Attested"));
    assert!(is(&ready, "BackupCurrent", "Unknown", "NotObservable"), "{ready:#}");
    assert!(message(&ready, "Authorized").starts_with("jane@contoso.com has attested it"));
    assert_eq!(condition(&ready, "CredentialsValid"), &Value::Null, "there is nothing to sign in to");
    assert_eq!(ready["status"]["handOffs"], Value::Null);
    let due = ready["status"]["authorization"]["dueDate"].as_str().unwrap();
    let in_ninety_days = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * 90)).to_string();
    assert!(in_ninety_days.starts_with(due), "{due}");
    // Nothing is asked of a vendor that has nothing to be asked.
    assert!(!scene.world.calls().iter().any(|call| call.host.contains("fluentpro")));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attestation_is_void_when_the_password_or_the_consent_changed_and_stays_so_until_somebody_reconnects() {
    let (scene, _operator) = begun().await;
    consent(&scene);
    attest(&scene, "add-environment", jiff::Timestamp::now()).await;
    until(&scene, "True", "Attested").await;

    scene.world.act("change-password", json!({ "user": ACCOUNT })).unwrap();
    let void = until(&scene, "False", "AwaitingPerson").await;
    assert!(is(&void, "Authorized", "False", "AttestationVoid"), "{void:#}");
    assert_eq!(void["status"]["handOffs"][0]["name"], "reconnect");
    attest(&scene, "reconnect", jiff::Timestamp::now()).await;
    until(&scene, "True", "Attested").await;

    // Consent is withdrawn and given again: what became of the connection meanwhile is not known.
    scene.world.act("withdraw-consent", json!({ "app": "FluentPro Backup", "tenant": "Contoso" })).unwrap();
    until(&scene, "False", "AwaitingPerson").await;
    consent(&scene);
    scene.until("the consent to be back", "ServiceAccountPolicy", POLICY, |policy| consented(policy) == "Pass").await;
    let still = until(&scene, "False", "AwaitingPerson").await;
    assert!(is(&still, "Authorized", "False", "AttestationVoid"), "{still:#}");
    // Nor does a pause make it good again.
    for (suspend, status) in [(true, "Unknown"), (false, "False")] {
        scene.patch("Connector", CONNECTOR, json!({ "spec": { "suspend": suspend } })).await;
        let reason = if suspend { "Suspended" } else { "AwaitingPerson" };
        until(&scene, status, reason).await;
    }
    let still = scene.get("Connector", CONNECTOR).await;
    assert!(is(&still, "Authorized", "False", "AttestationVoid"), "{still:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attestation_of_long_ago_or_of_tomorrow_does_not_count() {
    let (scene, _operator) = begun().await;
    consent(&scene);
    let days = |days: i64| jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * days);
    attest(&scene, "add-environment", days(-91)).await;
    let old = until(&scene, "False", "AwaitingPerson").await;
    assert_eq!(old["status"]["handOffs"][0]["name"], "reconnect");
    assert!(message(&old, "Authorized").contains("attestationDays"), "{old:#}");

    attest(&scene, "add-environment", days(1)).await;
    let wrong = until(&scene, "False", "InvalidSpec").await;
    assert!(is(&wrong, "Stalled", "True", "InvalidSpec"), "{wrong:#}");
    assert!(message(&wrong, "Ready").contains("future"), "{wrong:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_a_restore_needs_is_asked_for_while_one_is_announced() {
    let (scene, _operator) = begun().await;
    consent(&scene);
    attest(&scene, "add-environment", jiff::Timestamp::now()).await;
    let backups = json!({ "spec": { "profiles": { "fluentProDataverse": { "operations": ["Backup"] } } } });
    scene.patch("ServiceAccountPolicy", POLICY, backups).await;
    until(&scene, "True", "Attested").await;
    let finding = |policy: &Value| {
        let all = policy["status"]["findings"].as_array().cloned().unwrap_or_default();
        all.into_iter().find(|it| it["id"] == "fluentProDataverse/restore-privileges").unwrap_or_default()
    };
    let stage = |stage: &'static str| move |policy: &Value| policy["status"]["demands"][0]["stage"] == stage;
    let policy = scene.until("a backup's demand", "ServiceAccountPolicy", POLICY, stage("Steady")).await;
    assert_eq!(finding(&policy)["result"], "NotApplicable", "{policy:#}");

    let announce = |seconds: i64| {
        let until = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(seconds);
        json!({ "spec": { "restore": { "untilTime": until.to_string() } } })
    };
    scene.patch("Connector", CONNECTOR, announce(3600)).await;
    let policy = scene.until("a restore's demand", "ServiceAccountPolicy", POLICY, stage("Restore")).await;
    assert!(["Pass", "Fail"].contains(&finding(&policy)["result"].as_str().unwrap()), "{policy:#}");
    // It is over by itself.
    scene.patch("Connector", CONNECTOR, announce(3)).await;
    scene.until("a restore's demand", "ServiceAccountPolicy", POLICY, stage("Restore")).await;
    let policy = scene.until("a backup's demand", "ServiceAccountPolicy", POLICY, stage("Steady")).await;
    assert_eq!(finding(&policy)["result"], "NotApplicable");
    until(&scene, "True", "Attested").await;
}
