//! How the two controllers are wired: what is watched, who wakes whom, and how it all ends.

use std::sync::Arc;
use std::time::Duration;

use futures::channel::mpsc;
use futures::{Stream, StreamExt};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use kube::core::PartialObjectMeta;
use kube::runtime::controller::{self, Action};
use kube::runtime::reflector::{ObjectRef, Store};
use kube::runtime::{Controller, reflector, watcher};
use kube::{Client, Resource, ResourceExt};
use tokio_util::sync::CancellationToken;

use super::again::Again;
use super::conditions::find;
use super::context::{Context, Guarded, Settings};
use super::handoffs;
use super::news::News;
use super::probes::Readiness;
use super::secret_watches;
use super::standing::Counted;
use super::synced::Synced;
use super::watch::{api, watch};
use crate::api::{Connector, ServiceAccountPolicy};
use crate::fault::Fault;
use crate::http::Way;
use crate::metrics::Metrics;
use crate::{connector, elevation, policy};

/// What the controllers need.
pub struct Run {
    /// The Kubernetes API, for who may write.
    pub client: Client,
    /// Watch this namespace only; `None`: all.
    pub namespace: Option<String>,
    /// What the installation decides.
    pub settings: Settings,
    /// The way out.
    pub way: Way,
    /// Counts.
    pub metrics: Arc<Metrics>,
    /// Says that the first lists have arrived.
    pub readiness: Readiness,
    /// Is given what can be counted.
    pub counted: Counted,
    /// Ends the run.
    pub stop: CancellationToken,
}

/// How long passes may go on after the signal: less than the half minute that Kubernetes gives, and a write with its reading back
/// takes seconds. Only one that hangs at somebody who does not answer takes longer.
const GRACE: Duration = Duration::from_secs(15);

type Connectors = Store<Guarded<Connector>>;

/// Runs until the token is cancelled or something that must not end does. Dropped at any point, it leaves nothing behind that goes on.
/// True: nothing was under way any more outside the cluster.
///
/// # Errors
/// One sentence: a part of the process ended by itself.
pub async fn run(run: Run) -> Result<bool, String> {
    let Run { client, namespace, settings, way, metrics, readiness, counted, stop } = run;
    let scope = namespace.as_deref();

    let (connector_store, connector_writer) = reflector::store();
    let (policy_store, policy_writer) = reflector::store();
    let places = settings.secrets.watches(scope);
    let (secret_stores, secret_writers): (Vec<_>, Vec<_>) = places.iter().map(|_| reflector::store()).unzip();
    let synced = Synced::new(2 + places.len());
    let stores = (connector_store.clone(), policy_store.clone(), secret_stores);
    let (to_connectors, connectors_woken) = mpsc::unbounded();
    let (to_policies, policies_woken) = mpsc::unbounded();
    let again = Again::new(to_connectors.clone(), to_policies.clone());
    let context =
        Arc::new(Context::new(client.clone(), settings, way, Arc::clone(&metrics), synced.clone(), again, stores));
    counted.set(&context);

    // One watch for each kind: each feeds a store, wakes its own controller, and whoever else there is news for.
    let everything = watcher::Config::default;
    let wake = {
        let context = Arc::clone(&context);
        let (to_connectors, to_policies) = (to_connectors.clone(), to_policies.clone());
        let changed =
            move |secret: &PartialObjectMeta<Secret>| users_of_secret(&context, secret, &to_connectors, &to_policies);
        secret_watches::run(&client, places.into_iter().zip(secret_writers), (&synced, 2), changed, &metrics)
    };
    let connectors = {
        let news = News::default();
        let changed = move |connector: &Guarded<Connector>, gone| {
            if let Some(policy) = asking(&news, connector, gone) {
                let _ = to_policies.unbounded_send(policy);
            }
        };
        let watch = watch(api(&client, scope), everything(), connector_writer, synced.of(0), changed);
        Controller::for_stream(watch, connector_store.clone())
            .reconcile_on(connectors_woken)
            .graceful_shutdown_on(stop.clone().cancelled_owned())
            .run(connector::reconcile, retry, Arc::clone(&context))
    };
    let policies = {
        let news = News::default();
        let changed = move |policy: &Guarded<ServiceAccountPolicy>, gone| {
            for connector in answered(&connector_store, &news, policy, gone) {
                let _ = to_connectors.unbounded_send(connector);
            }
        };
        let watch = watch(api(&client, scope), everything(), policy_writer, synced.of(1), changed);
        Controller::for_stream(watch, policy_store)
            .reconcile_on(policies_woken)
            .graceful_shutdown_on(stop.clone().cancelled_owned())
            .run(policy::reconcile, retry, Arc::clone(&context))
    };

    let ready = async {
        context.synced.all().await;
        readiness.set(true);
        tracing::info!("the first lists have arrived");
        std::future::pending::<()>().await;
    };
    let debts = async {
        // What is not in a store is taken for absent.
        tokio::select! {
            () = context.synced.all() => elevation::serve(Arc::clone(&context), stop.clone()).await,
            () = stop.cancelled() => {}
        }
    };
    // Told to stop, all finish what they are at; one that ends without being told ends everything.
    let told = |stop: CancellationToken| if stop.is_cancelled() { Ok(()) } else { Err(ended_by_itself()) };
    let controllers = async {
        tokio::try_join!(
            async {
                finished(connectors, "Connector", &metrics).await;
                told(stop.clone())
            },
            async {
                finished(policies, "ServiceAccountPolicy", &metrics).await;
                told(stop.clone())
            },
            async {
                debts.await;
                told(stop.clone())
            },
        )
    };
    let out_of_patience = async {
        stop.cancelled().await;
        tokio::time::sleep(GRACE).await;
        tracing::warn!("some passes did not finish in time; every write sequence bears being cut anywhere");
    };
    tokio::select! {
        ended = controllers => ended.map(|_| true),
        () = out_of_patience => Ok(false),
        () = wake => Err(ended_by_itself()),
        () = housekeeping(&context) => Err(ended_by_itself()),
        () = ready => Err(ended_by_itself()),
    }
}

fn ended_by_itself() -> String {
    "a part of the operator ended by itself".to_owned()
}

/// Connectors for which a policy's answer changed.
fn answered(
    connectors: &Connectors,
    news: &News,
    policy: &Guarded<ServiceAccountPolicy>,
    gone: bool,
) -> Vec<ObjectRef<Guarded<Connector>>> {
    let Some(namespace) = policy.namespace() else { return Vec::new() };
    let name = policy.name_any();
    let readable = policy.0.as_ref().ok().filter(|_| !gone);
    let answers = readable.and_then(|policy| policy.status.as_ref()).map(|status| &status.demands);
    connectors
        .state()
        .into_iter()
        .filter_map(|guarded| {
            let connector = guarded.0.as_ref().ok()?;
            if connector.metadata.namespace.as_deref() != Some(&namespace) || connector.spec.policy_ref.name != name {
                return None;
            }
            let uid = connector.uid()?;
            let answer = answers.and_then(|answers| answers.iter().find(|answer| answer.uid == uid));
            let said = answer.map(|answer| (&answer.ready, &answer.message, answer.generation, answer.stage as u8));
            let elevation = readable.and_then(|policy| policy.status.as_ref()?.elevation.as_ref());
            let window = elevation.map(|it| (it.state, it.start_time.0, it.expiration_time.0));
            let refused = answer.and_then(|answer| answer.refused.as_ref()).map(|it| (it.begin_time.0, &it.message));
            let refused = (refused, answer.map(|answer| &answer.elevates));
            let there = readable.map(Resource::meta).map(|metadata| &metadata.uid);
            let ready = readable.and_then(|policy| policy.status.as_ref()).and_then(|it| find(&it.conditions, "Ready"));
            // Its word matters to those only who got no answer.
            let word = ready.filter(|_| answer.is_none()).map(|ready| &ready.reason);
            let waits = readable.is_some_and(handoffs::awaits_person);
            news.tell(&uid, &(said, there, word, window, refused, waits)).then(|| ObjectRef::from_obj(guarded.as_ref()))
        })
        .collect()
}

/// The policy that a Connector asks, if what it asks for changed.
fn asking(news: &News, connector: &Guarded<Connector>, gone: bool) -> Option<ObjectRef<Guarded<ServiceAccountPolicy>>> {
    let connector = connector.0.as_ref().ok()?;
    let (namespace, uid) = (connector.namespace()?, connector.uid()?);
    let name = &connector.spec.policy_ref.name;
    let going = gone || connector.metadata.deletion_timestamp.is_some();
    let asked =
        (name, format!("{:?}", policy::demands::of(connector, Timestamp::now())), connector.spec.suspend, going);
    let told = news.tell(&uid, &asked);
    if gone {
        news.forget(&uid);
    }
    told.then(|| ObjectRef::new(name).within(&namespace))
}

/// Wakes whoever uses a Secret that changed, or is gone, or has lost its label.
fn users_of_secret(
    context: &Context,
    secret: &PartialObjectMeta<Secret>,
    to_connectors: &mpsc::UnboundedSender<ObjectRef<Guarded<Connector>>>,
    to_policies: &mpsc::UnboundedSender<ObjectRef<Guarded<ServiceAccountPolicy>>>,
) {
    let (name, namespace) = (secret.name_any(), secret.namespace());
    for guarded in context.connectors.state() {
        let Ok(connector) = &guarded.0 else { continue };
        if connector.namespace() == namespace
            && connector.spec.vendor.vendor().secret().is_some_and(|(secret, _)| secret == name)
        {
            let _ = to_connectors.unbounded_send(ObjectRef::from_obj(guarded.as_ref()));
        }
    }
    for guarded in context.policies.state() {
        let Ok(policy) = &guarded.0 else { continue };
        if policy.namespace() == namespace && policy.spec.credential.secret() == Some(&name) {
            let _ = to_policies.unbounded_send(ObjectRef::from_obj(guarded.as_ref()));
        }
    }
}

/// Drains a controller. Its output is the only place where trouble with its watches shows.
async fn finished<K>(
    passes: impl Stream<Item = Result<(ObjectRef<K>, Action), controller::Error<Fault, watcher::Error>>>,
    kind: &'static str,
    metrics: &Metrics,
) where
    K: Resource<DynamicType = ()>,
{
    let mut passes = std::pin::pin!(passes);
    while let Some(pass) = passes.next().await {
        match pass {
            // Deleted while it waited for its next turn.
            Ok(_) | Err(controller::Error::ObjectNotFound(_)) => {}
            Err(error) => {
                metrics.watch_error(kind);
                tracing::warn!(kind, %error, "the controller met an error; it goes on");
            }
        }
    }
}

/// A pass never fails; this is for what the library itself can't do.
fn retry<K>(_: Arc<K>, fault: &Fault, _: Arc<Context>) -> Action {
    tracing::error!(%fault, "a pass could not begin");
    Action::requeue(Duration::from_secs(5))
}

/// Forgets what belongs to objects that are gone.
async fn housekeeping(context: &Context) {
    loop {
        tokio::time::sleep(Duration::from_mins(10)).await;
        let connectors = context.connectors.state();
        let policies = context.policies.state();
        let uids: std::collections::HashSet<String> =
            (connectors.iter().filter_map(|it| it.uid())).chain(policies.iter().filter_map(|it| it.uid())).collect();
        let exists = |uid: &str| uids.contains(uid);
        context.connector_lanes.retain(exists);
        context.policy_lanes.retain(exists);
        context.sightings.retain(exists);
        context.findings.retain(exists);
        context.written.lock().unwrap_or_else(std::sync::PoisonError::into_inner).retain(|uid, _| exists(uid));
        context.failures.lock().unwrap_or_else(std::sync::PoisonError::into_inner).retain(|uid, _| exists(uid));
        context.secrets.forget_gone();
    }
}
