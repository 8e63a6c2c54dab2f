//! One Connector, from what was declared to what is said about it. Reads like the five files beside it.

mod act;
mod adoption;
mod attested;
mod gather;
mod organizations;
mod plan;
mod report;
mod resolve;
mod says;

use std::sync::Arc;

use jiff::Timestamp;
use kube::runtime::controller::Action;

use crate::api::Connector;
use crate::fault::Fault;
use crate::runtime::Context;
use crate::runtime::context::Guarded;
use crate::runtime::pass::pass;

/// Looks at one Connector.
///
/// # Errors
/// Never: what goes wrong waits for its next turn.
pub async fn reconcile(object: Arc<Guarded<Connector>>, context: Arc<Context>) -> Result<Action, Fault> {
    pass(object, context, |connector, context| async move {
        if connector.spec.suspend {
            let outcome = report::suspended(&connector, Timestamp::now());
            context.publish(&connector, &outcome).await?;
            return Ok(outcome.next);
        }
        let observed = gather::gather(&connector, &context).await?;
        let outcome = match resolve::resolve(&connector, &observed, Timestamp::now()) {
            Ok(resolved) => {
                let plan = plan::plan(&connector, &resolved);
                let done = act::act(&connector, &resolved, &plan, observed.age, &context, Timestamp::now()).await;
                report::report(&connector, &resolved, done, &context.settings, Timestamp::now())
            }
            Err(problem) => report::refuse(&connector, &observed, &problem, &context.settings, Timestamp::now()),
        };
        context.publish(&connector, &outcome).await?;
        Ok(outcome.next)
    })
    .await
}
