//! The one call at Northwind, once for all who present the same token.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use secrecy::ExposeSecret;
use url::Url;

use super::{HOST, facts};
use crate::cache::{Keyed, Shared};
use crate::fault::{Fault, Kind};
use crate::http::{Effect, Proof, Request};
use crate::seen::Seen;
use crate::vendors::{Credential, Desk, Sight, VendorConnector};

/// What was read, by token.
pub type Accounts = Keyed<String, Shared<Arc<[VendorConnector]>>>;

/// What Northwind shows to this token, not older than `max_age`.
pub async fn look(credential: &Credential, desk: &Desk, max_age: Duration) -> Sight {
    let Some(token) = credential.get("token") else {
        return Sight::nothing(&Fault::new(Kind::Bug, "the key token was not read"));
    };
    let account = desk.northwind.get(token.expose_secret().to_owned(), Shared::default);
    let connectors = account.get(max_age, async { list(token.clone(), desk).await.into() }).await;
    Sight::new(Seen::Known(None), connectors)
}

async fn list(token: secrecy::SecretString, desk: &Desk) -> Result<Arc<[VendorConnector]>, Fault> {
    let url = Url::parse(&format!("https://{HOST}/connectors"))
        .map_err(|_| Fault::new(Kind::Bug, "Northwind's address is not one"))?;
    let answer = desk
        .way
        .send(Request {
            service: "Northwind",
            method: Method::GET,
            url,
            effect: Effect::Read,
            headers: Vec::new(),
            proof: Proof::Bearer(token),
            body: None,
        })
        .await?;
    if let Some(fault) = answer.fault("Northwind", "list of connectors") {
        return Err(fault);
    }
    let rows: Vec<facts::Row> = serde_json::from_slice(&answer.body).map_err(|_| {
        Fault::new(Kind::BadAnswer, "Northwind's answer to the question for the list of connectors is not one")
    })?;
    Ok(rows.into_iter().map(facts::connector).collect())
}
