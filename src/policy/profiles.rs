//! What each vendor page asks of the account, as data: one row a requirement, with the page beside it.

use std::borrow::Cow;

use super::rules::Rule;
use super::rules::consent::{dataverse, graph};
use super::rules::license::Wanted;
use crate::api::ServiceAccountPolicySpec;
use crate::api::policy::{Account, Stage};
use crate::api::profiles as declared;
use crate::api::profiles::{
    AdministratorRole, AfterSetup, AppProfileKind, AvePointAppProfile, AvePointServiceAccount, Check, ConsentResource,
    Custom, FluentProDataverse, KeepitPowerPlatform, LicenseFamily, Licenses, Operation, RequiredAccessMode, Workload,
};
use crate::tenant::DirectoryRole::{self, Dynamics365Administrator, GlobalAdministrator, PowerPlatformAdministrator};
use crate::tenant::facts::{AccessMode, Consented, Privilege, Resource, TablesWanted};

/// One requirement of one profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// The profile's key in the spec.
    pub profile: &'static str,
    /// Its name, unique within the profile.
    pub name: Cow<'static, str>,
    /// When it counts.
    pub stages: Cow<'static, [Stage]>,
    /// How it is judged.
    pub rule: Rule,
    /// The page that asks for it: the seed's file name, and where in it.
    pub source: &'static str,
}

impl Requirement {
    /// The finding's id. Example: `keepitPowerPlatform/system-administrator`.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}/{}", self.profile, self.name)
    }

    /// Whether it counts in this stage.
    #[must_use]
    pub fn counts_in(&self, stage: Stage) -> bool {
        self.stages.contains(&stage)
    }

    /// Whether what fails here may be mended: what somebody asks for in rules of their own is judged only.
    #[must_use]
    pub fn repairable(&self) -> bool {
        self.profile != CUSTOM
    }
}

/// The key of Keepit's profile for Power Platform and Dynamics 365.
pub const KEEPIT_POWER_PLATFORM: &str = "keepitPowerPlatform";
/// The key of Keepit's older profile.
pub const KEEPIT_DYNAMICS_CE: &str = "keepitDynamicsCE";
/// The key of `FluentPro`'s profile.
pub const FLUENT_PRO_DATAVERSE: &str = "fluentProDataverse";
/// The key of `AvePoint`'s profile for a service account.
pub const AVE_POINT_SERVICE_ACCOUNT: &str = "avePointServiceAccount";
/// The key of `AvePoint`'s profile for an app.
pub const AVE_POINT_APP_PROFILE: &str = "avePointAppProfile";
/// The key of the profile of one's own rules.
pub const CUSTOM: &str = "custom";

/// All profiles, as a spec names them.
pub const ALL: &[&str] = &[
    KEEPIT_POWER_PLATFORM,
    KEEPIT_DYNAMICS_CE,
    FLUENT_PRO_DATAVERSE,
    AVE_POINT_SERVICE_ACCOUNT,
    AVE_POINT_APP_PROFILE,
    CUSTOM,
];

/// The names of the profiles that a policy has.
#[must_use]
pub fn names(profiles: &declared::Profiles) -> Vec<&'static str> {
    let declared::Profiles {
        keepit_power_platform,
        keepit_dynamics_ce,
        fluent_pro_dataverse,
        ave_point_service_account,
        ave_point_app_profile,
        custom,
    } = profiles;
    let has = [
        keepit_power_platform.is_some(),
        keepit_dynamics_ce.is_some(),
        fluent_pro_dataverse.is_some(),
        ave_point_service_account.is_some(),
        ave_point_app_profile.is_some(),
        custom.is_some(),
    ];
    ALL.iter().zip(has).filter(|(_, has)| *has).map(|(name, _)| *name).collect()
}

/// All that the profiles of a policy ask for.
#[must_use]
pub fn requirements(spec: &ServiceAccountPolicySpec) -> Vec<Requirement> {
    let declared::Profiles {
        keepit_power_platform,
        keepit_dynamics_ce,
        fluent_pro_dataverse,
        ave_point_service_account,
        ave_point_app_profile,
        custom,
    } = &spec.profiles;
    let chosen = spec.licenses.clone().unwrap_or_default();
    let mut all = Vec::new();
    all.extend(keepit_power_platform.iter().flat_map(|profile| self::keepit_power_platform(profile, &chosen)));
    all.extend(keepit_dynamics_ce.iter().flat_map(|_| self::keepit_dynamics_ce(&chosen)));
    all.extend(fluent_pro_dataverse.iter().flat_map(self::fluent_pro_dataverse));
    all.extend(ave_point_service_account.iter().flat_map(|profile| self::ave_point_service_account(profile, &chosen)));
    if let (Some(profile), Account::Application(app)) = (ave_point_app_profile, &spec.account) {
        all.extend(self::ave_point_app_profile(profile, &app.client_id));
    }
    all.extend(custom.iter().flat_map(|profile| self::custom(profile, &chosen)));
    all
}

const ALWAYS: &[Stage] = &[Stage::Setup, Stage::Steady];
const SETUP: &[Stage] = &[Stage::Setup];
const STEADY: &[Stage] = &[Stage::Steady];

/// A row of a profile.
fn row(
    profile: &'static str,
    name: &'static str,
    stages: &'static [Stage],
    rule: Rule,
    source: &'static str,
) -> Requirement {
    Requirement { profile, name: Cow::Borrowed(name), stages: Cow::Borrowed(stages), rule, source }
}

/// A role that has to be held for good; for a sign-in it is enough to hold it then.
fn role(any_of: &[DirectoryRole], stages: &[Stage]) -> Rule {
    Rule::DirectoryRole { any_of: any_of.to_vec(), standing: stages.contains(&Stage::Steady) }
}

/// A license family with what the spec says of it.
fn license(family: LicenseFamily, chosen: &Licenses) -> Rule {
    let mut wanted = Wanted::usual(family);
    if let Some(choice) = chosen.families.iter().find(|choice| choice.name == family) {
        wanted.extra = choice.extra_sku_ids.iter().map(|id| id.to_ascii_lowercase()).collect();
        wanted.look_at = choice.look_at.unwrap_or(wanted.look_at);
    }
    Rule::License(wanted)
}

/// Vendor pages `000_5ee508f98d21b045.txt` and `002_6826016aac67b871.txt`.
fn keepit_power_platform(profile: &KeepitPowerPlatform, chosen: &Licenses) -> Vec<Requirement> {
    let asks = |name, stages, rule, source| row(KEEPIT_POWER_PLATFORM, name, stages, rule, source);
    let mut all = vec![
        asks(
            "account-usable",
            ALWAYS,
            Rule::AccountUsable,
            "002_6826016aac67b871.txt I.2: the account is an active user",
        ),
        asks(
            "global-administrator",
            SETUP,
            role(&[GlobalAdministrator], SETUP),
            "000_5ee508f98d21b045.txt Admin Roles; 002_6826016aac67b871.txt I.4, and its note on signing in again",
        ),
        asks(
            "dynamics-365-administrator",
            ALWAYS,
            role(&[Dynamics365Administrator], ALWAYS),
            "000_5ee508f98d21b045.txt Admin Roles; 002_6826016aac67b871.txt I.4",
        ),
        asks(
            "power-platform-administrator",
            STEADY,
            role(&[PowerPlatformAdministrator], STEADY),
            "002_6826016aac67b871.txt III.5: takes the place of Global Administrator",
        ),
    ];
    if profile.global_administrator_after_setup != AfterSetup::Keep {
        let must_go = profile.global_administrator_after_setup == AfterSetup::Remove;
        all.push(asks(
            "no-global-administrator",
            STEADY,
            Rule::NoDirectoryRole { role: GlobalAdministrator, must_go },
            "002_6826016aac67b871.txt III: may be removed once the connector is created",
        ));
    }
    for workload in &profile.workloads {
        let (name, family) = match workload {
            Workload::Dynamics365 => ("dynamics-365-license", LicenseFamily::Dynamics365),
            Workload::PowerPages => ("power-pages-license", LicenseFamily::PowerPages),
            Workload::PowerAutomate => ("power-automate-license", LicenseFamily::PowerAutomatePremium),
        };
        let source = "000_5ee508f98d21b045.txt Licenses; 002_6826016aac67b871.txt, first paragraph";
        all.push(asks(name, ALWAYS, license(family, chosen), source));
    }
    all.extend([
        asks(
            "environment-member",
            ALWAYS,
            Rule::EnvironmentMember,
            "000_5ee508f98d21b045.txt Check security role and access mode, 3; 002_6826016aac67b871.txt IV.5",
        ),
        asks(
            "system-administrator",
            ALWAYS,
            Rule::SystemAdministrator,
            "000_5ee508f98d21b045.txt Admin Roles; 002_6826016aac67b871.txt IV.6",
        ),
        asks(
            "read-write",
            ALWAYS,
            Rule::AccessMode(vec![AccessMode::ReadWrite]),
            "000_5ee508f98d21b045.txt Check security role and access mode, 4",
        ),
        asks(
            "password-kept",
            STEADY,
            Rule::PasswordKept,
            "000_5ee508f98d21b045.txt Create, 2: the connector works with the sign-in that made it",
        ),
    ]);
    all
}

/// Vendor page `001_e0dc596d0152edb5.txt`: an older revision of 000, on which Global Administrator stays.
fn keepit_dynamics_ce(chosen: &Licenses) -> Vec<Requirement> {
    let asks = |name, rule, source| row(KEEPIT_DYNAMICS_CE, name, ALWAYS, rule, source);
    vec![
        asks("account-usable", Rule::AccountUsable, "001_e0dc596d0152edb5.txt Requirements: the account signs in"),
        asks(
            "global-administrator",
            role(&[GlobalAdministrator], ALWAYS),
            "001_e0dc596d0152edb5.txt Requirements, and its note: it can't be removed later",
        ),
        asks(
            "dynamics-365-license",
            license(LicenseFamily::Dynamics365, chosen),
            "001_e0dc596d0152edb5.txt Requirements: the lists of plans and apps",
        ),
        asks(
            "environment-member",
            Rule::EnvironmentMember,
            "001_e0dc596d0152edb5.txt Requirements: the security role is one of the environment",
        ),
        asks("system-administrator", Rule::SystemAdministrator, "001_e0dc596d0152edb5.txt Requirements, last sentence"),
        asks(
            "read-write",
            Rule::AccessMode(vec![AccessMode::ReadWrite]),
            "001_e0dc596d0152edb5.txt Requirements, last sentence",
        ),
        row(
            KEEPIT_DYNAMICS_CE,
            "password-kept",
            STEADY,
            Rule::PasswordKept,
            "001_e0dc596d0152edb5.txt note: the app works as the user who is signed in",
        ),
    ]
}

/// Vendor page `003_bd56bc9590922a7e.txt`.
fn fluent_pro_dataverse(profile: &FluentProDataverse) -> Vec<Requirement> {
    let asks = |name, rule, source| row(FLUENT_PRO_DATAVERSE, name, ALWAYS, rule, source);
    // What a backup reads has to be written by a restore (the page's points 2).
    let privileges = if profile.operations.contains(&Operation::Restore) {
        vec![Privilege::Read, Privilege::Create, Privilege::Write]
    } else {
        vec![Privilege::Read]
    };
    let tables = TablesWanted { names: profile.tables.clone(), privileges, related: profile.include_related_tables };
    vec![
        asks(
            "account-usable",
            Rule::AccountUsable,
            "003_bd56bc9590922a7e.txt Backup 1, Restore 1: a user of the tenant",
        ),
        asks(
            "environment-member",
            Rule::EnvironmentMember,
            "003_bd56bc9590922a7e.txt Backup 1, Restore 1: a user of the environment",
        ),
        asks("table-privileges", Rule::TablePrivileges(tables), "003_bd56bc9590922a7e.txt Backup 2, Restore 2"),
        asks(
            "access-mode",
            Rule::AccessMode(vec![AccessMode::ReadWrite, AccessMode::NonInteractive]),
            "003_bd56bc9590922a7e.txt Backup 3, Restore 3",
        ),
        asks(
            "consent",
            Rule::Consent {
                app: profile.client_id.to_ascii_lowercase(),
                permissions: vec![graph("User.Read"), graph("offline_access"), dataverse("user_impersonation")],
            },
            "003_bd56bc9590922a7e.txt, the paragraphs on consent and its list of permissions",
        ),
        row(
            FLUENT_PRO_DATAVERSE,
            "password-kept",
            STEADY,
            Rule::PasswordKept,
            "003_bd56bc9590922a7e.txt, consent: the account's credentials are used to connect",
        ),
    ]
}

/// Vendor page `004_5ddf0188dcdaa1a9.txt`, the note on service accounts.
fn ave_point_service_account(profile: &AvePointServiceAccount, chosen: &Licenses) -> Vec<Requirement> {
    let asks = |name, rule, source| row(AVE_POINT_SERVICE_ACCOUNT, name, ALWAYS, rule, source);
    let mut all = vec![
        asks("account-usable", Rule::AccountUsable, "004_5ddf0188dcdaa1a9.txt: the account signs in for the scan"),
        asks(
            "administrator",
            role(&[GlobalAdministrator, Dynamics365Administrator], ALWAYS),
            "004_5ddf0188dcdaa1a9.txt note on service accounts: one of two roles",
        ),
        asks(
            "dynamics-365-license",
            license(LicenseFamily::Dynamics365, chosen),
            "004_5ddf0188dcdaa1a9.txt note on service accounts: the license",
        ),
        asks("no-mfa", Rule::NoMfa, "004_5ddf0188dcdaa1a9.txt note on service accounts: no second factor"),
        row(
            AVE_POINT_SERVICE_ACCOUNT,
            "password-kept",
            STEADY,
            Rule::PasswordKept,
            "004_5ddf0188dcdaa1a9.txt: the service account as it was configured",
        ),
    ];
    if profile.project_for_the_web {
        all.push(asks(
            "project-license",
            license(LicenseFamily::Project, chosen),
            "004_5ddf0188dcdaa1a9.txt first note: Project for the web",
        ));
    }
    all
}

/// Vendor page `004_5ddf0188dcdaa1a9.txt`, "Add an App Profile Connection".
fn ave_point_app_profile(profile: &AvePointAppProfile, client_id: &str) -> Vec<Requirement> {
    let asks = |name, rule, source| row(AVE_POINT_APP_PROFILE, name, ALWAYS, rule, source);
    let (permissions, source) = match profile.kind {
        AppProfileKind::Modern => {
            (Vec::new(), "004_5ddf0188dcdaa1a9.txt Add an App Profile Connection, 4: the app registers itself")
        }
        AppProfileKind::Custom => (
            vec![graph("User.Read"), dataverse("user_impersonation")],
            "004_5ddf0188dcdaa1a9.txt Required Permissions Consented to the Custom App Profile",
        ),
    };
    vec![
        asks("consent", Rule::Consent { app: client_id.to_ascii_lowercase(), permissions }, source),
        asks(
            "application-user",
            Rule::EnvironmentMember,
            "004_5ddf0188dcdaa1a9.txt Add an App Profile Connection, 5: an application user",
        ),
        asks(
            "system-administrator",
            Rule::SystemAdministrator,
            "004_5ddf0188dcdaa1a9.txt Add an App Profile Connection, 5: its role",
        ),
    ]
}

/// Rules of one's own.
fn custom(profile: &Custom, chosen: &Licenses) -> Vec<Requirement> {
    let of = |rule: &declared::CustomRule| {
        let stages = if rule.stages.is_empty() { Cow::Borrowed(ALWAYS) } else { Cow::Owned(rule.stages.clone()) };
        Requirement {
            profile: CUSTOM,
            name: Cow::Owned(rule.id.clone()),
            rule: checked(&rule.check, &stages, chosen),
            stages,
            source: "spec.profiles.custom",
        }
    };
    profile.rules.iter().map(of).collect()
}

fn checked(check: &Check, stages: &[Stage], chosen: &Licenses) -> Rule {
    match check {
        Check::AccountUsable(_) => Rule::AccountUsable,
        Check::DirectoryRole(check) => {
            let any_of: Vec<DirectoryRole> = check.any_of.iter().copied().map(directory_role).collect();
            role(&any_of, stages)
        }
        Check::NoDirectoryRole(check) => Rule::NoDirectoryRole { role: directory_role(check.role), must_go: true },
        Check::License(check) => license(check.family, chosen),
        Check::EnvironmentMember(_) => Rule::EnvironmentMember,
        Check::SystemAdministrator(_) => Rule::SystemAdministrator,
        Check::AccessMode(check) => {
            let mode = |mode: &RequiredAccessMode| match mode {
                RequiredAccessMode::ReadWrite => AccessMode::ReadWrite,
                RequiredAccessMode::NonInteractive => AccessMode::NonInteractive,
            };
            Rule::AccessMode(check.any_of.iter().map(mode).collect())
        }
        Check::TablePrivileges(check) => Rule::TablePrivileges(TablesWanted {
            names: check.tables.clone(),
            privileges: check.privileges.iter().copied().map(privilege).collect(),
            related: check.include_related_tables,
        }),
        Check::Consent(check) => {
            let permission = |it: &declared::DelegatedPermission| Consented {
                resource: match it.resource {
                    ConsentResource::MicrosoftGraph => Resource::Graph,
                    ConsentResource::Dataverse => Resource::Dataverse,
                },
                scope: it.scope.clone(),
            };
            Rule::Consent {
                app: check.client_id.to_ascii_lowercase(),
                permissions: check.permissions.iter().map(permission).collect(),
            }
        }
        Check::NoMfa(_) => Rule::NoMfa,
    }
}

fn directory_role(role: AdministratorRole) -> DirectoryRole {
    match role {
        AdministratorRole::GlobalAdministrator => GlobalAdministrator,
        AdministratorRole::Dynamics365Administrator => Dynamics365Administrator,
        AdministratorRole::PowerPlatformAdministrator => PowerPlatformAdministrator,
    }
}

fn privilege(privilege: declared::Privilege) -> Privilege {
    match privilege {
        declared::Privilege::Create => Privilege::Create,
        declared::Privilege::Read => Privilege::Read,
        declared::Privilege::Write => Privilege::Write,
        declared::Privilege::Delete => Privilege::Delete,
        declared::Privilege::Append => Privilege::Append,
        declared::Privilege::AppendTo => Privilege::AppendTo,
        declared::Privilege::Assign => Privilege::Assign,
        declared::Privilege::Share => Privilege::Share,
    }
}

/// A spec with every profile that asks something of a user, and everything switched on.
#[cfg(test)]
pub(crate) fn everything_for_tests() -> ServiceAccountPolicySpec {
    serde_json::from_value(serde_json::json!({
        "tenant": { "id": "contoso.com" },
        "credential": { "clientSecret": { "clientID": "c", "secretRef": { "name": "s", "key": "k" } } },
        "account": { "user": { "principalName": "u@contoso.com" } },
        "profiles": {
            "keepitPowerPlatform": {
                "workloads": ["Dynamics365", "PowerPages", "PowerAutomate"], "globalAdministratorAfterSetup": "Remove",
            },
            "keepitDynamicsCE": {},
            "fluentProDataverse": { "clientID": "F", "operations": ["Backup", "Restore"], "tables": ["account"] },
            "avePointServiceAccount": { "projectForTheWeb": true },
        },
    }))
    .expect("a spec")
}

/// The same for an app.
#[cfg(test)]
pub(crate) fn app_for_tests(kind: &str) -> ServiceAccountPolicySpec {
    serde_json::from_value(serde_json::json!({
        "tenant": { "id": "contoso.com" },
        "credential": { "clientSecret": { "clientID": "c", "secretRef": { "name": "s", "key": "k" } } },
        "account": { "application": { "clientID": "A" } },
        "profiles": { "avePointAppProfile": { "kind": kind } },
    }))
    .expect("a spec")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_each_requirement_names_its_page() {
        let mut all = requirements(&everything_for_tests());
        all.extend(requirements(&app_for_tests("Custom")));
        let ids: std::collections::BTreeSet<_> = all.iter().map(Requirement::id).collect();
        assert_eq!(ids.len(), all.len());
        assert!(all.iter().all(|requirement| requirement.source.starts_with("00")));
        assert!(all.iter().all(|requirement| ALL.contains(&requirement.profile)));
    }

    #[test]
    fn a_standing_global_administrator_is_a_matter_of_the_steady_stage_only_and_of_the_spec() {
        let asked = |after| {
            let mut spec = everything_for_tests();
            spec.profiles.keepit_power_platform.as_mut().unwrap().global_administrator_after_setup = after;
            requirements(&spec)
                .into_iter()
                .find(|requirement| requirement.name == "no-global-administrator")
                .map(|requirement| (requirement.rule, requirement.stages.into_owned()))
        };
        let rule = |must_go| Rule::NoDirectoryRole { role: GlobalAdministrator, must_go };
        assert_eq!(asked(AfterSetup::Keep), None);
        assert_eq!(asked(AfterSetup::Report), Some((rule(false), STEADY.to_vec())));
        assert_eq!(asked(AfterSetup::Remove), Some((rule(true), STEADY.to_vec())));
    }

    #[test]
    fn a_restore_asks_for_more_than_a_backup() {
        let privileges = |operations: &[Operation]| {
            let mut spec = everything_for_tests();
            spec.profiles.fluent_pro_dataverse.as_mut().unwrap().operations = operations.to_vec();
            requirements(&spec).into_iter().find_map(|requirement| match requirement.rule {
                Rule::TablePrivileges(tables) => Some(tables.privileges),
                _ => None,
            })
        };
        assert_eq!(privileges(&[Operation::Backup]), Some(vec![Privilege::Read]));
        let restore = Some(vec![Privilege::Read, Privilege::Create, Privilege::Write]);
        assert_eq!(privileges(&[Operation::Restore]), restore);
        assert_eq!(privileges(&[Operation::Backup, Operation::Restore]), restore);
    }

    #[test]
    fn the_spec_says_which_licenses_count_too() {
        let mut spec = everything_for_tests();
        spec.licenses = serde_json::from_value(serde_json::json!({
            "families": [{ "name": "Dynamics365", "extraSKUIDs": ["ABC"], "lookAt": "UserOrTenant" }],
        }))
        .unwrap();
        let dynamics: Vec<Wanted> = requirements(&spec)
            .into_iter()
            .filter_map(|requirement| match requirement.rule {
                Rule::License(wanted) if wanted.family == LicenseFamily::Dynamics365 => Some(wanted),
                _ => None,
            })
            .collect();
        assert_eq!(dynamics.len(), 3);
        assert!(
            dynamics.iter().all(|wanted| wanted.extra == ["abc"] && wanted.look_at == declared::LookAt::UserOrTenant)
        );
    }
}
