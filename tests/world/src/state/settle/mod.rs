//! How does a world file, written by name for people, become a state that knows only ids?

mod avepoint;
mod environment;
mod policies;
mod roles;

pub use avepoint::link as link_organization;
pub use environment::settle_environment;

use super::{Region, ServicePrincipal, State, Tenant};
use crate::ids::{guid_of, keepit_id_of};

/// Fills in what was left out and replaces names by ids; a name that leads nowhere is the error.
pub fn settle(state: &mut State) -> Result<(), String> {
    for tenant in &mut state.tenants {
        settle_tenant(tenant, &state.hosts.exchange_audience)?;
    }
    for region in &mut state.keepit {
        settle_region(region)?;
    }
    let now = state.now();
    for aos in &mut state.avepoint {
        avepoint::settle(aos, &state.tenants, &state.switches.avepoint, now)?;
    }
    let hosts = state.tenants.iter().flat_map(|tenant| &tenant.environments).filter_map(|it| it.host.as_ref());
    let mut seen = std::collections::HashSet::new();
    for host in hosts {
        if !seen.insert(host) {
            return Err(format!("two environments have the host {host}"));
        }
    }
    if !matches!(state.switches.duplicate_assignment, 400 | 409) {
        return Err("switches.duplicate_assignment must be 400 or 409".into());
    }
    Ok(())
}

fn settle_tenant(tenant: &mut Tenant, exchange_audience: &str) -> Result<(), String> {
    if tenant.domains.is_empty() {
        return Err(format!("tenant {} needs at least one domain", tenant.name));
    }
    let id = tenant.id.clone();
    for user in &mut tenant.users {
        fill(&mut user.id, || guid_of(&[&id, "user", &user.principal_name]));
        fill(&mut user.display_name, || user.principal_name.clone());
    }
    for group in &mut tenant.groups {
        fill(&mut group.id, || guid_of(&[&id, "group", &group.name]));
    }
    for app in &mut tenant.apps {
        fill(&mut app.object_id, || guid_of(&[&id, "application", &app.client_id]));
        fill(&mut app.service_principal_id, || guid_of(&[&id, "service principal", &app.client_id]));
        for credential in &mut app.federated {
            fill(&mut credential.audience, || exchange_audience.to_owned());
        }
    }
    for app in &mut tenant.vendor_apps {
        fill(&mut app.id, || guid_of(&[&id, "service principal", &app.app_id]));
        fill(&mut app.owner, || guid_of(&["vendor", &app.app_id]));
    }

    let whole = tenant.clone();
    let names = Names(&whole);
    for user in &mut tenant.users {
        for license in &mut user.licenses {
            license.sku = names.sku(&license.sku)?;
            if let Some(by) = &mut license.by_group {
                *by = names.group(by, "a licence")?;
            }
        }
    }
    for group in &mut tenant.groups {
        for member in &mut group.members {
            *member = names.principal(member, &format!("group {}", group.name))?;
        }
    }
    roles::settle(tenant, &names)?;
    policies::settle(tenant, &names)?;
    for environment in &mut tenant.environments {
        settle_environment(&whole, environment)?;
    }
    Ok(())
}

/// What a name means in a tenant; a name that leads nowhere is told with its place.
struct Names<'a>(&'a Tenant);

impl Names<'_> {
    fn principal(&self, key: &str, place: &str) -> Result<String, String> {
        self.0
            .principal(key)
            .ok_or_else(|| format!("{place} names {key:?}, which is no user, group or app of tenant {}", self.0.name))
    }

    fn group(&self, key: &str, place: &str) -> Result<String, String> {
        self.0
            .group(key)
            .map(|group| group.id.clone())
            .ok_or_else(|| format!("{place} names group {key:?}, which is not in tenant {}", self.0.name))
    }

    fn role(&self, key: &str, place: &str) -> Result<String, String> {
        self.0
            .role_id(key)
            .ok_or_else(|| format!("{place} names {key:?}, which is no directory role of tenant {}", self.0.name))
    }

    fn app(&self, key: &str, place: &str) -> Result<ServicePrincipal, String> {
        self.0
            .service_principal(key)
            .ok_or_else(|| format!("{place} names app {key:?}, which is not in tenant {}", self.0.name))
    }

    fn sku(&self, key: &str) -> Result<String, String> {
        self.0
            .sku(key)
            .map(|sku| sku.id.clone())
            .ok_or_else(|| format!("a licence names SKU {key:?}, which tenant {} has not bought (skus)", self.0.name))
    }
}

fn settle_region(region: &mut Region) -> Result<(), String> {
    let ids: Vec<String> = region.accounts.iter().map(|account| account.id.clone()).collect();
    for account in &mut region.accounts {
        if let Some(parent) = account.parent.as_ref().filter(|parent| !ids.contains(parent)) {
            return Err(format!(
                "Keepit account {} names parent {parent:?}, which is not in region {}",
                account.name, region.region
            ));
        }
        for connector in &mut account.connectors {
            fill(&mut connector.id, || keepit_id_of(&[&account.id, &connector.name], 3));
            for job in &mut connector.jobs {
                fill(&mut job.id, || keepit_id_of(&[&connector.id, &job.scheduled.to_string()], 4));
            }
        }
    }
    Ok(())
}

fn fill(value: &mut String, with: impl FnOnce() -> String) {
    if value.is_empty() {
        *value = with();
    }
}
