//! What is in a Keepit region: accounts, tokens, connectors, backups?

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Secret, always};

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// `dk-co` and so on; the host is `<region>.keepit.com`.
    pub region: String,
    #[serde(default)]
    pub accounts: Vec<Account>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    pub id: String,
    pub name: String,
    /// The account above; tokens of that one may act here too (keepit.md §2.2).
    #[serde(default)]
    pub parent: Option<String>,
    #[serde(default = "always")]
    pub enabled: bool,
    #[serde(default)]
    pub product: Option<String>,
    #[serde(default)]
    pub tokens: Vec<Token>,
    #[serde(default)]
    pub connectors: Vec<Connector>,
    #[serde(default)]
    pub resources: Vec<Resource>,
}

/// A sign-in of the account: a person (primary) or an API token (secondary) of that person.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    pub login: String,
    pub password: Secret,
    #[serde(default)]
    pub name: String,
    /// The role, case-sensitive (keepit.md §1 "ACL model").
    #[serde(default = "master")]
    pub role: String,
    #[serde(default)]
    pub primary: bool,
    /// Login of the person a secondary token belongs to: what that person sees, the token sees.
    #[serde(default)]
    pub owner: Option<String>,
    #[serde(default = "always")]
    pub enabled: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connector {
    #[serde(default)]
    pub id: String,
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default)]
    pub agent_type: Option<String>,
    #[serde(default)]
    pub created: Option<Timestamp>,
    /// Reference to the tenant authorization; `None` means nobody has consented yet.
    #[serde(default)]
    pub orglink: Option<String>,
    #[serde(default)]
    pub retention: Option<String>,
    #[serde(default)]
    pub deletion_deadline: Option<Timestamp>,
    /// The person who made it.
    #[serde(default)]
    pub created_by: Option<String>,
    /// Logins that were let in besides.
    #[serde(default)]
    pub access: Vec<String>,
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
    /// Who signed in for it; `None` means nobody.
    #[serde(default)]
    pub authorization: Option<Authorization>,
    /// Health said by the control API instead of the one that follows from the rest.
    #[serde(default)]
    pub health: Option<Health>,
    #[serde(default)]
    pub snapshots: Vec<Snapshot>,
    #[serde(default)]
    pub jobs: Vec<Job>,
    /// Reads that have seen it, for `first_backup_after_reads`.
    #[serde(skip)]
    pub reads: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Authorization {
    pub tenant: String,
    /// Object id of the service account that consented.
    pub user: String,
    pub time: Timestamp,
    #[serde(default = "always")]
    pub valid: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Health {
    pub state: String,
    pub reason: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    pub time: Timestamp,
    #[serde(default = "always")]
    pub complete: bool,
    #[serde(default = "some_bytes")]
    pub size: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    #[serde(default)]
    pub id: String,
    #[serde(default = "backup")]
    pub kind: String,
    #[serde(default)]
    pub description: String,
    pub scheduled: Timestamp,
    #[serde(default)]
    pub started: Option<Timestamp>,
    #[serde(default)]
    pub ended: Option<Timestamp>,
    /// successful, unsuccessful, incomplete, cancelled (keepit.md §2.5); `None` while it runs or waits.
    #[serde(default)]
    pub state: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resource {
    pub name: String,
    #[serde(rename = "type", default = "counter")]
    pub kind: String,
    #[serde(default)]
    pub limit: Option<u64>,
    #[serde(default)]
    pub usage: Option<u64>,
}

fn master() -> String {
    "MasterAdmin".into()
}

fn backup() -> String {
    "backup".into()
}

fn counter() -> String {
    "counter".into()
}

fn some_bytes() -> u64 {
    52_428_800
}

impl Region {
    pub fn host(&self) -> String {
        format!("{}.keepit.com", self.region)
    }
}

impl Account {
    pub fn token(&self, login: &str) -> Option<&Token> {
        self.tokens.iter().find(|token| token.login.eq_ignore_ascii_case(login))
    }

    pub fn connector(&self, key: &str) -> Option<&Connector> {
        self.connectors.iter().find(|it| it.id.eq_ignore_ascii_case(key) || it.name == key)
    }

    pub fn connector_mut(&mut self, key: &str) -> Option<&mut Connector> {
        self.connectors.iter_mut().find(|it| it.id.eq_ignore_ascii_case(key) || it.name == key)
    }
}

impl Connector {
    /// Master, Compliance and Audit Admins see every connector, others what they made or were let into (keepit.md §1 "ACL model").
    pub fn visible_to(&self, token: &Token) -> bool {
        let person = token.owner.as_deref().unwrap_or(&token.login);
        let named = |login: &String| login.eq_ignore_ascii_case(person) || login.eq_ignore_ascii_case(&token.login);
        matches!(token.role.as_str(), "MasterAdmin" | "ComplianceAdmin" | "AuditAdmin")
            || self.created_by.as_ref().is_some_and(named)
            || self.access.iter().any(named)
    }

    pub fn running_job(&mut self) -> Option<&mut Job> {
        self.jobs.iter_mut().find(|job| job.state.is_none())
    }

    /// Its configuration was saved: nothing is backed up before that (keepit.md §2.5). What has been backed up was configured.
    pub fn is_configured(&self) -> bool {
        let saved = |name: &str| self.attributes.contains_key(name);
        saved("ng_backup_config") || saved("backup_config") || !self.snapshots.is_empty()
    }

    /// A dead authorization is critical at once [G: keepit.md §6 question 11], a connector nobody finished is pending, and after 24 and 48 hours
    /// without a backup health goes down (keepit.md §2.4).
    pub fn health(&self, authorized: bool, now: Timestamp) -> Health {
        let health = |state: &str, reason: &str| Health { state: state.into(), reason: reason.into() };
        if let Some(said) = &self.health {
            return said.clone();
        }
        if self.authorization.is_none() || !self.is_configured() {
            return health("unhealthy", "INITIAL_CONFIGURATION_PENDING");
        }
        if !authorized {
            return health("critical", "BADTOKEN");
        }
        let Some(since) = self.snapshots.iter().map(|it| it.time).max().max(self.created) else {
            return health("healthy", "OK");
        };
        let active = self.jobs.iter().any(|job| job.state.is_none());
        let age = now.duration_since(since);
        if active || age < SignedDuration::from_hours(24) {
            health("healthy", "OK")
        } else if age < SignedDuration::from_hours(48) {
            health("unhealthy", "NOCHECKIN")
        } else {
            health("critical", "NOCHECKIN")
        }
    }
}
