//! What is planned at each vendor in each situation, as snapshots in the vendors' folders: read there what a user would be told.

use std::fmt::Write as _;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::observed::{Observed, PolicySeen};
use super::plan::plan;
use super::resolve::resolve;
use crate::api::Connector;
use crate::fault::{Fault, Kind};
use crate::seen::Seen;
use crate::vendors::{
    Attestation, Authorization, Backup, Details, Health, Organization, Sight, Undeclared, VendorConnector,
};

const NOW: &str = "2026-11-20T12:00:00Z";
const ACCOUNT: &str = "svc-backup@contoso.com";
const ID: &str = "aaaaaa-bbbbbb-cccccc";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The vendor's example with this in its spec and its status.
fn connector(example: &str, spec: &Value, status: &Value) -> Connector {
    let mut yaml: Value = serde_yaml::from_str(example).unwrap();
    merge(&mut yaml["spec"], spec);
    yaml["status"] = status.clone();
    yaml["metadata"]["uid"] = json!("00000000-0000-4000-8000-000000000001");
    serde_json::from_value(yaml).unwrap()
}

fn merge(into: &mut Value, more: &Value) {
    match more {
        Value::Object(more) => more.iter().for_each(|(key, value)| merge(&mut into[key], value)),
        Value::Null => {}
        more => *into = more.clone(),
    }
}

/// Everything works.
fn works() -> VendorConnector {
    VendorConnector {
        id: Some(ID.into()),
        name: "Contoso Power Platform".into(),
        accessible: true,
        deleting: false,
        link: Some("link-1".into()),
        unconfigured: false,
        authorization: Seen::Known(Authorization::Granted),
        health: Seen::Known(Some(Health { state: "healthy".into(), reason: None })),
        last_backup: Seen::Known(Some(Backup {
            latest: at("2026-11-20T08:00:00Z"),
            complete: Some(at("2026-11-20T08:00:00Z")),
        })),
        retention: None,
        organizations: Vec::new(),
        undeclared: Vec::new(),
        details: Details::default(),
    }
}

fn observed(profile: &str, account: Option<&str>, all: Vec<VendorConnector>, connector: &Connector) -> Observed {
    let details = all.first().map(|it| it.details.clone()).unwrap_or_default();
    Observed {
        sight: Ok(Sight::new(Seen::Known(account.map(str::to_owned)), Seen::Known(all.into()))),
        details,
        credential_ends: None,
        age: std::time::Duration::ZERO,
        credential: Some(Arc::default()),
        granted: connector.spec.allowed_actions.iter().copied().collect(),
        read_only: false,
        created: None,
        policy: Some(PolicySeen {
            account: Some(ACCOUNT.into()),
            answer: None,
            profile: Some(profile.into()),
            not_ready: None,
            hands_off: false,
            missing: Vec::new(),
            failing: Vec::new(),
            password_changed: None,
            window: None,
        }),
        others: Vec::new(),
    }
}

/// The plan as a page.
fn page(connector: &Connector, observed: &Observed) -> String {
    let now = at(NOW);
    let mut page = String::new();
    let resolved = match resolve(connector, observed, now) {
        Ok(resolved) => resolved,
        Err(problem) => return format!("refused: {} – {}\n", problem.reason, problem.message),
    };
    let plan = plan(connector, &resolved, observed, now);
    if plan.steps.is_empty() && plan.hand_offs.is_empty() {
        page.push_str("nothing to be done\n");
    }
    for step in &plan.steps {
        let (action, value) = (step.write.action, &step.write.value);
        writeln!(page, "step {action} {value}: {} – {}", step.allowed.word(), step.allowed.reason(&step.reason))
            .unwrap();
    }
    for it in &plan.hand_offs {
        writeln!(page, "hand-off {}: {}\n  who: {}", it.name, it.title, it.who).unwrap();
        it.steps.iter().enumerate().for_each(|(n, step)| writeln!(page, "  {}. {step}", n + 1).unwrap());
        writeln!(page, "  done when: {}", it.done_when).unwrap();
    }
    if !resolved.undeclared.is_empty() {
        writeln!(page, "undeclared: {}", resolved.undeclared.join(", ")).unwrap();
    }
    page
}

type Situation = (&'static str, Value, Value, Vec<VendorConnector>);

fn pages(example: &str, profile: &str, account: Option<&str>, situations: Vec<Situation>) -> String {
    let each = situations.into_iter().map(|(title, spec, status, found)| {
        let connector = connector(example, &spec, &status);
        format!("== {title}\n{}", page(&connector, &observed(profile, account, found, &connector)))
    });
    each.collect::<Vec<_>>().join("\n")
}

fn compare(vendor: &str, pages: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(format!("../vendors/{vendor}"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("plans", pages));
}

#[test]
fn keepit() {
    let example = include_str!("../../examples/keepit-power-platform/3-connector.yaml");
    let adopted = json!({ "connectorID": ID });
    let old = Some(Backup { latest: at("2026-11-18T08:00:00Z"), complete: Some(at("2026-11-18T08:00:00Z")) });
    let source =
        VendorConnector { id: Some("dddddd-eeeeee-ffffff".into()), name: "Contoso Dynamics".into(), ..works() };
    let dead = Seen::Known(Authorization::Required);
    let creates = json!({
        "allowedActions": ["Create"], "vendor": { "keepit": { "createFrom": "dddddd-eeeeee-ffffff" } },
    });
    let none = || Value::Null;
    let situations: Vec<Situation> = vec![
        ("it works", none(), none(), vec![works()]),
        ("there is none yet", none(), none(), vec![source.clone()]),
        ("there is none yet, and it may be created from another one", creates.clone(), none(), vec![source.clone()]),
        (
            "the other one is dead",
            creates,
            none(),
            vec![VendorConnector { authorization: dead.clone(), ..source.clone() }],
        ),
        ("two have the name", none(), none(), vec![works(), VendorConnector { id: Some("x".into()), ..works() }]),
        ("none is to be taken", json!({ "adoption": { "policy": "Never" } }), none(), vec![works()]),
        (
            "its authorization is dead",
            none(),
            adopted.clone(),
            vec![VendorConnector { authorization: dead, ..works() }],
        ),
        (
            "nobody has chosen what is backed up",
            none(),
            adopted.clone(),
            vec![VendorConnector {
                unconfigured: true,
                authorization: Seen::Known(Authorization::NoEvidence),
                last_backup: Seen::Known(None),
                ..works()
            }],
        ),
        (
            "the token's user may not look into it",
            none(),
            adopted.clone(),
            vec![VendorConnector { accessible: false, ..works() }],
        ),
        ("it is scheduled for deletion", none(), adopted.clone(), vec![VendorConnector { deleting: true, ..works() }]),
        ("it is gone", none(), adopted.clone(), vec![]),
        (
            "everything differs, and little is allowed",
            json!({
                "driftPolicy": "Correct",
                "allowedActions": ["Rename", "ShortenRetention", "Pause"],
                "vendor": { "keepit": { "retention": "P6M", "paused": true, "access": ["jane@contoso.com"] } },
            }),
            adopted.clone(),
            vec![VendorConnector {
                name: "An old name".into(),
                retention: Some("P1Y".into()),
                details: Details {
                    paused: Some(Seen::Known(false)),
                    members: Some(Seen::Known(Vec::new())),
                    ..Details::default()
                },
                ..works()
            }],
        ),
        (
            "its last backup is too old",
            json!({ "allowedActions": ["StartBackup"] }),
            adopted,
            vec![VendorConnector {
                last_backup: Seen::Known(old),
                details: Details { jobs: Some(Seen::Known(crate::vendors::Jobs::default())), ..Details::default() },
                ..works()
            }],
        ),
    ];
    compare("keepit", &pages(example, "keepitPowerPlatform", Some("kp7a2b-c3d4e5-f6g7h8"), situations));
}

#[test]
fn avepoint() {
    let example = include_str!("../../examples/avepoint-dynamics-365/3-connector.yaml");
    let organization = |name: &str, seen: bool| Organization {
        name: name.into(),
        id: None,
        last_job: seen.then(|| "Finished".into()),
        last_backup: seen
            .then(|| Backup { latest: at("2026-11-20T08:00:00Z"), complete: Some(at("2026-11-20T08:00:00Z")) }),
    };
    let with = |sales, service| VendorConnector {
        id: None,
        name: String::new(),
        link: None,
        organizations: vec![organization("Tailspin Sales", sales), organization("Tailspin Service", service)],
        ..works()
    };
    let signed = |profile: &str| json!({ "authorization": { "state": "Granted", "lastTransitionTime": NOW, "profile": profile, "profileTime": NOW } });
    let situations = |app: bool| -> Vec<Situation> {
        let own = if app { "avePointAppProfile" } else { "avePointServiceAccount" };
        let mut all: Vec<Situation> = vec![
            ("it works", Value::Null, signed(own), vec![with(true, true)]),
            (
                "nothing was scanned yet",
                Value::Null,
                Value::Null,
                vec![VendorConnector {
                    authorization: Seen::Known(Authorization::NoEvidence),
                    last_backup: Seen::Known(None),
                    ..with(false, false)
                }],
            ),
            ("one organization was never seen", Value::Null, Value::Null, vec![with(true, false)]),
            (
                "every backup of late has failed",
                Value::Null,
                signed(own),
                vec![VendorConnector { authorization: Seen::Known(Authorization::Doubted), ..with(true, true) }],
            ),
            (
                "others are backed up, too",
                Value::Null,
                signed(own),
                vec![VendorConnector {
                    undeclared: vec![Undeclared { name: "Tailspin Trial".into(), id: None }],
                    ..with(true, true)
                }],
            ),
        ];
        if app {
            all.push((
                "it signs in as a service account still",
                Value::Null,
                signed("avePointServiceAccount"),
                vec![with(true, true)],
            ));
        }
        all
    };
    let account = pages(example, "avePointServiceAccount", None, situations(false));
    let app = pages(example, "avePointAppProfile", None, situations(true));
    compare("avepoint", &format!("# avePointServiceAccount\n\n{account}\n# avePointAppProfile\n\n{app}"));
}

#[test]
fn fluentpro() {
    let example = include_str!("../../examples/fluentpro-dataverse/3-connector.yaml");
    let said = |time: &str, until: &str| VendorConnector {
        id: None,
        name: "Contoso Sales".into(),
        link: None,
        authorization: Seen::Known(Authorization::Attested(Attestation {
            by: "jane@contoso.com".into(),
            time: at(time),
            until: at(until),
        })),
        health: Seen::Known(None),
        last_backup: Seen::Unknown(Fault::new(Kind::NotShown, "FluentPro shows no backup to a program")),
        ..works()
    };
    let situations: Vec<Situation> = vec![
        ("nobody has attested anything", Value::Null, Value::Null, vec![]),
        ("it was attested", Value::Null, Value::Null, vec![said("2026-11-19T12:00:00Z", "2027-02-17T12:00:00Z")]),
        ("that is too long ago", Value::Null, Value::Null, vec![said("2026-08-01T12:00:00Z", "2026-10-30T12:00:00Z")]),
        ("it is of tomorrow", Value::Null, Value::Null, vec![said("2026-11-21T12:00:00Z", "2027-02-19T12:00:00Z")]),
    ];
    compare("fluentpro", &pages(example, "fluentProDataverse", None, situations));
}
