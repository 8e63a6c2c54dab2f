//! What is changed outside is put back, where that is allowed.

use crate::harness::calls::{assigns_role, assigns_security_role, held, settled};
use crate::harness::{ACCOUNT, Scene};
use crate::scene_of;

const ROLE: &str = "Power Platform Administrator";

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_role_that_is_taken_from_the_account_is_given_back() {
    let scene = ready().await;
    let _operator = scene.operator().await;
    scene.until_ready().await;
    scene.world.remove_directory_role(ACCOUNT, ROLE).unwrap();
    scene.until_true("the role to be given back", || held(&scene.world).contains(&ROLE.to_owned())).await;
    scene.until_event("RoleAssigned").await;
    scene.until_ready().await;
    assert_eq!(scene.written().len(), 1, "{:?}", scene.written());
    assert_eq!(scene.asked(assigns_role), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_security_role_that_is_taken_from_the_account_is_given_back() {
    let scene = ready().await;
    let _operator = scene.operator().await;
    scene.until_ready().await;
    scene.world.remove_security_role("Contoso Service", ACCOUNT, "System Administrator").unwrap();
    scene.until_true("the role to be given back", || scene.asked(assigns_security_role) > 0).await;
    scene.until_event("SecurityRoleAssigned").await;
    scene.until_ready().await;
    assert_eq!(scene.written().len(), 1, "{:?}", scene.written());
    let again = scene.world.remove_security_role("Contoso Service", ACCOUNT, "System Administrator");
    assert!(again.is_ok(), "it was really there again");
}

async fn ready() -> Scene {
    let scene = scene_of(&settled(|_| {})).await;
    scene.apply_example().await;
    scene
}
