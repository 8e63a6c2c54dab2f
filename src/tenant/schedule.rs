//! Which calls tell of roles that come and go by themselves: Privileged Identity Management (facts/microsoft.md §1.4).

use jiff::Timestamp;
use serde::Deserialize;

use super::Tenant;
use super::calls::ROLES_READ;
use super::facts::{Schedule, TimedRole};
use super::graph::{SERVICE, at, lower};
use super::wire::Call;
use crate::fault::{Fault, Kind};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireInstance {
    role_definition_id: String,
    #[serde(default)]
    directory_scope_id: Option<String>,
    #[serde(default)]
    assignment_type: Option<String>,
    #[serde(default)]
    end_date_time: Option<Timestamp>,
}

/// What a user holds for a time, and could activate, at "/". A tenant without the license for it has no such roles.
pub async fn schedule(tenant: &Tenant, user: &str) -> Result<Schedule, Fault> {
    let (active, eligible) = futures::join!(
        instances(tenant, user, "roleAssignmentScheduleInstances", "active role assignments"),
        instances(tenant, user, "roleEligibilityScheduleInstances", "eligible roles"),
    );
    let active = active?;
    Ok(Schedule {
        timed: timed(&active),
        lasting: active.iter().filter(|it| !ends(it)).map(|it| lower(&it.role_definition_id)).collect(),
        eligible: eligible?.iter().map(|instance| lower(&instance.role_definition_id)).collect(),
    })
}

async fn instances(
    tenant: &Tenant,
    user: &str,
    collection: &str,
    what: &'static str,
) -> Result<Vec<WireInstance>, Fault> {
    let filter = format!("principalId eq '{user}'");
    let url = at(tenant, &["roleManagement", "directory", collection], &[("$filter", filter.as_str())])?;
    match tenant.read_all::<WireInstance>(Call::get(&SERVICE, url, what, ROLES_READ)).await {
        Ok(mut all) => {
            all.retain(|instance| instance.directory_scope_id.as_deref() == Some("/"));
            Ok(all)
        }
        Err(fault) if fault.kind == Kind::PremiumMissing => Ok(Vec::new()),
        Err(fault) => Err(fault),
    }
}

fn ends(instance: &WireInstance) -> bool {
    instance.end_date_time.is_some() || instance.assignment_type.as_deref() == Some("Activated")
}

/// The roles that end by themselves: those of which no instance stays.
fn timed(active: &[WireInstance]) -> Vec<TimedRole> {
    let mut roles: Vec<TimedRole> = Vec::new();
    for instance in active {
        let role = lower(&instance.role_definition_id);
        let stays = active.iter().any(|other| lower(&other.role_definition_id) == role && !ends(other));
        if !stays && !roles.iter().any(|known| known.role == role) {
            roles.push(TimedRole { role, ends: instance.end_date_time });
        }
    }
    roles
}

/// Whether a user's role ends by itself.
pub async fn is_timed(tenant: &Tenant, user: &str, role: &str) -> Result<bool, Fault> {
    let active = instances(tenant, user, "roleAssignmentScheduleInstances", "active role assignments").await?;
    Ok(timed(&active).iter().any(|timed| timed.role == role))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance(role: &str, kind: &str, end: Option<&str>) -> WireInstance {
        serde_json::from_value(serde_json::json!({
            "roleDefinitionId": role, "directoryScopeId": "/", "assignmentType": kind, "endDateTime": end,
        }))
        .unwrap()
    }

    #[test]
    fn a_role_that_is_also_assigned_for_good_does_not_end() {
        let end = Some("2030-01-01T00:00:00Z");
        let all = [
            instance("A", "Activated", end),
            instance("A", "Assigned", None),
            instance("B", "Assigned", end),
            instance("C", "Assigned", None),
        ];
        let roles: Vec<String> = timed(&all).into_iter().map(|timed| timed.role).collect();
        assert_eq!(roles, ["b"]);
    }
}
