//! Can the main story be played from beginning to end?

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::too_many_lines,
    reason = "a test says so by panicking"
)]

mod common;

use common::*;
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn an_operator_can_enroll_itself_repair_the_account_and_see_the_connector_come() {
    let visit = contoso().await;

    assert_eq!(assignments_of(&visit, ACCOUNT_ID).await.len(), 2);
    let environments = visit.bap(Method::GET, "?api-version=2023-06-01", None).await;
    assert_eq!(environments.json()["value"].as_array().unwrap().len(), 4);

    assert_eq!(visit.dataverse(Method::GET, SERVICE_HOST, "WhoAmI", None).await.code(), "0x80072560");
    visit.enroll(SERVICE).await;
    assert_eq!(visit.dataverse(Method::GET, SERVICE_HOST, "WhoAmI", None).await.status, 200);

    let users = format!(
        "systemusers?$filter=azureactivedirectoryobjectid eq {ACCOUNT_ID}&$select=systemuserid,accessmode,isdisabled,_businessunitid_value&$expand=systemuserroles_association($select=roleid,_roletemplateid_value)"
    );
    let row = visit.dataverse(Method::GET, SERVICE_HOST, &users, None).await.json()["value"][0].clone();
    assert_eq!(row["accessmode"], 0);
    let unit = row["_businessunitid_value"].as_str().unwrap();
    let roles = format!(
        "roles?$filter=_roletemplateid_value eq 627090ff-40a3-4053-8790-584edc5be201 and _businessunitid_value eq {unit}&$select=roleid"
    );
    let role = visit.dataverse(Method::GET, SERVICE_HOST, &roles, None).await.json()["value"][0]["roleid"]
        .as_str()
        .unwrap()
        .to_owned();
    let link = json!({ "@odata.id": format!("https://{SERVICE_HOST}/api/data/v9.2/roles({role})") });
    let path = format!("systemusers({})/systemuserroles_association/$ref", row["systemuserid"].as_str().unwrap());
    assert_eq!(visit.dataverse(Method::POST, SERVICE_HOST, &path, Some(link)).await.status, 204);
    let row = visit.dataverse(Method::GET, SERVICE_HOST, &users, None).await.json()["value"][0].clone();
    assert!(row["systemuserroles_association"].as_array().unwrap().iter().any(|it| it["roleid"] == role.as_str()));

    let connector =
        visit.world.sign_in_for_connector(KEEPIT_ACCOUNT, "Contoso Power Platform", "dynamics365", ACCOUNT).unwrap();
    let devices = visit.keepit_v4(&format!("/users/{KEEPIT_ACCOUNT}/devices")).await.text;
    assert!(devices.contains(&connector) && devices.contains("<accessible>true</accessible>"), "{devices}");
    visit.world.finish_backup(&connector).unwrap();
    let summary = visit.keepit_v4(&format!("/users/{KEEPIT_ACCOUNT}/monitoring/backup/summary")).await.text;
    assert!(summary.contains("<last-complete-snapshot-time>"), "{summary}");
    let health = visit.keepit_v4(&format!("/users/{KEEPIT_ACCOUNT}/devices/health?reason=true")).await.text;
    assert!(health.contains("<health>healthy</health><reason>OK</reason>"), "{health}");

    visit.world.remove_directory_role(ACCOUNT, "Global Administrator").unwrap();
    assert_eq!(assignments_of(&visit, ACCOUNT_ID).await, [DYNAMICS_ADMINISTRATOR]);
    let writes: Vec<String> =
        visit.world.writes().iter().map(|call| format!("{} {}", call.method, call.status)).collect();
    assert_eq!(writes, ["POST 200", "POST 204"]);
}
