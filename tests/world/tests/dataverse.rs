//! Who may do what inside an environment?

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says so by panicking")]

mod common;

use common::*;
use reqwest::Method;
use serde_json::{Value, json};

const TEST: &str = "11111111-aaaa-4bbb-8ccc-000000000003";
const TEST_HOST: &str = "contoso-test.crm4.dynamics.com";

fn user(id: &str) -> String {
    format!(
        "systemusers?$filter=azureactivedirectoryobjectid eq {id}&$select=systemuserid,accessmode,isdisabled,setupuser&$expand=systemuserroles_association($select=roleid,name)"
    )
}

async fn administrator(visit: &Visit, host: &str) -> String {
    let path = "roles?$filter=_roletemplateid_value eq 627090ff-40a3-4053-8790-584edc5be201&$select=roleid";
    visit.dataverse(Method::GET, host, path, None).await.json()["value"][0]["roleid"].as_str().unwrap().to_owned()
}

async fn add_user(visit: &Visit, environment: &str, id: &str) -> Got {
    visit
        .bap(Method::POST, &format!("/{environment}/addUser?api-version=2023-06-01"), Some(json!({ "objectId": id })))
        .await
}

#[tokio::test]
async fn a_role_given_shows_at_once_to_a_strong_reader_and_later_to_others() {
    let visit = contoso_switched("{ lag: { dataverse_reads: 2 } }").await;
    visit.enroll(SERVICE).await;
    let token = visit.token(&format!("https://{SERVICE_HOST}")).await;
    let url = format!("https://{SERVICE_HOST}/api/data/v9.2/{}", user(ACCOUNT_ID));
    let roles = async |strong: bool| {
        let request = visit.client.get(&url).bearer_auth(&token);
        let request = if strong { request.header("Consistency", "Strong") } else { request };
        visit.send(request).await.json()["value"][0]["systemuserroles_association"].as_array().unwrap().len()
    };
    let row =
        visit.dataverse(Method::GET, SERVICE_HOST, &user(ACCOUNT_ID), None).await.json()["value"][0]["systemuserid"]
            .as_str()
            .unwrap()
            .to_owned();
    let role = administrator(&visit, SERVICE_HOST).await;
    let link = format!("https://{SERVICE_HOST}/api/data/v9.2/roles({role})");
    let path = format!("systemusers({row})/systemuserroles_association/$ref");
    assert_eq!(
        visit.dataverse(Method::POST, SERVICE_HOST, &path, Some(json!({ "@odata.id": link }))).await.status,
        204
    );
    assert_eq!(roles(false).await, 1);
    assert_eq!(roles(true).await, 2);
    assert_eq!(roles(false).await, 1);
    assert_eq!(roles(false).await, 2);

    assert_eq!(visit.dataverse(Method::DELETE, SERVICE_HOST, &format!("{path}?$id={link}"), None).await.status, 204);
    assert_eq!(roles(true).await, 1);
    assert_eq!(roles(false).await, 2);
    assert_eq!(visit.dataverse(Method::DELETE, SERVICE_HOST, &format!("{path}?$id={link}"), None).await.status, 404);
    let unknown = json!({ "@odata.id": format!("https://{SERVICE_HOST}/api/data/v9.2/roles(00000000-0000-0000-0000-0000000000aa)") });
    let got = visit.dataverse(Method::POST, SERVICE_HOST, &path, Some(unknown)).await;
    assert!(got.code() == "0x80060888" && got.text.contains("0000000000aa"));
    let elsewhere = json!({ "@odata.id": format!("https://{SALES_HOST}/api/data/v9.2/roles({role})") });
    assert_eq!(visit.dataverse(Method::POST, SERVICE_HOST, &path, Some(elsewhere)).await.status, 400);
}

#[tokio::test]
async fn who_reads_users_reads_their_roles_only_with_a_privilege_for_roles() {
    let visit = contoso_with(&[(
        "        host: contoso-service.crm4.dynamics.com\n        users:\n",
        "        host: contoso-service.crm4.dynamics.com\n        roles:\n          - { name: Users, privileges: [prvReadUser, prvReadTeam] }\n        users:\n          - { application: c0ffee00-1111-4222-8333-444455556666, roles: [Users] }\n",
    )])
    .await;
    let get = async |path: &str| visit.dataverse(Method::GET, SERVICE_HOST, path, None).await;
    let rows = get("systemusers?$select=systemuserid").await.json();
    let teams =
        format!("systemusers({})/teammembership_association", rows["value"][0]["systemuserid"].as_str().unwrap());
    assert_eq!(get(&teams).await.status, 200);
    for path in [
        "systemusers?$expand=systemuserroles_association($select=roleid)".to_owned(),
        format!("{teams}?$expand=teamroles_association($select=roleid)"),
    ] {
        let got = get(&path).await;
        assert!(got.code() == "0x80040220" && got.text.contains("prvReadRole"), "{path}: {}", got.text);
    }
}

#[tokio::test]
async fn a_custom_role_reads_and_only_an_administrator_writes() {
    let visit = contoso_with(&[(
        "        host: contoso-service.crm4.dynamics.com\n        users:\n",
        "        host: contoso-service.crm4.dynamics.com\n        roles:\n          - { name: Backstay Reader, privileges: [prvReadUser, prvReadRole] }\n        users:\n          - { application: c0ffee00-1111-4222-8333-444455556666, roles: [Backstay Reader] }\n",
    )])
    .await;
    let row =
        visit.dataverse(Method::GET, SERVICE_HOST, &user(ACCOUNT_ID), None).await.json()["value"][0]["systemuserid"]
            .as_str()
            .unwrap()
            .to_owned();
    let role = administrator(&visit, SERVICE_HOST).await;
    let got = visit
        .dataverse(Method::GET, SERVICE_HOST, &format!("systemusers({row})/teammembership_association"), None)
        .await;
    assert!(got.code() == "0x80040220" && got.text.contains("prvReadTeam"), "{}", got.text);
    assert_eq!(
        visit
            .dataverse(Method::PATCH, SERVICE_HOST, &format!("systemusers({row})"), Some(json!({ "accessmode": 0 })))
            .await
            .code(),
        "0x80040220"
    );
    let link = json!({ "@odata.id": format!("https://{SERVICE_HOST}/api/data/v9.2/roles({role})") });
    assert_eq!(
        visit
            .dataverse(
                Method::POST,
                SERVICE_HOST,
                &format!("systemusers({row})/systemuserroles_association/$ref"),
                Some(link)
            )
            .await
            .code(),
        "0x80040220"
    );
}

#[tokio::test]
async fn what_a_table_does_not_have_is_refused() {
    let visit = contoso().await;
    visit.enroll(SALES).await;
    for path in [
        "systemusers?$select=systemuserid,shoesize",
        "systemusers?$filter=shoesize eq 46",
        "systemusers?$filter=azureactivedirectoryobjectid eq '0d5b6a1c-2f3e-4a4d-8c5b-7e6f5a4b3c2d'",
        "systemusers?$expand=shoes_association($select=size)",
        "systemusers?$expand=systemuserroles_association($select=size)",
        "roles?$apply=aggregate",
    ] {
        let got = visit.dataverse(Method::GET, SALES_HOST, path, None).await;
        assert_eq!((got.status, got.code().as_str()), (400, "0x80060888"), "{path}");
    }
    assert_eq!(visit.dataverse(Method::GET, SALES_HOST, "accounts", None).await.status, 404);
    let token = visit.token(&format!("https://{SALES_HOST}")).await;
    let impersonating = visit
        .client
        .get(format!("https://{SALES_HOST}/api/data/v9.2/WhoAmI"))
        .bearer_auth(token)
        .header("CallerObjectId", ACCOUNT_ID);
    assert_eq!(visit.send(impersonating).await.status, 501);
}

#[tokio::test]
async fn the_access_mode_is_set_but_not_of_an_application() {
    let visit = contoso().await;
    visit.enroll(SALES).await;
    let id = async |filter: String| {
        visit
            .dataverse(Method::GET, SALES_HOST, &format!("systemusers?$filter={filter}&$select=accessmode"), None)
            .await
            .json()["value"][0]["systemuserid"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let (account, own) = (
        id(format!("azureactivedirectoryobjectid eq {ACCOUNT_ID}")).await,
        id(format!("applicationid eq {APP}")).await,
    );
    let set = async |id: &str, body: Value| {
        visit.dataverse(Method::PATCH, SALES_HOST, &format!("systemusers({id})"), Some(body)).await.status
    };
    assert_eq!(set(&account, json!({ "accessmode": 4 })).await, 204);
    assert_eq!(set(&account, json!({ "accessmode": 9 })).await, 400);
    assert_eq!(set(&account, json!({ "shoesize": 46 })).await, 400);
    assert_eq!(set(&own, json!({ "accessmode": 0 })).await, 400);
    assert_eq!(set("00000000-0000-0000-0000-0000000000aa", json!({ "accessmode": 0 })).await, 404);
    let row = visit
        .dataverse(
            Method::GET,
            SALES_HOST,
            &format!("systemusers(azureactivedirectoryobjectid={ACCOUNT_ID})?$select=accessmode"),
            None,
        )
        .await
        .json();
    assert_eq!(row["accessmode"], 4);
}

#[tokio::test]
async fn roles_come_through_teams_too_even_without_a_row() {
    let visit = contoso_with(&[
        ("    role_assignments:\n", "    groups:\n      - { name: Makers, members: [svc-backup@contoso.com] }\n    role_assignments:\n"),
        ("        host: contoso-test.crm4.dynamics.com\n", "        host: contoso-test.crm4.dynamics.com\n        teams:\n          - { name: Makers Team, group: Makers, roles: [System Administrator] }\n"),
    ])
    .await;
    visit.enroll(TEST).await;
    let roles = visit
        .dataverse(
            Method::GET,
            TEST_HOST,
            &format!("RetrieveAadUserRoles(DirectoryObjectId={ACCOUNT_ID})?$select=name,roleid"),
            None,
        )
        .await
        .json();
    assert_eq!(roles["value"][0]["name"], "System Administrator");
    assert_eq!(add_user(&visit, TEST, ACCOUNT_ID).await.status, 200);
    let row = visit.dataverse(Method::GET, TEST_HOST, &user(ACCOUNT_ID), None).await.json()["value"][0].clone();
    assert!(row["systemuserroles_association"].as_array().unwrap().is_empty(), "its own roles only");
    let teams = visit
        .dataverse(
            Method::GET,
            TEST_HOST,
            &format!("systemusers({})/teammembership_association?$select=name", row["systemuserid"].as_str().unwrap()),
            None,
        )
        .await
        .json();
    let team = teams["value"][0]["teamid"].as_str().unwrap().to_owned();
    let roles = visit
        .dataverse(Method::GET, TEST_HOST, &format!("teams({team})/teamroles_association?$select=name"), None)
        .await
        .json();
    assert_eq!(roles["value"][0]["name"], "System Administrator");
}
