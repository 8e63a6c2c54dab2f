//! Which tenant of AvePoint does an action mean, and what does the system auditor note of it?

pub mod profiles;
pub mod registrations;
pub mod scan;

use jiff::Timestamp;

use super::Params;
use crate::state::{AosTenant, AuditRow, Product, State, Tenant};

/// The AvePoint tenant that `aos=` names, else the first: its position.
fn aos_at(state: &State, params: &Params) -> Result<usize, String> {
    match params.maybe("aos") {
        None if state.avepoint.is_empty() => Err("nobody in this world is a customer of AvePoint".into()),
        None => Ok(0),
        Some(key) => state
            .avepoint
            .iter()
            .position(|it| it.id == key || it.name == key)
            .ok_or_else(|| format!("there is no AvePoint tenant {key:?}")),
    }
}

fn aos_of<'a>(state: &'a mut State, params: &Params) -> Result<&'a mut AosTenant, String> {
    let at = aos_at(state, params)?;
    Ok(&mut state.avepoint[at])
}

/// The Microsoft tenant that is connected.
fn connected<'a>(tenants: &'a [Tenant], aos: &AosTenant) -> Result<&'a Tenant, String> {
    tenants
        .iter()
        .find(|it| Some(&it.id) == aos.microsoft_tenant.as_ref())
        .ok_or_else(|| format!("no Microsoft tenant is connected to {}", aos.name))
}

/// A row of the audit; `by=` is who sits at AvePoint's page.
struct Note<'a> {
    action: &'a str,
    product: Product,
    /// The page, as the system auditor groups what it records (facts: avepoint-fluentpro §3 "Evidence").
    module: &'a str,
    object: &'a str,
}

fn note(state: &mut State, params: &Params, it: &Note<'_>) -> Result<(), String> {
    // Whole seconds, as in the sample: a row can seem older than what came just before it.
    let time = Timestamp::from_second(state.now().as_second()).map_err(|error| error.to_string())?;
    let aos = aos_of(state, params)?;
    let user = params.maybe("by").unwrap_or_else(|| aos.administrator.clone());
    aos.audit.push(AuditRow {
        time,
        user,
        action: it.action.to_owned(),
        product: it.product,
        module: Some(it.module.to_owned()),
        object: Some(it.object.to_owned()).filter(|name| !name.is_empty()),
    });
    Ok(())
}
