//! What the world was asked, and worlds that differ from `contoso.yaml`.

use std::future::Future;
use std::time::{Duration, Instant};

use backstay::tenant::calls::{CALLS, Known, row};
use backstay_world::{CONTOSO, Call, World};
use kube::api::{DynamicObject, ListParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use super::{ACCOUNT, AT_KEEPIT, Scene};

pub const ACCOUNT_ID: &str = "0d5b6a1c-2f3e-4a4d-8c5b-7e6f5a4b3c2d";
pub const TENANT: &str = "6f1c2c4e-8d0b-4b5e-9a53-0c6a3f1d2e01";
pub const APP: &str = "c0ffee00-1111-4222-8333-444455556666";
pub const GRAPH: &str = "graph.microsoft.com";
pub const BAP: &str = "api.bap.microsoft.com";
pub const KEEPIT: &str = "dk-co.keepit.com";
/// The hosts of the environments that have Dataverse.
pub const ORGANIZATIONS: [&str; 3] =
    ["contoso-sales.crm4.dynamics.com", "contoso-service.crm4.dynamics.com", "contoso-test.crm4.dynamics.com"];

const ASSIGNMENTS: &str = "/v1.0/roleManagement/directory/roleAssignments";

/// Keepit's list of all connectors of an account.
pub fn lists_connectors(call: &Call) -> bool {
    call.host.ends_with(".keepit.com") && call.path.ends_with("/devices")
}

/// A read of the account's directory roles that brought an answer.
pub fn reads_roles(call: &Call) -> bool {
    call.method == "GET" && call.path == ASSIGNMENTS && call.query.contains(ACCOUNT_ID) && call.status == 200
}

/// A read of who holds Global Administrator that brought an answer.
pub fn reads_holders(call: &Call) -> bool {
    call.method == "GET" && call.path == ASSIGNMENTS && call.query.contains("roleDefinitionId") && call.status == 200
}

/// A read of the account's row in an environment that brought an answer.
pub fn reads_row(call: &Call, organization: &str) -> bool {
    call.method == "GET" && call.host == organization && call.path.ends_with("/systemusers") && call.status == 200
}

/// The operator's app is made a user of an environment.
pub fn enrolls(call: &Call) -> bool {
    call.write && call.host == BAP && call.path.ends_with("/addAppUser")
}

/// A directory role is given.
pub fn assigns_role(call: &Call) -> bool {
    call.write && call.method == "POST" && call.path == ASSIGNMENTS
}

/// A security role is given in an environment.
pub fn assigns_security_role(call: &Call) -> bool {
    call.write && call.method == "POST" && call.path.ends_with("/systemuserroles_association/$ref")
}

/// Anything is taken away.
pub fn removes(call: &Call) -> bool {
    call.write && call.method == "DELETE"
}

/// When it was asked.
pub fn asked_at(call: &Call) -> jiff::Timestamp {
    call.time.parse().unwrap()
}

/// At which of Microsoft's services the operator asked; `None`: it was somebody else, or is another service.
pub fn of_microsoft(call: &Call) -> Option<&'static str> {
    let operator = call.user_agent.as_ref().is_some_and(|agent| agent.starts_with("backstay/")) || call.batch.is_some();
    let asked = operator && call.method != "CONNECT";
    asked.then(|| backstay::tenant::calls::service(&call.host)).flatten()
}

/// What was asked for, without who, when and with what success.
pub fn said(call: &Call) -> String {
    format!("{} {}{}", call.method, call.host, call.path)
}

/// Where a world's faults for roles strike.
#[allow(clippy::unnecessary_wraps)] // as a fault takes it
pub fn assignments() -> Option<String> {
    Some(ASSIGNMENTS.into())
}

/// The world of `contoso.yaml`, changed.
pub fn contoso(change: impl FnOnce(&mut Value)) -> String {
    let mut world: Value = serde_yaml::from_str(CONTOSO).unwrap();
    change(&mut world);
    // JSON is YAML.
    world.to_string()
}

/// A world in which everything is right already: there is nothing to write, and the connector has a backup.
pub fn settled(change: impl FnOnce(&mut Value)) -> String {
    contoso(|world| {
        let tenant = &mut world["tenants"][0];
        tenant["role_assignments"][0]["role"] = json!("Power Platform Administrator");
        for environment in tenant["environments"].as_array_mut().unwrap().iter_mut().take(3) {
            environment["users"] = json!([
                { "user": ACCOUNT, "roles": ["System Administrator"] },
                { "application": APP, "roles": ["System Administrator"], "access_mode": 4 },
            ]);
        }
        world["keepit"][0]["accounts"][0]["connectors"] = json!([at_keepit(AT_KEEPIT)]);
        change(world);
    })
}

/// A connector at Keepit that works and has a backup.
pub fn at_keepit(name: &str) -> Value {
    let now = jiff::Timestamp::now().to_string();
    json!({
        "name": name,
        "type": "dynamics365",
        "created": now,
        "created_by": "ops@contoso.com",
        "orglink": "link-1",
        "attributes": { "ng_backup_config": "{}" },
        "authorization": { "tenant": TENANT, "user": ACCOUNT_ID, "time": now },
        "snapshots": [{ "time": now }],
    })
}

/// A Connector for one at Keepit, checked every 10 s.
pub fn connector_yaml(name: &str, region: &str, secret: &str, at_keepit: &str) -> String {
    json!({
        "apiVersion": "backstay.dev/v1alpha1",
        "kind": "Connector",
        "metadata": { "name": name },
        "spec": {
            "vendor": { "keepit": { "region": region, "secretRef": { "name": secret }, "name": at_keepit } },
            "policyRef": { "name": super::POLICY },
            "interval": "10s",
        },
    })
    .to_string()
}

/// Text with a piece of it replaced; the piece must be there.
pub fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from:?} is not in\n{text}");
    text.replace(from, to)
}

/// The names of the directory roles that the account holds in truth.
pub fn held(world: &World) -> Vec<String> {
    let state = world.state();
    let all = state["tenants"][0]["role_assignments"].as_array().unwrap();
    let mine = all.iter().filter(|assignment| assignment["principal"] == ACCOUNT_ID);
    let mut names: Vec<String> = mine.map(|assignment| name_of(assignment["role"].as_str().unwrap())).collect();
    names.sort();
    names
}

fn name_of(role: &str) -> String {
    match role {
        "62e90394-69f5-4237-9190-012177145e10" => "Global Administrator",
        "44367163-eba1-44c3-98af-f5787879f96a" => "Dynamics 365 Administrator",
        "11648597-926c-4cf3-9c36-bcebb0ba8dcc" => "Power Platform Administrator",
        other => other,
    }
    .to_owned()
}

/// Runs the cases of a table side by side, and says which of them failed.
pub async fn side_by_side<F>(cases: Vec<(&'static str, F)>)
where
    F: Future<Output = ()> + Send + 'static,
{
    let running: Vec<_> = cases.into_iter().map(|(name, case)| (name, tokio::spawn(case))).collect();
    let mut failed = Vec::new();
    for (name, case) in running {
        if let Err(error) = case.await {
            let said = error.try_into_panic().map_or_else(
                |error| error.to_string(),
                |panic| panic.downcast_ref::<String>().cloned().unwrap_or_else(|| "see above".to_owned()),
            );
            failed.push(format!("--- {name}: {said}"));
        }
    }
    assert!(failed.is_empty(), "{} cases failed\n{}", failed.len(), failed.join("\n"));
}

/// Whether a call of the operator's table is made only to change something.
pub fn of_a_step(row: &Known) -> bool {
    use backstay::tenant::calls::For;
    let steps = [
        For::DirectoryRoles,
        For::SecurityRoles,
        For::AccessMode,
        For::EnvironmentAccess,
        For::SelfEnrollment,
        For::Elevation,
        For::UntimedElevation,
    ];
    row.purposes.iter().all(|purpose| steps.contains(purpose))
}

impl Scene {
    /// The rows of the operator's table of calls, of those that are wanted, that were not asked.
    pub fn unasked(&self, wanted: impl Fn(&Known) -> bool) -> Vec<String> {
        let calls = self.world.calls();
        let of = |call: &Call| row(of_microsoft(call)?, &call.method, &call.path);
        let same = |one: &Known, other: &Known| {
            (one.service, one.method, one.path) == (other.service, other.method, other.path)
        };
        let asked = |row: &Known| calls.iter().filter_map(of).any(|it| same(it, row));
        let unasked = CALLS.iter().filter(|row| wanted(row) && !asked(row));
        unasked.map(|row| format!("{} {} {}", row.service, row.method, row.path)).collect()
    }

    /// The same on a cluster whose CRDs are one version ahead: there is an environment type `Orbit`. All tests of a
    /// binary in which one needs that begin so: the CRDs don't change while others run.
    pub async fn with_newer_crds(yaml: &str) -> Self {
        static NEWER: tokio::sync::OnceCell<()> = tokio::sync::OnceCell::const_new();
        let scene = Self::with_world(yaml).await;
        NEWER.get_or_init(|| scene.make_crds_newer()).await;
        scene
    }

    async fn make_crds_newer(&self) {
        let place = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/environments/properties/types/items/enum/-";
        let patch: Patch<Value> =
            Patch::Json(serde_json::from_value(json!([{ "op": "add", "path": place, "value": "Orbit" }])).unwrap());
        for (kind, plural) in [("Connector", "connectors"), ("ServiceAccountPolicy", "serviceaccountpolicies")] {
            let crd = format!("{plural}.backstay.dev");
            self.api("CustomResourceDefinition").patch(&crd, &PatchParams::default(), &patch).await.unwrap();
            let mut newer: DynamicObject = serde_json::from_value(self.orbiting(kind, "newer")).unwrap();
            newer.metadata.namespace = Some(self.namespace.clone());
            let tried = PostParams { dry_run: true, ..PostParams::default() };
            let begun = Instant::now();
            while let Err(error) = self.api(kind).create(&tried, &newer).await {
                assert!(begun.elapsed() < Duration::from_secs(30), "the newer {kind} is not served: {error}");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }

    /// An object that only a newer operator can read.
    pub fn orbiting(&self, kind: &str, name: &str) -> Value {
        let another = |yaml: String| yaml.replace("name: keepit-service-account", "name: another");
        let yaml = if kind == "Connector" {
            another(self.connector_yaml())
        } else {
            // For another account: who can't be read might need the same.
            let yaml = self.policy_yaml().replace("svc-backup@", "somebody@");
            yaml.replace("0d5b6a1c-2f3e-4a4d-8c5b-7e6f5a4b3c2d", "0d5b6a1c-2f3e-4a4d-8c5b-7e6f5a4b3c2e")
        };
        let mut object: Value = serde_yaml::from_str(&yaml).unwrap();
        object["metadata"] = json!({ "name": name });
        object["spec"]["environments"] = json!({ "types": ["Orbit"] });
        object
    }

    /// How often this was asked so far.
    pub fn asked(&self, what: impl Fn(&Call) -> bool) -> usize {
        self.world.calls().iter().filter(|call| what(call)).count()
    }

    /// Waits until this was asked some more times.
    pub async fn until_asked(&self, more: usize, what: &str, asked: impl Fn(&Call) -> bool) {
        let before = self.asked(&asked);
        self.until_true(&format!("{more} more: {what}"), || self.asked(&asked) >= before + more).await;
    }

    /// How long this was not asked any more.
    pub fn quiet_for(&self, what: impl Fn(&Call) -> bool) -> Duration {
        let calls = self.world.calls();
        let newest = calls.iter().rev().find(|call| what(call)).map(asked_at);
        newest.map_or(Duration::MAX, |newest| {
            Duration::try_from(jiff::Timestamp::now().duration_since(newest)).unwrap_or_default()
        })
    }

    /// Waits until the account's roles were read some more times: once in a pass of the policy, twice in one that writes.
    pub async fn until_more_reads(&self, more: usize) {
        self.until_asked(more, "reads of the account's roles", reads_roles).await;
    }

    /// Waits until there is an Event of this reason.
    pub async fn until_event(&self, reason: &str) {
        let begun = Instant::now();
        while !self.events().await.iter().any(|(told, _)| told == reason) {
            assert!(begun.elapsed() < super::PATIENCE, "waited in vain for {reason}: {:?}", self.events().await);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// What was written at Microsoft and Keepit, in order.
    pub fn written(&self) -> Vec<String> {
        self.world.writes().iter().map(said).collect()
    }

    /// Waits until both the policy and the Connector are Ready.
    pub async fn until_ready(&self) -> Value {
        let connector = self.until_connector("Ready", "True", "Current").await;
        self.until_policy("Ready", "True", "Satisfied").await;
        connector
    }

    /// Waits until all objects of a kind are as the test wants them.
    pub async fn until_all(&self, what: &str, kind: &str, count: usize, wanted: impl Fn(&Value) -> bool) {
        let begun = Instant::now();
        loop {
            let all = self.api(kind).list(&ListParams::default()).await.unwrap().items;
            let all: Vec<Value> = all.iter().map(|object| serde_json::to_value(object).unwrap()).collect();
            let fine = all.iter().filter(|object| wanted(object)).count();
            if fine >= count {
                return;
            }
            let other = all.iter().find(|object| !wanted(object)).map(|object| object["status"].to_string());
            assert!(
                begun.elapsed() < super::PATIENCE,
                "waited in vain for {what}: {fine} of {count}; another: {other:?}"
            );
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }

    /// Replaces the status of an object, as a restore from a backup would.
    pub async fn replace_status(&self, kind: &str, name: &str, status: Option<Value>) {
        let api = self.api(kind);
        let mut object = api.get(name).await.unwrap();
        match (status, object.data.as_object_mut().unwrap()) {
            (Some(status), data) => data.insert("status".to_owned(), status),
            (None, data) => data.remove("status"),
        };
        api.replace_status(name, &PostParams::default(), &object).await.unwrap();
    }
}
