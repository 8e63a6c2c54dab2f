//! One write at the vendor: what, why, and whether it may be done now. [pure]

use crate::runtime::Allowed;
use crate::vendors::Write;

/// One write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What.
    pub write: Write,
    /// Why: the beginning of a sentence.
    pub reason: String,
    /// Whether it may be done now.
    pub allowed: Allowed,
}
