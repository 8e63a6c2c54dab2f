//! What a policy can't ask for: each wrong field of a profile, a waiver or a license is one sentence with its path.

use serde_json::{Value, json};

use crate::harness::Scene;

/// A policy with this in its spec.
fn policy(change: &Value) -> String {
    let mut policy = json!({
        "apiVersion": "backstay.dev/v1alpha1",
        "kind": "ServiceAccountPolicy",
        "metadata": { "name": "asked" },
        "spec": {
            "tenant": { "id": "contoso.com" },
            "credential": { "clientSecret": {
                "clientID": "c0ffee00-1111-4222-8333-444455556666", "secretRef": { "name": "entra", "key": "client-secret" },
            } },
            "account": { "user": { "principalName": "svc-backup@contoso.com" } },
            "profiles": { "keepitDynamicsCE": {} },
        },
    });
    for (key, value) in change.as_object().unwrap() {
        policy["spec"][key] = value.clone();
    }
    policy.to_string()
}

fn profiles(profiles: &Value) -> Value {
    json!({ "profiles": profiles })
}

fn custom(check: &Value) -> Value {
    profiles(&json!({ "custom": { "rules": [{ "id": "mine", "check": check }] } }))
}

#[allow(clippy::too_many_lines)] // a table
fn refused() -> Vec<(Value, &'static [&'static str])> {
    let app = "c0ffee00-1111-4222-8333-444455556666";
    let application = json!({ "application": { "clientID": app } });
    vec![
        (profiles(&json!({})), &["spec.profiles", "at least one profile"]),
        (
            profiles(&json!({ "keepitDynamicsCE": { "workloads": ["Dynamics365"] } })),
            &["spec.profiles.keepitDynamicsCE", "at most 0"],
        ),
        (profiles(&json!({ "fluentProDataverse": {} })), &["spec.profiles.fluentProDataverse", "clientID"]),
        (
            profiles(&json!({ "fluentProDataverse": { "clientID": "fluentpro" } })),
            &["spec.profiles.fluentProDataverse.clientID"],
        ),
        (
            profiles(&json!({ "fluentProDataverse": { "clientID": app, "operations": [] } })),
            &["spec.profiles.fluentProDataverse.operations", "at least 1"],
        ),
        (
            profiles(&json!({ "fluentProDataverse": { "clientID": app, "operations": ["Archive"] } })),
            &["spec.profiles.fluentProDataverse.operations", "Archive", "Restore"],
        ),
        (
            profiles(&json!({ "fluentProDataverse": { "clientID": app, "tables": ["Account Table"] } })),
            &["spec.profiles.fluentProDataverse.tables"],
        ),
        (
            profiles(&json!({ "avePointServiceAccount": { "projectForTheWeb": "yes" } })),
            &["spec.profiles.avePointServiceAccount.projectForTheWeb"],
        ),
        // An app has a profile of its own, and no other.
        (profiles(&json!({ "avePointAppProfile": { "kind": "Modern" } })), &["account.application"]),
        (json!({ "account": application }), &["profiles.avePointAppProfile", "account.application"]),
        (
            json!({
                "account": application,
                "profiles": { "avePointAppProfile": { "kind": "Modern" }, "keepitDynamicsCE": {} },
            }),
            &["with account.application only profiles.avePointAppProfile"],
        ),
        (
            json!({ "account": application, "profiles": { "avePointAppProfile": { "kind": "Legacy" } } }),
            &["spec.profiles.avePointAppProfile.kind", "Legacy", "Modern"],
        ),
        (
            json!({ "account": { "user": { "principalName": "a@b.c" }, "application": { "clientID": app } } }),
            &["spec.account"],
        ),
        // Rules of one's own.
        (profiles(&json!({ "custom": { "rules": [] } })), &["spec.profiles"]),
        (custom(&json!({ "noMfa": { "except": "admins" } })), &["check.noMfa", "at most 0"]),
        (
            profiles(&json!({ "custom": { "rules": [
                { "id": "twice", "check": { "noMfa": {} } }, { "id": "twice", "check": { "accountUsable": {} } },
            ] } })),
            &["twice"],
        ),
        (
            profiles(&json!({ "custom": { "rules": [{ "id": "Mine", "check": { "noMfa": {} } }] } })),
            &["spec.profiles.custom.rules[0].id"],
        ),
        (custom(&json!({})), &["spec.profiles.custom.rules[0].check"]),
        (custom(&json!({ "noMfa": {}, "accountUsable": {} })), &["spec.profiles.custom.rules[0].check"]),
        (custom(&json!({ "everything": {} })), &["everything"]),
        (custom(&json!({ "directoryRole": { "anyOf": [] } })), &["check.directoryRole.anyOf", "at least 1"]),
        (
            custom(&json!({ "directoryRole": { "anyOf": ["UserAdministrator"] } })),
            &["check.directoryRole.anyOf", "UserAdministrator", "Dynamics365Administrator"],
        ),
        (custom(&json!({ "license": { "family": "Office" } })), &["check.license.family", "Office", "Project"]),
        (custom(&json!({ "accessMode": { "anyOf": ["Read"] } })), &["check.accessMode.anyOf", "Read", "ReadWrite"]),
        (
            custom(&json!({ "tablePrivileges": { "tables": [], "privileges": ["Read"] } })),
            &["check.tablePrivileges.tables", "at least 1"],
        ),
        (
            custom(&json!({ "tablePrivileges": { "tables": ["account"], "privileges": ["Update"] } })),
            &["check.tablePrivileges.privileges", "Update", "Write"],
        ),
        (
            custom(&json!({ "consent": { "clientID": app, "permissions": [] } })),
            &["check.consent.permissions", "at least 1"],
        ),
        // Licenses.
        (
            json!({ "licenses": { "families": [{ "name": "Dynamics365", "extraSKUIDs": ["DYN365_ENTERPRISE_SALES"] }] } }),
            &["spec.licenses.families[0].extraSKUIDs"],
        ),
        (
            json!({ "licenses": { "families": [{ "name": "Dynamics365", "lookAt": "Group" }] } }),
            &["spec.licenses.families[0].lookAt", "Group", "UserOrTenant"],
        ),
        // Waivers.
        (json!({ "waivers": [{ "finding": "no-mfa", "reason": "known" }] }), &["spec.waivers[0].finding"]),
        (json!({ "waivers": [{ "finding": "custom/a" }] }), &["spec.waivers[0]", "reason"]),
        (json!({ "waivers": [{ "finding": "custom/a", "reason": "" }] }), &["spec.waivers[0].reason"]),
        (
            json!({ "waivers": [{ "finding": "custom/a", "reason": "known", "expirationTime": "next year" }] }),
            &["spec.waivers[0].expirationTime"],
        ),
        (
            json!({ "waivers": [{ "finding": "custom/a", "reason": "known" }, { "finding": "custom/a", "reason": "again" }] }),
            &["spec.waivers", "custom/a"],
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_policy_can_not_ask_for_is_refused_with_its_place() {
    let scene = Scene::new().await;
    let mut failures = Vec::new();
    for (change, pieces) in refused() {
        match scene.try_apply(&policy(&change)).await {
            Ok(_) => failures.push(format!("applied: {change}")),
            Err(said) => {
                for piece in pieces.iter().filter(|piece| !said.contains(**piece)) {
                    failures.push(format!("does not name {piece:?}: {said}"));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_policy_can_ask_for_is_stored_as_it_is_and_applying_it_again_changes_nothing() {
    let scene = Scene::new().await;
    let app = "c0ffee00-1111-4222-8333-444455556666";
    let check =
        json!({ "tablePrivileges": { "tables": ["account"], "privileges": ["Read"], "includeRelatedTables": true } });
    for change in [
        profiles(&json!({ "keepitPowerPlatform": {}, "keepitDynamicsCE": {}, "avePointServiceAccount": {} })),
        profiles(&json!({ "fluentProDataverse": { "clientID": app } })),
        json!({
            "account": { "application": { "clientID": app } },
            "profiles": { "avePointAppProfile": { "kind": "Custom" } },
            "allowedActions": ["EnvironmentAccess"],
        }),
        custom(&check),
        json!({
            "licenses": { "families": [{ "name": "Project" }] },
            "waivers": [{ "finding": "keepitDynamicsCE/read-write", "reason": "known", "environments": ["e"], "expirationTime": "2030-01-01T00:00:00Z" }],
        }),
    ] {
        let first = scene.try_apply(&policy(&change)).await.unwrap_or_else(|said| panic!("{change}: {said}"));
        // What is stored, applied again by somebody else: nothing is filled in or taken away.
        let mut stored = serde_json::to_value(&first).unwrap();
        stored["metadata"] = json!({ "name": "asked" });
        let again = scene.try_apply(&stored.to_string()).await.unwrap();
        assert_eq!(again.metadata.generation, first.metadata.generation, "{change}");
        assert_eq!(again.data["spec"], first.data["spec"], "{change}");
        scene.delete("ServiceAccountPolicy", "asked").await;
    }
}
