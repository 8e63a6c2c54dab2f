//! Everything that a policy's pass may see: what could not be seen is a value, too. [io]

use std::time::Duration;

use jiff::Timestamp;
use kube::ResourceExt;

use super::asking::{Asking, connectors};
use super::needs::Needs;
use super::observed::Observed;
use super::others::{self, elsewhere, granted, obscured, rival, roles_needed};
use super::profiles::Requirement;
use super::steps::ARRIVES_WITHIN;
use super::{look, profiles};
use crate::api::policy::{Account, Stage};
use crate::api::shared::span;
use crate::api::{Reason, ServiceAccountPolicy, ServiceAccountPolicySpec};
use crate::elevation::Entry;
use crate::fault::Fault;
use crate::runtime::conditions::find;
use crate::runtime::expiring::{Ends, RENEW, RENEW_ACCOUNTS};
use crate::runtime::{Context, Patience};
use crate::seen::Seen;
use crate::tenant::{self, Caller, Tenant};

/// Sees everything.
pub async fn gather(policy: &ServiceAccountPolicy, context: &Context, patience: Patience) -> Result<Observed, Fault> {
    let namespace = policy.namespace().unwrap_or_default();
    let max_age = max_age(policy, context, patience);
    let before = connectors(policy, context);
    let said = policy.spec.credential.secret().and_then(|secret| context.secrets.ends(&namespace, secret));
    let (tenant, account, selection, ends) = match context.app(policy).await? {
        Ok(app) => {
            let tenant = tenant::of(&context.tenants, &context.desk.way, &app);
            let needs = Needs::of(&asked_for(policy, &before));
            let (facts, selection) = Box::pin(look::look(policy, &tenant, &needs, max_age)).await;
            // After all that counts more: a tenant that wants to be spared says so there.
            let own = as_before(policy, RENEW, &tenant.own_credential_ends().await);
            let ends = (own, as_before(policy, RENEW_ACCOUNTS, &app_credential_ends(policy, &tenant).await));
            (Some(tenant), Ok(facts), selection, ends)
        }
        Err(problem) => (None, Err(problem), Ok(()), (None, None)),
    };
    let others = elsewhere(policy, context);
    Ok(Observed {
        now: Timestamp::now(),
        age: max_age,
        // As they are now: what they ask for may have changed while Microsoft was asked.
        connectors: connectors(policy, context),
        elsewhere: others.iter().flat_map(|(_, asking)| asking.iter().cloned()).collect(),
        needed_elsewhere: others.iter().flat_map(|(other, asking)| roles_needed(&other.spec, asking)).collect(),
        elsewhere_holds: others::hold(&others, context),
        obscured: obscured(policy, context).await?,
        rival: rival(policy, &namespace, context),
        granted: granted(policy, context),
        read_only: context.settings.read_only,
        overdue: context.lately.overdue(ARRIVES_WITHIN),
        window: window_of(policy, context),
        unread: context.ledger.trouble().is_some(),
        credential_ends: said.into_iter().chain(ends.0.map(Ends::At)).min(),
        app_credential_ends: ends.1,
        caller: caller(&policy.spec),
        tenant,
        account,
        selection,
    })
}

/// An app that is the account has credentials of its own, which are the vendor's to use.
async fn app_credential_ends(policy: &ServiceAccountPolicy, tenant: &Tenant) -> Seen<Option<Timestamp>> {
    match &policy.spec.account {
        Account::Application(app) => tenant.app_credential_ends(&app.client_id).await,
        Account::User(_) => Seen::Known(None),
    }
}

/// When something ends, or, while that can't be read, what was told of it before: nobody has renewed it because Microsoft was silent.
fn as_before(policy: &ServiceAccountPolicy, hand_off: &str, seen: &Seen<Option<Timestamp>>) -> Option<Timestamp> {
    let Seen::Known(ends) = seen else {
        let status = policy.status.as_ref()?;
        let told = status.hand_offs.iter().any(|it| it.name == hand_off);
        return status.credential_expiration_time.as_ref().filter(|_| told).map(|time| time.0);
    };
    *ends
}

/// What may count now: what only a restore needs is looked at while one is announced.
fn asked_for(policy: &ServiceAccountPolicy, connectors: &[Asking]) -> Vec<Requirement> {
    let restores = connectors.iter().filter_map(|asking| asking.demand.as_ref()).any(|it| it.stage == Stage::Restore);
    let mut all = profiles::requirements(&policy.spec);
    all.retain(|requirement| restores || *requirement.stages != *profiles::RESTORE);
    all
}

/// The last window of a policy's account.
pub fn window_of(policy: &ServiceAccountPolicy, context: &Context) -> Option<Entry> {
    let seen =
        policy.status.as_ref().and_then(|status| status.account.as_ref()).map(|account| account.object_id.clone());
    context.ledger.of(&policy.spec.account.pin().or(seen)?)
}

fn caller(spec: &ServiceAccountPolicySpec) -> Caller {
    Caller {
        cloud: spec.tenant.cloud.into(),
        tenant: spec.tenant.id.clone(),
        client_id: spec.credential.client_id().to_owned(),
    }
}

fn max_age(policy: &ServiceAccountPolicy, context: &Context, patience: Patience) -> Duration {
    let status = policy.status.as_ref();
    let settled = status.is_some_and(|status| {
        status.observed_generation == policy.metadata.generation
            && find(&status.conditions, "Ready").is_some_and(|ready| ready.status == "True")
    });
    let interval = span(&policy.spec.interval);
    // Whatever was just changed may have changed more than was meant (facts/microsoft.md §0.1): all is read again.
    let acted = status
        .and_then(|status| find(&status.conditions, "Ready"))
        .is_some_and(|ready| ready.reason == Reason::Acting.word() || ready.reason == Reason::Propagating.word());
    match patience {
        Patience::None => Duration::ZERO,
        // Somebody decides by what is seen here.
        Patience::Routine if context.again.is_wanted(policy.metadata.uid.as_deref()) => Duration::ZERO,
        Patience::Routine if acted => Duration::ZERO,
        // Half: so that what was read at one's last turn is always too old at the next.
        Patience::Routine if settled => interval / 2,
        Patience::Routine => interval.min(context.settings.waiting_interval) / 2,
    }
}
