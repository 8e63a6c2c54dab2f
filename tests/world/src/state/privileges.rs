//! What may a row of an organization do, to whose records? (microsoft.md §3.4)

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::tables::{PrivilegeKind, privilege_kinds};
use super::{Environment, SecurityRole, SystemUser, Tenant};
use crate::catalog::SYSTEM_ADMINISTRATOR_TEMPLATE;
use crate::ids::guid_of;

/// Own rows, those of the business unit, of those below it too, all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Depth {
    Basic,
    Local,
    Deep,
    Global,
}

/// A privilege of a role: in YAML its name (Global), `{name: Depth}`, or all three fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Privilege {
    pub name: String,
    pub depth: Depth,
    /// Name of a filter that leaves rows out even at this depth (microsoft.md §3.4 [I]).
    pub record_filter: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Name(String),
    Full { name: String, depth: Depth, record_filter: String },
    Deep(BTreeMap<String, Depth>),
}

impl TryFrom<Written> for Privilege {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        match written {
            Written::Name(name) => Ok(Self::global(name)),
            Written::Full { name, depth, record_filter } => {
                Ok(Self { name, depth, record_filter: Some(record_filter) })
            }
            Written::Deep(mut one) => match (one.pop_first(), one.is_empty()) {
                (Some((name, depth)), true) => Ok(Self { name, depth, record_filter: None }),
                _ => Err("a privilege is one name with one depth".into()),
            },
        }
    }
}

impl From<Privilege> for Written {
    fn from(it: Privilege) -> Self {
        match (it.record_filter, it.depth) {
            (Some(record_filter), depth) => Self::Full { name: it.name, depth, record_filter },
            (None, Depth::Global) => Self::Name(it.name),
            (None, depth) => Self::Deep([(it.name, depth)].into()),
        }
    }
}

impl Privilege {
    pub fn global(name: String) -> Self {
        Self { name, depth: Depth::Global, record_filter: None }
    }
}

/// A privilege that a row has, through a role of its own or one of a team.
pub struct Grant {
    pub privilege: Privilege,
    pub by_team: bool,
}

/// The id of a privilege; the same in every organization [I].
pub fn privilege_id(name: &str) -> String {
    guid_of(&["privilege", name])
}

impl Environment {
    pub fn privilege_kinds(&self) -> Vec<PrivilegeKind> {
        privilege_kinds(&self.tables)
    }

    /// What a role carries; System Administrator carries everything.
    pub fn privileges_of_role(&self, role: &SecurityRole) -> Vec<Privilege> {
        if role.template.as_deref() == Some(SYSTEM_ADMINISTRATOR_TEMPLATE) {
            return self.privilege_kinds().into_iter().map(|kind| Privilege::global(kind.name)).collect();
        }
        role.privileges.clone()
    }

    /// All that a row has now, a privilege as often as it comes.
    pub fn grants(&self, tenant: &Tenant, row: &SystemUser) -> Vec<Grant> {
        let of = |id: &str, by_team: bool| {
            let all = self.role(id).map(|role| self.privileges_of_role(role)).unwrap_or_default();
            all.into_iter().map(move |privilege| Grant { privilege, by_team })
        };
        let own = row.roles.iter().filter(|held| held.lag.is_real()).flat_map(|held| of(&held.role, false));
        let teams = row.user.as_deref().map(|user| self.teams_of(tenant, user)).unwrap_or_default();
        let own: Vec<Grant> = own.collect();
        let by_team = teams.iter().flat_map(|team| &team.roles).flat_map(|id| of(id, true));
        own.into_iter().chain(by_team).collect()
    }
}

/// Each privilege once, at its greatest depth; without a filter before with one.
pub fn greatest(grants: impl Iterator<Item = Privilege>) -> Vec<Privilege> {
    let mut found: BTreeMap<String, Privilege> = BTreeMap::new();
    for it in grants {
        let better = found
            .get(&it.name)
            .is_none_or(|known| (it.depth, it.record_filter.is_none()) > (known.depth, known.record_filter.is_none()));
        if better {
            found.insert(it.name.clone(), it);
        }
    }
    found.into_values().collect()
}
