//! Can requests be made to go wrong, one by one?

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says so by panicking")]

mod common;

use std::time::{Duration, Instant};

use backstay_world::Fault;
use common::*;
use reqwest::Method;
use serde_json::json;

const USERS: &str = "/users/";

async fn ask(visit: &Visit) -> Result<(u16, String), reqwest::Error> {
    let response = visit.keepit(Method::GET, USERS).send().await?;
    Ok((response.status().as_u16(), response.text().await?))
}

fn fault() -> Fault {
    Fault { host: Some("dk-co.keepit.com".into()), path: Some(USERS.into()), ..Fault::default() }
}

#[tokio::test]
async fn a_status_strikes_by_index_and_ends() {
    let visit = contoso().await;
    visit.world.fault(Fault {
        status: Some(429),
        after: 1,
        times: Some(2),
        headers: [("Retry-After".to_owned(), "7".to_owned())].into(),
        body: Some("slow down".into()),
        ..fault()
    });
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(ask(&visit).await.unwrap().0);
    }
    assert_eq!(statuses, [200, 429, 429, 200]);
    let struck: Vec<bool> = visit.world.calls().iter().map(|call| call.fault.is_some()).collect();
    assert_eq!(struck, [false, true, true, false]);
}

#[tokio::test]
async fn a_delay_a_truncation_a_reset_and_a_hang_break_what_they_say() {
    let visit = contoso().await;

    let id = visit.world.fault(Fault { delay_ms: Some(200), ..fault() });
    let before = Instant::now();
    assert_eq!(ask(&visit).await.unwrap().0, 200, "a delay alone lets the answer follow");
    assert!(before.elapsed() >= Duration::from_millis(200));
    assert!(visit.world.clear_fault(id));

    visit.world.fault(Fault { truncate: Some(10), times: Some(1), ..fault() });
    let error = ask(&visit).await.unwrap_err();
    assert!(error.is_body() || error.is_decode(), "{error:?}");

    visit.world.fault(Fault { reset: true, times: Some(1), ..fault() });
    let error = ask(&visit).await.unwrap_err();
    assert!(format!("{error:?}").contains("ConnectionReset"), "{error:?}");
    assert_eq!(visit.world.calls().last().unwrap().status, 0);

    visit.world.fault(Fault { hang: true, times: Some(1), ..fault() });
    let waited = tokio::time::timeout(Duration::from_millis(200), ask(&visit)).await;
    assert!(waited.is_err());

    visit.world.fault(Fault { content_type: Some("text/html".into()), times: Some(1), ..fault() });
    let got = visit.send(visit.keepit(Method::GET, USERS)).await;
    assert_eq!(got.headers["content-type"], "text/html");
    assert_eq!(ask(&visit).await.unwrap().0, 200);
}

#[tokio::test]
async fn an_answer_can_be_lost_after_the_work_was_done() {
    let visit = contoso().await;
    let token = visit.token(GRAPH).await;
    let body =
        json!({ "principalId": ACCOUNT_ID, "roleDefinitionId": POWER_PLATFORM_ADMINISTRATOR, "directoryScopeId": "/" });
    for (applied, held) in [(false, 2), (true, 3)] {
        visit.world.fault(Fault {
            method: Some("POST".into()),
            path: Some("/v1.0/roleManagement".into()),
            reset: true,
            applied,
            times: Some(1),
            ..Fault::default()
        });
        assert!(visit.client.post(ASSIGNMENTS).bearer_auth(&token).json(&body).send().await.is_err());
        assert_eq!(assignments_of(&visit, ACCOUNT_ID).await.len(), held);
    }
}

#[tokio::test]
async fn a_fault_can_strike_one_part_of_a_batch() {
    let visit = contoso().await;
    visit.world.fault(Fault {
        path: Some("/v1.0/users/*/licenseDetails".into()),
        status: Some(429),
        ..Fault::default()
    });
    let requests = json!({ "requests": [{ "id": "1", "method": "GET", "url": "/subscribedSkus" }, { "id": "2", "method": "GET", "url": format!("/users/{ACCOUNT}/licenseDetails") }] });
    let got = visit.graph(Method::POST, "/$batch", Some(requests)).await.json();
    let statuses: Vec<i64> =
        got["responses"].as_array().unwrap().iter().map(|it| it["status"].as_i64().unwrap()).collect();
    assert_eq!(statuses, [429, 200]);
}
