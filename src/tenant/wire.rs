//! How Microsoft's services are spoken to: JSON in, JSON out, pages, and their own words for what is wrong.

use futures::future::BoxFuture;
use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderName};
use secrecy::SecretString;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::{Cloud, Tenant};
use crate::fault::{Fault, Kind};
use crate::http::{Answer, Effect, Hosts, Proof, Request};

/// Which tokens a service takes. Each is sent to the host that it is for, and to no other.
#[derive(Clone, Copy, Debug)]
pub enum Scope<'a> {
    /// Microsoft Graph's, of the tenant's cloud.
    Graph,
    /// The Power Platform's administration's, of the tenant's cloud.
    PowerPlatform,
    /// An environment's own. Example of its origin: `https://contoso.crm4.dynamics.com`.
    Environment(&'a str),
}

/// One of the services: its name, the scope of its tokens, and headers that it wants.
pub struct Service<'a> {
    /// Fixed word. Example: `Microsoft Graph`.
    pub name: &'static str,
    /// Token scope.
    pub scope: Scope<'a>,
    /// Extra headers.
    pub headers: &'a [(&'static str, &'static str)],
}

/// What is asked of a service, and what the app needs for it.
pub struct Call<'a> {
    /// The service.
    pub service: &'a Service<'a>,
    /// HTTP method.
    pub method: Method,
    /// Where.
    pub url: Url,
    /// JSON body.
    pub body: Option<Value>,
    /// In words, for messages. Example: `role assignments`.
    pub what: &'static str,
    /// What the app needs for it, for the message when it is missing. Example: `User.Read.All`.
    pub needs: &'static str,
}

impl<'a> Call<'a> {
    /// A read.
    pub fn get(service: &'a Service<'a>, url: Url, what: &'static str, needs: &'static str) -> Self {
        Self { service, method: Method::GET, url, body: None, what, needs }
    }

    /// A write.
    pub fn write(
        service: &'a Service<'a>,
        method: Method,
        url: Url,
        body: Option<Value>,
        what: &'static str,
        needs: &'static str,
    ) -> Self {
        Self { service, method, url, body, what, needs }
    }
}

impl Tenant {
    /// Sends a call with a token for its service; any status but 2xx is a fault.
    // Boxed: what waits here is large, and stands within all that waits for it.
    pub(super) fn call<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<Answer, Fault>> {
        Box::pin(async move {
            let _leave = self.own_limits.leave(&self.shared_limits, &call).await?;
            let effect = if call.method == Method::GET { Effect::Read } else { Effect::Write };
            let answer = self.send(&call, effect).await?;
            self.judge(&call, answer)
        })
    }

    /// Sends a call with a token for its service, and brings the answer whatever its status. A token that is refused is replaced
    /// once: nothing was done, since whoever is not let in can't have changed anything.
    pub(super) async fn send(&self, call: &Call<'_>, effect: Effect) -> Result<Answer, Fault> {
        let answer = self.send_once(call, effect).await?;
        if answer.status == 401 && self.sign_in.renew_revoked() {
            return self.send_once(call, effect).await;
        }
        Ok(answer)
    }

    async fn send_once(&self, call: &Call<'_>, effect: Effect) -> Result<Answer, Fault> {
        // Before the token: Microsoft knows no resource of a strange host, and would be blamed for it.
        self.way.hosts().admit(&call.url)?;
        of_cloud(self.cloud, &call.service.scope, &call.url, self.way.hosts())?;
        let token: SecretString = self.sign_in.token(&self.scope(call.service.scope)).await?;
        let mut headers = vec![(ACCEPT, "application/json".to_owned())];
        headers.extend(
            call.service.headers.iter().map(|(name, value)| (HeaderName::from_static(name), (*value).to_owned())),
        );
        if call.body.is_some() {
            headers.push((CONTENT_TYPE, "application/json".to_owned()));
        }
        let request = Request {
            service: call.service.name,
            method: call.method.clone(),
            url: call.url.clone(),
            effect,
            headers,
            proof: Proof::Bearer(token),
            body: call.body.as_ref().map(|body| body.to_string().into_bytes()),
        };
        self.way.send(request).await
    }

    /// The answer to a call, or the fault that it stands for.
    pub(super) fn judge(&self, call: &Call<'_>, answer: Answer) -> Result<Answer, Fault> {
        match answer.fault(call.service.name, call.what) {
            None => Ok(answer),
            Some(fault) => {
                if matches!(answer.status, 401 | 403) {
                    self.sign_in.renew();
                }
                Err(in_their_words(call, &answer, fault))
            }
        }
    }

    fn scope(&self, scope: Scope<'_>) -> String {
        match scope {
            Scope::Graph => format!("https://{}/.default", self.cloud.graph()),
            Scope::PowerPlatform => self.cloud.power_platform_scope().to_owned(),
            Scope::Environment(origin) => format!("{origin}/.default"),
        }
    }

    /// A read of one JSON document.
    pub(super) async fn read<T: DeserializeOwned>(&self, call: Call<'_>) -> Result<T, Fault> {
        let (service, what) = (call.service.name, call.what);
        unwrapped(service, what, &self.call(call).await?)
    }

    /// A read of all pages of a list. The link to the next page is followed only to the same host: it carries the token.
    pub(super) async fn read_all<T: DeserializeOwned>(&self, call: Call<'_>) -> Result<Vec<T>, Fault> {
        let Call { service, what, needs, ref url, .. } = call;
        let first = Call::get(service, url.clone(), what, needs);
        let answer = self.call(call).await?;
        rest_of(self, first, &answer).await
    }
}

/// The document in an answer.
pub(super) fn unwrapped<T: DeserializeOwned>(service: &str, what: &str, answer: &Answer) -> Result<T, Fault> {
    document(service, what, &answer.body)
}

/// One page of a list.
pub(super) fn page<T: DeserializeOwned>(service: &str, what: &str, body: &[u8]) -> Result<Vec<T>, Fault> {
    Ok(document::<Page<T>>(service, what, body)?.value)
}

/// The document in a body.
pub(super) fn document<T: DeserializeOwned>(service: &str, what: &str, body: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(body).map_err(|error| {
        // The category only: serde's text quotes the document.
        let why = if error.is_eof() { "was cut off" } else { "is not what was agreed on" };
        Fault::new(Kind::BadAnswer, format!("{service}'s answer {why} ({what})"))
    })
}

/// A list whose first page is this answer, with all further pages.
pub(super) async fn rest_of<T: DeserializeOwned>(
    tenant: &Tenant,
    call: Call<'_>,
    first: &Answer,
) -> Result<Vec<T>, Fault> {
    let Call { service, url, what, needs, .. } = call;
    let origin = url.origin();
    let mut page: Page<T> = unwrapped(service.name, what, first)?;
    let mut all = Vec::new();
    for _ in 0..MOST_PAGES {
        all.extend(page.value);
        let Some(next) = page.next else { return Ok(all) };
        let url = Url::parse(&next).ok().filter(|next| next.origin() == origin).ok_or_else(|| {
            Fault::new(Kind::BadAnswer, format!("{} points to a next page on another host ({what})", service.name))
        })?;
        page = tenant.read(Call::get(service, url, what, needs)).await?;
    }
    Err(Fault::new(Kind::BadAnswer, format!("{} goes on for more than {MOST_PAGES} pages ({what})", service.name)))
}

/// Refuses a host that the token is not for, and an environment of another cloud than the tenant's: the tenant says where its
/// environments are, but not whom the operator trusts.
fn of_cloud(cloud: Cloud, scope: &Scope<'_>, url: &Url, hosts: &Hosts) -> Result<(), Fault> {
    let host = url.host_str().unwrap_or_default();
    let meant = match scope {
        Scope::Graph => host == cloud.graph(),
        Scope::PowerPlatform => host == cloud.power_platform(),
        Scope::Environment(origin) => {
            if !cloud.has_environment(host) && !hosts.allows_expressly(host) {
                let sentence = format!(
                    "The host {host} is not one of the cloud {}, in which the tenant is (spec.tenant.cloud); if it is right, start the operator with --allow-host {host}",
                    cloud.word()
                );
                return Err(Fault::new(Kind::HostNotAllowed, sentence));
            }
            Url::parse(origin).is_ok_and(|origin| origin.origin() == url.origin())
        }
    };
    if meant { Ok(()) } else { Err(Fault::new(Kind::Bug, "A token was to be sent to a host that it is not for")) }
}

/// More than any list of one account or tenant has; a service that links pages in a circle ends here.
const MOST_PAGES: usize = 200;

#[derive(Deserialize)]
struct Page<T> {
    value: Vec<T>,
    #[serde(default, rename = "@odata.nextLink", alias = "nextLink")]
    next: Option<String>,
}

#[derive(Default, Deserialize)]
struct ErrorBody {
    #[serde(default)]
    error: ErrorDetail,
}

#[derive(Default, Deserialize)]
struct ErrorDetail {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

/// A fault told by the service's own code, where it says more than the status does. Codes are shown, messages never:
/// they can quote what was sent.
fn in_their_words(call: &Call<'_>, answer: &Answer, fault: Fault) -> Fault {
    let detail = serde_json::from_slice::<ErrorBody>(&answer.body).unwrap_or_default().error;
    let service = call.service.name;
    match (answer.status, detail.code.as_str()) {
        // Dataverse: the token is fine, but the caller is no user of the environment (facts/microsoft.md §3.1).
        (403, "0x80072560") => {
            Fault::new(Kind::NotMember, "The operator's app is not a user of the environment".to_owned())
        }
        // Dataverse: it is a user, but no role of it has the privilege (facts/microsoft.md §3.5).
        (403, "0x80040220") => {
            let lacks = privilege(&detail.message).map(|name| format!("; its role lacks {name}")).unwrap_or_default();
            Fault::new(
                Kind::PrivilegeMissing,
                format!("{service} does not permit it ({}): the operator's app needs {}{lacks}", call.what, call.needs),
            )
        }
        // Entra ID P1 or P2 is missing (facts/microsoft.md §1.4, §1.8).
        (400 | 403, "AadPremiumLicenseRequired" | "Authentication_RequestFromNonPremiumTenantOrB2CTenant") => {
            // What is written of these is of Privileged Identity Management, for which P1 is not enough.
            let plan = if call.method == Method::GET { "P1 or P2" } else { "P2" };
            let sentence =
                format!("{service} does this only for tenants with Microsoft Entra ID {plan} ({})", call.what);
            Fault::new(Kind::PremiumMissing, sentence)
        }
        (403, _) => {
            let sentence =
                format!("{service} does not permit it ({}): the operator's app needs {}", call.what, call.needs);
            let fault = Fault::new(Kind::PermissionMissing, sentence);
            if matches!(call.service.scope, Scope::Graph) { fault.lacking(call.needs) } else { fault }
        }
        // For minutes after a license was assigned, too (facts/microsoft.md §1.5).
        (400, code) if code.eq_ignore_ascii_case("userNotLicensed") => Fault::new(
            Kind::NotLicensed,
            "The Power Platform says that the account has no license for the environment, or that it has not arrived there yet",
        ),
        // Privileged Identity Management (facts/microsoft.md §1.4).
        (400, "RoleAssignmentExists") => Fault::new(Kind::Conflict, fault.sentence),
        (400, "RoleAssignmentDoesNotExist") => Fault::new(Kind::NotFound, fault.sentence),
        (400, "ActiveDurationTooShort") => Fault::new(
            Kind::ServerError,
            format!("{service} ends no role within five minutes after it was given ({})", call.what),
        ),
        (400, code @ "RoleAssignmentRequestPolicyValidationFailed") => {
            let rules = policy_rules(&detail.message);
            let which = if rules.is_empty() { String::new() } else { format!(": {}", rules.join(", ")) };
            Fault::new(fault.kind, format!("The tenant's rules for the role refuse it ({}: {code}{which})", call.what))
        }
        // A duplicate assignment comes as 400 or 409 (facts/microsoft.md §1.3).
        (400, _) if detail.message.to_ascii_lowercase().contains("conflicting object") => {
            Fault::new(Kind::Conflict, fault.sentence)
        }
        (400, code) if !code.is_empty() && code.len() <= 64 => {
            Fault::new(fault.kind, format!("{service} refused the request ({}: {code})", call.what))
        }
        _ => fault,
    }
}

/// The name of the privilege in Dataverse's sentence. Such names are a fixed vocabulary, as codes are; nothing else of the
/// sentence is shown.
fn privilege(sentence: &str) -> Option<&str> {
    let words = sentence.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words
        .filter(|word| word.len() <= MOST_OF_A_NAME)
        .find(|word| word.strip_prefix("prv").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase())))
}

/// The names of the rules in Privileged Identity Management's sentence: a fixed vocabulary, too.
fn policy_rules(sentence: &str) -> Vec<&str> {
    let words = sentence.split(|c: char| !c.is_ascii_alphanumeric());
    words.filter(|word| word.len() <= MOST_OF_A_NAME && word.ends_with("Rule") && word.len() > 4).collect()
}

/// Longer than the privileges of any table that the operator reads.
const MOST_OF_A_NAME: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_dataverse_says_only_the_privilege_is_shown() {
        for (sentence, name) in [
            ("Principal user (Id=4, type=8) is missing prvReadTeam privilege (Id=9).", Some("prvReadTeam")),
            ("SecLib::CheckPrivilege failed. User: 4, PrivilegeName: prvReadRole, PrivilegeId: 9", Some("prvReadRole")),
            ("Principal user (Id=4, type=8) is missing the privilege of Jane Doe", None),
            ("privately", None),
            ("", None),
        ] {
            assert_eq!(privilege(sentence), name, "{sentence}");
        }
        assert_eq!(privilege(&format!("prvRead{}", "x".repeat(99))), None);
    }
}
