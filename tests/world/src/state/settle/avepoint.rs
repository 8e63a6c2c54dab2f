//! How do names in the AvePoint tenants of a world file become ids?

use jiff::{SignedDuration, Timestamp};

use super::fill;
use crate::ids::guid_of;
use crate::state::{
    AosTenant, AvePointSwitches, MODERN_APP, Organization, Profile, ProfileKind, Tenant, avepoint_hosts,
    is_known_scope, job_id,
};

pub fn settle(
    aos: &mut AosTenant,
    tenants: &[Tenant],
    switches: &AvePointSwitches,
    now: Timestamp,
) -> Result<(), String> {
    let place = format!("AvePoint tenant {}", aos.name);
    fill(&mut aos.id, || guid_of(&["avepoint", &aos.name]));
    if avepoint_hosts(&aos.data_center).is_none() {
        return Err(format!("{place} is in {:?}, which is no data center of AvePoint", aos.data_center));
    }
    for status in [switches.missing_scope, switches.wrong_data_center, switches.blocked_address] {
        if !matches!(status, 401 | 403 | 404) {
            return Err("statuses of switches.avepoint must be 401, 403 or 404".into());
        }
    }
    if let Some(scope) = aos.registrations.iter().flat_map(|it| &it.scopes).find(|scope| !is_known_scope(scope)) {
        return Err(format!("{place} has a registration with the permission {scope:?}, which there is not"));
    }
    let Some(key) = aos.microsoft_tenant.clone() else {
        let empty = aos.profiles.is_empty() && aos.organizations.is_empty();
        return if empty { Ok(()) } else { Err(format!("{place} has profiles, and no microsoft_tenant")) };
    };
    let tenant = tenants
        .iter()
        .find(|it| it.id == key || it.name == key || it.domains.contains(&key))
        .ok_or_else(|| format!("{place} names the Microsoft tenant {key:?}, which there is not"))?;
    aos.microsoft_tenant = Some(tenant.id.clone());
    for profile in &mut aos.profiles {
        settle_profile(profile, tenant, now).map_err(|why| format!("{place}: {why}"))?;
    }
    if let Some(account) = &mut aos.scan_account {
        let known = tenant.user(account).filter(|user| aos.profiles.iter().any(|it| it.user == user.id));
        *account = known
            .map(|user| user.id.clone())
            .ok_or_else(|| format!("{place} scans as {account:?}, for whom there is no profile"))?;
    }
    let profiles: Vec<&str> = aos.profiles.iter().map(|it| it.name.as_str()).collect();
    for organization in &mut aos.organizations {
        if !profiles.contains(&organization.profile.as_str()) {
            return Err(format!("{place} names the profile {:?}, which it does not have", organization.profile));
        }
        settle_organization(organization, tenant, now).map_err(|why| format!("{place}: {why}"))?;
    }
    Ok(())
}

fn settle_profile(profile: &mut Profile, tenant: &Tenant, now: Timestamp) -> Result<(), String> {
    let user = tenant.user(&profile.user).ok_or_else(|| {
        format!("profile {} names user {:?}, who is not in tenant {}", profile.name, profile.user, tenant.name)
    })?;
    let since = profile.authorized.unwrap_or(now);
    profile.authorize(tenant, &user.id, since);
    let app = match (profile.kind, &profile.app) {
        (ProfileKind::ServiceAccount, _) => return Ok(()),
        (ProfileKind::Modern, None) => MODERN_APP.to_owned(),
        (_, Some(app)) => app.clone(),
        (ProfileKind::Custom, None) => return Err(format!("profile {} needs an app", profile.name)),
    };
    let found = tenant
        .service_principal(&app)
        .ok_or_else(|| format!("profile {} names app {app:?}, which is not in tenant {}", profile.name, tenant.name))?;
    profile.app = Some(found.app_id);
    Ok(())
}

/// Also used when an organization is added while the world runs: what is scheduled is up to who adds it.
pub fn link(organization: &mut Organization, tenant: &Tenant) -> Result<(), String> {
    let key = organization.environment.trim_start_matches("https://").trim_end_matches('/').to_owned();
    let environment = tenant.environments.iter().find(|it| {
        it.id.eq_ignore_ascii_case(&key)
            || it.name == key
            || it.host.as_ref().is_some_and(|host| host.eq_ignore_ascii_case(&key))
    });
    let environment = environment.ok_or_else(|| format!("there is no environment {key:?} in {}", tenant.name))?;
    let host = environment.host.as_ref().ok_or_else(|| format!("{} has no Dataverse", environment.name))?;
    organization.environment.clone_from(&environment.id);
    organization.organization_id.clone_from(&environment.organization_id);
    organization.url = format!("https://{host}");
    fill(&mut organization.name, || environment.name.clone());
    Ok(())
}

fn settle_organization(organization: &mut Organization, tenant: &Tenant, now: Timestamp) -> Result<(), String> {
    link(organization, tenant)?;
    let ago = SignedDuration::from_hours(organization.protected_hours_ago.into());
    organization.next_backup = if organization.scanned { now.checked_sub(ago).ok() } else { None };
    for job in &mut organization.jobs {
        fill(&mut job.id, || job_id(&organization.organization_id, job.started));
    }
    Ok(())
}
