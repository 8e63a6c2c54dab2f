//! From what is declared and what was seen to the vendor connector that this Connector stands for. [pure]

use jiff::Timestamp;
use kube::ResourceExt;

use super::adoption;
use super::attested::{self, Attested};
use super::due::{self, Due};
use super::observed::{Observed, Other, PolicySeen, age, called};
use super::reauthentication::{self, Judged};
use crate::api::connector::{AuthorizationState, stage};
use crate::api::policy::Stage;
use crate::api::{Connector, Reason};
use crate::fault::{Class, Kind};
use crate::runtime::lately::Became;
use crate::runtime::marks::{CREATING, annotation};
use crate::runtime::{Allowed, Problem};
use crate::seen::Seen;
use crate::vendors::{Action, Authorization, Creation, Drift, Undeclared, VendorConnector, Write};

/// The hand-off that moves a connector to another profile, as people attest it.
pub const MOVE: &str = "move-to-app-profile";

/// What holds.
pub struct Resolved {
    /// The vendor account; `None`: the vendor shows none.
    pub account: Option<String>,
    /// The vendor's connector; `None`: there is none (any more).
    pub found: Option<VendorConnector>,
    /// Whether it is adopted just now.
    pub adopted: bool,
    /// What would create it, where there is none and there never was one.
    pub creation: Option<Creation>,
    /// Whether that is what happens next: nobody is asked to sign in.
    pub creates: bool,
    /// What is declared and was never seen at the vendor: names of organizations.
    pub missing: Vec<String>,
    /// What the vendor backs up for the account, and no Connector declares.
    pub undeclared: Vec<String>,
    /// What is declared and is otherwise at the vendor.
    pub drift: Vec<Drift>,
    /// Why a backup is to be started, if one is.
    pub due: Option<Due>,
    /// Limits of the vendor account that are exceeded.
    pub exceeded: Vec<String>,
    /// What is allowed, and the credential's own rights don't cover.
    pub lacks: Vec<Action>,
    /// Whether the vendor still signs in as the policy's profile of before, as far as anybody knows.
    pub moving: bool,
    /// What a person attested in place of the vendor, if that is all there is.
    pub attested: Option<Attested>,
    /// The policy; `None`: it is not there.
    pub policy: Option<PolicySeen>,
    /// Whether somebody has to sign in again, and how far that is.
    pub reauthentication: Judged,
    /// Until when a restore is announced, if one is.
    pub restores_until: Option<Timestamp>,
}

impl Resolved {
    /// The stage that it is in, by its authorization; `None`: nobody knows.
    pub fn stage(&self, authorization: AuthorizationState) -> Option<Stage> {
        let state = self.reauthentication.request.as_ref().map(|request| request.state);
        stage(authorization, state, self.restores_until.is_some())
    }

    /// Whether the vendor may still act for the service account, as far as it is known.
    pub fn authorization(&self) -> Option<Seen<Authorization>> {
        // With a connection that is seen to work nobody has to sign in.
        let creation = self.creation.as_ref().filter(|_| self.creates).map(|creation| &creation.authorization);
        let said = self.found.as_ref().map(|found| &found.authorization).or(creation)?;
        Some(match &self.attested {
            Some(Attested { void: Some(_), .. }) => Seen::Known(Authorization::Required),
            _ => said.clone(),
        })
    }
}

/// Resolves, or says why it can't be.
pub fn resolve(connector: &Connector, observed: &Observed, now: Timestamp) -> Result<Resolved, Problem> {
    let sight = observed.sight.as_ref().map_err(Clone::clone)?;
    let account = match &sight.account {
        Seen::Known(account) => account.clone(),
        Seen::Unknown(fault) => return Err(Problem::from_fault("CredentialsValid", fault)),
    };
    if let Some(account) = &account {
        pinned(connector, account)?;
    }
    let connectors = match &sight.connectors {
        Seen::Known(connectors) => connectors,
        // The account is known for ever, the credential is not: it may have been refused just now.
        Seen::Unknown(fault) if fault.kind == Kind::CredentialRefused => {
            return Err(Problem::from_fault("CredentialsValid", fault));
        }
        Seen::Unknown(fault) => return Err(Problem::from_fault("Provisioned", fault)),
    };
    due::readable(connector, now)?;
    let known = connector.status.as_ref().and_then(|status| status.connector_id.as_deref());
    let inspected = adoption::find(connector, connectors, observed.created.is_some())?
        .map(|found| VendorConnector { details: observed.details.clone(), ..found.clone() });
    let found = inspected.as_ref();
    unclaimed(connector, account.as_deref(), found, known, observed)?;
    let missing = found.map(|found| never_seen(connector, found)).unwrap_or_default();
    let undeclared = undeclared(connector, connectors, found, observed);
    // Of which nothing was ever seen, that is not there yet. One that has worked is not gone because it is called otherwise now.
    let worked = connector.status.as_ref().and_then(|status| status.authorization.as_ref()?.profile.as_ref()).is_some();
    let found = found.filter(|found| worked || missing.is_empty() || missing.len() < found.organizations.len());
    let creation = match found {
        None if known.is_none() => connector.spec.vendor.vendor().creation(connectors, &called(connector).name),
        _ => None,
    };
    if found.is_none() {
        certain(connector, observed)?;
    }
    not_of_tomorrow(connector, now)?;
    let attested = match found.map(|found| &found.authorization) {
        Some(Seen::Known(Authorization::Attested(said))) => {
            Some(attested::judge(connector, said, observed.policy.as_ref(), now)?)
        }
        _ => None,
    };
    let mut resolved = Resolved {
        account,
        found: found.cloned().map(|found| VendorConnector { name: name_of(connector, &found), ..found }),
        creates: creation.as_ref().is_some_and(|creation| creates(connector, creation, observed)),
        creation,
        drift: found.map(|found| drift(connector, found)).unwrap_or_default(),
        due: found.and_then(|found| due::due(connector, found, now)),
        exceeded: sight.exceeded.to_vec(),
        lacks: connector.spec.allowed_actions.iter().filter(|it| sight.lacks.contains(it)).copied().collect(),
        missing,
        undeclared,
        moving: moving(connector, observed.policy.as_ref()),
        adopted: found.is_some_and(|found| found.id.is_some() && found.id.as_deref() != known),
        attested,
        policy: observed.policy.clone(),
        reauthentication: Judged::default(),
        restores_until: connector
            .spec
            .restore
            .as_ref()
            .map(|restore| restore.until_time.0)
            .filter(|until| *until > now),
    };
    let deeds = observed.details.audit.as_ref().and_then(Seen::known);
    let deed = deeds.and_then(|deeds| deeds.iter().map(|deed| deed.time).max());
    resolved.reauthentication = reauthentication::judge(connector, &resolved, deed, now);
    Ok(resolved)
}

/// What was begun and does not show may be there all the same: a second one must not be made for that.
fn certain(connector: &Connector, observed: &Observed) -> Result<(), Problem> {
    let begun = annotation(&connector.metadata, CREATING);
    match begun.filter(|_| !matches!(observed.created, Some(Became::Written))) {
        None => Ok(()),
        Some(begun) => {
            let label = connector.spec.vendor.vendor().label();
            let (name, object) = (called(connector).name, connector.name_any());
            let namespace = connector.namespace().unwrap_or_default();
            Err(Problem::wrong(
                "Provisioned",
                Reason::CreateUncertain,
                format!(
                    "The creation of \"{name}\" at {label}, begun {begun}, had an unknown end, and {label} shows no such connector: \
                     look there, and once it is sure that there is none: kubectl annotate connector -n {namespace} {object} {CREATING}-"
                ),
            ))
        }
    }
}

/// Whether it is created by the operator: what bars that in a way that only a person can mend leaves it to a person.
fn creates(connector: &Connector, creation: &Creation, observed: &Observed) -> bool {
    let refused = match &observed.created {
        Some(Became::Refused(fault)) => !matches!(fault.class, Class::Retry(_)),
        _ => false,
    };
    let Write { action, first, .. } = &creation.write;
    allowed(connector, observed, *action) == Allowed::Yes && first.is_none() && !refused
}

/// Whether an action may be taken, by all who are asked.
pub fn allowed(connector: &Connector, observed: &Observed, action: Action) -> Allowed {
    let lacks = observed.sight.as_ref().is_ok_and(|sight| sight.lacks.contains(&action));
    Allowed::by(
        connector.spec.allowed_actions.contains(&action),
        observed.granted.contains(&action),
        observed.read_only,
    )
    .after(lacks.then_some("the credential's own rights at the vendor don't cover it"))
}

fn drift(connector: &Connector, found: &VendorConnector) -> Vec<Drift> {
    connector.spec.vendor.vendor().drift(found, &called(connector).name)
}

/// Its name at the vendor; where that has none, the object's.
fn name_of(connector: &Connector, found: &VendorConnector) -> String {
    if found.name.is_empty() { called(connector).name } else { found.name.clone() }
}

/// Organizations of which no backup was ever seen, now or before.
fn never_seen(connector: &Connector, found: &VendorConnector) -> Vec<String> {
    let before = connector.status.as_ref().map_or(&[][..], |status| &status.organizations);
    let seen = |name: &str| before.iter().any(|it| it.name == name && it.last_job.is_some());
    let silent = found.organizations.iter().filter(|it| it.last_job.is_none() && !seen(&it.name));
    silent.map(|it| it.name.clone()).collect()
}

/// What the vendor backs up for the account, and neither this nor another Connector at the same installation declares: connectors
/// that nobody stands for, or organizations of this one.
fn undeclared(
    connector: &Connector,
    all: &[VendorConnector],
    found: Option<&VendorConnector>,
    observed: &Observed,
) -> Vec<String> {
    let here = called(connector);
    let at_vendor =
        |other: &&Other| other.called.vendor == here.vendor && other.called.installation == here.installation;
    let beside: Vec<&Other> = observed.others.iter().filter(at_vendor).collect();
    let own = found.and_then(|found| found.id.as_deref());
    let stands = |it: &VendorConnector| {
        it.id.as_deref() == own
            || it.name == here.name
            || beside.iter().any(|other| match &other.connector_id {
                Some(id) => it.id.as_ref() == Some(id),
                None => other.called.name == it.name,
            })
    };
    let unattended = all.iter().filter(|it| it.id.is_some() && !it.deleting && !stands(it)).map(|it| &it.name);
    // Another Connector may know it by its name or by its id.
    let declared = |it: &Undeclared| {
        let names = |other: &&String| {
            other.eq_ignore_ascii_case(&it.name) || it.id.as_ref().is_some_and(|id| other.eq_ignore_ascii_case(id))
        };
        beside.iter().flat_map(|other| &other.organizations).any(|other| names(&other))
    };
    let within = found.into_iter().flat_map(|found| &found.undeclared).filter(|it| !declared(it)).map(|it| &it.name);
    let mut names: Vec<String> = unattended.chain(within).cloned().collect();
    names.sort();
    names
}

/// Whether a person has to move it to the profile that is asked for now, and has not said so since it is the one of before.
fn moving(connector: &Connector, policy: Option<&PolicySeen>) -> bool {
    let before = connector.status.as_ref().and_then(|status| status.authorization.as_ref());
    let asked = policy.and_then(|policy| policy.profile.as_deref());
    let (Some(before), Some(asked)) = (before, asked) else { return false };
    let vendor = connector.spec.vendor.vendor();
    let moves = before.profile.as_deref().is_some_and(|profile| vendor.moves(profile, asked));
    let since = before.profile_time.as_ref().unwrap_or(&before.last_transition_time).0;
    moves && vendor.attested(MOVE).is_none_or(|said| said.time < since)
}

/// Nobody can have moved it tomorrow.
fn not_of_tomorrow(connector: &Connector, now: Timestamp) -> Result<(), Problem> {
    match connector.spec.vendor.vendor().attested(MOVE) {
        Some(said) => attested::not_of_tomorrow(said.time, now),
        None => Ok(()),
    }
}

/// The account is the one that the spec pins, or that was first seen.
fn pinned(connector: &Connector, account: &str) -> Result<(), Problem> {
    let wrong = |message: String| Err(Problem::wrong("CredentialsValid", Reason::AccountMismatch, message));
    let label = connector.spec.vendor.vendor().label();
    let first_seen = connector.status.as_ref().and_then(|status| status.account.as_ref());
    match (connector.spec.vendor.vendor().pinned_account(), first_seen) {
        (Some(pinned), _) if pinned != account => wrong(format!(
            "The credential belongs to the {label} account {account}, not to the one that accountID pins"
        )),
        (None, Some(first)) if first.id != account => wrong(format!(
            "The credential belongs to the {label} account {account}, another one than before; \
             if that is right, create another Connector"
        )),
        _ => Ok(()),
    }
}

/// No other Connector stands for it. Who has adopted it keeps it; among those who have not, and among those whose
/// statuses say the same after a restore, the older one. The same goes for a name that nobody has created yet: two people
/// would be asked for one connector.
fn unclaimed(
    connector: &Connector,
    account: Option<&str>,
    found: Option<&VendorConnector>,
    known: Option<&str>,
    observed: &Observed,
) -> Result<(), Problem> {
    let id = found.and_then(|found| found.id.as_deref());
    let mine = (id.is_none() || known != id, age(connector));
    let rivals = observed.others.iter().filter(|other| {
        // One of another namespace has to be known to be at this account: anybody can name a region and a name.
        let here = other.account.as_deref().map_or(other.name.is_some(), |other| Some(other) == account);
        let adopted = id.is_some() && other.connector_id.as_deref() == id;
        let names_it = other.connector_id.is_none() && other.called == called(connector);
        here && (adopted || names_it) && (!adopted, other.age.clone()) < mine
    });
    match rivals.min_by_key(|other| other.age.clone()) {
        None => Ok(()),
        Some(first) => {
            let who = first.name.as_ref().map_or_else(|| "of another namespace".to_owned(), Clone::clone);
            let name =
                found.filter(|_| id.is_some()).map_or_else(|| called(connector).name, |found| found.name.clone());
            Err(Problem::wrong(
                "Provisioned",
                Reason::ConnectorClaimed,
                format!("The Connector {who} already stands for \"{name}\" at the vendor; delete one of the two"),
            ))
        }
    }
}
