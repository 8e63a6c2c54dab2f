//! Which findings somebody answers for, and until when. [pure]

use jiff::Timestamp;

use super::rules::{Judgement, Verdict};
use crate::api::policy::FindingResult;
use crate::api::profiles::Waiver;
use crate::tenant::facts::AccountFacts;

/// The verdict as it counts for readiness: what is waived now is Waived. The verdict itself stays what it is, and steps are
/// decided by that: a waiver never satisfies what a step depends on.
#[must_use]
pub fn applied(verdict: &Verdict, waiver: Option<&Waiver>, now: Timestamp) -> Verdict {
    let Some(waiver) = waiver.filter(|waiver| in_force(waiver, now)) else { return verdict.clone() };
    let until = waiver.expiration_time.as_ref().map(|end| end.0);
    let waive = |judgement: &Judgement| match judgement.result {
        FindingResult::Fail | FindingResult::Warn | FindingResult::Unknown => Judgement {
            result: FindingResult::Waived,
            message: format!("Waived ({}): {}", waiver.reason, super::rules::lower_first(&judgement.message)),
            remedy: judgement.remedy.clone(),
            until,
        },
        FindingResult::Pass | FindingResult::Waived | FindingResult::NotApplicable => judgement.clone(),
    };
    let named = |id: &String| {
        waiver.environments.is_empty() || waiver.environments.iter().any(|it| it.eq_ignore_ascii_case(id))
    };
    match verdict {
        // A waiver for some environments says nothing of what is true of the whole account.
        Verdict::Whole(judgement) if waiver.environments.is_empty() => Verdict::Whole(waive(judgement)),
        Verdict::Whole(judgement) => Verdict::Whole(judgement.clone()),
        Verdict::Environments(each) => Verdict::Environments(
            each.iter()
                .map(|(id, judgement)| {
                    let judgement = if named(id) { waive(judgement) } else { judgement.clone() };
                    (id.clone(), judgement)
                })
                .collect(),
        ),
    }
}

fn in_force(waiver: &Waiver, now: Timestamp) -> bool {
    waiver.expiration_time.as_ref().is_none_or(|end| end.0 > now)
}

/// When the next waiver ends: the policy is looked at then.
#[must_use]
pub fn next_end(waivers: &[Waiver], now: Timestamp) -> Option<Timestamp> {
    waivers.iter().filter_map(|waiver| waiver.expiration_time.as_ref().map(|end| end.0)).filter(|end| *end > now).min()
}

/// Waivers for findings that the policy does not have, each with its number in the list.
#[must_use]
pub fn in_vain<'a>(waivers: &'a [Waiver], findings: &[String]) -> Vec<(usize, &'a Waiver)> {
    waivers.iter().enumerate().filter(|(_, waiver)| !findings.contains(&waiver.finding)).collect()
}

/// Environments of a waiver that nothing is found in: the end of a sentence. Nothing is refused for it, since an environment that
/// was waived may be gone tomorrow.
#[must_use]
pub fn environments_in_vain(waiver: &Waiver, verdict: &Verdict, facts: &AccountFacts) -> Option<String> {
    let all = facts.environments.known()?;
    let is_one = |id: &&String| all.keys().any(|known| known.eq_ignore_ascii_case(id));
    let strange: Vec<&str> = waiver.environments.iter().filter(|id| !is_one(id)).map(String::as_str).collect();
    match (verdict, strange.as_slice()) {
        (_, []) if waiver.environments.is_empty() => None,
        (Verdict::Whole(judgement), _) if judgement.result != FindingResult::NotApplicable => {
            Some("its waiver names environments, and so says nothing of a finding about the whole account".to_owned())
        }
        (_, []) => None,
        (_, strange) => {
            Some(format!("its waiver names {}, which is no environment of this policy", strange.join(", ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::policy::FindingResult::{Fail, Pass, Unknown, Waived};
    use crate::policy::rules::environment_for_tests;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn waiver(environments: &[&str], end: Option<i64>) -> Waiver {
        Waiver {
            finding: "custom/a".into(),
            environments: environments.iter().map(|id| (*id).to_owned()).collect(),
            reason: "ticket 7".into(),
            expiration_time: end.map(|end| Time(at(end))),
        }
    }

    fn result(verdict: &Verdict, waiver: &Waiver, now: i64) -> FindingResult {
        applied(verdict, Some(waiver), at(now)).result(|_| true)
    }

    #[test]
    fn a_waiver_covers_what_is_wrong_until_it_ends_and_not_a_second_longer() {
        let failed = Verdict::Whole(Judgement::fail("It is wrong", "mend it"));
        assert_eq!(result(&failed, &waiver(&[], Some(10)), 9), Waived);
        assert_eq!(result(&failed, &waiver(&[], Some(10)), 10), Fail);
        assert_eq!(result(&failed, &waiver(&[], None), 9_999), Waived);
        let passed = Verdict::Whole(Judgement::pass("It is fine"));
        assert_eq!(result(&passed, &waiver(&[], None), 0), Pass);
        let waivers = [waiver(&[], Some(10)), waiver(&[], Some(5)), waiver(&[], None)];
        assert_eq!(next_end(&waivers, at(4)), Some(at(5)));
        assert_eq!(next_end(&waivers, at(5)), Some(at(10)));
        assert_eq!(next_end(&waivers, at(10)), None);
    }

    #[test]
    fn a_waiver_for_some_environments_leaves_the_others_alone() {
        let fault = crate::fault::Fault::new(crate::fault::Kind::PermissionMissing, "No");
        let each = Verdict::Environments(
            [("a".to_owned(), Judgement::fail("No", "x")), ("b".to_owned(), Judgement::unknown(&fault))].into(),
        );
        assert_eq!(result(&each, &waiver(&["A"], None), 0), Unknown);
        assert_eq!(result(&each, &waiver(&["b"], None), 0), Fail);
        assert_eq!(result(&each, &waiver(&["a", "b"], None), 0), Waived);
        let whole = Verdict::Whole(Judgement::fail("No", "x"));
        assert_eq!(result(&whole, &waiver(&["a"], None), 0), Fail);
    }

    #[test]
    fn an_environment_that_a_waiver_names_in_vain_is_told() {
        let (mut facts, environment) = (crate::policy::rules::facts_for_tests(), environment_for_tests());
        let access = crate::seen::Seen::Known(crate::tenant::facts::Access { row: None, tables: [].into() });
        facts.environments = crate::seen::Seen::Known([("e".to_owned(), (environment, access))].into());
        let each = Verdict::Environments([("e".to_owned(), Judgement::fail("No", "x"))].into());
        let whole = Verdict::Whole(Judgement::fail("No", "x"));
        let told = |names: &[&str], verdict: &Verdict| environments_in_vain(&waiver(names, None), verdict, &facts);
        assert_eq!(told(&[], &each), None);
        assert_eq!(told(&["E"], &each), None);
        assert!(told(&["e", "gone"], &each).is_some_and(|told| told.contains("names gone,")));
        assert!(told(&["e"], &whole).is_some_and(|told| told.contains("the whole account")));
        assert_eq!(told(&[], &whole), None);
    }
}
