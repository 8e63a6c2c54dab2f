//! May this app give or take a role through PIM, and for how long? (microsoft.md §1.4)

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use serde_json::{Map, Value, json};

use super::fields::ASSIGNMENT_REQUEST;
use super::query::known;
use super::{Call, error, missing, permissions, schedules};
use crate::catalog::GLOBAL_ADMINISTRATOR;
use crate::http::{Answer, Reply};
use crate::ids::fresh_guid;
use crate::state::{Approval, Lag, RoleAssignment, RolePolicy, Rule};

/// What was asked for.
struct Wish {
    assignment: RoleAssignment,
    members: Map<String, Value>,
    validation_only: bool,
}

pub fn request(call: &mut Call<'_>) -> Answer {
    schedules::premium(call)?;
    call.options(&[])?;
    let members = call.body("unifiedRoleAssignmentScheduleRequest", ASSIGNMENT_REQUEST)?;
    match members.get("action").and_then(Value::as_str).unwrap_or_default() {
        "adminAssign" => assign(call, members),
        "adminRemove" => remove(call, members),
        action @ ("selfActivate" | "selfDeactivate" | "selfExtend" | "selfRenew") => {
            // Acts for the caller, who has to be a person with a second factor (microsoft.md §1.4); the code is [I].
            Err(error(
                403,
                "UnauthorizedAccess",
                &format!("The action '{action}' needs a signed-in user; the caller is an application."),
            ))
        }
        // They exist; ignoring what they ask would answer a question nobody asked.
        action @ ("adminUpdate" | "adminExtend" | "adminRenew") => {
            Err(error(501, "NotImplemented", &format!("The action '{action}' is not in this world yet.")))
        }
        other => Err(bad(&format!("'{other}' is not a valid action."))),
    }
}

fn bad(message: &str) -> Reply {
    error(400, "BadRequest", message)
}

fn wish(call: &Call<'_>, members: Map<String, Value>) -> Result<Wish, Reply> {
    let needed = |name: &str| {
        members
            .get(name)
            .and_then(Value::as_str)
            .ok_or_else(|| bad(&format!("A value is required for property '{name}'.")))
    };
    let (principal, role, scope) = (needed("principalId")?, needed("roleDefinitionId")?, needed("directoryScopeId")?);
    let tenant = call.tenant()?;
    let principal = tenant
        .principal(principal)
        .filter(|id| id.eq_ignore_ascii_case(principal))
        .ok_or_else(|| missing(principal))?;
    let role = tenant.role_id(role).filter(|id| id.eq_ignore_ascii_case(role)).ok_or_else(|| missing(role))?;
    if tenant.group(&principal).is_some_and(|group| !group.role_assignable) {
        return Err(bad("A group that is not assignable to roles cannot be the principal of a role assignment."));
    }
    let validation_only = members.get("isValidationOnly").and_then(Value::as_bool).unwrap_or(false);
    Ok(Wish { assignment: RoleAssignment::plain(principal, role, scope.to_owned()), members, validation_only })
}

fn assign(call: &mut Call<'_>, members: Map<String, Value>) -> Answer {
    permissions::beyond_removal(call)?;
    let mut wish = wish(call, members)?;
    let (start, end) = times(&wish.members, call.state.now())?;
    wish.assignment.starts = Some(start);
    wish.assignment.ends = end;
    wish.assignment.schedule = Some(fresh_guid());
    let policy = policy_of(call, &wish.assignment.role)?;
    let broken = broken_rules(call, &policy, &wish, start, end);
    if !broken.is_empty() {
        let why = format!("The following policy rules failed: {}", Value::from(broken));
        return Err(error(400, "RoleAssignmentRequestPolicyValidationFailed", &why));
    }
    let tenant = call.tenant()?;
    let is_same = |it: &&RoleAssignment| it.lag.is_real() && it.is_same_as(&wish.assignment);
    if tenant.role_assignments.iter().chain(&tenant.upcoming_roles).any(|it| is_same(&it)) {
        return Err(error(400, "RoleAssignmentExists", "The Role assignment already exists."));
    }
    if tenant.pending_roles.iter().any(|it| is_same(&it)) {
        // [M] code.
        return Err(error(
            400,
            "PendingRoleAssignmentRequest",
            "There is already an existing pending Role assignment request.",
        ));
    }
    let waits = policy.approval && call.state.switches.pim_approval == Approval::Pending;
    // Which of the two a request for now gets is not said; `Granted` for later ones is [I].
    let status = if waits {
        "PendingApproval"
    } else if start > call.state.now() {
        "Granted"
    } else {
        "Provisioned"
    };
    if wish.validation_only {
        return Ok(answer(call, &wish, status));
    }
    let reply = answer(call, &wish, status);
    let reads = call.state.switches.lag.graph_reads;
    let tenant_id = call.token.tenant.clone();
    if let Some(tenant) = call.state.tenant_mut(&tenant_id) {
        let assignment = RoleAssignment { lag: Lag::written(reads), ..wish.assignment };
        if waits { tenant.pending_roles.push(assignment) } else { tenant.role_assignments.push(assignment) }
    }
    call.state.pass_time();
    Ok(reply)
}

fn remove(call: &mut Call<'_>, members: Map<String, Value>) -> Answer {
    let wish = wish(call, members)?;
    let (now, shortest) = (call.state.now(), call.state.switches.pim_shortest_seconds);
    let tenant = call.tenant()?;
    let absent = || error(400, "RoleAssignmentDoesNotExist", "The Role assignment does not exist.");
    let mut all = tenant.role_assignments.iter().chain(&tenant.upcoming_roles);
    let found = all.find(|it| it.lag.is_real() && it.is_same_as(&wish.assignment)).ok_or_else(absent)?;
    let young = |start: Timestamp| start <= now && now.as_second() - start.as_second() < shortest;
    if found.schedule.is_some() && found.starts.is_some_and(young) {
        return Err(error(
            400,
            "ActiveDurationTooShort",
            "The active duration is too short. The minimum is 5 minutes.",
        ));
    }
    let is_global = |it: &&RoleAssignment| it.lag.is_real() && it.role == GLOBAL_ADMINISTRATOR && it.scope == "/";
    if is_global(&found) && tenant.role_assignments.iter().filter(is_global).count() == 1 {
        // [M], as for plain assignments (microsoft.md §1.3).
        return Err(bad("The last Global Administrator of a tenant cannot be removed."));
    }
    let reply = answer(call, &wish, "Revoked");
    if !wish.validation_only {
        let reads = call.state.switches.lag.graph_reads;
        let tenant_id = call.token.tenant.clone();
        if let Some(tenant) = call.state.tenant_mut(&tenant_id) {
            tenant.upcoming_roles.retain(|it| !it.is_same_as(&wish.assignment));
            for it in tenant.role_assignments.iter_mut().filter(|it| it.is_same_as(&wish.assignment)) {
                it.lag.remove(reads);
            }
        }
        call.state.pass_time();
    }
    Ok(reply)
}

/// Start and end of `scheduleInfo`; a start in the past is now.
fn times(members: &Map<String, Value>, now: Timestamp) -> Result<(Timestamp, Option<Timestamp>), Reply> {
    let none = Map::new();
    let info = members.get("scheduleInfo").and_then(Value::as_object);
    let info = info.ok_or_else(|| bad("A value is required for property 'scheduleInfo'."))?;
    known("requestSchedule", info, &["startDateTime", "expiration", "recurrence"])?;
    let time = |value: Option<&Value>, name: &str| match value {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value
            .as_str()
            .and_then(|text| text.parse::<Timestamp>().ok())
            .map(Some)
            .ok_or_else(|| bad(&format!("Cannot convert the value of '{name}' to Edm.DateTimeOffset."))),
    };
    let start = time(info.get("startDateTime"), "startDateTime")?.filter(|start| *start > now).unwrap_or(now);
    let expiration = info.get("expiration").and_then(Value::as_object).unwrap_or(&none);
    known("expirationPattern", expiration, &["type", "endDateTime", "duration"])?;
    let end = match expiration.get("type").and_then(Value::as_str) {
        // [I]: no kind of expiration is none.
        None | Some("noExpiration" | "notSpecified") => None,
        Some("afterDateTime") => Some(
            time(expiration.get("endDateTime"), "endDateTime")?
                .ok_or_else(|| bad("A value is required for property 'endDateTime'."))?,
        ),
        Some("afterDuration") => {
            let text = expiration.get("duration").and_then(Value::as_str).unwrap_or_default();
            Some(after(start, text).ok_or_else(|| bad("Cannot convert the value of 'duration' to Edm.Duration."))?)
        }
        Some(other) => return Err(bad(&format!("'{other}' is not a valid expiration type."))),
    };
    if end.is_some_and(|end| end <= start) {
        return Err(bad("The end of the schedule is not after its start."));
    }
    Ok((start, end))
}

/// A time and an ISO 8601 duration.
pub fn after(start: Timestamp, duration: &str) -> Option<Timestamp> {
    let span: Span = duration.parse().ok()?;
    start.to_zoned(TimeZone::UTC).checked_add(span).ok().map(|end| end.timestamp())
}

fn policy_of(call: &Call<'_>, role: &str) -> Result<RolePolicy, Reply> {
    Ok(call.tenant()?.role_policies.iter().find(|it| it.role == role).cloned().unwrap_or_default())
}

fn broken_rules(
    call: &Call<'_>,
    policy: &RolePolicy,
    wish: &Wish,
    start: Timestamp,
    end: Option<Timestamp>,
) -> Vec<&'static str> {
    let said = |value: Option<&Value>| value.and_then(Value::as_str).is_some_and(|text| !text.trim().is_empty());
    let ticket = wish.members.get("ticketInfo").and_then(Value::as_object);
    let longest = policy.max_duration.as_deref().and_then(|text| after(start, text));
    let switches = &call.state.switches;
    let mut broken = Vec::new();
    if longest.is_some_and(|longest| end.is_none_or(|end| end > longest)) {
        broken.push("ExpirationRule");
    }
    if policy.justification && !said(wish.members.get("justification")) {
        broken.push("JustificationRule");
    }
    if policy.mfa && switches.pim_mfa_of_apps == Rule::Refused {
        broken.push("MfaRule");
    }
    if policy.ticket && !said(ticket.and_then(|ticket| ticket.get("ticketNumber"))) {
        // [M] name.
        broken.push("TicketingRule");
    }
    if policy.approval && switches.pim_approval == Approval::Refused {
        // [I] name.
        broken.push("ApprovalRule");
    }
    broken
}

fn answer(call: &Call<'_>, wish: &Wish, status: &str) -> Reply {
    let now = call.state.now().to_string();
    let sent = |name: &str| wish.members.get(name).cloned().unwrap_or(Value::Null);
    let body = json!({
        "@odata.context": format!("https://{}/v1.0/$metadata#roleManagement/directory/roleAssignmentScheduleRequests/$entity", call.state.hosts.graph),
        "id": wish.assignment.schedule.clone().unwrap_or_else(fresh_guid),
        "status": status,
        "createdDateTime": now,
        "completedDateTime": if status == "PendingApproval" { Value::Null } else { now.into() },
        "approvalId": null,
        "customData": null,
        "action": sent("action"),
        "principalId": wish.assignment.principal,
        "roleDefinitionId": wish.assignment.role,
        "directoryScopeId": wish.assignment.scope,
        "appScopeId": null,
        "isValidationOnly": wish.validation_only,
        "targetScheduleId": wish.assignment.schedule,
        "justification": sent("justification"),
        "scheduleInfo": sent("scheduleInfo"),
        "ticketInfo": sent("ticketInfo"),
        "createdBy": { "application": { "id": call.token.client_id, "displayName": null }, "user": null, "device": null },
    });
    Reply::json(201, &body)
}
