//! `backstay doctor`: what keeps the operator, or one of its objects, from working; pass, fail or unknown, and why. Writes nothing.

use clap::Args;
use jiff::fmt::rfc2822;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::api::PostParams;
use kube::client::Body;
use kube::{Api, Client, CustomResourceExt};
use serde::Serialize;

use super::objects::{self, Objects, Where};
use super::outside;
use super::shown::{Mark, Output, print, wrapped};
use crate::api::{Connector, Reason, ServiceAccountPolicy};
use crate::fault::Fault;
use crate::policy::APP_PERMISSIONS;
use crate::runtime::Patience;
use crate::runtime::conditions::find;
use crate::{connector, policy};

/// What is examined.
#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    place: Where,
    /// The operator's own namespace.
    #[arg(long, env = "BACKSTAY_OPERATOR_NAMESPACE", value_name = "NAME", default_value = "backstay-system")]
    operator_namespace: String,
    /// The name of its Lease, where that is neither backstay nor backstay.NAMESPACE: the chart calls it as the release.
    #[arg(long, env = "BACKSTAY_LEASE_NAME", value_name = "NAME", default_value = "backstay")]
    lease_name: String,
    /// The form of the answer.
    #[arg(short, long, value_enum, default_value = "text")]
    output: Output,
    #[command(flatten)]
    outside: outside::Outside,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
enum Verdict {
    Pass,
    Fail,
    Unknown,
}

#[derive(Debug, Serialize)]
struct Check {
    what: String,
    verdict: Verdict,
    why: String,
}

impl Check {
    fn new(what: impl Into<String>, verdict: Verdict, why: impl Into<String>) -> Self {
        Self { what: what.into(), verdict, why: why.into() }
    }
}

/// Examines, and prints what was found.
///
/// # Errors
/// Something failed.
pub fn examine(options: &Options) -> Result<(), String> {
    let checks = outside::block_on(checks(options))?;
    print(options.output, &checks, |checks| checks.iter().map(line).collect())?;
    match checks.iter().filter(|check| check.verdict == Verdict::Fail).count() {
        0 => Ok(()),
        1 => Err("1 check fails".to_owned()),
        failed => Err(format!("{failed} checks fail")),
    }
}

fn line(check: &Check) -> String {
    let mark = match check.verdict {
        Verdict::Pass => Mark::Good,
        Verdict::Fail => Mark::Bad,
        Verdict::Unknown => Mark::Open,
    };
    wrapped(&format!("{} ", mark.sign()), "  ", &format!("{}: {}", check.what, check.why))
}

async fn checks(options: &Options) -> Result<Vec<Check>, String> {
    let (client, own) = options.place.cluster.reach()?;
    let mut all = vec![clock(&client).await];
    for crd in [Connector::crd(), ServiceAccountPolicy::crd()] {
        all.push(known(&client, &crd).await);
    }
    if all.iter().any(|check| check.verdict == Verdict::Fail && check.what.starts_with("kind")) {
        return Ok(all);
    }
    let namespace = options.place.namespace.clone().unwrap_or(own);
    all.push(leader(&client, &options.operator_namespace, &options.lease_name, &namespace).await);
    let scope = (!options.place.all_namespaces).then_some(namespace.as_str());
    let rights = may_read_secrets(&client, scope).await;
    let tried = rights.verdict == Verdict::Pass;
    all.push(rights);
    match objects::read(&options.place).await {
        Ok(objects) => all.extend(looks(options, objects, client, &namespace, tried).await?),
        Err(sentence) => all.push(Check::new("objects", Verdict::Fail, sentence)),
    }
    Ok(all)
}

/// How far apart the API server's clock and the one here are. Times on objects, and the ends of what is given for a time, go by them.
async fn clock(client: &Client) -> Check {
    let what = "clock";
    let request = http::Request::get("/version").body(Body::empty());
    let Ok(request) = request else { return Check::new(what, Verdict::Unknown, "it can't be asked for") };
    let asked = Timestamp::now();
    let answer = match client.send(request).await {
        Ok(answer) => answer,
        Err(error) => return Check::new(what, Verdict::Fail, Fault::from(error).sentence),
    };
    if answer.status() == http::StatusCode::UNAUTHORIZED {
        return Check::new(
            what,
            Verdict::Fail,
            "the API server does not know you: sign in again, or name another kubeconfig",
        );
    }
    let date = answer.headers().get(http::header::DATE).and_then(|date| date.to_str().ok());
    match date.and_then(|date| rfc2822::parse(date).ok()) {
        Some(theirs) => {
            let apart = theirs.timestamp().duration_since(asked).abs();
            let sentence = format!("the API server's differs by {} s from the one here", apart.as_secs());
            let fine = apart < SignedDuration::from_mins(1);
            Check::new(what, if fine { Verdict::Pass } else { Verdict::Fail }, sentence)
        }
        None => Check::new(what, Verdict::Unknown, "the API server says no time"),
    }
}

/// Whether a kind is there, and as this version has it.
async fn known(client: &Client, wanted: &CustomResourceDefinition) -> Check {
    let name = wanted.metadata.name.clone().unwrap_or_default();
    let what = format!("kind {}", wanted.spec.names.kind);
    let found = Api::<CustomResourceDefinition>::all(client.clone()).get_opt(&name).await;
    let apply = "backstay crd | kubectl apply -f -";
    match found {
        Err(error) => Check::new(what, Verdict::Unknown, Fault::from(error).sentence),
        Ok(None) => Check::new(what, Verdict::Fail, format!("is not installed: {apply}")),
        Ok(Some(crd)) => {
            let fields = |crd: &CustomResourceDefinition| -> Vec<String> {
                let schemas = crd.spec.versions.iter().filter_map(|version| version.schema.as_ref());
                let mut all = Vec::new();
                for schema in schemas {
                    paths("", &serde_json::json!(schema.open_api_v3_schema), &mut all);
                }
                all
            };
            let (ours, theirs) = (fields(wanted), fields(&crd));
            let missing: Vec<&String> = ours.iter().filter(|field| !theirs.contains(field)).collect();
            match missing.first() {
                None => Check::new(what, Verdict::Pass, "is installed, and has every field of this version"),
                Some(field) => {
                    let sentence =
                        format!("is of another version: it lacks {} fields, such as {field}: {apply}", missing.len());
                    Check::new(what, Verdict::Fail, sentence)
                }
            }
        }
    }
}

/// The paths of all fields of a schema.
fn paths(path: &str, schema: &serde_json::Value, into: &mut Vec<String>) {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        paths(&path, property, into);
        into.push(path);
    }
    if schema["items"].is_object() {
        paths(path, &schema["items"], into);
    }
}

/// Whether an operator works.
async fn leader(client: &Client, namespace: &str, lease: &str, watched: &str) -> Check {
    let what = "operator";
    let api = Api::<Lease>::namespaced(client.clone(), namespace);
    let mut found = Vec::new();
    // One for all namespaces, or one for this one.
    for name in [lease.to_owned(), format!("backstay.{watched}")] {
        match api.get_opt(&name).await {
            Ok(lease) => found.extend(lease.and_then(|lease| lease.spec)),
            Err(error) => return Check::new(what, Verdict::Unknown, Fault::from(error).sentence),
        }
    }
    let newest = found.into_iter().max_by_key(|spec| spec.renew_time.as_ref().map(|time| time.0));
    let Some(spec) = newest else {
        let sentence = format!("none has ever led in namespace {namespace} (--operator-namespace names another one)");
        return Check::new(what, Verdict::Fail, sentence);
    };
    let holder = spec.holder_identity.clone().unwrap_or_default();
    let Some(renewed) = spec.renew_time.map(|time| time.0) else {
        return Check::new(what, Verdict::Fail, "its Lease was never renewed");
    };
    let silent = Timestamp::now().duration_since(renewed);
    let granted = SignedDuration::from_secs(spec.lease_duration_seconds.unwrap_or(15).into());
    if holder.is_empty() || silent > granted * 2 {
        let sentence = format!("none works: the last one was seen {} s ago", silent.as_secs());
        return Check::new(what, Verdict::Fail, sentence);
    }
    Check::new(what, Verdict::Pass, format!("{holder} works, seen {} s ago", silent.as_secs().max(0)))
}

/// Whether who asks here may read the Secrets that the objects name; else nothing can be said of credentials.
async fn may_read_secrets(client: &Client, namespace: Option<&str>) -> Check {
    let review = SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec {
            resource_attributes: Some(ResourceAttributes {
                namespace: namespace.map(str::to_owned),
                resource: Some("secrets".to_owned()),
                verb: Some("get".to_owned()),
                ..ResourceAttributes::default()
            }),
            ..SelfSubjectAccessReviewSpec::default()
        },
        ..SelfSubjectAccessReview::default()
    };
    let what = "your rights";
    let place = namespace.map_or_else(|| "all namespaces".to_owned(), |namespace| format!("namespace {namespace}"));
    match Api::<SelfSubjectAccessReview>::all(client.clone()).create(&PostParams::default(), &review).await {
        Ok(review) if review.status.as_ref().is_some_and(|status| status.allowed) => Check::new(
            what,
            Verdict::Pass,
            format!("you may read the Secrets of {place}: credentials are tried from here"),
        ),
        Ok(_) => {
            let sentence = format!(
                "you may not read the Secrets of {place}: what is said of credentials below is what the operator itself has last said"
            );
            Check::new(what, Verdict::Unknown, sentence)
        }
        Err(error) => Check::new(what, Verdict::Unknown, Fault::from(error).sentence),
    }
}

/// Looks at every object as the operator would: Secrets, sign-in, permissions, vendors, hosts and certificate authorities. Without a
/// right to the Secrets nothing is tried: what the operator has said stands.
async fn looks(
    options: &Options,
    mut objects: Objects,
    client: Client,
    namespace: &str,
    tried: bool,
) -> Result<Vec<Check>, String> {
    let mut all: Vec<Check> =
        objects.unreadable.drain(..).map(|sentence| Check::new("object", Verdict::Fail, sentence)).collect();
    let once = options.outside.once(client, namespace).await?;
    for ((namespace, name), policy) in &objects.policies {
        let what = format!("ServiceAccountPolicy {namespace}/{name}");
        all.extend(stalled(&what, policy.status.as_ref().map(|status| &status.conditions[..])));
        let seen = if tried {
            policy::preview(policy, &once.context, Patience::None).await
        } else {
            Ok(policy.status.clone().unwrap_or_default())
        };
        match seen {
            Ok(status) => {
                all.extend(of_conditions(&what, &status.conditions, &["CredentialsValid", "AccountPinned"]));
                let lacking = status.hand_offs.into_iter().filter(|it| it.name == APP_PERMISSIONS);
                all.extend(lacking.map(|it| Check::new(format!("{what}, permissions"), Verdict::Fail, it.title)));
            }
            Err(fault) => all.push(Check::new(what, Verdict::Unknown, fault.sentence)),
        }
    }
    for ((namespace, name), connector) in &objects.connectors {
        let what = format!("Connector {namespace}/{name}");
        all.extend(stalled(&what, connector.status.as_ref().map(|status| &status.conditions[..])));
        let seen = if tried {
            connector::preview(connector, &once.context, Patience::None).await
        } else {
            Ok(connector.status.clone().unwrap_or_default())
        };
        match seen {
            Ok(status) => all.extend(of_conditions(&what, &status.conditions, &["CredentialsValid"])),
            Err(fault) => all.push(Check::new(what, Verdict::Unknown, fault.sentence)),
        }
    }
    if objects.policies.is_empty() && objects.connectors.is_empty() && all.is_empty() {
        all.push(Check::new(
            "objects",
            Verdict::Unknown,
            format!("there is none in {} (-A looks everywhere)", objects.place),
        ));
    }
    Ok(all)
}

/// What was found of an object, by these conditions.
fn of_conditions(what: &str, conditions: &[Condition], kinds: &[&str]) -> Vec<Check> {
    let verdict = |condition: &Condition| match condition.status.as_str() {
        "True" => Verdict::Pass,
        "False" => Verdict::Fail,
        // Whether it is right can't be told; that it is not there is what is wrong.
        _ if condition.reason == Reason::DependencyMissing.word() => Verdict::Fail,
        _ => Verdict::Unknown,
    };
    // What can't be told for the reason that Ready has is told by that alone.
    let ready =
        |it: &Condition| find(conditions, "Ready").filter(|ready| ready.reason == it.reason && it.status == "Unknown");
    let why = |it: &Condition| format!("{}: {}", it.reason, ready(it).map_or(&it.message, |ready| &ready.message));
    let each = kinds.iter().filter_map(|kind| find(conditions, kind));
    each.map(|it| Check::new(format!("{what}, {}", it.type_), verdict(it), why(it))).collect()
}

/// What the operator itself has said of an object that is wrong as it is declared.
fn stalled(what: &str, said: Option<&[Condition]>) -> Option<Check> {
    let stalled = find(said?, "Stalled").filter(|it| it.status == "True")?;
    Some(Check::new(format!("{what}, spec"), Verdict::Fail, format!("{}: {}", stalled.reason, stalled.message)))
}
