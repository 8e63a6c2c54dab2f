//! Which requests are to go wrong, when and how?

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::http::{Reply, Request};

/// One rule for going wrong. What is left out matches everything, and does nothing.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fault {
    pub host: Option<String>,
    /// Start of the path; `*` stands for anything (`/v1.0/users/*/licenseDetails`), `$` at the end for the end of the path.
    pub path: Option<String>,
    /// A piece of the decoded query.
    pub query: Option<String>,
    pub method: Option<String>,
    /// Matching requests to let through first.
    pub after: u32,
    /// How often it strikes; absent means until it is taken away.
    pub times: Option<u32>,

    /// Answer with this status instead.
    pub status: Option<u16>,
    pub headers: BTreeMap<String, String>,
    pub body: Option<String>,
    pub content_type: Option<String>,
    /// Wait first. Alone, the real answer follows.
    pub delay_ms: Option<u64>,
    /// Send only so many bytes of the body, then break off.
    pub truncate: Option<usize>,
    /// Send the body in ten pieces, and wait before each.
    pub drip_ms: Option<u64>,
    /// Close the connection with a TCP reset instead of an answer.
    pub reset: bool,
    /// Never answer.
    pub hang: bool,
    /// Let the service do its work although its answer is replaced or lost.
    pub applied: bool,
}

/// What happens to one request.
#[derive(Clone, Debug, Default)]
pub struct Mishap {
    pub fault: Fault,
    pub id: u64,
}

/// The rules of a world, with what they have seen.
#[derive(Debug, Default)]
pub struct Faults {
    rules: Vec<Rule>,
    last: u64,
}

#[derive(Debug)]
struct Rule {
    id: u64,
    fault: Fault,
    seen: u32,
    struck: u32,
}

impl Faults {
    pub fn add(&mut self, fault: Fault) -> u64 {
        self.last += 1;
        self.rules.push(Rule { id: self.last, fault, seen: 0, struck: 0 });
        self.last
    }

    /// Takes one rule away; false if it isn't there.
    pub fn remove(&mut self, id: u64) -> bool {
        let before = self.rules.len();
        self.rules.retain(|rule| rule.id != id);
        self.rules.len() < before
    }

    pub fn clear(&mut self) {
        self.rules.clear();
    }

    /// The first rule that strikes this request. Every matching rule counts the request, whether it strikes or not.
    pub fn strike(&mut self, request: &Request) -> Option<Mishap> {
        let mut hit = None;
        for rule in self.rules.iter_mut().filter(|rule| rule.fault.matches(request)) {
            rule.seen += 1;
            let spent = rule.fault.times.is_some_and(|times| rule.struck >= times);
            if hit.is_none() && rule.seen > rule.fault.after && !spent {
                rule.struck += 1;
                hit = Some(Mishap { fault: rule.fault.clone(), id: rule.id });
            }
        }
        hit
    }
}

impl Fault {
    fn matches(&self, request: &Request) -> bool {
        let is = |wanted: &Option<String>, text: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(text))
        };
        is(&self.host, &request.host)
            && is(&self.method, &request.method)
            && self.path.as_ref().is_none_or(|path| starts_with(&request.path, path))
            && self.query.as_ref().is_none_or(|piece| request.query_text().contains(piece.as_str()))
    }

    /// The service is not asked at all.
    pub fn keeps_from_service(&self) -> bool {
        !self.applied && (self.status.is_some() || self.body.is_some() || self.reset || self.hang)
    }

    /// The answer as the fault wants it, made from the service's own if it was asked.
    pub fn bend(&self, reply: Option<Reply>) -> Reply {
        let mut bent = match (self.status, &self.body) {
            (None, None) => reply.unwrap_or_default(),
            (status, body) => Reply {
                status: status.unwrap_or(200),
                headers: Vec::new(),
                body: Bytes::from(body.clone().unwrap_or_default()),
            },
        };
        if let Some(kind) = &self.content_type {
            bent.headers.retain(|(name, _)| name != "content-type");
            bent.headers.push(("content-type".into(), kind.clone()));
        }
        bent.headers.extend(self.headers.iter().map(|(name, value)| (name.to_lowercase(), value.clone())));
        bent
    }
}

/// `pattern` is a prefix of `path`, or with `$` all of it, with `*` for any piece.
fn starts_with(path: &str, pattern: &str) -> bool {
    let (pattern, whole) = pattern.strip_suffix('$').map_or((pattern, false), |pattern| (pattern, true));
    let mut pieces = pattern.split('*');
    let Some(mut rest) = pieces.next().and_then(|first| path.strip_prefix(first)) else {
        return false;
    };
    pieces.all(|piece| match rest.find(piece) {
        Some(at) => {
            rest = &rest[at + piece.len()..];
            true
        }
        None => false,
    }) && (!whole || rest.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_skips_then_strikes_then_is_spent() {
        let mut faults = Faults::default();
        faults.add(Fault { path: Some("/a".into()), after: 1, times: Some(2), status: Some(503), ..Fault::default() });
        let request = Request::new("GET", "h", "/a/b");
        let struck: Vec<bool> = (0..5).map(|_| faults.strike(&request).is_some()).collect();
        assert_eq!(struck, [false, true, true, false, false]);
        assert!(faults.strike(&Request::new("GET", "h", "/c")).is_none());
    }

    #[test]
    fn a_star_stands_for_any_piece() {
        assert!(starts_with("/v1.0/users/x/licenseDetails", "/v1.0/users/*/licenseDetails"));
        assert!(!starts_with("/v1.0/users/x/memberOf", "/v1.0/users/*/licenseDetails"));
        assert!(starts_with("/anything", ""));
        assert!(starts_with("/users/x/devices", "/users/*/devices$"));
        assert!(!starts_with("/users/x/devices/health", "/users/*/devices$"));
        assert!(!starts_with("/users/x", "/users/$"));
    }
}
