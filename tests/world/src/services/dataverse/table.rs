//! How are rows of a Dataverse table filtered, projected and refused?

use serde_json::{Map, Value, json};

use super::columns::is_guid;
use super::{Call, error};
use crate::http::Reply;
use crate::odata::{Comparison, Literal, filter, project, select};

/// 400 for what the table does not have (microsoft.md §3.5 "errors"; the same code serves unknown columns and rows).
pub fn bad(message: &str) -> Reply {
    error(400, "0x80060888", message)
}

impl Call<'_> {
    /// Refuses system query options that the call does not take; others are ignored, as the protocol says.
    pub fn options(&self, allowed: &[&str]) -> Result<(), Reply> {
        match self.request.query.iter().find(|(name, _)| name.starts_with('$') && !allowed.contains(&name.as_str())) {
            Some((name, _)) => Err(bad(&format!("The query parameter {name} is not supported."))),
            None => Ok(()),
        }
    }

    /// The JSON body of a write.
    pub fn body(&self) -> Result<Map<String, Value>, Reply> {
        if self.request.content_type() != "application/json" {
            // [M]
            return Err(error(415, "0x80060888", "The content type of the request is not supported."));
        }
        match serde_json::from_slice(&self.request.body) {
            Ok(Value::Object(members)) => Ok(members),
            _ => Err(bad("The request body is not a JSON object.")),
        }
    }

    /// No more rows than `$top` asks for.
    pub fn top(&self, mut rows: Vec<Value>) -> Result<Vec<Value>, Reply> {
        if let Some(text) = self.request.query("$top") {
            rows.truncate(
                text.parse().map_err(|_| bad(&format!("Invalid value '{text}' for $top query option found.")))?,
            );
        }
        Ok(rows)
    }

    /// `$select`, checked against the columns.
    pub fn columns(&self, table: &str, known: &[&str]) -> Result<Vec<String>, Reply> {
        known_columns(table, known, select(self.request.query("$select")))
    }

    /// `$filter`, checked against the columns and their types.
    pub fn comparisons(&self, table: &str, known: &[&str]) -> Result<Vec<Comparison>, Reply> {
        let Some(text) = self.request.query("$filter") else {
            return Ok(Vec::new());
        };
        let all = filter(text).map_err(|why| bad(&why))?;
        for it in &all {
            if !known.contains(&it.field.as_str()) {
                return Err(bad(&format!(
                    "Could not find a property named '{}' on type 'Microsoft.Dynamics.CRM.{table}'.",
                    it.field
                )));
            }
            if is_guid(&it.field)
                && (matches!(it.value, Literal::Text(_))
                    || !(crate::ids::is_guid(it.value.text()) || it.value.text() == "null"))
            {
                return Err(bad(
                    "A binary operator with incompatible types was detected. Found operand types 'Edm.Guid' and 'Edm.String' for operator kind 'Equal'.",
                ));
            }
        }
        Ok(all)
    }
}

pub fn known_columns(table: &str, known: &[&str], fields: Vec<String>) -> Result<Vec<String>, Reply> {
    match fields.iter().find(|field| !known.contains(&field.as_str())) {
        Some(field) => {
            Err(bad(&format!("Could not find a property named '{field}' on type 'Microsoft.Dynamics.CRM.{table}'.")))
        }
        None => Ok(fields),
    }
}

/// Every comparison holds for the row.
pub fn fits(row: &Value, all: &[Comparison]) -> bool {
    all.iter().all(|it| match &row[&it.field] {
        Value::String(text) => text.eq_ignore_ascii_case(it.value.text()),
        other => other.to_string().as_str() == it.value.text(),
    })
}

/// All columns with null where the world knows nothing, then what it knows.
pub fn row(columns: &[&str], known: Value) -> Value {
    let mut row = json!({ "@odata.etag": "W/\"1760402\"" });
    for column in columns {
        row[*column] = Value::Null;
    }
    if let Value::Object(members) = known {
        for (name, value) in members {
            row[&name] = value;
        }
    }
    row
}

/// The chosen columns and the row's id, which Dataverse always sends along.
pub fn chosen(row: &Value, fields: &[String], id: &str) -> Value {
    let mut fields = fields.to_vec();
    if !fields.is_empty() && !fields.iter().any(|field| field == id) {
        fields.push(id.to_owned());
    }
    project(row, &fields)
}
