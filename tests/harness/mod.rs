//! How a promise is tested: a real API server for the whole binary; for each test a namespace, a world and an operator.

#![allow(
    dead_code,
    clippy::missing_panics_doc,
    clippy::missing_errors_doc,
    clippy::must_use_candidate,
    clippy::unused_self
)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod calls;
mod cluster;
pub mod gate;
mod operator;
pub mod prometheus;
mod seen;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use backstay::tenant::calls::known;
use backstay_world::{CONTOSO, Call, World};
use kube::api::{DynamicObject, ListParams, Patch, PatchParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Api, Client};
use serde_json::{Value, json};

pub use cluster::AuditEntry;
pub use operator::Operator;

/// The account, tenant, Connector and policy of the example, as `contoso.yaml` has them.
pub const ACCOUNT: &str = "svc-backup@contoso.com";
pub const CONNECTOR: &str = "contoso-power-platform";
pub const POLICY: &str = "keepit-service-account";
pub const AT_KEEPIT: &str = "Contoso Power Platform";
pub const GLOBAL_ADMINISTRATOR: &str = "Global Administrator";

/// How long a condition is waited for. Nothing is slow here; a machine that is busy may be.
const PATIENCE: Duration = Duration::from_mins(2);

/// One test's surroundings.
pub struct Scene {
    pub client: Client,
    pub namespace: String,
    pub world: World,
    pub folder: PathBuf,
    token: String,
}

impl Scene {
    /// A namespace with the operator's `ServiceAccount`, bound to the `ClusterRole` of `install/`, and the world of
    /// `contoso.yaml`.
    pub async fn new() -> Self {
        Self::with_world(CONTOSO).await
    }

    pub async fn with_world(yaml: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let namespace = format!("t{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::SeqCst));
        let client = cluster::client().await;
        let folder = cluster::folder().join(&namespace);
        std::fs::create_dir_all(&folder).unwrap();
        let mut scene = Self {
            client,
            namespace: namespace.clone(),
            world: World::start(yaml).await.unwrap(),
            folder,
            token: String::new(),
        };
        scene
            .apply(&json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": namespace } }))
            .await
            .unwrap();
        let rbac = std::fs::read_to_string(root().join("install/rbac.yaml")).unwrap();
        for role in documents(&rbac).iter().filter(|document| document["kind"] == "Role") {
            scene.apply(role).await.unwrap();
        }
        scene
            .apply_yaml(
                "{ apiVersion: v1, kind: ServiceAccount, metadata: { name: backstay } }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: backstay }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: backstay }
subjects: [{ kind: ServiceAccount, name: backstay }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: backstay-own-namespace }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: backstay-own-namespace }
subjects: [{ kind: ServiceAccount, name: backstay }]",
            )
            .await;
        scene.token = cluster::token(&scene.client, &namespace, "backstay", None).await;
        std::fs::write(scene.folder.join("ca.pem"), scene.world.ca_pem()).unwrap();
        scene
    }

    /// The name of the operator's user, as the audit log has it.
    pub fn user(&self) -> String {
        format!("system:serviceaccount:{}:backstay", self.namespace)
    }

    /// Everything of `examples/keepit-power-platform`, with short intervals.
    pub async fn apply_example(&self) {
        self.apply_secrets().await;
        self.apply_yaml(&self.policy_yaml()).await;
        self.apply_yaml(&self.connector_yaml()).await;
    }

    pub async fn apply_secrets(&self) {
        self.apply_yaml(&example("1-secrets.yaml")).await;
    }

    /// The example's policy, checked every 10 s.
    pub fn policy_yaml(&self) -> String {
        format!("{}  interval: 10s\n", example("2-policy.yaml"))
    }

    /// The example's Connector, checked every 10 s.
    pub fn connector_yaml(&self) -> String {
        format!("{}  interval: 10s\n", example("3-connector.yaml"))
    }

    /// Grants everything that the example allows, to this test's namespace.
    pub fn grants(&self) -> String {
        example("operator/grants.yaml").replace("namespace: backup", &format!("namespace: {}", self.namespace))
    }

    /// The operator with the example's grants.
    pub async fn operator(&self) -> Operator {
        self.operator_with(&self.grants(), &[]).await
    }

    /// The operator with these grants and further arguments; ready when it returns.
    pub async fn operator_with(&self, grants: &str, arguments: &[&str]) -> Operator {
        Operator::start(self, grants, arguments, None).await
    }

    /// The same, with a gate between it and the API server.
    pub async fn operator_behind(&self, gate: &gate::Gate, grants: &str, arguments: &[&str]) -> Operator {
        Operator::start(self, grants, arguments, Some(gate)).await
    }

    /// A gate before the API server, for the operator's user.
    pub async fn gate(&self) -> gate::Gate {
        gate::Gate::open(&self.token).await
    }

    /// The token of somebody who may do this with the two kinds, and nothing else.
    pub async fn person(&self, verbs: &[&str]) -> String {
        let verbs = verbs.join(", ");
        self.apply_yaml(&format!(
            "{{ apiVersion: v1, kind: ServiceAccount, metadata: {{ name: person }} }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{ name: person }}
rules: [{{ apiGroups: [backstay.dev], resources: [connectors, serviceaccountpolicies], verbs: [{verbs}] }}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{ name: person }}
roleRef: {{ apiGroup: rbac.authorization.k8s.io, kind: Role, name: person }}
subjects: [{{ kind: ServiceAccount, name: person }}]"
        ))
        .await;
        cluster::token(&self.client, &self.namespace, "person", None).await
    }

    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// Applies YAML documents; namespaced ones land in this test's namespace, whatever they say.
    pub async fn apply_yaml(&self, yaml: &str) {
        for document in documents(yaml) {
            self.apply(&document).await.unwrap_or_else(|error| panic!("{document}: {error}"));
        }
    }

    /// Applies one YAML document and brings what the API server said to it: `Err` its sentence.
    pub async fn try_apply(&self, yaml: &str) -> Result<DynamicObject, String> {
        let document = documents(yaml).remove(0);
        self.apply(&document).await.map_err(|error| match error {
            kube::Error::Api(status) => status.message,
            other => panic!("{other}"),
        })
    }

    async fn apply(&self, document: &Value) -> Result<DynamicObject, kube::Error> {
        let mut document = document.clone();
        let kind = document["kind"].as_str().unwrap().to_owned();
        let name = document["metadata"]["name"].as_str().unwrap().to_owned();
        let namespaced = !matches!(kind.as_str(), "Namespace" | "CustomResourceDefinition");
        if namespaced {
            document["metadata"]["namespace"] = json!(self.namespace);
        }
        let api = self.api(&kind);
        let mut params = PatchParams::apply("platform-team").force();
        params.field_validation = Some(kube::api::ValidationDirective::Strict);
        api.patch(&name, &params, &Patch::Apply(&document)).await
    }

    /// The API of a kind in this test's namespace.
    pub fn api(&self, kind: &str) -> Api<DynamicObject> {
        let resource = resource(kind);
        match kind {
            "Namespace" | "CustomResourceDefinition" => Api::all_with(self.client.clone(), &resource),
            _ => Api::namespaced_with(self.client.clone(), &self.namespace, &resource),
        }
    }

    /// An object as JSON; `Null` when it is not there.
    pub async fn get(&self, kind: &str, name: &str) -> Value {
        let found = self.api(kind).get_opt(name).await.unwrap();
        let found = found.map_or(Value::Null, |found| serde_json::to_value(found).unwrap());
        seen::keep(&found);
        found
    }

    pub async fn connector(&self) -> Value {
        self.get("Connector", CONNECTOR).await
    }

    pub async fn policy(&self) -> Value {
        self.get("ServiceAccountPolicy", POLICY).await
    }

    pub async fn delete(&self, kind: &str, name: &str) {
        self.api(kind).delete(name, &kube::api::DeleteParams::default()).await.unwrap();
    }

    /// Merges into an object, as `kubectl patch --type=merge` does.
    pub async fn patch(&self, kind: &str, name: &str, patch: Value) -> Value {
        let patched = self.api(kind).patch(name, &PatchParams::default(), &Patch::Merge(&patch)).await.unwrap();
        serde_json::to_value(patched).unwrap()
    }

    /// Waits until an object is as the test wants it, and brings it.
    pub async fn until(&self, what: &str, kind: &str, name: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let object = self.get(kind, name).await;
            if wanted(&object) {
                return object;
            }
            if begun.elapsed() > PATIENCE {
                let status = serde_json::to_string_pretty(&object["status"]).unwrap();
                let log = std::fs::read_to_string(self.folder.join("operator.log")).unwrap_or_default();
                let tail: Vec<&str> = log.lines().rev().take(30).collect();
                panic!("waited in vain for {what}\n{kind}/{name}: {status}\nlog, newest first:\n{}", tail.join("\n"));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Waits until the Connector's condition has this reason, and brings the Connector.
    pub async fn until_connector(&self, condition: &str, status: &str, reason: &str) -> Value {
        self.until_condition("Connector", CONNECTOR, condition, status, reason).await
    }

    /// Waits until the policy's condition has this reason, and brings the policy.
    pub async fn until_policy(&self, condition: &str, status: &str, reason: &str) -> Value {
        self.until_condition("ServiceAccountPolicy", POLICY, condition, status, reason).await
    }

    pub async fn until_condition(&self, kind: &str, name: &str, condition: &str, status: &str, reason: &str) -> Value {
        let what = format!("{condition}={status} {reason}");
        self.until(&what, kind, name, |object| is(object, condition, status, reason)).await
    }

    /// Waits until something outside the cluster is as the test wants it.
    pub async fn until_true(&self, what: &str, wanted: impl Fn() -> bool) {
        let begun = Instant::now();
        while !wanted() {
            if begun.elapsed() > PATIENCE {
                let log = std::fs::read_to_string(self.folder.join("operator.log")).unwrap_or_default();
                let tail: Vec<&str> = log.lines().rev().take(30).collect();
                panic!("waited in vain for {what}; log, newest first:\n{}", tail.join("\n"));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Plays the person: the account is let into the one environment where it is missing, signs in, and the first
    /// backup finishes.
    pub fn play_the_person(&self) -> String {
        self.world.act("add-environment-user", json!({ "environment": "Contoso Test", "user": ACCOUNT })).unwrap();
        let id = self.world.sign_in_for_connector("Contoso", AT_KEEPIT, "dynamics365", ACCOUNT).unwrap();
        self.world.finish_backup(&id).unwrap();
        id
    }

    /// Leaves the operator's user these rights in the namespace, and no others.
    pub async fn narrow(&self, rules: Value) {
        self.delete("RoleBinding", "backstay").await;
        let group = "rbac.authorization.k8s.io";
        let role = json!({ "apiVersion": format!("{group}/v1"), "kind": "Role", "metadata": { "name": "backstay" }, "rules": rules });
        let binding = json!({
            "apiVersion": format!("{group}/v1"),
            "kind": "RoleBinding",
            "metadata": { "name": "narrow" },
            "roleRef": { "apiGroup": group, "kind": "Role", "name": "backstay" },
            "subjects": [{ "kind": "ServiceAccount", "name": "backstay", "namespace": self.namespace }],
        });
        self.apply_yaml(&role.to_string()).await;
        self.apply_yaml(&binding.to_string()).await;
    }

    /// A token of the operator's own `ServiceAccount` for this audience in a file, as the kubelet keeps one in its Pod.
    pub async fn own_token(&self, audience: &str) -> String {
        let token = cluster::token(&self.client, &self.namespace, "backstay", Some(audience)).await;
        let file = self.folder.join("token");
        std::fs::write(&file, token).unwrap();
        file.display().to_string()
    }

    /// Lets the operator ask for tokens of this `ServiceAccount`, as the chart's rbac.serviceAccountTokens does.
    pub async fn may_ask_for_tokens_of(&self, name: &str) {
        self.apply_yaml(&format!(
            "apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{ name: backstay-tokens }}
rules:
  - {{ apiGroups: [''], resources: [serviceaccounts], resourceNames: [{name}], verbs: [get] }}
  - {{ apiGroups: [''], resources: [serviceaccounts/token], resourceNames: [{name}], verbs: [create] }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{ name: backstay-tokens }}
roleRef: {{ apiGroup: rbac.authorization.k8s.io, kind: Role, name: backstay-tokens }}
subjects: [{{ kind: ServiceAccount, name: backstay }}]"
        ))
        .await;
    }

    /// Who signs the tokens of the cluster's `ServiceAccounts`, and with which keys.
    pub async fn issuer(&self) -> (String, Value) {
        cluster::issuer(&self.client).await
    }

    /// What the operator's user did at the API server so far.
    pub fn audit(&self) -> Vec<AuditEntry> {
        let user = self.user();
        cluster::audit().into_iter().filter(|entry| entry.user == user).collect()
    }

    /// The Events of this test's namespace: reason and sentence.
    pub async fn events(&self) -> Vec<(String, String)> {
        let events = self.api("Event").list(&ListParams::default()).await.unwrap();
        let text = |event: &DynamicObject, key: &str| event.data[key].as_str().unwrap_or_default().to_owned();
        events.items.iter().map(|event| (text(event, "reason"), text(event, "note"))).collect()
    }
}

/// Every test is a test of what is asked of Microsoft, too: all of it has to be in what Microsoft publishes, and in the table that
/// the documentation is made from.
impl Drop for Scene {
    fn drop(&mut self) {
        if backstay_world::contracts_folder().is_none() {
            println!("skipped: what is asked of Graph is held against nothing (set BACKSTAY_CONTRACTS)");
        }
        let violations = self.world.violations();
        let untold = untold(&self.world.calls());
        if violations.is_empty() && untold.is_empty() {
            return;
        }
        let said = format!(
            "not as Microsoft publishes it:\n{}\nnot in src/tenant/calls.rs:\n{}",
            violations.join("\n"),
            untold.join("\n")
        );
        // A test that fails already says why; a second panic would take that away.
        if std::thread::panicking() {
            eprintln!("{said}");
        } else {
            panic!("{said}");
        }
    }
}

/// What the operator asked of Microsoft, and its table of calls does not have.
fn untold(calls: &[Call]) -> Vec<String> {
    let told = |call: &Call| calls::of_microsoft(call).is_none_or(|service| known(service, &call.method, &call.path));
    calls.iter().filter(|call| !told(call)).map(calls::said).collect()
}

/// A condition of an object.
pub fn condition<'a>(object: &'a Value, kind: &str) -> &'a Value {
    let all = object["status"]["conditions"].as_array();
    all.and_then(|all| all.iter().find(|condition| condition["type"] == kind)).unwrap_or(&Value::Null)
}

/// Whether a condition of an object has this status and reason, for the generation that the object is of.
pub fn is(object: &Value, kind: &str, status: &str, reason: &str) -> bool {
    let condition = condition(object, kind);
    condition["status"] == status
        && condition["reason"] == reason
        && object["status"]["observedGeneration"] == object["metadata"]["generation"]
}

/// The sentence of a condition.
pub fn message<'a>(object: &'a Value, kind: &str) -> &'a str {
    condition(object, kind)["message"].as_str().unwrap_or_default()
}

/// The result of a policy's finding.
pub fn finding<'a>(policy: &'a Value, name: &str) -> &'a Value {
    let id = format!("keepitPowerPlatform/{name}");
    let all = policy["status"]["findings"].as_array();
    all.and_then(|all| all.iter().find(|finding| finding["id"] == id.as_str())).unwrap_or(&Value::Null)
}

/// A file of the example of the main story.
pub fn example(file: &str) -> String {
    example_of("keepit-power-platform", file)
}

/// A file of an example.
pub fn example_of(folder: &str, file: &str) -> String {
    std::fs::read_to_string(root().join("examples").join(folder).join(file)).unwrap()
}

/// The folder of the project.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn documents(yaml: &str) -> Vec<Value> {
    use serde::Deserialize;
    serde_yaml::Deserializer::from_str(yaml)
        .map(|document| Value::deserialize(document).unwrap())
        .filter(|document| !document.is_null())
        .collect()
}

fn resource(kind: &str) -> ApiResource {
    let (group, version, plural) = match kind {
        "Connector" => ("backstay.dev", "v1alpha1", "connectors"),
        "ServiceAccountPolicy" => ("backstay.dev", "v1alpha1", "serviceaccountpolicies"),
        "Namespace" => ("", "v1", "namespaces"),
        "Secret" => ("", "v1", "secrets"),
        "ConfigMap" => ("", "v1", "configmaps"),
        "Lease" => ("coordination.k8s.io", "v1", "leases"),
        "ServiceAccount" => ("", "v1", "serviceaccounts"),
        "Event" => ("events.k8s.io", "v1", "events"),
        "Role" => ("rbac.authorization.k8s.io", "v1", "roles"),
        "RoleBinding" => ("rbac.authorization.k8s.io", "v1", "rolebindings"),
        "ClusterRole" => ("rbac.authorization.k8s.io", "v1", "clusterroles"),
        "CustomResourceDefinition" => ("apiextensions.k8s.io", "v1", "customresourcedefinitions"),
        other => panic!("the harness does not know the kind {other}"),
    };
    ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind), plural)
}

/// The uid of an object.
pub fn uid(object: &Value) -> &str {
    object["metadata"]["uid"].as_str().unwrap()
}
