//! Who may make the operator do what: the installation's grants, read once at the start.

use std::collections::BTreeSet;

use serde::de::value::Error as ValueError;
use serde::de::{Error as _, IntoDeserializer};
use serde::{Deserialize, Deserializer};

use crate::api::Action;
use crate::vendors::Action as VendorAction;

/// What one namespace may have done to which accounts, of one tenant or at one vendor.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Grant {
    namespace: String,
    #[serde(default, rename = "tenantID")]
    tenant_id: Option<String>,
    /// As people write its name. Example: `Keepit`.
    #[serde(default)]
    vendor: Option<String>,
    accounts: BTreeSet<String>,
    actions: BTreeSet<Granted>,
}

/// An action of either kind of object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Granted {
    Account(Action),
    Vendor(VendorAction),
}

impl<'de> Deserialize<'de> for Granted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        let of_account: Result<Action, ValueError> = Action::deserialize(word.as_str().into_deserializer());
        let of_vendor = || VendorAction::deserialize(word.as_str().into_deserializer()).map(Self::Vendor);
        of_account.map(Self::Account).or_else(|error| {
            let of_vendor: Result<Self, ValueError> = of_vendor();
            of_vendor.map_err(|other| D::Error::custom(format!("{error}; for a vendor: {other}")))
        })
    }
}

impl Grant {
    /// Whether it is of a tenant or of a vendor, and names actions of that alone.
    fn check(&self) -> Result<(), String> {
        let namespace = &self.namespace;
        let fits = match (&self.tenant_id, &self.vendor) {
            (Some(_), None) => |action: &Granted| matches!(action, Granted::Account(_)),
            (None, Some(_)) => |action: &Granted| matches!(action, Granted::Vendor(_)),
            _ => return Err(format!("a grant for namespace {namespace} needs exactly one of tenantID and vendor")),
        };
        match self.actions.iter().find(|action| !fits(action)) {
            None => Ok(()),
            Some(Granted::Account(action)) => {
                Err(format!("a grant for namespace {namespace} names {action}, which is done at no vendor"))
            }
            Some(Granted::Vendor(action)) => Err(format!(
                "a grant for namespace {namespace} names {action}, which is done at a vendor, not in a tenant"
            )),
        }
    }
}

/// All grants. Empty: nothing is ever written outside the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grants(Known);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Known {
    These(Vec<Grant>),
    /// Nobody has said, and nothing can be written: what objects allow is taken for granted.
    Assumed,
}

impl Default for Grants {
    fn default() -> Self {
        Self(Known::These(Vec::new()))
    }
}

impl Grants {
    /// Reads a grants file: a YAML list of `{ namespace, tenantID, accounts, actions }`, or with `vendor` in place of `tenantID`.
    ///
    /// # Errors
    /// One sentence with the place.
    pub fn read(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let grants: Option<Vec<Grant>> = serde_yaml::from_str(text).map_err(|error| error.to_string())?;
        let mut grants = grants.unwrap_or_default();
        for grant in &mut grants {
            grant.check()?;
            grant.accounts = grant.accounts.iter().map(|id| id.to_ascii_lowercase()).collect();
        }
        Ok(Self(Known::These(grants)))
    }

    /// For a look that can write nothing, where it is not said what is granted: everything is.
    #[must_use]
    pub fn assumed() -> Self {
        Self(Known::Assumed)
    }

    /// Whether nobody has said what is granted.
    #[must_use]
    pub fn are_assumed(&self) -> bool {
        self.0 == Known::Assumed
    }

    fn any(&self, covers: impl Fn(&Grant) -> bool) -> bool {
        match &self.0 {
            Known::These(grants) => grants.iter().any(covers),
            Known::Assumed => true,
        }
    }

    /// Whether objects of this namespace may have this done to this account (an object id) of this tenant (as the spec
    /// names it).
    #[must_use]
    pub fn cover(&self, namespace: &str, tenant: &str, account: &str, action: Action) -> bool {
        let here = |grant: &Grant| grant.tenant_id.as_ref().is_some_and(|it| it.eq_ignore_ascii_case(tenant));
        self.any(|grant| here(grant) && grant.gives(namespace, account, Granted::Account(action)))
    }

    /// Whether objects of this namespace may have this done at this vendor's account (the vendor's id).
    #[must_use]
    pub fn cover_vendor(&self, namespace: &str, vendor: &str, account: &str, action: VendorAction) -> bool {
        let here = |grant: &Grant| grant.vendor.as_ref().is_some_and(|it| it.eq_ignore_ascii_case(vendor));
        self.any(|grant| here(grant) && grant.gives(namespace, account, Granted::Vendor(action)))
    }
}

impl Grant {
    fn gives(&self, namespace: &str, account: &str, action: Granted) -> bool {
        self.namespace == namespace
            && self.accounts.contains(&account.to_ascii_lowercase())
            && self.actions.contains(&action)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRANTS: &str = "
- namespace: backup
  tenantID: 6F1C
  accounts: [0D5B]
  actions: [DirectoryRoles]
";

    #[test]
    fn a_grant_covers_its_namespace_tenant_account_and_action_and_no_other() {
        let grants = Grants::read(GRANTS).unwrap();
        assert!(grants.cover("backup", "6f1c", "0d5b", Action::DirectoryRoles));
        assert!(!grants.cover("other", "6f1c", "0d5b", Action::DirectoryRoles));
        assert!(!grants.cover("backup", "other", "0d5b", Action::DirectoryRoles));
        assert!(!grants.cover("backup", "6f1c", "other", Action::DirectoryRoles));
        assert!(!grants.cover("backup", "6f1c", "0d5b", Action::SecurityRoles));
        assert!(!Grants::default().cover("backup", "6f1c", "0d5b", Action::DirectoryRoles));
    }

    #[test]
    fn a_wrong_file_is_one_sentence_with_the_place() {
        let said =
            Grants::read("- namespace: backup\n  tenantID: a\n  accounts: []\n  actions: [Everything]\n").unwrap_err();
        assert!(said.contains("Everything") && said.contains("line 4"), "{said}");
        assert!(Grants::read("- { namespace: a, everything: true }").is_err());
        assert_eq!(Grants::read("  \n"), Ok(Grants::default()));
        assert_eq!(Grants::read("[]"), Ok(Grants::default()));
    }

    #[test]
    fn a_grant_at_a_vendor_covers_its_account_and_names_what_is_done_there() {
        let grants = Grants::read(
            "- { namespace: backup, vendor: Keepit, accounts: [kp7a2b-c3d4e5-f6g7h8], actions: [Rename] }",
        )
        .unwrap();
        let account = "kp7a2b-c3d4e5-f6g7h8";
        assert!(grants.cover_vendor("backup", "Keepit", account, VendorAction::Rename));
        assert!(!grants.cover_vendor("other", "Keepit", account, VendorAction::Rename));
        assert!(!grants.cover_vendor("backup", "AvePoint", account, VendorAction::Rename));
        assert!(!grants.cover_vendor("backup", "Keepit", "another", VendorAction::Rename));
        assert!(!grants.cover_vendor("backup", "Keepit", account, VendorAction::ExtendRetention));
        assert!(!grants.cover("backup", "Keepit", account, Action::DirectoryRoles));
        for (grant, piece) in [
            ("accounts: [a], actions: [Rename]", "exactly one of tenantID and vendor"),
            ("tenantID: t, vendor: Keepit, accounts: [a], actions: []", "exactly one of tenantID and vendor"),
            ("tenantID: t, accounts: [a], actions: [Rename]", "done at a vendor, not in a tenant"),
            ("vendor: Keepit, accounts: [a], actions: [AccessMode]", "done at no vendor"),
        ] {
            let said = Grants::read(&format!("- {{ namespace: n, {grant} }}")).unwrap_err();
            assert!(said.contains(piece), "{said}");
        }
    }
}
