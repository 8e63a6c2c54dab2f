//! What a policy would say and decide about what is seen, at a given time: for the year that is played.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::act::Done;
use super::asking::Asking;
use super::observed::Elsewhere;
use super::observed::Observed;
use super::report;
pub(crate) use super::rules::{environment_for_tests, facts_for_tests, row_for_tests, user_for_tests};
pub use super::window::Decision;
use crate::api::policy::ServiceAccountPolicyStatus;
use crate::api::{Action, Connector, ServiceAccountPolicy};
use crate::elevation::Entry;
use crate::runtime::Settings;
use crate::tenant::Caller;
use crate::tenant::facts::AccountFacts;

/// Its next status, and what becomes of the account's window.
#[must_use]
pub fn look(
    policy: &ServiceAccountPolicy,
    facts: AccountFacts,
    connectors: &[Connector],
    granted: BTreeSet<Action>,
    window: Option<Entry>,
    settings: &Settings,
    now: Timestamp,
) -> (ServiceAccountPolicyStatus, Decision) {
    let asking = |connector: &Connector| Asking { seen: true, ..Asking::of(connector, false, now) };
    let observed = Observed {
        now,
        age: std::time::Duration::ZERO,
        connectors: connectors.iter().map(asking).collect(),
        elsewhere: Vec::new(),
        needed_elsewhere: Vec::new(),
        elsewhere_holds: Elsewhere::Holds,
        obscured: false,
        rival: None,
        granted,
        read_only: false,
        overdue: BTreeSet::new(),
        window,
        unread: false,
        credential_ends: None,
        app_credential_ends: None,
        caller: Caller::default(),
        tenant: None,
        account: Ok(facts),
        selection: Ok(()),
    };
    match super::resolve_and_plan(policy, &observed) {
        Ok((resolved, plan)) => {
            let status = report::report(policy, &observed, &resolved, &plan, &Done::default(), settings).status;
            (status, plan.window)
        }
        Err(problem) => (report::refuse(policy, &observed, &problem, settings, now).status, Decision::Stay),
    }
}
