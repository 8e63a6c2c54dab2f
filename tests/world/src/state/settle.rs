//! How does a world file, written by name for people, become a state that knows only ids?

use super::{Environment, Region, SecurityRole, State, Tenant};
use crate::catalog::SECURITY_ROLES;
use crate::ids::{assignment_id, guid_of, keepit_id_of};

/// Fills in what was left out and replaces names by ids; a name that leads nowhere is the error.
pub fn settle(state: &mut State) -> Result<(), String> {
    for tenant in &mut state.tenants {
        settle_tenant(tenant)?;
    }
    for region in &mut state.keepit {
        settle_region(region)?;
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

fn settle_tenant(tenant: &mut Tenant) -> Result<(), String> {
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
    }

    let named = tenant.clone();
    let principal = |key: &str, place: &str| {
        named
            .principal(key)
            .ok_or_else(|| format!("{place} names {key:?}, which is no user, group or app of tenant {}", named.name))
    };
    let sku = |key: &str| {
        named
            .sku(key)
            .map(|sku| sku.id.clone())
            .ok_or_else(|| format!("a licence names SKU {key:?}, which tenant {} has not bought (skus)", named.name))
    };

    let group = |key: &str, place: &str| {
        named
            .group(key)
            .map(|group| group.id.clone())
            .ok_or_else(|| format!("{place} names group {key:?}, which is not in tenant {}", named.name))
    };

    for user in &mut tenant.users {
        for license in &mut user.licenses {
            license.sku = sku(&license.sku)?;
            if let Some(by) = &mut license.by_group {
                *by = group(by, "a licence")?;
            }
        }
    }
    for group in &mut tenant.groups {
        for member in &mut group.members {
            *member = principal(member, &format!("group {}", group.name))?;
        }
    }
    let role = |key: &str, place: &str| {
        named
            .role_id(key)
            .ok_or_else(|| format!("{place} names {key:?}, which is no directory role of tenant {}", named.name))
    };
    for assignment in &mut tenant.role_assignments {
        assignment.principal = principal(&assignment.principal, "a role assignment")?;
        assignment.role = role(&assignment.role, "a role assignment")?;
        fill(&mut assignment.id, || assignment_id(&assignment.role, &assignment.principal, &assignment.scope));
    }
    for eligible in &mut tenant.eligible_roles {
        eligible.principal = principal(&eligible.principal, "an eligible role")?;
        eligible.role = role(&eligible.role, "an eligible role")?;
        fill(&mut eligible.id, || guid_of(&["eligible", &eligible.role, &eligible.principal, &eligible.scope]));
    }
    for policy in &mut tenant.role_policies {
        policy.role = role(&policy.role, "a role policy")?;
        if let Some(text) = policy.max_duration.as_ref().filter(|text| text.parse::<jiff::Span>().is_err()) {
            return Err(format!("max_duration {text:?} of a role policy is no ISO 8601 duration"));
        }
    }
    for environment in &mut tenant.environments {
        settle_environment(&named, environment)?;
    }
    Ok(())
}

/// Also used when an environment is added while the world runs.
pub fn settle_environment(tenant: &Tenant, environment: &mut Environment) -> Result<(), String> {
    let name = environment.name.clone();
    fill(&mut environment.id, || guid_of(&[&tenant.id, "environment", &name]));
    let id = environment.id.clone();
    fill(&mut environment.organization_id, || guid_of(&[&id, "organization"]));
    fill(&mut environment.business_unit, || guid_of(&[&id, "business unit"]));
    if let Some(host) = &mut environment.host {
        *host = host.to_ascii_lowercase();
    }
    if let Some(group) = &mut environment.security_group {
        *group = tenant.group(group).map(|it| it.id.clone()).ok_or_else(|| {
            format!("environment {name} names security group {group:?}, which tenant {} does not have", tenant.name)
        })?;
    }
    for (role, template) in SECURITY_ROLES {
        if !environment.roles.iter().any(|it| it.name == *role && it.business_unit.is_none()) {
            environment.roles.push(SecurityRole {
                id: String::new(),
                name: (*role).into(),
                template: template.map(str::to_owned),
                privileges: Vec::new(),
                business_unit: None,
            });
        }
    }
    for role in &mut environment.roles {
        fill(&mut role.id, || guid_of(&[&id, "role", &role.name, role.business_unit.as_deref().unwrap_or_default()]));
    }
    settle_members(tenant, environment)
}

/// Rows and teams: they name people, apps and the roles of the environment.
fn settle_members(tenant: &Tenant, environment: &mut Environment) -> Result<(), String> {
    let (id, name) = (environment.id.clone(), environment.name.clone());
    let named = environment.clone();
    let role = |key: &str| {
        named
            .role(key)
            .map(|role| role.id.clone())
            .ok_or_else(|| format!("environment {name} names security role {key:?}, which it does not have"))
    };
    let user = |key: &str| {
        tenant
            .user(key)
            .map(|user| user.id.clone())
            .ok_or_else(|| format!("environment {name} names user {key:?}, who is not in tenant {}", tenant.name))
    };
    for row in &mut environment.users {
        match (&mut row.user, &row.application) {
            (Some(person), None) => *person = user(person)?,
            (None, Some(client)) if tenant.app(client).is_some() => {}
            (None, Some(client)) => {
                return Err(format!(
                    "environment {name} names application {client:?}, which tenant {} does not have",
                    tenant.name
                ));
            }
            _ => {
                return Err(format!("each of the users of environment {name} is either a user or an application"));
            }
        }
        let key = row.user.clone().or_else(|| row.application.clone()).unwrap_or_default();
        fill(&mut row.id, || guid_of(&[&id, "systemuser", &key]));
        for held in &mut row.roles {
            held.role = role(&held.role)?;
        }
    }
    for team in &mut environment.teams {
        fill(&mut team.id, || guid_of(&[&id, "team", &team.name]));
        if let Some(group) = &mut team.group {
            *group = tenant.group(group).map(|it| it.id.clone()).ok_or_else(|| {
                format!("team {} of environment {name} names group {group:?}, which does not exist", team.name)
            })?;
        }
        for member in &mut team.members {
            *member = user(member)?;
        }
        for held in &mut team.roles {
            *held = role(held)?;
        }
    }
    Ok(())
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
