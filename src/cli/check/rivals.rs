//! Which two objects of a change want what only one of them can have: a connector at a vendor, or to act on an account.

use serde_json::Value;

use super::form::Wrong;
use crate::api::{Connector, ServiceAccountPolicy, ServiceAccountPolicySpec};
use crate::connector::{Called, called};
use crate::policy::both_act;

/// What an object wants for itself alone.
pub enum Claim {
    /// A connector at a vendor.
    Connector { namespace: Option<String>, at: Account, is: Called, id: Option<String>, field: Vec<String> },
    /// To act on an account.
    Account(Box<ServiceAccountPolicySpec>),
}

/// The vendor account, as far as a file tells it.
#[derive(PartialEq)]
pub enum Account {
    /// The one with this id.
    Pinned(String),
    /// The one of the credential in this Secret of this namespace; `None`: the vendor has no programs sign in.
    Of(Option<String>, Option<String>),
}

impl Claim {
    /// Of an object that fits its schema; `None`: it wants nothing for itself alone.
    pub fn of(value: &Value) -> Option<Self> {
        match value["kind"].as_str()? {
            "Connector" => Some(Self::of_connector(value, &serde_json::from_value(value.clone()).ok()?)),
            "ServiceAccountPolicy" => {
                let policy: ServiceAccountPolicy = serde_json::from_value(value.clone()).ok()?;
                Some(Self::Account(Box::new(policy.spec)))
            }
            _ => None,
        }
    }

    fn of_connector(value: &Value, connector: &Connector) -> Self {
        let namespace = connector.metadata.namespace.clone();
        let vendor = connector.spec.vendor.vendor();
        let secret = vendor.secret().map(|(secret, _)| secret.to_owned());
        let at = vendor.pinned_account().map(|id| Account::Pinned(id.to_owned()));
        let at = at.unwrap_or_else(|| Account::Of(namespace.clone(), secret));
        let id = connector.spec.adoption.as_ref().and_then(|adoption| adoption.connector_id.clone());
        let key = value["spec"]["vendor"].as_object().and_then(|vendor| vendor.keys().next());
        let field = match (&id, key) {
            (Some(_), _) => vec!["spec", "adoption", "connectorID"],
            (None, Some(key)) => vec!["spec", "vendor", key, "name"],
            (None, None) => vec!["spec", "vendor"],
        };
        let field = field.into_iter().map(str::to_owned).collect();
        Self::Connector { namespace, at, is: called(connector), id, field }
    }

    /// What is wrong with it beside the claim of another object, which stands at this place. `true`: only worth knowing.
    pub fn against(&self, other: &Self, whose: &str, place: &str) -> Option<(Wrong, bool)> {
        match (self, other) {
            (
                Self::Connector { namespace, at, is, id, field },
                Self::Connector { namespace: elsewhere, at: there, is: other, id: with_id, .. },
            ) => {
                // By an id another one may be meant than by the name that is declared beside it.
                let same = match (id, with_id) {
                    (None, None) => is == other,
                    _ => id == with_id && (is.vendor, &is.installation) == (other.vendor, &other.installation),
                };
                let path: Vec<&str> = field.iter().map(String::as_str).collect();
                let message = format!(
                    "{whose} in {place} stands for the same connector at {}: only the one that is created first has it; \
                     leave one of the two out",
                    is.vendor
                );
                // Without a namespace they may be of two clusters.
                let apart = namespace.is_none() || namespace != elsewhere;
                (same && at == there).then(|| (Wrong::at(&path, message), apart))
            }
            (Self::Account(one), Self::Account(other)) => {
                let message = format!(
                    "{whose} in {place} may act on the same account: where both are granted that, only the one that is \
                     created first does; leave spec.allowedActions out of one of the two"
                );
                // What is granted is the installation's matter.
                both_act(one, other).then(|| (Wrong::at(&["spec", "allowedActions"], message), true))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::cli::check::told_for_tests;

    fn told(one: &str, other: &str) -> Vec<String> {
        let of_policy = |it: &String| it.contains("no ServiceAccountPolicy p in these files");
        told_for_tests(&[one, other]).into_iter().filter(|it| !of_policy(it)).collect()
    }

    fn object(kind: &str, metadata: &str, spec: &str) -> String {
        let namespace = if metadata.contains("namespace") { "" } else { ", namespace: backup" };
        format!(
            "apiVersion: backstay.dev/v1alpha1\nkind: {kind}\nmetadata: {{ {metadata}{namespace} }}\nspec:\n{spec}\n"
        )
    }

    fn keepit(metadata: &str, more: &str) -> String {
        let vendor = format!("  vendor:\n    keepit:\n      region: dk-co\n{more}");
        object("Connector", metadata, &format!("{vendor}\n  policyRef: {{ name: p }}"))
    }

    const CONTOSO: &str = "      name: Contoso\n      secretRef: { name: s }";
    const PINNED: &str = "      name: Contoso\n      secretRef: { name: s }\n      accountID: k7q2mz-p4x9aa-0b3c8d";
    const ID: &str = "c0ffee00-1111-4222-8333-444455556666";
    const FIRST: &str = "Connector backup/a in 0.yaml:1 stands for the same connector at Keepit";

    #[test]
    fn of_two_connectors_for_one_at_the_vendor_the_second_is_told() {
        let first = keepit("name: a", CONTOSO);
        let same = told(&first, &keepit("name: b", CONTOSO)).join("\n");
        assert!(same.starts_with(&format!("1.yaml:8:7: Error: spec.vendor.keepit.name: {FIRST}")), "{same}");
        // Of two clusters, perhaps.
        let anywhere = [&first, &keepit("name: b", CONTOSO)].map(|it| it.replace(", namespace: backup", ""));
        assert!(told(&anywhere[0], &anywhere[1]).join("\n").contains("Warning: spec.vendor.keepit.name"));
        // Called as the object is.
        let unnamed = told(
            &keepit("name: a", &CONTOSO.replace("Contoso", "b")),
            &keepit("name: b", "      secretRef: { name: s }"),
        );
        assert!(unnamed.join("\n").contains("1.yaml:6:5: Error: spec.vendor.keepit.name"), "{unnamed:#?}");
        for another in [
            keepit("name: b", &CONTOSO.replace("Contoso", "Fabrikam")),
            keepit("name: b", CONTOSO).replace("dk-co", "de-fr"),
            keepit("name: b", &CONTOSO.replace("name: s ", "name: of-another-account ")),
            keepit("name: b, namespace: elsewhere", CONTOSO),
            keepit("name: b", PINNED),
            keepit("name: b", CONTOSO) + "  adoption: { policy: ByID, connectorID: x }\n",
        ] {
            assert_eq!(told(&first, &another), [""; 0], "{another}");
        }
        // An overlay's own form of it.
        let twice = told(&first, &first).join("\n");
        assert!(twice.contains("Warning: metadata.name: the same object") && !twice.contains("stands for"), "{twice}");
    }

    #[test]
    fn what_is_pinned_by_an_id_is_one_thing_whatever_it_is_called() {
        let elsewhere = told(&keepit("name: a", PINNED), &keepit("name: b, namespace: elsewhere", PINNED)).join("\n");
        assert!(elsewhere.contains(&format!("Warning: spec.vendor.keepit.name: {FIRST}")), "{elsewhere}");
        let by_id = |name: &str, called: &str, id: &str| {
            keepit(&format!("name: {name}"), &CONTOSO.replace("Contoso", called))
                + &format!("  adoption: {{ policy: ByID, connectorID: {id} }}\n")
        };
        let same = told(&by_id("a", "Contoso", "x"), &by_id("b", "Fabrikam", "x")).join("\n");
        assert!(same.contains(&format!("Error: spec.adoption.connectorID: {FIRST}")), "{same}");
        assert_eq!(told(&by_id("a", "Contoso", "x"), &by_id("b", "Contoso", "y")), [""; 0]);
    }

    #[test]
    fn where_no_program_signs_in_the_name_alone_counts() {
        let fluent_pro = |name: &str| {
            let spec = "  vendor:\n    fluentPro:\n      name: Sales\n  policyRef: { name: p }";
            object("Connector", &format!("name: {name}"), spec)
        };
        let same = told(&fluent_pro("a"), &fluent_pro("b")).join("\n");
        assert!(
            same.starts_with("1.yaml:7:7: Error: spec.vendor.fluentPro.name: Connector backup/a in 0.yaml:1"),
            "{same}"
        );
    }

    #[test]
    fn two_policies_that_act_on_one_account_are_told_and_one_that_only_looks_is_not() {
        let policy = |name: &str, id: &str, actions: &str| {
            let spec = format!(
                "  tenant: {{ id: contoso.com }}\n  credential:\n    workloadIdentity:\n      clientID: {ID}\n      \
                 serviceAccountRef: {{ name: s }}\n  account: {{ user: {{ principalName: u@contoso.com, objectID: {id} }} }}\n  \
                 profiles: {{ keepitDynamicsCE: {{}} }}\n  allowedActions: [{actions}]"
            );
            object("ServiceAccountPolicy", &format!("name: {name}"), &spec)
        };
        let first = policy("a", ID, "DirectoryRoles");
        let same = told(&first, &policy("b", &ID.to_uppercase(), "AccessMode, SelfEnrollment")).join("\n");
        let said = "1.yaml:12:3: Warning: spec.allowedActions: ServiceAccountPolicy backup/a in 0.yaml:1 may act on the same account";
        assert!(same.starts_with(said), "{same}");
        for fine in
            [policy("b", ID, "SelfEnrollment"), policy("b", ID, ""), policy("b", &ID.replace('c', "d"), "AccessMode")]
        {
            assert_eq!(told(&first, &fine), [""; 0], "{fine}");
        }
    }
}
