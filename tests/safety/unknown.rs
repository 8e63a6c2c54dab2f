//! What can't be seen is Unknown: neither fine nor wrong, and nothing is done about it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::harness::calls::{APP, settled, side_by_side};
use crate::harness::{ACCOUNT, AT_KEEPIT, POLICY, condition, finding, message};
use crate::{scene, scene_of};

const ALL: [&str; 6] = [
    "RoleManagement.Read.Directory",
    "RoleManagement.ReadWrite.Directory",
    "User.Read.All",
    "LicenseAssignment.Read.All",
    "Application.Read.All",
    // Suffices for nearly every read: it is left out wherever a permission is withdrawn.
    "Directory.Read.All",
];
const OF_ROLES: [&str; 3] = ["dynamics-365-administrator", "power-platform-administrator", "no-global-administrator"];
const OF_ENVIRONMENTS: [&str; 3] = ["environment-member", "system-administrator", "read-write"];

#[tokio::test(flavor = "multi_thread")]
async fn without_a_permission_the_rules_that_need_it_are_unknown_and_no_others() {
    let of_user = [
        &["account-usable", "dynamics-365-license", "power-pages-license", "power-automate-license", "password-kept"][..],
        &OF_ROLES,
    ];
    side_by_side(vec![
        (
            "roles",
            withdrawn(
                &["RoleManagement.Read.Directory", "RoleManagement.ReadWrite.Directory"],
                OF_ROLES.to_vec(),
                "RoleManagement.Read.Directory",
            ),
        ),
        ("users", withdrawn(&["User.Read.All"], of_user.concat(), "User.Read.All")),
        (
            "licenses",
            withdrawn(&["LicenseAssignment.Read.All"], vec!["power-pages-license"], "LicenseAssignment.Read.All"),
        ),
        ("management application", withdrawn(&[], OF_ENVIRONMENTS.to_vec(), "management application")),
    ])
    .await;
}

/// The findings of a policy by name: result and sentence.
fn findings(policy: &Value) -> BTreeMap<String, (String, String)> {
    let all = policy["status"]["findings"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    all.iter()
        .map(|finding| {
            let name = text(&finding["id"]).replace("keepitPowerPlatform/", "");
            (name, (text(&finding["result"]), text(&finding["message"])))
        })
        .collect()
}

/// What is judged when everything is seen, and when the app lacks these permissions (none: the registration).
async fn withdrawn(permissions: &'static [&'static str], unknown: Vec<&'static str>, named: &'static str) {
    let whole = settled(|_| {});
    let part = settled(|world| {
        let app = &mut world["tenants"][0]["apps"][0];
        assert_eq!(app["client_id"], APP);
        if permissions.is_empty() {
            app["management_application"] = json!(false);
        } else {
            let left = ALL[..5].iter().filter(|permission| !permissions.contains(permission));
            app["graph_permissions"] = json!(left.collect::<Vec<_>>());
        }
    });
    let mut judged = Vec::new();
    for world in [whole, part] {
        let scene = scene_of(&world).await;
        scene.apply_example().await;
        let _operator = scene.operator().await;
        scene.until_connector("Authorized", "True", "Granted").await;
        let policy = scene
            .until("an answer to the Connector", "ServiceAccountPolicy", POLICY, |policy| {
                policy["status"]["demands"][0]["stage"] == "Steady"
            })
            .await;
        assert_eq!(scene.written(), Vec::<String>::new());
        judged.push(policy);
    }
    let (seen, unseen) = (findings(&judged[0]), findings(&judged[1]));
    assert_eq!(seen.len(), unseen.len());
    for (name, (result, sentence)) in &unseen {
        if unknown.contains(&name.as_str()) {
            assert_eq!(result, "Unknown", "{name}: {sentence}");
            assert!(sentence.contains(named), "{name} does not name {named}: {sentence}");
        } else {
            assert_eq!(result, &seen[name].0, "{name}: {sentence}");
            assert_ne!(result, "Unknown", "{name}: {sentence}");
        }
    }
    let demand = &judged[1]["status"]["demands"][0];
    assert_eq!(demand["ready"], "Unknown");
    assert_eq!(demand["reason"], "NotObservable");
    let ready = condition(&judged[1], "Ready");
    // Where a person can make it known, that person is awaited; else it is just not known.
    let awaited = judged[1]["status"]["handOffs"] != Value::Null;
    let expected = if awaited { ("False", "AwaitingPerson") } else { ("Unknown", "NotObservable") };
    assert_eq!((ready["status"].as_str(), ready["reason"].as_str()), (Some(expected.0), Some(expected.1)));
    assert_eq!(judged[1]["status"]["plan"], Value::Null);
    assert_eq!(condition(&judged[0], "Ready")["status"], "True", "{}", message(&judged[0], "Ready"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_to_the_setup_stage_makes_nobody_ready_in_the_steady_one() {
    let scene = scene().await;
    scene.world.act("add-environment-user", json!({ "environment": "Contoso Test", "user": ACCOUNT })).unwrap();
    scene.apply_example().await;
    let _operator = scene.operator().await;
    scene.until_connector("PolicySatisfied", "True", "Satisfied").await;
    let id = scene.world.sign_in_for_connector("Contoso", AT_KEEPIT, "dynamics365", ACCOUNT).unwrap();
    scene.world.finish_backup(&id).unwrap();

    scene.until_connector("Ready", "True", "Current").await;
    let policy = scene.policy().await;
    assert_eq!(policy["status"]["demands"][0]["stage"], "Steady");
    assert_eq!(finding(&policy, "power-platform-administrator")["result"], "Pass");
    assert_eq!(finding(&policy, "no-global-administrator")["result"], "Pass");
}
