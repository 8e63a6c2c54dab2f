//! What both kinds have in common: references, environment selection, hand-offs, conditions.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::KubeSchema;
use kube::core::Duration;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// One key of a Secret of the same namespace. The Secret must carry the label `backstay.dev/use: "true"`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretKeyRef {
    /// Name of the Secret. Example: `entra-backstay`.
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"))]
    pub name: String,
    /// Key in the Secret's data. Example: `client-secret`.
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[-._a-zA-Z0-9]+$"))]
    pub key: String,
}

/// What kind of Power Platform environment it is, as Microsoft calls it (`environmentSku`).
// Source: facts/microsoft.md §2.2. Plain comments only: see `Action`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum EnvironmentType {
    Production,
    Sandbox,
    Default,
    Developer,
    Teams,
    Trial,
}

/// Which environments are meant. An environment without Dataverse is never meant: there is nothing to back up in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct EnvironmentSelector {
    /// Take environments of these types: `Production`, `Sandbox`, `Default`, `Developer`, `Teams`, `Trial`. Absent or empty:
    /// those of all types, unless `include` names some.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 6))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub types: Vec<EnvironmentType>,
    /// Take these environments, too: environment ids, as the Power Platform admin center shows them.
    /// Example: `[11111111-aaaa-4bbb-8ccc-000000000001]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256), inner(length(min = 1, max = 128)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub include: Vec<String>,
    /// Leave these out, whatever else takes them in: environment ids.
    /// Example: `[11111111-aaaa-4bbb-8ccc-000000000001]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256), inner(length(min = 1, max = 128)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub exclude: Vec<String>,
}

/// What only a person can do next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HandOffStatus {
    /// Stable name. Example: `create-connector`.
    pub name: String,
    /// One line that says what is to be done.
    pub title: String,
    /// Who can do it: the role that the person needs.
    pub who: String,
    /// The steps, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<String>,
    /// Where to begin, in a browser.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// When the person was first asked.
    pub request_time: Time,
    /// The day by which it has to be done, if there is one. Example: `2027-02-18`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_date: Option<String>,
    /// How the operator notices that it is done.
    pub done_when: String,
    /// What the vendor's audit shows that a person has done of it since: a sign that it is under way, not that it is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
}

/// `conditions` is a list keyed by `type`, so that two writers can each own their own entries.
pub fn conditions_schema(generator: &mut SchemaGenerator) -> Schema {
    keyed_list::<Condition>(generator, "type")
}

/// Hand-offs are a list keyed by `name`.
pub fn hand_offs_schema(generator: &mut SchemaGenerator) -> Schema {
    keyed_list::<HandOffStatus>(generator, "name")
}

/// Several things by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Several {
    /// How many.
    pub count: i32,
    /// The first ten, by name.
    pub sample: Vec<String>,
}

/// A status shows so many names: it has to stay small.
pub const MOST_SAMPLES: usize = 10;

impl Several {
    /// How many they are, and the first of them; `None`: there are none.
    #[must_use]
    pub fn of(names: &[String]) -> Option<Self> {
        let count = i32::try_from(names.len()).unwrap_or(i32::MAX);
        (count > 0).then(|| Self { count, sample: names.iter().take(MOST_SAMPLES).cloned().collect() })
    }
}

/// A list that is merged by one key of its items (`listType: map`).
pub fn keyed_list<T: JsonSchema>(generator: &mut SchemaGenerator, key: &str) -> Schema {
    let items = generator.subschema_for::<T>();
    json_schema!({
        "type": "array",
        "items": items,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": [key],
    })
}

/// A time span in Go's form, from ten seconds (nothing here changes faster, and the vendors' limits are unknown) to a day (what
/// is older is no knowledge).
#[must_use]
pub fn interval_schema(_: &mut SchemaGenerator) -> Schema {
    duration_schema("10s", "24h")
}

/// A time span in Go's form, from one hour to ninety days.
#[must_use]
pub fn hours_schema(_: &mut SchemaGenerator) -> Schema {
    duration_schema("1h", "2160h")
}

/// A time span in Go's form, from `least` to `most`.
#[must_use]
pub fn duration_schema(least: &str, most: &str) -> Schema {
    json_schema!({
        "type": "string",
        "maxLength": 32,
        "pattern": "^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$",
        "x-kubernetes-validations": [{
            "rule": format!("duration(self) >= duration('{least}') && duration(self) <= duration('{most}')"),
            "message": format!("must be at least {least} and at most {most}"),
        }],
    })
}

/// The span as the standard library has it. A negative span can't be stored: the schema refuses it.
#[must_use]
pub fn span(duration: &Duration) -> std::time::Duration {
    std::time::Duration::from(*duration)
}

/// A duration as people write it in a spec: `36h`, not `36h0m0s`.
#[must_use]
pub fn spelled(duration: &kube::core::Duration) -> String {
    let seconds = span(duration).as_secs();
    match (seconds / 3600, seconds % 3600 / 60, seconds % 60) {
        (hours, 0, 0) => format!("{hours}h"),
        (0, minutes, 0) => format!("{minutes}m"),
        (hours, minutes, 0) => format!("{hours}h{minutes}m"),
        _ => format!("{seconds}s"),
    }
}

/// So many of something.
#[must_use]
pub fn counted(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// `skip_serializing_if` for booleans whose default is false.
#[allow(clippy::trivially_copy_pass_by_ref)] // serde's signature
#[must_use]
pub fn is_false(value: &bool) -> bool {
    !*value
}
