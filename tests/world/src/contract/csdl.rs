//! Which types, properties and operations does a cloud's Graph have? Its OData metadata (CSDL), read.

use std::collections::{BTreeMap, BTreeSet};

use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};

/// The metadata of one cloud. Names of types are without their namespace: there is only one.
#[derive(Debug, Default)]
pub struct Metadata {
    types: BTreeMap<String, Structure>,
    enums: BTreeMap<String, Enumeration>,
    roots: BTreeMap<String, Kind>,
    operations: Vec<Operation>,
}

/// An entity type or a complex type.
#[derive(Debug, Default)]
pub struct Structure {
    base: Option<String>,
    /// Open, and not an entity: whatever is in it is declared nowhere.
    pub open: bool,
    members: BTreeMap<String, Member>,
}

/// A property or a navigation property.
#[derive(Clone, Debug)]
pub struct Member {
    pub kind: Kind,
    pub nullable: bool,
    pub navigation: bool,
}

/// What a property, a parameter or a result is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    pub name: String,
    pub collection: bool,
}

#[derive(Debug, Default)]
pub struct Enumeration {
    flags: bool,
    members: BTreeSet<String>,
}

/// An action or a function, bound to what its first parameter is of.
#[derive(Debug)]
pub struct Operation {
    pub name: String,
    pub action: bool,
    pub bound_to: Kind,
    pub parameters: BTreeMap<String, Member>,
    pub result: Option<Kind>,
}

/// What the metadata says of a name on a type.
pub enum Found<'a> {
    Member(&'a Member),
    /// The type, or one that it is derived from, was cut out of the metadata.
    Cut(String),
    Nothing,
}

impl Kind {
    pub fn one(name: &str) -> Self {
        Self { name: name.to_owned(), collection: false }
    }

    /// `Collection(graph.user)`, `microsoft.graph.user`, `Edm.String`.
    fn parse(text: &str) -> Self {
        let inner = text.strip_prefix("Collection(").and_then(|rest| rest.strip_suffix(')'));
        Self { name: short(inner.unwrap_or(text)).to_owned(), collection: inner.is_some() }
    }

    pub fn item(&self) -> Self {
        Self::one(&self.name)
    }

    pub fn is_primitive(&self) -> bool {
        self.name.starts_with("Edm.")
    }
}

/// The name of a type without its namespace or alias.
pub fn short(name: &str) -> &str {
    let name = name.strip_prefix('#').unwrap_or(name);
    name.strip_prefix("microsoft.graph.").or_else(|| name.strip_prefix("graph.")).unwrap_or(name)
}

impl Enumeration {
    /// One member; of flags several, with commas.
    pub fn has(&self, text: &str) -> bool {
        let known = |member: &str| self.members.contains(member.trim());
        if self.flags { text.split(',').all(known) } else { self.members.contains(text) }
    }
}

impl Metadata {
    pub fn root(&self, name: &str) -> Option<&Kind> {
        self.roots.get(name)
    }

    pub fn enumeration(&self, name: &str) -> Option<&Enumeration> {
        self.enums.get(name)
    }

    pub fn structure(&self, name: &str) -> Option<&Structure> {
        self.types.get(name)
    }

    /// A name on a type or on what it is derived from.
    pub fn member(&self, on: &str, name: &str) -> Found<'_> {
        let mut at = on;
        loop {
            let Some(structure) = self.types.get(at) else {
                return Found::Cut(at.to_owned());
            };
            if let Some(member) = structure.members.get(name) {
                return Found::Member(member);
            }
            match &structure.base {
                Some(base) => at = base,
                None => return Found::Nothing,
            }
        }
    }

    /// The same, or on a type that is derived from it: a list of directory objects may be asked for what only users have.
    pub fn member_of_any(&self, on: &str, name: &str) -> Found<'_> {
        match self.member(on, name) {
            Found::Nothing => self
                .types
                .keys()
                .filter(|derived| self.is(derived, on))
                .find_map(|derived| match self.member(derived, name) {
                    Found::Member(member) => Some(Found::Member(member)),
                    _ => None,
                })
                .unwrap_or(Found::Nothing),
            found => found,
        }
    }

    /// Whether a type is, or is derived from, another.
    pub fn is(&self, name: &str, wanted: &str) -> bool {
        let mut at = Some(name);
        while let Some(name) = at {
            if name == wanted {
                return true;
            }
            at = self.types.get(name).and_then(|structure| structure.base.as_deref());
        }
        false
    }

    /// An operation that can be called on this.
    pub fn operation(&self, on: &Kind, name: &str) -> Option<&Operation> {
        self.operations.iter().find(|operation| {
            operation.name == name
                && operation.bound_to.collection == on.collection
                && self.is(&on.name, &operation.bound_to.name)
        })
    }

    /// Reads a CSDL document.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut reader = Reader::from_str(text);
        let mut into = Building::default();
        loop {
            match reader.read_event().map_err(|error| error.to_string())? {
                Event::Start(start) => into.begin(&start, true)?,
                Event::Empty(start) => into.begin(&start, false)?,
                Event::End(end) => into.end(end.name().as_ref()),
                Event::Eof => break,
                _ => {}
            }
        }
        if into.metadata.roots.is_empty() {
            return Err("it has no entity set".into());
        }
        Ok(into.metadata)
    }
}

/// The metadata as far as it is read, and the element that is open.
#[derive(Default)]
struct Building {
    metadata: Metadata,
    structure: String,
    enumeration: String,
}

impl Building {
    fn begin(&mut self, start: &BytesStart<'_>, stays_open: bool) -> Result<(), String> {
        let attributes = Attributes::of(start)?;
        let name = attributes.text("Name").to_owned();
        match start.name().as_ref() {
            element @ ("EntityType" | "ComplexType") => {
                let base = attributes.get("BaseType").map(|base| short(base).to_owned());
                let open = element == "ComplexType" && attributes.is("OpenType");
                self.metadata.types.insert(name.clone(), Structure { base, open, members: BTreeMap::new() });
                self.structure = name;
            }
            "EnumType" => {
                let flags = attributes.is("IsFlags");
                self.metadata.enums.insert(name.clone(), Enumeration { flags, members: BTreeSet::new() });
                self.enumeration = name;
            }
            "Member" => {
                if let Some(open) = self.metadata.enums.get_mut(&self.enumeration) {
                    open.members.insert(name);
                }
            }
            element @ ("Property" | "NavigationProperty") => {
                let member = attributes.member(element == "NavigationProperty");
                if let Some(open) = self.metadata.types.get_mut(&self.structure) {
                    open.members.insert(name, member);
                }
            }
            "EntitySet" => {
                let kind = Kind { name: short(attributes.text("EntityType")).to_owned(), collection: true };
                self.metadata.roots.insert(name, kind);
            }
            "Singleton" => {
                self.metadata.roots.insert(name, Kind::parse(attributes.text("Type")));
            }
            // One that ends at once is bound to nothing; Graph has none of these.
            element @ ("Action" | "Function") if stays_open => self.metadata.operations.push(Operation {
                name,
                action: element == "Action",
                bound_to: Kind::one(""),
                parameters: BTreeMap::new(),
                result: None,
            }),
            "Parameter" => {
                if let Some(open) = self.metadata.operations.last_mut() {
                    if open.bound_to.name.is_empty() {
                        open.bound_to = Kind::parse(attributes.text("Type"));
                    } else {
                        open.parameters.insert(name, attributes.member(false));
                    }
                }
            }
            "ReturnType" => {
                if let Some(open) = self.metadata.operations.last_mut() {
                    open.result = Some(Kind::parse(attributes.text("Type")));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, element: &str) {
        match element {
            "EntityType" | "ComplexType" => self.structure.clear(),
            "EnumType" => self.enumeration.clear(),
            _ => {}
        }
    }
}

struct Attributes(BTreeMap<String, String>);

impl Attributes {
    fn of(start: &BytesStart<'_>) -> Result<Self, String> {
        let mut all = BTreeMap::new();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|error| error.to_string())?;
            let value = attribute.normalized_value(XmlVersion::Explicit1_0).map_err(|error| error.to_string())?;
            all.insert(attribute.key.as_ref().to_owned(), value.into_owned());
        }
        Ok(Self(all))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    fn is(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }

    fn member(&self, navigation: bool) -> Member {
        Member { kind: Kind::parse(self.text("Type")), nullable: self.get("Nullable") != Some("false"), navigation }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::sample::CSDL;

    #[test]
    fn a_type_has_what_it_is_derived_from() {
        let metadata = Metadata::parse(CSDL).unwrap();
        let Found::Member(id) = metadata.member("user", "id") else { panic!("users have an id") };
        assert_eq!((id.kind.clone(), id.nullable), (Kind::one("Edm.String"), false));
        assert!(matches!(metadata.member("user", "secrets"), Found::Nothing));
        assert!(matches!(metadata.member("photo", "width"), Found::Cut(_)));
        assert!(metadata.is("user", "entity") && !metadata.is("entity", "user"));
        assert!(matches!(metadata.member_of_any("directoryObject", "accountEnabled"), Found::Member(_)));
    }

    #[test]
    fn an_operation_belongs_to_what_it_is_bound_to() {
        let metadata = Metadata::parse(CSDL).unwrap();
        let assign = metadata.operation(&Kind::one("user"), "assignLicense").unwrap();
        assert!(assign.action && assign.parameters.contains_key("addLicenses"));
        assert!(metadata.operation(&Kind::one("directoryObject"), "assignLicense").is_none());
        let users = Kind { name: "user".into(), collection: true };
        assert_eq!(metadata.operation(&users, "delta").unwrap().result, Some(users.clone()));
    }

    #[test]
    fn only_flags_have_several_members_at_once() {
        let metadata = Metadata::parse(CSDL).unwrap();
        assert!(metadata.enumeration("modes").unwrap().has("sms, voice"));
        assert!(!metadata.enumeration("modes").unwrap().has("sms,carrier pigeon"));
        assert!(!metadata.enumeration("expirationPatternType").unwrap().has("noExpiration,afterDuration"));
    }
}
