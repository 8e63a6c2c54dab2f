//! Does a connector at Keepit live, age, break and heal as the facts say?

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says so by panicking")]

mod common;

use backstay_world::PLANTED_PASSWORD;
use common::*;
use reqwest::Method;
use serde_json::json;

fn connector(visit: &Visit) -> String {
    visit.world.sign_in_for_connector(KEEPIT_ACCOUNT, "Contoso PP", "dynamics365", ACCOUNT).unwrap()
}

fn devices(path: &str) -> String {
    format!("/users/{KEEPIT_ACCOUNT}/devices{path}")
}

async fn health(visit: &Visit, id: &str) -> String {
    visit.keepit_v4(&devices(&format!("/{id}/health?reason=true"))).await.text
}

/// Sends XML.
async fn xml(visit: &Visit, method: Method, path: &str, body: impl Into<reqwest::Body>) -> Got {
    visit.send(visit.keepit(method, path).header("content-type", "application/xml").body(body)).await
}

#[tokio::test]
async fn a_person_without_the_roles_is_told_so() {
    let visit = contoso().await;
    let sign_in = || {
        visit
            .world
            .sign_in_for_connector(KEEPIT_ACCOUNT, "Contoso PP", "dynamics365", ACCOUNT)
            .map_err(|error| error.to_string())
    };
    visit.world.remove_directory_role(ACCOUNT, "Dynamics 365 Administrator").unwrap();
    assert!(sign_in().unwrap_err().contains("does not have the role Dynamics 365 Administrator"));
    visit.world.grant_directory_role(ACCOUNT, "Dynamics 365 Administrator").unwrap();
    visit.world.remove_directory_role(ACCOUNT, "Global Administrator").unwrap();
    assert!(sign_in().unwrap_err().contains("Global Administrator"));
    visit.world.grant_directory_role(ACCOUNT, "Global Administrator").unwrap();
    visit.world.act("disable-user", json!({ "user": ACCOUNT })).unwrap();
    assert!(sign_in().unwrap_err().contains("AADSTS50057"));
    visit.world.act("enable-user", json!({ "user": ACCOUNT })).unwrap();
    visit.world.act("remove-license", json!({ "user": ACCOUNT, "sku": "DYN365_ENTERPRISE_SALES" })).unwrap();
    assert!(sign_in().unwrap_err().contains("no valid Dynamics 365 license"));
    visit.world.act("assign-license", json!({ "user": ACCOUNT, "sku": "DYN365_ENTERPRISE_SALES" })).unwrap();
    sign_in().unwrap();
    assert!(sign_in().unwrap_err().contains("already"));
}

#[tokio::test]
async fn what_carries_the_authorization_kills_it_when_it_goes() {
    let visit = contoso().await;
    let id = connector(&visit);
    assert!(health(&visit, &id).await.contains("<health>healthy</health>"));
    visit.world.break_authorization(&id).unwrap();
    assert!(health(&visit, &id).await.contains("<health>critical</health><reason>BADTOKEN</reason>"));
    assert!(visit.world.finish_backup(&id).is_err(), "it cannot succeed");

    // Taking Global Administrator away does no harm, but a new sign-in needs it.
    visit.world.remove_directory_role(ACCOUNT, "Global Administrator").unwrap();
    assert!(visit.world.reauthenticate(&id, ACCOUNT).is_err());
    visit.world.grant_directory_role(ACCOUNT, "Global Administrator").unwrap();
    visit.world.reauthenticate(&id, ACCOUNT).unwrap();
    visit.world.remove_directory_role(ACCOUNT, "Global Administrator").unwrap();
    assert!(health(&visit, &id).await.contains("<reason>OK</reason>"));

    let replaced = visit.world.act("replace-user", json!({ "user": ACCOUNT })).unwrap();
    assert_ne!(replaced["id"], ACCOUNT_ID);
    assert!(health(&visit, &id).await.contains("BADTOKEN"), "the name is the same, the account is not");
}

#[tokio::test]
async fn health_goes_down_as_backups_get_old() {
    let visit = contoso().await;
    let id = connector(&visit);
    visit.world.finish_backup(&id).unwrap();
    for (hours, expected) in
        [(0, "<health>healthy</health>"), (25, "<health>unhealthy</health>"), (24, "<health>critical</health>")]
    {
        visit.world.act("age-backups", json!({ "connector": id, "hours": hours })).unwrap();
        assert!(health(&visit, &id).await.contains(expected), "{hours}");
    }
    visit.world.act("set-health", json!({ "connector": id, "state": "unhealthy", "reason": "QUOTAVIOLATED" })).unwrap();
    assert!(health(&visit, &id).await.contains("QUOTAVIOLATED"));
}

#[tokio::test]
async fn the_first_backup_can_come_by_itself() {
    let visit = contoso_switched("{ first_backup_after_reads: 1 }").await;
    let id = connector(&visit);
    let latest = devices(&format!("/{id}/history/latest"));
    assert!(!visit.keepit_v4(&latest).await.text.contains("<backup>"));
    assert!(visit.keepit_v4(&latest).await.text.contains("<type>c</type>"));
    assert!(visit.keepit_v4(&devices(&format!("/{id}/jobs"))).await.text.contains("<state>successful</state>"));
}

#[tokio::test]
async fn the_list_carries_secrets_and_what_is_hidden() {
    let visit = contoso().await;
    let id = connector(&visit);
    let list = visit.keepit_v4(&devices("")).await.text;
    assert!(list.contains(PLANTED_PASSWORD) && list.contains("<orglink>"));
    visit.world.act("hide-connector", json!({ "connector": id })).unwrap();
    assert!(visit.keepit_v4(&devices("")).await.text.contains("<accessible>false</accessible>"));
    assert_eq!(visit.keepit_v4(&devices(&format!("/{id}/health"))).await.status, 403);
    assert!(!visit.keepit_v4(&devices("/health?reason=true")).await.text.contains(&id));
    visit.world.act("share-connector", json!({ "connector": id, "login": "ops@contoso.com" })).unwrap();
    assert!(
        visit.keepit_v4(&devices("")).await.text.contains("<accessible>true</accessible>"),
        "what the person sees, their token sees"
    );
}

/// What a further connector of the tenant is created with.
fn cloud(name: &str, orglink: &str) -> String {
    format!("<cloud><type>dynamics365</type><name>{name}</name><orglink>{orglink}</orglink></cloud>")
}

#[tokio::test]
async fn a_further_connector_takes_the_orglink_of_the_first() {
    let visit = contoso().await;
    connector(&visit);
    let list = visit.keepit_v4(&devices("")).await.text;
    let link = list.split("<orglink>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    let create = async |body: String| xml(&visit, Method::POST, &devices("/"), body).await;

    assert_eq!(create(cloud("Second &amp; last", "unknown")).await.status, 400);
    assert_eq!(create(cloud("", &link)).await.status, 400);
    let made = create(cloud("Second &amp; last", &link)).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let id = made.headers["location"].to_str().unwrap().rsplit('/').next().unwrap().to_owned();
    assert_eq!(create(cloud("Second &amp; last", &link)).await.status, 409);
    let one = visit.keepit_v4(&devices(&format!("/{id}"))).await.text;
    assert!(one.contains("<name>Second &amp; last</name>"));
    let pending = health(&visit, &id).await;
    assert!(pending.contains("INITIAL_CONFIGURATION_PENDING"), "nobody has configured it");
    let config = visit.keepit(Method::PUT, &devices(&format!("/{id}/attributes/ng_backup_config")));
    visit.send(config.header("content-type", "application/octet-stream").body("{}")).await;
    let shared = health(&visit, &id).await;
    assert!(shared.contains("<reason>OK</reason>"), "the consent is shared");
}

#[tokio::test]
async fn a_connector_is_changed_shared_and_deleted_by_the_api() {
    let visit = contoso().await;
    let id = connector(&visit);
    let one = devices(&format!("/{id}"));
    let change = "<cloud><name>Third</name><backup-retention>P2Y</backup-retention></cloud>";
    assert_eq!(xml(&visit, Method::PUT, &one, change).await.status, 200);
    let changed = visit.keepit_v4(&one).await.text;
    assert!(changed.contains("<name>Third</name><type>"));
    assert!(changed.contains("<backup-retention>P2Y</backup-retention>"));

    let attribute = format!("{one}/attributes/disable_backup");
    let put = visit.keepit(Method::PUT, &attribute).header("content-type", "text/plain");
    assert_eq!(visit.send(put.body("1")).await.status, 200);
    assert_eq!(visit.keepit_v4(&attribute).await.text, "1");
    assert_eq!(visit.send(visit.keepit(Method::DELETE, &attribute)).await.status, 200);
    assert_eq!(visit.keepit_v4(&attribute).await.status, 404);

    let access = format!("{one}/access_list");
    for (login, status) in [("ops@contoso.com", 200), ("stranger", 404)] {
        let member = format!("<member><aname>{login}</aname></member>");
        assert_eq!(xml(&visit, Method::POST, &access, member).await.status, status);
    }

    assert_eq!(visit.send(visit.keepit(Method::DELETE, &one)).await.status, 200);
    assert!(!visit.keepit_v4(&devices("")).await.text.contains(&id));
    assert!(visit.keepit_v4(&devices("?all=1")).await.text.contains("<deletion-deadline>"));
}

#[tokio::test]
async fn one_job_at_a_time_and_a_query_by_put_is_no_write() {
    let visit = contoso().await;
    let id = connector(&visit);
    let jobs = devices(&format!("/{id}/jobs"));
    let start =
        "<job><type>backup</type><description>now</description><immediate/><commands><backup/></commands></job>";
    let busy = xml(&visit, Method::POST, &format!("{jobs}/"), start).await;
    assert!(
        busy.status == 409 && busy.text.contains("<code>RUNNING_JOB</code>") && busy.text.contains("<start-time>"),
        "{}",
        busy.text
    );
    visit.world.finish_backup(&id).unwrap();
    assert_eq!(xml(&visit, Method::POST, &format!("{jobs}/"), start).await.status, 201);
    visit.world.clear_calls();
    assert_eq!(
        xml(&visit, Method::PUT, &jobs, "<filter><from-time>2026-01-01T00:00:00Z</from-time></filter>").await.status,
        200
    );
    assert_eq!(xml(&visit, Method::PUT, &jobs, "<filter/>").await.status, 400);
    assert!(visit.world.writes().is_empty());
}

#[tokio::test]
async fn a_role_that_only_reads_writes_nothing() {
    let visit = contoso().await;
    let id = connector(&visit);
    visit.world.act("set-token-role", json!({ "login": "backstay-api-token", "role": "AuditAdmin" })).unwrap();
    assert_eq!(visit.keepit_v4(&devices(&format!("/{id}"))).await.status, 200);
    let got = visit.send(visit.keepit(Method::DELETE, &devices(&format!("/{id}")))).await;
    assert_eq!((got.status, got.text.as_str()), (403, "Forbidden"));
    assert_eq!(visit.world.writes().len(), 1, "asking is a write, too");
}
