//! What each vendor page asks of the account, as data: one row a requirement, with the page beside it.

mod avepoint;
mod custom;
mod fluentpro;
mod keepit;

use std::borrow::Cow;

pub use crate::api::names::{
    ALL, AVE_POINT_APP_PROFILE, AVE_POINT_SERVICE_ACCOUNT, CUSTOM, FLUENT_PRO_DATAVERSE, KEEPIT_DYNAMICS_CE,
    KEEPIT_POWER_PLATFORM, names,
};

use super::rules::Rule;
use super::rules::license::Wanted;
use crate::api::ServiceAccountPolicySpec;
use crate::api::policy::{Account, Stage};
use crate::api::profiles as declared;
use crate::api::profiles::{LicenseFamily, Licenses};
use crate::tenant::DirectoryRole;

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

    /// Whether a Connector of the profile in this stage asks for it: rules of one's own are asked for by all of them.
    #[must_use]
    pub fn asked_by(&self, profile: &str, stage: Stage) -> bool {
        [profile, CUSTOM].contains(&self.profile) && self.counts_in(stage)
    }

    /// Whether what fails here may be mended: what somebody asks for in rules of their own is judged only.
    #[must_use]
    pub fn repairable(&self) -> bool {
        self.profile != CUSTOM
    }
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
    all.extend(keepit_power_platform.iter().flat_map(|profile| keepit::keepit_power_platform(profile, &chosen)));
    all.extend(keepit_dynamics_ce.iter().flat_map(|_| keepit::keepit_dynamics_ce(&chosen)));
    all.extend(fluent_pro_dataverse.iter().flat_map(fluentpro::fluent_pro_dataverse));
    all.extend(
        ave_point_service_account.iter().flat_map(|profile| avepoint::ave_point_service_account(profile, &chosen)),
    );
    if let (Some(profile), Account::Application(app)) = (ave_point_app_profile, &spec.account) {
        all.extend(avepoint::ave_point_app_profile(profile, &app.client_id));
    }
    all.extend(custom.iter().flat_map(|profile| custom::custom(profile, &chosen)));
    all
}

const ALWAYS: &[Stage] = &[Stage::Setup, Stage::Steady, Stage::Reauthentication, Stage::Restore];
/// While somebody signs in at the vendor, the first time or again.
const SIGN_IN: &[Stage] = &[Stage::Setup, Stage::Reauthentication];
/// Once the vendor works.
const STEADY: &[Stage] = &[Stage::Steady, Stage::Restore];
/// While something is to be restored.
pub const RESTORE: &[Stage] = &[Stage::Restore];

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

/// A role that has to be held for good; for a sign-in it is enough to hold it then. What gives the least stands last.
fn role(any_of: &[DirectoryRole], stages: &[Stage]) -> Rule {
    let mut any_of = any_of.to_vec();
    any_of.sort_by_key(|role| match role {
        DirectoryRole::GlobalAdministrator => 0,
        DirectoryRole::PowerPlatformAdministrator => 1,
        DirectoryRole::Dynamics365Administrator => 2,
    });
    Rule::DirectoryRole { any_of, standing: stages.contains(&Stage::Steady) }
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
    use crate::api::profiles::{AfterSetup, Operation};
    use crate::tenant::DirectoryRole::GlobalAdministrator;
    use crate::tenant::facts::Privilege;

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
