//! Which tables are there, with which privileges, and what do they point at? (microsoft.md §3.4)
//!
//! Any member of the organization may read this here; whether that takes a privilege is not in the facts [I].

use serde_json::{Value, json};

use super::table::bad;
use super::{Call, error};
use crate::http::{Answer, Reply};
use crate::ids::guid_of;
use crate::odata::{expand, project, select};
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

/// Tables can be filtered by what is primitive, and bring their relationships along; there is no paging
/// (MicrosoftDocs/powerapps-docs, query-metadata-web-api.md).
pub fn list(call: &mut Call<'_>) -> Answer {
    call.options(&["$select", "$filter", "$expand"])?;
    let fields = chosen(call, "EntityMetadata", DEFINITION)?;
    let wanted = call.request.query("$filter").map(names).transpose()?;
    let expanded = call.request.query("$expand").map(expanded).transpose()?;
    let environment = call.environment();
    let tables = environment.tables.iter().filter(|it| wanted.as_ref().is_none_or(|names| names.contains(&it.name)));
    let rows: Vec<Value> = tables
        .map(|it| {
            let mut row = project(&definition(it), &fields);
            row["MetadataId"] = id(it).into();
            if let Some((set, fields)) = &expanded {
                let related = related(&environment.tables, &it.name, set == POINTS_AT);
                row[set.as_str()] = related.iter().map(|one| project(one, fields)).collect();
            }
            row
        })
        .collect();
    Ok(collection(call, "EntityDefinitions", &rows))
}

const POINTS_AT: &str = "ManyToOneRelationships";
const IS_POINTED_AT: &str = "OneToManyRelationships";

/// The names of `LogicalName eq 'a' or LogicalName eq 'b'`: more is not needed here and is refused.
fn names(filter: &str) -> Result<Vec<String>, Reply> {
    let name = |part: &str| part.trim().strip_prefix("LogicalName eq '")?.strip_suffix('\'').map(str::to_owned);
    filter.split(" or ").map(|part| name(part).ok_or_else(|| bad(&format!("Invalid filter clause: {part}")))).collect()
}

fn expanded(text: &str) -> Result<(String, Vec<String>), Reply> {
    let (set, fields) = expand(text).map_err(|why| bad(&why))?;
    if ![POINTS_AT, IS_POINTED_AT].contains(&set.as_str()) {
        return Err(bad(&format!(
            "Could not find a property named '{set}' on type 'Microsoft.Dynamics.CRM.EntityMetadata'."
        )));
    }
    known("OneToManyRelationshipMetadata", RELATIONSHIP, fields).map(|fields| (set, fields))
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
    relationships(call, key, POINTS_AT)
}

/// `OneToManyRelationships`
pub fn is_pointed_at(call: &mut Call<'_>, key: &str) -> Answer {
    relationships(call, key, IS_POINTED_AT)
}

fn relationships(call: &Call<'_>, key: &str, set: &str) -> Answer {
    let fields = fields(call, "OneToManyRelationshipMetadata", RELATIONSHIP)?;
    let name = &table(call, key)?.name;
    let all = related(&call.environment().tables, name, set == POINTS_AT);
    let rows: Vec<Value> = all.iter().map(|row| project(row, &fields)).collect();
    Ok(collection(call, &format!("EntityDefinitions({key})/{set}"), &rows))
}

/// What a table points at, or what points at it.
fn related(tables: &[Table], name: &str, points_at: bool) -> Vec<Value> {
    let all = tables.iter().flat_map(|table| table.lookups.iter().map(move |it| (table, it)));
    all.filter(|(table, it)| if points_at { table.name == name } else { it.table == name })
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
        .collect()
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

fn fields(call: &Call<'_>, type_name: &str, columns: &[&str]) -> Result<Vec<String>, Reply> {
    call.options(&["$select"])?;
    chosen(call, type_name, columns)
}

fn chosen(call: &Call<'_>, type_name: &str, columns: &[&str]) -> Result<Vec<String>, Reply> {
    known(type_name, columns, select(call.request.query("$select")))
}

fn known(type_name: &str, columns: &[&str], fields: Vec<String>) -> Result<Vec<String>, Reply> {
    match fields.iter().find(|field| !columns.contains(&field.as_str())) {
        Some(field) => Err(bad(&format!(
            "Could not find a property named '{field}' on type 'Microsoft.Dynamics.CRM.{type_name}'."
        ))),
        None => Ok(fields),
    }
}

fn collection(call: &Call<'_>, set: &str, rows: &[Value]) -> Reply {
    Reply::json(200, &json!({ "@odata.context": format!("{}/$metadata#{set}", call.base()), "value": rows }))
}
