//! What `FluentPro`'s page asks of the account. [pure]

use super::{ALWAYS, FLUENT_PRO_DATAVERSE, RESTORE, Requirement, STEADY, row};
use crate::api::profiles::{FluentProDataverse, Operation};
use crate::policy::rules::Rule;
use crate::policy::rules::consent::{dataverse, graph};
use crate::tenant::facts::{AccessMode, Privilege, TablesWanted};

/// Vendor page `003_bd56bc9590922a7e.txt`.
pub fn fluent_pro_dataverse(profile: &FluentProDataverse) -> Vec<Requirement> {
    let asks = |name, rule, source| row(FLUENT_PRO_DATAVERSE, name, ALWAYS, rule, source);
    // What a backup reads has to be written by a restore (the page's points 2).
    let restores = vec![Privilege::Read, Privilege::Create, Privilege::Write];
    let of = |privileges| TablesWanted {
        names: profile.tables.clone(),
        privileges,
        related: profile.include_related_tables,
    };
    let always = profile.operations.contains(&Operation::Restore);
    let tables = of(if always { restores.clone() } else { vec![Privilege::Read] });
    // Who is not to restore at all times is asked for it while a Connector announces one.
    let announced = (!always).then(|| {
        row(
            FLUENT_PRO_DATAVERSE,
            "restore-privileges",
            RESTORE,
            Rule::TablePrivileges(of(restores)),
            "003_bd56bc9590922a7e.txt Restore 2",
        )
    });
    let mut all = vec![
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
    ];
    all.extend(announced);
    all
}
