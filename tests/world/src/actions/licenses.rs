//! What happens to a person's licences?

use super::{Action, Done, Params, said, tenant_of, word};
use crate::state::{License, LicenseState, State};

pub const ACTIONS: &[Action] = &[
    Action {
        name: "assign-license",
        does: "give a user a licence the tenant has bought",
        needs: &["user", "sku"],
        may: &["tenant"],
        run: assign_license,
    },
    Action {
        name: "remove-license",
        does: "take a licence away",
        needs: &["user", "sku"],
        may: &["tenant"],
        run: remove_license,
    },
    Action {
        name: "change-license",
        does: "switch a plan off or on, let the subscription lapse (status=), let its assignment fail (state=, error=)",
        needs: &["user", "sku"],
        may: &["plan_off", "plan_on", "status", "state", "error", "by_group", "tenant"],
        run: change_license,
    },
];

fn assign_license(state: &mut State, params: &Params) -> Done {
    let (key, sku) = (params.text("user")?, params.text("sku")?);
    let (attempts, reads) = (state.switches.lag.license_attempts, state.switches.lag.license_reads);
    let tenant = tenant_of(state, params)?;
    let sku = tenant.sku(&sku).cloned().ok_or_else(|| format!("the tenant has not bought {sku:?}"))?;
    let taken = tenant.users.iter().filter(|user| user.licenses.iter().any(|it| it.sku == sku.id)).count();
    if taken >= sku.seats as usize {
        return Err(format!("no free seat of {}", sku.part_number));
    }
    let user = tenant.user_mut(&key).ok_or_else(|| format!("there is no user {key:?}"))?;
    if user.licenses.iter().any(|it| it.sku == sku.id) {
        return said("held already");
    }
    user.licenses.push(License::direct(&sku.id));
    user.license_syncs = attempts;
    user.license_reads = reads;
    said("assigned")
}

fn remove_license(state: &mut State, params: &Params) -> Done {
    let (key, sku) = (params.text("user")?, params.text("sku")?);
    let tenant = tenant_of(state, params)?;
    let sku = tenant.sku(&sku).map(|it| it.id.clone()).ok_or_else(|| format!("the tenant has not bought {sku:?}"))?;
    let user = tenant.user_mut(&key).ok_or_else(|| format!("there is no user {key:?}"))?;
    if user.licenses.iter().any(|it| it.sku == sku && it.by_group.is_some()) {
        // [M] in microsoft.md §1.5.
        return Err("a licence that a group assigned cannot be taken from a single user".into());
    }
    let before = user.licenses.len();
    user.licenses.retain(|it| it.sku != sku);
    said(if user.licenses.len() < before { "removed" } else { "was not held" })
}

fn change_license(state: &mut State, params: &Params) -> Done {
    let (key, sku) = (params.text("user")?, params.text("sku")?);
    let tenant = tenant_of(state, params)?;
    let sku = tenant.sku(&sku).cloned().ok_or_else(|| format!("the tenant has not bought {sku:?}"))?;
    let plan = |key: &str| match params.maybe(key) {
        None => Ok(None),
        Some(name) => sku
            .plans
            .iter()
            .find(|it| it.id.eq_ignore_ascii_case(&name) || it.name == name)
            .map(|it| Some(it.id.clone()))
            .ok_or_else(|| format!("{} has no plan {name:?}", sku.part_number)),
    };
    let state_wanted: Option<LicenseState> =
        params.maybe("state").map(|text| word(&text, "Active, ActiveWithError, Disabled, Error")).transpose()?;
    let (off, on) = (plan("plan_off")?, plan("plan_on")?);
    let group = match params.maybe("by_group") {
        Some(name) => {
            Some(tenant.group(&name).map(|it| it.id.clone()).ok_or_else(|| format!("there is no group {name:?}"))?)
        }
        None => None,
    };
    let user = tenant.user_mut(&key).ok_or_else(|| format!("there is no user {key:?}"))?;
    let license = user
        .licenses
        .iter_mut()
        .find(|it| it.sku == sku.id)
        .ok_or_else(|| format!("{key} does not have {}", sku.part_number))?;
    license.disabled_plans.retain(|id| Some(id) != off.as_ref() && Some(id) != on.as_ref());
    license.disabled_plans.extend(off);
    license.status = params.maybe("status").unwrap_or_else(|| license.status.clone());
    license.state = state_wanted.unwrap_or(license.state);
    license.error = params.maybe("error").or_else(|| license.error.clone());
    license.by_group = group.or_else(|| license.by_group.clone());
    said("changed")
}
