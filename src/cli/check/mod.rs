//! `backstay check`: what is wrong with files before they are merged: as the API server would say it, and beside that. No cluster is asked.

mod between;
mod form;
mod policy;
mod rivals;
mod schema;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use clap::Args;
use serde::Serialize;

use super::documents::{each, is_ours};
use super::kustomize;
use super::shown::{Output, bold, clean, print};
use super::yaml::{self, Object, Place, Step};
pub use form::is_span;
use form::{Wrong, speaks_of_a_secret};
use rivals::Claim;
use schema::{Judged, UNKNOWN};

use crate::api::shared::counted;

/// What is checked.
#[derive(Args)]
pub struct Options {
    /// Files, or folders whose *.yaml and *.yml are taken; `-` for standard input. Kinds of others are passed over.
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// The form of the answer.
    #[arg(short, long, value_enum, default_value = "text")]
    output: Output,
}

/// One thing that is wrong, or worth knowing.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    file: String,
    line: usize,
    column: usize,
    #[serde(skip_serializing_if = "String::is_empty")]
    object: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    field: String,
    severity: Severity,
    message: String,
    #[serde(skip)]
    source: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
enum Severity {
    Error,
    Warning,
}

/// Checks, and prints what was found. 0: no error; 1: there is one, also where a file is no YAML; 2: a path can't be opened, or what it
/// holds is no text.
#[must_use]
pub fn check(options: &Options) -> ExitCode {
    let (texts, unread) = each(&options.paths);
    for sentence in &unread {
        eprintln!("backstay: {sentence}");
    }
    let Examined { mut found, objects, note } = examine(&texts);
    if let Some(note) = note {
        eprintln!("backstay: {note}");
    }
    let order = |it: &Found| (texts.iter().position(|(file, _)| *file == it.file), it.line, it.column);
    found.sort_by_key(order);
    let said = match (options.output, found.is_empty()) {
        // Nothing was looked at: that is said already.
        (Output::Text, true) if texts.is_empty() && !unread.is_empty() => Ok(()),
        (Output::Text, true) if objects == 0 => super::say("No Connector and no ServiceAccountPolicy in these files\n"),
        (Output::Text, true) => super::say(&format!("{} checked, nothing is wrong\n", counted(objects, "object"))),
        _ => {
            print(options.output, &found, |found| found.iter().map(page).collect::<String>() + &summary(found, objects))
        }
    };
    if let Err(sentence) = &said {
        eprintln!("backstay: {sentence}");
    }
    if said.is_err() || !unread.is_empty() {
        return ExitCode::from(2);
    }
    if found.iter().any(|it| it.severity == Severity::Error) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn summary(found: &[Found], objects: usize) -> String {
    let errors = found.iter().filter(|it| it.severity == Severity::Error).count();
    let warnings = found.len() - errors;
    let all = [(objects, "object"), (errors, "error"), (warnings, "warning")];
    let [objects, errors, warnings] = all.map(|(number, what)| counted(number, what));
    format!("{objects} checked: {errors}, {warnings}\n")
}

/// What comes of some files.
struct Examined {
    found: Vec<Found>,
    /// How many objects of ours there are.
    objects: usize,
    /// Why these may not be what is applied.
    note: Option<String>,
}

/// Everything that is found.
fn examine(texts: &[(String, String)]) -> Examined {
    let mut found = Vec::new();
    let mut nodes = Vec::new();
    for (file, text) in texts {
        match yaml::parsed(text) {
            Ok(parsed) => nodes.push((file, text, parsed)),
            Err((place, why)) => {
                // As it stands it is applied by nobody.
                let template = text.contains("{{").then_some("; of a template, check what helm template prints");
                let message = format!("can't be read: {why}{}", template.unwrap_or_default());
                let wrong = Wrong { path: Vec::new(), message };
                // A template of something else is nobody's mistake.
                let severity = if is_ours(text) { Severity::Error } else { Severity::Warning };
                // Without the line itself: it may be one of a Secret.
                found.push(told(file, String::new(), place, String::new(), wrong, severity));
            }
        }
    }
    let objects: Vec<(&String, &String, Object<'_>)> = nodes
        .iter()
        .flat_map(|(file, text, parsed)| yaml::objects(parsed).into_iter().map(move |it| (*file, *text, it)))
        .collect();
    let all: Vec<&Object<'_>> = objects.iter().map(|(_, _, object)| object).collect();
    let named = || objects.iter().map(|(file, _, object)| (file.as_str(), &object.value));
    let patches = kustomize::patches(named());
    // With one, what stands in the files is not what is applied.
    let note = kustomize::note(named(), "-");
    let mut count = 0;
    let mut known: Vec<(String, &String, Place)> = Vec::new();
    let mut claims: Vec<(Claim, String, String)> = Vec::new();
    for (file, text, object) in &objects {
        if patches.contains(&kustomize::plain(Path::new(file.as_str()))) {
            continue;
        }
        let mut value = object.value.clone();
        let Some(Judged { wrong, passed_over }) = schema::judge(&mut value) else { continue };
        count += 1;
        let metadata = &value["metadata"];
        let word = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let name = format!("{} {}/{}", word(&value["kind"]), word(&metadata["namespace"]), word(&metadata["name"]));
        let name = name.replace(" /", " ");
        let before = known.iter().find(|(other, ..)| *other == name);
        let twice = before.map(|(_, file, place)| Wrong {
            path: vec![Step::Field("metadata".to_owned()), Step::Field("name".to_owned())],
            message: format!("the same object is in {file}:{}", place.line),
        });
        known.push((name.clone(), file, object.start()));
        let told_of = |wrong: Wrong, severity| {
            let place = object.place(&wrong.path);
            told(file, shown_line(object, text, place, &wrong), place, name.clone(), wrong, severity)
        };
        let fits = wrong.is_empty();
        let errors = wrong.into_iter().map(|it| (it, Severity::Error));
        // A patch of an overlay names the same object on purpose.
        for (wrong, severity) in errors.chain(passed_over.into_iter().chain(twice).map(|it| (it, Severity::Warning))) {
            found.push(told_of(wrong, severity));
        }
        if fits {
            let claim = Claim::of(&value);
            let claimed = claim.as_ref().and_then(|claim| {
                let mut others = claims.iter().filter(|(_, other, _)| *other != name);
                others.find_map(|(other, whose, place)| claim.against(other, whose, place))
            });
            claims.extend(claim.map(|it| (it, name.clone(), format!("{file}:{}", object.start().line))));
            for (wrong, only_told) in between::judge(&value, &all).into_iter().chain(claimed) {
                let severity = if only_told || note.is_some() { Severity::Warning } else { Severity::Error };
                found.push(told_of(wrong, severity));
            }
        }
    }
    Examined { found, objects: count, note }
}

/// The line that something is wrong in; none where a secret may stand in it, beside what is wrong or in place of a reference: nobody
/// knows of an unknown field what it holds.
fn shown_line(object: &Object<'_>, text: &str, place: Place, wrong: &Wrong) -> String {
    let line = object.line(text, place);
    if wrong.message.starts_with(UNKNOWN) || speaks_of_a_secret(&line) { String::new() } else { line }
}

fn told(file: &str, source: String, place: Place, object: String, wrong: Wrong, severity: Severity) -> Found {
    Found {
        file: file.to_owned(),
        line: place.line,
        column: place.column,
        object,
        field: dotted(&wrong.path),
        severity,
        message: wrong.message,
        source,
    }
}

fn dotted(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Field(name) if text.is_empty() => text.push_str(name),
            Step::Field(name) => {
                text.push('.');
                text.push_str(name);
            }
            Step::Item(number) => {
                text.push('[');
                text.push_str(&number.to_string());
                text.push(']');
            }
        }
    }
    text
}

/// One of them for people: where, what, and the line itself.
fn page(found: &Found) -> String {
    let Found { file, line, column, object, field, severity, message, source } = found;
    let (word, colour) = match severity {
        Severity::Error => ("error", AnsiColor::Red),
        Severity::Warning => ("warning", AnsiColor::Yellow),
    };
    let style = Style::new().fg_color(Some(colour.into())).bold();
    let of = if object.is_empty() { String::new() } else { format!("{}: ", clean(object)) };
    let field = if field.is_empty() { String::new() } else { format!("{}: ", clean(field)) };
    let place = bold(&format!("{}:{line}:{column}:", clean(file)));
    let message = clean(message);
    // As much of a long line as stands around the place.
    let before = column.saturating_sub(1);
    let hidden = if before > 100 { before - 40 } else { 0 };
    let part: String = clean(source).chars().skip(hidden).take(160).collect();
    let caret = " ".repeat(before - hidden);
    let line = if part.is_empty() { String::new() } else { format!("    {part}\n    {caret}{style}^{style:#}\n") };
    format!("{place} {style}{word}{style:#}: {of}{field}{message}\n{line}")
}

/// What is told of a file with this text, and of others after it: the file where it is not the first, the place, the severity, the
/// field and the message.
#[cfg(test)]
fn told_for_tests(texts: &[&str]) -> Vec<String> {
    let named = |(number, text): (usize, &&str)| (format!("{number}.yaml"), (*text).to_owned());
    let Examined { found, .. } = examine(&texts.iter().enumerate().map(named).collect::<Vec<_>>());
    let told = |Found { file, line, column, severity, field, message, .. }: Found| {
        format!("{file}:{line}:{column}: {severity:?}: {field}: {message}")
    };
    found.into_iter().map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_wrong_with_the_examples() {
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
        let mut objects = 0;
        for folder in std::fs::read_dir(examples).unwrap() {
            let Examined { found, objects: count, note } = examine(&each(&[folder.unwrap().path()]).0);
            assert_eq!(note, None);
            let errors: Vec<_> = found.iter().filter(|it| it.severity == Severity::Error).collect();
            assert!(errors.is_empty(), "{errors:#?}");
            objects += count;
        }
        assert!(objects > 10, "{objects}");
    }

    #[test]
    fn who_has_an_overlay_checked_is_told_what_is_applied() {
        let file = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        let note = |kustomization: &str| {
            let text = format!("resources: [base.yaml]\n{kustomization}");
            examine(&[file("base.yaml", "a: 1\n"), file("kustomization.yaml", &text)]).note
        };
        let told = note("patches: [{ patch: '[]', target: { kind: Connector } }]\n").unwrap_or_default();
        assert!(told.contains("what kustomize build prints (- reads it)"), "{told}");
        assert_eq!(note(""), None);
    }

    /// What somebody has written in place of a reference goes to no log of a pipeline.
    #[test]
    fn a_secret_in_a_wrong_place_is_not_told() {
        let connector = |keepit: &str| {
            format!(
                "apiVersion: backstay.dev/v1alpha1\nkind: Connector\nmetadata: {{ name: a }}\nspec:\n  vendor:\n    keepit: {keepit}\n  policyRef: {{ name: b }}\n"
            )
        };
        for keepit in [
            "{ region: dk-co, secretRef: [ { password: HUSH } ] }",
            "{ region: dk-co, secretRef: HUSH }",
            "{ region: dk-co, secretRef: { name: a }, password: HUSH }",
            "{ region: dk-co, secretRef: { name: 'HUSH HUSH' } }",
            "{ region: 5, secretRef: { name: a }, apiKey: HUSH }",
            "[ { region: dk-co, password: HUSH } ]",
            "{ region: 5, secretRef: HUSH }",
            "{ regoin: dk-co, secretRef: HUSH }",
            "{ region: dk-co, secretRef: { name: a }, pwd: HUSH }",
            "{ region: dk-co, secretRef: { name: a }, code: HUSH }",
            "{ region: zz-zz, secretRef: { name: a } } # password HUSH",
            "HUSH",
        ] {
            let Examined { found, .. } = examine(&[("a.yaml".to_owned(), connector(keepit))]);
            assert!(found.iter().any(|it| it.field.starts_with("spec.vendor")), "{keepit}");
            let told: String = found.iter().map(page).collect();
            let data = serde_json::to_string(&found).unwrap();
            // Said of the vendor itself it is no reference: nobody takes that for the place of a password.
            assert!(keepit == "HUSH" || !(told + &data).contains("HUSH"), "{keepit}: {data}");
        }
    }

    /// The API server types a time for the rules of the CRD, as what judges them here does.
    #[test]
    fn a_time_is_taken_and_one_that_never_comes_is_not() {
        let restore = |time: &str| {
            told_for_tests(&[&format!("apiVersion: backstay.dev/v1alpha1\nkind: Connector\nmetadata: {{ name: a }}\nspec:\n  vendor: {{ fluentPro: {{}} }}\n  policyRef: {{ name: b }}\n  restore: {{ untilTime: {time} }}\n")]).join("\n")
        };
        assert!(!restore("2026-12-01T18:00:00Z").contains("Error"), "{}", restore("2026-12-01T18:00:00Z"));
        assert!(
            restore("9999-12-31T23:59:59Z").contains("Error: spec.restore: untilTime must be before the year 9000")
        );
    }

    #[test]
    fn an_object_of_ours_without_its_group_is_not_passed_over() {
        let told = |version: &str| told_for_tests(&[&format!("{version}kind: Connector\nmetadata: {{ name: a }}\n")]);
        assert_eq!(told(""), ["0.yaml:1:1: Error: apiVersion: Required value: backstay.dev/v1alpha1"]);
        let other = told("apiVersion: backstay.io/v1\n");
        assert_eq!(other, ["0.yaml:1:1: Error: apiVersion: there is no backstay.io/v1: backstay.dev/v1alpha1"]);
        assert_eq!(told("apiVersion: dex.coreos.com/v1\n"), Vec::<String>::new());
    }

    #[test]
    fn the_type_that_is_wanted_is_said_with_what_to_do_about_it() {
        let told = |spec: &str| {
            told_for_tests(&[&format!("apiVersion: backstay.dev/v1alpha1\nkind: Connector\nmetadata: {{ name: a }}\nspec:\n  vendor: {{ fluentPro: {{}} }}\n  policyRef: {{ name: b }}\n{spec}")]).join("\n")
        };
        assert!(
            told("  interval: 5\n").contains("5 is of the wrong type: a text is wanted, in quotes"),
            "{}",
            told("  interval: 5\n")
        );
        assert!(
            told("  suspend: 'yes'\n")
                .contains("\"yes\" is of the wrong type: true or false is wanted, without quotes")
        );
        assert!(told("  environments: []\n").contains("a list is of the wrong type: an object is wanted"));
    }

    /// Whoever has files checked by a program is told where, as for everything else that is wrong with them.
    #[test]
    fn what_is_no_yaml_is_an_error_of_its_file_with_its_place() {
        let told = told_for_tests(&["apiVersion: backstay.dev/v1alpha1\nkind: [Connector\nspec: {}\n"]);
        assert!(told.len() == 1 && told[0].starts_with("0.yaml:3:5: Error: : can't be read: "), "{told:#?}");
        // A template of something else.
        assert!(told_for_tests(&["a: [{{ .Values.x }\n"])[0].contains("Warning"));
    }
}
