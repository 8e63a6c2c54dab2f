//! Where does the path of a Graph URL lead, by the metadata?

use super::csdl::{Found, Kind, Metadata, Operation, short};
use super::filter::Literal;

/// What a path names.
#[derive(Debug)]
pub enum Place<'a> {
    /// A list of these.
    Many(Kind),
    /// One entity.
    One(Kind),
    /// A property.
    Value(Kind),
    /// Links to entities (`$ref`).
    Links,
    /// A number, or raw bytes (`$count`, `$value`).
    Raw,
    Call(&'a Operation),
    /// The envelope of a `$batch`; its parts are looked at one by one.
    Batch,
    /// Beyond what the metadata has: the name of the type that was cut.
    Cut(String),
}

/// In beta, and in what is published of v1.0 behind a type that was cut: they must not hide there (facts/microsoft.md §1.8).
const BETA_ONLY: &[&str] = &["authentication/requirements"];

/// Follows a path (decoded, without the version).
pub fn walk<'a>(metadata: &'a Metadata, path: &str) -> Result<Place<'a>, String> {
    let path = path.trim_end_matches('/');
    if let Some(beta) = BETA_ONLY.iter().find(|end| path.ends_with(*end)) {
        return Err(format!("{beta} is beta only"));
    }
    let mut segments = segments(path).into_iter();
    let mut place = root(metadata, segments.next().unwrap_or_default())?;
    for segment in segments {
        place = step(metadata, place, segment)?;
    }
    Ok(place)
}

/// The pieces between slashes that are not inside quotes.
pub fn segments(path: &str) -> Vec<&str> {
    let mut quoted = false;
    path.split(|letter| {
        quoted ^= letter == '\'';
        letter == '/' && !quoted
    })
    .collect()
}

/// A segment's name, and what is in its parentheses.
pub fn named(segment: &str) -> (&str, Option<&str>) {
    match segment.split_once('(').and_then(|(name, rest)| Some((name, rest.strip_suffix(')')?))) {
        Some((name, inside)) => (name, Some(inside)),
        None => (segment, None),
    }
}

fn root<'a>(metadata: &'a Metadata, segment: &str) -> Result<Place<'a>, String> {
    if segment == "$batch" {
        return Ok(Place::Batch);
    }
    let (name, key) = named(segment);
    let kind = metadata.root(name).ok_or_else(|| format!("there is no entity set '{name}'"))?;
    at(metadata, kind.clone(), key)
}

fn step<'a>(metadata: &'a Metadata, place: Place<'a>, segment: &str) -> Result<Place<'a>, String> {
    let (name, key) = named(segment);
    match place {
        Place::Many(_) | Place::One(_) if segment == "$ref" => Ok(Place::Links),
        Place::Many(_) if segment == "$count" => Ok(Place::Raw),
        Place::One(_) | Place::Value(_) if segment == "$value" => Ok(Place::Raw),
        Place::Many(kind) => {
            let plural = Kind { collection: true, ..kind.clone() };
            if let Some(operation) = metadata.operation(&plural, short(name)) {
                return Ok(Place::Call(operation));
            }
            if name.contains("microsoft.graph.") {
                return cast(metadata, &kind, name).map(|place| match place {
                    Place::One(kind) => Place::Many(kind),
                    other => other,
                });
            }
            if key.is_some() {
                return Err(format!("a list of {} has no function '{name}'", kind.name));
            }
            Ok(Place::One(kind.item()))
        }
        Place::One(kind) => {
            if let Some(operation) = metadata.operation(&kind, short(name)) {
                return Ok(Place::Call(operation));
            }
            if name.contains("microsoft.graph.") {
                return cast(metadata, &kind, name);
            }
            inside(metadata, &kind, name, key)
        }
        Place::Value(kind) if !kind.collection && !kind.is_primitive() => inside(metadata, &kind, name, key),
        Place::Cut(_) => Ok(place),
        Place::Value(_) | Place::Links | Place::Raw | Place::Call(_) | Place::Batch => {
            Err(format!("nothing is at '{segment}'"))
        }
    }
}

/// What is at a property or navigation property of one thing.
fn inside<'a>(metadata: &'a Metadata, kind: &Kind, name: &str, key: Option<&str>) -> Result<Place<'a>, String> {
    match metadata.member(&kind.name, name) {
        Found::Member(member) if member.navigation => at(metadata, member.kind.clone(), key),
        Found::Member(member) => Ok(Place::Value(member.kind.clone())),
        Found::Cut(cut) => Ok(Place::Cut(cut)),
        Found::Nothing => Err(format!("{} has no '{name}'", kind.name)),
    }
}

/// `microsoft.graph.group` behind something that may be one.
fn cast<'a>(metadata: &'a Metadata, kind: &Kind, name: &str) -> Result<Place<'a>, String> {
    let wanted = short(name);
    if metadata.structure(wanted).is_none() {
        return Ok(Place::Cut(wanted.to_owned()));
    }
    if !metadata.is(wanted, &kind.name) {
        return Err(format!("{} is never a {wanted}", kind.name));
    }
    Ok(Place::One(Kind::one(wanted)))
}

/// A set, a list or a single thing, with its key if there is one.
fn at<'a>(metadata: &'a Metadata, kind: Kind, key: Option<&str>) -> Result<Place<'a>, String> {
    if metadata.structure(&kind.name).is_none() {
        return Ok(Place::Cut(kind.name));
    }
    match key {
        None if kind.collection => Ok(Place::Many(kind)),
        None => Ok(Place::One(kind)),
        Some(_) if !kind.collection => Err(format!("a single {} has no key", kind.name)),
        Some(key) => {
            for part in key.split(',') {
                check_key(metadata, &kind, part.trim())?;
            }
            Ok(Place::One(kind.item()))
        }
    }
}

/// `'id'`, or an alternate key `appId='…'`. Which properties are keys was cut from the metadata; that they exist was not.
fn check_key(metadata: &Metadata, kind: &Kind, part: &str) -> Result<(), String> {
    let (name, value) = part.split_once('=').unwrap_or(("id", part));
    let Found::Member(member) = metadata.member(&kind.name, name) else {
        return Err(format!("{} has no key '{name}'", kind.name));
    };
    if Literal::parse(value).fits(metadata, &member.kind) {
        return Ok(());
    }
    Err(format!("the key {part} of {} is not written as {}", kind.name, member.kind.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::sample::CSDL;

    fn leads(path: &str) -> String {
        match walk(&Metadata::parse(CSDL).unwrap(), path) {
            Ok(Place::Many(kind)) => format!("many {}", kind.name),
            Ok(Place::One(kind)) => format!("one {}", kind.name),
            Ok(Place::Value(kind)) => format!("value {}", kind.name),
            Ok(Place::Call(operation)) => format!("call {}", operation.name),
            Ok(other) => format!("{other:?}"),
            Err(why) => format!("! {why}"),
        }
    }

    #[test]
    fn a_path_leads_where_the_metadata_says() {
        for (path, end) in [
            ("users", "many user"),
            ("users/svc@contoso.com", "one user"),
            ("users('a/b')", "one user"),
            ("users/1/accountEnabled", "value Edm.Boolean"),
            ("users/1/transitiveMemberOf", "many directoryObject"),
            ("users/1/transitiveMemberOf/microsoft.graph.group", "many group"),
            ("users/1/assignLicense", "call assignLicense"),
            ("users/1/microsoft.graph.assignLicense", "call assignLicense"),
            ("users/delta", "call delta"),
            ("users/delta()", "call delta"),
            ("users/$count", "Raw"),
            ("groups/1/members/$ref", "Links"),
            ("groups/1/members/2/$ref", "Links"),
            ("servicePrincipals(appId='1')", "one servicePrincipal"),
            ("roleManagement/directory/roleAssignments/1", "one unifiedRoleAssignment"),
            ("users/1/photo/height", "Cut(\"photo\")"),
            ("$batch", "Batch"),
        ] {
            assert_eq!(leads(path), end, "{path}");
        }
    }

    #[test]
    fn a_path_that_leads_nowhere_says_where_it_went_wrong() {
        for (path, why) in [
            ("people", "! there is no entity set 'people'"),
            ("Users", "! there is no entity set 'Users'"),
            ("users/1/secrets", "! user has no 'secrets'"),
            ("users/1/accountEnabled/really", "! nothing is at 'really'"),
            ("users/1/assignLicense/now", "! nothing is at 'now'"),
            ("users/gamma()", "! a list of user has no function 'gamma'"),
            ("groups/1/microsoft.graph.user", "! group is never a user"),
            ("servicePrincipals(secret='1')", "! servicePrincipal has no key 'secret'"),
            ("servicePrincipals(appId=1)", "! the key appId=1 of servicePrincipal is not written as Edm.String"),
            ("roleManagement('1')", "! a single roleManagement has no key"),
            (
                "roleManagement/directory/transitiveRoleAssignments",
                "! rbacApplication has no 'transitiveRoleAssignments'",
            ),
            ("users/1/authentication/requirements", "! authentication/requirements is beta only"),
        ] {
            assert_eq!(leads(path), why, "{path}");
        }
    }
}
