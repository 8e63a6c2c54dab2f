//! A real Prometheus that scrapes operators, with the alerts of the chart.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::operator::Operator;

/// Some scrapes.
const LASTING: Duration = Duration::from_secs(3);

/// Ends with its test.
pub struct Prometheus {
    child: Child,
    folder: PathBuf,
    address: String,
    expressions: BTreeMap<String, String>,
}

impl Prometheus {
    /// Scrapes nobody yet. `None`, and that is said: this machine has no `prometheus` (Makefile, `test`).
    pub async fn start(folder: &Path) -> Option<Self> {
        let folder = folder.join("prometheus");
        std::fs::create_dir_all(&folder).unwrap();
        let rules = super::root().join("charts/backstay/files/alerts.yaml");
        let alerts: Value = serde_yaml::from_str(&std::fs::read_to_string(&rules).unwrap()).unwrap();
        let alerts = alerts["groups"][0]["rules"].as_array().unwrap();
        let text = |it: &Value| it.as_str().unwrap().to_owned();
        let expressions = alerts.iter().map(|it| (text(&it["alert"]), text(&it["expr"]))).collect();
        let config = json!({
            "global": { "scrape_interval": "1s", "evaluation_interval": "1s" },
            "rule_files": [rules],
            "scrape_configs": [{
                "job_name": "backstay",
                "file_sd_configs": [{ "files": [folder.join("targets.json")], "refresh_interval": "1s" }],
            }],
        });
        // JSON is YAML.
        std::fs::write(folder.join("prometheus.yaml"), config.to_string()).unwrap();
        std::fs::write(folder.join("targets.json"), "[]").unwrap();
        let log = std::fs::File::create(folder.join("log")).unwrap();
        let child = Command::new("prometheus")
            .arg("--config.file")
            .arg(folder.join("prometheus.yaml"))
            .arg("--storage.tsdb.path")
            .arg(folder.join("data"))
            // What was scraped last is what is there in the time to come, too: so it can be asked what will be then.
            .args(["--web.listen-address", "127.0.0.1:0", "--query.lookback-delta", "90d"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        let Ok(child) = child else {
            // Past what captures the output of tests: nobody must take it for tested.
            let skipped = b"skipped: there is no prometheus here; Debian's package prometheus has it\n";
            std::io::Write::write_all(&mut std::io::stderr(), skipped).unwrap();
            return None;
        };
        let mut prometheus = Self { child, folder, address: String::new(), expressions };
        prometheus.ready().await;
        Some(prometheus)
    }

    async fn ready(&mut self) {
        let begun = Instant::now();
        loop {
            let log = std::fs::read_to_string(self.folder.join("log")).unwrap();
            let address = log.split("msg=\"Listening on\" address=").nth(1).and_then(|rest| rest.lines().next());
            if let Some(address) = address.filter(|_| log.contains("Server is ready")) {
                address.clone_into(&mut self.address);
                return;
            }
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none() && begun.elapsed() < super::PATIENCE, "prometheus did not start:\n{log}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Scrapes this one and nobody else, from now on.
    pub async fn watch(&self, operator: &Operator) {
        let targets = json!([{ "targets": [operator.address()] }]);
        let new = self.folder.join("targets.new");
        std::fs::write(&new, targets.to_string()).unwrap();
        std::fs::rename(new, self.folder.join("targets.json")).unwrap();
        let up = format!("up{{instance=\"{}\"}} == 1", operator.address());
        let begun = Instant::now();
        while self.ask(&up, 0).await.is_empty() {
            assert!(begun.elapsed() < super::PATIENCE, "waited in vain for the operator to be scraped");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Which alerts are true, each with the names of the objects that it is about, if nothing changes for these hours.
    pub async fn alerts(&self, hours: i64) -> Vec<(String, Vec<String>)> {
        let mut all = Vec::new();
        for (alert, expression) in &self.expressions {
            let found = self.ask(expression, hours).await;
            if !found.is_empty() {
                let mut names: Vec<String> = found.iter().map(named).collect();
                names.sort();
                all.push((alert.clone(), names));
            }
        }
        all
    }

    /// Waits until these alerts, and no others, are true in so many hours; for some scrapes, and not only in passing.
    pub async fn until_alerts(&self, hours: i64, wanted: &[(&str, &[&str])]) {
        let wanted: Vec<(String, Vec<String>)> = wanted
            .iter()
            .map(|(alert, names)| ((*alert).to_owned(), names.iter().map(|it| (*it).to_owned()).collect()))
            .collect();
        let begun = Instant::now();
        let mut since = None;
        loop {
            let all = self.alerts(hours).await;
            since = (all == wanted).then(|| since.unwrap_or_else(Instant::now));
            if since.is_some_and(|since| since.elapsed() > LASTING) {
                return;
            }
            assert!(begun.elapsed() < super::PATIENCE, "waited in vain for {wanted:?} in {hours} h: {all:?}");
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }

    /// All alerts that there are.
    pub fn names(&self) -> Vec<&str> {
        self.expressions.keys().map(String::as_str).collect()
    }

    async fn ask(&self, query: &str, hours: i64) -> Vec<Value> {
        let time = (jiff::Timestamp::now().as_second() + hours * 3600).to_string();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("http://{}/api/v1/query", self.address);
        let request = client.get(url).query(&[("query", query), ("time", &time)]);
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        assert_eq!(answer["status"], "success", "{query}: {answer:#}");
        answer["data"]["result"].as_array().unwrap().clone()
    }
}

/// The object of a result, or whatever else it is about.
fn named(result: &Value) -> String {
    let labels = result["metric"].as_object().unwrap();
    let one = ["name", "service", "kind"].iter().find_map(|label| labels.get(*label));
    one.and_then(Value::as_str).unwrap_or_default().to_owned()
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
