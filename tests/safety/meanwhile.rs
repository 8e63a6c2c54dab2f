//! What changes at Microsoft while a removal of Global Administrator is being decided.

use backstay_world::Fault;
use serde_json::json;

use crate::harness::calls::{
    ACCOUNT_ID, GRAPH, ORGANIZATIONS, assignments, assigns_security_role, reads_roles, reads_row, replaced,
};
use crate::harness::{ACCOUNT, Scene};
use crate::removal::standing;
use crate::scene;

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_while_the_rest_is_still_being_read_is_noticed_before_the_removal() {
    let scene = scene().await;
    scene.play_the_person();
    scene.apply_secrets().await;
    scene.apply_yaml(&replaced(&scene.policy_yaml(), "AfterSetup: Remove", "AfterSetup: Keep")).await;
    scene.apply_yaml(&scene.connector_yaml()).await;
    let _operator = scene.operator().await;
    scene.until_ready().await;

    // What was just read would be taken for a moment yet: nothing of it is left when the policy changes.
    scene.until_true("the last pass to be over for a while", || scene.quiet_for(reads_roles).as_secs() >= 1).await;
    let before = roles_come_late(&scene);
    scene.apply_yaml(&scene.policy_yaml()).await;
    disabled_meanwhile(&scene, &before).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_during_the_look_after_the_last_addition_is_noticed_before_the_removal() {
    let scene = scene().await;
    scene.play_the_person();
    // The answers to additions come late, so that there is time before the next look.
    let additions = Fault { method: Some("POST".into()), path: Some("/api/data/".into()), ..Fault::default() };
    scene.world.fault(Fault { delay_ms: Some(5_000), ..additions });
    let _operator = scene.operator().await;
    scene.apply_example().await;
    // A second later all is looked at again: that look is fresh, and not enough.
    scene.until_true("the last addition", || scene.asked(assigns_security_role) == 2).await;
    let before = roles_come_late(&scene);
    disabled_meanwhile(&scene, &before).await;
}

/// The next look reads the environments at once, and the roles only after a while. How often each environment was read before.
fn roles_come_late(scene: &Scene) -> Vec<usize> {
    scene.world.fault(Fault {
        host: Some(GRAPH.into()),
        path: assignments(),
        query: Some(ACCOUNT_ID.into()),
        method: Some("GET".into()),
        delay_ms: Some(4_000),
        times: Some(1),
        ..Fault::default()
    });
    rows_read(scene)
}

fn rows_read(scene: &Scene) -> Vec<usize> {
    ORGANIZATIONS.iter().map(|organization| scene.asked(|call| reads_row(call, organization))).collect()
}

/// Once all environments are read, one of them changes.
async fn disabled_meanwhile(scene: &Scene, before: &[usize]) {
    let all = || rows_read(scene).iter().zip(before).all(|(now, before)| now > before);
    scene.until_true("the environments to be read", all).await;
    let user = json!({ "environment": "Contoso Sales", "user": ACCOUNT });
    scene.world.act("disable-environment-user", user).unwrap();
    standing(scene, "environment-member", "Fail").await;
}
