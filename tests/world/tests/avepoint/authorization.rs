//! What breaks AvePoint's way into the tenant, and what comes of the backups then?

use serde_json::{Value, json};

use super::common::Visit;
use super::{ADA, MODERN_APP, SERVICE_ACCOUNT, tailspin, tailspin_with};

const TOYS: &str = "Tailspin Toys";
const SALES: &str = "Tailspin Sales";

/// Status of the profile at its page.
fn status(visit: &Visit, profile: &str) -> Value {
    visit.act("read-app-profile", json!({ "profile": profile }))["status"].clone()
}

/// The newest backup of the next day.
async fn next(visit: &Visit, organization: &str) -> u64 {
    visit.advance(24);
    visit.statuses(organization).await[0]
}

#[tokio::test]
async fn a_modern_profile_hangs_on_the_person_who_consented() {
    for (action, words) in [
        ("change-password", json!({ "user": ADA })),
        ("disable-user", json!({ "user": ADA })),
        ("delete-user", json!({ "user": ADA })),
        ("remove-license", json!({ "user": ADA, "sku": "DYN365_ENTERPRISE_SALES" })),
        ("set-user-mfa", json!({ "user": ADA, "mfa": "enforced" })),
        ("set-access-policy", json!({ "policy": "MFA for all", "state": "enabled" })),
        ("withdraw-consent", json!({ "app": MODERN_APP, "resource": "Dataverse" })),
        ("withdraw-consent", json!({ "app": MODERN_APP, "resource": "Microsoft Graph" })),
        ("block-app", json!({ "app": MODERN_APP })),
        ("remove-vendor-app", json!({ "app": MODERN_APP })),
    ] {
        let visit = tailspin().await;
        assert_eq!(status(&visit, "Dynamics app"), "Active");
        visit.act(action, words);
        assert_eq!(status(&visit, "Dynamics app"), "Invalid", "{action}");
        assert_eq!(next(&visit, TOYS).await, 4, "{action}");
    }
    let visit = tailspin().await;
    visit.act("remove-directory-role", json!({ "user": ADA, "role": "Global Administrator" }));
    assert_eq!(status(&visit, "Dynamics app"), "Active", "a role that goes does nothing");
    visit.act("change-password", json!({ "user": SERVICE_ACCOUNT }));
    assert_eq!((next(&visit, TOYS).await, visit.statuses(SALES).await[0]), (3, 4), "each hangs on its own");
}

#[tokio::test]
async fn a_second_factor_that_was_asked_from_the_beginning_does_no_harm() {
    let visit = tailspin_with(&[(
        "display_name: Ada Administrator\n",
        "display_name: Ada Administrator\n        mfa: enforced\n",
    )])
    .await;
    assert_eq!((status(&visit, "Dynamics app"), next(&visit, TOYS).await), (json!("Active"), 3));
}

#[tokio::test]
async fn a_service_account_is_broken_by_what_its_page_says() {
    for (action, words) in [
        ("change-password", json!({ "user": SERVICE_ACCOUNT })),
        ("disable-user", json!({ "user": SERVICE_ACCOUNT })),
        ("replace-user", json!({ "user": SERVICE_ACCOUNT })),
        ("remove-license", json!({ "user": SERVICE_ACCOUNT, "sku": "DYN365_ENTERPRISE_SALES" })),
        ("set-user-mfa", json!({ "user": SERVICE_ACCOUNT, "mfa": "enabled" })),
    ] {
        let visit = tailspin().await;
        visit.act(action, words);
        assert_eq!(status(&visit, "Dynamics account"), "Invalid", "{action}");
        assert_eq!(next(&visit, SALES).await, 4, "{action}");
        assert_eq!(visit.statuses(TOYS).await[0], 3, "{action}: the app gets in all the same");
    }
    let visit = tailspin().await;
    let role = json!({ "user": SERVICE_ACCOUNT, "role": "Dynamics 365 Administrator" });
    visit.act("remove-directory-role", role);
    assert_eq!(next(&visit, SALES).await, 3, "it is only offered no more");
}

#[tokio::test]
async fn one_environment_can_be_closed_while_the_profile_is_fine() {
    for (organization, action, words) in [
        (TOYS, "remove-application-user", json!({ "environment": TOYS, "app": MODERN_APP })),
        (TOYS, "delete-application-user", json!({ "environment": TOYS, "app": MODERN_APP })),
        (
            TOYS,
            "remove-security-role",
            json!({ "environment": TOYS, "app": MODERN_APP, "role": "System Administrator" }),
        ),
        (TOYS, "set-runtime", json!({ "environment": TOYS, "runtime": "Disabled" })),
        (TOYS, "remove-environment", json!({ "environment": TOYS })),
        (SALES, "remove-environment-user", json!({ "environment": SALES, "user": SERVICE_ACCOUNT })),
        (SALES, "disable-environment-user", json!({ "environment": SALES, "user": SERVICE_ACCOUNT })),
        (
            SALES,
            "remove-security-role",
            json!({ "environment": SALES, "user": SERVICE_ACCOUNT, "role": "System Administrator" }),
        ),
    ] {
        let visit = tailspin().await;
        visit.act(action, words);
        assert_eq!(
            (status(&visit, "Dynamics app"), status(&visit, "Dynamics account")),
            (json!("Active"), json!("Active"))
        );
        assert_eq!(next(&visit, organization).await, 4, "{action}");
        assert_eq!(visit.statuses("Tailspin Service").await[0], 3, "{action}: the others go on");
    }
}

#[tokio::test]
async fn a_broken_authorization_fails_skips_or_says_nothing() {
    let visit = tailspin().await;
    visit.act("change-password", json!({ "user": ADA }));
    visit.switch("broken_authorization", json!("skipped"));
    assert_eq!(next(&visit, TOYS).await, 5, "a status that no page knows");
    visit.switch("broken_authorization", json!("silent"));
    let before = visit.statuses(TOYS).await.len();
    visit.advance(24 * 3);
    assert_eq!(visit.statuses(TOYS).await.len(), before);
    visit.act("reauthorize-app-profile", json!({ "profile": "Dynamics app" }));
    assert_eq!(
        (next(&visit, TOYS).await, visit.statuses(TOYS).await.len()),
        (3, before + 1),
        "the missed ones stay missed"
    );
}

/// Toys is backed up through an app of the customer's own.
async fn custom(switch: &str) -> Visit {
    let visit = tailspin().await;
    visit.switch("custom_permissions", json!(switch));
    let app = "c0ffee00-4444-4222-8333-0000000000a9";
    let words = json!({ "name": "Own app", "kind": "custom", "user": ADA, "app": app, "certificate_days": 30 });
    visit.act("create-app-profile", words);
    visit.act("add-application-user", json!({ "environment": SALES, "app": app }));
    visit.act("move-organization", json!({ "profile": "Own app", "organization": SALES }));
    assert_eq!(next(&visit, SALES).await, 3);
    visit
}

#[tokio::test]
async fn what_breaks_a_custom_profile_depends_on_its_permissions() {
    for (switch, after) in [("delegated", 4), ("application", 3)] {
        let visit = custom(switch).await;
        visit.act("change-password", json!({ "user": ADA }));
        assert_eq!(next(&visit, SALES).await, after, "{switch}");
    }
    for switch in ["delegated", "application"] {
        let visit = custom(switch).await;
        visit.advance(24 * 30);
        assert_eq!(status(&visit, "Own app"), "Invalid", "{switch}: the certificate has ended");
        visit.act("reauthorize-app-profile", json!({ "profile": "Own app", "certificate_days": 90 }));
        assert_eq!((status(&visit, "Own app"), next(&visit, SALES).await), (json!("Active"), 3), "{switch}");
    }
}
