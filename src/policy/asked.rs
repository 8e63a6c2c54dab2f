//! Which profiles are asked for now, in which stages, and what counts because of it. [pure]

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::answers::profile;
use super::demands::Demand;
use super::observed::Observed;
use super::profiles::{self, Requirement};
use super::rules::Rule;
use crate::api::ServiceAccountPolicy;
use crate::api::policy::Stage;
use crate::elevation::Entry;
use crate::tenant::DirectoryRole;
use crate::tenant::facts::{AccountFacts, held};

/// Which stages of which profiles count now.
pub struct Asked(BTreeSet<(&'static str, Stage)>);

impl Asked {
    /// By the Connectors; while nobody asks for anything, Steady of all profiles.
    pub fn of(observed: &Observed, policy: &ServiceAccountPolicy) -> Self {
        let demands: Vec<&Demand> = observed.demands().collect();
        if demands.is_empty() {
            return Self(profiles::ALL.iter().map(|name| (*name, Stage::Steady)).collect());
        }
        // Nobody's rules of one's own: they count for whatever the policy is asked.
        let custom: BTreeSet<(&'static str, Stage)> =
            demands.iter().map(|demand| (profiles::CUSTOM, demand.stage)).collect();
        let asked = demands.iter().filter_map(|demand| Some((profile(demand, policy).ok()?, demand.stage)));
        Self(asked.chain(custom).collect())
    }

    /// Whether a requirement counts now: its profile is asked for in a stage that it belongs to.
    pub fn counts(&self, requirement: &Requirement) -> bool {
        self.0.iter().any(|(profile, stage)| *profile == requirement.profile && requirement.counts_in(*stage))
    }

    /// Why a requirement is not a matter of now: its profile is asked for, but in other stages than it belongs to.
    pub fn out_of_stage(&self, requirement: &Requirement) -> Option<&'static str> {
        let of_profile = self.0.iter().filter(|(profile, _)| *profile == requirement.profile);
        let stages: Vec<Stage> = of_profile.map(|(_, stage)| *stage).collect();
        // Nobody asks for the profile: it is judged as it would be once somebody's connector works.
        let stages = if stages.is_empty() { vec![Stage::Steady] } else { stages };
        if stages.iter().any(|stage| requirement.counts_in(*stage)) {
            None
        } else if requirement.counts_in(Stage::Setup) {
            Some("Asked for only while a Connector is being authorized")
        } else if !requirement.counts_in(Stage::Steady) {
            Some("Asked for only while a Connector announces a restore")
        } else {
            Some("Asked for only once every Connector is authorized")
        }
    }

    /// The directory roles that somebody needs now: by this policy's own profiles, or by another policy for the account.
    pub fn needed(
        &self,
        requirements: &[Requirement],
        observed: &Observed,
        facts: &AccountFacts,
    ) -> BTreeSet<DirectoryRole> {
        let own = requirements.iter().filter(|it| self.counts(it)).filter_map(|it| match &it.rule {
            Rule::DirectoryRole { any_of, .. } => Some(any_of),
            _ => None,
        });
        let held_for_good = |role: &DirectoryRole| {
            facts.roles.known().is_some_and(|roles| held(roles, *role).is_some_and(|held| held.group.is_none()))
        };
        let mut needed = BTreeSet::new();
        // What was given for a window is taken back with it, and whoever is asked to sign in again will need it.
        let requested = observed.connectors.iter().chain(&observed.elsewhere).any(|it| it.requested && !it.asleep);
        if requested || observed.window.as_ref().is_some_and(Entry::is_standing) {
            let again =
                requirements.iter().filter(|it| it.counts_in(Stage::Reauthentication)).filter_map(|it| {
                    match &it.rule {
                        Rule::DirectoryRole { any_of, .. } if any_of.len() == 1 => Some(any_of[0]),
                        _ => None,
                    }
                });
            needed.extend(again);
        }
        for any_of in own.chain(&observed.needed_elsewhere) {
            match any_of.as_slice() {
                // The last gives the least: while it is held, nobody needs the others.
                [.., least] if held_for_good(least) => needed.extend([*least]),
                // Where one of several is enough, and nobody sees which is held, nobody can say that this one is needed: it is not
                // known, and stays.
                [_, _, ..] if facts.roles.known().is_none() => {}
                all => needed.extend(all.iter().copied()),
            }
        }
        needed
    }
}

/// When the vendor of a profile was last seen to be authorized, as its Connectors say; `None`: none says.
pub fn authorized(observed: &Observed, policy: &ServiceAccountPolicy, of: &'static str) -> Option<Timestamp> {
    let awake = observed.connectors.iter().filter(|asking| !asking.asleep);
    let of_profile = awake.filter(|asking| {
        let asks = asking.demand.as_ref().and_then(|demand| profile(demand, policy).ok());
        asks.is_some_and(|asks| of == asks || of == profiles::CUSTOM)
    });
    of_profile.filter_map(|asking| asking.authorized).min()
}
