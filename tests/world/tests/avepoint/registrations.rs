//! What can be done with the credentials of AvePoint's API?

use rcgen::KeyUsagePurpose;
use serde_json::json;

use super::common::Visit;
use super::common::keys::key_for;
use super::{API, AUDIT, DYNAMICS, SECRET, TOKEN, last_days, tailspin, with_secret};

async fn token_status(visit: &Visit, client: &str, secret: &str, scope: &str) -> u16 {
    let fields = with_secret(secret, scope).map(|(key, value)| (key, if key == "client_id" { client } else { value }));
    visit.send(visit.client.post(TOKEN).form(&fields)).await.status
}

#[tokio::test]
async fn an_app_is_registered_with_a_secret_that_ends() {
    let visit = tailspin().await;
    let words =
        json!({ "name": "Second", "scopes": "dynamics.readwrite.all audit.read.all", "secret": "two", "years": 2 });
    let client = visit.act("register-aos-app", words)["client_id"].as_str().unwrap().to_owned();
    assert_eq!(token_status(&visit, &client, "two", AUDIT).await, 200);
    visit.advance(24 * 365);
    assert_eq!(token_status(&visit, &client, "two", AUDIT).await, 200);
    visit.advance(24 * 366);
    assert_eq!(token_status(&visit, &client, "two", AUDIT).await, 400);
}

#[tokio::test]
async fn the_page_refuses_what_cannot_work() {
    let visit = tailspin().await;
    for (words, piece) in [
        (json!({ "name": "N", "scopes": AUDIT }), "either a client secret or a certificate"),
        (json!({ "name": "N", "scopes": AUDIT, "secret": "s", "years": 4 }), "1, 2 or 3 years"),
        (json!({ "name": "N", "scopes": "everything.all", "secret": "s" }), "everything.all"),
        (json!({ "name": "Backstay", "scopes": AUDIT, "secret": "s" }), "already"),
        (json!({ "name": "N", "scopes": AUDIT, "pem": "text" }), "no X.509 certificate"),
        (json!({ "name": "N", "scopes": AUDIT, "secret": "s", "aos": "Nobody" }), "Nobody"),
    ] {
        let why = visit.refused("register-aos-app", words);
        assert!(why.contains(piece), "{why}");
    }
    for usages in [vec![], vec![KeyUsagePurpose::KeyEncipherment]] {
        let pem = key_for(&usages).certificate.pem();
        let why = visit.refused("register-aos-app", json!({ "name": "N", "scopes": AUDIT, "pem": pem }));
        assert!(why.contains("Digital Signature"), "{why}");
    }
    let usages = [KeyUsagePurpose::KeyEncipherment, KeyUsagePurpose::DigitalSignature];
    let pem = key_for(&usages).certificate.pem();
    visit.act("register-aos-app", json!({ "name": "N", "scopes": AUDIT, "pem": pem }));
}

#[tokio::test]
async fn secrets_are_rotated_permissions_changed_and_registrations_deleted() {
    let visit = tailspin().await;
    let client = super::CLIENT;
    visit.act("rotate-aos-secret", json!({ "app": "Backstay", "value": "second", "keep": true }));
    assert_eq!(token_status(&visit, client, SECRET, AUDIT).await, 200);
    visit.act("rotate-aos-secret", json!({ "app": "Backstay", "value": "third" }));
    assert_eq!(token_status(&visit, client, SECRET, AUDIT).await, 400);
    assert_eq!(token_status(&visit, client, "third", AUDIT).await, 200);

    visit.act("change-aos-permissions", json!({ "app": client, "scopes": DYNAMICS }));
    assert_eq!(token_status(&visit, client, "third", AUDIT).await, 400);
    visit.act("change-aos-permissions", json!({ "app": client, "scopes": AUDIT }));
    let got = visit.send(visit.client.post(TOKEN).form(&with_secret("third", AUDIT))).await;
    let token = got.json()["access_token"].as_str().unwrap().to_owned();

    visit.act("delete-aos-app", json!({ "app": "Backstay" }));
    assert_eq!(token_status(&visit, client, "third", AUDIT).await, 400);
    assert!(visit.refused("delete-aos-app", json!({ "app": "Backstay" })).contains("there is no app registration"));
    let url = format!("{API}/aos/audit?{}", last_days());
    let rows = visit.call(reqwest::Method::GET, &url, &token, None).await;
    assert_eq!(rows.status, 200, "the token lives to its end");
    let told: Vec<String> = rows.json()["data"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["module"] == "App Registrations")
        .map(|row| row["actionName"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(told.iter().filter(|it| *it == "Updated").count(), 4, "{told:?}");
    assert_eq!(told.iter().filter(|it| *it == "Delete").count(), 1, "{told:?}");
    assert!(!visit.world.state().to_string().contains("third"));
}
