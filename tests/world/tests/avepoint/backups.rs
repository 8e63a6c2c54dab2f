//! Which backups come by themselves?

use serde_json::{Value, json};

use super::{tailspin, tailspin_with};

#[tokio::test]
async fn a_backup_begins_at_its_hour_runs_and_ends() {
    let visit = tailspin().await;
    assert_eq!(visit.statuses("Tailspin Sales").await, [3], "the one of an hour ago");
    assert_eq!(visit.statuses("Tailspin Toys").await, [3, 3, 3, 3], "73, 49, 25 hours and an hour ago");
    assert!(visit.statuses("Tailspin Labs").await.is_empty(), "in nobody's backup");
    visit.act("advance", json!({ "hours": 22, "minutes": 50 }));
    assert_eq!(visit.statuses("Tailspin Sales").await, [3]);
    visit.act("advance", json!({ "minutes": 20 }));
    assert_eq!(visit.statuses("Tailspin Sales").await, [2, 3], "runs");
    visit.act("advance", json!({ "minutes": 20 }));
    assert_eq!(visit.statuses("Tailspin Sales").await, [3, 3]);
    visit.advance(24 * 3);
    assert_eq!(visit.statuses("Tailspin Sales").await.len(), 5, "each day has one");
}

#[tokio::test]
async fn an_interval_and_a_length_can_be_declared() {
    let visit =
        tailspin_with(&[("profile: Dynamics app, ", "profile: Dynamics app, every_hours: 12, minutes: 90, ")]).await;
    assert_eq!(visit.statuses("Tailspin Toys").await, [2, 3, 3, 3, 3, 3, 3]);
    visit.act("advance", json!({ "minutes": 31 }));
    assert_eq!(visit.statuses("Tailspin Toys").await[0], 3);
}

#[tokio::test]
async fn an_outcome_can_be_forced_and_a_backup_be_ended_by_hand() {
    let visit = tailspin().await;
    let sales = |more: Value| {
        let mut words = json!({ "organization": "Tailspin Sales" });
        words.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        words
    };
    visit.act("set-backup-outcome", sales(json!({ "outcome": "finished_with_exception" })));
    visit.advance(24);
    assert_eq!(visit.statuses("Tailspin Sales").await, [7, 3]);
    let job = visit.jobs("&status=7").await["jobs"][0].clone();
    let of = |name: &str| job[name].as_u64().unwrap();
    assert!(of("failedEntity") > 0 && of("failedRecord") > 0);
    assert_eq!(of("totalRecord"), of("successfulRecord") + of("failedRecord"));
    visit.act("set-backup-outcome", sales(json!({ "outcome": "none" })));

    visit.act("finish-organization-backup", sales(json!({ "outcome": "failed" })));
    assert_eq!(visit.statuses("Tailspin Sales").await, [4, 7, 3]);
    visit.act("advance", json!({ "hours": 23, "minutes": 5 }));
    assert_eq!(visit.statuses("Tailspin Sales").await[0], 2);
    visit.act("finish-organization-backup", sales(json!({})));
    assert_eq!(visit.statuses("Tailspin Sales").await, [3, 4, 7, 3], "the one that ran");
    visit.act("finish-organization-backup", sales(json!({ "hours_ago": 1000, "outcome": "failed" })));
    assert_eq!(visit.statuses("Tailspin Sales").await, [3, 4, 7, 3, 4]);
    for outcome in ["in_progress", "perfect"] {
        assert!(visit.world.act("set-backup-outcome", sales(json!({ "outcome": outcome }))).is_err(), "{outcome}");
        assert!(
            visit.world.act("finish-organization-backup", sales(json!({ "outcome": outcome }))).is_err(),
            "{outcome}"
        );
    }
}

#[tokio::test]
async fn a_wrong_tenant_in_a_world_file_is_told_in_one_sentence() {
    let file = |from: &str, to: &str| {
        assert!(backstay_world::TAILSPIN.contains(from), "{from}");
        backstay_world::TAILSPIN.replacen(from, to, 1)
    };
    for (yaml, piece) in [
        (file("data_center: we", "data_center: mars"), "mars"),
        (file("microsoft_tenant: tailspin.com", "microsoft_tenant: nobody.com"), "nobody.com"),
        (file("scopes: [dynamics.readwrite.all, ", "scopes: [everything.all, "), "everything.all"),
        (file("kind: modern, user: ada@tailspin.com", "kind: modern, user: ghost@tailspin.com"), "ghost@tailspin.com"),
        (file("kind: modern, ", "kind: custom, "), "needs an app"),
        (file("profile: Dynamics app,", "profile: No app,"), "No app"),
        (file("{ environment: Tailspin Toys,", "{ environment: Tailspin Games,"), "Tailspin Games"),
        (file("scan_account: svc-avepoint@tailspin.com", "scan_account: kim@tailspin.com"), "kim@tailspin.com"),
        (file("    microsoft_tenant: tailspin.com\n", ""), "microsoft_tenant"),
        (
            format!("{}\nswitches: {{ avepoint: {{ missing_scope: 200 }} }}", backstay_world::TAILSPIN),
            "401, 403 or 404",
        ),
    ] {
        let Err(backstay_world::Error::File(why)) = backstay_world::World::start(&yaml).await.map(|_| ()) else {
            panic!("accepted: {piece}")
        };
        assert!(why.contains(piece) && !why.contains('\n'), "{why}");
    }
}
