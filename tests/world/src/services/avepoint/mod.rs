//! What does AvePoint's API answer, and to whom? (facts: avepoint-fluentpro §1, §2a)

mod audit;
pub mod identity;
mod jobs;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::http::{Answer, Reply, Request};
use crate::ids::fresh_guid;
use crate::state::{
    AUDIT_SCOPE, AosTenant, AvePointSwitches, DYNAMICS_SCOPE, ErrorBody, State, avepoint_hosts, of_graph_host,
};

/// What a token of AvePoint's is for in this world's books: no service of Microsoft's takes it.
const AUDIENCE: &str = "avepoint";

/// One request that is let in.
struct Call<'a> {
    aos: &'a AosTenant,
    switches: &'a AvePointSwitches,
    request: &'a Request,
    now: Timestamp,
}

pub fn answer(state: &State, request: &Request) -> Reply {
    route(state, request).unwrap_or_else(|refusal| refusal)
}

fn route(state: &State, request: &Request) -> Answer {
    let switches = &state.switches.avepoint;
    let unauthorized = || refuse(switches, 401, "Unauthorized").with("www-authenticate", "Bearer");
    let token = request.bearer().and_then(|token| state.issued.get(token)).filter(|it| it.audience == AUDIENCE);
    let issued = token.filter(|it| it.expires > state.now()).ok_or_else(unauthorized)?;
    // A deleted registration is found out when it asks for its next token: the token itself says who it is for [I].
    let aos = state.avepoint.iter().find(|it| it.id == issued.tenant).ok_or_else(unauthorized)?;

    let home = avepoint_hosts(&aos.data_center);
    let here = of_graph_host(&request.host);
    if home.as_ref().map(|it| it.identity) != here.as_ref().map(|it| it.identity) {
        // Another identity service gave this token; that nobody trusts it here is [I].
        return Err(unauthorized());
    }
    if home != here {
        return Err(refuse(switches, switches.wrong_data_center, "The tenant is in another data center."));
    }
    if aos.trusted_addresses_only {
        return Err(refuse(switches, switches.blocked_address, "The IP address is not trusted."));
    }
    let may = |scope: &str| {
        let held = issued.permissions.iter().any(|it| it == scope);
        if held { Ok(()) } else { Err(refuse(switches, switches.missing_scope, "The token lacks the permission.")) }
    };
    let call = Call { aos, switches, request, now: state.now() };
    match (request.method.as_str(), request.segments().as_slice()) {
        ("GET", ["dynamicsbackup", "jobs"]) => {
            may(DYNAMICS_SCOPE)?;
            if !aos.dynamics_backup {
                // A third party reads 404 as a missing product, too (facts: avepoint-fluentpro §7 question 5).
                return Err(refuse(switches, 404, "Not Found"));
            }
            jobs::list(&call)
        }
        ("GET", ["aos", "audit"]) => may(AUDIT_SCOPE).and_then(|()| audit::list(&call)),
        // Nothing else than reading is documented (facts: avepoint-fluentpro §0.1).
        (_, ["dynamicsbackup", "jobs"] | ["aos", "audit"]) => Err(refuse(switches, 405, "Method Not Allowed")),
        _ => Err(refuse(switches, 404, "Not Found")),
    }
}

/// An error in the form that the switch says, where none is documented (facts: avepoint-fluentpro §1 "Errors").
fn refuse(switches: &AvePointSwitches, status: u16, message: &str) -> Reply {
    match switches.error_body {
        ErrorBody::Audit => audit_error(status, message),
        ErrorBody::Microsoft365 => Reply::json(
            status,
            &json!({ "statusCode": status, "message": message, "errors": [], "requestId": fresh_guid(), "timestamp": Timestamp::now(), "traceId": fresh_guid() }),
        ),
        ErrorBody::Text => Reply::text(status, message),
        ErrorBody::Empty => Reply::empty(status),
    }
}

/// The one form of an error that is documented for these endpoints.
fn audit_error(status: u16, message: &str) -> Reply {
    Reply::json(status, &json!({ "traceId": fresh_guid(), "error": message, "statusCode": status }))
}

impl Call<'_> {
    /// Query options that the endpoint does not document are refused, so that a misspelt one is seen [G].
    fn options(&self, known: &[&str]) -> Result<(), String> {
        match self.request.query.iter().find(|(key, _)| !known.contains(&key.as_str())) {
            Some((key, _)) => Err(format!("The parameter '{key}' is not known.")),
            None => Ok(()),
        }
    }

    fn needed(&self, name: &str) -> Result<&str, String> {
        self.request
            .query(name)
            .filter(|value| !value.is_empty())
            .ok_or_else(|| format!("The parameter '{name}' is required."))
    }

    /// ISO 8601 in UTC; without an offset it is taken for UTC, as the pages say no more [I].
    fn time(&self, name: &str) -> Result<Timestamp, String> {
        let text = self.needed(name)?;
        let bare = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|it| it.timestamp());
        let time = text.parse::<Timestamp>().ok().or_else(bare);
        time.ok_or_else(|| format!("The parameter '{name}' is no time in ISO 8601."))
    }

    /// Both ends of a window that is not longer than that.
    fn window(
        &self,
        start: &str,
        end: &str,
        longest: Option<SignedDuration>,
    ) -> Result<std::ops::RangeInclusive<Timestamp>, String> {
        let (from, to) = (self.time(start)?, self.time(end)?);
        if to < from {
            return Err(format!("'{end}' is before '{start}'."));
        }
        if longest.is_some_and(|longest| to.duration_since(from) > longest) {
            return Err(format!("The range between '{start}' and '{end}' is too long."));
        }
        Ok(from..=to)
    }
}
