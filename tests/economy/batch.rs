//! Many reads of the directory are few requests; each part of one stands for itself.

use backstay_world::{Call, Fault};
use serde_json::{Value, json};

use crate::harness::calls::{ACCOUNT_ID, GRAPH, asked_at, settled};
use crate::harness::{ACCOUNT, POLICY, Scene, finding, is};
use crate::scene_of;

const GROUPS: usize = 45;
const GUID: &str = "99999999-0000-4000-8000-0000000000";

/// The account holds each of its roles through one of many groups, and nothing through the others.
fn through_groups(change: impl FnOnce(&mut Value)) -> String {
    settled(|world| {
        let tenant = &mut world["tenants"][0];
        let group = |number: usize| json!({ "id": format!("{GUID}{number:02}"), "name": format!("Group {number}"), "role_assignable": true, "members": [ACCOUNT] });
        tenant["groups"] = (0..GROUPS).map(group).collect();
        let theirs = json!({ "principal": format!("Group {}", GROUPS - 2), "role": "Power Platform Administrator" });
        tenant["role_assignments"][0] = theirs;
        tenant["role_assignments"][1] = json!({ "principal": "Group 12", "role": "Dynamics 365 Administrator" });
        change(world);
    })
}

/// A read of a group's roles.
fn reads_a_group(call: &Call) -> bool {
    call.method == "GET" && call.query.contains(GUID)
}

fn reads_group(number: usize) -> impl Fn(&Call) -> bool {
    move |call| reads_a_group(call) && call.query.contains(&format!("{GUID}{number:02}"))
}

/// How many parts each of the requests had that brought many.
fn parts(scene: &Scene) -> Vec<usize> {
    let calls = scene.world.calls();
    let envelopes = calls.iter().filter(|call| call.path == "/v1.0/$batch");
    envelopes.map(|envelope| calls.iter().filter(|call| call.batch == Some(envelope.index)).count()).collect()
}

/// Looks once, and brings the policy.
async fn looked(scene: &Scene) -> Value {
    scene.apply_secrets().await;
    scene.apply_yaml(&scene.policy_yaml().replace("interval: 10s", "interval: 1h")).await;
    scene.until("a look", "ServiceAccountPolicy", POLICY, |policy| policy["status"]["findings"].is_array()).await
}

fn said(policy: &Value) -> &str {
    finding(policy, "power-platform-administrator")["message"].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_roles_of_many_groups_are_three_requests_and_each_answer_is_its_groups() {
    let scene = scene_of(&through_groups(|_| {})).await;
    let _operator = scene.operator_with("", &[]).await;
    let policy = looked(&scene).await;
    assert_eq!(parts(&scene), [20, 20, 5]);
    let alone = scene.asked(|call| reads_a_group(call) && call.batch.is_none());
    assert_eq!(alone, 0, "asked beside the batch");
    // The world answers in another order than it was asked.
    assert!(said(&policy).contains("through the group Group 43"), "{}", said(&policy));
    let other = finding(&policy, "dynamics-365-administrator")["message"].as_str().unwrap();
    assert!(other.contains("through the group Group 12"), "{other}");
    assert_eq!(scene.written(), Vec::<String>::new(), "a batch of reads is no write");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_is_throttled_is_asked_again_when_it_says_and_the_others_are_not() {
    let scene = scene_of(&through_groups(|_| {})).await;
    let one = format!("{GUID}43");
    scene.world.fault(Fault {
        host: Some(GRAPH.into()),
        query: Some(one),
        status: Some(429),
        headers: [("Retry-After".to_owned(), "1".to_owned())].into(),
        times: Some(1),
        ..Fault::default()
    });
    let _operator = scene.operator_with("", &[]).await;
    let policy = looked(&scene).await;
    assert!(said(&policy).contains("through the group Group 43"), "{}", said(&policy));
    // The first look only: another may have begun.
    let calls = scene.world.calls();
    let tries: Vec<&Call> = calls.iter().filter(|call| reads_group(43)(call)).take(2).collect();
    let waited = asked_at(tries[1]).duration_since(asked_at(tries[0])).as_secs_f64();
    assert!(waited >= 1.0, "asked again after {waited} s");
    let first: Vec<&Call> = calls.iter().take_while(|call| call.index < tries[1].index).collect();
    for other in [0, 20, 42, 44] {
        assert_eq!(first.iter().filter(|call| reads_group(other)(call)).count(), 1, "group {other}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_is_refused_leaves_the_roles_unknown_with_its_own_reason() {
    let scene = scene_of(&through_groups(|_| {})).await;
    scene.world.fault(Fault {
        host: Some(GRAPH.into()),
        query: Some(format!("{GUID}07")),
        status: Some(403),
        body: Some(r#"{"error":{"code":"Authorization_RequestDenied","message":"hush"}}"#.into()),
        ..Fault::default()
    });
    let _operator = scene.operator_with("", &[]).await;
    let policy = looked(&scene).await;
    let found = finding(&policy, "power-platform-administrator");
    assert_eq!(found["result"], "Unknown");
    assert!(said(&policy).contains("RoleManagement.Read.Directory"), "{}", said(&policy));
    assert!(!policy["status"].to_string().contains("hush"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_on_a_page_of_a_part_is_read_from_the_same_host_only() {
    // The role is on the second page of the group's assignments.
    let paged = through_groups(|world| {
        world["switches"] = json!({ "graph_page_size": 60 });
        let all = world["tenants"][0]["role_assignments"].as_array_mut().unwrap();
        let mine = all.remove(0);
        for number in 0..60 {
            all.push(json!({ "principal": "Group 43", "role": "Global Reader", "scope": format!("/administrativeUnits/{number}") }));
        }
        all.push(mine);
    });
    let scene = scene_of(&paged).await;
    let _operator = scene.operator_with("", &[]).await;
    let policy = looked(&scene).await;
    assert!(said(&policy).contains("through the group Group 43"), "{}", said(&policy));
    assert!(scene.asked(|call| call.batch.is_none() && call.query.contains("skiptoken")) >= 1);

    let scene = scene_of(&through_groups(|_| {})).await;
    scene.world.fault(Fault {
        host: Some(GRAPH.into()),
        query: Some(format!("{GUID}43")),
        status: Some(200),
        body: Some(r#"{"value":[],"@odata.nextLink":"https://evil.example.com/v1.0/next"}"#.into()),
        content_type: Some("application/json".into()),
        ..Fault::default()
    });
    let _operator = scene.operator_with("", &["--allow-host", "evil.example.com"]).await;
    let policy = looked(&scene).await;
    assert!(said(&policy).contains("next page on another host"), "{}", said(&policy));
    assert_eq!(scene.asked(|call| call.host.contains("evil")), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn whether_somebody_else_is_an_administrator_is_asked_twenty_at_a_time() {
    let scene = scene_of(&settled(|world| {
        let tenant = &mut world["tenants"][0];
        for number in 0..29 {
            let name = format!("gone{number}@contoso.com");
            tenant["users"].as_array_mut().unwrap().push(json!({ "principal_name": name, "enabled": false }));
            let held = json!({ "principal": name, "role": "Global Administrator" });
            tenant["role_assignments"].as_array_mut().unwrap().insert(0, held);
        }
    }))
    .await;
    let _operator = scene.operator_with("", &[]).await;
    looked(&scene).await;
    assert_eq!(parts(&scene), [20, 10], "twenty-nine who can't sign in, and one who can");
    let account = scene.asked(|call| call.path.starts_with("/v1.0/users/") && call.batch.is_none());
    assert!(account >= 1 && scene.asked(|call| call.path.contains(ACCOUNT_ID)) >= 1);
    let policy = scene.policy().await;
    assert!(is(&policy, "CredentialsValid", "True", "Accepted"));
}
