//! How what was found is put into words: one sentence for many environments, and one for many findings. [pure]

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::finding::Finding;
use super::rules::{Judgement, Verdict, lower_first, severity};
use crate::api::policy::{FindingEnvironments, FindingResult};
use crate::api::shared::MOST_SAMPLES;

/// A hand-off lists so many steps: a status has to stay small.
pub const MOST: usize = 20;
/// So many environments are named within a sentence.
const MOST_NAMED: usize = 3;
/// So many findings are said within a sentence.
const MOST_SAID: usize = 2;
/// Two sentences that are longer together than this are not read: then it is one.
const LONG: usize = 140;

/// Several findings in one sentence: the first two, and how many more there are.
pub fn several(findings: &[&Finding], names: &BTreeMap<String, String>) -> String {
    let sentence = |finding: &&Finding| match &finding.waived {
        Verdict::Whole(judgement) => judgement.message.clone(),
        Verdict::Environments(each) => summed_up(each, names).0,
    };
    // One cause is often found several times.
    let mut said: Vec<String> = Vec::new();
    for sentence in findings.iter().map(sentence) {
        if !said.contains(&sentence) {
            said.push(sentence);
        }
    }
    let long = said.iter().take(MOST_SAID).map(String::len).sum::<usize>() > LONG;
    let shown = if long { 1 } else { MOST_SAID }.min(said.len());
    let more = said.len() - shown;
    let sentence = said[..shown].join("; ");
    if more == 0 { sentence } else { format!("{sentence}; and {more} more (see status.findings of the policy)") }
}

/// Environments that can't be judged, by why; a few of them by name.
fn left_out<'a>(
    each: &'a BTreeMap<String, Judgement>,
    names: &'a BTreeMap<String, String>,
) -> BTreeMap<&'a str, Vec<&'a str>> {
    let mut left_out: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (id, judgement) in each.iter().filter(|(_, judgement)| judgement.result == FindingResult::NotApplicable) {
        left_out.entry(&judgement.message).or_default().push(names.get(id).unwrap_or(id));
    }
    for names in left_out.values_mut() {
        if names.len() > MOST_NAMED {
            names.truncate(MOST_NAMED);
            names.push("others");
        }
    }
    left_out
}

/// When the first of what makes the result ends by itself.
pub fn ends(verdict: &Verdict, result: FindingResult) -> Option<Timestamp> {
    match verdict {
        Verdict::Whole(judgement) => judgement.until,
        Verdict::Environments(each) => {
            each.values().filter(|judgement| judgement.result == result).filter_map(|judgement| judgement.until).min()
        }
    }
}

/// Many environments in one sentence: the worst result, what it is most often, and where.
pub fn summed_up(
    each: &BTreeMap<String, Judgement>,
    names: &BTreeMap<String, String>,
) -> (String, Option<String>, Option<FindingEnvironments>) {
    let Some(worst) = each.values().map(|judgement| judgement.result).max_by_key(|result| severity(*result)) else {
        return ("No environment is selected".to_owned(), None, None);
    };
    let of_worst = || each.iter().filter(|(_, judgement)| judgement.result == worst);
    if worst == FindingResult::NotApplicable {
        return (
            format!("Can't be judged yet: {}", lower_first(each.values().next().map_or("", |it| &it.message))),
            None,
            None,
        );
    }
    if worst == FindingResult::Pass {
        let mut message = format!("Holds in {} of {} environments", of_worst().count(), each.len());
        let left_out: BTreeMap<&str, Vec<&str>> = left_out(each, names);
        for (why, names) in left_out {
            message = format!("{message}; not judged in {}: {}", names.join(", "), lower_first(why));
        }
        return (message, None, None);
    }
    let mut sentences: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, judgement) in of_worst() {
        *sentences.entry(&judgement.message).or_default() += 1;
    }
    let commonest =
        sentences.iter().max_by_key(|(_, times)| **times).map(|(sentence, _)| *sentence).unwrap_or_default();
    let remedy = of_worst()
        .find(|(_, judgement)| judgement.message == commonest)
        .and_then(|(_, judgement)| judgement.remedy.clone());
    let sample = of_worst().take(MOST_SAMPLES).map(|(id, _)| names.get(id).unwrap_or(id).clone()).collect();
    let failing = i32::try_from(of_worst().count()).unwrap_or(i32::MAX);
    let message = format!("In {failing} of {} environments: {}", each.len(), lower_first(commonest));
    (message, remedy, Some(FindingEnvironments { failing, sample }))
}
