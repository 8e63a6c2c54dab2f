//! What a status says of the organizations that a Connector declares, where its vendor shows its backups so. [pure]

use super::says::last_backup;
use crate::api::Happened;
use crate::api::connector::OrganizationStatus;
use crate::runtime::Note;
use crate::vendors::{Organization, VendorConnector};

/// The vendor's word for a job that failed.
const FAILED: &str = "Failed";

/// What is seen now; what was seen before stays while the vendor shows nothing.
pub fn seen(
    found: Option<&VendorConnector>,
    missing: &[String],
    old: &[OrganizationStatus],
) -> Vec<OrganizationStatus> {
    let Some(found) = found else {
        let unseen = |name: &String| OrganizationStatus { name: name.clone(), ..OrganizationStatus::default() };
        return missing.iter().map(unseen).collect();
    };
    let before = |name: &str| old.iter().find(|old| old.name == name).cloned();
    let each = found.organizations.iter().map(|it| match &it.last_job {
        Some(_) => status(it),
        None => before(&it.name).unwrap_or_else(|| status(it)),
    });
    each.collect()
}

fn status(it: &Organization) -> OrganizationStatus {
    OrganizationStatus {
        name: it.name.clone(),
        id: it.id.clone(),
        last_job: it.last_job.clone(),
        last_backup: it.last_backup.map(last_backup),
    }
}

/// News of jobs that failed, one for each organization.
pub fn failed(now: &[OrganizationStatus], old: &[OrganizationStatus]) -> Vec<Note> {
    let fails = |it: &OrganizationStatus| it.last_job.as_deref() == Some(FAILED);
    let news = now.iter().filter(|it| fails(it) && !old.iter().any(|old| old.name == it.name && fails(old)));
    let note = |it: &OrganizationStatus| {
        let sentence = format!("The newest backup job of \"{}\" has failed", it.name);
        Note::warning(Happened::BackupFailed, "Observe", sentence).about("Organization", &it.name)
    };
    news.map(note).collect()
}
