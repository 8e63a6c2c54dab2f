//! Is this JSON a value of the type that the metadata declares?

use serde_json::{Map, Value};

use super::Findings;
use super::csdl::{Found, Kind, Metadata, short};

/// Checks a value; `at` is where it stands.
pub fn check(metadata: &Metadata, kind: &Kind, nullable: bool, value: &Value, at: &str, findings: &mut Findings) {
    match value {
        Value::Null if nullable => {}
        Value::Null => findings.wrong(format!("{at}: it must not be null")),
        Value::Array(rows) if kind.collection => {
            for row in rows {
                check(metadata, &kind.item(), nullable, row, at, findings);
            }
        }
        other if kind.collection => findings.wrong(format!("{at}: {} is no list of {}", what(other), kind.name)),
        other if kind.is_primitive() => {
            if !is_primitive(&kind.name, other) {
                findings.wrong(format!("{at}: {} is not {}", what(other), kind.name));
            }
        }
        other => structured(metadata, kind, other, at, findings),
    }
}

fn structured(metadata: &Metadata, kind: &Kind, value: &Value, at: &str, findings: &mut Findings) {
    if let Some(enumeration) = metadata.enumeration(&kind.name) {
        match value.as_str() {
            Some(text) if enumeration.has(text) => {}
            Some(text) => findings.wrong(format!("{at}: {} has no member '{text}'", kind.name)),
            None => findings.wrong(format!("{at}: {} is no member of {}", what(value), kind.name)),
        }
    } else if metadata.structure(&kind.name).is_none() {
        findings.cut(&kind.name);
    } else if let Value::Object(members) = value {
        object(metadata, &kind.name, members, at, findings);
    } else {
        findings.wrong(format!("{at}: {} is no {}", what(value), kind.name));
    }
}

/// Checks the members of an object of a type, or of the derived type that it says it is of.
pub fn object(metadata: &Metadata, declared: &str, members: &Map<String, Value>, at: &str, findings: &mut Findings) {
    let said = members.get("@odata.type").and_then(Value::as_str).map_or(declared, short);
    if metadata.structure(said).is_none() {
        return findings.cut(said);
    }
    if !metadata.is(said, declared) {
        return findings.wrong(format!("{at}: {said} is no {declared}"));
    }
    if metadata.structure(said).is_some_and(|structure| structure.open) {
        return;
    }
    for (name, value) in members {
        let at = format!("{at}/{name}");
        if let Some((_, annotation)) = name.split_once('@') {
            if !["odata.", "microsoft.graph.", "removed"].iter().any(|known| annotation.starts_with(known)) {
                findings.wrong(format!("{at}: there is no such annotation"));
            }
            continue;
        }
        // A tenant's own attributes of directory objects.
        if name.starts_with("extension_") {
            continue;
        }
        match metadata.member(said, name) {
            Found::Member(member) => {
                check(metadata, &member.kind, member.nullable || member.navigation, value, &at, findings);
            }
            Found::Cut(cut) => findings.cut(&cut),
            Found::Nothing => findings.wrong(format!("{at}: {said} has no property '{name}'")),
        }
    }
}

fn is_primitive(name: &str, value: &Value) -> bool {
    let text = value.as_str();
    match name {
        "Edm.Boolean" => value.is_boolean(),
        "Edm.Byte" | "Edm.Int16" | "Edm.Int32" | "Edm.Int64" => value.is_i64() || value.is_u64(),
        "Edm.Double" | "Edm.Single" | "Edm.Decimal" => value.is_number(),
        "Edm.Guid" => text.is_some_and(is_guid),
        "Edm.DateTimeOffset" => text.is_some_and(is_time),
        "Edm.Date" => text.is_some_and(is_date),
        "Edm.Duration" => text.is_some_and(|text| text.trim_start_matches('-').parse::<jiff::Span>().is_ok()),
        _ => text.is_some(),
    }
}

pub fn is_guid(text: &str) -> bool {
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && text.chars().all(|letter| letter.is_ascii_hexdigit() || letter == '-')
}

pub fn is_time(text: &str) -> bool {
    text.parse::<jiff::Timestamp>().is_ok()
}

pub fn is_date(text: &str) -> bool {
    text.parse::<jiff::civil::Date>().is_ok()
}

fn what(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::sample::CSDL;
    use serde_json::json;

    fn wrong(of: &str, value: &Value) -> Vec<String> {
        let mut findings = Findings::default();
        check(&Metadata::parse(CSDL).unwrap(), &Kind::one(of), false, value, "it", &mut findings);
        findings.wrong
    }

    #[test]
    fn a_value_of_its_type_is_fine() {
        for (of, value) in [
            (
                "user",
                json!({ "@odata.type": "#microsoft.graph.user", "id": "1", "deletedDateTime": null, "extension_a_b": 1 }),
            ),
            ("directoryObject", json!({ "@odata.type": "#microsoft.graph.user", "accountEnabled": true })),
            ("user", json!({ "assignedLicenses": [{ "skuId": null, "disabledPlans": [] }], "photo@odata.x": 1 })),
            ("user", json!({ "createdBy": { "whatever": 1 }, "mailboxSettings": { "cut": 1 } })),
            ("requestSchedule", json!({ "expiration": { "type": "afterDuration", "duration": "PT5H" } })),
        ] {
            assert_eq!(wrong(of, &value), Vec::<String>::new(), "{value}");
        }
    }

    #[test]
    fn a_value_of_another_type_is_found() {
        for (of, value, why) in [
            ("user", json!({ "shoeSize": 44 }), "it/shoeSize: user has no property 'shoeSize'"),
            ("user", json!({ "id": null }), "it/id: it must not be null"),
            ("user", json!({ "accountEnabled": "true" }), "it/accountEnabled: a text is not Edm.Boolean"),
            ("user", json!({ "assignedLicenses": {} }), "it/assignedLicenses: an object is no list of assignedLicense"),
            (
                "user",
                json!({ "assignedLicenses": [{ "skuId": "x" }] }),
                "it/assignedLicenses/skuId: a text is not Edm.Guid",
            ),
            ("user", json!({ "deletedDateTime": "yesterday" }), "it/deletedDateTime: a text is not Edm.DateTimeOffset"),
            ("user", json!({ "@mood": "good" }), "it/@mood: there is no such annotation"),
            ("group", json!({ "@odata.type": "#microsoft.graph.user" }), "it: user is no group"),
            (
                "requestSchedule",
                json!({ "expiration": { "type": "never" } }),
                "it/expiration/type: expirationPatternType has no member 'never'",
            ),
            (
                "requestSchedule",
                json!({ "expiration": { "duration": "5 hours long" } }),
                "it/expiration/duration: a text is not Edm.Duration",
            ),
        ] {
            assert_eq!(wrong(of, &value), [why], "{value}");
        }
    }
}
