//! The operator ends in the middle of any write to Kubernetes of a rotation, the ledger's and the statuses': what comes out is the same.

use crate::harness::gate::{Gate, Strike};
use crate::{Rotation, elevation};

/// One rotation, as people and the vendor play it.
async fn rotate(rotation: &Rotation) {
    rotation.dies().await;
    rotation.begin().await;
    rotation.until_window("Open").await;
    rotation.scene.until_connector("PolicySatisfied", "True", "Satisfied").await;
    rotation.signs_in();
    rotation.settled().await;
}

async fn every_write(method: &str, applied: bool) {
    let rotation = Rotation::new(&elevation(method, ", maxWindowsPer30Days: 30")).await;
    let gate: Gate = rotation.scene.gate().await;
    let grants = rotation.grants();
    let start = || rotation.scene.operator_behind(&gate, &grants, &[]);
    let mut operator = start().await;
    rotation.connected().await;
    let mut after = 0;
    loop {
        gate.strike(Strike { after, applied });
        let mut going = Box::pin(rotate(&rotation));
        let struck = tokio::select! {
            () = &mut going => false,
            () = gate.struck() => true,
        };
        if !struck {
            // It had no such write: all have had their turn.
            break;
        }
        operator.kill();
        operator = start().await;
        going.await;
        after += 1;
    }
    assert!(gate.spare(), "the last one was not struck");
    println!("{method}: {after} writes");
    assert!(after >= 10, "{after} writes cannot be all");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_before_any_write_to_the_cluster_changes_nothing_about_the_end() {
    every_write("RoleAssignment", false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_after_any_write_to_the_cluster_changes_nothing_about_the_end() {
    every_write("PrivilegedIdentityManagement", true).await;
}
