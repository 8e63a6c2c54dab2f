//! Everything that a Connector's pass may see: what could not be seen is a value, too. [io]

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use kube::ResourceExt;

use super::adoption;
use super::due::due;
use super::observed::{Failing, Observed, Other, PolicySeen, WindowSeen, age, called};
use crate::api::names::names;
use crate::api::policy::{ElevationState, FindingResult, Stage};
use crate::api::shared::span;
use crate::api::{Connector, Reason, ServiceAccountPolicy};
use crate::fault::Fault;
use crate::runtime::conditions::find;
use crate::runtime::handoffs;
use crate::runtime::lately::Became;
use crate::runtime::{Context, Patience};
use crate::vendors::{Action, At, Credential, Details, Sight, Wanted};

/// A Connector that was just created or changed, or is asked for, takes no answer older than this.
const NEWS: Duration = Duration::from_secs(10);

/// Sees everything.
pub async fn gather(connector: &Connector, context: &Context, patience: Patience) -> Result<Observed, Fault> {
    let namespace = connector.namespace().unwrap_or_default();
    let vendor = connector.spec.vendor.vendor();
    let age = if patience == Patience::None { Duration::ZERO } else { max_age(connector, context) };
    let credential = match vendor.secret() {
        Some((secret, keys)) => context.secrets.keys(&namespace, secret, keys).await?,
        None => Ok(Arc::default()),
    };
    let usable = credential.as_ref().ok().cloned();
    let sight = match credential {
        Ok(credential) => Ok(vendor.look(&credential, &context.desk, age).await),
        Err(problem) => Err(problem),
    };
    let account = sight.as_ref().ok().and_then(|sight| sight.account.known()).cloned().flatten();
    let granted = |action: &&Action| {
        let account = account.as_deref().unwrap_or_default();
        context.settings.grants.cover_vendor(&namespace, vendor.label(), account, **action)
    };
    let details = match (&sight, usable.as_deref()) {
        (Ok(sight), Some(credential)) => {
            details(connector, sight, account.as_deref().unwrap_or_default(), credential, context, age).await
        }
        _ => Details::default(),
    };
    Ok(Observed {
        credential_ends: vendor.secret().and_then(|(secret, _)| context.secrets.ends(&namespace, secret)),
        details,
        granted: connector.spec.allowed_actions.iter().filter(granted).copied().collect(),
        read_only: context.settings.read_only,
        created: created(connector, context),
        credential: usable,
        sight,
        age,
        policy: policy(connector, &namespace, context),
        others: others(connector, &namespace, context),
    })
}

/// What is asked of the one connector that it stands for.
async fn details(
    connector: &Connector,
    sight: &Sight,
    account: &str,
    credential: &Credential,
    context: &Context,
    age: Duration,
) -> Details {
    let all = sight.connectors.known().map_or(&[][..], |all| all);
    let Ok(Some(found)) = adoption::find(connector, all, created(connector, context).is_some()) else {
        return Details::default();
    };
    if !found.accessible || found.deleting {
        return Details::default();
    }
    let at = At { account, connector: found.id.as_deref() };
    // Since what is asked for was asked: a hand-off may have been opened anew meanwhile.
    let status = connector.status.as_ref();
    let request = status.and_then(|status| status.reauthentication.as_ref()).map(|request| request.request_time.0);
    let asked =
        status.into_iter().flat_map(|status| &status.hand_offs).map(|it| it.request_time.0).chain(request).min();
    let wanted = Wanted { jobs: due(connector, found, Timestamp::now()).is_some(), audit: asked };
    connector.spec.vendor.vendor().inspect(at, wanted, credential, &context.desk, age).await
}

/// What became of its creation, if this process has tried one.
fn created(connector: &Connector, context: &Context) -> Option<Became> {
    let creation = creation_of(connector);
    context.lately.noted(&creation).or_else(|| context.lately.refused(&creation).map(Became::Refused))
}

/// The creation of its connector, among what was written lately.
pub fn creation_of(connector: &Connector) -> String {
    let generation = connector.metadata.generation.unwrap_or_default();
    format!("{}/{generation}/Create", connector.uid().unwrap_or_default())
}

/// How old an answer may be: half of the time to the next look, so that the answer of the last one is always too old.
fn max_age(connector: &Connector, context: &Context) -> Duration {
    let interval = span(&connector.spec.interval);
    let waiting = interval.min(context.settings.waiting_interval);
    let status = connector.status.as_ref();
    let current = status.is_some_and(|status| status.observed_generation == connector.metadata.generation);
    let ready = status.and_then(|status| find(&status.conditions, "Ready")).is_some_and(|ready| ready.status == "True");
    if context.again.is_wanted(connector.metadata.uid.as_deref()) {
        return (waiting / 2).min(NEWS);
    }
    match (current, ready) {
        (false, _) => (waiting / 2).min(NEWS),
        (true, false) => waiting / 2,
        (true, true) => interval / 2,
    }
}

fn policy(connector: &Connector, namespace: &str, context: &Context) -> Option<PolicySeen> {
    let guarded = context.policy(namespace, &connector.spec.policy_ref.name)?;
    let Ok(policy) = &guarded.0 else {
        let not_ready = Some(Reason::Unreadable.word());
        return Some(PolicySeen {
            account: None,
            answer: None,
            profile: None,
            not_ready,
            hands_off: false,
            missing: Vec::new(),
            failing: Vec::new(),
            password_changed: None,
            window: None,
        });
    };
    // What was written a moment ago counts, though the watch does not show it yet.
    Some(seen(connector, &context.caught_up(policy.clone())))
}

/// What a policy that can be read says to a Connector.
pub fn seen(connector: &Connector, policy: &ServiceAccountPolicy) -> PolicySeen {
    let status = policy.status.as_ref();
    let answer = status.into_iter().flat_map(|status| &status.demands).find(|answer| {
        Some(&answer.uid) == connector.metadata.uid.as_ref() && Some(answer.generation) == connector.metadata.generation
    });
    let mut missing: Vec<String> = status
        .into_iter()
        .flat_map(|status| &status.findings)
        .filter(|finding| finding.stages.contains(&Stage::Setup))
        // Other profiles of the policy are for other Connectors.
        .filter(|finding| answer.is_none_or(|answer| finding.id.starts_with(&format!("{}/", answer.profile))))
        .filter(|finding| matches!(finding.result, FindingResult::Fail | FindingResult::Unknown))
        .map(|finding| match &finding.environments {
            Some(environments) => format!("{} ({})", finding.message, environments.sample.join(", ")),
            None => finding.message.clone(),
        })
        .collect();
    // What can't be told for one reason is often said by several findings.
    missing.dedup();
    // What an older answer rests on is not this Connector's matter any more.
    let of_answer = |id: &str| id.strip_prefix(&format!("{}/", answer?.profile)).map(str::to_owned);
    let failing = status
        .into_iter()
        .flat_map(|status| &status.findings)
        // A newer password is a warning to who has other signs; where an attestation is all there is, it ends that.
        .filter(|finding| {
            let newer_password = finding.result == FindingResult::Warn && finding.id.ends_with("/password-kept");
            finding.stages.contains(&Stage::Steady) && (finding.result == FindingResult::Fail || newer_password)
        })
        .filter_map(|finding| {
            let (message, since) = (finding.message.clone(), finding.last_transition_time.0);
            Some(Failing { name: of_answer(&finding.id)?, message, since })
        })
        .collect();
    let ready = status.and_then(|status| find(&status.conditions, "Ready"));
    let not_ready = ready.filter(|ready| ready.status != "True").map(|ready| ready.reason.clone());
    PolicySeen {
        account: Some(policy.spec.account.name().to_owned()),
        answer: answer.cloned(),
        profile: answer.map(|answer| answer.profile.clone()).or_else(|| fitting(connector, policy)),
        not_ready,
        hands_off: handoffs::awaits_person(policy),
        missing,
        failing,
        password_changed: status
            .and_then(|status| status.account.as_ref()?.password_changed_time.as_ref())
            .map(|time| time.0),
        window: status.and_then(|status| status.elevation.as_ref()).map(|elevation| WindowSeen {
            open: matches!(elevation.state, ElevationState::Opening | ElevationState::Open),
            begun: elevation.start_time.0,
            expires: elevation.expiration_time.0,
        }),
    }
}

/// The profile that the policy will answer for, before it has.
fn fitting(connector: &Connector, policy: &ServiceAccountPolicy) -> Option<String> {
    let fitting = connector.spec.vendor.vendor().profiles();
    let named = connector.spec.policy_ref.profile.as_deref();
    let wanted = |name: &&str| fitting.contains(name) && named.is_none_or(|named| named == *name);
    match names(&policy.spec.profiles).into_iter().filter(wanted).collect::<Vec<_>>().as_slice() {
        [only] => Some((*only).to_owned()),
        _ => None,
    }
}

fn others(connector: &Connector, namespace: &str, context: &Context) -> Vec<Other> {
    let all = context.connectors.state();
    let alive = all
        .iter()
        .filter_map(|guarded| guarded.0.as_ref().ok())
        .filter(|other| other.metadata.uid != connector.metadata.uid && other.metadata.deletion_timestamp.is_none());
    alive
        .map(|other| {
            let status = other.status.as_ref();
            Other {
                name: (other.namespace().as_deref() == Some(namespace)).then(|| other.name_any()),
                age: age(other),
                account: status.and_then(|status| status.account.as_ref()).map(|account| account.id.clone()),
                connector_id: status.and_then(|status| status.connector_id.clone()),
                called: called(other),
                organizations: other.spec.vendor.vendor().organizations().into_iter().map(str::to_owned).collect(),
            }
        })
        .collect()
}
