//! What a policy would say of what was seen: the steps between looking and acting, for whoever does neither. [pure]

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::act::Done;
use super::asking::Asking;
use super::demands::Demand;
use super::observed::Elsewhere;
use super::observed::Observed;
use super::report;
use crate::api::ServiceAccountPolicy;
use crate::api::policy::{ServiceAccountPolicyStatus, Stage};
use crate::runtime::{Problem, Settings};
use crate::tenant::Caller;
use crate::tenant::facts::AccountFacts;

/// A policy and what was seen for it, without a tenant to act on.
pub struct Preview<'a> {
    policy: &'a ServiceAccountPolicy,
    observed: Observed,
}

impl<'a> Preview<'a> {
    /// What is known of the account, and what is asked of it now; granted is whatever the policy allows.
    #[must_use]
    pub fn of(policy: &'a ServiceAccountPolicy, account: AccountFacts, demands: Vec<Demand>, now: Timestamp) -> Self {
        let asking = |demand: Demand| Asking {
            name: demand.connector.clone(),
            namespace: String::new(),
            uid: demand.uid.clone(),
            granted: demand.stage == Stage::Steady,
            demand: Some(demand),
            asleep: false,
            seen: true,
            changing: false,
            authorized: None,
            requested: false,
            begun: None,
        };
        let observed = Observed {
            age: Duration::ZERO,
            now,
            connectors: demands.into_iter().map(asking).collect(),
            elsewhere: Vec::new(),
            needed_elsewhere: Vec::new(),
            elsewhere_holds: Elsewhere::Holds,
            obscured: false,
            rival: None,
            granted: policy.spec.allowed_actions.iter().copied().collect(),
            read_only: true,
            overdue: BTreeSet::new(),
            window: None,
            unread: false,
            credential_ends: None,
            app_credential_ends: None,
            caller: Caller::default(),
            tenant: None,
            account: Ok(account),
            selection: Ok(()),
        };
        Self { policy, observed }
    }

    /// The status that the policy would have.
    ///
    /// # Errors
    /// Why it can't be worked on as it is declared.
    pub fn status(&self, settings: &Settings) -> Result<ServiceAccountPolicyStatus, Problem> {
        let (resolved, plan) = super::resolve_and_plan(self.policy, &self.observed)?;
        Ok(report::report(self.policy, &self.observed, &resolved, &plan, &Done::default(), settings).status)
    }
}
