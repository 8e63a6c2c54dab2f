//! One real API server for all tests of a binary.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::{DynamicObject, GetParams, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::{ApiResource, GroupVersionKind, Request};
use kube::{Api, Client, Config};
use serde_json::Value;

use super::gate::Gate;

struct Cluster {
    folder: PathBuf,
}

static CLUSTER: OnceLock<Cluster> = OnceLock::new();
static INSTALLED: tokio::sync::OnceCell<()> = tokio::sync::OnceCell::const_new();

fn cluster() -> &'static Cluster {
    CLUSTER.get_or_init(|| {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let program = super::root().join("target/tools/cluster");
        assert!(program.exists(), "the test cluster is not built: run `make tools` first");
        let folder = std::env::temp_dir().join(format!("backstay-test-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        // It ends with this process, however that ends; nobody waits for it.
        #[allow(clippy::zombie_processes)]
        Command::new(program)
            .args(["up", &format!("--with-parent={}", std::process::id()), "--dir"])
            .arg(folder.join("cluster"))
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while !folder.join("cluster/ready").exists() {
            assert!(begun.elapsed() < Duration::from_secs(90), "the test cluster did not get ready");
            std::thread::sleep(Duration::from_millis(50));
        }
        Cluster { folder }
    })
}

/// Where this binary's tests keep their files.
pub fn folder() -> PathBuf {
    cluster().folder.clone()
}

/// An administrator's client. Each test makes its own: a client lives on the runtime of the test that made it.
pub async fn client() -> Client {
    let path = tokio::task::spawn_blocking(|| cluster().folder.join("cluster/kubeconfig/admin.yaml")).await.unwrap();
    let kubeconfig = Kubeconfig::read_from(path).unwrap();
    let client = connect(kubeconfig).await;
    INSTALLED.get_or_init(|| install(client.clone())).await;
    client
}

/// The client of a user with this token.
pub async fn client_of(token: &str) -> Client {
    connect(Kubeconfig::from_yaml(&kubeconfig(token, None)).unwrap()).await
}

async fn connect(kubeconfig: Kubeconfig) -> Client {
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    Client::try_from(config).unwrap()
}

/// The CRDs and the `ClusterRole`, as a user installs them.
async fn install(client: Client) {
    for file in ["crds/backstay.yaml", "install/rbac.yaml"] {
        let text = std::fs::read_to_string(super::root().join(file)).unwrap();
        for document in super::documents(&text) {
            let (kind, name) = (document["kind"].as_str().unwrap(), document["metadata"]["name"].as_str().unwrap());
            // What `install/` binds is for all namespaces, or for the operator's own; a test binds its own.
            if matches!(kind, "ClusterRoleBinding" | "Role" | "RoleBinding") {
                continue;
            }
            let api: Api<DynamicObject> = Api::all_with(client.clone(), &super::resource(kind));
            api.patch(name, &PatchParams::apply("platform-team"), &Patch::Apply(&document)).await.unwrap();
        }
    }
    let crds: Api<DynamicObject> = Api::all_with(
        client,
        &ApiResource::from_gvk(&GroupVersionKind::gvk("apiextensions.k8s.io", "v1", "CustomResourceDefinition")),
    );
    for name in ["connectors.backstay.dev", "serviceaccountpolicies.backstay.dev"] {
        let established = |crd: &DynamicObject| {
            let conditions = crd.data["status"]["conditions"].as_array().cloned().unwrap_or_default();
            conditions.iter().any(|condition| condition["type"] == "Established" && condition["status"] == "True")
        };
        while !established(&crds.get(name).await.unwrap()) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// A token of a `ServiceAccount`, as a Pod would get it.
pub async fn token(client: &Client, namespace: &str, name: &str, audience: Option<&str>) -> String {
    let api: Api<ServiceAccount> = Api::namespaced(client.clone(), namespace);
    let audiences = audience.map(|audience| vec![audience.to_owned()]);
    let request = TokenRequest {
        spec: Some(TokenRequestSpec {
            expiration_seconds: Some(24 * 60 * 60),
            audiences,
            ..TokenRequestSpec::default()
        }),
        ..TokenRequest::default()
    };
    let issued = api.create_token_request(name, &PostParams::default(), &request).await.unwrap();
    issued.status.unwrap().token.unwrap()
}

/// Who signs the tokens of this cluster's `ServiceAccounts`, and with which keys: what Microsoft would look up.
pub async fn issuer(client: &Client) -> (String, Value) {
    let ask = async |folder: &str, name: &str| -> Value {
        client.request(Request::new(folder).get(name, &GetParams::default()).unwrap()).await.unwrap()
    };
    let issuer = ask("/.well-known", "openid-configuration").await["issuer"].as_str().unwrap().to_owned();
    (issuer, ask("/openid/v1", "jwks").await["keys"].take())
}

/// The kubeconfig of a user with this token, who comes to the API server through the gate, if there is one.
pub fn kubeconfig(token: &str, gate: Option<&Gate>) -> String {
    let admin = std::fs::read_to_string(cluster().folder.join("cluster/kubeconfig/admin.yaml")).unwrap();
    let mut kubeconfig: Value = serde_yaml::from_str(&admin).unwrap();
    kubeconfig["users"][0]["user"] = serde_json::json!({ "token": token });
    if let Some(gate) = gate {
        kubeconfig["clusters"][0]["cluster"] = serde_json::json!({ "server": gate.url() });
    }
    serde_yaml::to_string(&kubeconfig).unwrap()
}

/// One request, as the API server's audit log has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AuditEntry {
    pub user: String,
    pub verb: String,
    /// `resource` or `resource/subresource`, with the group after a dot.
    pub resource: String,
    pub namespace: String,
    pub name: String,
    pub code: i64,
}

impl AuditEntry {
    /// Whether it changes something.
    pub fn writes(&self) -> bool {
        !matches!(self.verb.as_str(), "get" | "list" | "watch")
    }
}

/// Everything in the audit log so far.
pub fn audit() -> Vec<AuditEntry> {
    let text = std::fs::read_to_string(cluster().folder.join("cluster/audit.log")).unwrap();
    // The last line may be in the middle of being written.
    let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines
        .map(|line| {
            let reference = &line["objectRef"];
            let said = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let mut resource = said(&reference["resource"]);
            if let Some(sub) = reference["subresource"].as_str() {
                resource = format!("{resource}/{sub}");
            }
            if let Some(group) = reference["apiGroup"].as_str() {
                resource = format!("{resource}.{group}");
            }
            AuditEntry {
                user: said(&line["user"]["username"]),
                verb: said(&line["verb"]),
                resource,
                namespace: said(&reference["namespace"]),
                name: said(&reference["name"]),
                code: line["responseStatus"]["code"].as_i64().unwrap_or_default(),
            }
        })
        .collect()
}
