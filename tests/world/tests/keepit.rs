//! Whom does Keepit let in, and in which version does it speak?

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says so by panicking")]

mod common;

use common::*;
use reqwest::Method;
use serde_json::json;

fn devices(path: &str) -> String {
    format!("/users/{KEEPIT_ACCOUNT}/devices{path}")
}

#[tokio::test]
async fn a_wrong_token_is_401_in_plain_text() {
    let visit = contoso().await;
    for (login, password) in [("backstay-api-token", "wrong"), ("nobody", "world-keepit-password")] {
        let got = visit.send(visit.client.get(format!("{KEEPIT}/users/")).basic_auth(login, Some(password))).await;
        assert_eq!(got.status, 401);
        assert!(got.headers["content-type"].to_str().unwrap().starts_with("text/plain"));
    }
    assert_eq!(visit.send(visit.client.get(format!("{KEEPIT}/users/"))).await.status, 401);
    visit.world.act("rotate-keepit-token", json!({ "login": "backstay-api-token", "password": "second" })).unwrap();
    assert_eq!(visit.send(visit.keepit(Method::GET, "/users/")).await.status, 401);
}

#[tokio::test]
async fn a_region_is_an_installation_of_its_own() {
    let visit = contoso_with(&[("keepit:\n", "keepit:\n  - region: de-fr\n    accounts: []\n")]).await;
    assert_eq!(
        visit
            .send(
                visit
                    .client
                    .get("https://de-fr.keepit.com/users/")
                    .basic_auth("backstay-api-token", Some("world-keepit-password"))
            )
            .await
            .status,
        401,
        "the account is not there"
    );
    assert!(
        visit.client.get("https://us-dc.keepit.com/users/").send().await.is_err(),
        "the region is not in this world"
    );
    let refused = visit.world.calls().into_iter().find(|call| call.method == "CONNECT").unwrap();
    assert_eq!((refused.host.as_str(), refused.status, refused.write), ("us-dc.keepit.com:443", 502, false));
}

#[tokio::test]
async fn the_version_of_the_schema_matters() {
    let visit = contoso_with(&[("        resources:\n", "        connectors:\n          - { name: Our Jira, type: dsl, agent_type: jira, created_by: ops@contoso.com }\n        resources:\n")]).await;
    let get =
        async |path: String, accept: &str| visit.send(visit.keepit(Method::GET, &path).header("accept", accept)).await;
    let tokens = format!("/users/{KEEPIT_ACCOUNT}/tokens");
    assert_eq!(get(tokens.clone(), "application/vnd.keepit.v2").await.status, 200);
    assert_eq!(get(tokens.clone(), "application/vnd.keepit.v4+xml").await.status, 400);
    assert!(get(devices(""), "application/vnd.keepit.v4+xml").await.text.contains("<agent-type>jira</agent-type>"));
    assert!(!get(devices(""), "application/vnd.keepit.v3+xml").await.text.contains("agent-type"));
    assert_eq!(get(devices(""), "application/json").await.status, 400);

    let nameless = reqwest::Client::builder()
        .proxy(reqwest::Proxy::https(visit.world.proxy_url()).unwrap())
        .tls_certs_only([reqwest::Certificate::from_pem(visit.world.ca_pem().as_bytes()).unwrap()])
        .build()
        .unwrap();
    let got = got(nameless
        .get(format!("{KEEPIT}/users/"))
        .basic_auth("backstay-api-token", Some("world-keepit-password"))
        .send()
        .await
        .unwrap())
    .await;
    assert_eq!(got.status, 400, "no User-Agent");
}

#[tokio::test]
async fn a_token_acts_on_its_account_and_those_below() {
    let visit = contoso_with(&[("        tokens:\n", "        tokens: []\n      - id: lower0-lower0-lower0\n        name: Below\n        parent: kp7a2b-c3d4e5-f6g7h8\n        tokens:\n          - { login: below, password: below }\n      - id: middle-middle-middle\n        name: Beside\n        parent: kp7a2b-c3d4e5-f6g7h8\n        tokens:\n")]).await;
    // The tokens of contoso.yaml are now those of "Beside".
    for (account, status) in [
        ("middle-middle-middle", 200),
        ("lower0-lower0-lower0", 403),
        (KEEPIT_ACCOUNT, 403),
        ("unknow-unknow-unknow", 403),
    ] {
        assert_eq!(visit.keepit_v4(&format!("/users/{account}/devices")).await.status, status, "{account}");
    }

    let visit = contoso_with(&[("keepit:\n  - region: dk-co\n    accounts:\n", "keepit:\n  - region: dk-co\n    accounts:\n      - { id: lower0-lower0-lower0, name: Below, parent: kp7a2b-c3d4e5-f6g7h8 }\n")]).await;
    assert_eq!(visit.keepit_v4("/users/lower0-lower0-lower0/devices").await.status, 200);
}

#[tokio::test]
async fn the_account_of_the_token_its_role_and_its_limits_can_be_read() {
    let visit = contoso().await;
    assert!(
        visit.send(visit.keepit(Method::GET, "/users/")).await.text.contains(&format!("<id>{KEEPIT_ACCOUNT}</id>"))
    );
    assert!(
        visit
            .send(visit.keepit(Method::GET, &format!("/users/{KEEPIT_ACCOUNT}")))
            .await
            .text
            .contains("<enabled>true</enabled>")
    );
    let tokens = visit.send(visit.keepit(Method::GET, &format!("/users/{KEEPIT_ACCOUNT}/tokens"))).await.text;
    assert!(
        tokens.contains("<acl>BackupAdmin</acl>") && tokens.contains("/Devices:") && !tokens.contains("password"),
        "{tokens}"
    );
    assert!(
        visit
            .send(visit.keepit(Method::GET, &format!("/users/{KEEPIT_ACCOUNT}/resources")))
            .await
            .text
            .contains("<name>devices</name>")
    );
}
