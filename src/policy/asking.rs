//! Which Connectors refer to a policy, and what each asks for. [io]

use jiff::Timestamp;
use kube::ResourceExt;

use super::demands::{self, Demand};
use crate::api::connector::{AuthorizationState, ReauthenticationCause, ReauthenticationState};
use crate::api::{Connector, ServiceAccountPolicy};
use crate::runtime::Context;

/// A Connector that refers to the policy.
#[allow(clippy::struct_excessive_bools)] // each a fact of its own, none implies another
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asking {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Its uid.
    pub uid: String,
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
    /// When somebody last signed in for it; `None`: its vendor is not seen to be authorized, or nobody knows.
    pub authorized: Option<Timestamp>,
    /// Whether somebody is asked to sign in again.
    pub requested: bool,
    /// When somebody began to, if it is being done.
    pub begun: Option<Timestamp>,
}

/// The Connectors that refer to a policy, by name.
pub fn connectors(policy: &ServiceAccountPolicy, context: &Context) -> Vec<Asking> {
    let name = policy.name_any();
    let all = context.connectors_of(&policy.namespace().unwrap_or_default());
    let readable = all.iter().filter_map(|guarded| guarded.0.as_ref().ok());
    readable
        .filter(|connector| connector.spec.policy_ref.name == name)
        .map(|connector| {
            let (uid, generation) =
                (connector.uid().unwrap_or_default(), connector.metadata.generation.unwrap_or_default());
            Asking {
                seen: context.sightings.seen(&uid, generation),
                granted: context.sightings.good(&uid, generation),
                ..Asking::of(connector, context.fails(&uid), Timestamp::now())
            }
        })
        .collect()
}

impl Asking {
    /// What a Connector says by itself; `fails`: pass after pass, so that it is not waited for. Of what this process has seen of it nothing is known.
    pub fn of(connector: &Connector, fails: bool, now: Timestamp) -> Self {
        let generation = connector.metadata.generation;
        let status = connector.status.as_ref();
        let spoken_of = status.and_then(|status| status.observed_generation);
        let request = status.and_then(|status| status.reauthentication.as_ref());
        Self {
            name: connector.name_any(),
            namespace: connector.namespace().unwrap_or_default(),
            uid: connector.uid().unwrap_or_default(),
            demand: demands::of(connector, now),
            asleep: connector.spec.suspend || connector.metadata.deletion_timestamp.is_some(),
            seen: false,
            granted: false,
            // One that nobody has looked at yet (-1, the CRD's default) was asking for nothing before.
            changing: spoken_of.is_some_and(|seen| seen >= 0) && spoken_of != generation && !fails,
            authorized: authorized(connector),
            // What is only due some day changes nothing about what is held today.
            requested: request.is_some_and(|request| request.causes != [ReauthenticationCause::Due]),
            begun: request
                .filter(|request| request.state == ReauthenticationState::Begun && spoken_of == generation)
                .and_then(|request| request.begin_time.as_ref())
                .map(|time| time.0),
        }
    }
}

/// When somebody last signed in for a Connector that works.
fn authorized(connector: &Connector) -> Option<Timestamp> {
    let authorization = connector.status.as_ref()?.authorization.as_ref()?;
    let works = matches!(authorization.state, AuthorizationState::Granted | AuthorizationState::Expiring);
    let since = authorization.authorized_time.as_ref().unwrap_or(&authorization.last_transition_time);
    works.then_some(since.0)
}
