//! Which files hold no whole objects: what a kustomization patches others with.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use serde_json::Value;

/// The files, as they are named here, that kustomizations among these objects take as patches.
pub fn patches<'a>(objects: impl Iterator<Item = (&'a str, &'a Value)>) -> BTreeSet<PathBuf> {
    let mut all = BTreeSet::new();
    for (file, value) in objects.filter(|(file, value)| is_one(file, value)) {
        let folder = Path::new(file).parent().unwrap_or(Path::new(""));
        let patches = value["patches"].as_array().into_iter().flatten().filter_map(|it| it["path"].as_str());
        let older = value["patchesStrategicMerge"].as_array().into_iter().flatten().filter_map(Value::as_str);
        all.extend(patches.chain(older).map(|path| plain(&folder.join(path))));
    }
    all
}

/// Whether it is a kustomization: it may change whatever stands in the other files, such as their labels.
pub fn is_one(file: &str, value: &Value) -> bool {
    let name = Path::new(file).file_name().is_some_and(|it| it == "kustomization.yaml" || it == "kustomization.yml");
    name || value["kind"] == "Kustomization"
        && value["apiVersion"].as_str().is_some_and(|it| it.contains("kustomize.config"))
}

/// A path without steps up and down that lead nowhere.
pub fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if plain.file_name().is_some() => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}
