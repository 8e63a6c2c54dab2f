//! Who gets into which environment?

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says so by panicking")]

mod common;

use common::*;
use reqwest::Method;
use serde_json::json;

const TEST: &str = "11111111-aaaa-4bbb-8ccc-000000000003";
const TEST_HOST: &str = "contoso-test.crm4.dynamics.com";
const JANE_ID: &str = "5e4d3c2b-1a09-4f8e-8d7c-6b5a49382716";
const BREAKGLASS_ID: &str = "b7e1f0a2-5c4d-4e3f-9b8a-1d2c3b4a5f60";

fn user(id: &str) -> String {
    format!(
        "systemusers?$filter=azureactivedirectoryobjectid eq {id}&$select=systemuserid,accessmode,isdisabled,setupuser&$expand=systemuserroles_association($select=roleid,name)"
    )
}

async fn add_user(visit: &Visit, environment: &str, id: &str) -> Got {
    visit
        .bap(Method::POST, &format!("/{environment}/addUser?api-version=2023-06-01"), Some(json!({ "objectId": id })))
        .await
}

#[tokio::test]
async fn environments_need_a_version_and_a_registered_app() {
    let visit = contoso().await;
    let got = visit.bap(Method::GET, "", None).await;
    assert_eq!((got.status, got.code().as_str()), (400, "MissingApiVersionParameter"));
    assert_eq!(visit.bap(Method::GET, "?api-version=2016-11-01", None).await.status, 400);
    assert_eq!(visit.bap(Method::GET, "/nowhere?api-version=2023-06-01", None).await.status, 404);
    assert_eq!(
        visit.bap(Method::GET, &format!("/{SALES}?api-version=2023-06-01"), None).await.json()["properties"]["displayName"],
        "Contoso Sales"
    );

    visit.world.act("unregister-management-application", json!({ "app": "Backstay" })).unwrap();
    let got = visit.bap(Method::GET, "?api-version=2023-06-01", None).await;
    assert_eq!(got.status, 403);
    assert!(got.text.contains("does not have permission to access the path"), "{}", got.text);
}

#[tokio::test]
async fn an_app_cannot_register_itself() {
    let visit = contoso().await;
    let token = visit.token("https://service.powerapps.com").await;
    let url = format!(
        "https://api.bap.microsoft.com/providers/Microsoft.BusinessAppPlatform/adminApplications/{APP}?api-version=2020-10-01"
    );
    assert_eq!(visit.call(Method::PUT, &url, &token, None).await.status, 403);
}

#[tokio::test]
async fn environments_come_in_pages_if_switched_on() {
    let visit = contoso_switched("{ bap_page_size: 3 }").await;
    let first = visit.bap(Method::GET, "?api-version=2023-06-01", None).await.json();
    assert_eq!(first["value"].as_array().unwrap().len(), 3);
    let token = visit.token("https://service.powerapps.com").await;
    let second = visit.call(Method::GET, first["nextLink"].as_str().unwrap(), &token, None).await.json();
    assert_eq!(second["value"].as_array().unwrap().len(), 1);
    assert!(second.get("nextLink").is_none());
    assert!(second["value"][0]["properties"]["linkedEnvironmentMetadata"].is_null(), "no Dataverse");
}

#[tokio::test]
async fn an_app_is_no_member_until_it_is_added() {
    let visit = contoso_switched("{ lag: { new_row_reads: 1 } }").await;
    let got = visit.dataverse(Method::GET, TEST_HOST, "WhoAmI", None).await;
    assert_eq!((got.status, got.code().as_str()), (403, "0x80072560"));
    visit.enroll(TEST).await;
    visit.enroll(TEST).await;
    assert_eq!(
        visit.dataverse(Method::GET, TEST_HOST, "WhoAmI", None).await.code(),
        "0x80072560",
        "the row comes later"
    );
    assert_eq!(visit.dataverse(Method::GET, TEST_HOST, "WhoAmI", None).await.status, 200);
    let own = visit
        .dataverse(
            Method::GET,
            TEST_HOST,
            &format!("systemusers?$filter=applicationid eq {APP}&$expand=systemuserroles_association($select=name)"),
            None,
        )
        .await
        .json();
    assert_eq!(own["value"].as_array().unwrap().len(), 1);
    assert_eq!(own["value"][0]["systemuserroles_association"][0]["name"], "System Administrator");
    assert_eq!(own["value"][0]["accessmode"], 4);
}

#[tokio::test]
async fn a_user_gets_in_licensed_or_for_set_up_or_not_at_all() {
    let visit = contoso().await;
    visit.enroll(TEST).await;
    assert_eq!(add_user(&visit, TEST, ACCOUNT_ID).await.status, 200);
    let row = visit.dataverse(Method::GET, TEST_HOST, &user(ACCOUNT_ID), None).await.json()["value"][0].clone();
    assert_eq!((row["accessmode"].as_i64(), row["isdisabled"].as_bool()), (Some(0), Some(false)));

    // An administrator without licence is let in to set up only.
    assert_eq!(add_user(&visit, TEST, BREAKGLASS_ID).await.status, 200);
    let row = visit.dataverse(Method::GET, TEST_HOST, &user(BREAKGLASS_ID), None).await.json()["value"][0].clone();
    assert_eq!((row["accessmode"].as_i64(), row["setupuser"].as_bool()), (Some(1), Some(true)));

    visit.world.act("remove-license", json!({ "user": "jane@contoso.com", "sku": "DYN365_ENTERPRISE_SALES" })).unwrap();
    let got = add_user(&visit, SERVICE, JANE_ID).await;
    assert!(got.status == 400 && got.text.contains("userNotLicensed"), "{}", got.text);
    assert_eq!(add_user(&visit, TEST, "00000000-0000-0000-0000-0000000000aa").await.status, 404);
    assert_eq!(add_user(&visit, "11111111-aaaa-4bbb-8ccc-000000000004", ACCOUNT_ID).await.status, 400, "no Dataverse");
}

#[tokio::test]
async fn a_fresh_licence_is_not_known_at_once() {
    let visit = contoso_switched("{ lag: { license_attempts: 1 } }").await;
    visit.world.act("remove-license", json!({ "user": "jane@contoso.com", "sku": "DYN365_ENTERPRISE_SALES" })).unwrap();
    visit.world.act("assign-license", json!({ "user": "jane@contoso.com", "sku": "DYN365_ENTERPRISE_SALES" })).unwrap();
    assert!(add_user(&visit, SERVICE, JANE_ID).await.text.contains("userNotLicensed"));
    assert_eq!(add_user(&visit, SERVICE, JANE_ID).await.status, 200);
}

#[tokio::test]
async fn a_security_group_shuts_out_who_is_not_in_it_unless_exempt() {
    let visit = contoso_with(&[
        ("    role_assignments:\n", "    groups:\n      - { name: Allowed }\n    role_assignments:\n"),
        (
            "        host: contoso-service.crm4.dynamics.com\n",
            "        host: contoso-service.crm4.dynamics.com\n        security_group: Allowed\n",
        ),
    ])
    .await;
    visit.enroll(SERVICE).await;
    let disabled = async || {
        visit.dataverse(Method::GET, SERVICE_HOST, &user(ACCOUNT_ID), None).await.json()["value"][0]["isdisabled"]
            .as_bool()
            .unwrap()
    };
    assert!(!disabled().await, "Global Administrators are exempt");
    visit.world.remove_directory_role(ACCOUNT, "Global Administrator").unwrap();
    assert!(disabled().await, "Dynamics 365 Administrators are not");
    visit.world.grant_directory_role(ACCOUNT, "Power Platform Administrator").unwrap();
    assert!(!disabled().await);
    visit.world.remove_directory_role(ACCOUNT, "Power Platform Administrator").unwrap();
    visit.world.act("add-to-group", json!({ "user": ACCOUNT, "group": "Allowed" })).unwrap();
    assert!(!disabled().await);
}

#[tokio::test]
async fn an_environment_can_be_away() {
    let visit = contoso().await;
    visit.enroll(SALES).await;
    visit.world.act("set-runtime", json!({ "environment": "Contoso Sales", "runtime": "AdminMode" })).unwrap();
    assert_eq!(
        visit.dataverse(Method::GET, SALES_HOST, "WhoAmI", None).await.status,
        200,
        "System Administrators get in"
    );
    visit
        .world
        .act("remove-security-role", json!({ "environment": SALES, "app": APP, "role": "System Administrator" }))
        .unwrap();
    assert_eq!(visit.dataverse(Method::GET, SALES_HOST, "WhoAmI", None).await.status, 403);
    visit.world.act("set-runtime", json!({ "environment": SALES, "runtime": "Disabled" })).unwrap();
    assert_eq!(visit.dataverse(Method::GET, SALES_HOST, "WhoAmI", None).await.status, 503);
    let states =
        visit.bap(Method::GET, &format!("/{SALES}?api-version=2023-06-01"), None).await.json()["properties"]["states"]
            ["runtime"]["id"]
            .clone();
    assert_eq!(states, "Disabled");
}
