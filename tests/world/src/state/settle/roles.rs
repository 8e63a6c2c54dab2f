//! How do names in the directory roles of a world file become ids?

use super::{Names, fill};
use crate::ids::{assignment_id, guid_of};
use crate::state::Tenant;

pub fn settle(tenant: &mut Tenant, names: &Names<'_>) -> Result<(), String> {
    for assignment in &mut tenant.role_assignments {
        assignment.principal = names.principal(&assignment.principal, "a role assignment")?;
        assignment.role = names.role(&assignment.role, "a role assignment")?;
        fill(&mut assignment.id, || assignment_id(&assignment.role, &assignment.principal, &assignment.scope));
    }
    for eligible in &mut tenant.eligible_roles {
        eligible.principal = names.principal(&eligible.principal, "an eligible role")?;
        eligible.role = names.role(&eligible.role, "an eligible role")?;
        fill(&mut eligible.id, || guid_of(&["eligible", &eligible.role, &eligible.principal, &eligible.scope]));
    }
    for policy in &mut tenant.role_policies {
        policy.role = names.role(&policy.role, "a role policy")?;
        if let Some(text) = policy.max_duration.as_ref().filter(|text| text.parse::<jiff::Span>().is_err()) {
            return Err(format!("max_duration {text:?} of a role policy is no ISO 8601 duration"));
        }
    }
    Ok(())
}
