//! Is AvePoint in this world as its pages say it is?

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says so by panicking")]
#![allow(clippy::needless_pass_by_value, reason = "values are made where they are handed over")]

mod audit;
mod authorization;
mod backups;
#[path = "../common/mod.rs"]
mod common;
mod jobs;
mod pages;
mod registrations;
mod sign_in;

use backstay_world::TAILSPIN;
use common::{Got, Visit, visit};
use reqwest::Method;
use serde_json::{Value, json};

const TOKEN: &str = "https://identity.avepointonlineservices.com/connect/token";
const API: &str = "https://graph-we.avepointonlineservices.com";
const CLIENT: &str = "ed0a5cad-0000-4000-8000-00000000a05a";
const SECRET: &str = "world-avepoint-secret";
const DYNAMICS: &str = "dynamics.readwrite.all";
const AUDIT: &str = "audit.read.all";
const ADA: &str = "ada@tailspin.com";
const SERVICE_ACCOUNT: &str = "svc-avepoint@tailspin.com";
const MODERN_APP: &str = "a7e90000-0000-4000-8000-00000000d365";

async fn tailspin() -> Visit {
    visit(TAILSPIN).await
}

/// With these switches of AvePoint's.
async fn switched(switches: &str) -> Visit {
    visit(&format!("{TAILSPIN}\nswitches: {{ avepoint: {{ {switches} }} }}\n")).await
}

/// With pieces of the file replaced; each has to occur.
async fn tailspin_with(changes: &[(&str, &str)]) -> Visit {
    let mut yaml = TAILSPIN.to_owned();
    for (from, to) in changes {
        assert!(yaml.contains(from), "not in tailspin.yaml: {from}");
        yaml = yaml.replacen(from, to, 1);
    }
    visit(&yaml).await
}

fn with_secret<'a>(secret: &'a str, scope: &'a str) -> [(&'a str, &'a str); 4] {
    [("grant_type", "client_credentials"), ("client_id", CLIENT), ("client_secret", secret), ("scope", scope)]
}

impl Visit {
    fn act(&self, action: &str, words: Value) -> Value {
        self.world.act(action, words).unwrap_or_else(|why| panic!("{action}: {why}"))
    }

    /// The sentence with which it is refused.
    fn refused(&self, action: &str, words: Value) -> String {
        self.world.act(action, words).map_or_else(|why| why.to_string(), |done| panic!("{action} was done: {done}"))
    }

    fn advance(&self, hours: i64) {
        self.act("advance", json!({ "hours": hours }));
    }

    fn switch(&self, name: &str, value: Value) {
        self.act("set-switch", json!({ "name": format!("avepoint.{name}"), "value": value }));
    }

    async fn avepoint_token(&self, scope: &str) -> String {
        let got = self.send(self.client.post(TOKEN).form(&with_secret(SECRET, scope))).await;
        assert_eq!(got.status, 200, "{}", got.text);
        got.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// With a token of its own.
    async fn api(&self, path: &str, scope: &str) -> Got {
        let token = self.avepoint_token(scope).await;
        self.call(Method::GET, &format!("{API}{path}"), &token, None).await
    }

    /// The answer about all jobs that began between a year ago and a year from now; `more` is further query.
    async fn jobs(&self, more: &str) -> Value {
        let got =
            self.api(&format!("/dynamicsbackup/jobs?type=0&pageSize=1000&{}{more}", whole_time()), DYNAMICS).await;
        assert_eq!(got.status, 200, "{}", got.text);
        got.json()
    }

    /// (organization, status) of each, the newest first.
    async fn told(&self) -> Vec<(String, u64)> {
        let told =
            |job: &Value| (job["organizationName"].as_str().unwrap().to_owned(), job["status"].as_u64().unwrap());
        self.jobs("").await["jobs"].as_array().unwrap().iter().map(told).collect()
    }

    /// Statuses of an organization's jobs, the newest first.
    async fn statuses(&self, organization: &str) -> Vec<u64> {
        self.told().await.into_iter().filter(|(name, _)| name == organization).map(|(_, status)| status).collect()
    }

    /// Rows of the audit of the last hours.
    async fn audit(&self, more: &str) -> Value {
        let got = self.api(&format!("/aos/audit?{}{more}", last_days()), AUDIT).await;
        assert_eq!(got.status, 200, "{}", got.text);
        got.json()
    }
}

fn around(before_hours: i64, after_hours: i64) -> (jiff::Timestamp, jiff::Timestamp) {
    let now = jiff::Timestamp::now();
    (now - jiff::SignedDuration::from_hours(before_hours), now + jiff::SignedDuration::from_hours(after_hours))
}

fn whole_time() -> String {
    let (from, to) = around(24 * 365, 24 * 365);
    format!("startTime={from}&finishTime={to}")
}

fn last_days() -> String {
    let (from, to) = around(48, 48);
    format!("startTime={from}&endTime={to}")
}
