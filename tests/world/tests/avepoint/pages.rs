//! What do AvePoint's pages let people do, and what do they refuse?

use serde_json::{Value, json};

use super::common::Visit;
use super::{ADA, AUDIT, MODERN_APP, SERVICE_ACCOUNT, TAILSPIN, last_days, tailspin, tailspin_with};

const LABS: &str = "Tailspin Labs";
const KIM: &str = "kim@tailspin.com";

fn profile(kind: &str, user: &str) -> Value {
    json!({ "name": "New", "kind": kind, "user": user })
}

#[tokio::test]
async fn a_tenant_is_connected_once_by_a_global_administrator() {
    let start = TAILSPIN.find("    microsoft_tenant:").unwrap();
    let visit = super::common::visit(&format!(
        "{}    registrations: [{{ client_id: {}, name: Backstay, secrets: [{{ value: {} }}], scopes: [audit.read.all] }}]\n  - {{ name: Other, data_center: us }}\n",
        &TAILSPIN[..start],
        super::CLIENT,
        super::SECRET
    ))
    .await;
    let why = visit.refused("create-app-profile", profile("modern", ADA));
    assert!(why.contains("no Microsoft tenant is connected"), "{why}");
    let connect = |user: &str, aos: &str| json!({ "tenant": "Tailspin", "user": user, "aos": aos });
    let why = visit.refused("connect-microsoft-tenant", connect(KIM, "Tailspin"));
    assert!(why.contains("Need admin approval") && why.contains("Global Administrator"), "{why}");
    visit.act("connect-microsoft-tenant", connect(ADA, "Tailspin"));
    let why = visit.refused("connect-microsoft-tenant", connect(ADA, "Other"));
    assert!(why.contains("Product Support"), "one tenant of Microsoft's for each of AvePoint's: {why}");
    assert!(
        visit.refused("reconnect-microsoft-tenant", json!({ "user": ADA, "aos": "Other" })).contains("no Microsoft")
    );
    visit.act("reconnect-microsoft-tenant", json!({ "user": ADA }));
    let told = visit.api(&format!("/aos/audit?{}", last_days()), AUDIT).await.json();
    let told: Vec<&str> =
        told["data"].as_array().unwrap().iter().map(|row| row["actionName"].as_str().unwrap()).collect();
    assert!(told.contains(&"Connect") && told.contains(&"Reconnect"), "{told:?}");
}

#[tokio::test]
async fn an_app_profile_takes_a_global_administrator_who_can_sign_in() {
    let visit = tailspin().await;
    for (words, piece) in [
        (profile("modern", KIM), "does not have the role Global Administrator"),
        (profile("custom", KIM), "does not have the role Global Administrator"),
        (profile("modern", SERVICE_ACCOUNT), "does not have the role Global Administrator"),
        (profile("modern", "ghost@tailspin.com"), "couldn't find an account"),
        (profile("classic", ADA), "none of modern, custom, service_account"),
        (profile("custom", ADA), "application id"),
        (json!({ "name": "New", "kind": "custom", "user": ADA, "app": "Nothing" }), "prepared in Entra first"),
        (json!({ "name": "Dynamics app", "kind": "modern", "user": ADA }), "already"),
    ] {
        let why = visit.refused("create-app-profile", words);
        assert!(why.contains(piece), "{why}");
    }
    visit.act("disable-user", json!({ "user": ADA }));
    assert!(visit.refused("create-app-profile", profile("modern", ADA)).contains("AADSTS50057"));
}

#[tokio::test]
async fn consenting_brings_the_app_into_the_tenant() {
    let visit = tailspin().await;
    visit.act("remove-vendor-app", json!({ "app": MODERN_APP }));
    let status = |name: &str| visit.act("read-app-profile", json!({ "profile": name }))["status"].clone();
    assert_eq!(status("Dynamics app"), "Invalid");
    visit.act("create-app-profile", profile("modern", ADA));
    assert_eq!((status("New"), status("Dynamics app")), (json!("Active"), json!("Active")));
    let state = visit.world.state();
    let app = state.pointer("/tenants/0/vendor_apps/0").unwrap();
    assert_eq!(app["name"], "AvePoint Cloud Backup for Dynamics Customer Engagement");
    assert_eq!(state.pointer("/tenants/0/consents").unwrap().as_array().unwrap().len(), 2);
    let told = visit.audit("").await;
    assert_eq!((&told["data"][0]["actionName"], &told["data"][0]["objectName"]), (&json!("Create"), &json!("New")));
}

#[tokio::test]
async fn authorizing_again_repairs_a_profile_and_is_another_persons_right_too() {
    let visit = tailspin().await;
    visit.act("change-password", json!({ "user": ADA }));
    visit.act("remove-directory-role", json!({ "user": ADA, "role": "Global Administrator" }));
    let why = visit.refused("reauthorize-app-profile", json!({ "profile": "Dynamics app" }));
    assert!(why.contains("Global Administrator or Privileged Role Administrator"), "{why}");
    visit.act("grant-directory-role", json!({ "user": KIM, "role": "Privileged Role Administrator" }));
    visit.act("reauthorize-app-profile", json!({ "profile": "Dynamics app", "user": KIM }));
    visit.act("change-password", json!({ "user": ADA }));
    let read = |profile: &str| visit.act("read-app-profile", json!({ "profile": profile }))["status"].clone();
    assert_eq!(read("Dynamics app"), "Active", "it hangs on Kim now");

    visit.act("change-password", json!({ "user": SERVICE_ACCOUNT }));
    let other = json!({ "profile": "Dynamics account", "user": KIM });
    assert!(visit.refused("reauthorize-app-profile", other).contains("another profile"));
    visit.act("reauthorize-app-profile", json!({ "profile": "Dynamics account" }));
    assert_eq!(read("Dynamics account"), "Active", "its password was entered again");
    visit.act("set-user-mfa", json!({ "user": SERVICE_ACCOUNT, "mfa": "enabled" }));
    let why = visit.refused("reauthorize-app-profile", json!({ "profile": "Dynamics account" }));
    assert!(why.contains("AADSTS50076") && why.contains("not supported"), "{why}");
    assert!(visit.refused("reauthorize-app-profile", json!({ "profile": "None" })).contains("there is no profile"));
}

#[tokio::test]
async fn an_environment_is_connected_by_name_and_backed_up_after_a_scan() {
    let visit = tailspin().await;
    let add = json!({ "environment": "https://tailspin-labs.crm4.dynamics.com/", "profile": "Dynamics app", "every_hours": 6 });
    let why = visit.refused("add-organization", add.clone());
    assert!(why.contains("no application user"), "{why}");
    visit.act("add-application-user", json!({ "environment": LABS, "app": MODERN_APP, "role": "Basic User" }));
    let why = visit.refused("add-organization", add.clone());
    assert!(why.contains("not System Administrator"), "{why}");
    visit.act("grant-security-role", json!({ "environment": LABS, "app": MODERN_APP, "role": "System Administrator" }));
    visit.act("remove-security-role", json!({ "environment": LABS, "user": ADA, "role": "System Administrator" }));
    let why = visit.refused("add-organization", add.clone());
    assert!(why.contains("self-elevate"), "who consented is no administrator there: {why}");
    visit.act("self-elevate", json!({ "environment": LABS, "user": ADA }));
    visit.act("add-organization", add.clone());
    assert!(visit.refused("add-organization", add).contains("already"));

    visit.advance(24);
    assert!(visit.statuses(LABS).await.is_empty(), "nobody has pressed Scan");
    visit.act("scan-organizations", json!({}));
    assert_eq!(visit.statuses(LABS).await, [2], "the first backup begins at once");
    visit.advance(7);
    assert_eq!(visit.statuses(LABS).await, [3, 3]);

    for (words, piece) in [
        (json!({ "environment": "Nowhere", "profile": "Dynamics app" }), "there is no environment"),
        (json!({ "environment": LABS, "profile": "None" }), "there is no profile"),
        (json!({ "environment": LABS, "profile": "Dynamics account" }), "comes by scanning"),
    ] {
        let why = visit.refused("add-organization", words);
        assert!(why.contains(piece), "{why}");
    }
    visit.act("change-password", json!({ "user": ADA }));
    let why = visit.refused("add-organization", json!({ "environment": LABS, "profile": "Dynamics app" }));
    assert!(why.contains("Invalid") && why.contains("password"), "{why}");
}

#[tokio::test]
async fn organizations_of_a_service_account_move_to_an_app_profile() {
    let visit = tailspin().await;
    let why = visit.refused("move-organization", json!({ "profile": "Dynamics app" }));
    assert!(why.contains("Tailspin Service cannot be connected: the app is no application user"), "{why}");
    assert_eq!(visit.world.state().pointer("/avepoint/0/organizations/0/profile"), Some(&json!("Dynamics account")));
    visit.act("move-organization", json!({ "profile": "Dynamics app", "organization": "Tailspin Sales" }));
    visit.act("disable-user", json!({ "user": SERVICE_ACCOUNT }));
    visit.advance(24);
    assert_eq!(visit.statuses("Tailspin Sales").await, [3, 3], "through the app, with what was there before");
    assert_eq!(visit.statuses("Tailspin Service").await, [4, 3]);
    let again = json!({ "profile": "Dynamics app", "organization": "Tailspin Sales" });
    assert!(
        visit.refused("move-organization", again).contains("no such organization"),
        "there is no way back and forth"
    );
    let back = json!({ "profile": "Dynamics account", "organization": "Tailspin Sales" });
    assert!(visit.refused("move-organization", back).contains("with an app profile"));

    let visit = tailspin().await;
    visit.switch("move_keeps_history", json!(false));
    visit.act("move-organization", json!({ "profile": "Dynamics app", "organization": "Tailspin Sales" }));
    assert!(visit.statuses("Tailspin Sales").await.is_empty());
}

/// Nobody has scanned, and there is a second service account, which sees Labs and Sales only.
async fn unscanned() -> Visit {
    let organizations = &TAILSPIN[TAILSPIN.find("    scan_account:").unwrap()..];
    let visit = tailspin_with(&[
        (organizations, ""),
        ("      - { name: Dynamics account,", "      - { name: Old account, kind: service_account, user: kim@tailspin.com }\n      - { name: Dynamics account,"),
        ("display_name: Kim User\n", "display_name: Kim User\n        licenses: [{ sku: DYN365_ENTERPRISE_SALES }]\n"),
        ("      - { principal: svc-avepoint", "      - { principal: kim@tailspin.com, role: Global Administrator }\n      - { principal: svc-avepoint"),
    ]).await;
    for environment in [LABS, "Tailspin Sales"] {
        let words = json!({ "environment": environment, "user": KIM, "role": "System Administrator" });
        visit.act("add-environment-user", words);
    }
    visit
}

fn account(done: &Value) -> &str {
    done["account"].as_str().unwrap()
}

#[tokio::test]
async fn the_first_scan_takes_whichever_account_and_a_rescan_the_chosen_one() {
    let visit = unscanned().await;
    let first = visit.act("scan-organizations", json!({}));
    let (picked, other) = if account(&first) == KIM { (KIM, SERVICE_ACCOUNT) } else { (SERVICE_ACCOUNT, KIM) };
    assert_eq!(account(&first), picked);
    let found = |done: &Value| done["message"].as_str().unwrap().to_owned();
    assert_eq!(found(&first).contains(LABS), picked == KIM, "only what that account sees");
    assert_eq!(
        account(&visit.act("scan-organizations", json!({}))),
        picked,
        "it stays with the account of the last scan"
    );
    let chosen = visit.act("scan-organizations", json!({ "service_account": other }));
    assert_eq!(account(&chosen), other);
    assert!(found(&chosen).contains(LABS) && found(&chosen).contains("Tailspin Sales"), "{chosen}");
    visit.act("advance", json!({ "minutes": 30 }));
    assert_eq!(visit.statuses(LABS).await, [3]);
    visit.act("disable-user", json!({ "user": picked }));
    visit.advance(24);
    assert_eq!(visit.statuses("Tailspin Sales").await[0], 3, "which both see: the chosen account does it now");
    let only_picked = if picked == KIM { LABS } else { "Tailspin Service" };
    assert_eq!(visit.statuses(only_picked).await[0], 4, "it stays with the account that found it");
    assert_eq!(account(&visit.act("scan-organizations", json!({}))), other);
}

#[tokio::test]
async fn only_accounts_that_can_be_used_are_in_the_list() {
    for (action, words, piece) in [
        (
            "remove-directory-role",
            json!({ "user": KIM, "role": "Global Administrator" }),
            "neither the Global Administrator",
        ),
        ("remove-license", json!({ "user": KIM, "sku": "DYN365_ENTERPRISE_SALES" }), "no Dynamics 365 license"),
        ("set-user-mfa", json!({ "user": KIM, "mfa": "enabled" }), "second factor"),
        ("change-password", json!({ "user": KIM }), "password"),
        ("disable-user", json!({ "user": KIM }), "disabled"),
    ] {
        let visit = unscanned().await;
        visit.act(action, words);
        let why = visit.refused("scan-organizations", json!({ "service_account": KIM }));
        assert!(why.contains("not in the list") && why.contains(piece), "{why}");
        assert_eq!(
            account(&visit.act("scan-organizations", json!({}))),
            SERVICE_ACCOUNT,
            "{action}: nobody else is left"
        );
    }
    let visit = unscanned().await;
    let why = visit.refused("scan-organizations", json!({ "service_account": ADA }));
    assert!(why.contains("no service account"), "{why}");

    let visit = tailspin().await;
    visit.act("disable-user", json!({ "user": SERVICE_ACCOUNT }));
    let why = visit.refused("scan-organizations", json!({}));
    assert!(why.contains("last scan cannot be used"), "{why}");
    let unsubscribed =
        tailspin_with(&[("    data_center: we\n", "    data_center: we\n    dynamics_backup: false\n")]).await;
    assert!(unsubscribed.refused("scan-organizations", json!({})).contains("no subscription"));
}

#[tokio::test]
async fn what_people_do_at_the_product_is_in_the_audit() {
    let visit = tailspin().await;
    visit.act("move-organization", json!({ "profile": "Dynamics app", "organization": "Tailspin Sales" }));
    visit.act("add-application-user", json!({ "environment": LABS, "app": MODERN_APP }));
    visit.act("add-organization", json!({ "environment": LABS, "profile": "Dynamics app" }));
    visit.act("scan-organizations", json!({ "by": "ops@tailspin.com" }));
    let told = visit.audit("&productTypes=CRMBackup").await;
    let mut rows: Vec<(&str, &str, &str)> = told["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| ["actionName", "objectName", "actionUser"].map(|name| row[name].as_str().unwrap()).into())
        .collect();
    rows.sort_unstable();
    assert_eq!(
        rows,
        [
            ("Add Organization", LABS, ADA),
            ("Move Organization", "Tailspin Sales", ADA),
            ("Scan", SERVICE_ACCOUNT, "ops@tailspin.com"),
        ]
    );
}
