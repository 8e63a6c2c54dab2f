//! Microsoft, as far as a service account is concerned: typed facts out, steps in. Knows no Kubernetes.

mod batch;
pub mod calls;
pub mod centers;
pub mod cloud;
mod consent;
mod credentials;
mod dataverse;
mod factor;
pub mod facts;
mod graph;
mod limits;
pub mod parse;
mod powerplatform;
pub mod reader;
mod reads;
#[cfg(test)]
mod recorded;
mod refusal;
mod schedule;
mod signin;
mod tables;
mod timed;
mod transport;
mod wire;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::cache::Keyed;
use crate::fault::Fault;
use crate::http::Way;
use crate::seen::Seen;
pub use cloud::Cloud;
use facts::{Access, AppCredential, Environment, Who};
use signin::SignIn;
pub use signin::{Credential, Federated};
pub use timed::Requested;

/// Directory roles that the house knows, by Microsoft's template ids (facts/microsoft.md §1.1). No other role can be
/// assigned or removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DirectoryRole {
    /// Global Administrator.
    GlobalAdministrator,
    /// Dynamics 365 Administrator (once: Dynamics 365 Service Administrator).
    Dynamics365Administrator,
    /// Power Platform Administrator.
    PowerPlatformAdministrator,
}

impl DirectoryRole {
    /// The template id, which is the role definition's id, too.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::GlobalAdministrator => "62e90394-69f5-4237-9190-012177145e10",
            Self::Dynamics365Administrator => "44367163-eba1-44c3-98af-f5787879f96a",
            Self::PowerPlatformAdministrator => "11648597-926c-4cf3-9c36-bcebb0ba8dcc",
        }
    }

    /// The name, as Microsoft writes it today.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::GlobalAdministrator => "Global Administrator",
            Self::Dynamics365Administrator => "Dynamics 365 Administrator",
            Self::PowerPlatformAdministrator => "Power Platform Administrator",
        }
    }
}

/// One app registration at one tenant.
#[derive(Clone, Debug)]
pub struct App {
    /// Tenant id or verified domain.
    pub tenant: String,
    /// The cloud that the tenant is in.
    pub cloud: Cloud,
    /// Application (client) id.
    pub client_id: String,
    /// How it proves that it is itself.
    pub credential: Credential,
}

/// Who the operator is at a tenant, for what people are told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// The cloud that the tenant is in.
    pub cloud: Cloud,
    /// Tenant id or verified domain.
    pub tenant: String,
    /// Application (client) id.
    pub client_id: String,
}

/// All tenants that were signed in to, and what may be asked there.
#[derive(Debug, Default)]
pub struct Tenants {
    by_app: Keyed<signin::AppKey, Tenant>,
    // By tenant and app, whatever the app signs in with.
    own_limits: Keyed<(Cloud, String, String), limits::OfApp>,
    shared_limits: Keyed<(Cloud, String), limits::OfTenant>,
}

impl Tenants {
    /// What is left of each of Microsoft's budgets, at the tenant or environment that has least: from 0 to 1.
    pub fn budgets_left(&self) -> BTreeMap<&'static str, f64> {
        let (own, shared) = (self.own_limits.values(), self.shared_limits.values());
        let all = own.iter().flat_map(|it| it.left()).chain(shared.iter().flat_map(|it| it.left()));
        let mut least = BTreeMap::new();
        for (name, left) in all {
            let entry = least.entry(name).or_insert(left);
            *entry = left.min(*entry);
        }
        least
    }
}

/// What is shared by all policies that sign in with one app.
#[derive(Debug)]
pub struct Tenant {
    way: Way,
    own_limits: Arc<limits::OfApp>,
    shared_limits: Arc<limits::OfTenant>,
    cloud: Cloud,
    client_id: String,
    sign_in: SignIn,
    reads: reads::Reads,
}

/// The tenant of this app: the same one for everybody who presents the same credential.
pub fn of(tenants: &Tenants, way: &Way, app: &App) -> Arc<Tenant> {
    let (tenant, client_id) = (app.tenant.to_ascii_lowercase(), app.client_id.to_ascii_lowercase());
    // Asked for each time, so that what is in use is not forgotten.
    let own_limits = tenants.own_limits.get((app.cloud, tenant.clone(), client_id), Default::default);
    let shared_limits = tenants.shared_limits.get((app.cloud, tenant.clone()), Default::default);
    tenants.by_app.get(signin::AppKey::of(app), || {
        let way = way.on_behalf_of(&format!("{}/{tenant}", app.cloud.word()));
        Tenant::new(way, app, own_limits, shared_limits)
    })
}

impl Tenant {
    fn new(way: Way, app: &App, own_limits: Arc<limits::OfApp>, shared_limits: Arc<limits::OfTenant>) -> Self {
        Self {
            own_limits,
            shared_limits,
            sign_in: SignIn::new(way.clone(), app),
            way,
            cloud: app.cloud,
            client_id: app.client_id.clone(),
            reads: reads::Reads::default(),
        }
    }

    /// When the client secret that the operator signs in with ends; `None`: it signs in with something else, nothing tells, or the
    /// app may not read it.
    pub async fn own_credential_ends(&self) -> Seen<Option<jiff::Timestamp>> {
        let credential = self.sign_in.credential();
        match credential {
            Credential::Secret(_) => {
                let end = |all: &[AppCredential]| credentials::end_of(credential, all);
                self.app_credentials(&self.client_id).await.map(|all| all.as_deref().and_then(end))
            }
            Credential::Certificate(_) | Credential::Federated(_) => Seen::Known(None),
        }
    }

    /// When the last credential of another app ends; `None`: the app is registered elsewhere, has none, or may not be read.
    pub async fn app_credential_ends(&self, client_id: &str) -> Seen<Option<jiff::Timestamp>> {
        self.app_credentials(client_id).await.map(|all| all.as_deref().and_then(credentials::last_end))
    }

    /// Assigns a directory role at "/". Being assigned already is success, and told.
    ///
    /// # Errors
    /// As Microsoft Graph says.
    pub async fn add_role(&self, user: &str, role: DirectoryRole) -> Result<Requested, Fault> {
        graph::add_role(self, user, role).await
    }

    /// Removes one direct assignment by its id. Being gone already is success.
    ///
    /// # Errors
    /// As Microsoft Graph says.
    pub async fn remove_assignment(&self, assignment: &str) -> Result<(), Fault> {
        graph::remove_assignment(self, assignment).await
    }

    /// Assigns a directory role at "/" until then.
    ///
    /// # Errors
    /// As Microsoft Graph says; [`Kind::PremiumMissing`](crate::fault::Kind::PremiumMissing) without Microsoft Entra ID P2.
    pub async fn give_until(
        &self,
        user: &str,
        role: DirectoryRole,
        ends: jiff::Timestamp,
        justification: &str,
    ) -> Result<Requested, Fault> {
        timed::give(self, user, role, ends, justification).await
    }

    /// Ends a directory role that was assigned for a time. Being over already is success.
    ///
    /// # Errors
    /// As Microsoft Graph says; within the first five minutes it refuses.
    pub async fn end_early(&self, user: &str, role: DirectoryRole) -> Result<(), Fault> {
        timed::end(self, user, role).await
    }

    /// Makes this app a user of the environment, with System Administrator: Microsoft gives it that role.
    ///
    /// # Errors
    /// As the Power Platform says.
    pub async fn enroll_self(&self, environment: &Environment) -> Result<(), Fault> {
        powerplatform::add_app_user(self, environment, &self.client_id).await
    }

    /// Makes the account a user of the environment; an app gets System Administrator with it. Its row comes some time later.
    ///
    /// # Errors
    /// As the Power Platform says; [`Kind::NotLicensed`](crate::fault::Kind::NotLicensed) for minutes after a license was assigned.
    pub async fn add_to_environment(&self, environment: &Environment, who: &Who) -> Result<(), Fault> {
        match who {
            Who::User(id) => powerplatform::add_user(self, environment, id).await,
            Who::Application(id) => powerplatform::add_app_user(self, environment, id).await,
        }
    }

    /// Sets the access mode of a user of the environment to Read-Write.
    ///
    /// # Errors
    /// As Dataverse says.
    pub async fn set_read_write(&self, environment: &Environment, access: &Access) -> Result<(), Fault> {
        dataverse::set_read_write(self, environment, access).await
    }

    /// Assigns System Administrator to a user of the environment. Being assigned already is success.
    ///
    /// # Errors
    /// As Dataverse says.
    pub async fn add_system_administrator(&self, environment: &Environment, access: &Access) -> Result<(), Fault> {
        dataverse::add_system_administrator(self, environment, access).await
    }
}
