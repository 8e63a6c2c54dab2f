//! What Keepit's pages ask of the account. [pure]

use super::{ALWAYS, KEEPIT_DYNAMICS_CE, KEEPIT_POWER_PLATFORM, Requirement, SIGN_IN, STEADY, license, role, row};
use crate::api::profiles::{AfterSetup, KeepitPowerPlatform, LicenseFamily, Licenses, Workload};
use crate::policy::rules::Rule;
use crate::tenant::DirectoryRole::{Dynamics365Administrator, GlobalAdministrator, PowerPlatformAdministrator};
use crate::tenant::facts::AccessMode;

/// Vendor pages `000_5ee508f98d21b045.txt` and `002_6826016aac67b871.txt`.
pub fn keepit_power_platform(profile: &KeepitPowerPlatform, chosen: &Licenses) -> Vec<Requirement> {
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
            SIGN_IN,
            role(&[GlobalAdministrator], SIGN_IN),
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
pub fn keepit_dynamics_ce(chosen: &Licenses) -> Vec<Requirement> {
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
