//! The objects of ours in files of YAML. What is misspelt is named: it would be left out of an answer without a word.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{kustomize, outside, yaml};

/// The files that are meant, with their names: of a folder its `*.yaml` and `*.yml`, but for hidden ones; `-` is standard input.
///
/// # Errors
/// One sentence: one can't be read.
pub fn files(paths: &[PathBuf]) -> Result<Vec<(String, String)>, String> {
    let (files, unread) = each(paths);
    unread.into_iter().next().map_or(Ok(files), Err)
}

/// The same, with a sentence for each that can't be read.
pub fn each(paths: &[PathBuf]) -> (Vec<(String, String)>, Vec<String>) {
    let (mut files, mut texts, mut unread) = (Vec::new(), Vec::new(), Vec::new());
    for path in paths {
        let collected = collect(path, path.is_dir(), &mut files);
        unread.extend(collected.err().map(|error| format!("{}: {error}", path.display())));
    }
    for path in files {
        match outside::read(&path) {
            Ok(text) => texts.push((path.display().to_string(), text)),
            Err(sentence) => unread.push(sentence),
        }
    }
    (texts, unread)
}

fn collect(path: &Path, folder: bool, into: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if !folder {
        into.push(path.to_owned());
        return Ok(());
    }
    let mut inner = std::fs::read_dir(path)?.collect::<Result<Vec<_>, _>>()?;
    inner.sort_by_key(std::fs::DirEntry::file_name);
    for entry in inner {
        let (path, folder) = (entry.path(), entry.file_type()?.is_dir());
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        let yaml = path.extension().is_some_and(|it| it == "yaml" || it == "yml");
        if !hidden && (folder || yaml) {
            collect(&path, folder, into)?;
        }
    }
    Ok(())
}

/// The objects of these files, in order, as the API server takes them. Lists are taken apart; what a kustomization patches
/// others with is no object, and is left out.
///
/// # Errors
/// One sentence with the place: no YAML.
pub fn documents(files: &[(String, String)]) -> Result<Vec<(&str, Value)>, String> {
    let mut all = Vec::new();
    for (name, text) in files {
        let nodes = match yaml::parsed(text) {
            Ok(nodes) => nodes,
            Err((place, why)) => {
                let sentence = format!("{name}:{}:{}: can't be read: {why}", place.line, place.column);
                if is_ours(text) || files.len() == 1 {
                    return Err(sentence);
                }
                eprintln!("backstay: passed over: {sentence}");
                continue;
            }
        };
        all.extend(yaml::objects(&nodes).into_iter().map(|object| (name.as_str(), object.value)));
    }
    let named = || all.iter().map(|(file, value)| (*file, value));
    let patches = kustomize::patches(named());
    if let Some(note) = kustomize::note(named(), "-f -") {
        eprintln!("backstay: {note}");
    }
    all.retain(|(file, _)| !patches.contains(&kustomize::plain(Path::new(file))));
    Ok(all)
}

/// Whether a file that can't be read has an object of ours in it: one of others, such as a template, is nobody's mistake.
pub fn is_ours(text: &str) -> bool {
    let version = |line: &str| line.split_once("apiVersion").is_some_and(|(_, rest)| rest.contains("backstay.dev/"));
    text.lines().any(version)
}

/// One object of a file.
///
/// # Errors
/// One sentence with the file, its kind and name: a field that is wrong, or that there is none of.
pub fn object<K: DeserializeOwned>((file, value): (&str, Value)) -> Result<K, String> {
    let kind = value["kind"].as_str().unwrap_or_default().to_owned();
    let name = value["metadata"]["name"].as_str().unwrap_or("without a name").to_owned();
    let mut unknown = Vec::new();
    let object = serde_ignored::deserialize(value, |path| unknown.push(path.to_string()))
        .map_err(|error| format!("{file}: {kind} {name}: {error}"))?;
    // The version and the kind are looked at elsewhere.
    match unknown.iter().find(|field| field.starts_with("spec")) {
        Some(field) => Err(format!("{file}: {kind} {name}: unknown field {}", field.replace(".?", ""))),
        None => Ok(object),
    }
}

#[cfg(test)]
mod tests {
    use super::documents;

    #[test]
    fn what_a_kustomization_patches_with_is_no_object() {
        let file = |name: &str, text: &str| (format!("prod/{name}"), text.to_owned());
        let connector = "apiVersion: backstay.dev/v1alpha1\nkind: Connector\nmetadata: { name: a }\n";
        let kustomization = "resources: [connector.yaml]\npatches: [{ path: ./longer.yaml }]\n";
        let files = [
            file("connector.yaml", connector),
            file("kustomization.yaml", kustomization),
            file("longer.yaml", connector),
        ];
        let connectors = |files: &[(String, String)]| -> Vec<String> {
            let all = documents(files).unwrap();
            all.iter().filter(|it| it.1["kind"] == "Connector").map(|it| it.0.to_owned()).collect()
        };
        assert_eq!(connectors(&files), ["prod/connector.yaml"]);
        assert_eq!(connectors(&files[..1]), ["prod/connector.yaml"]);
        assert_eq!(connectors(&files[2..]), ["prod/longer.yaml"]);
    }
}
