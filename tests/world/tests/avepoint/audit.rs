//! What does AvePoint's audit tell, and how is it read?

use reqwest::Method;
use serde_json::{Value, json};

use super::common::Visit;
use super::{ADA, API, AUDIT, SERVICE_ACCOUNT, last_days, tailspin};

/// Three rows, two of AOS itself.
async fn with_rows() -> Visit {
    let visit = tailspin().await;
    visit.act("reauthorize-app-profile", json!({ "profile": "Dynamics app", "by": "ops@tailspin.com" }));
    visit.act("scan-organizations", json!({}));
    visit.act("reconnect-microsoft-tenant", json!({ "user": ADA }));
    visit
}

fn names(body: &Value) -> Vec<&str> {
    body["data"].as_array().unwrap().iter().map(|row| row["actionName"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_row_has_the_fields_of_the_sample_and_no_other() {
    let visit = with_rows().await;
    let body = visit.audit("&productTypes=Portal").await;
    assert_eq!(body["nextLink"], Value::Null);
    let row = body["data"].as_array().unwrap().iter().find(|row| row["actionName"] == "Re-authorize").unwrap();
    let mut fields: Vec<&str> = "actionName actionUser actionParameters actionTime controllerName product geoLocation previousValue currentValue partnerTenantOwner status comment objectType operationType module functionality objectName action clientIP additionalDetails"
        .split(' ')
        .collect();
    fields.sort_unstable();
    assert_eq!(row.as_object().unwrap().keys().collect::<Vec<_>>(), fields);
    assert_eq!(row["actionUser"], "ops@tailspin.com", "who sat at the page");
    assert_eq!((&row["product"], &row["module"]), (&json!("AvePoint Online Services"), &json!("App Management")));
    assert_eq!(row["objectName"], "Dynamics app");
    let time = row["actionTime"].as_str().unwrap();
    assert_eq!(time.len(), "2024-10-14T07:41:50Z".len(), "whole seconds: {time}");
    visit.switch("audit_details", json!(false));
    let bare = visit.audit("").await;
    assert!(bare["data"].as_array().unwrap().iter().all(|row| row["module"].is_null() && row["objectName"].is_null()));
}

#[tokio::test]
async fn rows_are_found_by_product_and_their_words_can_be_changed() {
    let visit = with_rows().await;
    visit.switch("audit_actions.reconnect_tenant", json!("Tenant Reconnected"));
    visit.act("reconnect-microsoft-tenant", json!({ "user": ADA }));
    let mut all = names(&visit.audit("").await).into_iter().map(str::to_owned).collect::<Vec<_>>();
    all.sort();
    assert_eq!(all, ["Re-authorize", "Reconnect", "Scan", "Tenant Reconnected"]);
    let product = visit.audit("&productTypes=CRMBackup").await;
    assert_eq!(names(&product), ["Scan"]);
    assert_eq!(product["data"][0]["product"], "Cloud Backup for Dynamics 365");
    assert_eq!(product["data"][0]["objectName"], SERVICE_ACCOUNT);
    assert_eq!(names(&visit.audit("&productTypes=Portal,CRMBackup").await).len(), 4);
    assert!(names(&visit.audit("&productTypes=Office365Backup").await).is_empty());
}

#[tokio::test]
async fn wrong_parameters_are_400_in_the_documented_form() {
    let visit = tailspin().await;
    let window = last_days();
    for query in [
        "startTime=2026-01-01T00:00:00Z".to_owned(),
        "endTime=2026-01-01T00:00:00Z".to_owned(),
        "startTime=2026-01-01T00:00:00Z&finishTime=2026-01-02T00:00:00Z".to_owned(),
        "startTime=2026-01-01T00:00:00Z&endTime=2026-01-08T00:00:01Z".to_owned(),
        format!("productTypes=Dynamics&{window}"),
        format!("skipToken=next&{window}"),
        format!("type=1&{window}"),
    ] {
        visit.switch("error_body", json!("empty"));
        let got = visit.api(&format!("/aos/audit?{query}"), AUDIT).await;
        assert_eq!((got.status, &got.json()["statusCode"]), (400, &json!(400)), "{query}");
        assert!(got.json()["traceId"].is_string() && got.json()["error"].is_string());
    }
    let week = "startTime=2026-01-01T00:00:00Z&endTime=2026-01-08T00:00:00Z";
    assert_eq!(visit.api(&format!("/aos/audit?{week}"), AUDIT).await.status, 200, "seven days are allowed");
}

#[tokio::test]
async fn pages_are_followed_by_an_absolute_link_which_may_leave_the_host() {
    let visit = with_rows().await;
    visit.switch("audit_page_size", json!(2));
    let first = visit.audit("").await;
    let link = first["nextLink"].as_str().unwrap();
    assert!(link.starts_with(&format!("{API}/aos/audit?")), "{link}");
    let token = visit.avepoint_token(AUDIT).await;
    let second = visit.call(Method::GET, link, &token, None).await.json();
    assert_eq!((names(&first).len(), names(&second).len(), &second["nextLink"]), (2, 1, &Value::Null));
    visit.switch("audit_next_link", json!("other_host"));
    let link = visit.audit("").await["nextLink"].as_str().unwrap().to_owned();
    assert!(link.starts_with("https://graph.avepointonlineservices.com/"), "{link}");
    assert!(visit.client.get(link).bearer_auth(token).send().await.is_err(), "nothing is there");
}

#[tokio::test]
async fn a_row_can_take_its_time() {
    let visit = with_rows().await;
    visit.switch("audit_delay_minutes", json!(30));
    assert!(names(&visit.audit("").await).is_empty());
    visit.act("advance", json!({ "minutes": 31 }));
    assert_eq!(names(&visit.audit("").await).len(), 3);
}
