//! `backstay status`: each policy, what is missing for it, the Connectors that rest on it, and whose turn it is.

use std::fmt::Write as _;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use serde::Serialize;

use super::objects::{self, Listing, Objects};
use super::outside;
use super::shown::{Mark, Output, age, bold, print, would, wrapped};
use crate::api::elevation::{ElevationState, ElevationStatus};
use crate::api::policy::{FindingResult, FindingStatus, PlannedStep};
use crate::api::shared::HandOffStatus;
use crate::api::{Connector, ServiceAccountPolicy};
use crate::runtime::conditions::find;

/// One policy and what rests on it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Tree {
    namespace: String,
    /// `None`: Connectors name it, and it is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<PolicyShown>,
    policy_name: String,
    connectors: Vec<ConnectorShown>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PolicyShown {
    account: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    environments: Option<i32>,
    ready: Ready,
    /// What the account holds for a time, while it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    elevation: Option<ElevationStatus>,
    /// What fails, or can't be told.
    findings: Vec<FindingStatus>,
    /// What the operator has not done by itself, and why.
    plan: Vec<PlannedStep>,
    hand_offs: Vec<HandOffStatus>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ConnectorShown {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    vendor: Option<String>,
    ready: Ready,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_backup: Option<Timestamp>,
    /// What the operator has not done by itself, and why.
    plan: Vec<PlannedStep>,
    hand_offs: Vec<HandOffStatus>,
}

/// What an object says of itself.
#[derive(Serialize)]
struct Ready {
    status: String,
    reason: String,
    message: String,
}

/// Prints it.
///
/// # Errors
/// One sentence: the cluster.
pub fn show(options: &Listing) -> Result<(), String> {
    let objects = outside::block_on(objects::read(&options.place))?;
    for sentence in &objects.unreadable {
        eprintln!("backstay: {sentence}");
    }
    let trees = trees(&objects);
    if trees.is_empty() && options.output == Output::Text {
        let elsewhere = if options.place.all_namespaces { "" } else { " (-A shows all namespaces)" };
        return super::say(&format!("No Connector and no ServiceAccountPolicy in {}{elsewhere}\n", objects.place));
    }
    let now = Timestamp::now();
    print(options.output, &trees, |trees| trees.iter().map(|tree| page(tree, now)).collect::<Vec<_>>().join("\n"))
}

fn trees(objects: &Objects) -> Vec<Tree> {
    let asked = |connector: &Connector, namespace: &str| (namespace.to_owned(), connector.spec.policy_ref.name.clone());
    let mut places: Vec<(String, String)> = objects.policies.keys().cloned().collect();
    places.extend(objects.connectors.iter().map(|((namespace, _), connector)| asked(connector, namespace)));
    places.sort();
    places.dedup();
    let tree = |(namespace, policy_name): (String, String)| {
        let place = (namespace.clone(), policy_name.clone());
        let resting = objects.connectors.iter().filter(|((namespace, _), it)| asked(it, namespace) == place);
        Tree {
            policy: objects.policies.get(&place).map(policy),
            connectors: resting.map(|((_, name), it)| connector(name, it)).collect(),
            namespace,
            policy_name,
        }
    };
    places.into_iter().map(tree).collect()
}

fn policy(policy: &ServiceAccountPolicy) -> PolicyShown {
    let status = policy.status.clone().unwrap_or_default();
    let open = |finding: &FindingStatus| matches!(finding.result, FindingResult::Fail | FindingResult::Unknown);
    PolicyShown {
        account: policy.spec.account.name().to_owned(),
        environments: status.environments.map(|environments| environments.selected),
        ready: ready(&status.conditions),
        elevation: status.elevation.filter(|it| it.state != ElevationState::Closed),
        findings: status.findings.into_iter().filter(open).collect(),
        plan: status.plan,
        hand_offs: status.hand_offs,
    }
}

fn connector(name: &str, connector: &Connector) -> ConnectorShown {
    let status = connector.status.clone().unwrap_or_default();
    ConnectorShown {
        name: name.to_owned(),
        vendor: status.vendor,
        ready: ready(&status.conditions),
        last_backup: status.last_backup.map(|backup| backup.completion_time.0),
        plan: status.plan,
        hand_offs: status.hand_offs,
    }
}

fn ready(conditions: &[Condition]) -> Ready {
    match find(conditions, "Ready") {
        Some(ready) => {
            Ready { status: ready.status.clone(), reason: ready.reason.clone(), message: ready.message.clone() }
        }
        None => Ready {
            status: "Unknown".to_owned(),
            reason: "NotLookedAt".to_owned(),
            message: "No operator has looked at it yet (backstay doctor says why)".to_owned(),
        },
    }
}

fn page(tree: &Tree, now: Timestamp) -> String {
    let Tree { namespace, policy, policy_name, connectors } = tree;
    let mut text = String::new();
    let below = |last: bool| if last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
    if let Some(policy) = policy {
        let environments = policy.environments.map(|count| match count {
            1 => ", 1 environment".to_owned(),
            count => format!(", {count} environments"),
        });
        let indent = if connectors.is_empty() { "   " } else { "│  " };
        let name = bold(&format!("{namespace}/{policy_name}"));
        let about = format!("({}{})", policy.account, environments.unwrap_or_default());
        let first = format!("{} ServiceAccountPolicy {name} ", sign(&policy.ready));
        text.push_str(&wrapped(&first, indent, &about));
        text.push_str(&said(indent, &policy.ready));
        if let Some(elevation) = &policy.elevation {
            text.push_str(&wrapped(
                &format!("{indent}{} ", Mark::Turn.sign()),
                &format!("{indent}  "),
                &window(elevation),
            ));
        }
        for finding in &policy.findings {
            let mark = if finding.result == FindingResult::Fail { Mark::Bad } else { Mark::Open };
            let wide = format!("{indent}  ");
            text.push_str(&wrapped(
                &format!("{indent}{} ", mark.sign()),
                &wide,
                &format!("{}: {}", finding.id, finding.message),
            ));
        }
        text.push_str(&steps(indent, &policy.plan));
        text.push_str(&turns(indent, &policy.hand_offs, now));
    } else {
        let name = bold(&format!("{namespace}/{policy_name}"));
        let _ = writeln!(text, "{} ServiceAccountPolicy {name} is not there", Mark::Open.sign());
    }
    for (number, connector) in connectors.iter().enumerate() {
        let (branch, indent) = below(number + 1 == connectors.len());
        let vendor = connector.vendor.as_deref().map(|vendor| format!("({vendor})")).unwrap_or_default();
        let backup = connector.last_backup.map(|at| format!(", last backup {} ago", age(at, now))).unwrap_or_default();
        let name = bold(&connector.name);
        let first = format!("{branch}{} Connector {name} ", sign(&connector.ready));
        text.push_str(&wrapped(&first, indent, &format!("{vendor}{backup}")));
        text.push_str(&said(indent, &connector.ready));
        text.push_str(&steps(indent, &connector.plan));
        text.push_str(&turns(indent, &connector.hand_offs, now));
    }
    text
}

/// What is given for a time.
fn window(elevation: &ElevationStatus) -> String {
    let ElevationStatus { role, state, expiration_time, .. } = elevation;
    let until = expiration_time.0;
    match state {
        ElevationState::Opening => format!("{role} is being given to the account, until {until}"),
        ElevationState::Open => format!("the account holds {role} until {until}"),
        ElevationState::Closing => format!("{role} is being taken back"),
        ElevationState::Overdue => format!("the account still holds {role}, which should be gone since {until}"),
        ElevationState::Closed => format!("the account held {role}"),
    }
}

fn sign(ready: &Ready) -> String {
    Mark::of(&ready.status, &ready.reason).sign()
}

fn said(indent: &str, ready: &Ready) -> String {
    let Ready { status: _, reason, message } = ready;
    wrapped(indent, indent, &format!("{reason}: {message}"))
}

/// What the operator has not done by itself.
fn steps(indent: &str, plan: &[PlannedStep]) -> String {
    let step = |step: &PlannedStep| {
        let sentence = format!("the operator {}: {} {}", would(step), step.step, step.target);
        wrapped(&format!("{indent}{} ", Mark::Open.sign()), &format!("{indent}  "), &sentence)
    };
    plan.iter().map(step).collect()
}

/// Whose turn it is.
fn turns(indent: &str, hand_offs: &[HandOffStatus], now: Timestamp) -> String {
    let turn = |hand_off: &HandOffStatus| {
        let due = hand_off.due_date.as_ref().map(|due| format!(", by {due}")).unwrap_or_default();
        let since = age(hand_off.request_time.0, now);
        let sentence = format!("{} – {} (asked {since} ago{due})", hand_off.who, hand_off.title);
        wrapped(&format!("{indent}{} ", Mark::Turn.sign()), &format!("{indent}  "), &sentence)
    };
    hand_offs.iter().map(turn).collect()
}
