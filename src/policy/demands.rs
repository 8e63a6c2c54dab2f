//! What each Connector asks of the account: read from its status, and from nothing else.

use jiff::Timestamp;
use kube::ResourceExt;

use crate::api::Connector;
use crate::api::connector::stage;
use crate::api::policy::Stage;
use crate::api::shared::EnvironmentSelector;

/// What one Connector asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    /// Its name.
    pub connector: String,
    /// Its uid.
    pub uid: String,
    /// The generation that asks.
    pub generation: i64,
    /// The profile that it names; `None`: the one that fits its vendor.
    pub profile: Option<String>,
    /// Profiles that fit its vendor.
    pub fitting: &'static [&'static str],
    /// The stage that it is in: Setup, or Steady once its authorization was seen to work.
    pub stage: Stage,
    /// How it narrows the policy's environments.
    pub environments: Option<EnvironmentSelector>,
}

/// The demand of a Connector; `None`: it asks for nothing. A status that is empty (restored from a backup), of another
/// generation, or Unknown about the authorization asks for nothing; nor does a Connector that is suspended or going.
#[must_use]
pub fn of(connector: &Connector, now: Timestamp) -> Option<Demand> {
    let status = connector.status.as_ref()?;
    let generation = connector.metadata.generation?;
    let asleep = connector.spec.suspend || connector.metadata.deletion_timestamp.is_some();
    if asleep || status.observed_generation != Some(generation) {
        return None;
    }
    let request = status.reauthentication.as_ref().map(|request| request.state);
    let restores = connector.spec.restore.as_ref().is_some_and(|restore| restore.until_time.0 > now);
    let stage = stage(status.authorization.as_ref()?.state, request, restores)?;
    Some(Demand {
        connector: connector.name_any(),
        uid: connector.uid()?,
        generation,
        profile: connector.spec.policy_ref.profile.clone(),
        fitting: connector.spec.vendor.vendor().profiles(),
        stage,
        environments: connector.spec.environments.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::ConnectorSpec;

    fn connector(status: &str, more: &str) -> Connector {
        // By JSON, as the API server sends it: in YAML an enum would be a tag.
        let spec: serde_json::Value = serde_yaml::from_str(&format!(
            "{{ vendor: {{ keepit: {{ region: dk-co, secretRef: {{ name: a }} }} }}, policyRef: {{ name: p }}{more} }}"
        ))
        .unwrap();
        let spec: ConnectorSpec = serde_json::from_value(spec).unwrap();
        let mut connector = Connector::new("c", spec);
        connector.metadata.uid = Some("u".into());
        connector.metadata.generation = Some(2);
        connector.status = serde_yaml::from_str(status).unwrap();
        connector
    }

    const REQUIRED: &str =
        "{ observedGeneration: 2, authorization: { state: Required, lastTransitionTime: 2026-11-01T00:00:00Z } }";

    #[test]
    fn only_a_status_of_this_generation_that_speaks_of_the_authorization_asks_for_anything() {
        let stage = |status: &str| of(&connector(status, ""), Timestamp::UNIX_EPOCH).map(|demand| demand.stage);
        assert_eq!(stage(REQUIRED), Some(Stage::Setup));
        assert_eq!(stage(&REQUIRED.replace("Required", "Granted")), Some(Stage::Steady));
        assert_eq!(stage(&REQUIRED.replace("Required", "Unknown")), None);
        assert_eq!(stage(&REQUIRED.replace("Generation: 2", "Generation: 1")), None);
        assert_eq!(stage("{ observedGeneration: 2 }"), None);
        assert_eq!(stage("{}"), None);
        assert_eq!(stage("null"), None);
    }

    #[test]
    fn a_suspended_or_deleted_connector_asks_for_nothing() {
        assert_eq!(of(&connector(REQUIRED, ", suspend: true"), Timestamp::UNIX_EPOCH), None);
        let mut going = connector(REQUIRED, "");
        going.metadata.deletion_timestamp =
            Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(jiff::Timestamp::UNIX_EPOCH));
        assert_eq!(of(&going, Timestamp::UNIX_EPOCH), None);
    }
}
