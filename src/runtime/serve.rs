//! How the process runs: it answers about itself, stands by, leads, and starts anew where it has lost the lead.

use std::sync::Arc;

use kube::core::PartialObjectMeta;
use kube::{Api, Client, Resource};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::context::Settings;
use super::controllers::{self, Run};
use super::election::{Election, Terms};
use super::probes::{self, Readiness};
use super::standing::Counted;
use super::watch::api;
use crate::api::{Connector, ServiceAccountPolicy};
use crate::http::Way;
use crate::metrics::Metrics;
use crate::permit::Permit;

/// Everything that a process needs from outside.
pub struct Serve {
    /// The Kubernetes API, for who may write.
    pub client: Client,
    /// The same for the election itself, which no permit is asked for.
    pub free_client: Client,
    /// Whether this process leads: what is asked before every write.
    pub permit: Permit,
    /// What the election is about; `None`: there is none, since this is the only process.
    pub terms: Option<Terms>,
    /// Watch this namespace only; `None`: all.
    pub namespace: Option<String>,
    /// What the installation decides.
    pub settings: Settings,
    /// The way out.
    pub way: Way,
    /// Counts.
    pub metrics: Arc<Metrics>,
    /// Where probes and metrics are served.
    pub listener: TcpListener,
    /// Ends it.
    pub stop: CancellationToken,
}

/// Runs until the token is cancelled or something that must not end does.
///
/// # Errors
/// One sentence: a CRD is missing, or a part of the process ended by itself.
pub async fn serve(serve: Serve) -> Result<(), String> {
    let Serve { client, free_client, permit, terms, namespace, settings, way, metrics, listener, stop } = serve;
    let scope = namespace.as_deref();
    established::<Connector>(&free_client, scope).await?;
    established::<ServiceAccountPolicy>(&free_client, scope).await?;
    let (readiness, counted) = (Readiness::default(), Counted::default());
    let probes = {
        let (metrics, counted) = (Arc::clone(&metrics), counted.clone());
        probes::serve(listener, readiness.clone(), move || counted.shown(&metrics))
    };
    let run = || {
        controllers::run(Run {
            client: client.clone(),
            namespace: namespace.clone(),
            settings: settings.clone(),
            way: way.clone(),
            metrics: Arc::clone(&metrics),
            readiness: readiness.clone(),
            counted: counted.clone(),
            stop: stop.clone(),
        })
    };
    let work = async {
        let Some(terms) = terms else {
            metrics.set_leading(true);
            return run().await.map(|_| ());
        };
        let election = Election::new(free_client, terms, permit);
        loop {
            tokio::select! {
                () = election.won(|| readiness.set(true)) => {}
                () = stop.cancelled() => return Ok(()),
            }
            metrics.set_leading(true);
            readiness.set(false);
            let ended = tokio::select! {
                ended = run() => Some(ended),
                why = election.lost() => {
                    tracing::warn!(why, "not leading any more: everything that was under way is dropped");
                    None
                }
            };
            metrics.set_leading(false);
            let Some(ended) = ended else { continue };
            // A call that was cut may still be under way at the other side: then others wait until the Lease is over.
            if ended == Ok(true) {
                election.release().await;
            }
            return ended.map(|_| ());
        }
    };
    tokio::select! {
        ended = work => ended,
        ended = probes => Err(format!("the probes can't be served: {ended:?}")),
    }
}

/// A CRD that is not there makes its watch fail for ever and slows down every other: better to say so and end.
async fn established<K>(client: &Client, namespace: Option<&str>) -> Result<(), String>
where
    K: Resource<Scope = kube::core::NamespaceResourceScope, DynamicType = ()> + Clone + std::fmt::Debug,
{
    let metadata: Api<PartialObjectMeta<K>> = api(client, namespace);
    match metadata.list(&kube::api::ListParams::default().limit(1)).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.is_not_found() => Err(format!(
            "the API server does not know {}: install the CRDs first (backstay crd | kubectl apply -f -)",
            K::plural(&())
        )),
        Err(error) => Err(format!("{} can't be listed: {error}", K::plural(&()))),
    }
}
