//! Keepit: what is written to a connector that is there, what the API token may, and accounts below its own.

use backstay_world::Call;
use serde_json::{Value, json};

use crate::harness::calls::{at_keepit, lists_connectors, settled};
use crate::harness::{AT_KEEPIT, CONNECTOR, Operator, Scene, is, message};
use crate::keepit::{apply, called, changes, grants, planned, with};

const ASKED: &str = "backstay.dev/start-backup";
const TOKEN: &str = "backstay-api-token";

fn starts(call: &Call) -> bool {
    changes(call) && call.path.trim_end_matches('/').ends_with("/jobs")
}

/// The spec of the example's vendor, with more in it.
fn vendor(scene: &Scene, more: &Value) -> Value {
    let mut vendor: Value = serde_yaml::from_str::<Value>(&scene.connector_yaml()).unwrap()["spec"]["vendor"].clone();
    for (key, value) in more.as_object().unwrap() {
        vendor["keepit"][key] = value.clone();
    }
    vendor
}

async fn operator(scene: &Scene, actions: &str) -> Operator {
    scene.operator_with(&grants(scene, actions), &[]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_started_when_the_last_is_too_old_and_not_while_one_runs() {
    let scene = Scene::with_world(&with(&[at_keepit(AT_KEEPIT)])).await;
    let _operator = operator(&scene, "StartBackup").await;
    apply(&scene, &json!({ "allowedActions": ["StartBackup"] })).await;
    scene.until_ready().await;
    assert_eq!(scene.asked(starts), 0, "{:?}", scene.written());
    scene.world.act("age-backups", json!({ "connector": AT_KEEPIT, "hours": 40 })).unwrap();
    // Keepit says of itself after a day that nothing was backed up; the authorization is not what is wrong.
    scene.world.act("set-health", json!({ "connector": AT_KEEPIT, "state": "healthy", "reason": "OK" })).unwrap();
    scene.until_event("BackupStarted").await;
    scene.until_connector("BackupCurrent", "False", "BackupTooOld").await;
    // It runs: nothing more is to be done.
    scene.until_asked(3, "looks at Keepit", lists_connectors).await;
    let running = scene.connector().await;
    assert_eq!((scene.asked(starts), &running["status"]["plan"]), (1, &Value::Null), "{running:#}");
    // It ends without a backup that holds everything: the next try waits.
    scene.world.act("finish-backup", json!({ "connector": AT_KEEPIT, "result": "failed" })).unwrap();
    let waiting = |it: &Value| planned(it) == [("StartBackup".to_owned(), "NotYet".to_owned())];
    let waits = scene.until("the next try to wait", "Connector", CONNECTOR, waiting).await;
    assert!(waits["status"]["plan"][0]["reason"].as_str().unwrap().contains("6 h later"), "{waits:#}");
    assert_eq!(scene.asked(starts), 1, "{:?}", scene.written());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_asks_for_a_backup_with_a_time() {
    let scene = Scene::with_world(&with(&[at_keepit(AT_KEEPIT)])).await;
    let _operator = operator(&scene, "StartBackup").await;
    apply(&scene, &json!({ "allowedActions": ["StartBackup"] })).await;
    scene.until_ready().await;
    let ask = |said: &str| json!({ "metadata": { "annotations": { ASKED: said } } });
    scene.patch("Connector", CONNECTOR, ask("now")).await;
    let wrong = scene.until_connector("Ready", "False", "InvalidSpec").await;
    assert!(message(&wrong, "Ready").contains("is no time ('now')"), "{wrong:#}");
    scene.patch("Connector", CONNECTOR, ask(&jiff::Timestamp::now().to_string())).await;
    scene.until_asked(1, "a start", starts).await;
    scene.world.finish_backup(AT_KEEPIT).unwrap();
    scene.until_connector("Ready", "True", "Current").await;
    scene.until_asked(3, "looks at Keepit", lists_connectors).await;
    assert_eq!(scene.asked(starts), 1, "{:?}", scene.written());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_waits_to_start_is_what_was_asked_for() {
    let scene = Scene::with_world(&with(&[at_keepit(AT_KEEPIT)])).await;
    let _operator = operator(&scene, "StartBackup").await;
    apply(&scene, &json!({ "allowedActions": ["StartBackup"] })).await;
    scene.until_ready().await;
    // The list does not show yet what runs.
    let path = "/users/kp7a2b-c3d4e5-f6g7h8/devices/*/jobs".to_owned();
    scene.world.fault(backstay_world::Fault {
        path: Some(path.clone()),
        method: Some("POST".into()),
        status: Some(409),
        content_type: Some("application/xml".into()),
        body: Some("<error><code>WAITING_JOB_TO_START</code><description>x</description></error>".into()),
        ..backstay_world::Fault::default()
    });
    let ask = json!({ "metadata": { "annotations": { ASKED: jiff::Timestamp::now().to_string() } } });
    scene.patch("Connector", CONNECTOR, ask).await;
    scene.until_event("BackupStarted").await;
    assert!(!scene.events().await.iter().any(|(reason, _)| reason == "StepFailed"), "{:?}", scene.events().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_stopped_goes_on_and_lets_users_in_as_declared() {
    let scene = Scene::with_world(&with(&[at_keepit(AT_KEEPIT)])).await;
    let _operator = operator(&scene, "Pause, GrantAccess").await;
    let spec = json!({
        "vendor": vendor(&scene, &json!({ "paused": true, "access": ["ops@contoso.com"] })),
        "driftPolicy": "Correct",
        "allowedActions": ["Pause", "GrantAccess"],
    });
    apply(&scene, &spec).await;
    scene.until_connector("InSync", "True", "InSync").await;
    let at_keepit = || scene.world.state()["keepit"][0]["accounts"][0]["connectors"][0].clone();
    assert_eq!(at_keepit()["attributes"]["disable_backup"], "1");
    assert_eq!(at_keepit()["access"], json!(["ops@contoso.com"]));
    assert_eq!(scene.asked(changes), 2, "{:?}", scene.written());
    let go_on = json!({ "spec": { "vendor": { "keepit": { "paused": false } } } });
    scene.patch("Connector", CONNECTOR, go_on).await;
    scene.until_asked(1, "the attribute to go", |call| changes(call) && call.method == "DELETE").await;
    scene.until_connector("InSync", "True", "InSync").await;
    assert_eq!(at_keepit()["attributes"]["disable_backup"], Value::Null);
    // What can't be read is neither right nor written.
    scene.world.fault(backstay_world::Fault {
        path: Some("/users/kp7a2b-c3d4e5-f6g7h8/devices/*/access_list".into()),
        status: Some(404),
        body: Some("Not Found".into()),
        ..backstay_world::Fault::default()
    });
    scene.until_connector("InSync", "Unknown", "NotObservable").await;
    assert_eq!(scene.asked(changes), 3, "{:?}", scene.written());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_token_may_not_is_said_before_it_is_tried() {
    let scene = Scene::with_world(&with(&[called("An old name", "aaaaaa-bbbbbb-cccccc", &json!({}))])).await;
    scene.world.act("set-token-role", json!({ "login": TOKEN, "role": "FullSupport" })).unwrap();
    let _operator = operator(&scene, "Rename").await;
    let spec = json!({
        "adoption": { "policy": "ByID", "connectorID": "aaaaaa-bbbbbb-cccccc" },
        "driftPolicy": "Correct",
        "allowedActions": ["Rename"],
    });
    apply(&scene, &spec).await;
    let waiting = |it: &Value| planned(it) == [("Rename".to_owned(), "NotYet".to_owned())];
    let seen = scene.until("the step to wait", "Connector", CONNECTOR, waiting).await;
    let said = "whose own rights there don't cover Rename";
    assert!(message(&seen, "CredentialsValid").contains(said), "{seen:#}");
    assert_eq!(scene.asked(changes), 0, "{:?}", scene.written());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_that_is_exceeded_is_named_once() {
    let scene = Scene::with_world(&settled(|world| {
        world["keepit"][0]["accounts"][0]["resources"][1]["usage"] = json!(120);
    }))
    .await;
    let _operator = scene.operator().await;
    scene.apply_example().await;
    let ready = scene.until_ready().await;
    assert_eq!(ready["status"]["limitsExceeded"], json!(["dynamics365-users"]));
    scene.until_asked(2, "looks at Keepit", lists_connectors).await;
    let told = scene.events().await.iter().filter(|(reason, _)| reason == "LimitExceeded").count();
    assert_eq!(told, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partners_token_acts_on_an_account_below_its_own_and_on_no_other() {
    let below = "kpbelo-c3d4e5-f6g7h8";
    let scene = Scene::with_world(&settled(|world| {
        let accounts = world["keepit"][0]["accounts"].as_array_mut().unwrap();
        let connectors = accounts[0]["connectors"].take();
        let parent = accounts[0]["id"].clone();
        accounts[0]["connectors"] = json!([]);
        // Only a Master Admin sees what others made.
        accounts[0]["tokens"][1]["role"] = json!("MasterAdmin");
        accounts.push(json!({
            "id": below, "name": "Below", "parent": parent, "tokens": [], "resources": [], "connectors": connectors,
        }));
        accounts.push(json!({ "id": "kpothe-c3d4e5-f6g7h8", "name": "Other", "tokens": [], "resources": [] }));
    }))
    .await;
    let _operator = scene.operator().await;
    apply(&scene, &json!({ "vendor": vendor(&scene, &json!({ "accountID": below })) })).await;
    let ready = scene.until_ready().await;
    assert_eq!(ready["status"]["account"]["id"], below);
    let mut other: Value = serde_yaml::from_str(&scene.connector_yaml()).unwrap();
    other["metadata"]["name"] = json!("other");
    other["spec"]["vendor"] = vendor(&scene, &json!({ "accountID": "kpothe-c3d4e5-f6g7h8" }));
    scene.apply_yaml(&other.to_string()).await;
    let refused = scene.until_condition("Connector", "other", "Ready", "False", "AccountMismatch").await;
    assert!(message(&refused, "Ready").contains("not to the one that accountID pins"), "{refused:#}");
    assert!(is(&scene.connector().await, "Ready", "True", "Current"));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_vendor_lets_no_program_write_nothing_can_be_allowed() {
    let scene = Scene::with_world(&with(&[])).await;
    let fluent = crate::harness::example_of("fluentpro-dataverse", "3-connector.yaml");
    let said = scene.try_apply(&format!("{fluent}  allowedActions: [Rename]\n")).await.unwrap_err();
    assert!(said.contains("allowedActions is for vendors that let a program write: Keepit"), "{said}");
}
