//! What was found for one requirement, and whether it counts. [pure]

use super::profiles::Requirement;
use super::rules::Verdict;
use crate::api::policy::FindingResult;

/// What was found for one requirement.
pub struct Finding {
    /// The requirement.
    pub requirement: Requirement,
    /// What was found: steps are decided by this.
    pub verdict: Verdict,
    /// The same with what somebody answers for: readiness is decided by this.
    pub waived: Verdict,
    /// Whether it counts now: some Connector of its profile is in a stage that it belongs to.
    pub counts: bool,
    /// Which environments its waiver names in vain: the end of a sentence.
    pub in_vain: Option<String>,
}

impl Finding {
    /// The worst result over all selected environments, with waivers.
    #[must_use]
    pub fn result(&self) -> FindingResult {
        self.waived.result(|_| true)
    }

    /// The worst that was really found: a waiver changes nothing about it.
    #[must_use]
    pub fn found(&self) -> FindingResult {
        self.verdict.result(|_| true)
    }
}
