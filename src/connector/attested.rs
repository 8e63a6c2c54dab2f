//! Whether what a person attested still counts: until it is too old, or what it rests on is seen to have changed since. [pure]

use std::time::Duration;

use jiff::Timestamp;

use super::observed::PolicySeen;
use crate::api::connector::AttestationStatus;
use crate::api::policy::Stage;
use crate::api::{Connector, Reason};
use crate::runtime::Problem;
use crate::runtime::conditions::whole_seconds;
use crate::vendors::Attestation;

/// An attestation, and whether it counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attested {
    /// What was said.
    pub said: Attestation,
    /// Why it no longer counts, if so.
    pub void: Option<Void>,
}

/// Why an attestation no longer counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Void {
    /// It is too old.
    Ended,
    /// Something was seen to have changed since: what. It stays so, even when that is mended: nobody knows what became of the
    /// connection meanwhile.
    Changed(String),
}

/// Clocks may differ by this much.
const SKEW: Duration = Duration::from_mins(5);

/// Judges an attestation.
///
/// # Errors
/// It lies in the future: nobody can have done it yet.
pub fn judge(
    connector: &Connector,
    said: &Attestation,
    policy: Option<&PolicySeen>,
    now: Timestamp,
) -> Result<Attested, Problem> {
    not_of_tomorrow(said.time, now)?;
    let old = connector.status.as_ref().and_then(|status| status.authorization.as_ref());
    let old = old.and_then(|old| old.attestation.as_ref()).filter(|old| old.time == whole_seconds(said.time));
    let void = match old.and_then(|AttestationStatus { void, .. }| void.clone()).or_else(|| changed(said, policy)) {
        Some(change) => Some(Void::Changed(change)),
        None => (said.until <= now).then_some(Void::Ended),
    };
    Ok(Attested { said: said.clone(), void })
}

/// Nobody can have done anything tomorrow.
///
/// # Errors
/// The time lies in the future.
pub fn not_of_tomorrow(time: Timestamp, now: Timestamp) -> Result<(), Problem> {
    if time > now && time.duration_since(now).unsigned_abs() > SKEW {
        let message = "The newest entry of attestations lies in the future: give the time when it was done, in UTC";
        return Err(Problem::wrong("Authorized", Reason::InvalidSpec, message));
    }
    Ok(())
}

/// What the attestation rests on and was seen to have changed since.
fn changed(said: &Attestation, policy: Option<&PolicySeen>) -> Option<String> {
    let policy = policy?;
    // By the time itself: what the finding says may be about another attestation.
    if policy.password_changed.is_some_and(|changed| changed > said.time) {
        return Some("the account's password was changed".to_owned());
    }
    policy.answer.as_ref().filter(|answer| matches!(answer.stage, Stage::Steady | Stage::Restore))?;
    let since = policy.failing.iter().find(|failing| failing.name != "password-kept" && failing.since > said.time)?;
    Some(since.message.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::policy::DemandStatus;
    use crate::connector::observed::Failing;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn connector(old: &serde_json::Value) -> Connector {
        serde_json::from_value(serde_json::json!({
            "apiVersion": "backstay.dev/v1alpha1", "kind": "Connector", "metadata": { "name": "c" },
            "spec": { "vendor": { "fluentPro": {} }, "policyRef": { "name": "p" } },
            "status": { "authorization": old },
        }))
        .unwrap()
    }

    fn policy(stage: Stage, failing: &[(&str, i64)]) -> PolicySeen {
        let answer = DemandStatus {
            connector: "c".into(),
            uid: "u".into(),
            generation: 1,
            profile: "fluentProDataverse".into(),
            stage,
            ready: "False".into(),
            reason: None,
            message: None,
            elevates: None,
            refused: None,
        };
        let failing = failing.iter().map(|(name, since)| Failing {
            name: (*name).into(),
            message: format!("{name} fails"),
            since: at(*since),
        });
        PolicySeen {
            account: None,
            answer: Some(answer),
            profile: None,
            not_ready: None,
            hands_off: false,
            missing: Vec::new(),
            failing: failing.collect(),
            password_changed: None,
            window: None,
        }
    }

    fn void(old: &serde_json::Value, policy: &PolicySeen, now: i64) -> Option<Void> {
        let said = Attestation { by: "jane".into(), time: at(1_000), until: at(2_000) };
        judge(&connector(old), &said, Some(policy), at(now)).unwrap().void
    }

    #[test]
    fn an_attestation_counts_until_its_end_or_until_something_changes() {
        let changed = |name: &str| Some(Void::Changed(format!("{name} fails")));
        let (steady, none) = (Stage::Steady, serde_json::Value::Null);
        assert_eq!(void(&none, &policy(steady, &[]), 1_999), None);
        assert_eq!(void(&none, &policy(steady, &[]), 2_000), Some(Void::Ended));
        assert_eq!(void(&none, &policy(steady, &[("consent", 1_500)]), 1_600), changed("consent"));
        assert_eq!(void(&none, &policy(steady, &[("consent", 900)]), 1_600), None, "it failed before, too");
        let password = |second| PolicySeen { password_changed: Some(at(second)), ..policy(Stage::Setup, &[]) };
        assert!(matches!(void(&none, &password(1_500), 1_600), Some(Void::Changed(_))));
        assert_eq!(void(&none, &password(900), 1_600), None);
        assert_eq!(
            void(&none, &policy(Stage::Setup, &[("consent", 1_500)]), 1_600),
            None,
            "an answer to something else"
        );
    }

    #[test]
    fn what_was_void_stays_void_until_there_is_a_newer_attestation() {
        let old = |time: i64| {
            let attestation = serde_json::json!({ "time": at(time).to_string(), "void": "the password was changed" });
            serde_json::json!({ "state": "Required", "lastTransitionTime": at(0).to_string(), "attestation": attestation })
        };
        let said = Some(Void::Changed("the password was changed".into()));
        assert_eq!(void(&old(1_000), &policy(Stage::Steady, &[]), 1_600), said);
        assert_eq!(void(&old(999), &policy(Stage::Steady, &[]), 1_600), None);
        // Whoever writes fractions of a second attests no other time by that: the status keeps whole ones.
        let time = at(1_000) + Duration::from_millis(700);
        let said = Attestation { by: "jane".into(), time, until: at(2_000) };
        let judged = judge(&connector(&old(1_000)), &said, Some(&policy(Stage::Steady, &[])), at(1_600)).unwrap();
        assert!(judged.void.is_some());
    }

    #[test]
    fn nobody_can_have_done_it_tomorrow() {
        let said = Attestation { by: "jane".into(), time: at(100_000), until: at(200_000) };
        let judged = judge(&connector(&serde_json::Value::Null), &said, None, at(0));
        assert_eq!(judged.unwrap_err().reason, Reason::InvalidSpec);
        assert!(judge(&connector(&serde_json::Value::Null), &said, None, at(99_990)).is_ok(), "clocks differ a little");
    }
}
