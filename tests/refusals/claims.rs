//! Two objects that want the same thing: the one that came first has it, and the other says so.

use backstay_world::Fault;
use serde_json::{Value, json};

use super::harness::{ACCOUNT, AT_KEEPIT, CONNECTOR, POLICY, Scene, condition};
use super::{a_second_after, hourly, nothing_written, recovered, refused, renamed, with};

const KEEPIT: &str = "dk-co.keepit.com";
const SALES: &str = "11111111-aaaa-4bbb-8ccc-000000000001";
const SERVICE: &str = "11111111-aaaa-4bbb-8ccc-000000000002";

#[tokio::test(flavor = "multi_thread")]
async fn of_two_connectors_for_the_same_thing_the_older_one_has_it_until_it_is_gone() {
    let scene = Scene::new().await;
    let _operator = scene.operator_with("", &[]).await;
    scene.apply_secrets().await;
    scene.apply_yaml(&scene.connector_yaml()).await;
    let older = scene.until_connector("Provisioned", "False", "NotFound").await;
    a_second_after(&older).await;
    scene.apply_yaml(&hourly(&renamed(&scene.connector_yaml(), CONNECTOR, "a-newcomer"))).await;
    let refused_at = |newcomer: &Value| {
        refused(newcomer, "ConnectorClaimed", &[CONNECTOR, AT_KEEPIT, "delete one of the two"]);
        assert_eq!(newcomer["status"]["connectorID"], Value::Null);
        assert_eq!(newcomer["status"]["handOffs"], Value::Null, "two people would be asked for one connector");
    };
    // Also while there is none at Keepit yet.
    refused_at(&scene.until_condition("Connector", "a-newcomer", "Provisioned", "False", "ConnectorClaimed").await);

    let id = scene.world.sign_in_for_connector("Contoso", AT_KEEPIT, "dynamics365", ACCOUNT).unwrap();
    let older = scene.until_connector("Provisioned", "True", "Adopted").await;
    assert_eq!(older["status"]["connectorID"], id.as_str());
    refused_at(&scene.until_condition("Connector", "a-newcomer", "Provisioned", "False", "ConnectorClaimed").await);
    assert_eq!(condition(&scene.connector().await, "Stalled"), &Value::Null);

    scene.delete("Connector", CONNECTOR).await;
    let younger = scene.until_condition("Connector", "a-newcomer", "Provisioned", "True", "Adopted").await;
    assert_eq!(younger["status"]["connectorID"], id.as_str());
    assert_eq!(condition(&younger, "Stalled"), &Value::Null);
    nothing_written(&scene);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_adopted_a_connector_keeps_it_when_it_is_renamed_to_what_an_older_one_declares() {
    let scene = Scene::new().await;
    let _operator = scene.operator_with("", &[]).await;
    scene.apply_secrets().await;
    let waiting = with(
        &hourly(&renamed(&scene.connector_yaml(), CONNECTOR, "an-older-one")),
        "name: Contoso Power Platform",
        "name: New Name",
    );
    scene.apply_yaml(&waiting).await;
    let older = scene.until_condition("Connector", "an-older-one", "Provisioned", "False", "NotFound").await;
    a_second_after(&older).await;
    let id = scene.world.sign_in_for_connector("Contoso", AT_KEEPIT, "dynamics365", ACCOUNT).unwrap();
    scene.apply_yaml(&scene.connector_yaml()).await;
    scene.until_connector("Provisioned", "True", "Adopted").await;

    scene.world.act("rename-connector", json!({ "connector": id, "name": "New Name" })).unwrap();
    let older = scene.until_condition("Connector", "an-older-one", "Provisioned", "False", "ConnectorClaimed").await;
    refused(&older, "ConnectorClaimed", &[CONNECTOR, "New Name"]);
    let adopted = scene.until_connector("Provisioned", "True", "Adopted").await;
    assert_eq!(adopted["status"]["connectorID"], id.as_str(), "followed by its id, whatever its name");

    scene.delete("Connector", CONNECTOR).await;
    let older = scene.until_condition("Connector", "an-older-one", "Provisioned", "True", "Adopted").await;
    assert_eq!(older["status"]["connectorID"], id.as_str());
    nothing_written(&scene);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_connectors_of_one_name_at_keepit_are_nobodys_until_one_is_renamed() {
    let scene = Scene::new().await;
    let _operator = scene.operator_with("", &[]).await;
    scene.apply_secrets().await;
    let id = scene.world.sign_in_for_connector("Contoso", AT_KEEPIT, "dynamics365", ACCOUNT).unwrap();
    let other = scene.world.sign_in_for_connector("Contoso", "Another", "dynamics365", ACCOUNT).unwrap();
    scene.world.act("rename-connector", json!({ "connector": other, "name": AT_KEEPIT })).unwrap();
    scene.apply_yaml(&hourly(&scene.connector_yaml())).await;
    let connector = scene.until_connector("Provisioned", "False", "Ambiguous").await;
    refused(&connector, "Ambiguous", &[AT_KEEPIT, "2 connectors", "rename"]);
    assert_eq!(connector["status"]["connectorID"], Value::Null);

    scene.world.act("rename-connector", json!({ "connector": other, "name": "Another" })).unwrap();
    let connector = scene.until_connector("Provisioned", "True", "Adopted").await;
    assert_eq!(connector["status"]["connectorID"], id.as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_policies_that_may_act_on_one_account_only_the_older_one_does() {
    let scene = Scene::new().await;
    let _operator = scene.operator().await;
    scene.apply_secrets().await;
    let of = |name: &str, environment: &str| {
        let yaml = renamed(&scene.policy_yaml(), POLICY, name);
        with(&yaml, "types: [Production, Sandbox]", &format!("include: [{environment}]"))
    };
    scene.apply_yaml(&of(POLICY, SALES)).await;
    scene.apply_yaml(&scene.connector_yaml()).await;
    let older = scene.until_policy("Ready", "True", "Satisfied").await;
    a_second_after(&older).await;
    scene.apply_yaml(&hourly(&of("a-newcomer", SERVICE))).await;
    let another = with(&renamed(&scene.connector_yaml(), CONNECTOR, "another"), AT_KEEPIT, "Another");
    scene
        .apply_yaml(&with(&another, "policyRef:\n    name: keepit-service-account", "policyRef:\n    name: a-newcomer"))
        .await;
    let onlooker =
        with(&of("an-onlooker", SALES), "  allowedActions: [DirectoryRoles, SecurityRoles, SelfEnrollment]\n", "");
    scene.apply_yaml(&onlooker).await;

    let younger =
        scene.until_condition("ServiceAccountPolicy", "a-newcomer", "AccountPinned", "False", "AccountClaimed").await;
    refused(&younger, "AccountClaimed", &[POLICY, "acts on this account", "allowedActions"]);
    let looks_only =
        scene.until_condition("ServiceAccountPolicy", "an-onlooker", "Ready", "True", "NoConnectors").await;
    recovered(&looks_only);
    recovered(&scene.until_policy("Ready", "True", "Satisfied").await);
    let of_the_younger = || scene.world.writes().iter().any(|call| call.path.contains(SERVICE));
    assert!(!scene.world.writes().is_empty() && !of_the_younger(), "the older one acts, the younger does not");

    scene.patch("ServiceAccountPolicy", POLICY, json!({ "spec": { "allowedActions": null } })).await;
    recovered(&scene.until_condition("ServiceAccountPolicy", "a-newcomer", "Ready", "True", "Satisfied").await);
    assert!(of_the_younger(), "now it acts");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_for_good_asks_no_person_for_what_must_not_be_done() {
    let scene = Scene::new().await;
    let _operator = scene.operator_with("", &[]).await;
    scene.apply_secrets().await;
    scene.world.act("remove-license", json!({ "user": ACCOUNT, "sku": "POWERAUTOMATE_ATTENDED_RPA" })).unwrap();
    scene
        .apply_yaml(&with(
            &scene.policy_yaml(),
            "  allowedActions: [DirectoryRoles, SecurityRoles, SelfEnrollment]\n",
            "",
        ))
        .await;
    scene.apply_yaml(&scene.connector_yaml()).await;
    let asks = |object: &Value, name: &str| object["status"]["handOffs"].to_string().contains(name);
    scene.until("a person to be asked", "Connector", CONNECTOR, |it| asks(it, "create-connector")).await;
    scene.until("a person to be asked", "ServiceAccountPolicy", POLICY, |it| asks(it, "licenses")).await;

    // Meanwhile others were busy at Keepit: there are two of the name.
    let away = scene.world.fault(Fault { host: Some(KEEPIT.into()), status: Some(503), ..Fault::default() });
    let other = scene.world.sign_in_for_connector("Contoso", "Another", "dynamics365", ACCOUNT).unwrap();
    scene.world.sign_in_for_connector("Contoso", AT_KEEPIT, "dynamics365", ACCOUNT).unwrap();
    scene.world.act("rename-connector", json!({ "connector": other, "name": AT_KEEPIT })).unwrap();
    scene.world.clear_fault(away);
    let ambiguous = scene.until_connector("Ready", "False", "Ambiguous").await;
    assert!(!asks(&ambiguous, "create-connector"), "a third is asked for: {}", ambiguous["status"]["handOffs"]);

    scene.world.act("replace-user", json!({ "user": ACCOUNT })).unwrap();
    let policy = scene.until_policy("Ready", "False", "AccountChanged").await;
    assert!(
        !asks(&policy, "licenses"),
        "licenses are asked for, for another account: {}",
        policy["status"]["handOffs"]
    );
}
