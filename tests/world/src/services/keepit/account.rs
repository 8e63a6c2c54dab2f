//! What does Keepit tell about an account, its tokens and its limits? (keepit.md §2.1, §2.6)

use super::xml::{leaf, leaf_if, node};
use super::{Call, error};
use crate::http::{Answer, Reply};
use crate::ids::keepit_id_of;

pub fn settings(call: &mut Call<'_>) -> Answer {
    let account = &call.account;
    let inner = leaf("enabled", account.enabled)
        + &leaf("created", "2025-11-03T09:00:00Z")
        + &leaf_if("product", account.product.as_ref())
        + &leaf_if("parent", account.parent.as_ref())
        + &leaf("subscribed", true);
    Ok(Reply::xml(200, &node("user", &inner)))
}

/// v4 is refused here (keepit.md §1 "Version trap").
pub fn tokens(call: &mut Call<'_>) -> Answer {
    if call.version >= 4 {
        return Err(error(400, "BAD_REQUEST", "The version of the schema is not supported for this resource."));
    }
    let rows: String = call
        .account
        .tokens
        .iter()
        .filter(|token| call.request.query("secondary") != Some("1") || !token.primary)
        .filter(|token| call.request.query("aname").is_none_or(|name| name == token.login))
        .map(|token| {
            let inner = leaf("descr", &token.name)
                + &leaf("aname", &token.login)
                + &leaf("guid", keepit_id_of(&[&token.login], 3))
                + &leaf("created", "2025-11-03T09:00:00Z")
                + &leaf("primary", token.primary)
                + &leaf("acl", &token.role)
                + &leaf("eacl", effective(&token.role))
                + &leaf_if("primary_aname", token.owner.as_ref());
            node("token", &inner)
        })
        .collect();
    Ok(Reply::xml(200, &node("tokens", &rows)))
}

/// `<letters>/<Resource>`, joined by colons: G, O, D, H, P = POST, U = PUT (keepit.md §1 "ACL model"). Which letters a role has is [G].
fn effective(role: &str) -> String {
    let letters = if matches!(role, "MasterAdmin" | "BackupAdmin") { "GPUD" } else { "G" };
    ["Devices", "DevJobs"]
        .iter()
        .map(|resource| format!("{letters}/{resource}"))
        .chain(["G/DevHealth".to_owned(), "G/AuditFilter".to_owned()])
        .collect::<Vec<_>>()
        .join(":")
}

pub fn resources(call: &mut Call<'_>) -> Answer {
    let rows: String = call
        .account
        .resources
        .iter()
        .map(|it| {
            let violated = it.limit.zip(it.usage).is_some_and(|(limit, usage)| usage > limit);
            node(
                "resource",
                &(leaf("name", &it.name)
                    + &leaf("type", &it.kind)
                    + &leaf_if("limit", it.limit)
                    + &leaf_if("usage", it.usage)
                    + &leaf("violated", violated)
                    + &leaf("evaluated", "2026-01-05T08:00:00Z")),
            )
        })
        .collect();
    Ok(Reply::xml(200, &node("resources", &rows)))
}
