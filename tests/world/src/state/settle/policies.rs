//! How do names in the consents and access policies of a world file become ids?

use super::{Names, fill};
use crate::ids::guid_of;
use crate::state::Tenant;

pub fn settle(tenant: &mut Tenant, names: &Names<'_>) -> Result<(), String> {
    for consent in &mut tenant.consents {
        consent.app = names.app(&consent.app, "a consent")?.id;
        consent.resource = names.app(&consent.resource, "a consent")?.id;
        if let Some(user) = &mut consent.user {
            *user = names.principal(user, "a consent")?;
        }
    }
    for assignment in &mut tenant.app_assignments {
        assignment.app = names.app(&assignment.app, "an app assignment")?.id;
        assignment.principal = names.principal(&assignment.principal, "an app assignment")?;
    }
    let id = tenant.id.clone();
    for policy in &mut tenant.conditional_access {
        let place = format!("Conditional Access policy {}", policy.name);
        fill(&mut policy.id, || guid_of(&[&id, "policy", &policy.name]));
        each(policy.include_users.iter_mut().chain(&mut policy.exclude_users), |key| names.principal(key, &place))?;
        each(policy.include_groups.iter_mut().chain(&mut policy.exclude_groups), |key| names.group(key, &place))?;
        each(policy.include_roles.iter_mut().chain(&mut policy.exclude_roles), |key| names.role(key, &place))?;
        each(policy.include_applications.iter_mut().chain(&mut policy.exclude_applications), |key| {
            names.app(key, &place).map(|it| it.app_id)
        })?;
    }
    Ok(())
}

/// Replaces names by ids, but for the words that Graph itself uses in their place.
fn each<'a>(
    names: impl Iterator<Item = &'a mut String>,
    id: impl Fn(&str) -> Result<String, String>,
) -> Result<(), String> {
    const WORDS: [&str; 5] = ["All", "None", "GuestsOrExternalUsers", "Office365", "MicrosoftAdminPortals"];
    for name in names.filter(|name| !WORDS.contains(&name.as_str())) {
        *name = id(name)?;
    }
    Ok(())
}
