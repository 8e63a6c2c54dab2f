//! Northwind Backup, as a vendor: one list of connectors in JSON; people sign in for them.

mod client;
mod facts;
mod spec;

use std::time::Duration;

use futures::future::BoxFuture;

pub use client::Accounts;
pub use spec::Spec;

use super::{Credential, Desk, Need, Sight, Vendor};
use crate::handoff::HandOff;

/// The one host.
pub const HOST: &str = "api.northwind.example";

impl Vendor for Spec {
    fn label(&self) -> &'static str {
        "Northwind"
    }

    fn profiles(&self) -> &'static [&'static str] {
        &["custom"]
    }

    fn secret(&self) -> Option<(&str, &'static [&'static str])> {
        Some((&self.secret_ref.name, &["token"]))
    }

    fn installation(&self) -> &'static str {
        ""
    }

    fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn pinned_account(&self) -> Option<&str> {
        None
    }

    fn look<'a>(&'a self, credential: &'a Credential, desk: &'a Desk, max_age: Duration) -> BoxFuture<'a, Sight> {
        Box::pin(client::look(credential, desk, max_age))
    }

    fn hand_off(&self, need: &Need<'_>) -> HandOff {
        let (name, account) = (need.name, need.account.unwrap_or("the service account"));
        HandOff {
            name: "sign-in",
            title: format!("Sign in as {account} for \"{name}\" at Northwind"),
            who: "Administrator of Northwind",
            steps: super::after_what_is_missing(
                need.missing,
                [format!("Sign in at Northwind, open \"{name}\", and sign in to Microsoft as {account}.")],
            ),
            url: None,
            due_date: None,
            done_when: "Northwind shows it as connected".to_owned(),
        }
    }
}
