//! What do people do under Settings > Scan of Cloud Backup for Dynamics 365, and what comes of it? (seed 004; facts: avepoint-fluentpro §3)

use jiff::SignedDuration;
use serde_json::json;

use super::{Note, aos_at, aos_of, connected, note};
use crate::actions::{Action, Done, Params, said, word};
use crate::ids::guid_of;
use crate::state::{
    AosTenant, Environment, JobStatus, Organization, Product, Profile, ProfileKind, State, Tenant, in_organization,
    is_delegated, link_organization, of_profile, why_not_offered,
};

pub const ACTIONS: &[Action] = &[
    Action {
        name: "add-organization",
        does: "name an environment (URL, name or id) for an app profile; nothing is backed up before scan-organizations",
        needs: &["environment", "profile"],
        may: &["every_hours", "aos", "by"],
        run: add,
    },
    Action {
        name: "move-organization",
        does: "move an organization, or all that are registered with a service account, to an app profile",
        needs: &["profile"],
        may: &["organization", "aos", "by"],
        run: relocate,
    },
    Action {
        name: "scan-organizations",
        does: "press Scan; without service_account= it is the account of the last scan, and the first time whichever comes",
        needs: &[],
        may: &["service_account", "aos", "by"],
        run: scan,
    },
    Action {
        name: "set-backup-outcome",
        does: "let an organization's backups end as finished, failed or finished_with_exception whatever else is true; outcome=none as things stand",
        needs: &["organization", "outcome"],
        may: &["aos"],
        run: set_outcome,
    },
    Action {
        name: "finish-organization-backup",
        does: "end the running backup of an organization, or make one: outcome= defaults to finished; hours_ago= puts it into the past",
        needs: &["organization"],
        may: &["outcome", "hours_ago", "aos"],
        run: finish,
    },
];

const MODULE: &str = "Scan Settings";

/// The product is subscribed to, and knows a Microsoft tenant.
fn open<'a>(state: &'a State, params: &Params) -> Result<(&'a AosTenant, &'a Tenant), String> {
    let aos = &state.avepoint[aos_at(state, params)?];
    if !aos.dynamics_backup {
        return Err(format!("{} has no subscription of Cloud Backup for Dynamics 365", aos.name));
    }
    Ok((aos, connected(&state.tenants, aos)?))
}

/// An app profile that AvePoint can use now.
fn app_profile<'a>(state: &State, aos: &'a AosTenant, tenant: &Tenant, name: &str) -> Result<&'a Profile, String> {
    let profile = aos.profile(name).ok_or_else(|| format!("there is no profile {name:?}"))?;
    if profile.kind == ProfileKind::ServiceAccount {
        return Err("this is done with an app profile; what a service account sees comes by scanning with it".into());
    }
    match of_profile(Some(tenant), profile, &state.switches.avepoint, state.now()) {
        Some(why) => Err(format!("the profile {name} is Invalid: {why}")),
        None => Ok(profile),
    }
}

/// The app gets in, and whoever consented is an administrator there, too: that this is asked here is [I].
fn connects(state: &State, tenant: &Tenant, profile: &Profile, organization: &Organization) -> Result<(), String> {
    if let Some(why) = in_organization(tenant, organization, profile) {
        return Err(format!("{} cannot be connected: {why}", organization.name));
    }
    let environment = tenant.environments.iter().find(|it| it.id == organization.environment);
    if is_delegated(profile, &state.switches.avepoint)
        && !environment.is_some_and(|it| is_administrator(tenant, it, &profile.user))
    {
        return Err(format!(
            "{} cannot be connected: who consented is not System Administrator there, and has to self-elevate first",
            organization.name
        ));
    }
    Ok(())
}

fn is_administrator(tenant: &Tenant, environment: &Environment, object_id: &str) -> bool {
    let mut rows = environment.users.iter().filter(|row| row.lag.is_real() && row.user.as_deref() == Some(object_id));
    rows.any(|row| environment.is_system_administrator(tenant, row))
}

fn add(state: &mut State, params: &Params) -> Done {
    let (key, name) = (params.text("environment")?, params.text("profile")?);
    let every_hours = params.number("every_hours")?.map_or(Ok(24), u32::try_from).map_err(|error| error.to_string())?;
    let (aos, tenant) = open(state, params)?;
    let profile = app_profile(state, aos, tenant, &name)?;
    let organization = linked(tenant, key, &name, every_hours)?;
    if aos.organizations.iter().any(|it| it.environment == organization.environment) {
        return Err(format!("{} is there already", organization.name));
    }
    connects(state, tenant, profile, &organization)?;
    let shown = organization.name.clone();
    aos_of(state, params)?.organizations.push(organization);
    let action = state.switches.avepoint.audit_actions.add_organization.clone();
    note(state, params, &Note { action: &action, product: Product::CrmBackup, module: MODULE, object: &shown })?;
    said("added; Scan finds it")
}

fn linked(tenant: &Tenant, environment: String, profile: &str, every_hours: u32) -> Result<Organization, String> {
    let mut organization = Organization {
        environment,
        name: String::new(),
        url: String::new(),
        organization_id: String::new(),
        profile: profile.to_owned(),
        scanned: false,
        every_hours,
        minutes: 20,
        protected_hours_ago: 0,
        outcome: None,
        next_backup: None,
        jobs: Vec::new(),
    };
    link_organization(&mut organization, tenant)?;
    Ok(organization)
}

fn relocate(state: &mut State, params: &Params) -> Done {
    let (name, only) = (params.text("profile")?, params.maybe("organization"));
    let (aos, tenant) = open(state, params)?;
    let profile = app_profile(state, aos, tenant, &name)?;
    let by_account =
        |it: &Organization| aos.profile(&it.profile).is_some_and(|it| it.kind == ProfileKind::ServiceAccount);
    let chosen: Vec<&Organization> = aos
        .organizations
        .iter()
        .filter(|it| by_account(it) && only.as_ref().is_none_or(|key| it.is_called(key)))
        .collect();
    if chosen.is_empty() {
        return Err("no such organization is registered with a service account".into());
    }
    for organization in &chosen {
        connects(state, tenant, profile, organization)?;
    }
    let moved: Vec<String> = chosen.iter().map(|it| it.environment.clone()).collect();
    let keeps = state.switches.avepoint.move_keeps_history;
    let action = state.switches.avepoint.audit_actions.move_organization.clone();
    let mut names = Vec::new();
    for organization in aos_of(state, params)?.organizations.iter_mut().filter(|it| moved.contains(&it.environment)) {
        organization.profile.clone_from(&name);
        if !keeps {
            organization.jobs.clear();
        }
        names.push(organization.name.clone());
    }
    for object in &names {
        note(state, params, &Note { action: &action, product: Product::CrmBackup, module: MODULE, object })?;
    }
    said(format!("moved: {}", names.join(", ")))
}

fn scan(state: &mut State, params: &Params) -> Done {
    let now = state.now();
    let (aos, tenant) = open(state, params)?;
    let account = account(state, aos, tenant, params.maybe("service_account"))?;
    if account.is_none() && aos.organizations.is_empty() {
        return Err("there is neither a service account nor an organization of an app profile to scan".into());
    }
    let mut organizations = aos.organizations.clone();
    for organization in organizations.iter_mut().filter(|it| !it.scanned) {
        let sees = aos.profile(&organization.profile).is_some_and(|profile| {
            of_profile(Some(tenant), profile, &state.switches.avepoint, now)
                .or_else(|| in_organization(tenant, organization, profile))
                .is_none()
        });
        organization.found_if(sees, now);
    }
    if let Some(profile) = account {
        for environment in tenant.environments.iter().filter(|it| it.host.is_some() && is_member(tenant, it, profile)) {
            match organizations.iter_mut().find(|it| it.environment == environment.id) {
                // Others belong to an app profile; that a scan does not take them back is [I].
                Some(it) if aos.profile(&it.profile).is_some_and(|it| it.kind == ProfileKind::ServiceAccount) => {
                    it.profile.clone_from(&profile.name);
                }
                Some(_) => {}
                None => {
                    let mut new = linked(tenant, environment.id.clone(), &profile.name, 24)?;
                    new.found_if(true, now);
                    organizations.push(new);
                }
            }
        }
    }
    let found: Vec<String> = organizations.iter().filter(|it| it.scanned).map(|it| it.name.clone()).collect();
    let user = account.map(|it| it.user.clone());
    let shown = user.as_ref().and_then(|id| tenant.user(id)).map(|it| it.principal_name.clone()).unwrap_or_default();
    let action = state.switches.avepoint.audit_actions.scan.clone();
    let aos = aos_of(state, params)?;
    aos.organizations = organizations;
    aos.scan_account = user.or_else(|| aos.scan_account.clone());
    note(state, params, &Note { action: &action, product: Product::CrmBackup, module: MODULE, object: &shown })?;
    Ok(json!({ "message": format!("found: {}", found.join(", ")), "account": shown }))
}

/// With which service account Scan works: the one that was chosen, else that of the last scan. The first time nobody is asked
/// (seed 004): here the order of ids decides, so that tests get the same one every time.
fn account<'a>(
    state: &State,
    aos: &'a AosTenant,
    tenant: &Tenant,
    chosen: Option<String>,
) -> Result<Option<&'a Profile>, String> {
    let why_not = |profile: &Profile| {
        let user = tenant.user(&profile.user);
        of_profile(Some(tenant), profile, &state.switches.avepoint, state.now())
            .or_else(|| user.and_then(|user| why_not_offered(tenant, user)))
    };
    if let Some(key) = chosen {
        let id = tenant.user(&key).map(|user| user.id.as_str()).unwrap_or_default();
        let profile = aos.service_account(id).ok_or_else(|| format!("AOS has no service account {key:?}"))?;
        return match why_not(profile) {
            Some(why) => Err(format!("{key} is not in the list of service accounts: {why}")),
            None => Ok(Some(profile)),
        };
    }
    let last = aos.scan_account.as_ref().and_then(|id| aos.service_account(id));
    if let Some(profile) = last {
        return match why_not(profile) {
            Some(why) => Err(format!("the service account of the last scan cannot be used: {why}")),
            None => Ok(Some(profile)),
        };
    }
    let offered = aos.profiles.iter().filter(|it| it.kind == ProfileKind::ServiceAccount && why_not(it).is_none());
    Ok(offered.min_by_key(|it| guid_of(&[&aos.id, "first scan", &it.user])))
}

/// Discovery lists the organizations that the account is in, whatever it may do there [I].
fn is_member(tenant: &Tenant, environment: &Environment, profile: &Profile) -> bool {
    environment.users.iter().any(|row| {
        row.lag.is_real()
            && row.user.as_ref() == Some(&profile.user)
            && environment.disabled_because(tenant, row).is_none()
    })
}

fn outcome(text: &str) -> Result<JobStatus, String> {
    word(text, "in_progress, finished, failed, finished_with_exception, skipped")
}

fn organization<'a>(state: &'a mut State, params: &Params) -> Result<&'a mut Organization, String> {
    let key = params.text("organization")?;
    aos_of(state, params)?.organization_mut(&key).ok_or_else(|| format!("there is no organization {key:?}"))
}

fn set_outcome(state: &mut State, params: &Params) -> Done {
    let text = params.text("outcome")?;
    let wanted = if text == "none" { None } else { Some(outcome(&text)?) };
    if wanted == Some(JobStatus::InProgress) {
        return Err("a backup does not end as in_progress".into());
    }
    organization(state, params)?.outcome = wanted;
    said("set")
}

fn finish(state: &mut State, params: &Params) -> Done {
    let wanted = outcome(&params.maybe("outcome").unwrap_or_else(|| "finished".into()))?;
    if wanted == JobStatus::InProgress {
        return Err("a backup does not end as in_progress".into());
    }
    let hours = params.number("hours_ago")?.unwrap_or(0);
    let end = state.now().checked_sub(SignedDuration::from_hours(hours)).map_err(|error| error.to_string())?;
    organization(state, params)?.finish(wanted, end);
    said("finished")
}
