//! Do the bodies of this world use only names that Microsoft's own bodies use?

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says so by panicking")]

mod common;

use std::collections::BTreeSet;

use common::*;
use reqwest::Method;
use serde_json::Value;

/// All member names in a value, with the path to them; positions in lists and keys that are data don't count.
fn names(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let path = format!("{path}/{name}");
                found.insert(path.clone());
                names(value, &path, found);
            }
        }
        Value::Array(rows) => rows.iter().for_each(|row| names(row, path, found)),
        _ => {}
    }
}

/// The recorded bodies of these files, taken together; `None` with a sentence if they are not here.
fn recorded(files: &[&str]) -> Option<BTreeSet<String>> {
    let Some(folder) = backstay_world::contracts_folder() else {
        println!("skipped: no recorded bodies here (set BACKSTAY_CONTRACTS)");
        return None;
    };
    let mut found = BTreeSet::new();
    for file in files {
        let text = std::fs::read_to_string(folder.join("powerplatform").join(file)).unwrap();
        let body: Value = serde_json::from_str(&text).unwrap();
        let rows = body.get("value").cloned().unwrap_or(body);
        names(&rows, "", &mut found);
    }
    Some(found)
}

fn assert_known(body: &Value, known: &BTreeSet<String>, besides: &[&str]) {
    let mut found = BTreeSet::new();
    names(body, "", &mut found);
    let strange: Vec<&String> =
        found.iter().filter(|name| !known.contains(*name) && !besides.contains(&name.as_str())).collect();
    assert!(strange.is_empty(), "not in the recorded bodies: {strange:?}");
    assert!(found.len() > 3, "nothing was compared");
}

#[tokio::test]
async fn environments_have_the_recorded_fields() {
    let Some(known) = recorded(&[
        "environments.json",
        "environment-1.json",
        "environment-2.json",
        "environment-without-dataverse.json",
        "environment-application.json",
    ]) else {
        return;
    };
    let visit = contoso_with(&[
        ("    role_assignments:\n", "    groups:\n      - { name: Allowed }\n    role_assignments:\n"),
        (
            "        host: contoso-service.crm4.dynamics.com\n",
            "        host: contoso-service.crm4.dynamics.com\n        security_group: Allowed\n",
        ),
    ])
    .await;
    let body = visit.bap(Method::GET, "?api-version=2023-06-01", None).await.json();
    // Documented, but in none of the recordings (microsoft.md §2.2).
    assert_known(&body["value"], &known, &["/properties/linkedEnvironmentMetadata/securityGroupId"]);
    let recorded_states = known.iter().filter(|name| name.starts_with("/properties/states/")).count();
    assert!(recorded_states > 2);
}

#[tokio::test]
async fn systemusers_and_roles_have_the_recorded_columns() {
    let Some(users) = recorded(&["systemusers.json", "systemuser-with-roles.json"]) else {
        return;
    };
    let Some(roles) = recorded(&["security-roles.json"]) else {
        return;
    };
    let visit = contoso().await;
    visit.enroll(SALES).await;
    let body = visit
        .dataverse(
            Method::GET,
            SALES_HOST,
            "systemusers?$expand=systemuserroles_association($select=roleid,name,ismanaged,_businessunitid_value)",
            None,
        )
        .await
        .json();
    assert_known(&body["value"], &users, &[]);
    // And none is missing: without $select Dataverse sends every column.
    let mut ours = BTreeSet::new();
    names(&body["value"], "", &mut ours);
    assert_eq!(users.difference(&ours).collect::<Vec<_>>(), Vec::<&String>::new());

    let body = visit.dataverse(Method::GET, SALES_HOST, "roles", None).await.json();
    assert_known(&body["value"], &roles, &[]);
}

#[tokio::test]
async fn graph_bodies_have_the_fields_of_the_metadata() {
    let Some(folder) = backstay_world::contracts_folder() else {
        println!("skipped: no metadata here (set BACKSTAY_CONTRACTS)");
        return;
    };
    let metadata = std::fs::read_to_string(folder.join("graph-v1.0-global.csdl")).unwrap();
    let visit = contoso_with(&[(
        "    role_assignments:\n",
        "    eligible_roles:\n      - { principal: jane@contoso.com, role: Global Reader }\n    vendor_apps:\n      - { app_id: aaaaaaaa-1111-4222-8333-000000000001, name: AvePoint }\n    consents:\n      - { app: AvePoint, scopes: [User.Read] }\n    app_assignments:\n      - { app: AvePoint, principal: svc-backup@contoso.com }\n    conditional_access:\n      - { name: MFA, include_users: [All], include_applications: [All], controls: [mfa], strength: Passwordless MFA }\n    role_assignments:\n",
    )])
    .await;
    for permission in ["Policy.Read.All", "AuditLog.Read.All"] {
        visit
            .world
            .act("grant-permission", serde_json::json!({ "app": "Backstay", "permission": permission }))
            .unwrap();
    }
    let select = "$select=id,userPrincipalName,accountEnabled,userType,usageLocation,onPremisesSyncEnabled,assignedLicenses,assignedPlans,licenseAssignmentStates,passwordPolicies,lastPasswordChangeDateTime,signInActivity";
    for path in [
        format!("/users/{ACCOUNT_ID}?{select}"),
        format!("/users/{ACCOUNT_ID}/licenseDetails"),
        "/subscribedSkus".to_owned(),
        "/roleManagement/directory/roleAssignments".to_owned(),
        "/roleManagement/directory/roleDefinitions".to_owned(),
        "/organization".to_owned(),
        "/roleManagement/directory/roleAssignmentScheduleInstances".to_owned(),
        "/roleManagement/directory/roleAssignmentSchedules".to_owned(),
        "/roleManagement/directory/roleEligibilityScheduleInstances".to_owned(),
        "/roleManagement/directory/roleEligibilitySchedules".to_owned(),
        "/oauth2PermissionGrants".to_owned(),
        format!("/users/{ACCOUNT_ID}/appRoleAssignments"),
        "/policies/identitySecurityDefaultsEnforcementPolicy".to_owned(),
        "/identity/conditionalAccess/policies".to_owned(),
        format!("/reports/authenticationMethods/userRegistrationDetails/{ACCOUNT_ID}"),
        "/servicePrincipals".to_owned(),
        format!("/servicePrincipals(appId='{APP}')"),
        format!("/applications(appId='{APP}')"),
    ] {
        let got = visit.graph(Method::GET, &path, None).await;
        assert_eq!(got.status, 200, "{path}: {}", got.text);
        let mut found = BTreeSet::new();
        names(&got.json(), "", &mut found);
        for name in found
            .iter()
            .filter_map(|name| name.rsplit('/').next())
            .filter(|name| !name.starts_with('@') && !["id", "value"].contains(name))
        {
            assert!(metadata.contains(&format!("Name=\"{name}\"")), "{path}: {name} is not in the metadata");
        }
    }
}
