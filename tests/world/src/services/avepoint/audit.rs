//! Who did what in AvePoint's pages? (facts: avepoint-fluentpro §2a `/aos/audit`)

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{Call, audit_error};
use crate::http::{Answer, Reply, encoded};
use crate::state::{AuditNextLink, AuditRow, Product};

const OPTIONS: [&str; 5] = ["startTime", "endTime", "productTypes", "geoLocations", "skipToken"];
const LONGEST_DAYS: i64 = 7;

pub fn list(call: &Call<'_>) -> Answer {
    let bad = |why: String| audit_error(400, &why);
    call.options(&OPTIONS).map_err(bad)?;
    let week = SignedDuration::from_hours(24 * LONGEST_DAYS);
    let window = call.window("startTime", "endTime", Some(week)).map_err(bad)?;
    let products = products(call).map_err(bad)?;
    let before = match call.request.query("skipToken") {
        None => 0,
        Some(token) => token.parse::<usize>().map_err(|_| bad("The parameter 'skipToken' is not valid.".into()))?,
    };
    let delay = SignedDuration::from_mins(call.switches.audit_delay_minutes);
    let mut found: Vec<&AuditRow> = call
        .aos
        .audit
        .iter()
        .filter(|row| window.contains(&row.time) && call.now.duration_since(row.time) >= delay)
        .filter(|row| products.as_ref().is_none_or(|all| all.contains(&row.product)))
        .collect();
    found.sort_by_key(|row| std::cmp::Reverse(row.time));
    let page: Vec<Value> =
        found.iter().skip(before).take(call.switches.audit_page_size).map(|row| body(call, row)).collect();
    let after = before.saturating_add(page.len());
    let next = (after < found.len() && !page.is_empty()).then(|| next_link(call, after));
    Ok(Reply::json(200, &json!({ "nextLink": next, "data": page })))
}

/// `None` means all; the products of others are known, and nothing happens there. That several are separated by commas is [I].
fn products(call: &Call<'_>) -> Result<Option<Vec<Product>>, String> {
    const OTHERS: [&str; 9] = [
        "Office365Management",
        "Office365Backup",
        "GovernanceAutomation",
        "PolicyEnforcer",
        "CPManagement",
        "SMP",
        "VDR",
        "AvePointRecords",
        "GsuiteBackup",
    ];
    let Some(text) = call.request.query("productTypes").filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let mut all = Vec::new();
    for word in text.split(',').map(str::trim).filter(|word| !OTHERS.contains(word)) {
        let known = serde_json::from_value(word.into());
        all.push(known.map_err(|_| format!("The product type '{word}' is not known."))?);
    }
    Ok(Some(all))
}

/// The fields of the sample, in its order. What is not known of the action is null.
fn body(call: &Call<'_>, row: &AuditRow) -> Value {
    let product = match row.product {
        Product::Portal => "AvePoint Online Services",
        Product::CrmBackup => "Cloud Backup for Dynamics 365",
    };
    let detail = |value: &Option<String>| value.clone().filter(|_| call.switches.audit_details);
    json!({
        "actionName": row.action,
        "actionUser": row.user,
        "actionParameters": "null",
        "actionTime": row.time,
        "controllerName": null,
        "product": product,
        "geoLocation": null,
        "previousValue": null,
        "currentValue": null,
        "partnerTenantOwner": null,
        "status": null,
        "comment": null,
        "objectType": null,
        "operationType": null,
        "module": detail(&row.module),
        "functionality": null,
        "objectName": detail(&row.object),
        "action": null,
        "clientIP": "203.0.113.7",
        "additionalDetails": {},
    })
}

fn next_link(call: &Call<'_>, after: usize) -> String {
    let host = match call.switches.audit_next_link {
        AuditNextLink::OwnHost => call.request.host.as_str(),
        AuditNextLink::OtherHost => "graph.avepointonlineservices.com",
    };
    let kept = call.request.query.iter().filter(|(key, _)| key != "skipToken");
    let pairs: Vec<String> = kept.map(|(key, value)| format!("{key}={}", encoded(value))).collect();
    format!("https://{host}/aos/audit?{}&skipToken={after}", pairs.join("&"))
}
