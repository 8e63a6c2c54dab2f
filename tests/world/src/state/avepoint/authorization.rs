//! Does AvePoint still get into the Microsoft tenant, and if not, why? (facts: avepoint-fluentpro §3)

use jiff::Timestamp;

use super::{AvePointSwitches, CustomPermissions, Organization, Profile, ProfileKind};
use crate::catalog::{DYNAMICS_365_ADMINISTRATOR, GLOBAL_ADMINISTRATOR, resource};
use crate::state::{Environment, Runtime, SystemUser, Tenant, User};

/// Why an authorization is broken: App management shows *Invalid*, people get an e-mail, no API says it.
pub type Broken = &'static str;

/// What is wrong with a profile in the whole tenant; `None` is *Active*.
pub fn of_profile(
    tenant: Option<&Tenant>,
    profile: &Profile,
    switches: &AvePointSwitches,
    now: Timestamp,
) -> Option<Broken> {
    let Some(tenant) = tenant else {
        return Some("the Microsoft tenant is not connected");
    };
    if profile.kind == ProfileKind::ServiceAccount {
        return of_user(tenant, profile);
    }
    let app = profile.app.as_deref().and_then(|key| tenant.service_principal(key));
    let Some(app) = app else {
        return Some("the app is not in the Microsoft tenant");
    };
    if !app.enabled {
        return Some("the app is blocked in the Microsoft tenant");
    }
    if profile.certificate_expires.is_some_and(|end| end <= now) {
        return Some("the certificate of the custom app has expired");
    }
    if !is_delegated(profile, switches) {
        return None;
    }
    if !consents_missing(tenant, &app.id).is_empty() {
        return Some("the consent was withdrawn");
    }
    of_user(tenant, profile)
}

/// By its permission list the modern app acts for the person who consented; for a custom one the pages disagree (§3, §7 question 7).
pub fn is_delegated(profile: &Profile, switches: &AvePointSwitches) -> bool {
    match profile.kind {
        ProfileKind::ServiceAccount => false,
        ProfileKind::Modern => true,
        ProfileKind::Custom => switches.custom_permissions == CustomPermissions::Delegated,
    }
}

/// Delegated permissions of the table in §3 that nobody has consented to for all: (resource, scope).
pub fn consents_missing(tenant: &Tenant, service_principal: &str) -> Vec<(&'static str, &'static str)> {
    let granted = |api: &str, scope: &str| {
        let api = tenant.service_principal(api).map(|it| it.id);
        tenant.consents.iter().any(|it| {
            it.app == service_principal
                && Some(&it.resource) == api.as_ref()
                && it.user.is_none()
                && it.scopes.iter().any(|held| held.eq_ignore_ascii_case(scope))
        })
    };
    [("Microsoft Graph", "User.Read"), ("Dynamics CRM", "user_impersonation")]
        .into_iter()
        .filter(|(api, scope)| !granted(api, scope))
        .collect()
}

/// The table of §3 "When it turns Invalid": losing a directory role does nothing.
fn of_user(tenant: &Tenant, profile: &Profile) -> Option<Broken> {
    let Some(user) = tenant.user(&profile.user) else {
        return Some("the user was deleted");
    };
    if !user.enabled {
        return Some("the user is disabled");
    }
    if user.last_password_change > profile.authorized {
        return Some("the password of the user was changed");
    }
    let since_unsupported = profile.kind == ProfileKind::ServiceAccount || !profile.second_factor_then;
    if since_unsupported && tenant.asks_second_factor(user) {
        return Some("a second factor is asked of the user");
    }
    // Which licenses the table means is not said; that of Dynamics 365 is what the product asks for [I].
    let was_licensed = profile.kind == ProfileKind::ServiceAccount || profile.licensed_then;
    (was_licensed && !tenant.has_dynamics_license(user)).then_some("the user has no Dynamics 365 license")
}

/// What is wrong in one organization, when the profile itself is fine.
pub fn in_organization(tenant: &Tenant, organization: &Organization, profile: &Profile) -> Option<Broken> {
    let environment = tenant.environments.iter().find(|it| it.id == organization.environment);
    let Some(environment) = environment else {
        return Some("the environment is gone");
    };
    if environment.runtime == Runtime::Disabled {
        return Some("the environment is disabled");
    }
    let (row, missing, weak) = match (profile.kind, profile.app.as_deref()) {
        (ProfileKind::ServiceAccount, _) | (_, None) => (
            row_of(environment, |row| row.user.as_deref() == Some(&profile.user)),
            "the service account is not in the environment",
            "the service account is not System Administrator of the environment",
        ),
        (_, Some(app)) => (
            environment.row_of_app(app),
            "the app is no application user of the environment",
            "the application user is not System Administrator of the environment",
        ),
    };
    let Some(row) = row else {
        return Some(missing);
    };
    if environment.disabled_because(tenant, row).is_some() {
        return Some("its user is disabled in the environment");
    }
    (!environment.is_system_administrator(tenant, row)).then_some(weak)
}

fn row_of(environment: &Environment, is: impl Fn(&SystemUser) -> bool) -> Option<&SystemUser> {
    environment.users.iter().find(|row| row.lag.is_real() && !row.deleted && is(row))
}

/// Why Scan settings do not show this service account, although it can sign in: license and second factor are those of its profile
/// (seed 004 "scan using service account authentication").
pub fn why_not_offered(tenant: &Tenant, user: &User) -> Option<Broken> {
    let held = [GLOBAL_ADMINISTRATOR, DYNAMICS_365_ADMINISTRATOR].into_iter().any(|role| tenant.holds(&user.id, role));
    (!held).then_some("it has neither the Global Administrator nor the Dynamics 365 Service Administrator role")
}

impl Tenant {
    /// Would a sign-in of this user at Dataverse be asked for a second factor: per-user MFA, security defaults, Conditional Access?
    pub fn asks_second_factor(&self, user: &User) -> bool {
        let dataverse = resource("Dataverse").map(|it| it.app_id).unwrap_or_default();
        let groups: Vec<&str> = self.groups_of(&user.id).iter().map(|group| group.id.as_str()).collect();
        let names = |list: &[String], name: &str| list.iter().any(|it| it == name);
        let any_group = |list: &[String]| groups.iter().any(|id| names(list, id));
        let any_role = |list: &[String]| list.iter().any(|role| self.holds(&user.id, role));
        let by_policy = self.conditional_access.iter().any(|it| {
            let included = names(&it.include_users, "All")
                || names(&it.include_users, &user.id)
                || any_group(&it.include_groups)
                || any_role(&it.include_roles);
            let excluded =
                names(&it.exclude_users, &user.id) || any_group(&it.exclude_groups) || any_role(&it.exclude_roles);
            let here = names(&it.include_applications, "All") || names(&it.include_applications, dataverse);
            it.state == crate::state::PolicyState::Enabled
                && (names(&it.controls, "mfa") || it.strength.is_some())
                && included
                && !excluded
                && here
                && !names(&it.exclude_applications, dataverse)
        });
        by_policy || self.security_defaults || user.mfa != crate::state::PerUserMfa::Disabled
    }
}
