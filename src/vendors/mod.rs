//! What every vendor is to the rest of the house: one trait, and the one place where vendors are told apart.

pub mod avepoint;
mod declared;
pub mod fluentpro;
pub mod keepit;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use jiff::Timestamp;
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::fault::{Fault, Kind};
use crate::handoff::HandOff;
use crate::http::{Hosts, Way};
use crate::seen::Seen;

/// The vendor, and what it calls the connector: exactly one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum VendorSpec {
    /// Keepit, for Power Platform and Dynamics 365.
    Keepit(keepit::Spec),
    /// `AvePoint` Cloud Backup for Dynamics 365. Its jobs are shown to programs; everything else is done by people.
    AvePoint(avepoint::Spec),
    /// `FluentPro` Backup, for Dataverse. It shows nothing to programs: people attest what they did there.
    FluentPro(fluentpro::Spec),
}

impl VendorSpec {
    /// The vendor behind the key.
    #[must_use]
    pub fn vendor(&self) -> &dyn Vendor {
        match self {
            Self::Keepit(spec) => spec,
            Self::AvePoint(spec) => spec,
            Self::FluentPro(spec) => spec,
        }
    }
}

/// Hosts that vendors are asked at, compiled in.
pub fn hosts() -> impl Iterator<Item = String> {
    keepit::HOSTS.iter().map(|host| (*host).to_owned()).chain(avepoint::hosts())
}

/// A kind of write at a vendor. It is taken only when the Connector allows it *and* a grant covers it.
// Plain comments only: doc comments on unit variants reorder the enum in the CRD.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "VendorAction")]
pub enum Action {
    // Create the connector from a connection that the vendor account has already.
    Create,
    // Start a backup now.
    StartBackup,
    // Stop backing up, or go on.
    Pause,
    // Let a user of the vendor account look into the connector.
    GrantAccess,
    // Give the vendor's connector the declared name.
    Rename,
    // Keep backups for longer.
    ExtendRetention,
    // Keep backups for a shorter time: what is older may be lost.
    ShortenRetention,
    // Delete the vendor's connector when the object is deleted.
    Delete,
}

impl std::fmt::Display for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(self, f)
    }
}

/// One vendor, as one Connector declares it.
pub trait Vendor: Send + Sync {
    /// The vendor's name, as people write it.
    fn label(&self) -> &'static str;
    /// The profiles whose vendor page speaks of this vendor.
    fn profiles(&self) -> &'static [&'static str];
    /// Name of the Secret that holds the credential, and the keys that it must have; `None`: there is nothing to sign in to.
    fn secret(&self) -> Option<(&str, &'static [&'static str])>;
    /// Which of the vendor's installations: accounts of two of them have nothing to do with each other.
    fn installation(&self) -> &str;
    /// Where the installation is declared, and why it can't be asked: the end of a sentence; `None`: these hosts have it.
    fn not_allowed(&self, _hosts: &Hosts) -> Option<(&'static str, String)> {
        None
    }
    /// What the connector is called at the vendor; `None`: as the object is called here.
    fn name(&self) -> Option<&str>;
    /// The vendor account that is pinned, if one is.
    fn pinned_account(&self) -> Option<&str>;
    /// Names and ids of what the connector is to back up, where the vendor shows its backups by that.
    fn organizations(&self) -> Vec<&str> {
        Vec::new()
    }
    /// What a person says in the spec of having done this hand-off.
    fn attested(&self, _hand_off: &str) -> Option<Attestation> {
        None
    }
    /// Whether a person has to move the connector at the vendor when its profile changes so.
    fn moves(&self, _from: &str, _to: &str) -> bool {
        false
    }
    /// What is declared and is otherwise at the vendor; `name`: what the connector is to be called.
    fn drift(&self, _found: &VendorConnector, _name: &str) -> Vec<Drift> {
        Vec::new()
    }
    /// What makes it so, as far as the vendor's interface can.
    fn corrections(&self, _drift: &Drift, _found: &VendorConnector) -> Vec<Write> {
        Vec::new()
    }
    /// What creates a connector of this name among these, if the spec says from what, and the vendor's interface can.
    fn creation(&self, _all: &[VendorConnector], _name: &str) -> Option<Creation> {
        None
    }
    /// What declares a connector that was found in this account as it is; `None`: nothing of it can be.
    fn import(&self, _found: &VendorConnector, _account: &str) -> Option<VendorSpec> {
        None
    }
    /// Makes one write. Whether it took is told by the next look.
    fn write<'a>(
        &'a self,
        _write: &'a Write,
        _at: At<'a>,
        _credential: &'a Credential,
        _desk: &'a Desk,
    ) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(std::future::ready(Err(Fault::new(Kind::Bug, "nothing can be written at this vendor"))))
    }
    /// What the vendor shows of one connector only when it is asked for that one.
    fn inspect<'a>(
        &'a self,
        _at: At<'a>,
        _wanted: Wanted,
        _credential: &'a Credential,
        _desk: &'a Desk,
        _max_age: Duration,
    ) -> BoxFuture<'a, Details> {
        Box::pin(std::future::ready(Details::default()))
    }
    /// Whether anything that is declared could be otherwise, as far as the vendor shows it.
    fn can_drift(&self) -> bool {
        false
    }
    /// What the vendor shows to this credential: one set of calls for an account, whoever asks.
    fn look<'a>(&'a self, credential: &'a Credential, desk: &'a Desk, max_age: Duration) -> BoxFuture<'a, Sight>;
    /// What a person has to do, and how.
    fn hand_off(&self, need: &Need<'_>) -> HandOff;
}

/// The keys of a Secret.
pub type Credential = BTreeMap<String, SecretString>;

/// What all vendors share: the way out, and what was read already.
#[derive(Clone, Debug)]
pub struct Desk {
    /// The way out.
    pub way: Way,
    /// What was read of Keepit accounts.
    pub keepit: Arc<keepit::Accounts>,
    /// What was read of `AvePoint`'s jobs.
    pub avepoint: Arc<avepoint::Accounts>,
}

impl Desk {
    /// An empty desk.
    #[must_use]
    pub fn new(way: Way) -> Self {
        Self { way, keepit: Arc::default(), avepoint: Arc::default() }
    }
}

/// What a vendor shows to one credential.
#[derive(Clone, Debug, PartialEq)]
pub struct Sight {
    /// The id of the account that the credential belongs to; `None`: the vendor shows none.
    pub account: Seen<Option<String>>,
    /// The account's connectors of the type that the Connector declares.
    pub connectors: Seen<Arc<[VendorConnector]>>,
    /// What the credential's own rights at the vendor do not cover, as far as the vendor tells.
    pub lacks: Arc<[Action]>,
    /// The limits of the account that are exceeded, as far as the vendor tells, by its own names.
    pub exceeded: Arc<[String]>,
}

impl Sight {
    /// An account and its connectors; of rights and limits the vendor tells nothing.
    #[must_use]
    pub fn new(account: Seen<Option<String>>, connectors: Seen<Arc<[VendorConnector]>>) -> Self {
        Self { account, connectors, lacks: Arc::default(), exceeded: Arc::default() }
    }

    /// Nothing is known, for this one reason.
    #[must_use]
    pub fn nothing(fault: &Fault) -> Self {
        Self::new(Seen::Unknown(fault.clone()), Seen::Unknown(fault.clone()))
    }
}

/// One connector, as its vendor shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct VendorConnector {
    /// The vendor's id; `None`: the vendor shows none.
    pub id: Option<String>,
    /// Its name there.
    pub name: String,
    /// Whether the credential may look into it.
    pub accessible: bool,
    /// Whether it is scheduled for deletion.
    pub deleting: bool,
    /// The vendor's reference to the connection that it uses; `None`: it shows none.
    pub link: Option<String>,
    /// Whether a person has to choose what is backed up before anything is.
    pub unconfigured: bool,
    /// Whether the vendor may still act for the service account.
    pub authorization: Seen<Authorization>,
    /// The vendor's own word on its health; `None`: the vendor says nothing (yet).
    pub health: Seen<Option<Health>>,
    /// The last backup; `None`: there is none.
    pub last_backup: Seen<Option<Backup>>,
    /// How long backups are kept, as an ISO 8601 duration; `None`: as long as the account's are, or the vendor does not say.
    pub retention: Option<String>,
    /// The same by organization, where the vendor shows it so.
    pub organizations: Vec<Organization>,
    /// What the vendor backs up for the account by organization, and is not declared for this connector.
    pub undeclared: Vec<Undeclared>,
    /// What was asked for of this one.
    pub details: Details,
}

/// What is wanted of one connector beside what is declared of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// Its backup jobs of late.
    pub jobs: bool,
    /// What people have done since this time; `None`: nobody was asked for anything.
    pub audit: Option<Timestamp>,
}

/// What the vendor shows of one connector when it is asked for that one; `None`: it was not asked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Details {
    /// Whether it is stopped.
    pub paused: Option<Seen<bool>>,
    /// The users that were let into it.
    pub members: Option<Seen<Vec<String>>>,
    /// Its backup jobs of late.
    pub jobs: Option<Seen<Jobs>>,
    /// What people have done at the vendor since they were asked, newest first.
    pub audit: Option<Seen<Arc<[Deed]>>>,
}

/// Something that a person has done at the vendor, as its audit has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// When.
    pub time: Timestamp,
    /// Who, as the vendor writes it.
    pub who: String,
    /// What, in the vendor's words.
    pub what: String,
}

impl Details {
    /// Why something that is declared can't be compared.
    pub fn unseen(&self) -> Option<&Fault> {
        let paused = self.paused.as_ref().and_then(Seen::fault);
        paused.or_else(|| self.members.as_ref().and_then(Seen::fault))
    }
}

/// Backup jobs of a connector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Jobs {
    /// Whether one runs, or waits to.
    pub active: bool,
    /// When the newest one began, or is to begin.
    pub latest: Option<Timestamp>,
}

/// An organization that the vendor backs up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undeclared {
    /// As the vendor calls it.
    pub name: String,
    /// The vendor's id; `None`: it shows none.
    pub id: Option<String>,
}

/// What the vendor shows of one thing that the connector is to back up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    /// As it is declared.
    pub name: String,
    /// The vendor's id; `None`: not seen.
    pub id: Option<String>,
    /// The vendor's word for the state of the newest backup job; `None`: it shows no job.
    pub last_job: Option<String>,
    /// The last backup; `None`: it shows none.
    pub last_backup: Option<Backup>,
}

/// One field that is declared and is otherwise at the vendor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drift {
    /// Where it is declared.
    pub field: &'static str,
    /// What is declared.
    pub desired: String,
    /// What the vendor shows.
    pub observed: String,
}

/// One write at a vendor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// Its kind.
    pub action: Action,
    /// Where what is written is declared.
    pub field: &'static str,
    /// What is written: what the field becomes; the name of what is created or deleted.
    pub value: String,
    /// For one that is created: the vendor's reference to the connection that it uses.
    pub link: Option<String>,
    /// What a person has to do first, as the end of a sentence; `None`: nothing.
    pub first: Option<String>,
}

/// A connector that could be created.
#[derive(Clone, Debug, PartialEq)]
pub struct Creation {
    /// What creates it.
    pub write: Write,
    /// What the vendor shows of the authorization that it would use.
    pub authorization: Seen<Authorization>,
}

/// Which connector of which account, by the vendor's ids.
#[derive(Clone, Copy, Debug)]
pub struct At<'a> {
    /// The account.
    pub account: &'a str,
    /// The connector; `None`: it is to be created.
    pub connector: Option<&'a str>,
}

/// Whether the vendor may still act for the service account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authorization {
    /// Seen to work.
    Granted,
    /// Seen to be dead.
    Required,
    /// Nothing that the vendor shows speaks for or against it.
    NoEvidence,
    /// Everything fails, and the vendor does not show why: a person has to look.
    Doubted,
    /// The vendor shows nothing, but a person has said that it works.
    Attested(Attestation),
}

/// What a person says to have done at a vendor that shows nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attestation {
    /// Who says so.
    pub by: String,
    /// When it was done.
    pub time: Timestamp,
    /// How long it counts, if nothing changes.
    pub until: Timestamp,
}

/// The vendor's own word on a connector's health.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Lower case. Example: `healthy`.
    pub state: String,
    /// As the vendor spells it; `None`: none given.
    pub reason: Option<String>,
}

/// The backups that exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backup {
    /// When the newest one was taken.
    pub latest: Timestamp,
    /// When the newest one was taken that holds everything; `None`: none does.
    pub complete: Option<Timestamp>,
}

/// What a person is needed for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need<'a> {
    /// For what.
    pub what: What,
    /// What the connector is to be called.
    pub name: &'a str,
    /// The service account to sign in as; `None`: the policy is not there, so nobody knows.
    pub account: Option<&'a str>,
    /// The policy's profile that is asked for; `None`: nobody has said yet.
    pub profile: Option<&'a str>,
    /// What it is about: names of organizations; empty: the connector as such.
    pub organizations: &'a [String],
    /// What is still missing on the account, one sentence each.
    pub missing: &'a [String],
    /// Whether the vendor shows that the authorization does not work; else somebody only wants it renewed.
    pub dead: bool,
}

/// For what a person is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// To sign in and create the connector.
    Create,
    /// To sign in again: the authorization is dead.
    Reauthenticate,
    /// To choose what is backed up, and to save that.
    Configure,
    /// To let the credential's user look into the connector.
    GrantAccess,
    /// To take back the connector's scheduled deletion.
    Undelete,
    /// To let the vendor sign in in another way.
    Move,
}

/// The first three, and how many more.
pub fn listed<S: AsRef<str>>(names: &[S]) -> String {
    let first: Vec<&str> = names.iter().take(3).map(AsRef::as_ref).collect();
    let more = if names.len() > 3 { format!(" and {} more", names.len() - 3) } else { String::new() };
    format!("{}{more}", first.join(", "))
}

/// The steps of a hand-off, after what is still missing on the account.
fn after_what_is_missing<const N: usize>(missing: &[String], steps: [String; N]) -> Vec<String> {
    let first = missing.iter().map(|sentence| format!("First mend what is missing: {sentence}"));
    first.chain(steps).collect()
}
