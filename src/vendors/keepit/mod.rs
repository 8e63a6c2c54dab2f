//! Keepit, as a vendor: what it shows, and what only a person can do there.

mod client;
mod creation;
mod details;
mod drift;
mod facts;
mod handoffs;
mod spec;
mod write;
mod xml;

use std::time::Duration;

use futures::future::BoxFuture;

pub use client::Accounts;
pub use spec::Spec;

use super::{
    At, Creation, Credential, Desk, Details, Drift, Need, Sight, Vendor, VendorConnector, VendorSpec, Wanted, Write,
};
use crate::fault::Fault;
use crate::handoff::HandOff;
use crate::http::Hosts;

/// Every region is an installation of its own (facts/keepit.md §1). Others by `--allow-host`.
pub const HOSTS: &[&str] = &[
    "au-sy.keepit.com",
    "ca-tr.keepit.com",
    "ch-zh.keepit.com",
    "de-fr.keepit.com",
    "dk-co.keepit.com",
    "uk-ld.keepit.com",
    "us-dc.keepit.com",
    "ws.keepit.com",
];

/// Keepit's one type for Dynamics 365 and Power Platform (facts/keepit.md §2.3).
const TYPE: &str = "dynamics365";

impl Vendor for Spec {
    fn label(&self) -> &'static str {
        "Keepit"
    }

    fn profiles(&self) -> &'static [&'static str] {
        &["keepitPowerPlatform", "keepitDynamicsCE"]
    }

    fn secret(&self) -> Option<(&str, &'static [&'static str])> {
        Some((&self.secret_ref.name, &[client::USERNAME, client::PASSWORD]))
    }

    fn installation(&self) -> &str {
        &self.region
    }

    fn not_allowed(&self, hosts: &Hosts) -> Option<(&'static str, String)> {
        let (region, host) = (&self.region, self.host());
        if hosts.allows(&host) {
            return None;
        }
        let known: Vec<_> = HOSTS.iter().filter_map(|host| host.strip_suffix(".keepit.com")).collect();
        let known = known.join(", ");
        let why = format!("'{region}' is not a known region ({known}); a new one needs --allow-host {host}");
        Some(("spec.vendor.keepit.region", why))
    }

    fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn pinned_account(&self) -> Option<&str> {
        self.account_id.as_deref()
    }

    fn drift(&self, found: &VendorConnector, name: &str) -> Vec<Drift> {
        drift::drift(self, found, name)
    }

    fn corrections(&self, drift: &Drift, found: &VendorConnector) -> Vec<Write> {
        drift::corrections(self, drift, found)
    }

    fn creation(&self, all: &[VendorConnector], name: &str) -> Option<Creation> {
        creation::creation(self, all, name)
    }

    fn import(&self, found: &VendorConnector, account: &str) -> Option<VendorSpec> {
        Some(VendorSpec::Keepit(Self {
            account_id: Some(account.to_owned()),
            name: Some(found.name.clone()),
            retention: found.retention.clone(),
            ..self.clone()
        }))
    }

    fn inspect<'a>(
        &'a self,
        at: At<'a>,
        wanted: Wanted,
        credential: &'a Credential,
        desk: &'a Desk,
        max_age: Duration,
    ) -> BoxFuture<'a, Details> {
        Box::pin(details::inspect(self, at, wanted.jobs, credential, desk, max_age))
    }

    fn write<'a>(
        &'a self,
        write: &'a Write,
        at: At<'a>,
        credential: &'a Credential,
        desk: &'a Desk,
    ) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(write::write(self, write, at, credential, desk))
    }

    fn can_drift(&self) -> bool {
        true
    }

    fn look<'a>(&'a self, credential: &'a Credential, desk: &'a Desk, max_age: Duration) -> BoxFuture<'a, Sight> {
        Box::pin(client::look(self, credential, desk, max_age))
    }

    fn hand_off(&self, need: &Need<'_>) -> HandOff {
        handoffs::hand_off(self, need)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_names_every_region() {
        let schema = schemars::schema_for!(Spec);
        let described = schema.as_value()["properties"]["region"]["description"].to_string();
        let known = described.split("Known: ").nth(1).and_then(|it| it.split(';').next()).unwrap();
        let hosts: Vec<String> = known.split(", ").map(|region| format!("{region}.keepit.com")).collect();
        assert_eq!(hosts, HOSTS);
    }
}
