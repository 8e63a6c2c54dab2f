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
    Ok(Schedule {
        timed: active?
            .into_iter()
            .filter_map(|instance| {
                let activated = instance.assignment_type.as_deref() == Some("Activated");
                let role = lower(&instance.role_definition_id);
                (activated || instance.end_date_time.is_some()).then_some(TimedRole {
                    role,
                    ends: instance.end_date_time,
                    activated,
                })
            })
            .collect(),
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
