//! Whether an app was consented to (R12 of facts/microsoft.md §5): it is in the tenant, not blocked, and may do what it asks for.

use super::Judgement;
use crate::seen::Seen;
use crate::tenant::facts::{AccountFacts, Application, Consented, Resource};

/// Refresh tokens work whether or not this one stands in the stored grant (facts/microsoft.md §1.7).
const RIDES_ALONG: &str = "offline_access";

/// Judges the app by what the tenant says of it.
#[must_use]
pub fn judge(facts: &AccountFacts, app: &str, permissions: &[Consented]) -> Judgement {
    let application = match facts.applications.get(app) {
        None => return Judgement::not_applicable("Nobody has asked for it yet"),
        Some(Seen::Unknown(fault)) => return Judgement::unknown(fault),
        Some(Seen::Known(None)) => {
            return Judgement::fail(
                "The app is not in the tenant: nobody has consented to it",
                "Consent to it as a Global Administrator, when the vendor's page asks for it",
            );
        }
        Some(Seen::Known(Some(application))) => application,
    };
    let name = &application.name;
    let place = format!("Microsoft Entra admin center > Enterprise apps > {name}");
    if !application.enabled {
        return Judgement::fail(
            format!("Sign-in to the app {name} is blocked"),
            format!("{place} > Properties: set \"Enabled for users to sign-in\" to Yes"),
        );
    }
    if application.assignment_required && application.assigned == Some(false) {
        return Judgement::fail(
            format!("The app {name} is only for users who are assigned to it, and the account is not"),
            format!("{place} > Users and groups: add the account"),
        );
    }
    lacking(application, permissions, &place)
}

/// What was not consented to.
fn lacking(application: &Application, permissions: &[Consented], place: &str) -> Judgement {
    let name = &application.name;
    let missing = |granted: &[Consented]| -> Vec<&Consented> {
        permissions.iter().filter(|wanted| !granted.iter().any(|held| same(held, wanted))).collect()
    };
    let consent = format!("{place} > Permissions: Grant admin consent");
    let everybody = missing(&application.for_everybody);
    let (rides, rest): (Vec<&Consented>, Vec<&Consented>) =
        everybody.iter().partition(|wanted| wanted.scope.eq_ignore_ascii_case(RIDES_ALONG));
    if rest.is_empty() && rides.is_empty() {
        return Judgement::pass(if permissions.is_empty() {
            format!("The app {name} is in the tenant, and not blocked")
        } else {
            format!("An administrator consented to all that the app {name} asks for")
        });
    }
    if rest.is_empty() {
        return Judgement::warn(
            format!("{RIDES_ALONG} is not among what was consented to for the app {name}; it works without"),
            consent,
        );
    }
    let both: Vec<Consented> = application.for_everybody.iter().chain(&application.for_account).cloned().collect();
    if missing(&both).iter().all(|wanted| wanted.scope.eq_ignore_ascii_case(RIDES_ALONG)) {
        // The pages ask for an administrator's consent, and other users of the vendor would be asked again.
        return Judgement::fail(
            format!("Only the account itself consented to the app {name}, not an administrator for everybody"),
            consent,
        );
    }
    Judgement::fail(format!("The app {name} was not consented to {}", list(&rest)), consent)
}

fn same(held: &Consented, wanted: &Consented) -> bool {
    // Names of scopes are compared without regard to case (facts/microsoft.md §1.7).
    held.resource == wanted.resource && held.scope.eq_ignore_ascii_case(&wanted.scope)
}

fn list(permissions: &[&Consented]) -> String {
    let each = permissions.iter().map(|it| format!("{} {}", it.resource.name(), it.scope));
    each.collect::<Vec<_>>().join(", ")
}

/// A permission of Microsoft Graph.
#[must_use]
pub fn graph(scope: &str) -> Consented {
    Consented { resource: Resource::Graph, scope: scope.to_owned() }
}

/// A permission of Dataverse.
#[must_use]
pub fn dataverse(scope: &str) -> Consented {
    Consented { resource: Resource::Dataverse, scope: scope.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::policy::FindingResult::{Fail, NotApplicable, Pass, Unknown, Warn};
    use crate::fault::{Fault, Kind};
    use crate::policy::rules::facts_for_tests as facts;

    fn judged(change: impl FnOnce(&mut Application)) -> Judgement {
        let mut application = Application {
            id: "sp".into(),
            name: "Vendor".into(),
            enabled: true,
            assignment_required: false,
            assigned: None,
            for_everybody: vec![graph("user.read"), graph("offline_access"), dataverse("user_impersonation")],
            for_account: Vec::new(),
        };
        change(&mut application);
        let mut facts = facts();
        facts.applications.insert("app".into(), Seen::Known(Some(application)));
        let wanted = [graph("User.Read"), graph("offline_access"), dataverse("user_impersonation")];
        judge(&facts, "app", &wanted)
    }

    #[test]
    fn consent_counts_for_the_right_service_and_for_everybody() {
        assert_eq!(judged(|_| {}).result, Pass);
        let wrong = judged(|app| app.for_everybody[2].resource = Resource::Graph);
        assert_eq!(wrong.result, Fail);
        assert!(wrong.message.ends_with("Dataverse user_impersonation"), "{}", wrong.message);
        assert_eq!(judged(|app| drop(app.for_everybody.remove(1))).result, Warn, "offline_access");
        let own = judged(|app| app.for_account = std::mem::take(&mut app.for_everybody));
        assert_eq!(own.result, Fail);
        assert!(own.message.contains("itself"), "{}", own.message);
    }

    #[test]
    fn an_app_that_is_blocked_absent_or_for_others_only_fails() {
        assert!(judged(|app| app.enabled = false).message.contains("blocked"));
        assert_eq!(judged(|app| (app.assignment_required, app.assigned) = (true, Some(true))).result, Pass);
        let closed = judged(|app| (app.assignment_required, app.assigned) = (true, Some(false)));
        assert_eq!((closed.result, closed.remedy.unwrap().contains("Users and groups")), (Fail, true));
        let mut absent = facts();
        absent.applications.insert("app".into(), Seen::Known(None));
        assert_eq!(judge(&absent, "app", &[]).result, Fail);
        absent.applications.insert("app".into(), Seen::Unknown(Fault::new(Kind::PermissionMissing, "no")));
        assert_eq!(judge(&absent, "app", &[]).result, Unknown);
        assert_eq!(judge(&facts(), "app", &[]).result, NotApplicable);
    }
}
