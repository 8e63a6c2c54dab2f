//! Is it told, and refused, when somebody asks too much?

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says so by panicking")]

mod common;

use common::*;
use reqwest::Method;
use serde_json::{Value, json};

async fn skus(visit: &Visit) -> Got {
    visit.graph(Method::GET, "/subscribedSkus", None).await
}

fn header(got: &Got, name: &str) -> Option<String> {
    got.headers.get(name).map(|value| value.to_str().unwrap().to_owned())
}

fn seconds(got: &Got) -> u64 {
    header(got, "retry-after").expect("Retry-After").parse().expect("seconds")
}

#[tokio::test]
async fn graph_counts_in_units_and_says_when_it_gets_tight() {
    let visit = contoso_switched("{ limits: { graph_units: 10 } }").await;
    let got = skus(&visit).await;
    assert_eq!(
        (header(&got, "x-ms-resource-unit").as_deref(), header(&got, "x-ms-throttle-limit-percentage")),
        (Some("3"), None)
    );
    let cheaper = visit.graph(Method::GET, "/subscribedSkus?$select=skuId", None).await;
    assert_eq!(header(&cheaper, "x-ms-resource-unit").as_deref(), Some("2"), "$select is one less");
    let tight = skus(&visit).await;
    assert_eq!((tight.status, header(&tight, "x-ms-throttle-limit-percentage").as_deref()), (200, Some("0.80")));
    let full = skus(&visit).await;
    assert_eq!((full.status, full.code().as_str()), (429, "TooManyRequests"));
    assert!((1..=10).contains(&seconds(&full)));

    visit.world.act("advance", json!({ "seconds": seconds(&full) })).unwrap();
    assert_eq!(skus(&visit).await.status, 200);
}

#[tokio::test]
async fn parts_of_a_batch_are_throttled_one_by_one() {
    let visit = contoso_switched("{ limits: { graph_units: 6 } }").await;
    let requests: Vec<Value> =
        (0..3).map(|i| json!({ "id": i.to_string(), "method": "GET", "url": "/subscribedSkus" })).collect();
    let got = visit.graph(Method::POST, "/$batch", Some(json!({ "requests": requests }))).await;
    assert_eq!(got.status, 200);
    let part =
        |id: &str| got.json()["responses"].as_array().unwrap().iter().find(|row| row["id"] == id).unwrap().clone();
    assert_eq!(
        (&part("0")["status"], &part("1")["status"], &part("2")["status"]),
        (&json!(200), &json!(200), &json!(429))
    );
    assert!(part("2")["headers"]["retry-after"].is_string());
}

#[tokio::test]
async fn writes_have_a_limit_of_their_own() {
    let visit = contoso_switched("{ limits: { graph_writes: 1 } }").await;
    let body =
        json!({ "principalId": ACCOUNT_ID, "roleDefinitionId": POWER_PLATFORM_ADMINISTRATOR, "directoryScopeId": "/" });
    let write =
        async || visit.graph(Method::POST, "/roleManagement/directory/roleAssignments", Some(body.clone())).await;
    assert_eq!(write().await.status, 201);
    let got = write().await;
    assert!(got.status == 429 && seconds(&got) > 10, "{}", got.text);
    assert_eq!(skus(&visit).await.status, 200, "reads go on");
}

#[tokio::test]
async fn conditional_access_has_one_a_second_and_does_not_say_when_to_come_again() {
    let visit = contoso().await;
    visit.world.act("grant-permission", json!({ "app": "Backstay", "permission": "Policy.Read.All" })).unwrap();
    visit.world.act("set-switch", json!({ "name": "limits.reports", "value": 1 })).unwrap();
    let token = visit.token(GRAPH).await;
    let url = format!("{GRAPH}/v1.0/identity/conditionalAccess/policies");
    let mut statuses = Vec::new();
    for _ in 0..3 {
        let got = visit.call(Method::GET, &url, &token, None).await;
        assert!(header(&got, "retry-after").is_none());
        statuses.push(got.status);
    }
    assert_eq!(statuses[0], 200);
    assert!(statuses.contains(&429), "{statuses:?}");
    visit.world.act("advance", json!({ "seconds": 1 })).unwrap();
    assert_eq!(visit.call(Method::GET, &url, &token, None).await.status, 200);

    let report = format!("/reports/authenticationMethods/userRegistrationDetails/{ACCOUNT_ID}");
    visit.world.act("grant-permission", json!({ "app": "Backstay", "permission": "AuditLog.Read.All" })).unwrap();
    assert_eq!(visit.graph(Method::GET, &report, None).await.status, 200);
    let got = visit.graph(Method::GET, &report, None).await;
    assert!(got.status == 429 && (1..=10).contains(&seconds(&got)), "{}", got.text);
}

#[tokio::test]
async fn dataverse_counts_requests_of_a_user() {
    let visit = contoso_switched("{ limits: { dataverse_requests: 2 } }").await;
    visit.enroll(SERVICE).await;
    visit.enroll(SALES).await;
    let who = async |host: &str| visit.dataverse(Method::GET, host, "WhoAmI", None).await;
    assert_eq!(who(SERVICE_HOST).await.status, 200);
    assert_eq!(who(SERVICE_HOST).await.status, 200);
    let got = who(SERVICE_HOST).await;
    assert_eq!((got.status, got.code().as_str()), (429, "0x80072322"));
    assert!((290..=300).contains(&seconds(&got)));
    assert_eq!(who(SALES_HOST).await.status, 200, "another organization, another count");
    visit.world.act("advance", json!({ "minutes": 5 })).unwrap();
    assert_eq!(who(SERVICE_HOST).await.status, 200);
}

#[tokio::test]
async fn the_time_to_wait_can_be_a_date() {
    let visit = contoso_switched("{ limits: { graph_units: 1, retry_after_as_date: true } }").await;
    let text = header(&skus(&visit).await, "retry-after").unwrap();
    assert!(text.ends_with(" GMT") && text.contains(", "), "{text}");
}

#[tokio::test]
async fn the_priority_of_a_request_stands_in_the_log() {
    let visit = contoso().await;
    let token = visit.token(GRAPH).await;
    let url = format!("{GRAPH}/v1.0/subscribedSkus");
    visit.send(visit.client.get(&url).bearer_auth(&token).header("x-ms-throttle-priority", "low")).await;
    visit.send(visit.client.get(&url).bearer_auth(&token)).await;
    let calls = visit.world.calls();
    assert_eq!(calls[1].priority.as_deref(), Some("low"));
    assert_eq!(calls[2].priority, None);
}
