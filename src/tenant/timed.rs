//! How a role is given that ends by itself, and how it is ended sooner: Privileged Identity Management (facts/microsoft.md §1.4).

use jiff::Timestamp;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::calls::ROLES_WRITE;
use super::graph::{SERVICE, at};
use super::wire::{Call, unwrapped};
use super::{DirectoryRole, Tenant};
use crate::fault::{Fault, Kind};

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requested {
    /// It was given.
    Given,
    /// It was there already.
    Held,
    /// Somebody has to approve it first.
    AwaitsApproval,
}

#[derive(Deserialize)]
struct WireRequest {
    #[serde(default)]
    status: String,
}

/// Gives a role until then.
pub async fn give(
    tenant: &Tenant,
    user: &str,
    role: DirectoryRole,
    ends: Timestamp,
    justification: &str,
) -> Result<Requested, Fault> {
    let what = "give a role for a time";
    let body = json!({
        "action": "adminAssign",
        "principalId": user,
        "roleDefinitionId": role.id(),
        "directoryScopeId": "/",
        "justification": justification,
        // By a time, not by a duration: whatever comes in between, such as an approval, it ends then.
        "scheduleInfo": {
            "startDateTime": format!("{:.0}", Timestamp::now()),
            "expiration": { "type": "afterDateTime", "endDateTime": format!("{ends:.0}") },
        },
    });
    match request(tenant, body, what).await {
        Ok(request) => match request.status.as_str() {
            "PendingApproval" | "PendingAdminDecision" => Ok(Requested::AwaitsApproval),
            "Failed" | "Denied" | "AdminDenied" | "Canceled" | "TimedOut" | "Invalid" | "Revoked" => {
                Err(Fault::new(Kind::Refused, format!("{} says {} ({what})", SERVICE.name, request.status)))
            }
            // What is on its way shows, or does not.
            _ => Ok(Requested::Given),
        },
        Err(fault) if fault.kind == Kind::Conflict => Ok(Requested::Held),
        Err(fault) if fault.sentence.contains("PendingRoleAssignmentRequest") => Ok(Requested::AwaitsApproval),
        Err(fault) => Err(fault),
    }
}

/// Ends it now. Being over already is success.
pub async fn end(tenant: &Tenant, user: &str, role: DirectoryRole) -> Result<(), Fault> {
    let body = json!({
        "action": "adminRemove",
        "principalId": user,
        "roleDefinitionId": role.id(),
        "directoryScopeId": "/",
        "justification": "Backstay: the window is over",
    });
    match request(tenant, body, "end a role that was given for a time").await {
        Ok(_) => Ok(()),
        Err(fault) if fault.kind == Kind::NotFound => Ok(()),
        Err(fault) => Err(fault),
    }
}

async fn request(tenant: &Tenant, body: Value, what: &'static str) -> Result<WireRequest, Fault> {
    let url = at(tenant, &["roleManagement", "directory", "roleAssignmentScheduleRequests"], &[])?;
    let call = Call::write(&SERVICE, Method::POST, url, Some(body), what, ROLES_WRITE);
    unwrapped(SERVICE.name, what, &tenant.call(call).await?)
}
