//! What is declared of a Keepit connector and is otherwise there, and what would make it so. [pure]

use jiff::Span;

use super::Spec;
use crate::seen::Seen;
use crate::vendors::{Action, Drift, VendorConnector, Write};

/// Where the name is declared.
pub const NAME: &str = "spec.vendor.keepit.name";
const RETENTION: &str = "spec.vendor.keepit.retention";
const PAUSED: &str = "spec.vendor.keepit.paused";
const ACCESS: &str = "spec.vendor.keepit.access";

/// Each field that differs. A connector that may not be looked into shows nothing to compare.
pub fn drift(spec: &Spec, found: &VendorConnector, name: &str) -> Vec<Drift> {
    if !found.accessible {
        return Vec::new();
    }
    let mut all = Vec::new();
    if found.name != name {
        let (desired, observed) = (name.to_owned(), found.name.clone());
        all.push(Drift { field: NAME, desired, observed });
    }
    if let Some(desired) = &spec.retention
        && !found.retention.as_ref().is_some_and(|observed| same(desired, observed))
    {
        let observed = found.retention.clone().unwrap_or_else(|| "the account's".to_owned());
        all.push(Drift { field: RETENTION, desired: desired.clone(), observed });
    }
    if let (Some(desired), Some(Seen::Known(observed))) = (spec.paused, &found.details.paused)
        && desired != *observed
    {
        all.push(Drift { field: PAUSED, desired: desired.to_string(), observed: observed.to_string() });
    }
    let outside = outside(spec, found);
    if !outside.is_empty() {
        let outside = outside.join(", ");
        all.push(Drift { field: ACCESS, observed: format!("without {outside}"), desired: format!("with {outside}") });
    }
    all
}

/// Who is to be let in and was not seen to be.
fn outside<'a>(spec: &'a Spec, found: &VendorConnector) -> Vec<&'a str> {
    let Some(Seen::Known(members)) = &found.details.members else { return Vec::new() };
    let is_in = |login: &String| members.iter().any(|member| member.eq_ignore_ascii_case(login));
    spec.access.iter().filter(|login| !is_in(login)).map(String::as_str).collect()
}

/// What makes a field what is declared. Longer is what is longer however long months are; whatever else is taken for shorter.
pub fn corrections(spec: &Spec, drift: &Drift, found: &VendorConnector) -> Vec<Write> {
    let make =
        |action, first| vec![Write { action, field: drift.field, value: drift.desired.clone(), link: None, first }];
    if drift.field == NAME {
        return make(Action::Rename, None);
    }
    if drift.field == PAUSED {
        return make(Action::Pause, None);
    }
    if drift.field == ACCESS {
        let let_in = |login: &str| Write {
            action: Action::GrantAccess,
            field: drift.field,
            value: login.to_owned(),
            link: None,
            first: None,
        };
        return outside(spec, found).into_iter().map(let_in).collect();
    }
    let longer = found.retention.as_deref().is_some_and(|observed| longer(&drift.desired, observed));
    if longer {
        return make(Action::ExtendRetention, None);
    }
    let confirmed = spec.shorten_retention_of.is_some() && spec.shorten_retention_of == found.id;
    let first = format!(
        "older backups may be lost: to say that they may, put {} into spec.vendor.keepit.shortenRetentionOf",
        found.id.as_deref().unwrap_or("the connector's id")
    );
    make(Action::ShortenRetention, (!confirmed).then_some(first))
}

/// A year is twelve months and a week is seven days, however it is written; a month is no number of days.
fn same(one: &str, other: &str) -> bool {
    one == other || (parts(one).is_some() && parts(one) == parts(other))
}

fn longer(one: &str, than: &str) -> bool {
    let (Some((months, days)), Some((fewer, less))) = (parts(one), parts(than)) else { return false };
    (months >= fewer && days >= less) || months * 28 + days >= fewer * 31 + less
}

/// Months and days.
fn parts(text: &str) -> Option<(i64, i64)> {
    let span: Span = text.parse().ok()?;
    let below_days = span.get_hours() != 0 || span.get_minutes() != 0 || span.get_seconds() != 0;
    let months = i64::from(span.get_years()) * 12 + i64::from(span.get_months());
    let days = i64::from(span.get_weeks()) * 7 + i64::from(span.get_days());
    (!below_days).then_some((months, days))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vendors::{Authorization, Details};

    fn found(name: &str, retention: Option<&str>) -> VendorConnector {
        VendorConnector {
            id: Some("a".into()),
            name: name.into(),
            accessible: true,
            deleting: false,
            link: None,
            unconfigured: false,
            details: Details::default(),
            authorization: Seen::Known(Authorization::Granted),
            health: Seen::Known(None),
            last_backup: Seen::Known(None),
            retention: retention.map(str::to_owned),
            organizations: Vec::new(),
            undeclared: Vec::new(),
        }
    }

    fn fields(retention: Option<&str>, found: &VendorConnector) -> Vec<&'static str> {
        let mut spec: Spec = serde_json::from_str(r#"{ "region": "dk-co", "secretRef": { "name": "a" } }"#).unwrap();
        spec.retention = retention.map(str::to_owned);
        drift(&spec, found, "n").into_iter().map(|it| it.field).collect()
    }

    #[test]
    fn what_is_not_declared_does_not_differ_and_a_year_is_twelve_months() {
        let none: [&str; 0] = [];
        assert_eq!(fields(None, &found("n", Some("P1Y"))), none);
        assert_eq!(fields(Some("P1Y"), &found("n", Some("P12M"))), none);
        assert_eq!(fields(Some("P2W"), &found("n", Some("P14D"))), none);
        assert_eq!(fields(Some("P1M"), &found("n", Some("P30D"))), ["spec.vendor.keepit.retention"]);
        assert_eq!(fields(Some("P1Y"), &found("n", None)), ["spec.vendor.keepit.retention"]);
        assert_eq!(fields(None, &found("m", None)), ["spec.vendor.keepit.name"]);
        let hidden = VendorConnector { accessible: false, ..found("m", None) };
        assert_eq!(fields(Some("P1Y"), &hidden), none);
    }

    #[test]
    fn only_what_is_surely_longer_is_an_extension_and_everything_else_has_to_be_confirmed() {
        let action = |desired: &str, observed: Option<&str>, confirmed: Option<&str>| {
            let mut spec: Spec =
                serde_json::from_str(r#"{ "region": "dk-co", "secretRef": { "name": "a" } }"#).unwrap();
            (spec.retention, spec.shorten_retention_of) = (Some(desired.to_owned()), confirmed.map(str::to_owned));
            let found = found("n", observed);
            let drift = drift(&spec, &found, "n").remove(0);
            let correction = corrections(&spec, &drift, &found).remove(0);
            (correction.action, correction.first.is_none())
        };
        assert_eq!(action("P2Y", Some("P1Y"), None), (Action::ExtendRetention, true));
        assert_eq!(action("P13M", Some("P1Y"), None), (Action::ExtendRetention, true));
        assert_eq!(action("P90D", Some("P2M"), None), (Action::ExtendRetention, true));
        assert_eq!(action("P30D", Some("P1M"), None), (Action::ShortenRetention, false), "a month may have 31 days");
        assert_eq!(action("P1Y", None, None), (Action::ShortenRetention, false), "the account's may be longer");
        assert_eq!(action("P6M", Some("P1Y"), Some("b")), (Action::ShortenRetention, false), "another connector");
        assert_eq!(action("P6M", Some("P1Y"), Some("a")), (Action::ShortenRetention, true));
    }
}
