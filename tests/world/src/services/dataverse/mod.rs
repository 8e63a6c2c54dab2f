//! What does the Dataverse Web API v9.2 of one environment answer, and to whom? (microsoft.md §3)

mod application_users;
mod columns;
mod custom_roles;
mod metadata;
mod privileges;
mod roles;
mod table;
mod users;

use serde_json::json;

use super::{bearer, retry_after};
use crate::http::{Answer, Reply, Request};
use crate::ids::fresh_guid;
use crate::state::{Environment, Limit, Runtime, State, SystemUser, Tenant};

/// One request of a user who is a member of the organization.
pub struct Call<'a> {
    pub tenant: &'a mut Tenant,
    /// The environment, by position in the tenant.
    pub at: usize,
    pub request: &'a Request,
    pub caller: SystemUser,
    /// `Consistency: Strong` (microsoft.md §0.12).
    pub strong: bool,
    /// Reads for which a change of roles stays invisible.
    pub lag: u32,
    pub record_filter_null: bool,
}

pub fn answer(state: &mut State, request: &Request, tenant: usize, environment: usize) -> Reply {
    route(state, request, tenant, environment)
        .unwrap_or_else(|refusal| refusal)
        .with("odata-version", "4.0")
        .with("x-ms-service-request-id", fresh_guid())
}

fn route(state: &mut State, request: &Request, tenant: usize, at: usize) -> Answer {
    let environment = &state.tenants[tenant].environments[at];
    let host = environment.host.clone().unwrap_or_default();
    let token = bearer(state, request, &format!("https://{host}"))
        .ok()
        .filter(|token| token.tenant == state.tenants[tenant].id);
    let Some(token) = token else {
        let login = format!(
            "Bearer authorization_uri=https://{}/{}/oauth2/authorize, resource_id=https://{host}/",
            state.hosts.login, state.tenants[tenant].id
        );
        // The challenge names the authority (microsoft.md §3.1 [P]); the body is empty [M].
        return Err(Reply::empty(401).with("www-authenticate", login));
    };
    if environment.runtime == Runtime::Disabled {
        // [I]: the facts say that the environment is unavailable, not with which code.
        return Err(error(503, "0x80072568", "The environment is disabled."));
    }
    let caller = environment.row_of_app(&token.client_id).filter(|row| row.lag.is_seen(false)).cloned();
    if request.method == "GET" {
        for row in &mut state.tenants[tenant].environments[at].users {
            row.lag.tick();
        }
    }
    let caller = caller.ok_or_else(|| error(403, "0x80072560", "The user is not a member of the organization."))?;
    charge(state, &host, &caller)?;
    if request.target_length > state.switches.dataverse_url_length {
        // [I]: the facts say that long names must be asked for in pieces, not what happens otherwise.
        return Err(Reply::text(414, "Request URL Too Long"));
    }
    let (lag, record_filter_null) = (state.switches.lag.dataverse_reads, state.switches.record_filter_null);
    let tenant = &mut state.tenants[tenant];
    let environment = &tenant.environments[at];
    if environment.disabled_because(tenant, &caller).is_some() {
        // [M] code.
        return Err(error(
            403,
            "0x80040225",
            &format!("The specified user(Id = {}) is disabled. Consider enabling this user.", caller.id),
        ));
    }
    if environment.runtime == Runtime::AdminMode && !environment.is_system_administrator(tenant, &caller) {
        // Only System Administrators get in [M]; the code is [I].
        return Err(error(403, "0x80072569", "The environment is in administration mode."));
    }
    if request.header("callerobjectid").or(request.header("mscrmcallerid")).is_some() {
        // Reading as somebody else exists in reality (microsoft.md §3.1); ignoring the header would answer a question nobody asked.
        return Err(error(501, "0x80040216", "Impersonation is not in this world yet."));
    }
    let strong = request.header("consistency").is_some_and(|value| value.eq_ignore_ascii_case("strong"));
    dispatch(&mut Call { tenant, at, request, caller, strong, lag, record_filter_null })
}

/// Requests of one user at one organization (microsoft.md §3.5).
fn charge(state: &mut State, host: &str, caller: &SystemUser) -> Result<(), Reply> {
    let limit = Limit { most: state.switches.limits.dataverse_requests, seconds: 300 };
    let now = state.now();
    let Some(wait) = state.meters.spend(format!("dataverse {host} {}", caller.id), limit, 1, now).wait else {
        return Ok(());
    };
    let text = format!("Number of requests exceeded the limit of {} over time window of 300 seconds.", limit.most);
    Err(error(429, "0x80072322", &text).with("retry-after", retry_after(state, wait)))
}

fn dispatch(call: &mut Call<'_>) -> Answer {
    let path = call
        .request
        .path
        .strip_prefix("/api/data/v9.2/")
        .ok_or_else(|| error(404, "0x8006088a", "Resource not found for the segment."))?
        .to_owned();
    let method = call.request.method.clone();
    let (head, rest) = path.split_once('/').unwrap_or((&path, ""));
    let (name, key) = match head.split_once('(') {
        Some((name, key)) => (name, key.strip_suffix(')')),
        None => (head, None),
    };
    match (method.as_str(), name, key, rest) {
        ("GET", "WhoAmI", None | Some(""), "") => users::who_am_i(call),
        ("GET", "systemusers", None, "") => users::list(call),
        ("GET", "systemusers", Some(key), "") => users::one(call, key),
        ("PATCH", "systemusers", Some(key), "") => users::change(call, key),
        ("GET", "systemusers", Some(key), "systemuserroles_association") => roles::of_user(call, key),
        ("POST", "systemusers", Some(key), "systemuserroles_association/$ref") => roles::assign(call, key),
        ("DELETE", "systemusers", Some(key), rest) if rest.starts_with("systemuserroles_association") => {
            roles::remove(call, key, rest)
        }
        ("GET", "systemusers", Some(key), "teammembership_association") => roles::teams_of_user(call, key),
        ("GET", "teams", Some(key), "teamroles_association") => roles::of_team(call, key),
        ("GET", "roles", None, "") => roles::list(call),
        ("GET", "RetrieveAadUserRoles", Some(argument), "") => roles::of_directory_object(call, argument),
        ("POST", "roles", None, "") => custom_roles::create(call),
        ("POST", "roles", Some(key), "Microsoft.Dynamics.CRM.AddPrivilegesRole") => {
            custom_roles::add_privileges(call, key)
        }
        ("GET", "RetrieveRolePrivilegesRole", Some(argument), "") => privileges::of_role(call, argument),
        ("GET", "privileges", None, "") => privileges::list(call),
        ("GET", "systemusers", Some(key), rest) if rest.starts_with("Microsoft.Dynamics.CRM.") => {
            privileges::of_user(call, key, rest)
        }
        ("GET", "businessunits", None, "") => custom_roles::business_units(call),
        ("POST", "systemusers", None, "") => application_users::create(call),
        ("GET", "applicationusers", None, "") => application_users::list(call),
        ("GET", "EntityDefinitions", None, "") => metadata::list(call),
        ("GET", "EntityDefinitions", Some(key), "") => metadata::one(call, key),
        ("GET", "EntityDefinitions", Some(key), "ManyToOneRelationships") => metadata::points_at(call, key),
        ("GET", "EntityDefinitions", Some(key), "OneToManyRelationships") => metadata::is_pointed_at(call, key),
        _ => Err(error(404, "0x80060888", &format!("Resource not found for the segment '{name}'."))),
    }
}

/// Dataverse's error body (microsoft.md §3.5).
pub fn error(status: u16, code: &str, message: &str) -> Reply {
    Reply::json(status, &json!({ "error": { "code": code, "message": message } }))
}

impl Call<'_> {
    pub fn environment(&self) -> &Environment {
        &self.tenant.environments[self.at]
    }

    pub fn environment_mut(&mut self) -> &mut Environment {
        &mut self.tenant.environments[self.at]
    }

    pub fn base(&self) -> String {
        format!("https://{}/api/data/v9.2", self.environment().host.as_deref().unwrap_or_default())
    }

    /// 0x80040220 unless the caller is System Administrator or one of its roles has the privilege [M: code in microsoft.md §3.5].
    pub fn needs(&self, privilege: &str) -> Result<(), Reply> {
        let environment = self.environment();
        if environment.grants(self.tenant, &self.caller).iter().any(|it| it.privilege.name == privilege) {
            return Ok(());
        }
        Err(error(
            403,
            "0x80040220",
            &format!("Principal user (Id={}, type=8) is missing {privilege} privilege.", self.caller.id),
        ))
    }

    /// Only a System Administrator changes users here, whatever a custom role says (microsoft.md §3.2, §3.3).
    pub fn needs_administrator(&self, privilege: &str) -> Result<(), Reply> {
        if self.environment().is_system_administrator(self.tenant, &self.caller) {
            Ok(())
        } else {
            Err(error(
                403,
                "0x80040220",
                &format!("Principal user (Id={}, type=8) is missing {privilege} privilege.", self.caller.id),
            ))
        }
    }

    /// A read that shows roles has passed.
    pub fn roles_were_read(&mut self) {
        if self.strong {
            return;
        }
        for row in &mut self.environment_mut().users {
            for held in &mut row.roles {
                held.lag.tick();
            }
            row.roles.retain(|held| !held.lag.is_over());
        }
    }

    /// Brings licences nearer that were assigned to people of the environment (`lag.license_reads`).
    pub fn people_were_read(&mut self) {
        let people: Vec<String> = self.environment().users.iter().filter_map(|row| row.user.clone()).collect();
        for user in self.tenant.users.iter_mut().filter(|user| people.contains(&user.id)) {
            user.license_reads = user.license_reads.saturating_sub(1);
        }
    }
}
