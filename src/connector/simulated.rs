//! What a Connector would say of what its vendor shows, at a given time: for the year that is played.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::gather::seen;
use super::observed::Observed;
use super::{act, plan, report, resolve};
use crate::api::{Connector, ConnectorStatus, ServiceAccountPolicy};
use crate::runtime::Settings;
use crate::seen::Seen;
use crate::vendors::{Details, Sight, VendorConnector};

/// Its next status.
#[must_use]
pub fn look(
    connector: &Connector,
    found: Option<VendorConnector>,
    policy: Option<&ServiceAccountPolicy>,
    settings: &Settings,
    now: Timestamp,
) -> ConnectorStatus {
    let observed = Observed {
        sight: Ok(Sight::new(Seen::Known(None), Seen::Known(found.into_iter().collect()))),
        details: Details::default(),
        credential_ends: None,
        age: std::time::Duration::ZERO,
        credential: Some(Arc::default()),
        granted: BTreeSet::new(),
        read_only: false,
        created: None,
        policy: policy.map(|policy| seen(connector, policy)),
        others: Vec::new(),
    };
    match resolve::resolve(connector, &observed, now) {
        Ok(resolved) => {
            let plan = plan::plan(connector, &resolved, &observed, now);
            let done = act::Done { hand_offs: act::hand_over(connector, &plan, now).0, ..act::Done::default() };
            report::report(connector, &resolved, &plan, &observed, done, settings, now).status
        }
        Err(problem) => report::refuse(connector, &observed, &problem, settings, now).status,
    }
}
