//! Bad input: refused by the API server, or one clear sentence in the status; and mended by mending the input.

#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../harness/mod.rs"]
mod harness;

mod claims;
mod events;
mod keepit;
mod leaks;
mod log;
mod microsoft;
mod policies;
mod profiles;
mod schema;
mod secrets;
mod start;
mod waiting;

use backstay_world::Call;
use harness::{Scene, condition, is, message};
use serde_json::{Value, json};

/// Long enough for nothing to mend itself by being looked at again.
const HOURLY: &str = "interval: 1h";

/// The same YAML with one piece replaced, which must be there.
fn with(yaml: &str, old: &str, new: &str) -> String {
    assert!(yaml.contains(old), "there is no {old:?} in\n{yaml}");
    yaml.replace(old, new)
}

/// The same YAML, looked at only once an hour.
fn hourly(yaml: &str) -> String {
    with(yaml, "interval: 10s", HOURLY)
}

/// One sentence that a person can read: no error of a library, no second line, and it names all of this.
#[track_caller]
fn says(sentence: &str, names: &[&str]) {
    for name in names {
        assert!(sentence.contains(name), "{sentence:?} does not name {name:?}");
    }
    let begins_well = sentence.starts_with("spec.") || sentence.starts_with(|first: char| first.is_uppercase());
    assert!(begins_well, "{sentence:?} does not begin like a sentence");
    assert!(!sentence.contains('\n') && sentence.len() < 300, "{sentence:?} is not one sentence");
    assert!(!sentence.contains("Error") && !sentence.contains("Some("), "{sentence:?} is the debris of a library");
}

/// Refused until somebody changes something: Ready=False and Stalled=True, both with the reason and the sentence.
#[track_caller]
fn refused(object: &Value, reason: &str, names: &[&str]) {
    assert!(is(object, "Ready", "False", reason), "Ready is not {reason}: {}", condition(object, "Ready"));
    assert!(is(object, "Stalled", "True", reason), "Stalled is not {reason}: {}", condition(object, "Stalled"));
    assert_eq!(message(object, "Stalled"), message(object, "Ready"));
    assert_eq!(condition(object, "Reconciling"), &Value::Null, "what is Stalled does not go on by itself");
    says(message(object, "Ready"), names);
}

/// Waited for: Ready=False and Reconciling=True, and not Stalled (yet).
#[track_caller]
fn awaited(object: &Value, reason: &str, names: &[&str]) {
    assert!(is(object, "Ready", "False", reason), "Ready is not {reason}: {}", condition(object, "Ready"));
    assert!(
        is(object, "Reconciling", "True", reason),
        "Reconciling is not {reason}: {}",
        condition(object, "Reconciling")
    );
    assert_eq!(condition(object, "Stalled"), &Value::Null, "what is waited for is not Stalled");
    says(message(object, "Ready"), names);
}

/// No longer refused, and not waited for either.
#[track_caller]
fn recovered(object: &Value) {
    assert_eq!(condition(object, "Stalled"), &Value::Null, "{}", object["status"]);
    assert_eq!(condition(object, "Reconciling"), &Value::Null, "{}", object["status"]);
}

/// Nothing was asked to be changed at Microsoft or Keepit.
#[track_caller]
fn nothing_written(scene: &Scene) {
    let writes: Vec<String> =
        scene.world.writes().iter().map(|call| format!("{} {}{}", call.method, call.host, call.path)).collect();
    assert!(writes.is_empty(), "written: {writes:?}");
}

/// How many requests of a kind the world was asked; a connection that the proxy refused counts, too.
fn asked(scene: &Scene, host: &str, path: &str) -> usize {
    let of = |call: &&Call| call.host.trim_end_matches(":443") == host && call.path.contains(path);
    scene.world.calls().iter().filter(of).count()
}

/// Waits until the clock of the API server has moved on from the second in which this was created: ages are in whole
/// seconds, and of two objects of the same second none is the older one.
async fn a_second_after(object: &Value) {
    let created: jiff::Timestamp = object["metadata"]["creationTimestamp"].as_str().unwrap().parse().unwrap();
    while jiff::Timestamp::now().as_second() <= created.as_second() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

/// The same YAML as another object.
fn renamed(yaml: &str, old: &str, new: &str) -> String {
    with(yaml, &format!("name: {old}\n  namespace"), &format!("name: {new}\n  namespace"))
}

/// Changes a Secret's text; `null` takes the key away.
async fn set_secret(scene: &Scene, name: &str, key: &str, value: Option<&str>) {
    match value {
        Some(value) => scene.patch("Secret", name, json!({ "stringData": { key: value } })).await,
        None => scene.patch("Secret", name, json!({ "data": { key: null } })).await,
    };
}
