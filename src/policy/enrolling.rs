//! What a policy hands to a person so that the operator can see the tenant's environments, and into them. [pure]

use super::resolve::Resolved;
use super::steps::{Step, What};
use super::words::MOST;
use crate::api::Action;
use crate::api::shared::counted;
use crate::fault::Kind;
use crate::handoff::HandOff;
use crate::runtime::Allowed;
use crate::tenant::Caller;
use crate::tenant::facts::{AccountFacts, Environment};
use crate::tenant::reader::{self, ROLE};

const ENVIRONMENT_ADMIN: &str = "System Administrator of these environments";

/// Who lets somebody into environments.
pub const POWER_PLATFORM_ADMIN: &str = "Power Platform Administrator of the tenant";

/// So many environments are in one command, and so many commands in a hand-off: more are named when these are done.
const MOST_AT_ONCE: usize = 10;
const MOST_COMMANDS: usize = 10;

/// The hand-off, if something is in the way.
pub fn hand_offs(
    resolved: &Resolved,
    facts: &AccountFacts,
    steps: &[Step],
    caller: &Caller,
) -> impl IntoIterator<Item = HandOff> {
    if facts.environments.fault().is_some_and(|fault| fault.kind == Kind::ManagementAppNotRegistered) {
        return Some(register(caller));
    }
    let closed = closed(resolved, facts, steps);
    (!closed.is_empty()).then(|| enroll(&closed, caller))
}

fn register(caller: &Caller) -> HandOff {
    let endpoint = caller.cloud.centers().powershell_endpoint.map(|it| format!(" -Endpoint {it}")).unwrap_or_default();
    HandOff {
        name: "register-management-app",
        title: "Register the operator's app as a management application of the Power Platform".to_owned(),
        who: POWER_PLATFORM_ADMIN,
        steps: vec![
            "In PowerShell: Install-Module Microsoft.PowerApps.Administration.PowerShell".to_owned(),
            format!("Add-PowerAppsAccount{endpoint}"),
            format!("New-PowerAppManagementApp -ApplicationId {}", caller.client_id),
        ],
        url: None,
        due_date: None,
        done_when: "the tenant's environments can be listed".to_owned(),
    }
}

/// The environments that somebody asks for, and that the operator's app is kept out of by something that it does not mend itself.
fn closed<'a>(resolved: &Resolved, facts: &'a AccountFacts, steps: &[Step]) -> Vec<&'a Environment> {
    // While nobody asks for anything, there are no steps; what would be allowed will be done.
    let allowed =
        resolved.allowed.contains(&Action::SelfEnrollment) && !resolved.ungranted.contains(&Action::SelfEnrollment);
    let enrolls = |environment: &Environment| {
        let planned = steps.iter().find(|step| matches!(&step.what, What::EnrollSelf(it) if it.id == environment.id));
        planned.map_or(allowed, |step| matches!(step.allowed, Allowed::Yes | Allowed::NotYet(_)))
    };
    let all = facts.environments.known().into_iter().flat_map(|all| all.values());
    all.filter(|(environment, _)| resolved.environment_names.contains_key(&environment.id))
        .filter(|(environment, access)| {
            access.unknown_for(Kind::PrivilegeMissing) || (access.unknown_for(Kind::NotMember) && !enrolls(environment))
        })
        .map(|(environment, _)| environment)
        .collect()
}

fn enroll(closed: &[&Environment], caller: &Caller) -> HandOff {
    let centers = caller.cloud.centers();
    let mut steps = Vec::new();
    let commands = commands(closed, caller);
    if !commands.is_empty() {
        let cloud = centers.azure_cli.map(|name| format!("az cloud set --name {name}, then ")).unwrap_or_default();
        steps.push(format!(
            "Sign in as {ENVIRONMENT_ADMIN}: {cloud}az login --allow-no-subscriptions --tenant {}",
            caller.tenant
        ));
        steps.extend(commands);
        steps.push(format!(
            "The commands make the security role {ROLE}, which reads users, security roles and teams, and the operator's app a user \
             with it (without | sh they are only printed)"
        ));
    }
    let names: Vec<&str> = closed.iter().take(MOST).map(|environment| environment.name.as_str()).collect();
    let more = if closed.len() > MOST { format!(" and {} more", closed.len() - MOST) } else { String::new() };
    steps.push(format!(
        "Or by hand, in the Power Platform admin center > Environments > the environment > Settings > Users + permissions: Security \
         roles > New role {ROLE} with Read for the organization on User, Security Role and Team; Application users > New app user: \
         the operator's app ({}), the topmost business unit, and that role. In: {}{more}",
        caller.client_id,
        names.join(", ")
    ));
    steps.push(
        "Or allow and grant SelfEnrollment: the operator then does it by itself, as System Administrator".to_owned(),
    );
    HandOff {
        name: "enroll-app",
        title: format!("Let the operator's app read {}", counted(closed.len(), "environment")),
        who: ENVIRONMENT_ADMIN,
        steps,
        url: centers.power_platform.map(str::to_owned),
        due_date: None,
        done_when: "the operator can read the account's user row, its roles and its teams in each of them".to_owned(),
    }
}

/// What to paste: a few environments in each. What could mean something else to a shell gets into none.
fn commands(closed: &[&Environment], caller: &Caller) -> Vec<String> {
    if !reader::is_client_id(&caller.client_id) {
        return Vec::new();
    }
    let addresses: Vec<String> =
        closed.iter().filter_map(|environment| reader::origin(&environment.dataverse.as_ref()?.origin)).collect();
    let mut commands: Vec<String> = addresses
        .chunks(MOST_AT_ONCE)
        .take(MOST_COMMANDS)
        .map(|some| {
            format!(
                "backstay reader-role --client-id {} --environment {} | sh",
                caller.client_id.to_ascii_lowercase(),
                some.join(" ")
            )
        })
        .collect();
    let most = MOST_AT_ONCE * MOST_COMMANDS;
    if addresses.len() > most {
        commands.push(format!("{} more are named here when these are done", addresses.len() - most));
    }
    commands
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::rules::environment_for_tests;
    use crate::tenant::Cloud;
    use crate::tenant::facts::Dataverse;

    const CLIENT: &str = "C0FFEE00-1111-4222-8333-444455556666";

    fn caller(cloud: Cloud) -> Caller {
        Caller { cloud, tenant: "contoso.com".into(), client_id: CLIENT.into() }
    }

    fn environments(number: usize, suffix: &str) -> Vec<Environment> {
        let one = |at: usize| {
            let dataverse =
                Dataverse { origin: format!("https://e{at}.{suffix}"), running: true, security_group: None };
            Environment {
                id: at.to_string(),
                name: format!("E{at}"),
                dataverse: Some(dataverse),
                ..environment_for_tests()
            }
        };
        (0..number).map(one).collect()
    }

    fn asked(number: usize, cloud: Cloud, suffix: &str) -> HandOff {
        let all = environments(number, suffix);
        enroll(&all.iter().collect::<Vec<_>>(), &caller(cloud))
    }

    #[test]
    fn five_hundred_environments_are_a_few_commands_at_a_time() {
        let hand_off = asked(500, Cloud::Global, "crm4.dynamics.com");
        assert!(hand_off.steps.len() <= MOST, "{}", hand_off.steps.len());
        assert!(hand_off.steps.iter().map(String::len).sum::<usize>() < 8192, "{hand_off:?}");
        let commands: Vec<&String> =
            hand_off.steps.iter().filter(|step| step.starts_with("backstay reader-role")).collect();
        assert_eq!(commands.len(), 10);
        assert!(commands[9].ends_with("https://e99.crm4.dynamics.com | sh"), "{}", commands[9]);
        assert!(hand_off.steps.contains(&"400 more are named here when these are done".to_owned()));
        assert!(hand_off.title.contains("500 environments"));
    }

    #[test]
    fn commands_and_addresses_are_those_of_the_tenants_cloud() {
        let said = |cloud, suffix| {
            let hand_off = asked(1, cloud, suffix);
            let endpoint = register(&caller(cloud)).steps[1].clone();
            (hand_off.url, hand_off.steps[0].contains("az cloud set"), endpoint)
        };
        let power = |url: &str| Some(url.to_owned());
        let plain = "Add-PowerAppsAccount";
        for (cloud, suffix, url, azure, endpoint) in [
            (Cloud::Global, "crm.dynamics.com", power("https://admin.powerplatform.microsoft.com"), false, ""),
            (
                Cloud::Gcc,
                "crm9.dynamics.com",
                power("https://gcc.admin.powerplatform.microsoft.us"),
                false,
                " -Endpoint usgov",
            ),
            (
                Cloud::GccHigh,
                "crm.microsoftdynamics.us",
                power("https://high.admin.powerplatform.microsoft.us"),
                true,
                " -Endpoint usgovhigh",
            ),
            (Cloud::Dod, "crm.appsplatform.us", power("https://admin.appsplatform.us"), true, " -Endpoint dod"),
            (Cloud::China, "crm.dynamics.cn", None, true, " -Endpoint china"),
        ] {
            assert_eq!(said(cloud, suffix), (url, azure, format!("{plain}{endpoint}")), "{cloud:?}");
        }
    }

    #[test]
    fn what_could_mean_something_else_to_a_shell_is_not_for_pasting() {
        let mut all = environments(2, "crm4.dynamics.com");
        all[0].dataverse.as_mut().unwrap().origin = "https://x$(reboot).crm4.dynamics.com".into();
        let chosen = enroll(&all.iter().collect::<Vec<_>>(), &caller(Cloud::Global));
        assert!(!chosen.steps.concat().contains("reboot"), "{chosen:?}");
        assert!(chosen.steps.concat().contains("--environment https://e1.crm4.dynamics.com | sh"), "{chosen:?}");
        let nobody = Caller { client_id: "x; reboot".into(), ..caller(Cloud::Global) };
        assert!(commands(&all.iter().collect::<Vec<_>>(), &nobody).is_empty());
    }
}
