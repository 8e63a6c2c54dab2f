//! Which permissions the operator's app lacks at Microsoft Graph, and what a person does about it. [pure]

use std::collections::BTreeSet;

use super::act::Done;
use crate::api::Action;
use crate::fault::Fault;
use crate::handoff::HandOff;
use crate::seen::Seen;
use crate::tenant::facts::AccountFacts;

const READS_ROLES: &str = "RoleManagement.Read.Directory";
const WRITES_ROLES: &str = "RoleManagement.ReadWrite.Directory";

/// The name of the hand-off.
pub const NAME: &str = "app-permissions";

/// The permissions that something could not be read, or was refused to be written, for want of. Who is allowed to write roles is
/// asked for the right to do so at once, which lets them be read, too.
pub fn missing(facts: &AccountFacts, done: &Done, allowed: &BTreeSet<Action>) -> BTreeSet<&'static str> {
    let AccountFacts {
        is_application: _,
        user,
        roles,
        schedule,
        another_global_administrator,
        subscribed,
        second_factor,
        applications,
        environments: _,
        without_dataverse: _,
    } = facts;
    let seen = [
        user.fault(),
        roles.fault(),
        schedule.fault(),
        another_global_administrator.fault(),
        subscribed.fault(),
        second_factor.per_user.fault(),
        second_factor.security_defaults.fault(),
        second_factor.policies.fault(),
        second_factor.groups.fault(),
    ];
    let apps = applications.values().filter_map(Seen::fault);
    let lacks = seen.into_iter().flatten().chain(apps).chain(&done.fault).filter_map(|fault: &Fault| fault.lacks);
    let writes = allowed.contains(&Action::DirectoryRoles);
    lacks.map(|permission| if writes && permission == READS_ROLES { WRITES_ROLES } else { permission }).collect()
}

/// The hand-off, if any permission is missing.
pub fn hand_off(missing: &BTreeSet<&'static str>) -> Option<HandOff> {
    if missing.is_empty() {
        return None;
    }
    let names: Vec<&str> = missing.iter().copied().collect();
    let add = names.iter().map(|name| format!("Add a permission > Microsoft Graph > Application permissions: {name}"));
    Some(HandOff {
        name: NAME,
        title: format!("Let the operator's app have {} at Microsoft Graph", names.join(", ")),
        who: "Global Administrator or Privileged Role Administrator of the tenant",
        steps: ["Microsoft Entra admin center > App registrations > the operator's app > API permissions".to_owned()]
            .into_iter()
            .chain(add)
            .chain([
                "Grant admin consent".to_owned(),
                "The operator notices within a few minutes: it signs in again by itself".to_owned(),
            ])
            .collect(),
        url: None,
        due_date: None,
        done_when: "Microsoft Graph permits what it refuses now".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Kind;
    use crate::policy::rules::facts_for_tests;

    #[test]
    fn what_is_refused_in_reading_and_in_writing_is_asked_for_once() {
        let lacking = |permission| Fault::new(Kind::PermissionMissing, "No").lacking(permission);
        let mut facts = facts_for_tests();
        assert_eq!(hand_off(&missing(&facts, &Done::default(), &BTreeSet::new())), None);
        facts.roles = Seen::Unknown(lacking("Read"));
        facts.schedule = Seen::Unknown(lacking("Read"));
        let done = Done { fault: Some(lacking("Write")), ..Done::default() };
        let asked = hand_off(&missing(&facts, &done, &BTreeSet::new())).unwrap();
        assert!(asked.title.contains("Read, Write"), "{}", asked.title);
        assert_eq!(asked.steps.len(), 5, "{:?}", asked.steps);
    }
}
