//! The calls at Keepit that change something (facts/keepit.md §2.3): sent once, and told by the next look whether they took.

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use url::Url;

use super::details::STOPPED;
use super::xml::Element;
use super::{Spec, TYPE, client, drift};
use crate::fault::{Fault, Kind};
use crate::http::{Effect, Proof, Request};
use crate::vendors::{Action, At, Credential, Desk, Write};

/// Makes one write.
pub async fn write(spec: &Spec, write: &Write, at: At<'_>, credential: &Credential, desk: &Desk) -> Result<(), Fault> {
    let login = client::login(spec, credential, desk)?;
    let connector = at.connector.unwrap_or_default();
    let (method, of, body) = match write.action {
        Action::Create => (Method::POST, String::new(), Some((XML, created(spec, write)))),
        Action::Delete => (Method::DELETE, connector.to_owned(), None),
        Action::StartBackup => (Method::POST, format!("{connector}/jobs/"), Some((XML, JOB.to_owned()))),
        Action::Pause if write.value == "true" => {
            (Method::PUT, format!("{connector}/attributes/{STOPPED}"), Some(("text/plain", "1".to_owned())))
        }
        Action::Pause => (Method::DELETE, format!("{connector}/attributes/{STOPPED}"), None),
        Action::GrantAccess => {
            let body = format!("<member><aname>{}</aname></member>", escaped(&write.value));
            (Method::POST, format!("{connector}/access_list"), Some((XML, body)))
        }
        Action::Rename | Action::ExtendRetention | Action::ShortenRetention => {
            (Method::PUT, connector.to_owned(), Some((XML, changed(write))))
        }
    };
    let url = Url::parse(&format!("https://{}/users/{}/devices/{of}", login.host, at.account))
        .map_err(|_| Fault::new(Kind::BadAnswer, "Keepit gave an id that is not one"))?;
    let answer = login
        .way(&desk.way)
        .send(Request {
            service: "Keepit",
            method,
            url,
            effect: Effect::Write,
            headers: body.iter().map(|(kind, _)| (CONTENT_TYPE, (*kind).to_owned())).collect(),
            proof: Proof::Basic(login.username.clone(), login.password.clone()),
            body: body.map(|(_, body)| body.into_bytes()),
        })
        .await?;
    match answer.fault("Keepit", what(write.action)) {
        Some(_) if write.action == Action::StartBackup && runs_already(&answer.body) => Ok(()),
        Some(fault) => Err(fault),
        None => Ok(()),
    }
}

const XML: &str = "application/xml";
const JOB: &str = "<job><description>Asked for by Backstay</description><type>backup</type><immediate>true</immediate><commands><backup/></commands></job>";

/// One that runs, or waits to, is what was asked for (facts/keepit.md §2.5).
fn runs_already(body: &[u8]) -> bool {
    let error = Element::read(body).ok();
    let code = error.as_ref().and_then(|error| error.field("code"));
    matches!(code, Some("RUNNING_JOB" | "WAITING_JOB_TO_START"))
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
        Action::StartBackup => "start of a backup",
        Action::Pause => "stopping of a connector",
        Action::GrantAccess => "access to a connector",
        Action::Rename | Action::ExtendRetention | Action::ShortenRetention => "change of a connector",
    }
}
