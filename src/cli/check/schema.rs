//! What the API server would say of an object: its schema, fields that it does not know, lists with doubles, and the rules of the CRD.

use std::sync::LazyLock;

use jsonschema::Validator;
use jsonschema::error::ValidationErrorKind;
use kube::CustomResourceExt;
use kube::core::cel;
use serde_json::{Map, Value, json};

use super::yaml::Step;
use crate::api::{Connector, ServiceAccountPolicy};

/// What is wrong with a part of an object.
#[derive(Debug)]
pub struct Wrong {
    /// Which part.
    pub path: Vec<Step>,
    /// In one sentence.
    pub message: String,
}

/// A kind as the API server knows it.
struct Kind {
    name: String,
    version: String,
    /// As it is in the CRD.
    schema: Value,
    /// As JSON Schema has it.
    validator: Validator,
}

static KINDS: LazyLock<Vec<Kind>> = LazyLock::new(|| {
    let kinds = [Connector::crd(), ServiceAccountPolicy::crd()].into_iter().filter_map(|crd| {
        let version = crd.spec.versions.first()?;
        let mut schema = json!(version.schema.as_ref()?.open_api_v3_schema.as_ref()?);
        // What the operator writes is nobody's to check.
        schema["properties"].as_object_mut()?.remove("status");
        let mut standard = schema.clone();
        standardize(&mut standard);
        let validator = jsonschema::options().should_validate_formats(true).build(&standard).ok()?;
        Some(Kind {
            version: format!("{}/{}", crd.spec.group, version.name),
            name: crd.spec.names.kind,
            schema,
            validator,
        })
    });
    kinds.collect()
});

/// `OpenAPI` 3.0 says of a type that it may be null in a way of its own.
fn standardize(schema: &mut Value) {
    let Some(fields) = schema.as_object_mut() else { return };
    if fields.remove("nullable") == Some(Value::Bool(true)) {
        if let Some(kind) = fields.get("type").cloned() {
            fields.insert("type".to_owned(), json!([kind, "null"]));
        }
        if let Some(Value::Array(words)) = fields.get_mut("enum") {
            words.push(Value::Null);
        }
    }
    for name in ["items", "additionalProperties", "not"] {
        if let Some(inner) = fields.get_mut(name) {
            standardize(inner);
        }
    }
    for name in ["allOf", "anyOf", "oneOf"] {
        fields.get_mut(name).and_then(Value::as_array_mut).into_iter().flatten().for_each(standardize);
    }
    fields
        .get_mut("properties")
        .and_then(Value::as_object_mut)
        .into_iter()
        .flatten()
        .for_each(|(_, it)| standardize(it));
}

/// Everything that the API server would refuse of this object; `None`: it is of none of our kinds. With its defaults filled in.
pub fn judge(object: &mut Value) -> Option<Vec<Wrong>> {
    let (name, version) =
        (object["kind"].as_str()?.to_owned(), object["apiVersion"].as_str().unwrap_or_default().to_owned());
    let kind = KINDS.iter().find(|kind| kind.name == name && version.starts_with("backstay.dev/"))?;
    let mut all = Vec::new();
    if kind.version != version {
        let message = format!("there is no version {version} of {name}: {}", kind.version);
        return Some(vec![Wrong { path: vec![Step::Field("apiVersion".to_owned())], message }]);
    }
    all.extend(misnamed(object));
    // Null is the same as absent, where null is nothing.
    unknown(&kind.schema, object, &mut Vec::new(), &mut all);
    defaults(&kind.schema, object);
    for error in kind.validator.iter_errors(object) {
        let mut path = steps(error.instance_path().as_str());
        let message = match error.kind() {
            ValidationErrorKind::Required { property } => {
                path.push(Step::Field(property.as_str().unwrap_or_default().to_owned()));
                "Required value".to_owned()
            }
            ValidationErrorKind::Enum { options } => {
                format!("{}; supported values: {options}", shown(error.instance()))
            }
            ValidationErrorKind::Pattern { pattern } => format!("{} should match {pattern}", shown(error.instance())),
            ValidationErrorKind::MaxLength { limit } => format!("may not be longer than {limit}"),
            ValidationErrorKind::MaxItems { limit } => format!("may have {limit} items at most"),
            ValidationErrorKind::Type { .. } => format!("{} is of the wrong type ({error})", shown(error.instance())),
            _ => error.to_string(),
        };
        all.push(Wrong { path, message });
    }
    doubles(&kind.schema, object, &mut Vec::new(), &mut all);
    // A rule is for what has the right form, as at the API server.
    if all.is_empty() {
        let mut present = object.clone();
        without_nulls(&mut present);
        if let Err(errors) = cel::Validator::new().validate(&kind.schema, &present, None) {
            all.extend(
                errors
                    .into_vec()
                    .into_iter()
                    .map(|error| Wrong { path: dotted(&error.field_path), message: error.message }),
            );
        }
    }
    Some(all)
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() > 60 { format!("{}…", text.chars().take(60).collect::<String>()) } else { text }
}

/// A name that no object can have.
fn misnamed(object: &Value) -> Option<Wrong> {
    let path = vec![Step::Field("metadata".to_owned()), Step::Field("name".to_owned())];
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    let fits = |part: &str| {
        let inner = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-';
        !part.is_empty() && part.chars().all(inner) && !part.starts_with('-') && !part.ends_with('-')
    };
    if !name.is_empty() && name.len() <= 253 && name.split('.').all(fits) {
        return None;
    }
    let message = if name.is_empty() {
        "Required value".to_owned()
    } else {
        format!("{name:?} is no name: lower case letters, digits, - and ., 253 at most")
    };
    Some(Wrong { path, message })
}

/// Fields that the schema does not have: the API server would drop them, and a strict one refuse.
fn unknown(schema: &Value, value: &Value, path: &mut Vec<Step>, into: &mut Vec<Wrong>) {
    match value {
        Value::Object(fields) => {
            let Some(known) = schema["properties"].as_object() else { return };
            for (name, inner) in fields {
                // The API server has its own for these.
                if path.is_empty() && matches!(name.as_str(), "apiVersion" | "kind" | "metadata" | "status") {
                    continue;
                }
                path.push(Step::Field(name.clone()));
                match known.get(name) {
                    Some(schema) => unknown(schema, inner, path, into),
                    None => {
                        into.push(Wrong {
                            path: path.clone(),
                            message: format!("unknown field{}", meant(name, known)),
                        });
                    }
                }
                path.pop();
            }
        }
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                path.push(Step::Item(number));
                unknown(&schema["items"], item, path, into);
                path.pop();
            }
        }
        _ => {}
    }
}

/// The field that was meant, if one is nearly called so.
fn meant(name: &str, known: &Map<String, Value>) -> String {
    let lower = name.to_ascii_lowercase();
    let near = known.keys().map(|it| (strsim::levenshtein(&lower, &it.to_ascii_lowercase()), it)).min();
    near.filter(|(distance, _)| *distance <= 2).map(|(_, it)| format!(", did you mean {it}?")).unwrap_or_default()
}

/// What the API server fills in.
fn defaults(schema: &Value, value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
                let nothing = fields.get(name).is_none_or(|it| it.is_null() && inner["nullable"] != true);
                if let Some(default) = inner.get("default").filter(|_| nothing) {
                    fields.insert(name.clone(), default.clone());
                }
                if let Some(it) = fields.get_mut(name) {
                    defaults(inner, it);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| defaults(&schema["items"], item)),
        _ => {}
    }
}

/// Lists that may hold each thing, or each key, once.
fn doubles(schema: &Value, value: &Value, path: &mut Vec<Step>, into: &mut Vec<Wrong>) {
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                path.push(Step::Field(name.clone()));
                doubles(&schema["properties"][name], inner, path, into);
                path.pop();
            }
        }
        Value::Array(items) => {
            let keys: Vec<&str> = schema["x-kubernetes-list-map-keys"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            let key = |item: &Value| match schema["x-kubernetes-list-type"].as_str() {
                Some("set") => Some(item.clone()),
                Some("map") => Some(keys.iter().map(|key| item[key].clone()).collect()),
                _ => None,
            };
            for (number, item) in items.iter().enumerate() {
                path.push(Step::Item(number));
                let same =
                    key(item).filter(|mine| items[..number].iter().any(|other| key(other).as_ref() == Some(mine)));
                if let Some(same) = same {
                    into.push(Wrong { path: path.clone(), message: format!("Duplicate value: {}", shown(&same)) });
                }
                doubles(&schema["items"], item, path, into);
                path.pop();
            }
        }
        _ => {}
    }
}

fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, it| !it.is_null());
            fields.values_mut().for_each(without_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        _ => {}
    }
}

/// The steps of a JSON pointer.
fn steps(pointer: &str) -> Vec<Step> {
    let step = |part: &str| {
        let part = part.replace("~1", "/").replace("~0", "~");
        part.parse().map_or(Step::Field(part), Step::Item)
    };
    pointer.split('/').skip(1).map(step).collect()
}

/// The steps of a path such as `spec.list[0].name`.
fn dotted(path: &str) -> Vec<Step> {
    let parts = path.split(['.', '[', ']']).filter(|part| !part.is_empty());
    parts.map(|part| part.parse().map_or_else(|_| Step::Field(part.to_owned()), Step::Item)).collect()
}
