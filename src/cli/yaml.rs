//! A file of YAML documents as JSON, and where in the file each part of it stands.

use saphyr::{LoadableYamlNode, MarkedYaml, Marker, Scalar, YamlData};
use serde_json::{Map, Number, Value};

/// One object of a file, and its place.
pub struct Object<'a> {
    /// As the API server would take it.
    pub value: Value,
    node: &'a MarkedYaml<'a>,
}

/// A line and a column, from 1 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Place {
    fn of(marker: &Marker) -> Self {
        Self { line: marker.line(), column: marker.col() + 1 }
    }
}

/// A step into an object: a field, or an item of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A field.
    Field(String),
    /// An item.
    Item(usize),
}

/// The nodes of a text.
///
/// # Errors
/// Where it is no YAML, and why.
pub fn parsed(text: &str) -> Result<Vec<MarkedYaml<'_>>, (Place, String)> {
    MarkedYaml::load_from_str(text).map_err(|error| (Place::of(error.marker()), error.info().to_owned()))
}

/// The objects in them; what is in a List stands for itself.
pub fn objects<'a>(nodes: &'a [MarkedYaml<'a>]) -> Vec<Object<'a>> {
    let mut all = Vec::new();
    for node in nodes {
        let value = json(node);
        let is_list = value.get("kind").and_then(Value::as_str).is_some_and(|kind| kind.ends_with("List"));
        match field(node, "items").map(|items| &items.data).filter(|_| is_list) {
            Some(YamlData::Sequence(items)) => all.extend(items.iter().map(|it| Object { value: json(it), node: it })),
            _ => all.push(Object { value, node }),
        }
    }
    all.retain(|object| !object.value.is_null());
    all
}

impl Object<'_> {
    /// Where the object begins.
    pub fn start(&self) -> Place {
        Place::of(&self.node.span.start)
    }

    /// A line of the file, as far as it is the object's: what stands beside it may be a Secret. Blanks stand for the rest.
    pub fn line(&self, text: &str, place: Place) -> String {
        let line = text.lines().nth(place.line.saturating_sub(1)).unwrap_or_default();
        let (start, end) = (Place::of(&self.node.span.start), Place::of(&self.node.span.end));
        let own = |column: usize| {
            (place.line > start.line || column >= start.column) && (place.line < end.line || column < end.column)
        };
        let shown = line.chars().zip(1..).map(|(it, column)| if own(column) { it } else { ' ' });
        shown.collect::<String>().trim_end().to_owned()
    }

    /// Where a part of it stands; of a part that is not there, what it should be in.
    pub fn place(&self, path: &[Step]) -> Place {
        let mut node = self.node;
        // What is named is shown by its key: a value may be on a line of its own, or empty.
        let mut place = self.start();
        for step in path {
            let next = match step {
                Step::Field(name) => keyed(node, name).map(|(key, value)| (Place::of(&key.span.start), value)),
                Step::Item(number) => match &node.data {
                    YamlData::Sequence(items) => items.get(*number).map(|it| (Place::of(&it.span.start), it)),
                    _ => None,
                },
            };
            let Some((at, inner)) = next else { return place };
            (place, node) = (at, inner);
        }
        place
    }
}

fn keyed<'a>(node: &'a MarkedYaml<'a>, name: &str) -> Option<(&'a MarkedYaml<'a>, &'a MarkedYaml<'a>)> {
    let YamlData::Mapping(fields) = &node.data else { return None };
    fields.iter().find(|(key, _)| matches!(&key.data, YamlData::Value(Scalar::String(text)) if text == name))
}

fn field<'a>(node: &'a MarkedYaml<'a>, name: &str) -> Option<&'a MarkedYaml<'a>> {
    keyed(node, name).map(|(_, value)| value)
}

fn json(node: &MarkedYaml<'_>) -> Value {
    match &node.data {
        YamlData::Value(scalar) => match scalar {
            Scalar::Boolean(it) => Value::Bool(*it),
            Scalar::Integer(it) => Value::Number((*it).into()),
            Scalar::FloatingPoint(it) => Number::from_f64(it.into_inner()).map_or(Value::Null, Value::Number),
            Scalar::String(it) => Value::String(it.to_string()),
            Scalar::Null => Value::Null,
        },
        YamlData::Sequence(items) => Value::Array(items.iter().map(json).collect()),
        YamlData::Mapping(fields) => {
            let entry = |(key, value): (&MarkedYaml<'_>, &MarkedYaml<'_>)| {
                let name = match json(key) {
                    Value::String(name) => name,
                    other => other.to_string(),
                };
                (name, json(value))
            };
            Value::Object(fields.iter().map(entry).collect::<Map<String, Value>>())
        }
        YamlData::Tagged(_, inner) => json(inner),
        YamlData::Representation(text, ..) => Value::String(text.to_string()),
        YamlData::Alias(_) | YamlData::BadValue => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_has_its_place_and_what_is_missing_that_of_what_it_should_be_in() {
        let text =
            "kind: A\nspec:\n  list:\n    - x: 1\n    - y: on\n---\nkind: BList\nitems:\n- { kind: B, spec: {} }\n";
        let nodes = parsed(text).unwrap();
        let all = objects(&nodes);
        assert_eq!(all.iter().map(|it| it.value["kind"].as_str().unwrap()).collect::<Vec<_>>(), ["A", "B"]);
        let place = |path: &[Step]| {
            let Place { line, column } = all[0].place(path);
            (line, column)
        };
        let field = |name: &str| Step::Field(name.to_owned());
        assert_eq!(place(&[]), (1, 1));
        assert_eq!(place(&[field("spec"), field("list"), Step::Item(1), field("y")]), (5, 7));
        assert_eq!(place(&[field("spec"), field("other"), field("more")]), (2, 1));
        assert_eq!(all[1].place(&[field("spec")]), Place { line: 9, column: 14 });
        assert_eq!(all[0].value["spec"]["list"][1]["y"], "on", "a word, as in YAML 1.2");
    }

    #[test]
    fn what_is_no_yaml_is_told_with_its_place() {
        let (place, why) = parsed("a: [1, 2\nb: 3\n").unwrap_err();
        assert!(place.line >= 1 && !why.is_empty());
    }
}
