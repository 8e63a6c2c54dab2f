//! What the API server would say of an object: its schema, fields that it does not know, lists with doubles, and the rules of the CRD.

use std::sync::LazyLock;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::CustomResourceExt;
use kube::core::cel;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::form::{Form, Wrong, shown};
use crate::api::{Connector, ServiceAccountPolicy};
use crate::cli::yaml::Step;

/// How the sentence of a field begins that there is not.
pub const UNKNOWN: &str = "unknown field";

/// A kind as the API server knows it.
struct Kind {
    name: String,
    version: String,
    form: Form,
}

/// What every object has beside its spec, by Kubernetes' own types.
static METADATA: LazyLock<Option<Form>> = LazyLock::new(|| {
    let generator = SchemaSettings::openapi3().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let generator = generator.into_generator();
    Form::new(json!(generator.into_root_schema_for::<ObjectMeta>()))
});

static KINDS: LazyLock<Vec<Kind>> = LazyLock::new(|| {
    let kinds = [Connector::crd(), ServiceAccountPolicy::crd()].into_iter().filter_map(|crd| {
        let version = crd.spec.versions.first()?;
        let mut schema = json!(version.schema.as_ref()?.open_api_v3_schema.as_ref()?);
        // What the operator writes is nobody's to check.
        schema["properties"].as_object_mut()?.remove("status");
        Some(Kind {
            version: format!("{}/{}", crd.spec.group, version.name),
            name: crd.spec.names.kind,
            form: Form::new(schema)?,
        })
    });
    kinds.collect()
});

/// What the API server would say of an object.
#[derive(Debug, Default)]
pub struct Judged {
    /// It would refuse this.
    pub wrong: Vec<Wrong>,
    /// It would refuse this where it is applied by the server (as Flux does), and pass it over otherwise.
    pub passed_over: Vec<Wrong>,
}

impl From<Wrong> for Judged {
    fn from(wrong: Wrong) -> Self {
        Self { wrong: vec![wrong], passed_over: Vec::new() }
    }
}

/// What the API server would say of this object; `None`: it is of none of our kinds. With its defaults filled in.
pub fn judge(object: &mut Value) -> Option<Judged> {
    let (name, version) =
        (object["kind"].as_str()?.to_owned(), object["apiVersion"].as_str().unwrap_or_default().to_owned());
    if !version.starts_with("backstay.dev/") {
        // Others may have a kind of this name, too; but not in no group, and not in one that is ours but for a letter.
        let kind = KINDS.iter().find(|kind| kind.name == name)?;
        let meant = version.is_empty() || version.starts_with("backstay");
        let said = if version.is_empty() { "Required value".to_owned() } else { format!("there is no {version}") };
        return meant.then(|| Wrong::at(&["apiVersion"], format!("{said}: {}", kind.version)).into());
    }
    let Some(kind) = KINDS.iter().find(|kind| kind.name == name) else {
        let names = KINDS.iter().map(|kind| kind.name.as_str());
        let message = format!("there is no kind {name} in backstay.dev{}", meant(&name, names));
        return Some(Wrong::at(&["kind"], message).into());
    };
    let mut all = Vec::new();
    if kind.version != version {
        let message = format!("there is no version {version} of {name}: {}", kind.version);
        return Some(Wrong::at(&["apiVersion"], message).into());
    }
    all.extend(misnamed(object));
    all.extend(of_metadata(&object["metadata"]));
    let schema = &kind.form.schema;
    unknown(schema, object, &mut Vec::new(), &mut all);
    let mut passed_over = Vec::new();
    complete(schema, object, &mut Vec::new(), &mut passed_over);
    all.extend(kind.form.judge(object));
    doubles(schema, object, &mut Vec::new(), &mut all);
    // A rule is for what has the right form, as at the API server.
    if all.is_empty() {
        without_nulls(object);
        if let Err(errors) = cel::Validator::new().validate(schema, object, None) {
            all.extend(
                errors
                    .into_vec()
                    .into_iter()
                    .map(|error| Wrong { path: dotted(&error.field_path), message: error.message }),
            );
        }
    }
    Some(Judged { wrong: all, passed_over })
}

/// Whether it is a label as names of hosts have it.
fn is_label(part: &str) -> bool {
    let inner = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-';
    !part.is_empty() && part.chars().all(inner) && !part.starts_with('-') && !part.ends_with('-')
}

/// Whether it is a word as keys and values of labels are.
fn is_word(text: &str) -> bool {
    let edge = |it: Option<char>| it.is_some_and(|it| it.is_ascii_alphanumeric());
    let inner = |it: char| it.is_ascii_alphanumeric() || matches!(it, '-' | '_' | '.');
    text.len() <= 63 && edge(text.chars().next()) && edge(text.chars().last()) && text.chars().all(inner)
}

fn is_label_value(text: &str) -> bool {
    text.is_empty() || is_word(text)
}

/// Whether it is a key: a word, and before it perhaps a host.
fn is_qualified(key: &str) -> bool {
    match key.split_once('/') {
        Some((host, name)) => host.len() <= 253 && host.split('.').all(is_label) && is_word(name),
        None => is_word(key),
    }
}

/// A name that no object can have.
fn misnamed(object: &Value) -> Option<Wrong> {
    let metadata = &object["metadata"];
    // Of another type: that is told of its own.
    if !metadata["name"].is_null() && !metadata["name"].is_string() {
        return None;
    }
    let name = metadata["name"].as_str().unwrap_or_default();
    if !name.is_empty() && name.len() <= 253 && name.split('.').all(is_label) {
        return None;
    }
    let message = if name.is_empty() && metadata["generateName"].is_string() {
        "Required value: what has only a generateName can be created, and not applied".to_owned()
    } else if name.is_empty() {
        "Required value".to_owned()
    } else {
        format!("{name:?} is no name: lower case letters, digits, - and ., 253 at most")
    };
    Some(Wrong::at(&["metadata", "name"], message))
}

/// What is wrong with the metadata, beside the name.
fn of_metadata(metadata: &Value) -> Vec<Wrong> {
    let Some(form) = METADATA.as_ref() else { return Vec::new() };
    // The API server has its own sentence for an object without any.
    if metadata.is_null() {
        return Vec::new();
    }
    let mut all = Vec::new();
    // One step down: the top has fields that are nobody's to check.
    unknown(&form.schema, metadata, &mut vec![Step::Field("metadata".to_owned())], &mut all);
    let mut present = metadata.clone();
    // Null is absent here.
    without_nulls(&mut present);
    all.extend(form.judge(&present).into_iter().map(|wrong| {
        let path = std::iter::once(Step::Field("metadata".to_owned())).chain(wrong.path).collect();
        Wrong { path, ..wrong }
    }));
    for (field, is_value) in [("labels", is_label_value as fn(&str) -> bool), ("annotations", |_| true)] {
        for (key, value) in present[field].as_object().into_iter().flatten() {
            if !is_qualified(key) {
                let message = format!(
                    "{key:?} is no key: a name of letters, digits, -, _ and ., 63 at most, and before it perhaps a host and /"
                );
                all.push(Wrong::at(&["metadata", field, key], message));
            }
            if value.as_str().is_some_and(|it| !is_value(it)) {
                let message = format!("{value} is no value: letters, digits, -, _ and ., 63 at most");
                all.push(Wrong::at(&["metadata", field, key], message));
            }
        }
    }
    let finalizers = present["finalizers"].as_array().into_iter().flatten().enumerate();
    for (number, name) in
        finalizers.filter(|(_, it)| it.as_str().is_some_and(|it| !it.contains('/') || !is_qualified(it)))
    {
        let mut wrong = Wrong::at(&["metadata", "finalizers"], format!("{name} is no finalizer: a host, / and a name"));
        wrong.path.push(Step::Item(number));
        all.push(wrong);
    }
    let namespace =
        present["namespace"].as_str().filter(|name| !name.is_empty() && (!is_label(name) || name.len() > 63));
    all.extend(namespace.map(|name| {
        let message = format!("{name:?} is no namespace: lower case letters, digits and -, 63 at most");
        Wrong::at(&["metadata", "namespace"], message)
    }));
    all
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
                            message: format!("{UNKNOWN}{}", meant(name, known.keys().map(String::as_str))),
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
pub fn meant<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let lower = name.to_ascii_lowercase();
    let near = known.map(|it| (strsim::levenshtein(&lower, &it.to_ascii_lowercase()), it)).min();
    near.filter(|(distance, _)| *distance <= 2).map(|(_, it)| format!(", did you mean {it}?")).unwrap_or_default()
}

/// Takes away what the API server does, null where a field can't be that, and fills in what it fills in: defaults.
fn complete(schema: &Value, value: &mut Value, path: &mut Vec<Step>, into: &mut Vec<Wrong>) {
    match value {
        Value::Object(fields) => {
            for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
                path.push(Step::Field(name.clone()));
                if inner["nullable"] != true && fields.get(name).is_some_and(Value::is_null) {
                    fields.remove(name);
                    let message = "has no value: leave the field out, or server-side apply refuses it".to_owned();
                    into.push(Wrong { path: path.clone(), message });
                }
                if let Some(default) = inner.get("default").filter(|_| !fields.contains_key(name)) {
                    fields.insert(name.clone(), default.clone());
                }
                if let Some(it) = fields.get_mut(name) {
                    complete(inner, it, path, into);
                }
                path.pop();
            }
        }
        Value::Array(items) => {
            for (number, item) in items.iter_mut().enumerate() {
                path.push(Step::Item(number));
                complete(&schema["items"], item, path, into);
                path.pop();
            }
        }
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
                    let keys = same.as_array().map_or_else(|| vec![&same], |keys| keys.iter().collect());
                    let keys: Vec<String> = keys.into_iter().map(shown).collect();
                    into.push(Wrong { path: path.clone(), message: format!("Duplicate value: {}", keys.join(", ")) });
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

/// The steps of a path such as `spec.list[0].name`.
fn dotted(path: &str) -> Vec<Step> {
    let parts = path.split(['.', '[', ']']).filter(|part| !part.is_empty());
    parts.map(|part| part.parse().map_or_else(|_| Step::Field(part.to_owned()), Step::Item)).collect()
}
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_and_what_all_objects_have_can_be_judged() {
        assert_eq!(KINDS.len(), 2);
        assert!(METADATA.is_some());
        let metadata = json!({
            "name": "a", "namespace": "Back_up", "namespase": "b", "labels": { "x": 1, "y": "z" }, "creationTimestamp": null,
        });
        let wrong = of_metadata(&metadata).into_iter().map(|wrong| wrong.path.into_iter().skip(1).collect::<Vec<_>>());
        let field = |name: &str| Step::Field(name.to_owned());
        assert_eq!(
            wrong.collect::<Vec<_>>(),
            [vec![field("namespase")], vec![field("labels"), field("x")], vec![field("namespace")]]
        );
    }

    #[test]
    fn a_kind_that_is_misspelt_is_told_and_those_of_others_are_not() {
        let judged = |group: &str, kind: &str| judge(&mut json!({ "apiVersion": format!("{group}/v1"), "kind": kind }));
        let told = judged("backstay.dev", "Conector").unwrap().wrong;
        assert!(told[0].message.contains("did you mean Connector?"), "{told:?}");
        assert!(judged("kafka.example.com", "Connector").is_none());
    }
}
