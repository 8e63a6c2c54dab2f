//! Who may make the operator do what: the installation's grants, read once at the start.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::api::Action;

/// What one namespace may have done to which accounts of one tenant.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Grant {
    namespace: String,
    #[serde(rename = "tenantID")]
    tenant_id: String,
    accounts: BTreeSet<String>,
    actions: BTreeSet<Action>,
}

/// All grants. Empty: nothing is ever written outside the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants(Vec<Grant>);

impl Grants {
    /// Reads a grants file: a YAML list of `{ namespace, tenantID, accounts, actions }`.
    ///
    /// # Errors
    /// One sentence with the place.
    pub fn read(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let mut grants: Option<Vec<Grant>> = serde_yaml::from_str(text).map_err(|error| error.to_string())?;
        for grant in grants.iter_mut().flatten() {
            grant.tenant_id.make_ascii_lowercase();
            grant.accounts = grant.accounts.iter().map(|id| id.to_ascii_lowercase()).collect();
        }
        Ok(Self(grants.unwrap_or_default()))
    }

    /// Whether objects of this namespace may have this done to this account (an object id) of this tenant (as the spec
    /// names it).
    #[must_use]
    pub fn cover(&self, namespace: &str, tenant: &str, account: &str, action: Action) -> bool {
        self.0.iter().any(|grant| {
            grant.namespace == namespace
                && grant.tenant_id.eq_ignore_ascii_case(tenant)
                && grant.accounts.contains(&account.to_ascii_lowercase())
                && grant.actions.contains(&action)
        })
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
}
