//! Whether the account can do what is needed with tables of an environment (R11 of facts/microsoft.md §5), or is System Administrator.

use super::Judgement;
use crate::tenant::facts::{Access, Environment, HeldBy, Privilege, Reach, SystemUser, TableAccess, TablesWanted};

/// So many tables are named in one sentence.
const MOST: usize = 3;

pub fn judge(environment: &Environment, access: &Access, row: &SystemUser, wanted: &TablesWanted) -> Judgement {
    match &row.system_administrator {
        Some(HeldBy::User) => return Judgement::pass("The account is System Administrator"),
        Some(HeldBy::Team(team)) => {
            return Judgement::pass(format!("The account is System Administrator through the team {team}"));
        }
        None => {}
    }
    let roles = format!(
        "Power Platform admin center > Environments > {} > Users > the account > Manage security roles",
        environment.name
    );
    if wanted.names.is_empty() {
        return Judgement::fail(
            "The account is not System Administrator, and the spec names no tables whose privileges would do instead",
            format!("{roles}: select System Administrator; or name the tables in the profile's tables"),
        );
    }
    let mut absent: Vec<&str> = Vec::new();
    let mut lacking: Vec<String> = Vec::new();
    let mut partly: Vec<String> = Vec::new();
    let Some(tables) = access.tables.get(wanted) else {
        return Judgement::unseen(
            "its tables were not asked for",
            "Nothing to do at first: they are asked for next time",
        );
    };
    for (table, can) in tables {
        let TableAccess::Present(held) = can else {
            absent.push(table);
            continue;
        };
        let (without, part): (Vec<&Privilege>, Vec<&Privilege>) = wanted
            .privileges
            .iter()
            .filter(|privilege| !matches!(held.get(privilege), Some(Reach::Everything | Reach::NotNeeded)))
            .partition(|privilege| !held.contains_key(privilege));
        if !without.is_empty() {
            lacking.push(format!("{} on {table}", words(&without)));
        }
        if !part.is_empty() {
            partly.push(format!("{} on {table}", words(&part)));
        }
    }
    let role = "a role with these privileges at organization level, or System Administrator";
    if !lacking.is_empty() {
        return Judgement::fail(format!("The account can't {}", some(&lacking)), format!("{roles}: select {role}"));
    }
    // Without it the backup is a part, and nobody is told so (facts/microsoft.md §3.4).
    if !partly.is_empty() {
        return Judgement::fail(
            format!(
                "The account can {} only for some of the rows, so that a backup would silently be a part",
                some(&partly)
            ),
            format!("{roles}: select {role}"),
        );
    }
    if wanted.names.iter().any(|name| absent.contains(&name.as_str())) {
        let named: Vec<String> = absent.iter().map(|name| (*name).to_owned()).collect();
        return Judgement::warn(
            format!("The environment has no table {}", some(&named)),
            "Correct the profile's tables, if the name is wrong; one that is not there can't be backed up",
        );
    }
    Judgement::pass("The account has the privileges on all tables that are needed")
}

fn words(privileges: &[&Privilege]) -> String {
    privileges.iter().map(|privilege| privilege.word()).collect::<Vec<_>>().join(", ")
}

fn some(all: &[String]) -> String {
    let shown = all.iter().take(MOST).cloned().collect::<Vec<_>>().join("; ");
    if all.len() > MOST { format!("{shown}, and {} more", all.len() - MOST) } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::policy::FindingResult::{Fail, Pass, Warn};
    use crate::policy::rules::{environment_for_tests, row_for_tests};
    use Reach::{Everything, Part};

    /// What is held on a table; `None`: there is no such table.
    type Held<'a> = Option<&'a [(Privilege, Reach)]>;

    fn judged(tables: &[(&str, Held<'_>)], administrator: bool) -> Judgement {
        let access = |reach: Held<'_>| {
            reach.map_or(TableAccess::Absent, |held| TableAccess::Present(held.iter().copied().collect()))
        };
        let seen = tables.iter().map(|(name, held)| ((*name).to_owned(), access(*held))).collect();
        let row = SystemUser { system_administrator: administrator.then_some(HeldBy::User), ..row_for_tests() };
        let wanted = TablesWanted {
            names: tables.iter().map(|(name, _)| (*name).to_owned()).collect(),
            privileges: vec![Privilege::Read, Privilege::Write],
            related: false,
        };
        let access = Access { row: None, tables: [(wanted.clone(), seen)].into() };
        judge(&environment_for_tests(), &access, &row, &wanted)
    }

    #[test]
    fn every_privilege_must_reach_every_row_of_every_table() {
        let whole: &[_] = &[(Privilege::Read, Everything), (Privilege::Write, Everything)];
        let part: &[_] = &[(Privilege::Read, Part), (Privilege::Write, Everything)];
        let read: &[_] = &[(Privilege::Read, Everything)];
        assert_eq!(judged(&[("account", Some(whole))], false).result, Pass);
        assert_eq!(judged(&[("account", Some(whole)), ("contact", Some(read))], false).result, Fail);
        let silent = judged(&[("account", Some(part))], false);
        assert_eq!((silent.result, silent.message.contains("Read on account")), (Fail, true));
        assert_eq!(judged(&[("account", Some(read))], true).result, Pass, "System Administrator can do everything");
        assert_eq!(judged(&[("account", Some(whole)), ("misspelt", None)], false).result, Warn);
        assert_eq!(judged(&[], false).result, Fail, "nobody knows which tables are meant");
    }
}
