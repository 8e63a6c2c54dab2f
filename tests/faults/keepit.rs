//! Keepit's four reads: one region for each case, so that one operator sees many of them at once.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::cases::{Case, Format, HERE, Upset, answer, common};
use crate::harness::calls::{at_keepit, replaced, settled};
use crate::harness::{AT_KEEPIT, Scene, example};
use crate::scenes::{Call, Place, Vendor};

pub const VENDOR: Vendor =
    Vendor { label: "Keepit", calls, world, place, secrets: || example("1-secrets.yaml"), policy: Scene::policy_yaml };

/// Those that the operator knows.
const REGIONS: [&str; 8] = ["au-sy", "ca-tr", "ch-zh", "de-fr", "dk-co", "uk-ld", "us-dc", "ws"];
const OWN_ACCOUNT: &str = "/users/$";
const ACCOUNT: &str = "kp7a2b-c3d4e5-f6g7h8";

fn calls() -> Vec<Call> {
    let now = Timestamp::now();
    let call = |title, path, unknown: String| Call {
        title,
        path,
        // A token belongs to one account for ever.
        again: path != OWN_ACCOUNT,
        places: REGIONS.len(),
        cases: cases(&unknown),
    };
    let mut summary = call(
        "Backup summary",
        "/users/*/monitoring/backup/summary$",
        format!(
            "<backup-summary new=\"1\"><new/><device><guid>{HERE}</guid><last-snapshot-time>{now}</last-snapshot-time>\
             <last-complete-snapshot-time>{now}</last-complete-snapshot-time><new><newer/></new></device></backup-summary>"
        ),
    );
    summary.cases.push(Case::bad(
        "a time that is none",
        answer(
            200,
            "application/xml",
            format!(
                "<backup-summary><device><guid>{HERE}</guid><last-snapshot-time>of late</last-snapshot-time></device></backup-summary>"
            ),
        ),
    ));
    for (name, ahead, harmless) in [
        ("Keepit's clock is half an hour ahead", SignedDuration::from_mins(30), true),
        ("Keepit's clock is two days ahead", SignedDuration::from_hours(48), false),
        ("Keepit's clock is two days behind", SignedDuration::from_hours(-48), false),
    ] {
        summary.cases.push(Case { name: name.to_owned(), upset: Upset::Ahead(ahead), harmless });
    }
    vec![
        call("Own account", OWN_ACCOUNT, format!("<user new=\"1\"><new/><id>{ACCOUNT}</id><new><newer/></new></user>")),
        call(
            "List of connectors",
            "/users/*/devices$",
            format!(
                "<devices new=\"1\"><new/><cloud new=\"1\"><guid>{HERE}</guid><name>{AT_KEEPIT}</name><type>dynamics365</type>\
                 <accessible>true</accessible><new><newer/></new></cloud></devices>"
            ),
        ),
        call(
            "Health of connectors",
            "/users/*/devices/health$",
            format!(
                "<devhealth new=\"1\"><new/><device><guid>{HERE}</guid><health>healthy</health><reason>OK</reason>\
                 <new><newer/></new></device></devhealth>"
            ),
        ),
        summary,
    ]
}

/// What is the same for each call, and what can be wrong with XML; `unknown`: the answer with elements that nobody knows.
fn cases(unknown: &str) -> Vec<Case> {
    let xml = |body: &str| answer(200, "application/xml", body);
    let own = "<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><a>&b;</a>";
    let mut all = common(Format::Xml);
    all.push(Case::harmless("XML with unknown elements", xml(unknown)));
    all.push(Case::bad("XML of another kind", xml("<other><id>1</id></other>")));
    all.push(Case::bad("XML that ends in the middle", xml("<user><id>kp7a2b-c3")));
    all.push(Case::bad("XML nested 1000 deep", xml(&"<a>".repeat(1000))));
    all.push(Case::bad("XML with a document type", xml(own)));
    all.push(Case::bad("XML with entities of its own", xml("<user><id>&b;</id></user>")));
    all
}

fn world(cases: &[Case]) -> String {
    settled(|world| {
        let template = world["keepit"][0].clone();
        let regions = REGIONS.iter().zip(cases).enumerate().map(|(at, (region, case))| {
            let mut installation = template.clone();
            installation["region"] = json!(region);
            installation["accounts"][0]["connectors"] = json!([connector(at, case)]);
            installation
        });
        world["keepit"] = regions.collect();
    })
}

fn connector(at: usize, case: &Case) -> Value {
    let mut connector = at_keepit(AT_KEEPIT);
    connector["id"] = json!(id(at));
    if let Upset::Ahead(ahead) = &case.upset {
        connector["snapshots"][0]["time"] = json!((Timestamp::now() + *ahead).to_string());
    }
    connector
}

/// Each region has a connector of its own: two objects that name one would be in each other's way.
fn id(at: usize) -> String {
    format!("aaaaaa-bbbbbb-ccccc{at}")
}

fn place(at: usize) -> Place {
    let name = format!("at-{}", REGIONS[at]);
    let yaml = replaced(&example("3-connector.yaml"), "region: dk-co", &format!("region: {}", REGIONS[at]));
    let yaml = replaced(&yaml, "name: contoso-power-platform", &format!("name: {name}"));
    Place { name, hosts: vec![format!("{}.keepit.com", REGIONS[at])], yaml, id: id(at) }
}
