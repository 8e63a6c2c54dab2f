//! What a kustomization does to the files beside it: which hold no whole objects, and whether they are what is applied.

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

/// Whether it is a kustomization.
fn is_one(file: &str, value: &Value) -> bool {
    let name = Path::new(file).file_name().is_some_and(|it| it == "kustomization.yaml" || it == "kustomization.yml");
    name || value["kind"] == "Kustomization"
        && value["apiVersion"].as_str().is_some_and(|it| it.contains("kustomize.config"))
}

/// That what stands in the files is not what is applied, if a kustomization among these objects may make something else of it, such as
/// by labels. `reads`: how the command is given what is.
pub fn note<'a>(mut objects: impl Iterator<Item = (&'a str, &'a Value)>, reads: &str) -> Option<String> {
    let (file, _) = objects.find(|(file, value)| is_one(file, value) && makes_more(value))?;
    Some(format!(
        "{file} may change what stands in other files: what is applied is what kustomize build prints ({reads} reads it)"
    ))
}

/// Whether it does more than to list files beside it.
fn makes_more(value: &Value) -> bool {
    // Flux calls an object of its own so, and its file often likewise.
    if value["apiVersion"].as_str().is_some_and(|it| !it.contains("kustomize.config")) {
        return false;
    }
    let listing = ["apiVersion", "kind", "metadata", "resources"];
    let elsewhere = |it: &Value| {
        it.as_str().is_some_and(|it| it.starts_with("..") || it.contains("//") || it.contains(':') || it.contains('?'))
    };
    value.as_object().is_some_and(|it| it.keys().any(|key| !listing.contains(&key.as_str())))
        || value["resources"].as_array().into_iter().flatten().any(elsewhere)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kustomization_is_told_that_does_more_than_to_list_files() {
        let told = |yaml: &str| {
            let value: Value = serde_yaml::from_str(yaml).unwrap();
            note([("a.yaml", &Value::Null), ("prod/kustomization.yaml", &value)].into_iter(), "-f -")
        };
        for fine in [
            "resources: [a.yaml, below/]",
            "{ apiVersion: kustomize.config.k8s.io/v1beta1, kind: Kustomization, resources: [./a.yaml] }",
            "{ apiVersion: kustomize.toolkit.fluxcd.io/v1, kind: Kustomization, spec: { path: ./backup } }",
        ] {
            assert_eq!(told(fine), None, "{fine}");
        }
        for more in [
            "{ resources: [a.yaml], patches: [{ path: p.yaml }] }",
            "{ resources: [a.yaml], patches: [{ patch: '[]' }] }",
            "{ resources: [a.yaml], namePrefix: prod- }",
            "resources: [../base]",
            "resources: ['https://example.com/base?ref=1']",
        ] {
            let told = told(more).unwrap_or_default();
            assert!(told.starts_with("prod/kustomization.yaml may change"), "{more}: {told}");
            assert!(told.ends_with("(-f - reads it)"), "{more}: {told}");
        }
    }
}
