//! How much Microsoft lets one app ask of its services, and what each request costs (facts/microsoft.md §1.10, §3.5).

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::Url;

use super::wire::{Call, Scope};
use crate::cache::Keyed;
use crate::fault::{Fault, Kind};
use crate::http::Budget;

/// What one app may ask at one tenant, by whatever credential it signs in.
#[derive(Debug)]
pub struct OfApp {
    graph: Budget,
    graph_writes: Budget,
    reports: Budget,
    environments: Keyed<String, OfEnvironment>,
    dataverse: Arc<Semaphore>,
}

/// What all apps together may ask at one tenant: we know of our own.
#[derive(Debug)]
pub struct OfTenant {
    conditional_access: Budget,
}

/// What one app may ask at one environment.
#[derive(Debug)]
struct OfEnvironment {
    requests: Budget,
    under_way: Arc<Semaphore>,
}

/// Leave to send one request; it is under way until this is dropped.
#[derive(Debug)]
pub struct Leave(#[allow(dead_code)] Vec<OwnedSemaphorePermit>);

/// Resource units of Microsoft Graph, as a tenant of under 50 users has them: what size a tenant is, is not known.
const UNITS: (u32, Duration) = (3_500, Duration::from_secs(10));
/// Writes to Microsoft Graph.
const WRITES: (u32, Duration) = (3_000, Duration::from_secs(150));
/// Reports, sign-ins and authentication methods.
const REPORTS: (u32, Duration) = (5, Duration::from_secs(10));
/// Conditional Access.
const CONDITIONAL_ACCESS: (u32, Duration) = (1, Duration::from_secs(1));
/// Requests to one environment.
const REQUESTS: (u32, Duration) = (6_000, Duration::from_mins(5));
/// Requests under way at one environment. Microsoft counts 1,200 s of work in 300 s: who never has more than four under way
/// can't come to more.
const AT_ONE_ENVIRONMENT: usize = 4;
/// Requests under way at all environments. Microsoft allows 52 at each web server; nobody needs so many here.
const AT_ALL_ENVIRONMENTS: usize = 16;

fn budget((amount, within): (u32, Duration)) -> Budget {
    Budget::new(amount, within)
}

impl Default for OfApp {
    fn default() -> Self {
        Self {
            graph: budget(UNITS),
            graph_writes: budget(WRITES),
            reports: budget(REPORTS),
            environments: Keyed::default(),
            dataverse: Arc::new(Semaphore::new(AT_ALL_ENVIRONMENTS)),
        }
    }
}

impl Default for OfTenant {
    fn default() -> Self {
        Self { conditional_access: budget(CONDITIONAL_ACCESS) }
    }
}

impl Default for OfEnvironment {
    fn default() -> Self {
        Self { requests: budget(REQUESTS), under_way: Arc::new(Semaphore::new(AT_ONE_ENVIRONMENT)) }
    }
}

impl OfTenant {
    /// What is left of each budget ([`Budget::left`]), by its name.
    pub fn left(&self) -> [(&'static str, f64); 1] {
        [("ConditionalAccess", self.conditional_access.left())]
    }
}

impl OfApp {
    /// What is left of each budget ([`Budget::left`]), by its name.
    pub fn left(&self) -> Vec<(&'static str, f64)> {
        let graph =
            [("Graph", &self.graph), ("GraphWrites", &self.graph_writes), ("GraphReports", &self.reports)].into_iter();
        let environments = self.environments.values();
        let environments = environments.iter().map(|it| ("EnvironmentRequests", it.requests.left()));
        graph.map(|(name, budget)| (name, budget.left())).chain(environments).collect()
    }

    /// Waits until a call may be sent.
    ///
    /// # Errors
    /// [`Kind::Throttled`], when that would take too long.
    pub async fn leave(&self, of_tenant: &OfTenant, call: &Call<'_>) -> Result<Leave, Fault> {
        let held_back = |wait| {
            let sentence = format!("{} is asked no more often than Microsoft allows", call.service.name);
            Fault::new(Kind::Throttled, sentence).after(Some(wait))
        };
        match call.service.scope {
            Scope::Graph => {
                match family(&call.url) {
                    Family::Reports => self.reports.take(1).await,
                    Family::ConditionalAccess => of_tenant.conditional_access.take(1).await,
                    Family::Directory => Ok(()),
                }
                .map_err(held_back)?;
                if call.method != Method::GET {
                    self.graph_writes.take(1).await.map_err(held_back)?;
                }
                self.graph.take(cost(&call.url)).await.map_err(held_back)?;
                Ok(Leave(Vec::new()))
            }
            // Microsoft publishes no limits.
            Scope::PowerPlatform => Ok(Leave(Vec::new())),
            Scope::Environment(origin) => {
                let environment = self.environments.get(origin.to_owned(), OfEnvironment::default);
                environment.requests.take(1).await.map_err(held_back)?;
                // First the one that fewer fight for: an environment that does not answer holds no more than its own.
                let first = Arc::clone(&environment.under_way).acquire_owned().await;
                let second = Arc::clone(&self.dataverse).acquire_owned().await;
                // They are never closed.
                Ok(Leave([first, second].into_iter().filter_map(Result::ok).collect()))
            }
        }
    }
}

/// Which of Graph's limits a request counts for, beside the units.
#[derive(Debug, PartialEq, Eq)]
enum Family {
    Directory,
    Reports,
    ConditionalAccess,
}

fn family(url: &Url) -> Family {
    let path = url.path().to_ascii_lowercase();
    if path.contains("/identity/conditionalaccess") {
        Family::ConditionalAccess
    } else if ["/reports/", "/auditlogs/", "/authentication/"].iter().any(|piece| path.contains(piece)) {
        Family::Reports
    } else {
        Family::Directory
    }
}

/// Resource units of a request: by the path, one less for `$select`, one more for `$expand`, at least one.
fn cost(url: &Url) -> u32 {
    let segments: Vec<String> = url.path_segments().into_iter().flatten().map(str::to_ascii_lowercase).collect();
    let words: Vec<&str> = segments.iter().map(String::as_str).collect();
    let by_path: u32 = match words.get(1..).unwrap_or_default() {
        ["users"] | ["users", _, "transitivememberof" | "licensedetails", ..] | ["oauth2permissiongrants", ..] => 2,
        ["groups", _, "transitivemembers", ..] => 5,
        ["groups", _, "members", ..] | ["subscribedskus", ..] => 3,
        _ => 1,
    };
    let has = |name: &str| url.query_pairs().any(|(key, _)| key == name);
    (by_path + u32::from(has("$expand"))).saturating_sub(u32::from(has("$select"))).max(1)
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use tokio::time::Instant;

    use super::super::wire::Service;
    use super::*;

    const GRAPH: Service<'static> = Service { name: "Microsoft Graph", scope: Scope::Graph, headers: &[] };

    fn url(rest: &str) -> Url {
        Url::parse(&format!("https://graph.microsoft.com/v1.0/{rest}")).unwrap()
    }

    fn get(rest: &str) -> Call<'static> {
        Call::get(&GRAPH, url(rest), "test", "nothing")
    }

    /// How long so many calls, one after the other, take to be let go.
    async fn took(app: &OfApp, tenant: &OfTenant, times: usize, call: Call<'_>) -> Duration {
        let begun = Instant::now();
        for _ in 0..times {
            app.leave(tenant, &call).await.unwrap();
        }
        begun.elapsed()
    }

    #[test]
    fn requests_cost_what_microsoft_says() {
        for (rest, units) in [
            ("users", 2),
            ("users?$select=id", 1),
            ("users/somebody", 1),
            ("users/somebody?$select=id", 1),
            ("users/somebody?$expand=manager", 2),
            ("users/somebody/transitiveMemberOf/microsoft.graph.group", 2),
            ("users/somebody/transitiveMemberOf/microsoft.graph.group?$select=id", 1),
            ("users/somebody/licenseDetails", 2),
            ("oauth2PermissionGrants?$filter=clientId%20eq%20'x'", 2),
            ("groups/some/members", 3),
            ("groups/some/transitiveMembers", 5),
            ("subscribedSkus", 3),
            ("roleManagement/directory/roleAssignments", 1),
        ] {
            assert_eq!(cost(&url(rest)), units, "{rest}");
        }
    }

    #[test]
    fn what_has_a_limit_of_its_own_is_known_by_its_path() {
        for (rest, expected) in [
            ("identity/conditionalAccess/policies", Family::ConditionalAccess),
            ("reports/authenticationMethods/userRegistrationDetails", Family::Reports),
            ("auditLogs/signIns", Family::Reports),
            ("users/somebody/authentication/requirements", Family::Reports),
            ("users/somebody", Family::Directory),
        ] {
            assert_eq!(family(&url(rest)), expected, "{rest}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn units_are_kept_within_the_smallest_tenants_limit() {
        let (app, tenant) = (OfApp::default(), OfTenant::default());
        // 3,500 units are 1,166 of these; half of them at once.
        let took = took(&app, &tenant, 1_167, get("subscribedSkus")).await;
        assert!(took >= Duration::from_secs(9) && took < Duration::from_secs(12), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn reports_and_conditional_access_have_limits_of_their_own() {
        let (app, tenant) = (OfApp::default(), OfTenant::default());
        let reports = took(&app, &tenant, 6, get("auditLogs/signIns")).await;
        assert!(reports >= Duration::from_secs(10), "{reports:?}");
        let policies = took(&app, &tenant, 4, get("identity/conditionalAccess/policies")).await;
        assert!(policies >= Duration::from_secs(3) && policies < Duration::from_secs(4), "{policies:?}");
        // They hold up nobody else.
        assert_eq!(took(&app, &tenant, 100, get("users/somebody")).await, Duration::ZERO);
        // Another app of the tenant shares the one, and not the other.
        let another = OfApp::default();
        assert_eq!(took(&another, &tenant, 1, get("auditLogs/signIns")).await, Duration::ZERO);
        let shared = took(&another, &tenant, 1, get("identity/conditionalAccess/policies")).await;
        assert!(shared > Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn writes_are_counted_apart() {
        let (app, tenant) = (OfApp::default(), OfTenant::default());
        let write = || Call::write(&GRAPH, Method::DELETE, url("roleManagement/directory/x"), None, "test", "nothing");
        let took = took(&app, &tenant, 1_520, write()).await;
        assert!(took >= Duration::from_millis(1_900), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_environment_has_four_requests_under_way_and_all_together_sixteen() {
        let (app, tenant) = (OfApp::default(), OfTenant::default());
        let origins: Vec<String> = (0..6).map(|number| format!("https://org{number}.crm4.dynamics.com")).collect();
        let service = |origin| Service { name: "Dataverse", scope: Scope::Environment(origin), headers: &[] };
        let services: Vec<Service<'_>> = origins.iter().map(|origin| service(origin.as_str())).collect();
        let ask = |number: usize| {
            let url = Url::parse(&format!("{}/api/data/v9.2/roles", origins[number])).unwrap();
            let call = Call::get(&services[number], url, "test", "nothing");
            let (app, tenant) = (&app, &tenant);
            async move { app.leave(tenant, &call).await.unwrap() }.now_or_never()
        };
        let mut held = Vec::new();
        for number in 0..4 {
            held.extend((0..5).map_while(|_| ask(number)));
            assert_eq!(held.len(), (number + 1) * 4, "of environment {number}");
        }
        assert!(ask(5).is_none(), "sixteen are under way");
        held.pop();
        assert!(ask(5).is_some(), "one has come back");
    }

    #[tokio::test(start_paused = true)]
    async fn an_environment_is_asked_six_thousand_times_in_five_minutes_at_most() {
        let (app, tenant) = (OfApp::default(), OfTenant::default());
        let origin = "https://contoso.crm4.dynamics.com";
        let service = Service { name: "Dataverse", scope: Scope::Environment(origin), headers: &[] };
        let call = || Call::get(&service, Url::parse(origin).unwrap(), "test", "nothing");
        let took = took(&app, &tenant, 6_001, call()).await;
        assert!(took >= Duration::from_mins(5), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_would_wait_too_long_is_sent_back_with_the_time() {
        let (app, tenant) = (OfApp::default(), OfTenant::default());
        let asked = (0..20).map(|_| async { app.leave(&tenant, &get("auditLogs/signIns")).await });
        let answers = futures::future::join_all(asked).await;
        let fault = answers.into_iter().find_map(Result::err).unwrap();
        assert_eq!(fault.kind, Kind::Throttled);
        assert!(fault.retry_after().is_some_and(|wait| wait > Duration::ZERO));
    }
}
