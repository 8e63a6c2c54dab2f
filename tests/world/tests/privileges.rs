//! Does Dataverse tell how deep an account may read, and can a reader's role be made?

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says so by panicking")]

mod common;

use common::*;
use reqwest::Method;
use serde_json::{Value, json};

/// The account has a role of its own and one of a team; the operator's app is System Administrator.
async fn with_roles() -> Visit {
    let service = "        host: contoso-service.crm4.dynamics.com\n        users:\n";
    let roles = "        host: contoso-service.crm4.dynamics.com\n        roles:\n          - name: Backup\n            privileges:\n              - { prvReadAccount: Local }\n              - prvReadContact\n              - { name: prvReadOpportunity, depth: Global, record_filter: open_only }\n          - { name: All Accounts, privileges: [prvReadAccount, { prvReadActivity: Basic }] }\n        teams:\n          - { name: Backup Team, members: [svc-backup@contoso.com], roles: [All Accounts] }\n        tables:\n          - { name: cr1_setting, ownership: organization }\n          - { name: cr1_project, lookups: [{ attribute: cr1_account, table: account, name: cr1_project_account }] }\n        users:\n";
    let visit = contoso_with(&[
        (service, roles),
        (
            "          # There, but not System Administrator.\n          - { user: svc-backup@contoso.com, roles: [Basic User] }\n",
            "          - { user: svc-backup@contoso.com, roles: [Backup] }\n",
        ),
    ])
    .await;
    visit.enroll(SERVICE).await;
    visit
}

async fn get(visit: &Visit, path: &str) -> Got {
    visit.dataverse(Method::GET, SERVICE_HOST, path, None).await
}

async fn post(visit: &Visit, path: &str, body: Value) -> Got {
    visit.dataverse(Method::POST, SERVICE_HOST, path, Some(body)).await
}

async fn account_row(visit: &Visit) -> String {
    let path = format!("systemusers?$filter=azureactivedirectoryobjectid eq {ACCOUNT_ID}&$select=systemuserid");
    get(visit, &path).await.json()["value"][0]["systemuserid"].as_str().unwrap().to_owned()
}

fn by_names(row: &str, names: &[&str]) -> String {
    let names = json!(names).to_string();
    format!(
        "systemusers({row})/Microsoft.Dynamics.CRM.RetrieveUserSetOfPrivilegesByNames(PrivilegeNames=@p1)?@p1={names}"
    )
}

fn depths(got: &Got) -> Vec<(String, String)> {
    let rows = got.json()["RolePrivileges"].as_array().unwrap().clone();
    let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    rows.iter().map(|row| (text(row, "PrivilegeName"), text(row, "Depth"))).collect()
}

fn pair(name: &str, depth: &str) -> (String, String) {
    (name.into(), depth.into())
}

#[tokio::test]
async fn a_team_counts_at_its_true_depth_by_name_and_flat_in_the_whole_list() {
    let visit = with_roles().await;
    let row = account_row(&visit).await;
    let got = get(&visit, &by_names(&row, &["prvReadAccount", "prvReadActivity", "prvWriteAccount"])).await;
    assert_eq!(got.status, 200, "{}", got.text);
    assert_eq!(depths(&got), [pair("prvReadAccount", "Global"), pair("prvReadActivity", "Basic")]);
    let whole = get(&visit, &format!("systemusers({row})/Microsoft.Dynamics.CRM.RetrieveUserPrivileges")).await;
    assert!(depths(&whole).contains(&pair("prvReadAccount", "Local")), "the team's Global is told as Basic");
    let path = by_names(&row, &["prvReadAccount", "prvReadActivity"]).replace("@p1)", "@p1,ExcludeTeamBasic=@p2)")
        + "&@p2=true";
    assert_eq!(depths(&get(&visit, &path).await), [pair("prvReadAccount", "Global")]);
}

#[tokio::test]
async fn a_record_filter_is_told() {
    let visit = with_roles().await;
    let row = account_row(&visit).await;
    let got = get(&visit, &by_names(&row, &["prvReadContact", "prvReadOpportunity"])).await.json();
    let rows = got["RolePrivileges"].as_array().unwrap();
    assert_eq!(rows[0]["RecordFilterId"], "00000000-0000-0000-0000-000000000000");
    assert_eq!(rows[1]["RecordFilterUniqueName"], "open_only");
    assert_ne!(rows[1]["RecordFilterId"], rows[0]["RecordFilterId"]);
    visit.world.act("set-switch", json!({ "name": "record_filter_null", "value": true })).unwrap();
    assert!(
        get(&visit, &by_names(&row, &["prvReadContact"])).await.json()["RolePrivileges"][0]["RecordFilterId"].is_null()
    );
}

#[tokio::test]
async fn too_many_names_do_not_fit_and_a_wrong_call_is_refused() {
    let visit = with_roles().await;
    let row = account_row(&visit).await;
    let names: Vec<String> = (0..100).map(|i| format!("prvReadTableNumber{i}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(get(&visit, &by_names(&row, &names)).await.status, 414);
    assert_eq!(get(&visit, &by_names(&row, &names[..40])).await.status, 200);
    let function = format!("systemusers({row})/Microsoft.Dynamics.CRM.");
    assert_eq!(
        get(&visit, &format!("{function}RetrieveUserSetOfPrivilegesByNames(PrivilegeNames=@p1)?@p1='prvReadUser'"))
            .await
            .status,
        400
    );
    assert_eq!(get(&visit, &format!("{function}RetrieveEverything")).await.status, 404);
    assert_eq!(
        get(&visit, &format!("systemusers({row})/RetrieveUserPrivileges")).await.status,
        404,
        "the full name only"
    );
}

#[tokio::test]
async fn tables_tell_their_privileges_and_their_relatives() {
    let visit = with_roles().await;
    let got = get(&visit, "EntityDefinitions(LogicalName='task')?$select=LogicalName,Privileges").await.json();
    let read = |table: &Value| {
        table["Privileges"].as_array().unwrap().iter().find(|it| it["PrivilegeType"] == "Read").unwrap().clone()
    };
    assert_eq!((&read(&got)["Name"], &read(&got)["CanBeBasic"]), (&json!("prvReadActivity"), &json!(true)));
    let own = get(&visit, "EntityDefinitions(LogicalName='cr1_setting')?$select=LogicalName,OwnershipType,Privileges")
        .await
        .json();
    assert_eq!((&own["OwnershipType"], &read(&own)["CanBeLocal"]), (&json!("OrganizationOwned"), &json!(false)));
    assert!(!own["Privileges"].to_string().contains("Share"));

    let path = "EntityDefinitions(LogicalName='account')/ManyToOneRelationships?$select=ReferencedEntity,ReferencingEntity,ReferencingAttribute,SchemaName";
    let one = get(&visit, path).await.json();
    assert!(one["value"].as_array().unwrap().iter().all(|row| row["ReferencingEntity"] == "account"));
    assert!(
        one["value"]
            .as_array()
            .unwrap()
            .iter()
            .any(|row| row["SchemaName"] == "account_primary_contact" && row["ReferencedEntity"] == "contact")
    );
    let many = get(&visit, &path.replace("ManyToOne", "OneToMany")).await.json();
    assert!(many["value"].as_array().unwrap().iter().any(|row| row["SchemaName"] == "cr1_project_account"));

    let unknown = get(&visit, "EntityDefinitions(LogicalName='spaceship')?$select=LogicalName").await;
    assert_eq!((unknown.status, unknown.code().as_str()), (404, "0x80060888"));
    assert_eq!(get(&visit, "EntityDefinitions(LogicalName='account')?$select=Engine").await.status, 400);
    assert_eq!(
        get(&visit, "EntityDefinitions(LogicalName='account')/ManyToOneRelationships?$select=Engine").await.status,
        400
    );
}

const READER: &str = "d0000000-1111-4222-8333-444455556666";

#[tokio::test]
async fn an_administrator_makes_a_role_that_can_only_read() {
    let visit = contoso_with(&[(
        "        management_application: true\n",
        &format!("        management_application: true\n      - {{ client_id: {READER}, name: Reader, secrets: [{{ value: reader-secret }}] }}\n"),
    )])
    .await;
    visit.enroll(SERVICE).await;
    let unit = get(&visit, "WhoAmI").await.json()["BusinessUnitId"].as_str().unwrap().to_owned();
    assert_eq!(get(&visit, "businessunits?$select=name").await.json()["value"][0]["businessunitid"], unit.as_str());
    let bind = format!("/businessunits({unit})");
    let made = post(&visit, "roles", json!({ "name": "Backstay Reader", "businessunitid@odata.bind": bind })).await;
    assert_eq!(made.status, 204, "{}", made.text);
    let role_url = made.headers["odata-entityid"].to_str().unwrap().to_owned();
    let role = role_url.split_once("/v9.2/").unwrap().1.to_owned();
    assert_eq!(
        post(&visit, "roles", json!({ "name": "Backstay Reader", "businessunitid@odata.bind": bind })).await.status,
        412
    );

    let mut privileges = Vec::new();
    for name in ["prvReadUser", "prvReadRole"] {
        let path = format!("privileges?$filter=name eq '{name}'&$select=privilegeid,name");
        let found = get(&visit, &path).await.json();
        privileges.push(json!({ "PrivilegeId": found["value"][0]["privilegeid"], "Depth": "Global" }));
    }
    let add = format!("{role}/Microsoft.Dynamics.CRM.AddPrivilegesRole");
    assert_eq!(
        post(&visit, &add, json!({ "Privileges": [{ "PrivilegeId": READER, "Depth": "Global" }] })).await.status,
        400
    );
    assert_eq!(post(&visit, &add, json!({ "Privileges": privileges })).await.status, 204);
    let id = role.trim_start_matches("roles(").trim_end_matches(')').to_owned();
    let carried = get(&visit, &format!("RetrieveRolePrivilegesRole(RoleId={id})")).await;
    // Nine came with the role.
    let own = depths(&carried).split_off(9);
    assert_eq!(own, [pair("prvReadUser", "Global"), pair("prvReadRole", "Global")]);

    let user = json!({ "applicationid": READER, "businessunitid@odata.bind": bind });
    let made = post(&visit, "systemusers", user.clone()).await;
    assert_eq!(made.status, 204, "{}", made.text);
    assert_eq!(post(&visit, "systemusers", user).await.status, 412);
    let row = made.headers["odata-entityid"].to_str().unwrap().split_once("/v9.2/").unwrap().1.to_owned();
    let given =
        post(&visit, &format!("{row}/systemuserroles_association/$ref"), json!({ "@odata.id": role_url })).await;
    assert_eq!(given.status, 204, "{}", given.text);

    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", READER),
        ("client_secret", "reader-secret"),
        ("scope", "https://contoso-service.crm4.dynamics.com/.default"),
    ];
    let token = visit.token_request(TENANT, &fields).await.json()["access_token"].as_str().unwrap().to_owned();
    let as_reader = async |method: Method, path: &str, body: Option<Value>| {
        visit.call(method, &format!("https://{SERVICE_HOST}/api/data/v9.2/{path}"), &token, body).await
    };
    assert_eq!(as_reader(Method::GET, "systemusers?$select=fullname", None).await.status, 200);
    assert_eq!(as_reader(Method::GET, "roles?$select=name", None).await.status, 200);
    for (path, privilege) in
        [("businessunits", "prvReadBusinessUnit"), (&format!("{row}/teammembership_association"), "prvReadTeam")]
    {
        let got = as_reader(Method::GET, path, None).await;
        assert!(got.code() == "0x80040220" && got.text.contains(privilege), "{}", got.text);
    }
    assert_eq!(
        as_reader(Method::POST, "roles", Some(json!({ "name": "King", "businessunitid@odata.bind": bind })))
            .await
            .code(),
        "0x80040220"
    );
    assert_eq!(as_reader(Method::POST, &add, Some(json!({ "Privileges": [] }))).await.code(), "0x80040220");
}

#[tokio::test]
async fn microsofts_own_roles_and_bodies_of_another_kind_are_refused() {
    let visit = contoso().await;
    visit.enroll(SERVICE).await;
    let path = "roles?$filter=_roletemplateid_value eq 627090ff-40a3-4053-8790-584edc5be201&$select=roleid";
    let role = get(&visit, path).await.json()["value"][0]["roleid"].as_str().unwrap().to_owned();
    let got =
        post(&visit, &format!("roles({role})/Microsoft.Dynamics.CRM.AddPrivilegesRole"), json!({ "Privileges": [] }))
            .await;
    assert_eq!(got.status, 403);
    let unit = get(&visit, "WhoAmI").await.json()["BusinessUnitId"].as_str().unwrap().to_owned();
    let bind = format!("/businessunits({unit})");
    for body in [
        json!({ "name": "A" }),
        json!({ "name": "A", "businessunitid@odata.bind": "/businessunits(00000000-0000-0000-0000-0000000000aa)" }),
        json!({ "name": "A", "businessunitid@odata.bind": bind, "shoesize": 46 }),
    ] {
        assert_eq!(post(&visit, "roles", body).await.status, 400);
    }
    let person = json!({ "azureactivedirectoryobjectid": ACCOUNT_ID, "businessunitid@odata.bind": bind });
    assert_eq!(post(&visit, "systemusers", person).await.status, 400);
}

#[tokio::test]
async fn a_softly_deleted_application_user_is_in_the_way() {
    let visit = contoso().await;
    visit.enroll(SERVICE).await;
    let words = json!({ "environment": "Contoso Service", "app": APP });
    visit.world.act("delete-application-user", words.clone()).unwrap();
    assert_eq!(get(&visit, "WhoAmI").await.code(), "0x80072560");
    let body = json!({ "servicePrincipalAppId": APP });
    let got = visit.bap(Method::POST, &format!("/{SERVICE}/addAppUser?api-version=2020-10-01"), Some(body)).await;
    assert_eq!(got.status, 400, "{}", got.text);
    assert!(visit.world.act("add-application-user", words.clone()).is_err());
    visit.world.act("restore-application-user", words).unwrap();
    let path = format!("systemusers?$filter=applicationid eq {APP}&$select=deletedstate,applicationid");
    assert_eq!(get(&visit, &path).await.json()["value"][0]["deletedstate"], 0);
    let listed = get(&visit, &format!("applicationusers?$filter=applicationid eq {APP}&$select=applicationid")).await;
    assert_eq!(listed.json()["value"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn seven_are_non_interactive_and_no_more() {
    let people: Vec<String> = (0..8)
        .map(|i| {
            format!("      - {{ id: aaaaaaaa-0000-4000-8000-00000000000{i}, principal_name: p{i}@contoso.com }}\n")
        })
        .collect();
    let rows: Vec<String> =
        (0..7).map(|i| format!("          - {{ user: p{i}@contoso.com, access_mode: 4 }}\n")).collect();
    let visit = contoso_with(&[
        ("    role_assignments:\n", &format!("{}    role_assignments:\n", people.concat())),
        ("          # There, but not System Administrator.\n", &rows.concat()),
    ])
    .await;
    visit.enroll(SERVICE).await;
    let row = account_row(&visit).await;
    let mode = async |mode: i64| {
        let body = json!({ "accessmode": mode });
        visit.dataverse(Method::PATCH, SERVICE_HOST, &format!("systemusers({row})"), Some(body)).await
    };
    let got = mode(4).await;
    assert!(got.status == 400 && got.text.contains('7'), "{}", got.text);
    assert_eq!(mode(1).await.status, 204);
    // Whether Read-Write is refused without a licence is not in the facts: here it is not.
    visit.world.act("remove-license", json!({ "user": ACCOUNT, "sku": "DYN365_ENTERPRISE_SALES" })).unwrap();
    assert_eq!(mode(0).await.status, 204);
}

#[tokio::test]
async fn a_wrong_privilege_in_the_file_is_told() {
    let service = "        host: contoso-service.crm4.dynamics.com\n";
    for (privileges, piece) in
        [("[prvReadSpaceship]", "prvReadSpaceship"), ("[{ prvReadCr1_setting: Basic }]", "depth")]
    {
        let yaml = backstay_world::CONTOSO.replacen(service, &format!("{service}        tables: [{{ name: cr1_setting, ownership: organization }}]\n        roles: [{{ name: X, privileges: {privileges} }}]\n"), 1);
        let why = backstay_world::World::start(&yaml).await.err().expect("refused").to_string();
        assert!(why.contains(piece), "{why}");
    }
}
