//! What is allowed and granted is put right by itself: users, security roles and access modes of environments, directory roles.

use backstay_world::Call;
use serde_json::{Value, json};

use backstay::tenant::calls::For;

use crate::harness::calls::{ACCOUNT_ID, TENANT, contoso, held, of_a_step, reads_roles, replaced};
use crate::harness::{ACCOUNT, AT_KEEPIT, Operator, POLICY, Scene, finding, message};

const ACTIONS: &str = "[DirectoryRoles, SecurityRoles, AccessMode, EnvironmentAccess, SelfEnrollment]";

/// Contoso, where the account is missing in one environment and was added to another while it had no license.
fn broken(change: impl FnOnce(&mut Value)) -> String {
    contoso(|world| {
        let environments = world["tenants"][0]["environments"].as_array_mut().unwrap();
        environments[1]["users"] =
            json!([{ "user": ACCOUNT, "roles": ["Basic User"], "access_mode": 1, "setup": true }]);
        change(world);
    })
}

/// The example, allowed and granted everything.
async fn begun(world: &str) -> (Scene, Operator) {
    let scene = Scene::with_world(world).await;
    let operator = begun_in(&scene, ACTIONS).await;
    (scene, operator)
}

async fn begun_in(scene: &Scene, actions: &str) -> Operator {
    let grants = format!(
        "[{{ namespace: {}, tenantID: {TENANT}, accounts: [{ACCOUNT_ID}], actions: {actions} }}]",
        scene.namespace
    );
    let operator = scene.operator_with(&grants, &[]).await;
    scene.apply_secrets().await;
    let allowed = "allowedActions: [DirectoryRoles, SecurityRoles, SelfEnrollment]";
    scene.apply_yaml(&replaced(&scene.policy_yaml(), allowed, &format!("allowedActions: {actions}"))).await;
    scene.apply_yaml(&scene.connector_yaml()).await;
    operator
}

fn connected(scene: &Scene) {
    let id = scene.world.sign_in_for_connector("Contoso", AT_KEEPIT, "dynamics365", ACCOUNT).unwrap();
    scene.world.finish_backup(&id).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_missing_or_was_set_up_without_a_license_is_put_right_without_a_person() {
    let world = broken(|world| {
        // What is written shows some reads later, and a row comes later still.
        world["switches"] = json!({ "lag": { "graph_reads": 2, "dataverse_reads": 2, "new_row_reads": 3 } });
    });
    let (scene, _operator) = begun(&world).await;
    scene.until_policy("Ready", "True", "Satisfied").await;
    connected(&scene);
    scene.until_ready().await;
    let state = scene.world.state();
    for environment in state["tenants"][0]["environments"].as_array().unwrap().iter().take(3) {
        let users = environment["users"].as_array().unwrap();
        let row = users.iter().find(|row| row["user"] == ACCOUNT_ID).unwrap();
        assert_eq!(row["access_mode"], 0, "{environment}");
    }
    assert_eq!(held(&scene.world), ["Dynamics 365 Administrator", "Power Platform Administrator"]);
    let written = scene.written();
    let times = |piece: &str| written.iter().filter(|call| call.contains(piece)).count();
    assert_eq!((times("addUser"), times("PATCH"), times("DELETE")), (1, 1, 1), "{written:#?}");
    // All of it takes every write that the operator has.
    assert_eq!(scene.unasked(|row| of_a_step(row) && row.purposes != [For::Elevation]), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_license_that_has_not_arrived_in_the_power_platform_is_waited_for_and_not_a_failure() {
    let world = broken(|world| {
        world["tenants"][0]["users"][0]["licenses"] = json!([{ "sku": "POWERAUTOMATE_ATTENDED_RPA" }]);
        // Else an administrator would be let in for set-up.
        world["tenants"][0]["role_assignments"] =
            json!([{ "principal": "breakglass@contoso.onmicrosoft.com", "role": "Global Administrator" }]);
        world["switches"] = json!({ "lag": { "license_attempts": 1 } });
    });
    let scene = Scene::with_world(&world).await;
    // Entra knows of it at once, the Power Platform after some more attempts.
    scene.world.act("assign-license", json!({ "user": ACCOUNT, "sku": "DYN365_ENTERPRISE_SALES" })).unwrap();
    // Without the roles, which would let it in for set-up.
    let _operator = begun_in(&scene, "[SecurityRoles, AccessMode, EnvironmentAccess, SelfEnrollment]").await;
    let waiting = scene.until_policy("Ready", "False", "Propagating").await;
    assert!(message(&waiting, "Ready").contains("has not arrived"), "{}", message(&waiting, "Ready"));
    scene
        .until("the account in every environment", "ServiceAccountPolicy", POLICY, |policy| {
            finding(policy, "environment-member")["result"] == "Pass"
        })
        .await;
    let calls = scene.world.calls();
    let added = |call: &Call| call.write && call.path.ends_with("/addUser");
    let at: Vec<usize> = (0..calls.len()).filter(|at| added(&calls[*at])).collect();
    assert!(at.len() >= 2, "{:?}", scene.written());
    let between = calls[at[0]..at[1]].iter().filter(|call| reads_roles(call)).count();
    assert!(between >= 2, "what only time mends is not tried again at every look: {between} looks between");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_mode_is_set_only_once_the_license_shows_in_the_environment() {
    let world = broken(|world| {
        world["tenants"][0]["users"][0]["licenses"] = json!([{ "sku": "POWERAUTOMATE_ATTENDED_RPA" }]);
        world["switches"] = json!({ "lag": { "license_reads": 60 } });
    });
    let scene = Scene::with_world(&world).await;
    scene.world.act("assign-license", json!({ "user": ACCOUNT, "sku": "DYN365_ENTERPRISE_SALES" })).unwrap();
    let _operator = begun_in(&scene, ACTIONS).await;
    let planned = |policy: &Value| {
        let steps = policy["status"]["plan"].as_array().cloned().unwrap_or_default();
        steps.into_iter().find(|step| step["step"] == "SetReadWrite")
    };
    let waiting = scene.until("the step to wait", "ServiceAccountPolicy", POLICY, |it| planned(it).is_some()).await;
    let step = planned(&waiting).unwrap();
    assert!(step["allowed"] == "NotYet" && step["reason"].as_str().unwrap().contains("has not arrived"), "{step}");
    // It comes by itself: nobody is asked for it.
    let asked = waiting["status"]["handOffs"].as_array().cloned().unwrap_or_default();
    assert!(asked.iter().all(|hand_off| hand_off["name"] != "environment-access"), "{asked:?}");
    scene
        .until("the access mode", "ServiceAccountPolicy", POLICY, |policy| {
            finding(policy, "read-write")["result"] == "Pass"
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_mode_of_who_has_no_license_is_left_alone_and_the_cause_is_said() {
    let world = broken(|world| {
        world["tenants"][0]["users"][0]["licenses"] = json!([]);
    });
    let (scene, _operator) = begun(&world).await;
    let policy = scene
        .until("the cause", "ServiceAccountPolicy", POLICY, |policy| {
            let found = finding(policy, "read-write");
            found["result"] == "Fail" && found["message"].as_str().unwrap().contains("since the account has no license")
        })
        .await;
    assert!(finding(&policy, "read-write")["remedy"].as_str().unwrap().contains("license"), "{policy}");
    scene.until_more_reads(3).await;
    let written = scene.written();
    assert!(!written.iter().any(|call| call.contains("PATCH") || call.contains("addUser")), "{written:#?}");
}
