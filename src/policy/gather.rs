//! Everything that a policy's pass may see: what could not be seen is a value, too. [io]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{ApiResource, DynamicObject};
use kube::{Api, Resource, ResourceExt};

use super::demands::{self, Demand};
use super::needs::Needs;
use super::rules::Rule;
use super::{answers, look, profiles};
use crate::api::connector::AuthorizationState;
use crate::api::policy::{FindingResult, Stage};
use crate::api::shared::span;
use crate::api::{Action, Connector, Reason, ServiceAccountPolicy, ServiceAccountPolicySpec};
use crate::fault::Fault;
use crate::runtime::conditions::find;
use crate::runtime::{Context, Problem};
use crate::tenant::facts::AccountFacts;
use crate::tenant::{self, Caller, DirectoryRole, Tenant};

/// How old an answer may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// As the interval says, or younger while something is awaited.
    Routine,
    /// Read now.
    None,
}

/// What was seen.
pub struct Observed {
    /// When.
    pub now: Timestamp,
    /// The Connectors that refer to the policy.
    pub connectors: Vec<Asking>,
    /// Connectors of other policies for the same account: they are answered there, but need the same account.
    pub elsewhere: Vec<Asking>,
    /// Directory roles that those need now, whatever this policy's profiles want: one out of each of these.
    pub needed_elsewhere: Vec<Vec<DirectoryRole>>,
    /// Whether those policies themselves found all that holds up without Global Administrator.
    pub elsewhere_holds: bool,
    /// Whether an object that can't be read may refer to the account, too.
    pub obscured: bool,
    /// Another policy that acts on the same account, and came first.
    pub rival: Option<String>,
    /// What the installation grants to this policy's namespace for its account, among what the spec allows.
    pub granted: BTreeSet<Action>,
    /// Whether nothing may be written.
    pub read_only: bool,
    /// Who the operator is there.
    pub caller: Caller,
    /// The tenant, for whoever acts; `None`: it can't be signed in to.
    pub tenant: Option<Arc<Tenant>>,
    /// What is known of the account there.
    pub account: Result<AccountFacts, Problem>,
    /// What `spec.environments` names in vain.
    pub selection: Result<(), Problem>,
}

impl Observed {
    /// What is asked of the policy.
    pub fn demands(&self) -> impl Iterator<Item = &Demand> {
        self.connectors.iter().filter_map(|asking| asking.demand.as_ref())
    }

    /// Whether a Connector was just changed, and has not said yet what it needs now.
    pub fn in_between(&self) -> bool {
        self.connectors.iter().any(|asking| asking.changing && !asking.asleep)
    }
}

/// A Connector that refers to the policy.
#[allow(clippy::struct_excessive_bools)] // each a fact of its own, none implies another
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asking {
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

/// Sees everything.
pub async fn gather(policy: &ServiceAccountPolicy, context: &Context, patience: Patience) -> Result<Observed, Fault> {
    let namespace = policy.namespace().unwrap_or_default();
    let (tenant, account, selection) = match context.app(policy).await? {
        Ok(app) => {
            let tenant = tenant::of(&context.tenants, &context.desk.way, &app);
            let needs = Needs::of(&profiles::requirements(&policy.spec));
            let (facts, selection) =
                Box::pin(look::look(policy, &tenant, &needs, max_age(policy, context, patience))).await;
            (Some(tenant), Ok(facts), selection)
        }
        Err(problem) => (None, Err(problem), Ok(())),
    };
    let others = elsewhere(policy, context);
    Ok(Observed {
        now: Timestamp::now(),
        connectors: connectors(policy, context),
        elsewhere: others.iter().flat_map(|(_, asking)| asking.iter().cloned()).collect(),
        needed_elsewhere: others.iter().flat_map(|(other, asking)| roles_needed(&other.spec, asking)).collect(),
        elsewhere_holds: others.iter().all(|(other, asking)| holds(other, asking)),
        obscured: obscured(policy, context).await?,
        rival: rival(policy, &namespace, context),
        granted: granted(policy, context),
        read_only: context.settings.read_only,
        caller: caller(&policy.spec),
        tenant,
        account,
        selection,
    })
}

fn caller(spec: &ServiceAccountPolicySpec) -> Caller {
    Caller {
        cloud: spec.tenant.cloud.into(),
        tenant: spec.tenant.id.clone(),
        client_id: spec.credential.client_id().to_owned(),
    }
}

/// What the spec allows and the installation grants for its account.
fn granted(policy: &ServiceAccountPolicy, context: &Context) -> BTreeSet<Action> {
    let namespace = policy.namespace().unwrap_or_default();
    let Some(account) = policy.spec.account.pin() else { return BTreeSet::new() };
    let covered =
        |action: &&Action| context.settings.grants.cover(&namespace, &policy.spec.tenant.id, &account, **action);
    policy.spec.allowed_actions.iter().filter(covered).copied().collect()
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
        Patience::Routine if acted => Duration::ZERO,
        // Half: so that what was read at one's last turn is always too old at the next.
        Patience::Routine if settled => interval / 2,
        Patience::Routine => interval.min(context.settings.waiting_interval) / 2,
    }
}

/// The Connectors that refer to a policy, by name.
fn connectors(policy: &ServiceAccountPolicy, context: &Context) -> Vec<Asking> {
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
                demand: demands::of(connector),
                asleep: connector.spec.suspend || connector.metadata.deletion_timestamp.is_some(),
                seen: context.sightings.seen(&uid, generation.unwrap_or_default()),
                granted: context.sightings.granted(&uid, generation.unwrap_or_default()),
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

/// Other policies for the same account, each with its Connectors.
fn elsewhere(policy: &ServiceAccountPolicy, context: &Context) -> Vec<(ServiceAccountPolicy, Vec<Asking>)> {
    let mine = &policy.spec.account;
    let all = context.policies.state();
    let same = all.iter().filter_map(|guarded| guarded.0.as_ref().ok()).filter(|other| {
        let account = &other.spec.account;
        let by_id = account.pin().is_some() && account.pin() == mine.pin();
        other.metadata.uid != policy.metadata.uid && (by_id || account.name().eq_ignore_ascii_case(mine.name()))
    });
    same.map(|other| (other.clone(), connectors(other, context))).collect()
}

/// The directory roles that these Connectors need now, by what their policy's profiles ask for in their stages.
fn roles_needed(spec: &ServiceAccountPolicySpec, asking: &[Asking]) -> Vec<Vec<DirectoryRole>> {
    let stages: BTreeSet<Stage> =
        asking.iter().filter_map(|asking| asking.demand.as_ref()).map(|demand| demand.stage).collect();
    let requirements = profiles::requirements(spec);
    let counted = requirements.iter().filter(|it| stages.iter().any(|stage| it.counts_in(*stage)));
    counted
        .filter_map(|requirement| match &requirement.rule {
            Rule::DirectoryRole { any_of, .. } => Some(any_of.clone()),
            _ => None,
        })
        .collect()
}

/// Whether another policy has found that the account has, without Global Administrator, all that its Connectors need.
fn holds(policy: &ServiceAccountPolicy, asking: &[Asking]) -> bool {
    let mut demands = asking.iter().filter(|asking| !asking.asleep).filter_map(|asking| asking.demand.as_ref());
    let requirements = profiles::requirements(&policy.spec);
    let found = policy.status.as_ref().filter(|status| status.observed_generation == policy.metadata.generation);
    demands.all(|demand| {
        let Ok(profile) = answers::profile(demand, policy) else { return false };
        let counted = requirements.iter().filter(|it| it.asked_by(profile, demand.stage));
        counted.filter(|it| it.rule.bears_on_removal()).all(|it| {
            let finding = found.and_then(|status| status.findings.iter().find(|finding| finding.id == it.id()));
            finding.is_some_and(|finding| finding.result == FindingResult::Pass)
        })
    })
}

/// Whether a Connector of this policy, or another policy for its account, is stored in a form that this version can't read: who
/// knows what it needs. Such objects are rare, and read once more as they are.
async fn obscured(policy: &ServiceAccountPolicy, context: &Context) -> Result<bool, Fault> {
    let (name, namespace) = (policy.name_any(), policy.namespace().unwrap_or_default());
    for guarded in context.connectors.state().iter().filter(|guarded| guarded.0.is_err()) {
        let of_namespace = guarded.namespace().as_deref() == Some(&namespace);
        if of_namespace && as_stored::<Connector>(guarded.meta(), context).await?["spec"]["policyRef"]["name"] == *name
        {
            return Ok(true);
        }
    }
    let (pin, called) = (policy.spec.account.pin(), policy.spec.account.name());
    for guarded in context.policies.state().iter().filter(|guarded| guarded.0.is_err()) {
        let stored = as_stored::<ServiceAccountPolicy>(guarded.meta(), context).await?;
        let account = &stored["spec"]["account"];
        let (user, application) = (&account["user"], &account["application"]);
        let is = |value: &serde_json::Value, wanted: &str| {
            value.as_str().is_some_and(|value| value.eq_ignore_ascii_case(wanted))
        };
        let by_id = pin.as_ref().is_some_and(|pin| is(&user["objectID"], pin) || is(&application["clientID"], pin));
        if by_id || is(&user["principalName"], called) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// An object as the API server has it; `Null`: it is gone.
async fn as_stored<K>(metadata: &ObjectMeta, context: &Context) -> Result<serde_json::Value, Fault>
where
    K: Resource<DynamicType = ()>,
{
    let (name, namespace) = (metadata.name.clone().unwrap_or_default(), metadata.namespace.clone().unwrap_or_default());
    let resource = ApiResource::erase::<K>(&());
    let api: Api<DynamicObject> = Api::namespaced_with(context.client.clone(), &namespace, &resource);
    Ok(api.get_opt(&name).await?.map_or(serde_json::Value::Null, |stored| stored.data))
}

/// Two policies must not act on one account: the one that was created first does.
fn rival(policy: &ServiceAccountPolicy, namespace: &str, context: &Context) -> Option<String> {
    // One that nobody granted anything acts on nothing, and must not keep others from it.
    let acts_on = |policy: &ServiceAccountPolicy| {
        let acts = policy.metadata.deletion_timestamp.is_none() && !granted(policy, context).is_empty();
        policy.spec.account.pin().filter(|_| acts)
    };
    let mine = acts_on(policy)?;
    let age = |policy: &ServiceAccountPolicy| (policy.metadata.creation_timestamp.clone(), policy.metadata.uid.clone());
    let all = context.policies.state();
    // Object ids are unique over all tenants, so that a tenant named once by id and once by domain is no way around.
    let first = all
        .iter()
        .filter_map(|guarded| guarded.0.as_ref().ok())
        .filter(|other| other.metadata.uid != policy.metadata.uid && acts_on(other).as_ref() == Some(&mine))
        .filter(|other| age(other) < age(policy))
        .min_by_key(|other| age(other))?;
    let other = first.namespace().unwrap_or_default();
    // Other namespaces' names are nobody's business here.
    Some(if other == namespace {
        format!("ServiceAccountPolicy {}", first.name_any())
    } else {
        "A ServiceAccountPolicy of another namespace".to_owned()
    })
}
