//! What every command needs that looks outside the cluster: which hosts may be asked, whom to trust, and what is granted.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use kube::client::{Body, ClientBuilder};
use kube::config::Kubeconfig;
use kube::{Client, Config};
use tower::BoxError;
use tower::filter::FilterLayer;

use super::kubeconfig;
use crate::http::{Hosts, Way};
use crate::metrics::Metrics;
use crate::permit::Permit;
use crate::runtime::Settings;
use crate::runtime::grants::Grants;
use crate::runtime::once::Once;
use crate::runtime::own_identity::OwnIdentity;
use crate::runtime::secrets::WatchedSecrets;
use crate::{tenant, vendors};

/// The way out.
#[derive(Args)]
pub struct Outside {
    /// What may be written for whom: a YAML list of { namespace, tenantID, accounts, actions } [default: nothing].
    #[arg(long, env = "BACKSTAY_GRANTS", value_name = "FILE")]
    grants: Option<PathBuf>,
    /// Ask this host, too, beside the compiled-in ones: a name, or *. and the rest of one. May be repeated.
    #[arg(long, env = "BACKSTAY_ALLOW_HOST", value_name = "HOST", value_delimiter = ',')]
    allow_host: Vec<String>,
    /// Trust these certificate authorities, too (PEM), for requests to vendors and Microsoft. Proxies are taken from
    /// `HTTPS_PROXY` and `NO_PROXY`.
    #[arg(long, env = "BACKSTAY_CA_BUNDLE", value_name = "FILE")]
    ca_bundle: Option<PathBuf>,
    /// The file with a token of the operator's own `ServiceAccount`, which policies whose workloadIdentity names no other sign in with.
    #[arg(long, env = "AZURE_FEDERATED_TOKEN_FILE", value_name = "FILE")]
    federated_token_file: Option<PathBuf>,
    /// Policies of this namespace may sign in with that token; may be repeated [default: of none].
    #[arg(long, env = "BACKSTAY_FEDERATED_TOKEN_NAMESPACE", value_name = "NAMESPACE", value_delimiter = ',')]
    federated_token_namespace: Vec<String>,
}

impl Outside {
    /// What the installation grants.
    ///
    /// # Errors
    /// One sentence with the file's name.
    pub fn grants(&self) -> Result<Grants, String> {
        match &self.grants {
            Some(path) => Grants::read(&read(path)?).map_err(|error| format!("{}: {error}", path.display())),
            None => Ok(Grants::default()),
        }
    }

    /// Whether it is said what the installation grants.
    pub fn names_grants(&self) -> bool {
        self.grants.is_some()
    }

    /// Whose policies may sign in as the operator itself.
    pub fn own_identity(&self) -> OwnIdentity {
        OwnIdentity { file: self.federated_token_file.clone(), namespaces: self.federated_token_namespace.clone() }
    }

    /// The one way out.
    ///
    /// # Errors
    /// One sentence: a host that is none, or a bundle that can't be read.
    pub fn way(&self, permit: Permit, metrics: Arc<Metrics>) -> Result<Way, String> {
        let hosts = Hosts::new(tenant::cloud::hosts().chain(vendors::hosts()), &self.allow_host)?;
        let extra_ca = self.ca_bundle.as_deref().map(read).transpose()?;
        Way::new(hosts, extra_ca.as_deref().map(str::as_bytes), permit, metrics).map_err(|error| {
            match &self.ca_bundle {
                Some(path) => format!("--ca-bundle {}: {error}", path.display()),
                None => error,
            }
        })
    }

    /// A single look at what is there, which can write nothing outside whatever is decided.
    ///
    /// # Errors
    /// One sentence.
    pub async fn once(&self, client: Client, namespace: &str) -> Result<Once, String> {
        let metrics = Metrics::new();
        let way = self.way(Permit::Never, metrics.clone())?;
        let settings = Settings {
            grants: if self.names_grants() { self.grants()? } else { Grants::assumed() },
            // What would be done, not what is done here.
            read_only: false,
            waiting_interval: Duration::from_mins(1),
            deletions_per_minute: 0,
            deletion_patience: Duration::ZERO,
            operator_namespace: namespace.to_owned(),
            secrets: WatchedSecrets::Everywhere,
            own_identity: self.federated_token_file.is_some().then(|| self.own_identity()),
        };
        Once::new(client, namespace, settings, way, metrics).await
    }
}

/// Which cluster, said as kubectl is told.
#[derive(Args, Default)]
pub struct Cluster {
    /// The kubeconfig [default: as for kubectl, and in a Pod its own].
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig [default: its current one].
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
}

impl Cluster {
    /// This one.
    #[must_use]
    pub fn of(kubeconfig: Option<PathBuf>, context: Option<String>) -> Self {
        Self { kubeconfig, context }
    }

    /// The Kubernetes API, and the namespace that the configuration names. Where nothing says which cluster, a Pod reaches its own; no
    /// variable names a proxy for it: those are for the way out.
    ///
    /// # Errors
    /// One sentence.
    pub fn reach(&self) -> Result<(Client, String), String> {
        let config = self.configured()?;
        let namespace = config.default_namespace.clone();
        let client = Client::try_from(config).map_err(|error| no_client(&error))?;
        Ok((client, namespace))
    }

    fn configured(&self) -> Result<Config, String> {
        let read = match &self.kubeconfig {
            Some(path) => Kubeconfig::read_from(path),
            None => kubeconfig::usual(std::env::var_os("KUBECONFIG")),
        };
        let named =
            read.map_err(|error| error.to_string()).and_then(|read| kubeconfig::config(&read, self.context.as_deref()));
        let config = match named {
            Err(why) if self.kubeconfig.is_none() && self.context.is_none() => {
                Config::incluster().map_err(|error| format!("in a Pod: {error}; by a kubeconfig: {why}"))
            }
            named => named,
        };
        config.map_err(|error| format!("no way to the Kubernetes API is configured: {error}"))
    }
}

/// The Kubernetes API as configured, written to only as far as it is permitted at that moment.
///
/// # Errors
/// One sentence.
pub fn cluster_for(permit: Permit) -> Result<Client, String> {
    let asked = FilterLayer::new(move |request: http::Request<Body>| -> Result<_, BoxError> {
        if !request.method().is_safe() {
            permit.may_write()?;
        }
        Ok(request)
    });
    let mut config = Cluster::default().configured()?;
    // kube would try writes again by itself, below what asks: every try has to be asked for, and passes are tried again anyway.
    config.default_retry = false;
    let builder = ClientBuilder::try_from(config).map_err(|error| no_client(&error))?;
    Ok(builder.with_layer(&asked).build())
}

fn no_client(error: &kube::Error) -> String {
    format!("the Kubernetes client can't be made: {error}")
}

/// The text of a file; of standard input for `-`.
///
/// # Errors
/// One sentence with its name.
pub fn read(path: &Path) -> Result<String, String> {
    if path.as_os_str() == "-" {
        return std::io::read_to_string(std::io::stdin()).map_err(|error| format!("standard input: {error}"));
    }
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Runs something that waits.
///
/// # Errors
/// Its own, or one sentence.
pub fn block_on<T>(future: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("the runtime can't be started: {error}"))?;
    runtime.block_on(future)
}
