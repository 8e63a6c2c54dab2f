//! Is everything wrong at Fabrikam that is meant to be?

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says so by panicking")]

mod common;

use common::*;
use reqwest::Method;
use serde_json::{Value, json};

const FABRIKAM: &str = "fab00000-5d2e-4c1b-8a7f-3e9d6c0b1a02";
const OPERATOR: &str = "c0ffee00-2222-4222-8333-444455556666";
const SERVICE_ACCOUNT: &str = "fab00000-0000-4000-8000-000000000001";
const ADMINISTRATORS: &str = "fab00000-0000-4000-8000-000000000011";

async fn fabrikam() -> Visit {
    visit(backstay_world::FABRIKAM).await
}

async fn ask(visit: &Visit, method: Method, resource: &str, url: &str, body: Option<Value>) -> Got {
    let scope = format!("{resource}/.default");
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", OPERATOR),
        ("client_secret", "world-fabrikam-secret"),
        ("scope", scope.as_str()),
    ];
    let token = visit.token_request(FABRIKAM, &fields).await.json()["access_token"].as_str().unwrap().to_owned();
    visit.call(method, url, &token, body).await
}

async fn graph(visit: &Visit, path: &str) -> Value {
    let got = ask(visit, Method::GET, GRAPH, &format!("{GRAPH}/v1.0{path}"), None).await;
    assert_eq!(got.status, 200, "{path}: {}", got.text);
    got.json()
}

fn rows(body: &Value) -> Vec<Value> {
    body["value"].as_array().unwrap().clone()
}

async fn dataverse(visit: &Visit, name: &str, path: &str) -> Got {
    let origin = format!("https://fabrikam-{name}.crm.dynamics.com");
    ask(visit, Method::GET, &origin, &format!("{origin}/api/data/v9.2/{path}"), None).await
}

async fn bap(visit: &Visit, environment: u8, call: &str, body: Value) -> Got {
    let url = format!("{ENVIRONMENTS}/22222222-aaaa-4bbb-8ccc-00000000000{environment}/{call}");
    ask(visit, Method::POST, "https://service.powerapps.com", &url, Some(body)).await
}

async fn enroll(visit: &Visit, environment: u8) {
    let body = json!({ "servicePrincipalAppId": OPERATOR });
    assert_eq!(bap(visit, environment, "addAppUser?api-version=2020-10-01", body).await.status, 200);
}

async fn account_row(visit: &Visit, name: &str) -> Option<Value> {
    let path = format!(
        "systemusers?$filter=azureactivedirectoryobjectid eq {SERVICE_ACCOUNT}&$select=accessmode,isdisabled,islicensed,setupuser"
    );
    rows(&dataverse(visit, name, &path).await.json()).into_iter().next()
}

#[tokio::test]
async fn its_roles_are_eligible_or_of_a_group() {
    let visit = fabrikam().await;
    let of = async |set: &str, id: &str| {
        rows(&graph(&visit, &format!("/roleManagement/directory/{set}?$filter=principalId eq '{id}'")).await)
    };
    assert!(of("roleAssignments", SERVICE_ACCOUNT).await.is_empty());
    assert!(of("roleAssignmentScheduleInstances", SERVICE_ACCOUNT).await.is_empty());
    assert_eq!(
        of("roleEligibilityScheduleInstances", SERVICE_ACCOUNT).await[0]["roleDefinitionId"],
        GLOBAL_ADMINISTRATOR
    );
    assert_eq!(of("roleAssignments", ADMINISTRATORS).await[0]["roleDefinitionId"], DYNAMICS_ADMINISTRATOR);
}

#[tokio::test]
async fn its_licences_are_the_wrong_ones() {
    let visit = fabrikam().await;
    let user = graph(
        &visit,
        &format!(
            "/users/{SERVICE_ACCOUNT}?$select=assignedLicenses,licenseAssignmentStates,passwordPolicies,signInActivity"
        ),
    )
    .await;
    let sales = "1e1a282c-9c54-43a2-9310-98ef728faace";
    let license = user["assignedLicenses"].as_array().unwrap().iter().find(|it| it["skuId"] == sales).unwrap();
    assert_eq!(license["disabledPlans"], json!(["2da8e897-7791-486b-b08f-cc63c8129df7"]));
    let state = user["licenseAssignmentStates"].as_array().unwrap().iter().find(|it| it["skuId"] == sales).unwrap();
    assert!(state["assignedByGroup"].is_string() && user["passwordPolicies"].is_null());
    assert!(
        user["signInActivity"]["lastSuccessfulSignInDateTime"].as_str()
            < user["signInActivity"]["lastSignInDateTime"].as_str()
    );
    assert!(user["assignedLicenses"].to_string().contains("4a51bf65-409c-4a91-b845-1121b571cc9d"));
}

#[tokio::test]
async fn its_apps_and_policies_are_in_the_way() {
    let visit = fabrikam().await;
    let apps =
        [("FluentPro", "fab00000-aaaa-4000-8000-0000000000f1"), ("AvePoint", "fab00000-aaaa-4000-8000-0000000000a1")];
    let mut found = Vec::new();
    for (name, app) in apps {
        let app = graph(&visit, &format!("/servicePrincipals(appId='{app}')?$select=id,accountEnabled")).await;
        let grants = rows(
            &graph(&visit, &format!("/oauth2PermissionGrants?$filter=clientId eq '{}'", app["id"].as_str().unwrap()))
                .await,
        );
        found.push((
            name,
            app["accountEnabled"].as_bool().unwrap(),
            grants[0]["consentType"].as_str().unwrap().to_owned(),
        ));
    }
    assert_eq!(found, [("FluentPro", true, "Principal".into()), ("AvePoint", false, "AllPrincipals".into())]);
    assert_eq!(graph(&visit, "/policies/identitySecurityDefaultsEnforcementPolicy").await["isEnabled"], true);
    let policies = rows(&graph(&visit, "/identity/conditionalAccess/policies").await);
    assert_eq!(policies[0]["grantControls"]["builtInControls"], json!(["mfa"]));
}

#[tokio::test]
async fn it_is_half_in_shut_out_and_missing() {
    let visit = fabrikam().await;
    let row = account_row(&visit, "sales").await.unwrap();
    assert_eq!((&row["accessmode"], &row["islicensed"], &row["isdisabled"]), (&json!(1), &json!(false), &json!(false)));
    let row = account_row(&visit, "finance").await.unwrap();
    assert_eq!(row["isdisabled"], true, "a nested group does not let in");
    let teams = dataverse(
        &visit,
        "finance",
        &format!("systemusers({})/teammembership_association", row["systemuserid"].as_str().unwrap()),
    )
    .await;
    assert!(teams.text.contains("prvReadTeam"));
    enroll(&visit, 3).await;
    assert!(account_row(&visit, "projects").await.is_none());

    let words = json!({ "user": "svc-dataverse@fabrikam.com", "group": "Finance Users" });
    visit.world.act("add-to-group", words).unwrap();
    assert_eq!(account_row(&visit, "finance").await.unwrap()["isdisabled"], false);
}

#[tokio::test]
async fn each_kind_of_environment_answers_in_its_own_way() {
    let visit = fabrikam().await;
    let add = async |environment: u8, id: &str| {
        bap(&visit, environment, "addUser?api-version=2023-06-01", json!({ "objectId": id })).await
    };
    assert_eq!(add(4, SERVICE_ACCOUNT).await.status, 200, "in administration mode");
    assert_eq!(add(5, SERVICE_ACCOUNT).await.code(), "UserNotAllowedInEnvironment", "Teams");
    assert_eq!(add(6, SERVICE_ACCOUNT).await.code(), "UserNotAllowedInEnvironment", "Developer");
    assert_eq!(add(6, "fab00000-0000-4000-8000-000000000003").await.status, 200, "its creator");
    assert_eq!(add(7, SERVICE_ACCOUNT).await.code(), "EnvironmentNotLinked");
    visit.world.act("set-runtime", json!({ "environment": "Fabrikam Projects", "runtime": "Disabled" })).unwrap();
    assert_eq!(add(3, SERVICE_ACCOUNT).await.code(), "EnvironmentDisabled");

    enroll(&visit, 5).await;
    visit.world.act("set-switch", json!({ "name": "add_user_in_vain", "value": "silent" })).unwrap();
    assert_eq!(add(5, SERVICE_ACCOUNT).await.status, 200);
    assert!(account_row(&visit, "huddle").await.is_none(), "200, and nothing comes of it");
    let open = |environment: &str| {
        visit.world.act("open-environment", json!({ "environment": environment, "user": "svc-dataverse@fabrikam.com" }))
    };
    open("Fabrikam Huddle").unwrap();
    assert!(account_row(&visit, "huddle").await.is_some());
    assert!(open("Dev Eloper's Environment").is_err());
    assert!(open("Fabrikam Sales").is_err(), "not licensed");
    assert!(open("Fabrikam Restored").is_err());
}
