//! Does Graph tell what asks an account for a second factor?

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says so by panicking")]

mod common;

use common::*;
use reqwest::Method;
use serde_json::json;

const PERMISSIONS: (&str, &str) = (
    "          - Directory.Read.All\n",
    "          - Directory.Read.All\n          - Policy.Read.All\n          - AuditLog.Read.All\n",
);

async fn beta(visit: &Visit, path: &str) -> Got {
    let token = visit.token(GRAPH).await;
    visit.call(Method::GET, &format!("{GRAPH}/beta{path}"), &token, None).await
}

#[tokio::test]
async fn per_user_mfa_is_in_beta_only() {
    let visit = contoso_with(&[PERMISSIONS]).await;
    let path = format!("/users/{ACCOUNT_ID}/authentication/requirements");
    assert_eq!(beta(&visit, &path).await.json()["perUserMfaState"], "disabled");
    visit.world.act("set-user-mfa", json!({ "user": ACCOUNT, "mfa": "enforced" })).unwrap();
    assert_eq!(beta(&visit, &path).await.json()["perUserMfaState"], "enforced");
    assert!(visit.world.act("set-user-mfa", json!({ "user": ACCOUNT, "mfa": "always" })).is_err());

    assert_eq!(visit.graph(Method::GET, &path, None).await.status, 404, "not in v1.0");
    assert_eq!(beta(&visit, &format!("/users/{ACCOUNT_ID}")).await.status, 404, "the rest of beta is not here");
    let batch = json!({ "requests": [{ "id": "1", "method": "GET", "url": path }] });
    let got = visit.graph(Method::POST, "/$batch", Some(batch)).await.json();
    assert_eq!(got["responses"][0]["status"], 404);
    visit.world.act("withdraw-permission", json!({ "app": "Backstay", "permission": "Policy.Read.All" })).unwrap();
    assert_eq!(beta(&visit, &path).await.code(), "Authorization_RequestDenied");
}

#[tokio::test]
async fn security_defaults_are_on_or_off() {
    let visit = contoso_with(&[PERMISSIONS]).await;
    let path = "/policies/identitySecurityDefaultsEnforcementPolicy";
    assert_eq!(visit.graph(Method::GET, path, None).await.json()["isEnabled"], false);
    visit.world.act("set-security-defaults", json!({ "enabled": true })).unwrap();
    assert_eq!(visit.graph(Method::GET, path, None).await.json()["isEnabled"], true);
}

#[tokio::test]
async fn an_access_policy_says_whom_and_what_it_is_for() {
    let policies = "    conditional_access:\n      - { name: Admins, include_roles: [Global Administrator], exclude_users: [jane@contoso.com], include_applications: [Dataverse], controls: [mfa] }\n      - { name: Strong, state: enabledForReportingButNotEnforced, include_users: [All], include_applications: [All], strength: Phishing-resistant MFA }\n    role_assignments:\n";
    let visit = contoso_with(&[PERMISSIONS, ("    role_assignments:\n", policies)]).await;
    let found = visit.graph(Method::GET, "/identity/conditionalAccess/policies", None).await.json();
    let rows = found["value"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0]["conditions"]["users"]["includeRoles"], json!([GLOBAL_ADMINISTRATOR]));
    assert_eq!(rows[0]["conditions"]["users"]["excludeUsers"], json!(["5e4d3c2b-1a09-4f8e-8d7c-6b5a49382716"]));
    assert_eq!(
        rows[0]["conditions"]["applications"]["includeApplications"],
        json!(["00000007-0000-0000-c000-000000000000"])
    );
    assert_eq!((&rows[0]["state"], &rows[0]["grantControls"]["builtInControls"]), (&json!("enabled"), &json!(["mfa"])));
    assert!(rows[0]["grantControls"]["authenticationStrength"].is_null());
    assert_eq!(rows[1]["grantControls"]["authenticationStrength"]["displayName"], "Phishing-resistant MFA");
    assert_eq!(rows[1]["conditions"]["users"]["includeUsers"], json!(["All"]));
    visit.world.act("set-access-policy", json!({ "policy": "Admins", "state": "disabled" })).unwrap();
    visit.world.act("advance", json!({ "seconds": 2 })).unwrap();
    let path = "/identity/conditionalAccess/policies?$filter=state eq 'enabled'";
    assert!(visit.graph(Method::GET, path, None).await.json()["value"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn registration_is_told_to_premium_tenants_only() {
    let visit = contoso_with(&[PERMISSIONS]).await;
    let path = format!("/reports/authenticationMethods/userRegistrationDetails/{ACCOUNT_ID}");
    let found = visit.graph(Method::GET, &path, None).await.json();
    assert_eq!((&found["isMfaRegistered"], &found["isAdmin"]), (&json!(false), &json!(true)));
    visit.world.act("register-mfa", json!({ "user": ACCOUNT, "method": "microsoftAuthenticatorPush" })).unwrap();
    let found = visit.graph(Method::GET, &path, None).await.json();
    assert_eq!(
        (&found["isMfaRegistered"], &found["methodsRegistered"]),
        (&json!(true), &json!(["microsoftAuthenticatorPush"]))
    );
    visit.world.act("set-premium", json!({ "p1": false, "p2": false })).unwrap();
    let got = visit.graph(Method::GET, &path, None).await;
    assert_eq!((got.status, got.code().as_str()), (403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant"));
}
