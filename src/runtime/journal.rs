//! What the log says about an object: what its new status says otherwise than the last one. [pure]
//!
//! Once for each change, not for each pass; the sentences are those of the status, which hold no secret and no body.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::conditions::find;
use crate::api::Reason;
use crate::api::policy::{FindingResult, FindingStatus};

/// What a status says that the log tells.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    /// The conditions.
    pub conditions: &'a [Condition],
    /// The findings; empty for kinds that have none.
    pub findings: &'a [FindingStatus],
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    /// Whether somebody should look.
    pub trouble: bool,
    /// What is said of it. Example: `False AwaitingPerson`.
    pub state: String,
    /// Why.
    pub sentence: String,
    /// Of which conditions or findings.
    pub what: Vec<String>,
}

/// What changed; `None`: there was no status before.
#[must_use]
pub fn changes(old: Option<Said<'_>>, new: Said<'_>) -> Vec<Line> {
    // What many findings or conditions say in the same words is one line.
    let mut lines: BTreeMap<(bool, String, &str), Vec<String>> = BTreeMap::new();
    let reason = |all| find(all, "Ready").map(|ready| ready.reason.as_str());
    let (ready, ready_before) = (reason(new.conditions), old.and_then(|old| reason(old.conditions)));
    for condition in new.conditions {
        let before = old.and_then(|old| find(old.conditions, &condition.type_));
        let same = before.is_some_and(|before| {
            (&before.status, &before.reason, &before.message)
                == (&condition.status, &condition.reason, &condition.message)
        });
        // Reconciling and Stalled, and what can't be told for the same reason, only repeat what Ready says: when it
        // begins, and when it is over.
        let only_repeats = matches!(condition.type_.as_str(), "Reconciling" | "Stalled");
        let repeats = Some(condition.reason.as_str()) == ready;
        let repeated = before.is_none_or(|before| Some(before.reason.as_str()) == ready_before);
        let unremarkable = repeats || repeated && !trouble(condition);
        if same || only_repeats || condition.type_ != "Ready" && unremarkable {
            continue;
        }
        let state = format!("{} {}", condition.status, condition.reason);
        lines.entry((trouble(condition), state, &condition.message)).or_default().push(condition.type_.clone());
    }
    let unknown = |finding: &FindingStatus| finding.result == FindingResult::Unknown;
    for finding in new.findings {
        let before = old.is_some_and(|old| old.findings.iter().any(|old| old.id == finding.id && unknown(old)));
        // How many environments a sentence speaks of changes from pass to pass: that it can't be told is what counts.
        if before != unknown(finding) {
            let state = format!("{:?}", finding.result);
            lines.entry((unknown(finding), state, &finding.message)).or_default().push(finding.id.clone());
        }
    }
    lines
        .into_iter()
        .rev()
        .map(|((trouble, state, sentence), what)| Line { trouble, state, sentence: sentence.to_owned(), what })
        .collect()
}

/// Whether it is more than the operator at its work, or told to rest.
fn trouble(condition: &Condition) -> bool {
    let at_work = [Reason::Pending, Reason::Acting, Reason::Propagating, Reason::Suspended, Reason::NotElevated];
    condition.status != "True" && !at_work.iter().any(|reason| reason.word() == condition.reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::Conditions;
    use crate::runtime::conditions::State;

    fn conditions(all: &[(&'static str, State, Reason, &str)]) -> Vec<Condition> {
        let mut conditions = Conditions::new(&[], 1, jiff::Timestamp::UNIX_EPOCH);
        for (kind, state, reason, message) in all {
            conditions.set(kind, *state, *reason, *message);
        }
        conditions.finish()
    }

    fn finding(id: &str, result: FindingResult, message: &str) -> FindingStatus {
        let rest = serde_json::json!({
            "id": id, "stages": [], "result": result, "message": message, "lastTransitionTime": "2026-11-20T01:00:00Z",
        });
        serde_json::from_value(rest).unwrap()
    }

    fn lines(old: Option<Said<'_>>, new: Said<'_>) -> Vec<(bool, String)> {
        changes(old, new)
            .into_iter()
            .map(|line| (line.trouble, format!("{}: {}", line.what.join("+"), line.state)))
            .collect()
    }

    #[test]
    fn an_outage_is_one_line_when_it_begins_and_when_it_is_over_and_none_between() {
        let fine = conditions(&[
            ("Ready", State::True, Reason::Current, "a"),
            ("CredentialsValid", State::True, Reason::Accepted, "b"),
            ("Provisioned", State::True, Reason::Adopted, "c"),
        ]);
        let out = conditions(&[
            ("Ready", State::Unknown, Reason::Unreachable, "Keepit did not answer"),
            ("CredentialsValid", State::Unknown, Reason::Unreachable, "d"),
            ("Provisioned", State::Unknown, Reason::Unreachable, "d"),
        ]);
        let said = |conditions| Said { conditions, findings: &[] };
        assert_eq!(lines(None, said(&fine)), [(false, "Ready: True Current".to_owned())]);
        assert_eq!(lines(Some(said(&fine)), said(&out)), [(true, "Ready: Unknown Unreachable".to_owned())]);
        assert_eq!(lines(Some(said(&out)), said(&out)), []);
        assert_eq!(lines(Some(said(&out)), said(&fine)), [(false, "Ready: True Current".to_owned())]);
    }

    #[test]
    fn a_refused_read_names_what_can_not_be_told_and_a_sentence_that_counts_is_no_news() {
        let ready = conditions(&[("Ready", State::Unknown, Reason::NotObservable, "a")]);
        let said = |findings| Said { conditions: &ready, findings };
        let fine = [finding("x", FindingResult::Pass, ""), finding("y", FindingResult::Fail, "")];
        let refused = [finding("x", FindingResult::Unknown, "no"), finding("y", FindingResult::Unknown, "no")];
        assert_eq!(lines(Some(said(&fine)), said(&refused)), [(true, "x+y: Unknown".to_owned())]);
        let more = [finding("x", FindingResult::Unknown, "In 3: no"), finding("y", FindingResult::Unknown, "In 3: no")];
        assert_eq!(lines(Some(said(&refused)), said(&more)), []);
        let over = [(false, "x: Pass".to_owned()), (false, "y: Fail".to_owned())];
        let mut told = lines(Some(said(&more)), said(&fine));
        told.sort();
        assert_eq!(told, over);
    }
}
