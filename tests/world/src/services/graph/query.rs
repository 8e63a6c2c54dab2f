//! How does Graph read a query or a body, and how does it page an answer? (microsoft.md §1.10)

use serde_json::{Map, Value, json};

use super::{Call, error};
use crate::http::{Answer, Reply, encoded};
use crate::odata::{Comparison, Literal, filter};

/// Every comparison holds for the row.
pub fn fits(row: &Value, all: &[Comparison]) -> bool {
    all.iter().all(|it| row[&it.field].as_str().is_some_and(|value| value.eq_ignore_ascii_case(it.value.text())))
}

/// Refuses members that a type does not have; annotations (`@…`) are let through.
pub fn known(type_name: &str, members: &Map<String, Value>, names: &[&str]) -> Result<(), Reply> {
    match members.keys().find(|name| !name.contains('@') && !names.contains(&name.as_str())) {
        Some(unknown) => Err(error(
            400,
            "Request_BadRequest",
            &format!("The property '{unknown}' does not exist on type 'microsoft.graph.{type_name}'."),
        )),
        None => Ok(()),
    }
}

impl Call<'_> {
    /// Refuses query options that the call does not take.
    pub fn options(&self, allowed: &[&str]) -> Result<(), Reply> {
        match self
            .request
            .query
            .iter()
            .find(|(name, _)| !allowed.contains(&name.as_str()) && !name.eq_ignore_ascii_case("$skiptoken"))
        {
            Some((name, _)) => Err(error(
                400,
                "BadRequest",
                &format!("The query specified in the URI is not valid. The query parameter '{name}' is not supported."),
            )),
            None => Ok(()),
        }
    }

    /// `$select`, checked against the properties of the type.
    pub fn select(&self, type_name: &str, known: &[&str]) -> Result<Vec<String>, Reply> {
        let fields = crate::odata::select(self.request.query("$select"));
        match fields.iter().find(|field| !known.contains(&field.as_str())) {
            Some(field) => Err(error(
                400,
                "BadRequest",
                &format!(
                    "Parsing OData Select and Expand failed: Could not find a property named '{field}' on type 'microsoft.graph.{type_name}'."
                ),
            )),
            None => Ok(fields),
        }
    }

    /// A page of a collection with an opaque next link (microsoft.md §1.10).
    pub fn page(&self, context: &str, rows: &[Value]) -> Answer {
        let graph = format!("https://{}/v1.0", self.state.hosts.graph);
        let start = match self.request.query.iter().find(|(name, _)| name.eq_ignore_ascii_case("$skiptoken")) {
            Some((_, token)) => {
                token.strip_prefix("page-").and_then(|at| at.parse::<usize>().ok()).ok_or_else(|| {
                    error(
                        400,
                        "Directory_ExpiredPageToken",
                        "The specified page token value has expired and can no longer be included in your request.",
                    )
                })?
            }
            None => 0,
        };
        let top = match self.request.query("$top") {
            Some(text) => text
                .parse::<usize>()
                .ok()
                .filter(|top| (1..=999).contains(top))
                .ok_or_else(|| error(400, "BadRequest", "Invalid page size specified."))?,
            None => self.state.switches.graph_page_size.max(1),
        };
        let page: Vec<Value> = rows.iter().skip(start).take(top).cloned().collect();
        let mut body = json!({ "@odata.context": format!("{graph}/$metadata#{context}") });
        let end = start + page.len();
        if end < rows.len() {
            let kept = self
                .request
                .query
                .iter()
                .filter(|(name, _)| !name.eq_ignore_ascii_case("$skiptoken"))
                .map(|(name, value)| format!("{}={}&", encoded(name), encoded(value)));
            body["@odata.nextLink"] = format!(
                "https://{}{}?{}$skiptoken=page-{end}",
                self.state.hosts.graph,
                self.request.path,
                kept.collect::<String>()
            )
            .into();
        }
        body["value"] = page.into();
        Ok(Reply::json(200, &body))
    }

    /// `$filter` of comparisons with strings, on these properties only.
    pub fn filter(&self, properties: &[&str]) -> Result<Vec<Comparison>, Reply> {
        let Some(text) = self.request.query("$filter") else {
            return Ok(Vec::new());
        };
        let all = filter(text).map_err(|why| error(400, "Request_BadRequest", &why))?;
        for it in &all {
            let field = &it.field;
            if !properties.contains(&field.as_str()) {
                let why = format!("Unsupported or invalid query filter clause specified for property '{field}'.");
                return Err(error(400, "Request_UnsupportedQuery", &why));
            }
            if matches!(it.value, Literal::Bare(_)) {
                // The ids of these types are Edm.String: they want quotes.
                let why = format!("Invalid filter clause: '{field}' is compared with a value that is not a string.");
                return Err(error(400, "Request_BadRequest", &why));
            }
        }
        Ok(all)
    }

    /// The JSON body of a write, of known members only.
    pub fn body(&self, type_name: &str, names: &[&str]) -> Result<Map<String, Value>, Reply> {
        if self.request.content_type() != "application/json" {
            // [M]
            return Err(error(
                400,
                "BadRequest",
                "Write requests (excluding DELETE) must contain the Content-Type header declaration.",
            ));
        }
        let body: Value = serde_json::from_slice(&self.request.body).map_err(|_| error(400, "BadRequest", "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format."))?;
        let Value::Object(members) = body else {
            return Err(error(400, "BadRequest", "Empty Payload. JSON content expected."));
        };
        known(type_name, &members, names)?;
        Ok(members)
    }
}
