//! The page for administrators: what was observed, as tables, and how it differs from the one that is checked in.

use std::collections::BTreeMap;

use crate::harness::root;
use crate::scenes::{Key, Row, Vendor};

const FILE: &str = "docs/faults.md";

const HEAD: &str = "# Faults at the vendors

What a Connector says while one call at a vendor goes wrong. Made by `make faults` from what was observed, and held against it by a test; not
to be edited.

| `Ready` says | It means | What to do |
|---|---|---|
| `Unreachable` | The vendor did not answer, not in time, or not with what its interface promises | Nothing: it is asked again every minute (`--waiting-interval`), and once it answers all is well by itself. If it lasts: look at the vendor's status page, and at what is on the way (`HTTPS_PROXY`, firewalls); a redirect or a web page comes from there |
| `NotObservable` | The vendor answered, and does not show it | What the message says; without advice there, ask the vendor, with the call and the HTTP status that it names. It is asked again all the same |
| `CredentialRefused` | The vendor does not accept the credential | Put another one into the Secret; that is noticed at once |

- No row in which something is missing that `Ready` rests on is Ready: what can't be seen is Unknown. What was seen before stays in the status, and
  no person is asked for anything because of a fault.
- When the fault is over, the Connector is Ready again by itself.
- Whatever the fault, nothing is written at the vendor. Each error here quotes a secret in its body and in a header; no status, Event, log or metric has it.
- A connection that breaks, 429, 502, 503 and 504 are tried three times in a row, within 30 s. Who asks to be left alone (`Retry-After`, with 429 or 503) is
  not asked before that is over, by no Connector with the same credential; until then all of it is Unknown.
- An answer is waited for 30 s, and read up to 8 MiB.

Listed are the reads that every look makes and that `Ready` rests on; what else is asked, and what is written, is in each vendor's README in
[src/vendors](../src/vendors). In each table, faults with the same outcome share a row. The message is that of `Ready`, and of the Event.
*Others* are the other conditions; those that are not listed are True.
";

const FLUENTPRO: &str = "## FluentPro

FluentPro has no interface for programs: the operator makes no call there, so none can go wrong.
";

/// The whole page.
pub fn written(vendors: &[&Vendor], seen: &BTreeMap<Key, Row>) -> String {
    let mut lines = vec![HEAD.to_owned()];
    for vendor in vendors {
        lines.push(format!("## {}\n", vendor.label));
        for call in (vendor.calls)() {
            lines.push(format!("### {}\n", call.title));
            lines.push(format!("`{}`\n", call.path.trim_end_matches('$').replace('*', "…")));
            lines.push("| Fault | Ready | Others | Message |\n|---|---|---|---|".to_owned());
            let of_call = seen.iter().filter(|((label, title, _), _)| *label == vendor.label && *title == call.title);
            let rows = merged(of_call.map(|(_, row)| row));
            let line = |row: &Row| format!("| {} | {} | {} | {} |", row.fault, row.ready, row.others, row.message);
            lines.extend(rows.iter().map(line));
            lines.push(String::new());
        }
    }
    lines.push(FLUENTPRO.to_owned());
    lines.join("\n")
}

/// Faults with the same outcome in one row, where the first of them stands; what changes nothing comes first.
fn merged<'a>(rows: impl Iterator<Item = &'a Row>) -> Vec<Row> {
    let mut all: Vec<Row> = Vec::new();
    for row in rows {
        let same = |it: &&mut Row| (&it.ready, &it.others, &it.message) == (&row.ready, &row.others, &row.message);
        match all.iter_mut().find(same) {
            Some(same) => same.fault = format!("{}; {}", same.fault, row.fault),
            None => all.push(row.clone()),
        }
    }
    all.sort_by_key(|row| !row.ready.starts_with("True"));
    all
}

/// Fails if the page that is checked in is another one; with `BACKSTAY_WRITE` it becomes this one.
pub fn hold(page: &str) {
    let file = root().join(FILE);
    if std::env::var_os("BACKSTAY_WRITE").is_some() {
        std::fs::write(file, page).unwrap();
        return;
    }
    let kept = std::fs::read_to_string(file).unwrap_or_default();
    let only = |here: &str, there: &str, sign: char| {
        let there: Vec<&str> = there.lines().collect();
        let lines = here.lines().filter(|line| !there.contains(line)).map(|line| format!("{sign} {line}"));
        lines.collect::<Vec<_>>().join("\n")
    };
    assert!(
        kept == page,
        "{FILE} is not what was observed (`make faults` writes it anew):\n{}\n{}",
        only(&kept, page, '-'),
        only(page, &kept, '+')
    );
}
