//! Which directory roles are held for a time only, which could be, and what happens when their time comes? (microsoft.md §1.4)

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::directory::root;
use super::{Lag, RoleAssignment, State};
use crate::ids::assignment_id;

/// A role that its holder may activate, and does not hold until then.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Eligibility {
    /// Made from the rest if left out.
    #[serde(default)]
    pub id: String,
    /// User or group by name or id; the object id after loading.
    pub principal: String,
    /// Role by name or id; the id after loading.
    pub role: String,
    #[serde(default = "root")]
    pub scope: String,
    #[serde(default)]
    pub starts: Option<Timestamp>,
    #[serde(default)]
    pub ends: Option<Timestamp>,
}

/// What PIM asks when a role is assigned. Each rule that is not kept is named in the refusal.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[allow(clippy::struct_excessive_bools, reason = "one switch a rule, as in the policy")]
pub struct RolePolicy {
    /// Role by name or id; the id after loading.
    pub role: String,
    /// ISO 8601 (`PT8H`): the longest assignment. With it, none may be without end (`ExpirationRule`).
    pub max_duration: Option<String>,
    /// `JustificationRule`
    pub justification: bool,
    /// `MfaRule`; what it means for an app is open (switch `pim_mfa_of_apps`).
    pub mfa: bool,
    /// `TicketingRule`
    pub ticket: bool,
    /// A person has to approve (switch `pim_approval`).
    pub approval: bool,
}

impl RoleAssignment {
    /// A plain assignment: from now on, for good.
    pub fn plain(principal: String, role: String, scope: String) -> Self {
        Self {
            id: assignment_id(&role, &principal, &scope),
            principal,
            role,
            scope,
            starts: None,
            ends: None,
            activated: false,
            schedule: None,
            lag: Lag::default(),
        }
    }

    pub fn is_same_as(&self, other: &Self) -> bool {
        self.principal == other.principal && self.role == other.role && self.scope == other.scope
    }
}

impl State {
    /// What begins, begins; what ends, ends. The end of a role shows as late as any other removal (`lag.graph_reads`).
    pub(super) fn pass_roles(&mut self) {
        let (now, reads) = (self.now(), self.switches.lag.graph_reads);
        for tenant in &mut self.tenants {
            tenant.eligible_roles.retain(|it| it.ends.is_none_or(|end| end > now));
            let later = |it: &RoleAssignment| it.starts.is_some_and(|start| start > now);
            let (upcoming, active): (Vec<_>, Vec<_>) =
                tenant.role_assignments.drain(..).chain(tenant.upcoming_roles.drain(..)).partition(later);
            (tenant.upcoming_roles, tenant.role_assignments) = (upcoming, active);
            for it in &mut tenant.role_assignments {
                if it.lag.is_real() && it.ends.is_some_and(|end| end <= now) {
                    it.lag.remove(reads);
                }
            }
            tenant.role_assignments.retain(|it| !it.lag.is_over());
            let real = tenant.role_assignments.iter().filter(|it| it.lag.is_real());
            let schedules: Vec<&String> = real.filter_map(|it| it.schedule.as_ref()).collect();
            for row in tenant.environments.iter_mut().flat_map(|it| &mut it.users) {
                row.roles.retain(|held| held.by_schedule.as_ref().is_none_or(|it| schedules.contains(&it)));
            }
        }
    }
}
