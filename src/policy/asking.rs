//! Which Connectors refer to a policy, and what each asks for. [io]

use jiff::Timestamp;
use kube::ResourceExt;

use super::demands::{self, Demand};
use crate::api::ServiceAccountPolicy;
use crate::api::connector::AuthorizationState;
use crate::runtime::Context;

/// A Connector that refers to the policy.
#[allow(clippy::struct_excessive_bools)] // each a fact of its own, none implies another
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asking {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// What it asks for; `None`: its status says nothing that counts.
    pub demand: Option<Demand>,
    /// Whether it is suspended or being deleted.
    pub asleep: bool,
    /// Whether this process has itself seen it at this generation.
    pub seen: bool,
    /// Whether this process has itself just seen its authorization work.
    pub granted: bool,
    /// Whether it was just changed: its status speaks of an older generation, and will speak of this one in a moment.
    pub changing: bool,
    /// Since when its vendor is seen to be authorized; `None`: it is not, or nobody knows.
    pub authorized: Option<Timestamp>,
}

/// The Connectors that refer to a policy, by name.
pub fn connectors(policy: &ServiceAccountPolicy, context: &Context) -> Vec<Asking> {
    let name = policy.name_any();
    let all = context.connectors_of(&policy.namespace().unwrap_or_default());
    let readable = all.iter().filter_map(|guarded| guarded.0.as_ref().ok());
    readable
        .filter(|connector| connector.spec.policy_ref.name == name)
        .map(|connector| {
            let uid = connector.uid().unwrap_or_default();
            let generation = connector.metadata.generation;
            let spoken_of = connector.status.as_ref().and_then(|status| status.observed_generation);
            Asking {
                name: connector.name_any(),
                namespace: connector.namespace().unwrap_or_default(),
                demand: demands::of(connector),
                asleep: connector.spec.suspend || connector.metadata.deletion_timestamp.is_some(),
                seen: context.sightings.seen(&uid, generation.unwrap_or_default()),
                granted: context.sightings.good(&uid, generation.unwrap_or_default()),
                // One that fails pass after pass is not waited for.
                changing: spoken_of.is_some() && spoken_of != generation && !context.fails(&uid),
                authorized: connector
                    .status
                    .as_ref()
                    .and_then(|status| status.authorization.as_ref())
                    .filter(|authorization| authorization.state == AuthorizationState::Granted)
                    .map(|authorization| authorization.last_transition_time.0),
            }
        })
        .collect()
}
