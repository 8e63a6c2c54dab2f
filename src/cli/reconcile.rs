//! `backstay reconcile`: asks for a look in which everything is read anew, and waits for what comes of it.

use std::fmt::Debug;
use std::time::{Duration, Instant};

use clap::Args;
use jiff::Timestamp;
use kube::{Api, Client, ResourceExt};

use super::objects::annotate;
use super::{outside, say};
use crate::api::{Connector, ServiceAccountPolicy};
use crate::fault::Fault;
use crate::runtime::conditions::find;
use crate::runtime::marks::{REQUESTED_AT, annotation};
use crate::runtime::publish::Published;

/// Which object.
#[derive(Args)]
pub struct Options {
    /// The name of a Connector, whose policy is looked at first, or policy/NAME for a `ServiceAccountPolicy` alone.
    #[arg(value_name = "[connector/|policy/]NAME")]
    object: String,
    /// Its namespace [default: the kubeconfig's].
    #[arg(long, short, value_name = "NAME")]
    namespace: Option<String>,
    /// Wait until it was looked at, and say what was found: exit code 0 if it is Ready, 1 if not.
    #[arg(long)]
    wait: bool,
    /// How long to wait, such as 30s or 2m.
    #[arg(long, value_name = "SPAN", default_value = "1m", requires = "wait")]
    timeout: kube::core::Duration,
    #[command(flatten)]
    cluster: outside::Cluster,
}

/// What is left for the Connector, however long its policy has taken.
const LEAST: Duration = Duration::from_secs(5);
const EVERY: Duration = Duration::from_millis(300);

/// Asks, and waits if that is wanted.
///
/// # Errors
/// One sentence: it is not there, suspended, not looked at in time, or not Ready.
pub fn ask(options: &Options) -> Result<(), String> {
    outside::block_on(async {
        let (client, own) = options.cluster.reach()?;
        let namespace = options.namespace.clone().unwrap_or(own);
        match options.object.split_once('/') {
            None => of_connector(client, &namespace, &options.object, options).await,
            Some(("connector" | "connectors" | "bconn", name)) => of_connector(client, &namespace, name, options).await,
            Some(("policy" | "serviceaccountpolicy" | "serviceaccountpolicies" | "sapol", name)) => {
                let policies: Api<ServiceAccountPolicy> = Api::namespaced(client, &namespace);
                there(&policies, &namespace, name).await?;
                of(&policies, &namespace, name, options, Instant::now()).await
            }
            Some((kind, _)) => Err(format!("there is no kind {kind} here: connector/NAME or policy/NAME")),
        }
    })
}

/// A Connector is as ready as its policy finds the account, so that is looked at first.
async fn of_connector(client: Client, namespace: &str, name: &str, options: &Options) -> Result<(), String> {
    let connectors: Api<Connector> = Api::namespaced(client.clone(), namespace);
    let connector = there(&connectors, namespace, name).await?;
    let policies: Api<ServiceAccountPolicy> = Api::namespaced(client, namespace);
    let named = &connector.spec.policy_ref.name;
    let begun = Instant::now();
    let asked = match policies.get_opt(named).await {
        // One that goes away, or rests, is looked at by nobody.
        Ok(Some(policy)) if !policy.is_suspended() && policy.metadata.deletion_timestamp.is_none() => {
            asked(&policies, named).await.map(Some)
        }
        other => other.map(|_| None),
    };
    match asked {
        Ok(Some(token)) => {
            looked_at(&policies, namespace, named, &token, options, begun).await?;
        }
        Ok(None) => {}
        // Whoever may not ask for that is told, and gets what there is.
        Err(kube::Error::Api(status)) if status.is_forbidden() => {
            eprintln!("backstay: ServiceAccountPolicy {named} is not looked at anew: {}", status.message);
        }
        Err(error) => return Err(said(error)),
    }
    of(&connectors, namespace, name, options, begun).await
}

/// Asks for a look at one that is there, and tells what comes of it.
async fn of<K: Published + Debug>(
    api: &Api<K>,
    namespace: &str,
    name: &str,
    options: &Options,
    begun: Instant,
) -> Result<(), String> {
    let token = asked(api, name).await.map_err(said)?;
    let Some(object) = looked_at(api, namespace, name, &token, options, begun).await? else {
        return say(&format!(
            "Asked for: status.lastHandledReconcileAt is {token} once it is through (--wait waits for it)\n"
        ));
    };
    let conditions = object.status().map(|status| K::said(status).conditions.to_vec()).unwrap_or_default();
    let Some(ready) = find(&conditions, "Ready") else {
        return Err(format!("{} says nothing of Ready", object.name_any()));
    };
    let line = format!("{} {namespace}/{name}: Ready={} {}: {}", K::KIND, ready.status, ready.reason, ready.message);
    if ready.status == "True" { say(&format!("{line}\n")) } else { Err(line) }
}

#[allow(clippy::needless_pass_by_value)] // as map_err has it
fn said(error: kube::Error) -> String {
    Fault::from(error).sentence
}

async fn there<K: Published + Debug>(api: &Api<K>, namespace: &str, name: &str) -> Result<K, String> {
    let missing = || {
        format!(
            "there is no {} {name} in namespace {namespace} (-n names another one; policy/NAME is a ServiceAccountPolicy)",
            K::KIND
        )
    };
    let object = api.get_opt(name).await.map_err(said)?.ok_or_else(missing)?;
    if object.is_suspended() {
        return Err(format!("{} {namespace}/{name} is suspended (spec.suspend): it is not looked at", K::KIND));
    }
    Ok(object)
}

/// Asks for a look, and brings by what it is known.
async fn asked<K: Published + Debug>(api: &Api<K>, name: &str) -> Result<String, kube::Error> {
    let token = Timestamp::now().to_string();
    annotate(api, name, REQUESTED_AT, &token).await.map(|()| token)
}

/// What comes of a look, if that is waited for.
async fn looked_at<K: Published + Debug>(
    api: &Api<K>,
    namespace: &str,
    name: &str,
    token: &str,
    options: &Options,
    begun: Instant,
) -> Result<Option<K>, String> {
    if !options.wait {
        return Ok(None);
    }
    let patience = Duration::from(options.timeout).saturating_sub(begun.elapsed()).max(LEAST);
    let waited = tokio::time::timeout(patience, handled(api, name, token)).await;
    let object = waited.map_err(|_| {
        format!(
            "{} {namespace}/{name} was not looked at within {}: does the operator run? (kubectl backstay doctor)",
            K::KIND,
            options.timeout
        )
    })??;
    Ok(Some(object))
}

async fn handled<K: Published + Debug>(api: &Api<K>, name: &str, token: &str) -> Result<K, String> {
    loop {
        let object = api.get(name).await.map_err(|error| Fault::from(error).sentence)?;
        let mut status = object.status().cloned().unwrap_or_default();
        let handled = K::handled(&mut status).as_deref();
        // Somebody else has asked after us: what was done for them was done for us.
        let newer = annotation(object.meta(), REQUESTED_AT).filter(|asked| *asked != token);
        if handled == Some(token) || newer.is_some() && handled == newer {
            return Ok(object);
        }
        tokio::time::sleep(EVERY).await;
    }
}
