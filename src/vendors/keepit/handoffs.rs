//! What only a person can do at Keepit, step by step (seeds 000 and 002, facts/keepit.md §3).

use super::Spec;
use crate::handoff::HandOff;
use crate::vendors::{Need, What, after_what_is_missing};

const ADMIN: &str = "Keepit Master Admin or Backup Admin";

/// The hand-off for a need.
pub fn hand_off(spec: &Spec, need: &Need<'_>) -> HandOff {
    let (name, host) = (need.name, spec.host());
    let url = Some(format!("https://{host}"));
    let account = need.account.unwrap_or("the service account");
    match need.what {
        // There is but one way to sign in, so that nothing is ever moved.
        What::Create | What::Move => HandOff {
            name: "create-connector",
            title: format!("Sign in as {account} and create the connector \"{name}\" at Keepit"),
            who: "Keepit Master Admin or Backup Admin, who can sign in as the service account",
            steps: after_what_is_missing(
                need.missing,
                [
                    format!("Open a private browser window, go to https://{host} and sign in to Keepit."),
                    "Choose Connectors, Add connector, Power Platform / Dynamics 365, and Continue.".to_owned(),
                    format!("On Microsoft's page sign in as {account}, and with no other account."),
                    "Read the permissions and accept them; they are asked for the first time only.".to_owned(),
                    format!("Back at Keepit name the connector exactly \"{name}\", and choose Create."),
                ],
            ),
            url,
            due_date: None,
            done_when: format!("the account shows a connector of this type named \"{name}\""),
        },
        What::Reauthenticate => HandOff {
            name: "reauthenticate",
            title: format!("Sign in as {account} again for the connector \"{name}\" at Keepit"),
            who: "Keepit Master Admin or Backup Admin, who can sign in as the service account",
            steps: after_what_is_missing(
                need.missing,
                [
                    format!("Open a private browser window, go to https://{host} and sign in to Keepit."),
                    format!("At the connector \"{name}\" open the settings (gear) and choose Authenticate (key)."),
                    format!("On Microsoft's page sign in as {account}, and with no other account."),
                ],
            ),
            url,
            due_date: None,
            done_when: "Keepit shows the connector as healthy again".to_owned(),
        },
        What::Configure => HandOff {
            name: "choose-environments",
            title: format!("Choose what the connector \"{name}\" backs up at Keepit, and save it"),
            who: ADMIN,
            steps: vec![
                format!("Go to https://{host}, sign in, and choose Connectors."),
                format!(
                    "At \"{name}\" open the settings (gear), and choose the environments and tables to be backed up."
                ),
                "Save: until then Keepit backs up nothing.".to_owned(),
            ],
            url,
            due_date: None,
            done_when: "Keepit no longer waits for the connector's first configuration".to_owned(),
        },
        What::GrantAccess => HandOff {
            name: "grant-access",
            title: format!("Let the API token's user look into the connector \"{name}\" at Keepit"),
            who: "Keepit Master Admin",
            steps: vec![
                format!("Go to https://{host}, sign in, and choose Connectors."),
                format!("At \"{name}\" choose the lock icon and add the user that the API token belongs to."),
            ],
            url,
            due_date: None,
            done_when: "the connector is listed as accessible".to_owned(),
        },
        What::Undelete => HandOff {
            name: "undelete",
            title: format!("Take back the scheduled deletion of \"{name}\" at Keepit, or delete this Connector"),
            who: ADMIN,
            steps: vec![
                "If the deletion was meant, delete this Connector here.".to_owned(),
                "If not, ask Keepit's support to take it back before the deadline that Keepit shows.".to_owned(),
            ],
            url,
            due_date: None,
            done_when: "the connector is no longer listed with a deletion deadline".to_owned(),
        },
    }
}
