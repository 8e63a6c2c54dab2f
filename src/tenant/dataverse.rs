//! Which calls are made at an environment's Dataverse (facts/microsoft.md §3).

use std::collections::BTreeMap;

use reqwest::Method;
use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::Tenant;
use super::facts::{Access, AccessMode, AccessWanted, Environment, HeldBy, SystemUser, Who};
use super::tables;
use super::wire::{Call, Scope, Service};
use crate::fault::{Fault, Kind};

/// The role template that is System Administrator in every environment; names are translated, this is not.
const SYSTEM_ADMINISTRATOR: &str = "627090ff-40a3-4053-8790-584edc5be201";
pub(super) const NAME: &str = "Dataverse";
pub(super) const NEEDS: &str = "a role in the environment that reads users, security roles and teams";
const WRITES: &str = "System Administrator in the environment";

const HEADERS: &[(&str, &str)] = &[
    ("odata-version", "4.0"),
    ("odata-maxversion", "4.0"),
    // Expanded collections may come from a cache without it.
    ("if-none-match", "null"),
    // Changes of roles are cached for up to half a minute without it; what is judged here decides over removals.
    ("consistency", "Strong"),
];

/// Dataverse of one environment.
pub(super) struct Organization<'a> {
    origin: &'a str,
}

impl<'a> Organization<'a> {
    pub(super) fn of(environment: &'a Environment) -> Result<Self, Fault> {
        let dataverse = environment
            .dataverse
            .as_ref()
            .ok_or_else(|| Fault::new(Kind::Bug, "An environment without Dataverse was asked"))?;
        if !dataverse.running {
            return Err(Fault::new(
                Kind::NotRunning,
                "The environment is not running: it is in administration mode, or Microsoft is working on it",
            ));
        }
        Ok(Self { origin: &dataverse.origin })
    }

    pub(super) fn service(&self) -> Service<'_> {
        Service { name: NAME, scope: Scope::Environment(self.origin), headers: HEADERS }
    }

    pub(super) fn at(&self, rest: &str, query: &[(&str, &str)]) -> Result<Url, Fault> {
        let mut url = Url::parse(&format!("{}/api/data/v9.2/{rest}", self.origin))
            .map_err(|_| Fault::new(Kind::BadAnswer, "The environment's address is not one"))?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }
}

#[derive(Deserialize)]
pub(super) struct WireUser {
    systemuserid: String,
    isdisabled: bool,
    /// 0: not deleted. An application user that was deleted lies there still (facts/microsoft.md §3.2).
    #[serde(default)]
    deletedstate: Option<i64>,
    accessmode: i64,
    #[serde(default)]
    islicensed: Option<bool>,
    #[serde(rename = "_businessunitid_value")]
    business_unit: String,
    #[serde(default)]
    systemuserroles_association: Vec<WireRole>,
}

#[derive(Deserialize)]
struct WireRole {
    roleid: String,
    #[serde(default, rename = "_roletemplateid_value")]
    template: Option<String>,
}

#[derive(Deserialize)]
struct WireTeam {
    #[serde(default)]
    name: String,
    #[serde(default)]
    teamroles_association: Vec<WireRole>,
}

/// Who of these rows somebody is: one that is not deleted first, since an app that was added again has two.
pub(super) fn row(rows: Vec<WireUser>) -> Option<WireUser> {
    rows.into_iter().min_by_key(|row| row.deletedstate.unwrap_or_default())
}

/// With what it holds directly: what teams give is told by another call.
impl From<WireUser> for SystemUser {
    fn from(row: WireUser) -> Self {
        Self {
            system_administrator: administers(&row.systemuserroles_association).then_some(HeldBy::User),
            id: row.systemuserid,
            business_unit: row.business_unit,
            disabled: row.isdisabled,
            deleted: row.deletedstate.unwrap_or_default() != 0,
            access_mode: AccessMode::from(row.accessmode),
            licensed: row.islicensed,
        }
    }
}

fn administers(roles: &[WireRole]) -> bool {
    roles.iter().any(|role| role.template.as_deref().is_some_and(|id| id.eq_ignore_ascii_case(SYSTEM_ADMINISTRATOR)))
}

/// What somebody is in an environment: one call, for who does not hold the role directly one for its teams, and for who does
/// not hold it at all what it can do to the tables that are asked for.
pub async fn access(
    tenant: &Tenant,
    environment: &Environment,
    who: &Who,
    wanted: &AccessWanted,
) -> Result<Access, Fault> {
    let organization = Organization::of(environment)?;
    let service = organization.service();
    let filter = match who {
        Who::User(id) => format!("azureactivedirectoryobjectid eq {id}"),
        Who::Application(id) => format!("applicationid eq {id}"),
    };
    let url = organization.at(
        "systemusers",
        &[
            ("$filter", filter.as_str()),
            ("$select", "systemuserid,isdisabled,deletedstate,accessmode,islicensed,_businessunitid_value"),
            ("$expand", "systemuserroles_association($select=roleid,_roletemplateid_value)"),
        ],
    )?;
    let rows: Vec<WireUser> = tenant.read_all(Call::get(&service, url, "users of the environment", NEEDS)).await?;
    let Some(mut row) = row(rows).map(SystemUser::from) else {
        return Ok(Access { row: None, tables: BTreeMap::new() });
    };
    if row.system_administrator.is_none() && wanted.teams {
        row.system_administrator = through_team(tenant, &organization, &row.id).await?;
    }
    let mut seen = BTreeMap::new();
    if row.system_administrator.is_none() {
        for wanted in wanted.tables.iter().filter(|wanted| !wanted.names.is_empty()) {
            let can = tables::access(tenant, environment, &row.id, wanted).await?;
            seen.insert(wanted.clone(), can);
        }
    }
    Ok(Access { row: Some(row), tables: seen })
}

/// The first team of theirs that holds it: one call, in which each team brings its roles.
async fn through_team(tenant: &Tenant, organization: &Organization<'_>, row: &str) -> Result<Option<HeldBy>, Fault> {
    let service = organization.service();
    let url = organization.at(
        &format!("systemusers({row})/teammembership_association"),
        &[("$select", "name"), ("$expand", "teamroles_association($select=roleid,_roletemplateid_value)")],
    )?;
    let teams: Vec<WireTeam> = tenant.read_all(Call::get(&service, url, "teams of the account", NEEDS)).await?;
    let administrators = teams.into_iter().find(|team| administers(&team.teamroles_association));
    Ok(administrators.map(|team| HeldBy::Team(team.name)))
}

/// Assigns System Administrator to a user: the role's row of the user's own business unit.
pub async fn add_system_administrator(
    tenant: &Tenant,
    environment: &Environment,
    access: &Access,
) -> Result<(), Fault> {
    let organization = Organization::of(environment)?;
    let service = organization.service();
    let row = access.row.as_ref().ok_or_else(|| Fault::new(Kind::Bug, "A role for somebody who is no user"))?;
    let filter =
        format!("_roletemplateid_value eq {SYSTEM_ADMINISTRATOR} and _businessunitid_value eq {}", row.business_unit);
    let url = organization.at("roles", &[("$filter", filter.as_str()), ("$select", "roleid,_roletemplateid_value")])?;
    let roles: Vec<WireRole> = tenant.read_all(Call::get(&service, url, "roles of the environment", NEEDS)).await?;
    let role = roles.first().ok_or_else(|| {
        Fault::new(Kind::BadAnswer, "The environment has no System Administrator role for the account's business unit")
    })?;
    let url = organization.at(&format!("systemusers({})/systemuserroles_association/$ref", row.id), &[])?;
    let target = organization.at(&format!("roles({})", role.roleid), &[])?;
    let body = json!({ "@odata.id": target.as_str() });
    match tenant.call(Call::write(&service, Method::POST, url, Some(body), "assign a security role", WRITES)).await {
        Err(fault) if fault.kind != Kind::Conflict => Err(fault),
        _ => Ok(()),
    }
}

/// Sets the access mode of a user to Read-Write.
pub async fn set_read_write(tenant: &Tenant, environment: &Environment, access: &Access) -> Result<(), Fault> {
    let organization = Organization::of(environment)?;
    let service = organization.service();
    let row = access.row.as_ref().ok_or_else(|| Fault::new(Kind::Bug, "An access mode for somebody who is no user"))?;
    let url = organization.at(&format!("systemusers({})", row.id), &[])?;
    let body = json!({ "accessmode": 0 });
    tenant.call(Call::write(&service, Method::PATCH, url, Some(body), "set the access mode", WRITES)).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tenant::recorded::{List, recorded};

    #[test]
    fn recorded_users_and_roles_can_be_read() {
        let Some(users) = recorded::<List<WireUser>>("systemusers.json") else {
            println!("skipped: no recorded bodies here (set BACKSTAY_CONTRACTS)");
            return;
        };
        assert!(!users.value[0].isdisabled && users.value[0].accessmode == 0);
        let user: WireUser = recorded("systemuser-with-roles.json").unwrap();
        assert_eq!(user.business_unit, "1360fdcb-b6e1-ee11-904c-002248dad9c1");
        assert_eq!(user.systemuserroles_association.len(), 1);
        assert!(!administers(&user.systemuserroles_association));
        let roles: List<WireRole> = recorded("security-roles.json").unwrap();
        assert!(administers(&roles.value), "System Administrator is among {} roles", roles.value.len());
    }
}
