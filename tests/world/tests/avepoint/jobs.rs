//! Whom does AvePoint's API let in, and which jobs does it list?

use backstay_world::Fault;
use reqwest::Method;
use serde_json::{Value, json};

use super::common::{Visit, contoso};
use super::{API, AUDIT, DYNAMICS, SECRET, TOKEN, around, switched, tailspin, tailspin_with, whole_time, with_secret};

const MICROSOFT_TENANT: &str = "7a115910-4b6e-4d2a-8f13-2c9e5a7b0d04";
const TOYS: &str = "44444444-aaaa-4bbb-8ccc-000000000003";

fn all() -> String {
    format!("/dynamicsbackup/jobs?type=0&{}", whole_time())
}

#[tokio::test]
async fn only_a_token_for_this_api_of_this_data_center_is_let_in() {
    let visit = tailspin().await;
    let url = format!("{API}{}", all());
    let unsigned = visit.send(visit.client.get(&url)).await;
    assert_eq!((unsigned.status, unsigned.headers["www-authenticate"].to_str().unwrap()), (401, "Bearer"));
    assert_eq!(visit.call(Method::GET, &url, "made-up", None).await.status, 401);
    assert_eq!(visit.api(&all(), DYNAMICS).await.status, 200);
    assert_eq!(visit.api(&all(), AUDIT).await.status, 403, "another scope");
    assert_eq!(visit.api("/aos/audit", DYNAMICS).await.status, 403, "another scope");
    assert_eq!(visit.api("/dynamicsbackup/organizations", DYNAMICS).await.status, 404, "there is no more than this");
    assert_eq!(visit.api("/aos/jobs", AUDIT).await.status, 404, "not in this world");

    let token = visit.avepoint_token(DYNAMICS).await;
    assert_eq!(visit.call(Method::POST, &url, &token, Some(json!({}))).await.status, 405);
    let microsoft = format!("{}/v1.0/organization", super::common::GRAPH);
    assert_eq!(visit.call(Method::GET, &microsoft, &token, None).await.status, 401, "Microsoft knows nothing of it");
    let elsewhere = url.replace("graph-we", "graph-us");
    assert_eq!(visit.call(Method::GET, &elsewhere, &token, None).await.status, 404);
    let government = url.replace("graph-we", "graph-gov");
    assert_eq!(visit.call(Method::GET, &government, &token, None).await.status, 401, "another identity service");
    for status in [401, 403] {
        visit.switch("wrong_data_center", json!(status));
        assert_eq!(visit.call(Method::GET, &elsewhere, &token, None).await.status, status);
    }
    visit.switch("missing_scope", json!(404));
    assert_eq!(visit.api(&all(), AUDIT).await.status, 404);
    visit.act("restrict-aos-addresses", json!({ "enabled": true }));
    assert_eq!(visit.api(&all(), DYNAMICS).await.status, 403);
    visit.act("restrict-aos-addresses", json!({ "enabled": false }));
    visit.advance(1);
    assert_eq!(visit.call(Method::GET, &url, &token, None).await.status, 401, "ended");

    let visit = tailspin_with(&[("    data_center: we\n", "    data_center: we\n    dynamics_backup: false\n")]).await;
    assert_eq!(visit.api(&all(), DYNAMICS).await.status, 404, "not subscribed to");
}

#[tokio::test]
async fn a_token_of_microsofts_is_no_token_here() {
    // Whatever the ids of the two tenants are.
    let same = format!("  - name: Tailspin\n    id: {MICROSOFT_TENANT}\n    data_center: we\n");
    let visit = tailspin_with(&[("  - name: Tailspin\n    data_center: we\n", &same)]).await;
    let scope = format!("{}/.default", super::common::GRAPH);
    let fields = with_secret("world-tailspin-secret", &scope)
        .map(|(key, value)| (key, if key == "client_id" { "c0ffee00-4444-4222-8333-444455556666" } else { value }));
    let got = visit.token_request(MICROSOFT_TENANT, &fields).await;
    assert_eq!(got.status, 200, "{}", got.text);
    let token = got.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(visit.call(Method::GET, &format!("{API}{}", all()), &token, None).await.status, 401);
}

#[tokio::test]
async fn every_data_center_of_the_table_answers_if_anybody_is_a_customer() {
    let visit = tailspin().await;
    let (here, nowhere) = (
        "au sg ca ne we fr de jp kr ch uk us uae za qa gov aos2 gcp-au gcp-jp gcp-us gcp-we gcp-kr",
        ["graph.avepointonlineservices.com", "graph-mars.avepointonlineservices.com"],
    );
    let regional = here.split(' ').map(|name| format!("graph-{name}.avepointonlineservices.com"));
    for host in regional.chain(["graphusgovapi.online15.net".to_owned()]) {
        assert_eq!(visit.send(visit.client.get(format!("https://{host}{}", all()))).await.status, 401, "{host}");
    }
    for host in nowhere {
        assert!(visit.client.get(format!("https://{host}/")).send().await.is_err(), "{host}");
    }
    let without = contoso().await;
    assert!(without.client.get(format!("{API}{}", all())).send().await.is_err());
    assert!(without.client.post(TOKEN).form(&with_secret(SECRET, AUDIT)).send().await.is_err());
}

#[tokio::test]
async fn errors_without_a_documented_form_have_the_form_of_the_switch() {
    let visit = tailspin().await;
    let fields = async |form: &str| {
        visit.switch("error_body", json!(form));
        let got = visit.api(&all(), AUDIT).await;
        assert_eq!(got.status, 403);
        got.text
    };
    let keys = |text: &str| -> Vec<String> {
        serde_json::from_str::<serde_json::Map<String, Value>>(text).unwrap().keys().cloned().collect()
    };
    assert_eq!(keys(&fields("audit").await), ["error", "statusCode", "traceId"]);
    let of_microsoft365 = ["errors", "message", "requestId", "statusCode", "timestamp", "traceId"];
    assert_eq!(keys(&fields("microsoft365").await), of_microsoft365);
    assert!(fields("text").await.contains("permission"));
    assert_eq!(fields("empty").await, "");
}

#[tokio::test]
async fn a_job_has_the_fields_of_the_sample_and_no_other() {
    let visit = tailspin().await;
    let body = visit.jobs("").await;
    let keys = |it: &Value| it.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&body), ["jobs", "nextLink", "pageIndex", "pageSize", "totalCount"]);
    assert_eq!(body["totalCount"], body["jobs"].as_array().unwrap().len());
    let job = body["jobs"].as_array().unwrap().iter().find(|job| job["organizationName"] == "Tailspin Toys").unwrap();
    let mut fields: Vec<String> = ["Entity", "Record"]
        .iter()
        .flat_map(|what| ["successful", "failed", "skipped", "warning", "total"].map(|name| format!("{name}{what}")))
        .collect();
    fields.extend(
        "module type jobId startTime finishTime durationHours status backupSize organizationId organizationName"
            .split(' ')
            .map(str::to_owned),
    );
    fields.sort();
    assert_eq!(keys(job), fields);
    assert_eq!((&job["module"], &job["type"], &job["status"]), (&json!("Customer Engagement"), &json!(1), &json!(3)));
    let id = job["jobId"].as_str().unwrap();
    assert!(id.starts_with("DCIB") && id.len() == 26 && id[4..].bytes().all(|it| it.is_ascii_digit()), "{id}");
    let time = |name: &str| {
        let text = job[name].as_str().unwrap();
        assert!(text.ends_with('Z') && text.len() <= "2022-08-19T03:12:43.823Z".len(), "milliseconds in UTC: {text}");
        text.parse::<jiff::Timestamp>().unwrap()
    };
    let took = time("finishTime").duration_since(time("startTime"));
    assert_eq!(took.as_mins(), 20);
    assert!((job["durationHours"].as_f64().unwrap() - 1.0 / 3.0).abs() < 1e-6);
    assert_eq!(job["totalEntity"], job["successfulEntity"]);
    assert!(job["backupSize"].as_u64().unwrap() > 0);
}

async fn status_of(visit: &Visit, query: &str) -> u16 {
    visit.api(&format!("/dynamicsbackup/jobs?{query}"), DYNAMICS).await.status
}

#[tokio::test]
async fn wrong_parameters_are_400() {
    let visit = tailspin().await;
    let window = whole_time();
    assert_eq!(status_of(&visit, &format!("type=1&{window}&status=3&organizationId={TOYS}")).await, 200);
    assert_eq!(status_of(&visit, "type=0&startTime=2026-01-01T00:00:00&finishTime=2026-01-02T00:00:00").await, 200);
    let wrong = [
        window.clone(),
        "type=0&startTime=2026-01-01T00:00:00Z".into(),
        "type=0&finishTime=2026-01-01T00:00:00Z".into(),
        "type=0&startTime=yesterday&finishTime=2026-01-01T00:00:00Z".into(),
        "type=0&startTime=2026-01-02T00:00:00Z&finishTime=2026-01-01T00:00:00Z".into(),
        format!("type=3&{window}"),
        format!("type=backup&{window}"),
        format!("type=0&status=1&{window}"),
        format!("type=0&organizationId=Tailspin&{window}"),
        format!("type=0&pageIndex=0&{window}"),
        format!("type=0&pageSize=0&{window}"),
        format!("type=0&pageSize=many&{window}"),
        format!("type=0&endTime=2026-01-01T00:00:00Z&{window}"),
    ];
    for query in wrong {
        assert_eq!(status_of(&visit, &query).await, 400, "{query}");
    }
    visit.switch("longest_window_hours", json!(24));
    assert_eq!(status_of(&visit, &format!("type=0&{window}")).await, 400);
}

#[tokio::test]
async fn pages_count_from_one_and_the_next_link_leads_nowhere() {
    let visit = tailspin().await;
    visit.advance(24 * 20);
    let page = async |more: &str| {
        let got = visit.api(&format!("{}{more}", all()), DYNAMICS).await;
        assert_eq!(got.status, 200, "{}", got.text);
        got.json()
    };
    let first = page("").await;
    let total = first["totalCount"].as_u64().unwrap();
    assert!(total > 60, "{total}");
    assert_eq!((&first["pageIndex"], &first["pageSize"]), (&json!(1), &json!(10)));
    assert_eq!(first["jobs"].as_array().unwrap().len(), 10);
    let link = first["nextLink"].as_str().unwrap();
    assert!(link.starts_with("/jobs?pageIndex=2&pageSize=10&startTime="), "{link}");
    assert_eq!(visit.api(link, DYNAMICS).await.status, 404, "it lacks /dynamicsbackup");

    let mut seen = Vec::new();
    for index in 1.. {
        let body = page(&format!("&pageIndex={index}&pageSize=25")).await;
        let jobs = body["jobs"].as_array().unwrap();
        seen.extend(jobs.iter().map(|job| job["jobId"].as_str().unwrap().to_owned()));
        if body["nextLink"].is_null() {
            break;
        }
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len() as u64, total, "each once");
    assert!(page("&pageIndex=99").await["jobs"].as_array().unwrap().is_empty());
    visit.switch("largest_page", json!(7));
    let cut = page("&pageSize=50").await;
    assert_eq!((cut["jobs"].as_array().unwrap().len(), &cut["pageSize"]), (7, &json!(7)));
}

#[tokio::test]
async fn jobs_are_found_by_time_type_status_and_organization() {
    let toys = |file: &str| format!("profile: Dynamics app, protected_hours_ago: 73, {file} }}");
    let jobs = "jobs: [{ type: 8, started: 2026-01-02T00:00:00Z, finished: 2026-01-02T02:00:00Z }, { type: 2, status: failed, started: 2026-01-03T00:00:00Z, finished: 2026-01-03T01:00:00Z }]";
    let visit = tailspin_with(&[("profile: Dynamics app, protected_hours_ago: 73 }", &toys(jobs))]).await;
    let count = async |query: &str| {
        let got = visit.api(&format!("/dynamicsbackup/jobs?{query}"), DYNAMICS).await;
        assert_eq!(got.status, 200, "{}", got.text);
        got.json()["totalCount"].as_u64().unwrap()
    };
    let whole = whole_time();
    assert_eq!(count(&format!("type=8&{whole}")).await, 1);
    assert_eq!(count(&format!("type=2&{whole}")).await, 1);
    assert_eq!(count(&format!("type=2&status=3&{whole}")).await, 0);
    assert_eq!(count(&format!("type=0&status=4&{whole}")).await, 1);
    let at = |from: &str, to: &str| format!("type=8&startTime={from}&finishTime={to}");
    assert_eq!(count(&at("2026-01-01T23:00:00Z", "2026-01-02T01:00:00Z")).await, 1, "it began then");
    assert_eq!(count(&at("2026-01-02T01:00:00Z", "2026-01-02T03:00:00Z")).await, 0, "it only ended then");
    visit.switch("job_window", json!("finish"));
    assert_eq!(count(&at("2026-01-02T01:00:00Z", "2026-01-02T03:00:00Z")).await, 1);
    visit.switch("jobs_listed_hours", json!(24 * 14));
    assert_eq!(count(&format!("type=8&{whole}")).await, 0, "no longer listed");
    visit.switch("job_window", json!("start"));

    let ids = async || {
        let body = visit.jobs("").await;
        let of_toys = body["jobs"].as_array().unwrap().iter().find(|job| job["organizationName"] == "Tailspin Toys");
        of_toys.unwrap()["organizationId"].as_str().unwrap().to_owned()
    };
    let mut all = Vec::new();
    for whose in ["dataverse", "environment", "own"] {
        visit.switch("organization_id", json!(whose));
        let id = ids().await;
        assert_eq!(count(&format!("type=1&organizationId={}&{whole}", id.to_uppercase())).await, 4, "{whose}");
        all.push(id);
    }
    assert_eq!(all[1], TOYS);
    assert_eq!(count(&format!("type=1&organizationId={}&{whole}", all[0])).await, 0, "only its own id finds it");
    assert!(all[0] != all[1] && all[1] != all[2] && all[0] != all[2]);
}

#[tokio::test]
async fn a_running_job_and_the_order_are_as_the_switches_say() {
    let visit = switched("running_jobs: year_one").await;
    // The daily backup of Toys began 73 hours ago: the next one begins in 23 hours.
    visit.act("advance", json!({ "hours": 23, "minutes": 5 }));
    let running = async || visit.jobs("&status=2").await["jobs"].as_array().unwrap().clone();
    assert_eq!(running().await[0]["finishTime"], "0001-01-01T00:00:00Z");
    visit.switch("running_jobs", json!("null_finish"));
    let jobs = running().await;
    assert_eq!((jobs.len(), &jobs[0]["finishTime"], &jobs[0]["status"]), (3, &Value::Null, &json!(2)));
    visit.switch("running_jobs", json!("hidden"));
    assert!(running().await.is_empty());

    let starts = async || -> Vec<String> {
        let body = visit.jobs("").await;
        body["jobs"].as_array().unwrap().iter().map(|job| job["startTime"].as_str().unwrap().to_owned()).collect()
    };
    let newest_first = starts().await;
    assert!(newest_first.is_sorted_by(|one, next| one >= next), "{newest_first:?}");
    visit.switch("job_order", json!("oldest_first"));
    assert!(starts().await.is_sorted());
}

#[tokio::test]
async fn requests_to_avepoint_go_wrong_as_any_others() {
    let visit = tailspin().await;
    let (from, to) = around(24, 24);
    visit.world.fault(Fault {
        host: Some("graph-we.avepointonlineservices.com".into()),
        path: Some("/dynamicsbackup".into()),
        status: Some(429),
        headers: [("Retry-After".to_owned(), "7".to_owned())].into(),
        times: Some(1),
        ..Fault::default()
    });
    let path = format!("/dynamicsbackup/jobs?type=0&startTime={from}&finishTime={to}");
    let throttled = visit.api(&path, DYNAMICS).await;
    assert_eq!((throttled.status, throttled.headers["retry-after"].to_str().unwrap()), (429, "7"));
    assert_eq!(visit.api(&path, DYNAMICS).await.status, 200);
    visit.world.fault(Fault { path: Some("/connect/token".into()), status: Some(503), ..Fault::default() });
    let got = visit.send(visit.client.post(TOKEN).form(&with_secret(SECRET, AUDIT))).await;
    assert_eq!(got.status, 503);
}
