//! Which calls are made at AvePoint, once for each app registration (facts/avepoint-fluentpro.md §2a).

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use url::Url;

use super::Spec;
use super::facts::{self, BACKUP, Job, Page};
use super::login::{Login, Tokens};
use crate::cache::{Keyed, Shared};
use crate::fault::{Fault, Kind};
use crate::http::{Effect, Proof, Request, Way};
use crate::seen::Seen;
use crate::vendors::{Credential, Deed, Desk, Sight};

/// What was read, by app registration: who presents the same one shares the answers.
pub type Accounts = Keyed<Login, Account>;

/// What was read with one app registration.
#[derive(Debug, Default)]
pub struct Account {
    pub(super) tokens: Tokens,
    /// What people have done in the last week.
    pub(super) audit: Shared<Arc<[Deed]>>,
    /// Jobs of the last days: what may have changed since the last look.
    recent: Shared<Arc<[Job]>>,
    /// Jobs of each week that is looked through, by its number since 1970: what was read of one is kept when another fails.
    weeks: Keyed<i64, Shared<Arc<[Job]>>>,
}

/// So far is looked back for an organization's jobs: this week, and so many before it.
const WEEKS: i64 = 4;
const DAYS: i64 = 7 * WEEKS;
/// In seconds. A week is the longest window that is asked for at once: the interface names no limit for jobs, and this one for its
/// audit.
const WEEK: i64 = 7 * 24 * 3600;
/// What began before this has ended.
const RECENT_DAYS: i64 = 3;
/// How often the jobs of a week are read again: they change no more, but retention takes them away.
const OLDER_EVERY: Duration = Duration::from_hours(6);
/// Jobs on a page: the server may give fewer.
const PAGE_SIZE: usize = 100;
/// More jobs in one window are not read: something is wrong with the answers.
const MOST_JOBS: usize = 20_000;

/// What AvePoint shows to this app registration, not older than `max_age`.
pub async fn look(spec: &Spec, credential: &Credential, desk: &Desk, max_age: Duration) -> Sight {
    let login = match Login::of(spec, credential, &desk.way, Timestamp::now()) {
        Ok(login) => login,
        Err(fault) => return Sight::nothing(&fault),
    };
    let account = desk.avepoint.get(login.clone(), Account::default);
    let now = Timestamp::now();
    let asking = Asking { way: &desk.way, login: &login, account: &account };
    let jobs = match asking.jobs(now, max_age).await {
        Ok(jobs) => jobs,
        // Without a sign-in there is no account; whatever else fails leaves it as it is.
        Err(fault) if fault.kind == Kind::CredentialRefused => return Sight::nothing(&fault),
        Err(fault) => return Sight::new(Seen::Known(None), Seen::Unknown(fault)),
    };
    let connector = facts::connector(&spec.organizations, &jobs, DAYS);
    Sight::new(Seen::Known(None), connector.map(|connector| [connector].into()).into())
}

/// A little into the future: clocks differ, and what began just now must not be missed.
fn soon(now: Timestamp) -> Timestamp {
    now.checked_add(SignedDuration::from_hours(1)).unwrap_or(now)
}

/// Each job once, as it was seen last. What began in the last days and is listed there no longer is gone.
fn merged(older: &[Arc<[Job]>], recent: &[Job], now: Timestamp) -> Vec<Job> {
    let newer: HashSet<&str> = recent.iter().map(|job| job.id.as_str()).collect();
    let begin = now.checked_sub(SignedDuration::from_hours(24 * RECENT_DAYS)).unwrap_or(now);
    let kept = older
        .iter()
        .flat_map(|week| week.iter())
        .filter(|job| job.start_time < begin && !newer.contains(job.id.as_str()));
    recent.iter().chain(kept).cloned().collect()
}

/// One app registration that asks.
pub(super) struct Asking<'a> {
    pub(super) way: &'a Way,
    pub(super) login: &'a Login,
    pub(super) account: &'a Account,
}

impl Asking<'_> {
    /// The backup jobs of all weeks that are looked through, each as it was seen last.
    async fn jobs(&self, now: Timestamp, max_age: Duration) -> Result<Vec<Job>, Fault> {
        let mut older: Vec<Arc<[Job]>> = Vec::new();
        let this = now.as_second().div_euclid(WEEK);
        for week in this - WEEKS..=this {
            let of_week = self.account.weeks.get(week, Shared::default);
            let read = async { self.week(week, now).await.into() };
            match of_week.get_lasting(OLDER_EVERY, max_age, read).await {
                Seen::Known(jobs) => older.push(jobs),
                Seen::Unknown(fault) => return Err(fault),
            }
        }
        let days = SignedDuration::from_hours(24 * RECENT_DAYS);
        let since = now.checked_sub(days).unwrap_or(now);
        let recent = async { self.window(since, soon(now)).await.map(Arc::from).into() };
        match self.account.recent.get(max_age, recent).await {
            Seen::Known(recent) => Ok(merged(&older, &recent, now)),
            Seen::Unknown(fault) => Err(fault),
        }
    }

    /// The backup jobs of one week.
    async fn week(&self, week: i64, now: Timestamp) -> Result<Arc<[Job]>, Fault> {
        let at = |week: i64| Timestamp::from_second(week * WEEK).unwrap_or(now);
        self.window(at(week), at(week + 1).min(soon(now))).await.map(Arc::from)
    }

    /// All pages of one window: their own links lead nowhere, so that pages are counted.
    async fn window(&self, from: Timestamp, until: Timestamp) -> Result<Vec<Job>, Fault> {
        let mut jobs: Vec<Job> = Vec::new();
        for index in 1.. {
            let page = self.page(from, until, index).await?;
            let (total, empty) = (page.total_count, page.jobs.is_empty());
            jobs.extend(page.jobs);
            if total > MOST_JOBS {
                return Err(Fault::new(
                    Kind::BadAnswer,
                    format!("AvePoint lists {total} jobs in a week, too many to be true"),
                ));
            }
            if jobs.len() >= total {
                break;
            }
            // A list that ends before its end was not seen whole: what is missing might be what is looked for.
            if empty {
                return Err(Fault::new(Kind::BadAnswer, "AvePoint's list of jobs ends before its end"));
            }
        }
        Ok(jobs)
    }

    async fn page(&self, from: Timestamp, until: Timestamp, index: usize) -> Result<Page, Fault> {
        let mut url = Url::parse(&format!("https://{}/dynamicsbackup/jobs", self.login.center.graph))
            .map_err(|_| Fault::new(Kind::Bug, "a data center's address is not one"))?;
        let seconds = |time: Timestamp| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        url.query_pairs_mut()
            .append_pair("type", &BACKUP.to_string())
            .append_pair("startTime", &seconds(from))
            .append_pair("finishTime", &seconds(until))
            .append_pair("pageIndex", &index.to_string())
            .append_pair("pageSize", &PAGE_SIZE.to_string());
        let answer = match self.ask(&url).await? {
            // It was revoked, most likely: once more with a new one.
            answer if answer.status == 401 => {
                self.account.tokens.forget().await;
                self.ask(&url).await?
            }
            answer => answer,
        };
        match answer.status {
            401 => {
                return Err(Fault::new(
                    Kind::CredentialRefused,
                    "AvePoint does not accept the token that it gave the app registration (list of jobs: HTTP 401): \
                     spec.vendor.avePoint.dataCenter or scope may be another one than the app registration's",
                ));
            }
            403 => {
                return Err(Fault::new(
                    Kind::PermissionMissing,
                    "AvePoint does not show jobs to the app registration: grant it Dynamics.ReadWrite.All, or list the \
                     operator's address under Security > Trusted IP addresses",
                ));
            }
            404 => {
                return Err(Fault::new(
                    Kind::NotFound,
                    "AvePoint has no jobs here: spec.vendor.avePoint.dataCenter may be another one than the tenant's, or the \
                     tenant has no Cloud Backup for Dynamics 365",
                ));
            }
            _ => {}
        }
        if let Some(fault) = answer.fault("AvePoint", "list of jobs") {
            return Err(fault);
        }
        serde_json::from_slice(&answer.body)
            .map_err(|_| Fault::new(Kind::BadAnswer, "AvePoint's list of jobs can't be read"))
    }

    pub(super) async fn ask(&self, url: &Url) -> Result<crate::http::Answer, Fault> {
        let token = self.account.tokens.token(self.login, self.way).await?;
        self.way
            .on_behalf_of(self.login.client_id())
            .send(Request {
                service: "AvePoint",
                method: Method::GET,
                url: url.clone(),
                effect: Effect::Read,
                headers: Vec::new(),
                proof: Proof::Bearer(token),
                body: None,
            })
            .await
    }
}
