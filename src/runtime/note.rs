//! What is told of a thing that has happened, before it is an Event. [pure]

use crate::api::Happened;

/// Something that happened: becomes an Event. The same must be said whenever the same happens: then it is counted on, and
/// another sentence is another Event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Whether somebody should look.
    pub warning: bool,
    /// One word: what happened.
    pub reason: String,
    /// One word: what was being done.
    pub action: &'static str,
    /// What it was done to, outside the cluster: a kind of thing and its name. `None`: the object itself.
    pub related: Option<(&'static str, String)>,
    /// One sentence.
    pub sentence: String,
}

/// What is being done when Ready says something else than before.
pub const CHECK: &str = "Check";

impl Note {
    /// All is well.
    pub fn normal(happened: Happened, action: &'static str, sentence: impl Into<String>) -> Self {
        let reason = happened.to_string();
        Self { warning: false, reason, action, related: None, sentence: sentence.into() }
    }

    /// Somebody should look.
    pub fn warning(happened: Happened, action: &'static str, sentence: impl Into<String>) -> Self {
        Self { warning: true, ..Self::normal(happened, action, sentence) }
    }

    /// Ready says something else, for this reason.
    #[must_use]
    pub fn ready(fine: bool, reason: &str, sentence: String) -> Self {
        Self { warning: !fine, reason: reason.to_owned(), action: CHECK, related: None, sentence }
    }

    /// The same, about a thing outside the cluster.
    #[must_use]
    pub fn about(mut self, kind: &'static str, name: impl Into<String>) -> Self {
        self.related = Some((kind, name.into()));
        self
    }
}
