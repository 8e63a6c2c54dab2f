//! What must hold whatever goes wrong: who is Ready, what is told to whom, who is left alone, and that nothing is written.

use std::time::{Duration, Instant};

use backstay_world::{Call as Asked, PLANTED_PASSWORD};
use kube::api::ListParams;
use serde_json::{Value, json};

use crate::cases::{LEFT_ALONE, MARKER};
use crate::harness::calls::asked_at;
use crate::harness::{Operator, Scene};
use crate::scenes::{Played, Row};

/// None of these may be told to anybody.
const SECRETS: &[&str] = &[
    MARKER,
    PLANTED_PASSWORD,
    "world-access-token-",
    "world-app-secret",
    "world-keepit-password",
    "world-avepoint-secret",
    "world-tailspin-secret",
    // User name and password, as basic authentication writes them.
    "YmFja3N0YXktYXBpLXRva2VuOndvcmxkLWtlZXBpdC1wYXNzd29yZA",
];

/// How long an Event is waited for.
const PATIENCE: Duration = Duration::from_mins(1);

/// The Events of a scene.
pub async fn events_of(scene: &Scene) -> Value {
    let events = scene.api("Event").list(&ListParams::default()).await.unwrap();
    json!(events.items.iter().map(|event| &event.data).collect::<Vec<_>>())
}

/// Who was Ready though something that matters was wrong, be it for a moment; who was not though nothing was; and of whom no
/// Event says why.
pub async fn ready_or_not(scene: &Scene, played: &[Played], rows: &[Row]) -> Vec<String> {
    // An Event comes after the status that it tells of.
    let told = |events: &Value, it: &Played, row: &Row| {
        let of = |event: &&Value| event["regarding"]["name"] == it.place.name.as_str();
        let says = |event: &Value| event["note"].as_str().is_some_and(|note| note.ends_with(&row.message));
        events.as_array().unwrap().iter().filter(of).any(says)
    };
    let begun = Instant::now();
    let mut events = events_of(scene).await;
    while begun.elapsed() < PATIENCE && !played.iter().zip(rows).all(|(it, row)| told(&events, it, row)) {
        tokio::time::sleep(Duration::from_millis(100)).await;
        events = events_of(scene).await;
    }
    let mut wrong = Vec::new();
    for (it, row) in played.iter().zip(rows) {
        let of = events.as_array().unwrap().iter().filter(|event| event["regarding"]["name"] == it.place.name.as_str());
        let notes: Vec<&str> = of.filter_map(|event| event["note"].as_str()).collect();
        if notes.iter().any(|note| note.starts_with("Ready:")) != it.case.harmless {
            wrong.push(format!("{}: Ready is told: {}", it.case.name, !it.case.harmless));
        }
        if row.ready.starts_with("True") != it.case.harmless {
            wrong.push(format!("{}: Ready is {}", it.case.name, row.ready));
        }
        if !notes.iter().any(|note| note.ends_with(&row.message)) {
            wrong.push(format!("{}: no Event says \"{}\", but {notes:?}", it.case.name, row.message));
        }
    }
    wrong
}

/// Whether whoever asked to be left alone was asked all the same.
pub fn left_alone(scene: &Scene, played: &Played) -> Option<String> {
    let calls = scene.world.calls();
    let first = calls.iter().find(|call| played.struck(call)).filter(|_| played.case.asks_for_quiet())?;
    let same = |call: &&Asked| call.host == first.host && call.path == first.path;
    let all: Vec<&Asked> = calls.iter().filter(same).collect();
    let apart = |pair: &[&Asked]| asked_at(pair[1]).duration_since(asked_at(pair[0]));
    // Whole seconds are waited for; the clocks of the two begin in the middle of one.
    let early = |pair: &&[&Asked]| Duration::try_from(apart(pair)).is_ok_and(|it| it.as_secs() + 1 < LEFT_ALONE);
    let pair = all.windows(2).filter(|pair| played.struck(pair[0])).find(early)?;
    Some(format!("{}: asked again after {} s", played.case.name, apart(pair).as_secs()))
}

/// What was written at the vendor.
pub fn written(scene: &Scene, played: &[Played]) -> Vec<String> {
    let at_vendor = |call: &&Asked| played.iter().any(|it| it.place.hosts.contains(&call.host));
    let written = scene.world.writes();
    written.iter().filter(at_vendor).map(|call| format!("written: {} {}", call.method, call.path)).collect()
}

/// Secrets that were told to anybody.
pub async fn leaks(operator: &Operator, told: &[String]) -> Vec<String> {
    let places = [
        ("a status or an Event", told.join("\n")),
        ("the log", operator.log()),
        ("the metrics", operator.get("/metrics").await),
    ];
    let told = places.iter().flat_map(|(place, text)| {
        let told = SECRETS.iter().filter(|secret| text.contains(**secret));
        told.map(move |secret| format!("{place} tells {secret}"))
    });
    told.collect()
}
