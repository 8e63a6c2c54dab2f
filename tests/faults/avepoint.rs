//! AvePoint's sign-in and its list of jobs: one data center for each case, so that one operator sees many of them at once.

use backstay_world::TAILSPIN;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::cases::{Case, Format, MARKER, Upset, answer, common};
use crate::harness::calls::replaced;
use crate::harness::example_of;
use crate::scenes::{Call, Place, Vendor};

pub const VENDOR: Vendor = Vendor {
    label: "AvePoint",
    calls,
    world,
    place,
    secrets: || example_of(FOLDER, "1-secrets.yaml"),
    policy: |_| format!("{}  interval: 10s\n", example_of(FOLDER, "2-policy.yaml")),
};

const FOLDER: &str = "avepoint-dynamics-365";
const ORGANIZATIONS: [&str; 2] = ["Tailspin Sales", "Tailspin Service"];

/// Data centers: name, host of the sign-in, host of the jobs. The first four sign in at hosts of their own.
const CENTERS: [(&str, &str, &str); 8] = [
    ("we", "identity.avepointonlineservices.com", "graph-we.avepointonlineservices.com"),
    ("gov", "identity-gov.avepointonlineservices.com", "graph-gov.avepointonlineservices.com"),
    ("aos2", "identity-aos2.avepointonlineservices.com", "graph-aos2.avepointonlineservices.com"),
    ("fedramp", "identity.online15.net", "graphusgovapi.online15.net"),
    ("au", "identity.avepointonlineservices.com", "graph-au.avepointonlineservices.com"),
    ("sg", "identity.avepointonlineservices.com", "graph-sg.avepointonlineservices.com"),
    ("ca", "identity.avepointonlineservices.com", "graph-ca.avepointonlineservices.com"),
    ("uk", "identity.avepointonlineservices.com", "graph-uk.avepointonlineservices.com"),
];

fn calls() -> Vec<Call> {
    let json = |value: Value| answer(200, "application/json", value.to_string());
    let cut = answer(200, "application/json", "{\"access_token\": \"hush-3f9a-mar");
    let mut sign_in = common(Format::Json);
    sign_in.push(Case::bad("400 `invalid_client`", oauth("invalid_client")));
    sign_in.push(Case::bad("400 `invalid_scope`", oauth("invalid_scope")));
    sign_in.push(Case::bad("JSON of another kind", json(json!({ "value": MARKER }))));
    sign_in.push(Case::bad("JSON that ends in the middle", cut));
    let broken = json!({ "access_token": format!("{MARKER}\n"), "expires_in": 3599, "token_type": "Bearer" });
    sign_in.push(Case::bad("a token with a line break", json(broken)));
    let empty = json!({ "access_token": "", "expires_in": 3599, "token_type": "Bearer" });
    sign_in.push(Case::bad("an empty token", json(empty)));

    let mut jobs = common(Format::Json);
    jobs.push(Case::harmless("JSON with unknown fields", json(with_unknown_fields())));
    jobs.push(Case::bad("JSON of another kind", json(json!({ "value": [] }))));
    jobs.push(Case::bad(
        "JSON that ends in the middle",
        answer(200, "application/json", "{\"totalCount\": 1, \"jobs\": [{"),
    ));
    jobs.push(Case::bad("a list that ends before its end", json(json!({ "totalCount": 5, "jobs": [] }))));
    jobs.push(Case::bad("more jobs than there can be", json(json!({ "totalCount": 1_000_000, "jobs": [] }))));
    for (name, ahead, harmless) in [
        ("AvePoint's clock is half an hour ahead", SignedDuration::from_mins(30), true),
        // Jobs of the time to come are not asked for: those before them count.
        ("AvePoint's clock is two days ahead, with a backup a day", SignedDuration::from_hours(48), true),
        ("AvePoint's clock is two days behind", SignedDuration::from_hours(-48), false),
    ] {
        jobs.push(Case { name: name.to_owned(), upset: Upset::Ahead(ahead), harmless });
    }
    vec![
        Call { title: "Sign-in", path: "/connect/token$", again: false, places: 4, cases: sign_in },
        Call { title: "List of jobs", path: "/dynamicsbackup/jobs$", again: true, places: CENTERS.len(), cases: jobs },
    ]
}

/// A refusal as OAuth writes it.
fn oauth(word: &str) -> backstay_world::Fault {
    let body = json!({ "error": word, "error_description": MARKER });
    answer(400, "application/json", body.to_string())
}

fn with_unknown_fields() -> Value {
    let now = Timestamp::now();
    let start = now - SignedDuration::from_mins(20);
    let job = |name: &&str| {
        json!({
            "jobId": format!("DCIB {name}"), "type": 1, "status": 3, "new": { "newer": true },
            "startTime": start.to_string(), "finishTime": now.to_string(),
            "organizationId": format!("id of {name}"), "organizationName": name,
        })
    };
    json!({ "totalCount": 2, "new": [1], "jobs": ORGANIZATIONS.iter().map(job).collect::<Vec<_>>() })
}

fn world(cases: &[Case]) -> String {
    let mut world: Value = serde_yaml::from_str(TAILSPIN).unwrap();
    let template = world["avepoint"][0].clone();
    let tenants = CENTERS.iter().zip(cases).enumerate().map(|(at, ((center, ..), case))| {
        let mut tenant = template.clone();
        tenant["name"] = json!(format!("Tailspin {center}"));
        tenant["data_center"] = json!(center);
        tenant["registrations"][0]["client_id"] = json!(client(at));
        if let Upset::Ahead(ahead) = &case.upset {
            tenant["organizations"] = ORGANIZATIONS.iter().map(|name| backed_up_daily(name, *ahead)).collect();
        }
        tenant
    });
    world["avepoint"] = tenants.collect();
    world.to_string()
}

/// A backup every day, the last one just now by a clock that is so much ahead.
fn backed_up_daily(name: &str, ahead: SignedDuration) -> Value {
    let last = Timestamp::now() + ahead;
    let job = |days: i64| {
        let end = last - SignedDuration::from_hours(24 * days);
        let start = end - SignedDuration::from_mins(20);
        json!({ "started": start.to_string(), "finished": end.to_string(), "status": "finished" })
    };
    let jobs: Vec<Value> = (0..5).map(job).collect();
    json!({ "environment": name, "profile": "Dynamics account", "scanned": false, "jobs": jobs })
}

fn client(at: usize) -> String {
    format!("ed0a5cad-0000-4000-8000-00000000b0{at:02x}")
}

fn place(at: usize) -> Place {
    let (center, identity, graph) = CENTERS[at];
    let name = format!("at-{center}");
    let yaml = replaced(&example_of(FOLDER, "3-connector.yaml"), "dataCenter: we", &format!("dataCenter: {center}"));
    let yaml = replaced(&yaml, "ed0a5cad-0000-4000-8000-00000000a05a", &client(at));
    let yaml = replaced(&yaml, "name: tailspin-dynamics", &format!("name: {name}"));
    Place { name, hosts: vec![identity.to_owned(), graph.to_owned()], yaml, id: String::new() }
}
