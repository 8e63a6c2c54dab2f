//! When a credential ends that nobody renews by itself, and what a person is told ahead of that. [pure]

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::handoff::HandOff;

/// Says on a Secret when what is in it ends: a date, or a time in UTC. What a certificate says itself needs no annotation.
pub const EXPIRES: &str = "backstay.dev/expires";
/// The hand-off's name.
pub const RENEW: &str = "renew-credential";
/// The hand-off's name where the account is an app, and what ends is the vendor's to use.
pub const RENEW_ACCOUNTS: &str = "renew-account-credential";
/// A person is told so long before.
const AHEAD: SignedDuration = SignedDuration::from_hours(30 * 24);

/// When a credential ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ends {
    /// The annotation is neither a date nor a time.
    Unreadable,
    /// Then.
    At(Timestamp),
}

impl Ends {
    /// By the annotation's text.
    #[must_use]
    pub fn read(text: &str) -> Self {
        // Through that day.
        let day =
            |text: &str| Some(text.parse::<Date>().ok()?.at(23, 59, 59, 0).to_zoned(TimeZone::UTC).ok()?.timestamp());
        let time = text.trim().parse::<Timestamp>().ok().or_else(|| day(text.trim()));
        time.map_or(Self::Unreadable, Self::At)
    }

    /// The time, if it can be read.
    #[must_use]
    pub fn time(self) -> Option<Timestamp> {
        if let Self::At(time) = self { Some(time) } else { None }
    }
}

/// What a person is asked for, if it is time for that; `secret`: namespace and name.
#[must_use]
pub fn hand_off(secret: &str, ends: Option<Ends>, now: Timestamp) -> Option<HandOff> {
    let (title, due_date) = match ends? {
        Ends::Unreadable => {
            (format!("Say in the annotation {EXPIRES} of Secret {secret} when it ends: it is no date"), None)
        }
        Ends::At(end) if end > now + AHEAD => return None,
        Ends::At(end) => {
            let ends = if end > now { "ends" } else { "has ended" };
            let day = end.strftime("%Y-%m-%d").to_string();
            (format!("Renew what is in Secret {secret}: it {ends} on {day}"), Some(day))
        }
    };
    Some(HandOff {
        name: RENEW,
        title,
        who: "Whoever made the credential: it can't renew itself",
        steps: vec![
            "Make a new one where the old one was made, beside the old one.".to_owned(),
            format!(
                "Put it into Secret {secret}, and when it ends into its annotation {EXPIRES} (2027-05-31); a certificate says that itself."
            ),
            "Once CredentialsValid is True with it, take the old one away.".to_owned(),
        ],
        url: None,
        due_date,
        done_when: format!("the Secret, or its annotation {EXPIRES}, says a later end"),
    })
}

/// The same for the app that is the account: the vendor signs in with what ends.
#[must_use]
pub fn hand_off_of_account(client_id: &str, ends: Option<Timestamp>, now: Timestamp) -> Option<HandOff> {
    let end = ends.filter(|end| *end <= now + AHEAD)?;
    let word = if end > now { "ends" } else { "has ended" };
    let day = end.strftime("%Y-%m-%d").to_string();
    Some(HandOff {
        name: RENEW_ACCOUNTS,
        title: format!("Renew the certificate of app {client_id}, which is the account: its last one {word} on {day}"),
        who: "Whoever owns the app registration, with an administrator of the vendor's account",
        steps: vec![
            format!(
                "Microsoft Entra admin center > App registrations > {client_id} > Certificates & secrets: upload a new one, beside the old one."
            ),
            "Put it into the vendor's app profile, and see a backup run with it.".to_owned(),
            "Take the old one away.".to_owned(),
        ],
        url: None,
        due_date: Some(day),
        done_when: "Microsoft Graph shows a credential of the app that ends later".to_owned(),
    })
}

/// Whether a hand-off of this name asks for something that ends only later, so that nothing waits for it now.
#[must_use]
pub fn is_ahead(name: &str) -> bool {
    [RENEW, RENEW_ACCOUNTS].contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_told_a_month_ahead_and_of_a_date_that_is_none() {
        let now: Timestamp = "2026-11-27T12:00:00Z".parse().unwrap();
        let told = |text: &str| hand_off("backup/entra", Some(Ends::read(text)), now).map(|it| (it.title, it.due_date));
        assert_eq!(told("2026-12-28"), None);
        let (title, due) = told("2026-12-26").unwrap();
        assert!(title.contains("ends on 2026-12-26"), "the day that was said: {title}");
        assert_eq!(due.as_deref(), Some("2026-12-26"));
        assert!(told("2026-11-01T00:00:00Z").unwrap().0.contains("has ended"));
        assert!(told("next year").unwrap().0.contains("it is no date"));
        assert_eq!(hand_off("backup/entra", None, now), None);
        let of_account = |end: &str| hand_off_of_account("c", end.parse().ok(), now).map(|it| it.title);
        assert_eq!(of_account("2026-12-28T00:00:00Z"), None);
        assert!(of_account("2026-12-01T00:00:00Z").unwrap().contains("ends on 2026-12-01"));
    }
}
