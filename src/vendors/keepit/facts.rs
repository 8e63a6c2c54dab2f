//! From Keepit's three lists of an account to its connectors, each with what is known of it.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use super::TYPE;
use super::xml::Element;
use crate::fault::{Fault, Kind};
use crate::seen::Seen;
use crate::vendors::{Action, Authorization, Backup, Details, Health, Jobs, VendorConnector};

/// Joins the list of connectors with the aggregate health and the aggregate backup summary by connector id.
pub fn connectors(devices: &Element, health: &Seen<Element>, backups: &Seen<Element>) -> Vec<VendorConnector> {
    let health = health.as_ref().map(by_id);
    let backups = backups.as_ref().map(by_id);
    let of_type = devices.all("cloud").filter(|cloud| cloud.field("type") == Some(TYPE));
    of_type
        .filter_map(|cloud| {
            let id = cloud.field("guid").filter(|id| is_id(id))?;
            let health = health.as_ref().map(|all| all.get(id).and_then(|device| read_health(device)));
            let last_backup = match &backups {
                Seen::Known(all) => all.get(id).map_or(Ok(None), |device| read_backup(device)).into(),
                Seen::Unknown(fault) => Seen::Unknown(fault.clone()),
            };
            Some(VendorConnector {
                id: Some(id.to_owned()),
                name: cloud.field("name").unwrap_or_default().to_owned(),
                accessible: cloud.field("accessible").is_none_or(yes),
                deleting: cloud.field("deletion-deadline").is_some(),
                link: cloud.field("orglink").map(str::to_owned),
                unconfigured: unconfigured(health.known().and_then(Option::as_ref)),
                details: Details::default(),
                authorization: authorization(&health, &last_backup),
                health,
                last_backup,
                retention: cloud.field("backup-retention").filter(|it| !it.is_empty()).map(str::to_owned),
                organizations: Vec::new(),
                undeclared: Vec::new(),
            })
        })
        .collect()
}

/// What the token of this name may not do, by its effective rights (facts/keepit.md §1, ACL model); `None`: the list does not show
/// them. The right that attributes and access lists need is not known, so that nothing is said of those.
pub fn lacks(tokens: &Element, username: &str) -> Option<Vec<Action>> {
    let token = tokens.all("token").find(|token| token.field("aname") == Some(username))?;
    let rights = token.field("eacl")?;
    let has = |letter: char, resource: &str| {
        rights
            .split(':')
            .filter_map(|right| right.split_once('/'))
            .any(|(letters, of)| of == resource && letters.contains(letter))
    };
    // It has just listed them: rights that don't say so are written otherwise than is known here.
    if !has('G', "Devices") {
        return None;
    }
    let needs = [
        (Action::Create, 'P', "Devices"),
        (Action::StartBackup, 'P', "DevJobs"),
        (Action::Rename, 'U', "Devices"),
        (Action::ExtendRetention, 'U', "Devices"),
        (Action::ShortenRetention, 'U', "Devices"),
        (Action::Delete, 'D', "Devices"),
    ];
    Some(needs.into_iter().filter(|(_, letter, resource)| !has(*letter, resource)).map(|(action, ..)| action).collect())
}

/// So many limits are told.
const MOST_LIMITS: usize = 20;

/// The account's limits that are exceeded, such as its seats, by Keepit's names of them (facts/keepit.md §2.6).
pub fn exceeded(resources: &Element) -> Vec<String> {
    let violated = |resource: &&Element| resource.field("violated").is_some_and(yes);
    let names = resources.all("resource").filter(violated).filter_map(|resource| resource.field("name"));
    names.map(str::to_owned).take(MOST_LIMITS).collect()
}

/// Clocks differ; what waits for a later time is the next automatic one.
const SOON: SignedDuration = SignedDuration::from_mins(5);

/// The backup jobs of a connector, of the week before and the week to come.
pub fn jobs(jobs: &Element, now: Timestamp) -> Jobs {
    let backups = || jobs.all("job").filter(|job| job.field("type") == Some("backup"));
    let time = |job: &Element, name: &str| job.field(name).and_then(|text| text.parse::<Timestamp>().ok());
    let active = |job: &Element| {
        let due = time(job, "scheduled").is_none_or(|scheduled| scheduled <= now + SOON);
        job.field("active").is_some_and(yes) && (time(job, "started").is_some() || due)
    };
    Jobs { active: backups().any(active), latest: backups().filter_map(|job| time(job, "started")).max() }
}

/// The users that were let into a connector; `None`: it is another document than was guessed by what is sent to let one in.
pub fn members(list: &Element) -> Option<Vec<String>> {
    let login =
        |member: &Element| (member.name == "member").then(|| member.field("aname")).flatten().map(str::to_owned);
    list.children.iter().map(login).collect()
}

/// Ids stand in paths: one that is none is nobody's.
pub fn is_id(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn by_id(list: &Element) -> HashMap<&str, &Element> {
    list.children.iter().filter_map(|entry| Some((entry.field("guid")?, entry))).collect()
}

fn yes(text: &str) -> bool {
    matches!(text, "true" | "1")
}

fn read_health(device: &Element) -> Option<Health> {
    // The case varies in Keepit's own pages (facts/keepit.md §2.4).
    Some(Health {
        state: device.field("health")?.to_ascii_lowercase(),
        reason: device.field("reason").map(str::to_owned),
    })
}

/// Nothing is backed up before somebody has chosen what, and saved it (facts/keepit.md §2.4).
fn unconfigured(health: Option<&Health>) -> bool {
    let reason = health.and_then(|health| health.reason.as_deref()).unwrap_or_default();
    reason == "INITIAL_CONFIGURATION_PENDING" || reason.starts_with("INCOMPLETECONFIG")
}

/// What health says of the authorization. Only three reasons speak of it (facts/keepit.md §3, Reauthentication). A
/// healthy connector is seen to work once it has a backup: a new one is healthy for its first day whatever it can do.
/// Anything else is silent about it.
fn authorization(health: &Seen<Option<Health>>, backup: &Seen<Option<Backup>>) -> Seen<Authorization> {
    let health = match health {
        Seen::Unknown(fault) => return Seen::Unknown(fault.clone()),
        Seen::Known(health) => health.as_ref().map(|health| (health.state.as_str(), health.reason.as_deref())),
    };
    match (health, backup) {
        (Some((_, Some("BADLOGIN" | "BADTOKEN" | "NONADMINLOGIN"))), _) => Seen::Known(Authorization::Required),
        (Some(("healthy", _)), Seen::Unknown(fault)) => Seen::Unknown(fault.clone()),
        (Some(("healthy", _)), Seen::Known(Some(_))) => Seen::Known(Authorization::Granted),
        _ => Seen::Known(Authorization::NoEvidence),
    }
}

/// The newest snapshot, and the newest complete one. A time that can't be read is not "no backup".
fn read_backup(device: &Element) -> Result<Option<Backup>, Fault> {
    let time = |field| match device.field(field) {
        None => Ok(None),
        Some(text) => text
            .parse::<Timestamp>()
            .map(Some)
            .map_err(|_| Fault::new(Kind::BadAnswer, "Keepit's backup summary has a time that can't be read")),
    };
    let (last, complete) = (time("last-snapshot-time")?, time("last-complete-snapshot-time")?);
    let latest = last.max(complete);
    Ok(latest.map(|latest| Backup { latest, complete }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Element {
        Element::read(text.as_bytes()).unwrap()
    }

    const DEVICES: &str = "<devices>
        <cloud><guid>a</guid><name>One</name><type>dynamics365</type><password>hush</password></cloud>
        <cloud><guid>b</guid><name>Two</name><type>dynamics365</type><accessible>false</accessible></cloud>
        <cloud><guid>c</guid><name>Other</name><type>o365-admin</type></cloud>
        <cloud><guid>d</guid><name>Gone</name><type>dynamics365</type><deletion-deadline>2026-12-01T00:00:00Z</deletion-deadline></cloud>
        </devices>";

    const BACKED_UP: &str = "<backup-summary><device><guid>a</guid>
        <last-complete-snapshot-time>2026-11-20T01:00:00Z</last-complete-snapshot-time></device></backup-summary>";

    fn one(health: &str, backups: &str) -> VendorConnector {
        let health = read(&format!("<devhealth><device><guid>a</guid>{health}</device></devhealth>"));
        let backups = read(backups);
        connectors(&read(DEVICES), &Seen::Known(health), &Seen::Known(backups)).remove(0)
    }

    #[test]
    fn only_connectors_of_the_type_count_and_keep_what_hinders_them() {
        let none = Seen::Known(read("<none/>"));
        let seen: Vec<_> = connectors(&read(DEVICES), &none, &none)
            .into_iter()
            .map(|connector| (connector.id, connector.accessible, connector.deleting))
            .collect();
        assert_eq!(
            seen,
            [("a", true, false), ("b", false, false), ("d", true, true)].map(|(id, a, d)| (Some(id.to_owned()), a, d))
        );
    }

    #[test]
    fn only_keepits_own_words_for_it_make_an_authorization_dead_or_alive() {
        for (health, expected) in [
            ("<health>critical</health><reason>BADTOKEN</reason>", Authorization::Required),
            ("<health>unhealthy</health><reason>NONADMINLOGIN</reason>", Authorization::Required),
            ("<health>Healthy</health><reason>OK</reason>", Authorization::Granted),
            ("<health>critical</health><reason>QUOTAVIOLATED</reason>", Authorization::NoEvidence),
            ("<health>critical</health><reason>SOMETHING_NEW</reason>", Authorization::NoEvidence),
            ("", Authorization::NoEvidence),
        ] {
            assert_eq!(one(health, BACKED_UP).authorization, Seen::Known(expected), "{health}");
        }
    }

    #[test]
    fn a_healthy_connector_without_a_backup_proves_nothing() {
        let health = "<health>healthy</health><reason>OK</reason>";
        assert_eq!(one(health, "<backup-summary/>").authorization, Seen::Known(Authorization::NoEvidence));
    }

    #[test]
    fn health_that_could_not_be_read_is_unknown_not_fine() {
        let lost = Seen::Unknown(Fault::new(Kind::ServerError, "Keepit failed on its side"));
        let connector = connectors(&read(DEVICES), &lost, &lost).remove(0);
        assert!(connector.authorization.unknown_for(Kind::ServerError));
        assert!(connector.health.unknown_for(Kind::ServerError));
        assert!(connector.last_backup.unknown_for(Kind::ServerError));
    }

    #[test]
    fn a_newer_partial_snapshot_is_shown_as_partial() {
        let summary = |times: &str| {
            let backups = read(&format!("<backup-summary><device><guid>a</guid>{times}</device></backup-summary>"));
            let none = Seen::Known(read("<none/>"));
            connectors(&read(DEVICES), &none, &Seen::Known(backups)).remove(0).last_backup.known().copied().flatten()
        };
        let complete = "<last-complete-snapshot-time>2026-11-20T01:00:00Z</last-complete-snapshot-time>";
        let last = |time: &str| format!("<last-snapshot-time>{time}</last-snapshot-time>{complete}");
        let times =
            |backup: Option<Backup>| backup.map(|it| (it.latest.to_string(), it.complete.map(|it| it.to_string())));
        let (older, newer) = ("2026-11-20T01:00:00Z".to_owned(), "2026-11-21T01:00:00Z".to_owned());
        assert_eq!(times(summary(&last(&newer))), Some((newer, Some(older.clone()))));
        assert_eq!(times(summary(complete)), Some((older.clone(), Some(older))));
        assert_eq!(summary(""), None);
        let broken = read("<device><last-snapshot-time>yesterday</last-snapshot-time></device>");
        assert!(read_backup(&broken).is_err(), "a time that can't be read is not \"no backup\"");
    }
}
