//! What a value may look like, by a schema of `OpenAPI`, and in which words it does not.

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use serde_json::{Value, json};

use crate::cli::yaml::Step;

/// What is wrong with a part of an object.
#[derive(Debug)]
pub struct Wrong {
    /// Which part.
    pub path: Vec<Step>,
    /// In one sentence.
    pub message: String,
}

impl Wrong {
    /// Of the field at this path.
    pub fn at(path: &[&str], message: String) -> Self {
        Self { path: path.iter().map(|step| Step::Field((*step).to_owned())).collect(), message }
    }
}

/// What a part of an object may look like.
pub struct Form {
    /// As it is in the CRD.
    pub schema: Value,
    /// As JSON Schema has it.
    standard: Value,
    validator: Validator,
}

impl Form {
    /// `None`: no schema.
    pub fn new(schema: Value) -> Option<Self> {
        let mut standard = schema.clone();
        standardize(&mut standard);
        let validator = jsonschema::options().should_validate_formats(true).build(&standard).ok()?;
        Some(Self { schema, standard, validator })
    }

    /// What does not have this form.
    pub fn judge(&self, value: &Value) -> Vec<Wrong> {
        self.validator.iter_errors(value).map(|error| self.wrong(value, &error)).collect()
    }

    fn wrong(&self, value: &Value, error: &ValidationError<'_>) -> Wrong {
        let mut path = steps(value, error.instance_path().as_str());
        // The part of the schema that was not met, and what it is a part of.
        let rule = error.schema_path().as_str();
        let part = rule.rsplit_once('/').and_then(|(part, _)| self.standard.pointer(part));
        // A secret in a wrong place is still one.
        let value = if near_a_secret(&path) { "the value".to_owned() } else { shown(error.instance()) };
        let message = match error.kind() {
            ValidationErrorKind::Required { property } => {
                path.push(Step::Field(property.as_str().unwrap_or_default().to_owned()));
                "Required value".to_owned()
            }
            ValidationErrorKind::Enum { options } => {
                format!("{value}; supported values: {options}")
            }
            ValidationErrorKind::Pattern { pattern } => {
                if is_span(pattern) {
                    return Wrong {
                        path,
                        message: format!("{value} is no time such as 30s, 2m or 36h (there are no days)"),
                    };
                }
                let means = part.and_then(|part| part["description"].as_str()).unwrap_or_default();
                let means = means.split_once(". ").map_or(means.trim_end_matches('.'), |(first, _)| first);
                let means = if means.is_empty() { String::new() } else { format!(" ({means})") };
                format!("{value} should match {pattern}{means}")
            }
            ValidationErrorKind::MaxLength { limit } => format!("may not be longer than {limit}"),
            ValidationErrorKind::MaxItems { limit } => format!("may have {limit} items at most"),
            ValidationErrorKind::Type { .. } => {
                let wanted = part.map(|part| wanted(part, error.instance())).unwrap_or_default();
                format!("{value} is of the wrong type{wanted}")
            }
            ValidationErrorKind::OneOfNotValid { .. } | ValidationErrorKind::OneOfMultipleValid { .. } => {
                let names = self.standard.pointer(rule).map(alternatives).unwrap_or_default();
                let has: Vec<&str> =
                    names.iter().copied().filter(|name| error.instance().get(*name).is_some()).collect();
                let has = if has.is_empty() { "none".to_owned() } else { has.join(" and ") };
                format!("needs exactly one of {}, and has {has}", names.join(", "))
            }
            _ => error.masked_with(value).to_string(),
        };
        Wrong { path, message }
    }
}

/// The fields that a choice is between.
fn alternatives(choice: &Value) -> Vec<&str> {
    choice.as_array().into_iter().flatten().filter_map(|it| it["required"][0].as_str()).collect()
}

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

/// Whether it is the pattern of a length of time, which nobody wants to read.
pub fn is_span(pattern: &str) -> bool {
    pattern.ends_with("(ms|s|m|h))+$")
}

/// Which type is wanted in place of that of a value.
fn wanted(part: &Value, value: &Value) -> String {
    let types = part["type"].as_array().into_iter().flatten().chain(part["type"].is_string().then_some(&part["type"]));
    let Some(wanted) = types.filter_map(Value::as_str).find(|it| *it != "null") else { return String::new() };
    let how = match (wanted, value) {
        ("string", Value::Number(_) | Value::Bool(_)) => ", in quotes",
        ("integer" | "number" | "boolean", Value::String(_)) => ", without quotes",
        _ => "",
    };
    let wanted = match wanted {
        "array" => "a list",
        "object" => "an object",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        _ => "a text",
    };
    format!(": {wanted} is wanted{how}")
}

/// Whether what stands here may be a secret that somebody has written in place of a reference, or beside it.
fn near_a_secret(path: &[Step]) -> bool {
    path.iter().any(|step| matches!(step, Step::Field(name) if speaks_of_a_secret(name)))
}

/// Whether a name, or a line, has a word in it that secrets are called by.
pub fn speaks_of_a_secret(text: &str) -> bool {
    let text = text.to_lowercase();
    ["secret", "pass", "pwd", "token", "credential", "key"].iter().any(|word| text.contains(word))
}

/// A value as it is told, no longer than a line bears; what is in a list or an object is not: there may be a secret in it.
pub fn shown(value: &Value) -> String {
    let text = match value {
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        _ => value.to_string(),
    };
    if text.chars().count() > 60 { format!("{}…", text.chars().take(60).collect::<String>()) } else { text }
}

/// The steps of a JSON pointer into a value.
fn steps(value: &Value, pointer: &str) -> Vec<Step> {
    let mut inner = value;
    let step = |part: &str| {
        let part = part.replace("~1", "/").replace("~0", "~");
        // What looks like a number may be the key of a map.
        let step = part.parse().ok().filter(|_| inner.is_array()).map_or(Step::Field(part), Step::Item);
        inner = match &step {
            Step::Field(name) => &inner[name.as_str()],
            Step::Item(number) => &inner[*number],
        };
        step
    };
    pointer.split('/').skip(1).map(step).collect()
}
