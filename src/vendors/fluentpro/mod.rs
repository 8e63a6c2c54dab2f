//! FluentPro Backup, as a vendor: it has no interface for programs, so that people say what they did there.

mod handoffs;
mod spec;

use std::time::Duration;

use futures::future::{BoxFuture, ready};
use jiff::SignedDuration;

pub use spec::Spec;

use super::{Attestation, Authorization, Credential, Desk, Details, Need, Sight, Vendor, VendorConnector};
use crate::fault::{Fault, Kind};
use crate::handoff::HandOff;
use crate::seen::Seen;

impl Vendor for Spec {
    fn label(&self) -> &'static str {
        "FluentPro"
    }

    fn profiles(&self) -> &'static [&'static str] {
        &["fluentProDataverse"]
    }

    fn secret(&self) -> Option<(&str, &'static [&'static str])> {
        None
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

    fn look<'a>(&'a self, _: &'a Credential, _: &'a Desk, _: Duration) -> BoxFuture<'a, Sight> {
        Box::pin(ready(Sight::new(Seen::Known(None), Seen::Known(self.attested().into_iter().collect()))))
    }

    fn hand_off(&self, need: &Need<'_>) -> HandOff {
        handoffs::hand_off(need)
    }
}

impl Spec {
    /// The connection as people attest it: that the account was signed in again says the same as that it was added.
    fn attested(&self) -> Option<VendorConnector> {
        let newest = self.attestations.iter().max_by_key(|attestation| attestation.time)?;
        let (time, days) = (newest.time, i64::from(self.attestation_days));
        let until = time.checked_add(SignedDuration::from_hours(24 * days)).unwrap_or(time);
        let unseen = "FluentPro shows its backups to no program: look at their details in FluentPro Backup";
        Some(VendorConnector {
            id: None,
            name: self.name.clone().unwrap_or_default(),
            accessible: true,
            deleting: false,
            link: None,
            unconfigured: false,
            details: Details::default(),
            authorization: Seen::Known(Authorization::Attested(Attestation { by: newest.by.clone(), time, until })),
            health: Seen::Known(None),
            last_backup: Seen::Unknown(Fault::new(Kind::NotShown, unseen)),
            retention: None,
            organizations: Vec::new(),
            undeclared: Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_attestation_counts_for_its_days() {
        let spec: Spec = serde_json::from_value(serde_json::json!({
            "attestationDays": 2,
            "attestations": [
                { "handOff": "reconnect", "time": "2026-11-03T00:00:00Z", "by": "jane" },
                { "handOff": "add-environment", "time": "2026-11-01T00:00:00Z", "by": "joe" },
            ],
        }))
        .unwrap();
        let Some(VendorConnector { authorization: Seen::Known(Authorization::Attested(attested)), .. }) =
            spec.attested()
        else {
            panic!("nothing is attested")
        };
        assert_eq!((attested.by.as_str(), attested.until.to_string().as_str()), ("jane", "2026-11-05T00:00:00Z"));
        assert_eq!(Spec { attestations: Vec::new(), ..spec }.attested(), None);
    }
}
