//! When the secrets and certificates of an app registration end, as the app's own directory tells (facts/avepoint-fluentpro.md §4).

use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde::Deserialize;

use super::calls::APPS;
use super::facts::{AppCredential, Proves};
use super::graph::{SERVICE, at};
use super::wire::Call;
use super::{Credential, Tenant};
use crate::fault::{Fault, Kind};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireApp {
    #[serde(default)]
    password_credentials: Vec<WireCredential>,
    #[serde(default)]
    key_credentials: Vec<WireCredential>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireCredential {
    #[serde(default)]
    hint: Option<String>,
    #[serde(default)]
    end_date_time: Option<Timestamp>,
}

/// All credentials of the app; none: it is registered in another tenant, or has none.
pub async fn of_app(tenant: &Tenant, client_id: &str) -> Result<Vec<AppCredential>, Fault> {
    let segment = format!("applications(appId='{client_id}')");
    let url = at(tenant, &[&segment], &[("$select", "passwordCredentials,keyCredentials")])?;
    let app: WireApp = match tenant.read(Call::get(&SERVICE, url, "the app's credentials", APPS)).await {
        Ok(app) => app,
        Err(fault) if fault.kind == Kind::NotFound => return Ok(Vec::new()),
        Err(fault) => return Err(fault),
    };
    let of = |all: Vec<WireCredential>, proves: Proves| {
        all.into_iter().map(move |it| AppCredential { proves, hint: it.hint, ends: it.end_date_time })
    };
    Ok(of(app.password_credentials, Proves::Secret).chain(of(app.key_credentials, Proves::Certificate)).collect())
}

/// When the client secret that the operator signs in with ends: it is known by its first characters, all that is ever shown of it.
/// Of several that begin alike, or tell nothing, the last to end is meant: it is never told too early.
pub fn end_of(credential: &Credential, all: &[AppCredential]) -> Option<Timestamp> {
    let Credential::Secret(secret) = credential else { return None };
    let secrets = || all.iter().filter(|it| it.proves == Proves::Secret);
    let known = |it: &&AppCredential| {
        it.hint.as_deref().is_some_and(|hint| !hint.is_empty() && secret.expose_secret().starts_with(hint))
    };
    let alike: Vec<_> = secrets().filter(known).collect();
    let meant = if alike.is_empty() { secrets().filter(|it| it.hint.is_none()).collect() } else { alike };
    last_end(meant)
}

/// When the last of these ends; `None`: there is none, or one of them has no end.
pub fn last_end<'a>(all: impl IntoIterator<Item = &'a AppCredential>) -> Option<Timestamp> {
    let ends: Option<Vec<Timestamp>> = all.into_iter().map(|it| it.ends).collect();
    ends?.into_iter().max()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(hint: Option<&str>, ends: &str) -> AppCredential {
        AppCredential { proves: Proves::Secret, hint: hint.map(str::to_owned), ends: ends.parse().ok() }
    }

    #[test]
    fn the_secret_is_known_by_how_it_begins_and_never_told_too_early() {
        let own = Credential::Secret("abc-rest".to_owned().into());
        let [first, second, third] = ["2027-01-01T00:00:00Z", "2027-02-01T00:00:00Z", "2027-03-01T00:00:00Z"];
        let told = |all: &[AppCredential]| end_of(&own, all).map(|it| it.to_string());
        let known = [secret(Some("xyz"), third), secret(Some("abc"), first)];
        assert_eq!(told(&known).as_deref(), Some(first));
        assert_eq!(told(&[secret(Some("abc"), first), secret(Some("abc"), second)]).as_deref(), Some(second));
        assert_eq!(told(&[secret(Some("xyz"), first)]), None, "somebody else's");
        assert_eq!(told(&[secret(None, first), secret(Some("xyz"), third)]).as_deref(), Some(first));
        let certificate = AppCredential { proves: Proves::Certificate, ..secret(None, first) };
        assert_eq!(told(&[certificate]), None);
        assert_eq!(last_end(&[secret(None, first), secret(None, "never")]), None);
    }
}
