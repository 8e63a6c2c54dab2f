//! Everything that is read at Microsoft for one policy, and nothing that no rule of it asks for. [io]

use std::collections::BTreeMap;
use std::time::Duration;

use futures::StreamExt;

use super::environments;
use super::needs::Needs;
use crate::api::policy::Account;
use crate::api::{Reason, ServiceAccountPolicy};
use crate::fault::{Fault, Kind};
use crate::runtime::Problem;
use crate::seen::Seen;
use crate::tenant::Tenant;
use crate::tenant::calls::For;
use crate::tenant::facts::{Access, AccountFacts, Application, Environment, SecondFactor, Who};

/// Environments are asked side by side, but not all at once.
const AT_ONCE: usize = 8;

/// What is known of the account. It is looked up by name; the id that is found or pinned asks for the rest. And what
/// `spec.environments` names in vain.
pub async fn look(
    policy: &ServiceAccountPolicy,
    tenant: &Tenant,
    needs: &Needs,
    max_age: Duration,
) -> (AccountFacts, Result<(), Problem>) {
    let user = match &policy.spec.account {
        Account::User(declared) => tenant.user(&declared.principal_name, max_age).await,
        Account::Application(_) => not_asked(),
    };
    let id = match &user {
        Seen::Known(Some(user)) => Ok(user.id.clone()),
        Seen::Known(None) => Err(Fault::new(Kind::NotFound, "The tenant has no such user")),
        Seen::Unknown(fault) => policy.spec.account.pin().ok_or_else(|| fault.clone()),
    };
    let asking = Asking { policy, tenant, needs, max_age, id: &id };
    let (roles, schedule, another_global_administrator, subscribed, second_factor, applications, environments) = futures::join!(
        asking.of_account(For::Roles, |id| tenant.roles(id, max_age)),
        asking.of_account(For::Roles, |id| tenant.schedule(id, max_age)),
        asking.of_account(For::OtherAdministrators, |id| tenant.another_global_administrator(id, max_age)),
        asking.subscribed(),
        asking.second_factor(),
        asking.applications(),
        asking.environments(),
    );
    let Surroundings { environments, without_dataverse, selection } = environments;
    let is_application = matches!(policy.spec.account, Account::Application(_));
    let facts = AccountFacts {
        is_application,
        user,
        roles,
        schedule,
        another_global_administrator,
        subscribed,
        second_factor,
        applications,
        environments,
        without_dataverse,
    };
    (facts, selection)
}

fn not_asked<T>() -> Seen<T> {
    Seen::Unknown(Fault::new(Kind::Bug, "No rule of the policy asks for it"))
}

/// What is seen of the environments.
struct Surroundings {
    environments: Seen<BTreeMap<String, (Environment, Seen<Access>)>>,
    without_dataverse: Vec<String>,
    selection: Result<(), Problem>,
}

struct Asking<'a> {
    policy: &'a ServiceAccountPolicy,
    tenant: &'a Tenant,
    needs: &'a Needs,
    max_age: Duration,
    id: &'a Result<String, Fault>,
}

impl Asking<'_> {
    /// Something about a user, if it is needed and the user is known by its id.
    async fn of_account<'b, T, F>(&'b self, needed_for: For, read: impl FnOnce(&'b str) -> F) -> Seen<T>
    where
        F: Future<Output = Seen<T>>,
    {
        if !self.needs.has(needed_for) || matches!(self.policy.spec.account, Account::Application(_)) {
            return not_asked();
        }
        match self.id {
            Ok(id) => read(id).await,
            Err(fault) => Seen::Unknown(fault.clone()),
        }
    }

    async fn subscribed(&self) -> Seen<std::sync::Arc<[crate::tenant::facts::Subscribed]>> {
        if self.needs.has(For::Subscriptions) { self.tenant.subscribed(self.max_age).await } else { not_asked() }
    }

    async fn second_factor(&self) -> SecondFactor {
        let (tenant, max_age) = (self.tenant, self.max_age);
        let wanted = self.needs.has(For::SecondFactor);
        let of_tenant = async {
            if !wanted {
                return (not_asked(), not_asked());
            }
            futures::join!(tenant.security_defaults(max_age), tenant.factor_policies(max_age))
        };
        // The groups decide over conditional access, and over who is let into an environment.
        let groups_for = if wanted { For::SecondFactor } else { For::Access };
        let (per_user, groups, (security_defaults, policies)) = futures::join!(
            self.of_account(For::SecondFactor, |id| tenant.per_user_factor(id, max_age)),
            self.of_account(groups_for, |id| tenant.groups(id, max_age)),
            of_tenant,
        );
        SecondFactor { per_user, security_defaults, policies, groups }
    }

    async fn applications(&self) -> BTreeMap<String, Seen<Option<Application>>> {
        let user = match (&self.policy.spec.account, self.id) {
            (Account::User(_), Ok(id)) => Some(id.as_str()),
            _ => None,
        };
        let asked = self
            .needs
            .applications
            .iter()
            .map(|app| async move { (app.clone(), self.tenant.application(app, user, self.max_age).await) });
        futures::future::join_all(asked).await.into_iter().collect()
    }

    async fn environments(&self) -> Surroundings {
        let unseen = |environments| Surroundings { environments, without_dataverse: Vec::new(), selection: Ok(()) };
        if !self.needs.has(For::Environments) {
            return unseen(not_asked());
        }
        let all = match self.tenant.environments(self.max_age).await {
            Seen::Known(all) => all,
            Seen::Unknown(fault) => return unseen(Seen::Unknown(fault)),
        };
        match environments::select(&all, self.policy.spec.environments.as_ref(), "the tenant's") {
            Ok(selected) => Surroundings {
                environments: Seen::Known(self.access(selected.taken).await),
                without_dataverse: selected.without_dataverse.iter().map(|it| it.name.clone()).collect(),
                selection: Ok(()),
            },
            Err(sentence) => Surroundings {
                environments: Seen::Known(BTreeMap::new()),
                without_dataverse: Vec::new(),
                selection: Err(Problem::wrong("Ready", Reason::EnvironmentNotFound, sentence)),
            },
        }
    }

    async fn access(&self, selected: Vec<&Environment>) -> BTreeMap<String, (Environment, Seen<Access>)> {
        let who = match (&self.policy.spec.account, self.id) {
            (Account::Application(app), _) => Ok(Who::Application(app.client_id.to_ascii_lowercase())),
            (Account::User(_), Ok(id)) => Ok(Who::User(id.clone())),
            (Account::User(_), Err(fault)) => Err(fault.clone()),
        };
        let who = &who;
        let asked = selected.into_iter().cloned().map(|environment| async move {
            let access = match who {
                Ok(who) => self.tenant.access(&environment, who, &self.needs.access, self.max_age).await,
                Err(fault) => Seen::Unknown(fault.clone()),
            };
            (environment.id.clone(), (environment, access))
        });
        futures::stream::iter(asked).buffer_unordered(AT_ONCE).collect().await
    }
}
