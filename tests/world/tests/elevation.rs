//! Do roles come and go by the clock, as PIM lets them?

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says so by panicking")]

mod common;

use common::*;
use reqwest::Method;
use serde_json::{Value, json};

const REQUESTS: &str = "/roleManagement/directory/roleAssignmentScheduleRequests";
const ROLES: &str = "    role_assignments:\n";
const GROUP_ID: &str = "7a000000-0000-4000-8000-000000000001";

fn for_two_hours(role: &str) -> Value {
    json!({
        "action": "adminAssign", "principalId": ACCOUNT_ID, "roleDefinitionId": role, "directoryScopeId": "/",
        "justification": "re-authentication", "scheduleInfo": { "expiration": { "type": "afterDuration", "duration": "PT2H" } },
    })
}

fn removal(role: &str) -> Value {
    json!({ "action": "adminRemove", "principalId": ACCOUNT_ID, "roleDefinitionId": role, "directoryScopeId": "/" })
}

async fn rows(visit: &Visit, set: &str, principal: &str) -> Vec<Value> {
    let path = format!("/roleManagement/directory/{set}?$filter=principalId eq '{principal}'");
    let got = visit.graph(Method::GET, &path, None).await;
    assert_eq!(got.status, 200, "{}", got.text);
    got.json()["value"].as_array().unwrap().clone()
}

async fn ask(visit: &Visit, body: Value) -> Got {
    visit.graph(Method::POST, REQUESTS, Some(body)).await
}

#[tokio::test]
async fn a_role_for_two_hours_ends_by_itself() {
    let visit = contoso().await;
    let got = ask(&visit, for_two_hours(POWER_PLATFORM_ADMINISTRATOR)).await;
    assert_eq!(got.status, 201, "{}", got.text);
    assert_eq!(got.json()["status"], "Provisioned");
    assert!(assignments_of(&visit, ACCOUNT_ID).await.contains(&POWER_PLATFORM_ADMINISTRATOR.to_owned()));
    let instances = rows(&visit, "roleAssignmentScheduleInstances", ACCOUNT_ID).await;
    assert_eq!(instances.len(), 3, "plain assignments are among them");
    let timed = instances.iter().find(|row| row["roleDefinitionId"] == POWER_PLATFORM_ADMINISTRATOR).unwrap();
    assert_eq!((&timed["assignmentType"], &timed["memberType"]), (&json!("Assigned"), &json!("Direct")));
    assert_eq!(timed["roleAssignmentScheduleId"], got.json()["targetScheduleId"]);
    assert!(timed["endDateTime"].is_string() && timed["startDateTime"].is_string());
    let plain = instances.iter().find(|row| row["roleDefinitionId"] == DYNAMICS_ADMINISTRATOR).unwrap();
    assert!(plain["endDateTime"].is_null());
    let schedules = rows(&visit, "roleAssignmentSchedules", ACCOUNT_ID).await;
    assert!(schedules.iter().any(|row| row["scheduleInfo"]["expiration"]["type"] == "afterDateTime"));

    visit.world.act("advance", json!({ "minutes": 119 })).unwrap();
    assert_eq!(assignments_of(&visit, ACCOUNT_ID).await.len(), 3);
    visit.world.act("advance", json!({ "minutes": 2 })).unwrap();
    assert_eq!(assignments_of(&visit, ACCOUNT_ID).await.len(), 2);
    assert_eq!(rows(&visit, "roleAssignmentScheduleInstances", ACCOUNT_ID).await.len(), 2);
}

#[tokio::test]
async fn the_end_of_a_role_shows_as_late_as_any_removal() {
    let visit = contoso().await;
    let mut body = for_two_hours(POWER_PLATFORM_ADMINISTRATOR);
    let end = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
    body["scheduleInfo"]["expiration"] = json!({ "type": "afterDateTime", "endDateTime": end.to_string() });
    assert_eq!(ask(&visit, body).await.status, 201);
    visit.world.act("set-switch", json!({ "name": "lag.graph_reads", "value": 1 })).unwrap();
    visit.world.act("advance", json!({ "hours": 1 })).unwrap();
    let mut seen = Vec::new();
    for _ in 0..2 {
        seen.push(assignments_of(&visit, ACCOUNT_ID).await.len());
    }
    assert_eq!(seen, [3, 2]);
}

#[tokio::test]
async fn a_role_can_begin_later() {
    let visit = contoso().await;
    let mut body = for_two_hours(POWER_PLATFORM_ADMINISTRATOR);
    let later = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
    body["scheduleInfo"]["startDateTime"] = later.to_string().into();
    assert_eq!(ask(&visit, body).await.json()["status"], "Granted");
    assert_eq!(assignments_of(&visit, ACCOUNT_ID).await.len(), 2);
    assert_eq!(rows(&visit, "roleAssignmentSchedules", ACCOUNT_ID).await.len(), 3);
    visit.world.act("advance", json!({ "hours": 2 })).unwrap();
    assert_eq!(assignments_of(&visit, ACCOUNT_ID).await.len(), 3);
    visit.world.act("advance", json!({ "hours": 2 })).unwrap();
    assert_eq!(assignments_of(&visit, ACCOUNT_ID).await.len(), 2);
}

#[tokio::test]
async fn what_pim_refuses_it_refuses_by_name() {
    let visit = contoso().await;
    let mut own = for_two_hours(POWER_PLATFORM_ADMINISTRATOR);
    own["action"] = "selfActivate".into();
    let mut unknown = for_two_hours(POWER_PLATFORM_ADMINISTRATOR);
    unknown["until"] = "tomorrow".into();
    let mut nested = for_two_hours(POWER_PLATFORM_ADMINISTRATOR);
    nested["scheduleInfo"]["expiration"]["until"] = "tomorrow".into();
    let mut odd = for_two_hours(POWER_PLATFORM_ADMINISTRATOR);
    odd["scheduleInfo"]["expiration"]["duration"] = "two hours".into();
    let cases = [
        (for_two_hours(DYNAMICS_ADMINISTRATOR), 400, "RoleAssignmentExists"),
        (removal(POWER_PLATFORM_ADMINISTRATOR), 400, "RoleAssignmentDoesNotExist"),
        (own, 403, "UnauthorizedAccess"),
        (unknown, 400, "Request_BadRequest"),
        (nested, 400, "Request_BadRequest"),
        (odd, 400, "BadRequest"),
    ];
    for (body, status, code) in cases {
        let got = ask(&visit, body).await;
        assert_eq!((got.status, got.code().as_str()), (status, code), "{}", got.text);
    }
    assert_eq!(assignments_of(&visit, ACCOUNT_ID).await.len(), 2, "nothing was given");

    assert_eq!(ask(&visit, for_two_hours(POWER_PLATFORM_ADMINISTRATOR)).await.status, 201);
    assert_eq!(ask(&visit, removal(POWER_PLATFORM_ADMINISTRATOR)).await.code(), "ActiveDurationTooShort");
    visit.world.act("advance", json!({ "minutes": 6 })).unwrap();
    let got = ask(&visit, removal(POWER_PLATFORM_ADMINISTRATOR)).await;
    assert_eq!((got.status, got.json()["status"].as_str().unwrap()), (201, "Revoked"));
    assert_eq!(assignments_of(&visit, ACCOUNT_ID).await.len(), 2);
}

#[tokio::test]
async fn a_dry_run_changes_nothing() {
    let visit = contoso().await;
    let mut body = for_two_hours(POWER_PLATFORM_ADMINISTRATOR);
    body["isValidationOnly"] = true.into();
    assert_eq!(ask(&visit, body).await.status, 201);
    assert_eq!(assignments_of(&visit, ACCOUNT_ID).await.len(), 2);
}

#[tokio::test]
async fn the_policy_of_a_role_names_the_rule_that_is_broken() {
    let visit = contoso_switched("{ pim_mfa_of_apps: refused }").await;
    let policy = async |policy: Value| {
        let mut words = json!({ "role": "Power Platform Administrator" });
        words.as_object_mut().unwrap().extend(policy.as_object().unwrap().clone());
        visit.world.act("set-role-policy", words).unwrap();
        let mut body = for_two_hours(POWER_PLATFORM_ADMINISTRATOR);
        body["justification"] = Value::Null;
        ask(&visit, body).await
    };
    for (rule, name) in [
        (json!({ "max_duration": "PT1H" }), "ExpirationRule"),
        (json!({ "justification": true }), "JustificationRule"),
        (json!({ "mfa": true }), "MfaRule"),
        (json!({ "ticket": true }), "TicketingRule"),
    ] {
        let got = policy(rule).await;
        assert_eq!((got.status, got.code().as_str()), (400, "RoleAssignmentRequestPolicyValidationFailed"));
        assert!(got.text.contains(name), "{}", got.text);
    }
    let mut forever = for_two_hours(POWER_PLATFORM_ADMINISTRATOR);
    forever["scheduleInfo"] = json!({ "expiration": { "type": "noExpiration" } });
    policy(json!({ "max_duration": "PT8H", "mfa": true })).await;
    assert!(ask(&visit, forever).await.text.contains("ExpirationRule"));
    visit.world.act("set-switch", json!({ "name": "pim_mfa_of_apps", "value": "ignored" })).unwrap();
    assert_eq!(ask(&visit, for_two_hours(POWER_PLATFORM_ADMINISTRATOR)).await.status, 201);
}

#[tokio::test]
async fn what_needs_approval_waits_for_a_person() {
    let visit = contoso_with(&[(
        ROLES,
        &format!("    role_policies:\n      - {{ role: Power Platform Administrator, approval: true }}\n{ROLES}"),
    )])
    .await;
    let got = ask(&visit, for_two_hours(POWER_PLATFORM_ADMINISTRATOR)).await;
    assert_eq!((got.status, got.json()["status"].as_str().unwrap()), (201, "PendingApproval"));
    assert_eq!(ask(&visit, for_two_hours(POWER_PLATFORM_ADMINISTRATOR)).await.code(), "PendingRoleAssignmentRequest");
    assert_eq!(assignments_of(&visit, ACCOUNT_ID).await.len(), 2);
    let words = json!({ "user": ACCOUNT, "role": "Power Platform Administrator" });
    visit.world.act("approve-role-request", words.clone()).unwrap();
    assert_eq!(assignments_of(&visit, ACCOUNT_ID).await.len(), 3);
    assert!(visit.world.act("deny-role-request", words).is_err());
}

#[tokio::test]
async fn an_eligible_role_is_not_active_until_its_holder_activates_it() {
    let visit = contoso_with(&[(ROLES, &format!("    eligible_roles:\n      - {{ principal: svc-backup@contoso.com, role: Power Platform Administrator }}\n{ROLES}"))]).await;
    for set in ["roleEligibilityScheduleInstances", "roleEligibilitySchedules"] {
        let found = rows(&visit, set, ACCOUNT_ID).await;
        assert_eq!(found.len(), 1);
        assert_eq!(found[0]["roleDefinitionId"], POWER_PLATFORM_ADMINISTRATOR);
    }
    assert_eq!(rows(&visit, "roleAssignmentScheduleInstances", ACCOUNT_ID).await.len(), 2);
    assert!(
        visit
            .world
            .act("activate-role", json!({ "user": "jane@contoso.com", "role": "Power Platform Administrator" }))
            .is_err()
    );
    visit
        .world
        .act("activate-role", json!({ "user": ACCOUNT, "role": "Power Platform Administrator", "hours": 1 }))
        .unwrap();
    let found = rows(&visit, "roleAssignmentScheduleInstances", ACCOUNT_ID).await;
    assert!(found.iter().any(|row| row["assignmentType"] == "Activated"));
    visit.world.act("advance", json!({ "hours": 1 })).unwrap();
    assert_eq!(rows(&visit, "roleAssignmentScheduleInstances", ACCOUNT_ID).await.len(), 2);
    assert_eq!(rows(&visit, "roleEligibilitySchedules", ACCOUNT_ID).await.len(), 1, "eligible still");
}

#[tokio::test]
async fn what_a_group_holds_shows_under_its_members_only_if_switched_on() {
    let group = format!(
        "    groups:\n      - {{ id: {GROUP_ID}, name: Admins, role_assignable: true, members: [svc-backup@contoso.com] }}\n    eligible_roles:\n      - {{ principal: Admins, role: Global Reader }}\n{ROLES}      - {{ principal: Admins, role: Power Platform Administrator }}\n"
    );
    let visit = contoso_with(&[(ROLES, &group)]).await;
    assert_eq!(rows(&visit, "roleEligibilityScheduleInstances", ACCOUNT_ID).await.len(), 0);
    assert_eq!(rows(&visit, "roleEligibilityScheduleInstances", GROUP_ID).await[0]["memberType"], "Direct");
    visit.world.act("set-switch", json!({ "name": "group_schedules", "value": "of_members" })).unwrap();
    assert_eq!(rows(&visit, "roleEligibilityScheduleInstances", ACCOUNT_ID).await[0]["memberType"], "Group");
    let active = rows(&visit, "roleAssignmentScheduleInstances", ACCOUNT_ID).await;
    assert_eq!(active.iter().filter(|row| row["memberType"] == "Group").count(), 1);
}

#[tokio::test]
async fn without_p2_there_is_no_pim() {
    let visit = contoso_with(&[(ROLES, &format!("    premium_p2: false\n{ROLES}"))]).await;
    let got = visit.graph(Method::GET, "/roleManagement/directory/roleEligibilitySchedules", None).await;
    assert_eq!((got.status, got.code().as_str()), (400, "AadPremiumLicenseRequired"));
    assert_eq!(ask(&visit, for_two_hours(POWER_PLATFORM_ADMINISTRATOR)).await.code(), "AadPremiumLicenseRequired");
    visit.world.act("set-premium", json!({ "p2": true })).unwrap();
    assert_eq!(ask(&visit, for_two_hours(POWER_PLATFORM_ADMINISTRATOR)).await.status, 201);
}

#[tokio::test]
async fn who_may_only_end_roles_gives_none() {
    let visit = contoso_with(&[(
        "          - RoleManagement.ReadWrite.Directory\n",
        "          - RoleAssignmentSchedule.Remove.Directory\n",
    )])
    .await;
    assert_eq!(ask(&visit, for_two_hours(POWER_PLATFORM_ADMINISTRATOR)).await.code(), "Authorization_RequestDenied");
    assert_eq!(ask(&visit, removal(DYNAMICS_ADMINISTRATOR)).await.status, 201);
    visit
        .world
        .act(
            "withdraw-permission",
            json!({ "app": "Backstay", "permission": "RoleAssignmentSchedule.Remove.Directory" }),
        )
        .unwrap();
    assert_eq!(ask(&visit, removal(DYNAMICS_ADMINISTRATOR)).await.status, 403);
}

#[tokio::test]
async fn who_elevated_themselves_by_pim_falls_with_it() {
    let visit = contoso_with(&[
        ("      - { principal: svc-backup@contoso.com, role: Global Administrator }\n", ""),
        ("      - { principal: svc-backup@contoso.com, role: Dynamics 365 Administrator }\n", ""),
    ])
    .await;
    visit.enroll(SERVICE).await;
    let elevate =
        |user: &str| visit.world.act("self-elevate", json!({ "environment": "Contoso Service", "user": user }));
    assert!(elevate(ACCOUNT).is_err(), "no administrator yet");
    assert_eq!(ask(&visit, for_two_hours(POWER_PLATFORM_ADMINISTRATOR)).await.status, 201);
    elevate(ACCOUNT).unwrap();
    elevate("breakglass@contoso.onmicrosoft.com").unwrap();
    let administrators = async || {
        let path = "systemusers?$select=fullname&$expand=systemuserroles_association($select=name)";
        let got = visit.dataverse(Method::GET, SERVICE_HOST, path, None).await.json();
        let rows = got["value"].as_array().unwrap().clone();
        rows.iter()
            .filter(|row| row["systemuserroles_association"].to_string().contains("System Administrator"))
            .count()
    };
    assert_eq!(administrators().await, 3);
    visit.world.act("advance", json!({ "hours": 2 })).unwrap();
    assert_eq!(administrators().await, 2, "only what came from PIM is gone");
}
