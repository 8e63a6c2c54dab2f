//! What do people do in Privileged Identity Management?

use serde_json::json;

use super::{Action, Done, Params, said, tenant_of, user_id};
use crate::ids::{fresh_guid, guid_of};
use crate::services::graph::elevation::after;
use crate::state::{Eligibility, RoleAssignment, RolePolicy, State, Tenant};

pub const ACTIONS: &[Action] = &[
    Action {
        name: "make-eligible",
        does: "let a user (or group) activate a directory role, for so many hours or for good",
        needs: &["user", "role"],
        may: &["hours", "tenant"],
        run: make_eligible,
    },
    Action {
        name: "end-eligibility",
        does: "let a user (or group) activate a directory role no more",
        needs: &["user", "role"],
        may: &["tenant"],
        run: end_eligibility,
    },
    Action {
        name: "activate-role",
        does: "activate a role that the user is eligible for; hours= defaults to 8",
        needs: &["user", "role"],
        may: &["hours", "tenant"],
        run: activate,
    },
    Action {
        name: "approve-role-request",
        does: "approve what waits for approval",
        needs: &["user", "role"],
        may: &["tenant"],
        run: |state, params| decide(state, params, true),
    },
    Action {
        name: "deny-role-request",
        does: "deny what waits for approval",
        needs: &["user", "role"],
        may: &["tenant"],
        run: |state, params| decide(state, params, false),
    },
    Action {
        name: "set-role-policy",
        does: "say what PIM asks when a role is assigned; max_duration= is ISO 8601, what is left out is not asked",
        needs: &["role"],
        may: &["max_duration", "justification", "mfa", "ticket", "approval", "tenant"],
        run: set_policy,
    },
    Action {
        name: "set-premium",
        does: "buy Entra ID P1 or P2, or let them lapse (p1=, p2= true or false)",
        needs: &[],
        may: &["p1", "p2", "tenant"],
        run: set_premium,
    },
];

fn principal_and_role(tenant: &Tenant, params: &Params) -> Result<(String, String), String> {
    let (key, role) = (params.text("user")?, params.text("role")?);
    let principal = tenant.principal(&key).ok_or_else(|| format!("there is no user, group or app {key:?}"))?;
    Ok((principal, tenant.role_id(&role).ok_or_else(|| format!("there is no directory role {role:?}"))?))
}

fn make_eligible(state: &mut State, params: &Params) -> Done {
    let now = state.now();
    let ends = params
        .number("hours")?
        .map(|hours| after(now, &format!("PT{hours}H")).ok_or_else(|| format!("{hours} hours cannot be counted")))
        .transpose()?;
    let tenant = tenant_of(state, params)?;
    let (principal, role) = principal_and_role(tenant, params)?;
    tenant.eligible_roles.retain(|it| !(it.principal == principal && it.role == role));
    let id = guid_of(&["eligible", &role, &principal, "/"]);
    tenant.eligible_roles.push(Eligibility { id, principal, role, scope: "/".into(), starts: Some(now), ends });
    said("eligible")
}

fn end_eligibility(state: &mut State, params: &Params) -> Done {
    let tenant = tenant_of(state, params)?;
    let (principal, role) = principal_and_role(tenant, params)?;
    let before = tenant.eligible_roles.len();
    tenant.eligible_roles.retain(|it| !(it.principal == principal && it.role == role));
    said(if tenant.eligible_roles.len() < before { "ended" } else { "was not eligible" })
}

/// A person at their own desk: eligible themselves or through a group, held to the policy's longest duration.
fn activate(state: &mut State, params: &Params) -> Done {
    let now = state.now();
    let hours = params.number("hours")?.unwrap_or(8);
    let tenant = tenant_of(state, params)?;
    let (id, (_, role)) = (user_id(tenant, &params.text("user")?)?, principal_and_role(tenant, params)?);
    let mut holders = vec![id.clone()];
    holders.extend(tenant.groups_of(&id).iter().map(|group| group.id.clone()));
    if !tenant.eligible_roles.iter().any(|it| it.role == role && holders.contains(&it.principal)) {
        return Err("not eligible for this role".into());
    }
    let ends = after(now, &format!("PT{hours}H")).ok_or("that is too long")?;
    let policy = tenant.role_policies.iter().find(|it| it.role == role);
    let longest = policy.and_then(|it| it.max_duration.as_deref()).and_then(|text| after(now, text));
    if longest.is_some_and(|longest| ends > longest) {
        return Err("longer than the policy of this role allows".into());
    }
    let plain = RoleAssignment::plain(id, role, "/".into());
    if tenant.role_assignments.iter().any(|it| it.lag.is_real() && it.is_same_as(&plain)) {
        return Err("held already".into());
    }
    let schedule = Some(fresh_guid());
    tenant.role_assignments.push(RoleAssignment {
        starts: Some(now),
        ends: Some(ends),
        activated: true,
        schedule,
        ..plain
    });
    Ok(json!({ "message": "activated", "until": ends.to_string() }))
}

fn decide(state: &mut State, params: &Params, approved: bool) -> Done {
    let tenant = tenant_of(state, params)?;
    let (principal, role) = principal_and_role(tenant, params)?;
    let at = tenant.pending_roles.iter().position(|it| it.principal == principal && it.role == role);
    let assignment = tenant.pending_roles.remove(at.ok_or("nothing waits for approval there")?);
    if approved {
        tenant.role_assignments.push(assignment);
    }
    said(if approved { "approved" } else { "denied" })
}

fn set_policy(state: &mut State, params: &Params) -> Done {
    let role = params.text("role")?;
    let max_duration = params.maybe("max_duration");
    if let Some(text) = max_duration.as_ref().filter(|text| text.parse::<jiff::Span>().is_err()) {
        return Err(format!("{text:?} is no ISO 8601 duration"));
    }
    let tenant = tenant_of(state, params)?;
    let role = tenant.role_id(&role).ok_or_else(|| format!("there is no directory role {role:?}"))?;
    tenant.role_policies.retain(|it| it.role != role);
    tenant.role_policies.push(RolePolicy {
        role,
        max_duration,
        justification: params.yes("justification"),
        mfa: params.yes("mfa"),
        ticket: params.yes("ticket"),
        approval: params.yes("approval"),
    });
    said("set")
}

fn set_premium(state: &mut State, params: &Params) -> Done {
    let (p1, p2) = (params.maybe("p1").map(|_| params.yes("p1")), params.maybe("p2").map(|_| params.yes("p2")));
    let tenant = tenant_of(state, params)?;
    tenant.premium_p1 = p1.unwrap_or(tenant.premium_p1);
    tenant.premium_p2 = p2.unwrap_or(tenant.premium_p2);
    said("set")
}
