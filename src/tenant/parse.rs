//! What is in the bodies of Microsoft's answers, for whoever has one: facts, and nobody is asked. [pure]

use std::collections::BTreeMap;

use super::facts::{Environment, Reach, SystemUser};
use super::{dataverse, powerplatform, tables, wire};
use crate::fault::Fault;

/// A page of the tenant's environments.
///
/// # Errors
/// The body is not one.
pub fn environments(body: &[u8]) -> Result<Vec<Environment>, Fault> {
    let page = wire::page(powerplatform::SERVICE.name, "environments", body)?;
    Ok(page.into_iter().map(powerplatform::environment).collect())
}

/// Somebody's row among `systemusers`, with what it holds directly; `None`: they are no user of the environment.
///
/// # Errors
/// The body is not a page of them.
pub fn row(body: &[u8]) -> Result<Option<SystemUser>, Fault> {
    let page = wire::page(dataverse::NAME, "users of the environment", body)?;
    Ok(dataverse::row(page).map(SystemUser::from))
}

/// How far somebody's privileges reach (`RetrieveUserSetOfPrivilegesByNames`).
///
/// # Errors
/// The body is not one.
pub fn privileges(body: &[u8]) -> Result<BTreeMap<String, Reach>, Fault> {
    let mut reach = BTreeMap::new();
    tables::collect(wire::document(dataverse::NAME, "privileges of the account", body)?, &mut reach);
    Ok(reach)
}
