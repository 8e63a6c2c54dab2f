//! How is a connector, and how old is its last backup? (keepit.md §2.4)

use super::Call;
use super::xml::{leaf, leaf_if, node};
use crate::http::{Answer, Reply};
use crate::state::Connector;

pub fn health(call: &mut Call<'_>, id: &str) -> Answer {
    call.connector(id)?;
    call.backups_were_read();
    let inner = health_elements(call, call.connector(id)?);
    Ok(Reply::xml(200, &node("devhealth", &inner)))
}

/// One call for all connectors (keepit.md §2.4 [V]).
pub fn health_of_all(call: &mut Call<'_>) -> Answer {
    call.backups_were_read();
    let rows: String = call
        .seen()
        .into_iter()
        .filter(|it| call.is_of_type(it))
        .map(|it| node("device", &(leaf("guid", &it.id) + &health_elements(call, it))))
        .collect();
    Ok(Reply::xml(200, &node("devhealth", &rows)))
}

fn health_elements(call: &Call<'_>, it: &Connector) -> String {
    let health = it.health(call.authorized(it), call.now);
    let reason = call.request.query("reason") == Some("true");
    leaf("health", &health.state) + &leaf_if("reason", reason.then_some(&health.reason))
}

/// `ecode` (keepit.md §2.4 [V]); what the numbers 0–7 mean is unknown, so it is always 0 or 4.
pub fn status(call: &mut Call<'_>, id: &str) -> Answer {
    let connector = call.connector(id)?;
    let code = match connector.health(call.authorized(connector), call.now).reason.as_str() {
        "BADTOKEN" => Some("E_REVOKED"),
        "BADLOGIN" => Some("E_LOGIN"),
        "NONADMINLOGIN" => Some("E_LOGIN_ADMIN"),
        "INITIAL_CONFIGURATION_PENDING" => Some("E_INITIAL_CONFIGURATION_PENDING"),
        "QUOTAVIOLATED" => Some("E_QUOTA"),
        "EMPTY_ROOT" => Some("E_EMPTY_ROOT"),
        _ => None,
    };
    let entry = leaf("status", if code.is_some() { 4 } else { 0 }) + &node("adata", &leaf_if("ecode", code));
    Ok(Reply::xml(200, &node("devstatus", &node("entry", &entry))))
}

pub fn summary(call: &mut Call<'_>, id: &str) -> Answer {
    call.connector(id)?;
    call.backups_were_read();
    let inner = summary_elements(call.connector(id)?);
    Ok(Reply::xml(200, &node("backup-summary", &inner)))
}

/// Per `device`; that its `guid` is inside is [G], the facts show only the fields.
pub fn summary_of_all(call: &mut Call<'_>) -> Answer {
    call.backups_were_read();
    let rows: String = call
        .seen()
        .into_iter()
        .filter(|it| call.is_of_type(it))
        .map(|it| node("device", &(leaf("guid", &it.id) + &summary_elements(it))))
        .collect();
    Ok(Reply::xml(200, &node("backup-summary", &rows)))
}

fn summary_elements(it: &Connector) -> String {
    let Some(last) = it.snapshots.iter().max_by_key(|snapshot| snapshot.time) else {
        return String::new();
    };
    let complete = it.snapshots.iter().filter(|snapshot| snapshot.complete).map(|snapshot| snapshot.time).max();
    leaf("last-snapshot-time", last.time)
        + &leaf_if("last-complete-snapshot-time", complete)
        + &leaf("last-snapshot-size", last.size)
        + &leaf("size-change", 0)
}

/// Type `c` complete, `p` partial.
pub fn latest(call: &mut Call<'_>, id: &str) -> Answer {
    call.connector(id)?;
    call.backups_were_read();
    let account = call.account.id.clone();
    let row = call.connector(id)?.snapshots.iter().max_by_key(|snapshot| snapshot.time).map(|it| {
        node(
            "backup",
            &(leaf("tstamp", it.time)
                + &leaf("root", crate::ids::keepit_id_of(&[id, &it.time.to_string()], 3))
                + &leaf("type", if it.complete { "c" } else { "p" })
                + &leaf("size", it.size)
                + &leaf("account", account)),
        )
    });
    Ok(Reply::xml(200, &node("history", &row.unwrap_or_default())))
}
