//! One `ServiceAccountPolicy`, from what was declared to what is said about it. Reads like the five files beside it.

mod act;
mod answers;
mod asked;
mod asking;
pub mod demands;
mod enrolling;
pub mod environments;
mod finding;
mod gather;
mod handoffs;
mod look;
pub mod needs;
mod observed;
mod others;
pub mod pages;
mod plan;
pub mod preview;
pub mod profiles;
mod proof;
#[cfg(test)]
mod properties;
mod report;
mod resolve;
mod rights;
pub mod rules;
#[cfg(test)]
pub mod simulated;
mod steps;
mod waivers;
mod window;
#[cfg(test)]
mod windows;
mod words;

use std::sync::Arc;
use std::time::Duration;

pub use answers::profile_for;
pub use handoffs::GIVE;
use jiff::Timestamp;
use kube::ResourceExt;
use kube::runtime::controller::Action;
use observed::Observed;
pub use others::both_act;
use plan::Plan;
use resolve::Resolved;
pub use rights::NAME as APP_PERMISSIONS;
use tokio::time::Instant;
pub use waivers::in_vain;
use window::Decision;
pub use window::opening;

use crate::api::ServiceAccountPolicy;
use crate::api::policy::ServiceAccountPolicyStatus;
use crate::fault::Fault;
use crate::runtime::context::Guarded;
use crate::runtime::pass::pass;
use crate::runtime::publish::Published;
use crate::runtime::{Context, Patience, Problem};

/// A Connector that was changed is looked at within this time, and wakes the policy then.
const SOON: Duration = Duration::from_secs(5);

/// Looks at one policy, and does what is allowed.
///
/// # Errors
/// Never: what goes wrong waits for its next turn.
pub async fn reconcile(object: Arc<Guarded<ServiceAccountPolicy>>, context: Arc<Context>) -> Result<Action, Fault> {
    pass(object, context, |policy, context| async move {
        let worked = work(&policy, &context).await;
        if worked.is_err() {
            // What was found before may be so no longer.
            note(&policy, &context, false, Duration::ZERO);
        }
        worked
    })
    .await
}

/// One pass over a policy, and when the next one is due.
async fn work(policy: &ServiceAccountPolicy, context: &Context) -> Result<Duration, Fault> {
    if policy.spec.suspend {
        let outcome = report::suspended(
            policy,
            gather::window_of(policy, context).as_ref(),
            context.ledger.trouble().is_some(),
            Timestamp::now(),
        );
        context.publish(policy, &outcome).await?;
        return Ok(outcome.next);
    }
    let begun = Instant::now();
    let mut observed = gather::gather(policy, context, policy.patience()).await?;
    // An object that nobody has looked at yet has -1 there (the CRD's default).
    let looked_at = policy.status.as_ref().and_then(|status| status.observed_generation).is_some_and(|seen| seen >= 0);
    if observed.in_between() && looked_at {
        // What was asked a moment ago is no longer asked, and what is asked now is not said yet: to answer now would
        // close a hand-off only to open it again.
        return Ok(SOON);
    }
    let mut planned = resolve_and_plan(policy, &observed);
    // What is acted on was just read, not remembered; and before anything is taken away, all of it after the decision: a first
    // look that had to wait may be seconds old at its beginning.
    let moves = |plan: &Plan| matches!(plan.window, Decision::Open(_) | Decision::Close);
    let again = |plan: &Plan| plan.removes() || ((plan.writes() || moves(plan)) && !observed.age.is_zero());
    if planned.as_ref().is_ok_and(|(_, plan)| again(plan)) {
        observed = gather::gather(policy, context, Patience::None).await?;
        planned = resolve_and_plan(policy, &observed);
    }
    let found = planned.is_ok();
    let outcome = match planned {
        Ok((resolved, plan)) => {
            if plan.wants_removal() && !plan.removes() {
                others::look_again(policy, &observed, context);
            }
            let done = act::act(policy, &plan, &resolved, &observed, context).await;
            report::report(policy, &observed, &resolved, &plan, &done, &context.settings)
        }
        Err(problem) => report::refuse(policy, &observed, &problem, &context.settings, Timestamp::now()),
    };
    context.publish(policy, &outcome).await?;
    note(policy, context, found, observed.age + begun.elapsed());
    Ok(outcome.next)
}

/// What a policy's status would be: looked at and decided, not acted on.
///
/// # Errors
/// The API server did not answer.
pub async fn preview(
    policy: &ServiceAccountPolicy,
    context: &Context,
    patience: Patience,
) -> Result<ServiceAccountPolicyStatus, Fault> {
    let begun = Instant::now();
    let observed = gather::gather(policy, context, patience).await?;
    let planned = resolve_and_plan(policy, &observed);
    note(policy, context, planned.is_ok(), observed.age + begun.elapsed());
    let outcome = match planned {
        Ok((resolved, plan)) => {
            report::report(policy, &observed, &resolved, &plan, &act::Done::default(), &context.settings)
        }
        Err(problem) => report::refuse(policy, &observed, &problem, &context.settings, Timestamp::now()),
    };
    Ok(outcome.status)
}

/// Others may rely on what is found here, as long as it is fresh.
fn note(policy: &ServiceAccountPolicy, context: &Context, found: bool, age: Duration) {
    let (uid, generation) = (policy.uid().unwrap_or_default(), policy.metadata.generation.unwrap_or_default());
    context.findings.note(&uid, generation, found, age);
}

fn resolve_and_plan(policy: &ServiceAccountPolicy, observed: &Observed) -> Result<(Resolved, Plan), Problem> {
    let resolved = resolve::resolve(policy, observed)?;
    let plan = Plan { window: window::decide(policy, &resolved, observed), ..plan::plan(&resolved, observed) };
    Ok((resolved, plan))
}
