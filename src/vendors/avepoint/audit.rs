//! What AvePoint's audit shows that people have done (facts/avepoint-fluentpro.md §2a): asked for while a person is asked for something.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use url::Url;

use super::Spec;
use super::client::{Account, Asking};
use super::facts;
use super::login::Login;
use crate::fault::{Fault, Kind};
use crate::seen::Seen;
use crate::vendors::{Credential, Deed, Desk};

/// The longest window that the audit answers.
const DAYS: i64 = 7;
/// More pages are not read: what matters is new, and first.
const MOST_PAGES: usize = 20;

/// What people have done since this time, not older than `max_age`; `None`: the audit is not to be looked into.
pub async fn deeds(
    spec: &Spec,
    since: Timestamp,
    credential: &Credential,
    desk: &Desk,
    max_age: Duration,
) -> Option<Seen<Arc<[Deed]>>> {
    let scope = spec.audit_scope.as_deref()?;
    let now = Timestamp::now();
    let login = match Login::of(spec, credential, &desk.way, now) {
        Ok(login) => login.with_scope(scope),
        Err(fault) => return Some(Seen::Unknown(fault)),
    };
    let account = desk.avepoint.get(login.clone(), Account::default);
    let asking = Asking { way: &desk.way, login: &login, account: &account };
    let read = async { read(asking, now).await.into() };
    let all = account.audit.get(max_age, read).await;
    Some(all.map(|all: Arc<[Deed]>| all.iter().filter(|deed| deed.time >= since).cloned().collect()))
}

/// `GET /aos/audit`: all pages of the last week.
async fn read(asking: Asking<'_>, now: Timestamp) -> Result<Arc<[Deed]>, Fault> {
    let from = now.checked_sub(SignedDuration::from_hours(24 * DAYS)).unwrap_or(now);
    let (mut rows, mut next): (Vec<Row>, Option<String>) = (Vec::new(), None);
    for _ in 0..MOST_PAGES {
        let page = page(&asking, (from, now), next.as_deref()).await?;
        rows.extend(page.data);
        // Only the token of the link is taken: the link may name another host than the one that was asked.
        next = page.next_link.as_deref().and_then(skip_token);
        if next.is_none() {
            break;
        }
    }
    Ok(deeds_of(rows).into())
}

async fn page(asking: &Asking<'_>, (from, until): (Timestamp, Timestamp), skip: Option<&str>) -> Result<Page, Fault> {
    let mut url = Url::parse(&format!("https://{}/aos/audit", asking.login.center.graph))
        .map_err(|_| Fault::new(Kind::Bug, "a data center's address is not one"))?;
    let seconds = |time: Timestamp| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    url.query_pairs_mut()
        .append_pair("startTime", &seconds(from))
        .append_pair("endTime", &seconds(until))
        .append_pair("productTypes", "Portal,CRMBackup");
    if let Some(skip) = skip {
        url.query_pairs_mut().append_pair("skipToken", skip);
    }
    let answer = asking.ask(&url).await?;
    if answer.status == 401 {
        asking.account.tokens.forget().await;
    }
    if let Some(fault) = answer.fault("AvePoint", "audit") {
        return Err(fault);
    }
    serde_json::from_slice(&answer.body).map_err(|_| Fault::new(Kind::BadAnswer, "AvePoint's audit can't be read"))
}

fn skip_token(link: &str) -> Option<String> {
    let (_, query) = link.split_once('?')?;
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs.find(|(key, _)| key == "skipToken").map(|(_, value)| value.into_owned())
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    next_link: Option<String>,
    data: Vec<Row>,
}

/// One row; most of its fields may be null.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    action_name: Option<String>,
    action_user: Option<String>,
    action_time: Option<String>,
    module: Option<String>,
    object_name: Option<String>,
}

/// Words of what the hand-offs ask for: the exact ones of the audit are not documented. Scans also run by themselves.
const OURS: [&str; 4] = ["authoriz", "profile", "reconnect", "service account"];

/// The rows that speak of it, newest first.
fn deeds_of(rows: Vec<Row>) -> Vec<Deed> {
    let deed = |row: Row| {
        let (action, time) = (row.action_name?, facts::utc(&row.action_time?)?);
        let words = [Some(&action), row.module.as_ref(), row.object_name.as_ref()];
        let text = words.into_iter().flatten().map(|word| word.to_lowercase()).collect::<Vec<_>>().join(" ");
        let object = row.object_name.map(|object| format!(" of {}", short(&object))).unwrap_or_default();
        let what = format!("\"{}\"{object}", short(&action));
        let who = row.action_user.as_deref().map_or_else(|| "somebody".to_owned(), short);
        OURS.iter().any(|word| text.contains(word)).then_some(Deed { time, who, what })
    };
    let mut deeds: Vec<Deed> = rows.into_iter().filter_map(deed).collect();
    deeds.sort_by_key(|deed| std::cmp::Reverse(deed.time));
    deeds
}

/// As much of a foreign text as a sentence bears.
fn short(text: &str) -> String {
    text.chars().filter(|it| !it.is_control()).take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_nothing_to_do_with_it_is_left_out_and_nulls_are_borne() {
        let page: Page = serde_json::from_str(
            r#"{ "nextLink": "https://elsewhere.example/aos/audit?startTime=x&skipToken=a%2Fb", "data": [
                { "actionName": "Sign in", "actionUser": "a@b.c", "actionTime": "2026-11-20T09:00:00Z", "module": null, "objectName": null },
                { "actionName": "Re-authorize", "actionUser": null, "actionTime": "2026-11-20T08:00:00Z", "module": "App management", "objectName": "Mine" },
                { "actionName": "Update", "actionUser": "a@b.c", "actionTime": "2026-11-20T10:00:00Z", "module": "Service account", "objectName": null },
                { "actionName": null, "actionUser": null, "actionTime": null, "module": null, "objectName": null }
            ] }"#,
        )
        .unwrap();
        assert_eq!(page.next_link.as_deref().and_then(skip_token).as_deref(), Some("a/b"));
        let deeds = deeds_of(page.data).into_iter().map(|deed| format!("{} by {}", deed.what, deed.who));
        assert_eq!(deeds.collect::<Vec<_>>(), [r#""Update" by a@b.c"#, r#""Re-authorize" of Mine by somebody"#]);
    }
}
