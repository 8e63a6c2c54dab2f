//! `backstay reconcile`: asks for a look in which everything is read anew, and waits for what comes of it.

use std::fmt::Debug;
use std::time::Duration;

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
    /// The name of a Connector, or policy/NAME for a `ServiceAccountPolicy`.
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
}

const EVERY: Duration = Duration::from_millis(300);

/// Asks, and waits if that is wanted.
///
/// # Errors
/// One sentence: it is not there, suspended, not looked at in time, or not Ready.
pub fn ask(options: &Options) -> Result<(), String> {
    outside::block_on(async {
        let (client, own) = outside::cluster().await?;
        let namespace = options.namespace.clone().unwrap_or(own);
        match options.object.split_once('/') {
            None => of::<Connector>(client, &namespace, &options.object, options).await,
            Some(("connector" | "connectors" | "bconn", name)) => {
                of::<Connector>(client, &namespace, name, options).await
            }
            Some(("policy" | "serviceaccountpolicy" | "serviceaccountpolicies" | "sapol", name)) => {
                of::<ServiceAccountPolicy>(client, &namespace, name, options).await
            }
            Some((kind, _)) => Err(format!("there is no kind {kind} here: connector/NAME or policy/NAME")),
        }
    })
}

async fn of<K: Published + Debug>(
    client: Client,
    namespace: &str,
    name: &str,
    options: &Options,
) -> Result<(), String> {
    let api: Api<K> = Api::namespaced(client, namespace);
    let said = |error: kube::Error| Fault::from(error).sentence;
    let object = api.get_opt(name).await.map_err(said)?;
    let missing = || format!("there is no {} {name} in namespace {namespace} (-n names another one)", K::KIND);
    if object.ok_or_else(missing)?.is_suspended() {
        return Err(format!("{} {namespace}/{name} is suspended (spec.suspend): it is not looked at", K::KIND));
    }
    let token = Timestamp::now().to_string();
    annotate(&api, name, REQUESTED_AT, &token).await?;
    if !options.wait {
        return say(&format!(
            "Asked for: status.lastHandledReconcileAt is {token} once it is through (--wait waits for it)\n"
        ));
    }
    let patience = Duration::from(options.timeout);
    let waited = tokio::time::timeout(patience, handled(&api, name, &token)).await;
    let object = waited.map_err(|_| {
        format!(
            "{} {namespace}/{name} was not looked at within {}: does the operator run? (kubectl backstay doctor)",
            K::KIND,
            options.timeout
        )
    })??;
    let conditions = object.status().map(|status| K::said(status).conditions.to_vec()).unwrap_or_default();
    let Some(ready) = find(&conditions, "Ready") else {
        return Err(format!("{} says nothing of Ready", object.name_any()));
    };
    let line = format!("{} {namespace}/{name}: Ready={} {}: {}", K::KIND, ready.status, ready.reason, ready.message);
    if ready.status == "True" { say(&format!("{line}\n")) } else { Err(line) }
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
