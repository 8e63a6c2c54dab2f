//! Which calls tell what somebody can do to the tables of an environment (facts/microsoft.md §3.4).

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::Tenant;
use super::dataverse::{NEEDS, Organization};
use super::facts::{Environment, Privilege, Reach, TableAccess, TablesWanted};
use super::wire::Call;
use crate::fault::{Fault, Kind};

/// What is known of one table: the name of each privilege that it has.
pub type Definition = BTreeMap<Privilege, String>;
/// Tables by logical name; `None`: the environment has no such table.
pub type Definitions = BTreeMap<String, Option<Definition>>;

/// So many names fit into one address (facts/microsoft.md §3.4).
const NAMES_AT_ONCE: usize = 40;

const ALL: [Privilege; 8] = [
    Privilege::Create,
    Privilege::Read,
    Privilege::Write,
    Privilege::Delete,
    Privilege::Append,
    Privilege::AppendTo,
    Privilege::Assign,
    Privilege::Share,
];

/// What a row of `systemusers` can do to these tables, and to those that they refer to if that is wanted.
pub async fn access(
    tenant: &Tenant,
    environment: &Environment,
    row: &str,
    wanted: &TablesWanted,
) -> Result<BTreeMap<String, TableAccess>, Fault> {
    let definitions = tenant.definitions(environment, wanted).await?;
    // Several tables share a privilege (all activities do), so that each name is asked for once.
    let names: BTreeSet<&String> = definitions
        .values()
        .flatten()
        .flat_map(|definition| wanted.privileges.iter().filter_map(|privilege| definition.get(privilege)))
        .collect();
    let held = held(tenant, environment, row, &names.into_iter().collect::<Vec<_>>()).await?;
    let can = |definition: &Definition| -> BTreeMap<Privilege, Reach> {
        let each = wanted.privileges.iter().filter_map(|privilege| match definition.get(privilege) {
            None => Some((*privilege, Reach::NotNeeded)),
            Some(name) => held.get(name).map(|reach| (*privilege, *reach)),
        });
        each.collect()
    };
    Ok(definitions
        .iter()
        .map(|(name, definition)| {
            (name.clone(), definition.as_ref().map_or(TableAccess::Absent, |it| TableAccess::Present(can(it))))
        })
        .collect())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireTable {
    logical_name: String,
    #[serde(default)]
    privileges: Vec<WirePrivilege>,
    #[serde(default)]
    many_to_one_relationships: Vec<WireRelationship>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WirePrivilege {
    name: String,
    privilege_type: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireRelationship {
    referenced_entity: String,
}

/// What the environment's metadata says of these tables: one call, and one more for those that they refer to.
pub async fn definitions(
    tenant: &Tenant,
    environment: &Environment,
    wanted: &TablesWanted,
) -> Result<Definitions, Fault> {
    let tables = read(tenant, environment, &wanted.names, wanted.related).await?;
    let mut known: Definitions = wanted.names.iter().map(|name| (name.clone(), None)).collect();
    let related: BTreeSet<String> = tables
        .iter()
        .flat_map(|table| table.many_to_one_relationships.iter().map(|it| it.referenced_entity.clone()))
        .filter(|name| !known.contains_key(name))
        .collect();
    if let Some(hidden) = tables.iter().find(|table| table.privileges.is_empty()) {
        return Err(unsaid(&hidden.logical_name, environment));
    }
    known.extend(tables.iter().map(|table| (table.logical_name.clone(), Some(definition(table)))));
    if !related.is_empty() {
        let names: Vec<String> = related.into_iter().collect();
        let tables = read(tenant, environment, &names, false).await?;
        // Somebody refers to it, so it is there.
        if let Some(hidden) = names.iter().find(|name| tables.iter().all(|table| table.logical_name != **name)) {
            return Err(unsaid(hidden, environment));
        }
        // One that has no privileges of its own is part of another.
        let own = tables.iter().filter(|table| !table.privileges.is_empty());
        known.extend(own.map(|table| (table.logical_name.clone(), Some(definition(table)))));
    }
    Ok(known)
}

/// What was not said of a table must not count as not needed.
fn unsaid(table: &str, environment: &Environment) -> Fault {
    Fault::new(
        Kind::BadAnswer,
        format!("Dataverse of {} does not say which privileges the table {table} has", environment.name),
    )
}

async fn read(
    tenant: &Tenant,
    environment: &Environment,
    names: &[String],
    related: bool,
) -> Result<Vec<WireTable>, Fault> {
    let organization = Organization::of(environment)?;
    let service = organization.service();
    let mut all = Vec::new();
    for names in names.chunks(NAMES_AT_ONCE) {
        let filter = names.iter().map(|name| format!("LogicalName eq '{name}'")).collect::<Vec<_>>().join(" or ");
        let mut query = vec![("$select", "LogicalName,Privileges"), ("$filter", filter.as_str())];
        if related {
            query.push(("$expand", "ManyToOneRelationships($select=ReferencedEntity)"));
        }
        let url = organization.at("EntityDefinitions", &query)?;
        all.extend(tenant.read_all::<WireTable>(Call::get(&service, url, "tables of the environment", NEEDS)).await?);
    }
    Ok(all)
}

fn definition(table: &WireTable) -> Definition {
    let kind = |word: &str| ALL.into_iter().find(|privilege| privilege.word() == word);
    table.privileges.iter().filter_map(|it| Some((kind(&it.privilege_type)?, it.name.clone()))).collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WireHeld {
    #[serde(default)]
    role_privileges: Vec<WireReach>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireReach {
    privilege_name: String,
    depth: String,
    #[serde(default)]
    record_filter_id: Option<String>,
}

/// How far each of these privileges reaches; one that is not held is not among them. What teams give is in it.
async fn held(
    tenant: &Tenant,
    environment: &Environment,
    row: &str,
    names: &[&String],
) -> Result<BTreeMap<String, Reach>, Fault> {
    let organization = Organization::of(environment)?;
    let service = organization.service();
    let mut all = BTreeMap::new();
    for names in names.chunks(NAMES_AT_ONCE) {
        let list = serde_json::json!(names).to_string();
        let url = organization.at(
            &format!(
                "systemusers({row})/Microsoft.Dynamics.CRM.RetrieveUserSetOfPrivilegesByNames(PrivilegeNames=@p1)"
            ),
            &[("@p1", list.as_str())],
        )?;
        let held: WireHeld = tenant.read(Call::get(&service, url, "privileges of the account", NEEDS)).await?;
        collect(held, &mut all);
    }
    Ok(all)
}

/// Adds how far each privilege reaches: the farthest, where several roles give it.
pub(super) fn collect(held: WireHeld, all: &mut BTreeMap<String, Reach>) {
    for privilege in held.role_privileges {
        // A filter on the rows makes a part of it, whatever its depth is (facts/microsoft.md §3.4).
        let filtered = privilege.record_filter_id.is_some_and(|id| !id.trim_matches(['0', '-']).is_empty());
        let whole = privilege.depth == "Global" && !filtered;
        let reach = if whole { Reach::Everything } else { Reach::Part };
        let known = all.entry(privilege.privilege_name).or_insert(reach);
        if whole {
            *known = reach;
        }
    }
}
