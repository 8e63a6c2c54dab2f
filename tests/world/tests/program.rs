//! Does the program `world` do by hand what the library does in a test?

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says so by panicking")]

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

const WORLD: &str = env!("CARGO_BIN_EXE_world");

/// A folder of its own, gone with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("world-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A world that is stopped even if the test fails.
struct Up(Child);

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn up(dir: &Path) -> (Up, String) {
    let mut child = Command::new(WORLD).args(["up", "--dir"]).arg(dir).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (Up(child), line)
}

fn world(dir: &Path, arguments: &[&str]) -> Output {
    Command::new(WORLD).env("WORLD_DIR", dir).args(arguments).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn is_up(dir: &Path) -> bool {
    world(dir, &["calls"]).status.success()
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(10), "not within ten seconds: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_world_is_started_changed_watched_and_stopped() {
    let folder = Folder::new("up");
    let dir = &folder.0;
    let (mut up, line) = up(dir);
    assert!(line.starts_with("ready HTTPS_PROXY=http://127.0.0.1:"), "{line}");
    assert!(std::fs::read_to_string(dir.join("ca.pem")).unwrap().starts_with("-----BEGIN"));

    let connector = ["account=Contoso", "name=By hand", "type=dynamics365", "user=svc-backup@contoso.com"];
    let sign_in = [&["do", "sign-in-for-connector"], connector.as_slice()].concat();
    let done = world(dir, &sign_in);
    assert!(done.status.success() && out(&done).contains("connector: "), "{done:?}");
    let again = world(dir, &sign_in);
    assert!(!again.status.success());
    assert!(String::from_utf8_lossy(&again.stderr).contains("already"));

    let fault = ["fault", "path=/v1.0", "status=503", "times=2", "body=12"];
    assert!(out(&world(dir, &fault)).starts_with("fault 1"));
    assert!(world(dir, &["fault", "--clear"]).status.success());
    let state = out(&world(dir, &["state", "/keepit/0/accounts/0/connectors/0/name"]));
    assert_eq!(state.trim(), "\"By hand\"");
    assert!(is_up(dir));

    kill_process(Pid::from_child(&up.0), Signal::TERM).unwrap();
    assert!(up.0.wait().unwrap().success());
    assert!(!is_up(dir));
}

#[test]
fn a_world_with_parent_ends_with_its_parent() {
    let folder = Folder::new("parent");
    let dir = &folder.0;
    // The shell is the parent; `wait` keeps it from becoming the world itself.
    let script = format!("{WORLD} up --with-parent --dir {} & wait", dir.display());
    let mut shell = Up(Command::new("sh").args(["-c", &script]).spawn().unwrap());
    until("the world is up", || is_up(dir));
    shell.0.kill().unwrap();
    until("the world is gone", || !is_up(dir));
}

#[test]
fn the_help_lists_every_action() {
    let help = out(&Command::new(WORLD).args(["do", "--help"]).output().unwrap());
    for action in backstay_world::actions::all() {
        assert!(help.contains(&format!("  {}\n", action.name)), "{}", action.name);
    }
}

#[test]
fn a_reader_who_has_seen_enough_is_no_error() {
    let folder = Folder::new("pipe");
    let dir = &folder.0;
    let (_up, _) = up(dir);
    let mut state = Command::new(WORLD)
        .args(["state", "--dir"])
        .arg(dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(state.stdout.take());
    let ended = state.wait_with_output().unwrap();
    assert!(ended.status.success() && ended.stderr.is_empty(), "{ended:?}");
}

#[test]
fn several_files_are_one_world_and_what_is_no_list_is_in_one_of_them_only() {
    let folder = Folder::new("several");
    let worlds = Path::new(env!("CARGO_MANIFEST_DIR")).join("worlds");
    let files = [worlds.join("contoso.yaml"), worlds.join("northwind.yaml")];
    let mut both = Command::new(WORLD);
    both.args(["up", "--dir"]).arg(&folder.0).arg("--file").arg(&files[0]).arg("--file").arg(&files[1]);
    let _up = Up(both.stdout(Stdio::null()).spawn().unwrap());
    until("both to be up", || is_up(&folder.0));
    assert_eq!(out(&world(&folder.0, &["state", "/tenants/1/name"])).trim(), "\"Northwind\"");
    assert_eq!(out(&world(&folder.0, &["state", "/keepit/1/region"])).trim(), "\"us-dc\"");

    let switches = folder.0.join("switches.yaml");
    std::fs::write(&switches, "tenants: []\nswitches: { token_lifetime_seconds: 60 }\n").unwrap();
    let mut twice = Command::new(WORLD);
    let refused = twice.arg("up").arg("--file").arg(&switches).arg("--file").arg(&switches).output().unwrap();
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("switches is in more than one"), "{refused:?}");
}
