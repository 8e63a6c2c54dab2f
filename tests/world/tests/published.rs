//! Does the check see what a test asks and what the world answers?

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says so by panicking")]

mod common;

use common::*;
use reqwest::Method;
use serde_json::{Value, json};

/// Without what Microsoft publishes there is nothing to see.
fn published() -> bool {
    let here = backstay_world::contracts_folder().is_some();
    assert!(
        here || std::env::var("CI").as_deref() != Ok("true"),
        "in CI the contracts must be here: BACKSTAY_CONTRACTS"
    );
    if !here {
        println!("skipped: no contracts here (set BACKSTAY_CONTRACTS)");
    }
    here
}

/// Every call of Graph that exists here, as it should be asked.
#[tokio::test]
async fn all_that_exists_is_as_published() {
    if !published() {
        return;
    }
    let visit = contoso_with(&[(
        "    role_assignments:\n",
        "    groups:\n      - { name: Admins, role_assignable: true, members: [svc-backup@contoso.com] }\n    role_assignments:\n",
    )])
    .await;
    let group = visit.world.state()["tenants"][0]["groups"][0]["id"].as_str().unwrap().to_owned();
    let select = "$select=id,userPrincipalName,accountEnabled,userType,usageLocation,onPremisesSyncEnabled,assignedLicenses,assignedPlans,licenseAssignmentStates,passwordPolicies,lastPasswordChangeDateTime";
    let roles = "/roleManagement/directory/roleAssignments";
    for path in [
        format!("/users/{ACCOUNT}"),
        format!("/users/{ACCOUNT_ID}?{select}"),
        format!("/users/{ACCOUNT_ID}/licenseDetails"),
        format!("/users/{ACCOUNT_ID}/transitiveMemberOf"),
        format!("/users/{ACCOUNT_ID}/transitiveMemberOf/microsoft.graph.group?$select=id,isAssignableToRole"),
        format!("/groups/{group}/members?$select=id,userPrincipalName"),
        "/subscribedSkus".to_owned(),
        format!("{roles}?$filter=principalId eq '{ACCOUNT_ID}'"),
        "/roleManagement/directory/roleDefinitions".to_owned(),
        format!("/roleManagement/directory/roleDefinitions/{GLOBAL_ADMINISTRATOR}"),
        "/organization".to_owned(),
        "/servicePrincipals?$filter=appId eq '00000003-0000-0000-c000-000000000000'".to_owned(),
        format!("/servicePrincipals(appId='{APP}')?$select=id,appId"),
        format!("/applications(appId='{APP}')"),
    ] {
        let got = visit.graph(Method::GET, &path, None).await;
        assert_eq!(got.status, 200, "{path}: {}", got.text);
    }
    let assignment =
        json!({ "principalId": ACCOUNT_ID, "roleDefinitionId": POWER_PLATFORM_ADMINISTRATOR, "directoryScopeId": "/" });
    let made = visit.graph(Method::POST, roles, Some(assignment)).await;
    let id = made.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(visit.graph(Method::DELETE, &format!("{roles}/{id}"), None).await.status, 204);

    assert_eq!(visit.world.violations(), Vec::<String>::new());
    assert_eq!(visit.world.checks().exchanges, 16);
}

/// What the world asks, and what was said about it.
async fn said(requests: Value) -> Vec<String> {
    let visit = contoso().await;
    let got = visit.graph(Method::POST, "/$batch", Some(json!({ "requests": requests }))).await;
    assert_eq!(got.status, 200, "{}", got.text);
    visit.world.violations()
}

#[tokio::test]
async fn a_part_of_a_batch_is_seen() {
    if published() {
        let said = said(json!([
            { "id": "1", "method": "GET", "url": "/subscribedSkus" },
            { "id": "2", "method": "GET", "url": format!("/users/{ACCOUNT}/secrets") },
        ]))
        .await;
        assert_eq!(
            said,
            [format!("GET https://graph.microsoft.com/v1.0/users/{ACCOUNT}/secrets: asked: user has no 'secrets'")]
        );
    }
}

#[tokio::test]
async fn what_a_fault_keeps_from_the_service_was_asked_all_the_same() {
    if !published() {
        return;
    }
    let visit = contoso().await;
    visit.world.fault(backstay_world::Fault { status: Some(429), times: Some(1), ..Default::default() });
    let token = visit.token_request(TENANT, &[]).await;
    assert_eq!(token.status, 429);
    visit.world.fault(backstay_world::Fault { path: Some("/v1.0".into()), status: Some(429), ..Default::default() });
    visit.graph(Method::GET, "/subscribedSkus?$select=price", None).await;
    let said = visit.world.violations();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].ends_with("asked: $select=price: subscribedSku has no property 'price'"), "{said:?}");
}

#[tokio::test]
async fn what_the_service_refused_as_wrong_may_be_wrong() {
    let visit = contoso().await;
    let got = visit.graph(Method::GET, "/subscribedSkus?$select=price", None).await;
    assert_eq!(got.status, 400);
    if published() {
        assert_eq!(visit.world.violations(), Vec::<String>::new());
        assert_eq!(visit.world.checks().exchanges, 1);
    }
}
