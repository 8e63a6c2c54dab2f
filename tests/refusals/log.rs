//! What the log says of trouble: once when it begins and once when it is over, with the object and the reason.

use backstay_world::Fault;
use serde_json::Value;

use super::harness::calls::{BAP, GRAPH, KEEPIT, assignments, assigns_role, lists_connectors, reads_row, settled};
use super::harness::{ACCOUNT, CONNECTOR, Operator, POLICY, Scene};

/// The lines of a level about an object that contain this.
fn lines(operator: &Operator, level: &str, object: &str, text: &str) -> Vec<Value> {
    let all = operator.log();
    let read = all.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let about = |line: &Value| line["span"]["object.ref"].as_str().is_some_and(|name| name.contains(object));
    read.filter(|line| line["level"] == level && about(line) && line["fields"].to_string().contains(text)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_a_refused_read_and_a_refused_write_are_one_warning_each_and_one_line_when_they_are_over() {
    let scene = Scene::with_world(&settled(|_| {})).await;
    let operator = scene.operator().await;
    scene.apply_example().await;
    scene.until_ready().await;
    let fine = lines(&operator, "INFO", CONNECTOR, "True Current").len();
    assert_eq!(fine, 1, "{}", operator.log());

    // An outage of the vendor.
    let fault = scene.world.fault(Fault { host: Some(KEEPIT.into()), status: Some(503), ..Fault::default() });
    scene.until_connector("Ready", "Unknown", "Unreachable").await;
    scene.until_asked(6, "looks in vain", lists_connectors).await;
    assert_eq!(lines(&operator, "WARN", CONNECTOR, "Unknown Unreachable").len(), 1, "{}", operator.log());
    scene.world.clear_fault(fault);
    scene.until_ready().await;
    assert_eq!(lines(&operator, "INFO", CONNECTOR, "True Current").len(), fine + 1, "{}", operator.log());

    // A read that is refused: in the end the finding is Unknown, and that is said once.
    let row = "contoso-test.crm4.dynamics.com";
    let fault = scene.world.fault(Fault { host: Some(row.into()), status: Some(403), ..Fault::default() });
    scene.until_policy("Ready", "Unknown", "NotObservable").await;
    scene.until_more_reads(3).await;
    assert_eq!(
        lines(&operator, "WARN", POLICY, "keepitPowerPlatform/environment-member").len(),
        1,
        "{}",
        operator.log()
    );
    scene.world.clear_fault(fault);
    scene.until_ready().await;
    assert_eq!(
        lines(&operator, "INFO", POLICY, "keepitPowerPlatform/environment-member").len(),
        1,
        "{}",
        operator.log()
    );
    assert!(scene.asked(|call| reads_row(call, row)) > 0 && scene.asked(|call| call.host == BAP) > 0);

    // A write that is refused.
    let refused =
        Fault { host: Some(GRAPH.into()), path: assignments(), method: Some("POST".into()), ..Fault::default() };
    let fault = scene.world.fault(Fault { status: Some(400), ..refused });
    let role = serde_json::json!({ "user": ACCOUNT, "role": "Power Platform Administrator" });
    scene.world.act("remove-directory-role", role).unwrap();
    scene
        .until_asked(3, "refused writes", |call| call.method == "POST" && call.path.ends_with("/roleAssignments"))
        .await;
    assert_eq!(lines(&operator, "WARN", POLICY, "StepFailed").len(), 1, "{}", operator.log());
    scene.world.clear_fault(fault);
    scene.until_asked(1, "the write that is let through", |call| assigns_role(call) && call.status == 201).await;
    scene.until_ready().await;
    assert_eq!(lines(&operator, "INFO", POLICY, "RoleAssigned").len(), 1, "{}", operator.log());
}
