//! What can be said to the `world` program?

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};

use backstay_world::World;
use backstay_world::actions::{all, words};
use clap::{Parser, Subcommand};
use serde_json::{Map, Value, json};
use tokio::signal::unix::{SignalKind, signal};

/// Prints a line. Who reads has seen enough when the pipe is closed: that is no error.
macro_rules! say {
    ($($what:tt)*) => {
        if writeln!(std::io::stdout(), $($what)*).is_err() {
            std::process::exit(0);
        }
    };
}

/// A simulated Microsoft 365 tenant, Power Platform, Dataverse, Keepit and AvePoint, reached through a proxy under their real host names.
///
/// `world up` starts one; the other commands find it through the folder it was started with (--dir, or WORLD_DIR).
#[allow(clippy::doc_markdown, reason = "the texts are shown in a terminal")]
#[derive(Parser)]
#[command(
    name = "world",
    version,
    after_help = "Try:\n  export WORLD_DIR=/tmp/world\n  world up &\n  world do sign-in-for-connector account=Contoso name=\"Contoso Power Platform\" type=dynamics365 user=svc-backup@contoso.com\n  world do remove-directory-role user=svc-backup@contoso.com role=\"Dynamics 365 Administrator\"\n  world fault path=/v1.0/users status=503 times=2\n  world calls --writes\n\nReach it yourself, through the proxy that `world up` names (so does world.json):\n  curl -x http://127.0.0.1:PORT --cacert $WORLD_DIR/ca.pem https://login.microsoftonline.com/contoso.com/v2.0/.well-known/openid-configuration"
)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[allow(clippy::doc_markdown, reason = "the texts are shown in a terminal")]
#[derive(Subcommand)]
enum Command {
    /// Start a world, and stay until SIGTERM or Ctrl-C.
    Up {
        /// The world file; left out, the world of Contoso. Several are one world with the tenants, Keepit regions and AvePoint tenants of all.
        #[arg(long)]
        file: Vec<PathBuf>,
        /// Where world.json (addresses) and ca.pem go.
        #[arg(long, env = "WORLD_DIR", default_value = ".world")]
        dir: PathBuf,
        /// Address of the proxy; port 0 is any free one.
        #[arg(long, default_value = "127.0.0.1:0")]
        proxy: SocketAddr,
        /// Address of the control API.
        #[arg(long, default_value = "127.0.0.1:0")]
        control: SocketAddr,
        /// End when the process that started this one ends.
        #[arg(long)]
        with_parent: bool,
    },
    /// Do what a person does, or what happens by itself.
    #[command(after_help = actions_help())]
    Do {
        /// The action.
        action: String,
        /// Its words, key=value.
        words: Vec<String>,
        #[arg(long, env = "WORLD_DIR", default_value = ".world")]
        dir: PathBuf,
    },
    /// Show what was asked of the world.
    Calls {
        /// Only requests for a change.
        #[arg(long)]
        writes: bool,
        /// From this index on.
        #[arg(long, default_value_t = 0)]
        since: u64,
        /// As JSON, one call a line.
        #[arg(long)]
        json: bool,
        /// Forget them all instead.
        #[arg(long)]
        clear: bool,
        #[arg(long, env = "WORLD_DIR", default_value = ".world")]
        dir: PathBuf,
    },
    /// Show everything that is true in the world (secrets left out), or the part at a JSON pointer.
    State {
        /// For example /tenants/0/role_assignments.
        pointer: Option<String>,
        #[arg(long, env = "WORLD_DIR", default_value = ".world")]
        dir: PathBuf,
    },
    /// Let requests go wrong: key=value of host path query method after times status body content_type delay_ms truncate drip_ms reset hang applied.
    #[command(
        after_help = "Examples:\n  world fault path=/v1.0/users status=503 times=2\n  world fault host=dk-co.keepit.com hang=true\n  world fault path=/v1.0/roleManagement method=POST reset=true applied=true times=1\n  world fault --clear"
    )]
    Fault {
        words: Vec<String>,
        /// Take all faults away instead.
        #[arg(long)]
        clear: bool,
        #[arg(long, env = "WORLD_DIR", default_value = ".world")]
        dir: PathBuf,
    },
}

fn actions_help() -> String {
    let lines = all().map(|action| format!("  {}\n      {}\n      {}", action.name, action.does, words(action)));
    format!("Actions:\n{}", lines.collect::<Vec<_>>().join("\n"))
}

pub async fn run(arguments: Arguments) -> Result<(), String> {
    match arguments.command {
        Command::Up { file, dir, proxy, control, with_parent } => up(&file, &dir, proxy, control, with_parent).await,
        Command::Do { action, words, dir } => {
            let done = ask(&dir, "POST", &format!("/do/{action}"), Some(&pairs(&words)?))?;
            say!("{}", done["message"].as_str().unwrap_or("done"));
            for (key, value) in done.as_object().into_iter().flatten().filter(|(key, _)| *key != "message") {
                say!("{key}: {}", value.as_str().unwrap_or_default());
            }
            Ok(())
        }
        Command::Calls { writes, since, json, clear, dir } => calls(&dir, writes, since, json, clear),
        Command::State { pointer, dir } => {
            let state = ask(&dir, "GET", "/state", None)?;
            let part =
                state.pointer(pointer.as_deref().unwrap_or_default()).ok_or("there is nothing at this pointer")?;
            say!("{part:#}");
            Ok(())
        }
        Command::Fault { words, clear, dir } => {
            if clear {
                return ask(&dir, "DELETE", "/faults", None).map(|_| say!("cleared"));
            }
            let mut fault = pairs(&words)?;
            for (_, value) in fault.as_object_mut().into_iter().flatten().filter(|(key, _)| *key != "body") {
                if let Some(typed) = value.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok()) {
                    *value = typed;
                }
            }
            let made = ask(&dir, "POST", "/faults", Some(&fault))?;
            say!("fault {}", made["id"]);
            Ok(())
        }
    }
}

async fn up(
    files: &[PathBuf],
    dir: &Path,
    proxy: SocketAddr,
    control: SocketAddr,
    with_parent: bool,
) -> Result<(), String> {
    if with_parent {
        rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM))
            .map_err(|error| error.to_string())?;
    }
    let read = |file: &PathBuf| std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()));
    let yaml = match files {
        [] => backstay_world::CONTOSO.to_owned(),
        [file] => read(file)?,
        files => joined(&files.iter().map(read).collect::<Result<Vec<_>, _>>()?)?,
    };
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
    let world = World::start_at(&yaml, proxy, control).await.map_err(|error| error.to_string())?;

    std::fs::create_dir_all(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    let authority = dir.join("ca.pem");
    put(&authority, world.ca_pem())?;
    let addresses = json!({ "proxy": world.proxy_url(), "control": world.control_url(), "ca": authority });
    put(&dir.join("world.json"), &addresses.to_string())?;
    println!("ready HTTPS_PROXY={} CA={}", world.proxy_url(), authority.display());

    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    Ok(())
}

/// Several world files as one: lists follow one another; whatever else there is can be in one of them only.
fn joined(files: &[String]) -> Result<String, String> {
    let mut whole = Map::new();
    for file in files {
        let one: Map<String, Value> = serde_yaml::from_str(file).map_err(|error| error.to_string())?;
        for (key, value) in one {
            match (whole.get_mut(&key), value) {
                (Some(Value::Array(all)), Value::Array(more)) => all.extend(more),
                (Some(_), _) => return Err(format!("{key} is in more than one of the world files")),
                (None, value) => {
                    whole.insert(key, value);
                }
            }
        }
    }
    Ok(Value::Object(whole).to_string())
}

/// Whole or not at all: readers poll for these files.
fn put(path: &Path, text: &str) -> Result<(), String> {
    let draft = path.with_extension("draft");
    std::fs::write(&draft, text)
        .and_then(|()| std::fs::rename(&draft, path))
        .map_err(|error| format!("{}: {error}", path.display()))
}

fn calls(dir: &Path, writes: bool, since: u64, json: bool, clear: bool) -> Result<(), String> {
    if clear {
        return ask(dir, "DELETE", "/calls", None).map(|_| say!("forgotten"));
    }
    let calls = ask(dir, "GET", &format!("/calls?since={since}"), None)?;
    for call in calls.as_array().into_iter().flatten().filter(|call| !writes || call["write"] == true) {
        if json {
            say!("{call}");
            continue;
        }
        let text = |key: &str| call[key].as_str().unwrap_or_default().to_owned();
        let query = if text("query").is_empty() { String::new() } else { format!("?{}", text("query")) };
        let mark = if call["write"] == true { "W" } else { " " };
        let number = |key: &str| call[key].as_u64().unwrap_or_default();
        say!(
            "{:>5} {mark} {:>3} {:<7} https://{}{}{query}",
            number("index"),
            number("status"),
            text("method"),
            text("host"),
            text("path")
        );
    }
    Ok(())
}

fn pairs(words: &[String]) -> Result<Value, String> {
    let pair = |word: &String| {
        word.split_once('=')
            .map(|(key, value)| (key.to_owned(), Value::from(value)))
            .ok_or_else(|| format!("{word:?} is not key=value"))
    };
    words.iter().map(pair).collect::<Result<Map<_, _>, _>>().map(Value::Object)
}

/// One request to the control API of the world of this folder.
fn ask(dir: &Path, method: &str, path: &str, body: Option<&Value>) -> Result<Value, String> {
    let file = dir.join("world.json");
    let addresses = std::fs::read_to_string(&file)
        .map_err(|error| format!("{}: {error}; is a world up there? (--dir)", file.display()))?;
    let addresses: Value = serde_json::from_str(&addresses).map_err(|error| error.to_string())?;
    let host = addresses["control"]
        .as_str()
        .and_then(|url| url.strip_prefix("http://"))
        .ok_or("world.json names no control address")?;
    let body = body.map(Value::to_string).unwrap_or_default();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut text = String::new();
    let mut stream = TcpStream::connect(host).map_err(|error| format!("{host}: {error}; is the world still up?"))?;
    stream
        .write_all(request.as_bytes())
        .and_then(|()| stream.read_to_string(&mut text))
        .map_err(|error| error.to_string())?;
    let (_, answer) = text.split_once("\r\n\r\n").ok_or("the control API broke off")?;
    if answer.is_empty() {
        return Ok(Value::Null);
    }
    let answer: Value = serde_json::from_str(answer).map_err(|error| format!("{error}: {answer}"))?;
    match answer["refused"].as_str() {
        Some(why) => Err(why.to_owned()),
        None => Ok(answer),
    }
}
