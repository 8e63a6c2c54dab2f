//! Which permissions can an app registration at AvePoint have, and how may a request spell them? (facts: avepoint-fluentpro §1)

use super::{ScopeCasing, SeveralScopes};

/// `/dynamicsbackup/jobs`, as the registration page spells it.
pub const DYNAMICS_SCOPE: &str = "dynamics.readwrite.all";
/// The same on the page of the endpoint.
const DYNAMICS_SCOPE_OF_ENDPOINT_PAGE: &str = "Dynamics.ReadWrite.All";
/// `/aos/audit`
pub const AUDIT_SCOPE: &str = "audit.read.all";

const SCOPES: &[&str] = &[
    DYNAMICS_SCOPE,
    AUDIT_SCOPE,
    "autodiscovery.readwrite.all",
    "microsoft365backup.jobInfo.read.all",
    "microsoft365backup.subscriptionInfo.read.all",
    "microsoft365backup.settings.read.all",
    "microsoft365backup.unusualActivity.read.all",
    "microsoft365backup.restore.readwrite.all",
    "enpower.data.read.all",
];

/// Is it a permission that the registration page offers?
pub fn is_known(scope: &str) -> bool {
    SCOPES.contains(&scope)
}

/// What the scopes of a request mean, in the spelling of the registration page. The error is what the request is told.
pub fn canonical(requested: &str, casing: ScopeCasing, several: SeveralScopes) -> Result<Vec<String>, String> {
    let words: Vec<&str> = requested.split_whitespace().collect();
    if words.is_empty() {
        return Err("no scope was requested".into());
    }
    if words.len() > 1 && several == SeveralScopes::Refused {
        return Err("several scopes cannot be requested at once".into());
    }
    let meant = |word: &str| {
        SCOPES.iter().find(|scope| match casing {
            ScopeCasing::Any => scope.eq_ignore_ascii_case(word),
            ScopeCasing::EndpointPage if **scope == DYNAMICS_SCOPE => word == DYNAMICS_SCOPE_OF_ENDPOINT_PAGE,
            ScopeCasing::EndpointPage | ScopeCasing::RegistrationPage => **scope == word,
        })
    };
    words.into_iter().map(|word| meant(word).map(|it| (*it).to_owned()).ok_or(format!("{word} is unknown"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn casing_is_as_the_switch_says() {
        let meant = |word: &str, casing| canonical(word, casing, SeveralScopes::Refused).is_ok();
        for (casing, lower, mixed) in [
            (ScopeCasing::Any, true, true),
            (ScopeCasing::RegistrationPage, true, false),
            (ScopeCasing::EndpointPage, false, true),
        ] {
            assert_eq!(meant("dynamics.readwrite.all", casing), lower, "{casing:?}");
            assert_eq!(meant("Dynamics.ReadWrite.All", casing), mixed, "{casing:?}");
            assert!(meant("audit.read.all", casing) && !meant("everything.all", casing), "{casing:?}");
        }
    }
}
