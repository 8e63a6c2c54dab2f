//! The house: who may use whom, how large a room may get, and that its first line says what it is for.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Each room, and the rooms that it may use beside itself.
const ARROWS: &[(&str, &[&str])] = &[
    (
        "cli",
        &[
            "api",
            "connector",
            "elevation",
            "fault",
            "http",
            "metrics",
            "permit",
            "policy",
            "runtime",
            "seen",
            "telemetry",
            "tenant",
            "vendors",
        ],
    ),
    ("connector", &["api", "fault", "handoff", "runtime", "seen", "vendors"]),
    ("policy", &["api", "elevation", "fault", "handoff", "runtime", "seen", "tenant"]),
    (
        "runtime",
        &[
            "api",
            "certificate",
            "connector",
            "elevation",
            "fault",
            "handoff",
            "http",
            "metrics",
            "permit",
            "policy",
            "tenant",
            "vendors",
        ],
    ),
    // Only a test: it plays all of them against each other.
    ("year", &["api", "connector", "elevation", "fault", "policy", "runtime", "seen", "tenant", "vendors"]),
    ("elevation", &["api", "fault", "runtime", "seen", "tenant"]),
    ("tenant", &["cache", "certificate", "fault", "http", "seen"]),
    ("vendors", &["cache", "certificate", "fault", "handoff", "http", "seen"]),
    ("api", &["vendors"]),
    ("http", &["fault", "metrics", "permit"]),
    ("cache", &["seen"]),
    ("certificate", &[]),
    ("seen", &["fault"]),
    ("fault", &[]),
    ("handoff", &[]),
    ("metrics", &[]),
    ("permit", &["fault"]),
    ("telemetry", &[]),
];

/// Of the runtime, only the wiring may know the two controllers.
const KNOWS_CONTROLLERS: &str = "runtime/controllers.rs";

/// Files that only compute, but are tables of facts first: the others say `[pure]` in their first line.
const PURE: &[&str] =
    &["demands.rs", "environments.rs", "profiles.rs", "facts.rs", "cloud.rs", "centers.rs", "reader.rs"];

/// The files below a folder with this extension, but for what is hidden or built.
fn files(folder: &Path, extension: &str, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !name.starts_with('.') && name != "target" {
            files(&path, extension, into);
        } else if path.extension().is_some_and(|it| it == extension) {
            into.push(path);
        }
    }
}

fn sources() -> BTreeMap<PathBuf, String> {
    let mut all = Vec::new();
    files(&root(), "rs", &mut all);
    let text = |path: PathBuf| (path.strip_prefix(root()).unwrap().to_owned(), std::fs::read_to_string(&path).unwrap());
    all.into_iter().map(text).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// A file without its unit tests.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or_default()
}

/// The rooms that a file uses, by its `crate::` paths.
fn used(text: &str) -> Vec<String> {
    let mut rooms = Vec::new();
    for piece in without_tests(text).split("crate::").skip(1) {
        if let Some(list) = piece.strip_prefix('{') {
            let list = list.split('}').next().unwrap_or_default();
            rooms.extend(list.split(',').map(|item| item.trim().split("::").next().unwrap_or_default().to_owned()));
        } else {
            rooms.push(piece.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect());
        }
    }
    rooms
}

#[test]
fn every_arrow_points_the_right_way() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let room = path.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned();
        if matches!(room.as_str(), "lib" | "main") {
            continue;
        }
        let (_, allowed) =
            ARROWS.iter().find(|(name, _)| *name == room).unwrap_or_else(|| panic!("a new room: {room}"));
        for target in used(&text) {
            let wiring = path == Path::new(KNOWS_CONTROLLERS);
            let controller = matches!(target.as_str(), "connector" | "policy");
            let misplaced = room == "runtime" && controller && !wiring;
            if target != room && (!allowed.contains(&target.as_str()) || misplaced) {
                wrong.push(format!("{} uses {target}", path.display()));
            }
        }
        if matches!(room.as_str(), "tenant" | "vendors") && without_tests(&text).contains("kube::") {
            wrong.push(format!("{} knows Kubernetes", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_vendor_knows_another() {
    let folders = std::fs::read_dir(root().join("vendors")).unwrap().map(|entry| entry.unwrap());
    let vendors: Vec<String> =
        folders.filter(|it| it.path().is_dir()).map(|it| it.file_name().into_string().unwrap()).collect();
    for (path, text) in sources() {
        let Ok(within) = path.strip_prefix("vendors") else { continue };
        let vendor = within.iter().next().unwrap().to_str().unwrap();
        for other in &vendors {
            let known = text.contains(&format!("vendors::{other}")) || text.contains(&format!("super::super::{other}"));
            assert!(vendor == "mod.rs" || vendor == *other || !known, "{} knows {other}", path.display());
        }
    }
}

#[test]
fn pure_files_have_no_await_no_clock_and_no_client() {
    for (path, text) in sources() {
        let name = path.file_name().unwrap().to_str().unwrap();
        let pure = PURE.contains(&name)
            || text.lines().next().is_some_and(|line| line.contains("[pure]"))
            || path.starts_with("policy/rules")
            || path.starts_with("policy/profiles")
            || path.starts_with("api");
        if !pure {
            continue;
        }
        for word in ["async ", ".await", "Timestamp::now", "Instant::now", "Client", "reqwest"] {
            // These two are words of the API.
            let text = without_tests(&text).replace("ClientSecret", "").replace("ClientCertificate", "");
            assert!(!text.contains(word), "{} is pure, but says {word:?}", path.display());
        }
    }
}

#[test]
fn a_file_says_first_what_it_answers_and_is_not_too_long() {
    for (path, text) in sources() {
        assert!(text.starts_with("//! "), "{} does not begin with a sentence", path.display());
        let lines = without_tests(&text).lines().count();
        assert!(lines <= 500, "{} has {lines} lines", path.display());
    }
}

#[test]
fn the_world_shares_nothing_with_the_operator() {
    let manifest = std::fs::read_to_string(root().join("../tests/world/Cargo.toml")).unwrap();
    let dependencies = manifest.split("[dependencies]").nth(1).unwrap();
    assert!(!dependencies.lines().any(|line| line.starts_with("backstay")), "the world depends on the operator");
}

/// Whoever reads a reason finds in the documentation what it means and what to do.
#[test]
fn each_reason_has_its_paragraph_in_the_documentation_and_none_is_left_over() {
    let source = std::fs::read_to_string(root().join("api/reason.rs")).unwrap();
    let body = source.split("pub enum Reason {").nth(1).unwrap().split("\n}").next().unwrap();
    let lines = body.lines().map(str::trim).filter(|line| line.starts_with(|it: char| it.is_ascii_uppercase()));
    let mut reasons: Vec<&str> = lines.map(|line| line.trim_end_matches(',')).collect();
    let page = std::fs::read_to_string(root().join("../docs/troubleshooting.md")).unwrap();
    let mut told: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    reasons.sort_unstable();
    told.sort_unstable();
    assert!(reasons.len() > 40, "{reasons:?}");
    assert_eq!(told, reasons);
}

/// A link within the repository leads somewhere, and one to a heading to a heading that there is.
#[test]
fn every_link_of_the_documentation_leads_somewhere() {
    let anchor = |heading: &str| -> String {
        let text = heading.trim_start_matches('#').trim().to_lowercase();
        text.chars()
            .filter(|it| it.is_alphanumeric() || matches!(it, ' ' | '-' | '_'))
            .collect::<String>()
            .replace(' ', "-")
    };
    let mut all = Vec::new();
    files(&root().join(".."), "md", &mut all);
    let (mut links, mut dead) = (0, Vec::new());
    for page in &all {
        let text = std::fs::read_to_string(page).unwrap();
        for piece in text.split("](").skip(1) {
            let Some(link) = piece.split(')').next().filter(|link| !link.contains([' ', '\n'])) else { continue };
            if link.starts_with("http") || link.is_empty() {
                continue;
            }
            links += 1;
            let (path, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() { page.clone() } else { page.parent().unwrap().join(path) };
            let there = target.exists()
                && (heading.is_empty() || {
                    let text = std::fs::read_to_string(&target).unwrap_or_default();
                    text.lines().any(|line| line.starts_with('#') && anchor(line) == heading)
                });
            if !there {
                dead.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(links > 20, "{links}");
    assert!(dead.is_empty(), "{dead:#?}");
}
