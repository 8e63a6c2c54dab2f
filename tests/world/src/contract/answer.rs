//! Does an answer have only fields that the metadata declares, with values of their types?

use serde_json::Value;

use super::csdl::{Kind, Metadata};
use super::path::Place;
use super::{Findings, value};
use crate::http::{Reply, Request};

/// Checks what a service answered to a request that it granted.
pub fn check(metadata: &Metadata, request: &Request, place: &Place<'_>, reply: &Reply, findings: &mut Findings) {
    let kind = match place {
        // The one that was created.
        Place::Many(kind) if request.method == "POST" => kind.item(),
        Place::Many(kind) => Kind { collection: true, ..kind.clone() },
        Place::One(kind) | Place::Value(kind) => kind.clone(),
        Place::Call(operation) => match &operation.result {
            Some(kind) => kind.clone(),
            None => return,
        },
        Place::Links | Place::Raw | Place::Batch | Place::Cut(_) => return,
    };
    if reply.body.is_empty() {
        if reply.status != 204 && reply.status != 202 {
            findings.wrong(format!("{} without a body", reply.status));
        }
        return;
    }
    let Ok(body) = serde_json::from_slice::<Value>(&reply.body) else {
        return findings.wrong("body: it is not JSON");
    };
    // A list or a single value is wrapped; what stands beside it are annotations.
    if !kind.collection && !kind.is_primitive() {
        return value::check(metadata, &kind, false, &body, "body", findings);
    }
    for (name, _) in body.as_object().into_iter().flatten() {
        if name != "value" && !name.starts_with("@odata.") {
            findings.wrong(format!("body/{name}: only annotations stand beside the value"));
        }
    }
    value::check(metadata, &kind, !kind.collection, &body["value"], "value", findings);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::path::walk;
    use crate::contract::sample::CSDL;
    use serde_json::json;

    fn wrong(method: &str, path: &str, status: u16, body: &Value) -> Vec<String> {
        let metadata = Metadata::parse(CSDL).unwrap();
        let request = Request::new(method, "graph.microsoft.com", &format!("/{path}"));
        let mut findings = Findings::default();
        let place = walk(&metadata, path).unwrap();
        check(&metadata, &request, &place, &Reply::json(status, body), &mut findings);
        findings.wrong
    }

    #[test]
    fn an_answer_has_the_shape_of_its_place() {
        let link = "https://graph.microsoft.com/v1.0/users?$skiptoken=2";
        let page = json!({ "@odata.context": "x", "@odata.nextLink": link, "value": [{ "id": "1" }] });
        let none = Vec::<String>::new();
        assert_eq!(wrong("GET", "users", 200, &page), none);
        assert_eq!(wrong("GET", "users/1/accountEnabled", 200, &json!({ "value": true })), none);
        assert_eq!(wrong("GET", "users/1", 200, &json!({ "id": "1" })), none);
        assert_eq!(wrong("POST", "users", 201, &json!({ "id": "1" })), none);
        assert_eq!(wrong("POST", "users/1/assignLicense", 200, &json!({ "id": "1" })), none);

        assert_eq!(wrong("GET", "users", 200, &json!([])), ["value: it must not be null"]);
        assert_eq!(
            wrong("GET", "users", 200, &json!({ "value": [{ "mood": 1 }], "total": 1 })),
            ["body/total: only annotations stand beside the value", "value/mood: user has no property 'mood'"]
        );
        assert_eq!(
            wrong("GET", "users/1/accountEnabled", 200, &json!({ "value": 1 })),
            ["value: a number is not Edm.Boolean"]
        );
    }

    #[test]
    fn a_row_may_be_of_a_derived_type() {
        let row = |kind: &str| json!({ "value": [{ "@odata.type": kind, "isAssignableToRole": true }] });
        let path = "users/1/transitiveMemberOf";
        assert_eq!(wrong("GET", path, 200, &row("#microsoft.graph.group")), Vec::<String>::new());
        assert_eq!(
            wrong("GET", path, 200, &row("#microsoft.graph.user")),
            ["value/isAssignableToRole: user has no property 'isAssignableToRole'"]
        );
    }
}
