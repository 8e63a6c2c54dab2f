//! What only a person can do at AvePoint, step by step (seed 004, facts/avepoint-fluentpro.md §3 and §6).

use super::spec::AttestedHandOff;
use crate::handoff::HandOff;
use crate::vendors::declared::Attested;
use crate::vendors::{Attestation, Need, What, after_what_is_missing};

/// The profile of an account that AvePoint signs in as.
pub const SERVICE_ACCOUNT: &str = "avePointServiceAccount";
/// The profile of an app that AvePoint works as.
pub const APP_PROFILE: &str = "avePointAppProfile";

/// The hand-off that people attest.
const MOVE: &str = "move-to-app-profile";
const ADMIN: &str =
    "Administrator of AvePoint Online Services, who is Global Administrator of the tenant for the consent";

/// The hand-off for a need.
pub fn hand_off(need: &Need<'_>) -> HandOff {
    match (need.what, need.profile) {
        (What::Move, _) => moved(need),
        (What::Reauthenticate, Some(APP_PROFILE)) => reauthorize(need),
        (What::Reauthenticate, _) => check_account(need),
        (_, Some(SERVICE_ACCOUNT)) => scan_with_account(need),
        (_, _) => connect_app(need),
    }
}

/// The newest word of a person that this hand-off was done.
pub fn attested(all: &[Attested<AttestedHandOff>], hand_off: &str) -> Option<Attestation> {
    let all = all.iter().filter(|it| hand_off == MOVE && it.hand_off == AttestedHandOff::MoveToAppProfile);
    let newest = all.max_by_key(|it| it.time)?;
    Some(Attestation { by: newest.by.clone(), time: newest.time, until: jiff::Timestamp::MAX })
}

/// The organizations by name; all of them, where nobody says which.
fn organizations(need: &Need<'_>) -> String {
    match need.organizations {
        [] => "the organizations".to_owned(),
        [only] => format!("\"{only}\""),
        [.., _, _, _, _, _] => {
            let first: Vec<String> = need.organizations[..3].iter().map(|name| format!("\"{name}\"")).collect();
            format!("{} and {} more", first.join(", "), need.organizations.len() - 3)
        }
        few => few.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", "),
    }
}

const SCAN: &str = "Cloud Backup for Dynamics 365 > Settings > Scan > Scan settings";

fn scan_with_account(need: &Need<'_>) -> HandOff {
    let (account, which) = (need.account.unwrap_or("the service account"), organizations(need));
    HandOff {
        name: "scan-organizations",
        title: format!("Scan {which} at AvePoint as {account}"),
        who: "Administrator of AvePoint Online Services",
        steps: after_what_is_missing(
            need.missing,
            [
                format!("AvePoint Online Services > Management > Service account: add {account} with its password."),
                format!(
                    "{SCAN}: choose Service account, and in its tenant exactly {account}; what is chosen by itself the first time may be any other."
                ),
                "Choose Scan, and wait until it has ended.".to_owned(),
                format!("See that {which} is protected, and how often; let a first backup run."),
            ],
        ),
        url: None,
        due_date: None,
        done_when: "AvePoint shows a backup job of each of these organizations".to_owned(),
    }
}

fn connect_app(need: &Need<'_>) -> HandOff {
    let which = organizations(need);
    HandOff {
        name: "connect-organizations",
        title: format!("Connect {which} at AvePoint through its app profile"),
        who: ADMIN,
        steps: after_what_is_missing(need.missing, through_app(&which, "enter the address of each environment")),
        url: None,
        due_date: None,
        done_when: "AvePoint shows a backup job of each of these organizations".to_owned(),
    }
}

/// From an app profile to a scan; `how` the organizations come in.
fn through_app(which: &str, how: &str) -> [String; 5] {
    [
        format!("{SCAN}: choose App profile, then add new organization/environment."),
        "Where there is no app profile yet, create it there: Modern for AvePoint's own app, Custom for one of yours with its \
         certificate. Whoever consents is Global Administrator, and System Administrator of each environment."
            .to_owned(),
        "Power Platform admin center: in each environment the app is an application user with the role System Administrator \
         (its App ID is shown on the Scan settings panel)."
            .to_owned(),
        format!("For {which}: {how}, and choose Add."),
        "Choose Scan; see that it is protected, and let a first backup run.".to_owned(),
    ]
}

fn moved(need: &Need<'_>) -> HandOff {
    let which = organizations(need);
    let [panel, profile, user, add, scan] =
        through_app(&which, "select them in the table of organizations that are registered with the service account");
    HandOff {
        name: MOVE,
        title: format!("Move {which} at AvePoint from the service account to the app profile, and attest it"),
        who: ADMIN,
        steps: after_what_is_missing(
            need.missing,
            [
                "AvePoint says nothing of a way back, nor whether old backups stay: ask its support first if either matters."
                    .to_owned(),
                panel,
                profile,
                user,
                add,
                scan,
                format!(
                    "Say so in spec.vendor.avePoint.attestations of this Connector: {{ handOff: {MOVE}, time: <now, in UTC>, by: <you> }}"
                ),
            ],
        ),
        url: None,
        due_date: None,
        done_when: format!("spec.vendor.avePoint.attestations has an entry {MOVE}, newer than status.authorization.profileTime"),
    }
}

/// Where the cause is only guessed, it is looked for first.
fn look_first(need: &Need<'_>) -> String {
    if need.dead {
        "Look into the failed jobs at AvePoint: they may say another reason.".to_owned()
    } else {
        "The backups work as they are: what follows renews the authorization.".to_owned()
    }
}

fn reauthorize(need: &Need<'_>) -> HandOff {
    let of = organizations(need);
    HandOff {
        name: "reauthorize",
        title: if need.dead {
            format!("Every backup of {of} fails at AvePoint: re-authorize the app profile, if that is why")
        } else {
            format!("Re-authorize the app profile at AvePoint for {of}")
        },
        who: ADMIN,
        steps: after_what_is_missing(
            need.missing,
            [
                look_first(need),
                "AvePoint Online Services > Management > App management: is the profile Invalid? Then choose Re-authorize, and \
                 consent as Global Administrator who is System Administrator of the environments, too."
                    .to_owned(),
                "A profile of the Custom mode: bring a new certificate pair with it.".to_owned(),
                "Wait up to an hour for new permissions to arrive.".to_owned(),
                format!("{SCAN}: choose Scan, and run a backup."),
            ],
        ),
        url: None,
        due_date: None,
        done_when: "a backup job of one of the organizations finishes".to_owned(),
    }
}

fn check_account(need: &Need<'_>) -> HandOff {
    let account = need.account.unwrap_or("the service account");
    let of = organizations(need);
    HandOff {
        name: "reauthorize",
        title: if need.dead {
            format!("Every backup of {of} fails at AvePoint: give it {account}'s password again, if that is why")
        } else {
            format!("Give AvePoint {account}'s password again for {of}")
        },
        who: "Administrator of AvePoint Online Services",
        steps: after_what_is_missing(
            need.missing,
            [
                look_first(need),
                format!(
                    "AvePoint Online Services > Management > Service account: enter the password of {account} as it is now."
                ),
                format!("{SCAN}: choose Service account, exactly {account}, and Scan; then run a backup."),
            ],
        ),
        url: None,
        due_date: None,
        done_when: "a backup job of one of the organizations finishes".to_owned(),
    }
}
