//! `backstay import`: what exists at a vendor, as manifests to put into Git. Applying them adopts it and changes nothing there.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::outside;
use crate::api::Connector;
use crate::seen::Seen;
use crate::vendors::{Undeclared, VendorConnector, VendorSpec};

/// What is imported.
#[derive(Args)]
pub struct Options {
    /// The vendor.
    #[arg(long, value_enum)]
    vendor: Name,
    /// The Secret with the credential, in the namespace: for Keepit with `username` and `password`, for `AvePoint` with `client-secret`.
    #[arg(long, value_name = "NAME")]
    secret: Option<String>,
    /// Keepit: the region, such as dk-co.
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// Keepit: an account below the token's own.
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// `AvePoint`: the data center, such as we.
    #[arg(long, value_name = "NAME")]
    data_center: Option<String>,
    /// `AvePoint`: the client id of the app registration.
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// The policy that the manifests refer to.
    #[arg(long, value_name = "NAME")]
    policy: String,
    /// The namespace of the Secret and of the manifests [default: that of the kubeconfig].
    #[arg(short, long, value_name = "NAME")]
    namespace: Option<String>,
    #[command(flatten)]
    cluster: outside::Cluster,
    #[command(flatten)]
    outside: outside::Outside,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Name {
    Keepit,
    Avepoint,
    Fluentpro,
}

/// Lists and prints; writes nothing.
///
/// # Errors
/// One sentence: what is missing, or a look that failed.
pub fn print(options: &Options) -> Result<(), String> {
    super::say(&outside::block_on(import(options))?)
}

/// The vendor as a spec that declares nothing yet.
fn spec(options: &Options) -> Result<VendorSpec, String> {
    let needs = |flag: &str, value: &Option<String>| {
        value.clone().ok_or_else(|| format!("--vendor {} needs --{flag}", name_of(options.vendor)))
    };
    let spec = match options.vendor {
        Name::Keepit => json!({ "keepit": {
            "region": needs("region", &options.region)?,
            "secretRef": { "name": needs("secret", &options.secret)? },
            "accountID": options.account,
        } }),
        Name::Avepoint => json!({ "avePoint": {
            "dataCenter": needs("data-center", &options.data_center)?,
            "credential": { "clientSecret": {
                "clientID": needs("client-id", &options.client_id)?,
                "secretRef": { "name": needs("secret", &options.secret)? },
            } },
            "organizations": [],
        } }),
        Name::Fluentpro => {
            return Err("FluentPro shows nothing to a program: there is nothing to list; declare each connection by \
                        hand, and attest it (examples/fluentpro-dataverse)"
                .to_owned());
        }
    };
    serde_json::from_value(spec).map_err(|error| error.to_string())
}

fn name_of(vendor: Name) -> String {
    vendor.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

async fn import(options: &Options) -> Result<String, String> {
    let spec = spec(options)?;
    let vendor = spec.vendor();
    let (client, configured) = options.cluster.reach()?;
    let namespace = options.namespace.clone().unwrap_or(configured);
    let once = options.outside.once(client, &namespace).await?;
    let (secret, keys) = vendor.secret().ok_or("there is nothing to sign in to")?;
    let credential = once.context.secrets.keys(&namespace, secret, keys).await.map_err(|fault| fault.sentence)?;
    let credential = credential.map_err(|problem| problem.message)?;
    let sight = vendor.look(&credential, &once.context.desk, Duration::ZERO).await;
    let account = known(sight.account)?.unwrap_or_default();
    if options.account.as_ref().is_some_and(|wanted| *wanted != account) {
        return Err(format!(
            "the credential belongs to the account {account}, which may not act on the one of --account"
        ));
    }
    let all = known(sight.connectors)?;
    let state = once.context.connectors.state();
    let declared: Vec<&Connector> = state.iter().filter_map(|guarded| guarded.0.as_ref().ok()).collect();
    let here: Vec<&Connector> = declared
        .into_iter()
        .filter(|it| {
            let other = it.spec.vendor.vendor();
            other.label() == vendor.label() && other.installation() == vendor.installation()
        })
        .collect();
    let mut names: BTreeSet<String> =
        state.iter().map(|guarded| kube::ResourceExt::name_any(guarded.as_ref())).collect();
    let mut text = String::new();
    for found in all.iter() {
        // Quoted below: whoever names a connector must not write a line of what is applied.
        let found = undeclared(found, &here);
        let title = if found.name.is_empty() { vendor.label().to_owned() } else { found.name.clone() };
        let skipped = skipped(&found, &here);
        let imported = vendor.import(&found, &account).filter(|_| skipped.is_none());
        let Some(imported) = imported else {
            let why = skipped.unwrap_or("nothing that is not declared already");
            let _ = writeln!(text, "# {title:?}: {why}");
            continue;
        };
        let name = object_name(&title, &mut names);
        let manifest = manifest(&name, &namespace, &options.policy, &imported, found.id.as_deref());
        let _ = writeln!(text, "---\n# {title:?}");
        text.push_str(&serde_yaml::to_string(&manifest).map_err(|error| error.to_string())?);
    }
    if text.is_empty() {
        let _ = writeln!(text, "# {} shows nothing to this credential", vendor.label());
    }
    Ok(text)
}

fn known<T>(seen: Seen<T>) -> Result<T, String> {
    match seen {
        Seen::Known(value) => Ok(value),
        Seen::Unknown(fault) => Err(fault.sentence),
    }
}

/// Without the organizations that a Connector declares.
fn undeclared(found: &VendorConnector, here: &[&Connector]) -> VendorConnector {
    let names = |it: &Undeclared| {
        here.iter().flat_map(|connector| connector.spec.vendor.vendor().organizations()).any(|name| {
            name.eq_ignore_ascii_case(&it.name) || it.id.as_ref().is_some_and(|id| name.eq_ignore_ascii_case(id))
        })
    };
    let undeclared = found.undeclared.iter().filter(|it| !names(it)).cloned().collect();
    VendorConnector { undeclared, ..found.clone() }
}

/// Why one is left out.
fn skipped(found: &VendorConnector, here: &[&Connector]) -> Option<&'static str> {
    let id = found.id.as_deref();
    let followed = |it: &&Connector| {
        let adopted = it.status.as_ref().and_then(|status| status.connector_id.as_deref());
        match adopted {
            Some(adopted) => Some(adopted) == id,
            None => {
                it.spec.vendor.vendor().name().map_or_else(|| kube::ResourceExt::name_any(*it), str::to_owned)
                    == found.name
            }
        }
    };
    if found.deleting {
        Some("scheduled for deletion")
    } else if !found.accessible {
        Some("the credential's user may not look into it")
    } else if id.is_some() && here.iter().any(followed) {
        Some("a Connector stands for it already")
    } else {
        None
    }
}

fn manifest(name: &str, namespace: &str, policy: &str, vendor: &VendorSpec, id: Option<&str>) -> Value {
    let mut manifest = json!({
        "apiVersion": "backstay.dev/v1alpha1",
        "kind": "Connector",
        "metadata": { "name": name, "namespace": namespace },
        "spec": { "vendor": vendor, "policyRef": { "name": policy } },
    });
    if let Some(id) = id {
        manifest["spec"]["adoption"] = json!({ "policy": "ByID", "connectorID": id });
    }
    manifest
}

/// A name that Kubernetes takes and nobody has yet.
fn object_name(title: &str, taken: &mut BTreeSet<String>) -> String {
    let plain: String =
        title.to_lowercase().chars().map(|it| if it.is_ascii_alphanumeric() { it } else { '-' }).collect();
    let words: Vec<&str> = plain.split('-').filter(|word| !word.is_empty()).collect();
    let mut base: String = words.join("-").chars().take(56).collect();
    base.truncate(base.trim_end_matches('-').len());
    if base.is_empty() {
        base.push_str("connector");
    }
    let numbered = |number: usize| if number == 1 { base.clone() } else { format!("{base}-{number}") };
    // One more than are taken is enough.
    let name = (1..=taken.len() + 1).map(numbered).find(|name| !taken.contains(name)).unwrap_or_default();
    taken.insert(name.clone());
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_kubernetes_takes_and_its_own() {
        let mut taken = BTreeSet::from(["contoso".to_owned()]);
        let mut name = |title: &str| object_name(title, &mut taken);
        assert_eq!(name("Contoso"), "contoso-2");
        assert_eq!(name("  Søn & Datter (Prod) "), "s-n-datter-prod");
        assert_eq!(name("日本"), "connector");
        assert_eq!(name(&"x".repeat(80)).len(), 56);
    }
}
