//! Who is meant by a name in a tenant, and what do they really hold?

use super::directory::{App, Group, Sku, Tenant};
use super::people::{License, LicenseState, User};

impl Tenant {
    /// By object id or principal name, as `GET /users/{id|upn}` takes it.
    pub fn user(&self, key: &str) -> Option<&User> {
        self.users
            .iter()
            .find(|user| user.id.eq_ignore_ascii_case(key) || user.principal_name.eq_ignore_ascii_case(key))
    }

    pub fn user_mut(&mut self, key: &str) -> Option<&mut User> {
        self.users
            .iter_mut()
            .find(|user| user.id.eq_ignore_ascii_case(key) || user.principal_name.eq_ignore_ascii_case(key))
    }

    pub fn group(&self, key: &str) -> Option<&Group> {
        self.groups.iter().find(|group| group.id.eq_ignore_ascii_case(key) || group.name.eq_ignore_ascii_case(key))
    }

    pub fn app(&self, client_id: &str) -> Option<&App> {
        self.apps.iter().find(|app| app.client_id.eq_ignore_ascii_case(client_id))
    }

    pub fn app_mut(&mut self, client_id: &str) -> Option<&mut App> {
        self.apps.iter_mut().find(|app| app.client_id.eq_ignore_ascii_case(client_id))
    }

    pub fn sku(&self, key: &str) -> Option<&Sku> {
        self.skus.iter().find(|sku| sku.id.eq_ignore_ascii_case(key) || sku.part_number.eq_ignore_ascii_case(key))
    }

    /// The object id of a user, group or service principal named in whatever way.
    pub fn principal(&self, key: &str) -> Option<String> {
        let app = || {
            self.apps.iter().find(|app| {
                [&app.service_principal_id, &app.client_id, &app.name]
                    .into_iter()
                    .any(|name| name.eq_ignore_ascii_case(key))
            })
        };
        self.user(key)
            .map(|user| user.id.clone())
            .or_else(|| self.group(key).map(|group| group.id.clone()))
            .or_else(|| app().map(|app| app.service_principal_id.clone()))
    }

    /// The id of a directory role named in whatever way.
    pub fn role_id(&self, key: &str) -> Option<String> {
        let custom = || {
            self.custom_roles
                .iter()
                .find(|role| role.id.eq_ignore_ascii_case(key) || role.name.eq_ignore_ascii_case(key))
        };
        crate::catalog::directory_role(key).map(str::to_owned).or_else(|| custom().map(|role| role.id.clone()))
    }

    /// Groups that the object is in, directly or through other groups.
    pub fn groups_of(&self, id: &str) -> Vec<&Group> {
        let mut found: Vec<&Group> = Vec::new();
        let mut wave = vec![id.to_owned()];
        while let Some(member) = wave.pop() {
            for group in
                self.groups.iter().filter(|group| group.members.iter().any(|it| it.eq_ignore_ascii_case(&member)))
            {
                if !found.iter().any(|known| known.id == group.id) {
                    found.push(group);
                    wave.push(group.id.clone());
                }
            }
        }
        found
    }

    /// Does the object hold the role over the whole tenant, itself or through a group? The truth, without lag.
    pub fn holds(&self, id: &str, role: &str) -> bool {
        let mut principals = vec![id];
        principals.extend(self.groups_of(id).iter().map(|group| group.id.as_str()));
        self.role_assignments.iter().any(|it| {
            it.lag.is_real()
                && it.scope == "/"
                && it.role.eq_ignore_ascii_case(role)
                && principals.contains(&it.principal.as_str())
        })
    }

    pub fn has_premium_p1(&self) -> bool {
        self.premium_p1 || self.premium_p2
    }

    /// Ids of the service plans a user can use.
    pub fn usable_plans(&self, user: &User) -> Vec<String> {
        let extra = user.extra_plans.iter().filter(|plan| usable(&plan.status)).map(|plan| plan.id.clone());
        let licensed = user.held_licenses().filter(|license| usable(&license.status)).flat_map(|license| {
            let plans = self.sku(&license.sku).map(|sku| sku.plans.as_slice()).unwrap_or_default();
            plans
                .iter()
                .map(|plan| plan.id.clone())
                .filter(|id| !license.disabled_plans.iter().any(|off| off.eq_ignore_ascii_case(id)))
        });
        licensed.chain(extra).collect()
    }

    /// A licence that Dynamics 365 accepts (microsoft.md §1.6).
    pub fn has_dynamics_license(&self, user: &User) -> bool {
        let by_sku = user.held_licenses().any(|license| crate::catalog::DYNAMICS_SKUS.contains(&license.sku.as_str()));
        by_sku
            || self
                .usable_plans(user)
                .iter()
                .any(|plan| crate::catalog::DYNAMICS_PLANS.contains(&plan.to_lowercase().as_str()))
    }
}

impl User {
    /// Licences whose assignment did not fail.
    pub fn held_licenses(&self) -> impl Iterator<Item = &License> {
        self.licenses
            .iter()
            .filter(|license| matches!(license.state, LicenseState::Active | LicenseState::ActiveWithError))
    }
}

impl License {
    /// As an administrator assigns it: to the user themselves, with all plans.
    pub fn direct(sku: &str) -> Self {
        Self {
            sku: sku.into(),
            disabled_plans: Vec::new(),
            by_group: None,
            state: LicenseState::Active,
            error: None,
            status: "Enabled".into(),
        }
    }
}

/// `Warning` is the grace period: still usable (microsoft.md §1.5).
fn usable(status: &str) -> bool {
    matches!(status, "Enabled" | "Warning")
}
