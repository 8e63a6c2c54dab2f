//! The operator as users run it: its own process, its own user, one way out.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::Scene;
use super::gate::Gate;

/// A running operator; ends with its test.
pub struct Operator {
    child: Child,
    log: PathBuf,
    address: String,
}

impl Operator {
    pub(super) async fn start(scene: &Scene, grants: &str, arguments: &[&str], gate: Option<&Gate>) -> Self {
        let folder = &scene.folder;
        std::fs::write(folder.join("grants.yaml"), grants).unwrap();
        std::fs::write(folder.join("kubeconfig.yaml"), super::cluster::kubeconfig(scene.token(), gate)).unwrap();
        let log = folder.join("operator.log");
        let begins = std::fs::metadata(&log).map_or(0, |log| log.len());
        let output: File = OpenOptions::new().create(true).append(true).open(&log).unwrap();
        // What a test says itself, it says instead of these.
        let usual = [("--waiting-interval", "1s"), ("--log-filter", "info,backstay=debug"), ("--identity", "operator")];
        let usual =
            usual.iter().filter(|(name, _)| !arguments.contains(name)).flat_map(|(name, value)| [*name, *value]);
        let child = Command::new(env!("CARGO_BIN_EXE_backstay"))
            .args(["run", "--namespace", &scene.namespace, "--operator-namespace", &scene.namespace])
            .args(["--listen", "127.0.0.1:0"])
            .args(usual)
            .arg("--grants")
            .arg(folder.join("grants.yaml"))
            .arg("--ca-bundle")
            .arg(folder.join("ca.pem"))
            .args(arguments)
            .env("KUBECONFIG", folder.join("kubeconfig.yaml"))
            .env("HTTPS_PROXY", scene.world.proxy_url())
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        let mut operator = Self { child, log, address: String::new() };
        operator.ready(usize::try_from(begins).unwrap()).await;
        operator
    }

    async fn ready(&mut self, begins: usize) {
        let begun = Instant::now();
        loop {
            let log = self.log();
            let new = &log[begins.min(log.len())..];
            if let Some(address) = new.split("\"listen\":\"").nth(1).and_then(|rest| rest.split('"').next()) {
                address.clone_into(&mut self.address);
                if new.contains("the first lists have arrived") || new.contains("standing by") {
                    return;
                }
            }
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none() && begun.elapsed() < Duration::from_mins(1), "the operator did not start:\n{new}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// All that was logged in this test so far, by all operators.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Where it listens.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// What it answers at this path.
    pub async fn get(&self, path: &str) -> String {
        let url = format!("http://{}{path}", self.address);
        reqwest::Client::builder().no_proxy().build().unwrap().get(url).send().await.unwrap().text().await.unwrap()
    }

    /// Ends it at once, as a crash would.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop, and brings its exit code.
    pub async fn stop(mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        let begun = Instant::now();
        loop {
            if let Some(ended) = self.child.try_wait().unwrap() {
                return ended.code();
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "the operator did not stop");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a command has said.
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Scene {
    /// Another command of the same binary, with the operator's user and its way out; `input` is its standard input.
    pub fn backstay(&self, arguments: &[&str], input: &str) -> Said {
        self.backstay_with(self.token(), arguments, input)
    }

    /// The same with the token of somebody else.
    pub fn backstay_with(&self, token: &str, arguments: &[&str], input: &str) -> Said {
        self.run(Path::new(env!("CARGO_BIN_EXE_backstay")), token, arguments, input)
    }

    /// What kubectl is told when it asks what completes these words.
    pub fn completed(&self, token: &str, words: &[&str]) -> Said {
        let name = self.folder.join("kubectl_complete-backstay");
        if !name.exists() {
            std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_backstay"), &name).unwrap();
        }
        self.run(&name, token, words, "")
    }

    fn run(&self, program: &Path, token: &str, arguments: &[&str], input: &str) -> Said {
        let folder = &self.folder;
        let kubeconfig = folder.join("command.yaml");
        std::fs::write(&kubeconfig, super::cluster::kubeconfig(token, None)).unwrap();
        let mut child = Command::new(program)
            .args(arguments)
            .env("KUBECONFIG", kubeconfig)
            .env("HTTPS_PROXY", self.world.proxy_url())
            .env("BACKSTAY_CA_BUNDLE", folder.join("ca.pem"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // One that has ended already reads nothing.
        let _ = std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes());
        let ended = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Said { code: ended.status.code(), out: text(ended.stdout), err: text(ended.stderr) }
    }
}
