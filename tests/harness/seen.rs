//! Every status that a test sees is kept, so that what GitOps tools make of it can be asked of them (`tests/gitops`).

use std::collections::HashSet;
use std::fs::File;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

struct Kept {
    file: File,
    known: HashSet<String>,
}

static KEPT: Mutex<Option<Kept>> = Mutex::new(None);

/// Keeps one object, if none with the same conditions is kept yet.
pub fn keep(object: &Value) {
    if !matches!(object["kind"].as_str(), Some("Connector" | "ServiceAccountPolicy")) {
        return;
    }
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let kept = kept.get_or_insert_with(|| {
        let folder = super::root().join("target/seen");
        std::fs::create_dir_all(&folder).unwrap();
        // One file a test binary, and of its last run only.
        let binary = std::env::current_exe().unwrap();
        let name = binary.file_name().unwrap().to_string_lossy();
        let name = name.rsplit_once('-').map_or(&*name, |(name, _)| name);
        Kept { file: File::create(folder.join(format!("{name}.jsonl"))).unwrap(), known: HashSet::new() }
    });
    if kept.known.insert(gist(object)) {
        writeln!(kept.file, "{object}").unwrap();
    }
}

/// What a health is judged by.
fn gist(object: &Value) -> String {
    let conditions = object["status"]["conditions"].as_array().into_iter().flatten();
    let said: Vec<String> = conditions.map(|it| format!("{}={} {}", it["type"], it["status"], it["reason"])).collect();
    let seen = object["status"]["observedGeneration"] == object["metadata"]["generation"];
    let going = object["metadata"]["deletionTimestamp"].is_string();
    format!("{} {seen} {going} {}", object["kind"], said.join(", "))
}
