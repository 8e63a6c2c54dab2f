//! Keepit: a connector that is created with the connection of another one, once, whatever happens meanwhile.

use backstay_world::{Call, Fault};
use serde_json::{Value, json};

use crate::harness::calls::{KEEPIT, at_keepit, held, removes, replaced};
use crate::harness::{AT_KEEPIT, CONNECTOR, GLOBAL_ADMINISTRATOR, Operator, Scene, is, message};
use crate::keepit::{OLD, apply, called, changes, grants, planned, with};

const MARK: &str = "backstay.dev/creating";

fn creates(call: &Call) -> bool {
    changes(call) && call.method == "POST"
}

fn source() -> Value {
    called("Theirs", OLD, &json!({}))
}

/// Keepit has one that works; the Connector is to be created with its connection.
async fn scene(connectors: &[Value]) -> Scene {
    Scene::with_world(&with(connectors)).await
}

async fn declare(scene: &Scene, more: &Value) {
    let mut spec = json!({ "allowedActions": ["Create"] });
    spec["vendor"] = serde_yaml::from_str::<Value>(&scene.connector_yaml()).unwrap()["spec"]["vendor"].clone();
    spec["vendor"]["keepit"]["createFrom"] = json!(OLD);
    spec["vendor"]["keepit"]["retention"] = json!("P1Y");
    for (key, value) in more.as_object().unwrap() {
        spec[key] = value.clone();
    }
    apply(scene, &spec).await;
}

async fn operator(scene: &Scene) -> Operator {
    scene.operator_with(&grants(scene, "Create, Rename"), &[]).await
}

fn marked(connector: &Value) -> bool {
    connector["metadata"]["annotations"][MARK].is_string()
}

/// How many of the name there are at Keepit in truth.
fn made(scene: &Scene) -> usize {
    let state = scene.world.state();
    let all = state["keepit"][0]["accounts"][0]["connectors"].as_array().unwrap();
    all.iter().filter(|it| it["name"] == AT_KEEPIT).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_created_once_and_a_person_only_chooses_what_is_backed_up() {
    let scene = scene(&[source()]).await;
    let _operator = operator(&scene).await;
    // Somebody has given it the role already: it is not needed for this.
    declare(&scene, &json!({ "adoption": { "policy": "Never" } })).await;
    let asks = |it: &Value| it["status"]["handOffs"][0]["name"] == "choose-environments" && !marked(it);
    let waiting = scene.until("a person to choose", "Connector", CONNECTOR, asks).await;
    assert!(is(&waiting, "Provisioned", "True", "Adopted"), "{waiting:#}");
    assert!(!held(&scene.world).contains(&GLOBAL_ADMINISTRATOR.to_owned()), "nobody has to sign in");
    scene.world.act("save-configuration", json!({ "connector": AT_KEEPIT })).unwrap();
    let id = waiting["status"]["connectorID"].as_str().unwrap();
    scene.world.finish_backup(id).unwrap();
    let ready = scene.until_ready().await;
    assert!(is(&ready, "InSync", "True", "InSync"), "{ready:#}");
    assert_eq!((scene.asked(creates), made(&scene)), (1, 1), "{:?}", scene.written());
    let events = scene.events().await;
    assert!(events.iter().any(|(reason, said)| reason == "Created" && said.contains(AT_KEEPIT)), "{events:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_bars_the_creation_is_planned_and_left_to_a_person() {
    let scene = scene(&[source(), at_keepit("Beside")]).await;
    let operator = scene.operator().await;
    declare(&scene, &json!({})).await;
    let asks = |it: &Value| it["status"]["handOffs"][0]["name"] == "create-connector";
    let plans = |allowed: &str| {
        let wanted = vec![("Create".to_owned(), allowed.to_owned())];
        move |it: &Value| planned(it) == wanted && asks(it)
    };
    scene.until("no grant to cover it", "Connector", CONNECTOR, plans("NotGranted")).await;
    let named = json!({ "spec": { "allowedActions": ["Rename"] } });
    scene.patch("Connector", CONNECTOR, named).await;
    scene.until("the action not to be named", "Connector", CONNECTOR, plans("NotAllowed")).await;
    assert_eq!(operator.stop().await, Some(0));
    let _operator = self::operator(&scene).await;
    // What can't be seen to work is not built upon.
    scene.world.act("break-authorization", json!({ "connector": OLD })).unwrap();
    scene.patch("Connector", CONNECTOR, json!({ "spec": { "allowedActions": ["Create"] } })).await;
    scene.until("the source to be dead", "Connector", CONNECTOR, plans("NotYet")).await;
    let elsewhere = json!({ "spec": { "vendor": { "keepit": { "createFrom": "aaaaaa-bbbbbb-dddddd" } } } });
    scene.patch("Connector", CONNECTOR, elsewhere).await;
    let said = "shows no connector aaaaaa-bbbbbb-dddddd (spec.vendor.keepit.createFrom)";
    let reason = |it: &Value| it["status"]["plan"][0]["reason"].as_str().is_some_and(|it| it.contains(said));
    scene.until("the source not to be there", "Connector", CONNECTOR, reason).await;
    assert_eq!(scene.asked(creates), 0, "{:?}", scene.written());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_with_a_lost_answer_is_found_and_not_repeated() {
    let scene = scene(&[source()]).await;
    scene.world.fault(Fault { applied: true, reset: true, ..post() });
    let _operator = operator(&scene).await;
    declare(&scene, &json!({ "adoption": { "policy": "Never" } })).await;
    let waiting = scene
        .until("its adoption", "Connector", CONNECTOR, |it| it["status"]["connectorID"].is_string() && !marked(it));
    waiting.await;
    scene.until_asked(2, "looks at Keepit", crate::harness::calls::lists_connectors).await;
    assert_eq!((scene.asked(creates), made(&scene)), (1, 1), "{:?}", scene.written());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_with_an_unknown_end_waits_for_somebody_to_look() {
    let scene = scene(&[source()]).await;
    scene.world.fault(Fault { reset: true, times: Some(1), ..post() });
    let operator = operator(&scene).await;
    declare(&scene, &json!({})).await;
    let uncertain = scene.until_connector("Ready", "False", "CreateUncertain").await;
    let said = message(&uncertain, "Ready");
    assert!(said.contains(&format!("kubectl annotate connector -n {} {CONNECTOR} {MARK}-", scene.namespace)), "{said}");
    // Nothing but the mark remembers it.
    operator.kill();
    let _operator = self::operator(&scene).await;
    scene.until_asked(2, "looks at Keepit", crate::harness::calls::lists_connectors).await;
    let uncertain = scene.until_connector("Ready", "False", "CreateUncertain").await;
    assert_eq!((scene.asked(creates), made(&scene)), (1, 0), "{:?}", scene.written());
    assert!(marked(&uncertain));
    // Somebody has looked.
    let removed = json!({ "metadata": { "annotations": { MARK: null } } });
    scene.patch("Connector", CONNECTOR, removed).await;
    scene.until("its adoption", "Connector", CONNECTOR, |it| it["status"]["connectorID"].is_string()).await;
    assert_eq!((scene.asked(creates), made(&scene)), (2, 1), "{:?}", scene.written());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_right_after_the_creation_makes_no_second_one() {
    let scene = scene(&[source()]).await;
    // The operator never sees the answer.
    scene.world.fault(Fault { applied: true, hang: true, ..post() });
    let operator = operator(&scene).await;
    declare(&scene, &json!({})).await;
    scene.until_true("the connector to be made", || made(&scene) == 1).await;
    operator.kill();
    scene.world.clear_faults();
    let _operator = self::operator(&scene).await;
    scene
        .until("its adoption", "Connector", CONNECTOR, |it| it["status"]["connectorID"].is_string() && !marked(it))
        .await;
    assert_eq!((scene.asked(creates), made(&scene)), (1, 1), "{:?}", scene.written());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_leaves_no_mark_and_a_person_is_asked() {
    let scene = scene(&[source()]).await;
    scene.world.fault(Fault { status: Some(403), body: Some("Forbidden".into()), ..post() });
    let _operator = operator(&scene).await;
    declare(&scene, &json!({})).await;
    let waiting = scene.until_connector("Ready", "False", "AwaitingPerson").await;
    assert_eq!(waiting["status"]["handOffs"][0]["name"], "create-connector", "{waiting:#}");
    scene.until_more_reads(2).await;
    let waiting = scene.connector().await;
    assert!(!marked(&waiting) && is(&waiting, "Ready", "False", "AwaitingPerson"), "{waiting:#}");
    assert_eq!((scene.asked(creates), made(&scene)), (1, 0), "{:?}", scene.written());
    assert_eq!(scene.asked(removes), 0, "{:?}", scene.written());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_that_is_lost_is_not_made_again() {
    let scene = scene(&[source(), at_keepit(AT_KEEPIT)]).await;
    let _operator = operator(&scene).await;
    declare(&scene, &json!({})).await;
    scene.until_ready().await;
    scene.world.act("rename-connector", json!({ "connector": AT_KEEPIT, "name": "Gone" })).unwrap();
    // Followed by its id.
    scene.until_connector("InSync", "False", "Drifted").await;
    scene.world.fault(Fault {
        host: Some(KEEPIT.into()),
        path: Some("/users/kp7a2b-c3d4e5-f6g7h8/devices".into()),
        method: Some("GET".into()),
        status: Some(200),
        content_type: Some("application/xml".into()),
        body: Some(replaced(
            "<devices><cloud><guid>ID</guid><name>Theirs</name><type>dynamics365</type></cloud></devices>",
            "ID",
            OLD,
        )),
        ..Fault::default()
    });
    let lost = scene.until_connector("Provisioned", "False", "NotFound").await;
    assert_eq!(lost["status"]["plan"], Value::Null, "{lost:#}");
    scene.until_more_reads(2).await;
    assert_eq!(scene.asked(creates), 0, "{:?}", scene.written());
}

/// A fault of the creation.
fn post() -> Fault {
    Fault { host: Some(KEEPIT.into()), method: Some("POST".into()), ..Fault::default() }
}
