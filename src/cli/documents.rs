//! The objects of ours in a file of YAML documents. What is misspelt is named: it would be left out of an answer without a word.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The documents of these kinds, in order: the kind, and the object as JSON. Lists are taken apart.
///
/// # Errors
/// One sentence: no YAML.
pub fn documents(text: &str) -> Result<Vec<Value>, String> {
    let mut all = Vec::new();
    for document in serde_yaml::Deserializer::from_str(text) {
        // By JSON, as the API server takes it: in YAML an enum would be a tag.
        let mut value = Value::deserialize(document).map_err(|error| error.to_string())?;
        let is_list = value.get("kind").and_then(Value::as_str).is_some_and(|kind| kind.ends_with("List"));
        match value.get_mut("items").filter(|_| is_list).map(Value::take) {
            Some(Value::Array(items)) => all.extend(items),
            _ => all.push(value),
        }
    }
    Ok(all)
}

/// One object.
///
/// # Errors
/// One sentence with its kind and name: a field that is wrong, or that there is none of.
pub fn object<K: DeserializeOwned>(value: Value) -> Result<K, String> {
    let kind = value["kind"].as_str().unwrap_or_default().to_owned();
    let name = value["metadata"]["name"].as_str().unwrap_or("without a name").to_owned();
    let mut unknown = Vec::new();
    let object = serde_ignored::deserialize(value, |path| unknown.push(path.to_string()))
        .map_err(|error| format!("{kind} {name}: {error}"))?;
    // The version and the kind are looked at elsewhere.
    match unknown.iter().find(|field| field.starts_with("spec")) {
        Some(field) => Err(format!("{kind} {name}: unknown field {}", field.replace(".?", ""))),
        None => Ok(object),
    }
}
