//! Which tables are there, with which privileges, and what do they point at? (microsoft.md §3.4)
//!
//! Any member of the organization may read this here; whether that takes a privilege is not in the facts [I].

use serde_json::{Value, json};

use super::table::bad;
use super::{Call, error};
use crate::http::{Answer, Reply};
use crate::ids::guid_of;
use crate::odata::{project, select};
use crate::state::{Ownership, Table, privilege_id};

const DEFINITION: &[&str] =
    &["MetadataId", "LogicalName", "SchemaName", "EntitySetName", "OwnershipType", "IsActivity", "Privileges"];
const RELATIONSHIP: &[&str] = &[
    "MetadataId",
    "SchemaName",
    "RelationshipType",
    "ReferencedEntity",
    "ReferencedAttribute",
    "ReferencingEntity",
    "ReferencingAttribute",
];

pub fn list(call: &mut Call<'_>) -> Answer {
    let fields = fields(call, "EntityMetadata", DEFINITION)?;
    let rows: Vec<Value> = call.environment().tables.iter().map(|it| project(&definition(it), &fields)).collect();
    Ok(collection(call, "EntityDefinitions", &rows))
}

pub fn one(call: &mut Call<'_>, key: &str) -> Answer {
    let fields = fields(call, "EntityMetadata", DEFINITION)?;
    let table = table(call, key)?;
    let mut body = project(&definition(table), &fields);
    body["@odata.context"] = format!("{}/$metadata#EntityDefinitions/$entity", call.base()).into();
    // The id comes along, as with any row [M].
    body["MetadataId"] = id(table).into();
    Ok(Reply::json(200, &body))
}

/// `ManyToOneRelationships`
pub fn points_at(call: &mut Call<'_>, key: &str) -> Answer {
    let name = table(call, key)?.name.clone();
    relationships(call, key, "ManyToOneRelationships", |from, _| from == name)
}

/// `OneToManyRelationships`
pub fn is_pointed_at(call: &mut Call<'_>, key: &str) -> Answer {
    let name = table(call, key)?.name.clone();
    relationships(call, key, "OneToManyRelationships", |_, to| to == name)
}

fn relationships(call: &Call<'_>, key: &str, set: &str, is_wanted: impl Fn(&str, &str) -> bool) -> Answer {
    let fields = fields(call, "OneToManyRelationshipMetadata", RELATIONSHIP)?;
    let all = call.environment().tables.iter().flat_map(|table| table.lookups.iter().map(move |it| (table, it)));
    let rows: Vec<Value> = all
        .filter(|(table, it)| is_wanted(&table.name, &it.table))
        .map(|(table, it)| {
            json!({
                "MetadataId": guid_of(&["relationship", &it.name]),
                "SchemaName": it.name,
                "RelationshipType": "OneToManyRelationship",
                "ReferencedEntity": it.table,
                "ReferencedAttribute": format!("{}id", it.table),
                "ReferencingEntity": table.name,
                "ReferencingAttribute": it.attribute,
            })
        })
        .map(|row| project(&row, &fields))
        .collect();
    Ok(collection(call, &format!("EntityDefinitions({key})/{set}"), &rows))
}

fn table<'a>(call: &'a Call<'_>, key: &str) -> Result<&'a Table, Reply> {
    let name = key.strip_prefix("LogicalName='").and_then(|rest| rest.strip_suffix('\''));
    let name = name.ok_or_else(|| bad("A table is named by its LogicalName here."))?;
    // The code is [I], like that of other things that aren't there.
    call.environment().tables.iter().find(|it| it.name == name).ok_or_else(|| {
        error(404, "0x80060888", &format!("The entity with a name = '{name}' was not found in the MetadataCache."))
    })
}

fn definition(it: &Table) -> Value {
    let privileges: Vec<Value> = it
        .privilege_kinds()
        .map(|kind| {
            let deep = kind.ownership == Ownership::User;
            json!({ "Name": kind.name, "PrivilegeId": privilege_id(&kind.name), "PrivilegeType": kind.verb, "CanBeBasic": deep, "CanBeLocal": deep, "CanBeDeep": deep, "CanBeGlobal": true })
        })
        .collect();
    json!({
        "MetadataId": id(it),
        "LogicalName": it.name,
        "SchemaName": it.schema,
        // Irregular plurals are another matter, nobody should build it [M].
        "EntitySetName": it.name.strip_suffix('y').map_or_else(|| format!("{}s", it.name), |stem| format!("{stem}ies")),
        "OwnershipType": if it.ownership == Ownership::User { "UserOwned" } else { "OrganizationOwned" },
        "IsActivity": it.privileges == "Activity",
        "Privileges": privileges,
    })
}

fn id(it: &Table) -> String {
    guid_of(&["table", &it.name])
}

fn fields(call: &Call<'_>, type_name: &str, known: &[&str]) -> Result<Vec<String>, Reply> {
    call.options(&["$select"])?;
    let fields = select(call.request.query("$select"));
    match fields.iter().find(|field| !known.contains(&field.as_str())) {
        Some(field) => Err(bad(&format!(
            "Could not find a property named '{field}' on type 'Microsoft.Dynamics.CRM.{type_name}'."
        ))),
        None => Ok(fields),
    }
}

fn collection(call: &Call<'_>, set: &str, rows: &[Value]) -> Reply {
    Reply::json(200, &json!({ "@odata.context": format!("{}/$metadata#{set}", call.base()), "value": rows }))
}
