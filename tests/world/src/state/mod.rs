//! What is true in a world right now?

mod avepoint;
mod clouds;
mod consent;
mod directory;
mod elevation;
mod held;
mod keepit;
mod meters;
mod people;
mod power;
mod privileges;
mod protection;
mod settle;
mod switches;
mod tables;

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub use avepoint::{
    AUDIT_SCOPE, AosTenant, AuditNextLink, AuditRow, AvePointSwitches, Counts, DYNAMICS_SCOPE, DynamicsJob, ErrorBody,
    JobOrder, JobStatus, JobWindow, MODERN_APP, MODERN_APP_NAME, Organization, OrganizationId, Product, Profile,
    ProfileKind, Registration, RunningJobs, avepoint_hosts, canonical_scopes, consents_missing, in_organization,
    is_delegated, is_known_scope, job_id, of_graph_host, of_profile, why_not_offered,
};
pub use clouds::Hosts;
pub use consent::{AppAssignment, Consent, ServicePrincipal, VendorApp};
pub use directory::{App, AppSecret, Certificate, FederatedCredential, RoleAssignment, Sku, Tenant};
pub use elevation::{Eligibility, RolePolicy};
pub use keepit::{Account, Authorization, Connector, Health, Job, Region, Snapshot, Token};
pub use meters::{Limit, Meters};
pub use people::{License, LicenseState, SignIns, User};
pub use power::{Environment, HeldRole, Runtime, SecurityRole, SystemUser, is_service_administrator, why_not_added};
pub use privileges::{Depth, Privilege, greatest, privilege_id};
pub use protection::{AccessPolicy, PerUserMfa, PolicyState};
pub use settle::{link_organization, settle_environment};
pub use switches::{Approval, GroupSchedules, InVain, Lag, Rule, Switches};
pub use tables::{OF_NEW_ROLES, Ownership, Table, standard};

/// A world as it is written in a file, and as it is while it runs.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    pub tenants: Vec<Tenant>,
    #[serde(default)]
    pub keepit: Vec<Region>,
    #[serde(default)]
    pub avepoint: Vec<AosTenant>,
    #[serde(default)]
    pub hosts: Hosts,
    #[serde(default)]
    pub switches: Switches,
    /// Access tokens handed out.
    #[serde(skip)]
    pub issued: HashMap<String, Issued>,
    #[serde(skip)]
    pub meters: Meters,
    /// How far the world's clock is ahead of ours (control action `advance`).
    #[serde(skip)]
    pub ahead: SignedDuration,
}

/// What the world knows of an access token.
#[derive(Clone, Debug)]
pub struct Issued {
    pub tenant: String,
    pub client_id: String,
    /// Without a trailing slash.
    pub audience: String,
    pub expires: Timestamp,
    /// Graph permissions at the time of issue.
    pub permissions: Vec<String>,
}

/// A secret: comparable, never shown.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// All that Graph shows of a secret (`passwordCredential.hint`).
    pub fn hint(&self) -> String {
        self.0.chars().take(3).collect()
    }

    pub fn is(&self, value: &str) -> bool {
        self.0 == value
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("***")
    }
}

fn always() -> bool {
    true
}

/// Which service answers under a host name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    Login,
    Graph,
    Bap,
    /// Tenant and environment by position.
    Dataverse(usize, usize),
    /// Region by position.
    Keepit(usize),
    AvePointIdentity,
    AvePointGraph,
}

impl State {
    /// Reads a world file and makes every reference in it an id.
    pub fn from_yaml(yaml: &str) -> Result<Self, String> {
        let mut state: Self = serde_yaml::from_str(yaml).map_err(|error| error.to_string())?;
        settle::settle(&mut state)?;
        state.pass_time();
        Ok(state)
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::now().checked_add(self.ahead).unwrap_or_else(|_| Timestamp::now())
    }

    /// What was due by now has happened: roles first, since backups depend on who may what.
    pub fn pass_time(&mut self) {
        self.pass_roles();
        self.run_dynamics_backups();
    }

    /// The service behind a host, if this world has it.
    pub fn service(&self, host: &str) -> Option<Service> {
        let host = host.to_ascii_lowercase();
        let fixed =
            [(&self.hosts.login, Service::Login), (&self.hosts.graph, Service::Graph), (&self.hosts.bap, Service::Bap)];
        if let Some((_, service)) = fixed.into_iter().find(|(name, _)| **name == host) {
            return Some(service);
        }
        if let Some(region) = self.keepit.iter().position(|region| region.host() == host) {
            return Some(Service::Keepit(region));
        }
        // Every data center is there as soon as somebody is a customer of AvePoint: a client may ask at the wrong one.
        if !self.avepoint.is_empty() {
            if avepoint::is_identity_host(&host) {
                return Some(Service::AvePointIdentity);
            }
            if avepoint::of_graph_host(&host).is_some() {
                return Some(Service::AvePointGraph);
            }
        }
        self.tenants.iter().enumerate().find_map(|(t, tenant)| {
            let environment = tenant.environments.iter().position(|environment| {
                environment.host.as_ref().is_some_and(|name| *name == host || api_host(name) == host)
            })?;
            Some(Service::Dataverse(t, environment))
        })
    }

    /// By id or verified domain.
    pub fn tenant(&self, key: &str) -> Option<&Tenant> {
        self.tenants.iter().find(|tenant| is_tenant(tenant, key))
    }

    pub fn tenant_mut(&mut self, key: &str) -> Option<&mut Tenant> {
        self.tenants.iter_mut().find(|tenant| is_tenant(tenant, key))
    }
}

fn is_tenant(tenant: &Tenant, key: &str) -> bool {
    tenant.id.eq_ignore_ascii_case(key) || tenant.domains.iter().any(|domain| domain.eq_ignore_ascii_case(key))
}

/// The `.api.` host of an organization (microsoft.md §2.2).
pub fn api_host(host: &str) -> String {
    let (name, rest) = host.split_once('.').unwrap_or((host, ""));
    format!("{name}.api.{rest}")
}
