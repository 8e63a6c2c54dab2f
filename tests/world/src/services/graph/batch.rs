//! How does Graph answer many requests in one? (microsoft.md §1.10 "$batch")

use std::collections::HashMap;

use serde_json::{Value, json};

use super::error;
use crate::http::{Reply, Request};

const MOST: usize = 20;

/// A request out of a batch. They are answered one by one, so that faults and the call log see each of them.
pub struct Part {
    pub id: String,
    pub depends_on: Vec<String>,
    pub request: Request,
}

/// The parts of a batch, or why it is no batch.
pub fn parts(request: &Request) -> Result<Vec<Part>, Reply> {
    let bad = |why: &str| error(400, "BadRequest", why);
    let body: Value = serde_json::from_slice(&request.body).map_err(|_| bad("Unable to read JSON request payload."))?;
    let rows = body["requests"].as_array().ok_or_else(|| bad("Invalid batch payload format."))?;
    if rows.len() > MOST {
        return Err(bad(&format!("Number of batch request steps exceeds the maximum value of {MOST}.")));
    }
    let mut parts: Vec<Part> = Vec::new();
    for row in rows {
        let text = |name: &str| row[name].as_str();
        let (Some(id), Some(method), Some(url)) = (text("id"), text("method"), text("url")) else {
            return Err(bad("Invalid batch payload format: each request needs id, method and url."));
        };
        if parts.iter().any(|part| part.id == id) {
            return Err(bad(&format!("The id '{id}' is used twice.")));
        }
        if url.contains("://") || url.starts_with("/v1.0/") || url.starts_with("/beta/") {
            return Err(bad(&format!("The url '{url}' must be relative to the version.")));
        }
        let mut part =
            Request::new(&method.to_uppercase(), &request.host, &format!("/v1.0/{}", url.trim_start_matches('/')));
        part.headers = headers(request, row);
        if !row["body"].is_null() {
            if part.header("content-type").is_none() {
                return Err(bad(&format!("The request '{id}' has a body and no Content-Type header.")));
            }
            part.body = row["body"].to_string().into();
        }
        let depends_on = row["dependsOn"]
            .as_array()
            .map(|all| all.iter().filter_map(Value::as_str).map(str::to_owned).collect())
            .unwrap_or_default();
        parts.push(Part { id: id.to_owned(), depends_on, request: part });
    }
    Ok(parts)
}

/// The envelope's Authorization goes for every part.
fn headers(envelope: &Request, row: &Value) -> std::collections::BTreeMap<String, String> {
    let own = row["headers"]
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| value.as_str().map(|value| (name.to_lowercase(), value.to_owned())));
    let kept = envelope
        .headers
        .iter()
        .filter(|(name, _)| matches!(name.as_str(), "authorization" | "user-agent"))
        .map(|(name, value)| (name.clone(), value.clone()));
    own.chain(kept).collect()
}

/// Puts the answers of the parts into one body. The order is not guaranteed; here it is the reverse, so that nobody relies on it.
pub fn envelope(replies: Vec<(String, Reply)>) -> Reply {
    let responses: Vec<Value> = replies
        .into_iter()
        .rev()
        .map(|(id, reply)| {
            let headers: serde_json::Map<String, Value> =
                reply.headers.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
            let mut response = json!({ "id": id, "status": reply.status, "headers": headers });
            if !reply.body.is_empty() {
                response["body"] = serde_json::from_slice(&reply.body).unwrap_or(Value::Null);
            }
            response
        })
        .collect();
    Reply::json(200, &json!({ "responses": responses }))
}

/// Answers the parts in order; a part whose parent failed is 424. `one` answers a single part.
pub fn each(parts: Vec<Part>, mut one: impl FnMut(&Request) -> Reply) -> Vec<(String, Reply)> {
    let mut statuses: HashMap<String, u16> = HashMap::new();
    let mut replies = Vec::new();
    for part in parts {
        let parent_failed = part.depends_on.iter().any(|id| statuses.get(id).is_none_or(|status| *status >= 400));
        let reply = if parent_failed {
            error(424, "FailedDependency", "A request that this one depends on failed.")
        } else {
            one(&part.request)
        };
        statuses.insert(part.id.clone(), reply.status);
        replies.push((part.id, reply));
    }
    replies
}
