//! What the objects of a change say of each other: a Connector and its policy, the Secrets that both name, and the account that a policy signs in with.

use jiff::Timestamp;
use kube::ResourceExt;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::form::Wrong;
use super::schema::meant;
use crate::api::policy::Credential;
use crate::api::profiles::{LicenseFamily, Waiver};
use crate::api::{Connector, ServiceAccountPolicy, USE_LABEL};
use crate::cli::yaml::{Object, Step};
use crate::http::Hosts;
use crate::policy::profiles::{Requirement, requirements};
use crate::policy::rules::Rule;
use crate::policy::rules::license::near_miss;
use crate::policy::{in_vain, opening, profile_for};
use crate::vendors;

/// What is seen of one object beside the others. `true`: only worth knowing, since what is missing may be in the cluster.
pub fn judge(value: &Value, all: &[&Object<'_>]) -> Vec<(Wrong, bool)> {
    match value["kind"].as_str() {
        Some("Connector") => read(value).map_or_else(unread, |it| connector(&it, all)),
        Some("ServiceAccountPolicy") => read(value).map_or_else(unread, |it| policy(&it, all)),
        _ => Vec::new(),
    }
}

fn read<K: DeserializeOwned>(value: &Value) -> Result<K, serde_json::Error> {
    serde_json::from_value(value.clone())
}

/// What the schema lets pass and the operator could not read.
#[allow(clippy::needless_pass_by_value)] // as map_or_else has it
fn unread(error: serde_json::Error) -> Vec<(Wrong, bool)> {
    vec![(Wrong::at(&[], format!("this version of backstay can't read it: {error}")), false)]
}

/// The objects of these kinds that make what has this name, in the same namespace.
fn named<'a>(all: &'a [&'a Object<'a>], kinds: &[&str], namespace: Option<&str>, name: &str) -> Vec<&'a Value> {
    let same = |value: &&Value| {
        // An ExternalSecret may call its Secret otherwise than itself.
        let made = value["spec"]["target"]["name"].as_str().filter(|_| value["kind"] == "ExternalSecret");
        value["kind"].as_str().is_some_and(|kind| kinds.contains(&kind))
            && made.or(value["metadata"]["name"].as_str()) == Some(name)
            && value["metadata"]["namespace"].as_str() == namespace
    };
    all.iter().map(|object| &object.value).filter(same).collect()
}

fn connector(connector: &Connector, all: &[&Object<'_>]) -> Vec<(Wrong, bool)> {
    let namespace = connector.namespace();
    let asked = &connector.spec.policy_ref;
    let mut found = Vec::new();
    match named(all, &["ServiceAccountPolicy"], namespace.as_deref(), &asked.name).first() {
        None => {
            let message = format!(
                "no ServiceAccountPolicy {} in these files: the Connector waits until there is one in its namespace",
                asked.name
            );
            found.push((Wrong::at(&["spec", "policyRef", "name"], message), true));
        }
        Some(policy) => {
            let policy = serde_json::from_value::<ServiceAccountPolicy>((*policy).clone());
            let fitting = connector.spec.vendor.vendor().profiles();
            if let Ok(policy) = policy
                && let Err(sentence) = profile_for(asked.profile.as_deref(), fitting, &policy.spec.profiles)
            {
                found.push((Wrong::at(&["spec", "policyRef"], sentence), false));
            }
        }
    }
    // Only worth knowing: which other hosts may be asked is the installation's matter.
    let compiled_in = Hosts::new(vendors::hosts(), [""; 0]).unwrap_or_default();
    if let Some((field, why)) = connector.spec.vendor.vendor().not_allowed(&compiled_in) {
        found.push((Wrong::at(&field.split('.').collect::<Vec<_>>(), why), true));
    }
    if let Some((secret, keys)) = connector.spec.vendor.vendor().secret() {
        found.extend(of_secret(all, namespace.as_deref(), secret, keys, &["spec", "vendor"]));
    }
    found
}

fn policy(policy: &ServiceAccountPolicy, all: &[&Object<'_>]) -> Vec<(Wrong, bool)> {
    let namespace = policy.namespace();
    let hours = policy.spec.elevation.as_ref().and_then(|elevation| elevation.hours.as_ref());
    let mistake = hours.and_then(|hours| opening(hours, Timestamp::now()).err());
    let path = ["spec", "elevation", "hours", "timeZone"];
    let mut found: Vec<_> = mistake.into_iter().map(|message| (Wrong::at(&path, message), false)).collect();
    found.extend(licenses(policy));
    found.extend(waivers(policy));
    let (place, secret, keys): (_, _, Vec<&str>) = match &policy.spec.credential {
        Credential::ClientSecret(it) => ("clientSecret", &it.secret_ref.name, vec![&it.secret_ref.key]),
        Credential::ClientCertificate(it) => ("clientCertificate", &it.secret_ref.name, vec!["tls.crt", "tls.key"]),
        Credential::WorkloadIdentity(it) => {
            // Without one the operator signs in as its own, which needs no label.
            let account = it.service_account_ref.as_ref();
            found.extend(account.and_then(|it| of_service_account(all, namespace.as_deref(), &it.name)));
            return found;
        }
    };
    found.extend(of_secret(all, namespace.as_deref(), secret, &keys, &["spec", "credential", place, "secretRef"]));
    found
}

/// What is wrong with a `ServiceAccount` that is in these files.
fn of_service_account(all: &[&Object<'_>], namespace: Option<&str>, name: &str) -> Option<(Wrong, bool)> {
    let mut accounts = named(all, &["ServiceAccount"], namespace, name);
    // Clouds have kinds of this name, too.
    accounts.retain(|account| account["apiVersion"] == "v1");
    if accounts.is_empty() || accounts.iter().any(|account| is_labelled(account)) {
        return None;
    }
    let path = ["spec", "credential", "workloadIdentity", "serviceAccountRef"];
    Some((unlabelled(&path, &format!("ServiceAccount {name} has no label")), false))
}

/// Waivers for what this policy never finds: the operator goes no further then.
fn waivers(policy: &ServiceAccountPolicy) -> Vec<(Wrong, bool)> {
    let findings: Vec<String> = requirements(&policy.spec).iter().map(Requirement::id).collect();
    let told = |(number, waiver): (usize, &Waiver)| {
        let near = meant(&waiver.finding, findings.iter().map(String::as_str));
        let message = format!(
            "{} is no finding of this policy{near}; docs/profiles.md names those of each profile",
            waiver.finding
        );
        let mut wrong = Wrong::at(&["spec", "waivers"], message);
        wrong.path.extend([Step::Item(number), Step::Field("finding".to_owned())]);
        (wrong, false)
    };
    in_vain(&policy.spec.waivers, &findings).into_iter().map(told).collect()
}

/// Licenses of the spec's own that satisfy no vendor, and those that nobody asks for.
fn licenses(policy: &ServiceAccountPolicy) -> Vec<(Wrong, bool)> {
    let asked: Vec<LicenseFamily> = requirements(&policy.spec)
        .iter()
        .filter_map(|it| match &it.rule {
            Rule::License(wanted) => Some(wanted.family),
            _ => None,
        })
        .collect();
    let mut found = Vec::new();
    let families = policy.spec.licenses.iter().flat_map(|it| &it.families);
    for (number, choice) in families.enumerate() {
        let mut told = |below: &[Step], message: String| {
            let mut wrong = Wrong::at(&["spec", "licenses", "families"], message);
            wrong.path.push(Step::Item(number));
            wrong.path.extend_from_slice(below);
            found.push((wrong, true));
        };
        if !asked.contains(&choice.name) {
            told(&[], format!("no profile of this policy asks for a {} license", choice.name.name()));
        }
        for (number, sku) in choice.extra_sku_ids.iter().enumerate() {
            if let Some(name) = near_miss(choice.name, sku) {
                let message = format!("{sku} is {name}, which is no {} license for the vendor", choice.name.name());
                told(&[Step::Field("extraSKUIDs".to_owned()), Step::Item(number)], message);
            }
        }
    }
    found
}

/// What is wrong with a Secret that is in these files, or made by one of them.
fn of_secret(
    all: &[&Object<'_>],
    namespace: Option<&str>,
    name: &str,
    keys: &[&str],
    path: &[&str],
) -> Vec<(Wrong, bool)> {
    let mut found = Vec::new();
    let secrets = named(all, &["Secret", "ExternalSecret"], namespace, name);
    let Some(first) = secrets.first() else { return found };
    let made = first["kind"] == "ExternalSecret";
    let what = format!("{} {name}", if made { "ExternalSecret" } else { "Secret" });
    // There may be several that are one in the end, such as a base and what changes it.
    if !secrets.iter().any(|secret| is_labelled(secret)) {
        let lacks = if made { "gives its Secret no label" } else { "has no label" };
        found.push((unlabelled(path, &format!("{what} {lacks}")), false));
    }
    for key in keys.iter().filter(|key| !secrets.iter().any(|secret| may_have(secret, key))) {
        found.push((Wrong::at(path, format!("{what} has no key {key}")), false));
    }
    found
}

fn unlabelled(path: &[&str], lacks: &str) -> Wrong {
    Wrong::at(path, format!("{lacks} {USE_LABEL}: \"true\": the operator would not use it"))
}

fn is_labelled(secret: &Value) -> bool {
    let template = &secret["spec"]["target"]["template"];
    // Without a template the Secret gets the labels of what makes it.
    let metadata = if template.is_object() { &template["metadata"] } else { &secret["metadata"] };
    metadata["labels"][USE_LABEL] == "true"
}

/// Whether it has a key, or nobody can tell: of one that is made, only what it lists is known.
fn may_have(secret: &Value, key: &str) -> bool {
    let (made, template) = (secret["kind"] == "ExternalSecret", &secret["spec"]["target"]["template"]);
    let unknown = made && (secret["spec"]["dataFrom"].is_array() || template["templateFrom"].is_array());
    let listed = || secret["spec"]["data"].as_array().into_iter().flatten().any(|it| it["secretKey"] == key);
    unknown
        || [&secret["data"], &secret["stringData"], &template["data"]].iter().any(|it| it.get(key).is_some())
        || made && listed()
}

#[cfg(test)]
mod tests {
    use crate::cli::check::told_for_tests as told;

    const KEEPIT: &str = "apiVersion: backstay.dev/v1alpha1
kind: Connector
metadata: { name: a }
spec:
  vendor:
    keepit:
      region: dk-co
      secretRef: { name: s }
  policyRef: { name: p }
";
    const AVE_POINT: &str = "apiVersion: backstay.dev/v1alpha1
kind: Connector
metadata: { name: a }
spec:
  vendor:
    avePoint:
      dataCenter: we
      credential: { clientSecret: { clientID: c, secretRef: { name: s } } }
      organizations: [{ name: Sales }]
  policyRef: { name: p }
";

    /// What is told beside the policy that is not there.
    fn of_vendor(text: &str) -> Vec<String> {
        told(&[text]).into_iter().filter(|it| !it.contains("no ServiceAccountPolicy p in these files")).collect()
    }

    #[test]
    fn a_vendors_installation_that_nobody_knows_is_worth_knowing() {
        assert_eq!(of_vendor(KEEPIT), [""; 0]);
        assert_eq!(of_vendor(AVE_POINT), [""; 0]);
        let [keepit, ave_point] =
            [KEEPIT.replace("dk-co", "zz-zz"), AVE_POINT.replace("dataCenter: we", "dataCenter: zz")]
                .map(|it| of_vendor(&it).join("\n"));
        assert!(
            keepit.starts_with("0.yaml:7:7: Warning: spec.vendor.keepit.region: 'zz-zz' is not a known"),
            "{keepit}"
        );
        assert!(keepit.ends_with("--allow-host zz-zz.keepit.com"), "{keepit}");
        assert!(
            ave_point.starts_with("0.yaml:7:7: Warning: spec.vendor.avePoint.dataCenter: 'zz' is not"),
            "{ave_point}"
        );
    }

    const POLICY: &str = "apiVersion: backstay.dev/v1alpha1
kind: ServiceAccountPolicy
metadata: { name: p }
spec:
  tenant: { id: contoso.com }
  credential:
    workloadIdentity:
      clientID: c0ffee00-1111-4222-8333-444455556666
      serviceAccountRef: { name: entra }
  account: { user: { principalName: u@contoso.com } }
  profiles:
    keepitDynamicsCE: {}
    custom: { rules: [{ id: mine, check: { noMfa: {} } }] }
";

    #[test]
    fn a_waiver_for_what_the_policy_never_finds_is_wrong() {
        let waived = |id: &str| told(&[&format!("{POLICY}  waivers:\n    - reason: all fine\n      finding: {id}\n")]);
        for fine in ["keepitDynamicsCE/global-administrator", "custom/mine"] {
            assert_eq!(waived(fine), [""; 0], "{fine}");
        }
        let end = "is no finding of this policy; docs/profiles.md names those of each profile";
        for bad in ["nope/none", "custom/theirs", "keepitPowerPlatform/no-global-administrator"] {
            assert_eq!(waived(bad), [format!("0.yaml:16:7: Error: spec.waivers[0].finding: {bad} {end}")]);
        }
        let near = waived("custom/mime").join("\n");
        assert!(near.contains("custom/mime is no finding of this policy, did you mean custom/mine?;"), "{near}");
    }

    #[test]
    fn a_service_account_that_lacks_the_label_is_told_if_it_is_the_one_that_is_named() {
        let beside = |metadata: &str| {
            told(&[POLICY, &format!("apiVersion: v1\nkind: ServiceAccount\nmetadata: {{ {metadata} }}\n")])
        };
        let labelled = "name: entra, labels: { backstay.dev/use: \"true\" }";
        for fine in [labelled, "name: another", "name: entra, namespace: elsewhere"] {
            assert_eq!(beside(fine), [""; 0], "{fine}");
        }
        let of_a_cloud = "apiVersion: iam.example.com/v1\nkind: ServiceAccount\nmetadata: { name: entra }\n";
        assert_eq!(told(&[POLICY, of_a_cloud]), [""; 0]);
        for bad in ["name: entra", "name: entra, labels: { backstay.dev/use: \"yes\" }"] {
            assert_eq!(
                beside(bad),
                [
                    "0.yaml:9:7: Error: spec.credential.workloadIdentity.serviceAccountRef: ServiceAccount entra has no label \
                  backstay.dev/use: \"true\": the operator would not use it"
                ]
            );
        }
    }
}
