//! AvePoint Cloud Backup for Dynamics 365, as a vendor: its jobs are shown, and everything else is a person's.

mod audit;
mod centers;
mod client;
mod facts;
mod handoffs;
mod login;
mod spec;

use std::time::Duration;

use futures::future::BoxFuture;

pub use centers::hosts;
pub use client::Accounts;
pub use spec::Spec;

use super::{
    At, Attestation, Credential, Desk, Details, Need, Sight, Undeclared, Vendor, VendorConnector, VendorSpec, Wanted,
};
use crate::handoff::HandOff;
use crate::http::Hosts;

/// Key of the Secret: the client secret of the app registration.
const SECRET: &str = "client-secret";
/// Keys of a `kubernetes.io/tls` Secret.
const CERTIFICATE: &str = "tls.crt";
const KEY: &str = "tls.key";

impl Vendor for Spec {
    fn label(&self) -> &'static str {
        "AvePoint"
    }

    fn profiles(&self) -> &'static [&'static str] {
        &[handoffs::SERVICE_ACCOUNT, handoffs::APP_PROFILE]
    }

    fn secret(&self) -> Option<(&str, &'static [&'static str])> {
        let keys: &'static [&'static str] = match &self.credential {
            spec::Credential::ClientSecret(_) => &[SECRET],
            spec::Credential::ClientCertificate(_) => &[CERTIFICATE, KEY],
        };
        Some((&self.credential.registration().secret_ref.name, keys))
    }

    fn installation(&self) -> &str {
        &self.data_center
    }

    fn not_allowed(&self, hosts: &Hosts) -> Option<(&'static str, String)> {
        let (name, center) = (&self.data_center, centers::of(&self.data_center));
        let host = [center.identity, center.graph].into_iter().find(|host| !hosts.allows(host))?;
        let known = centers::names().collect::<Vec<_>>().join(", ");
        let why = format!("'{name}' is not a known one ({known}); a new one needs --allow-host {host}");
        Some(("spec.vendor.avePoint.dataCenter", why))
    }

    fn name(&self) -> Option<&str> {
        None
    }

    fn pinned_account(&self) -> Option<&str> {
        None
    }

    fn organizations(&self) -> Vec<&str> {
        let names = self.organizations.iter().map(|it| it.name.as_str());
        names.chain(self.organizations.iter().filter_map(|it| it.id.as_deref())).collect()
    }

    fn attested(&self, hand_off: &str) -> Option<Attestation> {
        handoffs::attested(&self.attestations, hand_off)
    }

    fn moves(&self, from: &str, to: &str) -> bool {
        (from, to) == (handoffs::SERVICE_ACCOUNT, handoffs::APP_PROFILE)
    }

    fn import(&self, found: &VendorConnector, _: &str) -> Option<VendorSpec> {
        let organization = |it: &Undeclared| spec::Organization { name: it.name.clone(), id: it.id.clone() };
        let organizations: Vec<_> = found.undeclared.iter().map(organization).collect();
        (!organizations.is_empty()).then(|| VendorSpec::AvePoint(Self { organizations, ..self.clone() }))
    }

    fn inspect<'a>(
        &'a self,
        _: At<'a>,
        wanted: Wanted,
        credential: &'a Credential,
        desk: &'a Desk,
        max_age: Duration,
    ) -> BoxFuture<'a, Details> {
        Box::pin(async move {
            let Some(since) = wanted.audit else { return Details::default() };
            Details { audit: audit::deeds(self, since, credential, desk, max_age).await, ..Details::default() }
        })
    }

    fn look<'a>(&'a self, credential: &'a Credential, desk: &'a Desk, max_age: Duration) -> BoxFuture<'a, Sight> {
        Box::pin(client::look(self, credential, desk, max_age))
    }

    fn hand_off(&self, need: &Need<'_>) -> HandOff {
        handoffs::hand_off(need)
    }
}
