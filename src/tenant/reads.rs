//! What is read of a tenant: each thing once, for all who ask, and no older than who asks accepts.

use std::sync::Arc;
use std::time::Duration;

use super::facts::{
    Access, AccessWanted, AppCredential, Application, Environment, FactorPolicy, Group, HeldRole, Resource, Schedule,
    Subscribed, TablesWanted, User, Who,
};
use super::tables::{self, Definitions};
use super::{Tenant, consent, credentials, dataverse, factor, graph, powerplatform, schedule};
use crate::cache::{Keyed, Shared};
use crate::fault::{Fault, Kind};
use crate::seen::Seen;

/// Who is looked up, where, and which tables are asked about.
type AccessKey = (String, Who, AccessWanted);

/// All that was read.
#[derive(Debug, Default)]
pub struct Reads {
    environments: Shared<Arc<[Environment]>>,
    subscribed: Shared<Arc<[Subscribed]>>,
    security_defaults: Shared<bool>,
    factor_policies: Shared<Arc<[FactorPolicy]>>,
    resources: Keyed<&'static str, Shared<Option<String>>>,
    others: Keyed<String, Shared<bool>>,
    users: Keyed<String, Shared<Option<User>>>,
    groups: Keyed<String, Shared<Arc<[Group]>>>,
    roles: Keyed<String, Shared<Arc<[HeldRole]>>>,
    schedules: Keyed<String, Shared<Schedule>>,
    per_user: Keyed<String, Shared<bool>>,
    applications: Keyed<(String, Option<String>), Shared<Option<Application>>>,
    credentials: Keyed<String, Shared<Option<Arc<[AppCredential]>>>>,
    access: Keyed<AccessKey, Shared<Access>>,
    definitions: Keyed<(String, Vec<String>, bool), Shared<Arc<Definitions>>>,
}

/// Ids of Microsoft's own services in a tenant never change.
const LASTING: Duration = Duration::from_hours(24);
/// Tables seldom come and go; a new one is noticed after this long.
const TABLES: Duration = Duration::from_hours(1);
/// When credentials end seldom changes, and is told a month ahead; an app that may not read it is not refused more often.
const CREDENTIALS: Duration = Duration::from_hours(1);
/// What could not be read of these is tried again sooner.
const NOT_LASTING: Duration = Duration::from_secs(30);

impl Tenant {
    /// The user under this principal name or object id; `None`: the tenant has none.
    pub async fn user(&self, name: &str, max_age: Duration) -> Seen<Option<User>> {
        let shared = self.reads.users.get(name.to_ascii_lowercase(), Shared::default);
        shared.get(max_age, async { graph::user(self, name).await.into() }).await
    }

    /// All groups that the user is in.
    pub async fn groups(&self, user: &str, max_age: Duration) -> Seen<Arc<[Group]>> {
        let shared = self.reads.groups.get(user.to_owned(), Shared::default);
        shared.get(max_age, async { graph::groups(self, user).await.into() }).await
    }

    /// The directory roles that the user holds at "/", directly and through role-assignable groups.
    pub async fn roles(&self, user: &str, max_age: Duration) -> Seen<Arc<[HeldRole]>> {
        let shared = self.reads.roles.get(user.to_owned(), Shared::default);
        let read = async {
            match self.groups(user, max_age).await {
                Seen::Known(groups) => graph::roles(self, user, &groups).await.into(),
                Seen::Unknown(fault) => Seen::Unknown(fault),
            }
        };
        shared.get(max_age, read).await
    }

    /// The directory roles that the user holds for a time, or could activate.
    pub async fn schedule(&self, user: &str, max_age: Duration) -> Seen<Schedule> {
        let shared = self.reads.schedules.get(user.to_owned(), Shared::default);
        shared.get(max_age, async { schedule::schedule(self, user).await.into() }).await
    }

    /// Whether a user other than this one holds Global Administrator at "/" for good, and can sign in.
    pub async fn another_global_administrator(&self, user: &str, max_age: Duration) -> Seen<bool> {
        let shared = self.reads.others.get(user.to_owned(), Shared::default);
        let beside = [user.to_owned()];
        shared.get(max_age, async { graph::another_global_administrator(self, &beside).await.into() }).await
    }

    /// The same, read now, with more than one left out of account.
    ///
    /// # Errors
    /// As Microsoft Graph says.
    pub async fn another_global_administrator_beside(&self, users: &[String]) -> Result<bool, Fault> {
        graph::another_global_administrator(self, users).await
    }

    /// The subscriptions of the tenant.
    pub async fn subscribed(&self, max_age: Duration) -> Seen<Arc<[Subscribed]>> {
        self.reads.subscribed.get(max_age, async { graph::subscribed(self).await.into() }).await
    }

    /// Whether per-user MFA is on for the user.
    pub async fn per_user_factor(&self, user: &str, max_age: Duration) -> Seen<bool> {
        let shared = self.reads.per_user.get(user.to_owned(), Shared::default);
        shared.get(max_age, async { factor::per_user(self, user).await.into() }).await
    }

    /// Whether security defaults are on.
    pub async fn security_defaults(&self, max_age: Duration) -> Seen<bool> {
        self.reads.security_defaults.get(max_age, async { factor::security_defaults(self).await.into() }).await
    }

    /// Conditional access policies that are on and ask for a second factor.
    pub async fn factor_policies(&self, max_age: Duration) -> Seen<Arc<[FactorPolicy]>> {
        self.reads.factor_policies.get(max_age, async { factor::policies(self).await.into() }).await
    }

    /// The app under this client id, with what was consented to for everybody and for this user; `None`: the tenant does not
    /// have it.
    pub async fn application(
        &self,
        client_id: &str,
        user: Option<&str>,
        max_age: Duration,
    ) -> Seen<Option<Application>> {
        let key = (client_id.to_owned(), user.map(str::to_owned));
        let shared = self.reads.applications.get(key, Shared::default);
        shared.get(max_age, async { consent::application(self, client_id, user).await.into() }).await
    }

    /// The credentials of an app registration.
    /// `None`: the app may not read them.
    pub(super) async fn app_credentials(&self, client_id: &str) -> Seen<Option<Arc<[AppCredential]>>> {
        let shared = self.reads.credentials.get(client_id.to_ascii_lowercase(), Shared::default);
        let read = async {
            match credentials::of_app(self, client_id).await {
                Ok(all) => Seen::Known(Some(Arc::from(all))),
                // Nobody has to let it: nothing is known then, for as long as anything else would be.
                Err(fault) if fault.kind == Kind::PermissionMissing => Seen::Known(None),
                Err(fault) => Seen::Unknown(fault),
            }
        };
        shared.get_lasting(CREDENTIALS, NOT_LASTING, read).await
    }

    /// The id of one of Microsoft's services in this tenant.
    pub(super) async fn resource(&self, resource: Resource) -> Result<Option<String>, Fault> {
        let shared = self.reads.resources.get(resource.name(), Shared::default);
        let read = async { consent::resource(self, resource).await.into() };
        shared.get_lasting(LASTING, NOT_LASTING, read).await.into_result()
    }

    /// The Power Platform environments of the tenant.
    pub async fn environments(&self, max_age: Duration) -> Seen<Arc<[Environment]>> {
        self.reads.environments.get(max_age, async { powerplatform::environments(self).await.into() }).await
    }

    /// What somebody is in an environment, and can do to the tables that are asked about.
    pub async fn access(
        &self,
        environment: &Environment,
        who: &Who,
        wanted: &AccessWanted,
        max_age: Duration,
    ) -> Seen<Access> {
        let key = (environment.id.clone(), who.clone(), wanted.clone());
        let shared = self.reads.access.get(key, Shared::default);
        shared.get(max_age, async { dataverse::access(self, environment, who, wanted).await.into() }).await
    }

    /// What an environment's metadata says of tables.
    pub(super) async fn definitions(
        &self,
        environment: &Environment,
        wanted: &TablesWanted,
    ) -> Result<Arc<Definitions>, Fault> {
        let key = (environment.id.clone(), wanted.names.clone(), wanted.related);
        let shared = self.reads.definitions.get(key, Shared::default);
        let read = async { tables::definitions(self, environment, wanted).await.map(Arc::new).into() };
        shared.get_lasting(TABLES, NOT_LASTING, read).await.into_result()
    }
}
