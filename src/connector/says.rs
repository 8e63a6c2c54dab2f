//! What each condition of a Connector says, before it is written. [pure]

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::attested::{Attested, Void};
use super::observed::PolicySeen;
use super::resolve::Resolved;
use crate::api::connector::{
    AuthorizationState, BackupResult, DriftStatus, LastBackupStatus, ReauthenticationCause, ReauthenticationState,
    ReauthenticationStatus,
};
use crate::api::policy::Stage;
use crate::api::shared::{span, spelled};
use crate::api::{Connector, Reason};
use crate::fault::Fault;
use crate::runtime::Problem;
use crate::runtime::conditions::{State, whole_seconds};
use crate::seen::Seen;
use crate::vendors::{Authorization, Backup, VendorConnector, listed};

/// What one condition says.
#[derive(Clone, Debug, PartialEq)]
pub struct Says(pub State, pub Reason, pub String);

/// Whether there is such a connector.
pub fn provisioned(resolved: &Resolved, lost: bool, hindered: Option<&str>, label: &str) -> Says {
    match &resolved.found {
        None if resolved.creates => {
            let (reason, but) = match hindered {
                None => (Reason::Acting, "it is being created".to_owned()),
                Some(hindered) => (Reason::Pending, format!("it is to be created, but {hindered}")),
            };
            Says(State::False, reason, format!("{label} has no such connector yet; {but}"))
        }
        None if lost => {
            let message = format!("{label} no longer shows the connector that was adopted");
            Says(State::False, Reason::NotFound, message)
        }
        None if !resolved.missing.is_empty() => {
            let message = format!(
                "{label} shows no backup job of {}: not scanned yet, or called otherwise there",
                listed(&resolved.missing)
            );
            Says(State::False, Reason::NotFound, message)
        }
        None => Says(State::False, Reason::NotFound, format!("{label} has no such connector yet")),
        Some(found) if found.deleting => {
            Says(State::False, Reason::Deleting, format!("The connector is scheduled for deletion at {label}"))
        }
        Some(found) if !found.accessible => Says(
            State::False,
            Reason::NotAccessible,
            "The credential's user may not look into the connector".to_owned(),
        ),
        Some(found) if matches!(found.authorization, Seen::Known(Authorization::Attested(_))) => {
            let message = format!("A person has attested it; {label} shows nothing of it to a program");
            Says(State::True, Reason::Attested, message)
        }
        Some(_) if !resolved.missing.is_empty() => {
            let message = format!("{label} has shown no backup job yet of {}", listed(&resolved.missing));
            Says(State::False, Reason::NotFound, message)
        }
        Some(found) if found.organizations.iter().any(|it| it.last_job.is_none()) => {
            let silent = found.last_backup.fault().map_or_else(String::new, |fault| fault.sentence.clone());
            Says(State::Unknown, Reason::NotObservable, silent)
        }
        Some(found) if !found.organizations.is_empty() => {
            let message = format!("{label} shows backup jobs of every organization that is declared");
            Says(State::True, Reason::Adopted, message)
        }
        Some(_) => Says(State::True, Reason::Adopted, format!("Found at {label} and adopted")),
    }
}

/// Whether what is declared is so at the vendor.
pub fn in_sync(drift: &[DriftStatus], hindered: Option<&str>, unseen: Option<&Fault>, label: &str) -> Says {
    let differs = |it: &DriftStatus| format!("{} is {} and not {}", it.field, it.observed, it.desired);
    match drift {
        [] if unseen.is_some() => {
            let why = unseen.map(|fault| fault.sentence.clone()).unwrap_or_default();
            Says(State::Unknown, Reason::NotObservable, why)
        }
        [] => Says(State::True, Reason::InSync, format!("Everything that is declared is so at {label}")),
        all => {
            let each = all.iter().map(differs).collect::<Vec<_>>().join("; ");
            let but = hindered.map(|hindered| format!("; {hindered}")).unwrap_or_default();
            Says(State::False, Reason::Drifted, format!("At {label}, {each}{but}"))
        }
    }
}

/// Whether the vendor may still act for the service account.
pub fn authorized(resolved: &Resolved, lost: bool, label: &str) -> (AuthorizationState, Says) {
    let required = |message| (AuthorizationState::Required, Says(State::False, Reason::AuthorizationRequired, message));
    let unknown = |message| (AuthorizationState::Unknown, Says(State::Unknown, Reason::NotObservable, message));
    match &resolved.found {
        None if lost => {
            required("Nobody has signed in for a connector that takes the place of the one that was adopted".to_owned())
        }
        None if !resolved.missing.is_empty() => required(format!("{label} was never seen to back up what is declared")),
        None if resolved.creates => {
            let message = "It is to be created with a connection that works already: nobody has to sign in".to_owned();
            (AuthorizationState::Granted, Says(State::True, Reason::Granted, message))
        }
        None => required("Nobody has signed in for the connector yet".to_owned()),
        Some(found) if found.deleting || !found.accessible => {
            unknown("Can't be told while the connector is not accessible".to_owned())
        }
        Some(found) => match &found.authorization {
            Seen::Known(Authorization::Attested(_)) => attested(resolved.attested.as_ref(), label),
            Seen::Known(Authorization::Granted) => works(resolved.reauthentication.request.as_ref(), label),
            Seen::Known(Authorization::Required) if awaits_evidence(resolved) => {
                let message = format!("Somebody has signed in again, as they say; {label} does not show it yet");
                (AuthorizationState::Required, Says(State::False, Reason::AwaitingEvidence, message))
            }
            Seen::Known(Authorization::Required) => required(format!("{label} says that the authorization is dead")),
            Seen::Known(Authorization::Doubted) => {
                unknown(format!("Every backup of late has failed, and {label} shows no program why"))
            }
            Seen::Known(Authorization::NoEvidence) => {
                unknown(format!("Nothing that {label} shows proves yet that the authorization works"))
            }
            Seen::Unknown(fault) => (AuthorizationState::Unknown, unseen(fault)),
        },
    }
}

/// It works; what is said of it beside that.
fn works(request: Option<&ReauthenticationStatus>, label: &str) -> (AuthorizationState, Says) {
    let Some(request) = request else {
        let message = format!("{label} works with the authorization");
        return (AuthorizationState::Granted, Says(State::True, Reason::Granted, message));
    };
    if request.state == ReauthenticationState::AwaitingEvidence {
        let message =
            format!("Somebody says that they have signed in again; a backup that {label} takes from now on shows it");
        return (AuthorizationState::Expiring, Says(State::True, Reason::AwaitingEvidence, message));
    }
    let causes: Vec<&str> = request.causes.iter().map(|cause| because(*cause)).collect();
    let message =
        format!("{label} works with the authorization, and somebody has to sign in again: {}", causes.join("; "));
    (AuthorizationState::Expiring, Says(State::True, Reason::ReauthenticationRequested, message))
}

/// A cause, in words.
fn because(cause: ReauthenticationCause) -> &'static str {
    match cause {
        ReauthenticationCause::Dead => "it was dead",
        ReauthenticationCause::Due => "spec.reauthentication says that it is time",
        ReauthenticationCause::Asked => "somebody asks for it (backstay.dev/reauthenticate)",
        ReauthenticationCause::PasswordChanged => "the account's password was changed since",
        ReauthenticationCause::AccountDisabled => "the account was disabled since",
        ReauthenticationCause::ConsentRevoked => "what was consented to was taken back since",
    }
}

/// Whether somebody says that it was done, and nothing shows it yet.
fn awaits_evidence(resolved: &Resolved) -> bool {
    let request = resolved.reauthentication.request.as_ref();
    request.is_some_and(|request| request.state == ReauthenticationState::AwaitingEvidence)
}

/// Nothing is known of it, for this one reason.
fn unseen(fault: &Fault) -> Says {
    Says(State::Unknown, Problem::reason_of(fault), fault.sentence.clone())
}

/// What a person said in place of the vendor.
fn attested(attested: Option<&Attested>, label: &str) -> (AuthorizationState, Says) {
    let Some(Attested { said, void }) = attested else {
        let message = "Nobody has judged yet whether the attestation counts".to_owned();
        return (AuthorizationState::Unknown, Says(State::Unknown, Reason::Pending, message));
    };
    let message = match void {
        None => {
            let message = format!("{} has attested it; {label} shows nothing of it to a program", said.by);
            return (AuthorizationState::Granted, Says(State::True, Reason::Attested, message));
        }
        Some(Void::Ended) => "The newest attestation is older than attestationDays".to_owned(),
        Some(Void::Changed(change)) => format!("Something has changed since the newest attestation: {change}"),
    };
    (AuthorizationState::Required, Says(State::False, Reason::AttestationVoid, message))
}

/// So far may two clocks be apart.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_hours(1);

/// The last backup, as a status has it.
pub fn last_backup(Backup { latest, complete }: Backup) -> LastBackupStatus {
    let result = if complete == Some(latest) { BackupResult::Complete } else { BackupResult::Partial };
    LastBackupStatus { completion_time: whole_seconds(latest), result, complete_time: complete.map(whole_seconds) }
}

/// The last backup, what is said of it, and how long that stays true.
pub fn backed_up(
    connector: &Connector,
    found: Option<&VendorConnector>,
    lost: bool,
    label: &str,
    now: Timestamp,
) -> (Option<LastBackupStatus>, Says, Option<Duration>) {
    let unknown = |message: &str| (None, Says(State::Unknown, Reason::NotObservable, message.to_owned()), None);
    let Some(found) = found else {
        if lost {
            return unknown("Can't be told: the connector that was adopted is no longer shown");
        }
        return (None, Says(State::False, Reason::NoBackup, "There is no connector yet".to_owned()), None);
    };
    let backup = match &found.last_backup {
        Seen::Unknown(fault) => return (None, unseen(fault), None),
        // Its backups are listed no longer: that is not to say that there are none.
        Seen::Known(None) if found.deleting || !found.accessible => {
            return unknown("Can't be told while the connector is not accessible");
        }
        Seen::Known(None) => {
            let says = Says(State::False, Reason::NoBackup, format!("{label} shows no finished backup yet"));
            return (None, says, None);
        }
        Seen::Known(Some(backup)) => *backup,
    };
    // An age is the difference of two clocks. Where one of them is plainly wrong, a backup could seem young for ever.
    if backup.latest.duration_since(now) > CLOCKS_DIFFER {
        return unknown(&format!("{label} shows a backup of the time to come: its clock or the one here is wrong"));
    }
    let (complete, backup) = (backup.complete, Some(last_backup(backup)));
    // What a restore can rely on is the last one that holds everything.
    let Some(complete) = complete else {
        let message = format!("{label} shows no complete backup yet, only partial ones");
        return (backup, Says(State::False, Reason::NoBackup, message), None);
    };
    let max_age = &connector.spec.backup.max_age;
    let age = Duration::try_from(now.duration_since(complete)).unwrap_or_default();
    if let Some(left) = span(max_age).checked_sub(age) {
        let message = "The last complete backup is younger than spec.backup.maxAge".to_owned();
        (backup, Says(State::True, Reason::Current, message), Some(left + Duration::from_secs(1)))
    } else {
        let message = format!("The last complete backup is older than spec.backup.maxAge ({})", spelled(max_age));
        (backup, Says(State::False, Reason::BackupTooOld, message), None)
    }
}

/// Whether the policy's answer stays until somebody changes a spec: the Connector's, or the policy's.
pub fn for_good(reason: Reason) -> bool {
    let of_the_account = matches!(reason, Reason::AccountNotFound | Reason::AccountChanged);
    of_the_account || matches!(reason, Reason::NoMatchingProfile | Reason::EnvironmentNotFound)
}

/// What the policy answered, if it answered to what is asked now: the stage follows from the authorization, and an answer to
/// another stage is no answer.
pub fn satisfied(connector: &Connector, policy: Option<&PolicySeen>, stage: Option<Stage>) -> Says {
    let Some(policy) = policy else {
        let message =
            format!("ServiceAccountPolicy {} (spec.policyRef.name) is not there", connector.spec.policy_ref.name);
        return Says(State::Unknown, Reason::DependencyMissing, message);
    };
    let name = &connector.spec.policy_ref.name;
    if let Some(reason) = policy.lost_account() {
        let message = format!(
            "ServiceAccountPolicy {name} says {reason} of the account: nobody should sign in as it before that is put right there"
        );
        return Says(State::False, reason, message);
    }
    let Some(stage) = stage else {
        let message = "Nothing is asked of the account while the authorization is unknown".to_owned();
        return Says(State::Unknown, Reason::Pending, message);
    };
    let Some(answer) = policy.answer.as_ref().filter(|answer| answer.stage == stage) else {
        let message = match &policy.not_ready {
            Some(reason) => format!("ServiceAccountPolicy {name} gives no answer: its own Ready says {reason}"),
            None => "The policy has not answered yet".to_owned(),
        };
        return Says(State::Unknown, Reason::Pending, message);
    };
    let message = answer.message.clone().unwrap_or_default();
    let reason = match answer.reason.as_deref() {
        Some("NoMatchingProfile") => Reason::NoMatchingProfile,
        Some("EnvironmentNotFound") => Reason::EnvironmentNotFound,
        // The person's steps are there, not here.
        _ if policy.hands_off => Reason::PolicyAwaitsPerson,
        Some("NotObservable") => Reason::NotObservable,
        _ => Reason::RequirementsNotMet,
    };
    let message = match reason {
        Reason::PolicyAwaitsPerson => format!("{message}; see status.handOffs of ServiceAccountPolicy {name}"),
        _ => message,
    };
    match answer.ready.as_str() {
        "True" => {
            Says(State::True, Reason::Satisfied, "The account holds everything that this stage asks for".to_owned())
        }
        "False" => Says(State::False, reason, message),
        _ => Says(State::Unknown, reason, message),
    }
}
