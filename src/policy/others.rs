//! Who else is concerned with an account: other policies and their Connectors, and which policy acts on it. [io]

use std::collections::BTreeSet;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{ApiResource, DynamicObject};
use kube::runtime::reflector::ObjectRef;
use kube::{Api, Resource, ResourceExt};

use super::asking::{Asking, connectors};
use super::demands::Demand;
use super::observed::{Elsewhere, Observed};
use super::rules::Rule;
use super::{answers, profiles};
use crate::api::policy::{Account, FindingResult, Stage};
use crate::api::{Action, Connector, ServiceAccountPolicy, ServiceAccountPolicySpec};
use crate::fault::Fault;
use crate::runtime::Context;
use crate::tenant::DirectoryRole;

/// What the spec allows and the installation grants for its account.
pub fn granted(policy: &ServiceAccountPolicy, context: &Context) -> BTreeSet<Action> {
    let namespace = policy.namespace().unwrap_or_default();
    let Some(account) = policy.spec.account.pin() else { return BTreeSet::new() };
    let covered =
        |action: &&Action| context.settings.grants.cover(&namespace, &policy.spec.tenant.id, &account, **action);
    policy.spec.allowed_actions.iter().filter(covered).copied().collect()
}

/// Other policies for the same account, each with its Connectors.
pub fn elsewhere(policy: &ServiceAccountPolicy, context: &Context) -> Vec<(ServiceAccountPolicy, Vec<Asking>)> {
    let all = context.policies.state();
    let same = all
        .iter()
        .filter_map(|guarded| guarded.0.as_ref().ok())
        .filter(|other| other.metadata.uid != policy.metadata.uid)
        .filter(|other| may_be_one_account(&other.spec, &policy.spec) || seen_as_one(other, policy));
    // What one of them wrote a moment ago counts, though the watch does not show it yet.
    same.map(|other| (context.caught_up(other.clone()), connectors(other, context))).collect()
}

/// Whether two policies were seen to be about one account, whatever it is called: a user may have been renamed.
fn seen_as_one(one: &ServiceAccountPolicy, other: &ServiceAccountPolicy) -> bool {
    let id = |policy: &ServiceAccountPolicy| {
        let seen = policy.status.as_ref().and_then(|status| status.account.as_ref());
        policy.spec.account.pin().or_else(|| seen.map(|account| account.object_id.to_ascii_lowercase()))
    };
    matches!((&one.spec.account, &other.spec.account), (Account::User(_), Account::User(_)))
        && id(one).is_some()
        && id(one) == id(other)
}

/// Whether two policies may be about one account: an app is another one in each tenant, a user is not.
fn may_be_one_account(one: &ServiceAccountPolicySpec, other: &ServiceAccountPolicySpec) -> bool {
    // A domain has a dot, an id has none.
    let is_id = |tenant: &str| !tenant.contains('.');
    let (here, there) = (&one.tenant.id, &other.tenant.id);
    // One tenant has many domains, so that two names tell nothing.
    let elsewhere = is_id(here) && is_id(there) && !here.eq_ignore_ascii_case(there);
    let by_id = one.account.pin().is_some() && one.account.pin() == other.account.pin();
    let by_name = one.account.name().eq_ignore_ascii_case(other.account.name());
    let application = matches!(one.account, Account::Application(_));
    (by_id || by_name) && !(application && elsewhere)
}

/// The directory roles that these Connectors need now, by what their policy's profiles ask for in their stages.
pub fn roles_needed(spec: &ServiceAccountPolicySpec, asking: &[Asking]) -> Vec<Vec<DirectoryRole>> {
    let demands = asking.iter().filter_map(|asking| asking.demand.as_ref());
    let stages: BTreeSet<Stage> = demands.map(|demand| demand.stage).collect();
    let requirements = profiles::requirements(spec);
    let counted = requirements.iter().filter(|it| stages.iter().any(|stage| it.counts_in(*stage)));
    counted
        .filter_map(|requirement| match &requirement.rule {
            Rule::DirectoryRole { any_of, .. } => Some(any_of.clone()),
            _ => None,
        })
        .collect()
}

/// What other policies say, the worst of it.
pub fn hold(others: &[(ServiceAccountPolicy, Vec<Asking>)], context: &Context) -> Elsewhere {
    let each = others.iter().map(|(policy, asking)| {
        if !holds(policy, asking) {
            Elsewhere::Lacks
        } else if asks(asking) && !(just_seen(policy, context) && answered(policy, asking)) {
            Elsewhere::NotSeen
        } else {
            Elsewhere::Holds
        }
    });
    each.max().unwrap_or(Elsewhere::Holds)
}

/// Whether anything is asked of a policy.
fn asks(asking: &[Asking]) -> bool {
    asking.iter().any(|asking| !asking.asleep)
}

/// What Connectors that are awake ask for.
fn demands(asking: &[Asking]) -> impl Iterator<Item = &Demand> {
    asking.iter().filter(|asking| !asking.asleep).filter_map(|asking| asking.demand.as_ref())
}

fn just_seen(policy: &ServiceAccountPolicy, context: &Context) -> bool {
    context.findings.good(&policy.uid().unwrap_or_default(), policy.metadata.generation.unwrap_or_default())
}

/// Whether a policy has judged all that is asked of it now: what was found before somebody asked for more says nothing of that.
fn answered(policy: &ServiceAccountPolicy, asking: &[Asking]) -> bool {
    let answers = policy.status.as_ref().map_or(&[][..], |status| &status.demands);
    demands(asking).all(|demand| {
        answers.iter().any(|answer| {
            answer.uid == demand.uid && answer.generation == demand.generation && answer.stage == demand.stage
        })
    })
}

/// Wakes whoever was not seen lately enough for a removal to rely on it.
pub fn look_again(policy: &ServiceAccountPolicy, observed: &Observed, context: &Context) {
    let unseen =
        observed.connectors.iter().chain(&observed.elsewhere).filter(|asking| !asking.asleep && !asking.granted);
    for asking in unseen {
        let reference = ObjectRef::new(&asking.name).within(&asking.namespace);
        if let Some(connector) = context.connectors.get(&reference) {
            context.again.connector(&connector);
        }
    }
    let others = elsewhere(policy, context);
    for (other, _) in others.iter().filter(|(other, asking)| asks(asking) && !just_seen(other, context)) {
        if let Some(other) = context.policy(&other.namespace().unwrap_or_default(), &other.name_any()) {
            context.again.policy(&other);
        }
    }
}

fn holds(policy: &ServiceAccountPolicy, asking: &[Asking]) -> bool {
    let mut asked = demands(asking).map(|demand| Some((answers::profile(demand, policy).ok()?, demand.stage)));
    let requirements = profiles::requirements(&policy.spec);
    let found = policy.status.as_ref().filter(|status| status.observed_generation == policy.metadata.generation);
    // What is not running is judged by nobody, and may lack anything.
    let resting = found.is_none_or(|status| {
        status.environments.as_ref().is_none_or(|environments| environments.not_running.is_some())
    });
    if resting && asks(asking) {
        return false;
    }
    asked.all(|asked| {
        let Some((profile, stage)) = asked else { return false };
        let counted = requirements.iter().filter(|it| it.asked_by(profile, stage));
        counted.filter(|it| it.rule.bears_on_removal()).all(|it| {
            let finding = found.and_then(|status| status.findings.iter().find(|finding| finding.id == it.id()));
            finding.is_some_and(|finding| finding.result == FindingResult::Pass)
        })
    })
}

/// Whether a Connector of this or another policy for its account, or such a policy itself, is stored in a form that this version can't read: who
/// knows what it needs. Such objects are rare, and read once more as they are.
pub async fn obscured(policy: &ServiceAccountPolicy, context: &Context) -> Result<bool, Fault> {
    let place = |policy: &ServiceAccountPolicy| (policy.namespace(), policy.name_any());
    let of_account: Vec<_> =
        elsewhere(policy, context).iter().map(|(other, _)| place(other)).chain([place(policy)]).collect();
    for guarded in context.connectors.state().iter().filter(|guarded| guarded.0.is_err()) {
        let namespace = guarded.namespace();
        if of_account.iter().any(|(of, _)| *of == namespace) {
            let stored = as_stored::<Connector>(guarded.meta(), context).await?;
            let policy = &stored["spec"]["policyRef"]["name"];
            if of_account.iter().any(|(of, name)| *of == namespace && policy == name.as_str()) {
                return Ok(true);
            }
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

/// Whether one of these changes anything about the account: that the operator becomes a user somewhere does not.
fn acts<'a>(actions: impl IntoIterator<Item = &'a Action>) -> bool {
    actions.into_iter().any(|action| *action != Action::SelfEnrollment)
}

/// Whether two policies are about one account, and it is pinned: what is known by its name only is not acted on.
fn pin_one_account(one: &ServiceAccountPolicySpec, other: &ServiceAccountPolicySpec) -> bool {
    one.account.pin().is_some() && one.account.pin() == other.account.pin() && may_be_one_account(one, other)
}

/// Whether two policies act on one account, where all that they allow is granted.
#[must_use]
pub fn both_act(one: &ServiceAccountPolicySpec, other: &ServiceAccountPolicySpec) -> bool {
    acts(&one.allowed_actions) && acts(&other.allowed_actions) && pin_one_account(one, other)
}

/// Two policies must not act on one account: the one that was created first does.
pub fn rival(policy: &ServiceAccountPolicy, namespace: &str, context: &Context) -> Option<String> {
    // One that nobody granted anything acts on nothing, and must not keep others from it.
    let may_act =
        |policy: &ServiceAccountPolicy| policy.metadata.deletion_timestamp.is_none() && acts(&granted(policy, context));
    // Where nobody has said what is granted, nobody knows which of them may act.
    if !may_act(policy) || context.settings.grants.are_assumed() {
        return None;
    }
    let age = |policy: &ServiceAccountPolicy| (policy.metadata.creation_timestamp.clone(), policy.metadata.uid.clone());
    let all = context.policies.state();
    let first = all
        .iter()
        .filter_map(|guarded| guarded.0.as_ref().ok())
        .filter(|other| other.metadata.uid != policy.metadata.uid && may_act(other))
        .filter(|other| pin_one_account(&other.spec, &policy.spec))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_before_a_connector_asked_for_more_is_no_answer_to_it() {
        let policy: ServiceAccountPolicy = serde_json::from_value(serde_json::json!({
            "apiVersion": "backstay.dev/v1alpha1", "kind": "ServiceAccountPolicy", "metadata": { "name": "p" },
            "spec": {
                "tenant": { "id": "t" },
                "credential": { "clientSecret": { "clientID": "c", "secretRef": { "name": "s", "key": "k" } } },
                "account": { "user": { "principalName": "u@x" } },
                "profiles": { "keepitDynamicsCE": {} },
            },
            "status": { "demands": [{
                "connector": "a", "uid": "a", "generation": 1, "profile": "keepitDynamicsCE", "stage": "Steady", "ready": "True",
            }] },
        }))
        .unwrap();
        let asking = |uid: &str, generation, stage| Asking {
            name: uid.to_owned(),
            namespace: String::new(),
            uid: uid.to_owned(),
            requested: false,
            begun: None,
            demand: Some(Demand {
                connector: uid.to_owned(),
                uid: uid.to_owned(),
                generation,
                profile: None,
                fitting: &["keepitDynamicsCE"],
                stage,
                environments: None,
            }),
            asleep: false,
            seen: true,
            granted: true,
            changing: false,
            authorized: None,
        };
        let one = || asking("a", 1, Stage::Steady);
        assert!(answered(&policy, &[one()]));
        assert!(!answered(&policy, &[one(), asking("b", 1, Stage::Steady)]), "another one");
        assert!(!answered(&policy, &[asking("a", 2, Stage::Steady)]), "it was changed");
        assert!(!answered(&policy, &[asking("a", 1, Stage::Setup)]), "in another stage");
        assert!(answered(&policy, &[one(), Asking { asleep: true, ..asking("b", 1, Stage::Steady) }]));
    }
}
