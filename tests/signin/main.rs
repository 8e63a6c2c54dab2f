//! Which way the operator signs in to Microsoft, at which cloud, and what it says when it can't.

#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../harness/mod.rs"]
mod harness;

mod certificate;
mod clouds;
mod identity;

use harness::{Scene, condition, is, message};
use serde_json::Value;

const APP: &str = "c0ffee00-1111-4222-8333-444455556666";

/// The example's policy with another credential.
fn with_credential(scene: &Scene, credential: &Value) -> String {
    let mut policy: Value = serde_yaml::from_str(&scene.policy_yaml()).unwrap();
    policy["spec"]["credential"] = credential.clone();
    policy.to_string()
}

/// Refused until somebody changes something, with one sentence that says where.
#[track_caller]
fn refused(policy: &Value, reason: &str, names: &[&str]) {
    assert!(is(policy, "Stalled", "True", reason), "{}", condition(policy, "Stalled"));
    assert!(is(policy, "CredentialsValid", "False", reason), "{}", condition(policy, "CredentialsValid"));
    let said = message(policy, "Ready");
    for name in names {
        assert!(said.contains(name), "{said:?} does not name {name:?}");
    }
    assert!(!said.contains('\n') && said.len() < 300, "{said:?} is not one sentence");
}

/// The condition `Ready` has the reason, and its sentence holds this piece.
fn says(policy: &Value, reason: &str, piece: &str) -> bool {
    is(policy, "Ready", "False", reason) && message(policy, "Ready").contains(piece)
}
