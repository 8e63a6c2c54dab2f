//! Keepit: which connectors are taken, what differs from what is declared, and what nobody declares.

use backstay_world::{Call, Fault};
use serde_json::{Value, json};

use crate::harness::calls::{KEEPIT, at_keepit, contoso, held, removes, replaced, settled};
use crate::harness::{
    ACCOUNT, AT_KEEPIT, CONNECTOR, GLOBAL_ADMINISTRATOR, Operator, Scene, example_of, finding, is, message,
};

/// Keepit has these connectors, and everything else is right.
pub fn with(connectors: &[Value]) -> String {
    settled(|world| world["keepit"][0]["accounts"][0]["connectors"] = json!(connectors))
}

pub fn called(name: &str, id: &str, more: &Value) -> Value {
    let mut connector = at_keepit(name);
    connector["id"] = json!(id);
    for (key, value) in more.as_object().into_iter().flatten() {
        connector[key] = value.clone();
    }
    connector
}

/// The example's Connector with this in its spec.
pub async fn apply(scene: &Scene, spec: &Value) {
    scene.apply_secrets().await;
    scene.apply_yaml(&scene.policy_yaml()).await;
    let mut connector: Value = serde_yaml::from_str(&scene.connector_yaml()).unwrap();
    for (key, value) in spec.as_object().unwrap() {
        connector["spec"][key] = value.clone();
    }
    scene.apply_yaml(&connector.to_string()).await;
}

pub const OLD: &str = "aaaaaa-bbbbbb-cccccc";

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_named_by_its_id_is_taken_whatever_its_name_and_what_differs_is_told() {
    let world = with(&[
        called("An old name", OLD, &json!({ "retention": "P12M" })),
        called("Nobody's", "dddddd-eeeeee-ffffff", &json!({})),
    ]);
    let scene = Scene::with_world(&world).await;
    let _operator = scene.operator().await;
    apply(&scene, &json!({ "adoption": { "policy": "ByID", "connectorID": OLD } })).await;
    let ready = scene.until_connector("Ready", "True", "Current").await;
    assert_eq!(ready["status"]["connectorID"], OLD);
    assert!(is(&ready, "InSync", "False", "Drifted"), "it is Ready all the same: {ready:#}");
    let name = json!({ "field": "spec.vendor.keepit.name", "desired": AT_KEEPIT, "observed": "An old name" });
    assert_eq!(ready["status"]["drift"], json!([name]));
    assert_eq!(ready["status"]["undeclared"], json!({ "count": 1, "sample": ["Nobody's"] }));

    let retention = json!({ "spec": { "vendor": { "keepit": { "retention": "P2Y" } } } });
    scene.patch("Connector", CONNECTOR, retention).await;
    let longer = scene
        .until("the retention to differ", "Connector", CONNECTOR, |it| {
            it["status"]["drift"].as_array().is_some_and(|all| all.len() == 2)
        })
        .await;
    assert!(message(&longer, "InSync").contains("spec.vendor.keepit.retention is P12M and not P2Y"), "{longer:#}");
    // A year is twelve months.
    let retention = json!({ "spec": { "vendor": { "keepit": { "retention": "P1Y" } } } });
    scene.patch("Connector", CONNECTOR, retention).await;
    scene.world.act("rename-connector", json!({ "connector": "An old name", "name": AT_KEEPIT })).unwrap();
    scene.until_connector("InSync", "True", "InSync").await;
    assert_eq!(scene.written(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_is_not_there_asks_nobody_to_sign_in() {
    let scene = Scene::with_world(&with(&[at_keepit(AT_KEEPIT)])).await;
    let _operator = scene.operator().await;
    apply(&scene, &json!({ "adoption": { "policy": "ByID", "connectorID": OLD } })).await;
    let wrong = scene.until_connector("Ready", "False", "NotFound").await;
    assert!(message(&wrong, "Ready").contains(&format!("no connector {OLD} (spec.adoption.connectorID)")), "{wrong:#}");
    assert_eq!((&wrong["status"]["handOffs"], &wrong["status"]["connectorID"]), (&Value::Null, &Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_none_is_to_be_taken_only_one_that_a_person_was_asked_for_is() {
    let scene = Scene::with_world(&with(&[at_keepit(AT_KEEPIT)])).await;
    let operator = scene.operator().await;
    apply(&scene, &json!({ "adoption": { "policy": "Never" } })).await;
    let exists = scene.until_connector("Ready", "False", "ConnectorExists").await;
    assert!(message(&exists, "Ready").contains("spec.adoption.policy"), "{exists:#}");
    assert_eq!((&exists["status"]["handOffs"], &exists["status"]["connectorID"]), (&Value::Null, &Value::Null));

    scene.world.act("rename-connector", json!({ "connector": AT_KEEPIT, "name": "Theirs" })).unwrap();
    scene.until_connector("Ready", "False", "AwaitingPerson").await;
    // The hand-off is what is remembered of it: it outlives the process.
    assert_eq!(operator.stop().await, Some(0));
    let administrator = json!({ "user": ACCOUNT, "role": GLOBAL_ADMINISTRATOR });
    scene.world.act("grant-directory-role", administrator).unwrap();
    let id = scene.world.sign_in_for_connector("Contoso", AT_KEEPIT, "dynamics365", ACCOUNT).unwrap();
    scene.world.finish_backup(&id).unwrap();
    let _operator = scene.operator().await;
    let ready = scene.until_ready().await;
    assert!(is(&ready, "InSync", "True", "InSync"), "{ready:#}");
    assert_eq!(ready["status"]["undeclared"], json!({ "count": 1, "sample": ["Theirs"] }));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adoption_that_can_not_be_meant_is_refused_at_once() {
    let scene = Scene::with_world(&contoso(|_| {})).await;
    let with = |adoption: &str| format!("{}  adoption: {adoption}\n", scene.connector_yaml());
    for adoption in ["{ policy: ByID }", "{ connectorID: aaaaaa-bbbbbb-cccccc }", "{ policy: Never, connectorID: a-b }"]
    {
        let said = scene.try_apply(&with(adoption)).await.unwrap_err();
        assert!(said.contains("connectorID belongs to policy ByID, and ByID needs it"), "{adoption}: {said}");
    }
    let said = scene.try_apply(&with("{ policy: Sometimes }")).await.unwrap_err();
    assert!(said.contains("spec.adoption.policy") && said.contains("ByName"), "{said}");
    let fluent = crate::harness::example_of("fluentpro-dataverse", "3-connector.yaml");
    let said = scene.try_apply(&format!("{fluent}  adoption: {{}}\n")).await.unwrap_err();
    assert!(said.contains("adoption is for vendors that show their connectors: Keepit"), "{said}");
    let year = replaced(&scene.connector_yaml(), "      region: dk-co", "      region: dk-co\n      retention: 1 year");
    let said = scene.try_apply(&year).await.unwrap_err();
    assert!(said.contains("spec.vendor.keepit.retention"), "{said}");
}

/// Differs in its name and its retention; the Connector corrects it by these actions.
async fn drifted(retention: &str, allowed: &Value) -> Scene {
    let world = with(&[called("An old name", OLD, &json!({ "retention": "P1Y" }))]);
    let scene = Scene::with_world(&world).await;
    let spec = json!({
        "adoption": { "policy": "ByID", "connectorID": OLD },
        "driftPolicy": "Correct",
        "allowedActions": allowed,
    });
    apply(&scene, &spec).await;
    let retention = json!({ "spec": { "vendor": { "keepit": { "retention": retention } } } });
    scene.patch("Connector", CONNECTOR, retention).await;
    scene
}

/// The example's grants, and one for these actions at Keepit.
pub fn grants(scene: &Scene, actions: &str) -> String {
    let namespace = &scene.namespace;
    let account = "kp7a2b-c3d4e5-f6g7h8";
    format!(
        "{}\n- {{ namespace: {namespace}, vendor: Keepit, accounts: [{account}], actions: [{actions}] }}\n",
        scene.grants()
    )
}

pub fn changes(call: &Call) -> bool {
    call.write && call.host == KEEPIT
}

/// What the plan says of each step.
pub fn planned(connector: &Value) -> Vec<(String, String)> {
    let steps = connector["status"]["plan"].as_array().cloned().unwrap_or_default();
    let word = |step: &Value, key: &str| step[key].as_str().unwrap().to_owned();
    steps.iter().map(|step| (word(step, "step"), word(step, "allowed"))).collect()
}

async fn until_planned(scene: &Scene, steps: &[(&str, &str)]) -> Value {
    let wanted: Vec<(String, String)> =
        steps.iter().map(|(step, allowed)| ((*step).to_owned(), (*allowed).to_owned())).collect();
    scene.until("the plan", "Connector", CONNECTOR, |it| planned(it) == wanted).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_differs_is_made_what_is_declared_where_that_is_allowed_and_granted_and_once() {
    let scene = drifted("P2Y", &json!(["Rename", "ExtendRetention"])).await;
    let _operator = scene.operator_with(&grants(&scene, "Rename, ExtendRetention"), &[]).await;
    let synced = scene.until_connector("InSync", "True", "InSync").await;
    assert_eq!((&synced["status"]["drift"], &synced["status"]["plan"]), (&Value::Null, &Value::Null));
    let state = scene.world.state();
    let at_keepit = &state["keepit"][0]["accounts"][0]["connectors"][0];
    assert_eq!((&at_keepit["name"], &at_keepit["retention"]), (&json!(AT_KEEPIT), &json!("P2Y")));
    let events = scene.events().await;
    assert_eq!(events.iter().filter(|(reason, _)| reason == "Corrected").count(), 2, "{events:?}");
    scene.until_more_reads(2).await;
    assert_eq!(scene.asked(changes), 2, "{:?}", scene.written());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_at_the_vendor_that_is_not_allowed_granted_and_confirmed() {
    let scene = drifted("P6M", &json!(["ShortenRetention"])).await;
    let operator = scene.operator_with(&grants(&scene, "Rename"), &[]).await;
    let waiting = until_planned(&scene, &[("Rename", "NotAllowed"), ("ShortenRetention", "NotGranted")]).await;
    assert!(message(&waiting, "InSync").ends_with("spec.allowedActions does not name Rename"), "{waiting:#}");
    assert_eq!(operator.stop().await, Some(0));
    // Granted, it has to be confirmed for this very connector.
    let _operator = scene.operator_with(&grants(&scene, "Rename, ShortenRetention"), &[]).await;
    let steps = [("Rename", "NotAllowed"), ("ShortenRetention", "NotYet")];
    until_planned(&scene, &steps).await;
    let confirm = |id: &str| json!({ "spec": { "vendor": { "keepit": { "shortenRetentionOf": id } } } });
    scene.patch("Connector", CONNECTOR, confirm("dddddd-eeeeee-ffffff")).await;
    scene.until_more_reads(2).await;
    until_planned(&scene, &steps).await;
    assert_eq!(scene.asked(changes), 0, "{:?}", scene.written());
    scene.patch("Connector", CONNECTOR, confirm(OLD)).await;
    scene.until_true("the retention to be shortened", || scene.asked(changes) == 1).await;
    until_planned(&scene, &steps[..1]).await;
    assert_eq!(scene.asked(changes), 1, "{:?}", scene.written());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_that_is_refused_is_told_and_not_tried_at_every_look() {
    let scene = drifted("P1Y", &json!(["Rename"])).await;
    scene.world.fault(Fault {
        host: Some(KEEPIT.into()),
        method: Some("PUT".into()),
        status: Some(403),
        body: Some("Forbidden".into()),
        ..Fault::default()
    });
    let _operator = scene.operator_with(&grants(&scene, "Rename"), &[]).await;
    scene.until("the refusal", "Connector", CONNECTOR, |it| message(it, "InSync").contains("Rename failed")).await;
    // Backups go on all the same.
    scene.until_connector("Ready", "True", "Current").await;
    scene.until_more_reads(3).await;
    assert_eq!(scene.asked(changes), 1, "{:?}", scene.written());
}

/// An example of another folder than the usual one, as it is.
async fn example(folder: &str) -> (Scene, Operator) {
    let scene = Scene::with_world(&contoso(|_| {})).await;
    let grants = example_of(folder, "operator/grants.yaml");
    let grants = replaced(&grants, "namespace: backup", &format!("namespace: {}", scene.namespace));
    let operator = scene.operator_with(&grants, &[]).await;
    scene.apply_yaml(&example_of(folder, "1-secrets.yaml")).await;
    for file in ["2-policy.yaml", "3-connector.yaml"] {
        scene.apply_yaml(&format!("{}  interval: 10s\n", example_of(folder, file))).await;
    }
    (scene, operator)
}

/// Who may signs in as the account and the first backup ends.
fn connected(scene: &Scene, name: &str) {
    scene.world.act("add-environment-user", json!({ "environment": "Contoso Test", "user": ACCOUNT })).unwrap();
    let id = scene.world.sign_in_for_connector("Contoso", name, "dynamics365", ACCOUNT).unwrap();
    scene.world.finish_backup(&id).unwrap();
}

/// The roles that the account holds in truth, without the usual words.
fn roles(scene: &Scene) -> Vec<String> {
    held(&scene.world).iter().map(|role| role.replace(" Administrator", "")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_of_the_older_page_is_ready_with_global_administrator_and_keeps_it() {
    let (scene, _operator) = example("keepit-dynamics-ce").await;
    let (connector, policy) = ("contoso-dynamics-ce", "keepit-dynamics-ce-account");
    scene.until_condition("Connector", connector, "Ready", "False", "AwaitingPerson").await;
    connected(&scene, "Contoso Dynamics CE");
    scene.until_condition("Connector", connector, "Ready", "True", "Current").await;
    scene.until_condition("ServiceAccountPolicy", policy, "Ready", "True", "Satisfied").await;
    scene.until_more_reads(2).await;
    assert!(roles(&scene).contains(&"Global".to_owned()), "{:?}", roles(&scene));
    assert_eq!(scene.asked(removes), 0, "{:?}", scene.written());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_without_global_administrator_leads_a_person_through_all_of_it() {
    let (scene, _operator) = example("keepit-dynamics-365-without-global-administrator").await;
    let (connector, policy) = ("contoso-dynamics-365", "keepit-dynamics-365-account");
    let awaits = |result: &'static str| move |it: &Value| finding(it, "no-global-administrator")["result"] == result;
    scene.until_condition("Connector", connector, "Ready", "False", "AwaitingPerson").await;
    connected(&scene, "Contoso Dynamics 365");
    // It is there: what takes the role's place is asked for, and the role itself is a warning.
    let policies = "ServiceAccountPolicy";
    let asked = |it: &Value| it["status"]["demands"][0]["stage"] == "Steady" && awaits("Warn")(it);
    let seen = scene.until("the role to be a warning", policies, policy, asked).await;
    let all = seen["status"]["handOffs"].to_string();
    assert!(all.contains("Power Platform Administrator"), "{all}");
    for environment in ["Contoso Service", "Contoso Test"] {
        let words = json!({ "environment": environment, "user": ACCOUNT, "role": "System Administrator" });
        scene.world.act("grant-security-role", words).unwrap();
    }
    let role = |action: &str, role: &str| scene.world.act(action, json!({ "user": ACCOUNT, "role": role })).unwrap();
    role("grant-directory-role", "Power Platform Administrator");
    role("remove-directory-role", GLOBAL_ADMINISTRATOR);
    scene.until("the role to be gone", policies, policy, awaits("Pass")).await;
    scene.until_condition(policies, policy, "Ready", "True", "Satisfied").await;
    scene.until_condition("Connector", connector, "Ready", "True", "Current").await;
    assert_eq!(roles(&scene), ["Dynamics 365", "Power Platform"]);
    assert_eq!(scene.asked(removes), 0, "{:?}", scene.written());
}
