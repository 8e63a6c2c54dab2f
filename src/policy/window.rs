//! When an account gets for a time what only a new sign-in needs, and when that may end: one window at a time. [pure]

use jiff::civil::{Time as Clock, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan, Zoned};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt;

use super::asking::Asking;
use super::observed::Observed;
use super::resolve::Resolved;
use super::rules::Rule;
use crate::api::elevation::{Day, Elevation, ElevationHours, ElevationMethod, ElevationState, ElevationStatus};
use crate::api::policy::FindingResult;
use crate::api::{Reason, ServiceAccountPolicy};
use crate::elevation::entry::{COUNTED, Given, LAG, Place};
use crate::elevation::{self, Entry, Phase, ROLE};
use crate::runtime::Conditions;
use crate::runtime::conditions::{State, whole_seconds};
use crate::tenant::facts::held;

/// What is to be done about the window of the account.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Decision {
    /// Nothing.
    #[default]
    Stay,
    /// A new one is opened.
    Open(Box<Entry>),
    /// Others sign in, too, while it is open.
    Join {
        /// For which Connectors.
        connectors: Vec<Place>,
        /// When the last of them began.
        begun: Timestamp,
    },
    /// It is over before its time: everybody is done.
    Close,
    /// What somebody has begun can't be: one sentence.
    Refuse(String),
}

/// Decides.
pub fn decide(policy: &ServiceAccountPolicy, resolved: &Resolved, observed: &Observed) -> Decision {
    let now = observed.now;
    let at_it = || {
        let all = observed.connectors.iter().chain(&observed.elsewhere);
        all.filter(|asking| !asking.asleep).filter_map(|asking| asking.begun.map(|begun| (asking, begun)))
    };
    match observed.window.as_ref().filter(|entry| entry.is_standing()) {
        Some(entry) if !entry.is_usable() || now >= entry.expires => {
            let late =
                observed.connectors.iter().filter(|asking| !asking.asleep).filter_map(|asking| asking.begun).max();
            match late.filter(|begun| *begun > entry.begun) {
                Some(_) => Decision::Refuse(
                    "The window before is still being cleared: begin again once status.elevation of the policy says Closed"
                        .to_owned(),
                ),
                None => Decision::Stay,
            }
        }
        Some(entry) => {
            let known = |asking: &Asking| entry.connectors.iter().any(|place| place.uid == asking.uid);
            let joining: Vec<Place> =
                at_it().filter(|(asking, _)| !known(asking)).map(|(asking, _)| place(asking)).collect();
            let latest = at_it().map(|(_, begun)| begun).max();
            if let Some(begun) = latest.filter(|begun| !joining.is_empty() || *begun > entry.begun) {
                return Decision::Join { connectors: joining, begun: begun.max(entry.begun) };
            }
            let busy = entry.connectors.iter().any(|place| at_it().any(|(asking, _)| asking.uid == place.uid));
            // Who was just changed has not said yet whether it goes on.
            if busy || observed.in_between() || !steady(resolved) { Decision::Stay } else { Decision::Close }
        }
        None => {
            // What was begun for a window that is over is used up.
            let used = observed.window.as_ref().map(|entry| entry.begun);
            let own = observed.connectors.iter().filter(|asking| !asking.asleep).filter_map(|asking| asking.begun);
            let Some(begun) = own.max().filter(|begun| used.is_none_or(|used| *begun > used)) else {
                return Decision::Stay;
            };
            let spec = policy.spec.elevation.clone().unwrap_or_default();
            if let Some(sentence) = refusal(&spec, begun, resolved, observed) {
                return Decision::Refuse(sentence);
            }
            let connectors = at_it().map(|(asking, _)| place(asking)).collect();
            Decision::Open(Box::new(opened(policy, resolved, observed, &spec, (begun, connectors))))
        }
    }
}

fn place(asking: &Asking) -> Place {
    Place { namespace: asking.namespace.clone(), name: asking.name.clone(), uid: asking.uid.clone() }
}

/// Whether all holds that is asked of the account once everybody is done.
fn steady(resolved: &Resolved) -> bool {
    let counted = resolved.findings.iter().filter(|finding| finding.counts);
    let mut bearing = counted.filter(|finding| !matches!(finding.requirement.rule, Rule::NoDirectoryRole { .. }));
    !bearing.any(|finding| matches!(finding.result(), FindingResult::Fail | FindingResult::Unknown))
}

/// A window that opens now.
fn opened(
    policy: &ServiceAccountPolicy,
    resolved: &Resolved,
    observed: &Observed,
    spec: &Elevation,
    (begun, connectors): (Timestamp, Vec<Place>),
) -> Entry {
    let now = observed.now;
    let wanted = spec.method;
    let bar = bar(wanted, resolved, observed);
    let mut windows = observed.window.as_ref().map(|entry| entry.windows_before(now)).unwrap_or_default();
    windows.push(now);
    Entry {
        account: resolved.account_id.to_ascii_lowercase(),
        name: policy.spec.account.name().to_owned(),
        tenant: policy.spec.tenant.clone(),
        credential: policy.spec.credential.clone(),
        policy: Place {
            namespace: policy.namespace().unwrap_or_default(),
            name: policy.name_any(),
            uid: policy.uid().unwrap_or_default(),
        },
        connectors,
        method: if bar.is_some() { ElevationMethod::Manual } else { wanted },
        phase: Phase::Opening,
        given: Given::Nothing,
        begun,
        starts: now,
        // By the earlier of two clocks: nobody gains time by one that is ahead.
        expires: begun.min(now) + SignedDuration::try_from(spec.length()).unwrap_or(SignedDuration::from_hours(2)),
        closing: None,
        ended: None,
        // Who is seen without it now, and holds it later, was given it for the window.
        absent: not_held(observed),
        gave: None,
        pending: false,
        seen: false,
        assignment: None,
        took: None,
        away: None,
        message: bar.map(|bar| format!("The operator may not give {}, so that a person is asked: {bar}", ROLE.name())),
        windows,
    }
}

/// Whether the account is seen not to hold the role.
fn not_held(observed: &Observed) -> bool {
    let roles = observed.account.as_ref().ok().and_then(|facts| facts.roles.known());
    roles.is_some_and(|roles| held(roles, ROLE).is_none())
}

/// Why the operator may not give the role by this method, if it may not.
fn bar(method: ElevationMethod, resolved: &Resolved, observed: &Observed) -> Option<String> {
    let action = elevation::action(method)?;
    if !resolved.allowed.contains(&action) {
        Some(format!("spec.allowedActions does not name {action}"))
    } else if !observed.granted.contains(&action) {
        Some(format!("no grant of the installation covers {action} for this namespace, tenant and account"))
    } else {
        observed.read_only.then(|| "the operator runs with --read-only".to_owned())
    }
}

/// Why no window is opened for what somebody has begun.
fn refusal(spec: &Elevation, begun: Timestamp, resolved: &Resolved, observed: &Observed) -> Option<String> {
    let now = observed.now;
    if resolved.account.is_none() {
        return Some("The account itself can't be seen now: begin again once it can".to_owned());
    }
    let length = SignedDuration::try_from(spec.length()).unwrap_or_default();
    if now.duration_since(begun) + LEAST > length {
        return Some("It was begun too long ago: begin again".to_owned());
    }
    if let Some(hours) = &spec.hours {
        match opening(hours, now) {
            Err(sentence) => return Some(sentence),
            Ok(Opening::Now) => {}
            Ok(Opening::At(next)) => {
                let next = next.strftime("%Y-%m-%d %H:%M %Z");
                return Some(format!(
                    "The policy opens no window at this hour (spec.elevation.hours); the next opening is {next}"
                ));
            }
        }
    }
    let windows = observed.window.as_ref().map(|entry| entry.windows_before(now)).unwrap_or_default();
    let most = usize::from(spec.max_windows_per_30_days);
    let until = windows.first().map(|first| (*first + COUNTED).strftime("%Y-%m-%d %H:%M UTC").to_string());
    let until = until.unwrap_or_default();
    (windows.len() >= most).then(|| {
        format!("The policy opens {most} windows in 30 days (spec.elevation.maxWindowsPer30Days), and there were as many; the next opening is {until}, or raise that number")
    })
}

/// A window that would be over before this is not worth opening.
const LEAST: SignedDuration = SignedDuration::from_mins(10);

/// When a window may be opened.
#[derive(Clone, Debug, PartialEq)]
pub enum Opening {
    /// Now.
    Now,
    /// Not before this time.
    At(Zoned),
}

/// When a window may be opened, by the hours of the spec.
///
/// # Errors
/// The time zone is not known; one sentence with the place.
pub fn opening(hours: &ElevationHours, now: Timestamp) -> Result<Opening, String> {
    let zone = TimeZone::get(&hours.time_zone)
        .map_err(|_| format!("There is no time zone {} (spec.elevation.hours.timeZone)", hours.time_zone))?;
    let clock = |text: &str| {
        let (hour, minute) = text.split_once(':').unwrap_or((text, "0"));
        Clock::new(hour.parse().unwrap_or(0), minute.parse().unwrap_or(0), 0, 0).unwrap_or(Clock::midnight())
    };
    let (from, until) = (clock(&hours.from), clock(&hours.until));
    let now = now.to_zoned(zone.clone());
    let at = |day: jiff::civil::Date, clock: Clock| day.to_datetime(clock).to_zoned(zone.clone()).ok();
    let mut next: Option<Zoned> = None;
    for ahead in -1..=8_i64 {
        let Ok(day) = now.date().checked_add(ahead.days()) else { continue };
        if !(hours.days.is_empty() || hours.days.iter().any(|it| weekday(*it) == day.weekday())) {
            continue;
        }
        let last = if until <= from { day.checked_add(1.day()).unwrap_or(day) } else { day };
        let (Some(begins), Some(ends)) = (at(day, from), at(last, until)) else { continue };
        if begins <= now && now < ends {
            return Ok(Opening::Now);
        }
        if begins > now && next.as_ref().is_none_or(|next| begins < *next) {
            next = Some(begins);
        }
    }
    next.map(Opening::At).ok_or_else(|| "spec.elevation.hours names no hour at all".to_owned())
}

fn weekday(day: Day) -> Weekday {
    match day {
        Day::Monday => Weekday::Monday,
        Day::Tuesday => Weekday::Tuesday,
        Day::Wednesday => Weekday::Wednesday,
        Day::Thursday => Weekday::Thursday,
        Day::Friday => Weekday::Friday,
        Day::Saturday => Weekday::Saturday,
        Day::Sunday => Weekday::Sunday,
    }
}

/// The window as the status of a policy of this namespace has it.
#[must_use]
pub fn status(entry: &Entry, namespace: Option<&str>, now: Timestamp) -> ElevationStatus {
    let here = entry.connectors.iter().filter(|place| Some(place.namespace.as_str()) == namespace);
    ElevationStatus {
        state: entry.state(now),
        role: ROLE.name().to_owned(),
        method: entry.method,
        start_time: Time(entry.begun),
        expiration_time: whole_seconds(entry.expires),
        end_time: entry.ended.map(whole_seconds),
        connectors: here.map(|place| place.name.clone()).collect(),
        message: entry.message.clone(),
    }
}

/// Says whether the account holds what was given for a time; `unread`: nobody knows what was given.
pub fn say(conditions: &mut Conditions<'_>, entry: Option<&Entry>, unread: bool, now: Timestamp) {
    let role = ROLE.name();
    let Some(entry) = entry else {
        if unread {
            let message = "The ledger of what was given for a time can't be read: see the operator's log";
            conditions.set("Elevated", State::Unknown, Reason::NotObservable, message);
        }
        return;
    };
    let why = entry.message.as_ref().map(|message| format!("; {message}")).unwrap_or_default();
    match entry.state(now) {
        ElevationState::Closed => {
            conditions.set("Elevated", State::False, Reason::NotElevated, format!("No window is open for {role}"));
        }
        ElevationState::Opening => {
            let message = format!("Somebody has begun to sign in again: the account is to hold {role} meanwhile{why}");
            conditions.set("Elevated", State::False, Reason::WindowOpen, message);
        }
        ElevationState::Open => {
            let message = format!("Somebody signs in again: the account holds {role} meanwhile{why}");
            conditions.set("Elevated", State::True, Reason::WindowOpen, message);
        }
        ElevationState::Closing => {
            let message = format!("The window is over, and {role} is being taken back{why}");
            conditions.set("Elevated", State::True, Reason::WindowClosing, message);
        }
        ElevationState::Overdue => {
            conditions.set("Elevated", State::True, Reason::ElevationOverdue, overdue(entry));
        }
    }
}

/// That an account is elevated for too long.
#[must_use]
pub fn overdue(entry: &Entry) -> String {
    let why = entry.message.clone().unwrap_or_else(|| match entry.given {
        Given::ByPerson => "a person gave it, and has to take it back".to_owned(),
        _ => "it is being taken back".to_owned(),
    });
    format!("The account still holds {} though its window is over: {why}", ROLE.name())
}

/// When the window changes by itself.
#[must_use]
pub fn next(entry: &Entry, now: Timestamp) -> Option<Timestamp> {
    let times = match entry.phase {
        Phase::Closed => return None,
        Phase::Opening | Phase::Open => entry.expires,
        Phase::Closing => {
            entry.closing.unwrap_or(entry.expires).min(entry.expires) + LAG + SignedDuration::from_secs(1)
        }
    };
    (times > now).then_some(times)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(from: &str, until: &str, days: &[Day]) -> ElevationHours {
        ElevationHours {
            time_zone: "Europe/Copenhagen".into(),
            from: from.into(),
            until: until.into(),
            days: days.to_vec(),
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_window_is_opened_within_the_hours_of_its_zone_and_refused_with_the_next_opening() {
        let office = hours("08:00", "17:00", &[Day::Monday, Day::Friday]);
        // A Friday; Copenhagen is an hour ahead in November.
        assert_eq!(opening(&office, at("2026-11-27T07:00:00Z")), Ok(Opening::Now));
        let next = |text: &str| match opening(&office, at(text)) {
            Ok(Opening::At(next)) => next.strftime("%a %H:%M").to_string(),
            other => panic!("{other:?}"),
        };
        assert_eq!(next("2026-11-27T06:59:00Z"), "Fri 08:00");
        assert_eq!(next("2026-11-27T16:00:00Z"), "Mon 08:00");
        let night = hours("22:00", "02:00", &[Day::Friday]);
        assert_eq!(opening(&night, at("2026-11-28T00:30:00Z")), Ok(Opening::Now), "it began on Friday");
        assert!(matches!(opening(&night, at("2026-11-28T01:30:00Z")), Ok(Opening::At(_))));
        let nowhere = ElevationHours { time_zone: "Europe/Nowhere".into(), ..office };
        assert!(opening(&nowhere, at("2026-11-27T07:00:00Z")).unwrap_err().contains("spec.elevation.hours.timeZone"));
    }
}
