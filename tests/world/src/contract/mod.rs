//! Is what was asked of Graph, and what this world answered, as Microsoft itself publishes it?
//!
//! The metadata (CSDL) of each cloud and the list of permissions lie outside this repository (`contracts_folder`); without them nothing is checked.

mod answer;
mod csdl;
mod filter;
mod path;
mod permissions;
mod request;
#[cfg(test)]
mod sample;
mod value;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use serde::Serialize;

use crate::http::{Reply, Request};
use csdl::Metadata;
use path::Place;
use permissions::Permissions;

/// What one cloud publishes.
pub struct Contract {
    metadata: Metadata,
    permissions: Permissions,
}

/// What was found in one exchange.
#[derive(Debug, Default)]
pub struct Findings {
    /// Sentences.
    pub wrong: Vec<String>,
    /// Types that were met, but are cut out of the metadata.
    pub cut: Vec<String>,
}

/// What was found in a world so far.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Checks {
    /// Exchanges that were held against the metadata.
    pub exchanges: usize,
    /// Requests to beta, of which there is no metadata.
    pub beta: usize,
    /// Types that are cut out of the metadata, and how often they were met: what is in them is not checked.
    pub cut: BTreeMap<String, usize>,
    /// Each once, in the order in which they came up.
    pub violations: Vec<String>,
}

type Loaded = Result<Option<Contract>, String>;

static GLOBAL: LazyLock<Loaded> = LazyLock::new(|| Contract::load("global"));
static US_GOVERNMENT: LazyLock<Loaded> = LazyLock::new(|| Contract::load("usgov"));
static CHINA: LazyLock<Loaded> = LazyLock::new(|| Contract::load("china"));

/// What the cloud of a host publishes; `None`: this is no host of Graph.
fn of_host(host: &str) -> Option<&'static Loaded> {
    match host {
        "graph.microsoft.com" => Some(&GLOBAL),
        "graph.microsoft.us" | "dod-graph.microsoft.us" => Some(&US_GOVERNMENT),
        "microsoftgraph.chinacloudapi.cn" => Some(&CHINA),
        _ => None,
    }
}

impl Contract {
    fn load(cloud: &str) -> Loaded {
        let Some(folder) = crate::contracts_folder() else {
            return Ok(None);
        };
        let read = |file: &str| read(&folder, file);
        Self::parse(&read(&format!("graph-v1.0-{cloud}.csdl"))?, &read("graph-permissions.csv")?).map(Some)
    }

    fn parse(csdl: &str, permissions: &str) -> Result<Self, String> {
        Ok(Self { metadata: Metadata::parse(csdl)?, permissions: Permissions::parse(permissions)? })
    }

    /// Checks one exchange with v1.0. `reply` is what the service itself answered; `None`: it was kept from answering.
    fn check(&self, request: &Request, reply: Option<&Reply>, held: &[String]) -> Findings {
        let mut findings = Findings::default();
        // What the service refused as wrong may be wrong on purpose.
        if reply.is_some_and(|reply| reply.status == 400) {
            return findings;
        }
        let place = match self.place(request) {
            Ok(place) => place,
            Err(why) => {
                findings.wrong.push(format!("asked: {why}"));
                return findings;
            }
        };
        let mut asked = Findings::default();
        request::check(&self.metadata, request, &place, &mut asked);
        findings.add("asked", asked);
        if let Some(reply) = reply.filter(|reply| (200..300).contains(&reply.status)) {
            let mut answered = Findings::default();
            answer::check(&self.metadata, request, &place, reply, &mut answered);
            findings.add("answered", answered);
            if !matches!(place, Place::Batch)
                && let Err(why) = self.permissions.check(&self.metadata, request, held)
            {
                findings.wrong.push(format!("allowed: {why}"));
            }
        }
        findings
    }

    /// Where a request leads. Whole entity sets were cut, too; one that the list of permissions knows is taken for one of these.
    fn place(&self, request: &Request) -> Result<Place<'_>, String> {
        // A slash too many is what Microsoft's own client for Python asks with.
        let path = request.path.strip_prefix("/v1.0/").ok_or("this is no path of v1.0")?.trim_start_matches('/');
        let root = path.split(['/', '(']).next().unwrap_or_default();
        if self.metadata.root(root).is_none() && self.permissions.know_root(root) {
            return Ok(Place::Cut(root.to_owned()));
        }
        path::walk(&self.metadata, path)
    }
}

fn read(folder: &Path, file: &str) -> Result<String, String> {
    std::fs::read_to_string(folder.join(file)).map_err(|error| format!("{file} of the contracts: {error}"))
}

impl Findings {
    pub fn wrong(&mut self, why: impl Into<String>) {
        self.wrong.push(why.into());
    }

    pub fn cut(&mut self, name: &str) {
        self.cut.push(name.to_owned());
    }

    fn add(&mut self, side: &str, other: Self) {
        self.wrong.extend(other.wrong.into_iter().map(|why| format!("{side}: {why}")));
        self.cut.extend(other.cut);
    }
}

impl Checks {
    /// Checks one exchange, if it is one with Graph and the contracts are here.
    pub fn watch(&mut self, request: &Request, reply: Option<&Reply>, held: impl FnOnce() -> Vec<String>) {
        let contract = match of_host(&request.host) {
            None | Some(Ok(None)) => return,
            Some(Ok(Some(contract))) => contract,
            Some(Err(why)) => return self.note(why.clone()),
        };
        if request.path.starts_with("/beta/") {
            self.beta += 1;
            return;
        }
        self.exchanges += 1;
        let findings = contract.check(request, reply, &held());
        for name in findings.cut {
            *self.cut.entry(name).or_default() += 1;
        }
        let query = if request.query.is_empty() { String::new() } else { format!("?{}", request.query_text()) };
        for why in findings.wrong {
            self.note(format!("{} https://{}{}{query}: {why}", request.method, request.host, request.path));
        }
    }

    fn note(&mut self, violation: String) {
        if !self.violations.contains(&violation) {
            self.violations.push(violation);
        }
    }

    /// All of it, as it is told to whoever asks.
    #[must_use]
    pub fn told(&self) -> Self {
        Self { violations: self.violations(), ..self.clone() }
    }

    /// What is wrong. Where everything must be tested, that there was nothing to test against is wrong, too.
    pub fn violations(&self) -> Vec<String> {
        let missing = crate::contracts_folder().is_none() && std::env::var_os("CI").is_some_and(|ci| ci == "true");
        let missing =
            missing.then(|| "Microsoft's contracts are not here, and this is CI: set BACKSTAY_CONTRACTS".into());
        missing.into_iter().chain(self.violations.iter().cloned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// What is wrong with an exchange of an app that holds these permissions.
    fn wrong(method: &str, target: &str, sent: Option<Value>, answered: &(u16, Value), held: &[&str]) -> Vec<String> {
        let contract = Contract::parse(sample::CSDL, sample::PERMISSIONS).unwrap();
        let mut request = Request::new(method, "graph.microsoft.com", &format!("/v1.0{target}"));
        if let Some(sent) = sent {
            request.headers.insert("content-type".into(), "application/json".into());
            request.body = sent.to_string().into();
        }
        let reply = Reply::json(answered.0, &answered.1);
        let held: Vec<String> = held.iter().map(|name| (*name).to_owned()).collect();
        contract.check(&request, Some(&reply), &held).wrong
    }

    const READER: &[&str] = &["User.Read.All"];

    #[test]
    fn an_exchange_as_published_is_fine() {
        let user = json!({ "@odata.context": "x", "id": "1", "accountEnabled": true, "assignedLicenses": [] });
        let found = wrong("GET", "/users/1?$select=id,accountEnabled,assignedLicenses", None, &(200, user), READER);
        assert_eq!(found, Vec::<String>::new());
        let assignment = json!({ "principalId": "1", "roleDefinitionId": "2", "directoryScopeId": "/" });
        let created = json!({ "id": "3", "principalId": "1", "roleDefinitionId": "2", "directoryScopeId": "/" });
        let found = wrong(
            "POST",
            "/roleManagement/directory/roleAssignments",
            Some(assignment),
            &(201, created),
            &["RoleManagement.ReadWrite.Directory"],
        );
        assert_eq!(found, Vec::<String>::new());
    }

    #[test]
    fn whatever_is_not_published_is_reported() {
        let rows = || (200, json!({ "value": [] }));
        let roles = "/roleManagement/directory/roleAssignments";
        let cases: [(&str, Vec<String>); 9] = [
            (
                "asked: $select=accessMode: user has no property 'accessMode'",
                wrong("GET", "/users/1?$select=id,accessMode", None, &(200, json!({})), READER),
            ),
            (
                "asked: $filter: user has no property 'accessMode'",
                wrong("GET", "/users?$filter=accessMode eq 'x'", None, &rows(), READER),
            ),
            (
                "asked: $expand: group is no navigation property of user",
                wrong("GET", "/users?$expand=group", None, &rows(), READER),
            ),
            ("asked: user has no 'secrets'", wrong("GET", "/users/1/secrets", None, &(404, json!({})), READER)),
            (
                "asked: body/justification: unifiedRoleAssignment has no property 'justification'",
                wrong("POST", roles, Some(json!({ "justification": "please" })), &(403, json!({})), READER),
            ),
            (
                "asked: body/principalId: a number is not Edm.String",
                wrong("POST", roles, Some(json!({ "principalId": 5 })), &(403, json!({})), READER),
            ),
            (
                "answered: body/shoeSize: user has no property 'shoeSize'",
                wrong("GET", "/users/1", None, &(200, json!({ "shoeSize": 44 })), READER),
            ),
            (
                "allowed: graph-permissions.csv has no row for GET /groups/1",
                wrong("GET", "/groups/1", None, &(200, json!({ "id": "1" })), READER),
            ),
            (
                "allowed: the app holds none of User.Read.All, User.ReadBasic.All",
                wrong("GET", "/users/1", None, &(200, json!({ "id": "1" })), &["Mail.Read"]),
            ),
        ];
        for (expected, found) in cases {
            assert_eq!(found, [expected]);
        }
    }

    #[test]
    fn what_the_service_refused_as_wrong_does_not_count() {
        assert!(wrong("GET", "/users/1?$select=accessMode", None, &(400, json!({})), READER).is_empty());
        assert_eq!(wrong("GET", "/users/1?$select=accessMode", None, &(403, json!({})), READER).len(), 1);
    }

    #[test]
    fn what_was_cut_is_counted_and_beta_is_left_alone() {
        let contract = Contract::parse(sample::CSDL, sample::PERMISSIONS).unwrap();
        let check = |target: &str| {
            let request = Request::new("GET", "graph.microsoft.com", &format!("/v1.0{target}"));
            contract.check(&request, None, &[])
        };
        assert_eq!(check("/users/1/photo").cut, ["photo"]);
        assert_eq!(check("/auditLogs/signIns").cut, ["auditLogs"]);
        assert_eq!(check("/audioLogs/signIns").wrong.len(), 1);

        let mut checks = Checks::default();
        let beta = Request::new("GET", "graph.microsoft.com", "/beta/users/1/authentication/requirements");
        checks.watch(&beta, None, Vec::new);
        if crate::contracts_folder().is_some() {
            assert_eq!((checks.beta, checks.exchanges, checks.violations.len()), (1, 0, 0));
        }
    }

    #[test]
    fn the_published_metadata_can_be_read() {
        if crate::contracts_folder().is_none() {
            println!("skipped: no contracts folder (set BACKSTAY_CONTRACTS)");
            return;
        }
        for host in ["graph.microsoft.com", "dod-graph.microsoft.us", "microsoftgraph.chinacloudapi.cn"] {
            let contract = of_host(host).unwrap().as_ref().unwrap().as_ref().unwrap();
            let path = "/v1.0/users/1/licenseDetails?$select=skuId,servicePlans";
            let request = Request::new("GET", host, path);
            let row =
                json!({ "skuId": "1e1a282c-9c54-43a2-9310-98ef728faace", "servicePlans": [{ "appliesTo": "User" }] });
            let reply = Reply::json(200, &json!({ "value": [row] }));
            let found = contract.check(&request, Some(&reply), &["User.Read.All".to_owned()]);
            assert_eq!((found.wrong, found.cut), (Vec::new(), Vec::new()), "{host}");
        }
    }
}
