//! Calls grow with accounts and environments, not with policies, and stay within what Microsoft permits.

use std::collections::BTreeMap;

use backstay_world::Call;
use serde_json::{Value, json};

use crate::harness::Scene;
use crate::{ACCOUNT, APP, FLUENT_PRO, NAME, SECRET, environments, findings, policy};

const MANY: usize = 500;

/// Fabrikam with many environments, in which the account has a role that reads some tables, and whatever else is wrong in it.
fn crowded() -> String {
    let mut world: Value = serde_yaml::from_str(backstay_world::FABRIKAM).unwrap();
    let many: Vec<Value> = (0..MANY)
        .map(|at| {
            json!({
                "name": format!("Crowd {at:03}"),
                "sku": "Production",
                "host": format!("crowd{at:03}.crm.dynamics.com"),
                "roles": [{ "name": "Backup Reader", "privileges": ["prvReadAccount"] }],
                "users": [
                    { "user": ACCOUNT, "roles": ["Backup Reader"] },
                    { "application": APP, "roles": ["System Administrator"], "access_mode": 4 },
                ],
            })
        })
        .collect();
    world["tenants"][0]["environments"] = many.into();
    world.to_string()
}

/// Requests at each environment.
fn by_environment(calls: &[Call]) -> BTreeMap<String, usize> {
    let mut each = BTreeMap::new();
    for call in calls.iter().filter(|call| call.host.starts_with("crowd")) {
        *each.entry(call.host.clone()).or_default() += 1;
    }
    each
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_environments_are_known_in_four_requests_each_and_looked_at_again_in_two() {
    let scene = Scene::with_world(&crowded()).await;
    scene.apply_yaml(SECRET).await;
    let profiles = json!({ "fluentProDataverse": { "clientID": FLUENT_PRO, "tables": ["account"] } });
    scene.apply_yaml(&policy(&profiles, &json!({ "interval": "1h" }))).await;
    let _operator = scene.operator_with("[]", &["--waiting-interval", "1h"]).await;
    let judged = scene
        .until("every environment to be judged", "ServiceAccountPolicy", NAME, |policy| {
            findings(policy).get("fluentProDataverse/table-privileges").is_some_and(|(result, _)| result == "Fail")
        })
        .await;
    let first = by_environment(&scene.world.calls());
    assert_eq!(first.len(), MANY);
    assert!(first.values().all(|requests| *requests <= 4), "{:?}", first.values().max());

    // What fails in all of them is counted and sampled; the status stays small.
    let size = judged["status"].to_string().len();
    assert!(size < 64 * 1024, "{size} bytes");
    let all = judged["status"]["findings"].as_array().unwrap();
    let found = all.iter().find(|it| it["id"] == "fluentProDataverse/table-privileges").unwrap();
    assert_eq!(found["environments"]["failing"], MANY, "{found}");
    assert_eq!(found["environments"]["sample"].as_array().unwrap().len(), 10);

    // Looked at again and again.
    let before = scene.world.calls().len();
    scene.patch("ServiceAccountPolicy", NAME, json!({ "spec": { "interval": "10s" } })).await;
    let looks = |host: &str, calls: &[Call]| calls.iter().filter(|call| call.host == host && looks(call)).count();
    let hosts: Vec<String> = first.keys().cloned().collect();
    scene
        .until_true("every environment to be looked at twice more", || {
            let calls = scene.world.calls();
            hosts.iter().all(|host| looks(host, &calls[before..]) >= 2)
        })
        .await;
    let calls = scene.world.calls();
    for (host, requests) in between(&calls[before..]) {
        assert!(requests <= 2, "{requests} requests for one look at {host}");
    }
}

/// A look begins with the account's row.
fn looks(call: &Call) -> bool {
    call.path.ends_with("/systemusers")
}

/// Requests at each environment from one look to the next.
fn between(calls: &[Call]) -> Vec<(String, usize)> {
    let mut open: BTreeMap<&str, usize> = BTreeMap::new();
    let mut done = Vec::new();
    for call in calls.iter().filter(|call| call.host.starts_with("crowd")) {
        if looks(call)
            && let Some(requests) = open.insert(&call.host, 1)
        {
            done.push((call.host.clone(), requests));
        } else if let Some(requests) = open.get_mut(call.host.as_str())
            && !looks(call)
        {
            *requests += 1;
        }
    }
    done
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_policies_for_one_account_ask_no_more_than_one() {
    let scene = Scene::with_world(backstay_world::FABRIKAM).await;
    scene.apply_yaml(SECRET).await;
    let _operator = scene.operator_with("[]", &["--waiting-interval", "1h"]).await;
    let profiles = json!({ "keepitPowerPlatform": {}, "avePointServiceAccount": {} });
    let more = json!({ "environments": environments(&[1, 2]), "interval": "1h" });
    let one: Value = serde_json::from_str(&policy(&profiles, &more)).unwrap();
    let judged = |policy: &Value| !findings(policy).is_empty();
    scene.apply_yaml(&one.to_string()).await;
    scene.until_all("one judged policy", "ServiceAccountPolicy", 1, judged).await;
    let alone = scene.world.calls().len();
    for at in 0..99 {
        let mut another = one.clone();
        another["metadata"]["name"] = json!(format!("another-{at}"));
        scene.apply_yaml(&another.to_string()).await;
    }
    scene.until_all("a hundred judged policies", "ServiceAccountPolicy", 100, judged).await;
    let together = scene.world.calls().len();
    // None has to ask again within half an hour what another has just read.
    assert_eq!(together, alone, "{:#?}", &scene.world.calls()[alone..]);
}
