//! Whether everybody who needs an account was seen to do without what only Setup asks for; and what is missing to say so. [pure]

use super::answers::{narrowed, profile};
use super::asking::Asking;
use super::observed::Elsewhere;
use super::observed::Observed;
use crate::api::ServiceAccountPolicy;
use crate::api::policy::Stage;
use crate::tenant::facts::AccountFacts;

/// What was proved of the Connectors and policies of an account.
pub struct Proof {
    /// Whether every Connector that is awake says that it is authorized: what only Setup asks for is a fault from now on.
    pub settled: bool,
    /// What must come first before anything is taken away, as the end of a sentence; `None`: nothing.
    pub lacking: Option<String>,
}

impl Proof {
    /// By all that was seen; `facts`: of the account, in all environments that the policy selects.
    pub fn of(policy: &ServiceAccountPolicy, observed: &Observed, facts: &AccountFacts) -> Self {
        let lacking = first(policy, observed, facts);
        Self { settled: unlike(observed, steady).is_none(), lacking }
    }
}

/// What must come first, in the order in which a person would go after it.
fn first(policy: &ServiceAccountPolicy, observed: &Observed, facts: &AccountFacts) -> Option<String> {
    if !observed.connectors.iter().any(|asking| !asking.asleep) {
        return Some("a Connector must first be seen to be authorized".to_owned());
    }
    if let Some(who) = unlike(observed, steady) {
        return Some(format!("{who} must first be seen to be authorized"));
    }
    // What a Connector needs is not known while what it asks for can't be told: nothing is taken for it.
    let understood =
        |demand: &&super::demands::Demand| profile(demand, policy).is_ok() && narrowed(demand, facts).is_ok();
    if let Some(demand) = observed.demands().find(|demand| !understood(demand)) {
        return Some(format!("what Connector {} asks for must first be clear", demand.connector));
    }
    if observed.obscured {
        return Some("an object that this version of the operator can't read may need the role".to_owned());
    }
    if let Some(who) = unlike(observed, |asking| asking.granted) {
        return Some(format!("{who} must first be seen once more to be authorized"));
    }
    match observed.elsewhere_holds {
        Elsewhere::Holds => None,
        Elsewhere::NotSeen => Some("another policy for the account must first be seen once more to hold".to_owned()),
        Elsewhere::Lacks => Some("all that another policy for the account asks for must hold first".to_owned()),
    }
}

fn steady(asking: &Asking) -> bool {
    let works = |stage| matches!(stage, Stage::Steady | Stage::Restore);
    asking.demand.as_ref().is_some_and(|demand| works(demand.stage)) && !asking.requested
}

/// The first Connector that is awake and not like this. One of another policy has no name here: it may be of another namespace.
fn unlike(observed: &Observed, like: impl Fn(&Asking) -> bool) -> Option<String> {
    let other = |all: &[Asking]| all.iter().find(|asking| !asking.asleep && !like(asking)).map(|it| it.name.clone());
    let own = other(&observed.connectors).map(|name| format!("Connector {name}"));
    own.or_else(|| other(&observed.elsewhere).map(|_| "a Connector of another policy for the account".to_owned()))
}
