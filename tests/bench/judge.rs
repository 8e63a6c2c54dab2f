//! How long what only computes takes: reading answers, judging them, planning and reporting. Figures, never a test.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod crowd;

use std::hint::black_box;
use std::time::Duration;

use backstay::policy::preview::Preview;
use backstay::policy::profiles::{KEEPIT_POWER_PLATFORM, Requirement, requirements};
use backstay::policy::rules::{Circumstances, Rule, Verdict, judge};
use backstay::runtime::Settings;
use backstay::runtime::grants::Grants;
use backstay::tenant::facts::AccountFacts;
use backstay::tenant::parse;
use criterion::{Criterion, Throughput};
use jiff::Timestamp;

/// Ten thousand findings: so many environments, and the four rules that are judged in each.
const ENVIRONMENTS: usize = 2_500;
/// A large tenant.
const MANY: usize = 500;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    judging(&mut criterion);
    parsing(&mut criterion);
    planning_and_reporting(&mut criterion);
    criterion.final_summary();
}

/// The requirements that are judged in each environment, each kind of them once: both vendors ask for some of the same.
fn in_environments() -> Vec<Requirement> {
    let mut all = requirements(&crowd::policy().spec);
    let facts = crowd::facts(1);
    all.retain(|it| {
        let of_its_own = it.profile == KEEPIT_POWER_PLATFORM || matches!(it.rule, Rule::TablePrivileges(_));
        of_its_own && matches!(judge(&it.rule, &facts, Circumstances::default()), Verdict::Environments(_))
    });
    all
}

fn findings(requirements: &[Requirement], facts: &AccountFacts) -> usize {
    let verdicts = requirements.iter().map(|it| judge(&it.rule, facts, Circumstances::default()));
    verdicts.map(|verdict| if let Verdict::Environments(each) = black_box(verdict) { each.len() } else { 0 }).sum()
}

fn judging(criterion: &mut Criterion) {
    let (requirements, facts) = (in_environments(), crowd::facts(ENVIRONMENTS));
    let judged = findings(&requirements, &facts);
    println!("judge: {} rules in {ENVIRONMENTS} environments are {judged} findings", requirements.len());
    let mut group = criterion.benchmark_group("judge");
    group.throughput(Throughput::Elements(judged as u64));
    group.bench_function("10,000 rule × environment findings", |bench| {
        bench.iter(|| findings(black_box(&requirements), black_box(&facts)));
    });
    group.finish();
}

fn parsing(criterion: &mut Criterion) {
    let bodies = crowd::Bodies::of(MANY);
    println!("parse: {} answers, {} bytes", bodies.count(), bodies.bytes());
    let mut group = criterion.benchmark_group("parse");
    group.throughput(Throughput::Bytes(bodies.bytes() as u64));
    group.bench_function("what 500 environments answer", |bench| {
        bench.iter(|| {
            black_box(parse::environments(&bodies.environments).unwrap());
            for body in &bodies.rows {
                black_box(parse::row(body).unwrap());
            }
            for body in &bodies.privileges {
                black_box(parse::privileges(body).unwrap());
            }
        });
    });
    group.finish();
}

fn planning_and_reporting(criterion: &mut Criterion) {
    let policy = crowd::policy();
    let settings = Settings {
        operator_namespace: String::new(),
        secrets: backstay::runtime::secrets::WatchedSecrets::Everywhere,
        own_identity: None,
        grants: Grants::default(),
        read_only: true,
        waiting_interval: Duration::from_mins(1),
        deletions_per_minute: 3,
        deletion_patience: Duration::from_mins(15),
    };
    let preview = Preview::of(&policy, crowd::facts(MANY), crowd::demands(), Timestamp::UNIX_EPOCH);
    let status = preview.status(&settings).unwrap();
    println!("status: {} bytes for {MANY} environments", serde_json::to_vec(&status).unwrap().len());
    let mut group = criterion.benchmark_group("resolve, plan and report");
    group.bench_function("a policy over 500 environments", |bench| {
        bench.iter(|| black_box(preview.status(black_box(&settings)).unwrap()));
    });
    group.finish();
}
