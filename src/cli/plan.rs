//! `backstay plan`: what the operator would do for the objects of a file, and who else would have to, before anything is done.

use std::path::PathBuf;

use clap::Args;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, ObjectMeta};
use kube::{Api, Client, Resource, ResourceExt};
use serde::Serialize;

use super::documents::{documents, files, object};
use super::outside;
use super::shown::{self, Output, bold, wrapped};
use crate::api::policy::PlannedStep;
use crate::api::shared::HandOffStatus;
use crate::api::{Connector, ServiceAccountPolicy};
use crate::fault::Fault;
use crate::runtime::Patience;
use crate::runtime::conditions::find;
use crate::runtime::once::Once;
use crate::{connector, policy};

/// What is planned.
#[derive(Args)]
pub struct Options {
    /// Files with Connectors and policies, or folders whose *.yaml and *.yml are taken; `-` for standard input. Other kinds in them are
    /// passed over.
    #[arg(short, long, value_name = "PATH", required = true, num_args = 1..)]
    filename: Vec<PathBuf>,
    /// The namespace of objects that name none [default: that of the kubeconfig].
    #[arg(short, long, value_name = "NAME")]
    namespace: Option<String>,
    /// The form of the answer.
    #[arg(short, long, value_enum, default_value = "text")]
    output: Output,
    #[command(flatten)]
    cluster: outside::Cluster,
    #[command(flatten)]
    outside: outside::Outside,
}

/// What would become of one object.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Planned {
    kind: &'static str,
    namespace: String,
    name: String,
    /// Whether it is there already.
    exists: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    ready: Option<Ready>,
    plan: Vec<PlannedStep>,
    hand_offs: Vec<HandOffStatus>,
}

#[derive(Debug, Serialize)]
struct Ready {
    status: String,
    reason: String,
    message: String,
}

/// Looks, decides and prints; writes nothing anywhere.
///
/// # Errors
/// One sentence: the file, the cluster, or a look that failed.
pub fn print(options: &Options) -> Result<(), String> {
    let planned = outside::block_on(plan(options))?;
    let acts = |step: &PlannedStep| matches!(step.allowed.as_str(), "Yes" | "NotYet");
    let acts = planned.iter().any(|it| it.plan.iter().any(acts));
    if acts && !options.outside.names_grants() {
        eprintln!(
            "backstay: what the installation grants is not known here: all that an object allows is taken for granted (--grants FILE has it counted)"
        );
    }
    shown::print(options.output, &planned, |planned| planned.iter().map(page).collect::<Vec<_>>().join("\n"))
}

/// How often a Connector is looked at: what the policy answers to it rests on what it says itself.
const ROUNDS: usize = 3;

async fn plan(options: &Options) -> Result<Vec<Planned>, String> {
    let files = files(&options.filename)?;
    let (mut connectors, mut policies) = (Vec::<Connector>::new(), Vec::<ServiceAccountPolicy>::new());
    for document in documents(&files)? {
        match document.1["kind"].as_str() {
            Some("Connector") => connectors.push(object(document)?),
            Some("ServiceAccountPolicy") => policies.push(object(document)?),
            _ => {}
        }
    }
    if connectors.is_empty() && policies.is_empty() {
        let names: Vec<String> = options.filename.iter().map(|path| path.display().to_string()).collect();
        return Err(format!("{}: no Connector and no ServiceAccountPolicy in it", names.join(", ")));
    }
    let (client, configured) = options.cluster.reach()?;
    let namespace = options.namespace.clone().unwrap_or(configured);
    let named =
        connectors.iter().find_map(ResourceExt::namespace).or_else(|| policies.iter().find_map(ResourceExt::namespace));
    let mut once = options.outside.once(client.clone(), named.as_ref().unwrap_or(&namespace)).await?;
    let mut existing = Vec::new();
    for connector in &mut connectors {
        let live = live::<Connector>(&client, &mut connector.metadata, &namespace).await?;
        let same = live.as_ref().is_some_and(|live| live.spec == connector.spec);
        existing.push(live.is_some());
        stand_in(&mut connector.metadata, live.as_ref().map(Resource::meta), same);
        connector.status = live.and_then(|live| live.status);
        once.put_connector(connector.clone());
    }
    for policy in &mut policies {
        let live = live::<ServiceAccountPolicy>(&client, &mut policy.metadata, &namespace).await?;
        let same = live.as_ref().is_some_and(|live| live.spec == policy.spec);
        existing.push(live.is_some());
        stand_in(&mut policy.metadata, live.as_ref().map(Resource::meta), same);
        policy.status = live.and_then(|live| live.status);
        once.put_policy(policy.clone());
    }
    let (mut beside_connectors, mut beside_policies) = beside(&once, &connectors, &policies);
    for round in 0..ROUNDS {
        // Read once; what follows rests on that.
        let patience = if round == 0 { Patience::None } else { Patience::Routine };
        for connector in connectors.iter_mut().chain(&mut beside_connectors) {
            let status = connector::preview(connector, &once.context, patience).await;
            connector.status = Some(status.map_err(|fault| failed(connector, &fault))?);
            once.put_connector(connector.clone());
        }
        for policy in policies.iter_mut().chain(&mut beside_policies) {
            let status = policy::preview(policy, &once.context, patience).await;
            policy.status = Some(status.map_err(|fault| failed(policy, &fault))?);
            once.put_policy(policy.clone());
        }
    }
    let connectors = connectors.iter().map(|it| {
        let status = it.status.clone().unwrap_or_default();
        planned("Connector", &it.metadata, &status.conditions, status.plan, status.hand_offs)
    });
    let policies = policies.iter().map(|it| {
        let status = it.status.clone().unwrap_or_default();
        planned("ServiceAccountPolicy", &it.metadata, &status.conditions, status.plan, status.hand_offs)
    });
    Ok(connectors.chain(policies).zip(existing).map(|(planned, exists)| Planned { exists, ..planned }).collect())
}

/// What is in the cluster and not in the file, and what is planned rests on: the Connectors of a policy, and the policy of a Connector.
/// Looked at as well, and not told.
fn beside(
    once: &Once,
    connectors: &[Connector],
    policies: &[ServiceAccountPolicy],
) -> (Vec<Connector>, Vec<ServiceAccountPolicy>) {
    let place = |metadata: &ObjectMeta| (metadata.namespace.clone(), metadata.name.clone());
    let asks = |it: &Connector| (it.metadata.namespace.clone(), Some(it.spec.policy_ref.name.clone()));
    let planned: Vec<_> = policies.iter().map(|it| place(&it.metadata)).collect();
    let readable = once.context.connectors.state();
    let all = readable.iter().filter_map(|guarded| guarded.0.as_ref().ok());
    let here: Vec<_> = connectors.iter().map(|it| place(&it.metadata)).collect();
    let others =
        all.filter(|it| planned.contains(&asks(it)) && !here.contains(&place(&it.metadata)) && !it.spec.suspend);
    let wanted: Vec<_> = connectors.iter().map(asks).filter(|policy| !planned.contains(policy)).collect();
    let readable = once.context.policies.state();
    let all = readable.iter().filter_map(|guarded| guarded.0.as_ref().ok());
    let theirs = all.filter(|it| wanted.contains(&place(&it.metadata)));
    (others.cloned().collect(), theirs.cloned().collect())
}

fn failed<K: ResourceExt>(object: &K, fault: &Fault) -> String {
    format!("{}/{}: {fault}", object.namespace().unwrap_or_default(), object.name_any())
}

/// The object as it is in the cluster; `None`: it is not there. An object without a namespace gets one.
async fn live<K>(client: &Client, metadata: &mut ObjectMeta, namespace: &str) -> Result<Option<K>, String>
where
    K: Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>
        + Clone
        + std::fmt::Debug
        + serde::de::DeserializeOwned,
{
    let namespace = metadata.namespace.get_or_insert_with(|| namespace.to_owned());
    let name = metadata.name.as_deref().ok_or("an object has no metadata.name")?;
    let found = Api::<K>::namespaced(client.clone(), namespace).get_opt(name).await;
    found.map_err(|error| format!("{} {namespace}/{name} can't be read: {}", K::kind(&()), Fault::from(error)))
}

/// What the API server would give it.
fn stand_in(metadata: &mut ObjectMeta, live: Option<&ObjectMeta>, same: bool) {
    let generation = live.and_then(|live| live.generation).unwrap_or_default();
    metadata.generation = Some(if same { generation } else { generation + 1 });
    metadata.uid = live.and_then(|live| live.uid.clone()).or_else(|| {
        let (namespace, name) = (metadata.namespace.as_deref().unwrap_or_default(), metadata.name.as_deref());
        Some(format!("planned-{namespace}-{}", name.unwrap_or_default()))
    });
    // What the operator and people have marked on it counts, too.
    for (key, value) in live.and_then(|live| live.annotations.clone()).into_iter().flatten() {
        metadata.annotations.get_or_insert_default().entry(key).or_insert(value);
    }
    let now = || k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(jiff::Timestamp::now());
    metadata.creation_timestamp = live.and_then(|live| live.creation_timestamp.clone()).or_else(|| Some(now()));
}

fn planned(
    kind: &'static str,
    metadata: &ObjectMeta,
    conditions: &[Condition],
    plan: Vec<PlannedStep>,
    hand_offs: Vec<HandOffStatus>,
) -> Planned {
    let ready = find(conditions, "Ready").map(|ready| Ready {
        status: ready.status.clone(),
        reason: ready.reason.clone(),
        message: ready.message.clone(),
    });
    Planned {
        kind,
        namespace: metadata.namespace.clone().unwrap_or_default(),
        name: metadata.name.clone().unwrap_or_default(),
        exists: false,
        ready,
        plan,
        hand_offs,
    }
}

/// One object for people.
fn page(planned: &Planned) -> String {
    let Planned { kind, namespace, name, exists, ready, plan, hand_offs } = planned;
    let exists = if *exists { "" } else { " (not in the cluster yet)" };
    let mut text = wrapped(&format!("{kind} {}", bold(&format!("{namespace}/{name}"))), "  ", exists);
    let mut say = |indent: &str, others: &str, sentence: &str| text.push_str(&wrapped(indent, others, sentence));
    if let Some(Ready { status, reason, message }) = ready {
        say("  ", "    ", &format!("Ready={status} {reason}: {message}"));
    }
    if plan.is_empty() && hand_offs.is_empty() {
        let fine = ready.as_ref().is_some_and(|ready| ready.status == "True");
        say("  ", "  ", if fine { "Nothing to be done" } else { "Nothing is planned while that is so" });
    }
    for step in plan {
        let would = shown::would(step);
        say("  ", "    ", &format!("The operator {would}: {} {:?} {}", step.step, step.effect, step.target));
        say("    ", "    ", &format!("because {}", step.reason));
    }
    for hand_off in hand_offs {
        say("  ", "    ", &format!("A person ({}): {}", hand_off.who, hand_off.title));
        for (number, step) in hand_off.steps.iter().enumerate() {
            say(&format!("    {}. ", number + 1), "       ", step);
        }
        say("    ", "    ", &format!("Done when {}", hand_off.done_when));
    }
    text
}
