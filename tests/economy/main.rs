//! What the operator costs others, and how it bears what they do to it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../harness/mod.rs"]
mod harness;

mod accounts;
mod batch;
mod bodies;
mod crowd;
mod idle;
mod order;
mod outage;
mod process;
mod requested;
mod rights;
mod throttled;

use harness::Scene;
use harness::calls::settled;

/// Every scene of this binary has the CRDs that `rights` needs.
async fn scene_of(world: &str) -> Scene {
    Scene::with_newer_crds(world).await
}

/// Everything is right already, and the example is applied.
async fn settled_scene() -> Scene {
    let scene = scene_of(&settled(|_| {})).await;
    scene.apply_example().await;
    scene
}
