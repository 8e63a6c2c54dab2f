//! The calls at Keepit that change something (facts/keepit.md §2.3): sent once, and told by the next look whether they took.

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use url::Url;

use super::{Spec, TYPE, client, drift};
use crate::fault::{Fault, Kind};
use crate::http::{Effect, Proof, Request};
use crate::vendors::{Action, At, Credential, Desk, Write};

/// Makes one write.
pub async fn write(spec: &Spec, write: &Write, at: At<'_>, credential: &Credential, desk: &Desk) -> Result<(), Fault> {
    let login = client::login(spec, credential, desk)?;
    let (method, body) = match write.action {
        Action::Create => (Method::POST, Some(created(spec, write))),
        Action::Delete => (Method::DELETE, None),
        Action::Rename | Action::ExtendRetention | Action::ShortenRetention => (Method::PUT, Some(changed(write))),
    };
    let url = Url::parse(&format!(
        "https://{}/users/{}/devices/{}",
        login.host,
        at.account,
        at.connector.unwrap_or_default()
    ))
    .map_err(|_| Fault::new(Kind::BadAnswer, "Keepit gave an id that is not one"))?;
    let xml = (CONTENT_TYPE, "application/xml".to_owned());
    let answer = login
        .way(&desk.way)
        .send(Request {
            service: "Keepit",
            method,
            url,
            effect: Effect::Write,
            headers: body.is_some().then_some(xml).into_iter().collect(),
            proof: Proof::Basic(login.username.clone(), login.password.clone()),
            body: body.map(String::into_bytes),
        })
        .await?;
    match answer.fault("Keepit", what(write.action)) {
        Some(fault) => Err(fault),
        None => Ok(()),
    }
}

/// A further connector of a tenant takes the connection of one that is there. Attributes are left to Keepit: what its own module
/// sets would keep the connector from ever running by itself.
fn created(spec: &Spec, write: &Write) -> String {
    let part = |element: &str, text: Option<&str>| {
        text.map(|text| format!("<{element}>{}</{element}>", escaped(text))).unwrap_or_default()
    };
    format!(
        "<cloud>{}{}{}{}</cloud>",
        part("type", Some(TYPE)),
        part("name", Some(&write.value)),
        part("backup-retention", spec.retention.as_deref()),
        part("orglink", write.link.as_deref()),
    )
}

/// The one element that changes: by analogy with creating, not documented.
fn changed(write: &Write) -> String {
    let element = if write.field == drift::NAME { "name" } else { "backup-retention" };
    format!("<cloud><{element}>{}</{element}></cloud>", escaped(&write.value))
}

fn escaped(text: &str) -> std::borrow::Cow<'_, str> {
    quick_xml::escape::escape(text)
}

/// The call in words.
fn what(action: Action) -> &'static str {
    match action {
        Action::Create => "creation of a connector",
        Action::Delete => "deletion of a connector",
        Action::Rename | Action::ExtendRetention | Action::ShortenRetention => "change of a connector",
    }
}
