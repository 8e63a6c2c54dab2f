//! `backstay run`: the operator.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use clap::Args;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::outside;
use crate::metrics::Metrics;
use crate::permit::Permit;
use crate::runtime::Settings;
use crate::runtime::election::Terms;
use crate::runtime::secrets::WatchedSecrets;
use crate::runtime::serve::{Serve, serve};
use crate::telemetry::{self, Format};

/// How the operator is run.
#[derive(Args)]
pub struct Options {
    /// Watch this namespace only [default: all].
    #[arg(long, env = "BACKSTAY_NAMESPACE", value_name = "NAME")]
    namespace: Option<String>,
    #[command(flatten)]
    outside: outside::Outside,
    /// Write nothing outside the cluster, whatever is allowed and granted.
    #[arg(long, env = "BACKSTAY_READ_ONLY")]
    read_only: bool,
    /// How often something is looked at that waits for a person or for another service, such as 30s or 2m.
    #[arg(long, env = "BACKSTAY_WAITING_INTERVAL", value_name = "SPAN", default_value = "1m", value_parser = span)]
    waiting_interval: Duration,
    /// How many connectors of one vendor account may be deleted within a minute (spec.deletionPolicy: Delete) before each has to be
    /// released by an annotation.
    #[arg(long, env = "BACKSTAY_DELETIONS_PER_MINUTE", value_name = "NUMBER", default_value_t = 3)]
    deletions_per_minute: usize,
    /// How long a deleted Connector is held for a vendor that does not answer, before its connector is left there.
    #[arg(long, env = "BACKSTAY_DELETION_PATIENCE", value_name = "SPAN", default_value = "15m", value_parser = span)]
    deletion_patience: Duration,
    /// The operator's own namespace, where it writes down what it has given for a time [default: the one of its service account, or of the
    /// kubeconfig].
    #[arg(long, env = "BACKSTAY_OPERATOR_NAMESPACE", value_name = "NAME")]
    operator_namespace: Option<String>,
    /// Read Secrets of this namespace only; may be repeated [default: of every namespace that is watched].
    #[arg(long, env = "BACKSTAY_WATCH_SECRETS_IN", value_name = "NAMESPACE", value_delimiter = ',')]
    watch_secrets_in: Vec<String>,
    /// Read this Secret and no other; may be repeated. Each has a watch of its own, so that RBAC may name it.
    #[arg(
        long,
        env = "BACKSTAY_WATCH_SECRET",
        value_name = "NAMESPACE/NAME",
        value_delimiter = ',',
        value_parser = namespace_and_name,
        conflicts_with = "watch_secrets_in"
    )]
    watch_secret: Vec<(String, String)>,
    /// Work without an election: only where no other process of the operator can run at the same time.
    #[arg(long, env = "BACKSTAY_NO_LEADER_ELECTION")]
    no_leader_election: bool,
    /// How long others wait for a leader that says nothing, before one of them goes on; at least 5s.
    #[arg(long, env = "BACKSTAY_LEASE_DURATION", value_name = "SPAN", default_value = "15s", value_parser = lease_duration)]
    lease_duration: Duration,
    /// The name of the Lease: that of all processes of one installation, and of no other [default: backstay, or backstay.NAME with
    /// --namespace NAME].
    #[arg(long, env = "BACKSTAY_LEASE_NAME", value_name = "NAME")]
    lease_name: Option<String>,
    /// The name of this process in the election; no other that runs at the same time may have it. In a Pod: the Pod's name [default: made
    /// up].
    #[arg(long, env = "BACKSTAY_IDENTITY", value_name = "NAME")]
    identity: Option<String>,
    /// Where /healthz, /readyz and /metrics are served. [::] is all addresses, of IPv4, too; where there is no IPv6, those of IPv4 alone.
    #[arg(long, env = "BACKSTAY_LISTEN", value_name = "ADDRESS", default_value = "[::]:8080")]
    listen: SocketAddr,
    /// The form of the log.
    #[arg(long, env = "BACKSTAY_LOG_FORMAT", value_enum, default_value = "json")]
    log_format: Format,
    /// What is logged, as in `RUST_LOG`.
    #[arg(long, env = "BACKSTAY_LOG", value_name = "FILTER", default_value = "info")]
    log_filter: String,
}

/// Runs until a signal ends it.
///
/// # Errors
/// One sentence.
pub fn run(options: Options) -> Result<(), String> {
    outside::block_on(start(options))
}

async fn start(options: Options) -> Result<(), String> {
    telemetry::start(options.log_format, &options.log_filter)?;
    let grants = options.outside.grants()?;
    let own_identity = options.outside.own_identity();
    let metrics = Metrics::new();
    let permit = if options.no_leader_election { Permit::Always } else { Permit::not_yet() };
    let to_vendors = if options.read_only { Permit::Never } else { permit.clone() };
    let way = options.outside.way(to_vendors, metrics.clone())?;
    let (free_client, own) = outside::Cluster::default().reach()?;
    let client = outside::cluster_for(permit.clone())?;
    let operator_namespace = options.operator_namespace.unwrap_or(own);
    let terms = (!options.no_leader_election).then(|| Terms {
        namespace: operator_namespace.clone(),
        // Operators for several namespaces may stand side by side.
        lease: options.lease_name.unwrap_or_else(|| match &options.namespace {
            Some(namespace) => format!("backstay.{namespace}"),
            None => "backstay".to_owned(),
        }),
        identity: options.identity.unwrap_or_else(made_up),
        duration: options.lease_duration,
    });
    let listener =
        listener(options.listen).await.map_err(|error| format!("can't listen on {}: {error}", options.listen))?;
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        namespace = options.namespace.as_deref().unwrap_or("all"),
        read_only = options.read_only,
        listen = %listener.local_addr().map_err(|error| error.to_string())?,
        "starting"
    );
    let stop = CancellationToken::new();
    stop_on_signal(stop.clone())?;
    serve(Serve {
        client,
        free_client,
        permit,
        terms,
        namespace: options.namespace,
        settings: Settings {
            grants,
            read_only: options.read_only,
            waiting_interval: options.waiting_interval,
            deletions_per_minute: options.deletions_per_minute,
            deletion_patience: options.deletion_patience,
            operator_namespace,
            secrets: match (options.watch_secrets_in, options.watch_secret) {
                (namespaces, named) if namespaces.is_empty() && named.is_empty() => WatchedSecrets::Everywhere,
                (namespaces, named) if named.is_empty() => WatchedSecrets::In(namespaces),
                (_, named) => WatchedSecrets::Named(named),
            },
            own_identity: Some(own_identity),
        },
        way,
        metrics,
        listener,
        stop,
    })
    .await?;
    tracing::info!("stopped");
    Ok(())
}

/// Listens there. All addresses of IPv6 are those of IPv4, too; a kernel that has no IPv6 still has these.
async fn listener(address: SocketAddr) -> io::Result<TcpListener> {
    match TcpListener::bind(address).await {
        Err(error) => {
            let instead = without_ipv6(address, &error).ok_or(error)?;
            let listener = TcpListener::bind(instead).await?;
            tracing::info!(%address, %instead, "there is no IPv6 here: IPv4 alone is listened on");
            Ok(listener)
        }
        listening => listening,
    }
}

/// Where to listen instead, if all addresses were meant and it failed since the kernel has no IPv6.
fn without_ipv6(address: SocketAddr, error: &io::Error) -> Option<SocketAddr> {
    let none =
        error.kind() == io::ErrorKind::AddrNotAvailable || error.raw_os_error() == Some(ADDRESS_FAMILY_NOT_SUPPORTED);
    let all = address.is_ipv6() && address.ip().is_unspecified();
    (none && all).then(|| (Ipv4Addr::UNSPECIFIED, address.port()).into())
}

/// Linux's `EAFNOSUPPORT`, for which the standard library has no name.
const ADDRESS_FAMILY_NOT_SUPPORTED: i32 = 97;

/// The first signal lets running passes finish; a second one ends the process as it would without us.
fn stop_on_signal(stop: CancellationToken) -> Result<(), String> {
    let on = |kind| signal(kind).map_err(|error| format!("signals can't be received: {error}"));
    let (mut terminate, mut interrupt) = (on(SignalKind::terminate())?, on(SignalKind::interrupt())?);
    tokio::spawn(async move {
        let mut signalled = false;
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if signalled {
                std::process::exit(130);
            }
            signalled = true;
            tracing::info!("stopping: running passes finish first");
            stop.cancel();
        }
    });
    Ok(())
}

/// A name that no other process has.
fn made_up() -> String {
    let host = std::env::var("HOSTNAME").unwrap_or_else(|_| "backstay".to_owned());
    format!("{host}-{:08x}", fastrand::u32(..))
}

fn namespace_and_name(text: &str) -> Result<(String, String), String> {
    match text.split_once('/') {
        Some((namespace, name)) if !namespace.is_empty() && !name.is_empty() && !name.contains('/') => {
            Ok((namespace.to_owned(), name.to_owned()))
        }
        _ => Err("must be NAMESPACE/NAME".to_owned()),
    }
}

fn lease_duration(text: &str) -> Result<Duration, String> {
    let duration = span(text)?;
    if duration < Duration::from_secs(5) || duration.subsec_nanos() > 0 {
        return Err("must be at least 5s, in whole seconds".to_owned());
    }
    Ok(duration)
}

fn span(text: &str) -> Result<Duration, String> {
    let span: kube::core::Duration = text.parse().map_err(|error| format!("{error}"))?;
    let span = Duration::from(span);
    if span < Duration::from_secs(1) { Err("must be at least 1s".to_owned()) } else { Ok(span) }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use tokio::net::TcpStream;

    use super::*;

    #[tokio::test]
    async fn all_addresses_are_those_of_both_families() {
        let any = SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0));
        let listener = listener(any).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_ok());
        // A machine without IPv6 has no such address.
        if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).await.is_ok() {
            assert!(TcpStream::connect((Ipv6Addr::LOCALHOST, port)).await.is_ok());
        }
    }

    #[test]
    fn ipv4_alone_is_taken_for_all_addresses_where_there_is_no_ipv6_and_for_nothing_else() {
        let address = |text: &str| text.parse::<SocketAddr>().unwrap();
        let unsupported = io::Error::from_raw_os_error(97);
        let unavailable = io::Error::from_raw_os_error(99);
        let in_use = io::Error::from_raw_os_error(98);
        let instead = Some(address("0.0.0.0:8080"));
        assert_eq!(without_ipv6(address("[::]:8080"), &unsupported), instead);
        assert_eq!(without_ipv6(address("[::]:8080"), &unavailable), instead);
        for (asked, error) in [("[::]:8080", &in_use), ("[::1]:8080", &unsupported), ("192.0.2.1:8080", &unavailable)] {
            assert_eq!(without_ipv6(address(asked), error), None, "{asked}");
        }
    }

    #[test]
    fn it_listens_on_both_families_unless_told_otherwise() {
        #[derive(clap::Parser)]
        struct Cli {
            #[command(flatten)]
            options: Options,
        }
        let listen = <Cli as clap::Parser>::parse_from(["backstay"]).options.listen;
        assert_eq!(listen, "[::]:8080".parse().unwrap());
    }
}
