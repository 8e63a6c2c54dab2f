//! Which roles are active or could be activated, from when until when? (microsoft.md §1.4)

use jiff::Timestamp;
use serde_json::{Value, json};

use super::fields::{ASSIGNMENT_INSTANCE, ASSIGNMENT_SCHEDULE, ELIGIBILITY_INSTANCE, ELIGIBILITY_SCHEDULE};
use super::query::fits;
use super::users::text;
use super::{Call, error, roles};
use crate::http::{Answer, Reply};
use crate::ids::guid_of;
use crate::odata::project;
use crate::state::{GroupSchedules, Tenant};

/// One schedule, of whichever kind.
#[derive(Clone)]
struct Row {
    id: String,
    schedule: String,
    principal: String,
    role: String,
    scope: String,
    starts: Option<Timestamp>,
    ends: Option<Timestamp>,
    activated: bool,
    member: &'static str,
}

/// 400 `AadPremiumLicenseRequired` without Entra ID P2 (microsoft.md §1.4 [P]).
pub fn premium(call: &Call<'_>) -> Result<(), Reply> {
    if call.tenant()?.premium_p2 {
        return Ok(());
    }
    Err(error(
        400,
        "AadPremiumLicenseRequired",
        "The tenant needs to have Microsoft Entra ID P2 or Microsoft Entra ID Governance license.",
    ))
}

/// What is active now, plain role assignments included.
pub fn assignment_instances(call: &mut Call<'_>) -> Answer {
    let rows = active(call)?;
    let answer = list(
        call,
        "unifiedRoleAssignmentScheduleInstance",
        ASSIGNMENT_INSTANCE,
        "roleAssignmentScheduleInstances",
        &rows,
        |row| json!({ "roleAssignmentOriginId": row.id, "roleAssignmentScheduleId": row.schedule, "assignmentType": kind(row), "startDateTime": text(row.starts), "endDateTime": text(row.ends) }),
    );
    roles::tick(call);
    answer
}

/// What is active now or will be.
pub fn assignment_schedules(call: &mut Call<'_>) -> Answer {
    let mut rows = active(call)?;
    rows.extend(expanded(call, upcoming(call.tenant()?))?);
    let answer =
        list(call, "unifiedRoleAssignmentSchedule", ASSIGNMENT_SCHEDULE, "roleAssignmentSchedules", &rows, |row| {
            let mut whole = schedule(row);
            whole["id"] = row.schedule.clone().into();
            whole["assignmentType"] = kind(row).into();
            whole
        });
    roles::tick(call);
    answer
}

pub fn eligibility_instances(call: &mut Call<'_>) -> Answer {
    let now = call.state.now();
    let rows: Vec<Row> =
        eligible(call)?.into_iter().filter(|row| row.starts.is_none_or(|start| start <= now)).collect();
    list(
        call,
        "unifiedRoleEligibilityScheduleInstance",
        ELIGIBILITY_INSTANCE,
        "roleEligibilityScheduleInstances",
        &rows,
        |row| json!({ "id": guid_of(&[&row.id, "instance"]), "roleEligibilityScheduleId": row.schedule, "startDateTime": text(row.starts), "endDateTime": text(row.ends) }),
    )
}

pub fn eligibility_schedules(call: &mut Call<'_>) -> Answer {
    let rows = eligible(call)?;
    list(call, "unifiedRoleEligibilitySchedule", ELIGIBILITY_SCHEDULE, "roleEligibilitySchedules", &rows, schedule)
}

fn list(
    call: &Call<'_>,
    type_name: &str,
    known: &[&str],
    set: &str,
    rows: &[Row],
    rest: impl Fn(&Row) -> Value,
) -> Answer {
    premium(call)?;
    call.options(&["$filter", "$select", "$top"])?;
    let fields = call.select(type_name, known)?;
    // The facts know principalId; the others are [M].
    let mut filterable = vec!["principalId", "roleDefinitionId", "directoryScopeId", "memberType"];
    filterable.extend(known.contains(&"assignmentType").then_some("assignmentType"));
    let wanted = call.filter(&filterable)?;
    let rows: Vec<Value> = rows
        .iter()
        .map(|row| {
            let mut whole = json!({ "id": row.id, "principalId": row.principal, "roleDefinitionId": row.role, "directoryScopeId": row.scope, "appScopeId": null, "memberType": row.member });
            if let (Value::Object(whole), Value::Object(rest)) = (&mut whole, rest(row)) {
                whole.extend(rest);
            }
            whole
        })
        .filter(|row| fits(row, &wanted))
        .map(|row| project(&row, &fields))
        .collect();
    call.page(&format!("roleManagement/directory/{set}"), &rows)
}

fn kind(row: &Row) -> &'static str {
    if row.activated { "Activated" } else { "Assigned" }
}

fn schedule(row: &Row) -> Value {
    let expiration = match row.ends {
        Some(end) => json!({ "type": "afterDateTime", "endDateTime": end.to_string(), "duration": null }),
        None => json!({ "type": "noExpiration", "endDateTime": null, "duration": null }),
    };
    json!({
        "status": "Provisioned",
        "createdDateTime": text(row.starts),
        "modifiedDateTime": null,
        "createdUsing": row.schedule,
        "scheduleInfo": { "startDateTime": text(row.starts), "recurrence": null, "expiration": expiration },
    })
}

fn active(call: &Call<'_>) -> Result<Vec<Row>, Reply> {
    let rows = call.tenant()?.role_assignments.iter().filter(|it| it.lag.is_seen(false)).map(assigned);
    expanded(call, rows.collect())
}

fn upcoming(tenant: &Tenant) -> Vec<Row> {
    tenant.upcoming_roles.iter().map(assigned).collect()
}

fn assigned(it: &crate::state::RoleAssignment) -> Row {
    Row {
        id: it.id.clone(),
        // A plain assignment is its own schedule [I].
        schedule: it.schedule.clone().unwrap_or_else(|| it.id.clone()),
        principal: it.principal.clone(),
        role: it.role.clone(),
        scope: it.scope.clone(),
        starts: it.starts,
        ends: it.ends,
        activated: it.activated,
        member: "Direct",
    }
}

fn eligible(call: &Call<'_>) -> Result<Vec<Row>, Reply> {
    let rows = call.tenant()?.eligible_roles.iter().map(|it| Row {
        id: it.id.clone(),
        schedule: it.id.clone(),
        principal: it.principal.clone(),
        role: it.role.clone(),
        scope: it.scope.clone(),
        starts: it.starts,
        ends: it.ends,
        activated: false,
        member: "Direct",
    });
    expanded(call, rows.collect())
}

/// What a group holds is the group's; whether its members have rows of their own is open (switch `group_schedules`).
fn expanded(call: &Call<'_>, rows: Vec<Row>) -> Result<Vec<Row>, Reply> {
    if call.state.switches.group_schedules == GroupSchedules::OfGroup {
        return Ok(rows);
    }
    let tenant = call.tenant()?;
    let of_members = rows.iter().flat_map(|row| {
        let inside = |id: &str| tenant.groups_of(id).iter().any(|group| group.id == row.principal);
        tenant.users.iter().filter(move |user| inside(&user.id)).map(|user| Row {
            id: guid_of(&[&row.id, &user.id]),
            principal: user.id.clone(),
            member: "Group",
            ..row.clone()
        })
    });
    let of_members: Vec<Row> = of_members.collect();
    Ok(rows.into_iter().chain(of_members).collect())
}
