//! Which tables does a Dataverse organization have, who can own their rows, and what do they point at? (microsoft.md §3.4)

use serde::{Deserialize, Serialize};

/// A table. Names of the standard ones and of their relationships are [M].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Logical name, lower case.
    pub name: String,
    /// Schema name; the logical name with a capital if left out.
    #[serde(default)]
    pub schema: String,
    /// What its privileges are called after `prvRead`; the schema name if left out. Activities share one.
    #[serde(default)]
    pub privileges: String,
    #[serde(default)]
    pub ownership: Ownership,
    /// Columns that point at rows of other tables.
    #[serde(default)]
    pub lookups: Vec<Lookup>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ownership {
    #[default]
    User,
    /// Knows only none and Global depth (microsoft.md §3.4).
    Organization,
}

/// A many-to-one relationship.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lookup {
    pub attribute: String,
    /// Logical name of the table it points at.
    pub table: String,
    /// Schema name of the relationship; made up if left out.
    #[serde(default)]
    pub name: String,
}

/// A privilege of the organization, and what it is for.
#[derive(Clone, Debug)]
pub struct PrivilegeKind {
    pub name: String,
    /// Create, Read, …; None for what belongs to no table.
    pub verb: &'static str,
    pub ownership: Ownership,
}

const VERBS: [&str; 8] = ["Create", "Read", "Write", "Delete", "Append", "AppendTo", "Assign", "Share"];
/// Privileges that belong to no table of this world (microsoft.md §3.1).
const OTHERS: [&str; 1] = ["prvActOnBehalfOfAnotherUser"];
/// What Dataverse gives to every new role by itself, at Global depth: that there are nine, of SDK messages, plug-ins and the
/// old `SharePoint` integration, is [P]; the names are [M].
pub const OF_NEW_ROLES: [&str; 9] = [
    "prvReadSdkMessage",
    "prvReadSdkMessageProcessingStep",
    "prvReadSdkMessageProcessingStepImage",
    "prvReadPluginAssembly",
    "prvReadPluginType",
    "prvCreateSharePointData",
    "prvReadSharePointData",
    "prvWriteSharePointData",
    "prvDeleteSharePointData",
];
type Standard = (&'static str, &'static str, &'static str, &'static [(&'static str, &'static str, &'static str)]);

/// Logical name, schema name, name in privileges, lookups.
#[rustfmt::skip]
const STANDARD: &[Standard] = &[
    ("account", "Account", "Account", &[
        ("primarycontactid", "contact", "account_primary_contact"),
        ("parentaccountid", "account", "account_parent_account"),
        ("owninguser", "systemuser", "user_accounts"),
        ("owningteam", "team", "team_accounts"),
        ("owningbusinessunit", "businessunit", "business_unit_accounts"),
    ]),
    ("contact", "Contact", "Contact", &[
        ("parentcustomerid", "account", "contact_customer_accounts"),
        ("parentcustomerid", "contact", "contact_customer_contacts"),
        ("owninguser", "systemuser", "contact_owning_user"),
        ("owningteam", "team", "team_contacts"),
        ("owningbusinessunit", "businessunit", "business_unit_contacts"),
    ]),
    ("opportunity", "Opportunity", "Opportunity", &[
        ("parentaccountid", "account", "opportunity_parent_account"),
        ("parentcontactid", "contact", "opportunity_parent_contact"),
        ("owninguser", "systemuser", "opportunity_owning_user"),
        ("owningteam", "team", "team_opportunities"),
        ("owningbusinessunit", "businessunit", "business_unit_opportunities"),
    ]),
    ("activitypointer", "ActivityPointer", "Activity", &[
        ("regardingobjectid", "account", "Account_ActivityPointers"),
        ("regardingobjectid", "contact", "Contact_ActivityPointers"),
        ("regardingobjectid", "opportunity", "Opportunity_ActivityPointers"),
        ("owninguser", "systemuser", "user_activity"),
    ]),
    ("task", "Task", "Activity", &[
        ("regardingobjectid", "account", "Account_Tasks"),
        ("regardingobjectid", "contact", "Contact_Tasks"),
        ("regardingobjectid", "opportunity", "Opportunity_Tasks"),
        ("activityid", "activitypointer", "activity_pointer_task"),
        ("owninguser", "systemuser", "user_task"),
    ]),
    ("email", "Email", "Activity", &[
        ("regardingobjectid", "account", "Account_Emails"),
        ("regardingobjectid", "contact", "Contact_Emails"),
        ("regardingobjectid", "opportunity", "Opportunity_Emails"),
        ("activityid", "activitypointer", "activity_pointer_email"),
        ("owninguser", "systemuser", "user_email"),
    ]),
    ("systemuser", "SystemUser", "User", &[("businessunitid", "businessunit", "business_unit_system_users")]),
    ("businessunit", "BusinessUnit", "BusinessUnit", &[
        ("parentbusinessunitid", "businessunit", "business_unit_parent_business_unit"),
    ]),
    ("team", "Team", "Team", &[("businessunitid", "businessunit", "business_unit_teams")]),
    ("role", "Role", "Role", &[("businessunitid", "businessunit", "business_unit_roles")]),
];

/// The tables that every organization of this world has.
pub fn standard() -> impl Iterator<Item = Table> {
    STANDARD.iter().map(|(name, schema, privileges, lookups)| Table {
        name: (*name).into(),
        schema: (*schema).into(),
        privileges: (*privileges).into(),
        // Those of users, units, teams and roles are business-owned in reality, with the same four depths [M].
        ownership: Ownership::User,
        lookups: lookups
            .iter()
            .map(|(attribute, table, name)| Lookup {
                attribute: (*attribute).into(),
                table: (*table).into(),
                name: (*name).into(),
            })
            .collect(),
    })
}

impl Table {
    pub fn privilege_kinds(&self) -> impl Iterator<Item = PrivilegeKind> {
        // What only has the organization as owner can be neither assigned nor shared.
        let verbs = if self.ownership == Ownership::User { &VERBS[..] } else { &VERBS[..6] };
        verbs.iter().map(|verb| PrivilegeKind {
            name: format!("prv{verb}{}", self.privileges),
            verb,
            ownership: self.ownership,
        })
    }
}

/// All privileges of an organization with these tables, each once.
pub fn privilege_kinds(tables: &[Table]) -> Vec<PrivilegeKind> {
    let others = OTHERS.iter().chain(&OF_NEW_ROLES).map(|name| PrivilegeKind {
        name: (*name).into(),
        verb: "None",
        ownership: Ownership::Organization,
    });
    let mut all: Vec<PrivilegeKind> = tables.iter().flat_map(Table::privilege_kinds).chain(others).collect();
    let mut seen = std::collections::HashSet::new();
    all.retain(|kind| seen.insert(kind.name.clone()));
    all
}
