//! What does Graph tell about licences, of a person and of the tenant? (microsoft.md §1.5)

use serde_json::{Value, json};

use super::fields::{LICENSE_DETAILS, SUBSCRIBED_SKU};
use super::{Call, missing};
use crate::http::Answer;
use crate::ids::guid_of;
use crate::odata::project;
use crate::state::{License, Sku};

pub fn details(call: &mut Call<'_>, id: &str) -> Answer {
    call.options(&["$select"])?;
    let fields = call.select("licenseDetails", LICENSE_DETAILS)?;
    call.user_is_there(id)?;
    let tenant = call.tenant()?;
    let user = tenant.user(id).ok_or_else(|| missing(id))?;
    let rows: Vec<Value> = user
        .held_licenses()
        .filter_map(|license| tenant.sku(&license.sku).map(|sku| (license, sku)))
        .map(|(license, sku)| project(&json!({ "id": guid_of(&[&user.id, &sku.id]), "skuId": sku.id, "skuPartNumber": sku.part_number, "servicePlans": plans(sku, Some(license)) }), &fields))
        .collect();
    call.page(&format!("users('{id}')/licenseDetails"), &rows)
}

/// No `$filter` here (microsoft.md §1.5).
pub fn subscribed(call: &mut Call<'_>) -> Answer {
    call.options(&["$select"])?;
    let fields = call.select("subscribedSku", SUBSCRIBED_SKU)?;
    let worldwide = call.state.hosts.graph == "graph.microsoft.com";
    let tenant = call.tenant()?;
    let rows: Vec<Value> = tenant
        .skus
        .iter()
        .map(|sku| {
            let used =
                tenant.users.iter().filter(|user| user.held_licenses().any(|license| license.sku == sku.id)).count();
            let whole = json!({
                "accountName": tenant.name,
                "accountId": tenant.id,
                "appliesTo": sku.applies_to,
                "capabilityStatus": sku.status,
                "consumedUnits": used,
                "id": format!("{}_{}", tenant.id, sku.id),
                "skuId": sku.id,
                "skuPartNumber": sku.part_number,
                "subscriptionIds": [guid_of(&[&tenant.id, &sku.id, "subscription"])],
                "prepaidUnits": prepaid(sku, worldwide),
                "servicePlans": plans(sku, None),
            });
            project(&whole, &fields)
        })
        .collect();
    call.page("subscribedSkus", &rows)
}

/// Units by state; the national clouds' metadata has no `lockedOut`.
fn prepaid(sku: &Sku, worldwide: bool) -> Value {
    let units = |status: &str| if sku.status == status { sku.seats } else { 0 };
    let mut all = json!({ "enabled": units("Enabled"), "suspended": units("Suspended"), "warning": units("Warning") });
    if worldwide {
        all["lockedOut"] = units("LockedOut").into();
    }
    all
}

/// `provisioningStatus`: a plan that was switched off is Disabled (microsoft.md §1.5).
fn plans(sku: &Sku, license: Option<&License>) -> Vec<Value> {
    sku.plans
        .iter()
        .map(|plan| {
            let off = license.is_some_and(|license| license.disabled_plans.iter().any(|id| id.eq_ignore_ascii_case(&plan.id)));
            json!({ "servicePlanId": plan.id, "servicePlanName": plan.name, "provisioningStatus": if off { "Disabled" } else { "Success" }, "appliesTo": plan.applies_to })
        })
        .collect()
}
