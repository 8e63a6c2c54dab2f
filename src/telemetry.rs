//! How the process writes its log.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// The form of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// Starts the log on standard error; `filter` as in `RUST_LOG`, default `info`.
///
/// # Errors
/// When the filter can't be read.
pub fn start(format: Format, filter: &str) -> Result<(), String> {
    // kube warns of each try of a watch; here each trouble of one is told once.
    let quiet = if filter.contains("kube_runtime") {
        filter.to_owned()
    } else {
        format!("{filter},kube_runtime::watcher=error")
    };
    let filter = EnvFilter::try_new(quiet).map_err(|error| format!("--log-filter '{filter}': {error}"))?;
    let registry = tracing_subscriber::registry().with(filter);
    match format {
        // The span names the object; the list of spans would name it once more.
        Format::Json => {
            let lines = tracing_subscriber::fmt::layer().json().with_span_list(false);
            registry.with(lines.with_writer(std::io::stderr)).try_init()
        }
        Format::Text => registry.with(tracing_subscriber::fmt::layer().with_writer(std::io::stderr)).try_init(),
    }
    .map_err(|error| format!("the log can't be started: {error}"))
}
