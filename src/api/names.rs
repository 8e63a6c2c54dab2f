//! What the profiles are called in a spec, and which of them a policy has.

use super::profiles::Profiles;

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
pub fn names(profiles: &Profiles) -> Vec<&'static str> {
    let Profiles {
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
