//! What a status says of the authorization: how long it has lasted, and how long it will. [pure]

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::attested::{Attested, Void};
use super::reauthentication::Judged;
use super::resolve::Resolved;
use crate::api::connector::{
    AttestationStatus, AuthorizationState, AuthorizationStatus, ReauthenticationState, ReauthenticationStatus,
};
use crate::api::{Connector, ConnectorStatus, Happened};
use crate::runtime::conditions::whole_seconds;
use crate::runtime::{Conditions, Note};

/// When somebody last signed in, and when somebody has to do it again.
pub fn with_time(authorization: AuthorizationStatus, judged: &Judged) -> AuthorizationStatus {
    let date = |time: Timestamp| time.strftime("%Y-%m-%d").to_string();
    AuthorizationStatus {
        authorized_time: judged.authorized.map(whole_seconds),
        // The earlier of two: what was attested may end sooner.
        due_date: authorization.due_date.into_iter().chain(judged.due.map(date)).min(),
        ..authorization
    }
}

/// An Event for a reauthentication that was asked for, begun, or seen to be done.
pub fn reauthenticated(judged: &Judged, old: Option<&ReauthenticationStatus>, label: &str) -> Option<Note> {
    if judged.completed.is_some() {
        let sentence = format!("Somebody has signed in again, and {label} was seen to work since");
        return Some(Note::normal(Happened::Reauthenticated, "Reauthenticate", sentence));
    }
    let request = judged.request.as_ref()?;
    let news = old.is_none_or(|old| old.state != request.state || old.message != request.message);
    match (&request.message, request.state) {
        _ if !news => None,
        (Some(message), _) => {
            Some(Note::warning(Happened::ReauthenticationHindered, "Reauthenticate", message.clone()))
        }
        // The hand-off says it.
        (None, ReauthenticationState::Requested) => None,
        (None, ReauthenticationState::Begun) => {
            Some(Note::normal(Happened::ReauthenticationBegun, "Reauthenticate", "Somebody has begun to sign in again"))
        }
        (None, ReauthenticationState::AwaitingEvidence) => {
            let sentence = format!("Somebody says that it is done; {label} has to show it");
            Some(Note::normal(Happened::AwaitingEvidence, "Reauthenticate", sentence))
        }
    }
}

/// The profile that the vendor signs in as: the one that is asked for, once it works and does not have to be moved to that.
pub fn with_profile(authorization: AuthorizationStatus, resolved: &Resolved, now: &Time) -> AuthorizationStatus {
    let answer = resolved.policy.as_ref().and_then(|policy| policy.answer.as_ref());
    let works = matches!(authorization.state, AuthorizationState::Granted | AuthorizationState::Expiring);
    let works = works && !resolved.moving;
    match answer.filter(|answer| works && authorization.profile.as_ref() != Some(&answer.profile)) {
        Some(answer) => {
            let (profile, profile_time) = (Some(answer.profile.clone()), Some(now.clone()));
            AuthorizationStatus { profile, profile_time, ..authorization }
        }
        None => authorization,
    }
}

/// How long until something about it changes by itself.
pub fn ahead(connector: &Connector, resolved: &Resolved, now: Timestamp) -> Option<Duration> {
    let due = resolved.reauthentication.due;
    let remind = connector.spec.reauthentication.as_ref().map(|spec| i64::from(spec.remind_days));
    let days = |days: i64| SignedDuration::from_hours(24 * days);
    let reminded = due.zip(remind).and_then(|(due, before)| due.checked_sub(days(before)).ok());
    let times = [due, reminded, resolved.restores_until].into_iter().flatten().filter(|time| *time > now);
    let left = |time: Timestamp| Duration::try_from(time.duration_since(now)).unwrap_or_default();
    times.map(|time| left(time) + Duration::from_secs(1)).min()
}

/// Whether it works, and since when.
pub fn authorization(
    state: AuthorizationState,
    attested: Option<&Attested>,
    old: &ConnectorStatus,
    conditions: &Conditions<'_>,
) -> AuthorizationStatus {
    let before = old.authorization.as_ref();
    let unchanged = before.filter(|old| old.state == state);
    let last_transition_time = unchanged.map_or_else(|| conditions.now(), |old| old.last_transition_time.clone());
    let (profile, profile_time) =
        before.map(|before| (before.profile.clone(), before.profile_time.clone())).unwrap_or_default();
    let authorized_time = before.and_then(|before| before.authorized_time.clone());
    let Some(Attested { said, void }) = attested else {
        // What could not be looked at now is not forgotten for that.
        let attestation = before.and_then(|before| before.attestation.clone());
        let due_date = None;
        return AuthorizationStatus {
            state,
            last_transition_time,
            profile,
            profile_time,
            authorized_time,
            due_date,
            attestation,
        };
    };
    let change = if let Some(Void::Changed(change)) = void { Some(change.clone()) } else { None };
    AuthorizationStatus {
        state,
        // A newer attestation is a newer authorization, though nothing looks different.
        last_transition_time: if void.is_none() { whole_seconds(said.time) } else { last_transition_time },
        profile,
        profile_time,
        authorized_time,
        due_date: void.is_none().then(|| said.until.strftime("%Y-%m-%d").to_string()),
        attestation: Some(AttestationStatus { time: whole_seconds(said.time), void: change }),
    }
}
