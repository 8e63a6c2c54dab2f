//! What policies owe each other before a standing Global Administrator is removed.

use serde_json::{Value, json};

use crate::harness::calls::{
    ACCOUNT_ID, APP, at_keepit, connector_yaml, held, reads_holders, removes, replaced, settled,
};
use crate::harness::{ACCOUNT, AT_KEEPIT, GLOBAL_ADMINISTRATOR, Operator, POLICY, Scene, finding, message};
use crate::scene_of;

const SECOND: &str = "second";
const SECOND_ACCOUNT: &str = "svc-second@contoso.com";
const SECOND_ID: &str = "0d5b6a1c-2f3e-4a4d-8c5b-7e6f5a4b3c2f";

/// The example's policy under another name, with this of its spec replaced.
fn policy_like(scene: &Scene, name: &str, spec: &Value) -> String {
    let mut policy: Value = serde_yaml::from_str(&scene.policy_yaml()).unwrap();
    policy["metadata"] = json!({ "name": name });
    for (key, value) in spec.as_object().unwrap() {
        policy["spec"][key] = value.clone();
    }
    policy.to_string()
}

fn connector_of_second() -> String {
    replaced(&connector_yaml(SECOND, "dk-co", "keepit-api", "Second"), POLICY, SECOND)
}

/// A policy wants Global Administrator removed, and waits for this.
fn waits_for(first: &str) -> impl Fn(&Value) -> bool {
    move |policy: &Value| {
        let steps = policy["status"]["plan"].as_array().cloned().unwrap_or_default();
        let mut removals = steps.iter().filter(|step| step["step"] == "RemoveDirectoryRole");
        removals.any(|step| step["allowed"] == "NotYet" && step["reason"].as_str().unwrap().ends_with(first))
    }
}

const LACKS: &str = "; all that another policy for the account asks for must hold first";

fn standing_global_administrator(world: &mut Value) {
    let held = json!({ "principal": ACCOUNT, "role": GLOBAL_ADMINISTRATOR });
    world["tenants"][0]["role_assignments"].as_array_mut().unwrap().push(held);
}

/// The account is Global Administrator besides all that it needs, and Keepit has the connectors of both policies.
fn with_both() -> String {
    settled(|world| {
        standing_global_administrator(world);
        world["keepit"][0]["accounts"][0]["connectors"] = json!([at_keepit(AT_KEEPIT), at_keepit("Second")]);
    })
}

/// Two policies with a Connector each: the example's for the production environments, and another with this in its spec.
async fn begun(scene: &Scene, other: &Value) -> Operator {
    scene.apply_yaml(&policy_like(scene, SECOND, other)).await;
    let first = json!({ "environments": { "types": ["Production"] } });
    scene.apply_yaml(&policy_like(scene, POLICY, &first)).await;
    scene.apply_yaml(&scene.connector_yaml()).await;
    scene.apply_yaml(&connector_of_second()).await;
    scene.operator().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standing_global_administrator_stays_while_another_policy_for_the_account_lacks_something() {
    let scene = scene_of(&with_both()).await;
    let user = json!({ "environment": "Contoso Test", "user": ACCOUNT });
    scene.world.act("disable-environment-user", user.clone()).unwrap();
    scene.apply_secrets().await;
    // Another policy may only look: it is in nobody's way. What it looks at is the environment that the first leaves out.
    let other = json!({ "environments": { "types": ["Sandbox"] }, "allowedActions": [] });
    let _operator = begun(&scene, &other).await;

    // Both Connectors work, and the first policy finds all that it asks for.
    scene.until_condition("Connector", SECOND, "Authorized", "True", "Granted").await;
    scene.until_connector("Authorized", "True", "Granted").await;
    scene.until("the removal to wait", "ServiceAccountPolicy", POLICY, waits_for(LACKS)).await;
    scene.until_more_reads(4).await;
    scene.until("the removal to wait", "ServiceAccountPolicy", POLICY, waits_for(LACKS)).await;
    assert_eq!(scene.asked(removes), 0, "{:?}", scene.written());

    scene.world.act("enable-environment-user", user).unwrap();
    scene.until_true("the removal", || scene.asked(removes) > 0).await;
    scene.until_ready().await;
    assert_eq!(scene.asked(removes), 1);
    assert!(!held(&scene.world).contains(&GLOBAL_ADMINISTRATOR.to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_last_global_administrators_one_stays_even_while_the_directory_still_shows_the_other() {
    let scene = scene_of(&settled(|world| {
        let tenant = &mut world["tenants"][0];
        let mut second = tenant["users"][0].clone();
        second["id"] = json!(SECOND_ID);
        second["principal_name"] = json!(SECOND_ACCOUNT);
        tenant["users"].as_array_mut().unwrap().push(second);
        tenant["skus"][1]["seats"] = json!(9);
        let all = [ACCOUNT, SECOND_ACCOUNT].iter().flat_map(|principal| {
            [GLOBAL_ADMINISTRATOR, "Dynamics 365 Administrator", "Power Platform Administrator"]
                .map(|role| json!({ "principal": principal, "role": role }))
        });
        tenant["role_assignments"] = all.collect();
        for environment in tenant["environments"].as_array_mut().unwrap().iter_mut().take(3) {
            environment["users"] = json!([
                { "user": ACCOUNT, "roles": ["System Administrator"] },
                { "user": SECOND_ACCOUNT, "roles": ["System Administrator"] },
                { "application": APP, "roles": ["System Administrator"], "access_mode": 4 },
            ]);
        }
        let mut of_second = at_keepit("Second");
        of_second["authorization"]["user"] = json!(SECOND_ID);
        world["keepit"][0]["accounts"][0]["connectors"] = json!([at_keepit(AT_KEEPIT), of_second]);
        // So long a role that was removed goes on to be shown.
        world["switches"] = json!({ "lag": { "graph_reads": 60 } });
    }))
    .await;
    scene.apply_secrets().await;
    let account = json!({ "user": { "principalName": SECOND_ACCOUNT, "objectID": SECOND_ID } });
    scene.apply_yaml(&policy_like(&scene, SECOND, &json!({ "account": account }))).await;
    scene.apply_yaml(&scene.policy_yaml()).await;
    scene.apply_yaml(&scene.connector_yaml()).await;
    scene.apply_yaml(&connector_of_second()).await;
    let grants = scene.grants();
    let grants = format!("{grants}{}", grants.replace(ACCOUNT_ID, SECOND_ID));
    let _operator = scene.operator_with(&grants, &[]).await;

    scene.until_true("one removal", || scene.asked(removes) > 0).await;
    // Both are at it; the second is told no by its own last look.
    let other = if removed_from(&scene) == ACCOUNT_ID { SECOND } else { POLICY };
    let refused = |policy: &Value| message(policy, "Ready").contains("no other Global Administrator that can sign in");
    scene.until("the other to be told", "ServiceAccountPolicy", other, refused).await;
    scene.until_asked(12, "looks at who holds the role", reads_holders).await;
    assert_eq!(scene.asked(removes), 1, "{:?}", scene.written());
}

/// Whose assignment of a role was removed.
fn removed_from(scene: &Scene) -> String {
    let calls = scene.world.calls();
    let removal = calls.iter().find(|call| removes(call)).unwrap();
    let state = scene.world.state();
    let mut all = state["tenants"][0]["role_assignments"].as_array().unwrap().iter();
    let assignment = all.find(|it| removal.path.ends_with(it["id"].as_str().unwrap())).unwrap();
    assignment["principal"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standing_global_administrator_stays_while_an_environment_of_another_policy_is_not_running() {
    let scene = scene_of(&with_both()).await;
    let runtime = |state: &str| {
        let words = json!({ "environment": "Contoso Test", "runtime": state });
        scene.world.act("set-runtime", words).unwrap();
    };
    runtime("AdminMode");
    scene.apply_secrets().await;
    let both = json!({ "types": ["Sandbox", "Production"] });
    let other = json!({ "environments": both, "allowedActions": [] });
    let _operator = begun(&scene, &other).await;
    scene.until("the removal to wait", "ServiceAccountPolicy", POLICY, waits_for(LACKS)).await;
    scene.until_more_reads(4).await;
    assert_eq!(scene.asked(removes), 0, "{:?}", scene.written());
    runtime("Enabled");
    scene.until_true("the removal", || scene.asked(removes) > 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_seen_long_ago_is_looked_at_again_for_a_removal_however_long_the_interval() {
    let scene = scene_of(&with_both()).await;
    scene.apply_secrets().await;
    let long = |yaml: &str| replaced(yaml, "10s", "15m");
    let kept = replaced(&scene.policy_yaml(), "AfterSetup: Remove", "AfterSetup: Keep");
    scene.apply_yaml(&kept).await;
    let keeps = json!({ "keepitPowerPlatform": { "globalAdministratorAfterSetup": "Keep" } });
    scene
        .apply_yaml(&policy_like(
            &scene,
            SECOND,
            &json!({ "profiles": keeps, "allowedActions": [], "interval": "15m" }),
        ))
        .await;
    scene.apply_yaml(&long(&scene.connector_yaml())).await;
    scene.apply_yaml(&long(&connector_of_second())).await;
    let _operator = scene.operator().await;
    scene.until_ready().await;
    scene.until_condition("Connector", SECOND, "Ready", "True", "Current").await;
    // All four are Ready, and would be looked at in a quarter of an hour.
    scene.apply_yaml(&scene.policy_yaml()).await;
    scene.until_true("the removal", || scene.asked(removes) > 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standing_global_administrator_stays_while_another_policy_knows_the_account_by_its_old_name() {
    const OLD: &str = "svc-old@contoso.com";
    let scene = scene_of(&settled(standing_global_administrator)).await;
    scene.world.act("rename-user", json!({ "user": ACCOUNT, "name": OLD })).unwrap();
    scene.apply_secrets().await;
    let by_name = json!({ "account": { "user": { "principalName": OLD } }, "allowedActions": [] });
    scene.apply_yaml(&policy_like(&scene, SECOND, &by_name)).await;
    scene.apply_yaml(&connector_of_second()).await;
    let operator = scene.operator().await;
    scene.until_condition("ServiceAccountPolicy", SECOND, "AccountPinned", "True", "Pinned").await;
    scene.world.act("rename-user", json!({ "user": OLD, "name": ACCOUNT })).unwrap();
    scene.until_condition("ServiceAccountPolicy", SECOND, "AccountPinned", "False", "AccountNotFound").await;

    scene.apply_yaml(&scene.policy_yaml()).await;
    scene.apply_yaml(&scene.connector_yaml()).await;
    let needed = |policy: &Value| {
        let found = finding(policy, "no-global-administrator");
        found["result"] == "NotApplicable" && found["message"].as_str().unwrap().contains("still needed")
    };
    scene.until("the role to be needed", "ServiceAccountPolicy", POLICY, needed).await;
    scene.until_more_reads(4).await;
    assert_eq!(scene.asked(removes), 0, "{:?}", scene.written());
    scene.delete("Connector", SECOND).await;
    scene.delete("ServiceAccountPolicy", SECOND).await;
    scene.until_true("the removal", || scene.asked(removes) > 0).await;
    assert_eq!(operator.stop().await, Some(0));
}
