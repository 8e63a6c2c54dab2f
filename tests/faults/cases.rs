//! What can go wrong with one call: the list that every call of every vendor goes through.

use std::collections::BTreeMap;

use backstay_world::Fault;
use jiff::SignedDuration;

/// Stands in the bodies and headers of what goes wrong, as a token or a password would that a service or a proxy quotes.
pub const MARKER: &str = "hush-3f9a-marker";
/// Stands in bodies for the id of the connector that is there.
pub const HERE: &str = "{here}";
/// How long whoever asks to be left alone asks for.
pub const LEFT_ALONE: u64 = 20;
/// A body that is larger than any that is read.
const HUGE: usize = 9 * 1024 * 1024;
const DATE_OF_YESTERDAY: &str = "Sun, 22 Nov 2026 10:00:00 GMT";

/// One thing that goes wrong.
pub struct Case {
    /// As the page calls it.
    pub name: String,
    /// How.
    pub upset: Upset,
    /// Whether everything that is needed arrives all the same.
    pub harmless: bool,
}

/// How it goes wrong.
pub enum Upset {
    /// Not at all.
    None,
    /// The answer to the call is another one, or none.
    Fault(Box<Fault>),
    /// The vendor's clock is so much ahead of ours.
    Ahead(SignedDuration),
}

/// What bodies are of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Xml,
    Json,
}

impl Format {
    fn media_type(self) -> &'static str {
        match self {
            Self::Xml => "application/xml",
            Self::Json => "application/json",
        }
    }

    /// An error as such services write it, with what must not be passed on.
    fn error(self) -> String {
        match self {
            Self::Xml => format!("<error><code>HUSH</code><description>{MARKER}</description></error>"),
            Self::Json => format!(r#"{{"error":"{MARKER}","error_description":"{MARKER}","message":"{MARKER}"}}"#),
        }
    }
}

impl Case {
    /// One in which what is needed does not arrive.
    pub fn bad(name: impl Into<String>, fault: Fault) -> Self {
        Self { name: name.into(), upset: Upset::Fault(Box::new(fault)), harmless: false }
    }

    /// One in which it does.
    pub fn harmless(name: impl Into<String>, fault: Fault) -> Self {
        Self { harmless: true, ..Self::bad(name, fault) }
    }

    /// The fault, if it is one of the call.
    pub fn fault(&self) -> Option<&Fault> {
        if let Upset::Fault(fault) = &self.upset { Some(fault) } else { None }
    }

    /// Whether the other side asks to be left alone for `LEFT_ALONE`.
    pub fn asks_for_quiet(&self) -> bool {
        self.fault().is_some_and(|fault| fault.headers.contains_key("retry-after"))
    }

    /// Whether it is worth while to see it twice: not what takes its time, and not what goes on to be wrong anyway.
    pub fn strikes_again(&self) -> bool {
        !self.harmless && self.fault().is_some() && !self.hangs() && !self.asks_for_quiet()
    }

    /// Whether no answer ever comes: a look takes as long as one waits for it.
    pub fn hangs(&self) -> bool {
        self.fault().is_some_and(|fault| fault.hang)
    }
}

/// An answer of this status and body.
pub fn answer(status: u16, media_type: &str, body: impl Into<String>) -> Fault {
    let content_type = Some(media_type.to_owned());
    Fault { status: Some(status), body: Some(body.into()), content_type, ..Fault::default() }
}

/// What goes wrong with every call.
pub fn common(format: Format) -> Vec<Case> {
    let status = |status: u16| Fault {
        headers: BTreeMap::from([("www-authenticate".to_owned(), format!("Bearer error=\"{MARKER}\""))]),
        ..answer(status, format.media_type(), format.error())
    };
    let quiet = |code: u16| {
        let mut fault = status(code);
        fault.headers.insert("retry-after".to_owned(), LEFT_ALONE.to_string());
        fault
    };
    let ok = |media_type: &str, body: &str| answer(200, media_type, body);
    let page = format!("<!DOCTYPE html><html><head><title>Sign in</title></head><body>{MARKER}</body></html>");
    let elsewhere = Fault {
        headers: BTreeMap::from([("location".to_owned(), format!("https://login.example.com/?{MARKER}"))]),
        ..ok("text/html", "")
    };
    let yesterday = BTreeMap::from([("date".to_owned(), DATE_OF_YESTERDAY.to_owned())]);
    vec![
        // The longest first: the others go on beside it.
        Case::bad("no answer for 30 s", Fault { hang: true, ..Fault::default() }),
        Case { name: "no fault".to_owned(), upset: Upset::None, harmless: true },
        Case::harmless("slow body: 2 s", Fault { drip_ms: Some(200), ..Fault::default() }),
        Case::harmless("header `Date` days off", Fault { headers: yesterday, ..Fault::default() }),
        Case::bad("302 to a sign-in page", Fault { status: Some(302), ..elsewhere }),
        Case::bad("400", status(400)),
        Case::bad("401", status(401)),
        Case::bad("403", status(403)),
        Case::bad("404", status(404)),
        Case::bad("409", status(409)),
        Case::bad("429", status(429)),
        Case::bad("429 with `Retry-After`", quiet(429)),
        Case::bad("500", status(500)),
        Case::bad("503", status(503)),
        Case::bad("503 with `Retry-After`", quiet(503)),
        Case::bad("connection reset", Fault { reset: true, ..Fault::default() }),
        Case::bad("connection lost in the body", Fault { truncate: Some(20), ..Fault::default() }),
        Case::bad("200 with a web page (HTML)", ok("text/html; charset=utf-8", &page)),
        Case::bad("200 with plain text", ok("text/plain", &format!("Service {MARKER}"))),
        Case::bad("200 with an empty body", ok(format.media_type(), "")),
        Case::bad("200 with a body of more than 8 MiB", ok(format.media_type(), &" ".repeat(HUGE))),
    ]
}
