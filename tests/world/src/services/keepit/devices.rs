//! Which connectors are there, and how are they made, changed, shared and deleted? (keepit.md §2.3)

use jiff::SignedDuration;

use super::xml::{leaf, leaf_if, node, parse};
use super::{Call, PLANTED_PASSWORD, error, not_found};
use crate::http::{Answer, Reply};
use crate::ids::keepit_id;
use crate::state::Connector;

/// How long a deleted connector stays [G: keepit.md §3 "Deletion" knows a deadline, not its length].
const DELETED_STAYS_DAYS: i64 = 30;
const TYPES: &[&str] =
    &["dynamics365", "o365-admin", "azure-ad", "powerbi", "azure-do", "gsuite", "sforce", "zendesk", "dsl"];

pub fn list(call: &mut Call<'_>) -> Answer {
    let all = call.request.query("all") == Some("1");
    let rows: String = call
        .account
        .connectors
        .iter()
        .filter(|it| all || it.deletion_deadline.is_none())
        .map(|it| body(call, it))
        .collect();
    Ok(Reply::xml(200, &node("devices", &rows)))
}

/// The root of a single connector is not shown in any source; `cloud` is what the facts expect.
pub fn one(call: &mut Call<'_>, id: &str) -> Answer {
    Ok(Reply::xml(200, &body(call, call.connector(id)?)))
}

fn body(call: &Call<'_>, it: &Connector) -> String {
    let agent = it.agent_type.as_ref().filter(|_| call.version >= 4);
    let inner = leaf("guid", &it.id)
        + &leaf("name", &it.name)
        + &leaf("type", &it.kind)
        + &leaf_if("agent-type", agent)
        + &leaf_if("created", it.created)
        + &leaf("accessible", it.visible_to(&call.token))
        + &leaf_if("orglink", it.orglink.as_ref())
        + &leaf_if("backup-retention", it.retention.as_ref())
        + &leaf_if("deletion-deadline", it.deletion_deadline)
        + &leaf("uri", format!("https://{}/", call.host))
        + &leaf("login", format!("device-{}", it.id))
        + &leaf("password", PLANTED_PASSWORD);
    node("cloud", &inner)
}

/// [V]: the path and body are those of Keepit's own module. A further connector of a tenant takes the orglink of an existing one.
pub fn create(call: &mut Call<'_>) -> Answer {
    let invalid = |why: &str| error(400, "BAD_REQUEST", why);
    let body = parse(&call.request.body)
        .filter(|body| body.name == "cloud")
        .ok_or_else(|| invalid("The body is not a cloud element."))?;
    let (kind, name) = (body.text_of("type").unwrap_or_default(), body.text_of("name").unwrap_or_default());
    if !TYPES.contains(&kind) {
        return Err(invalid("The type is not known."));
    }
    if name.is_empty() || name.chars().count() > 255 {
        return Err(invalid("A name has 1 to 255 characters."));
    }
    if call.account.connectors.iter().any(|it| it.name == name && it.deletion_deadline.is_none()) {
        // [G] status and code; that names are unique is [V].
        return Err(error(409, "DEVICE_NAME_EXISTS", "There is a connector with this name."));
    }
    // What happens without orglink is open (keepit.md §6 question 3): here a connector nobody has consented for.
    let link = body.text_of("orglink").map(str::to_owned);
    let linked = link
        .as_ref()
        .map(|link| {
            call.account
                .connectors
                .iter()
                .find(|it| it.orglink.as_ref() == Some(link) && it.authorization.is_some())
                .ok_or_else(|| invalid("The orglink is not known."))
        })
        .transpose()?;
    let authorization = linked.and_then(|it| it.authorization.clone());
    let attributes = body
        .child("attributes")
        .map(|list| {
            list.children
                .iter()
                .filter_map(|it| Some((it.text_of("name")?.to_owned(), it.text_of("value")?.to_owned())))
                .collect()
        })
        .unwrap_or_default();
    let id = keepit_id(3);
    let person = call.token.owner.clone().unwrap_or_else(|| call.token.login.clone());
    call.account.connectors.push(Connector {
        id: id.clone(),
        name: name.to_owned(),
        kind: kind.to_owned(),
        agent_type: body.text_of("agent").map(str::to_owned),
        created: Some(call.now),
        orglink: link,
        retention: body.text_of("backup-retention").map(str::to_owned),
        deletion_deadline: None,
        created_by: Some(person),
        access: Vec::new(),
        attributes,
        authorization,
        health: None,
        snapshots: Vec::new(),
        jobs: Vec::new(),
        reads: 0,
    });
    Ok(Reply::empty(201).with("location", format!("/devices/{id}")))
}

/// Rename and retention are [G], by analogy with create (keepit.md §2.3).
pub fn change(call: &mut Call<'_>, id: &str) -> Answer {
    let body = parse(&call.request.body)
        .filter(|body| body.name == "cloud")
        .ok_or_else(|| error(400, "BAD_REQUEST", "The body is not a cloud element."))?;
    let name = body.text_of("name").map(str::to_owned);
    if let Some(name) = &name
        && call.account.connectors.iter().any(|it| it.name == *name && it.id != id && it.deletion_deadline.is_none())
    {
        return Err(error(409, "DEVICE_NAME_EXISTS", "There is a connector with this name."));
    }
    if let Some(unknown) =
        body.children.iter().find(|it| !["name", "backup-retention", "enabled"].contains(&it.name.as_str()))
    {
        return Err(error(400, "BAD_REQUEST", &format!("The element {} cannot be changed.", unknown.name)));
    }
    let connector = call.connector_mut(id)?;
    if let Some(name) = name {
        connector.name = name;
    }
    if let Some(retention) = body.text_of("backup-retention") {
        connector.retention = (!retention.is_empty()).then(|| retention.to_owned());
    }
    Ok(Reply::text(200, "Device updated"))
}

/// [G]: a deadline is set, and the name is free again.
pub fn delete(call: &mut Call<'_>, id: &str) -> Answer {
    let deadline = call.now.checked_add(SignedDuration::from_hours(24 * DELETED_STAYS_DAYS)).unwrap_or(call.now);
    let connector = call.connector_mut(id)?;
    connector.deletion_deadline.get_or_insert(deadline);
    Ok(Reply::text(200, "Device scheduled for deletion"))
}

pub fn attributes(call: &mut Call<'_>, id: &str) -> Answer {
    let rows: String = call
        .connector(id)?
        .attributes
        .iter()
        .map(|(name, value)| node("attribute", &(leaf("name", name) + &leaf("value", value))))
        .collect();
    Ok(Reply::xml(200, &node("attributes", &rows)))
}

/// The raw value; 404 if unset.
pub fn attribute(call: &mut Call<'_>, id: &str, key: &str) -> Answer {
    let value = call.connector(id)?.attributes.get(key).ok_or_else(not_found)?;
    Ok(Reply::typed(200, "application/octet-stream", value.clone()))
}

pub fn set_attribute(call: &mut Call<'_>, id: &str, key: &str) -> Answer {
    let value = String::from_utf8_lossy(&call.request.body).into_owned();
    call.connector_mut(id)?.attributes.insert(key.to_owned(), value);
    Ok(Reply::text(200, "Attribute set"))
}

pub fn unset_attribute(call: &mut Call<'_>, id: &str, key: &str) -> Answer {
    call.connector_mut(id)?.attributes.remove(key).ok_or_else(not_found)?;
    Ok(Reply::text(200, "Attribute deleted"))
}

/// [G]: the shape follows what is sent to let somebody in.
pub fn members(call: &mut Call<'_>, id: &str) -> Answer {
    let rows: String = call.connector(id)?.access.iter().map(|login| node("member", &leaf("aname", login))).collect();
    Ok(Reply::xml(200, &node("access_list", &rows)))
}

/// The lock icon: gives a user of the account access (keepit.md §2.3).
pub fn let_in(call: &mut Call<'_>, id: &str) -> Answer {
    let body = parse(&call.request.body).filter(|body| body.name == "member");
    let login = body
        .as_ref()
        .and_then(|body| body.text_of("aname"))
        .ok_or_else(|| error(400, "BAD_REQUEST", "The body is not a member element."))?;
    if call.account.token(login).is_none() {
        return Err(not_found());
    }
    let login = login.to_owned();
    let connector = call.connector_mut(id)?;
    if !connector.access.contains(&login) {
        connector.access.push(login);
    }
    Ok(Reply::text(200, "Access granted"))
}
