//! The walk of CONTRIBUTING.md to a further vendor, walked: a copy of the source with `tests/fourth-vendor` in it and the lines that
//! the walk says, built and tested.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::Command;

const VENDOR: &str = "northwind";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        std::fs::create_dir_all(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let name = entry.unwrap().file_name();
            copy(&from.join(&name), &to.join(&name));
        }
    } else {
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(from, to).unwrap();
    }
}

/// Under other names, so that what is built of the copy is not taken for what is built of the source.
fn renamed(copied: &Path) {
    for (manifest, before, after) in [
        ("Cargo.toml", "name = \"backstay\"\n", "name = \"backstay-copied\"\n"),
        ("Cargo.toml", "\n[dependencies]\n", "\n[lib]\nname = \"backstay\"\n\n[dependencies]\n"),
        ("Cargo.toml", "path = \"tests/world\" }", "path = \"tests/world\", package = \"backstay-world-copied\" }"),
        ("tests/world/Cargo.toml", "name = \"backstay-world\"\n", "name = \"backstay-world-copied\"\n"),
        ("tests/world/Cargo.toml", "\n[dependencies]\n", "\n[lib]\nname = \"backstay_world\"\n\n[dependencies]\n"),
    ] {
        change(&copied.join(manifest), before, after);
    }
}

/// Puts a text in the place of another one that the file has once.
fn change(path: &Path, before: &str, after: &str) {
    let text = std::fs::read_to_string(path).unwrap();
    assert_eq!(text.matches(before).count(), 1, "{} does not have this once:\n{before}", path.display());
    std::fs::write(path, text.replace(before, after)).unwrap();
}

/// The changes that the walk shows: a file, its lines as they are, and as they become.
fn changes() -> Vec<(String, String, String)> {
    let page = std::fs::read_to_string(root().join("CONTRIBUTING.md")).unwrap();
    let blocks = page.split("```diff\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks
        .map(|block| {
            let (first, lines) = block.split_once('\n').unwrap();
            let side = |skip: char| -> String {
                let kept = lines.lines().filter(|line| !line.starts_with(skip));
                kept.flat_map(|line| [line.get(1..).unwrap_or_default(), "\n"]).collect()
            };
            (first.trim_start_matches("--- ").to_owned(), side('+'), side('-'))
        })
        .collect()
}

#[test]
fn a_further_vendor_is_a_folder_and_the_lines_that_contributing_shows() {
    let copied: PathBuf = root().join("target/fourth-vendor");
    let _ = std::fs::remove_dir_all(&copied);
    let needed = [
        "src",
        "examples",
        "Cargo.toml",
        "Cargo.lock",
        "tests/world/Cargo.toml",
        "tests/world/src",
        "tests/world/worlds",
        "tests/bench",
        "tests/architecture.rs",
        "rust-toolchain.toml",
        "docs",
        "crds",
    ];
    for path in needed {
        copy(&root().join(path), &copied.join(path));
    }
    renamed(&copied);
    copy(&root().join("tests/fourth-vendor").join(VENDOR), &copied.join("src/vendors").join(VENDOR));
    let changes = changes();
    assert!(changes.len() >= 3, "CONTRIBUTING.md shows its changes in blocks of diff");
    for (file, before, after) in changes {
        change(&copied.join(&file), &before, &after);
    }
    let mut cargo = Command::new(env!("CARGO"));
    // Dependencies are built already.
    cargo.current_dir(&copied).env("CARGO_TARGET_DIR", root().join("target"));
    let ended = cargo.args(["test", "--offline", "--lib", "--test", "architecture", "--", "--quiet"]).arg("northwind");
    let said = ended
        .arg("architecture")
        .arg("every_arrow")
        .arg("no_vendor")
        .arg("pure_files")
        .arg("a_file_says")
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
    assert!(said.status.success(), "{out}\n{err}");
    let passed =
        out.lines().filter_map(|line| line.strip_prefix("test result: ok. ")?.split(' ').next()?.parse::<u32>().ok());
    assert_eq!(passed.sum::<u32>(), 6, "two tests of the vendor, four of the house:\n{out}");
}
