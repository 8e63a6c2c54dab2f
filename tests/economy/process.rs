//! The process as Kubernetes and Prometheus see it.

use std::time::{Duration, Instant};

use backstay_world::{Fault, PLANTED_PASSWORD};

use crate::harness::calls::{ACCOUNT_ID, APP, KEEPIT, TENANT};
use crate::harness::{ACCOUNT, AT_KEEPIT, CONNECTOR};
use crate::settled_scene;

/// What Kubernetes gives a process to end, before it is killed.
const GRACE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn probes_and_metrics_answer_and_tell_no_accounts_and_no_secrets() {
    let scene = settled_scene().await;
    let operator = scene.operator().await;
    scene.until_ready().await;
    assert_eq!(operator.get("/healthz").await, "ok\n");
    assert_eq!(operator.get("/readyz").await, "ok\n");
    let metrics = operator.get("/metrics").await;
    for counted in [
        "backstay_outgoing_requests_total{",
        "service=\"Keepit\"",
        "service=\"Microsoft Graph\"",
        "backstay_reconciles_total{",
        "backstay_status_writes_total{",
        "backstay_objects_not_ready{kind=\"Connector\"} 0",
        "backstay_objects_not_ready{kind=\"ServiceAccountPolicy\"} 0",
        "backstay_hand_offs_open{kind=\"Connector\"} 0",
        "backstay_queue_oldest_age_seconds{kind=\"Connector\"} 0",
        "backstay_microsoft_budget_left_ratio{budget=\"Graph\"} ",
        "backstay_microsoft_budget_left_ratio{budget=\"EnvironmentRequests\"} ",
    ] {
        assert!(metrics.contains(counted), "{counted} is not in\n{metrics}");
    }
    assert!(metrics.ends_with("# EOF\n"), "it is whole");
    // An object is shown under its own name, and nothing by a name that it has elsewhere.
    let object = format!("kind=\"Connector\",namespace=\"{}\",name=\"{CONNECTOR}\"", scene.namespace);
    for shown in [
        format!("backstay_object_ready{{{object}}} 1"),
        format!("backstay_object_hand_offs{{{object}}} 0"),
        format!(
            "backstay_backup_max_age_seconds{{namespace=\"{}\",name=\"{CONNECTOR}\",vendor=\"Keepit\"}} 129600",
            scene.namespace
        ),
        "backstay_findings{rule=\"keepitPowerPlatform/account-usable\",result=\"Pass\"} 1".to_owned(),
    ] {
        assert!(metrics.contains(&shown), "{shown} is not in\n{metrics}");
    }
    for name in [AT_KEEPIT, ACCOUNT, ACCOUNT_ID, TENANT, APP, KEEPIT] {
        assert!(!metrics.contains(name), "{name} is in\n{metrics}");
    }
    let log = operator.log();
    for secret in
        ["world-app-secret", "world-keepit-password", "world-access-token", PLANTED_PASSWORD, "Basic ", "Bearer "]
    {
        assert!(!metrics.contains(secret), "{secret} is in the metrics");
        assert!(!log.contains(secret), "{secret} is in the log");
    }
    // A series goes with its object.
    scene.delete("Connector", CONNECTOR).await;
    let begun = Instant::now();
    while operator.get("/metrics").await.contains(CONNECTOR) {
        assert!(begun.elapsed() < Duration::from_mins(1), "its series stay");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_ends_the_process_in_time() {
    let scene = settled_scene().await;
    let operator = scene.operator().await;
    scene.until_ready().await;
    let begun = Instant::now();
    assert_eq!(operator.stop().await, Some(0));
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_ends_the_process_in_time_while_a_vendor_does_not_answer() {
    let scene = settled_scene().await;
    let operator = scene.operator().await;
    scene.until_ready().await;
    scene.world.fault(Fault { hang: true, ..Fault::default() });
    scene.until_asked(1, "a call that hangs", |call| call.fault.is_some()).await;
    let begun = Instant::now();
    assert_eq!(operator.stop().await, Some(0));
    assert!(begun.elapsed() < GRACE, "{:?}", begun.elapsed());
}
