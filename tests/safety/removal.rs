//! When a standing Global Administrator is removed, and when not.

use backstay_world::Fault;
use serde_json::{Value, json};

use crate::harness::calls::{
    APP, KEEPIT, ORGANIZATIONS, assignments, assigns_role, assigns_security_role, connector_yaml, contoso, enrolls,
    held, reads_holders, reads_roles, reads_row, removes, replaced, side_by_side,
};
use crate::harness::{ACCOUNT, AT_KEEPIT, CONNECTOR, GLOBAL_ADMINISTRATOR, POLICY, Scene, finding};
use crate::{scene, scene_of};

const TEST: &str = "Contoso Test";
const NO_GLOBAL_ADMINISTRATOR: &str = "no-global-administrator";

#[tokio::test(flavor = "multi_thread")]
async fn a_standing_global_administrator_goes_last_and_only_after_all_that_replaces_it_was_read_again() {
    let scene = scene().await;
    let _operator = scene.operator().await;
    scene.apply_example().await;
    scene.until_connector("Ready", "False", "AwaitingPerson").await;
    scene.play_the_person();
    scene.until_true("the removal", || scene.asked(removes) > 0).await;
    scene.until_ready().await;

    let calls = scene.world.calls();
    let at = |what: &dyn Fn(&backstay_world::Call) -> bool| -> Vec<usize> {
        calls.iter().enumerate().filter(|(_, call)| what(call)).map(|(at, _)| at).collect()
    };
    let (removals, writes) = (at(&removes), at(&|call| call.write));
    assert_eq!(removals.len(), 1, "{:?}", scene.written());
    assert_eq!(at(&enrolls).len(), 3);
    assert_eq!(at(&assigns_role).len(), 1);
    assert_eq!(at(&assigns_security_role).len(), 2);
    assert_eq!(writes.len(), 7, "{:?}", scene.written());
    assert_eq!(writes.last(), removals.last(), "the removal comes last");

    let last_addition = writes[writes.len() - 2];
    let between = &calls[last_addition + 1..removals[0]];
    assert!(between.iter().any(reads_roles), "the account's roles were read again");
    assert!(between.iter().any(reads_holders), "the other holders were counted again");
    for organization in ORGANIZATIONS {
        assert!(between.iter().any(|call| reads_row(call, organization)), "{organization} was read again");
    }
    assert_eq!(held(&scene.world), ["Dynamics 365 Administrator", "Power Platform Administrator"]);
}

/// The policy wants the role removed, but waits; and goes on waiting.
pub async fn standing(scene: &Scene, name: &str, result: &str) {
    let waits = |policy: &Value| {
        let steps = policy["status"]["plan"].as_array().cloned().unwrap_or_default();
        let removal = steps.iter().find(|step| step["step"] == "RemoveDirectoryRole");
        removal.is_some_and(|step| step["allowed"] == "NotYet" && step["target"] == GLOBAL_ADMINISTRATOR)
            && (name.is_empty() || finding(policy, name)["result"] == result)
    };
    let what = format!("the removal to wait for {name} {result}");
    scene.until(&what, "ServiceAccountPolicy", POLICY, &waits).await;
    scene.until_more_reads(3).await;
    untouched(scene);
    // Meanwhile the rest may have been put right step by step; it waits for the same in the end.
    scene.until(&what, "ServiceAccountPolicy", POLICY, &waits).await;
    untouched(scene);
}

/// The account still is Global Administrator, and nobody tried to change that.
fn untouched(scene: &Scene) {
    assert_eq!(scene.asked(removes), 0, "{:?}", scene.written());
    assert!(held(&scene.world).contains(&GLOBAL_ADMINISTRATOR.to_owned()));
}

/// Everything as in the example, on this world, with this policy; what is not as it should be is done by `spoil`.
async fn spoiled(
    world: String,
    policy: fn(String) -> String,
    spoil: fn(&Scene),
    name: &'static str,
    result: &'static str,
) {
    let scene = scene_of(&world).await;
    scene.play_the_person();
    spoil(&scene);
    let _operator = scene.operator().await;
    scene.apply_secrets().await;
    scene.apply_yaml(&policy(scene.policy_yaml())).await;
    scene.apply_yaml(&scene.connector_yaml()).await;
    standing(&scene, name, result).await;
}

fn act(scene: &Scene, action: &str, words: Value) {
    scene.world.act(action, words).unwrap();
}

fn as_it_is(_: &mut Value) {}

fn same(policy: String) -> String {
    policy
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standing_global_administrator_stays_while_an_environment_fails_or_cannot_be_told() {
    side_by_side(vec![
        (
            "the account is missing",
            spoiled(
                contoso(as_it_is),
                same,
                |scene| act(scene, "remove-environment-user", json!({ "environment": TEST, "user": ACCOUNT })),
                "environment-member",
                "Fail",
            ),
        ),
        (
            "the account is disabled",
            spoiled(
                contoso(as_it_is),
                same,
                |scene| act(scene, "disable-environment-user", json!({ "environment": TEST, "user": ACCOUNT })),
                "environment-member",
                "Fail",
            ),
        ),
        (
            "the access mode is another one",
            spoiled(
                contoso(as_it_is),
                same,
                |scene| act(scene, "set-access-mode", json!({ "environment": TEST, "user": ACCOUNT, "mode": 4 })),
                "read-write",
                "Fail",
            ),
        ),
        (
            "the environment fails all the time",
            spoiled(
                contoso(as_it_is),
                same,
                |scene| {
                    let host = Some(ORGANIZATIONS[2].to_owned());
                    scene.world.fault(Fault { host, status: Some(503), ..Fault::default() });
                },
                "system-administrator",
                "Unknown",
            ),
        ),
        (
            "the environment is in administration mode",
            spoiled(
                contoso(as_it_is),
                same,
                |scene| act(scene, "set-runtime", json!({ "environment": TEST, "runtime": "AdminMode" })),
                "system-administrator",
                "Pass",
            ),
        ),
        (
            "the operator's app is not let in",
            spoiled(
                contoso(as_it_is),
                |policy| replaced(&policy, ", SelfEnrollment]", "]"),
                |scene| {
                    for environment in ["Contoso Sales", "Contoso Service"] {
                        act(scene, "add-application-user", json!({ "environment": environment, "app": APP }));
                    }
                },
                "environment-member",
                "Unknown",
            ),
        ),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standing_global_administrator_stays_while_the_other_roles_or_holders_cannot_be_told() {
    side_by_side(vec![
        (
            "the holders can't be counted",
            spoiled(
                contoso(as_it_is),
                same,
                |scene| {
                    scene.world.fault(Fault {
                        path: assignments(),
                        query: Some("roleDefinitionId".into()),
                        status: Some(503),
                        ..Fault::default()
                    });
                },
                "system-administrator",
                "Pass",
            ),
        ),
        (
            "a role is held through a group only",
            spoiled(
                contoso(|world| {
                    let tenant = &mut world["tenants"][0];
                    tenant["groups"] =
                        json!([{ "name": "Backup Roles", "role_assignable": true, "members": [ACCOUNT] }]);
                    tenant["role_assignments"]
                        .as_array_mut()
                        .unwrap()
                        .push(json!({ "principal": "Backup Roles", "role": "Dynamics 365 Administrator" }));
                }),
                same,
                // The person needs the role itself to consent; it goes afterwards.
                |scene| {
                    scene.world.remove_directory_role(ACCOUNT, "Dynamics 365 Administrator").unwrap();
                },
                "dynamics-365-administrator",
                "Warn",
            ),
        ),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_global_administrator_of_the_tenant_stays() {
    let world = contoso(|world| {
        let all = world["tenants"][0]["role_assignments"].as_array_mut().unwrap();
        all.retain(|assignment| assignment["principal"] != "breakglass@contoso.onmicrosoft.com");
    });
    spoiled(world, same, |_| {}, NO_GLOBAL_ADMINISTRATOR, "Fail").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standing_global_administrator_is_reported_by_default_and_kept_in_silence_where_the_policy_says_keep() {
    side_by_side(vec![
        ("nothing is said", not_asked_to("      globalAdministratorAfterSetup: Remove\n", "", "Warn")),
        ("Report", not_asked_to("AfterSetup: Remove", "AfterSetup: Report", "Warn")),
        ("Keep", not_asked_to("AfterSetup: Remove", "AfterSetup: Keep", "")),
    ])
    .await;
}

async fn not_asked_to(from: &'static str, to: &'static str, result: &'static str) {
    let scene = scene().await;
    scene.play_the_person();
    let _operator = scene.operator().await;
    scene.apply_secrets().await;
    scene.apply_yaml(&replaced(&scene.policy_yaml(), from, to)).await;
    scene.apply_yaml(&scene.connector_yaml()).await;
    scene.until_ready().await;
    scene.until_more_reads(2).await;
    let policy = scene.policy().await;
    assert_eq!(finding(&policy, NO_GLOBAL_ADMINISTRATOR)["result"].as_str().unwrap_or_default(), result);
    assert_eq!(policy["status"]["plan"], Value::Null);
    untouched(&scene);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standing_global_administrator_stays_while_a_connector_is_not_seen_to_be_authorized() {
    side_by_side(vec![
        (
            "signed in, but never backed up",
            Box::pin(never_backed_up()) as std::pin::Pin<Box<dyn Future<Output = ()> + Send>>,
        ),
        ("the authorization is dead", Box::pin(dead())),
        ("suspended", Box::pin(suspended())),
        ("no Connector", Box::pin(no_connector())),
        ("another one was never backed up", Box::pin(another(true))),
        ("another one does not exist", Box::pin(another(false))),
    ])
    .await;
}

async fn never_backed_up() {
    let scene = scene().await;
    scene.world.act("add-environment-user", json!({ "environment": TEST, "user": ACCOUNT })).unwrap();
    scene.world.sign_in_for_connector("Contoso", AT_KEEPIT, "dynamics365", ACCOUNT).unwrap();
    let _operator = scene.operator().await;
    scene.apply_example().await;
    scene.until_connector("Authorized", "Unknown", "NotObservable").await;
    scene.until_more_reads(4).await;
    assert_eq!(finding(&scene.policy().await, NO_GLOBAL_ADMINISTRATOR)["result"], "Fail");
    untouched(&scene);
}

async fn dead() {
    let scene = scene().await;
    let id = scene.play_the_person();
    scene.world.break_authorization(&id).unwrap();
    let _operator = scene.operator().await;
    scene.apply_example().await;
    scene.until_connector("Authorized", "False", "AuthorizationRequired").await;
    scene.until_more_reads(4).await;
    // It is needed to sign in again.
    let finding = finding(&scene.policy().await, NO_GLOBAL_ADMINISTRATOR).clone();
    assert_eq!(finding["result"], "NotApplicable", "{finding}");
    assert!(finding["message"].as_str().unwrap().contains("still needed"), "{finding}");
    untouched(&scene);
}

async fn suspended() {
    let scene = scene().await;
    scene.play_the_person();
    scene.apply_secrets().await;
    scene.apply_yaml(&scene.policy_yaml()).await;
    scene.apply_yaml(&format!("{}  suspend: true\n", scene.connector_yaml())).await;
    let _operator = scene.operator().await;
    scene.until_connector("Ready", "Unknown", "Suspended").await;
    scene.until_policy("Ready", "True", "NoConnectors").await;
    scene.until_more_reads(2).await;
    assert_eq!(finding(&scene.policy().await, NO_GLOBAL_ADMINISTRATOR)["result"], "Fail");
    untouched(&scene);
}

async fn no_connector() {
    let scene = scene().await;
    scene.play_the_person();
    scene.apply_secrets().await;
    scene.apply_yaml(&scene.policy_yaml()).await;
    let _operator = scene.operator().await;
    scene.until_policy("Ready", "True", "NoConnectors").await;
    scene.until_more_reads(2).await;
    untouched(&scene);
}

async fn another(signed_in: bool) {
    let scene = scene().await;
    scene.play_the_person();
    if signed_in {
        scene.world.sign_in_for_connector("Contoso", "Second", "dynamics365", ACCOUNT).unwrap();
    }
    scene.apply_example().await;
    scene.apply_yaml(&connector_yaml("second", "dk-co", "keepit-api", "Second")).await;
    let _operator = scene.operator().await;
    scene.until_connector("Authorized", "True", "Granted").await;
    if signed_in {
        standing(&scene, "system-administrator", "Pass").await;
    } else {
        scene.until_condition("Connector", "second", "Ready", "False", "AwaitingPerson").await;
        scene.until_more_reads(4).await;
        untouched(&scene);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_that_was_authorized_before_the_restart_must_be_seen_again_before_the_removal() {
    let scene = scene().await;
    scene.play_the_person();
    let here = json!({ "environment": "Contoso Sales", "user": ACCOUNT });
    scene.world.act("disable-environment-user", here.clone()).unwrap();
    scene.apply_example().await;
    let operator = scene.operator().await;
    scene.until_connector("Authorized", "True", "Granted").await;
    standing(&scene, "environment-member", "Fail").await;
    assert_eq!(operator.stop().await, Some(0));

    // Nothing is in the way any more but that Keepit does not answer: the status is all there is.
    scene.world.act("enable-environment-user", here).unwrap();
    scene.world.fault(Fault { host: Some(KEEPIT.into()), hang: true, ..Fault::default() });
    assert_eq!(scene.get("Connector", CONNECTOR).await["status"]["authorization"]["state"], "Granted");
    let _operator = scene.operator().await;
    standing(&scene, "environment-member", "Pass").await;
    assert_eq!(
        scene.get("Connector", CONNECTOR).await["status"]["authorization"]["state"],
        "Granted",
        "still only said"
    );

    scene.world.clear_faults();
    scene.until_ready().await;
    assert_eq!(scene.asked(removes), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standing_global_administrator_stays_while_a_connector_for_the_account_cannot_be_read() {
    side_by_side(vec![
        ("one of the policy", beside_an_unreadable_connector(POLICY)),
        ("one of another policy", beside_an_unreadable_connector("second")),
    ])
    .await;
}

/// The example, and a Connector of a newer version that refers to this policy; one of another name is for the same account.
async fn beside_an_unreadable_connector(policy: &str) {
    let scene = scene().await;
    scene.play_the_person();
    scene.apply_example().await;
    if policy != POLICY {
        let second = replaced(&scene.policy_yaml(), "  name: keepit-service-account", &format!("  name: {policy}"));
        let kept =
            replaced(&second, "allowedActions: [DirectoryRoles, SecurityRoles, SelfEnrollment]", "allowedActions: []");
        scene.apply_yaml(&kept).await;
    }
    let mut newer = scene.orbiting("Connector", "newer");
    newer["spec"]["policyRef"]["name"] = json!(policy);
    scene.apply_yaml(&newer.to_string()).await;
    let _operator = scene.operator().await;
    standing(&scene, "environment-member", "Pass").await;
    scene
        .until("it to be said", "ServiceAccountPolicy", POLICY, |policy| {
            policy["status"]["plan"].to_string().contains("an object that this version of the operator can't read")
        })
        .await;
    scene.until_more_reads(3).await;
    assert_eq!(scene.asked(removes), 0);

    scene.delete("Connector", "newer").await;
    scene.until_true("the removal", || scene.asked(removes) == 1).await;
}
