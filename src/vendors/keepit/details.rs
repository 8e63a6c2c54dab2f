//! What Keepit shows of one connector only: asked for where the Connector declares something about it, or a backup is due.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::HeaderName;

use super::client::{Login, ask, get, login, what};
use super::{Spec, facts};
use crate::cache::Shared;
use crate::fault::{Fault, Kind};
use crate::http::Way;
use crate::seen::Seen;
use crate::vendors::{At, Credential, Desk, Details, Jobs};

/// The attribute that stops a connector (facts/keepit.md §2.3).
pub const STOPPED: &str = "disable_backup";

/// What was read of one connector.
#[derive(Debug, Default)]
pub struct Pages {
    paused: Shared<bool>,
    members: Shared<Vec<String>>,
    jobs: Shared<Jobs>,
}

/// What Keepit shows of it, not older than `max_age`.
pub async fn inspect(
    spec: &Spec,
    at: At<'_>,
    jobs: bool,
    credential: &Credential,
    desk: &Desk,
    max_age: Duration,
) -> Details {
    let (Ok(login), Some(connector)) = (login(spec, credential, desk), at.connector) else { return Details::default() };
    let way = login.way(&desk.way);
    let pages: Arc<Pages> = desk.keepit.shown(&login, at.account).details.get(connector.to_owned(), Pages::default);
    let path = format!("/users/{}/devices/{connector}", at.account);
    let (paused, members, jobs) = futures::join!(
        wanted(spec.paused.is_some(), pages.paused.get(max_age, async { paused(&way, &login, &path).await.into() })),
        wanted(
            !spec.access.is_empty(),
            pages.members.get(max_age, async { members(&way, &login, &path).await.into() })
        ),
        wanted(jobs, pages.jobs.get(max_age, async { backups(&way, &login, &path).await.into() })),
    );
    Details { paused, members, jobs, audit: None }
}

async fn wanted<T>(wanted: bool, read: impl Future<Output = Seen<T>>) -> Option<Seen<T>> {
    if wanted { Some(read.await) } else { None }
}

/// `GET …/attributes/disable_backup`: the raw value. Of all attributes one may be of any size, so that they are not listed.
async fn paused(way: &Way, login: &Login, path: &str) -> Result<bool, Fault> {
    let path = format!("{path}/attributes/{STOPPED}");
    let answer = get(way, login, &path, Vec::new()).await?;
    match answer.fault("Keepit", what(&path)) {
        None => Ok(answer.body.trim_ascii() == b"1"),
        Some(fault) if fault.kind == Kind::NotFound => Ok(false),
        Some(fault) => Err(fault),
    }
}

/// `GET …/access_list`: guessed; where it is another one, nothing is known.
async fn members(way: &Way, login: &Login, path: &str) -> Result<Vec<String>, Fault> {
    let list = ask(way, login, &format!("{path}/access_list"), "access_list", None).await?;
    facts::members(&list).ok_or_else(|| {
        Fault::new(Kind::BadAnswer, "Keepit's access list of the connector is written in another way than is known")
    })
}

/// `GET …/jobs`: those that are over, too.
async fn backups(way: &Way, login: &Login, path: &str) -> Result<Jobs, Fault> {
    let path = format!("{path}/jobs");
    let headers = vec![(HeaderName::from_static("active-jobs-only"), "false".to_owned())];
    let answer = get(way, login, &path, headers).await?;
    match answer.fault("Keepit", what(&path)) {
        Some(fault) => Err(fault),
        None => {
            super::client::document(&answer.body, "jobs", what(&path)).map(|jobs| facts::jobs(&jobs, Timestamp::now()))
        }
    }
}
