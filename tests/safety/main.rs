//! What the operator must never do, whatever else goes wrong.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../harness/mod.rs"]
mod harness;

mod consent;
mod deletion;
mod leadership;
mod lost;
mod meanwhile;
mod mending;
mod neighbours;
mod removal;
mod restarts;
mod unknown;
mod unreadable;

use backstay_world::CONTOSO;
use harness::Scene;

/// Every scene of this binary has the CRDs that `unreadable` needs.
async fn scene() -> Scene {
    Scene::with_newer_crds(CONTOSO).await
}

async fn scene_of(world: &str) -> Scene {
    Scene::with_newer_crds(world).await
}
