//! What each vendor page asks of the account, as data: one row a requirement, with the page beside it.

use super::rules::Rule;
use super::rules::license::Family;
use crate::api::policy::{AfterSetup, KeepitPowerPlatform, Profiles, Stage, Workload};
use crate::tenant::DirectoryRole;

/// One requirement of one profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// The profile's key in the spec.
    pub profile: &'static str,
    /// Its name, unique within the profile.
    pub name: &'static str,
    /// When it counts.
    pub stages: &'static [Stage],
    /// How it is judged.
    pub rule: Rule,
    /// The page that asks for it: the seed's number and where in it.
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
}

/// The key of the Keepit Power Platform profile.
pub const KEEPIT_POWER_PLATFORM: &str = "keepitPowerPlatform";

/// The names of the profiles that a policy has.
#[must_use]
pub fn names(profiles: &Profiles) -> Vec<&'static str> {
    let Profiles { keepit_power_platform } = profiles;
    keepit_power_platform.iter().map(|_| KEEPIT_POWER_PLATFORM).collect()
}

/// All that the profiles of a policy ask for.
#[must_use]
pub fn requirements(profiles: &Profiles) -> Vec<Requirement> {
    let Profiles { keepit_power_platform } = profiles;
    keepit_power_platform.iter().flat_map(self::keepit_power_platform).collect()
}

const ALWAYS: &[Stage] = &[Stage::Setup, Stage::Steady];
const SETUP: &[Stage] = &[Stage::Setup];
const STEADY: &[Stage] = &[Stage::Steady];

fn keepit_power_platform(profile: &KeepitPowerPlatform) -> Vec<Requirement> {
    let asks = |name, stages, rule, source| Requirement { profile: KEEPIT_POWER_PLATFORM, name, stages, rule, source };
    let mut all = vec![
        asks("account-usable", ALWAYS, Rule::AccountUsable, "002 I.3: the account is an active user"),
        asks(
            "global-administrator",
            SETUP,
            Rule::DirectoryRole(DirectoryRole::GlobalAdministrator),
            "000 Admin Roles, 002 I.4: while the connector is created or signs in again",
        ),
        asks(
            "dynamics-365-administrator",
            ALWAYS,
            Rule::DirectoryRole(DirectoryRole::Dynamics365Administrator),
            "000 Admin Roles, 002 I.4",
        ),
        asks(
            "power-platform-administrator",
            STEADY,
            Rule::DirectoryRole(DirectoryRole::PowerPlatformAdministrator),
            "002 III.5: takes the place of Global Administrator",
        ),
    ];
    if profile.global_administrator_after_setup != AfterSetup::Keep {
        let must_go = profile.global_administrator_after_setup == AfterSetup::Remove;
        all.push(asks(
            "no-global-administrator",
            STEADY,
            Rule::NoDirectoryRole { role: DirectoryRole::GlobalAdministrator, must_go },
            "002 III: may be removed once the connector is created",
        ));
    }
    for workload in &profile.workloads {
        let (name, family) = match workload {
            Workload::Dynamics365 => ("dynamics-365-license", Family::Dynamics365),
            Workload::PowerPages => ("power-pages-license", Family::PowerPages),
            Workload::PowerAutomate => ("power-automate-license", Family::PowerAutomatePremium),
        };
        all.push(asks(name, ALWAYS, Rule::License(family), "000 Licenses, 002 introduction"));
    }
    all.extend([
        asks("environment-member", ALWAYS, Rule::EnvironmentMember, "000 Check security role 3, 002 IV.5"),
        asks("system-administrator", ALWAYS, Rule::SystemAdministrator, "000 Admin Roles, 002 IV.6"),
        asks("read-write", ALWAYS, Rule::ReadWrite, "000 Check security role 4: access mode"),
    ]);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profiles(workloads: &[Workload], after: AfterSetup) -> Profiles {
        Profiles {
            keepit_power_platform: Some(KeepitPowerPlatform {
                workloads: workloads.to_vec(),
                global_administrator_after_setup: after,
            }),
        }
    }

    #[test]
    fn names_are_unique_and_each_requirement_names_its_page() {
        let all = requirements(&profiles(
            &[Workload::Dynamics365, Workload::PowerPages, Workload::PowerAutomate],
            AfterSetup::Remove,
        ));
        let ids: std::collections::BTreeSet<_> = all.iter().map(Requirement::id).collect();
        assert_eq!(ids.len(), all.len());
        assert!(all.iter().all(|requirement| requirement.source.starts_with("00")));
    }

    #[test]
    fn a_standing_global_administrator_is_a_matter_of_the_steady_stage_only_and_of_the_spec() {
        let asked = |after| {
            requirements(&profiles(&[Workload::Dynamics365], after))
                .into_iter()
                .find(|requirement| requirement.name == "no-global-administrator")
                .map(|requirement| (requirement.rule, requirement.stages))
        };
        let rule = |must_go| Rule::NoDirectoryRole { role: DirectoryRole::GlobalAdministrator, must_go };
        assert_eq!(asked(AfterSetup::Keep), None);
        assert_eq!(asked(AfterSetup::Report), Some((rule(false), STEADY)));
        assert_eq!(asked(AfterSetup::Remove), Some((rule(true), STEADY)));
    }
}
