//! Does a request ask for, and send, only what the metadata declares?

use serde_json::Value;

use super::csdl::{Found, Kind, Metadata, Operation, short};
use super::path::{Place, named};
use super::{Findings, filter, value};
use crate::http::Request;

/// Checks the method, the query options and the body of a request to a place.
pub fn check(metadata: &Metadata, request: &Request, place: &Place<'_>, findings: &mut Findings) {
    if let Place::Cut(name) = place {
        return findings.cut(name);
    }
    if let Err(why) = method(request, place) {
        findings.wrong(why);
    }
    for (name, text) in &request.query {
        option(metadata, place, name, text, findings);
    }
    body(metadata, request, place, findings);
}

/// Whether this can be done at this place at all.
fn method(request: &Request, place: &Place<'_>) -> Result<(), String> {
    let method = request.method.as_str();
    let fits = match place {
        Place::Many(_) => matches!(method, "GET" | "POST"),
        Place::One(_) => matches!(method, "GET" | "PATCH" | "PUT" | "DELETE"),
        Place::Value(_) => matches!(method, "GET" | "PATCH" | "PUT"),
        Place::Links => matches!(method, "GET" | "POST" | "PUT" | "DELETE"),
        Place::Raw => matches!(method, "GET" | "PUT"),
        Place::Call(operation) => method == if operation.action { "POST" } else { "GET" },
        Place::Batch => method == "POST",
        Place::Cut(_) => true,
    };
    if fits { Ok(()) } else { Err(format!("{method} can't be done there")) }
}

/// What the answer consists of: a list, or one thing; `None` where nothing in it has a name.
fn asked_for(place: &Place<'_>) -> Option<Kind> {
    match place {
        Place::Many(kind) => Some(Kind { collection: true, ..kind.clone() }),
        Place::One(kind) | Place::Value(kind) => Some(kind.clone()),
        Place::Call(operation) => operation.result.clone(),
        Place::Links | Place::Raw | Place::Batch | Place::Cut(_) => None,
    }
}

fn option(metadata: &Metadata, place: &Place<'_>, name: &str, text: &str, findings: &mut Findings) {
    let kind = asked_for(place);
    let list = kind.as_ref().filter(|kind| kind.collection);
    let named = kind.as_ref().filter(|kind| !kind.is_primitive());
    match (name, named, list) {
        ("$select", Some(kind), _) => select(metadata, kind, text, findings),
        ("$expand", Some(kind), _) => expand(metadata, kind, text, findings),
        ("$filter", _, Some(kind)) => filter::check(metadata, kind, text, findings),
        ("$orderby", _, Some(kind)) => {
            for part in text.split(',') {
                let path = part.trim().trim_end_matches(" asc").trim_end_matches(" desc");
                property(metadata, kind, path, name, findings);
            }
        }
        (_, _, Some(_)) if pages(name, text) => {}
        ("$format", ..) => {}
        _ => findings.wrong(format!("{name}={text} is no query option there")),
    }
}

/// The options of a list that name nothing in it.
fn pages(name: &str, text: &str) -> bool {
    match name {
        "$top" | "$skip" => text.parse::<u32>().is_ok(),
        "$count" => matches!(text, "true" | "false"),
        "$search" | "$skiptoken" | "$deltatoken" | "$skipToken" | "$deltaToken" => true,
        _ => false,
    }
}

fn select(metadata: &Metadata, kind: &Kind, text: &str, findings: &mut Findings) {
    for path in text.split(',').map(str::trim).filter(|path| *path != "*") {
        property(metadata, kind, path, &format!("$select={path}"), findings);
    }
}

/// `roles($select=a;$expand=b),c`
fn expand(metadata: &Metadata, kind: &Kind, text: &str, findings: &mut Findings) {
    for part in split(text, ',') {
        let (path, options) = named(part.trim());
        let (on, name) = path.split_once('/').map_or((kind.name.as_str(), path), |(cast, name)| (short(cast), name));
        let target = match metadata.member_of_any(on, name) {
            Found::Member(member) if member.navigation => member.kind.clone(),
            Found::Cut(cut) => {
                findings.cut(&cut);
                continue;
            }
            _ => {
                findings.wrong(format!("$expand: {name} is no navigation property of {on}"));
                continue;
            }
        };
        if metadata.structure(&target.name).is_none() {
            findings.cut(&target.name);
            continue;
        }
        let target = if target.collection { Place::Many(target) } else { Place::One(target) };
        for option_text in options.map(|options| split(options, ';')).unwrap_or_default() {
            let (name, value) = option_text.split_once('=').unwrap_or((option_text, ""));
            option(metadata, &target, name.trim(), value, findings);
        }
    }
}

/// The pieces between separators that are in no parentheses and no quotes.
fn split(text: &str, separator: char) -> Vec<&str> {
    let (mut depth, mut quoted) = (0_i32, false);
    text.split(|letter| {
        match letter {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            _ => {}
        }
        letter == separator && depth == 0 && !quoted
    })
    .collect()
}

/// What a property path (`a/b`, `microsoft.graph.user/a`) leads to; `None` if that is wrong, or not known.
pub fn property(metadata: &Metadata, of: &Kind, path: &str, option: &str, findings: &mut Findings) -> Option<Kind> {
    let mut at = of.clone();
    for name in path.split('/').filter(|name| !name.is_empty()) {
        if name == "$count" {
            return Some(Kind::one("Edm.Int64"));
        }
        if name.starts_with("microsoft.graph.") {
            at = Kind::one(short(name));
            continue;
        }
        at = match metadata.member_of_any(&at.name, name) {
            Found::Member(member) => member.kind.clone(),
            Found::Cut(cut) => {
                findings.cut(&cut);
                return None;
            }
            Found::Nothing => {
                findings.wrong(format!("{option}: {} has no property '{name}'", at.name));
                return None;
            }
        };
    }
    Some(at)
}

fn body(metadata: &Metadata, request: &Request, place: &Place<'_>, findings: &mut Findings) {
    let sends = !matches!(request.method.as_str(), "GET" | "HEAD" | "DELETE");
    if request.body.is_empty() {
        // An action may have no parameters.
        if sends && !matches!(place, Place::Call(operation) if operation.parameters.is_empty()) {
            findings.wrong("body: there is none");
        }
        return;
    }
    if !sends {
        return findings.wrong(format!("body: a {} has none", request.method));
    }
    if matches!(place, Place::Raw | Place::Batch) {
        return;
    }
    if request.content_type() != "application/json" {
        return findings.wrong("body: its Content-Type is not application/json");
    }
    let Ok(Value::Object(members)) = serde_json::from_slice(&request.body) else {
        return findings.wrong("body: it is no JSON object");
    };
    match place {
        Place::Many(kind) | Place::One(kind) => value::object(metadata, &kind.name, &members, "body", findings),
        Place::Call(operation) => parameters(metadata, operation, &members, findings),
        Place::Links if members.len() == 1 && members.get("@odata.id").is_some_and(Value::is_string) => {}
        Place::Links => findings.wrong("body: a link is its @odata.id and nothing else"),
        Place::Value(_) | Place::Raw | Place::Batch | Place::Cut(_) => {}
    }
}

fn parameters(
    metadata: &Metadata,
    operation: &Operation,
    sent: &serde_json::Map<String, Value>,
    findings: &mut Findings,
) {
    for (name, value) in sent {
        match operation.parameters.get(name) {
            Some(declared) => {
                let at = format!("body/{name}");
                value::check(metadata, &declared.kind, declared.nullable, value, &at, findings);
            }
            None => findings.wrong(format!("body/{name}: {} has no such parameter", operation.name)),
        }
    }
    for (name, declared) in &operation.parameters {
        if !declared.nullable && !sent.contains_key(name) {
            findings.wrong(format!("body: {} needs the parameter '{name}'", operation.name));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::path::walk;
    use crate::contract::sample::CSDL;
    use serde_json::json;

    fn wrong(method: &str, target: &str, sent: Option<&Value>) -> Vec<String> {
        let metadata = Metadata::parse(CSDL).unwrap();
        let mut request = Request::new(method, "graph.microsoft.com", &format!("/{target}"));
        if let Some(sent) = sent {
            request.headers.insert("content-type".into(), "application/json; charset=utf-8".into());
            request.body = sent.to_string().into();
        }
        let mut findings = Findings::default();
        check(&metadata, &request, &walk(&metadata, &request.path[1..]).unwrap(), &mut findings);
        findings.wrong
    }

    #[test]
    fn options_name_what_exists() {
        for (target, why) in [
            ("users/1?$select=id,assignedLicenses/skuId", None),
            ("users/1?$select=id,skuId", Some("$select=skuId: user has no property 'skuId'")),
            ("groups/1/members?$select=userPrincipalName", None),
            ("users/1?$top=5", Some("$top=5 is no query option there")),
            ("users?$top=many", Some("$top=many is no query option there")),
            ("users?$top=5&$count=true&$orderby=userPrincipalName desc", None),
            ("users?select=id", Some("select=id is no query option there")),
            ("users?$expand=transitiveMemberOf($select=id;$top=5)", None),
            (
                "users?$expand=transitiveMemberOf($select=nope)",
                Some("$select=nope: directoryObject has no property 'nope'"),
            ),
            ("users?$expand=accountEnabled", Some("$expand: accountEnabled is no navigation property of user")),
            (
                "roleManagement/directory/roleAssignments?$expand=principal,directory",
                Some("$expand: directory is no navigation property of unifiedRoleAssignment"),
            ),
        ] {
            assert_eq!(wrong("GET", target, None), why.into_iter().collect::<Vec<_>>(), "{target}");
        }
    }

    #[test]
    fn a_method_fits_its_place() {
        assert_eq!(wrong("DELETE", "users", None), ["DELETE can't be done there"]);
        assert_eq!(wrong("GET", "users/1/assignLicense", None), ["GET can't be done there"]);
        assert_eq!(wrong("POST", "users", None), ["body: there is none"]);
        assert_eq!(wrong("DELETE", "users/1", None), Vec::<String>::new());
    }

    #[test]
    fn an_action_gets_its_parameters() {
        let assign = |sent: Value| wrong("POST", "users/1/assignLicense", Some(&sent));
        let sku = "1e1a282c-9c54-43a2-9310-98ef728faace";
        assert_eq!(
            assign(json!({ "addLicenses": [{ "skuId": sku, "disabledPlans": [] }], "removeLicenses": [] })),
            Vec::<String>::new()
        );
        assert_eq!(assign(json!({ "addLicenses": [] })), ["body: assignLicense needs the parameter 'removeLicenses'"]);
        assert_eq!(
            assign(json!({ "addLicenses": [], "removeLicenses": ["x"], "why": 1 })),
            ["body/removeLicenses: a text is not Edm.Guid", "body/why: assignLicense has no such parameter"]
        );
    }

    #[test]
    fn a_link_is_an_address() {
        let link = |sent: Value| wrong("POST", "groups/1/members/$ref", Some(&sent));
        assert_eq!(link(json!({ "@odata.id": "https://graph.microsoft.com/v1.0/users/1" })), Vec::<String>::new());
        assert_eq!(link(json!({ "id": "1" })), ["body: a link is its @odata.id and nothing else"]);
    }

    #[test]
    fn a_nested_field_is_looked_at() {
        let request =
            |sent: Value| wrong("POST", "roleManagement/directory/roleAssignmentScheduleRequests", Some(&sent));
        let schedule = json!({ "scheduleInfo": { "expiration": { "type": "afterDuration", "duration": "PT5H" } } });
        assert_eq!(request(schedule), Vec::<String>::new());
        let schedule = json!({ "scheduleInfo": { "expiration": { "length": "PT5H" } }, "isValidationOnly": 1 });
        assert_eq!(
            request(schedule),
            [
                "body/isValidationOnly: a number is not Edm.Boolean",
                "body/scheduleInfo/expiration/length: expirationPattern has no property 'length'"
            ]
        );
    }
}
