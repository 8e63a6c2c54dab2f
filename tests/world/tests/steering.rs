//! Can a world be watched and steered from outside?

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says so by panicking")]

mod common;

use backstay_world::{Error, World};
use common::*;
use reqwest::Method;
use serde_json::{Value, json};

const USERS: &str = "/users/";

async fn ask(visit: &Visit) -> Result<(u16, String), reqwest::Error> {
    let response = visit.keepit(Method::GET, USERS).send().await?;
    Ok((response.status().as_u16(), response.text().await?))
}

#[tokio::test]
async fn the_log_says_who_asked_what_and_keeps_no_secret() {
    let visit = contoso().await;
    assignments_of(&visit, ACCOUNT_ID).await;
    ask(&visit).await.unwrap();
    visit
        .token_request(
            TENANT,
            &[
                ("grant_type", "client_credentials"),
                ("client_id", APP),
                ("client_secret", "hunter2"),
                ("scope", "x/.default"),
            ],
        )
        .await;
    let calls = visit.world.calls();
    let told: Vec<(&str, Option<&str>, bool)> =
        calls.iter().map(|call| (call.host.as_str(), call.app.as_deref(), call.write)).collect();
    assert_eq!(
        told,
        [
            ("login.microsoftonline.com", Some(APP), false),
            ("graph.microsoft.com", Some(APP), false),
            ("dk-co.keepit.com", Some("backstay-api-token"), false),
            ("login.microsoftonline.com", Some(APP), false)
        ]
    );
    assert_eq!(calls[1].query, format!("$filter=principalId eq '{ACCOUNT_ID}'"));
    assert_eq!(calls[1].user_agent.as_deref(), Some("visitor"));
    let everything = serde_json::to_string(&calls).unwrap() + &visit.world.state().to_string();
    for secret in
        [SECRET, "hunter2", "world-keepit-password", "world-access-token", "YmFja3N0YXktYXBpLXRva2Vu", "Bearer "]
    {
        assert!(!everything.contains(secret), "{secret}");
    }

    let last = calls.last().unwrap().index;
    visit.world.clear_calls();
    ask(&visit).await.unwrap();
    assert_eq!(visit.world.calls_since(last + 1).len(), 1, "the index goes on");
}

#[tokio::test]
async fn the_control_api_does_what_the_library_does() {
    let visit = contoso().await;
    let control = visit.world.control_url();
    let plain = reqwest::Client::builder().no_proxy().build().unwrap();
    assert_eq!(plain.get(format!("{control}/healthz")).send().await.unwrap().text().await.unwrap(), "ok");

    let body = json!({ "user": ACCOUNT, "role": "Power Platform Administrator" });
    let done = plain.post(format!("{control}/do/grant-directory-role")).json(&body).send().await.unwrap();
    assert_eq!(done.status(), 200);
    assert_eq!(assignments_of(&visit, ACCOUNT_ID).await.len(), 3);
    for (action, body) in [
        ("fly", json!({})),
        ("grant-directory-role", json!({ "user": ACCOUNT })),
        ("grant-directory-role", json!({ "user": ACCOUNT, "role": "King" })),
        ("disable-user", json!({ "usr": ACCOUNT })),
    ] {
        let refused = plain.post(format!("{control}/do/{action}")).json(&body).send().await.unwrap();
        assert_eq!(refused.status(), 422);
        assert!(refused.json::<Value>().await.unwrap()["refused"].is_string());
    }

    let made: Value = plain
        .post(format!("{control}/faults"))
        .json(&json!({ "path": "/users/", "status": 500 }))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(ask(&visit).await.unwrap().0, 500);
    assert_eq!(plain.delete(format!("{control}/faults/{}", made["id"])).send().await.unwrap().status(), 204);
    assert_eq!(ask(&visit).await.unwrap().0, 200);
    assert_eq!(
        plain.post(format!("{control}/faults")).json(&json!({ "pth": "/" })).send().await.unwrap().status(),
        400
    );

    let calls: Vec<Value> = plain.get(format!("{control}/calls?since=2")).send().await.unwrap().json().await.unwrap();
    assert_eq!(calls.len(), 2);
    assert_eq!(plain.delete(format!("{control}/calls")).send().await.unwrap().status(), 204);
    assert!(visit.world.calls().is_empty());
    let state = plain.get(format!("{control}/state")).send().await.unwrap().text().await.unwrap();
    assert!(state.contains(ACCOUNT) && !state.contains(SECRET));
}

#[tokio::test]
async fn every_action_of_the_table_has_an_explanation_and_a_name_of_its_own() {
    let names: Vec<&str> = backstay_world::actions::all().map(|action| action.name).collect();
    let mut once = names.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), names.len());
    assert!(backstay_world::actions::all().all(|action| !action.does.is_empty()));
}

#[tokio::test]
async fn a_switch_can_be_turned_while_it_runs() {
    let visit = contoso().await;
    visit.world.act("set-switch", json!({ "name": "graph_page_size", "value": 1 })).unwrap();
    assert_eq!(
        visit.graph(Method::GET, "/roleManagement/directory/roleAssignments", None).await.json()["value"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert!(visit.world.act("set-switch", json!({ "name": "lag.warp", "value": 1 })).is_err());
    assert!(visit.world.act("set-switch", json!({ "name": "graph_page_size", "value": "many" })).is_err());
}

#[tokio::test]
async fn an_environment_comes_with_its_own_host() {
    let visit = contoso().await;
    let host = "contoso-new.crm4.dynamics.com";
    assert!(visit.client.get(format!("https://{host}/")).send().await.is_err());
    let made = visit
        .world
        .act("add-environment", json!({ "name": "Contoso New", "sku": "Production", "host": host }))
        .unwrap();
    visit.enroll(made["id"].as_str().unwrap()).await;
    assert_eq!(visit.dataverse(Method::GET, host, "WhoAmI", None).await.status, 200);
    assert!(visit.world.act("add-environment", json!({ "name": "Twin", "sku": "Production", "host": host })).is_err());
}

#[tokio::test]
async fn two_worlds_know_nothing_of_each_other() {
    let (one, other) = (contoso().await, contoso().await);
    one.world.remove_directory_role(ACCOUNT, "Global Administrator").unwrap();
    assert_eq!(assignments_of(&other, ACCOUNT_ID).await.len(), 2);
    let stranger = one.client.get(format!("{GRAPH}/v1.0/organization"));
    assert_eq!(one.send(stranger).await.status, 401);
    // A client that trusts one world does not trust the other.
    let authority = reqwest::Certificate::from_pem(one.world.ca_pem().as_bytes()).unwrap();
    let crossed = reqwest::Client::builder()
        .proxy(reqwest::Proxy::https(other.world.proxy_url()).unwrap())
        .tls_certs_only([authority])
        .build()
        .unwrap();
    assert!(crossed.get(format!("{GRAPH}/v1.0/organization")).send().await.is_err());
}

#[tokio::test]
async fn the_proxy_only_opens_tunnels() {
    let visit = contoso().await;
    let client =
        reqwest::Client::builder().proxy(reqwest::Proxy::http(visit.world.proxy_url()).unwrap()).build().unwrap();
    assert_eq!(client.get("http://graph.microsoft.com/v1.0/organization").send().await.unwrap().status(), 403);
}

#[tokio::test]
async fn a_dropped_world_is_gone() {
    let visit = contoso().await;
    let client = visit.client.clone();
    drop(visit);
    tokio::task::yield_now().await;
    assert!(client.get(format!("{GRAPH}/v1.0/organization")).send().await.is_err());
}

#[tokio::test]
async fn a_wrong_file_is_told_in_one_sentence() {
    let cases = [
        ("tenants: [{ id: x, name: X, domains: [x.com], userz: [] }]", "userz"),
        (
            "tenants: [{ id: x, name: X, domains: [x.com], role_assignments: [{ principal: nobody@x.com, role: Global Administrator }] }]",
            "nobody@x.com",
        ),
        (
            "tenants: [{ id: x, name: X, domains: [x.com], users: [{ principal_name: a@x.com, licenses: [{ sku: NOPE }] }] }]",
            "NOPE",
        ),
        (
            "tenants: [{ id: x, name: X, domains: [x.com], environments: [{ name: E, sku: Production, host: e.crm.dynamics.com, users: [{ user: ghost@x.com }] }] }]",
            "ghost@x.com",
        ),
        ("tenants: []\nswitches: { duplicate_assignment: 500 }", "duplicate_assignment"),
    ];
    for (yaml, piece) in cases {
        let Err(Error::File(why)) = World::start(yaml).await.map(|_| ()) else { panic!("accepted: {yaml}") };
        assert!(why.contains(piece) && !why.contains('\n'), "{why}");
    }
}
