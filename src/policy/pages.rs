//! What each vendor page asks for, paragraph by paragraph, in our own words, and what covers it. [pure]

/// One page.
pub struct Page {
    /// The seed's file name.
    pub file: &'static str,
    /// What it is about.
    pub about: &'static str,
    /// Its requirements, from the first to the last.
    pub rows: &'static [Row],
}

/// One requirement.
pub struct Row {
    /// Where on the page.
    pub place: &'static str,
    /// What is asked for.
    pub asks: &'static str,
    /// What covers it.
    pub covered: Covered,
}

/// What covers a requirement.
pub enum Covered {
    /// Findings of the policy, by id.
    By(&'static [&'static str]),
    /// A hand-off of the Connector, by vendor and name: a person does it, and it is noticed when it is done.
    HandOff(&'static str),
    /// Nothing can: why.
    Not(&'static str),
}

use Covered::{By, HandOff, Not};

const fn row(place: &'static str, asks: &'static str, covered: Covered) -> Row {
    Row { place, asks, covered }
}

const A_STEP: &str = "a step of the way to what the rows around it ask for";
const PERMITTED: &str = "says what is permitted, and asks for nothing";

/// All pages.
pub const PAGES: &[Page] = &[
    Page {
        file: "000_5ee508f98d21b045.txt",
        about: "Keepit: setting up the backup of Power Platform and Dynamics 365",
        rows: &[
            row(
                "Requirements",
                "a service account that has the roles and licenses to make a connector",
                By(&["keepitPowerPlatform/account-usable"]),
            ),
            row(
                "Admin Roles 1",
                "Global Administrator, to begin with",
                By(&["keepitPowerPlatform/global-administrator"]),
            ),
            row("Admin Roles 2", "Dynamics 365 Administrator", By(&["keepitPowerPlatform/dynamics-365-administrator"])),
            row(
                "Admin Roles 3",
                "System Administrator in the environments, with Read-Write access",
                By(&["keepitPowerPlatform/system-administrator", "keepitPowerPlatform/read-write"]),
            ),
            row(
                "Admin Roles, note",
                "Global Administrator may go once the connector is there; Dynamics 365 and Power Platform Administrator are needed then",
                By(&[
                    "keepitPowerPlatform/no-global-administrator",
                    "keepitPowerPlatform/power-platform-administrator",
                    "keepitPowerPlatform/dynamics-365-administrator",
                ]),
            ),
            row("Check security role and access mode 1-2", "open the environment's list of users", Not(A_STEP)),
            row(
                "Check security role and access mode 3",
                "the account is a user of each environment",
                By(&["keepitPowerPlatform/environment-member"]),
            ),
            row(
                "Check security role and access mode 4",
                "its security role is System Administrator, its access mode Read-Write",
                By(&["keepitPowerPlatform/system-administrator", "keepitPowerPlatform/read-write"]),
            ),
            row(
                "Licenses, Dynamics",
                "a Dynamics 365 plan, a license that is part of one, or one of the apps named",
                By(&["keepitPowerPlatform/dynamics-365-license"]),
            ),
            row(
                "Licenses, Power Platform",
                "Power Pages for authenticated or anonymous users, to back up Power Pages",
                By(&["keepitPowerPlatform/power-pages-license"]),
            ),
            row(
                "Licenses, Power Platform",
                "Power Automate Premium, to back up Power Automate",
                By(&["keepitPowerPlatform/power-automate-license"]),
            ),
            row(
                "Licenses, note",
                "both of them, to back up both: the policy's workloads say what is backed up",
                By(&["keepitPowerPlatform/power-pages-license", "keepitPowerPlatform/power-automate-license"]),
            ),
            row("Create 1-2", "begin a connector, and sign in at Microsoft", HandOff("Keepit: create-connector")),
            row(
                "Create 3 and its note",
                "consent to what Keepit asks for, the first time",
                HandOff("Keepit: create-connector"),
            ),
            row(
                "Create 4-5",
                "configure and create it; the first backup is scheduled",
                HandOff("Keepit: create-connector"),
            ),
            row(
                "Create 2",
                "the sign-in that made the connector goes on to be good",
                By(&["keepitPowerPlatform/password-kept"]),
            ),
        ],
    },
    Page {
        file: "001_e0dc596d0152edb5.txt",
        about: "Keepit: setting up the backup of Dynamics 365 CE (an older revision of the page before)",
        rows: &[
            row(
                "Requirements",
                "a Microsoft 365 user with Global Administrator",
                By(&["keepitDynamicsCE/account-usable", "keepitDynamicsCE/global-administrator"]),
            ),
            row(
                "Requirements, note",
                "Global Administrator stays: the app works as the user who is signed in",
                By(&["keepitDynamicsCE/global-administrator", "keepitDynamicsCE/password-kept"]),
            ),
            row(
                "Requirements, lists",
                "a Dynamics 365 plan, a license that is part of one, or one of the apps named",
                By(&["keepitDynamicsCE/dynamics-365-license"]),
            ),
            row(
                "Requirements, last sentence",
                "System Administrator and Read-Write access, as a user of the environment",
                By(&[
                    "keepitDynamicsCE/environment-member",
                    "keepitDynamicsCE/system-administrator",
                    "keepitDynamicsCE/read-write",
                ]),
            ),
            row(
                "Create, important",
                "no other account is signed in, or a private window is used",
                HandOff("Keepit: create-connector"),
            ),
            row("Create 1-4", "begin a connector, sign in and consent", HandOff("Keepit: create-connector")),
            row(
                "Create 4, list",
                "its name, who may see it, how long backups are kept",
                Not(
                    "settings of the connector, and no requirement: `name`, `access` and `retention` of `spec.vendor.keepit`",
                ),
            ),
            row("Create 5", "create it; the first backup is scheduled", HandOff("Keepit: create-connector")),
        ],
    },
    Page {
        file: "002_6826016aac67b871.txt",
        about: "Keepit: taking Global Administrator from the service account",
        rows: &[
            row(
                "first paragraph",
                "Global Administrator and a Dynamics 365 license, to set the connector up",
                By(&["keepitPowerPlatform/global-administrator", "keepitPowerPlatform/dynamics-365-license"]),
            ),
            row(
                "second paragraph",
                "Global Administrator may be removed once the connector is there",
                By(&["keepitPowerPlatform/no-global-administrator"]),
            ),
            row(
                "Important",
                "Global Administrator is needed again whenever the connector is authenticated again",
                By(&["keepitPowerPlatform/global-administrator"]),
            ),
            row(
                "I",
                "an active user with Global Administrator and Dynamics 365 Administrator",
                By(&[
                    "keepitPowerPlatform/account-usable",
                    "keepitPowerPlatform/global-administrator",
                    "keepitPowerPlatform/dynamics-365-administrator",
                ]),
            ),
            row("II", "create the connector with this account's authorization", HandOff("Keepit: create-connector")),
            row(
                "III",
                "Global Administrator goes and Power Platform Administrator comes; not before a first backup has shown that the authorization works, which is later than the page permits",
                By(&[
                    "keepitPowerPlatform/no-global-administrator",
                    "keepitPowerPlatform/power-platform-administrator",
                ]),
            ),
            row("IV.1-4", "open the list of users of each environment", Not(A_STEP)),
            row(
                "IV.5",
                "the account is a user of each environment that is backed up",
                By(&["keepitPowerPlatform/environment-member"]),
            ),
            row(
                "IV.6 and its note",
                "and is System Administrator there",
                By(&["keepitPowerPlatform/system-administrator"]),
            ),
        ],
    },
    Page {
        file: "003_bd56bc9590922a7e.txt",
        about: "FluentPro: the connection account for Dataverse",
        rows: &[
            row(
                "Backup 1, Restore 1",
                "a user of the tenant, and of the environment where the tables are",
                By(&["fluentProDataverse/account-usable", "fluentProDataverse/environment-member"]),
            ),
            row(
                "Backup 2",
                "System Administrator, or roles that read all tables that are needed and those that they refer to; the sentence says reading and writing first, and Read permissions then: a backup is asked for Read",
                By(&["fluentProDataverse/table-privileges"]),
            ),
            row(
                "Restore 2",
                "System Administrator, or roles that read, create and write in them",
                By(&["fluentProDataverse/table-privileges"]),
            ),
            row(
                "Backup 3, Restore 3",
                "access mode Read-Write or Non-interactive",
                By(&["fluentProDataverse/access-mode"]),
            ),
            row(
                "consent, first paragraph",
                "an administrator's consent before the first connection",
                By(&["fluentProDataverse/consent"]),
            ),
            row(
                "consent, second paragraph",
                "asked for once; any account that fits can be used then",
                By(&["fluentProDataverse/consent", "fluentProDataverse/password-kept"]),
            ),
            row("consent, third paragraph", "FluentPro's app is in the tenant", By(&["fluentProDataverse/consent"])),
            row(
                "API permissions",
                "User.Read and offline_access of Microsoft Graph, user_impersonation of Dataverse",
                By(&["fluentProDataverse/consent"]),
            ),
            row("last list", "what the app can do then", Not(PERMITTED)),
        ],
    },
    Page {
        file: "004_5ddf0188dcdaa1a9.txt",
        about: "AvePoint: scanning organizations and environments of Dynamics 365",
        rows: &[
            row(
                "first paragraph",
                "an app profile or a service account",
                Not("a choice: the policy's profile says which"),
            ),
            row(
                "first note",
                "a service account, and a Project license for it, to back up Project for the web",
                By(&["avePointServiceAccount/project-license"]),
            ),
            row("Scan Settings", "choose the account or the app", HandOff("AvePoint: scan-organizations")),
            row(
                "service accounts to app profile",
                "organizations can be moved from one to the other",
                HandOff("AvePoint: move-to-app-profile"),
            ),
            row(
                "note on service accounts, 1",
                "Global Administrator or Dynamics 365 Administrator (its older name is Dynamics 365 Service Administrator)",
                By(&["avePointServiceAccount/administrator", "avePointServiceAccount/account-usable"]),
            ),
            row(
                "note on service accounts, 1",
                "a Dynamics 365 license",
                By(&["avePointServiceAccount/dynamics-365-license"]),
            ),
            row("note on service accounts, 1", "no second factor", By(&["avePointServiceAccount/no-mfa"])),
            row(
                "note on service accounts, 2",
                "the first scan takes any account; it has to be chosen for the next ones",
                HandOff("AvePoint: scan-organizations"),
            ),
            row(
                "service accounts",
                "the account signs in with the password that it was configured with",
                By(&["avePointServiceAccount/password-kept"]),
            ),
            row(
                "Add an App Profile Connection 1-3",
                "begin the connection",
                HandOff("AvePoint: connect-organizations"),
            ),
            row(
                "Add an App Profile Connection 4",
                "AvePoint's own app, which registers itself, or a custom one that is consented to",
                By(&["avePointAppProfile/consent"]),
            ),
            row(
                "Add an App Profile Connection 5",
                "an application user for it in the environment, with System Administrator",
                By(&["avePointAppProfile/application-user", "avePointAppProfile/system-administrator"]),
            ),
            row(
                "Add an App Profile Connection 6-8",
                "name the environments, and scan",
                HandOff("AvePoint: connect-organizations"),
            ),
            row(
                "Required Permissions",
                "User.Read of Microsoft Graph and user_impersonation of Dynamics CRM, consented to for a custom app",
                By(&["avePointAppProfile/consent"]),
            ),
        ],
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::policy::profiles::{Requirement, app_for_tests, everything_for_tests, requirements};

    #[test]
    fn every_row_is_covered_by_rules_that_a_profile_has_and_every_rule_of_a_profile_has_its_row() {
        let mut all = requirements(&everything_for_tests());
        all.extend(requirements(&app_for_tests("Custom")));
        let rules: BTreeSet<String> = all.iter().map(Requirement::id).collect();
        let mut named = BTreeSet::new();
        for page in PAGES {
            for row in page.rows {
                match &row.covered {
                    By(ids) => {
                        assert!(!ids.is_empty(), "{} {}", page.file, row.place);
                        for id in *ids {
                            assert!(rules.contains(*id), "{} {} names {id}", page.file, row.place);
                            named.insert((*id).to_owned());
                        }
                    }
                    HandOff(why) | Not(why) => assert!(why.len() > 10, "{} {}", page.file, row.place),
                }
            }
        }
        let lonely: Vec<&String> = rules.difference(&named).collect();
        assert!(lonely.is_empty(), "no page asks for {lonely:?}");
        let files: BTreeSet<&str> = PAGES.iter().map(|page| page.file).collect();
        for requirement in &all {
            let sources = requirement.source.split("; ").filter(|part| part.starts_with("00"));
            for source in sources {
                let file = source.split(' ').next().unwrap().trim_end_matches([',', ':']);
                assert!(files.contains(file), "{} comes from {file}", requirement.id());
            }
        }
    }
}
