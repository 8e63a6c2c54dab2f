//! How is Keepit's XML written and read?

use quick_xml::Reader;
use quick_xml::events::Event;
use quick_xml::name::QName;

/// An element that was sent to us.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Element {
    pub name: String,
    pub text: String,
    pub children: Vec<Element>,
}

impl Element {
    pub fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    pub fn text_of(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.as_str())
    }
}

/// Reads one document; anything malformed is `None`.
pub fn parse(body: &[u8]) -> Option<Element> {
    let text = std::str::from_utf8(body).ok()?;
    let mut reader = Reader::from_str(text);
    let mut open = vec![Element::default()];
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => open.push(Element { name: name_of(start.name()), ..Element::default() }),
            Event::Empty(start) => {
                open.last_mut()?.children.push(Element { name: name_of(start.name()), ..Element::default() });
            }
            Event::End(_) => {
                let done = open.pop()?;
                let done = Element { text: done.text.trim().to_owned(), ..done };
                open.last_mut()?.children.push(done);
            }
            Event::Text(text) => open.last_mut()?.text.push_str(&text.xml10_content()),
            Event::GeneralRef(reference) => {
                let known = [("amp", '&'), ("lt", '<'), ("gt", '>'), ("quot", '"'), ("apos", '\'')];
                let named =
                    || known.iter().find(|(entity, _)| *entity == reference.xml10_content()).map(|(_, letter)| *letter);
                open.last_mut()?.text.push(reference.resolve_char_ref().ok()?.or_else(named)?);
            }
            Event::Eof => break,
            _ => {}
        }
    }
    let mut document = open.pop().filter(|_| open.is_empty())?;
    (document.children.len() == 1).then(|| document.children.remove(0))
}

fn name_of(name: QName<'_>) -> String {
    name.as_ref().to_owned()
}

/// `<name>text</name>`, escaped.
pub fn leaf(name: &str, text: impl std::fmt::Display) -> String {
    let text = text.to_string();
    format!("<{name}>{}</{name}>", quick_xml::escape::escape(text.as_str()))
}

/// A leaf only if there is something to say.
pub fn leaf_if(name: &str, text: Option<impl std::fmt::Display>) -> String {
    text.map(|text| leaf(name, text)).unwrap_or_default()
}

/// `<name>…</name>` around what is XML already.
pub fn node(name: &str, inner: &str) -> String {
    format!("<{name}>{inner}</{name}>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_can_be_read() {
        let text =
            node("cloud", &(leaf("name", "A & B <c>") + &node("attributes", &node("attribute", &leaf("name", "x")))));
        let read = parse(text.as_bytes()).unwrap();
        assert_eq!(read.text_of("name"), Some("A & B <c>"));
        assert_eq!(read.child("attributes").unwrap().children[0].text_of("name"), Some("x"));
        assert!(parse(b"<a><b></a>").is_none());
        assert!(parse(b"not xml").is_none());
    }
}
