//! Does a `$filter` compare properties that exist with values of their type?

use super::Findings;
use super::csdl::{Kind, Metadata};
use super::request::property;
use super::value::{is_date, is_guid, is_time};

const OPERATORS: &[&str] = &["and", "or", "not", "eq", "ne", "gt", "ge", "lt", "le", "in", "has"];
const COMPARISONS: &[&str] = &["eq", "ne", "gt", "ge", "lt", "le"];
const FUNCTIONS: &[&str] = &[
    "startswith",
    "endswith",
    "contains",
    "tolower",
    "toupper",
    "length",
    "indexof",
    "concat",
    "trim",
    "year",
    "month",
    "day",
];

/// A value as it is written in a URL.
#[derive(Debug, PartialEq, Eq)]
pub enum Literal<'a> {
    Quoted(&'a str),
    Bare(&'a str),
}

#[derive(Debug, PartialEq, Eq)]
enum Token<'a> {
    Word(&'a str),
    Quoted(&'a str),
    /// A parenthesis or a comma.
    Mark(char),
}

impl<'a> Literal<'a> {
    pub fn parse(text: &'a str) -> Self {
        let inside = text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
        inside.map_or(Self::Bare(text), Self::Quoted)
    }

    /// Whether it can be a value of this type.
    pub fn fits(&self, metadata: &Metadata, kind: &Kind) -> bool {
        if kind.collection {
            return false;
        }
        match (self, kind.name.as_str()) {
            (Self::Bare("null"), _) | (Self::Quoted(_), "Edm.String") => true,
            (Self::Bare(text), "Edm.Guid") => is_guid(text),
            (Self::Bare(text), "Edm.Boolean") => matches!(*text, "true" | "false"),
            (Self::Bare(text), "Edm.DateTimeOffset") => is_time(text),
            (Self::Bare(text), "Edm.Date") => is_date(text),
            (Self::Bare(text), "Edm.Int16" | "Edm.Int32" | "Edm.Int64") => text.parse::<i64>().is_ok(),
            (Self::Bare(text), "Edm.Double" | "Edm.Single" | "Edm.Decimal") => text.parse::<f64>().is_ok(),
            (Self::Quoted(text), name) => metadata.enumeration(name).is_some_and(|it| it.has(text)),
            _ => false,
        }
    }
}

/// Checks the filter of a list of these.
pub fn check(metadata: &Metadata, of: &Kind, text: &str, findings: &mut Findings) {
    let Some(tokens) = tokens(text) else {
        return findings.wrong("$filter: a quote is not closed");
    };
    let mut variables: Vec<(&str, Kind)> = Vec::new();
    let mut compared: Option<Kind> = None;
    for (i, token) in tokens.iter().enumerate() {
        let next = tokens.get(i + 1);
        match token {
            Token::Mark(_) => {}
            Token::Quoted(text) => judge(metadata, &tokens, i, compared.as_ref(), &Literal::Quoted(text), findings),
            Token::Word(word) if is_literal(word) => {
                judge(metadata, &tokens, i, compared.as_ref(), &Literal::Bare(word), findings);
            }
            Token::Word(word) if OPERATORS.contains(word) => {}
            Token::Word(word) if next == Some(&Token::Mark('(')) && FUNCTIONS.contains(word) => {}
            Token::Word(word) => {
                // In a lambda: `x:x/skuId`, or `x:` alone.
                let path = match word.split_once(':') {
                    Some((variable, rest)) => {
                        let of = compared.as_ref().map_or_else(|| of.item(), Kind::item);
                        variables.push((variable, of));
                        rest
                    }
                    None => word,
                };
                if path.is_empty() {
                    continue;
                }
                let path = path.strip_suffix("/any").or_else(|| path.strip_suffix("/all")).unwrap_or(path);
                let (start, path) = within(&variables, of, path);
                compared = property(metadata, &start, path, "$filter", findings);
            }
        }
    }
}

/// A path in a lambda begins with its variable.
fn within<'a>(variables: &[(&str, Kind)], of: &Kind, path: &'a str) -> (Kind, &'a str) {
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    match variables.iter().rev().find(|(variable, _)| *variable == first) {
        Some((_, kind)) => (kind.clone(), rest),
        None => (of.item(), path),
    }
}

/// A value right behind a comparison is of the type of what it is compared with.
fn judge(
    metadata: &Metadata,
    tokens: &[Token<'_>],
    at: usize,
    with: Option<&Kind>,
    value: &Literal<'_>,
    findings: &mut Findings,
) {
    let follows = at > 0 && matches!(tokens[at - 1], Token::Word(word) if COMPARISONS.contains(&word));
    let Some(kind) = with.filter(|_| follows) else {
        return;
    };
    let known = kind.is_primitive() || metadata.enumeration(&kind.name).is_some();
    if known && !value.fits(metadata, kind) {
        let written = if kind.collection { format!("a list of {}", kind.name) } else { kind.name.clone() };
        findings.wrong(format!("$filter: {value:?} is not written as {written}"));
    }
}

fn is_literal(word: &str) -> bool {
    matches!(word, "null" | "true" | "false")
        || word.starts_with(|first: char| first.is_ascii_digit() || first == '-')
        || is_guid(word)
}

/// `None`: a quote is not closed. A doubled quote inside quotes is one.
fn tokens(text: &str) -> Option<Vec<Token<'_>>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '\'' => {
                let mut end = 1 + rest[1..].find('\'')?;
                while rest[end + 1..].starts_with('\'') {
                    end += 2 + rest[end + 2..].find('\'')?;
                }
                tokens.push(Token::Quoted(&rest[1..end]));
                end + 1
            }
            '(' | ')' | ',' => {
                tokens.push(Token::Mark(first));
                1
            }
            _ => {
                let end = rest.find([' ', '(', ')', ',', '\'']).unwrap_or(rest.len());
                tokens.push(Token::Word(&rest[..end]));
                end
            }
        };
        rest = rest[end..].trim_start();
    }
    Some(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::sample::CSDL;

    fn wrong(text: &str) -> Vec<String> {
        let mut findings = Findings::default();
        check(&Metadata::parse(CSDL).unwrap(), &Kind::one("user"), text, &mut findings);
        findings.wrong
    }

    #[test]
    fn a_filter_over_what_exists_is_fine() {
        for text in [
            "id eq 'it''s (one), or two' and accountEnabled eq true",
            "not (userPrincipalName eq null) or startswith(userPrincipalName,'svc')",
            "assignedLicenses/any(x:x/skuId eq 1e1a282c-9c54-43a2-9310-98ef728faace)",
            "assignedLicenses/$count eq 0",
            "lastPasswordChangeDateTime ge 2026-01-05T08:00:00Z",
            "id in ('a', 'b')",
        ] {
            assert_eq!(wrong(text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn a_name_or_a_value_that_does_not_exist_is_found() {
        for (text, why) in [
            ("principalID eq 'a'", "$filter: user has no property 'principalID'"),
            ("sortof(id,'a')", "$filter: user has no property 'sortof'"),
            ("id eq 5", "$filter: Bare(\"5\") is not written as Edm.String"),
            ("accountEnabled eq 'true'", "$filter: Quoted(\"true\") is not written as Edm.Boolean"),
            ("assignedLicenses/any(x:x/sku eq 'a')", "$filter: assignedLicense has no property 'sku'"),
            ("assignedLicenses/any(x:x/skuId eq 'a')", "$filter: Quoted(\"a\") is not written as Edm.Guid"),
            ("id eq 'a", "$filter: a quote is not closed"),
        ] {
            assert_eq!(wrong(text), [why], "{text}");
        }
    }
}
