//! What the objects of a change say of each other: a Connector and its policy, the Secrets that both name, and the account that a policy signs in with.

use std::sync::LazyLock;

use kube::ResourceExt;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::form::Wrong;
use super::policy;
use crate::api::policy::Credential;
use crate::api::shared::EnvironmentSelector;
use crate::api::{Connector, ServiceAccountPolicy, USE_LABEL};
use crate::cli::yaml::Object;
use crate::http::Hosts;
use crate::policy::profile_for;
use crate::vendors;

/// The vendors' hosts that every installation may ask.
static COMPILED_IN: LazyLock<Hosts> = LazyLock::new(|| Hosts::new(vendors::hosts(), [""; 0]).unwrap_or_default());

/// What is seen of one object beside the others. `true`: only worth knowing, since what is missing may be in the cluster.
pub fn judge(value: &Value, all: &[&Object<'_>]) -> Vec<(Wrong, bool)> {
    match value["kind"].as_str() {
        Some("Connector") => read(value).map_or_else(unread, |it| connector(&it, all)),
        Some("ServiceAccountPolicy") => read(value).map_or_else(unread, |it| of_policy(&it, all)),
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
            // A namespace that is left out, or another one, is seen at a glance by whoever is told of it.
            let here = |namespace: Option<&str>| {
                namespace.map_or_else(|| "without a namespace".to_owned(), |it| format!("in namespace {it}"))
            };
            let others = all.iter().map(|object| &object.value).filter(|it| {
                it["kind"] == "ServiceAccountPolicy" && it["metadata"]["name"].as_str() == Some(&asked.name)
            });
            let others: Vec<String> = others.map(|it| here(it["metadata"]["namespace"].as_str())).collect();
            let there = if others.is_empty() {
                String::new()
            } else {
                format!(" {}, only {}", here(namespace.as_deref()), others.join(" and "))
            };
            let message = format!(
                "no ServiceAccountPolicy {} in these files{there}: the Connector waits until there is one in its namespace",
                asked.name
            );
            found.push((Wrong::at(&["spec", "policyRef", "name"], message), true));
        }
        Some(policy) => {
            let fitting = connector.spec.vendor.vendor().profiles();
            if let Ok(policy) = serde_json::from_value::<ServiceAccountPolicy>((*policy).clone()) {
                if let Err(sentence) = profile_for(asked.profile.as_deref(), fitting, &policy.spec.profiles) {
                    found.push((Wrong::at(&["spec", "policyRef"], sentence), false));
                }
                found.extend(none_left(connector.spec.environments.as_ref(), policy.spec.environments.as_ref()));
            }
        }
    }
    // Only worth knowing: which other hosts may be asked is the installation's matter.
    if let Some((field, why)) = connector.spec.vendor.vendor().not_allowed(&COMPILED_IN) {
        found.push((Wrong::at(&field.split('.').collect::<Vec<_>>(), why), true));
    }
    if let Some((secret, keys)) = connector.spec.vendor.vendor().secret() {
        let spec = serde_json::to_value(&connector.spec.vendor).unwrap_or_default();
        let path: Vec<String> = ["spec", "vendor"]
            .map(str::to_owned)
            .into_iter()
            .chain(reference(&spec, secret).unwrap_or_default())
            .collect();
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        found.extend(of_secret(all, namespace.as_deref(), secret, keys, &path));
    }
    found
}

/// Where the Secret of this name is referred to.
fn reference(value: &Value, name: &str) -> Option<Vec<String>> {
    value.as_object()?.iter().find_map(|(field, inner)| {
        let is = field == "secretRef" && inner["name"] == name;
        let below = if is { Some(Vec::new()) } else { reference(inner, name) };
        below.map(|below| std::iter::once(field.clone()).chain(below).collect())
    })
}

/// Types that leave none of the policy's environments: the operator takes that, and can tell nothing then.
fn none_left(asked: Option<&EnvironmentSelector>, ceiling: Option<&EnvironmentSelector>) -> Option<(Wrong, bool)> {
    // What is named by its id may be of any type.
    let by_type = |it: &&EnvironmentSelector| it.include.is_empty() && !it.types.is_empty();
    let (asked, ceiling) = (asked.filter(by_type)?, ceiling.filter(by_type)?);
    if asked.types.iter().any(|kind| ceiling.types.contains(kind)) {
        return None;
    }
    let types: Vec<String> = ceiling.types.iter().map(|kind| format!("{kind:?}")).collect();
    let message = format!(
        "the policy's environments are of other types ({}): none is left, and nothing can be told of the account in any",
        types.join(", ")
    );
    Some((Wrong::at(&["spec", "environments", "types"], message), true))
}

fn of_policy(policy: &ServiceAccountPolicy, all: &[&Object<'_>]) -> Vec<(Wrong, bool)> {
    let namespace = policy.namespace();
    let mut found = policy::judge(policy);
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
    use crate::cli::check::policy::POLICY_FOR_TESTS as POLICY;
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

    #[test]
    fn what_is_meant_is_said_with_its_place() {
        let elsewhere = POLICY.replace("metadata: { ", "metadata: { namespace: backup, ");
        let told_of = told(&[KEEPIT, &elsewhere]).join("\n");
        assert!(
            told_of.contains("in these files without a namespace, only in namespace backup: the Connector"),
            "{told_of}"
        );
        let secret = "apiVersion: v1\nkind: Secret\nmetadata: { name: s }\nstringData: { username: a, password: b }\n";
        let told_of = told(&[KEEPIT, secret]).join("\n");
        assert!(told_of.contains("Error: spec.vendor.keepit.secretRef: Secret s has no label"), "{told_of}");
        let told_of = told(&[AVE_POINT, secret]).join("\n");
        assert!(
            told_of.contains("spec.vendor.avePoint.credential.clientSecret.secretRef: Secret s has no"),
            "{told_of}"
        );
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

    #[test]
    fn types_that_leave_none_of_the_policys_environments_are_worth_knowing() {
        let both = |asked: &str, ceiling: &str| {
            let environments = |it: &str| format!("  environments: {it}\n");
            told(&[&(KEEPIT.to_owned() + &environments(asked)), &(POLICY.to_owned() + &environments(ceiling))])
        };
        for (asked, ceiling) in [
            ("{ types: [Sandbox] }", "{ types: [Production, Sandbox] }"),
            ("{ types: [Sandbox] }", "{ exclude: [a] }"),
            ("{ types: [Sandbox] }", "{ types: [Production], include: [a] }"),
            ("{ types: [Sandbox], include: [a] }", "{ types: [Production] }"),
            ("{}", "{ types: [Production] }"),
        ] {
            assert_eq!(both(asked, ceiling), [""; 0], "{asked} {ceiling}");
        }
        let none = both("{ types: [Sandbox, Trial] }", "{ types: [Production] }").join("\n");
        assert!(
            none.contains(
                "Warning: spec.environments.types: the policy's environments are of other types (Production)"
            ),
            "{none}"
        );
    }
}
