//! Keepit's XML as a tree: unknown elements are kept, entities are never expanded, the size is bounded.

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};

/// One element.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    /// Its name, without a namespace prefix.
    pub name: String,
    /// Its attributes, as written.
    attributes: Vec<(String, String)>,
    /// Its own text, trimmed.
    text: String,
    /// The elements in it.
    pub children: Vec<Element>,
}

/// Deeper than anything that Keepit sends; less than what could exhaust the stack.
const DEEPEST: usize = 32;

impl Element {
    /// Reads a document.
    ///
    /// # Errors
    /// One sentence without a word of the document: not XML, cut off, nested too deep, with a document type.
    pub fn read(document: &[u8]) -> Result<Self, &'static str> {
        let text = std::str::from_utf8(document).map_err(|_| "is not UTF-8")?;
        let mut reader = Reader::from_str(text);
        // A root of our own: the document's root becomes its only child.
        let mut open = vec![Self::default()];
        loop {
            match reader.read_event().map_err(|_| "is not well-formed XML")? {
                Event::Start(start) if open.len() > DEEPEST => {
                    drop(start);
                    return Err("is nested too deep");
                }
                Event::Start(start) => open.push(Self::opened(&start)?),
                Event::Empty(start) => {
                    let element = Self::opened(&start)?;
                    if let Some(parent) = open.last_mut() {
                        parent.children.push(element);
                    }
                }
                Event::End(_) => {
                    let mut element = open.pop().ok_or("is not well-formed XML")?;
                    element.text = element.text.trim().into();
                    open.last_mut().ok_or("is not well-formed XML")?.children.push(element);
                }
                Event::Text(text) => append(&mut open, &text.xml10_content()),
                Event::CData(text) => append(&mut open, &text.xml10_content()),
                Event::GeneralRef(reference) => {
                    let resolved = reference.resolve_char_ref().map_err(|_| "has a broken character reference")?;
                    match resolved {
                        Some(character) => append(&mut open, character.encode_utf8(&mut [0; 4])),
                        None => append(
                            &mut open,
                            resolve_predefined_entity(&reference.xml10_content())
                                .ok_or("brings an entity of its own, which is not read")?,
                        ),
                    }
                }
                Event::DocType(_) => return Err("brings a document type, which is not read"),
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
                Event::Eof => break,
            }
        }
        let (Some(mut root), true) = (open.pop(), open.is_empty()) else {
            return Err("was cut off");
        };
        match (root.children.pop(), root.children.is_empty()) {
            (Some(element), true) => Ok(element),
            (None, _) if root.text.trim().is_empty() => Err("is empty"),
            _ => Err("is not XML"),
        }
    }

    fn opened(start: &BytesStart<'_>) -> Result<Self, &'static str> {
        let mut attributes = Vec::new();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|_| "has a broken attribute")?;
            attributes.push((attribute.key.local_name().as_ref().to_owned(), attribute.value.into_owned()));
        }
        Ok(Self { name: start.local_name().as_ref().to_owned(), attributes, ..Self::default() })
    }

    /// The first child of this name.
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// All children of this name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of the first child of this name, or the attribute of this name; `None` when neither says anything.
    pub fn field(&self, name: &str) -> Option<&str> {
        let attribute = || self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        self.child(name).map(|child| child.text.as_str()).or_else(attribute).filter(|text| !text.is_empty())
    }
}

fn append(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_as_elements_or_attributes_among_unknown_ones() {
        let document = br#"<?xml version="1.0"?>
            <devices future="1"><!-- x --><cloud guid="a"><name>Contoso &amp; S&#xF8;n</name><new><deep/></new></cloud>
            <cloud><guid>b</guid><name><![CDATA[<raw>]]></name></cloud></devices>"#;
        let devices = Element::read(document).unwrap();
        let seen: Vec<_> = devices.all("cloud").map(|cloud| (cloud.field("guid"), cloud.field("name"))).collect();
        assert_eq!(seen, [(Some("a"), Some("Contoso & Søn")), (Some("b"), Some("<raw>"))]);
        assert_eq!(devices.field("absent"), None);
    }

    #[test]
    fn what_is_not_whole_or_not_plain_is_refused() {
        let bomb = br#"<!DOCTYPE a [<!ENTITY b "bbbb">]><a>&b;</a>"#;
        for (document, sentence) in [
            (&b"<devices><cloud><guid>a</guid></cloud>"[..], "was cut off"),
            (b"<devices><cloud>", "was cut off"),
            (b"<a></b>", "is not well-formed XML"),
            (b"", "is empty"),
            (b" \n", "is empty"),
            (b"Forbidden", "is not XML"),
            (b"<a/><b/>", "is not XML"),
            (bomb, "brings a document type, which is not read"),
            (b"<a>&b;</a>", "brings an entity of its own, which is not read"),
            (b"\xff\xfe", "is not UTF-8"),
        ] {
            assert_eq!(Element::read(document), Err(sentence), "{}", String::from_utf8_lossy(document));
        }
        let deep = "<a>".repeat(40) + &"</a>".repeat(40);
        assert_eq!(Element::read(deep.as_bytes()), Err("is nested too deep"));
    }
}
