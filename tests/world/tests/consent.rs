//! Does Graph tell which vendor's app may do what for whom?

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says so by panicking")]

mod common;

use common::*;
use reqwest::Method;
use serde_json::{Value, json};

const VENDOR: &str = "aaaaaaaa-1111-4222-8333-000000000001";
const DATAVERSE: &str = "00000007-0000-0000-c000-000000000000";

fn vendor(more: &str) -> String {
    format!("    vendor_apps:\n      - {{ app_id: {VENDOR}, name: AvePoint{more} }}\n    environments:\n")
}

async fn with_vendor(more: &str) -> Visit {
    contoso_with(&[("    environments:\n", &vendor(more))]).await
}

async fn get(visit: &Visit, path: &str) -> Value {
    let got = visit.graph(Method::GET, path, None).await;
    assert_eq!(got.status, 200, "{path}: {}", got.text);
    got.json()
}

async fn id_of(visit: &Visit, app: &str) -> String {
    get(visit, &format!("/servicePrincipals(appId='{app}')?$select=id")).await["id"].as_str().unwrap().to_owned()
}

async fn grants(visit: &Visit, app: &str) -> Vec<Value> {
    let id = id_of(visit, app).await;
    get(visit, &format!("/oauth2PermissionGrants?$filter=clientId eq '{id}'")).await["value"]
        .as_array()
        .unwrap()
        .clone()
}

#[tokio::test]
async fn a_vendors_app_is_there_or_not() {
    let visit = with_vendor(", assignment_required: true").await;
    let path = format!(
        "/servicePrincipals(appId='{VENDOR}')?$select=id,appId,displayName,accountEnabled,appRoleAssignmentRequired,appOwnerOrganizationId"
    );
    let found = get(&visit, &path).await;
    assert_eq!((&found["accountEnabled"], &found["appRoleAssignmentRequired"]), (&json!(true), &json!(true)));
    assert_ne!(found["appOwnerOrganizationId"], TENANT);
    let id = found["id"].as_str().unwrap();
    assert_eq!(get(&visit, &format!("/servicePrincipals/{id}")).await["appId"], VENDOR);
    let listed = get(&visit, &format!("/servicePrincipals?$filter=appId eq '{VENDOR}'")).await;
    assert_eq!(listed["value"].as_array().unwrap().len(), 1);
    let got = visit.graph(Method::GET, "/servicePrincipals(appId='aaaaaaaa-1111-4222-8333-00000000ffff')", None).await;
    assert_eq!((got.status, got.code().as_str()), (404, "Request_ResourceNotFound"));

    visit.world.act("block-app", json!({ "app": "AvePoint" })).unwrap();
    assert_eq!(get(&visit, &path).await["accountEnabled"], false);
    visit.world.act("require-assignment", json!({ "app": "AvePoint", "required": false })).unwrap();
    assert_eq!(get(&visit, &path).await["appRoleAssignmentRequired"], false);
}

#[tokio::test]
async fn consent_is_for_all_or_for_one_and_at_one_resource() {
    let visit = with_vendor("").await;
    assert!(grants(&visit, VENDOR).await.is_empty());
    visit
        .world
        .act("consent", json!({ "app": "AvePoint", "scope": "User.Read offline_access", "user": ACCOUNT }))
        .unwrap();
    let rows = grants(&visit, VENDOR).await;
    assert_eq!((&rows[0]["consentType"], &rows[0]["principalId"]), (&json!("Principal"), &json!(ACCOUNT_ID)));
    visit
        .world
        .act("consent", json!({ "app": "AvePoint", "scope": "user_impersonation", "resource": "Dynamics CRM" }))
        .unwrap();
    let rows = grants(&visit, VENDOR).await;
    let all = rows.iter().find(|row| row["consentType"] == "AllPrincipals").unwrap();
    assert!(all["principalId"].is_null());
    assert_eq!(all["scope"], "user_impersonation");
    assert_eq!(all["resourceId"], id_of(&visit, DATAVERSE).await.as_str(), "the id it has in this tenant");

    visit.world.act("withdraw-consent", json!({ "app": "AvePoint" })).unwrap();
    assert_eq!(grants(&visit, VENDOR).await.len(), 1, "the user's own stays");
    visit.world.act("delete-user", json!({ "user": ACCOUNT })).unwrap();
    assert!(grants(&visit, VENDOR).await.is_empty());
}

#[tokio::test]
async fn consent_brings_a_new_app_in() {
    let visit = contoso().await;
    assert!(visit.world.act("consent", json!({ "app": "FluentPro", "scope": "User.Read" })).is_err());
    visit.world.act("consent", json!({ "app": VENDOR, "name": "FluentPro", "scope": "User.Read" })).unwrap();
    assert_eq!(grants(&visit, VENDOR).await.len(), 1);
    visit.world.act("remove-vendor-app", json!({ "app": "FluentPro" })).unwrap();
    let path = format!("/servicePrincipals(appId='{VENDOR}')");
    assert_eq!(visit.graph(Method::GET, &path, None).await.status, 404);
}

#[tokio::test]
async fn an_assignment_may_come_through_a_group() {
    let visit = contoso_with(&[
        ("    environments:\n", &vendor("")),
        (
            "    role_assignments:\n",
            "    groups:\n      - { name: Backup, members: [svc-backup@contoso.com] }\n    role_assignments:\n",
        ),
    ])
    .await;
    let rows = async || {
        get(&visit, &format!("/users/{ACCOUNT_ID}/appRoleAssignments")).await["value"].as_array().unwrap().clone()
    };
    assert!(rows().await.is_empty());
    visit.world.act("assign-to-app", json!({ "user": "Backup", "app": "AvePoint" })).unwrap();
    let found = rows().await;
    assert_eq!((&found[0]["principalType"], &found[0]["resourceDisplayName"]), (&json!("Group"), &json!("AvePoint")));
    visit.world.act("unassign-from-app", json!({ "user": "Backup", "app": "AvePoint" })).unwrap();
    visit.world.act("assign-to-app", json!({ "user": ACCOUNT, "app": "AvePoint" })).unwrap();
    assert_eq!(rows().await[0]["principalId"], ACCOUNT_ID);
}

#[tokio::test]
async fn grants_are_for_who_may_read_the_directory() {
    let visit = with_vendor("").await;
    visit.world.act("withdraw-permission", json!({ "app": "Backstay", "permission": "Directory.Read.All" })).unwrap();
    for path in ["/oauth2PermissionGrants".to_owned(), format!("/users/{ACCOUNT_ID}/appRoleAssignments")] {
        let got = visit.graph(Method::GET, &path, None).await;
        assert_eq!((got.status, got.code().as_str()), (403, "Authorization_RequestDenied"), "{path}");
    }
    let got = visit.graph(Method::GET, "/oauth2PermissionGrants?$filter=scope eq 'User.Read'", None).await;
    assert_eq!(got.status, 403, "permissions first");
    visit.world.act("grant-permission", json!({ "app": "Backstay", "permission": "Directory.Read.All" })).unwrap();
    let got = visit.graph(Method::GET, "/oauth2PermissionGrants?$filter=scope eq 'User.Read'", None).await;
    assert_eq!(got.code(), "Request_UnsupportedQuery");
}
