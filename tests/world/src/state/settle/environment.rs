//! How do names in an environment of a world file become ids?

use super::fill;
use crate::catalog::SECURITY_ROLES;
use crate::ids::guid_of;
use crate::state::{Depth, Environment, Ownership, Privilege, SecurityRole, Tenant, standard};

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
    if let Some(creator) = &mut environment.creator {
        *creator = tenant.user(creator).map(|it| it.id.clone()).ok_or_else(|| {
            format!("environment {name} names creator {creator:?}, who is not in tenant {}", tenant.name)
        })?;
    }
    settle_tables(environment)?;
    for (role, template) in SECURITY_ROLES {
        if !environment.roles.iter().any(|it| it.name == *role && it.business_unit.is_none()) {
            environment.roles.push(SecurityRole {
                id: String::new(),
                name: (*role).into(),
                template: template.map(str::to_owned),
                privileges: if *role == "Basic User" { basic_user() } else { Vec::new() },
                business_unit: None,
            });
        }
    }
    for role in &mut environment.roles {
        fill(&mut role.id, || guid_of(&[&id, "role", &role.name, role.business_unit.as_deref().unwrap_or_default()]));
    }
    check_privileges(environment)?;
    settle_members(tenant, environment)
}

/// A few of what Basic User carries in reality [M]: one's own rows.
fn basic_user() -> Vec<Privilege> {
    let names = ["prvReadAccount", "prvWriteAccount", "prvReadContact", "prvWriteContact", "prvReadActivity"];
    names.map(|name| Privilege { depth: Depth::Basic, ..Privilege::global(name.into()) }).into()
}

fn settle_tables(environment: &mut Environment) -> Result<(), String> {
    for table in &mut environment.tables {
        let mut letters = table.name.chars();
        let capital: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
        fill(&mut table.schema, || capital);
        let schema = table.schema.clone();
        fill(&mut table.privileges, || schema);
        for lookup in &mut table.lookups {
            fill(&mut lookup.name, || format!("{}_{}_{}", table.name, lookup.table, lookup.attribute));
        }
    }
    for table in standard() {
        if !environment.tables.iter().any(|it| it.name == table.name) {
            environment.tables.push(table);
        }
    }
    let dangling = environment
        .tables
        .iter()
        .flat_map(|table| &table.lookups)
        .find(|lookup| !environment.tables.iter().any(|it| it.name == lookup.table));
    match dangling {
        Some(it) => Err(format!(
            "environment {} has a lookup {} at table {:?}, which it does not have",
            environment.name, it.attribute, it.table
        )),
        None => Ok(()),
    }
}

/// Roles carry privileges of tables that are there, at depths they can have.
fn check_privileges(environment: &Environment) -> Result<(), String> {
    let kinds = environment.privilege_kinds();
    for (role, it) in environment.roles.iter().flat_map(|role| role.privileges.iter().map(move |it| (role, it))) {
        let kind = kinds.iter().find(|kind| kind.name == it.name).ok_or_else(|| {
            format!(
                "security role {} of environment {} names {}, which no table has",
                role.name, environment.name, it.name
            )
        })?;
        if kind.ownership == Ownership::Organization && it.depth != Depth::Global {
            return Err(format!(
                "security role {} of environment {} has {} at a depth that only user-owned tables know",
                role.name, environment.name, it.name
            ));
        }
    }
    Ok(())
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
            (None, Some(client)) if tenant.service_principal(client).is_some() => {}
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
