//! From Northwind's list to its connectors.

use jiff::Timestamp;
use serde::Deserialize;

use crate::seen::Seen;
use crate::vendors::{Authorization, Backup, Details, VendorConnector};

/// One row of the list.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    id: String,
    name: String,
    connected: bool,
    last_backup: Option<Timestamp>,
}

/// Northwind keeps whole backups only.
pub fn connector(row: Row) -> VendorConnector {
    let backup = row.last_backup.map(|time| Backup { latest: time, complete: Some(time) });
    let authorization = match (row.connected, backup) {
        (false, _) => Authorization::Required,
        (true, None) => Authorization::NoEvidence,
        (true, Some(_)) => Authorization::Granted,
    };
    VendorConnector {
        id: Some(row.id),
        name: row.name,
        accessible: true,
        deleting: false,
        link: None,
        unconfigured: false,
        authorization: Seen::Known(authorization),
        health: Seen::Known(None),
        last_backup: Seen::Known(backup),
        retention: None,
        organizations: Vec::new(),
        undeclared: Vec::new(),
        details: Details::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Connector;
    use crate::vendors::{Need, What};

    #[test]
    fn northwind_is_a_vendor_like_the_others() {
        let connector: Connector = serde_json::from_value(serde_json::json!({
            "apiVersion": "backstay.dev/v1alpha1", "kind": "Connector", "metadata": { "name": "sales" },
            "spec": { "vendor": { "northwind": { "secretRef": { "name": "n" } } }, "policyRef": { "name": "p" } },
        }))
        .unwrap();
        let vendor = connector.spec.vendor.vendor();
        assert_eq!((vendor.label(), vendor.secret()), ("Northwind", Some(("n", ["token"].as_slice()))));
        let need = Need {
            what: What::Create,
            name: "sales",
            account: Some("svc@contoso.com"),
            profile: None,
            organizations: &[],
            missing: &[],
            dead: false,
        };
        assert_eq!(vendor.hand_off(&need).title, "Sign in as svc@contoso.com for \"sales\" at Northwind");
        assert!(crate::vendors::hosts().any(|host| host == "api.northwind.example"));
    }

    #[test]
    fn a_connector_that_was_never_seen_to_back_up_proves_nothing() {
        let read = |row: &str| connector(serde_json::from_str(row).unwrap()).authorization;
        let row = |connected: bool, backup: &str| {
            read(&format!(r#"{{ "id": "1", "name": "n", "connected": {connected}, "lastBackup": {backup} }}"#))
        };
        assert_eq!(row(true, "null"), Seen::Known(Authorization::NoEvidence));
        assert_eq!(row(true, "\"2026-11-20T01:00:00Z\""), Seen::Known(Authorization::Granted));
        assert_eq!(row(false, "\"2026-11-20T01:00:00Z\""), Seen::Known(Authorization::Required));
    }
}
