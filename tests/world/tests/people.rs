//! What does Graph tell about a person's licences, password, sign-ins and second factor?

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says so by panicking")]

mod common;

use common::*;
use reqwest::Method;
use serde_json::{Value, json};

const SALES_SKU: &str = "1e1a282c-9c54-43a2-9310-98ef728faace";
const SALES_PLAN: &str = "2da8e897-7791-486b-b08f-cc63c8129df7";
const GROUP_ID: &str = "7a000000-0000-4000-8000-000000000002";

async fn account(visit: &Visit, fields: &str) -> Value {
    let got = visit.graph(Method::GET, &format!("/users/{ACCOUNT_ID}?$select={fields}"), None).await;
    assert_eq!(got.status, 200, "{}", got.text);
    got.json()
}

#[tokio::test]
async fn a_licence_says_who_assigned_it_and_whether_that_worked() {
    let visit = contoso_with(&[
        (
            "          - sku: DYN365_ENTERPRISE_SALES\n",
            "          - { sku: DYN365_ENTERPRISE_SALES, by_group: Licensed, state: ActiveWithError, error: DependencyViolation }\n",
        ),
        ("    role_assignments:\n", &format!("    groups:\n      - {{ id: {GROUP_ID}, name: Licensed, members: [svc-backup@contoso.com] }}\n    role_assignments:\n")),
    ])
    .await;
    let found = account(
        &visit,
        "licenseAssignmentStates,usageLocation,passwordPolicies,lastPasswordChangeDateTime,onPremisesSyncEnabled",
    )
    .await;
    let states = found["licenseAssignmentStates"].as_array().unwrap();
    let of = |sku: &str| states.iter().find(|row| row["skuId"] == sku).unwrap();
    assert_eq!(
        (&of(SALES_SKU)["assignedByGroup"], &of(SALES_SKU)["state"], &of(SALES_SKU)["error"]),
        (&json!(GROUP_ID), &json!("ActiveWithError"), &json!("DependencyViolation"))
    );
    let direct = of("eda1941c-3c4f-4995-b5eb-e85a42175ab9");
    assert_eq!(
        (&direct["assignedByGroup"], &direct["state"], &direct["error"]),
        (&Value::Null, &json!("Active"), &json!("None"))
    );
    assert_eq!(
        (&found["usageLocation"], &found["passwordPolicies"]),
        (&json!("DK"), &json!("DisablePasswordExpiration"))
    );
    assert!(found["lastPasswordChangeDateTime"].is_string() && found["onPremisesSyncEnabled"].is_null());
    let refused = visit.world.act("remove-license", json!({ "user": ACCOUNT, "sku": "DYN365_ENTERPRISE_SALES" }));
    assert!(refused.unwrap_err().to_string().contains("group"));

    // A failed assignment stands among the states and nowhere else.
    visit
        .world
        .act(
            "change-license",
            json!({ "user": ACCOUNT, "sku": "DYN365_ENTERPRISE_SALES", "state": "Error", "error": "CountViolation" }),
        )
        .unwrap();
    let found = account(&visit, "licenseAssignmentStates,assignedLicenses,assignedPlans").await;
    assert_eq!(found["licenseAssignmentStates"].as_array().unwrap().len(), 2);
    assert_eq!(found["assignedLicenses"].as_array().unwrap().len(), 1);
    assert!(!found["assignedPlans"].to_string().contains(SALES_PLAN));
    let details = visit.graph(Method::GET, &format!("/users/{ACCOUNT}/licenseDetails"), None).await.json();
    assert_eq!(details["value"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_plan_can_be_off_and_a_subscription_lapse() {
    let visit = contoso().await;
    let change = |words: Value| {
        let mut all = json!({ "user": ACCOUNT, "sku": "DYN365_ENTERPRISE_SALES" });
        all.as_object_mut().unwrap().extend(words.as_object().unwrap().clone());
        visit.world.act("change-license", all)
    };
    change(json!({ "plan_off": "DYN365_ENTERPRISE_SALES" })).unwrap();
    let found = account(&visit, "assignedLicenses,licenseAssignmentStates").await;
    assert!(found["assignedLicenses"].to_string().contains(SALES_PLAN));
    assert!(found["licenseAssignmentStates"].to_string().contains(SALES_PLAN));
    change(json!({ "plan_on": "DYN365_ENTERPRISE_SALES" })).unwrap();
    assert!(!account(&visit, "assignedLicenses").await.to_string().contains(SALES_PLAN));
    for status in ["Suspended", "LockedOut"] {
        change(json!({ "status": status })).unwrap();
        let plans = account(&visit, "assignedPlans").await;
        let plan = plans["assignedPlans"]
            .as_array()
            .unwrap()
            .iter()
            .find(|row| row["servicePlanId"] == SALES_PLAN)
            .unwrap()
            .clone();
        assert_eq!(plan["capabilityStatus"], status);
    }
    assert!(change(json!({ "plan_off": "NOPE" })).is_err());
    assert!(change(json!({ "state": "Perfect" })).is_err());
}

#[tokio::test]
async fn sign_ins_show_only_to_who_may_read_the_log_and_has_premium() {
    let visit = contoso().await;
    let path = format!("/users/{ACCOUNT_ID}?$select=id,signInActivity");
    assert_eq!(visit.graph(Method::GET, &path, None).await.code(), "Authorization_RequestDenied");
    visit.world.act("grant-permission", json!({ "app": "Backstay", "permission": "AuditLog.Read.All" })).unwrap();
    visit.world.act("sign-in", json!({ "user": ACCOUNT, "failed": true })).unwrap();
    let activity = visit.graph(Method::GET, &path, None).await.json()["signInActivity"].clone();
    assert!(activity["lastSignInDateTime"].is_string() && activity["lastSuccessfulSignInDateTime"].is_null());
    visit.world.act("sign-in", json!({ "user": ACCOUNT, "interactive": false })).unwrap();
    let activity = visit.graph(Method::GET, &path, None).await.json()["signInActivity"].clone();
    assert!(
        activity["lastNonInteractiveSignInDateTime"].is_string()
            && activity["lastSuccessfulSignInDateTime"].is_string()
    );
    visit.world.act("set-premium", json!({ "p1": false, "p2": false })).unwrap();
    let got = visit.graph(Method::GET, &path, None).await;
    assert_eq!((got.status, got.code().as_str()), (403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant"));
}

#[tokio::test]
async fn a_fresh_user_is_not_found_at_once() {
    let visit = contoso_switched("{ lag: { fresh_principal_reads: 2 } }").await;
    visit.world.act("add-user", json!({ "user": "new@contoso.com" })).unwrap();
    let mut seen = Vec::new();
    for path in ["/users/new@contoso.com", "/users/new@contoso.com/licenseDetails", "/users/new@contoso.com"] {
        seen.push(visit.graph(Method::GET, path, None).await.status);
    }
    assert_eq!(seen, [404, 404, 200]);
    assert_eq!(visit.graph(Method::GET, &format!("/users/{ACCOUNT}"), None).await.status, 200);
}
