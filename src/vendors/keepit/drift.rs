//! What is declared of a Keepit connector and is otherwise there. [pure]

use jiff::Span;

use super::Spec;
use crate::vendors::{Drift, VendorConnector};

/// Each field that differs. A connector that may not be looked into shows nothing to compare.
pub fn drift(spec: &Spec, found: &VendorConnector, name: &str) -> Vec<Drift> {
    if !found.accessible {
        return Vec::new();
    }
    let mut all = Vec::new();
    if found.name != name {
        let (desired, observed) = (name.to_owned(), found.name.clone());
        all.push(Drift { field: "spec.vendor.keepit.name", desired, observed });
    }
    if let Some(desired) = &spec.retention
        && !found.retention.as_ref().is_some_and(|observed| same(desired, observed))
    {
        let observed = found.retention.clone().unwrap_or_else(|| "the account's".to_owned());
        all.push(Drift { field: "spec.vendor.keepit.retention", desired: desired.clone(), observed });
    }
    all
}

/// A year is twelve months and a week is seven days, however it is written; a month is no number of days.
fn same(one: &str, other: &str) -> bool {
    let parts = |text: &str| {
        let span: Span = text.parse().ok()?;
        let below_days = span.get_hours() != 0 || span.get_minutes() != 0 || span.get_seconds() != 0;
        let months = i64::from(span.get_years()) * 12 + i64::from(span.get_months());
        let days = i64::from(span.get_weeks()) * 7 + i64::from(span.get_days());
        (!below_days).then_some((months, days))
    };
    one == other || (parts(one).is_some() && parts(one) == parts(other))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seen::Seen;
    use crate::vendors::Authorization;

    fn found(name: &str, retention: Option<&str>) -> VendorConnector {
        VendorConnector {
            id: Some("a".into()),
            name: name.into(),
            accessible: true,
            deleting: false,
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
}
