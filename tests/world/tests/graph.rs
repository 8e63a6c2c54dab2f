//! Does Graph answer, page, lag and refuse as the facts say?

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says so by panicking")]

mod common;

use common::*;
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn only_selected_fields_come_back() {
    let visit = contoso().await;
    let got = visit
        .graph(Method::GET, &format!("/users/{ACCOUNT}?$select=id,accountEnabled,assignedLicenses"), None)
        .await
        .json();
    let names: Vec<&str> = got.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["@odata.context", "accountEnabled", "assignedLicenses", "id"]);
    assert_eq!(got["assignedLicenses"].as_array().unwrap().len(), 2);

    let whole = visit.graph(Method::GET, &format!("/users/{ACCOUNT_ID}"), None).await.json();
    assert_eq!(whole["userPrincipalName"], ACCOUNT);
    assert!(whole.get("accountEnabled").is_none(), "not in the default set");
}

#[tokio::test]
async fn what_graph_does_not_know_is_refused() {
    let visit = contoso().await;
    let answers = [
        ("/users/svc-backup@contoso.com?$select=id,accessMode", 400, "BadRequest"),
        ("/users/nobody@contoso.com", 404, "Request_ResourceNotFound"),
        ("/users/svc-backup@contoso.com/secrets", 404, "BadRequest"),
        ("/subscribedSkus?$filter=skuId eq 'x'", 400, "BadRequest"),
        ("/roleManagement/directory/roleAssignments?$filter=principalId ne 'x'", 400, "Request_BadRequest"),
        (
            "/roleManagement/directory/roleAssignments?$filter=principalId eq 0d5b6a1c-2f3e-4a4d-8c5b-7e6f5a4b3c2d",
            400,
            "Request_BadRequest",
        ),
        ("/roleManagement/directory/roleAssignments?$filter=displayName eq 'x'", 400, "Request_UnsupportedQuery"),
        ("/roleManagement/directory/roleAssignments?$skip=1", 400, "BadRequest"),
        ("/roleManagement/directory/transitiveRoleAssignments", 404, "BadRequest"),
    ];
    for (path, status, code) in answers {
        let got = visit.graph(Method::GET, path, None).await;
        assert_eq!((got.status, got.code().as_str()), (status, code), "{path}: {}", got.text);
        assert!(got.headers.contains_key("request-id"));
        assert!(got.json()["error"]["innerError"]["request-id"].is_string());
    }
}

#[tokio::test]
async fn a_missing_permission_is_denied_with_the_next_token() {
    let visit = contoso().await;
    let token = visit.token(GRAPH).await;
    for permission in ["LicenseAssignment.Read.All", "Directory.Read.All"] {
        visit.world.act("withdraw-permission", json!({ "app": "Backstay", "permission": permission })).unwrap();
    }
    let url = format!("{GRAPH}/v1.0/subscribedSkus");
    assert_eq!(visit.call(Method::GET, &url, &token, None).await.status, 200, "the token carries it still");
    let got = visit.graph(Method::GET, "/subscribedSkus", None).await;
    assert_eq!((got.status, got.code().as_str()), (403, "Authorization_RequestDenied"));
    assert_eq!(
        visit.graph(Method::GET, &format!("/users/{ACCOUNT}/licenseDetails"), None).await.status,
        200,
        "User.Read.All is enough here"
    );

    visit
        .world
        .act("withdraw-permission", json!({ "app": "Backstay", "permission": "User.Read.All", "now": true }))
        .unwrap();
    assert_eq!(visit.call(Method::GET, &url, &token, None).await.status, 401, "voided");
}

#[tokio::test]
async fn basic_read_does_not_show_licences() {
    let visit = contoso_with(&[
        ("          - User.Read.All\n", "          - User.ReadBasic.All\n"),
        ("          - Directory.Read.All\n", ""),
    ])
    .await;
    assert_eq!(visit.graph(Method::GET, &format!("/users/{ACCOUNT}?$select=id,displayName"), None).await.status, 200);
    assert_eq!(
        visit.graph(Method::GET, &format!("/users/{ACCOUNT}?$select=id,assignedLicenses"), None).await.status,
        403
    );
}

#[tokio::test]
async fn licences_and_capacity_show_where_they_are_held() {
    let visit = contoso().await;
    let details = visit.graph(Method::GET, &format!("/users/{ACCOUNT}/licenseDetails"), None).await.json();
    let parts: Vec<&str> =
        details["value"].as_array().unwrap().iter().map(|row| row["skuPartNumber"].as_str().unwrap()).collect();
    assert_eq!(parts, ["DYN365_ENTERPRISE_SALES", "POWERAUTOMATE_ATTENDED_RPA"]);
    let skus = visit.graph(Method::GET, "/subscribedSkus", None).await.json();
    let pack = skus["value"].as_array().unwrap().iter().find(|row| row["appliesTo"] == "Company").unwrap().clone();
    assert_eq!(pack["prepaidUnits"]["enabled"], 1);
    assert_eq!(skus["value"][0]["consumedUnits"], 2);
}

fn assignment(role: &str) -> serde_json::Value {
    json!({ "principalId": ACCOUNT_ID, "roleDefinitionId": role, "directoryScopeId": "/" })
}

#[tokio::test]
async fn a_role_is_given_found_and_taken() {
    let visit = contoso().await;
    let created = visit
        .graph(
            Method::POST,
            "/roleManagement/directory/roleAssignments",
            Some(assignment(POWER_PLATFORM_ADMINISTRATOR)),
        )
        .await;
    assert_eq!(created.status, 201, "{}", created.text);
    let id = created.json()["id"].as_str().unwrap().to_owned();
    let both = format!(
        "/roleManagement/directory/roleAssignments?$filter=principalId eq '{ACCOUNT_ID}' and roleDefinitionId eq '{POWER_PLATFORM_ADMINISTRATOR}'"
    );
    assert_eq!(visit.graph(Method::GET, &both, None).await.json()["value"].as_array().unwrap().len(), 1);
    let one = format!("/roleManagement/directory/roleAssignments/{id}");
    assert_eq!(visit.graph(Method::GET, &one, None).await.status, 200);
    assert_eq!(visit.graph(Method::DELETE, &one, None).await.status, 204);
    assert_eq!(visit.graph(Method::GET, &one, None).await.status, 404);
    assert_eq!(visit.graph(Method::DELETE, &one, None).await.status, 404);
}

#[tokio::test]
async fn a_bad_assignment_is_refused() {
    let visit = contoso().await;
    let post = "/roleManagement/directory/roleAssignments";
    let mut extra = assignment(POWER_PLATFORM_ADMINISTRATOR);
    extra["justification"] = "please".into();
    assert_eq!(visit.graph(Method::POST, post, Some(extra)).await.status, 400);
    assert_eq!(visit.graph(Method::POST, post, Some(json!({ "principalId": ACCOUNT_ID }))).await.status, 400);
    let stranger = json!({ "principalId": "00000000-0000-0000-0000-0000000000aa", "roleDefinitionId": POWER_PLATFORM_ADMINISTRATOR, "directoryScopeId": "/" });
    assert_eq!(visit.graph(Method::POST, post, Some(stranger)).await.status, 404);
    assert_eq!(
        visit.graph(Method::POST, post, Some(assignment("00000000-0000-0000-0000-0000000000aa"))).await.status,
        404
    );
    assert_eq!(assignments_of(&visit, ACCOUNT_ID).await.len(), 2);
}

#[tokio::test]
async fn a_duplicate_assignment_conflicts_in_either_way() {
    for (switches, status, code) in [
        ("{}", 400, "Request_BadRequest"),
        ("{ duplicate_assignment: 409 }", 409, "Request_MultipleObjectsWithSameKeyValue"),
    ] {
        let visit = contoso_switched(switches).await;
        let got = visit
            .graph(Method::POST, "/roleManagement/directory/roleAssignments", Some(assignment(DYNAMICS_ADMINISTRATOR)))
            .await;
        assert_eq!((got.status, got.code().as_str()), (status, code));
        assert!(got.text.contains("A conflicting object with one or more of the specified property values"));
        assert_eq!(got.text.contains("ConflictingObjects"), status == 409);
    }
}

#[tokio::test]
async fn the_last_global_administrator_stays() {
    let visit = contoso().await;
    let remove = async |principal: &str| {
        let rows = visit.graph(Method::GET, &format!("/roleManagement/directory/roleAssignments?$filter=principalId eq '{principal}' and roleDefinitionId eq '{GLOBAL_ADMINISTRATOR}'"), None).await.json();
        let id = rows["value"][0]["id"].as_str().unwrap().to_owned();
        visit.graph(Method::DELETE, &format!("/roleManagement/directory/roleAssignments/{id}"), None).await
    };
    assert_eq!(remove(ACCOUNT_ID).await.status, 204);
    let got = remove("b7e1f0a2-5c4d-4e3f-9b8a-1d2c3b4a5f60").await;
    assert_eq!((got.status, got.code().as_str()), (400, "Request_BadRequest"));
    assert!(visit.world.remove_directory_role("breakglass@contoso.onmicrosoft.com", "Global Administrator").is_err());
}

#[tokio::test]
async fn a_collection_comes_in_pages() {
    let visit = contoso_switched("{ graph_page_size: 2 }").await;
    let token = visit.token(GRAPH).await;
    let mut url = format!("{ASSIGNMENTS}?$select=id,principalId");
    let mut pages = Vec::new();
    loop {
        let body = visit.call(Method::GET, &url, &token, None).await.json();
        let rows = body["value"].as_array().unwrap().clone();
        assert!(rows.iter().all(|row| row.get("roleDefinitionId").is_none()), "the select goes along");
        pages.push(rows.len());
        match body["@odata.nextLink"].as_str() {
            Some(next) => url = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(pages, [2, 1]);
}

#[tokio::test]
async fn with_lag_a_write_shows_some_reads_later() {
    let visit = contoso_switched("{ lag: { graph_reads: 2 } }").await;
    assert_eq!(
        visit
            .graph(
                Method::POST,
                "/roleManagement/directory/roleAssignments",
                Some(assignment(POWER_PLATFORM_ADMINISTRATOR))
            )
            .await
            .status,
        201
    );
    assert_eq!(
        visit
            .graph(
                Method::POST,
                "/roleManagement/directory/roleAssignments",
                Some(assignment(POWER_PLATFORM_ADMINISTRATOR))
            )
            .await
            .status,
        400,
        "it is there all the same"
    );
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(assignments_of(&visit, ACCOUNT_ID).await.len());
    }
    assert_eq!(seen, [2, 2, 3]);

    let id = visit
        .graph(
            Method::GET,
            &format!(
                "/roleManagement/directory/roleAssignments?$filter=roleDefinitionId eq '{POWER_PLATFORM_ADMINISTRATOR}'"
            ),
            None,
        )
        .await
        .json()["value"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        visit.graph(Method::DELETE, &format!("/roleManagement/directory/roleAssignments/{id}"), None).await.status,
        204
    );
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(assignments_of(&visit, ACCOUNT_ID).await.len());
    }
    assert_eq!(seen, [3, 3, 2]);
}

#[tokio::test]
async fn a_batch_answers_its_parts_out_of_order_and_logs_each() {
    let visit = contoso().await;
    let requests = json!({ "requests": [
        { "id": "sku", "method": "GET", "url": "/subscribedSkus" },
        { "id": "nobody", "method": "GET", "url": "/users/nobody@contoso.com" },
        { "id": "child", "method": "GET", "url": "/subscribedSkus", "dependsOn": ["nobody"] },
        { "id": "post", "method": "POST", "url": "/roleManagement/directory/roleAssignments", "headers": { "Content-Type": "application/json" }, "body": assignment(POWER_PLATFORM_ADMINISTRATOR) },
    ] });
    let got = visit.graph(Method::POST, "/$batch", Some(requests)).await;
    assert_eq!(got.status, 200);
    let answers: Vec<(String, u64)> = got.json()["responses"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["id"].as_str().unwrap().to_owned(), it["status"].as_u64().unwrap()))
        .collect();
    assert_eq!(answers, [("post".into(), 201), ("child".into(), 424), ("nobody".into(), 404), ("sku".into(), 200)]);
    let writes = visit.world.writes();
    assert_eq!(writes.len(), 1, "the envelope is none");
    assert!(writes[0].batch.is_some());

    let many: Vec<_> =
        (0..21).map(|i| json!({ "id": i.to_string(), "method": "GET", "url": "/subscribedSkus" })).collect();
    assert_eq!(visit.graph(Method::POST, "/$batch", Some(json!({ "requests": many }))).await.status, 400);
    let beta = json!({ "requests": [{ "id": "1", "method": "GET", "url": "/beta/users/x" }] });
    assert_eq!(visit.graph(Method::POST, "/$batch", Some(beta)).await.status, 400);
}

#[tokio::test]
async fn a_role_held_through_a_group_is_the_groups_assignment() {
    let visit = contoso_with(&[("    role_assignments:\n", "    groups:\n      - { id: 7a000000-0000-4000-8000-000000000001, name: Admins, role_assignable: true, members: [svc-backup@contoso.com] }\n      - { name: Outer, members: [Admins] }\n    role_assignments:\n      - { principal: Admins, role: Power Platform Administrator }\n")]).await;
    assert!(!assignments_of(&visit, ACCOUNT_ID).await.contains(&POWER_PLATFORM_ADMINISTRATOR.to_owned()));
    let groups = visit
        .graph(
            Method::GET,
            &format!("/users/{ACCOUNT_ID}/transitiveMemberOf/microsoft.graph.group?$select=id,isAssignableToRole"),
            None,
        )
        .await
        .json();
    let rows = groups["value"].as_array().unwrap();
    assert_eq!(rows.len(), 2, "through groups, too");
    let group = rows.iter().find(|row| row["isAssignableToRole"] == true).unwrap()["id"].as_str().unwrap().to_owned();
    assert_eq!(assignments_of(&visit, &group).await, [POWER_PLATFORM_ADMINISTRATOR]);
}
