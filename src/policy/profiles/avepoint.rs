//! What `AvePoint`'s page asks of the account: a service account, or an app. [pure]

use super::{ALWAYS, AVE_POINT_APP_PROFILE, AVE_POINT_SERVICE_ACCOUNT, Requirement, STEADY, license, role, row};
use crate::api::profiles::{AppProfileKind, AvePointAppProfile, AvePointServiceAccount, LicenseFamily, Licenses};
use crate::policy::rules::Rule;
use crate::policy::rules::consent::{dataverse, graph};
use crate::tenant::DirectoryRole::{Dynamics365Administrator, GlobalAdministrator};

/// Vendor page `004_5ddf0188dcdaa1a9.txt`, the note on service accounts.
pub fn ave_point_service_account(profile: &AvePointServiceAccount, chosen: &Licenses) -> Vec<Requirement> {
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
pub fn ave_point_app_profile(profile: &AvePointAppProfile, client_id: &str) -> Vec<Requirement> {
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
