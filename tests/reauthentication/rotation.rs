//! From the authorization that dies to the backup that works again, by each method.

use backstay_world::Fault;
use serde_json::json;

use crate::harness::{ACCOUNT, AT_KEEPIT, CONNECTOR, GLOBAL_ADMINISTRATOR, POLICY, is, message};
use crate::{Rotation, elevation, world};

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_given_before_somebody_begins_and_it_is_taken_back_when_it_works_again() {
    for method in ["PrivilegedIdentityManagement", "RoleAssignment"] {
        let rotation = Rotation::new(&elevation(method, "")).await;
        let _operator = rotation.operator().await;
        rotation.connected().await;
        let asked = rotation.dies().await;
        assert_eq!(asked["status"]["reauthentication"]["state"], "Requested");
        assert_eq!(asked["status"]["reauthentication"]["causes"], json!(["Dead"]));
        let hand_off = rotation
            .scene
            .until("the first step to be to begin", "Connector", CONNECTOR, |it| {
                let step = it["status"]["handOffs"][0]["steps"][0].as_str().unwrap_or_default();
                step.contains(&format!("kubectl backstay begin {CONNECTOR}"))
            })
            .await;
        assert!(is(&hand_off, "PolicySatisfied", "True", "Satisfied"), "nobody is at it: {hand_off:#}");
        assert!(!rotation.elevated());

        rotation.begin().await;
        rotation.until_window("Open").await;
        assert!(rotation.elevated());
        let policy = rotation.scene.until_policy("Elevated", "True", "WindowOpen").await;
        assert_eq!(policy["status"]["elevation"]["method"], method);
        assert_eq!(policy["status"]["elevation"]["connectors"], json!([CONNECTOR]));
        let ready = rotation.scene.until_connector("PolicySatisfied", "True", "Satisfied").await;
        assert_eq!(ready["status"]["reauthentication"]["state"], "Begun");
        let shown = rotation.scene.backstay(&["status", "-n", &rotation.scene.namespace], "").out;
        let shown = shown.replace('│', " ").split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(shown.contains("! the account holds Global Administrator until 2"), "{shown}");
        rotation.signs_in();
        rotation.settled().await;
        assert_eq!(rotation.ledger().await["given"], "ByOperator");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_gives_the_role_and_is_asked_to_take_it_back() {
    let rotation = Rotation::new(&elevation("Manual", "")).await;
    let _operator = rotation.operator().await;
    rotation.connected().await;
    rotation.dies().await;
    rotation.begin().await;
    let hands_over = |name: &'static str| {
        move |it: &serde_json::Value| {
            it["status"]["handOffs"].as_array().into_iter().flatten().any(|hand_off| hand_off["name"] == name)
        }
    };
    let scene = &rotation.scene;
    scene.until("a person to be asked for the role", "ServiceAccountPolicy", POLICY, hands_over("give-role")).await;
    assert!(!rotation.elevated());
    scene.world.grant_directory_role(ACCOUNT, GLOBAL_ADMINISTRATOR).unwrap();
    rotation.until_window("Open").await;
    scene.until_connector("PolicySatisfied", "True", "Satisfied").await;
    rotation.signs_in();
    scene
        .until("a person to be asked to take it back", "ServiceAccountPolicy", POLICY, hands_over("take-back-role"))
        .await;
    assert!(rotation.elevated(), "what the operator did not give it never takes");
    scene.world.remove_directory_role(ACCOUNT, GLOBAL_ADMINISTRATOR).unwrap();
    rotation.settled().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_operator_can_not_give_it_a_person_is_asked_and_told_why() {
    let without_p2 = world().replace("premium_p2: true", "premium_p2: false");
    for (world, why) in [(without_p2, "Microsoft Entra ID P2"), (world(), "ExpirationRule")] {
        let rotation = Rotation::in_world(&world, &elevation("PrivilegedIdentityManagement", "")).await;
        let _operator = rotation.operator().await;
        rotation.connected().await;
        let words = json!({ "role": GLOBAL_ADMINISTRATOR, "max_duration": "PT5M", "justification": true });
        rotation.scene.world.act("set-role-policy", words).unwrap();
        rotation.dies().await;
        rotation.begin().await;
        let scene = &rotation.scene;
        let policy = scene
            .until("a person to be asked", "ServiceAccountPolicy", POLICY, |it| {
                it["status"]["elevation"]["method"] == "Manual" && it["status"]["handOffs"][0]["name"] == "give-role"
            })
            .await;
        assert!(policy["status"]["elevation"]["message"].as_str().unwrap().contains(why), "{policy:#}");
        scene.world.grant_directory_role(ACCOUNT, GLOBAL_ADMINISTRATOR).unwrap();
        rotation.until_window("Open").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_that_it_is_done_before_it_shows_waits_without_the_role() {
    let rotation = Rotation::new(&elevation("RoleAssignment", "")).await;
    let _operator = rotation.operator().await;
    rotation.connected().await;
    rotation.dies().await;
    rotation.begin().await;
    rotation.scene.until_connector("PolicySatisfied", "True", "Satisfied").await;
    rotation.until_window("Open").await;
    rotation.done().await;
    let waiting = rotation.scene.until_connector("Authorized", "False", "AwaitingEvidence").await;
    assert_eq!(waiting["status"]["handOffs"], serde_json::Value::Null);
    assert!(is(&waiting, "Ready", "False", "AwaitingEvidence"), "{waiting:#}");
    rotation.until_window("Closed").await;
    assert!(!rotation.elevated(), "the window closes meanwhile");
    rotation.scene.world.grant_directory_role(ACCOUNT, GLOBAL_ADMINISTRATOR).unwrap();
    rotation.scene.world.reauthenticate(AT_KEEPIT, ACCOUNT).unwrap();
    rotation.scene.world.remove_directory_role(ACCOUNT, GLOBAL_ADMINISTRATOR).unwrap();
    rotation.settled().await;
    assert_eq!(rotation.ledger().await["windows"].as_array().unwrap().len(), 1, "no new one opened");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_microsoft_throttles_everything_goes_on_until_it_is_done() {
    let rotation = Rotation::new(&elevation("RoleAssignment", "")).await;
    let _operator = rotation.operator().await;
    rotation.connected().await;
    rotation.dies().await;
    let fault = |method: &str| Fault {
        host: Some("graph.microsoft.com".into()),
        path: Some("/v1.0/roleManagement/directory/roleAssignments".into()),
        method: Some(method.into()),
        status: Some(429),
        headers: [("retry-after".to_owned(), "1".to_owned())].into(),
        times: Some(3),
        ..Fault::default()
    };
    rotation.scene.world.fault(fault("POST"));
    rotation.scene.world.fault(fault("DELETE"));
    rotation.begin().await;
    rotation.until_window("Open").await;
    rotation.scene.until_connector("PolicySatisfied", "True", "Satisfied").await;
    rotation.signs_in();
    rotation.settled().await;
    assert!(!message(&rotation.scene.policy().await, "Elevated").contains("throttl"));
}
