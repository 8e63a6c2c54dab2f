//! Has an app asked Graph for too much lately? (microsoft.md §1.10 "Throttling")

use super::error;
use crate::http::{Reply, Request};
use crate::services::retry_after;
use crate::state::{Issued, Limit, State};

/// What a request cost, to be told with its answer.
#[derive(Default)]
pub struct Bill {
    units: Option<u32>,
    /// Share of the limit that is used up, in percent.
    percent: u32,
}

impl Bill {
    pub fn on(self, reply: Reply) -> Reply {
        let reply = match self.units {
            Some(units) => reply.with("x-ms-resource-unit", units.to_string()),
            None => reply,
        };
        if self.percent < 80 {
            return reply;
        }
        reply.with("x-ms-throttle-limit-percentage", format!("{}.{:02}", self.percent / 100, self.percent % 100))
    }
}

/// Counts the request in its bucket; 429 if that is full.
pub fn charge(state: &mut State, request: &Request, token: &Issued, segments: &[String]) -> (Bill, Result<(), Reply>) {
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let limits = state.switches.limits.clone();
    let own = format!("{} {}", token.client_id, token.tenant);
    let now = state.now();
    match segments.as_slice() {
        ["identity", "conditionalaccess", ..] => {
            let limit = Limit { most: limits.conditional_access, seconds: 1 };
            let spent = state.meters.spend(format!("conditional access {}", token.tenant), limit, 1, now);
            // No Retry-After here.
            (Bill::default(), spent.wait.map_or(Ok(()), |_| Err(too_many("Tenant"))))
        }
        ["reports" | "auditlogs", ..] => {
            let limit = Limit { most: limits.reports, seconds: 10 };
            let spent = state.meters.spend(format!("reports {own}"), limit, 1, now);
            (Bill::default(), spent.wait.map_or(Ok(()), |wait| Err(told(state, wait))))
        }
        path => {
            let units = units(request, path);
            let limit = Limit { most: limits.graph_units.unwrap_or_else(|| by_size(state, token)), seconds: 10 };
            let spent = state.meters.spend(format!("units {own}"), limit, units, now);
            let mut wait = spent.wait;
            if request.asks_for_change() {
                let limit = Limit { most: limits.graph_writes, seconds: 150 };
                let writes = state.meters.spend(format!("writes {own}"), limit, 1, now);
                wait = wait.max(writes.wait);
            }
            let percent = spent.used.saturating_mul(100) / limit.most.max(1);
            let bill = Bill { units: Some(units), percent: percent.min(180) };
            (bill, wait.map_or(Ok(()), |wait| Err(told(state, wait))))
        }
    }
}

fn told(state: &State, wait: i64) -> Reply {
    too_many("Tenant_Application").with("retry-after", retry_after(state, wait))
}

/// Values of the two headers are [M].
fn too_many(scope: &str) -> Reply {
    error(429, "TooManyRequests", "Too Many Requests")
        .with("x-ms-throttle-scope", format!("{scope}/ReadWrite"))
        .with("x-ms-throttle-information", "ResourceUnitLimitExceeded")
}

fn by_size(state: &State, token: &Issued) -> u32 {
    match state.tenant(&token.tenant).map_or(0, |tenant| tenant.users.len()) {
        0..50 => 3_500,
        50..=500 => 5_000,
        _ => 8_000,
    }
}

fn units(request: &Request, path: &[&str]) -> u32 {
    let base: u32 = match path {
        ["users" | "oauth2permissiongrants"]
        | ["users", _, "transitivememberof", ..]
        | ["users", _, "licensedetails"] => 2,
        ["groups", _, "members"] | ["subscribedskus"] => 3,
        _ => 1,
    };
    let more = u32::from(request.query("$expand").is_some());
    let less = u32::from(request.query("$select").is_some());
    (base + more).saturating_sub(less).max(1)
}
