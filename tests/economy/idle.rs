//! When nothing happens, nothing is written.

use crate::harness::calls::{lists_connectors, reads_roles};
use crate::settled_scene;

#[tokio::test(flavor = "multi_thread")]
async fn a_steady_state_is_looked_at_and_nothing_is_written() {
    let scene = settled_scene().await;
    let _operator = scene.operator().await;
    scene.until_ready().await;
    // What the last news brought is told by then.
    scene.until_asked(1, "lists", lists_connectors).await;

    let before = scene.audit();
    let (lists, reads) = (scene.asked(lists_connectors), scene.asked(reads_roles));
    scene
        .until_true("three more looks at Keepit and two at Microsoft", || {
            scene.asked(lists_connectors) >= lists + 3 && scene.asked(reads_roles) >= reads + 2
        })
        .await;
    let writes = |entries: &[crate::harness::AuditEntry]| -> Vec<String> {
        // The Lease says that the process is there: that is renewed as long as it is.
        let writing = entries.iter().filter(|entry| entry.writes() && entry.resource != "leases.coordination.k8s.io");
        writing.map(|entry| format!("{} {} {}", entry.verb, entry.resource, entry.name)).collect()
    };
    let (before, after) = (writes(&before), writes(&scene.audit()));
    assert!(!before.is_empty(), "the log has what it wrote until it was Ready");
    assert_eq!(after[before.len()..], Vec::<String>::new());
    assert_eq!(scene.written(), Vec::<String>::new());
}
