//! What do `$filter`, `$select` and `$expand` ask for?

use serde_json::{Map, Value};

/// One comparison `field eq value`; several are joined by `and`. More is not needed here and is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    pub field: String,
    pub value: Literal,
}

/// The value as it was written: quoting matters, GUID columns of Dataverse are unquoted, Graph ids are strings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Literal {
    Text(String),
    Bare(String),
}

impl Literal {
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Bare(text) => text,
        }
    }
}

/// Reads a filter made of `eq` and `and`.
pub fn filter(text: &str) -> Result<Vec<Comparison>, String> {
    let words = words(text)?;
    words
        .split(|word| *word == Literal::Bare("and".into()))
        .map(|part| match part {
            [Literal::Bare(field), Literal::Bare(operator), value] if operator == "eq" => {
                Ok(Comparison { field: field.clone(), value: value.clone() })
            }
            _ => Err(format!("Invalid filter clause: {text}")),
        })
        .collect()
}

fn words(text: &str) -> Result<Vec<Literal>, String> {
    let mut words = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        if let Some(quoted) = rest.strip_prefix('\'') {
            let end =
                quoted.find('\'').ok_or_else(|| format!("There is an unterminated string literal in '{text}'."))?;
            words.push(Literal::Text(quoted[..end].to_owned()));
            rest = quoted[end + 1..].trim_start();
        } else {
            let end = rest.find(' ').unwrap_or(rest.len());
            words.push(Literal::Bare(rest[..end].to_owned()));
            rest = rest[end..].trim_start();
        }
    }
    Ok(words)
}

/// The fields of `$select`; an empty list means none was given.
pub fn select(text: Option<&str>) -> Vec<String> {
    text.unwrap_or_default().split(',').map(str::trim).filter(|field| !field.is_empty()).map(str::to_owned).collect()
}

/// A navigation property with the `$select` inside its parentheses.
pub fn expand(text: &str) -> Result<(String, Vec<String>), String> {
    let Some((name, options)) = text.split_once('(') else {
        return Ok((text.trim().to_owned(), Vec::new()));
    };
    let options = options
        .strip_suffix(')')
        .ok_or_else(|| format!("Term '{text}' is not valid in a $select or $expand expression."))?;
    let fields = options
        .strip_prefix("$select=")
        .ok_or_else(|| format!("Term '{options}' is not valid in a $expand expression."))?;
    Ok((name.trim().to_owned(), select(Some(fields))))
}

/// Only the named members; annotations (`@…`) stay.
pub fn project(whole: &Value, fields: &[String]) -> Value {
    let Value::Object(members) = whole else {
        return whole.clone();
    };
    let kept: Map<String, Value> = members
        .iter()
        .filter(|(name, _)| name.starts_with('@') || fields.is_empty() || fields.iter().any(|field| field == *name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    Value::Object(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_keeps_the_quotes_apart() {
        let found = filter("principalId eq 'a b' and x eq 5").unwrap();
        assert_eq!(found[0].value, Literal::Text("a b".into()));
        assert_eq!(found[1], Comparison { field: "x".into(), value: Literal::Bare("5".into()) });
        assert!(filter("a ne 'b'").is_err());
        assert!(filter("a eq 'b' or c eq 'd'").is_err());
        assert!(filter("a eq 'b").is_err());
    }

    #[test]
    fn an_expand_carries_its_own_select() {
        assert_eq!(expand("roles($select=a,b)").unwrap(), ("roles".into(), vec!["a".into(), "b".into()]));
        assert!(expand("roles($levels=3)").is_err());
    }
}
