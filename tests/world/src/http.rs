//! What does a request look like to a service of the world, and what may it answer?

use std::collections::BTreeMap;

use bytes::Bytes;
use percent_encoding::percent_decode_str;
use serde_json::Value;

/// One request, read completely, with names decoded.
#[derive(Clone, Debug, Default)]
pub struct Request {
    pub method: String,
    pub host: String,
    /// Decoded, without the query.
    pub path: String,
    /// Decoded pairs in the order in which they came.
    pub query: Vec<(String, String)>,
    /// Characters of path and query as they were sent.
    pub target_length: usize,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: Bytes,
    /// The part of a Graph `$batch` belongs to this call of the log; `None` for a request of its own.
    pub batch: Option<u64>,
}

impl Request {
    pub fn new(method: &str, host: &str, target: &str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Self {
            method: method.to_owned(),
            host: host.to_owned(),
            path: decoded(path),
            query: pairs(query),
            target_length: target.len(),
            ..Self::default()
        }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub fn segments(&self) -> Vec<&str> {
        self.path.trim_start_matches('/').split('/').collect()
    }

    pub fn bearer(&self) -> Option<&str> {
        let value = self.header("authorization")?;
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
    }

    /// Login and password of HTTP Basic.
    pub fn basic(&self) -> Option<(String, String)> {
        use base64::Engine as _;
        let (scheme, value) = self.header("authorization")?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let bytes = base64::engine::general_purpose::STANDARD.decode(value.trim()).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        text.split_once(':').map(|(login, password)| (login.to_owned(), password.to_owned()))
    }

    /// What the body says it is, without parameters.
    pub fn content_type(&self) -> &str {
        self.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default().trim()
    }

    /// The query as it goes into the call log: values that could be secrets don't occur in this world's queries.
    pub fn query_text(&self) -> String {
        self.query.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join("&")
    }

    /// The fields of a form; a body of another kind has none.
    pub fn form(&self) -> Vec<(String, String)> {
        if self.content_type() == "application/x-www-form-urlencoded" {
            pairs(&String::from_utf8_lossy(&self.body))
        } else {
            Vec::new()
        }
    }

    /// Is this a request for a change, granted or not? Token requests, queries that Keepit spells as PUT (keepit.md §1)
    /// and the envelope of a `$batch` (its parts count by themselves) are not.
    pub fn asks_for_change(&self) -> bool {
        if matches!(self.method.as_str(), "GET" | "HEAD" | "OPTIONS") {
            return false;
        }
        let path = self.path.trim_end_matches('/');
        if self.host.starts_with("login.") || path == "/connect/token" || path.ends_with("/$batch") {
            return false;
        }
        let keepit_query = self.method == "PUT"
            && [
                "/jobs",
                "/history/range",
                "/history/count",
                "/filter",
                "/filter/pretty",
                "/max_usage",
                "/max_usage/total",
                "/expirations",
            ]
            .iter()
            .any(|end| path.ends_with(end));
        !(keepit_query && self.host.contains("keepit"))
    }
}

/// What a service answers.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}

/// A handler may leave early with the refusal as its answer.
pub type Answer = Result<Reply, Reply>;

impl Reply {
    pub fn empty(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    pub fn json(status: u16, body: &Value) -> Self {
        Self::typed(status, "application/json; charset=utf-8", body.to_string())
    }

    pub fn text(status: u16, body: impl Into<String>) -> Self {
        Self::typed(status, "text/plain; charset=utf-8", body.into())
    }

    pub fn xml(status: u16, body: &str) -> Self {
        Self::typed(status, "application/xml", format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{body}"))
    }

    pub fn typed(status: u16, content_type: &str, body: String) -> Self {
        Self { status, headers: vec![("content-type".into(), content_type.into())], body: body.into() }
    }

    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

/// Percent-decoded.
pub fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// The pairs of a query or a form.
pub fn pairs(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(&key.replace('+', " ")), decoded(&value.replace('+', " ")))
        })
        .collect()
}

/// Encoded for use inside a query value.
pub fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_decoded_once() {
        let request = Request::new("GET", "h", "/a%20b?%24filter=x%20eq%20'1'&b=c+d");
        assert_eq!(request.path, "/a b");
        assert_eq!(request.query("$filter"), Some("x eq '1'"));
        assert_eq!(request.query("b"), Some("c d"));
    }

    #[test]
    fn only_requests_for_a_change_are_writes() {
        let asks = |method: &str, host: &str, path: &str| Request::new(method, host, path).asks_for_change();
        assert!(!asks("POST", "login.microsoftonline.com", "/t/oauth2/v2.0/token"));
        assert!(!asks("POST", "identity.avepointonlineservices.com", "/connect/token"));
        assert!(!asks("POST", "graph.microsoft.com", "/v1.0/$batch"));
        assert!(asks("POST", "graph.microsoft.com", "/v1.0/roleManagement/directory/roleAssignments"));
        assert!(!asks("PUT", "dk-co.keepit.com", "/users/a/devices/c/jobs"));
        assert!(asks("POST", "dk-co.keepit.com", "/users/a/devices/c/jobs/"));
        assert!(asks("PUT", "dk-co.keepit.com", "/users/a/devices/c"));
        assert!(!asks("GET", "dk-co.keepit.com", "/users/"));
    }
}
