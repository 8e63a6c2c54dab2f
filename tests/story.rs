//! What the demo shows: a Connector becomes a working backup, and a tenant where much is wrong is put right.

mod harness;

use std::collections::BTreeSet;

use harness::{ACCOUNT, AT_KEEPIT, GLOBAL_ADMINISTRATOR, Scene, example_of, finding, is, message};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_walks_from_nothing_to_ready_without_anyone_but_the_person_acting() {
    let scene = Scene::new().await;
    let _operator = scene.operator().await;
    scene.apply_example().await;

    let waiting = scene.until_connector("Ready", "False", "AwaitingPerson").await;
    let hand_off = &waiting["status"]["handOffs"][0];
    assert_eq!(hand_off["name"], "create-connector");
    assert!(message(&waiting, "Ready").contains(ACCOUNT));
    let policy = scene.until_policy("Ready", "False", "AwaitingPerson").await;
    assert_eq!(finding(&policy, "environment-member")["result"], "Fail");
    scene
        .until("the hand-off to name what is missing", "Connector", harness::CONNECTOR, |connector| {
            connector["status"]["handOffs"][0]["steps"][0].as_str().is_some_and(|step| step.starts_with("First mend"))
        })
        .await;

    scene.world.act("add-environment-user", json!({ "environment": "Contoso Test", "user": ACCOUNT })).unwrap();
    scene.until_policy("Ready", "True", "Satisfied").await;
    let id = scene.world.sign_in_for_connector("Contoso", AT_KEEPIT, "dynamics365", ACCOUNT).unwrap();
    let adopted = scene.until_connector("Provisioned", "True", "Adopted").await;
    assert_eq!(adopted["status"]["connectorID"], id.as_str());
    assert_eq!(adopted["status"]["handOffs"], serde_json::Value::Null);

    scene.world.finish_backup(&id).unwrap();
    let ready = scene.until_connector("Ready", "True", "Current").await;
    assert!(ready["status"]["lastBackup"]["completionTime"].is_string());
    assert_eq!(ready["status"]["authorization"]["state"], "Granted");
    let policy = scene.until_policy("Ready", "True", "Satisfied").await;
    assert_eq!(finding(&policy, "power-platform-administrator")["result"], "Pass");
    assert_eq!(finding(&policy, "no-global-administrator")["result"], "Pass");
    assert_eq!(finding(&policy, "system-administrator")["result"], "Pass");
    assert!(scene.world.grant_directory_role(ACCOUNT, GLOBAL_ADMINISTRATOR).is_ok(), "it was really gone");
}

const BROKEN: &str = "service-account";
const BROKEN_ACCOUNT: &str = "svc-backup@northwind.com";
const BROKEN_CONNECTOR: &str = "northwind-power-platform";

/// What is found of this result, by id.
fn of_result(policy: &Value, result: &str) -> BTreeSet<String> {
    let all = policy["status"]["findings"].as_array().into_iter().flatten();
    let of = all.filter(|finding| finding["result"] == result);
    of.filter_map(|finding| finding["id"].as_str()).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_tenant_is_repaired_by_the_operator_where_it_may_by_people_and_by_one_waiver() {
    let file = |file: &str| example_of("broken-tenant", file);
    let scene = Scene::with_world(backstay_world::NORTHWIND).await;
    let act = |action: &str, words: Value| {
        scene.world.act(action, words).unwrap();
    };
    act("finish-backup", json!({ "connector": "Northwind Power Platform", "result": "partial", "hours_ago": "2" }));
    // As --read-only first: everything that is wrong is found, and nothing is written.
    let grants =
        file("operator/grants.yaml").replace("namespace: northwind", &format!("namespace: {}", scene.namespace));
    let looking = scene.operator_with(&grants, &["--read-only"]).await;
    scene.apply_yaml(&file("1-secrets.yaml")).await;
    scene.apply_yaml(&format!("{}  interval: 10s\n", file("2-policy.yaml"))).await;
    scene.apply_yaml(&format!("{}  interval: 10s\n", file("3-connector.yaml"))).await;
    let red = scene
        .until("everything that is wrong", "ServiceAccountPolicy", BROKEN, |policy| {
            is(policy, "Ready", "False", "AwaitingPerson") && of_result(policy, "Fail").len() == 9
        })
        .await;
    assert_eq!(red["status"]["failing"], 9, "{red:#}");
    let failing = of_result(&red, "Fail");
    for id in [
        "keepitPowerPlatform/power-platform-administrator",
        "keepitPowerPlatform/no-global-administrator",
        "keepitPowerPlatform/dynamics-365-license",
        "keepitPowerPlatform/power-automate-license",
        "keepitPowerPlatform/environment-member",
        "keepitPowerPlatform/system-administrator",
        "keepitPowerPlatform/read-write",
        "custom/no-mfa",
        "custom/archive-consent",
    ] {
        assert!(failing.contains(id), "{id} is not among {failing:?}");
    }
    assert_eq!(of_result(&red, "Warn"), ["keepitPowerPlatform/dynamics-365-administrator".to_owned()].into());
    assert_eq!(scene.written(), Vec::<String>::new());
    drop(looking);

    // What the operator mends by itself; what is left is for people.
    let _operator = scene.operator_with(&grants, &[]).await;
    let left: BTreeSet<String> = [
        // Without a license that counts, Microsoft would set it back.
        "keepitPowerPlatform/read-write",
        "keepitPowerPlatform/dynamics-365-license",
        "keepitPowerPlatform/environment-member",
        "keepitPowerPlatform/no-global-administrator",
        "keepitPowerPlatform/power-automate-license",
        "custom/archive-consent",
        "custom/no-mfa",
    ]
    .map(str::to_owned)
    .into();
    scene
        .until("what people have to mend", "ServiceAccountPolicy", BROKEN, |policy| {
            is(policy, "Ready", "False", "AwaitingPerson") && of_result(policy, "Fail") == left
        })
        .await;

    act(
        "change-license",
        json!({ "user": BROKEN_ACCOUNT, "sku": "DYN365_ENTERPRISE_SALES", "plan_on": "DYN365_ENTERPRISE_SALES" }),
    );
    act("enable-environment-user", json!({ "environment": "Northwind Finance", "user": BROKEN_ACCOUNT }));
    act("remove-from-group", json!({ "user": BROKEN_ACCOUNT, "group": "Dynamics Crew" }));
    act("set-user-mfa", json!({ "user": BROKEN_ACCOUNT, "mfa": "disabled" }));
    act("consent", json!({ "app": "Northwind Archive", "scope": "User.Read", "tenant": "Northwind" }));
    // Only what nobody mends now stays; Global Administrator went last.
    let stays = ["keepitPowerPlatform/power-automate-license".to_owned()].into();
    scene
        .until("one finding to stay", "ServiceAccountPolicy", BROKEN, |policy| of_result(policy, "Fail") == stays)
        .await;
    let written = scene.written();
    assert!(written.last().is_some_and(|call| call.contains("DELETE")), "{written:#?}");

    let waiver: Value = serde_yaml::from_str(&file("later/waiver.yaml")).unwrap();
    scene.patch("ServiceAccountPolicy", BROKEN, waiver).await;
    let green = scene.until_condition("ServiceAccountPolicy", BROKEN, "Ready", "True", "Satisfied").await;
    assert_eq!((&green["status"]["failing"], &green["status"]["handOffs"]), (&json!(0), &Value::Null), "{green:#}");
    assert_eq!(of_result(&green, "Waived"), stays);

    act("finish-backup", json!({ "connector": "Northwind Power Platform" }));
    scene.until_condition("Connector", BROKEN_CONNECTOR, "Ready", "True", "Current").await;
}
