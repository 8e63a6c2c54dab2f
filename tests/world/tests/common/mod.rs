//! How does a test visit the world? As any client does: through the proxy, trusting its authority.

#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says so by panicking")]

pub mod keys;

use backstay_world::World;
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};

pub const TENANT: &str = "6f1c2c4e-8d0b-4b5e-9a53-0c6a3f1d2e01";
pub const APP: &str = "c0ffee00-1111-4222-8333-444455556666";
pub const SECRET: &str = "world-app-secret";
pub const ACCOUNT: &str = "svc-backup@contoso.com";
pub const ACCOUNT_ID: &str = "0d5b6a1c-2f3e-4a4d-8c5b-7e6f5a4b3c2d";
pub const KEEPIT_ACCOUNT: &str = "kp7a2b-c3d4e5-f6g7h8";
pub const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";
pub const DYNAMICS_ADMINISTRATOR: &str = "44367163-eba1-44c3-98af-f5787879f96a";
pub const POWER_PLATFORM_ADMINISTRATOR: &str = "11648597-926c-4cf3-9c36-bcebb0ba8dcc";
pub const SALES: &str = "11111111-aaaa-4bbb-8ccc-000000000001";
pub const SERVICE: &str = "11111111-aaaa-4bbb-8ccc-000000000002";
pub const SALES_HOST: &str = "contoso-sales.crm4.dynamics.com";
pub const SERVICE_HOST: &str = "contoso-service.crm4.dynamics.com";
pub const GRAPH: &str = "https://graph.microsoft.com";
pub const ASSIGNMENTS: &str = "https://graph.microsoft.com/v1.0/roleManagement/directory/roleAssignments";
pub const ENVIRONMENTS: &str =
    "https://api.bap.microsoft.com/providers/Microsoft.BusinessAppPlatform/scopes/admin/environments";
pub const KEEPIT: &str = "https://dk-co.keepit.com";

pub struct Visit {
    pub world: World,
    pub client: Client,
}

pub async fn contoso() -> Visit {
    visit(backstay_world::CONTOSO).await
}

/// Contoso with pieces of the file replaced; each has to occur.
pub async fn contoso_with(changes: &[(&str, &str)]) -> Visit {
    let mut yaml = backstay_world::CONTOSO.to_owned();
    for (from, to) in changes {
        assert!(yaml.contains(from), "not in contoso.yaml: {from}");
        yaml = yaml.replacen(from, to, 1);
    }
    visit(&yaml).await
}

/// Contoso with switches.
pub async fn contoso_switched(switches: &str) -> Visit {
    visit(&format!("{}\nswitches: {switches}\n", backstay_world::CONTOSO)).await
}

pub async fn visit(yaml: &str) -> Visit {
    let world = World::start(yaml).await.expect("the world starts");
    let client = client(&world);
    Visit { world, client }
}

pub fn client(world: &World) -> Client {
    let authority = reqwest::Certificate::from_pem(world.ca_pem().as_bytes()).unwrap();
    Client::builder()
        .proxy(reqwest::Proxy::https(world.proxy_url()).unwrap())
        .tls_certs_only([authority])
        .user_agent("visitor")
        .build()
        .unwrap()
}

pub struct Got {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Got {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {} {}", self.status, self.text))
    }

    /// `error.code` of a Microsoft error body.
    pub fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }
}

pub async fn got(response: Response) -> Got {
    Got {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        text: response.text().await.unwrap(),
    }
}

impl Visit {
    pub async fn send(&self, request: RequestBuilder) -> Got {
        got(request.send().await.unwrap()).await
    }

    pub async fn token_request(&self, tenant: &str, fields: &[(&str, &str)]) -> Got {
        let url = format!("https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token");
        self.send(self.client.post(url).form(fields)).await
    }

    pub async fn token(&self, resource: &str) -> String {
        let scope = format!("{resource}/.default");
        let got = self
            .token_request(
                TENANT,
                &[
                    ("grant_type", "client_credentials"),
                    ("client_id", APP),
                    ("client_secret", SECRET),
                    ("scope", &scope),
                ],
            )
            .await;
        assert_eq!(got.status, 200, "{}", got.text);
        got.json()["access_token"].as_str().unwrap().to_owned()
    }

    pub async fn call(&self, method: Method, url: &str, token: &str, body: Option<Value>) -> Got {
        let request = self.client.request(method, url).bearer_auth(token);
        self.send(match body {
            Some(body) => request.json(&body),
            None => request,
        })
        .await
    }

    pub async fn graph(&self, method: Method, path: &str, body: Option<Value>) -> Got {
        let token = self.token(GRAPH).await;
        self.call(method, &format!("{GRAPH}/v1.0{path}"), &token, body).await
    }

    pub async fn bap(&self, method: Method, path: &str, body: Option<Value>) -> Got {
        let token = self.token("https://service.powerapps.com").await;
        self.call(method, &format!("{ENVIRONMENTS}{path}"), &token, body).await
    }

    pub async fn dataverse(&self, method: Method, host: &str, path: &str, body: Option<Value>) -> Got {
        let token = self.token(&format!("https://{host}")).await;
        self.call(method, &format!("https://{host}/api/data/v9.2/{path}"), &token, body).await
    }

    /// The operator's app becomes an application user of the environment.
    pub async fn enroll(&self, environment: &str) {
        let got = self
            .bap(
                Method::POST,
                &format!("/{environment}/addAppUser?api-version=2020-10-01"),
                Some(json!({ "servicePrincipalAppId": APP })),
            )
            .await;
        assert_eq!(got.status, 200, "{}", got.text);
    }

    pub fn keepit(&self, method: Method, path: &str) -> RequestBuilder {
        self.client
            .request(method, format!("{KEEPIT}{path}"))
            .basic_auth("backstay-api-token", Some("world-keepit-password"))
    }

    pub async fn keepit_v4(&self, path: &str) -> Got {
        self.send(self.keepit(Method::GET, path).header("accept", "application/vnd.keepit.v4+xml")).await
    }
}

pub async fn assignments_of(visit: &Visit, principal: &str) -> Vec<String> {
    let got = visit
        .graph(
            Method::GET,
            &format!("/roleManagement/directory/roleAssignments?$filter=principalId eq '{principal}'"),
            None,
        )
        .await;
    assert_eq!(got.status, 200, "{}", got.text);
    got.json()["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["roleDefinitionId"].as_str().unwrap().to_owned())
        .collect()
}

/// Requests may be wrong on purpose here; answers, and what was allowed to whom, must be as Microsoft publishes them.
impl Drop for Visit {
    fn drop(&mut self) {
        let asked = |why: &String| why.contains(": asked: ");
        let violations: Vec<String> = self.world.violations().into_iter().filter(|why| !asked(why)).collect();
        assert!(std::thread::panicking() || violations.is_empty(), "not as Microsoft publishes it: {violations:#?}");
    }
}
