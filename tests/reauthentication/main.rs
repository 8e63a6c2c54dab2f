//! Signing in again: asked for once, begun by a person, and what the account gets for it is gone when it is done.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::must_use_candidate, clippy::missing_panics_doc)]

#[path = "../harness/mod.rs"]
mod harness;

mod alerts;
mod begin;
mod causes;
mod crashes;
mod credentials;
mod debts;
mod rotation;

use backstay_world::{CONTOSO, Fault};
use harness::{AT_KEEPIT, CONNECTOR, GLOBAL_ADMINISTRATOR, Operator, POLICY, Scene, is};
use serde_json::{Value, json};

/// The account, and the role by Microsoft's id.
pub const ACCOUNT_ID: &str = "0d5b6a1c-2f3e-4a4d-8c5b-7e6f5a4b3c2d";
pub const ROLE_ID: &str = "62e90394-69f5-4237-9190-012177145e10";

/// The main story's world, in which Privileged Identity Management lets a role be ended early.
pub fn world() -> String {
    let premium = CONTOSO.replacen("    name: Contoso\n", "    name: Contoso\n    premium_p2: true\n", 1);
    format!("{premium}\nswitches: {{ pim_shortest_seconds: 1 }}\n")
}

/// How the account is elevated.
pub fn elevation(method: &str, more: &str) -> String {
    format!("  elevation: {{ method: {method}, window: 15m{more} }}\n")
}

/// Who rotates: the main story at its end, with an account that may be elevated.
pub struct Rotation {
    pub scene: Scene,
    pub elevation: String,
}

impl Rotation {
    pub async fn new(elevation: &str) -> Self {
        Self::in_world(&world(), elevation).await
    }

    pub async fn in_world(world: &str, elevation: &str) -> Self {
        Self { scene: Scene::with_world(world).await, elevation: elevation.to_owned() }
    }

    pub fn policy(&self) -> String {
        let actions = "allowedActions: [DirectoryRoles, SecurityRoles, SelfEnrollment";
        let more = format!("{actions}, Elevation, UntimedElevation");
        format!("{}{}", self.scene.policy_yaml().replace(actions, &more), self.elevation)
    }

    pub fn grants(&self) -> String {
        self.scene.grants().replace("SelfEnrollment]", "SelfEnrollment, Elevation, UntimedElevation]")
    }

    pub async fn operator(&self) -> Operator {
        self.scene.operator_with(&self.grants(), &[]).await
    }

    /// Connects it, as the main story does; brings the vendor's id.
    pub async fn connected(&self) -> String {
        self.scene.apply_secrets().await;
        self.scene.apply_yaml(&self.policy()).await;
        self.scene.apply_yaml(&self.scene.connector_yaml()).await;
        self.scene.until_connector("Ready", "False", "AwaitingPerson").await;
        let id = self.scene.play_the_person();
        self.scene.until_connector("Ready", "True", "Current").await;
        self.scene.until_policy("Ready", "True", "Satisfied").await;
        assert!(!self.elevated(), "the role of the set-up is gone");
        id
    }

    /// Lets the authorization die, and waits until somebody is asked for.
    pub async fn dies(&self) -> Value {
        // What is begun in the second in which it was seen to work is no answer to what comes after.
        self.next_second().await;
        self.scene.world.break_authorization(AT_KEEPIT).unwrap();
        self.scene
            .until("somebody to be asked", "Connector", CONNECTOR, |it| {
                is(it, "Ready", "False", "AwaitingPerson") && it["status"]["handOffs"][0]["name"] == "reauthenticate"
            })
            .await
    }

    /// Whether the account really holds the role.
    pub fn elevated(&self) -> bool {
        let state = self.scene.world.state();
        let all = state["tenants"][0]["role_assignments"].as_array().unwrap();
        all.iter().any(|it| it["principal"] == ACCOUNT_ID && it["role"] == ROLE_ID)
    }

    /// Waits until the clock shows another second: times on objects are kept in whole ones.
    pub async fn next_second(&self) {
        let second = || jiff::Timestamp::now().as_second();
        let before = second();
        self.scene.until_true("the next second", || second() > before).await;
    }

    /// Says so by an annotation, as people without the plugin do; by their clock, which is the operator's.
    pub async fn mark(&self, key: &str) {
        let now = jiff::Timestamp::from_second(jiff::Timestamp::now().as_second()).unwrap().to_string();
        self.scene.patch("Connector", CONNECTOR, json!({ "metadata": { "annotations": { key: now } } })).await;
    }

    pub async fn begin(&self) {
        self.mark("backstay.dev/begin").await;
    }

    pub async fn done(&self) {
        self.mark("backstay.dev/done").await;
    }

    /// Signs in again at Keepit, which only a Global Administrator can.
    pub fn signs_in(&self) {
        self.scene.world.reauthenticate(AT_KEEPIT, harness::ACCOUNT).unwrap();
        self.scene.world.finish_backup(AT_KEEPIT).unwrap();
    }

    pub async fn until_window(&self, state: &str) -> Value {
        let what = format!("the window to be {state}");
        self.scene.until(&what, "ServiceAccountPolicy", POLICY, |it| it["status"]["elevation"]["state"] == state).await
    }

    /// The end of every rotation: it works, the account holds nothing that it does not need, and nobody is asked for anything.
    pub async fn settled(&self) {
        let connector = self
            .scene
            .until("the Connector to be well again", "Connector", CONNECTOR, |it| {
                is(it, "Ready", "True", "Current") && it["status"]["reauthentication"].is_null()
            })
            .await;
        assert_eq!(connector["status"]["handOffs"], Value::Null, "{connector:#}");
        let policy = self
            .scene
            .until("the window to be over", "ServiceAccountPolicy", POLICY, |it| {
                it["status"]["elevation"]["state"] == "Closed" && is(it, "Ready", "True", "Satisfied")
            })
            .await;
        assert!(is(&policy, "Elevated", "False", "NotElevated"), "{policy:#}");
        assert!(!self.elevated(), "{GLOBAL_ADMINISTRATOR} is still held");
    }

    /// What the ledger says.
    pub async fn ledger(&self) -> Value {
        let map = self.scene.get("ConfigMap", &format!("backstay-elevation-{ACCOUNT_ID}")).await;
        map["data"]["entry.json"].as_str().map_or(Value::Null, |text| serde_json::from_str(text).unwrap())
    }

    /// From now on Microsoft refuses to take the role away, until the world's faults are cleared.
    pub fn can_not_be_taken_back(&self) {
        self.scene.world.fault(Fault {
            path: Some("/v1.0/roleManagement/directory/roleAssignments/*".into()),
            method: Some("DELETE".into()),
            status: Some(403),
            ..Fault::default()
        });
    }

    /// Lets the window end in the past: nobody can wait for a quarter of an hour here. While no operator runs.
    pub async fn let_it_end(&self) {
        let mut entry = self.ledger().await;
        entry["expires"] = json!((jiff::Timestamp::now() - jiff::SignedDuration::from_mins(10)).to_string());
        let name = format!("backstay-elevation-{ACCOUNT_ID}");
        self.scene.patch("ConfigMap", &name, json!({ "data": { "entry.json": entry.to_string() } })).await;
    }
}
