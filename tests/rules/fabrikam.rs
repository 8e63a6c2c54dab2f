//! A tenant where next to everything is wrong: each thing is found, and named so that a person can mend it.

use serde_json::{Value, json};

use crate::harness::calls::of_a_step;
use crate::{ACCOUNT, AVE_POINT, FLUENT_PRO, environments, fabrikam, judged, policy, until_found};

/// Finding, result, a piece of its sentence.
type Row = (&'static str, &'static str, &'static str);

const OF_USER: &[Row] = &[
    ("keepitPowerPlatform/account-usable", "Pass", "can sign in"),
    // Nobody is being connected.
    ("keepitPowerPlatform/global-administrator", "NotApplicable", "only while a Connector"),
    ("keepitPowerPlatform/dynamics-365-administrator", "Warn", "only through the group Dynamics Administrators"),
    ("keepitPowerPlatform/power-platform-administrator", "Fail", "does not hold Power Platform Administrator"),
    // The older page wants it to stay: required beats absent.
    ("keepitPowerPlatform/no-global-administrator", "NotApplicable", "still needed"),
    ("keepitPowerPlatform/dynamics-365-license", "Fail", "is switched off"),
    ("keepitPowerPlatform/power-pages-license", "Fail", "Neither the account nor the tenant"),
    ("keepitPowerPlatform/power-automate-license", "Fail", "Power Automate per user plan, which is not one"),
    ("keepitPowerPlatform/environment-member", "Fail", "not a direct member of the environment's security group"),
    ("keepitPowerPlatform/system-administrator", "Fail", "not System Administrator"),
    ("keepitPowerPlatform/read-write", "Fail", "access mode is Administrative"),
    ("keepitPowerPlatform/password-kept", "NotApplicable", "No Connector says"),
    ("keepitDynamicsCE/global-administrator", "Fail", "only eligible"),
    ("fluentProDataverse/table-privileges", "Fail", "contact"),
    ("fluentProDataverse/access-mode", "Fail", "Administrative"),
    ("fluentProDataverse/consent", "Fail", "only for users who are assigned"),
    ("avePointServiceAccount/administrator", "Warn", "only through the group"),
    ("avePointServiceAccount/project-license", "Fail", "no Microsoft Project license"),
    ("avePointServiceAccount/no-mfa", "Fail", "MFA for administrators"),
    ("custom/ave-point-consent", "Fail", "is blocked"),
    ("custom/no-dynamics-administrator", "NotApplicable", "still needed"),
];

fn profiles() -> Value {
    json!({
        "keepitPowerPlatform": { "workloads": ["Dynamics365", "PowerPages", "PowerAutomate"] },
        "keepitDynamicsCE": {},
        "fluentProDataverse": { "clientID": FLUENT_PRO, "tables": ["account", "contact", "opportunity"], "includeRelatedTables": false },
        "avePointServiceAccount": { "projectForTheWeb": true },
        "custom": { "rules": [
            { "id": "ave-point-consent", "check": { "consent": {
                "clientID": AVE_POINT, "permissions": [{ "resource": "MicrosoftGraph", "scope": "User.Read" }],
            } } },
            { "id": "no-dynamics-administrator", "check": { "noDirectoryRole": { "role": "Dynamics365Administrator" } } },
        ] },
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_is_wrong_is_found_and_named() {
    let scene = fabrikam().await;
    // Sales, Finance, and one that is in administration mode.
    scene.apply_yaml(&policy(&profiles(), &json!({ "environments": environments(&[1, 2, 4]) }))).await;
    let _operator = scene.operator_with("[]", &[]).await;
    let found = judged(&scene).await;
    for (id, result, piece) in OF_USER {
        let (is, message) = &found[*id];
        assert_eq!(is, result, "{id}: {message}");
        assert!(message.contains(piece), "{id}: {message}");
    }
    // What fails says what mends it.
    let policy = scene.get("ServiceAccountPolicy", crate::NAME).await;
    for finding in policy["status"]["findings"].as_array().unwrap() {
        let silent = ["Pass", "NotApplicable"].contains(&finding["result"].as_str().unwrap());
        assert!(silent || finding["remedy"].as_str().is_some_and(|remedy| remedy.len() > 20), "{finding}");
    }
    assert_eq!(scene.written(), Vec::<String>::new());
    // All of it takes every read that the operator has.
    assert_eq!(scene.unasked(|row| !of_a_step(row)), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_mends_is_seen_to_be_mended() {
    let scene = fabrikam().await;
    scene.apply_yaml(&policy(&profiles(), &json!({ "environments": environments(&[1]) }))).await;
    let _operator = scene.operator_with("[]", &[]).await;
    judged(&scene).await;
    let act = |action: &str, words: Value| {
        scene.world.act(action, words).unwrap();
    };
    act(
        "change-license",
        json!({ "user": ACCOUNT, "sku": "DYN365_ENTERPRISE_SALES", "plan_on": "2da8e897-7791-486b-b08f-cc63c8129df7" }),
    );
    act("grant-directory-role", json!({ "user": ACCOUNT, "role": "Power Platform Administrator" }));
    act("activate-role", json!({ "user": ACCOUNT, "role": "Global Administrator", "hours": 8 }));
    act("assign-to-app", json!({ "user": ACCOUNT, "app": "FluentPro" }));
    act("unblock-app", json!({ "app": "AvePoint" }));
    act(
        "grant-security-role",
        json!({ "environment": "Fabrikam Sales", "user": ACCOUNT, "role": "System Administrator" }),
    );
    act("set-access-mode", json!({ "environment": "Fabrikam Sales", "user": ACCOUNT, "mode": 4 }));
    for (id, result, piece) in [
        ("keepitPowerPlatform/dynamics-365-license", "Pass", "Dynamics 365 for Sales Enterprise"),
        ("keepitPowerPlatform/power-platform-administrator", "Pass", "holds"),
        // For a sign-in it is enough to hold it for a time; for good it is not.
        ("keepitDynamicsCE/global-administrator", "Warn", "for a time only"),
        // Required by one profile: its absence is nobody's demand.
        ("keepitPowerPlatform/no-global-administrator", "NotApplicable", "still needed"),
        ("fluentProDataverse/table-privileges", "Pass", "1 of 1"),
        ("fluentProDataverse/access-mode", "Pass", "1 of 1"),
        ("keepitPowerPlatform/read-write", "Fail", "Non-interactive"),
        ("fluentProDataverse/consent", "Fail", "Only the account itself consented"),
        ("custom/ave-point-consent", "Pass", "An administrator consented"),
    ] {
        until_found(&scene, id, result, piece).await;
    }
    act("consent", json!({ "app": "FluentPro", "scope": "User.Read offline_access" }));
    act("consent", json!({ "app": "FluentPro", "scope": "user_impersonation", "resource": "Dataverse" }));
    until_found(&scene, "fluentProDataverse/consent", "Pass", "An administrator consented").await;
    act("set-access-policy", json!({ "policy": "MFA for administrators", "state": "disabled" }));
    // Who is Global Administrator, if only for a time, is always asked by security defaults.
    until_found(&scene, "avePointServiceAccount/no-mfa", "Fail", "Security defaults").await;
    act("set-security-defaults", json!({ "enabled": false }));
    until_found(&scene, "avePointServiceAccount/no-mfa", "Pass", "Nothing that can be configured").await;
    act("set-user-mfa", json!({ "user": ACCOUNT, "mfa": "enforced" }));
    until_found(&scene, "avePointServiceAccount/no-mfa", "Fail", "Per-user MFA").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_is_judged_by_its_consent_and_as_an_application_user() {
    let scene = fabrikam().await;
    let account = json!({ "application": { "clientID": AVE_POINT } });
    let profiles = json!({ "avePointAppProfile": { "kind": "Custom" } });
    scene.apply_yaml(&policy(&profiles, &json!({ "account": account, "environments": environments(&[1]) }))).await;
    let _operator = scene.operator_with("[]", &[]).await;
    let found = judged(&scene).await;
    assert_eq!(found["avePointAppProfile/consent"].0, "Fail", "{found:?}");
    assert!(found["avePointAppProfile/consent"].1.contains("blocked"), "{found:?}");
    assert_eq!(found["avePointAppProfile/application-user"].0, "Fail", "{found:?}");
    assert_eq!(found["avePointAppProfile/system-administrator"].0, "NotApplicable", "{found:?}");

    scene.world.act("unblock-app", json!({ "app": "AvePoint" })).unwrap();
    let words = json!({ "environment": "Fabrikam Sales", "app": AVE_POINT, "role": "System Administrator" });
    scene.world.act("add-application-user", words).unwrap();
    for name in ["consent", "application-user", "system-administrator"] {
        until_found(&scene, &format!("avePointAppProfile/{name}"), "Pass", "").await;
    }
    // A row that was deleted lies there still, and keeps a new one out.
    let words = json!({ "environment": "Fabrikam Sales", "app": AVE_POINT });
    scene.world.act("delete-application-user", words).unwrap();
    until_found(&scene, "avePointAppProfile/application-user", "Fail", "deleted but not gone").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn environments_that_nobody_can_be_added_to_or_that_rest_are_said_and_not_failed() {
    let scene = fabrikam().await;
    for environment in ["Fabrikam Huddle", "Dev Eloper's Environment"] {
        let words = json!({ "environment": environment, "app": crate::APP, "role": "System Administrator" });
        scene.world.act("add-application-user", words).unwrap();
    }
    let profiles = json!({ "custom": { "rules": [{ "id": "member", "check": { "environmentMember": {} } }] } });
    scene.apply_yaml(&policy(&profiles, &json!({ "environments": environments(&[1, 4, 5, 6]) }))).await;
    let _operator = scene.operator_with("[]", &[]).await;
    let found = judged(&scene).await;
    let (result, message) = &found["custom/member"];
    assert_eq!(result, "Pass", "{message}");
    for piece in ["Holds in 1 of 4", "Fabrikam Restored", "Fabrikam Huddle", "Developer environment"] {
        assert!(message.contains(piece), "{piece} is not in {message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn environments_without_dataverse_or_that_rest_are_counted_and_named() {
    let scene = fabrikam().await;
    let profiles = json!({ "custom": { "rules": [{ "id": "member", "check": { "environmentMember": {} } }] } });
    scene.apply_yaml(&policy(&profiles, &json!({}))).await;
    let _operator = scene.operator_with("[]", &[]).await;
    judged(&scene).await;
    let seen = scene.get("ServiceAccountPolicy", crate::NAME).await["status"]["environments"].clone();
    let one = |name: &str| json!({ "count": 1, "sample": [name] });
    let expected = json!({
        "selected": 6, "withoutDataverse": one("Fabrikam Flows"), "notRunning": one("Fabrikam Restored"),
    });
    assert_eq!(seen, expected);
}
