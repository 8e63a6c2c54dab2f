//! One Connector, from what was declared to what is said about it. Reads like the five files beside it.

mod act;
mod adoption;
mod attested;
mod authorization;
mod due;
mod gather;
#[cfg(test)]
mod golden;
mod leaving;
mod observed;
mod organizations;
mod plan;
mod reauthentication;
mod release;
mod report;
mod resolve;
mod says;
#[cfg(test)]
pub mod simulated;
mod steps;

use std::sync::Arc;

use observed::Observed;
pub use observed::{Called, called};
use plan::Plan;
pub use plan::WAIT;
use resolve::Resolved;

use jiff::Timestamp;
use kube::runtime::controller::Action;

use crate::api::connector::DeletionPolicy;
use crate::api::{Connector, ConnectorStatus};
use crate::fault::Fault;
use crate::runtime::context::Guarded;
use crate::runtime::marks::Mark;
use crate::runtime::pass::pass;
use crate::runtime::publish::Published;
use crate::runtime::{Context, Patience, Problem};

/// Looks at one Connector.
///
/// # Errors
/// Never: what goes wrong waits for its next turn.
pub async fn reconcile(object: Arc<Guarded<Connector>>, context: Arc<Context>) -> Result<Action, Fault> {
    pass(object, context, |connector, context| async move {
        if connector.metadata.deletion_timestamp.is_some() {
            return release::release(&connector, &context).await;
        }
        let held = Mark::Finalizer(connector.spec.deletion_policy == Some(DeletionPolicy::Delete));
        context.mark::<Connector>(&connector.metadata, &held).await?;
        if connector.spec.suspend {
            let outcome = report::suspended(&connector, Timestamp::now());
            context.publish(&connector, &outcome).await?;
            return Ok(outcome.next);
        }
        let mut observed = gather::gather(&connector, &context, connector.patience()).await?;
        let mut planned = resolve_and_plan(&connector, &observed);
        // What is acted on was just read, not remembered.
        if !observed.age.is_zero()
            && planned.as_ref().is_ok_and(|(resolved, plan)| act::writes(&connector, resolved, plan, &context))
        {
            observed = gather::gather(&connector, &context, Patience::None).await?;
            planned = resolve_and_plan(&connector, &observed);
        }
        let outcome = match planned {
            Ok((resolved, plan)) => {
                let done = act::act(&connector, &resolved, &plan, &observed, &context, Timestamp::now()).await?;
                report::report(&connector, &resolved, &plan, &observed, done, &context.settings, Timestamp::now())
            }
            Err(problem) => report::refuse(&connector, &observed, &problem, &context.settings, Timestamp::now()),
        };
        context.publish(&connector, &outcome).await?;
        Ok(outcome.next)
    })
    .await
}

/// What a Connector's status would be: looked at and decided, not acted on.
///
/// # Errors
/// The API server did not answer.
pub async fn preview(connector: &Connector, context: &Context, patience: Patience) -> Result<ConnectorStatus, Fault> {
    let observed = gather::gather(connector, context, patience).await?;
    let now = Timestamp::now();
    let outcome = match resolve_and_plan(connector, &observed) {
        Ok((resolved, plan)) => {
            act::sighted(connector, &resolved, &observed, context);
            let done = act::Done { hand_offs: act::hand_over(connector, &plan, now).0, ..act::Done::default() };
            report::report(connector, &resolved, &plan, &observed, done, &context.settings, now)
        }
        Err(problem) => report::refuse(connector, &observed, &problem, &context.settings, now),
    };
    Ok(outcome.status)
}

fn resolve_and_plan(connector: &Connector, observed: &Observed) -> Result<(Resolved, Plan), Problem> {
    let now = Timestamp::now();
    let resolved = resolve::resolve(connector, observed, now)?;
    let plan = plan::plan(connector, &resolved, observed, now);
    Ok((resolved, plan))
}
