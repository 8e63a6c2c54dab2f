//! How cases are played: some at a time before one operator, each at a place of its own, until what is said of it stays the same.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use backstay_world::Fault;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::cases::{Case, HERE};
use crate::checks;
use crate::harness::calls::side_by_side;
use crate::harness::{Scene, condition, is};

/// A vendor that answers programs.
pub struct Vendor {
    pub label: &'static str,
    /// The calls that the operator makes there, each with what goes wrong.
    pub calls: fn() -> Vec<Call>,
    /// The world in which these go wrong, each at its place; faults come on top.
    pub world: fn(&[Case]) -> String,
    pub place: fn(usize) -> Place,
    pub secrets: fn() -> String,
    pub policy: fn(&Scene) -> String,
}

/// A read at a vendor.
pub struct Call {
    pub title: &'static str,
    /// Where it is asked, as faults take it.
    pub path: &'static str,
    /// Whether it is asked again after it was answered.
    pub again: bool,
    /// How many places there are that don't share this call.
    pub places: usize,
    pub cases: Vec<Case>,
}

/// An installation of the vendor, and the Connector for it.
pub struct Place {
    pub name: String,
    pub hosts: Vec<String>,
    pub yaml: String,
    /// The id of the connector that is there; bodies that go wrong have it where they say `HERE`.
    pub id: String,
}

/// What was observed, and what must not have been.
#[derive(Clone, Default)]
pub struct Seen {
    pub rows: BTreeMap<Key, Row>,
    pub wrong: Vec<String>,
}

/// What is to be seen of one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub fault: String,
    pub ready: String,
    /// The other conditions, as far as they are not as they are to be.
    pub others: String,
    pub message: String,
}

/// Which case: the vendor, its call, and the place in the list.
pub type Key = (&'static str, &'static str, usize);

/// Scenes at a time: more of them would only wait for each other.
const AT_A_TIME: usize = 8;

/// Plays all cases of all calls.
pub async fn observed(vendors: &[&'static Vendor]) -> Seen {
    let (turns, seen) = (Arc::new(Semaphore::new(AT_A_TIME)), Arc::new(Mutex::new(Seen::default())));
    let mut scenes = Vec::new();
    for vendor in vendors.iter().copied() {
        for mut call in (vendor.calls)() {
            let mut first = 0;
            while !call.cases.is_empty() {
                let rest = call.cases.split_off(call.places.min(call.cases.len()));
                let cases = std::mem::replace(&mut call.cases, rest);
                let (title, path, again, from) = (call.title, call.path, call.again, first);
                first += cases.len();
                let (turns, seen) = (Arc::clone(&turns), Arc::clone(&seen));
                scenes.push((title, async move {
                    let _turn = turns.acquire().await.unwrap();
                    let (rows, wrong) = play(vendor, path, again, cases).await;
                    let mut seen = seen.lock().unwrap();
                    seen.wrong.extend(wrong.into_iter().map(|it| format!("{}: {title}: {it}", vendor.label)));
                    let keyed = |(at, row)| ((vendor.label, title, from + at), row);
                    seen.rows.extend(rows.into_iter().enumerate().map(keyed));
                }));
            }
        }
    }
    side_by_side(scenes).await;
    let seen = seen.lock().unwrap();
    seen.clone()
}

/// One case where it is played.
pub struct Played {
    pub case: Case,
    pub place: Place,
    /// Where it strikes, as faults take it.
    path: String,
    /// The faults of the world that are its own.
    pub faults: Vec<u64>,
}

/// One scene: all of it is wrong from the start, then nothing is, and then it is wrong once more.
async fn play(vendor: &Vendor, path: &str, again: bool, cases: Vec<Case>) -> (Vec<Row>, Vec<String>) {
    let scene = Scene::with_world(&(vendor.world)(&cases)).await;
    let at = |(at, case)| Played { case, place: (vendor.place)(at), path: path.to_owned(), faults: Vec::new() };
    let mut played: Vec<Played> = cases.into_iter().enumerate().map(at).collect();
    for it in &mut played {
        it.strike(&scene);
    }
    let operator = scene.operator_with("[]", &[]).await;
    scene.apply_yaml(&(vendor.secrets)()).await;
    scene.apply_yaml(&(vendor.policy)(&scene)).await;
    for it in &played {
        scene.apply_yaml(&it.place.yaml).await;
    }
    let looks = played.iter().map(|it| it.settle(&scene));
    let (rows, mut told): (Vec<Row>, Vec<String>) = futures::future::join_all(looks).await.into_iter().unzip();
    let mut wrong = checks::ready_or_not(&scene, &played, &rows).await;
    scene.world.clear_faults();
    let mut well = Vec::new();
    for it in &played {
        well.push(it.recover(&scene).await);
        wrong.extend(checks::left_alone(&scene, it));
    }
    for (it, well) in played.iter_mut().zip(&well).filter(|(it, _)| again && it.case.strikes_again()) {
        it.strike(&scene);
        wrong.extend(it.relapse(&scene, well).await);
    }
    told.push(checks::events_of(&scene).await.to_string());
    wrong.extend(checks::leaks(&operator, &told).await);
    wrong.extend(checks::written(&scene, &played));
    (rows, wrong)
}

impl Played {
    /// Lets it go wrong.
    fn strike(&mut self, scene: &Scene) {
        let Some(fault) = self.case.fault() else { return };
        let strike = |host: &String| {
            let (host, path) = (Some(host.clone()), Some(self.path.clone()));
            let body = fault.body.as_ref().map(|body| body.replace(HERE, &self.place.id));
            scene.world.fault(Fault { host, path, body, ..fault.clone() })
        };
        self.faults = self.place.hosts.iter().map(strike).collect();
    }

    /// Looks until two looks say the same, and brings that and every status on the way.
    async fn settle(&self, scene: &Scene) -> (Row, String) {
        let (mut told, mut before) = (String::new(), None);
        for look in 11.. {
            let object = self.look(scene).await;
            told.push_str(&object["status"].to_string());
            let row = self.row(&object);
            if self.case.hangs() || before.as_ref() == Some(&row) {
                return (row, told);
            }
            before = Some(row);
            // Another generation: whatever is said of that was seen after this.
            scene.patch("Connector", &self.place.name, json!({ "spec": { "interval": format!("{look}s") } })).await;
        }
        unreachable!("a look goes on until it succeeds or fails")
    }

    /// The Connector as of this generation, once the fault has struck and the policy has nothing left to say.
    async fn look(&self, scene: &Scene) -> Value {
        let struck = || self.faults.is_empty() || scene.world.calls().iter().any(|call| self.struck(call));
        let waits = |it: &Value| {
            let policy = condition(it, "PolicySatisfied");
            let message = policy["message"].as_str().unwrap_or_default();
            // Nothing is wrong at Microsoft; that much is asked of it here that it may be made to wait.
            let pieces = ["not answered", "no answer", "Microsoft"];
            policy["reason"] == "DependencyMissing" || pieces.iter().any(|piece| message.contains(piece))
        };
        // Who asks to be left alone is asked nothing any more: what was still answered beside it is over with the next look.
        let quiet =
            |it: &Value| !self.case.asks_for_quiet() || condition(it, "CredentialsValid")["status"] == "Unknown";
        let what = format!("{} to settle: {}", self.place.name, self.case.name);
        scene
            .until(&what, "Connector", &self.place.name, |it| {
                let of_now = it["status"]["observedGeneration"] == it["metadata"]["generation"];
                of_now && condition(it, "Ready").is_object() && !waits(it) && quiet(it) && struck()
            })
            .await
    }

    /// Whether its fault struck this call.
    pub fn struck(&self, call: &backstay_world::Call) -> bool {
        call.fault.is_some_and(|it| self.faults.contains(&it))
    }

    fn row(&self, object: &Value) -> Row {
        let ready = condition(object, "Ready");
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Row {
            fault: self.case.name.clone(),
            ready: format!("{} `{}`", word(&ready["status"]), word(&ready["reason"])),
            others: others(object),
            message: word(&ready["message"]),
        }
    }

    /// What is no longer wrong is as if it had never been.
    async fn recover(&self, scene: &Scene) -> Value {
        // A clock goes on to be wrong.
        if self.faults.is_empty() {
            return Value::Null;
        }
        let what = format!("{} to recover from: {}", self.place.name, self.case.name);
        let fine = |it: &Value| is(it, "Ready", "True", "Current") && others(it).is_empty();
        scene.until(&what, "Connector", &self.place.name, fine).await
    }

    /// One that was well goes wrong: what was seen before is not forgotten, and no person is asked for anything.
    async fn relapse(&self, scene: &Scene, well: &Value) -> Vec<String> {
        scene.patch("Connector", &self.place.name, json!({ "spec": { "interval": "30s" } })).await;
        let what = format!("{} to see once more: {}", self.place.name, self.case.name);
        let ill = |it: &Value| {
            let of_now = it["status"]["observedGeneration"] == it["metadata"]["generation"];
            of_now && condition(it, "Ready")["status"] != "True"
        };
        let ill = scene.until(&what, "Connector", &self.place.name, ill).await;
        let kept = |field: &&str| ill["status"][*field] == well["status"][*field];
        let forgotten = ["account", "connectorID", "lastBackup", "handOffs"].into_iter().filter(|it| !kept(it));
        forgotten.map(|it| format!("{what}: {it} is {} and was {}", ill["status"][it], well["status"][it])).collect()
    }
}

/// The conditions beside Ready that are not as they are to be.
fn others(object: &Value) -> String {
    let status = |kind: &&str| condition(object, kind)["status"].as_str();
    let of = |wanted: &str| {
        let all: Vec<&str> = CONDITIONS.into_iter().filter(|kind| status(kind) == Some(wanted)).collect();
        let named: Vec<String> = all.iter().map(|kind| format!("`{kind}`")).collect();
        let rest = CONDITIONS.iter().filter(|kind| status(kind).is_some_and(|it| it != "False")).count();
        match named.len() {
            0 => None,
            all if wanted == "Unknown" && all == rest => Some("Unknown: all others".to_owned()),
            _ => Some(format!("{wanted}: {}", named.join(", "))),
        }
    };
    let abnormal = ["Stalled", "Reconciling"].into_iter().filter(|kind| status(kind) == Some("True"));
    let abnormal = abnormal.map(|kind| format!("True: `{kind}`"));
    abnormal.chain(["False", "Unknown"].into_iter().filter_map(of)).collect::<Vec<_>>().join("; ")
}

/// In the order of the README.
const CONDITIONS: [&str; 6] =
    ["CredentialsValid", "PolicySatisfied", "Provisioned", "Authorized", "BackupCurrent", "InSync"];
