//! What only a person can do in FluentPro Backup, step by step (seed 003, facts/avepoint-fluentpro.md §5).

use crate::handoff::HandOff;
use crate::vendors::{Need, What, after_what_is_missing};

const ADMIN: &str = "Admin of FluentPro Backup, who can sign in as the service account";

/// The hand-off for a need.
pub fn hand_off(need: &Need<'_>) -> HandOff {
    let name = need.name;
    let account = need.account.unwrap_or("the service account");
    match need.what {
        What::Reauthenticate => HandOff {
            name: "reconnect",
            title: format!("Reconnect \"{name}\" in FluentPro Backup as {account}, and attest it"),
            who: ADMIN,
            steps: after_what_is_missing(
                need.missing,
                [
                    "Open FluentPro Backup in a private browser window and sign in as an Admin of it.".to_owned(),
                    format!("At the environment \"{name}\" choose Reconnect."),
                    format!("On Microsoft's page sign in as {account}, and with no other account."),
                    attest("reconnect"),
                ],
            ),
            url: None,
            due_date: None,
            done_when: done_when("reconnect"),
        },
        // There is nothing to be let into, or to be taken back: no program sees whether it would be needed.
        What::Create | What::Configure | What::GrantAccess | What::Undelete | What::Move => HandOff {
            name: "add-environment",
            title: format!("Add the environment \"{name}\" to FluentPro Backup as {account}, and attest it"),
            who: ADMIN,
            steps: after_what_is_missing(
                need.missing,
                [
                    "Open FluentPro Backup in a private browser window and sign in as an Admin of it.".to_owned(),
                    format!("Add an environment of the kind Dataverse, and name it \"{name}\"."),
                    format!("On Microsoft's page sign in as {account}, and with no other account."),
                    "Choose what is backed up, how often, and how long it is kept; run the first backup and look at its details."
                        .to_owned(),
                    attest("add-environment"),
                ],
            ),
            url: None,
            due_date: None,
            done_when: done_when("add-environment"),
        },
    }
}

fn attest(hand_off: &str) -> String {
    format!(
        "Say so in spec.vendor.fluentPro.attestations of this Connector: {{ handOff: {hand_off}, time: <now, in UTC>, by: <you> }}"
    )
}

fn done_when(hand_off: &str) -> String {
    format!("spec.vendor.fluentPro.attestations has an entry {hand_off} that is newer than what it rests on")
}
