//! `backstay reauthenticate`, `begin` and `done`: what a person says who signs in again at a vendor.

use std::time::Duration;

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use kube::Api;

use super::objects::{annotate, is_unlooked};
use super::{outside, say};
use crate::api::connector::ReauthenticationState;
use crate::api::shared::HandOffStatus;
use crate::api::{Connector, ServiceAccountPolicy};
use crate::connector::WAIT;
use crate::fault::Fault;
use crate::policy::GIVE;
use crate::runtime::conditions::find;
use crate::runtime::marks::{BEGIN, DONE, REAUTHENTICATE, annotation};

/// Which Connector.
#[derive(Args)]
pub struct Options {
    /// The Connector's name.
    name: String,
    /// Its namespace [default: the kubeconfig's].
    #[arg(long, short, value_name = "NAME")]
    namespace: Option<String>,
    #[command(flatten)]
    cluster: outside::Cluster,
}

/// How long to wait for the account to be given what it needs.
const PATIENCE: Duration = Duration::from_mins(3);
const EVERY: Duration = Duration::from_millis(500);

struct Spoken {
    connectors: Api<Connector>,
    policies: Api<ServiceAccountPolicy>,
    name: String,
    namespace: String,
}

impl Spoken {
    fn of(options: &Options) -> Result<Self, String> {
        let (client, own) = options.cluster.reach()?;
        let namespace = options.namespace.clone().unwrap_or(own);
        Ok(Self {
            connectors: Api::namespaced(client.clone(), &namespace),
            policies: Api::namespaced(client, &namespace),
            name: options.name.strip_prefix("connector/").unwrap_or(&options.name).to_owned(),
            namespace,
        })
    }

    async fn connector(&self) -> Result<Connector, String> {
        let read = self.connectors.get_opt(&self.name).await.map_err(|error| Fault::from(error).sentence)?;
        let connector = read.ok_or_else(|| {
            format!("there is no Connector {} in namespace {} (-n names another one)", self.name, self.namespace)
        })?;
        // Nobody would answer, and what is not known is not fine.
        if is_unlooked(connector.status.as_ref().map(|status| &status.conditions)) {
            return Err(format!(
                "no operator has looked at Connector {} yet: kubectl backstay doctor -n {} says why",
                self.name, self.namespace
            ));
        }
        Ok(connector)
    }

    /// Says so on the object, with the time of now; by a clock that is behind, not before what it answers.
    async fn mark(&self, key: &str, answers: Option<Timestamp>) -> Result<Timestamp, String> {
        let now = Timestamp::now().max(answers.unwrap_or(Timestamp::MIN));
        let now = Timestamp::from_second(now.as_second()).map_err(|error| error.to_string())?;
        annotate(&self.connectors, &self.name, key, &now.to_string())
            .await
            .map_err(|error| Fault::from(error).sentence)?;
        Ok(now)
    }
}

/// Asks for a new sign-in.
///
/// # Errors
/// One sentence.
pub fn reauthenticate(options: &Options) -> Result<(), String> {
    outside::block_on(async {
        let spoken = Spoken::of(options)?;
        spoken.connector().await?;
        spoken.mark(REAUTHENTICATE, None).await?;
        let name = &spoken.name;
        say(&format!("Asked for. When you sit down to it: kubectl backstay begin {name} -n {}\n", spoken.namespace))
    })
}

/// Begins it, waits until the account holds what it needs, and says what to do.
///
/// # Errors
/// One sentence: nobody is asked for it, or it can't be begun now.
pub fn begin(options: &Options) -> Result<(), String> {
    outside::block_on(async {
        let spoken = Spoken::of(options)?;
        let (name, namespace) = (&spoken.name, &spoken.namespace);
        let connector = spoken.connector().await?;
        let Some(request) = connector.status.and_then(|status| status.reauthentication) else {
            let last = annotation(&connector.metadata, REAUTHENTICATE).map(|at| format!(" (the last time that somebody asked for it was {at}: if that is not answered, see kubectl backstay doctor -n {namespace})"));
            return Err(format!(
                "nobody is asked to sign in again for {name}{}; to ask for it: kubectl backstay reauthenticate {name} -n {namespace}",
                last.unwrap_or_default()
            ));
        };
        // Another one than before, however soon it follows: times on objects are kept in whole seconds.
        let again = request.begin_time.map(|begun| begun.0 + SignedDuration::from_secs(1));
        let begun = spoken.mark(BEGIN, again.max(Some(request.request_time.0))).await?;
        eprintln!("Begun. Waiting until the account holds what it needs");
        let mut told = None;
        let waited = tokio::time::timeout(PATIENCE, until_ready(&spoken, begun, &mut told)).await;
        if let Ok(ready) = waited {
            return say(&ready?);
        }
        let status = spoken.connector().await?.status.unwrap_or_default();
        let missing = find(&status.conditions, "PolicySatisfied").map(|it| it.message.clone()).unwrap_or_default();
        Err(format!(
            "the account does not hold yet what it needs: {missing}; once it does, the same command again brings the steps (kubectl describe bconn -n {namespace} {name})"
        ))
    })
}

/// `told`: which hand-off of the policy was shown.
async fn until_ready(spoken: &Spoken, begun: Timestamp, told: &mut Option<String>) -> Result<String, String> {
    loop {
        let connector = spoken.connector().await?;
        let status = connector.status.clone().unwrap_or_default();
        let Some(request) = &status.reauthentication else {
            return Ok(format!("{} works again: nothing is left to do\n", spoken.name));
        };
        let taken = request.begin_time.as_ref().is_some_and(|time| time.0 >= begun);
        let refused = request.message.as_ref().filter(|_| request.state == ReauthenticationState::Requested);
        if let Some(message) = refused.filter(|_| taken) {
            return Err(message.clone());
        }
        let policy = spoken
            .policies
            .get_opt(&connector.spec.policy_ref.name)
            .await
            .map_err(|error| Fault::from(error).sentence)?;
        let policy = policy.and_then(|policy| policy.status).unwrap_or_default();
        let answer = policy.demands.iter().find(|answer| Some(&answer.uid) == connector.metadata.uid.as_ref());
        // The account keeps all that it takes: there is no window to wait for.
        let nothing_given = answer.is_some_and(|answer| answer.elevates.is_none());
        let ready = find(&status.conditions, "PolicySatisfied").is_some_and(|it| it.status == "True");
        if nothing_given || (taken && ready && request.state == ReauthenticationState::Begun) {
            let until = policy.elevation.filter(|_| !nothing_given).map(|it| it.expiration_time.0);
            return Ok(steps(status.hand_offs.first(), until));
        }
        // Somebody else has to give it: whoever sits here has to know whom to call.
        if let Some(give) = policy.hand_offs.iter().find(|it| taken && it.name == GIVE)
            && told.as_ref() != Some(&give.title)
        {
            let why = policy.elevation.as_ref().and_then(|elevation| elevation.message.as_ref());
            let why = why.map(|why| format!("{why}\n")).unwrap_or_default();
            eprintln!("{why}{}It is noticed when that is done", steps(Some(give), None));
            *told = Some(give.title.clone());
        }
        tokio::time::sleep(EVERY).await;
    }
}

fn steps(hand_off: Option<&HandOffStatus>, until: Option<Timestamp>) -> String {
    let until = until.map(|until| format!("The account holds what it needs until {until:.0}."));
    let hand_off = hand_off.into_iter().flat_map(|hand_off| {
        let head = format!("{} ({})", hand_off.title, hand_off.who);
        let url = hand_off.url.iter().map(|url| format!("  {url}"));
        // What has come true while it was waited for is no step any more.
        let rest = hand_off.steps.iter().filter(|step| !step.starts_with(WAIT));
        let steps = (1..).zip(rest).map(|(number, step)| format!("  {number}. {step}"));
        std::iter::once(head).chain(url).chain(steps).collect::<Vec<_>>()
    });
    until.into_iter().chain(hand_off).map(|line| line + "\n").collect()
}

/// Says that it is done.
///
/// # Errors
/// One sentence: nobody is asked for it.
pub fn done(options: &Options) -> Result<(), String> {
    outside::block_on(async {
        let spoken = Spoken::of(options)?;
        let (name, namespace) = (&spoken.name, &spoken.namespace);
        let connector = spoken.connector().await?;
        let attests = connector.spec.vendor.vendor().secret().is_none();
        let Some(request) = connector.status.and_then(|status| status.reauthentication) else {
            return say(&format!("Nobody is asked to sign in for {name}: there is nothing to be done\n"));
        };
        if attests {
            return Err(format!(
                "what was done for {name} is attested in its spec: see the hand-off of kubectl describe bconn -n {namespace} {name}"
            ));
        }
        spoken.mark(DONE, Some(request.begin_time.unwrap_or(request.request_time).0)).await?;
        say(&format!(
            "Noted. Once everybody is done, what the operator gave for it is taken back, and who gave it by hand is asked to take it back. Whether it works is seen at the vendor: kubectl get bconn -n {namespace} {name}\n"
        ))
    })
}
