//! The permissions that `backstay permissions` names: with exactly these nothing is Unknown, and without any of them something is.

use std::process::Command;

use serde_json::{Value, json};

use crate::harness::Scene;
use crate::harness::calls::side_by_side;
use crate::{FLUENT_PRO, SECRET, environments, findings, judged, policy};

fn profiles() -> [(&'static str, Value); 4] {
    [
        ("keepitDynamicsCE", json!({})),
        (
            "keepitPowerPlatform",
            json!({ "workloads": ["Dynamics365", "PowerPages"], "globalAdministratorAfterSetup": "Remove" }),
        ),
        ("fluentProDataverse", json!({ "clientID": FLUENT_PRO, "tables": ["account"] })),
        ("avePointServiceAccount", json!({})),
    ]
}

/// What the command names for a policy: permissions of Microsoft Graph.
fn named(policy: &str, folder: &std::path::Path) -> Vec<String> {
    let file = folder.join("policy.json");
    std::fs::write(&file, policy).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_backstay")).args(["permissions", "-f"]).arg(&file).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    // Nothing is Unknown without what is optional.
    let words = text
        .lines()
        .filter(|line| !line.contains("optional:"))
        .filter_map(|line| line.strip_prefix("#   ")?.split_whitespace().next());
    words.filter(|word| word.ends_with(".All") || word.ends_with(".Directory")).map(str::to_owned).collect()
}

/// Fabrikam, whose app has these permissions.
async fn with_permissions(permissions: &[String]) -> Scene {
    let mut world: Value = serde_yaml::from_str(backstay_world::FABRIKAM).unwrap();
    world["tenants"][0]["apps"][0]["graph_permissions"] = json!(permissions);
    let scene = Scene::with_world(&world.to_string()).await;
    scene.apply_yaml(SECRET).await;
    scene
}

async fn unknown_with(policy: String, permissions: Vec<String>) -> Vec<String> {
    let scene = with_permissions(&permissions).await;
    scene.apply_yaml(&policy).await;
    let _operator = scene.operator_with("[]", &[]).await;
    judged(&scene).await;
    let found = findings(&scene.get("ServiceAccountPolicy", crate::NAME).await);
    found
        .into_iter()
        .filter(|(_, (result, _))| result == "Unknown")
        .map(|(id, (_, said))| format!("{id}: {said}"))
        .collect()
}

async fn exactly(profile: &'static str, value: Value) {
    let policy = policy(&json!({ profile: value }), &json!({ "environments": environments(&[1]) }));
    let folder = tempfolder(profile);
    let permissions = named(&policy, &folder);
    assert!(!permissions.is_empty());
    let unknown = unknown_with(policy.clone(), permissions.clone()).await;
    assert!(unknown.is_empty(), "{profile} with {permissions:?}: {unknown:#?}");
    for permission in &permissions {
        let left: Vec<String> = permissions.iter().filter(|it| *it != permission).cloned().collect();
        let unknown = unknown_with(policy.clone(), left).await;
        assert!(!unknown.is_empty(), "{profile} does not need {permission}");
        assert!(unknown.iter().any(|said| said.contains("the operator's app needs")), "{unknown:#?}");
    }
}

fn tempfolder(name: &str) -> std::path::PathBuf {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("least-{name}"));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn with_exactly_the_named_permissions_nothing_is_unknown_and_without_any_of_them_something_is() {
    side_by_side(profiles().into_iter().map(|(profile, value)| (profile, exactly(profile, value))).collect()).await;
}
