//! Whatever goes wrong: no secret is in the log, in a status, in an Event or among the metrics.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use backstay_world::{Fault, PLANTED_PASSWORD};
use kube::api::ListParams;
use serde_json::json;

use super::harness::{CONNECTOR, POLICY, Scene};
use super::set_secret;

/// Stands in the bodies of what goes wrong, as a token or a password would that a service or a proxy quotes.
const MARKER: &str = "hush-3f9a-marker";

/// None of these may be told to anybody.
const SECRETS: &[&str] = &[
    MARKER,
    PLANTED_PASSWORD,
    "world-access-token-",
    "world-app-secret",
    "world-keepit-password",
    "a-wrong-client-secret",
    "a-wrong-keepit-password",
    // The same, as basic authentication writes them.
    "YmFja3N0YXktYXBpLXRva2VuOndvcmxkLWtlZXBpdC1wYXNzd29yZA",
    "YmFja3N0YXktYXBpLXRva2VuOmEtd3Jvbmcta2VlcGl0LXBhc3N3b3Jk",
];

const XML: &str = "<error><code>HUSH</code><description>hush-3f9a-marker</description></error>";

/// Every status that the two objects ever have.
struct Statuses {
    seen: Arc<Mutex<BTreeSet<String>>>,
    watching: tokio::task::JoinHandle<()>,
}

impl Statuses {
    fn watch(scene: &Scene) -> Self {
        let objects = [(scene.api("Connector"), CONNECTOR), (scene.api("ServiceAccountPolicy"), POLICY)];
        let seen = Arc::new(Mutex::new(BTreeSet::new()));
        let into = Arc::clone(&seen);
        let watching = tokio::spawn(async move {
            loop {
                for (api, name) in &objects {
                    if let Ok(Some(object)) = api.get_opt(name).await {
                        into.lock().unwrap().insert(object.data["status"].to_string());
                    }
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        Self { seen, watching }
    }

    fn seen(self) -> BTreeSet<String> {
        self.watching.abort();
        self.seen.lock().unwrap().clone()
    }
}

/// Looks until the fault has struck, and once more. A change of the metadata wakes, and changes nothing else.
async fn until_struck(scene: &Scene, fault: u64) {
    let begun = Instant::now();
    // Twice: what the first pass made of it has then been told.
    let struck = || scene.world.calls().iter().filter(|call| call.fault == Some(fault)).count() > 1;
    for number in 0.. {
        if struck() {
            return;
        }
        assert!(begun.elapsed() < Duration::from_mins(1), "the fault {fault} struck nobody");
        let poke = json!({ "metadata": { "annotations": { "example.com/poke": number.to_string() } } });
        scene.patch("Connector", CONNECTOR, poke.clone()).await;
        scene.patch("ServiceAccountPolicy", POLICY, poke).await;
        let poked = Instant::now();
        while !struck() && poked.elapsed() < Duration::from_millis(700) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_told_to_anybody_whatever_goes_wrong() {
    let scene = Scene::new().await;
    let operator = scene.operator_with(&scene.grants(), &["--log-filter", "debug"]).await;
    let statuses = Statuses::watch(&scene);
    scene.apply_secrets().await;
    set_secret(&scene, "entra-backstay", "client-secret", Some("a-wrong-client-secret")).await;
    set_secret(&scene, "keepit-api", "password", Some("a-wrong-keepit-password")).await;
    scene.apply_yaml(&scene.policy_yaml()).await;
    scene.apply_yaml(&scene.connector_yaml()).await;
    scene.until_connector("Ready", "False", "CredentialRefused").await;
    scene.until_policy("Ready", "False", "CredentialRefused").await;
    scene.apply_secrets().await;
    scene.play_the_person();
    scene.until_connector("Ready", "True", "Current").await;
    scene.until_policy("Ready", "True", "Satisfied").await;

    let json_body = json!({
        "error": { "code": "Hush", "message": MARKER, "innerError": { "token": MARKER } },
        "error_description": format!("AADSTS7000215: {MARKER}"),
        "value": MARKER,
    });
    let places = [
        ("graph.microsoft.com", "/v1.0/users"),
        ("graph.microsoft.com", "/v1.0/roleManagement"),
        ("api.bap.microsoft.com", "/"),
        ("contoso-sales.crm4.dynamics.com", "/api/data"),
        ("dk-co.keepit.com", "/users"),
    ];
    for status in [400, 401, 403, 500, 200] {
        for (host, path) in places {
            let keepit = host.ends_with("keepit.com");
            let fault = scene.world.fault(Fault {
                host: Some(host.into()),
                path: Some(path.into()),
                status: Some(status),
                body: Some(if keepit { XML.to_owned() } else { json_body.to_string() }),
                content_type: Some(if keepit { "application/xml" } else { "application/json" }.into()),
                headers: BTreeMap::from([("www-authenticate".to_owned(), format!("Bearer error=\"{MARKER}\""))]),
                ..Fault::default()
            });
            until_struck(&scene, fault).await;
            scene.world.clear_fault(fault);
        }
    }
    // The sign-in: refused, failing, and with a token that is not one.
    for (status, body) in [
        (400, json!({ "error": "invalid_grant", "error_description": format!("AADSTS53003: {MARKER}") }).to_string()),
        (401, json!({ "error": MARKER, "error_description": MARKER }).to_string()),
        (403, MARKER.to_owned()),
        (500, MARKER.to_owned()),
        (200, json!({ "token_type": "Bearer", "expires_in": 3599, "access_token": format!("{MARKER}\n") }).to_string()),
    ] {
        let fault = scene.world.fault(Fault {
            host: Some("login.microsoftonline.com".into()),
            status: Some(status),
            body: Some(body),
            content_type: Some("application/json".into()),
            ..Fault::default()
        });
        // Another app: its tokens are not remembered.
        let secret = format!("a-wrong-client-secret-{status}");
        set_secret(&scene, "entra-backstay", "client-secret", Some(&secret)).await;
        until_struck(&scene, fault).await;
        scene.world.clear_fault(fault);
    }
    scene.apply_secrets().await;
    scene.until_connector("Ready", "True", "Current").await;
    scene.until_policy("Ready", "True", "Satisfied").await;
    let statuses = statuses.seen();
    assert!(statuses.len() > 20, "what went wrong was hardly told at all: {statuses:?}");

    let events = scene.api("Event").list(&ListParams::default()).await.unwrap();
    assert!(!events.items.is_empty());
    let told = [
        ("the log", operator.log()),
        ("a status", statuses.into_iter().collect::<Vec<_>>().join("\n")),
        ("an Event", serde_json::to_string(&events.items).unwrap()),
        ("the metrics", operator.get("/metrics").await),
    ];
    assert!(told[0].1.contains("\"DEBUG\"") && told[0].1.contains("api.bap.microsoft.com"), "the log is not at debug");
    let token = scene.token().to_owned();
    for (place, text) in &told {
        for secret in SECRETS.iter().copied().chain([token.as_str()]) {
            if let Some(at) = text.find(secret) {
                let from = (0..=at.saturating_sub(300)).rev().find(|from| text.is_char_boundary(*from)).unwrap_or(0);
                panic!("{place} tells {secret:?}: …{}", &text[from..at + secret.len()]);
            }
        }
    }
}
