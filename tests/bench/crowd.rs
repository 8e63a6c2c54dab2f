//! Which large tenant is measured: many environments, with something wrong in most of them.

use std::collections::BTreeMap;

use backstay::api::ServiceAccountPolicy;
use backstay::api::policy::Stage;
use backstay::fault::{Fault, Kind};
use backstay::policy::demands::Demand;
use backstay::policy::rules::Rule;
use backstay::policy::{profiles, profiles::requirements};
use backstay::seen::Seen;
use backstay::tenant::DirectoryRole::{Dynamics365Administrator, PowerPlatformAdministrator};
use backstay::tenant::facts::{
    Access, AccessMode, AccountFacts, Dataverse, Environment, HeldBy, HeldRole, License, Privilege, Reach, Schedule,
    SecondFactor, SystemUser, TableAccess, TablesWanted, User,
};
use serde_json::{Value, json};

const TABLES: [&str; 6] = ["account", "contact", "opportunity", "lead", "incident", "task"];

/// A policy of two vendors, so that both kinds of rule for environments are there: the role, and privileges on tables.
pub fn policy() -> ServiceAccountPolicy {
    serde_json::from_value(json!({
        "apiVersion": "backstay.dev/v1alpha1", "kind": "ServiceAccountPolicy",
        "metadata": { "name": "crowd", "namespace": "backup", "generation": 1 },
        "spec": {
            "tenant": { "id": "contoso.com" },
            "credential": { "clientSecret": { "clientID": "c", "secretRef": { "name": "s", "key": "k" } } },
            "account": { "user": { "principalName": "svc@contoso.com", "objectID": "u" } },
            "profiles": {
                "keepitPowerPlatform": { "workloads": ["Dynamics365"] },
                "fluentProDataverse": { "clientID": "f", "tables": TABLES },
            },
        },
    }))
    .unwrap()
}

/// One Connector of each vendor.
pub fn demands() -> Vec<Demand> {
    let demand = |profile: &'static str, fitting: &'static [&'static str]| Demand {
        connector: profile.to_lowercase(),
        uid: profile.to_owned(),
        generation: 1,
        profile: Some(profile.to_owned()),
        fitting,
        stage: Stage::Steady,
        environments: None,
    };
    vec![
        demand(profiles::KEEPIT_POWER_PLATFORM, &[profiles::KEEPIT_POWER_PLATFORM]),
        demand(profiles::FLUENT_PRO_DATAVERSE, &[profiles::FLUENT_PRO_DATAVERSE]),
    ]
}

/// An account that is fine as a whole, in so many environments.
pub fn facts(environments: usize) -> AccountFacts {
    let unasked = || Fault::new(Kind::PermissionMissing, "Not asked");
    let held = |role: backstay::tenant::DirectoryRole| HeldRole {
        role: role.id().to_owned(),
        assignment: format!("{role:?}"),
        group: None,
    };
    let wanted = tables();
    AccountFacts {
        is_application: false,
        user: Seen::Known(Some(User {
            id: "u".into(),
            principal_name: "svc@contoso.com".into(),
            enabled: true,
            guest: false,
            licenses: vec![License { sku: "1e1a282c-9c54-43a2-9310-98ef728faace".into(), disabled_plans: Vec::new() }],
            license_states: Vec::new(),
            plans: Vec::new(),
            password_changed: None,
        })),
        roles: Seen::Known([held(Dynamics365Administrator), held(PowerPlatformAdministrator)].into()),
        schedule: Seen::Known(Schedule::default()),
        another_global_administrator: Seen::Known(true),
        subscribed: Seen::Unknown(unasked()),
        second_factor: SecondFactor {
            per_user: Seen::Unknown(unasked()),
            security_defaults: Seen::Unknown(unasked()),
            policies: Seen::Unknown(unasked()),
            groups: Seen::Unknown(unasked()),
        },
        applications: BTreeMap::new(),
        without_dataverse: Vec::new(),
        environments: Seen::Known(
            (0..environments).map(|at| (id(at), (environment(at), access(at, &wanted)))).collect(),
        ),
    }
}

fn id(at: usize) -> String {
    format!("44444444-aaaa-4bbb-8ccc-{at:012}")
}

fn environment(at: usize) -> Environment {
    Environment {
        id: id(at),
        name: format!("Crowd {at:04}"),
        sku: "Production".into(),
        dataverse: Some(Dataverse {
            origin: format!("https://crowd{at}.crm4.dynamics.com"),
            running: true,
            security_group: None,
        }),
    }
}

/// The tables that the policy asks about.
fn tables() -> TablesWanted {
    let wanted = requirements(&policy().spec).into_iter().find_map(|it| match it.rule {
        Rule::TablePrivileges(tables) => Some(tables),
        _ => None,
    });
    wanted.unwrap()
}

/// Of ten environments: one is shut, in one the account is missing, in one it is disabled; the others have it with a role of
/// its own, every other of them in the wrong access mode or with too little, and two with System Administrator.
fn access(at: usize, wanted: &TablesWanted) -> Seen<Access> {
    let kind = at % 10;
    if kind == 0 {
        return Seen::Unknown(Fault::new(Kind::NotMember, "The operator's app is not a user of the environment"));
    }
    let row = SystemUser {
        id: id(at),
        business_unit: id(at),
        disabled: kind == 2,
        deleted: false,
        licensed: Some(true),
        access_mode: if kind.is_multiple_of(2) { AccessMode::Administrative } else { AccessMode::ReadWrite },
        system_administrator: (kind >= 8).then_some(HeldBy::User),
    };
    let reach = |privilege: &Privilege| {
        let part = kind.is_multiple_of(3) && *privilege == Privilege::Read;
        (*privilege, if part { Reach::Part } else { Reach::Everything })
    };
    let can = |table: &String| {
        (table.clone(), TableAccess::Present(wanted.privileges.iter().map(reach).collect::<BTreeMap<_, _>>()))
    };
    let tables = BTreeMap::from([(wanted.clone(), wanted.names.iter().map(can).collect())]);
    Seen::Known(Access { row: (kind != 1).then_some(row), tables })
}

/// What Microsoft answers when so many environments are looked at.
pub struct Bodies {
    /// The list of environments.
    pub environments: Vec<u8>,
    /// The account's row in each.
    pub rows: Vec<Vec<u8>>,
    /// What it can do in each.
    pub privileges: Vec<Vec<u8>>,
}

impl Bodies {
    /// Of so many environments.
    pub fn of(environments: usize) -> Self {
        let listed: Vec<Value> = (0..environments).map(listed).collect();
        Self {
            environments: json!({ "value": listed }).to_string().into_bytes(),
            rows: (0..environments).map(|at| row(at).to_string().into_bytes()).collect(),
            privileges: (0..environments).map(|_| privileges().to_string().into_bytes()).collect(),
        }
    }

    /// How many answers.
    pub fn count(&self) -> usize {
        1 + self.rows.len() + self.privileges.len()
    }

    /// How large all of them are.
    pub fn bytes(&self) -> usize {
        let of = |bodies: &[Vec<u8>]| bodies.iter().map(Vec::len).sum::<usize>();
        self.environments.len() + of(&self.rows) + of(&self.privileges)
    }
}

/// With what is read of it, and about as much that is not, as in a recorded one.
fn listed(at: usize) -> Value {
    let person =
        json!({ "id": id(at), "displayName": "Jane Doe", "type": "User", "userPrincipalName": "jane@contoso.com" });
    json!({
        "id": format!("/providers/Microsoft.BusinessAppPlatform/scopes/admin/environments/{}", id(at)),
        "type": "Microsoft.BusinessAppPlatform/scopes/environments",
        "location": "europe",
        "name": id(at),
        "properties": {
            "tenantId": id(0), "azureRegion": "northeurope", "displayName": format!("Crowd {at:04}"),
            "createdTime": "2023-02-15T08:02:36.1799125Z", "createdBy": person, "usedBy": person,
            "provisioningState": "Succeeded", "creationType": "User", "environmentSku": "Production", "isDefault": false,
            "capacity": (0..8).map(|at| json!({ "capacityType": format!("Type{at}"), "actualConsumption": 885.0391,
                "ratedConsumption": 1024.0, "capacityUnit": "MB", "updatedOn": "2023-10-10T03:00:35Z" })).collect::<Vec<_>>(),
            "addons": [], "clientUris": { "admin": format!("https://admin.powerplatform.microsoft.com/environments/{}", id(at)) },
            "runtimeEndpoints": { "microsoft.BusinessAppPlatform": "https://europe.api.bap.microsoft.com",
                "microsoft.PowerApps": "https://europe.api.powerapps.com", "microsoft.Flow": "https://emea.api.flow.microsoft.com" },
            "databaseType": "CommonDataService",
            "linkedEnvironmentMetadata": {
                "resourceId": id(at), "friendlyName": format!("Crowd {at:04}"), "uniqueName": format!("unq{at}"),
                "domainName": format!("crowd{at}"), "version": "9.2.23092.00206", "instanceState": "Ready", "baseLanguage": 1033,
                "instanceUrl": format!("https://crowd{at}.crm4.dynamics.com/"), "securityGroupId": "00000000-0000-0000-0000-000000000000",
            },
            "states": { "management": { "id": "Ready" }, "runtime": { "id": "Enabled", "runtimeReasonCode": "NotSpecified" } },
        },
    })
}

/// Selected and expanded as it is asked for.
fn row(at: usize) -> Value {
    let roles: Vec<Value> = (0..4)
        .map(|role| json!({ "@odata.etag": "W/\"1760402\"", "roleid": id(role), "_roletemplateid_value": id(at + role) }))
        .collect();
    json!({
        "@odata.context": format!("https://crowd{at}.crm4.dynamics.com/api/data/v9.2/$metadata#systemusers(systemuserid,isdisabled)"),
        "value": [{
            "@odata.etag": "W/\"1760402\"", "systemuserid": id(at), "isdisabled": false, "deletedstate": 0, "accessmode": 0,
            "_businessunitid_value": id(at), "systemuserroles_association": roles,
        }],
    })
}

/// One for each table.
fn privileges() -> Value {
    let each = TABLES.iter().map(|table| {
        json!({ "Depth": "Global", "PrivilegeId": id(1), "BusinessUnitId": id(2), "PrivilegeName": format!("prvRead{table}"),
            "RecordFilterId": "00000000-0000-0000-0000-000000000000", "RecordFilterUniqueName": null })
    });
    json!({ "@odata.context": "…", "RolePrivileges": each.collect::<Vec<_>>() })
}
