//! What a Connector's pass goes by: what was seen at the vendor, of the policy, and of the other Connectors. [pure]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt;

use crate::api::policy::DemandStatus;
use crate::api::{Connector, Reason};
use crate::runtime::Problem;
use crate::runtime::expiring::Ends;
use crate::runtime::lately::Became;
use crate::vendors::{Action, Credential, Details, Sight};

/// What was seen.
pub struct Observed {
    /// What the vendor shows.
    pub sight: Result<Sight, Problem>,
    /// What it shows of the one that the Connector stands for, where more than the listing is needed.
    pub details: Details,
    /// How old what it shows may be.
    pub age: Duration,
    /// When what is signed in with ends, if anything says so.
    pub credential_ends: Option<Ends>,
    /// What is written with, for whoever acts; `None`: there is none, or it can't be used.
    pub credential: Option<Arc<Credential>>,
    /// What the installation grants for the vendor account, among what the spec allows.
    pub granted: BTreeSet<Action>,
    /// Whether nothing may be written.
    pub read_only: bool,
    /// What became of a creation of this process, if it has tried one.
    pub created: Option<Became>,
    /// The policy; `None`: it is not there.
    pub policy: Option<PolicySeen>,
    /// The other Connectors, of all namespaces that are watched.
    pub others: Vec<Other>,
}

/// The policy, as far as a Connector is concerned.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicySeen {
    /// The account that it watches over; `None`: the policy can't be read.
    pub account: Option<String>,
    /// What it answered to this Connector at this generation; `None`: nothing yet.
    pub answer: Option<DemandStatus>,
    /// Its profile for this Connector; `None`: it has none that fits, or more than one.
    pub profile: Option<String>,
    /// Why the policy is not Ready, if it is not: the word.
    pub not_ready: Option<String>,
    /// Whether it asks a person for something.
    pub hands_off: bool,
    /// What fails or can't be told for a connection to be made, one sentence each.
    pub missing: Vec<String>,
    /// What fails, for this Connector's profile, of what counts while its authorization works.
    pub failing: Vec<Failing>,
    /// When the account's password was last changed, as far as Microsoft says.
    pub password_changed: Option<Timestamp>,
    /// The last window of the account.
    pub window: Option<WindowSeen>,
}

/// The time for which an account gets what only a new sign-in needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowSeen {
    /// Whether it is open: whoever needs it, too, joins.
    pub open: bool,
    /// When somebody began.
    pub begun: Timestamp,
    /// When it ends at the latest.
    pub expires: Timestamp,
}

/// Something that fails.
#[derive(Clone, Debug, PartialEq)]
pub struct Failing {
    /// The requirement's name within the profile. Example: `password-kept`.
    pub name: String,
    /// What was found.
    pub message: String,
    /// Since when.
    pub since: Timestamp,
}

impl PolicySeen {
    /// Why nobody may be told to sign in as the account, if so: it is not there, or another one than before.
    pub fn lost_account(&self) -> Option<Reason> {
        let lost = [Reason::AccountNotFound, Reason::AccountChanged];
        lost.into_iter().find(|reason| self.not_ready.as_ref() == Some(&reason.word()))
    }
}

/// Another Connector: what decides who stands for a vendor connector that both name.
#[derive(Clone, Debug, PartialEq)]
pub struct Other {
    /// Its name, if it is of the same namespace: other namespaces' names are nobody's business.
    pub name: Option<String>,
    /// When it was created, and its uid: the older one comes first.
    pub age: (Option<Time>, Option<String>),
    /// The vendor account that it was seen at; `None`: not known yet.
    pub account: Option<String>,
    /// The vendor connector that it has adopted.
    pub connector_id: Option<String>,
    /// Where it is at the vendor, and what it is called there.
    pub called: Called,
    /// Names and ids of the organizations that it declares.
    pub organizations: Vec<String>,
}

/// When it was created, and its uid.
pub fn age(connector: &Connector) -> (Option<Time>, Option<String>) {
    (connector.metadata.creation_timestamp.clone(), connector.metadata.uid.clone())
}

/// Where a connector is at its vendor, and what it is to be called there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Called {
    /// The vendor.
    pub vendor: &'static str,
    /// The vendor's installation. Example: `dk-co`.
    pub installation: String,
    /// The name.
    pub name: String,
}

/// Where a Connector's connector is, and what it is to be called there.
pub fn called(connector: &Connector) -> Called {
    let vendor = connector.spec.vendor.vendor();
    Called {
        vendor: vendor.label(),
        installation: vendor.installation().to_owned(),
        name: vendor.name().map_or_else(|| connector.name_any(), str::to_owned),
    }
}
