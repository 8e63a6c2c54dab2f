//! What only a person can do, written so that the person can.

/// A piece of work for a person. When it was asked for, and whether it is still open, is the status's matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandOff {
    /// Stable name, unique within the object. Example: `create-connector`.
    pub name: &'static str,
    /// One line that says what is to be done.
    pub title: String,
    /// The role that the person needs.
    pub who: &'static str,
    /// The steps, in order.
    pub steps: Vec<String>,
    /// Where to begin, in a browser.
    pub url: Option<String>,
    /// The day by which it has to be done, if there is one. Example: `2027-02-18`.
    pub due_date: Option<String>,
    /// How the operator notices that it is done.
    pub done_when: String,
}
